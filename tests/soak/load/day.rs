//! A day of a service: tickets end, keys are changed, and its clock is set.

use std::collections::VecDeque;
use std::sync::Arc;

use countersign_context::credential::TicketCredential;
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, Initiator, ReplayCache, ReplayProtection,
};
use countersign_context::{
    Environment, ErrorKind, Flags, Mechanism, SecurityContext, Step, Timestamp,
};
use countersign_testkit::{ApReqBuilder, NOW, Realm, SeededRandom};

use crate::faults::lab::SERVICE;
use crate::report::{Report, grouped};
use crate::{Options, Result};

const HOUR: i64 = 3600;
const SKEW: i64 = 300;
/// How long tickets last.
const LIFE: i64 = 10 * HOUR;
/// How often the service's key changes, and how many of its versions the keytab has.
const ROTATION: i64 = 4 * HOUR;
const VERSIONS: u32 = 4;
/// When the service's clock is set, in minutes of the day, and how far from the true time.
const STEPS: [(i64, i64); 6] = [
    (360, 2 * HOUR),
    (420, 0),
    (720, -120),
    (780, 0),
    (960, -2 * HOUR),
    (1020, 0),
];

const FLAGS: Flags = Flags::CONFIDENTIALITY.union(Flags::INTEGRITY);

pub(super) fn run(options: &Options, report: &mut Report) {
    let a_minute = if options.short { 1 } else { 20 };
    let title = format!("24 hours, {a_minute} handshakes a minute");
    let result = Day::new().live(a_minute);
    let problem = result.as_ref().err().cloned();
    report.add("load", &title, &result.unwrap_or_default(), problem);
}

/// A first token that was accepted.
struct Accepted {
    token: Vec<u8>,
    /// The time in its authenticator.
    time: i64,
}

/// A context of the service's, its peer's, and the end of the ticket.
struct Held {
    service: Box<SecurityContext>,
    client: Box<SecurityContext>,
    ends: i64,
}

#[derive(Default)]
struct Figures {
    accepted: u64,
    recovered: u64,
    replays: u64,
    /// What the cache had forgotten before the clock was set back.
    forgotten: u64,
    expired: u64,
    tickets: u64,
    most: usize,
}

struct Day {
    realm: Realm,
    replay: Arc<ReplayCache>,
    random: SeededRandom,
    version: u32,
    credential: AcceptorCredential,
    ticket: Arc<TicketCredential>,
    /// The latest time that the service's clock has shown.
    latest: i64,
    seen: VecDeque<Accepted>,
    held: VecDeque<Held>,
    figures: Figures,
}

/// With the versions from `oldest` to `latest`.
fn keytab(
    realm: &Realm,
    oldest: u32,
    latest: u32,
    replay: &Arc<ReplayCache>,
) -> AcceptorCredential {
    let versions: Vec<u32> = (oldest.max(1)..=latest).collect();
    let keytab = realm.keytab_of(&[SERVICE], &versions, &[Enctype::Aes256CtsHmacSha1_96]);
    let shared = ReplayProtection::Shared(Arc::clone(replay));
    AcceptorCredential::new(&keytab.expect("a keytab")).with_replay_protection(shared)
}

fn ticket(realm: &Realm, version: u32, from: i64) -> Arc<TicketCredential> {
    let ticket = realm.ticket("alice", SERVICE).kvno(version);
    let ticket = ticket.auth_time(from).valid(from, from + LIFE);
    Arc::new(
        ticket
            .enctype(Enctype::Aes256CtsHmacSha1_96)
            .mint()
            .expect("a ticket"),
    )
}

impl Day {
    fn new() -> Self {
        let realm = Realm::new("EXAMPLE.COM", 1);
        let replay = Arc::default();
        Self {
            credential: keytab(&realm, 1, 1, &replay),
            ticket: ticket(&realm, 1, NOW),
            realm,
            replay,
            random: SeededRandom::new(24),
            version: 1,
            latest: NOW,
            seen: VecDeque::new(),
            held: VecDeque::new(),
            figures: Figures::default(),
        }
    }

    fn live(mut self, a_minute: i64) -> Result<String> {
        let mut ahead = 0;
        let mut old = vec![Arc::clone(&self.ticket)];
        for minute in 0..24 * 60 {
            let minute_began = NOW + minute * 60;
            if let Some((_, step)) = STEPS.iter().find(|(at, _)| *at == minute) {
                ahead = *step;
            }
            if minute > 0 && minute * 60 % ROTATION == 0 {
                self.version += 1;
                let oldest = self.version.saturating_sub(VERSIONS - 1);
                self.credential = keytab(&self.realm, oldest, self.version, &self.replay);
            }
            for number in 0..a_minute {
                let now = minute_began + number * 60 / a_minute;
                if now >= self.ticket.times.end_time - SKEW {
                    self.ticket = ticket(&self.realm, self.version, now);
                    old.push(Arc::clone(&self.ticket));
                    self.figures.tickets += 1;
                }
                let micros = u32::try_from(number).unwrap_or(0);
                self.handshake(Timestamp::new(now, micros), ahead)?;
            }
            let service = minute_began + 59 + ahead;
            self.latest = self.latest.max(service);
            self.replays(service)?;
            self.expiries(service)?;
            self.figures.most = self.figures.most.max(self.replay.len());
        }
        self.boundaries(&old)?;
        // What one window of skew to either side and its buckets hold, and what was stored by a clock
        // that was then set back by two hours.
        let window = 2 * HOUR + 2 * SKEW + 3 * 64;
        let window = usize::try_from(window / 60 * a_minute).unwrap_or(0);
        if self.figures.most > window {
            return Err(format!("{} entries of the replay cache", self.figures.most));
        }
        let Figures {
            accepted,
            recovered,
            replays,
            forgotten,
            expired,
            tickets,
            most,
        } = self.figures;
        Ok(format!(
            "{} accepted, {recovered} of them after a clock was set; {} replays refused,\n\
             {forgotten} of what was forgotten before the clock went back accepted;\n\
             {} contexts ended with their tickets, {tickets} new tickets, {} keys,\n\
             at most {most} replay entries",
            grouped(accepted),
            grouped(replays),
            grouped(expired),
            self.version
        ))
    }

    /// A client whose clock is right, and the service, whose clock is so far ahead.
    fn handshake(&mut self, now: Timestamp, ahead: i64) -> Result<()> {
        let mut initiator = Initiator::new(Arc::clone(&self.ticket)).require(FLAGS);
        let mut acceptor = Acceptor::new(&self.credential).require(FLAGS);
        let service_now = now.offset_by(ahead);
        let far = ahead.abs() > SKEW;
        let mut token = None;
        for round in 0..3 {
            let mut env = Environment::new(now, &mut self.random);
            let sent = match initiator.step(token.as_deref(), &mut env) {
                Ok(Step::Continue { token }) => token,
                Err(error) => return Err(format!("at {now:?}, {ahead} s ahead: {error}")),
                Ok(other) => return Err(format!("{other:?}")),
            };
            let mut env = Environment::new(service_now, &mut self.random);
            match acceptor.step(Some(&sent), &mut env) {
                Ok(Step::Continue { token: reply }) if far && round == 0 => token = Some(reply),
                Ok(Step::Established {
                    token: reply,
                    context: service,
                }) => {
                    let mut env = Environment::new(now, &mut self.random);
                    let ended = initiator.step(reply.as_deref(), &mut env);
                    let Ok(Step::Established {
                        context: client, ..
                    }) = ended
                    else {
                        return Err(format!("{ended:?}"));
                    };
                    self.figures.accepted += 1;
                    self.figures.recovered += u64::from(round > 0);
                    let time = if far { service_now } else { now }.seconds();
                    self.seen.push_back(Accepted { token: sent, time });
                    let ends = self.ticket.times.end_time;
                    self.held.push_back(Held {
                        service,
                        client,
                        ends,
                    });
                    return Ok(());
                }
                // The ticket is not good at the service's time: nothing helps but the right time.
                Err(error) if far && self.outside(service_now.seconds()) => {
                    return match error.kind() {
                        ErrorKind::TicketExpired
                        | ErrorKind::TicketNotYetValid
                        | ErrorKind::ClockSkew => Ok(()),
                        other => Err(format!("refused for {other:?}")),
                    };
                }
                other => return Err(format!("{ahead} s ahead, round {round}: {other:?}")),
            }
        }
        Err("the handshake does not end".into())
    }

    fn outside(&self, now: i64) -> bool {
        let times = &self.ticket.times;
        now + SKEW < times.valid_from() || now > times.end_time
    }

    /// Some of what was accepted in the last hours comes again.
    fn replays(&mut self, service: i64) -> Result<()> {
        // Whatever clock it was accepted by, nothing older than this can be inside of the skew.
        while self
            .seen
            .front()
            .is_some_and(|seen| seen.time < self.latest - 4 * HOUR)
        {
            self.seen.pop_front();
        }
        for _ in 0..4 {
            let Some(seen) = self.seen.get(self.random.below(self.seen.len())) else {
                break;
            };
            let mut env = Environment::new(Timestamp::from_unix(service), &mut self.random);
            let mut acceptor = Acceptor::new(&self.credential);
            let result = acceptor.step(Some(&seen.token), &mut env);
            // "What has expired is forgotten, and comes back as new if the clock is set back."
            let forgotten = seen.time < self.latest - SKEW;
            match result {
                Ok(Step::Established { .. }) if forgotten && service < self.latest => {
                    self.figures.forgotten += 1;
                }
                Ok(Step::Established { .. }) => {
                    return Err(format!("a replay is accepted at {service}"));
                }
                _ => self.figures.replays += 1,
            }
        }
        Ok(())
    }

    /// Contexts end with the ticket and the skew, by whatever clock there is, and work until then.
    fn expiries(&mut self, service: i64) -> Result<()> {
        let now = Timestamp::from_unix(service);
        for held in &self.held {
            if held.service.is_expired(now) != (service >= held.ends + SKEW) {
                return Err(format!(
                    "a context of a ticket until {} at {service}",
                    held.ends
                ));
            }
        }
        let at = self.random.below(self.held.len());
        if let Some(Held {
            service, client, ..
        }) = self.held.get_mut(at)
        {
            let sealed = client
                .wrap(true, b"still there?")
                .map_err(|e| e.to_string())?;
            service.unwrap(&sealed).map_err(|e| e.to_string())?;
        }
        while self
            .held
            .front()
            .is_some_and(|held| held.service.is_expired(now))
        {
            self.held.pop_front();
            self.figures.expired += 1;
        }
        // The last hours' will do.
        while self.held.len() > 4_000 {
            self.held.remove(1);
        }
        Ok(())
    }

    /// Every ticket of the day at the second of its end, and with the keys that are there now.
    fn boundaries(&mut self, old: &[Arc<TicketCredential>]) -> Result<()> {
        for (number, ticket) in old.iter().enumerate() {
            let ends = ticket.times.end_time;
            for (late, accepted) in [(SKEW, true), (SKEW + 1, false)] {
                let now = ends + late;
                let request = ApReqBuilder::new(ticket)
                    .time(now, 7)
                    .build(&mut self.random);
                let token = request.map_err(|e| e.to_string())?.token;
                // The keytab of today may have dropped the key of that time.
                let credential = keytab(&self.realm, 1, self.version, &Arc::default());
                let mut env = Environment::new(Timestamp::from_unix(now), &mut self.random);
                let result = Acceptor::new(&credential).step(Some(&token), &mut env);
                let right = match &result {
                    Ok(_) => accepted,
                    Err(error) => !accepted && error.kind() == ErrorKind::TicketExpired,
                };
                if !right {
                    return Err(format!(
                        "ticket {number}, {late} s after its end: {result:?}"
                    ));
                }
            }
        }
        let first = old.first().ok_or("no ticket")?;
        let within = first.times.end_time - 1;
        let request = ApReqBuilder::new(first)
            .time(within, 8)
            .build(&mut self.random);
        let token = request.map_err(|e| e.to_string())?.token;
        let mut env = Environment::new(Timestamp::from_unix(within), &mut self.random);
        match Acceptor::new(&self.credential).step(Some(&token), &mut env) {
            Err(error) if matches!(error.kind(), ErrorKind::NoKey { .. }) => Ok(()),
            other => Err(format!("a key that is gone: {other:?}")),
        }
    }
}
