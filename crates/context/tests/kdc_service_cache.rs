//! From a credential to a ticket: what is fetched once, what is fetched anew, and what never.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[path = "support/network.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use countersign_context::credential::cache::TimeOffset;
use countersign_context::credential::{CredentialCache, Principal, ServiceName, TicketCredential};
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::kdc::{
    Acquisition, ClientCredential, ClientSecret, Exchange, TicketOptions, Tickets,
};
use countersign_context::{EnctypeSet, ErrorKind, KdcProblem};
use countersign_testkit::kdc::RequestKind;
use countersign_testkit::{FixedClock, Kdc, NOW, Realm, flags};
use support::*;

const PASSWORD: &str = "wonderland";

fn alice() -> ClientCredential {
    ClientCredential::password(named("alice"), PASSWORD)
}

fn web() -> ServiceName {
    ServiceName::parse(SERVICE).unwrap()
}

fn get(network: &mut Network, credential: &ClientCredential) -> Arc<TicketCredential> {
    network.run(Acquisition::new(credential, web())).unwrap()
}

/// How many requests of each kind the KDC has seen.
fn seen(kdc: &Kdc) -> (usize, usize) {
    let seen = kdc.seen();
    let count = |kind| seen.iter().filter(|request| request.kind == kind).count();
    (count(RequestKind::As), count(RequestKind::Tgs))
}

fn at(network: &mut Network, now: i64) {
    network.now = now;
    for kdc in &network.kdcs {
        kdc.set_time(FixedClock::at(now));
    }
}

#[test]
fn a_password_becomes_a_ticket_and_the_second_time_nobody_is_asked() {
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    let credential = alice();
    let first = get(&mut network, &credential);
    assert_eq!(first.server, service());
    let asked = seen(&kdc);
    let second = get(&mut network, &credential.clone());
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(seen(&kdc), asked);

    // Another service needs no other password proof; another credential shares nothing.
    let other = ServiceName::parse("HTTP/other.example.com").unwrap();
    network.run(Acquisition::new(&credential, other)).unwrap();
    assert_eq!(seen(&kdc), (asked.0, asked.1 + 1));
    get(&mut network, &alice());
    assert!(seen(&kdc).0 > asked.0);
}

#[test]
fn a_ticket_is_fetched_anew_when_its_margin_begins_and_not_a_second_before() {
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    let hour = TicketOptions::default().lifetime(Duration::from_secs(3_600));
    let credential = alice().options(hour);
    let first = get(&mut network, &credential);
    assert_eq!(first.times.end_time, NOW + 3_600);
    let edge = NOW + 3_600 - Tickets::MARGIN;
    at(&mut network, edge - 1);
    assert!(Arc::ptr_eq(&first, &get(&mut network, &credential)));
    at(&mut network, edge);
    let second = get(&mut network, &credential);
    assert!(second.times.end_time > first.times.end_time);
    // The TGT was at its edge too: the secret got another one.
    let tgt = network
        .run(Acquisition::ticket_granting_ticket(&credential))
        .unwrap();
    assert_eq!(tgt.times.end_time, edge + 3_600);
}

#[test]
fn short_lived_tickets_are_not_fetched_every_time() {
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    let minute = TicketOptions::default().lifetime(Duration::from_secs(60));
    let credential = alice().options(minute);
    get(&mut network, &credential);
    let asked = seen(&kdc);
    at(&mut network, NOW + 29);
    get(&mut network, &credential);
    assert_eq!(seen(&kdc), asked);
    at(&mut network, NOW + 31);
    get(&mut network, &credential);
    assert_ne!(seen(&kdc), asked);
}

#[test]
fn tickets_that_hold_are_used_while_no_kdc_answers() {
    let mut network = Network::of([kdc()]);
    let hour = TicketOptions::default().lifetime(Duration::from_secs(3_600));
    let credential = alice().options(hour);
    let first = get(&mut network, &credential);
    network.kdcs.clear();
    network.now = NOW + 3_599;
    assert!(Arc::ptr_eq(&first, &get(&mut network, &credential)));
    network.now = NOW + 3_600;
    let error = network
        .run(Acquisition::new(&credential, web()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::Unreachable));
}

fn cache_of(tickets: impl IntoIterator<Item = TicketCredential>) -> CredentialCache {
    let mut cache = CredentialCache::new(named("alice"));
    tickets.into_iter().for_each(|ticket| cache.push(ticket));
    cache
}

#[test]
fn a_cache_buys_tickets_until_its_tgt_ends_and_then_says_so() {
    let mut network = Network::of([kdc()]);
    let cache = cache_of([tgt(REALM, "alice")]);
    let credential = ClientCredential::cache(&cache, NOW);
    get(&mut network, &credential);
    assert_eq!(network.sent.len(), 1);

    let late = NOW + 36_000;
    let expired = ClientCredential::cache(&cache, late);
    assert!(expired.tickets().is_empty());
    at(&mut network, late);
    let error = network.run(Acquisition::new(&expired, web())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialMissing);
}

/// The offset in a file is to the KDC's clock, by which tickets end.
#[test]
fn the_offset_of_a_cache_counts_once() {
    let tickets = [tgt(REALM, "alice"), tgt_for(REALM, "alice", "OTHER.COM")];
    let end = tickets[0].times.end_time;
    let mut cache = cache_of(tickets);
    for (left, kept) in [(1, 2), (0, 0)] {
        let seconds = i32::try_from(end - NOW - left).unwrap();
        cache.set_time_offset(Some(TimeOffset {
            seconds,
            microseconds: 0,
        }));
        assert_eq!(Tickets::from_cache(&cache, NOW).len(), kept);
    }
}

#[test]
fn a_service_ticket_in_a_cache_needs_neither_tgt_nor_realm_in_the_name() {
    let ticket = Realm::new(REALM, 1)
        .ticket("alice", SERVICE)
        .mint()
        .unwrap();
    let credential = ClientCredential::cache(&cache_of([ticket]), NOW);
    let mut network = Network::of([]);
    assert_eq!(get(&mut network, &credential).server, service());
    let other = ServiceName::parse("HTTP/other.example.com").unwrap();
    let error = network
        .run(Acquisition::new(&credential, other))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CredentialMissing);
}

#[test]
fn a_renewable_tgt_near_its_end_is_renewed_and_a_refusal_leaves_the_old_one() {
    let renewable = || {
        Realm::new(REALM, 1)
            .ticket("alice", "krbtgt/EXAMPLE.COM")
            .valid(NOW, NOW + 600)
            .add_flags(flags::ticket::RENEWABLE)
            .renew_till(NOW + 86_400)
            .mint()
            .unwrap()
    };
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    let credential = ClientCredential::cache(&cache_of([renewable()]), NOW);
    at(&mut network, NOW + 550);
    let ticket = get(&mut network, &credential);
    assert_eq!(ticket.times.end_time, NOW + 550 + 600);
    assert_eq!(seen(&kdc), (0, 2));

    let kdc = countersign_testkit::Kdc::builder(REALM)
        .service(SERVICE)
        .build()
        .unwrap();
    // Somebody answers every renewal with an error.
    kdc.edit_bytes(|seen, bytes| {
        if seen.options & 2 != 0 {
            *bytes = countersign_testkit::KrbErrorBuilder::new(12, named("krbtgt/EXAMPLE.COM"))
                .framing(countersign_testkit::Framing::Bare)
                .build()
                .unwrap();
        }
    });
    let mut network = Network::of([kdc]);
    let credential = ClientCredential::cache(&cache_of([renewable()]), NOW);
    at(&mut network, NOW + 550);
    let ticket = get(&mut network, &credential);
    assert_eq!(ticket.times.end_time, NOW + 600);
}

#[test]
fn a_delegated_tgt_buys_tickets_for_its_client() {
    let mut network = Network::of([kdc()]);
    let forwarded = network
        .run(Acquisition::forwarded(&alice_forwardable()))
        .unwrap();
    assert_ne!(forwarded.flags.0 & flags::ticket::FORWARDED, 0);
    let credential = ClientCredential::delegated(forwarded);
    let ticket = get(&mut network, &credential);
    assert_eq!(ticket.client, named("alice"));
    assert_ne!(ticket.flags.0 & flags::ticket::FORWARDED, 0);
}

fn alice_forwardable() -> ClientCredential {
    alice().options(TicketOptions::default().forwardable(true))
}

/// A forwarded ticket is for others; it is not what the client goes on with, or leaves in a file.
#[test]
fn forwarded_tgt_is_kept_apart_from_the_clients_own() {
    let mut network = Network::of([kdc()]);
    let credential = alice_forwardable();
    let own = network
        .run(Acquisition::ticket_granting_ticket(&credential))
        .unwrap();
    let forwarded = network.run(Acquisition::forwarded(&credential)).unwrap();
    let again = network
        .run(Acquisition::ticket_granting_ticket(&credential))
        .unwrap();
    assert!(Arc::ptr_eq(&own, &again) && !Arc::ptr_eq(&own, &forwarded));
    let file = credential.tickets().to_cache(&named("alice"));
    assert_eq!(file.credentials().count(), 1);
    assert_eq!(file.ticket_granting_ticket().unwrap().ticket, own.ticket);
}

#[test]
fn a_user_to_user_ticket_answers_for_its_own_peer_only() {
    let mut network = Network::of([kdc()]);
    let credential = alice();
    let bob = named("bob");
    let first = Arc::new(tgt(REALM, "bob"));
    // Of another session, hence with another key.
    let second = Realm::new(REALM, 1);
    let _ = second.ticket("bob", "krbtgt/EXAMPLE.COM").mint().unwrap();
    let second = Arc::new(second.ticket("bob", "krbtgt/EXAMPLE.COM").mint().unwrap());
    let mut ask = |peer: &Arc<TicketCredential>| {
        network
            .run(Acquisition::user_to_user(
                &credential,
                &bob,
                Arc::clone(peer),
            ))
            .unwrap()
    };
    let ticket = ask(&first);
    assert!(Arc::ptr_eq(&ticket, &ask(&first)), "the control is cached");
    let other = ask(&second);
    assert!(!Arc::ptr_eq(&ticket, &other));
    assert_eq!(other.second_ticket, second.ticket);

    // Nor does it answer an ordinary request.
    let key = Acquisition::new(&credential, &bob).key();
    assert!(!credential.tickets().contains(&key, NOW));
    let key = Acquisition::user_to_user(&credential, &bob, first).key();
    assert!(credential.tickets().contains(&key, NOW));
}

#[test]
fn a_cached_ticket_of_a_weaker_enctype_than_permitted_is_not_handed_out() {
    let weak = Realm::new(REALM, 1)
        .ticket("alice", SERVICE)
        .session_enctype(Enctype::Aes128CtsHmacSha1_96)
        .mint()
        .unwrap();
    let credential = ClientCredential::cache(&cache_of([tgt(REALM, "alice"), weak]), NOW);
    let mut network = Network::of([kdc()]);
    let ticket = network
        .run(Acquisition::new(&credential, service()))
        .unwrap();
    assert_eq!(ticket.key.enctype_id(), 17);
    assert!(network.sent.is_empty());
    let strong = EnctypeSet::AES.without(Enctype::Aes128CtsHmacSha1_96);
    let ticket = network
        .run(Acquisition::new(
            &credential.clone().enctypes(strong),
            service(),
        ))
        .unwrap();
    assert_ne!(ticket.key.enctype_id(), 17);
    assert_eq!(network.sent.len(), 1);
}

#[test]
fn every_kind_of_secret_gets_a_ticket_and_a_wrong_one_none() {
    let kdc = kdc();
    let client = named("alice");
    let keytab = kdc.keytab(&["alice"]).unwrap();
    let enctype = Enctype::Aes256CtsHmacSha1_96;
    let key = Realm::new(REALM, 1)
        .password_key(&client, PASSWORD, enctype)
        .unwrap();
    for credential in [
        alice(),
        ClientCredential::keytab(client.clone(), &keytab).unwrap(),
        ClientCredential::key(client.clone(), key),
        ClientCredential::new(client.clone(), ClientSecret::password(PASSWORD)),
    ] {
        let mut network = Network::of([kdc.clone()]);
        assert_eq!(get(&mut network, &credential).client, client);
    }
    let wrong = ClientCredential::password(client, "wonderlamp");
    let error = Network::of([kdc])
        .run(Acquisition::new(&wrong, web()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::WrongSecret));
    assert!(wrong.tickets().is_empty());
    assert!(ClientCredential::keytab(named("nobody"), &keytab).is_err());
}

#[test]
fn the_cache_is_bounded_and_drops_what_ends_first() {
    let names: Vec<String> = (0..4).map(|n| format!("HTTP/{n}.example.com")).collect();
    let mut builder = Kdc::builder(REALM).user("alice", PASSWORD);
    for name in &names {
        builder = builder.service(name);
    }
    let mut network = Network::of([builder.build().unwrap()]);
    let tickets = Tickets::with_capacity(3);
    let credential = alice().sharing(&tickets);
    for name in &names {
        network
            .run(Acquisition::new(&credential, named(name)))
            .unwrap();
        assert!(tickets.len() <= 3);
    }
    at(&mut network, NOW + 36_000);
    get_any(&mut network, &credential, &names[0]);
    assert_eq!(tickets.len(), 2, "what has expired is dropped");
}

fn get_any(network: &mut Network, credential: &ClientCredential, name: &str) {
    network
        .run(Acquisition::new(credential, named(name)))
        .unwrap();
}

#[test]
fn an_offset_learned_from_the_kdc_dates_later_requests_and_the_tickets() {
    let kdc = kdc();
    kdc.set_time(FixedClock::at(NOW + 7_200));
    let mut network = Network::of([kdc.clone()]);
    let credential = alice();
    let first = get(&mut network, &credential);
    assert_eq!(credential.tickets().time_offset(), 7_200);
    assert!(kdc.seen().iter().filter(|r| r.refused == Some(37)).count() <= 1);
    assert!(Arc::ptr_eq(&first, &get(&mut network, &credential)));
    // The ticket ends by the KDC's clock.
    network.now = first.times.end_time - 7_200;
    kdc.set_time(FixedClock::at(first.times.end_time));
    assert!(!Arc::ptr_eq(&first, &get(&mut network, &credential)));
}

#[test]
fn tickets_survive_a_file_with_offset_and_names() {
    let mut network = Network::of([kdc()]);
    let credential = alice();
    let ticket = get(&mut network, &credential);
    let file = credential.tickets().to_cache(&named("alice"));
    let again = ClientCredential::cache(&file, NOW);
    network.kdcs.clear();
    assert_eq!(get(&mut network, &again).ticket, ticket.ticket);
    assert_eq!(again.client(), &named("alice"));
}

#[test]
fn equal_fetches_have_equal_keys_and_different_ones_do_not() {
    let credential = alice();
    let key = |service: &str| Acquisition::new(&credential, named(service)).key();
    assert_eq!(key(SERVICE), key(SERVICE));
    assert_ne!(key(SERVICE), key("HTTP/other.example.com"));
    let bob = ClientCredential::password(named("bob"), "builder");
    assert_ne!(key(SERVICE), Acquisition::new(&bob, named(SERVICE)).key());
    assert_ne!(
        Acquisition::forwarded(&credential).key(),
        Acquisition::ticket_granting_ticket(&credential).key()
    );
}

#[test]
fn credentials_and_acquisitions_can_be_shared_and_parked() {
    fn parked<T: Send + Sync + 'static>(_: &T) {}
    let credential = alice();
    parked(&credential);
    parked(&Acquisition::new(&credential, web()));
    parked(credential.tickets());
    let dynamic: Box<dyn Exchange<Output = Arc<TicketCredential>>> =
        Box::new(Acquisition::new(&credential, Principal::clone(&service())));
    parked(&dynamic);
    assert!(!format!("{credential:?} {dynamic:?}").contains(PASSWORD));
}
