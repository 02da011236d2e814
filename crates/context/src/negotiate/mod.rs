//! Negotiate: SPNEGO (RFC 4178) as Windows speaks it (MS-SPNG).
//!
//! ```text
//! initiator                                              acceptor
//!   NegTokenInit: list, first token of the first  ────▶  chooses; another than the first: that
//!                                                        token is thrown away
//!   NegTokenResp: token                          ◀────▶  NegTokenResp: state, choice, token
//!                     … until the mechanism is done on both sides …
//!   mechListMIC over the list                    ◀────▶  mechListMIC over the list
//! ```
//!
//! The list is not protected while it is negotiated. Where the mechanism that comes out of it is not what
//! both sides like best, both therefore prove by a MIC of that mechanism that they saw the same list
//! (RFC 4178 §5), and a context without that proof is refused. `docs/decisions/0013-negotiation.md`
//! has what others do, and what is done about it here.
//!
//! Which mechanisms there are is what the caller offers, in the order of the caller's preference;
//! each is any [`Mechanism`](crate::Mechanism).
//!
//! # A mechanism of one's own
//!
//! Two sides that share a key show it to each other: each of three tokens is random bytes, and a MAC over
//! them and all that was said before.
//!
//! ```
//! use countersign_context::crypto::{Enctype, Key, KeyUsage, Mac};
//! use countersign_context::negotiate::{Acceptor, Initiator};
//! use countersign_context::token::oid::Oid;
//! use countersign_context::{
//!     Answer, CustomContext, Environment, Error, ErrorKind, Flags, Identity, IoBuffer, Mechanism,
//!     OpenMessages, ProtectMessages, Protection, Role, SecurityContext, Step, Timestamp,
//! };
//!
//! const ENCTYPE: Enctype = Enctype::Aes256CtsHmacSha384_192;
//! const USAGE: KeyUsage = KeyUsage(1024);
//! const RANDOM: usize = 16;
//! const MAC: usize = 24;
//! const END: usize = 3 * (RANDOM + MAC);
//!
//! #[derive(Debug)]
//! struct Pass {
//!     role: Role,
//!     key: Key,
//!     said: Vec<u8>,
//!     over: bool,
//! }
//!
//! impl Pass {
//!     fn new(role: Role, key: &Key) -> Self {
//!         let key = key.duplicate();
//!         Self { role, key, said: Vec::new(), over: false }
//!     }
//!
//!     fn hear(&mut self, token: &[u8]) -> Result<(), Error> {
//!         let cut = ErrorKind::Custom("the token is cut off");
//!         let (random, proof) = token.split_at_checked(RANDOM).ok_or(cut)?;
//!         let mac = self.key.mac(USAGE);
//!         mac.verify(&[&self.said, random], proof)
//!             .map_err(|_| ErrorKind::Custom("the token is not the peer's"))?;
//!         self.said.extend(token);
//!         Ok(())
//!     }
//!
//!     fn say(&mut self, env: &mut Environment<'_>) -> Result<Vec<u8>, Error> {
//!         let mut token = vec![0; RANDOM];
//!         env.random.fill(&mut token)?;
//!         let proof = self.key.mac(USAGE).compute(&[&self.said, &token]);
//!         token.extend(proof.as_bytes());
//!         self.said.extend(&token);
//!         Ok(token)
//!     }
//!
//!     fn context(&self) -> Result<SecurityContext, Error> {
//!         let internal = |_| ErrorKind::Internal("a key for messages");
//!         let bytes = self.key.prf_plus(&self.said, ENCTYPE.key_len()).map_err(internal)?;
//!         let messages = |from| {
//!             let key = Key::new(ENCTYPE, &bytes).map_err(internal)?;
//!             Ok::<_, Error>(Box::new(Messages { mac: key.mac(USAGE), from }))
//!         };
//!         let name = |name: &str| Identity::Other { mechanism: self.mechanism(), name: name.into() };
//!         Ok(SecurityContext::custom(CustomContext {
//!             role: self.role,
//!             mechanism: self.mechanism(),
//!             // Without it Negotiate could prove nothing.
//!             flags: Flags::INTEGRITY | Flags::MUTUAL | Flags::REPLAY,
//!             local: name("friend"),
//!             peer: Some(name("friend")),
//!             expires: Timestamp::NEVER,
//!             header: 8 + MAC,
//!             send_sequence: 0,
//!             receive_sequence: 0,
//!             protect: messages(self.role)?,
//!             open: messages(self.role.other())?,
//!             session_key: bytes,
//!         }))
//!     }
//! }
//!
//! impl Mechanism for Pass {
//!     fn mechanism(&self) -> Oid<'static> {
//!         Oid::from_contents(b"\x69\x83\x2a").expect("well-formed")
//!     }
//!
//!     fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
//!         // After an error, or the end, nothing begins anew.
//!         if std::mem::replace(&mut self.over, true) {
//!             return Err(ErrorKind::AlreadyEstablished.into());
//!         }
//!         match token {
//!             Some(token) => self.hear(token)?,
//!             None if self.role == Role::Initiator && self.said.is_empty() => {}
//!             None => return Err(ErrorKind::TokenMissing.into()),
//!         }
//!         let token = match self.said.len() {
//!             END => None,
//!             _ => Some(self.say(env)?),
//!         };
//!         if self.said.len() < END {
//!             self.over = false;
//!             return Ok(Step::Continue { token: token.unwrap_or_default() });
//!         }
//!         Ok(Step::Established { token, context: Box::new(self.context()?) })
//!     }
//!
//!     fn resume(&mut self, _: Answer, _: &mut Environment<'_>) -> Result<Step, Error> {
//!         Err(ErrorKind::UnexpectedCall.into())
//!     }
//! }
//!
//! /// The messages of one side: number, and a MAC over it, the side and the message.
//! struct Messages {
//!     mac: Mac,
//!     from: Role,
//! }
//!
//! impl Messages {
//!     fn with_parts<T>(&self, number: &[u8], message: &[IoBuffer<'_>], f: impl FnOnce(&[&[u8]]) -> T) -> T {
//!         let side: &[u8] = if self.from == Role::Initiator { b"initiator" } else { b"acceptor" };
//!         let parts = message.iter().filter_map(|part| match part {
//!             IoBuffer::Data(part) => Some(&**part),
//!             IoBuffer::SignOnly(part) => Some(*part),
//!             _ => None,
//!         });
//!         f(&[side, number].into_iter().chain(parts).collect::<Vec<_>>())
//!     }
//! }
//!
//! impl ProtectMessages for Messages {
//!     fn protect(
//!         &mut self,
//!         sequence: u64,
//!         seal: bool,
//!         message: &mut [IoBuffer<'_>],
//!         header: &mut [u8],
//!     ) -> Result<(), Error> {
//!         // Confidentiality was not granted, so nobody asks.
//!         if seal {
//!             return Err(ErrorKind::Unsupported.into());
//!         }
//!         self.sign(sequence, message, header)
//!     }
//!
//!     fn sign(&mut self, sequence: u64, message: &[IoBuffer<'_>], mic: &mut [u8]) -> Result<(), Error> {
//!         let number = sequence.to_be_bytes();
//!         let mac = self.with_parts(&number, message, |parts| self.mac.compute(parts));
//!         mic.copy_from_slice(&[&number, mac.as_bytes()].concat());
//!         Ok(())
//!     }
//! }
//!
//! impl OpenMessages for Messages {
//!     fn open(&mut self, header: &[u8], message: &mut [IoBuffer<'_>]) -> Result<(Protection, u64), Error> {
//!         Ok((Protection::Signed, self.verify(message, header)?))
//!     }
//!
//!     fn verify(&mut self, message: &[IoBuffer<'_>], mic: &[u8]) -> Result<u64, Error> {
//!         let modified = ErrorKind::MessageModified;
//!         let (number, mac) = mic.split_first_chunk().ok_or(modified)?;
//!         self.with_parts(number, message, |parts| self.mac.verify(parts, mac))
//!             .map_err(|_| modified)?;
//!         Ok(u64::from_be_bytes(*number))
//!     }
//! }
//!
//! # let key = Key::new(ENCTYPE, &[7; 32])?;
//! let mut initiator = Initiator::new().offer(Pass::new(Role::Initiator, &key));
//! let mut acceptor = Acceptor::new().offer(Pass::new(Role::Acceptor, &key));
//! # let mut random = countersign_testkit::SeededRandom::new(1);
//! # let mut env = Environment::new(Timestamp::from_unix(1_700_000_000), &mut random);
//! # let mut tokens = Vec::new();
//! # let mut contexts = Vec::new();
//! # let mut next = None;
//! # for turn in 0..4 {
//! #     let side: &mut dyn Mechanism = if turn % 2 == 0 { &mut initiator } else { &mut acceptor };
//! #     next = match side.step(next.as_deref(), &mut env)? {
//! #         Step::Continue { token } => Some(token),
//! #         Step::Established { token, context } => {
//! #             contexts.push(context);
//! #             token
//! #         }
//! #         Step::Need(_) => unreachable!(),
//! #     };
//! #     tokens.extend(next.clone());
//! # }
//! # let Step::Established { context, .. } = initiator.step(next.as_deref(), &mut env)? else { panic!() };
//! # let (mut client, mut server) = (context, contexts.pop().expect("the acceptor's"));
//! // … four tokens later, two contexts that talk:
//! let signed = client.wrap(false, b"who goes there")?;
//! assert_eq!(server.unwrap(&signed)?.message, b"who goes there");
//! assert_eq!(server.mechanism().to_string(), "2.25.426");
//! # assert_eq!(tokens.len(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod acceptor;
mod candidates;
mod initiator;
mod inner;
mod proof;
mod raw;

pub use acceptor::Acceptor;
pub use initiator::{Fallback, Initiator};
pub use raw::RawTokens;

use crate::error::Error;

/// How a context was negotiated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Negotiated {
    /// The peer has proved that it saw the same list of mechanisms. Without that the mechanism is the
    /// initiator's first choice; and, unless it has no integrity or is NTLM by a policy that goes without
    /// NTLM's own MIC, the acceptor's too.
    pub proved: bool,
    /// Why the initiator's preferred mechanisms were not even offered, in the order of preference.
    pub fallbacks: Vec<Error>,
}
