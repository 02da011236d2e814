//! The tables: what their lines and columns are.

use std::fmt::Write as _;

use crate::kdc::Kdc;
use crate::lab::ENCTYPES;
use crate::negotiate;
use crate::ntlm;
use crate::row::Title;

/// A table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// A line for each exchange with each peer, a column for each enctype.
    Exchanges,
    /// A line for each pair of implementations, a column for each question.
    Ntlm,
    /// The same of Negotiate with Kerberos in it.
    Negotiate,
    /// A line for each thing asked of KDCs, a column for each of them.
    Kdcs,
}

/// A column, its heading over two lines.
pub(super) struct Column {
    pub(super) name: &'static str,
    heading: (&'static str, &'static str),
}

impl Table {
    pub(super) const ALL: [Self; 4] = [Self::Exchanges, Self::Ntlm, Self::Negotiate, Self::Kdcs];

    /// How the options of the command line tell its rows from others.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
            Self::Exchanges | Self::Kdcs => "",
        }
    }

    /// What stands above the columns of some lines.
    pub(super) fn section(self, title: &Title) -> String {
        let ours = match title.role {
            "control" => "none, control",
            role => role,
        };
        match self {
            Self::Exchanges => format!("peer {}, our role: {ours}", title.peer),
            Self::Ntlm if title.enctype == "raw" => format!("NTLM, our role: {ours}"),
            Self::Ntlm => format!("NTLM in {}, our role: {ours}", title.enctype),
            Self::Negotiate => format!("Negotiate, our role: {ours}"),
            Self::Kdcs => "asked of the KDC of".into(),
        }
    }

    pub(super) fn line(self, title: &Title) -> String {
        match self {
            Self::Exchanges | Self::Kdcs => title.scenario.clone(),
            Self::Ntlm | Self::Negotiate => title.peer.to_string(),
        }
    }

    pub(super) fn column(self, title: &Title) -> &str {
        match self {
            Self::Exchanges => title.enctype,
            Self::Ntlm | Self::Negotiate => &title.scenario,
            Self::Kdcs => &title.peer,
        }
    }

    pub(super) fn columns(self) -> Vec<Column> {
        let column = |name, heading| Column { name, heading };
        match self {
            Self::Exchanges => ENCTYPES.map(|name| column(name, halves(name))).into(),
            Self::Ntlm => {
                let questions = ntlm::QUESTIONS.iter();
                questions.map(|q| column(q.name, q.heading)).collect()
            }
            Self::Negotiate => {
                let questions = negotiate::QUESTIONS.iter();
                questions.map(|q| column(q.name, q.heading)).collect()
            }
            Self::Kdcs => Kdc::ALL
                .map(|kdc| column(kdc.name(), ("", kdc.name())))
                .into(),
        }
    }

    /// Of the lines' names, and of a cell.
    pub(super) const fn widths(self) -> (usize, usize) {
        match self {
            Self::Exchanges => (28, 7),
            Self::Ntlm => (25, 5),
            Self::Negotiate => (20, 5),
            Self::Kdcs => (53, 9),
        }
    }

    /// The section and the columns.
    pub(super) fn heading(self, section: &str) -> String {
        let (width, cell) = self.widths();
        let line = |name: &str, pick: fn(&Column) -> &'static str| {
            let mut line = format!("{name:<width$}");
            for column in self.columns() {
                let _ = write!(line, "{:>cell$}", pick(&column));
            }
            format!("{}\n", line.trim_end())
        };
        let columns = line("", |column| column.heading.0);
        match self {
            Self::Kdcs => format!("\n{}", line(section, |column| column.heading.1)),
            _ => format!("\n{section}\n{columns}{}", line("", |c| c.heading.1)),
        }
    }
}

/// The name of an enctype on two lines.
fn halves(name: &'static str) -> (&'static str, &'static str) {
    match (name.split_once('-'), name.strip_prefix("camellia")) {
        (Some(halves), _) => halves,
        (None, Some(bits)) => ("camel.", bits),
        (None, None) => ("", name),
    }
}
