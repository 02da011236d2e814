//! Many half-open contexts of every kind, held at once.

use allocation_counter::measure;
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::{Acceptor, ReplayProtection};
use countersign_context::{Environment, Mechanism, Need, Step, Timestamp, ntlm};
use countersign_testkit::{NOW, SeededRandom};

use super::memory::{mib, resident};
use crate::faults::scenario::{Scenario, Session, once};
use crate::faults::{Honest, Labs, SESSION, lab::Lab};
use crate::report::{Report, grouped};
use crate::{Options, Result};

/// What a half-open context may hold, beside the tokens that came and went.
const MOST: u64 = 8 * 1024;
/// What the process may be while it holds all of one kind.
const MOST_IN_ALL: u64 = 1 << 30;

type Make<'a> = Box<dyn Fn(u64) -> Result<Box<dyn Mechanism>> + 'a>;

struct Kind<'a> {
    title: String,
    /// Bytes of tokens that it has seen.
    tokens: usize,
    make: Make<'a>,
}

/// Rows: every side of every kind of session, before each token that it waits for.
fn kinds(labs: &Labs) -> Result<Vec<Kind<'_>>> {
    let mut kinds = Vec::new();
    for scenario in scenarios() {
        let lab = labs.get(scenario.enctype);
        let honest = Honest::of(&scenario, lab, SESSION)?;
        for number in 0..honest.sent.len() {
            let sent = honest.sent.clone();
            let scenario = scenario.clone();
            let tokens = sent.iter().take(number).map(Vec::len).sum();
            let title = format!("{} before token {number}", scenario.name);
            let make = move |seed| {
                // What a KDC said is the answer to one request.
                let repeated = scenario.name.starts_with("IAKERB");
                let seed = if repeated { SESSION.seed } else { seed };
                let session = Session { seed, ..SESSION };
                let side = scenario.waiting(lab, session, &sent, number)?;
                match side.ended {
                    None => Ok(side.mechanism),
                    Some(_) => Err("it does not wait".into()),
                }
            };
            // Before its first token an acceptor is what it was made as.
            if number > 0 {
                kinds.push(Kind {
                    title,
                    tokens,
                    make: Box::new(make),
                });
            }
        }
    }
    kinds.extend(asking(labs.get(Enctype::Aes256CtsHmacSha1_96))?);
    Ok(kinds)
}

fn scenarios() -> Vec<Scenario> {
    const NAMES: [&str; 9] = [
        "Kerberos",
        "Kerberos DCE style",
        "Kerberos skewed",
        "user-to-user",
        "IAKERB with a KDC",
        "NTLM sealed",
        "Negotiate Kerberos",
        "Negotiate NTLM",
        "reselected Kerberos",
    ];
    let mut scenarios = once();
    scenarios.retain(|scenario| NAMES.contains(&scenario.name));
    scenarios
}

/// Acceptors that wait for their caller's answer.
fn asking(lab: &Lab) -> Result<Vec<Kind<'_>>> {
    let kerberos = scenarios().into_iter().find(|one| one.name == "Kerberos");
    let ntlm = scenarios()
        .into_iter()
        .find(|one| one.name == "NTLM sealed");
    let (Some(kerberos), Some(ntlm)) = (kerberos, ntlm) else {
        return Err("no such session".into());
    };
    let request = Honest::of(&kerberos, lab, SESSION)?.sent.swap_remove(0);
    let credential = lab.credential_with(ReplayProtection::External);
    let replay = Kind {
        title: "Kerberos before a verdict on replay".into(),
        tokens: request.len(),
        make: Box::new(move |seed| {
            let mut acceptor = Acceptor::new(&credential);
            let mut random = SeededRandom::new(seed);
            let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
            match acceptor.step(Some(&request), &mut env) {
                Ok(Step::Need(Need::Replay(_))) => Ok(Box::new(acceptor)),
                other => Err(format!("{other:?}")),
            }
        }),
    };
    let negotiate = Honest::of(&ntlm, lab, SESSION)?.sent.swap_remove(0);
    let logon = Kind {
        title: "NTLM before a verdict on the log-on".into(),
        tokens: 2 * negotiate.len() + 1024,
        make: Box::new(move |seed| {
            let names = ntlm::ServerNames::new("WWW", "EXAMPLE").map_err(|e| e.to_string())?;
            let mut acceptor = ntlm::Acceptor::new(&ntlm::AcceptorCredential::new(names));
            let mut initiator = lab.ntlm(0);
            let mut random = SeededRandom::new(seed);
            let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
            let step = acceptor.step(Some(&negotiate), &mut env);
            let (Ok(Step::Continue { token: challenge }), Ok(_)) =
                (step, initiator.step(None, &mut env))
            else {
                return Err("no challenge".into());
            };
            let answer = initiator.step(Some(&challenge), &mut env);
            let Ok(Step::Established {
                token: Some(token), ..
            }) = answer
            else {
                return Err("no answer".into());
            };
            match acceptor.step(Some(&token), &mut env) {
                Ok(Step::Need(Need::Logon(_))) => Ok(Box::new(acceptor)),
                other => Err(format!("{other:?}")),
            }
        }),
    };
    Ok(vec![replay, logon])
}

pub(super) fn run(options: &Options, report: &mut Report) {
    let count: u64 = if options.short { 1_000 } else { 100_000 };
    let labs = Labs::of(&once());
    let title = format!("{} half-open contexts of each kind", grouped(count));
    let (mut figures, mut problem) = (String::new(), None);
    let kinds = kinds(&labs).unwrap_or_else(|why| {
        problem = Some(why);
        Vec::new()
    });
    for kind in kinds {
        match hold(&kind, count) {
            Ok(line) => figures.push_str(&line),
            Err(why) => problem = Some(format!("{}: {why}", kind.title)),
        }
    }
    report.add("load", &title, &figures, problem);
}

/// Holds them all, and lets them go.
fn hold(kind: &Kind<'_>, count: u64) -> Result<String> {
    let mut held = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    let mut failed = None;
    let info = measure(|| {
        for number in 0..count {
            match (kind.make)(1_000 + number) {
                Ok(mechanism) => held.push(mechanism),
                Err(why) => failed = Some(why),
            }
        }
    });
    if let Some(why) = failed {
        return Err(why);
    }
    // The allocator keeps what earlier kinds gave back: what there is in all is what counts.
    let now = resident();
    let each = u64::try_from(info.bytes_current).unwrap_or(0) / count;
    let resident = mib(now);
    let line = format!(
        "{:<37} {each:>5} bytes each, {resident:>9} in all\n",
        kind.title
    );
    let tokens = u64::try_from(kind.tokens).unwrap_or(u64::MAX);
    if each > MOST + tokens || now.is_some_and(|now| now > MOST_IN_ALL) {
        return Err(format!("too much is held: {line}"));
    }
    let gone = measure(|| held.clear());
    if gone.bytes_current + info.bytes_current != 0 {
        return Err(format!(
            "{} bytes stay",
            gone.bytes_current + info.bytes_current
        ));
    }
    Ok(line)
}
