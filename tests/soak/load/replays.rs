//! The replay cache under load: full of live entries, and raced.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use countersign_context::crypto::Enctype;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, ReplayCache};
use countersign_context::{
    Environment, ErrorKind, Mechanism, ReplayQuery, ReplayVerdict, Step, Timestamp,
};
use countersign_testkit::{NOW, SeededRandom};

use super::memory::{mib, resident};
use crate::faults::lab::Lab;
use crate::report::{Report, grouped};
use crate::{Options, Result};

/// Look-ups that are timed.
const TIMED: u64 = 100_000;
const RACERS: usize = 1_000;

pub(super) fn entries(_: &Options, report: &mut Report) {
    let result = fill();
    let problem = result.as_ref().err().cloned();
    let title = "1,000,000 live replay entries";
    report.add("load", title, &result.unwrap_or_default(), problem);
}

fn query(number: u64) -> ReplayQuery {
    let mut random = SeededRandom::new(number);
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(&random.next_u64().to_le_bytes());
    tag[8..].copy_from_slice(&random.next_u64().to_le_bytes());
    let expires = NOW + i64::try_from(number % 600).unwrap_or(0);
    ReplayQuery { tag, expires }
}

fn fill() -> Result<String> {
    let cache = ReplayCache::default();
    let mut random = SeededRandom::new(5);
    let mut ask = |number| {
        let verdict = cache.verdict(&query(number), NOW, &mut random);
        verdict.map_err(|error| error.to_string())
    };
    let before = resident();
    for number in 0..1_000_000 {
        if ask(number)? != ReplayVerdict::Fresh {
            return Err(format!("entry {number} is taken for another"));
        }
    }
    let grown = resident()
        .zip(before)
        .map(|(now, before)| now.saturating_sub(before));
    let mut times = Vec::new();
    for look in 0..TIMED {
        let number = look * 7_919 % 1_000_000;
        let began = Instant::now();
        let verdict = ask(number)?;
        times.push(began.elapsed().as_nanos());
        if verdict != ReplayVerdict::Replayed {
            return Err(format!("entry {number} is forgotten"));
        }
    }
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 1000];
    // Up to its bound it fills, and then refuses what it cannot remember.
    let capacity = u64::try_from(ReplayCache::DEFAULT_CAPACITY).unwrap_or(u64::MAX);
    for number in 1_000_000..capacity {
        if ask(number)? != ReplayVerdict::Fresh {
            return Err(format!("entry {number} is taken for another"));
        }
    }
    let full = (ask(capacity)?, ask(7)?);
    if full != (ReplayVerdict::Unavailable, ReplayVerdict::Replayed) {
        return Err(format!("when full it says {full:?}"));
    }
    Ok(format!(
        "{} of resident memory; look-up p50 {} ns, p99 {} ns, p99.9 {} ns;\n\
         at {} it refuses",
        mib(grown),
        at(500),
        at(990),
        at(999),
        grouped(capacity)
    ))
}

pub(super) fn accepted(options: &Options, report: &mut Report) {
    let count: u64 = if options.short { 10_000 } else { 1_000_000 };
    let title = format!(
        "{} contexts, each authenticator replayed or kept",
        grouped(count)
    );
    let result = accept(count);
    let problem = result.as_ref().err().cloned();
    report.add("load", &title, &result.unwrap_or_default(), problem);
}

fn first_token(lab: &Lab, seed: u64, now: Timestamp) -> Result<Vec<u8>> {
    let mut random = SeededRandom::new(seed);
    let mut env = Environment::new(now, &mut random);
    match lab.kerberos(0).step(None, &mut env) {
        Ok(Step::Continue { token }) => Ok(token),
        other => Err(format!("{other:?}")),
    }
}

fn answer(
    credential: &AcceptorCredential,
    token: &[u8],
) -> Result<Step, countersign_context::Error> {
    let mut random = SeededRandom::new(6);
    let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
    Acceptor::new(credential).step(Some(token), &mut env)
}

/// Real contexts over one cache, all within the skew; every hundredth token comes again at the end.
fn accept(count: u64) -> Result<String> {
    let lab = Lab::new(Enctype::Aes256CtsHmacSha1_96);
    let cache = Arc::new(ReplayCache::default());
    let credential = lab.credential(&cache);
    let moment = |number: u64| {
        let seconds = i64::try_from(number % 600).unwrap_or(0) - 300;
        Timestamp::new(NOW + seconds, 0)
    };
    let began = Instant::now();
    for number in 0..count {
        let token = first_token(&lab, number, moment(number))?;
        if !matches!(answer(&credential, &token), Ok(Step::Established { .. })) {
            return Err(format!("context {number} is refused"));
        }
    }
    let took = began.elapsed();
    for number in (0..count).step_by(100) {
        let token = first_token(&lab, number, moment(number))?;
        match answer(&credential, &token) {
            Err(error) if error.kind() == ErrorKind::Replayed => {}
            other => return Err(format!("context {number} again: {other:?}")),
        }
    }
    let live = u64::try_from(cache.len()).unwrap_or(0);
    if live != count {
        return Err(format!("{live} entries live"));
    }
    Ok(format!(
        "{} entries live, {} replays refused; {} us a pair of first steps",
        grouped(live),
        grouped(count / 100),
        took.as_micros() / u128::from(count)
    ))
}

pub(super) fn race(options: &Options, report: &mut Report) {
    let rounds = if options.short { 3 } else { 30 };
    let title = format!(
        "{} threads race one authenticator, {rounds} times",
        grouped(1_000)
    );
    let result = races(rounds);
    let problem = result.as_ref().err().cloned();
    report.add("load", &title, &result.unwrap_or_default(), problem);
}

fn races(rounds: u64) -> Result<String> {
    let lab = Lab::new(Enctype::Aes256CtsHmacSha1_96);
    let credential = lab.credential(&Arc::default());
    for round in 0..rounds {
        let token = first_token(&lab, round, Timestamp::from_unix(NOW))?;
        let start = Barrier::new(RACERS);
        let (accepted, replayed) = thread::scope(|scope| {
            let racer = || {
                start.wait();
                match answer(&credential, &token) {
                    Ok(Step::Established { .. }) => (1, 0),
                    Err(error) if error.kind() == ErrorKind::Replayed => (0, 1),
                    _ => (0, 0),
                }
            };
            let racers: Vec<_> = (0..RACERS).map(|_| scope.spawn(racer)).collect();
            let ends = racers
                .into_iter()
                .map(|racer| racer.join().unwrap_or((0, 0)));
            ends.fold((0, 0), |sum, end| (sum.0 + end.0, sum.1 + end.1))
        });
        if (accepted, replayed) != (1, RACERS - 1) {
            return Err(format!(
                "round {round}: {accepted} accepted, {replayed} replayed"
            ));
        }
    }
    Ok(format!(
        "each time one is accepted and {} are replays",
        RACERS - 1
    ))
}
