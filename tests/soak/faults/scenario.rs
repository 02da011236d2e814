//! Every kind of session that is attacked.

use std::collections::VecDeque;
use std::sync::Arc;

use countersign_context::crypto::Enctype;
use countersign_context::kerberos::ReplayCache;
use countersign_context::{Mechanism, ReplayQuery, Role, negotiate};
use countersign_testkit::{NOW, SeededRandom};

use super::lab::{Lab, bindings};
use super::side::Side;
use crate::Result;

/// More tokens than any negotiation has.
const MAX_TOKENS: usize = 40;

/// A kind of session.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) enctype: Enctype,
    /// Whether the enctype is part of its name.
    by_enctype: bool,
    /// Whether every octet takes every value in the short form too.
    pub(crate) octets: bool,
    initiator: fn(&Lab, usize) -> Box<dyn Mechanism>,
    acceptor: fn(&Lab, &Arc<ReplayCache>) -> Box<dyn Mechanism>,
    /// How far the initiator's clock is ahead, in seconds.
    ahead: i64,
    /// Who hears the first token.
    pub(crate) first: Role,
    /// Whether the initiator goes without the acceptor's MIC over the list: NTLM is what it likes best
    /// (`docs/decisions/0013-negotiation.md`).
    pub(crate) goes_unproved: bool,
}

/// Whose session, and which.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    pub(crate) who: usize,
    pub(crate) seed: u64,
}

/// Both sides, and every token that was sent.
pub(crate) struct Run<'lab> {
    pub(crate) client: Side<'lab>,
    pub(crate) server: Side<'lab>,
    pub(crate) sent: Vec<Vec<u8>>,
}

/// What someone between makes of the token of that number: what arrives in its place.
pub(crate) type Between<'a> = dyn FnMut(usize, &[u8]) -> Option<Vec<Vec<u8>>> + 'a;

impl Scenario {
    const fn new(
        name: &'static str,
        initiator: fn(&Lab, usize) -> Box<dyn Mechanism>,
        acceptor: fn(&Lab, &Arc<ReplayCache>) -> Box<dyn Mechanism>,
    ) -> Self {
        Self {
            name,
            enctype: Enctype::Aes256CtsHmacSha1_96,
            by_enctype: false,
            octets: false,
            initiator,
            acceptor,
            ahead: 0,
            first: Role::Acceptor,
            goes_unproved: false,
        }
    }

    const fn ahead(mut self, seconds: i64) -> Self {
        self.ahead = seconds;
        self
    }

    const fn acceptor_speaks_first(mut self) -> Self {
        self.first = Role::Initiator;
        self
    }

    /// Of the enctype that a KDC prefers.
    const fn sha2(mut self) -> Self {
        self.enctype = Enctype::Aes256CtsHmacSha384_192;
        self
    }

    const fn goes_unproved(mut self) -> Self {
        self.goes_unproved = true;
        self
    }

    const fn octets(mut self) -> Self {
        self.octets = true;
        self
    }

    pub(crate) fn title(&self) -> String {
        match self.by_enctype {
            true => format!("{} {}", self.name, self.enctype),
            false => self.name.to_owned(),
        }
    }

    /// Who hears the token of that number.
    pub(crate) fn receiver(&self, number: usize) -> Role {
        match number % 2 {
            0 => self.first,
            _ => self.first.other(),
        }
    }

    pub(crate) fn client<'lab>(&self, lab: &'lab Lab, session: Session) -> Side<'lab> {
        let mechanism = (self.initiator)(lab, session.who);
        Side::new(lab, mechanism, session.seed, self.ahead)
    }

    pub(crate) fn server<'lab>(
        &self,
        lab: &'lab Lab,
        session: Session,
        replay: &Arc<ReplayCache>,
    ) -> Side<'lab> {
        let mechanism = (self.acceptor)(lab, replay);
        Side::new(lab, mechanism, session.seed + 1, 0)
    }

    /// The side that the token of that number is for, after all that came before in `sent`.
    pub(crate) fn waiting<'lab>(
        &self,
        lab: &'lab Lab,
        session: Session,
        sent: &[Vec<u8>],
        number: usize,
    ) -> Result<Side<'lab>> {
        let role = self.receiver(number);
        let mut side = match role {
            Role::Initiator => self.client(lab, session),
            Role::Acceptor => self.server(lab, session, &replay_cache()),
        };
        if role == Role::Initiator || self.first == Role::Initiator {
            side.receive(None)?;
        }
        for before in (0..number).filter(|number| self.receiver(*number) == role) {
            side.receive(sent.get(before).map(Vec::as_slice))?;
        }
        Ok(side)
    }

    /// A whole session; `between` may change what is sent.
    pub(crate) fn run<'lab>(
        &self,
        lab: &'lab Lab,
        session: Session,
        replay: &Arc<ReplayCache>,
        between: &mut Between<'_>,
    ) -> Result<Run<'lab>> {
        let mut run = Run {
            client: self.client(lab, session),
            server: self.server(lab, session, replay),
            sent: Vec::new(),
        };
        let mut due = VecDeque::new();
        let mut first = run.client.receive(None)?;
        if self.first == Role::Initiator {
            first = run.server.receive(None)?;
        }
        due.extend(first.map(|first| (self.first, first)));
        while let Some((to, token)) = due.pop_front() {
            let number = run.sent.len();
            if number >= MAX_TOKENS {
                return Err("the session does not end".into());
            }
            let arrived = between(number, &token).unwrap_or_else(|| vec![token.clone()]);
            run.sent.push(token);
            let side = match to {
                Role::Acceptor => &mut run.server,
                Role::Initiator => &mut run.client,
            };
            for token in arrived {
                let answer = side.receive(Some(&token))?;
                due.extend(answer.map(|answer| (to.other(), answer)));
            }
        }
        Ok(run)
    }
}

/// Room for one session and what is slipped into it. It draws its hash now, so that an acceptor draws
/// the same whether or not the cache has been used.
pub(crate) fn replay_cache() -> Arc<ReplayCache> {
    let cache = ReplayCache::new(8);
    let query = ReplayQuery {
        tag: [0; 16],
        expires: NOW,
    };
    let drawn = cache.verdict(&query, NOW, &mut SeededRandom::new(0));
    debug_assert!(drawn.is_ok());
    Arc::new(cache)
}

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

fn offer(mechanisms: impl IntoIterator<Item = Box<dyn Mechanism>>) -> Box<dyn Mechanism> {
    let initiator = negotiate::Initiator::new();
    boxed(
        mechanisms
            .into_iter()
            .fold(initiator, negotiate::Initiator::offer_boxed),
    )
}

fn take(mechanisms: impl IntoIterator<Item = Box<dyn Mechanism>>) -> Box<dyn Mechanism> {
    let acceptor = negotiate::Acceptor::new();
    boxed(
        mechanisms
            .into_iter()
            .fold(acceptor, negotiate::Acceptor::offer_boxed),
    )
}

fn keytab(lab: &Lab, replay: &Arc<ReplayCache>) -> Box<dyn Mechanism> {
    boxed(lab.kerberos_acceptor(replay))
}

fn both(lab: &Lab, replay: &Arc<ReplayCache>) -> Box<dyn Mechanism> {
    take([keytab(lab, replay), boxed(lab.ntlm_acceptor())])
}

fn only_kerberos(lab: &Lab, replay: &Arc<ReplayCache>) -> Box<dyn Mechanism> {
    take([keytab(lab, replay)])
}

fn only_ntlm(lab: &Lab, _: &Arc<ReplayCache>) -> Box<dyn Mechanism> {
    take([boxed(lab.ntlm_acceptor())])
}

/// Those that there is one of for each enctype.
fn of_every_enctype() -> Vec<Scenario> {
    vec![
        Scenario::new("Kerberos", |lab, who| boxed(lab.kerberos(who)), keytab).octets(),
        Scenario::new(
            "Kerberos one-way",
            |lab, who| boxed(lab.kerberos(who).one_way()),
            keytab,
        ),
        Scenario::new(
            "Kerberos DCE style",
            |lab, who| boxed(lab.kerberos(who).dce_style()),
            keytab,
        ),
        Scenario::new(
            "Kerberos skewed",
            |lab, who| boxed(lab.kerberos(who)),
            keytab,
        )
        .ahead(1000),
        Scenario::new(
            "user-to-user",
            |lab, who| boxed(lab.user_to_user(who)),
            |lab, replay| boxed(lab.user_to_user_acceptor(replay)),
        ),
        Scenario::new(
            "Negotiate Kerberos",
            |lab, who| offer([boxed(lab.kerberos(who)), boxed(lab.ntlm(who))]),
            both,
        ),
        Scenario::new(
            "reselected Kerberos",
            |lab, who| offer([boxed(lab.ntlm(who)), boxed(lab.kerberos(who))]),
            only_kerberos,
        ),
    ]
}

/// Those that are of one enctype or of none.
fn of_one_enctype() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "Kerberos bound",
            |lab, who| boxed(lab.kerberos(who).channel_bindings(bindings())),
            |lab, replay| boxed(lab.kerberos_acceptor(replay).channel_bindings(bindings())),
        ),
        Scenario::new(
            "IAKERB",
            |lab, who| boxed(lab.iakerb(who, false)),
            |lab, replay| boxed(lab.iakerb_acceptor(replay)),
        )
        .sha2(),
        Scenario::new(
            "IAKERB with a KDC",
            |lab, who| boxed(lab.iakerb(who, true)),
            |lab, replay| boxed(lab.iakerb_acceptor(replay)),
        )
        .sha2(),
        Scenario::new(
            "NTLM sealed",
            |lab, who| boxed(lab.ntlm(who)),
            |lab, _| boxed(lab.ntlm_acceptor()),
        )
        .octets(),
        Scenario::new(
            "NTLM signed",
            |lab, who| boxed(lab.ntlm_signing(who)),
            |lab, _| boxed(lab.ntlm_acceptor()),
        ),
        Scenario::new(
            "NTLM bound",
            |lab, who| boxed(lab.ntlm(who).channel_bindings(bindings())),
            |lab, _| boxed(lab.ntlm_acceptor().channel_bindings(bindings())),
        ),
        Scenario::new(
            "NTLM datagrams",
            |lab, who| boxed(lab.ntlm_datagrams(who)),
            |lab, _| boxed(lab.ntlm_acceptor().connectionless()),
        )
        .acceptor_speaks_first(),
        Scenario::new(
            "Negotiate NTLM",
            |lab, who| offer([boxed(lab.ntlm(who)), boxed(lab.kerberos(who))]),
            only_ntlm,
        )
        .goes_unproved()
        .octets(),
        Scenario::new(
            "reselected NTLM",
            |lab, who| offer([boxed(lab.kerberos(who)), boxed(lab.ntlm(who))]),
            only_ntlm,
        ),
        Scenario::new(
            "Negotiate one-way",
            |lab, who| offer([boxed(lab.kerberos(who).one_way()), boxed(lab.ntlm(who))]),
            both,
        ),
        Scenario::new(
            "Negotiate DCE style",
            |lab, who| offer([boxed(lab.kerberos(who).dce_style()), boxed(lab.ntlm(who))]),
            both,
        ),
        Scenario::new(
            "reselected DCE style",
            |lab, who| offer([boxed(lab.ntlm(who)), boxed(lab.kerberos(who).dce_style())]),
            only_kerberos,
        ),
    ]
}

/// Each once, of one enctype.
pub(crate) fn once() -> Vec<Scenario> {
    let mut once = all();
    let enctype = Enctype::Aes256CtsHmacSha1_96;
    once.retain(|scenario| !scenario.by_enctype || scenario.enctype == enctype);
    once
}

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for scenario in of_every_enctype() {
        for &enctype in Enctype::ALL {
            let default = enctype == Enctype::Aes256CtsHmacSha1_96;
            all.push(Scenario {
                enctype,
                by_enctype: true,
                octets: scenario.octets && default,
                ..scenario.clone()
            });
        }
    }
    all.extend(of_one_enctype());
    all
}
