//! From realm to realm: configured ways, the hierarchy, referrals, and where they must end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[path = "support/network.rs"]
mod support;

use countersign_context::credential::{Principal, ServiceName};
use countersign_context::kerberos::kdc::{
    Acquisition, ClientCredential, RealmPaths, ServiceTicket, ServiceTicketOutcome,
};
use countersign_context::token::kerberos::TicketFlags;
use countersign_context::{ErrorKind, KdcProblem, ReplyPart};
use countersign_testkit::{Account, Framing, Kdc, KrbErrorBuilder};
use support::*;

const WEB: &str = "HTTP/web.test";

/// A realm that shares keys with others, both ways. Its KDC refers to `refers` whoever asks for
/// the service.
fn realm(name: &str, neighbours: &[&str], refers: Option<&str>) -> Kdc {
    let mut builder = Kdc::builder(name).user("alice", "wonderland");
    for neighbour in neighbours {
        let mut outward = Account::service(&format!("krbtgt/{neighbour}"));
        if refers == Some(neighbour) {
            // RFC 6806 §8 in one line: the service is known here as another realm's KDC.
            outward = outward.alias(WEB);
        }
        builder = builder
            .account(outward)
            .service(&format!("krbtgt/{name}@{neighbour}"));
    }
    builder.build().unwrap()
}

fn with_service(name: &str, neighbours: &[&str]) -> Kdc {
    let mut builder = Kdc::builder(name).service(WEB);
    for neighbour in neighbours {
        builder = builder
            .service(&format!("krbtgt/{neighbour}"))
            .service(&format!("krbtgt/{name}@{neighbour}"));
    }
    builder.build().unwrap()
}

fn web_in(realm: &str) -> Principal {
    Principal::parse(format!("{WEB}@{realm}")).unwrap()
}

fn from(home: &str, service: Principal) -> ServiceTicket {
    ServiceTicket::new(tgt(home, "alice"), service)
}

fn kind<T: core::fmt::Debug>(result: Result<T, countersign_context::Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn a_referral_is_followed_and_the_tgt_of_the_way_is_kept() {
    let mut network = Network::of([
        realm("A.TEST", &["B.TEST"], Some("B.TEST")),
        with_service("B.TEST", &["A.TEST"]),
    ]);
    let outcome = network.run(from("A.TEST", web_in(""))).unwrap();
    assert_eq!(outcome.credential.server, web_in("B.TEST"));
    assert_eq!(outcome.credential.client.realm(), b"A.TEST");
    let [on_the_way] = outcome.intermediate.as_slice() else {
        panic!("{:?}", outcome.intermediate)
    };
    assert_eq!(
        on_the_way.server,
        Principal::ticket_granting_service("B.TEST", "A.TEST")
    );
    assert_eq!(network.asked(), ["A.TEST", "B.TEST"]);

    // Without canonicalization nobody is asked to send us anywhere.
    let asked = network.sent.len();
    let strict = network.run(from("A.TEST", web_in("")).canonicalize(false));
    assert!(strict.is_ok_and(|outcome| outcome.intermediate.is_empty()));
    assert_eq!(network.asked()[asked..], ["A.TEST"]);
}

/// RFC 4120 §2.8: OK-AS-DELEGATE is the policy of the realm that says it. Another realm trusts its
/// own services as it likes, and gets no user's ticket-granting ticket by that.
#[test]
fn another_realms_word_on_delegation_counts_only_where_the_ticket_to_it_has_the_flag() {
    for vouched in [false, true] {
        let mut outward = Account::service("krbtgt/B.TEST").alias(WEB);
        if vouched {
            outward = outward.ok_as_delegate();
        }
        let home = Kdc::builder("A.TEST")
            .user("alice", "wonderland")
            .account(outward)
            .account(Account::service("HTTP/own.test").ok_as_delegate());
        let web = Account::service(WEB).ok_as_delegate();
        let there = Kdc::builder("B.TEST")
            .account(web)
            .service("krbtgt/B.TEST@A.TEST");
        let mut network = Network::of([home.build().unwrap(), there.build().unwrap()]);
        let trusted = |outcome: &ServiceTicketOutcome| {
            let flags = outcome.credential.flags;
            flags.contains(TicketFlags::OK_AS_DELEGATE)
        };
        let referred = network.run(from("A.TEST", web_in(""))).unwrap();
        assert_eq!(referred.credential.server, web_in("B.TEST"));
        assert_eq!(trusted(&referred), vouched, "referred");
        // The same with the ticket-granting ticket that is there already.
        let known = from("A.TEST", web_in("B.TEST")).known_tickets(referred.intermediate.clone());
        assert_eq!(trusted(&network.run(known).unwrap()), vouched, "known");
        let tgt = referred.intermediate[0].clone();
        let direct = network.run(ServiceTicket::new(tgt, web_in("B.TEST")));
        assert_eq!(trusted(&direct.unwrap()), vouched, "direct");
        // Their own realm is whom clients believe anyway.
        let own = Principal::parse("HTTP/own.test@A.TEST").unwrap();
        assert!(trusted(&network.run(from("A.TEST", own)).unwrap()));
    }
}

/// Whoever has a key with a realm on the way may refer to any name; this one has 20,000 ancestors.
#[test]
fn a_referral_to_a_realm_of_absurd_depth_costs_no_more_than_any_other() {
    let deep = format!("{}X.TEST", "a.".repeat(20_000));
    let path = RealmPaths::new().between(deep.as_bytes(), b"B.X.TEST");
    assert_eq!(path.realms().count(), 2);
    let path = RealmPaths::new().between(b"B.X.TEST", deep.as_bytes());
    assert_eq!(path.realms().count(), 2);
    // As many labels as anybody has.
    let path = RealmPaths::new().between(b"F.E.D.C.A.X.TEST", b"B.X.TEST");
    assert_eq!(path.realms().count(), 7);
}

#[test]
fn a_credential_finds_a_service_of_another_realm_and_goes_there_directly_the_next_time() {
    let mut network = Network::of([
        realm("A.TEST", &["B.TEST"], Some("B.TEST")),
        with_service("B.TEST", &["A.TEST"]),
    ]);
    let alice = Principal::parse("alice@A.TEST").unwrap();
    let credential = ClientCredential::password(alice, "wonderland");
    let name = ServiceName::parse(WEB).unwrap();
    let ticket = network.run(Acquisition::new(&credential, &name)).unwrap();
    assert_eq!(ticket.server, web_in("B.TEST"));
    let before = network.sent.len();
    network.run(Acquisition::new(&credential, &name)).unwrap();
    assert_eq!(network.sent.len(), before);
    // The TGT for the other realm is there: one request, to that realm.
    let mut named = credential.clone().service_realm("B.TEST");
    named.tickets().forget(&web_in("B.TEST"));
    named = named.canonicalize(false);
    network.run(Acquisition::new(&named, &name)).unwrap();
    assert_eq!(network.asked()[before..], ["B.TEST"]);
}

#[test]
fn referrals_in_a_circle_are_refused() {
    let mut network = Network::of([
        realm("A.TEST", &["B.TEST"], Some("B.TEST")),
        realm("B.TEST", &["A.TEST", "C.TEST"], Some("C.TEST")),
        realm("C.TEST", &["B.TEST", "A.TEST"], Some("A.TEST")),
    ]);
    let result = network.run(from("A.TEST", web_in("")));
    assert_eq!(kind(result), ErrorKind::Kdc(KdcProblem::ReferralLoop));
    assert_eq!(network.asked(), ["A.TEST", "B.TEST", "C.TEST"]);
}

/// Realms in a row, each of which refers to the next; the service is in the last one.
fn row(hops: usize) -> Network {
    let name = |n: usize| format!("R{n}.TEST");
    let kdcs = (0..=hops).map(|n| {
        let (next, last) = (name(n + 1), n.checked_sub(1).map(name));
        match n == hops {
            true => with_service(&name(n), &[last.as_deref().unwrap()]),
            false => {
                let neighbours: Vec<&str> = [Some(next.as_str()), last.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect();
                realm(&name(n), &neighbours, Some(&next))
            }
        }
    });
    Network::of(kdcs.collect::<Vec<_>>())
}

#[test]
fn ten_referrals_are_followed_and_the_eleventh_is_not() {
    let mut near = row(10);
    let outcome = near.run(from("R0.TEST", web_in(""))).unwrap();
    assert_eq!(outcome.credential.server, web_in("R10.TEST"));
    assert_eq!(outcome.intermediate.len(), 10);
    let mut far = row(11);
    let result = far.run(from("R0.TEST", web_in("")));
    assert_eq!(kind(result), ErrorKind::Kdc(KdcProblem::ReferralLoop));
    assert_eq!(far.sent.len(), 11);
}

#[test]
fn without_configuration_the_nearest_realm_that_has_a_key_is_taken() {
    // A.X knows X only, X knows B.X.
    let mut network = Network::of([
        realm("A.X.TEST", &["X.TEST"], None),
        realm("X.TEST", &["A.X.TEST", "B.X.TEST"], None),
        with_service("B.X.TEST", &["X.TEST"]),
    ]);
    let outcome = network.run(from("A.X.TEST", web_in("B.X.TEST"))).unwrap();
    assert_eq!(outcome.credential.server, web_in("B.X.TEST"));
    assert_eq!(outcome.intermediate.len(), 2);
    assert_eq!(
        network.asked(),
        ["A.X.TEST", "A.X.TEST", "X.TEST", "B.X.TEST"]
    );

    // With a direct key the detour is not made.
    let mut direct = Network::of([
        realm("A.X.TEST", &["X.TEST", "B.X.TEST"], None),
        with_service("B.X.TEST", &["A.X.TEST"]),
    ]);
    direct.run(from("A.X.TEST", web_in("B.X.TEST"))).unwrap();
    assert_eq!(direct.asked(), ["A.X.TEST", "B.X.TEST"]);

    // Nobody has a key.
    let mut alone = Network::of([realm("A.X.TEST", &[], None)]);
    let result = alone.run(from("A.X.TEST", web_in("B.X.TEST")));
    assert_eq!(kind(result), ErrorKind::Kdc(KdcProblem::ServiceUnknown));
}

fn three_realms() -> [Kdc; 3] {
    [
        // A direct key exists too.
        realm("A.TEST", &["HUB.TEST", "B.TEST"], None),
        realm("HUB.TEST", &["A.TEST", "B.TEST"], None),
        with_service("B.TEST", &["HUB.TEST", "A.TEST"]),
    ]
}

#[test]
fn a_configured_way_is_taken_step_by_step() {
    let paths = RealmPaths::new().with("A.TEST", "B.TEST", ["HUB.TEST"]);
    let mut network = Network::of(three_realms());
    let ask = || from("A.TEST", web_in("B.TEST")).paths(paths.clone());
    network.run(ask()).unwrap();
    assert_eq!(network.asked(), ["A.TEST", "HUB.TEST", "B.TEST"]);
    // The control: without it the direct key is used.
    let mut free = Network::of(three_realms());
    free.run(from("A.TEST", web_in("B.TEST"))).unwrap();
    assert_eq!(free.asked(), ["A.TEST", "B.TEST"]);
}

/// Somebody on the path says that the hub is unknown: the configured way is not left for it.
#[test]
fn an_unauthenticated_error_does_not_lead_off_the_configured_way() {
    let paths = RealmPaths::new().with("A.TEST", "B.TEST", ["HUB.TEST"]);
    let kdcs = three_realms();
    kdcs[0].edit_bytes(|seen, bytes| {
        let hub = Principal::ticket_granting_service("HUB.TEST", "A.TEST");
        if seen.server.as_ref() == Some(&hub) {
            *bytes = KrbErrorBuilder::new(7, hub)
                .framing(Framing::Bare)
                .build()
                .unwrap();
        }
    });
    let mut network = Network::of(kdcs);
    let result = network.run(from("A.TEST", web_in("B.TEST")).paths(paths));
    assert_eq!(kind(result), ErrorKind::Kdc(KdcProblem::ServiceUnknown));
    assert_eq!(network.asked(), ["A.TEST"]);
}

#[test]
fn a_kdc_may_shorten_a_free_way_and_not_a_configured_one() {
    // A.X answers for krbtgt/B.X with a key of Y, as a KDC with its own [capaths] does.
    let shortcut = || {
        let kdc = Kdc::builder("A.X.TEST")
            .account(Account::service("krbtgt/Y.TEST").alias("krbtgt/B.X.TEST"))
            .build()
            .unwrap();
        [
            kdc,
            realm("Y.TEST", &["A.X.TEST", "B.X.TEST"], None),
            with_service("B.X.TEST", &["Y.TEST"]),
        ]
    };
    let mut free = Network::of(shortcut());
    free.run(from("A.X.TEST", web_in("B.X.TEST"))).unwrap();
    assert_eq!(free.asked(), ["A.X.TEST", "Y.TEST", "B.X.TEST"]);
    let direct = RealmPaths::new().with("A.X.TEST", "B.X.TEST", [""; 0]);
    let mut bound = Network::of(shortcut());
    let result = bound.run(from("A.X.TEST", web_in("B.X.TEST")).paths(direct));
    let mismatch = KdcProblem::ReplyMismatch(ReplyPart::Server);
    assert_eq!(kind(result), ErrorKind::Kdc(mismatch));
}

#[test]
fn tgts_that_the_client_has_already_save_the_way() {
    let mut network = Network::of(three_realms());
    let known = tgt_for("A.TEST", "alice", "B.TEST");
    network
        .run(from("A.TEST", web_in("B.TEST")).known_tickets(vec![known.into()]))
        .unwrap();
    assert_eq!(network.asked(), ["B.TEST"]);
    // Another client's is of no use.
    let mut network = Network::of(three_realms());
    let foreign = tgt_for("A.TEST", "bob", "B.TEST");
    network
        .run(from("A.TEST", web_in("B.TEST")).known_tickets(vec![foreign.into()]))
        .unwrap();
    assert_eq!(network.asked(), ["A.TEST", "B.TEST"]);
}

#[test]
fn a_referral_out_of_a_realm_that_was_not_asked_is_refused() {
    let kdcs = || {
        [
            realm("A.TEST", &["B.TEST"], Some("B.TEST")),
            with_service("B.TEST", &["A.TEST"]),
        ]
    };
    assert!(Network::of(kdcs()).run(from("A.TEST", web_in(""))).is_ok());
    let bent = kdcs();
    bent[0].edit_enc_part(|_, part| {
        part.srealm = countersign_testkit::rasn_kerberos::Realm::try_from("EVIL.TEST").unwrap();
    });
    bent[0].edit_reply(|_, reply| {
        reply.ticket.realm =
            countersign_testkit::rasn_kerberos::Realm::try_from("EVIL.TEST").unwrap();
    });
    let result = Network::of(bent).run(from("A.TEST", web_in("")));
    let mismatch = KdcProblem::ReplyMismatch(ReplyPart::Server);
    assert_eq!(kind(result), ErrorKind::Kdc(mismatch));
}

#[test]
fn the_realm_of_the_caller_wins_over_the_clients_and_none_is_made_up() {
    let mut network = Network::of([
        realm("A.TEST", &["B.TEST"], None),
        with_service("B.TEST", &["A.TEST"]),
    ]);
    let alice = Principal::parse("alice@A.TEST").unwrap();
    let credential = ClientCredential::password(alice, "wonderland");
    let name = ServiceName::parse(WEB).unwrap();
    // The client's own realm knows of no such service and refers to none.
    let result = network.run(Acquisition::new(&credential, &name));
    assert_eq!(kind(result), ErrorKind::Kdc(KdcProblem::ServiceUnknown));
    assert!(network.asked().iter().all(|realm| realm == "A.TEST"));
    let told = credential.service_realm("B.TEST");
    let ticket = network.run(Acquisition::new(&told, &name)).unwrap();
    assert_eq!(ticket.server, web_in("B.TEST"));
}
