//! `countersign serve`: accepts contexts and answers what comes in them.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use countersign::handshake::{Handshake, framing::TokenFlags};
use countersign::{Policy, Role, SecurityContext};
use serde_json::json;

use crate::args::{FramingName, ServeOptions};
use crate::connection::Connection;
use crate::failure::{Failure, address_failed};
use crate::output::{complain, describe, event, mechanism_name};
use crate::package;

/// Connections served at the same time; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 256;

struct Server {
    package: Box<dyn package::Server>,
    policy: Policy,
    options: ServeOptions,
    active: AtomicUsize,
}

pub(crate) fn run(options: ServeOptions) -> Result<(), Failure> {
    let package = package::server(&options)?;
    let policy = package.permit(Policy::default());
    let listener = TcpListener::bind(&options.listen)
        .map_err(|error| address_failed("listen on", &options.listen, &error))?;
    let address = listener.local_addr()?;
    event(
        options.protocol.json,
        || format!("listening on {address}"),
        || json!({ "event": "listening", "address": address.to_string() }),
    );
    let server = Arc::new(Server {
        package,
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
        let handshake = Handshake::new(Role::Acceptor, self.package.acceptor());
        let policy = self.policy.clone();
        let established =
            connection.establish_with(handshake, policy, |_| {}, |need| self.package.answer(need));
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
