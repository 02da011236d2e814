//! The rows: KDC x question.

mod faults;
mod initial;
mod located;
mod ntlm;
mod password;
mod realms;
mod refused;
mod s4u;
mod service;
mod tickets;

use crate::Result;
use crate::kdc::lab::Lab;
use crate::kdc::{Kdc, ROLE};
use crate::report::Table;
use crate::row::{Outcome, Role, Title};

/// Something asked of one KDC.
pub(crate) struct Row {
    pub(crate) kdc: Kdc,
    pub(crate) scenario: String,
    /// Why it cannot be run.
    pub(crate) skip: Option<&'static str>,
    pub(crate) run: Check,
}

/// Runs a row; the error is for the reader of the table.
type Check = Box<dyn Fn(&Lab) -> Result<()>>;

impl Row {
    pub(crate) fn title(&self) -> Title {
        Title {
            table: Table::Kdcs,
            peer: self.kdc.name().into(),
            role: ROLE,
            enctype: "",
            scenario: self.scenario.clone(),
        }
    }

    /// Runs it.
    pub(crate) fn outcome(&self, lab: &Lab) -> Outcome {
        match self.skip {
            Some(reason) => Outcome::Skipped(reason.to_owned()),
            None => match (self.run)(lab) {
                Ok(()) => Outcome::Passed,
                Err(reason) => Outcome::Failed(reason),
            },
        }
    }
}

/// Every row. Those of one KDC stay in this order.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    initial::add_all(&mut rows);
    refused::add_all(&mut rows);
    tickets::add_all(&mut rows);
    realms::add_all(&mut rows);
    located::add_all(&mut rows);
    s4u::add_all(&mut rows);
    service::add_all(&mut rows);
    password::add_all(&mut rows);
    faults::add_all(&mut rows);
    ntlm::add_all(&mut rows);
    rows
}

/// Adds a row for each of the KDCs: these.
fn add<'a>(
    rows: &'a mut Vec<Row>,
    kdcs: &[Kdc],
    scenario: impl Into<String>,
    run: impl Fn(&Lab) -> Result<()> + Clone + 'static,
) -> &'a mut [Row] {
    let (scenario, first) = (scenario.into(), rows.len());
    rows.extend(kdcs.iter().map(|kdc| Row {
        kdc: *kdc,
        scenario: scenario.clone(),
        skip: None,
        run: Box::new(run.clone()),
    }));
    rows.get_mut(first..).unwrap_or_default()
}

/// The rows can only be run by a build that has RC4.
fn need_rc4(rows: &mut [Row]) {
    for row in rows {
        row.skip = crate::row::not_built(Role::Initiator, "rc4");
    }
}
