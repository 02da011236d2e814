//! What an acceptor must refuse, each beside a control that it accepts.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod authenticators;
mod checksum;
mod replays;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod tickets;
mod tokens;

use countersign_context::ErrorKind;
use countersign_testkit::Realm;
use support::*;

/// Accepts the control and refuses the variation, each with an acceptor of its own.
#[track_caller]
fn only_the_control_is_accepted(realm: &Realm, control: &[u8], bad: &[u8], expected: ErrorKind) {
    accepted(&mut acceptor(realm), control);
    assert_eq!(refused(&mut acceptor(realm), bad), expected);
}
