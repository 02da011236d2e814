//! One realm, one account, and sides of all kinds.

use countersign_context::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_context::credential::{Password, Principal, ServiceName, TicketCredential};
use countersign_context::kerberos::kdc::{ClientCredential, KdcAnswer};
use countersign_context::negotiate::{Acceptor, Initiator};
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{NegTokenInit, NegTokenResp};
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Flags, Mechanism, Need, Policy, ReplayVerdict, Role,
    SecurityContext, Step, Timestamp, kerberos, ntlm,
};
use countersign_testkit::{NOW, Realm, SeededRandom};

use crate::toy::Toy;

pub(crate) const SERVICE: &str = "HTTP/www.example.com";
pub(crate) const ALICE: &str = "alice@EXAMPLE.COM";
pub(crate) const ACCOUNT: &str = "EXAMPLE\\alice";

/// What every side is made from.
pub(crate) struct Lab {
    pub(crate) realm: Realm,
    /// One for all sessions.
    ticket: TicketCredential,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let realm = Realm::new("EXAMPLE.COM", 1);
        let ticket = realm.ticket("alice", SERVICE).mint().unwrap();
        Self { realm, ticket }
    }

    pub(crate) fn kerberos(&self) -> kerberos::Initiator {
        kerberos::Initiator::new(self.ticket.duplicate())
    }

    /// No ticket, and no KDC that answers, unless the side is told of one.
    pub(crate) fn kerberos_without_kdc(&self) -> kerberos::Initiator {
        let alice = Principal::parse(ALICE).unwrap();
        let credential = ClientCredential::password(alice, "open sesame");
        kerberos::Initiator::from_credential(&credential, ServiceName::parse(SERVICE).unwrap())
    }

    pub(crate) fn kerberos_acceptor(&self) -> kerberos::Acceptor {
        let keytab = self.realm.keytab(&[SERVICE]).unwrap();
        kerberos::Acceptor::new(&kerberos::AcceptorCredential::new(&keytab))
    }

    pub(crate) fn ntlm(&self) -> ntlm::Initiator {
        let name = AccountName::parse(ACCOUNT).unwrap();
        let credential = NtlmCredential::with_password(name, &Password::from("open sesame"));
        ntlm::Initiator::new(credential)
    }

    pub(crate) fn ntlm_acceptor(&self) -> ntlm::Acceptor {
        let users = Users::parse(b"EXAMPLE:alice:open sesame\n").unwrap();
        let names = ntlm::ServerNames::new("WWW", "EXAMPLE").unwrap();
        ntlm::Acceptor::new(&ntlm::AcceptorCredential::new(names).with_users(users))
    }

    pub(crate) fn toy(&self, legs: u8) -> Toy {
        Toy::new(Role::Initiator, legs)
    }

    pub(crate) fn toy_acceptor(&self, legs: u8) -> Toy {
        Toy::new(Role::Acceptor, legs)
    }
}

/// The mechanisms of an offer, in order.
pub(crate) fn initiator<const N: usize>(offer: [Box<dyn Mechanism>; N]) -> Initiator {
    offer
        .into_iter()
        .fold(Initiator::new(), Initiator::offer_boxed)
}

pub(crate) fn acceptor<const N: usize>(offer: [Box<dyn Mechanism>; N]) -> Acceptor {
    offer
        .into_iter()
        .fold(Acceptor::new(), Acceptor::offer_boxed)
}

type Answers = dyn FnMut(&Need) -> Answer;
pub(crate) type Ended = Result<Box<SecurityContext>, Error>;

/// A side, its world, and what came of it.
pub(crate) struct Side {
    mechanism: Box<dyn Mechanism>,
    random: SeededRandom,
    now: Timestamp,
    pub(crate) policy: Policy,
    answers: Box<Answers>,
    /// What the caller was asked for.
    pub(crate) asked: usize,
    pub(crate) ended: Option<Ended>,
}

/// Fresh is everything, and nobody answers.
fn nobody(need: &Need) -> Answer {
    match need {
        Need::Replay(_) => Answer::Replay(ReplayVerdict::Fresh),
        Need::Kdc(_) => Answer::Kdc(KdcAnswer::Unreachable),
        _ => Answer::Logon(ntlm::Logon::Denied),
    }
}

impl Side {
    pub(crate) fn new(mechanism: impl Mechanism, seed: u64) -> Self {
        Self {
            mechanism: Box::new(mechanism),
            random: SeededRandom::new(seed),
            now: Timestamp::new(NOW, u32::try_from(seed).unwrap()),
            policy: Policy::default(),
            answers: Box::new(nobody),
            asked: 0,
            ended: None,
        }
    }

    pub(crate) fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn at(mut self, now: i64) -> Self {
        self.now = Timestamp::from_unix(now);
        self
    }

    pub(crate) fn answering(mut self, answers: impl FnMut(&Need) -> Answer + 'static) -> Self {
        self.answers = Box::new(answers);
        self
    }

    /// One call of the mechanism's.
    pub(crate) fn call(&mut self, token: Option<&[u8]>) -> Result<Step, Error> {
        let mut env = Environment::new(self.now, &mut self.random).with_policy(&self.policy);
        self.mechanism.step(token, &mut env)
    }

    pub(crate) fn session_key(&self) -> Option<Vec<u8>> {
        self.mechanism
            .session_key()
            .map(|key| key.expose().to_vec())
    }

    pub(crate) fn answer(&mut self, answer: Answer) -> Result<Step, Error> {
        let mut env = Environment::new(self.now, &mut self.random).with_policy(&self.policy);
        self.mechanism.resume(answer, &mut env)
    }

    /// A step with all that is asked for on the way; what is to be sent. A side that is over says so
    /// to everything that comes.
    pub(crate) fn step(&mut self, token: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut result = self.call(token);
        if let Some(ended) = &self.ended {
            let error = result.expect_err("a side that is over goes on");
            match ended {
                Ok(_) => assert_eq!(error.kind(), ErrorKind::AlreadyEstablished),
                Err(before) => assert_eq!(error, *before, "a failed side says something else"),
            }
            return None;
        }
        while let Ok(Step::Need(need)) = &result {
            self.asked += 1;
            let answer = (self.answers)(need);
            for early in [token, None, Some(&[0; 70_000])] {
                let early = self.call(early).expect_err("a step before the answer");
                assert_eq!(early.kind(), ErrorKind::UnexpectedCall);
            }
            result = self.answer(answer);
        }
        match result {
            Ok(Step::Continue { token }) => Some(token),
            Ok(Step::Established { token, context }) => {
                self.ended = Some(Ok(context));
                token
            }
            Ok(Step::Need(_)) => None,
            Err(error) => {
                let told = error.token().map(<[u8]>::to_vec);
                self.ended = Some(Err(error));
                told
            }
        }
    }

    #[track_caller]
    pub(crate) fn context(&mut self) -> &mut SecurityContext {
        match &mut self.ended {
            Some(Ok(context)) => context,
            other => panic!("not established: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn error(&self) -> &Error {
        match &self.ended {
            Some(Err(error)) => error,
            other => panic!("no error: {other:?}"),
        }
    }

    pub(crate) fn is_established(&self) -> bool {
        matches!(self.ended, Some(Ok(_)))
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.ended.is_none()
    }
}

/// Both sides, and every token that was sent.
pub(crate) struct Run {
    pub(crate) client: Side,
    pub(crate) server: Side,
    pub(crate) sent: Vec<Vec<u8>>,
}

/// What someone between makes of the token of that number: what arrives in its place.
pub(crate) type Between<'a> = dyn FnMut(usize, Vec<u8>) -> Vec<Vec<u8>> + 'a;

pub(crate) fn run(initiator: Initiator, acceptor: Acceptor) -> Run {
    let (client, server) = (Side::new(initiator, 3), Side::new(acceptor, 4));
    run_between(client, server, &mut |_, token| vec![token])
}

pub(crate) fn run_between(client: Side, server: Side, between: &mut Between<'_>) -> Run {
    let mut run = Run {
        client,
        server,
        sent: Vec::new(),
    };
    let mut due = Vec::new();
    if let Some(first) = run.client.step(None) {
        due.push((Role::Acceptor, first));
    }
    while let Some((to, token)) = due.pop() {
        assert!(run.sent.len() < 40, "the negotiation does not end");
        let number = run.sent.len();
        run.sent.push(token.clone());
        for arrived in between(number, token) {
            let side = match to {
                Role::Acceptor => &mut run.server,
                Role::Initiator => &mut run.client,
            };
            if let Some(answer) = side.step(Some(&arrived)) {
                due.push((to.other(), answer));
            }
        }
    }
    run
}

impl Run {
    /// Both contexts protect messages, in both directions and more than once.
    pub(crate) fn talk(&mut self) {
        let (client, server) = (self.client.context(), self.server.context());
        let seal = client.flags().contains(Flags::CONFIDENTIALITY);
        for _ in 0..2 {
            let sealed = client.wrap(seal, b"who goes there").unwrap();
            assert_eq!(server.unwrap(&sealed).unwrap().message, b"who goes there");
            let sealed = server.wrap(seal, b"friend").unwrap();
            assert_eq!(client.unwrap(&sealed).unwrap().message, b"friend");
            let mic = client.get_mic(b"pass").unwrap();
            server.verify_mic(b"pass", &mic).unwrap();
        }
    }

    pub(crate) fn init(&self, number: usize) -> NegTokenInit<'_> {
        NegTokenInit::parse(&self.sent[number]).unwrap()
    }

    pub(crate) fn response(&self, number: usize) -> NegTokenResp<'_> {
        NegTokenResp::parse(&self.sent[number]).unwrap()
    }

    /// What the two sides agree on of how it was negotiated.
    #[track_caller]
    pub(crate) fn proved(&mut self) -> bool {
        let client = self.client.context().negotiated().unwrap().proved;
        let server = self.server.context().negotiated().unwrap().proved;
        assert_eq!(client, server);
        client
    }

    #[track_caller]
    pub(crate) fn mechanism(&mut self) -> Oid<'static> {
        let mechanism = self.client.context().mechanism();
        assert_eq!(self.server.context().mechanism(), mechanism);
        mechanism
    }
}
