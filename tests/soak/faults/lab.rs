//! One realm, two users, and sides of every kind.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use countersign_context::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_context::credential::{Password, TicketCredential};
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::kdc::{
    ClientSecret, Exchange, ExchangeStep, InitialTicket, KdcAnswer, ServiceTicket,
};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, IakerbAcceptor, IakerbInitiator, Initiator, ReplayCache,
    ReplayProtection, UserToUserInitiator,
};
use countersign_context::{
    ChannelBindings, EnctypeSet, Environment, Error, Flags, Policy, Timestamp, ntlm,
};
use countersign_testkit::{Account, Kdc, NOW, Realm, SeededRandom};

pub(crate) const SERVICE: &str = "HTTP/www.example.com";
/// Who accepts by user-to-user.
const BOB: &str = "bob";
/// The client of the sessions that are attacked, and somebody else who is known too.
const USERS: [&str; 2] = ["alice", "mallory"];
const PASSWORD: &str = "open sesame";

/// Answers that are kept: more than there are honest requests, and no flood of altered ones.
const MAX_ANSWERS: usize = 64;

/// What every side requires.
const FLAGS: Flags = Flags::CONFIDENTIALITY
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);

/// What sides are made from: the expensive things, once.
pub(crate) struct Lab {
    pub(crate) policy: Policy,
    pub(crate) realm: Realm,
    pub(crate) tickets: [Arc<TicketCredential>; 2],
    /// Without protection against replays: each session brings its own.
    acceptor: AcceptorCredential,
    bobs_tickets: [Arc<TicketCredential>; 2],
    bob: AcceptorCredential,
    ntlm: [Arc<NtlmCredential>; 2],
    ntlm_acceptor: ntlm::AcceptorCredential,
    network: Network,
}

/// A KDC for IAKERB, and what it gave out.
struct Network {
    kdc: Kdc,
    answers: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
    granting: [Arc<TicketCredential>; 2],
    tickets: [Arc<TicketCredential>; 2],
    acceptor: AcceptorCredential,
}

/// A ticket that is there already.
#[derive(Debug)]
struct Ready(Option<Arc<TicketCredential>>);

impl Exchange for Ready {
    type Output = Arc<TicketCredential>;

    fn step(
        &mut self,
        _: Option<KdcAnswer>,
        _: &mut Environment<'_>,
    ) -> Result<ExchangeStep<Self::Output>, Error> {
        Ok(ExchangeStep::Done(self.0.take().expect("asked once")))
    }
}

/// A ticket that a KDC gives.
#[derive(Debug)]
struct Fetched(ServiceTicket);

impl Exchange for Fetched {
    type Output = Arc<TicketCredential>;

    fn step(
        &mut self,
        answer: Option<KdcAnswer>,
        env: &mut Environment<'_>,
    ) -> Result<ExchangeStep<Self::Output>, Error> {
        Ok(match self.0.step(answer, env)? {
            ExchangeStep::Send(request) => ExchangeStep::Send(request),
            ExchangeStep::Done(outcome) => ExchangeStep::Done(outcome.credential),
        })
    }
}

impl Lab {
    pub(crate) fn new(enctype: Enctype) -> Self {
        let realm = Realm::new("EXAMPLE.COM", 1);
        let tickets = USERS.map(|user| {
            let ticket = realm.ticket(user, SERVICE);
            let ticket = ticket.enctype(enctype).session_enctype(enctype);
            Arc::new(ticket.mint().expect("a ticket"))
        });
        let keytab = realm.keytab_of(&[SERVICE], &[1], &[enctype]);
        let own = realm.ticket_granting_ticket(BOB);
        let own = own.session_enctype(enctype).mint().expect("a ticket");
        let session = own.session_key().expect("a key");
        let bobs_tickets = USERS.map(|user| {
            let ticket = realm.ticket(user, BOB).enctype(enctype);
            let ticket = ticket.service_key(session.duplicate()).named_kvno(None);
            let mut ticket = ticket.session_enctype(enctype).mint().expect("a ticket");
            ticket.is_skey = true;
            Arc::new(ticket)
        });
        let names = ntlm::ServerNames::new("WWW", "EXAMPLE").expect("names");
        let users = USERS.map(|user| format!("EXAMPLE:{user}:{PASSWORD}\n"));
        let users = Users::parse(users.concat().as_bytes()).expect("users");
        Self {
            policy: Policy::default().with_enctypes(EnctypeSet::of(&[enctype])),
            acceptor: AcceptorCredential::new(&keytab.expect("a keytab")),
            bob: AcceptorCredential::user_to_user(own),
            ntlm: USERS.map(|user| {
                let name = AccountName::parse(&format!("EXAMPLE\\{user}")).expect("a name");
                let password = Password::from(PASSWORD);
                Arc::new(NtlmCredential::with_password(name, &password))
            }),
            ntlm_acceptor: ntlm::AcceptorCredential::new(names).with_users(users),
            network: Network::new(),
            realm,
            tickets,
            bobs_tickets,
        }
    }

    /// The credential of the service, with this replay cache.
    pub(crate) fn credential(&self, replay: &Arc<ReplayCache>) -> AcceptorCredential {
        let shared = ReplayProtection::Shared(Arc::clone(replay));
        self.acceptor.clone().with_replay_protection(shared)
    }

    /// The same with this protection.
    pub(crate) fn credential_with(&self, replay: ReplayProtection) -> AcceptorCredential {
        self.acceptor.clone().with_replay_protection(replay)
    }

    pub(crate) fn kerberos(&self, who: usize) -> Initiator {
        Initiator::new(Arc::clone(&self.tickets[who])).require(FLAGS)
    }

    pub(crate) fn kerberos_acceptor(&self, replay: &Arc<ReplayCache>) -> Acceptor {
        Acceptor::new(&self.credential(replay))
    }

    /// With a user-to-user ticket that answers whatever the acceptor's ticket is.
    pub(crate) fn user_to_user(&self, who: usize) -> UserToUserInitiator {
        let ticket = Arc::clone(&self.bobs_tickets[who]);
        let acquire = move |_: Arc<TicketCredential>| Ready(Some(ticket));
        let bob = self.realm.principal(BOB);
        UserToUserInitiator::new(bob, acquire, |ticket| Initiator::new(ticket).require(FLAGS))
    }

    pub(crate) fn user_to_user_acceptor(&self, replay: &Arc<ReplayCache>) -> Acceptor {
        let shared = ReplayProtection::Shared(Arc::clone(replay));
        Acceptor::new(&self.bob.clone().with_replay_protection(shared))
    }

    pub(crate) fn ntlm(&self, who: usize) -> ntlm::Initiator {
        ntlm::Initiator::new(Arc::clone(&self.ntlm[who])).require(FLAGS)
    }

    /// Signs and does not seal.
    pub(crate) fn ntlm_signing(&self, who: usize) -> ntlm::Initiator {
        ntlm::Initiator::new(Arc::clone(&self.ntlm[who])).require(Flags::INTEGRITY)
    }

    /// Datagrams have no order.
    pub(crate) fn ntlm_datagrams(&self, who: usize) -> ntlm::Initiator {
        let flags = FLAGS.difference(Flags::SEQUENCE);
        let initiator = ntlm::Initiator::new(Arc::clone(&self.ntlm[who]));
        initiator.require(flags).connectionless()
    }

    pub(crate) fn ntlm_acceptor(&self) -> ntlm::Acceptor {
        ntlm::Acceptor::new(&self.ntlm_acceptor)
    }

    /// With a ticket that is there, or one that the acceptor has a KDC asked for.
    pub(crate) fn iakerb(&self, who: usize, fetched: bool) -> IakerbInitiator {
        let begin = |ticket| Initiator::new(ticket).require(FLAGS);
        let network = &self.network;
        if fetched {
            let service = network.kdc.principal(SERVICE);
            let fetched = ServiceTicket::new(Arc::clone(&network.granting[who]), service);
            IakerbInitiator::new(Fetched(fetched), begin)
        } else {
            let ready = Ready(Some(Arc::clone(&network.tickets[who])));
            IakerbInitiator::new(ready, begin)
        }
    }

    pub(crate) fn iakerb_acceptor(&self, replay: &Arc<ReplayCache>) -> IakerbAcceptor {
        let shared = ReplayProtection::Shared(Arc::clone(replay));
        let credential = self.network.acceptor.clone().with_replay_protection(shared);
        IakerbAcceptor::new(Acceptor::new(&credential))
    }

    /// What the KDC says: to the same request the same, so that sessions can be repeated.
    pub(crate) fn answer(&self, request: &[u8]) -> Vec<u8> {
        let mut answers = self.network.answers.borrow_mut();
        if let Some(answer) = answers.get(request) {
            return answer.clone();
        }
        // It keeps what it saw.
        self.network.kdc.clear_seen();
        let answer = self.network.kdc.answer(request);
        if answers.len() < MAX_ANSWERS {
            answers.insert(request.to_vec(), answer.clone());
        }
        answer
    }
}

pub(crate) fn bindings() -> ChannelBindings {
    ChannelBindings::tls_exporter(&[0x42; 32])
}

impl Network {
    fn new() -> Self {
        let mut builder = Kdc::builder("EXAMPLE.COM").account(Account::service(SERVICE));
        for user in USERS {
            builder = builder.user(user, PASSWORD);
        }
        let kdc = builder.build().expect("a KDC");
        let mut random = SeededRandom::new(8);
        let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
        let granting = USERS.map(|user| {
            let secret = ClientSecret::password(PASSWORD);
            let mut exchange = InitialTicket::new(kdc.principal(user), secret);
            Arc::new(obtain(&kdc, &mut exchange, &mut env).credential)
        });
        let tickets = granting.clone().map(|granting| {
            let mut exchange = ServiceTicket::new(granting, kdc.principal(SERVICE));
            obtain(&kdc, &mut exchange, &mut env).credential
        });
        let keytab = kdc.keytab(&[SERVICE]).expect("a keytab");
        Self {
            acceptor: AcceptorCredential::new(&keytab),
            kdc,
            answers: RefCell::default(),
            granting,
            tickets,
        }
    }
}

fn obtain<E: Exchange>(kdc: &Kdc, exchange: &mut E, env: &mut Environment<'_>) -> E::Output {
    let mut answer = None;
    loop {
        match exchange.step(answer.take(), env).expect("an exchange") {
            ExchangeStep::Send(request) => {
                answer = Some(KdcAnswer::Reply(kdc.answer(&request.message)));
            }
            ExchangeStep::Done(outcome) => break outcome,
        }
    }
}
