//! Rows of the C program over libgssapi: every scenario, in process, token by token.

use crate::Result;
use crate::gss_peer::GssPeer;
use crate::lab::{ENCTYPES, Lab};
use crate::ours::{Ours, Shared};
use crate::row::{Role, Row, not_built};
use crate::scenario::{Pair, SCENARIOS, Scenario};
use crate::side::Side;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (peer, negotiates) in [("libgssapi_krb5", false), ("MIT's SPNEGO", true)] {
        for role in [Role::Control, Role::Acceptor, Role::Initiator] {
            for enctype in ENCTYPES {
                for scenario in SCENARIOS {
                    // IAKERB is another mechanism, and MIT exports a negotiated context's name otherwise.
                    if negotiates && matches!(scenario.name, "IAKERB" | "exported name") {
                        continue;
                    }
                    let how = How {
                        role,
                        enctype,
                        negotiates,
                    };
                    rows.push(Row {
                        peer,
                        role,
                        enctype,
                        protection: scenario.name,
                        skip: not_built(role, enctype),
                        run: Box::new(move |lab| run(lab, how, scenario)),
                    });
                }
            }
        }
    }
    rows
}

/// Between whom, and how.
#[derive(Clone, Copy)]
struct How {
    role: Role,
    enctype: &'static str,
    negotiates: bool,
}

fn run(lab: &Lab, how: How, scenario: &Scenario) -> Result<()> {
    let How {
        role,
        enctype,
        negotiates,
    } = how;
    let shared = Shared::default();
    let peer = |offset: Option<&str>| -> Result<Box<dyn Side>> {
        let peer = GssPeer::start(lab, offset)?;
        Ok(match negotiates {
            true => Box::new(peer.negotiating()),
            false => Box::new(peer),
        })
    };
    let ours = |ahead| -> Box<dyn Side> {
        let ours = Ours::new(lab, ahead, &shared);
        match negotiates {
            true => Box::new(ours.negotiating()),
            false => Box::new(ours),
        }
    };
    let mut initiator: Box<dyn Side> = match role {
        Role::Control | Role::Acceptor => peer(None)?,
        Role::Initiator | Role::Realm => ours(0),
    };
    let another_acceptor = |ahead: i64| -> Result<Box<dyn Side>> {
        let offset = (ahead != 0).then(|| format!("{ahead:+}s"));
        Ok(match role {
            Role::Control | Role::Initiator | Role::Realm => peer(offset.as_deref())?,
            Role::Acceptor => ours(ahead),
        })
    };
    let mut acceptor = another_acceptor(0)?;
    (scenario.run)(&mut Pair {
        lab,
        enctype,
        initiator: initiator.as_mut(),
        acceptor: acceptor.as_mut(),
        another_acceptor: &another_acceptor,
        negotiated: negotiates,
    })
}
