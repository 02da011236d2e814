//! Drivers whose futures are dropped while they wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use countersign::Role;
use countersign::credential::Password;
use countersign::handshake::kdc::{KdcClient, StaticKdcs};
use countersign::handshake::{Handshake, StreamOptions};
use countersign::kerberos::kdc::{Acquisition, ClientCredential, Tickets};
use tokio::io::duplex;
use tokio::runtime::{Builder, Runtime};

use crate::Claim;
use crate::domain::{Domain, PASSWORD, REALM, SERVICE};
use crate::ends::Fate;
use crate::kerberos::{long_term, principal};
use crate::ntlm::noting_world;
use crate::search::{Noted, Search};
use crate::sides::{Kind, client, sides};

pub(crate) const CLAIM: Claim = (
    "futures_that_are_dropped_at_any_await_leave_nothing",
    futures_that_are_dropped_at_any_await_leave_nothing,
);

/// More polls than any of the operations needs.
const MOST: usize = 500;
/// What a stream takes before its reader reads: a token waits for that several times.
const ROOM: usize = 512;

fn futures_that_are_dropped_at_any_await_leave_nothing(search: &mut Search) {
    let mut domain = Domain::start();
    // By UDP as long as answers are short, and by TCP alone.
    for transport in ["", "tcp/"] {
        at_every_await(search, transport, |search, polls| {
            acquisition(search, &mut domain, transport, polls)
        });
    }
    for kind in [
        Kind::Kerberos,
        Kind::NegotiateNtlm,
        Kind::Iakerb,
        Kind::UserToUser,
    ] {
        for role in [Role::Initiator, Role::Acceptor] {
            at_every_await(search, &format!("{kind:?} {role:?}"), |search, polls| {
                handshake(search, &mut domain, kind, role, polls)
            });
        }
    }
}

/// Drops the operation after no poll, after one, … until it is ready.
fn at_every_await(
    search: &mut Search,
    what: &str,
    mut operation: impl FnMut(&mut Search, usize) -> bool,
) {
    for polls in 0..MOST {
        let ready = operation(search, polls);
        search.nothing();
        if ready {
            assert!(polls > 1, "{what}: it never waited");
            return;
        }
    }
    panic!("{what} is never ready");
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Polls the future so often, and drops it; its output if it came to that. Until then it has secrets.
async fn polled<F: Future>(
    search: &mut Search,
    noted: &Noted,
    polls: usize,
    future: F,
) -> Option<F::Output> {
    let mut left = polls;
    let mut future = pin!(future);
    let output = poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // It is woken when there is more to be done, and then polled again.
            Poll::Pending if left > 0 => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        }
    })
    .await;
    search.take(noted);
    if output.is_none() {
        search.finds_any();
    }
    output
}

/// A client of the domain's KDC.
fn kdcs(domain: &mut Domain, transport: &str) -> KdcClient {
    let endpoint = format!("{transport}{}", domain.address());
    KdcClient::new(StaticKdcs::new().kdc(REALM, &endpoint).unwrap())
}

/// The keys of the tickets so far.
fn add_tickets(search: &mut Search, tickets: &Tickets) {
    for entry in tickets.to_cache(&principal("alice")).credentials() {
        search.add("ticket's key", entry.key.expose());
        search.finds("ticket's key");
    }
}

#[inline(never)]
fn acquisition(search: &mut Search, domain: &mut Domain, transport: &str, polls: usize) -> bool {
    long_term(search, PASSWORD);
    let (noted, number) = (Noted::default(), search.number());
    let drawn = noted.clone();
    let kdcs = kdcs(domain, transport).environment(move || noting_world(number, &drawn));
    let alice = ClientCredential::password(principal("alice"), Password::from(PASSWORD));
    let tickets = alice.tickets().clone();
    let ready = runtime().block_on(async {
        let wanted = Acquisition::new(&alice, principal(SERVICE));
        // What is polled is all that has the password.
        drop(alice);
        let ticket = polled(search, &noted, polls, kdcs.run_async(wanted)).await;
        ticket.map(Result::unwrap).is_some()
    });
    add_tickets(search, &tickets);
    ready
}

#[inline(never)]
fn handshake(
    search: &mut Search,
    domain: &mut Domain,
    kind: Kind,
    cut: Role,
    polls: usize,
) -> bool {
    let noted = Noted::default();
    let credential = client(search, domain, kind, Fate::Honest);
    let (initiator, acceptor) = sides(search, domain, &credential, kind, Fate::Honest, &noted);
    let tickets = credential.tickets().clone();
    drop(credential);
    let kdcs = kdcs(domain, "tcp/");
    let number = 2 * search.number();
    let (ours, theirs) = duplex(ROOM);
    let secure = |role, mechanism, stream, seed| {
        Handshake::new(role, mechanism)
            .environment(noting_world(seed, &noted))
            .kdc_client(kdcs.clone())
            .secure_async(stream, StreamOptions::default())
    };
    let ready = runtime().block_on(async {
        let initiator = secure(Role::Initiator, initiator, ours, number);
        let acceptor = secure(Role::Acceptor, acceptor, theirs, number + 1);
        let (dropped, other) = match cut {
            Role::Initiator => (initiator, acceptor),
            Role::Acceptor => (acceptor, initiator),
        };
        let dropped = async {
            let stream = polled(search, &noted, polls, dropped).await;
            stream.map(Result::unwrap).is_some()
        };
        let (ready, other) = tokio::join!(dropped, other);
        // The peer was established before, or sees the end.
        assert!(other.is_ok() || !ready);
        ready
    });
    search.take(&noted);
    add_tickets(search, &tickets);
    ready
}
