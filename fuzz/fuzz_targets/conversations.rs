//! Whole conversations of IAKERB and of user-to-user, with somebody between who alters, replaces, cuts or drops
//! tokens and what the KDC answers.
//!
//! Sections: [kind], then for each interference [leg, what, high, low, octets...].
#![no_main]

use std::sync::{Arc, OnceLock};

use countersign_context::kerberos::kdc::{Exchange, ExchangeStep, KdcAnswer, ServiceTicket};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, IakerbAcceptor, IakerbDialect, IakerbInitiator, Initiator,
    UserToUserInitiator,
};
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Flags, Mechanism, Need, Step, Timestamp,
};
use countersign_credential::TicketCredential;
use countersign_fuzz::{Seeded, sections};
use countersign_testkit::{Account, Kdc, NOW, Realm};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

const REALM: &str = "EXAMPLE.COM";
const SERVICE: &str = "HTTP/www.example.com";
/// An honest conversation has six tokens and answers at most; what is altered can make it no longer.
const LEGS: u8 = 24;

fn kdc() -> &'static Kdc {
    static KDC: OnceLock<Kdc> = OnceLock::new();
    KDC.get_or_init(|| {
        Kdc::builder(REALM)
            .user("alice", "open sesame")
            .user("bob", "builder")
            .account(Account::service(SERVICE))
            .build()
            .expect("a realm")
    })
}

fn granting(user: &str) -> TicketCredential {
    let realm = Realm::new(REALM, 1);
    realm.ticket_granting_ticket(user).mint().expect("a ticket")
}

/// A ticket, without what else is known of it.
#[derive(Debug)]
struct Ticket(ServiceTicket);

impl Exchange for Ticket {
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

fn begin(ticket: Arc<TicketCredential>) -> Initiator {
    Initiator::new(ticket).require(Flags::MUTUAL | Flags::INTEGRITY)
}

fn sides(kind: u8) -> (Box<dyn Mechanism>, Box<dyn Mechanism>) {
    let kdc = kdc();
    if kind % 3 == 2 {
        let bob = kdc.principal("bob");
        let own = AcceptorCredential::user_to_user(granting("bob"));
        let target = bob.clone();
        let acquire = move |second: Arc<TicketCredential>| {
            Ticket(ServiceTicket::user_to_user(
                granting("alice"),
                target,
                second,
            ))
        };
        return (
            Box::new(UserToUserInitiator::new(bob, acquire, begin)),
            Box::new(Acceptor::new(&own)),
        );
    }
    let ticket = Ticket(ServiceTicket::new(
        granting("alice"),
        kdc.principal(SERVICE),
    ));
    let dialect = [IakerbDialect::Kitten, IakerbDialect::Zhu][usize::from(kind % 3)];
    let keytab = kdc.keytab(&[SERVICE]).expect("a keytab");
    let acceptor = Acceptor::new(&AcceptorCredential::new(&keytab));
    (
        Box::new(IakerbInitiator::new(ticket, begin).dialect(dialect)),
        Box::new(IakerbAcceptor::new(acceptor)),
    )
}

/// What is done to what is said on a leg.
fn interfere(edits: &[&[u8]], leg: u8, said: &mut Vec<u8>) {
    for edit in edits {
        let [on, what, high, low, rest @ ..] = edit else {
            continue;
        };
        if on % LEGS != leg {
            continue;
        }
        let at = usize::from(u16::from_be_bytes([*high, *low])).min(said.len());
        match what % 6 {
            0 => *said = rest.to_vec(),
            1 => said.truncate(at),
            2 => said.extend(rest.iter()),
            3 => drop(said.splice(at..at, rest.iter().copied())),
            _ => said
                .iter_mut()
                .skip(at)
                .zip(rest)
                .for_each(|(octet, with)| *octet ^= with),
        }
    }
}

/// A side, its randomness, and whether it is over.
struct Side {
    mechanism: Box<dyn Mechanism>,
    random: Seeded,
}

impl Side {
    /// A step, with the KDC's answers. The token for the peer, if there is one.
    fn step(&mut self, token: Option<&[u8]>, edits: &[&[u8]], leg: &mut u8) -> Option<Vec<u8>> {
        let mut env = Environment::new(Timestamp::new(NOW, 5), &mut self.random);
        let mut result = self.mechanism.step(token, &mut env);
        while let Ok(Step::Need(Need::Kdc(request))) = &result {
            *leg += 1;
            if *leg >= LEGS {
                return None;
            }
            let mut answer = kdc().answer(&request.message);
            kdc().clear_seen();
            interfere(edits, *leg, &mut answer);
            let answer = match answer.is_empty() {
                true => KdcAnswer::Unreachable,
                false => KdcAnswer::Reply(answer),
            };
            result = self.mechanism.resume(Answer::Kdc(answer), &mut env);
        }
        match result {
            Ok(Step::Continue { token }) => Some(token),
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Ok(Step::Established { token, context }) => {
                let peer = context.peer().and_then(|peer| peer.principal().cloned());
                let known = ["alice", "bob", SERVICE].map(|name| kdc().principal(name));
                assert!(peer.is_some_and(|peer| known.contains(&peer)));
                let over = self.mechanism.step(token.as_deref(), &mut env);
                assert_eq!(
                    over.expect_err("over").kind(),
                    ErrorKind::AlreadyEstablished
                );
                token
            }
            Err(error) => {
                let again = self.mechanism.step(token, &mut env).expect_err("poisoned");
                assert_eq!(again.kind(), error.kind());
                error.token().map(<[u8]>::to_vec)
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [control, edits @ ..] = &sections[..] else {
        return;
    };
    let &[kind, ..] = *control else {
        return;
    };
    let (initiator, acceptor) = sides(kind);
    let side = |mechanism, seed| Side {
        mechanism,
        random: Seeded(seed),
    };
    let (mut here, mut there) = (side(initiator, 1), side(acceptor, 2));
    let mut token: Option<Vec<u8>> = None;
    let mut leg = 0;
    while leg < LEGS {
        let Some(mut sent) = here.step(token.as_deref(), edits, &mut leg) else {
            return;
        };
        interfere(edits, leg, &mut sent);
        leg += 1;
        let Some(mut reply) = there.step(Some(&sent), edits, &mut leg) else {
            return;
        };
        interfere(edits, leg, &mut reply);
        leg += 1;
        token = Some(reply);
    }
});
