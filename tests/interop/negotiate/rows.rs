//! The rows: pair of implementations x question.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::Result;
use crate::apache::Apache;
use crate::negotiate::known::note;
use crate::negotiate::lab::Lab;
use crate::negotiate::meet::{Accepting, Pair};
use crate::negotiate::ours::Ours;
use crate::negotiate::program::Program;
use crate::negotiate::questions::{Needs, QUESTIONS, Question};
use crate::negotiate::side::NegotiateSide;
use crate::programs;
use crate::report::Table;
use crate::row::{Outcome, Role, Title};
use crate::script;

/// An implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    Ours,
    /// libgssapi_krb5 with gss-ntlmssp.
    Mit,
    Pyspnego,
    /// As an initiator only.
    Sspi,
    /// As an initiator only, over HTTP.
    Curl,
    /// As an acceptor only, over HTTP.
    Apache,
}

impl Peer {
    const INITIATORS: [Self; 5] = [
        Self::Ours,
        Self::Mit,
        Self::Pyspnego,
        Self::Sspi,
        Self::Curl,
    ];
    const ACCEPTORS: [Self; 4] = [Self::Ours, Self::Mit, Self::Pyspnego, Self::Apache];

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Mit => "MIT",
            Self::Pyspnego => "pyspnego",
            Self::Sspi => "sspi",
            Self::Curl => "curl",
            Self::Apache => "Apache",
        }
    }

    fn start<'l>(self, lab: &'l Lab<'l>) -> Result<Box<dyn NegotiateSide + 'l>> {
        Ok(match self {
            Self::Ours => Box::new(Ours::new(lab)),
            Self::Mit => Box::new(Program::mit(lab)?),
            Self::Pyspnego => Box::new(Program::pyspnego(lab)?),
            Self::Sspi => Box::new(Program::sspi(lab)?),
            Self::Curl | Self::Apache => {
                return Err(format!("{} carries its own tokens", self.name()));
            }
        })
    }
}

/// Something asked of a pair.
pub(crate) struct Row {
    pub(super) initiator: Peer,
    pub(super) acceptor: Peer,
    pub(super) question: &'static Question,
}

impl Row {
    pub(crate) fn title(&self) -> Title {
        let (initiator, acceptor) = (self.initiator.name(), self.acceptor.name());
        let peer = match initiator == acceptor {
            true => format!("{initiator} to itself"),
            false => format!("{initiator} to {acceptor}"),
        };
        Title {
            table: Table::Negotiate,
            peer: peer.into(),
            role: self.role().name(),
            enctype: "",
            scenario: self.question.name.to_owned(),
        }
    }

    /// Which side is ours.
    fn role(&self) -> Role {
        match (self.initiator, self.acceptor) {
            (_, Peer::Ours) => Role::Acceptor,
            (Peer::Ours, _) => Role::Initiator,
            _ => Role::Control,
        }
    }

    /// Whether both can do what is asked.
    fn makes_sense(&self) -> bool {
        let tokens = self.initiator != Peer::Curl && self.acceptor != Peer::Apache;
        match self.question.needs {
            Needs::Kerberos => true,
            Needs::Cache => self.initiator != Peer::Sspi,
            Needs::Messages => tokens,
            Needs::Both => self.initiator != Peer::Sspi,
            Needs::Choice => !matches!(self.initiator, Peer::Sspi | Peer::Curl),
            Needs::OwnOrder => {
                self.acceptor == Peer::Ours && !matches!(self.initiator, Peer::Sspi | Peer::Curl)
            }
        }
    }
}

/// Every row, those of one pair together, controls first.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for initiator in Peer::INITIATORS {
        for acceptor in Peer::ACCEPTORS {
            let row = |question| Row {
                initiator,
                acceptor,
                question,
            };
            rows.extend(QUESTIONS.iter().map(row).filter(Row::makes_sense));
        }
    }
    rows.sort_by_key(|row| match row.role() {
        Role::Control | Role::Realm => 0,
        Role::Acceptor => 1,
        Role::Initiator => 2,
    });
    rows
}

/// Sides that wait for their next context.
#[derive(Default)]
struct Started<'l> {
    initiators: BTreeMap<Peer, Box<dyn NegotiateSide + 'l>>,
    acceptors: BTreeMap<Peer, Box<dyn NegotiateSide + 'l>>,
    apache: Option<Result<Apache>>,
}

/// Runs the rows with the realm, or tells why there is none.
pub(crate) fn run(
    rows: &[Row],
    realm: Result<&crate::lab::Lab, Outcome>,
    unavailable: impl Fn(String) -> Outcome,
    mut done: impl FnMut(&Title, Outcome),
) {
    let lab = realm.and_then(|realm| match script::install("ntlm") {
        Ok(()) => Lab::start(realm).map_err(Outcome::Failed),
        Err(reason) => Err(unavailable(reason)),
    });
    let lab = match lab {
        Ok(lab) => lab,
        Err(outcome) => {
            return rows
                .iter()
                .for_each(|row| done(&row.title(), outcome.clone()));
        }
    };
    let unbuilt = programs::sspi_peer().err().map(unavailable);
    let mut started = Started::default();
    for row in rows {
        let outcome = match &unbuilt {
            Some(outcome) if row.initiator == Peer::Sspi => outcome.clone(),
            _ => judge(row, exchange(row, &lab, &mut started)),
        };
        if !matches!(outcome, Outcome::Passed) {
            // Whatever they wait for, nobody knows.
            started.initiators.remove(&row.initiator);
            started.acceptors.remove(&row.acceptor);
        }
        done(&row.title(), outcome);
    }
}

fn judge(row: &Row, result: Result<()>) -> Outcome {
    match (result, note(row)) {
        (Ok(()), None) => Outcome::Passed,
        (Ok(()), Some((_, reason))) => Outcome::Failed(format!("not so any more: {reason}")),
        (Err(found), Some((said, reason))) if found.contains(said) => {
            Outcome::Noted(reason.to_owned())
        }
        (Err(reason), _) => Outcome::Failed(reason),
    }
}

fn exchange<'l>(row: &Row, lab: &'l Lab<'l>, started: &mut Started<'l>) -> Result<()> {
    let initiator = match row.initiator {
        Peer::Curl => None,
        peer => Some(get(&mut started.initiators, peer, lab)?),
    };
    let acceptor = match row.acceptor {
        Peer::Apache => {
            let start = || Apache::start(&lab.scratch("apache"), Some(&lab.path("")));
            let apache = started.apache.get_or_insert_with(start);
            Accepting::Apache(apache.as_ref().map_err(Clone::clone)?)
        }
        peer => Accepting::Side(get(&mut started.acceptors, peer, lab)?),
    };
    (row.question.run)(&mut Pair {
        lab,
        initiator,
        acceptor,
    })
}

fn get<'s, 'l>(
    sides: &'s mut BTreeMap<Peer, Box<dyn NegotiateSide + 'l>>,
    peer: Peer,
    lab: &'l Lab<'l>,
) -> Result<&'s mut (dyn NegotiateSide + 'l)> {
    let side = match sides.entry(peer) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(peer.start(lab)?),
    };
    Ok(side.as_mut())
}
