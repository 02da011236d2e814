//! One side of a session, whose every word is watched.

use core::fmt;

use countersign_context::kerberos::kdc::KdcAnswer;
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Flags, Mechanism, Need, SecurityContext, Step,
    Timestamp, ntlm,
};
use countersign_testkit::{NOW, SeededRandom};

use super::lab::Lab;
use crate::Result;

/// A side, and what came of it.
pub(crate) struct Side<'lab> {
    pub(crate) mechanism: Box<dyn Mechanism>,
    lab: &'lab Lab,
    random: SeededRandom,
    now: Timestamp,
    pub(crate) ended: Option<Result<Box<SecurityContext>, Error>>,
}

/// More questions than any mechanism has for one token.
const MAX_NEEDS: usize = 16;

impl<'lab> Side<'lab> {
    pub(crate) fn new(
        lab: &'lab Lab,
        mechanism: Box<dyn Mechanism>,
        seed: u64,
        offset: i64,
    ) -> Self {
        let micros = u32::try_from(seed % 1_000_000).unwrap_or(0);
        Self {
            mechanism,
            lab,
            random: SeededRandom::new(seed),
            now: Timestamp::new(NOW + offset, micros),
            ended: None,
        }
    }

    fn call(&mut self, token: Option<&[u8]>) -> Result<Step, Error> {
        let mut env = Environment::new(self.now, &mut self.random).with_policy(&self.lab.policy);
        self.mechanism.step(token, &mut env)
    }

    /// A step, with all that is asked for on the way: what is to be sent. The error is a defect of the
    /// library's.
    pub(crate) fn receive(&mut self, token: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        if self.ended.is_some() {
            self.repeat(token)?;
            return Ok(None);
        }
        let mut result = self.call(token);
        for _ in 0..MAX_NEEDS {
            let Ok(Step::Need(need)) = &result else {
                break;
            };
            let answer = match need {
                Need::Kdc(request) => {
                    Answer::Kdc(KdcAnswer::Reply(self.lab.answer(&request.message)))
                }
                Need::Logon(_) => Answer::Logon(ntlm::Logon::Denied),
                need => return Err(format!("asks for {need:?}")),
            };
            let mut env =
                Environment::new(self.now, &mut self.random).with_policy(&self.lab.policy);
            result = self.mechanism.resume(answer, &mut env);
        }
        match result {
            Ok(Step::Continue { token }) => Ok(Some(token)),
            Ok(Step::Established { token, context }) => {
                self.ended = Some(Ok(context));
                Ok(token)
            }
            Ok(Step::Need(_)) => Err("does not stop asking".into()),
            Err(error) => {
                if let ErrorKind::Internal(what) = error.kind() {
                    return Err(format!("internal error: {what}"));
                }
                let told = error.token().map(<[u8]>::to_vec);
                self.ended = Some(Err(error));
                self.repeat(token)?;
                Ok(told)
            }
        }
    }

    /// A side that is over says so, whatever comes.
    fn repeat(&mut self, token: Option<&[u8]>) -> Result<()> {
        let Err(again) = self.call(token) else {
            return Err("a side that is over goes on".into());
        };
        let same = match &self.ended {
            Some(Ok(_)) => again.kind() == ErrorKind::AlreadyEstablished,
            Some(Err(before)) => again == *before,
            None => false,
        };
        if same {
            Ok(())
        } else {
            Err(format!("a side that is over then says {again:?}"))
        }
    }

    pub(crate) fn context(&mut self) -> Option<&mut SecurityContext> {
        match &mut self.ended {
            Some(Ok(context)) => Some(context),
            _ => None,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        matches!(self.ended, Some(Err(_)))
    }
}

/// Why a message does not arrive.
#[derive(Debug)]
pub(crate) enum Silence {
    /// It comes before or after its turn.
    Order,
    Refused(Error),
    /// Something else arrives.
    Altered(&'static str),
}

impl From<Error> for Silence {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::MessageDuplicate
            | ErrorKind::MessageGap
            | ErrorKind::MessageOld
            | ErrorKind::MessageUnsequenced => Self::Order,
            _ => Self::Refused(error),
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("a message is out of its turn"),
            Self::Refused(error) => write!(f, "a message does not arrive: {error}"),
            Self::Altered(what) => f.write_str(what),
        }
    }
}

/// Messages of both directions arrive, and as they were sent.
pub(crate) fn talk(one: &mut SecurityContext, other: &mut SecurityContext) -> Result<(), Silence> {
    say(one, other)?;
    say(other, one)
}

fn say(from: &mut SecurityContext, to: &mut SecurityContext) -> Result<(), Silence> {
    const SECRET: &[u8] = b"who goes there";
    let flags = from.flags();
    if flags.contains(Flags::CONFIDENTIALITY) {
        let sealed = from.wrap(true, SECRET)?;
        if sealed.windows(SECRET.len()).any(|bytes| bytes == SECRET) {
            return Err(Silence::Altered("a sealed message is not sealed"));
        }
        let opened = to.unwrap(&sealed)?;
        if opened.message != SECRET || !opened.sealed {
            return Err(Silence::Altered("another message arrives"));
        }
    }
    if flags.contains(Flags::INTEGRITY) {
        let mic = from.get_mic(b"friend")?;
        to.verify_mic(b"friend", &mic)?;
    }
    Ok(())
}
