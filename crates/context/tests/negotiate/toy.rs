//! A mechanism that a program brings along: a shared secret, so many tokens as the test wants, each of
//! them random bytes and an HMAC over all that was said.
//!
//! ```text
//! token n = 16 random bytes | HMAC(secret, n | tokens 1 to n - 1 | random bytes)
//! session key = HMAC(secret, all tokens)
//! header of a message = sequence number (8) | sealed (1) | HMAC(session key, side | both | message)
//! ```

use countersign_context::token::oid::Oid;
use countersign_context::{
    Answer, CustomContext, Environment, Error, ErrorKind, Flags, Identity, IoBuffer, Mechanism,
    Need, OpenMessages, ProtectMessages, Protection, ReplayQuery, ReplayVerdict, Role,
    SecurityContext, Step, Timestamp,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const RANDOM: usize = 16;
const MAC: usize = 32;

pub(crate) fn oid() -> Oid<'static> {
    Oid::from_contents(b"\x69\x83\x2a").unwrap()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; MAC] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[derive(Debug)]
pub(crate) struct Toy {
    role: Role,
    secret: &'static [u8],
    /// Tokens of both sides together.
    legs: u8,
    /// How often the caller is asked before each step comes to its end.
    questions: usize,
    integrity: Integrity,
    said: Vec<Vec<u8>>,
    /// What is answered once the caller has answered so many times.
    asked: Option<(usize, Option<Vec<u8>>)>,
    over: Option<Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Integrity {
    IfAsked,
    Asked,
    Never,
}

impl Toy {
    pub(crate) fn new(role: Role, legs: u8) -> Self {
        Self {
            role,
            secret: b"open sesame",
            legs,
            questions: 0,
            integrity: match role {
                Role::Initiator => Integrity::IfAsked,
                Role::Acceptor => Integrity::Asked,
            },
            said: Vec::new(),
            asked: None,
            over: None,
        }
    }

    pub(crate) fn asking(mut self, questions: usize) -> Self {
        self.questions = questions;
        self
    }

    pub(crate) fn without_integrity(mut self) -> Self {
        self.integrity = Integrity::Never;
        self
    }

    pub(crate) fn with_secret(mut self, secret: &'static [u8]) -> Self {
        self.secret = secret;
        self
    }

    fn proof(&self, random: &[u8]) -> [u8; MAC] {
        let number = [u8::try_from(self.said.len()).unwrap()];
        let said = self.said.concat();
        mac(self.secret, &[&number, &said, random])
    }

    fn hear(&mut self, token: &[u8]) -> Result<(), Error> {
        let (random, proof) = token
            .split_at_checked(RANDOM)
            .ok_or(ErrorKind::Custom("the token is cut off"))?;
        if self.proof(random) != proof {
            return Err(ErrorKind::Custom("the token is not the peer's").into());
        }
        self.said.push(token.to_vec());
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.said.len() == usize::from(self.legs)
    }

    fn turn(&mut self, token: Option<Vec<u8>>, env: &mut Environment<'_>) -> Result<Step, Error> {
        match (self.role, self.said.len(), token) {
            (Role::Initiator, 0, None) => {}
            (Role::Initiator, 0, Some(_)) => return Err(ErrorKind::TokenUnexpected.into()),
            (_, _, None) => return Err(ErrorKind::TokenMissing.into()),
            (_, _, Some(token)) => self.hear(&token)?,
        }
        if self.is_complete() {
            return Ok(self.established(None));
        }
        let mut token = vec![0; RANDOM];
        env.random.fill(&mut token)?;
        let proof = self.proof(&token);
        token.extend(proof);
        self.said.push(token.clone());
        if self.is_complete() {
            return Ok(self.established(Some(token)));
        }
        Ok(Step::Continue { token })
    }

    fn established(&self, token: Option<Vec<u8>>) -> Step {
        let key = mac(self.secret, &[&self.said.concat()]);
        let mut flags = Flags::CONFIDENTIALITY | Flags::REPLAY | Flags::SEQUENCE;
        if self.integrity == Integrity::Asked {
            flags |= Flags::INTEGRITY;
        }
        let name = |name: &str| Identity::Other {
            mechanism: oid(),
            name: name.to_owned(),
        };
        let (local, peer) = match self.role {
            Role::Initiator => ("friend", "sentry"),
            Role::Acceptor => ("sentry", "friend"),
        };
        let context = SecurityContext::custom(CustomContext {
            role: self.role,
            mechanism: oid(),
            flags,
            local: name(local),
            peer: Some(name(peer)),
            expires: Timestamp::NEVER,
            session_key: key.to_vec().into(),
            header: 9 + MAC,
            send_sequence: 0,
            receive_sequence: 0,
            protect: Box::new(Messages(key, self.role)),
            open: Box::new(Messages(key, self.role.other())),
        });
        Step::Established {
            token,
            context: Box::new(context),
        }
    }

    fn settle(&mut self, result: Result<Step, Error>) -> Result<Step, Error> {
        match &result {
            Ok(Step::Established { .. }) => self.over = Some(ErrorKind::AlreadyEstablished.into()),
            Ok(_) => {}
            Err(error) => self.over = Some(error.clone()),
        }
        result
    }
}

impl Mechanism for Toy {
    fn mechanism(&self) -> Oid<'static> {
        oid()
    }

    fn ask_integrity(&mut self) {
        if self.integrity == Integrity::IfAsked {
            self.integrity = Integrity::Asked;
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        if self.asked.is_some() {
            return Err(ErrorKind::UnexpectedCall.into());
        }
        let token = token.map(<[u8]>::to_vec);
        if self.questions > 0 {
            self.asked = Some((self.questions, token));
            return Ok(question());
        }
        let result = self.turn(token, env);
        self.settle(result)
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        let (Answer::Replay(verdict), Some((left, token))) = (answer, self.asked.take()) else {
            return Err(ErrorKind::UnexpectedCall.into());
        };
        if verdict != ReplayVerdict::Fresh {
            return self.settle(Err(ErrorKind::Replayed.into()));
        }
        if left > 1 {
            self.asked = Some((left - 1, token));
            return Ok(question());
        }
        let result = self.turn(token, env);
        self.settle(result)
    }
}

fn question() -> Step {
    Step::Need(Need::Replay(ReplayQuery {
        tag: [7; 16],
        expires: 0,
    }))
}

/// The messages that one side sends.
struct Messages([u8; MAC], Role);

impl Messages {
    fn header(&self, sequence: u64, sealed: bool, message: &[IoBuffer<'_>]) -> Vec<u8> {
        let start = [&sequence.to_be_bytes()[..], &[u8::from(sealed)]].concat();
        let side: &[u8] = match self.1 {
            Role::Initiator => b"initiator",
            Role::Acceptor => b"acceptor",
        };
        let mut parts = vec![side, &start];
        parts.extend(message.iter().map(|part| match part {
            IoBuffer::Data(part) => &**part,
            IoBuffer::SignOnly(part) => part,
            _ => &[],
        }));
        let mac = mac(&self.0, &parts);
        [&start[..], &mac].concat()
    }

    fn cipher(&self, sequence: u64, message: &mut [IoBuffer<'_>]) {
        let pad = mac(&self.0, &[b"pad", &sequence.to_be_bytes()]);
        let data = message.iter_mut().filter_map(|part| match part {
            IoBuffer::Data(part) => Some(&mut **part),
            _ => None,
        });
        let octets = data.flat_map(|part| part.iter_mut());
        octets
            .zip(pad.iter().cycle())
            .for_each(|(octet, pad)| *octet ^= pad);
    }

    fn check(&self, header: &[u8], message: &[IoBuffer<'_>]) -> Result<(u64, bool), Error> {
        let modified = Error::from(ErrorKind::MessageModified);
        let (sequence, rest) = header.split_first_chunk().ok_or(modified.clone())?;
        let sequence = u64::from_be_bytes(*sequence);
        let sealed = rest.first() == Some(&1);
        match self.header(sequence, sealed, message) == header {
            true => Ok((sequence, sealed)),
            false => Err(modified),
        }
    }
}

impl ProtectMessages for Messages {
    fn protect(
        &mut self,
        sequence: u64,
        seal: bool,
        message: &mut [IoBuffer<'_>],
        header: &mut [u8],
    ) -> Result<(), Error> {
        if seal {
            self.cipher(sequence, message);
        }
        header.copy_from_slice(&self.header(sequence, seal, message));
        Ok(())
    }

    fn sign(
        &mut self,
        sequence: u64,
        message: &[IoBuffer<'_>],
        mic: &mut [u8],
    ) -> Result<(), Error> {
        mic.copy_from_slice(&self.header(sequence, false, message));
        Ok(())
    }
}

impl OpenMessages for Messages {
    fn open(
        &mut self,
        header: &[u8],
        message: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, u64), Error> {
        let (sequence, sealed) = self.check(header, message)?;
        if !sealed {
            return Ok((Protection::Signed, sequence));
        }
        self.cipher(sequence, message);
        Ok((Protection::Sealed, sequence))
    }

    fn verify(&mut self, message: &[IoBuffer<'_>], mic: &[u8]) -> Result<u64, Error> {
        self.check(mic, message).map(|(sequence, _)| sequence)
    }
}
