//! `--trace`: what passes between this program and KDCs, for people, on standard error.

use std::io::{self, Write};

use countersign::handshake::kdc::{Endpoint, KdcClient, KdcEvent, KdcEventKind, Transport};
use countersign::token::describe;

use crate::output::fold;

/// Columns that the lines of a message are moved to the right.
const INDENT: &str = "    ";

/// The client, showing what it does.
pub(crate) fn traced(client: KdcClient) -> KdcClient {
    client.observe(|event| {
        // Where nobody reads standard error there is nobody to show anything to.
        let _ = io::stderr().lock().write_all(text(event).as_bytes());
    })
}

fn text(event: &KdcEvent<'_>) -> String {
    let realm = String::from_utf8_lossy(event.realm)
        .escape_debug()
        .to_string();
    let elapsed = event.elapsed;
    let what = match event.kind {
        KdcEventKind::Located { endpoints } => {
            let names: Vec<_> = endpoints.iter().map(Endpoint::to_string).collect();
            format!("realm {realm}: KDCs {}", names.join(", "))
        }
        KdcEventKind::Asked {
            endpoint,
            transport,
            message,
            ..
        } => {
            let length = message.len();
            let head = format!(
                "realm {realm}: {length} bytes to {endpoint} ({})",
                name(transport)
            );
            return with_message(&line(elapsed.as_millis(), &head), message);
        }
        KdcEventKind::Answered {
            endpoint,
            transport,
            message,
            ..
        } => {
            let length = message.len();
            let head = format!(
                "realm {realm}: {length} bytes from {endpoint} ({})",
                name(transport)
            );
            return with_message(&line(elapsed.as_millis(), &head), message);
        }
        KdcEventKind::Failed {
            endpoint,
            transport,
            failure,
            ..
        } => format!("realm {realm}: {endpoint} ({}): {failure}", name(transport)),
        KdcEventKind::GaveUp { error } => format!("realm {realm}: given up: {error}"),
        _ => return String::new(),
    };
    line(elapsed.as_millis(), &what)
}

fn line(millis: u128, what: &str) -> String {
    format!("{}\n", fold(&format!("trace {millis:>5} ms  {what}"), 16))
}

/// The head, and below it what the message says. Encrypted parts stay so.
fn with_message(head: &str, message: &[u8]) -> String {
    let mut text = head.to_owned();
    for line in describe::tree(message) {
        let margin = line.depth.saturating_mul(2).saturating_add(16).min(44);
        text.push_str(&fold(&format!("{INDENT}{line}"), margin));
        text.push('\n');
    }
    text
}

fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::Https => "HTTPS",
    }
}
