//! A KDC, both sides, and a handshake with somebody between them.

use std::sync::Arc;

use countersign_context::credential::{Principal, TicketCredential};
use countersign_context::kerberos::kdc::{
    ClientSecret, Exchange, ExchangeStep, InitialTicket, KdcAnswer, KdcRequest, ServiceTicket,
};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, IakerbAcceptor, IakerbDialect, IakerbInitiator, Initiator,
};
use countersign_context::token::framing::InitialToken;
use countersign_context::token::kerberos::gss_token::TokenId;
use countersign_context::token::kerberos::iakerb::{self, IakerbHeader};
use countersign_context::token::oid::Oid;
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Flags, Mechanism, Need, SecurityContext, Step, Timestamp,
};
use countersign_testkit::{Account, Kdc, NOW, SeededRandom};

pub(crate) const SERVICE: &str = "HTTP/www.example.com";
pub(crate) const PASSWORD: &str = "open sesame";
pub(crate) const DIALECTS: [IakerbDialect; 2] = [IakerbDialect::Kitten, IakerbDialect::Zhu];

pub(crate) fn kdc() -> Kdc {
    Kdc::builder("EXAMPLE.COM")
        .user("alice", PASSWORD)
        .account(Account::service(SERVICE))
        .build()
        .unwrap()
}

/// A log-on, then a ticket for the service.
#[derive(Debug)]
pub(crate) enum Acquisition {
    Initial(InitialTicket, Principal),
    Service(ServiceTicket),
    /// From a cache.
    Ready(Option<Arc<TicketCredential>>),
}

impl Exchange for Acquisition {
    type Output = Arc<TicketCredential>;

    fn step(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<Self::Output>, Error> {
        match self {
            Self::Initial(initial, service) => match initial.step(answer, env)? {
                ExchangeStep::Send(request) => Ok(ExchangeStep::Send(request)),
                ExchangeStep::Done(outcome) => {
                    let next = ServiceTicket::new(outcome.credential, service.clone());
                    *self = Self::Service(next);
                    self.step(None, env)
                }
            },
            Self::Service(service) => Ok(match service.step(answer, env)? {
                ExchangeStep::Send(request) => ExchangeStep::Send(request),
                ExchangeStep::Done(outcome) => ExchangeStep::Done(outcome.credential),
            }),
            Self::Ready(ticket) => Ok(ExchangeStep::Done(ticket.take().unwrap())),
        }
    }
}

pub(crate) fn acquisition(kdc: &Kdc) -> Acquisition {
    let secret = ClientSecret::password(PASSWORD);
    let initial = InitialTicket::new(kdc.principal("alice"), secret);
    Acquisition::Initial(initial, kdc.principal(SERVICE))
}

pub(crate) fn initiator(kdc: &Kdc, dialect: IakerbDialect) -> IakerbInitiator {
    let flags = Flags::CONFIDENTIALITY | Flags::INTEGRITY;
    IakerbInitiator::new(acquisition(kdc), move |ticket| {
        Initiator::new(ticket).require(flags)
    })
    .dialect(dialect)
}

pub(crate) fn ordinary(kdc: &Kdc) -> Acceptor {
    Acceptor::new(&AcceptorCredential::new(&kdc.keytab(&[SERVICE]).unwrap()))
}

pub(crate) fn acceptor(kdc: &Kdc) -> IakerbAcceptor {
    IakerbAcceptor::new(ordinary(kdc))
}

pub(crate) struct Side {
    random: SeededRandom,
}

impl Side {
    pub(crate) fn new(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        Self { random }
    }

    pub(crate) fn env(&mut self) -> Environment<'_> {
        Environment::new(Timestamp::new(NOW, 5), &mut self.random)
    }
}

/// What someone between does to a token; `true` for one of the initiator's.
pub(crate) type Between<'a> = dyn FnMut(bool, &mut Vec<u8>) + 'a;
/// What the KDC, or someone before it, answers.
pub(crate) type Network<'a> = dyn FnMut(&KdcRequest) -> KdcAnswer + 'a;

pub(crate) struct Ended {
    pub(crate) initiator: Result<Box<SecurityContext>, Error>,
    pub(crate) acceptor: Result<Box<SecurityContext>, Error>,
    /// Tokens of the initiator.
    pub(crate) sent: Vec<Vec<u8>>,
}

pub(crate) fn run(
    initiator: &mut dyn Mechanism,
    acceptor: &mut dyn Mechanism,
    between: &mut Between<'_>,
    network: &mut Network<'_>,
) -> Ended {
    let unfinished = || Err(ErrorKind::Internal("unfinished").into());
    let (mut here, mut there) = (Side::new(3), Side::new(4));
    let mut ended = Ended {
        initiator: unfinished(),
        acceptor: unfinished(),
        sent: Vec::new(),
    };
    let mut token = None;
    for _ in 0..80 {
        let step = initiator.step(token.as_deref(), &mut here.env());
        let mut sent = match step {
            Ok(Step::Continue { token }) => token,
            Ok(Step::Established { token, context }) => {
                ended.initiator = Ok(context);
                match token {
                    Some(token) => token,
                    None => return ended,
                }
            }
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Err(error) => {
                ended.initiator = Err(error);
                return ended;
            }
        };
        between(true, &mut sent);
        ended.sent.push(sent.clone());
        let mut step = acceptor.step(Some(&sent), &mut there.env());
        while let Ok(Step::Need(Need::Kdc(request))) = &step {
            let answer = Answer::Kdc(network(request));
            step = acceptor.resume(answer, &mut there.env());
        }
        let mut reply = match step {
            Ok(Step::Continue { token }) => token,
            Ok(Step::Established { token, context }) => {
                ended.acceptor = Ok(context);
                match token {
                    Some(token) => token,
                    None => return ended,
                }
            }
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Err(error) => {
                let told = error.token().map(<[u8]>::to_vec);
                ended.acceptor = Err(error);
                match told {
                    Some(told) => told,
                    None => return ended,
                }
            }
        };
        between(false, &mut reply);
        token = Some(reply);
    }
    panic!("the handshake does not end")
}

pub(crate) fn honest(kdc: &Kdc, dialect: IakerbDialect) -> Ended {
    let mut network = |request: &KdcRequest| KdcAnswer::Reply(kdc.answer(&request.message));
    let between: &mut Between<'_> = &mut |_, _| ();
    let (mut ours, mut theirs) = (initiator(kdc, dialect), acceptor(kdc));
    run(&mut ours, &mut theirs, between, &mut network)
}

pub(crate) fn proxied(realm: &[u8], message: &[u8]) -> Vec<u8> {
    let header = IakerbHeader::new(IakerbDialect::Kitten, realm);
    let body = iakerb::join(&header, message);
    InitialToken::encode(Oid::IAKERB, &[&TokenId::IakerbProxy.to_bytes(), &body])
}

/// The message in a token of the acceptor.
pub(crate) fn carried(token: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let inner = match InitialToken::parse(token) {
        Ok(frame) => frame.inner,
        Err(_) => token,
    };
    let body = inner
        .strip_prefix(&TokenId::IakerbProxy.to_bytes())
        .unwrap();
    let (header, message) = iakerb::split(body).unwrap();
    (header.target_realm.name.to_vec(), message.to_vec())
}

/// What the acceptor makes of a stranger's first token.
pub(crate) fn first(acceptor: &mut IakerbAcceptor, token: &[u8]) -> Result<Step, Error> {
    acceptor.step(Some(token), &mut Side::new(9).env())
}
