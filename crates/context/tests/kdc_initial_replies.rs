//! AS-REPs that a client must refuse, each beside the honest one that it accepts.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

#[path = "support/kdc.rs"]
mod support;

use std::time::Duration;

use countersign_context::credential::{Principal, TicketCredential};
use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::kerberos::kdc::{
    ClientSecret, ExchangeStep, InitialTicket, KdcAnswer, TicketOptions,
};
use countersign_context::{EnctypeSet, ErrorKind, KdcProblem, Policy, ReplyPart};
use countersign_testkit::rasn_kerberos as krb;
use countersign_testkit::{Account, Kdc, NOW, SeededRandom};
use support::*;

fn text(text: &str) -> krb::KerberosString {
    krb::KerberosString::try_from(text.as_bytes().to_vec()).unwrap()
}

fn name(components: &[&str]) -> krb::PrincipalName {
    krb::PrincipalName {
        r#type: 1,
        string: components.iter().map(|component| text(component)).collect(),
    }
}

fn mismatch(part: ReplyPart) -> ErrorKind {
    ErrorKind::Kdc(KdcProblem::ReplyMismatch(part))
}

/// The honest reply gives a ticket, the changed one an error.
#[track_caller]
fn refused(exchange: impl Fn(&Kdc) -> InitialTicket, change: impl Fn(&Kdc), expected: ErrorKind) {
    let kdc = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .service("HTTP/www.example.com")
        .build()
        .unwrap();
    assert!(obtain(&kdc, exchange(&kdc)).is_ok());
    change(&kdc);
    let error = obtain(&kdc, exchange(&kdc)).unwrap_err();
    assert_eq!(error, expected);
    kdc.clear_edits();
    assert!(obtain(&kdc, exchange(&kdc)).is_ok());
}

/// CVE-2017-11103: what stands in the clear is anybody's.
#[test]
fn names_that_are_rewritten_in_the_clear_are_refused() {
    type Edit = fn(&mut krb::KdcRep);
    let edits: [(Edit, ReplyPart); 6] = [
        (|reply| reply.cname = name(&["mallory"]), ReplyPart::Client),
        (
            |reply| reply.cname = name(&["alice", ""]),
            ReplyPart::Client,
        ),
        (|reply| reply.crealm = text("OTHER.COM"), ReplyPart::Client),
        (
            |reply| reply.ticket.sname = name(&["krbtgt", "OTHER.COM"]),
            ReplyPart::Ticket,
        ),
        (
            |reply| reply.ticket.sname = name(&["HTTP", "www.example.com"]),
            ReplyPart::Ticket,
        ),
        (
            |reply| reply.ticket.realm = text("OTHER.COM"),
            ReplyPart::Ticket,
        ),
    ];
    for (edit, part) in edits {
        let change = |kdc: &Kdc| kdc.edit_reply(move |_, reply| edit(reply));
        refused(alice, change, mismatch(part));
    }
    // Where names may be canonical, the client's is proved and the others still compared.
    for (edit, part) in edits.into_iter().skip(2) {
        let change = |kdc: &Kdc| kdc.edit_reply(move |_, reply| edit(reply));
        refused(|kdc| alice(kdc).canonicalize(true), change, mismatch(part));
    }
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let change = |kdc: &Kdc| kdc.edit_enc_part(|_, part| part.nonce ^= 1);
    refused(alice, change, mismatch(ReplyPart::Nonce));

    // A recorded one, of the same client and the same second.
    let kdc = kdc();
    let mut recorded = Vec::new();
    let first = Client::new().run(&mut alice(&kdc), |request| {
        recorded = kdc.answer(&request.message);
        KdcAnswer::Reply(recorded.clone())
    });
    assert!(first.is_ok());
    let mut client = Client::new();
    client
        .run(&mut alice(&kdc), |request| {
            KdcAnswer::Reply(kdc.answer(&request.message))
        })
        .unwrap();
    let replayed = client.run(&mut alice(&kdc), |_| KdcAnswer::Reply(recorded.clone()));
    // Whatever is compared first: the request's checksum, here.
    assert_eq!(replayed.unwrap_err(), mismatch(ReplyPart::Request));
}

#[test]
fn a_ticket_for_another_service_is_refused_even_where_names_may_change() {
    for canonicalize in [false, true] {
        let change = |kdc: &Kdc| {
            kdc.edit_enc_part(|_, part| part.sname = name(&["HTTP", "www.example.com"]));
            kdc.edit_reply(|_, reply| reply.ticket.sname = name(&["HTTP", "www.example.com"]));
        };
        let exchange = |kdc: &Kdc| alice(kdc).canonicalize(canonicalize);
        refused(exchange, change, mismatch(ReplyPart::Server));
    }
    let service = |kdc: &Kdc| {
        let service = kdc.principal("HTTP/www.example.com");
        alice(kdc).service(service).canonicalize(true)
    };
    let change = |kdc: &Kdc| {
        kdc.edit_enc_part(|_, part| part.sname = name(&["krbtgt", REALM]));
        kdc.edit_reply(|_, reply| reply.ticket.sname = name(&["krbtgt", REALM]));
    };
    refused(service, change, mismatch(ReplyPart::Server));
}

#[test]
fn times_that_were_not_asked_for_are_refused() {
    let second = Duration::from_secs(1);
    let hour = |kdc: &Kdc| {
        let options = TicketOptions::default().lifetime(3_600 * second);
        alice(kdc).options(options)
    };
    let longer = move |kdc: &Kdc| kdc.edit_enc_part(move |_, part| part.end_time.0 += second);
    refused(hour, longer, mismatch(ReplyPart::Times));

    let renewable = |kdc: &Kdc| {
        let options = TicketOptions::default().renewable(86_400 * second);
        alice(kdc).options(options)
    };
    let longer = move |kdc: &Kdc| {
        kdc.edit_enc_part(move |_, part| part.renew_till.as_mut().unwrap().0 += second);
    };
    refused(renewable, longer, mismatch(ReplyPart::Times));

    let postdated = |kdc: &Kdc| alice(kdc).options(TicketOptions::default().start_at(NOW + 7_200));
    let later = move |kdc: &Kdc| {
        kdc.edit_enc_part(move |_, part| part.start_time.as_mut().unwrap().0 += second);
    };
    refused(postdated, later, mismatch(ReplyPart::Times));

    // Over before it begins.
    let over = |kdc: &Kdc| {
        kdc.edit_enc_part(|_, part| part.end_time = part.start_time.clone().unwrap());
    };
    refused(alice, over, mismatch(ReplyPart::Times));
}

#[test]
fn addresses_that_were_not_asked_for_are_refused() {
    let address = |last| countersign_context::credential::HostAddress {
        addr_type: 2,
        address: vec![192, 0, 2, last],
    };
    let bound = krb::HostAddress {
        addr_type: 2,
        address: vec![192, 0, 2, 1].into(),
    };
    let change = move |kdc: &Kdc| {
        let bound = bound.clone();
        kdc.edit_enc_part(move |_, part| part.caddr = Some(vec![bound.clone()]));
    };
    refused(alice, &change, mismatch(ReplyPart::Addresses));
    let other = |kdc: &Kdc| alice(kdc).options(TicketOptions::default().addresses([address(2)]));
    refused(other, &change, mismatch(ReplyPart::Addresses));

    let kdc = kdc();
    change(&kdc);
    let same = alice(&kdc).options(TicketOptions::default().addresses([address(1)]));
    assert!(obtain(&kdc, same).is_ok());
}

/// Seals the encrypted part anew.
fn reseal(kdc: &Kdc, usage: KeyUsage, key: impl Fn(&Key) -> Key + Send + 'static) {
    let keytab = kdc.keytab(&["alice"]).unwrap();
    kdc.edit_reply(move |_, reply| {
        let enctype = Enctype::from_id(reply.enc_part.etype);
        let alice = keytab.entries()[0].principal();
        let entry = keytab.find(alice, None, enctype).unwrap();
        let right = entry.key().unwrap();
        let plaintext = right
            .decrypt(KeyUsage::AS_REP, &reply.enc_part.cipher)
            .unwrap();
        let sealed = key(right).encrypt(usage, &plaintext, &mut SeededRandom::new(1));
        reply.enc_part.cipher = sealed.unwrap().into();
    });
}

#[test]
fn a_reply_of_another_key_usage_enctype_or_key_does_not_open() {
    let wrong = ErrorKind::Kdc(KdcProblem::WrongSecret);
    for usage in [1, 8, 9, 12] {
        let change = |kdc: &Kdc| reseal(kdc, KeyUsage(usage), Key::duplicate);
        refused(alice, change, wrong);
    }
    let change = |kdc: &Kdc| {
        reseal(kdc, KeyUsage::AS_REP, |key| {
            Key::new(key.enctype(), &vec![7; key.enctype().key_len()]).unwrap()
        });
    };
    refused(alice, change, wrong);
    let other = |kdc: &Kdc| kdc.edit_reply(|_, reply| reply.enc_part.etype = 18);
    refused(alice, other, wrong);
    // The control of the controls: sealed anew and right.
    let kdc = kdc();
    reseal(&kdc, KeyUsage::AS_REP, Key::duplicate);
    assert!(obtain(&kdc, alice(&kdc)).is_ok());
}

#[test]
fn enctypes_that_the_policy_does_not_name_are_refused_for_reply_ticket_and_session_key() {
    let refusal = |enctype| ErrorKind::EnctypeRefused { enctype };
    for enctype in [23, 26, 3, 99] {
        let change = |kdc: &Kdc| kdc.edit_reply(move |_, reply| reply.enc_part.etype = enctype);
        refused(alice, change, refusal(enctype));
        let change =
            |kdc: &Kdc| kdc.edit_reply(move |_, reply| reply.ticket.enc_part.etype = enctype);
        refused(alice, change, refusal(enctype));
        let change = |kdc: &Kdc| kdc.edit_enc_part(move |_, part| part.key.r#type = enctype);
        refused(alice, change, refusal(enctype));
    }
    // A key that is not as long as its enctype's.
    let change = |kdc: &Kdc| kdc.edit_enc_part(|_, part| part.key.value = vec![1; 31].into());
    refused(alice, change, refusal(20));
}

/// A realm in which alice has another name too.
fn aliased() -> Kdc {
    let user = Account::user("alice", PASSWORD).alias("ali");
    Kdc::builder(REALM).account(user).build().unwrap()
}

/// RFC 6806 §11: the checksum over the request vouches for the name.
#[test]
fn a_canonical_name_is_believed_only_where_the_kdc_proves_to_have_written_it() {
    let kdc = aliased();
    let exchange = || {
        let keytab = kdc.keytab(&["alice"]).unwrap();
        let secret = ClientSecret::keytab(&keytab, &kdc.principal("alice")).unwrap();
        InitialTicket::new(kdc.principal("ali"), secret).canonicalize(true)
    };
    let outcome = obtain(&kdc, exchange()).unwrap();
    assert_eq!(outcome.credential.client, kdc.principal("alice"));

    // Somebody takes the request for a proof out of the request: [149] becomes [150].
    let mut client = Client::new();
    let stripped = client.run(&mut exchange(), |request| {
        let mut message = request.message.clone();
        let at = find(&message, &[0xa1, 4, 2, 2, 0, 149]).unwrap();
        message[at + 5] = 150;
        KdcAnswer::Reply(kdc.answer(&message))
    });
    let problem = ErrorKind::Kdc(KdcProblem::ClientNotVerified);
    assert_eq!(stripped.unwrap_err(), problem);

    // Where names may not change, an alias is a mistake.
    kdc.edit_reply(|_, reply| reply.cname = name(&["alice"]));
    let error = obtain(&kdc, exchange().canonicalize(false)).unwrap_err();
    assert_eq!(error, mismatch(ReplyPart::Client));
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// RFC 6806 §11: somebody on the path has the KDC issue a ticket for another realm's ticket-granting
/// service, which would then answer for every server whose realm the client leaves open.
#[test]
fn another_ticket_granting_service_than_asked_for_is_taken_only_with_proof() {
    let kdc = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .service("krbtgt/SPOOFER.COM")
        .build()
        .unwrap();
    let run = |rename: bool| {
        Client::new().run(&mut alice(&kdc).canonicalize(true), |request| {
            let mut message = request.message.clone();
            let at = find(&message, &[0xa1, 4, 2, 2, 0, 149]).unwrap();
            message[at + 5] = 150;
            let realm = REALM.as_bytes();
            if rename {
                // The last one is in the server's name.
                let mut places = message.windows(realm.len());
                let at = places.rposition(|window| window == realm).unwrap();
                message[at..at + realm.len()].copy_from_slice(b"SPOOFER.COM");
            }
            KdcAnswer::Reply(kdc.answer(&message))
        })
    };
    assert!(run(false).is_ok());
    assert_eq!(run(true).unwrap_err(), mismatch(ReplyPart::Server));

    // A KDC that proves which request it saw may name another.
    let other = || name(&["krbtgt", "SPOOFER.COM"]);
    kdc.edit_enc_part(move |_, part| part.sname = other());
    kdc.edit_reply(move |_, reply| reply.ticket.sname = other());
    let outcome = obtain(&kdc, alice(&kdc).canonicalize(true)).unwrap();
    let server = Principal::ticket_granting_service("SPOOFER.COM", REALM);
    assert_eq!(outcome.credential.server, server);
}

#[test]
fn a_request_that_was_altered_on_its_way_is_noticed() {
    let kdc = kdc();
    let mut client = Client::new();
    let exchange = || alice(&kdc).options(TicketOptions::default().forwardable(true));
    let run = |client: &mut Client, alter: bool| {
        client.run(&mut exchange(), |request| {
            let mut message = request.message.clone();
            if alter {
                // FORWARDABLE is cleared and PROXIABLE set.
                let at = find(&message, &[3, 5, 0, 0x40]).unwrap();
                message[at + 3] = 0x10;
            }
            KdcAnswer::Reply(kdc.answer(&message))
        })
    };
    assert!(run(&mut client, false).is_ok());
    let error = run(&mut client, true).unwrap_err();
    assert_eq!(error, mismatch(ReplyPart::Request));
}

#[test]
fn what_is_no_reply_is_refused() {
    let kdc = kdc();
    let mut recorded = Vec::new();
    let honest = Client::new().run(&mut alice(&kdc), |request| {
        recorded = kdc.answer(&request.message);
        KdcAnswer::Reply(recorded.clone())
    });
    assert!(honest.is_ok());
    // A TGS-REP is no AS-REP.
    let mut tgs = recorded.clone();
    tgs[0] = 0x6d;
    for answer in [
        Vec::new(),
        vec![0],
        vec![0x7e],
        vec![0x6b],
        tgs,
        b"HTTP/1.1 200".to_vec(),
    ] {
        let error = Client::new()
            .run(&mut alice(&kdc), |_| KdcAnswer::Reply(answer.clone()))
            .unwrap_err();
        let defective = matches!(error, ErrorKind::Kdc(KdcProblem::DefectiveReply(_)));
        assert!(defective, "{error:?}");
    }
    // The request, sent back.
    let error = Client::new()
        .run(&mut alice(&kdc), |request| {
            KdcAnswer::Reply(request.message.clone())
        })
        .unwrap_err();
    assert!(matches!(
        error,
        ErrorKind::Kdc(KdcProblem::DefectiveReply(_))
    ));
    let long = vec![0; 64 * 1024 + 1];
    let error = Client::new()
        .run(&mut alice(&kdc), |_| KdcAnswer::Reply(long.clone()))
        .unwrap_err();
    assert!(matches!(error, ErrorKind::TokenTooLarge { .. }));
}

/// What the client believes of a ticket, without the ticket's own bytes.
fn believed(ticket: &TicketCredential) -> (Principal, Principal, Vec<u8>, [i64; 2], u32) {
    (
        ticket.client.clone(),
        ticket.server.clone(),
        ticket.key.expose().to_vec(),
        [ticket.times.end_time, ticket.times.valid_from()],
        ticket.flags.0,
    )
}

#[test]
fn every_prefix_and_bit_flip_of_an_as_rep_is_refused_or_says_the_same() {
    let kdc = kdc();
    let keytab = kdc.keytab(&["alice"]).unwrap();
    let secret = ClientSecret::keytab(&keytab, &kdc.principal("alice")).unwrap();
    // The client's randomness repeats, and with it the request.
    let run = |answer: &mut dyn FnMut(&[u8]) -> Vec<u8>| {
        let mut exchange =
            InitialTicket::new(kdc.principal("alice"), secret.clone()).optimistic(true);
        let mut client = Client::new();
        let Ok(ExchangeStep::Send(request)) = client.step(&mut exchange, None) else {
            panic!("nothing was sent")
        };
        let reply = KdcAnswer::Reply(answer(&request.message));
        client.step(&mut exchange, Some(reply))
    };
    let mut recorded = Vec::new();
    let honest = run(&mut |request| {
        recorded = kdc.answer(request);
        recorded.clone()
    });
    let Ok(ExchangeStep::Done(honest)) = honest else {
        panic!("refused: {honest:?}")
    };
    let expected = believed(&honest.credential);
    let mut accepted = 0;
    for bit in 0..recorded.len() * 8 {
        let mut flipped = recorded.clone();
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        if let Ok(ExchangeStep::Done(outcome)) = run(&mut |_| flipped.clone()) {
            assert_eq!(believed(&outcome.credential), expected, "bit {bit}");
            accepted += 1;
        }
    }
    // The ticket's ciphertext, which is none of the client's business, hints and name types.
    assert!(accepted > 0 && accepted < recorded.len() * 8 * 3 / 4);
    for length in 0..recorded.len() {
        let result = run(&mut |_| recorded[..length].to_vec());
        assert!(result.is_err(), "prefix of {length} bytes");
    }
}

#[test]
fn a_reply_with_weak_keys_passes_where_the_policy_names_them() {
    let enctype = Enctype::Camellia256CtsCmac;
    let kdc = Kdc::builder(REALM)
        .enctypes(&[enctype])
        .user("alice", PASSWORD)
        .build()
        .unwrap();
    let named = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
    let mut client = Client::new().with_policy(named);
    assert!(obtain_as(&mut client, &kdc, alice(&kdc)).is_ok());
    assert_eq!(problem(&kdc, alice(&kdc)), KdcProblem::EnctypesDisjoint);
}
