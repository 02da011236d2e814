//! A row of the matrix and what it came to.

use core::fmt;
use std::borrow::Cow;

use crate::Result;
use crate::lab::Lab;
use crate::report::Table;

/// Who speaks with whom about what.
pub(crate) struct Row {
    /// The foreign implementation.
    pub(crate) peer: &'static str,
    /// Our side of it; `control` where both sides are the peer's.
    pub(crate) role: Role,
    pub(crate) enctype: &'static str,
    /// The exchange.
    pub(crate) protection: &'static str,
    /// Why it cannot be run.
    pub(crate) skip: Option<&'static str>,
    pub(crate) run: Check,
}

impl Row {
    pub(crate) fn title(&self) -> Title {
        Title {
            table: Table::Exchanges,
            peer: self.peer.into(),
            role: self.role.name(),
            enctype: self.enctype,
            scenario: self.protection.to_owned(),
        }
    }
}

/// What a row is called, in every table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Title {
    pub(crate) table: Table,
    /// The foreign implementation, or both of them.
    pub(crate) peer: Cow<'static, str>,
    /// Our side of it.
    pub(crate) role: &'static str,
    /// Empty where a row is not of one enctype; of NTLM how it is carried.
    pub(crate) enctype: &'static str,
    pub(crate) scenario: String,
}

impl Title {
    /// The rows of one group follow each other.
    pub(crate) fn group(&self) -> (Cow<'static, str>, &'static str) {
        match self.table {
            Table::Ntlm => (format!("NTLM {}", self.enctype).into(), self.role),
            Table::Negotiate => ("Negotiate".into(), self.role),
            Table::Exchanges | Table::Kdcs => (self.peer.clone(), self.role),
        }
    }

    /// As the options of the command line name it.
    pub(crate) fn words(&self, separator: &str) -> String {
        let table = self.table.word();
        let words = [table, &*self.peer, self.role, self.enctype, &self.scenario];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        words.join(separator)
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(", "))
    }
}

/// Runs a row; the error is for the reader of the table.
pub(crate) type Check = Box<dyn Fn(&Lab) -> Result<()>>;

/// Why a row of ours cannot be run with this build.
pub(crate) fn not_built(role: Role, enctype: &str) -> Option<&'static str> {
    let absent = role != Role::Control && enctype == "rc4" && !cfg!(feature = "rc4");
    absent.then_some("rc4: built without the feature rc4")
}

/// Which side is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Neither: the peer's two sides show that the row tests what it says.
    Control,
    Initiator,
    Acceptor,
    /// The KDC: both sides are the peer's, or one is ours too.
    Realm,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Initiator => "initiator",
            Self::Acceptor => "acceptor",
            Self::Realm => "realm",
        }
    }
}

/// How a row ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Passed,
    /// As the peer is known to: it cannot do what the row asks, or does not refuse what it should.
    Noted(String),
    Failed(String),
    Skipped(String),
}

impl Outcome {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Noted(_) => "note",
            Self::Failed(_) => "FAIL",
            Self::Skipped(_) => "skip",
        }
    }

    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Passed => "",
            Self::Noted(reason) | Self::Failed(reason) | Self::Skipped(reason) => reason,
        }
    }
}
