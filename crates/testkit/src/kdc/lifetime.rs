//! How long tickets hold.

use super::core::{Config, Session};
use super::grant::Times;
use super::refusal::{Refusal, code};
use super::request::option;

/// The times of an initial ticket, RFC 4120 §3.1.3.
pub(super) fn initial(config: &Config, session: &Session) -> Result<Times, Refusal> {
    let body = &session.request.body;
    let now = session.now.seconds;
    let start = start_time(config, session)?;
    let end = body.till().min(start.saturating_add(config.max_life));
    if end <= start {
        return Err(Refusal::new(
            code::NEVER_VALID,
            "the ticket would end before it begins",
        ));
    }
    let mut asked = match body.asks(option::RENEWABLE) {
        // Like `till`, 1970 stands for "as long as possible".
        true => body
            .rtime
            .map(|time| if time == 0 { i64::MAX } else { time }),
        false => None,
    };
    if asked.is_none() && body.asks(option::RENEWABLE_OK) && body.till() > end {
        asked = Some(body.till());
    }
    let latest = now.saturating_add(config.max_renewable_life);
    Ok(Times {
        start,
        end,
        renew_till: asked
            .map(|time| time.min(latest))
            .filter(|time| *time > end || body.asks(option::RENEWABLE)),
    })
}

fn start_time(config: &Config, session: &Session) -> Result<i64, Refusal> {
    let now = session.now.seconds;
    match session.request.body.from {
        Some(from) if from > now.saturating_add(config.skew) => {
            match session.request.body.asks(option::POSTDATED) {
                true => Ok(from),
                false => Err(Refusal::new(
                    code::CANNOT_POSTDATE,
                    "the start lies in the future",
                )),
            }
        }
        _ => Ok(now),
    }
}

/// The times of a ticket that another one buys, RFC 4120 §3.3.3: it never outlives that one.
pub(super) fn derived(config: &Config, session: &Session, of: &Times) -> Result<Times, Refusal> {
    let body = &session.request.body;
    let start = start_time(config, session)?;
    let longest = of.end.min(start.saturating_add(config.max_life));
    let end = body.till().min(longest);
    if end <= start {
        return Err(Refusal::new(
            code::NEVER_VALID,
            "the ticket would end before it begins",
        ));
    }
    let wanted = match body.asks(option::RENEWABLE) {
        true => body
            .rtime
            .map(|time| if time == 0 { i64::MAX } else { time }),
        false if body.asks(option::RENEWABLE_OK) && body.till() > end => Some(body.till()),
        false => None,
    };
    let latest = start.saturating_add(config.max_renewable_life);
    let renew_till = wanted.and_then(|wanted| Some(wanted.min(of.renew_till?).min(latest)));
    Ok(Times {
        start,
        end,
        renew_till,
    })
}

/// The times of a renewed ticket, RFC 4120 §3.3.3: the old ticket's life again, within what it may be renewed.
pub(super) fn renewed(session: &Session, of: &Times) -> Result<Times, Refusal> {
    let now = session.now.seconds;
    let till = of
        .renew_till
        .ok_or_else(|| Refusal::new(code::BAD_OPTION, "the ticket is not renewable"))?;
    if till <= now {
        return Err(Refusal::new(
            code::TICKET_EXPIRED,
            "the ticket can be renewed no longer",
        ));
    }
    let life = of.end.saturating_sub(of.start);
    Ok(Times {
        start: now,
        end: now.saturating_add(life).min(till),
        renew_till: Some(till),
    })
}
