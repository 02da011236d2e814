//! Rows of the gss-sample protocol: gss-client with a server, a client with gss-server.

use crate::Result;
use crate::exchange::expect_reason;
use crate::lab::{ENCTYPES, Lab};
use crate::proxy::{Recorder, holds_token, replay};
use crate::row::{Role, Row};
use crate::sample::{ClientSetup, Program, Server, ServerSetup, run_client};

/// An exchange that must succeed, by the switches that make each program do it.
struct Exchange {
    name: &'static str,
    /// Switches of gss-client.
    gss_client: &'static [&'static str],
    /// Switches of `countersign connect`; `None` where it has none for this.
    connect: Option<&'static [&'static str]>,
    /// Connections that it makes.
    connections: usize,
}

const EXCHANGES: &[Exchange] = &[
    Exchange {
        name: "sealed, MIC",
        gss_client: &[],
        connect: Some(&[]),
        connections: 1,
    },
    Exchange {
        name: "integrity only, MIC",
        gss_client: &["-nx"],
        connect: None,
        connections: 1,
    },
    Exchange {
        name: "sealed, no MIC",
        gss_client: &["-nm"],
        connect: None,
        connections: 1,
    },
    Exchange {
        name: "clear text, MIC",
        gss_client: &["-nw"],
        connect: None,
        connections: 1,
    },
    Exchange {
        name: "mutual off",
        gss_client: &["-nomutual"],
        connect: None,
        connections: 1,
    },
    Exchange {
        name: "sequence, no replay",
        gss_client: &["-seq", "-noreplay"],
        connect: None,
        connections: 1,
    },
    Exchange {
        name: "3 connections, 5 messages",
        gss_client: &["-ccount", "3", "-mcount", "5"],
        connect: None,
        connections: 3,
    },
];

/// An exchange that must not succeed.
struct Refusal {
    name: &'static str,
    run: fn(&Lab, Programs, &'static str) -> Result<()>,
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        name: "wrong service key",
        run: wrong_key,
    },
    Refusal {
        name: "expired ticket",
        run: expired,
    },
    Refusal {
        name: "client's clock 10 min fast",
        run: client_fast,
    },
    Refusal {
        name: "server's clock 10 min fast",
        run: server_fast,
    },
    Refusal {
        name: "replayed AP-REQ",
        run: replayed,
    },
];

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
                if client == Program::Ours && exchange.connect.is_none() {
                    continue;
                }
                let run = move |lab: &Lab| succeed(lab, programs, enctype, exchange);
                let protection = exchange.name;
                rows.push(Row {
                    peer,
                    role,
                    enctype,
                    protection,
                    run: Box::new(run),
                });
            }
        }
        for enctype in ENCTYPES {
            for refusal in REFUSALS {
                let run = move |lab: &Lab| (refusal.run)(lab, programs, enctype);
                let protection = refusal.name;
                rows.push(Row {
                    peer,
                    role,
                    enctype,
                    protection,
                    run: Box::new(run),
                });
            }
        }
    }
    rows
}

/// A host, a keytab and a cache as they should be.
struct Usual {
    host: String,
    keytab: std::path::PathBuf,
    ccache: std::path::PathBuf,
}

impl Usual {
    fn new(lab: &Lab, enctype: &str) -> Self {
        Self {
            host: format!("{enctype}.peer.test"),
            keytab: lab.path(&format!("{enctype}.keytab")),
            ccache: lab.path("alice.ccache"),
        }
    }

    fn server(&self, once: bool) -> ServerSetup<'_> {
        let (host, keytab) = (self.host.as_str(), self.keytab.as_path());
        ServerSetup {
            host,
            keytab,
            once,
            clock: None,
            framing: "gss-sample",
        }
    }

    fn client(&self) -> ClientSetup<'_> {
        ClientSetup {
            host: &self.host,
            ccache: &self.ccache,
            message: "Who goes there?",
            switches: &[],
            clock: None,
            framing: "gss-sample",
        }
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
        Program::Ours => exchange.connect.unwrap_or_default(),
    };
    let (ok, output) = run_client(lab, programs.client, server.address, &client)?;
    let seen = if once {
        let (served, seen) = server.running.finish()?;
        if !served {
            return Err(format!("the server failed:\n{seen}\nclient:\n{output}"));
        }
        seen
    } else {
        server.running.output()
    };
    if !ok {
        return Err(format!("the client failed:\n{output}\nserver:\n{seen}"));
    }
    match programs.client {
        Program::Mit => expect_count(&output, "Signature verified.", "Response received."),
        Program::Ours => Ok(()),
    }?;
    // gss-server keeps what it prints in a buffer until it ends.
    if once && !seen.contains("alice@COUNTERSIGN.TEST") {
        return Err(format!("the server does not name the client:\n{seen}"));
    }
    Ok(())
}

fn expect_count(output: &str, either: &str, or: &str) -> Result<()> {
    if output.contains(either) || output.contains(or) {
        Ok(())
    } else {
        Err(format!("no message was confirmed:\n{output}"))
    }
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
    let seen = server.running.output();
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
        ..usual.server(false)
    };
    let reasons = ["integrity check failed", "MODIFIED", "does not decrypt"];
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
    refuse(lab, programs, &usual.server(false), &client, &["expired"])?;
    // And the honest cache of the same ticket is not even sent.
    let ccache = lab.path("expired.ccache");
    let client = ClientSetup {
        ccache: &ccache,
        ..usual.client()
    };
    refuse(lab, programs, &usual.server(false), &client, &["expired"])
}

fn client_fast(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let client = ClientSetup {
        clock: Some("+10m"),
        ..usual.client()
    };
    refuse(lab, programs, &usual.server(false), &client, &["skew"])
}

fn server_fast(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    let usual = Usual::new(lab, enctype);
    let server = ServerSetup {
        clock: Some("+10m"),
        ..usual.server(false)
    };
    refuse(lab, programs, &server, &usual.client(), &["skew"])
}

fn replayed(lab: &Lab, programs: Programs, enctype: &'static str) -> Result<()> {
    const AP_REQ: [u8; 2] = [1, 0];
    const AP_REP: [u8; 2] = [2, 0];
    let usual = Usual::new(lab, enctype);
    let server = Server::start(lab, programs.server, &usual.server(false))?;
    let recorder = Recorder::start(server.address)?;
    let (ok, output) = run_client(lab, programs.client, recorder.address, &usual.client())?;
    let recorded = recorder.finish()?;
    if !ok {
        return Err(format!("control: the client failed:\n{output}"));
    }
    if !holds_token(&recorded, AP_REQ) {
        return Err("control: no AP-REQ was recorded".into());
    }
    let answer = replay(server.address, &recorded)?;
    if holds_token(&answer, AP_REP) {
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
