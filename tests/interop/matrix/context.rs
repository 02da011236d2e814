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
    for role in [Role::Control, Role::Acceptor, Role::Initiator] {
        for enctype in ENCTYPES {
            for scenario in SCENARIOS {
                rows.push(Row {
                    peer: "libgssapi_krb5",
                    role,
                    enctype,
                    protection: scenario.name,
                    skip: not_built(role, enctype),
                    run: Box::new(move |lab| run(lab, role, enctype, scenario)),
                });
            }
        }
    }
    rows
}

fn run(lab: &Lab, role: Role, enctype: &'static str, scenario: &Scenario) -> Result<()> {
    let shared = Shared::default();
    let mut initiator: Box<dyn Side> = match role {
        Role::Control | Role::Acceptor => Box::new(GssPeer::start(lab, None)?),
        Role::Initiator | Role::Realm => Box::new(Ours::new(lab, 0, &shared)),
    };
    let another_acceptor = |ahead: i64| -> Result<Box<dyn Side>> {
        let offset = (ahead != 0).then(|| format!("{ahead:+}s"));
        Ok(match role {
            Role::Control | Role::Initiator | Role::Realm => {
                Box::new(GssPeer::start(lab, offset.as_deref())?)
            }
            Role::Acceptor => Box::new(Ours::new(lab, ahead, &shared)),
        })
    };
    let mut acceptor = another_acceptor(0)?;
    (scenario.run)(&mut Pair {
        lab,
        enctype,
        initiator: initiator.as_mut(),
        acceptor: acceptor.as_mut(),
        another_acceptor: &another_acceptor,
    })
}
