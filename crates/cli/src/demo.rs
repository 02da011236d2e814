//! `countersign demo`: from a password to a context, over loopback. A client asks a KDC for tickets;
//! then the two sides of a TCP connection prove to each other who they are.

mod tickets;

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use countersign::credential::{Keytab, Principal, TicketCredential};
use countersign::crypto::Enctype;
use countersign::handshake::{Clock, Direction, Handshake, SystemClock, framing::TokenFlags};
use countersign::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign::token::framing::InitialToken;
use countersign::token::kerberos::gss_token;
use countersign::{EnctypeSet, Flags, Policy, SecurityContext};
use serde_json::json;

use crate::args::{DemoOptions, FramingName, enctype};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{ciphers, describe, duration, event, flag_names, printable};

const QUESTIONS: [&str; 2] = ["Halt! Who goes there?", "Friend or foe?"];
const TIMEOUT: u64 = 10;

/// A token as the client saw it.
struct Seen {
    direction: Direction,
    length: usize,
    what: &'static str,
}

/// What the client found.
struct Met {
    context: SecurityContext,
    established: Duration,
    exchanges: Vec<Exchange>,
}

/// A sealed message and its sealed answer.
struct Exchange {
    message: &'static str,
    sent: usize,
    answer: Vec<u8>,
    received: usize,
    sealed: bool,
    took: Duration,
}

pub(crate) fn run(options: &DemoOptions) -> Result<(), Failure> {
    let (enctype, permitted) = match &options.enctype {
        Some(name) => {
            let enctype = enctype(name)?;
            (enctype, EnctypeSet::of(&[enctype]))
        }
        None => (Enctype::Aes256CtsHmacSha384_192, EnctypeSet::AES),
    };
    let policy = Policy::default().with_enctypes(permitted);
    let realm = tickets::Realm::start(enctype)?;
    let keytab = realm.keytab()?;
    realm.announce(options.json);
    let ticket = realm.ticket(&policy, options.json)?;
    let (client, service) = (ticket.client.clone(), ticket.server.clone());

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    event(
        options.json,
        || {
            format!(
                "\na server with its keytab listens on {address}, the client connects\n\ntokens"
            )
        },
        || json!({ "event": "listening", "address": address.to_string() }),
    );
    let server = {
        let policy = policy.clone();
        thread::spawn(move || serve(&listener, &keytab, policy))
    };
    let met = meet(TcpStream::connect(address)?, ticket, policy, options.json)?;
    let server = server
        .join()
        .map_err(|_| Failure::refused("the server's thread panicked; please report it"))??;

    report(&met, &server, options);
    let proved = proved(&met, &server, &client, &service);
    event(
        options.json,
        || match proved {
            true => "\nmutual authentication was proved".to_owned(),
            false => "\nmutual authentication was NOT proved".to_owned(),
        },
        || json!({ "event": "verdict", "proved": proved }),
    );
    if proved {
        Ok(())
    } else {
        Err(Failure::refused("the two sides do not agree; see above"))
    }
}

/// The server: accepts one context and answers every sealed message with a sealed one.
fn serve(
    listener: &TcpListener,
    keytab: &Keytab,
    policy: Policy,
) -> Result<SecurityContext, Failure> {
    let (stream, _) = listener.accept()?;
    let credential = AcceptorCredential::new(keytab);
    let acceptor = Acceptor::new(&credential)
        .require(Flags::MUTUAL | Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    let mut connection = Connection::new(stream, FramingName::Length, TIMEOUT)?;
    let mut context = connection.establish(Handshake::acceptor(acceptor), policy, |_| {})?;
    while let Some(frame) = connection.receive()? {
        let opened = context.unwrap(&frame.payload)?;
        if !opened.sealed {
            return Err(Failure::refused("the client's message is not sealed"));
        }
        let answer = [b"heard: ", opened.message.as_slice()].concat();
        let token = context.wrap(true, &answer)?;
        connection.send(TokenFlags::DATA, &token)?;
    }
    Ok(*context)
}

/// The client: establishes the context, showing each token, and exchanges sealed messages.
fn meet(
    stream: TcpStream,
    ticket: TicketCredential,
    policy: Policy,
    json: bool,
) -> Result<Met, Failure> {
    let initiator = Initiator::new(Arc::new(ticket)).require(
        Flags::MUTUAL | Flags::REPLAY | Flags::SEQUENCE | Flags::CONFIDENTIALITY | Flags::INTEGRITY,
    );
    let mut connection = Connection::new(stream, FramingName::Length, TIMEOUT)?;
    let (tokens, seen) = mpsc::channel();
    let started = Instant::now();
    let established = connection.establish(Handshake::initiator(initiator), policy, move |leg| {
        let (direction, length) = (leg.direction, leg.token.len());
        let what = what_it_is(leg.token);
        // The receiver lives until the handshake is over.
        let _ = tokens.send(Seen {
            direction,
            length,
            what,
        });
    });
    let took = started.elapsed();
    seen.iter().for_each(|token| show(&token, json));
    let mut context = *established?;

    let mut exchanges = Vec::new();
    for message in QUESTIONS {
        let started = Instant::now();
        let token = context.wrap(true, message.as_bytes())?;
        connection.send(TokenFlags::DATA, &token)?;
        let frame = connection
            .receive()?
            .ok_or_else(|| Failure::refused("the server closed instead of answering"))?;
        let answer = context.unwrap(&frame.payload)?;
        let exchange = Exchange {
            message,
            sent: token.len(),
            answer: answer.message,
            received: frame.payload.len(),
            sealed: answer.sealed,
            took: started.elapsed(),
        };
        show_exchange(&exchange, json);
        exchanges.push(exchange);
    }
    Ok(Met {
        context,
        established: took,
        exchanges,
    })
}

fn what_it_is(token: &[u8]) -> &'static str {
    let inner = InitialToken::parse(token).map_or(token, |framed| framed.inner);
    gss_token::split(inner).map_or("unknown", |(id, _)| id.name())
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "client -> server",
        Direction::Received => "client <- server",
    }
}

fn show(token: &Seen, json: bool) {
    let Seen {
        direction,
        length,
        what,
    } = token;
    event(
        json,
        || format!("  {}  {length:>4} bytes  {what}", arrow(*direction)),
        || json!({ "event": "token", "from": sender(*direction), "length": length, "what": what }),
    );
}

fn sender(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "client",
        Direction::Received => "server",
    }
}

fn show_exchange(exchange: &Exchange, json: bool) {
    let answer = printable(&exchange.answer);
    let halves = [
        (
            Direction::Sent,
            exchange.sent,
            printable(exchange.message.as_bytes()),
        ),
        (Direction::Received, exchange.received, answer),
    ];
    for (direction, length, text) in halves {
        event(
            json,
            || format!("  {}  {length:>4} bytes  sealed {text}", arrow(direction)),
            || {
                json!({
                    "event": "message", "from": sender(direction), "length": length, "text": text,
                })
            },
        );
    }
}

fn report(met: &Met, server: &SecurityContext, options: &DemoOptions) {
    let (context, established) = (&met.context, met.established);
    let fastest = met
        .exchanges
        .iter()
        .map(|exchange| exchange.took)
        .min()
        .unwrap_or_default();
    let lifetime = context.remaining(SystemClock.now());
    event(
        options.json,
        || {
            let rows = [
                ("client", peer(server), " (proved to the server)"),
                ("server", peer(context), " (proved to the client)"),
                ("flags", context.flags().to_string(), ""),
                ("enctype", ciphers(context).to_owned(), ""),
                ("lifetime", duration(lifetime), ""),
                ("established", format!("in {established:.0?}"), ""),
                (
                    "answered",
                    format!("in {fastest:.0?}, sealed both ways"),
                    "",
                ),
            ];
            let rows = rows.map(|(name, value, note)| format!("  {name:<11} {value}{note}"));
            format!("\nestablished\n{}", rows.join("\n"))
        },
        || {
            let mut value = describe(context);
            value["event"] = "established".into();
            value["acceptor_flags"] = flag_names(server.flags()).into();
            value["acceptor_peer"] = peer(server).into();
            value["lifetime"] = lifetime.into();
            value["handshake_us"] = micros(established).into();
            value["round_trip_us"] = micros(fastest).into();
            value
        },
    );
}

fn peer(context: &SecurityContext) -> String {
    context
        .peer()
        .map_or_else(|| "nobody".to_owned(), ToString::to_string)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Whether each side knows the other by its name, both granted mutual authentication, and every
/// answer came sealed and to the question.
fn proved(met: &Met, server: &SecurityContext, client: &Principal, service: &Principal) -> bool {
    let is = |context: &SecurityContext, name: &Principal| {
        context
            .peer()
            .and_then(|peer| peer.principal())
            .is_some_and(|peer| peer == name)
    };
    let mutual = |context: &SecurityContext| context.flags().contains(Flags::MUTUAL);
    let answered = met.exchanges.iter().all(|exchange| {
        exchange.sealed
            && exchange.answer.strip_prefix(b"heard: ") == Some(exchange.message.as_bytes())
    });
    is(&met.context, service)
        && is(server, client)
        && mutual(&met.context)
        && mutual(server)
        && met.exchanges.len() == QUESTIONS.len()
        && answered
}
