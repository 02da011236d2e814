//! The KDC's state, and the way of a request through it.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use countersign_credential::{NameType, Principal};
use countersign_crypto::{Enctype, Key, Random};

use super::account::{KeySource, Record};
use super::authorization::Domain;
use super::edit::Edits;
use super::fast::{FastPolicy, Tunnel};
use super::password::{NOWHERE, PasswordPolicy};
use super::path::Paths;
use super::refusal::{Refusal, code};
use super::request::{Request, RequestKind, SeenRequest, kind_of};
use super::{initial, ticket_granting};
use crate::realm::Realm;
use crate::{Error, FixedClock, wire};

/// How many authenticators are kept before those that are too old to come again are dropped.
const CROWDED: usize = 4_096;

/// How many requests are kept for tests to look at.
const KEPT_REQUESTS: usize = 1_024;

/// What does not change while the KDC runs.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) enctypes: Vec<Enctype>,
    pub(super) max_life: i64,
    pub(super) max_renewable_life: i64,
    pub(super) skew: i64,
    pub(super) datagram_limit: usize,
    pub(super) windows_errors: bool,
    pub(super) replay_cache: bool,
    pub(super) fast: FastPolicy,
    pub(super) paths: Paths,
    pub(super) domain: Option<Domain>,
    pub(super) password_policy: Option<PasswordPolicy>,
}

/// Tells the time.
pub(super) enum Clock {
    Fixed(FixedClock),
    Running(Box<dyn FnMut() -> FixedClock + Send>),
}

impl Clock {
    pub(super) fn now(&mut self) -> FixedClock {
        match self {
            Self::Fixed(clock) => *clock,
            Self::Running(clock) => clock(),
        }
    }
}

pub(super) struct Core {
    pub(super) config: Config,
    pub(super) realm: Realm,
    pub(super) records: Vec<Arc<Record>>,
    pub(super) random: Box<dyn Random + Send>,
    pub(super) clock: Clock,
    pub(super) edits: Edits,
    pub(super) seen: VecDeque<SeenRequest>,
    /// Whether keys follow from the realm's seed.
    pub(super) seeded: bool,
    /// Where the password-changing service says it is.
    pub(super) password_host: IpAddr,
    /// Authenticators, and when they came.
    replays: HashMap<Vec<u8>, i64>,
}

/// One request on its way through the KDC.
pub(super) struct Session {
    pub(super) seen: SeenRequest,
    pub(super) request: Request,
    pub(super) tunnel: Option<Tunnel>,
    pub(super) now: FixedClock,
}

/// Keys from a generator, for a KDC without a seed.
pub(super) struct RandomKeys<'a>(pub(super) &'a mut dyn Random);

impl KeySource for RandomKeys<'_> {
    fn key(&mut self, _: &Principal, enctype: Enctype, _: u32) -> Result<Key, Error> {
        Ok(Key::generate(enctype, self.0)?)
    }
}

impl Core {
    pub(super) fn new(
        config: Config,
        realm: Realm,
        records: Vec<Arc<Record>>,
        random: Box<dyn Random + Send>,
        clock: Clock,
        seeded: bool,
    ) -> Self {
        Self {
            config,
            realm,
            records,
            random,
            clock,
            edits: Edits::default(),
            seen: VecDeque::new(),
            seeded,
            password_host: NOWHERE,
            replays: HashMap::new(),
        }
    }

    /// The answer to `bytes`; empty when a KDC would keep silent.
    pub(super) fn answer(&mut self, bytes: &[u8], limit: Option<usize>) -> Vec<u8> {
        let mut seen = SeenRequest::new(kind_of(bytes), bytes);
        let now = self.clock.now();
        let answer = match seen.kind {
            RequestKind::As | RequestKind::Tgs => self.exchange(&mut seen, now),
            RequestKind::PasswordChange | RequestKind::Unknown => Vec::new(),
        };
        let mut answer = self.edits.replace(&seen, answer);
        if limit.is_some_and(|limit| answer.len() > limit) {
            let refusal = Refusal::new(code::RESPONSE_TOO_BIG, "use TCP");
            answer = self.refuse(&mut seen, None, &refusal, now);
        }
        self.keep(seen);
        answer
    }

    fn exchange(&mut self, seen: &mut SeenRequest, now: FixedClock) -> Vec<u8> {
        let request = match Request::parse(seen.kind, &seen.bytes) {
            Ok(request) => request,
            Err(refusal) => return self.refuse(seen, None, &refusal, now),
        };
        seen.note(&request);
        let mut session = Session {
            seen: seen.clone(),
            request,
            tunnel: None,
            now,
        };
        let answer = match seen.kind {
            RequestKind::As => initial::answer(self, &mut session),
            _ => ticket_granting::answer(self, &mut session),
        };
        *seen = session.seen.clone();
        match answer {
            Ok(answer) => answer,
            Err(refusal) => self.refuse(seen, Some(&session), &refusal, now),
        }
    }

    /// An error that belongs to no request that could be read.
    pub(super) fn refuse_plainly(&mut self, code: i32, text: &'static str) -> Vec<u8> {
        let mut seen = SeenRequest::new(RequestKind::Unknown, &[]);
        let now = self.clock.now();
        self.refuse(&mut seen, None, &Refusal::new(code, text), now)
    }

    fn refuse(
        &mut self,
        seen: &mut SeenRequest,
        session: Option<&Session>,
        refusal: &Refusal,
        now: FixedClock,
    ) -> Vec<u8> {
        let body = session.map(|session| &session.request.body);
        let Ok(mut error) = refusal.to_error(self.realm.name(), body, now) else {
            return Vec::new();
        };
        self.edits.error(seen, &mut error);
        seen.refused = Some(error.error_code);
        if let Some((session, tunnel)) =
            session.and_then(|session| Some((session, self.tunnel(session)?)))
        {
            let sealed = tunnel
                .error_response(&error)
                .and_then(|response| tunnel.seal(self, session, response))
                .and_then(|data| wire::encode(&vec![data]));
            error.e_data = sealed.ok().as_deref().map(wire::octets);
        }
        wire::encode(&error).unwrap_or_default()
    }

    /// The tunnel that the answer goes through.
    pub(super) fn tunnel<'a>(&self, session: &'a Session) -> Option<&'a Tunnel> {
        session.tunnel.as_ref().filter(|_| !self.edits.strips_fast)
    }

    /// The realm's own ticket-granting service.
    pub(super) fn granting(&self) -> Option<Arc<Record>> {
        let realm = self.realm.name();
        self.find(&Principal::ticket_granting_service(realm, realm))
    }

    /// The account that is known as `name`.
    pub(super) fn find(&self, name: &Principal) -> Option<Arc<Record>> {
        let named = self.records.iter().find(|record| record.is_named(name));
        named.cloned().or_else(|| self.find_enterprise(name))
    }

    /// An enterprise name of this realm, `user@REALM`, is the user's (RFC 6806 §5).
    fn find_enterprise(&self, name: &Principal) -> Option<Arc<Record>> {
        if name.name_type() != NameType::ENTERPRISE {
            return None;
        }
        let plain = Principal::parse(name.component(0)?).ok()?;
        let named = self.records.iter().find(|record| record.is_named(&plain));
        named.cloned()
    }

    /// Remembers an authenticator; `false` when it has come before (RFC 4120 §3.2.3).
    pub(super) fn remember(&mut self, authenticator: &[u8], now: i64) -> bool {
        if self.replays.len() >= CROWDED {
            let forgotten = now.saturating_sub(self.config.skew.saturating_mul(2));
            self.replays.retain(|_, came| *came >= forgotten);
        }
        let known = self.replays.insert(authenticator.to_vec(), now).is_some();
        !(known && self.config.replay_cache)
    }

    pub(super) fn keep(&mut self, seen: SeenRequest) {
        self.seen.push_back(seen);
        if self.seen.len() > KEPT_REQUESTS {
            self.seen.pop_front();
        }
    }

    /// A session key that the client and the service both understand (RFC 4120 §3.1.3).
    pub(super) fn session_key(
        &mut self,
        offered: &[i32],
        server: &[Enctype],
    ) -> Result<Key, Refusal> {
        let enctype = offered
            .iter()
            .filter_map(|id| Enctype::from_id(*id))
            .find(|enctype| server.contains(enctype))
            .ok_or_else(|| Refusal::new(code::ETYPE_UNSUPPORTED, "no common enctype"))?;
        Ok(Key::generate(enctype, &mut *self.random)?)
    }
}
