//! `countersign serve`: accepts contexts and answers what comes in them.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use countersign::credential::{Keytab, KeytabEntry};
use countersign::handshake::{Handshake, framing::TokenFlags};
use countersign::kerberos::{Acceptor, AcceptorCredential, ServicePattern};
use countersign::{Policy, SecurityContext};
use serde_json::json;

use crate::args::{FramingName, Package, ServeOptions};
use crate::connection::Connection;
use crate::failure::{Failure, address_failed};
use crate::files;
use crate::output::{complain, describe, event, mechanism_name};

/// Connections served at the same time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 256;

struct Server {
    credential: AcceptorCredential,
    policy: Policy,
    options: ServeOptions,
    active: AtomicUsize,
}

pub(crate) fn run(options: ServeOptions) -> Result<(), Failure> {
    let Package::Kerberos = options.protocol.package;
    let keytab = files::keytab(&options.keytab)?;
    let mut credential = AcceptorCredential::new(&keytab);
    if credential.principals().next().is_none() {
        return Err(Failure::usage(format!(
            "the keytab {} holds no key that this program can use; look at it with `klist -ket`",
            options.keytab.display()
        )));
    }
    if !options.services.is_empty() {
        let services: Vec<_> = options
            .services
            .iter()
            .map(|text| service(text, &credential))
            .collect::<Result<_, _>>()?;
        credential = credential.with_services(services);
    }
    let policy = options.protocol.enctypes.policy()?;
    permitted_keys(&keytab, &policy, &options)?;
    let listener = TcpListener::bind(&options.listen)
        .map_err(|error| address_failed("listen on", &options.listen, &error))?;
    let address = listener.local_addr()?;
    event(
        options.protocol.json,
        || format!("listening on {address}"),
        || json!({ "event": "listening", "address": address.to_string() }),
    );
    let server = Arc::new(Server {
        credential,
        policy,
        options,
        active: AtomicUsize::new(0),
    });
    if server.options.once {
        let (stream, from) = listener.accept()?;
        return server.serve(stream, from);
    }
    serve_for_ever(&server, &listener)
}

/// A listed service. One that is written in full may be an alias of what the keytab names; a
/// wildcard that covers nothing in it would refuse everybody.
fn service(text: &str, credential: &AcceptorCredential) -> Result<ServicePattern, Failure> {
    let pattern = ServicePattern::parse(text).ok_or_else(|| {
        Failure::usage(format!(
            "\"{text}\" is no service; write HTTP/www.example.com, HTTP/www.example.com@REALM or \
             HTTP/*"
        ))
    })?;
    let wildcard = text
        .split('@')
        .next()
        .is_some_and(|name| name.ends_with("/*"));
    if wildcard && !credential.principals().any(|name| pattern.matches(name)) {
        return Err(Failure::usage(format!(
            "the keytab has no key of a name that {text} covers; look at it with `klist -ket`"
        )));
    }
    Ok(pattern)
}

/// Whether any key at all may be used; otherwise every client would be refused.
fn permitted_keys(keytab: &Keytab, policy: &Policy, options: &ServeOptions) -> Result<(), Failure> {
    let mut names = Vec::new();
    for enctype in keytab.entries().iter().filter_map(KeytabEntry::enctype) {
        if policy.enctypes().contains(enctype) {
            return Ok(());
        }
        if !names.contains(&enctype.name()) {
            names.push(enctype.name());
        }
    }
    Err(Failure::usage(format!(
        "the keytab {} has keys of {} only, which are not permitted; name them with \
         --allow-enctype",
        options.keytab.display(),
        names.join(" and ")
    )))
}

fn serve_for_ever(server: &Arc<Server>, listener: &TcpListener) -> Result<(), Failure> {
    loop {
        while server.active.load(Ordering::Acquire) >= MAX_CONNECTIONS {
            thread::sleep(std::time::Duration::from_millis(10));
        }
        let (stream, from) = match listener.accept() {
            Ok(accepted) => accepted,
            // The connection may have gone away again, or descriptors may be short for a while.
            Err(error) => {
                complain(&format!("error: cannot accept a connection: {error}"));
                thread::sleep(std::time::Duration::from_millis(100));
                continue;
            }
        };
        let active = Active::new(Arc::clone(server));
        let spawned = thread::Builder::new().spawn(move || {
            if let Err(failure) = active.0.serve(stream, from)
                && !failure.is_reported()
            {
                if active.0.options.protocol.json {
                    event(true, String::new, || {
                        let mut value = failure.to_event();
                        value["from"] = from.to_string().into();
                        value
                    });
                }
                complain(&format!("{from}: {failure}"));
            }
        });
        if let Err(error) = spawned {
            complain(&format!("error: {from}: cannot start a thread: {error}"));
        }
    }
}

/// Counts as an active connection for as long as it lives, whatever ends it.
struct Active(Arc<Server>);

impl Active {
    fn new(server: Arc<Server>) -> Self {
        server.active.fetch_add(1, Ordering::AcqRel);
        Self(server)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Server {
    /// Serves one connection: a line when it is decided, then its messages.
    fn serve(&self, stream: TcpStream, from: SocketAddr) -> Result<(), Failure> {
        let protocol = &self.options.protocol;
        let json = protocol.json;
        let mut connection = Connection::new(stream, protocol.framing, protocol.timeout)?;
        let handshake = Handshake::acceptor(Acceptor::new(&self.credential));
        let established = connection.establish(handshake, self.policy.clone(), |_| {});
        let mut context = match established {
            Ok(context) => context,
            Err(failure) => {
                event(
                    json,
                    || format!("{from} refused: {failure}"),
                    || {
                        let (from, error) = (from.to_string(), failure.to_string());
                        json!({ "event": "connection", "from": from, "error": error })
                    },
                );
                return Err(failure.already_reported());
            }
        };
        let peer = context
            .peer()
            .map_or_else(|| "nobody".to_owned(), ToString::to_string);
        event(
            json,
            || {
                let package = mechanism_name(&context);
                format!(
                    "{from} accepted {peer}, {package}, flags {}",
                    context.flags()
                )
            },
            || {
                let mut value = describe(&context);
                value["event"] = "connection".into();
                value["from"] = from.to_string().into();
                value
            },
        );
        match protocol.framing {
            FramingName::Length => echo(&mut connection, &mut context),
            FramingName::GssSample => sign(&mut connection, &mut context),
        }
    }
}

/// Answers every message with the same, protected in the same way, until the peer closes.
fn echo(connection: &mut Connection, context: &mut SecurityContext) -> Result<(), Failure> {
    while let Some(frame) = connection.receive()? {
        let opened = context.unwrap(&frame.payload)?;
        let answer = context.wrap(opened.sealed, &opened.message)?;
        connection.send(TokenFlags::DATA, &answer)?;
    }
    Ok(())
}

/// What gss-server does: opens messages and answers with a MIC where one is asked for, with an
/// empty frame where none is, until an empty frame comes.
fn sign(connection: &mut Connection, context: &mut SecurityContext) -> Result<(), Failure> {
    while let Some(frame) = connection.receive()? {
        if frame.flags.contains(TokenFlags::NOOP) {
            return Ok(());
        }
        let message = if frame.flags.contains(TokenFlags::WRAPPED) {
            let opened = context.unwrap(&frame.payload)?;
            if frame.flags.contains(TokenFlags::ENCRYPTED) && !opened.sealed {
                return Err(Failure::refused(
                    "a message that is said to be sealed is not",
                ));
            }
            opened.message
        } else {
            frame.payload
        };
        if frame.flags.contains(TokenFlags::SEND_MIC) {
            let mic = context.get_mic(&message)?;
            connection.send(TokenFlags::MIC, &mic)?;
        } else {
            connection.send(TokenFlags::NOOP, &[])?;
        }
    }
    Ok(())
}
