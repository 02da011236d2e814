//! Rows of the C program over libgssapi: every scenario, in process, token by token.

use crate::Result;
use crate::gss_peer::GssPeer;
use crate::lab::{ENCTYPES, Lab};
use crate::row::{Role, Row};
use crate::scenario::{Pair, SCENARIOS, Scenario};
use crate::side::Side;

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for role in [Role::Control] {
        for enctype in ENCTYPES {
            for scenario in SCENARIOS {
                rows.push(Row {
                    peer: "libgssapi_krb5",
                    role,
                    enctype,
                    protection: scenario.name,
                    run: Box::new(move |lab| run(lab, role, enctype, scenario)),
                });
            }
        }
    }
    rows
}

fn run(lab: &Lab, role: Role, enctype: &'static str, scenario: &Scenario) -> Result<()> {
    let mut initiator: Box<dyn Side> = match role {
        Role::Control | Role::Acceptor | Role::Initiator => Box::new(GssPeer::start(lab, None)?),
    };
    let another_acceptor = |ahead: i64| -> Result<Box<dyn Side>> {
        match role {
            Role::Control | Role::Acceptor | Role::Initiator => {
                let offset = (ahead != 0).then(|| format!("{ahead:+}s"));
                Ok(Box::new(GssPeer::start(lab, offset.as_deref())?))
            }
        }
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
