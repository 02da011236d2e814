//! Tickets in memory: what is stored at once is there, and room is made for one, not for two.

use countersign_credential::{KeyBlock, Principal, TicketCredential};
use loom::thread;

use super::every_order;
use crate::tickets::{TicketKey, TicketKind, Tickets};

const NOW: i64 = 1_000_000;

fn alice() -> Principal {
    Principal::parse("alice@R").unwrap()
}

fn service(name: &str) -> Principal {
    Principal::parse(format!("HTTP/{name}@R")).unwrap()
}

fn key(name: &str) -> TicketKey {
    TicketKey::new(&alice(), &service(name), TicketKind::Own)
}

/// Keeps a ticket that ends so many seconds from now.
fn store(tickets: &Tickets, name: &str, seconds: i64) {
    let session = KeyBlock::from_parts(18, &[7; 32]);
    let mut ticket = TicketCredential::new(alice(), service(name), session, vec![1]);
    ticket.times.auth_time = NOW;
    ticket.times.end_time = NOW + seconds;
    tickets.insert(key(name), std::sync::Arc::new(ticket), NOW);
}

fn has(tickets: &Tickets, name: &str) -> bool {
    tickets.contains(&key(name), NOW)
}

#[test]
fn tickets_that_are_stored_at_once_are_all_there() {
    every_order("three tickets at once", || {
        let tickets = Tickets::with_capacity(8);
        let threads: Vec<_> = ["b", "c"]
            .map(|name| {
                let tickets = tickets.clone();
                thread::spawn(move || {
                    store(&tickets, name, 3600);
                    assert!(has(&tickets, name));
                })
            })
            .into();
        store(&tickets, "a", 3600);
        for thread in threads {
            thread.join().unwrap();
        }
        for name in ["a", "b", "c"] {
            assert!(has(&tickets, name), "{name}");
        }
        assert_eq!(tickets.len(), 3);
        assert!(!has(&tickets, "d"));
    });
}

#[test]
fn a_full_cache_makes_room_for_each_by_what_ends_first() {
    every_order("two tickets and room for one more", || {
        let tickets = Tickets::with_capacity(2);
        store(&tickets, "early", 1000);
        let other = tickets.clone();
        let thread = thread::spawn(move || store(&other, "a", 3600));
        store(&tickets, "b", 3700);
        thread.join().unwrap();
        assert!(has(&tickets, "a") && has(&tickets, "b"));
        assert!(!has(&tickets, "early"));
        assert_eq!(tickets.len(), 2);
    });
}

#[test]
fn whoever_forgets_a_service_takes_nothing_else_away() {
    every_order("storing beside forgetting", || {
        let tickets = Tickets::with_capacity(8);
        store(&tickets, "old", 3600);
        let other = tickets.clone();
        let thread = thread::spawn(move || other.forget(&service("old")));
        store(&tickets, "new", 3600);
        thread.join().unwrap();
        assert!(has(&tickets, "new") && !has(&tickets, "old"));
    });
}

#[test]
fn a_ticket_is_replaced_without_a_moment_in_which_there_is_none() {
    every_order("replacing beside reading", || {
        let tickets = Tickets::with_capacity(1);
        store(&tickets, "a", 3600);
        let other = tickets.clone();
        let thread = thread::spawn(move || store(&other, "a", 7200));
        assert!(has(&tickets, "a"));
        thread.join().unwrap();
        assert!(has(&tickets, "a"));
    });
}
