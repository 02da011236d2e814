//! KDCs that are dead, silent or no KDCs: the client gets its ticket from another or fails in time.

use std::process::Command;
use std::time::{Duration, Instant};

use countersign_handshake::kdc::{Attempt, Error, Failure};

use crate::Result;
use crate::kdc::Kdc::{self, Mit};
use crate::kdc::client::text;
use crate::kdc::hostile::{Hostile, Manner, dead};
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add};

/// What one faulty KDC may cost, beside what the others need.
const PATIENCE: Duration = Duration::from_secs(1);

/// Machines that do much else are slow.
const SLACK: Duration = Duration::from_secs(2);

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    add(rows, &[Mit], "KDC killed after it answered", killed);
    add(rows, &Kdc::ALL, "nobody listens", |lab| {
        fails(lab, &dead()?, Duration::ZERO, |failure| {
            matches!(
                failure,
                Failure::Io(_) | Failure::NoAnswer | Failure::Closed
            )
        })
    });
    add(rows, &Kdc::ALL, "one of three KDCs dead", |lab| {
        let kdc = lab.endpoint()?;
        survives(lab, &[&dead()?, &kdc, &kdc])
    });
    for (manner, what) in [
        (Manner::Silent, "silent after the connection"),
        (Manner::Garbage, "answering garbage"),
        (Manner::Truncated, "closing in mid-reply"),
        (Manner::Endless, "announcing 2 GiB"),
        (Manner::ReservedBit, "setting the reserved bit"),
    ] {
        add(
            rows,
            &Kdc::ALL,
            format!("one of three KDCs {what}"),
            move |lab| {
                let (hostile, kdc) = (Hostile::start(manner)?, lab.endpoint()?);
                survives(lab, &[&hostile.endpoint(), &kdc, &kdc])?;
                survives(lab, &[&format!("tcp/{}", hostile.endpoint()), &kdc, &kdc])?;
                was_asked(&hostile)
            },
        );
    }
    add(
        rows,
        &[Mit],
        "all KDCs silent after the connection",
        |lab| {
            let hostile = Hostile::start(Manner::Silent)?;
            fails(lab, &hostile.endpoint(), TIMEOUT, |failure| {
                failure == Failure::NoAnswer
            })?;
            was_asked(&hostile)
        },
    );
    add(rows, &[Mit], "all KDCs answering garbage", |lab| {
        let hostile = Hostile::start(Manner::Garbage)?;
        let endpoint = format!("tcp/{}", hostile.endpoint());
        fails(lab, &endpoint, Duration::ZERO, |failure| {
            failure == Failure::NotKerberos
        })?;
        was_asked(&hostile)
    });
}

/// How long the client that meets nobody else waits.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The ticket comes from another, in little more time than the first one was given.
fn survives(lab: &Lab, endpoints: &[&str]) -> Result<()> {
    let client = lab.client_of(endpoints)?.patience(PATIENCE);
    let began = Instant::now();
    client.run(lab.initial("alice")?).map_err(text)?;
    within(began, PATIENCE)
}

/// No ticket comes from the one KDC, because it failed so, after this time.
fn fails(lab: &Lab, endpoint: &str, after: Duration, so: impl Fn(Failure) -> bool) -> Result<()> {
    let client = lab.client_of(&[endpoint])?.timeout(TIMEOUT);
    let began = Instant::now();
    match client.run(lab.initial("alice")?) {
        Ok(_) => Err("got a ticket".into()),
        Err(Error::Unanswered(attempts)) if failed_so(&attempts, so) => within(began, after),
        Err(other) => Err(format!("{other:?}")),
    }
}

fn failed_so(attempts: &[Attempt], so: impl Fn(Failure) -> bool) -> bool {
    !attempts.is_empty() && attempts.iter().all(|attempt| so(attempt.failure))
}

fn within(began: Instant, time: Duration) -> Result<()> {
    let elapsed = began.elapsed();
    if elapsed > time + SLACK {
        return Err(format!("took {elapsed:?} in place of {time:?}"));
    }
    Ok(())
}

fn was_asked(hostile: &Hostile) -> Result<()> {
    if hostile.asked() == 0 {
        return Err("the faulty KDC was never asked".into());
    }
    Ok(())
}

/// A KDC that answers, and that is gone before the next question.
fn killed(lab: &Lab) -> Result<()> {
    let endpoint = format!("127.0.0.1:{}", lab.variable("SPARE")?);
    let client = lab.client_of(&[&endpoint])?.timeout(TIMEOUT);
    client.run(lab.initial("alice")?).map_err(text)?;
    let id = std::fs::read_to_string(lab.path("spare.pid")).map_err(text)?;
    let killed = Command::new("kill").arg(id.trim()).status();
    if !killed.is_ok_and(|status| status.success()) {
        return Err(format!("cannot end process {id}"));
    }
    let gone = Instant::now();
    let problem = loop {
        match client.run(lab.initial("alice")?) {
            Ok(_) if gone.elapsed() > SLACK => return Err("it lives on".into()),
            Ok(_) => std::thread::sleep(Duration::from_millis(20)),
            Err(problem) => break problem,
        }
    };
    if !matches!(problem, Error::Unanswered(_)) {
        return Err(format!("{problem:?}"));
    }
    // The others of the realm are there.
    client_of_two(lab, &endpoint)
}

fn client_of_two(lab: &Lab, dead: &str) -> Result<()> {
    let alive = lab.endpoint()?;
    survives(lab, &[dead, &alive])
}
