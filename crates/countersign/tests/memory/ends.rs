//! How handshakes end.

use countersign::kerberos::kdc::{KdcAnswer, KdcRequest};
use countersign::{Answer, Environment, Error, Mechanism, Need, SecurityContext, Step};

use crate::domain::Domain;
use crate::ntlm::noting_world;
use crate::search::{Noted, Search};

/// What becomes of a handshake. All are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Honest,
    /// Both sides are dropped after this step.
    Left(usize),
    /// While a side waits for this answer of the KDC, both are dropped.
    Unanswered(usize),
    /// A bit of this token is another one.
    Flipped(usize),
    /// A bit of this answer of the KDC is.
    AnswerFlipped(usize),
    WrongPassword,
    WrongKey,
}

/// What a handshake consists of, where nothing disturbs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) tokens: usize,
    /// Of the KDC.
    pub(crate) answers: usize,
}

impl Length {
    /// Every way to end, each step and each answer.
    pub(crate) fn fates(self) -> impl Iterator<Item = Fate> {
        let (tokens, answers) = (0..self.tokens, 0..self.answers);
        let honest = [Fate::Honest, Fate::WrongPassword].into_iter();
        // Without a KDC there is no key of a service.
        let key = (self.answers > 0).then_some(Fate::WrongKey);
        honest
            .chain(key)
            .chain(tokens.clone().map(Fate::Left))
            .chain(tokens.map(Fate::Flipped))
            .chain(answers.clone().map(Fate::Unanswered))
            .chain(answers.map(Fate::AnswerFlipped))
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Established,
    Refused,
    Left,
}

/// The KDC, as far as the handshake gets to it.
pub(crate) struct Network<'a> {
    domain: &'a mut Domain,
    fate: Fate,
    answers: usize,
}

impl Network<'_> {
    fn answer(&mut self, request: &KdcRequest) -> Option<KdcAnswer> {
        let number = self.answers;
        if self.fate == Fate::Unanswered(number) {
            return None;
        }
        self.answers += 1;
        let mut answer = self.domain.answer(request);
        if self.fate == Fate::AnswerFlipped(number)
            && let KdcAnswer::Reply(reply) = &mut answer
        {
            *reply.last_mut().unwrap() ^= 1;
        }
        Some(answer)
    }
}

pub(crate) struct Side {
    pub(crate) mechanism: Box<dyn Mechanism>,
    pub(crate) context: Option<Box<SecurityContext>>,
}

impl Side {
    pub(crate) fn new(mechanism: Box<dyn Mechanism>) -> Self {
        Self {
            mechanism,
            context: None,
        }
    }

    /// What it sends; no answer at all where it is left while it waits for the KDC.
    fn step(
        &mut self,
        network: &mut Network<'_>,
        token: Option<&[u8]>,
        env: &mut Environment<'_>,
    ) -> Option<Result<Option<Vec<u8>>, Error>> {
        let mut result = self.mechanism.step(token, env);
        while let Ok(Step::Need(Need::Kdc(request))) = &result {
            let answer = network.answer(request)?;
            result = self.mechanism.resume(Answer::Kdc(answer), env);
        }
        Some(match result {
            Ok(Step::Continue { token }) => Ok(Some(token)),
            Ok(Step::Established { token, context }) => {
                self.context = Some(context);
                Ok(token)
            }
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Err(error) => Err(error),
        })
    }
}

/// How it ended, and after how much.
pub(crate) fn converse(
    search: &mut Search,
    domain: &mut Domain,
    pair: &mut [Side; 2],
    fate: Fate,
    noted: &Noted,
) -> (Ended, Length) {
    // What an earlier handshake drew and does not hide, the hash of its replay cache, is not drawn again.
    let mut world = noting_world(search.number(), noted);
    let mut env = world.environment();
    let mut network = Network {
        domain,
        fate,
        answers: 0,
    };
    let (mut token, mut tokens): (Option<Vec<u8>>, _) = (None, 0);
    let ended = loop {
        let side = &mut pair[tokens % 2];
        if side.context.is_some() {
            break None;
        }
        let step = side.step(&mut network, token.as_deref(), &mut env);
        search.take(noted);
        let sent = match step {
            None => break Some(Ended::Left),
            Some(Err(_)) => break Some(Ended::Refused),
            Some(Ok(sent)) => sent,
        };
        if let Some(key) = side.mechanism.session_key() {
            search.add("session key", key.expose());
        }
        token = sent;
        let Some(sent) = &mut token else {
            break None;
        };
        if fate == Fate::Flipped(tokens) {
            *sent.last_mut().unwrap() ^= 1;
        }
        tokens += 1;
        assert!(tokens < 20, "the handshake does not end");
        if fate == Fate::Left(tokens - 1) {
            break None;
        }
    };
    let length = Length {
        tokens,
        answers: network.answers,
    };
    let established = pair.iter().all(|side| side.context.is_some());
    let ended = ended.unwrap_or(match established {
        true => Ended::Established,
        false => Ended::Left,
    });
    (ended, length)
}
