//! A request that must not be repeated is sent by one.

use countersign_context::kerberos::kdc::KdcService;
use loom::thread;

use super::every_order;
use crate::baton::Baton;

#[test]
fn one_of_three_jobs_has_the_baton() {
    every_order("three who would change a password", || {
        let baton = Baton::of(KdcService::PasswordChange);
        let threads: Vec<_> = (0..2)
            .map(|job| {
                let baton = baton.clone();
                thread::spawn(move || baton.take(job))
            })
            .collect();
        let mut takers = vec![baton.take(2)];
        takers.splice(
            0..0,
            threads.into_iter().map(|thread| thread.join().unwrap()),
        );
        assert_eq!(takers.iter().filter(|took| **took).count(), 1);
        assert_eq!(baton.holder(), takers.iter().position(|took| *took));
        // Control: what may be repeated is sent by all.
        let free = Baton::of(KdcService::Kdc);
        assert!(free.take(0) && free.take(1));
    });
}

#[test]
fn a_baton_that_is_put_back_is_taken_by_one_at_most() {
    every_order("a baton that is put back", || {
        let baton = Baton::of(KdcService::PasswordChange);
        assert!(baton.take(0));
        let other = baton.clone();
        let thread = thread::spawn(move || other.take(1));
        // Another's is not put back.
        baton.put_back(1);
        baton.put_back(0);
        let mine = baton.take(2);
        let theirs = thread.join().unwrap();
        // One who came too early may find it taken; the other then has it.
        assert!(mine != theirs);
        assert_eq!(baton.holder(), Some(if mine { 2 } else { 1 }));
    });
}
