//! Rows of the gss-sample protocol: gss-client with a server, a client with gss-server.

use std::net::TcpListener;
use std::time::Duration;

use crate::Result;
use crate::exchange::expect_reason;
use crate::lab::{ENCTYPES, Lab};
use crate::process::Running;
use crate::proxy::{Recorder, find_token, replay};
use crate::row::{Role, Row, not_built};
use crate::sample::{ClientSetup, Program, Server, ServerSetup, countersign, run_client};

/// An exchange that must succeed, by the switches that make each program do it.
struct Exchange {
    name: &'static str,
    gss_client: &'static [&'static str],
    /// Of `countersign connect`.
    connect: &'static [&'static str],
    connections: usize,
}

const EXCHANGES: &[Exchange] = &[
    Exchange {
        name: "sealed, MIC",
        gss_client: &[],
        connect: &[],
        connections: 1,
    },
    Exchange {
        name: "integrity only, MIC",
        gss_client: &["-nx"],
        connect: &["--no-seal"],
        connections: 1,
    },
    Exchange {
        name: "sealed, no MIC",
        gss_client: &["-nm"],
        connect: &["--no-mic"],
        connections: 1,
    },
    Exchange {
        name: "clear text, MIC",
        gss_client: &["-nw"],
        connect: &["--no-wrap"],
        connections: 1,
    },
    Exchange {
        name: "mutual off",
        gss_client: &["-nomutual"],
        connect: &["--no-mutual"],
        connections: 1,
    },
    Exchange {
        name: "sequence, no replay",
        gss_client: &["-seq", "-noreplay"],
        connect: &["--no-replay"],
        connections: 1,
    },
    Exchange {
        name: "3 connections, 5 messages",
        gss_client: &["-ccount", "3", "-mcount", "5"],
        connect: &["--connections", "3", "--repeat", "5"],
        connections: 3,
    },
];

/// Anything else: what must be refused, and what is done with a recording.
struct Other {
    name: &'static str,
    run: fn(&Lab, Programs, &'static str) -> Result<()>,
}

const OTHERS: &[Other] = &[
    Other {
        name: "wrong service key",
        run: wrong_key,
    },
    Other {
        name: "expired ticket",
        run: expired,
    },
    Other {
        name: "client's clock 10 min fast",
        run: client_fast,
    },
    Other {
        name: "server's clock 10 min fast",
        run: server_fast,
    },
    Other {
        name: "replayed AP-REQ",
        run: replayed,
    },
    Other {
        name: INSPECTED,
        run: inspected,
    },
    Other {
        name: NOT_NAMED,
        run: not_named,
    },
];

const INSPECTED: &str = "AP-REQ opened by inspect";
const NOT_NAMED: &str = "enctype not named";

/// Who is client and who is server.
#[derive(Clone, Copy)]
struct Programs {
    client: Program,
    server: Program,
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (peer, role, client, server) in [
        ("gss-client", Role::Control, Program::Mit, Program::Mit),
        ("gss-client", Role::Acceptor, Program::Mit, Program::Ours),
        ("gss-server", Role::Initiator, Program::Ours, Program::Mit),
    ] {
        let programs = Programs { client, server };
        for enctype in ENCTYPES {
            for exchange in EXCHANGES {
                let run = move |lab: &Lab| succeed(lab, programs, enctype, exchange);
                let protection = exchange.name;
                rows.push(Row {
                    peer,
                    role,
                    enctype,
                    protection,
                    skip: not_built(role, enctype),
                    run: Box::new(run),
                });
            }
        }
        for enctype in ENCTYPES {
            for other in OTHERS {
                let applies = match other.name {
                    NOT_NAMED => role != Role::Control && !is_default(enctype),
                    INSPECTED => role == Role::Acceptor,
                    _ => true,
                };
                if !applies {
                    continue;
                }
                let run = move |lab: &Lab| (other.run)(lab, programs, enctype);
                let protection = other.name;
                rows.push(Row {
                    peer,
                    role,
                    enctype,
                    protection,
                    skip: not_built(role, enctype),
                    run: Box::new(run),
                });
            }
        }
    }
    rows
}

/// A host, a keytab and a cache as they should be.
pub(super) struct Usual {
    /// The only enctype that our programs permit, so that none other can be agreed on (RFC 4537).
    enctype: Option<&'static str>,
    pub(super) host: String,
    pub(super) keytab: std::path::PathBuf,
    pub(super) ccache: std::path::PathBuf,
}

impl Usual {
    pub(super) fn new(lab: &Lab, enctype: &'static str) -> Self {
        Self {
            enctype: Some(mit_name(enctype)),
            host: format!("{enctype}.peer.test"),
            keytab: lab.path(&format!("{enctype}.keytab")),
            ccache: lab.path("alice.ccache"),
        }
    }

    pub(super) fn server(&self, once: bool) -> ServerSetup<'_> {
        let (host, keytab) = (self.host.as_str(), self.keytab.as_path());
        ServerSetup {
            host,
            keytab,
            once,
            clock: None,
            framing: "gss-sample",
            enctype: self.enctype,
            switches: &[],
        }
    }

    pub(super) fn client(&self) -> ClientSetup<'_> {
        ClientSetup {
            host: &self.host,
            ccache: &self.ccache,
            message: "Who goes there?",
            switches: &[],
            clock: None,
            framing: "gss-sample",
            enctype: self.enctype,
        }
    }
}

fn mit_name(enctype: &'static str) -> &'static str {
    match enctype {
        "camellia256" => "camellia256-cts-cmac",
        "camellia128" => "camellia128-cts-cmac",
        "rc4" => "rc4-hmac",
        other => other,
    }
}

fn succeed(
    lab: &Lab,
    programs: Programs,
    enctype: &'static str,
    exchange: &Exchange,
) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let once = exchange.connections == 1;
    let server = Server::start(lab, programs.server, &usual.server(once))?;
    let mut client = usual.client();
    client.switches = match programs.client {
        Program::Mit => exchange.gss_client,
        Program::Ours => exchange.connect,
    };
    let (ok, output) = run_client(lab, programs.client, server.address, &client)?;
    let (served, seen) = if once {
        server.running.finish()?
    } else {
        (true, server.running.output())
    };
    if !ok || !served {
        return Err(format!(
            "client succeeded: {ok}\n{output}\nserver succeeded: {served}\n{seen}"
        ));
    }
    if programs.client == Program::Mit {
        let confirmed = output.matches("Signature verified.").count();
        let answered = output.matches("Response received.").count();
        if confirmed + answered < exchange.connections {
            return Err(format!("not every message was confirmed:\n{output}"));
        }
    }
    // gss-server keeps what it prints in a buffer until it ends.
    let named = seen.matches("alice@COUNTERSIGN.TEST").count();
    if (once || programs.server == Program::Ours) && named < exchange.connections {
        return Err(format!("the server does not name every client:\n{seen}"));
    }
    if once && programs.server == Program::Mit && !seen.contains("\"Who goes there?\"") {
        return Err(format!("the message did not arrive:\n{seen}"));
    }
    Ok(())
}

/// Runs client and server; both must say no, one of them for an expected reason.
fn refuse(
    lab: &Lab,
    programs: Programs,
    server: &ServerSetup<'_>,
    client: &ClientSetup<'_>,
    reasons: &[&str],
) -> Result<()> {
    let server = Server::start(lab, programs.server, server)?;
    let (ok, output) = run_client(lab, programs.client, server.address, client)?;
    if ok {
        return Err(format!("the client was satisfied:\n{output}"));
    }
    // A client that does not even connect leaves the server waiting.
    let seen = server.running.end_within(Duration::from_secs(2))?;
    if seen.contains("alice@COUNTERSIGN.TEST") {
        return Err(format!("the server accepted the client:\n{seen}"));
    }
    expect_reason(&format!("{output}\n{seen}"), reasons)
}

fn wrong_key(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let wrong = lab.path("wrong.keytab");
    let server = ServerSetup {
        keytab: &wrong,
        ..usual.server(true)
    };
    let reasons = ["cannot decrypt", "integrity check failed"];
    refuse(lab, programs, &server, &usual.client(), &reasons)
}

/// The cache says that the ticket is valid, the ticket does not.
fn expired(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let ccache = lab.path("expired-unnoticed.ccache");
    let client = ClientSetup {
        ccache: &ccache,
        ..usual.client()
    };
    refuse(lab, programs, &usual.server(true), &client, &["expired"])?;
    // And with the honest cache of the same ticket the client does not even wait for an answer.
    let ccache = lab.path("expired.ccache");
    let client = ClientSetup {
        ccache: &ccache,
        ..usual.client()
    };
    let silent = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = silent.local_addr().map_err(|e| e.to_string())?;
    match run_client(lab, programs.client, address, &client)? {
        (true, output) => Err(format!("the client was satisfied:\n{output}")),
        (false, output) => expect_reason(&output, &["expired"]),
    }
}

fn client_fast(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let client = ClientSetup {
        clock: Some("+10m"),
        ..usual.client()
    };
    refuse(lab, programs, &usual.server(true), &client, &["skew"])
}

fn server_fast(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let server = ServerSetup {
        clock: Some("+10m"),
        ..usual.server(true)
    };
    refuse(lab, programs, &server, &usual.client(), &["skew"])
}

/// RFC 4121 §4.1.
const AP_REQ: [u8; 2] = [1, 0];
const AP_REP: [u8; 2] = [2, 0];

fn replayed(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let server = Server::start(lab, programs.server, &usual.server(false))?;
    let recorder = Recorder::start(server.address)?;
    let (ok, output) = run_client(lab, programs.client, recorder.address, &usual.client())?;
    let recorded = recorder.finish()?;
    if !ok {
        return Err(format!("control: the client failed:\n{output}"));
    }
    if find_token(&recorded, AP_REQ).is_none() {
        return Err("control: no AP-REQ was recorded".into());
    }
    let answer = replay(server.address, &recorded)?;
    if find_token(&answer, AP_REP).is_some() {
        return Err("the server answered a replayed AP-REQ with an AP-REP".into());
    }
    // The refusal was for the replay, not for a server that no longer serves.
    let (ok, output) = run_client(lab, programs.client, server.address, &usual.client())?;
    if ok {
        Ok(())
    } else {
        Err(format!("control: the second client failed:\n{output}"))
    }
}

/// What the default policy does not permit is refused until it is named.
/// Without its name the enctype is refused: by the acceptor before it begins, when its keytab has no
/// other, by the initiator before it sends anything.
fn not_named(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let server = ServerSetup {
        enctype: None,
        ..usual.server(true)
    };
    let client = ClientSetup {
        enctype: None,
        ..usual.client()
    };
    if programs.server == Program::Ours {
        return match Server::start(lab, programs.server, &server) {
            Ok(_) => Err("the server began with keys that nobody named".into()),
            Err(reason) => expect_reason(&reason, &["not permitted"]),
        };
    }
    refuse(lab, programs, &server, &client, &["not permitted"])
}

/// Whether the default policy permits it.
fn is_default(enctype: &str) -> bool {
    enctype.starts_with("aes")
}

/// `countersign inspect` shows who is in the ticket of a token that MIT made.
fn inspected(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let server = Server::start(lab, programs.server, &usual.server(true))?;
    let recorder = Recorder::start(server.address)?;
    run_client(lab, programs.client, recorder.address, &usual.client())?;
    let recorded = recorder.finish()?;
    let token = find_token(&recorded, AP_REQ).ok_or("no AP-REQ was recorded")?;
    let hex: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut inspect = lab.command(countersign()?);
    inspect.arg("inspect").arg(hex);
    let (closed_ok, closed) = Running::start(&mut inspect)?.finish()?;
    if !closed_ok || !closed.contains(&usual.host) || closed.contains("alice") {
        return Err(format!(
            "without the key it must show the service only:\n{closed}"
        ));
    }
    inspect.arg("--keytab").arg(&usual.keytab);
    let (opened_ok, opened) = Running::start(&mut inspect)?.finish()?;
    if !opened_ok || !opened.contains("alice") {
        return Err(format!("with the key it must show the client:\n{opened}"));
    }
    Ok(())
}
