//! The acceptor as a proxy.
//!
//! ```text
//!              message to a KDC: Need::Kdc
//!   Proxy ────────────────────────────────▶ Waiting
//!     │ ▲                                      │
//!     │ └──────────────────────────────────────┘
//!     │        reply: a token for the initiator
//!     │
//!     └── AP-REQ ──▶ Exchange ──▶ as the acceptor of Kerberos
//!
//!   any state ── error ──▶ Failed, which repeats the error
//! ```

use countersign_token::der::{Decode, Encode, SequenceOf};
use countersign_token::kerberos::iakerb::{Dialect, IakerbHeader, KDC_NO_RESPONSE, KDC_NOT_FOUND};
use countersign_token::kerberos::{
    Claimed, KerberosString, KerberosTime, KrbError, Microseconds, PrincipalName,
};
use countersign_token::oid::Oid;
use countersign_token::{DecodeError, DecodeErrorKind};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::kerberos::acceptor::Acceptor;
use crate::kerberos::kdc::{KdcAnswer, KdcRequest, KdcService};
use crate::security_context::SessionKey;
use crate::stage::{Next, Stage, Staged};
use crate::step::{Answer, Mechanism, Need, Step};

use super::{Conversation, Proxied, Received, proxy_token, receive};

/// KRB_ERR_RESPONSE_TOO_BIG, RFC 4120 §7.5.9.
const RESPONSE_TOO_BIG: i32 = 52;

/// The acceptor of a Kerberos context whose initiator reaches no KDC: it passes the initiator's
/// messages on, by [`Need::Kdc`], until an AP-REQ comes.
///
/// Nobody has authenticated while messages are passed on. Only those that a KDC takes are, to KDCs
/// of the realms of the acceptor's own principals and of those that are named with
/// [`proxy_for`](Self::proxy_for), and only so many. What KDCs answer is for the initiator alone;
/// it proves itself afterwards, by the AP-REQ, and with it that nobody changed what was passed on.
///
/// ```
/// # use countersign_context::kerberos::{Acceptor, AcceptorCredential, IakerbAcceptor};
/// # use countersign_context::Flags;
/// # use countersign_context::credential::Keytab;
/// # let credential = AcceptorCredential::new(&Keytab::new());
/// let acceptor = IakerbAcceptor::new(Acceptor::new(&credential).require(Flags::INTEGRITY))
///     .proxy_for(["OTHER.EXAMPLE.COM"]);
/// ```
#[derive(Debug)]
pub struct IakerbAcceptor {
    realms: Realms,
    state: Stage<State>,
}

/// Whose KDCs are asked.
#[derive(Debug)]
enum Realms {
    Named(Vec<Vec<u8>>),
    Any,
}

#[derive(Debug)]
enum State {
    /// A message to a KDC is due, or the AP-REQ.
    Proxy(Box<Proxy>),
    /// A KDC's reply is due.
    Waiting(Box<Waiting>),
    /// The AP exchange.
    Exchange(Box<Acceptor>),
}

#[derive(Debug)]
struct Proxy {
    acceptor: Acceptor,
    conversation: Conversation,
}

#[derive(Debug)]
struct Waiting {
    proxy: Proxy,
    dialect: Dialect,
    /// As the initiator wrote it.
    request: KdcRequest,
}

impl IakerbAcceptor {
    /// An acceptor that passes messages on to KDCs of the realms of the acceptor's principals.
    #[must_use]
    pub fn new(acceptor: Acceptor) -> Self {
        let mut realms: Vec<_> = acceptor.realms().map(<[u8]>::to_vec).collect();
        realms.dedup();
        let conversation = Conversation::default();
        Self {
            realms: Realms::Named(realms),
            state: Stage::On(State::Proxy(Box::new(Proxy {
                acceptor,
                conversation,
            }))),
        }
    }

    /// Passes messages on to KDCs of these realms too: those of users, where they are others, and
    /// those on the way from there.
    #[must_use]
    pub fn proxy_for(mut self, realms: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        if let Realms::Named(named) = &mut self.realms {
            named.extend(realms.into_iter().map(Into::into));
        }
        self
    }

    /// Passes messages on to whatever realm a stranger names. The driver then looks up names, and
    /// talks to hosts, that strangers choose.
    #[must_use]
    pub fn dangerously_proxy_for_any_realm(mut self) -> Self {
        self.realms = Realms::Any;
        self
    }

    fn permits(&self, realm: &[u8]) -> bool {
        match &self.realms {
            Realms::Named(named) => named.iter().any(|name| name == realm),
            Realms::Any => !realm.is_empty(),
        }
    }

    fn receive(
        &self,
        mut proxy: Box<Proxy>,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let (length, limit) = (token.len(), env.policy.max_token());
        if length > limit {
            return Err(ErrorKind::TokenTooLarge { length, limit }.into());
        }
        let first = proxy.conversation.bytes.is_empty();
        let (header, message) = match receive(token, first)? {
            Received::Proxied(header, message) => (header, message),
            Received::Exchange => return Self::exchange(*proxy, token, env),
        };
        proxy.conversation.push(token, env.policy)?;
        proxy.conversation.round()?;
        let dialect = header.target_realm.dialect;
        let realm = header.target_realm.name;
        if realm.is_empty() && message.is_empty() {
            // The initiator asks for our realm.
            let realm = proxy.acceptor.realms().next().unwrap_or_default().to_vec();
            return Self::answer(*proxy, dialect, &realm, &[], env);
        }
        if !self.permits(realm) {
            let error = krb_error(KDC_NOT_FOUND, realm, env);
            return Self::answer(*proxy, dialect, realm, &error, env);
        }
        check_request(message, token.len().saturating_sub(message.len()))?;
        let request = KdcRequest {
            realm: realm.to_vec(),
            service: KdcService::Kdc,
            message: message.to_vec(),
            stream_only: false,
        };
        let need = Step::Need(Need::Kdc(request.clone()));
        let waiting = Waiting {
            proxy: *proxy,
            dialect,
            request,
        };
        Ok(Next::On(State::Waiting(Box::new(waiting)), need))
    }

    /// Passes a KDC's reply back.
    fn resumed(
        waiting: Waiting,
        answer: KdcAnswer,
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let Waiting {
            proxy,
            dialect,
            mut request,
        } = waiting;
        let reply = match answer {
            // RFC 4120 §7.2.1: the KDC wants to be asked over TCP. The initiator cannot.
            KdcAnswer::Reply(reply) if !request.stream_only && is_too_big(&reply) => {
                request.stream_only = true;
                let need = Step::Need(Need::Kdc(request.clone()));
                let waiting = Waiting {
                    proxy,
                    dialect,
                    request,
                };
                return Ok(Next::On(State::Waiting(Box::new(waiting)), need));
            }
            KdcAnswer::Reply(reply) if is_reply(&reply) => reply,
            // What no KDC says is passed to nobody.
            KdcAnswer::Reply(_) | KdcAnswer::Unreachable => {
                krb_error(KDC_NO_RESPONSE, &request.realm, env)
            }
        };
        Self::answer(proxy, dialect, &request.realm, &reply, env)
    }

    fn answer(
        mut proxy: Proxy,
        dialect: Dialect,
        realm: &[u8],
        message: &[u8],
        env: &Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let header = IakerbHeader::new(dialect, realm);
        let token = proxy_token(&header, message, dialect.frames_every_token());
        proxy.conversation.push(&token, env.policy)?;
        Ok(Next::On(
            State::Proxy(Box::new(proxy)),
            Step::Continue { token },
        ))
    }

    fn exchange(
        proxy: Proxy,
        token: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Next<State>, Error> {
        let mut acceptor = proxy.acceptor.proxied(Proxied {
            dialect: Dialect::default(),
            conversation: proxy.conversation,
        });
        let step = acceptor.step(Some(token), env)?;
        Ok(Next::On(State::Exchange(Box::new(acceptor)), step))
    }
}

/// RFC 4120 §5.10: a KDC takes AS-REQ, `[APPLICATION 10]`, and TGS-REQ, `[APPLICATION 12]`.
fn check_request(message: &[u8], offset: usize) -> Result<(), ErrorKind> {
    use countersign_token::der::Tag;
    let expected = Tag::application(10);
    let kind = match message.first() {
        Some(0x6a | 0x6c) => return Ok(()),
        Some(found) => DecodeErrorKind::UnexpectedTag {
            expected,
            found: Tag(*found),
        },
        None => DecodeErrorKind::Missing { expected },
    };
    Err(ErrorKind::DefectiveToken(DecodeError::new(offset, kind)))
}

/// RFC 4120 §5.10: AS-REP, TGS-REP or KRB-ERROR.
fn is_reply(message: &[u8]) -> bool {
    matches!(message.first(), Some(0x6b | 0x6d | 0x7e))
}

fn is_too_big(message: &[u8]) -> bool {
    KrbError::from_der(message).is_ok_and(|error| error.error_code == RESPONSE_TOO_BIG)
}

/// What the initiator is told in a KDC's stead.
fn krb_error(error_code: i32, realm: &[u8], env: &Environment<'_>) -> Vec<u8> {
    let realm = KerberosString::new(realm);
    let components = [KerberosString::new(b"krbtgt"), realm];
    KrbError {
        ctime: None,
        cusec: None,
        stime: KerberosTime {
            seconds: env.now.seconds(),
        },
        susec: Microseconds::saturating(env.now.microseconds()),
        error_code,
        crealm: None,
        cname: None,
        realm: Claimed::new(realm),
        sname: Claimed::new(PrincipalName {
            name_type: 2,
            name_string: SequenceOf::new(&components),
        }),
        e_text: None,
        e_data: None,
    }
    .to_der()
}

impl Staged<State> for IakerbAcceptor {
    fn stage(&mut self) -> &mut Stage<State> {
        &mut self.state
    }
}

impl Mechanism for IakerbAcceptor {
    fn mechanism(&self) -> Oid<'static> {
        Oid::IAKERB
    }

    fn session_key(&self) -> Option<SessionKey<'_>> {
        match &self.state {
            Stage::On(State::Exchange(acceptor)) => acceptor.session_key(),
            _ => None,
        }
    }

    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|this, state| match (state, token) {
            (State::Exchange(mut acceptor), token) => {
                let step = acceptor.step(token, env);
                Ok(Next::Within(State::Exchange(acceptor), step))
            }
            (state @ State::Waiting(_), _) => Ok(Next::Unexpected(state)),
            (State::Proxy(proxy), Some(token)) => this.receive(proxy, token, env),
            (State::Proxy(_), None) => Err(ErrorKind::TokenMissing.into()),
        })
    }

    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error> {
        self.play(|_, state| match (state, answer) {
            (State::Waiting(waiting), Answer::Kdc(answer)) => Self::resumed(*waiting, answer, env),
            (State::Exchange(mut acceptor), answer) => {
                let step = acceptor.resume(answer, env);
                Ok(Next::Within(State::Exchange(acceptor), step))
            }
            (state, _) => Ok(Next::Unexpected(state)),
        })
    }
}
