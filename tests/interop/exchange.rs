//! Leads two sides to an established context, or to the refusal that a row expects.

use crate::Result;
use crate::side::{Handshake, Refusal};

/// Runs the handshake; how many tokens it took.
pub(crate) fn establish(
    initiator: &mut dyn Handshake,
    acceptor: &mut dyn Handshake,
) -> std::result::Result<usize, Refusal> {
    let mut tokens = 0;
    let mut to_initiator: Option<Vec<u8>> = None;
    let mut acceptor_done = false;
    // IAKERB takes the most: a log-on and a ticket before the context itself.
    for _ in 0..12 {
        let stepped = initiator.step(to_initiator.as_deref())?;
        to_initiator = None;
        if let Some(token) = stepped.token {
            if acceptor_done {
                return Err("the initiator sends to a finished acceptor"
                    .to_owned()
                    .into());
            }
            tokens += 1;
            let answer = acceptor
                .step(Some(&token))
                .map_err(|refusal| tell(initiator, refusal))?;
            acceptor_done = answer.complete;
            tokens += usize::from(answer.token.is_some());
            to_initiator = answer.token;
        }
        match (stepped.complete, acceptor_done, &to_initiator) {
            (true, true, None) => return Ok(tokens),
            (true, _, Some(_)) => {
                return Err("the acceptor sends to a finished initiator"
                    .to_owned()
                    .into());
            }
            (_, _, None) => return Err("both sides wait for the other".to_owned().into()),
            (false, _, Some(_)) => {}
        }
    }
    Err("no end of tokens".to_owned().into())
}

/// Hands the acceptor's error token to the initiator, which must refuse it too.
fn tell(initiator: &mut dyn Handshake, refusal: Refusal) -> Refusal {
    let Some(token) = &refusal.token else {
        return refusal;
    };
    match initiator.step(Some(token)) {
        Ok(_) => format!("the initiator accepted an error token; {}", refusal.reason).into(),
        Err(heard) => Refusal {
            reason: format!("{} | heard as: {}", refusal.reason, heard.reason),
            token: refusal.token,
        },
    }
}

/// Runs a handshake that must be refused, for one of the reasons.
pub(crate) fn refuse(
    initiator: &mut dyn Handshake,
    acceptor: &mut dyn Handshake,
    reasons: &[&str],
) -> Result<()> {
    match establish(initiator, acceptor) {
        Ok(_) => Err("was accepted".into()),
        Err(refusal) => expect_reason(&refusal.reason, reasons),
    }
}

/// Whether the words of a refusal are the expected ones, not those of some accident.
pub(crate) fn expect_reason(reason: &str, reasons: &[&str]) -> Result<()> {
    let lower = reason.to_lowercase();
    if reasons
        .iter()
        .any(|expected| lower.contains(&expected.to_lowercase()))
    {
        Ok(())
    } else {
        Err(format!("refused for another reason: {reason}"))
    }
}
