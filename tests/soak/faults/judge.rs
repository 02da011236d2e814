//! What may come of a session that somebody interfered with: an error, or what would have come of it
//! anyway.

use countersign_context::token::oid::Oid;
use countersign_context::{Flags, SecurityContext, Timestamp};

use super::lab::Lab;
use super::scenario::{Run, Scenario, Session, replay_cache};
use super::side::{Silence, talk};
use crate::Result;

/// The number of rc4-hmac, RFC 4757 §2.
const RC4: i32 = 23;

/// All that a context knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    mechanism: Oid<'static>,
    flags: Flags,
    local: String,
    peer: Option<String>,
    expires: Timestamp,
    enctype: Option<i32>,
    /// Whether the list of mechanisms is proved, and what was not offered.
    negotiated: Option<(bool, usize)>,
    authorization: Vec<u8>,
    key: Vec<u8>,
}

impl Facts {
    /// The same, or with a list that is proved where it need not be: who alters `accept-incomplete`
    /// into `request-mic` (RFC 4178 §4.2.2) has the sides prove more.
    fn as_good_as(&self, honest: &Self, own_key: bool) -> bool {
        let mut found = self.clone();
        if let (Some(found), Some(honest)) = (&mut found.negotiated, &honest.negotiated) {
            found.0 &= honest.0;
        }
        if own_key {
            found.key.clone_from(&honest.key);
        }
        found == *honest
    }

    fn but_for_the_key(&self) -> Self {
        Self {
            key: Vec::new(),
            ..self.clone()
        }
    }

    fn of(context: &SecurityContext) -> Self {
        Self {
            mechanism: context.mechanism(),
            flags: context.flags(),
            local: context.local().to_string(),
            peer: context.peer().map(ToString::to_string),
            expires: context.expires(),
            enctype: context.enctype().map(|enctype| enctype.id()),
            negotiated: context
                .negotiated()
                .map(|negotiated| (negotiated.proved, negotiated.fallbacks.len())),
            authorization: context.authorization_data().to_vec(),
            key: context.session_key().expose().to_vec(),
        }
    }
}

/// A session with which nobody interfered.
pub(crate) struct Honest {
    pub(crate) sent: Vec<Vec<u8>>,
    client: Facts,
    server: Facts,
    goes_unproved: bool,
}

impl Honest {
    pub(crate) fn of(scenario: &Scenario, lab: &Lab, session: Session) -> Result<Self> {
        let mut run = scenario.run(lab, session, &replay_cache(), &mut |_, _| None)?;
        let contexts = (run.client.ended.take(), run.server.ended.take());
        let (Some(Ok(mut client)), Some(Ok(mut server))) = contexts else {
            return Err(format!("an honest session fails: {contexts:?}"));
        };
        let honest = Self {
            sent: run.sent,
            client: Facts::of(&client),
            server: Facts::of(&server),
            goes_unproved: scenario.goes_unproved,
        };
        if honest.client.key != honest.server.key {
            return Err("the sides of an honest session have different keys".into());
        }
        talk(&mut client, &mut server).map_err(|silence| silence.to_string())?;
        Ok(honest)
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A side ended with an error.
    Refused,
    /// Nobody noticed, and nothing is different.
    Same,
    /// A side waits for what does not come; its deadline is the driver's.
    Waiting,
    /// The acceptor took the first word of another session for what it is: that session's. Nobody
    /// else is reached by it.
    Other,
}

/// Judges a session after interference. `others`: those whose first word may be taken for this one's.
pub(crate) fn judge(run: &mut Run<'_>, honest: &Honest, others: &[Honest]) -> Result<Verdict> {
    let failed = run.client.failed() || run.server.failed();
    let (client, server) = (run.client.context(), run.server.context());
    let found = (
        client.as_deref().map(Facts::of),
        server.as_deref().map(Facts::of),
    );
    let of_another = found.1.as_ref().filter(|found| **found != honest.server);
    let of_another = of_another.is_some_and(|found| {
        others.iter().any(|other| {
            // The acceptor's part of the key is drawn by it, and as in the honest session.
            let keys = [&honest.server.key, &other.server.key];
            keys.contains(&&found.key) && found.but_for_the_key() == other.server.but_for_the_key()
        })
    });
    if of_another {
        // Who is established without an answer cannot notice; there is nobody that it reaches.
        let mutual = honest.client.flags.contains(Flags::MUTUAL);
        if found.0.is_some() && (mutual || found.0.as_ref() != Some(&honest.client)) {
            return Err(format!("established with another session: {:?}", found.0));
        }
        if let (Some(client), Some(server)) = (client, server)
            && talk(client, server).is_ok()
        {
            return Err("messages reach another session".into());
        }
        return Ok(Verdict::Other);
    }
    // An initiator of NTLM is established before the acceptor has judged its flags, one of which makes
    // the key.
    let ahead = found.1.is_none() && honest.client.mechanism == Oid::NTLMSSP;
    let mut found = found;
    let unproved = match &mut found.0 {
        // As documented; NTLM then counts and encrypts otherwise than the acceptor, if there is one.
        Some(found) if honest.goes_unproved && found.negotiated == Some((false, 0)) => {
            found.negotiated = honest.client.negotiated;
            true
        }
        _ => false,
    };
    for (found, honest, own_key) in [
        (&found.0, &honest.client, ahead),
        (&found.1, &honest.server, false),
    ] {
        let Some(found) = found else {
            continue;
        };
        let same = found.as_good_as(honest, own_key);
        if !same {
            let differences = differences(found, honest);
            return Err(format!("established differently: {differences}"));
        }
    }
    match (client, server) {
        (Some(client), Some(server)) => match talk(client, server) {
            // RFC 4757 §7.2: SGN_CKSUM does not cover SND_SEQ, which whoever knows the number can set to
            // another one. After the MIC of a negotiation that number is what the next is compared with.
            Err(Silence::Order) if honest.client.enctype == Some(RC4) => Ok(Verdict::Refused),
            Err(Silence::Order | Silence::Refused(_)) if unproved => Ok(Verdict::Refused),
            Err(silence) => Err(silence.to_string()),
            Ok(()) => Ok(Verdict::Same),
        },
        _ if failed => Ok(Verdict::Refused),
        _ => Ok(Verdict::Waiting),
    }
}

fn differences(found: &Facts, honest: &Facts) -> String {
    match (found.but_for_the_key(), honest.but_for_the_key()) {
        (found, honest) if found == honest => "another key".into(),
        (found, honest) => format!("{found:?} for {honest:?}"),
    }
}
