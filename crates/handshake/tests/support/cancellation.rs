//! Operations that end early.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use countersign_handshake::SystemEnvironment;
use countersign_handshake::context::Timestamp;
use countersign_handshake::context::credential::{Principal, ServiceName};
use countersign_handshake::context::kerberos::kdc::ClientCredential;
use countersign_testkit::{Kdc, KdcServer, NOW};

use super::kdc::REALM;

/// More polls than any of the operations needs.
pub(crate) const MOST: usize = 10_000;

/// Polls the future so often, and drops it; its output if it came to that.
pub(crate) async fn polled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
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
    .await
}

pub(crate) fn kdc() -> (Kdc, KdcServer) {
    let kdc = Kdc::builder(REALM)
        .user("alice", "open sesame")
        .service("sentry/gate.example.com");
    let kdc = kdc.build().unwrap();
    let server = kdc.serve("127.0.0.1:0").unwrap();
    (kdc, server)
}

pub(crate) fn environment() -> SystemEnvironment {
    SystemEnvironment::new().with_clock(|| Timestamp::from_unix(NOW))
}

pub(crate) fn alice() -> ClientCredential {
    let alice = Principal::parse("alice@EXAMPLE.COM").unwrap();
    ClientCredential::password(alice, "open sesame")
}

pub(crate) fn service() -> ServiceName {
    ServiceName::parse("sentry/gate.example.com").unwrap()
}
