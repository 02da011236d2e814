//! The rows: pair of implementations x question.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use countersign::MicPolicy;

use crate::Result;
use crate::apache::Apache;
use crate::ntlm::http;
use crate::ntlm::known::note;
use crate::ntlm::lab::Lab;
use crate::ntlm::ntlm_auth::NtlmAuth;
use crate::ntlm::ours::Ours;
use crate::ntlm::program::Program;
use crate::ntlm::questions::{Needs, QUESTIONS, Question, Sides};
use crate::ntlm::side::{Mech, NtlmSide};
use crate::programs;
use crate::recording::Recording;
use crate::report::Table;
use crate::row::{Outcome, Role, Title};
use crate::script;

/// An implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Peer {
    Ours,
    /// As an acceptor only, that takes responses without a MIC: those of curl and of Samba's client.
    OursIfPresent,
    GssNtlmssp,
    Pyspnego,
    Sspi,
    NtlmAuth,
    /// As an initiator only, over HTTP.
    Curl,
    /// With mod_auth_gssapi and gss-ntlmssp; as an acceptor only, over HTTP.
    Apache,
    /// Our example `http_service`, which curl alone speaks with.
    HttpService,
}

/// Those whose tokens we hand from one to the other.
const SIDES: [Peer; 5] = [
    Peer::Ours,
    Peer::GssNtlmssp,
    Peer::Pyspnego,
    Peer::Sspi,
    Peer::NtlmAuth,
];

/// Acceptors beside those.
const OVER_HTTP: [Peer; 3] = [Peer::OursIfPresent, Peer::Apache, Peer::HttpService];

impl Peer {
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursIfPresent => "ours, no MIC",
            Self::GssNtlmssp => "gss-ntlmssp",
            Self::Pyspnego => "pyspnego",
            Self::Sspi => "sspi",
            Self::NtlmAuth => "ntlm_auth",
            Self::Curl => "curl",
            Self::Apache => "Apache",
            Self::HttpService => "http_service",
        }
    }

    fn start(self, lab: &Lab) -> Result<Box<dyn NtlmSide + '_>> {
        Ok(match self {
            Self::Ours => Box::new(Ours::new(MicPolicy::Required)),
            Self::OursIfPresent => Box::new(Ours::new(MicPolicy::IfPresent)),
            Self::GssNtlmssp => Box::new(Program::gss_ntlmssp(lab)?),
            Self::Pyspnego => Box::new(Program::pyspnego(lab)?),
            Self::Sspi => Box::new(Program::sspi(lab)?),
            Self::NtlmAuth => Box::new(NtlmAuth::new(lab)?),
            Self::Curl | Self::Apache | Self::HttpService => {
                return Err(format!("{} carries its own tokens", self.name()));
            }
        })
    }
}

/// Something asked of a pair.
pub(crate) struct Row {
    pub(super) initiator: Peer,
    pub(super) acceptor: Peer,
    pub(super) mech: Mech,
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
            table: Table::Ntlm,
            peer: peer.into(),
            role: self.role().name(),
            enctype: self.mech.name(),
            scenario: self.question.name.to_owned(),
        }
    }

    /// Which side is ours.
    fn role(&self) -> Role {
        match (self.initiator, self.acceptor) {
            (_, Peer::Ours | Peer::OursIfPresent | Peer::HttpService) => Role::Acceptor,
            (Peer::Ours, _) => Role::Initiator,
            _ => Role::Control,
        }
    }

    /// Whether both can do what is asked.
    fn makes_sense(&self) -> bool {
        use Peer::{Apache, Curl, NtlmAuth};
        // These two send no MIC, and only these have to be forgiven that.
        let without_mic = matches!(self.initiator, Curl | NtlmAuth);
        match self.acceptor {
            Peer::Ours if without_mic => return false,
            Peer::OursIfPresent if !without_mic => return false,
            Peer::HttpService => {
                let by_curl = self.initiator == Curl && self.mech == Mech::Raw;
                return by_curl && self.question.needs == Needs::LogOn;
            }
            _ => {}
        }
        let has = |peer| self.initiator == peer || self.acceptor == peer;
        match self.question.needs {
            Needs::LogOn => true,
            _ if has(Curl) || has(Apache) => false,
            Needs::Tokens => true,
            // Samba's client tells no key through SPNEGO, and always asks for signing.
            Needs::SessionKey => self.initiator != NtlmAuth || self.mech == Mech::Raw,
            Needs::Unprotected => {
                // Negotiate asks for integrity by itself, ours as MIT's.
                let asks = self.initiator == Peer::Ours && self.mech == Mech::Spnego;
                self.initiator != NtlmAuth && !asks
            }
            Needs::Bindings | Needs::Messages => !has(NtlmAuth),
        }
    }
}

/// Every row, those of one pair together.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for mech in Mech::ALL {
        for initiator in SIDES.into_iter().chain([Peer::Curl]) {
            for acceptor in SIDES.into_iter().chain(OVER_HTTP) {
                let row = |question| Row {
                    initiator,
                    acceptor,
                    mech,
                    question,
                };
                rows.extend(QUESTIONS.iter().map(row).filter(Row::makes_sense));
            }
        }
    }
    rows
}

/// Sides that wait for their next context.
#[derive(Default)]
struct Started<'l> {
    initiators: BTreeMap<Peer, Box<dyn NtlmSide + 'l>>,
    acceptors: BTreeMap<Peer, Box<dyn NtlmSide + 'l>>,
    apache: Option<Result<Apache>>,
}

/// Runs the rows.
pub(crate) fn run(
    rows: &[Row],
    recording: &Recording,
    unavailable: impl Fn(String) -> Outcome,
    mut done: impl FnMut(&Title, Outcome),
) {
    let lab = match script::install("ntlm") {
        Ok(()) => Lab::start(recording.within("ntlm")).map_err(Outcome::Failed),
        Err(reason) => Err(unavailable(reason)),
    };
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
        let has_sspi = row.initiator == Peer::Sspi || row.acceptor == Peer::Sspi;
        let outcome = match &unbuilt {
            Some(outcome) if has_sspi => outcome.clone(),
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
        (Ok(()), Some(note)) => Outcome::Failed(format!("not so any more: {}", note.reason)),
        (Err(reason), Some(note)) if reason.contains(note.said) => {
            Outcome::Noted(note.reason.to_owned())
        }
        (Err(reason), _) => Outcome::Failed(reason),
    }
}

fn exchange<'l>(row: &Row, lab: &'l Lab, started: &mut Started<'l>) -> Result<()> {
    let initiator = match row.initiator {
        Peer::Curl => None,
        peer => Some(get(&mut started.initiators, peer, lab)?),
    };
    let (mech, question) = (row.mech, row.question.name);
    if row.acceptor == Peer::Apache {
        let apache = started
            .apache
            .get_or_insert_with(|| Apache::start(&lab.path("apache"), None));
        let apache = apache.as_ref().map_err(Clone::clone)?;
        return match initiator {
            Some(initiator) => http::to_apache(apache, mech, initiator, question),
            None => http::curl_to_apache(lab, apache, mech, question),
        };
    }
    if row.acceptor == Peer::HttpService {
        return http::curl_to_service(lab, question);
    }
    let acceptor = get(&mut started.acceptors, row.acceptor, lab)?;
    match initiator {
        Some(initiator) => (row.question.run)(&mut Sides {
            mech,
            initiator,
            acceptor,
        }),
        None => http::from_curl(lab, mech, acceptor, question),
    }
}

fn get<'s, 'l>(
    sides: &'s mut BTreeMap<Peer, Box<dyn NtlmSide + 'l>>,
    peer: Peer,
    lab: &'l Lab,
) -> Result<&'s mut (dyn NtlmSide + 'l)> {
    let side = match sides.entry(peer) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(peer.start(lab)?),
    };
    Ok(side.as_mut())
}
