//! `countersign connect`: establishes a context with a server and sends messages in it.

mod report;

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use countersign::handshake::{Handshake, framing::TokenFlags};
use countersign::{Flags, Policy, Role, SecurityContext};
use serde_json::json;

use crate::args::{ConnectOptions, FramingName};
use crate::connection::{Connection, Frame};
use crate::failure::{Failure, address_failed};
use crate::output::{event, printable};
use crate::package::{self, Client};

pub(crate) fn run(options: &ConnectOptions) -> Result<(), Failure> {
    if options.no_wrap && options.protocol.framing == FramingName::Length {
        return Err(Failure::usage(
            "--no-wrap goes with --framing gss-sample only",
        ));
    }
    let client = package::client(options)?;
    for _ in 0..options.connections {
        connect(&*client, options)?;
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

fn connect(client: &dyn Client, options: &ConnectOptions) -> Result<(), Failure> {
    let timeout = Duration::from_secs(options.protocol.timeout);
    let stream = reach(&options.address, timeout)
        .map_err(|error| address_failed("connect to", &options.address, &error))?;
    let mut connection =
        Connection::new(stream, options.protocol.framing, options.protocol.timeout)?;
    let initiator = client.initiator(flags(options))?;
    let handshake = client.attach(Handshake::new(Role::Initiator, initiator));
    let policy = client.permit(Policy::default());
    let mut context = connection.establish(handshake, policy, |_| {})?;
    report::established(&context, options);

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

/// What the context must have.
fn flags(options: &ConnectOptions) -> Flags {
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
    flags
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
    let frame = ask(connection, context, number, TokenFlags::DATA, &token)?;
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
    let frame = ask(connection, context, number, flags, &payload)?;
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

/// Sends a frame and receives the answer.
fn ask(
    connection: &mut Connection,
    context: &SecurityContext,
    number: u64,
    flags: TokenFlags,
    payload: &[u8],
) -> Result<Frame, Failure> {
    let answer = connection
        .send(flags, payload)
        .and_then(|()| connection.receive());
    let failure = match answer {
        Ok(Some(frame)) => return Ok(frame),
        Ok(None) => Failure::refused(format!(
            "the server closed the connection instead of answering message {number}; look into \
             its log"
        )),
        Err(failure) => failure,
    };
    Err(match context.peer() {
        // Who proves nothing has not told either whether it accepted.
        None if number == 1 => failure.about("the server may have refused the client"),
        _ => failure,
    })
}
