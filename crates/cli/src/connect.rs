//! `countersign connect`: establishes a context with a server and sends messages in it.

mod credential;

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use countersign::credential::ServiceName;
use countersign::handshake::{Clock, Handshake, SystemClock, framing::TokenFlags};
use countersign::kerberos::Initiator;
use countersign::{Flags, SecurityContext};
use serde_json::json;

use crate::args::{ConnectOptions, FramingName, Package};
use crate::connection::Connection;
use crate::failure::{Failure, address_failed};
use crate::output::{ciphers, describe, duration, event, mechanism_name, printable};

use credential::Source;

pub(crate) fn run(options: &ConnectOptions) -> Result<(), Failure> {
    let Package::Kerberos = options.protocol.package;
    if options.no_wrap && options.protocol.framing == FramingName::Length {
        return Err(Failure::usage(
            "--no-wrap goes with --framing gss-sample only",
        ));
    }
    let target = ServiceName::parse(&options.target)
        .map_err(|error| Failure::usage(format!("the target {:?}: {error}", options.target)))?;
    let source = Source::find(&target, options)?;
    for _ in 0..options.connections {
        connect(&source, options)?;
    }
    Ok(())
}

/// Connects to the first address of the name that answers in time.
fn reach(address: &str, timeout: Duration) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn connect(source: &Source, options: &ConnectOptions) -> Result<(), Failure> {
    let timeout = Duration::from_secs(options.protocol.timeout);
    let stream = reach(&options.address, timeout)
        .map_err(|error| address_failed("connect to", &options.address, &error))?;
    let mut connection =
        Connection::new(stream, options.protocol.framing, options.protocol.timeout)?;
    let handshake = source.attach(Handshake::initiator(initiator(source, options)?));
    let mut context =
        connection.establish(handshake, options.protocol.enctypes.policy()?, |_| {})?;
    report(&context, options);

    let repeated = options
        .messages
        .iter()
        .flat_map(|message| core::iter::repeat_n(message, options.repeat as usize));
    for (message, number) in repeated.zip(1u64..) {
        match options.protocol.framing {
            FramingName::Length => {
                exchange(
                    &mut connection,
                    &mut context,
                    number,
                    message.as_bytes(),
                    options,
                )?;
            }
            FramingName::GssSample => {
                ask_to_sign(
                    &mut connection,
                    &mut context,
                    number,
                    message.as_bytes(),
                    options,
                )?;
            }
        }
    }
    if options.protocol.framing == FramingName::GssSample {
        connection.send(TokenFlags::NOOP, &[])?;
    }
    Ok(())
}

fn initiator(source: &Source, options: &ConnectOptions) -> Result<Initiator, Failure> {
    let mut flags = Flags::INTEGRITY;
    if !options.no_seal {
        flags |= Flags::CONFIDENTIALITY;
    }
    if !options.no_replay {
        flags |= Flags::REPLAY;
    }
    if !options.no_sequence {
        flags |= Flags::SEQUENCE;
    }
    let mut initiator = source.initiator().require(flags);
    if options.delegate {
        initiator = initiator.delegate(source.forwarded()?);
    }
    Ok(match options.no_mutual {
        true => initiator.one_way(),
        false => initiator,
    })
}

fn report(context: &SecurityContext, options: &ConnectOptions) {
    let lifetime = context.remaining(SystemClock.now());
    event(
        options.protocol.json,
        || {
            let service = match context.peer() {
                Some(peer) => format!("{peer} (proved)"),
                None => format!("{} (not asked to prove it)", options.target),
            };
            let rows = [
                ("server", options.address.clone()),
                ("service", service),
                ("client", context.local().to_string()),
                (
                    "mechanism",
                    format!("{} ({})", mechanism_name(context), context.mechanism()),
                ),
                ("flags", context.flags().to_string()),
                ("enctype", ciphers(context).to_owned()),
                ("lifetime", duration(lifetime)),
            ];
            let rows = rows.map(|(name, value)| format!("  {name:<10} {value}"));
            format!("established\n{}", rows.join("\n"))
        },
        || {
            let mut value = describe(context);
            value["event"] = "established".into();
            value["server"] = options.address.as_str().into();
            value["lifetime"] = lifetime.into();
            value
        },
    );
}

/// Length framing: the message there, protected; the answer back, protected likewise.
fn exchange(
    connection: &mut Connection,
    context: &mut SecurityContext,
    number: u64,
    message: &[u8],
    options: &ConnectOptions,
) -> Result<(), Failure> {
    let seal = !options.no_seal;
    let token = context.wrap(seal, message)?;
    connection.send(TokenFlags::DATA, &token)?;
    let Some(frame) = connection.receive()? else {
        return Err(unanswered(number));
    };
    let answer = context.unwrap(&frame.payload)?;
    if seal && !answer.sealed {
        return Err(Failure::refused(format!(
            "the answer to message {number} is not sealed"
        )));
    }
    let protection = if answer.sealed { "sealed" } else { "signed" };
    event(
        options.protocol.json,
        || {
            let text = printable(&answer.message);
            format!(
                "message {number}: {} bytes, answered {protection}: {text}",
                message.len()
            )
        },
        || {
            let answer = String::from_utf8_lossy(&answer.message);
            let length = message.len();
            json!({
                "event": "message", "number": number, "length": length,
                "protection": protection, "answer": answer,
            })
        },
    );
    Ok(())
}

/// The gss-sample protocol: the message there, its MIC back.
fn ask_to_sign(
    connection: &mut Connection,
    context: &mut SecurityContext,
    number: u64,
    message: &[u8],
    options: &ConnectOptions,
) -> Result<(), Failure> {
    let (seal, mic) = (!options.no_seal, !options.no_mic);
    let mut flags = TokenFlags::DATA;
    if mic {
        flags = flags | TokenFlags::SEND_MIC;
    }
    let (protection, payload) = if options.no_wrap {
        ("clear text", message.to_vec())
    } else {
        flags = flags | TokenFlags::WRAPPED;
        if seal {
            flags = flags | TokenFlags::ENCRYPTED;
        }
        (
            if seal { "sealed" } else { "signed" },
            context.wrap(seal, message)?,
        )
    };
    connection.send(flags, &payload)?;
    let Some(frame) = connection.receive()? else {
        return Err(unanswered(number));
    };
    if mic {
        if !frame.flags.contains(TokenFlags::MIC) {
            return Err(Failure::refused(format!(
                "message {number} was answered without a MIC"
            )));
        }
        context.verify_mic(message, &frame.payload)?;
    } else if !frame.flags.contains(TokenFlags::NOOP) {
        return Err(Failure::refused(format!(
            "message {number} was not acknowledged"
        )));
    }
    event(
        options.protocol.json,
        || {
            let answer = if mic { "MIC verified" } else { "acknowledged" };
            format!(
                "message {number}: {} bytes, {protection}, {answer}",
                message.len()
            )
        },
        || {
            json!({
                "event": "message", "number": number, "length": message.len(),
                "protection": protection, "mic": mic,
            })
        },
    );
    Ok(())
}

fn unanswered(number: u64) -> Failure {
    Failure::refused(format!(
        "the server closed the connection instead of answering message {number}; look into its log"
    ))
}
