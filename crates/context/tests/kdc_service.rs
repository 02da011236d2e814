//! The TGS exchange against an independent KDC, and every reply that must be refused, each beside
//! a control that is accepted.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[path = "support/network.rs"]
mod support;

use std::time::Duration;

use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::kerberos::kdc::{ExchangeStep, KdcAnswer, ServiceTicket, TicketOptions};
use countersign_context::token::der::Decode;
use countersign_context::token::kerberos::TgsReq;
use countersign_context::{EnctypeSet, ErrorKind, KdcProblem, Policy, ReplyPart};
use countersign_testkit::kdc::SeenRequest;
use countersign_testkit::rasn_kerberos as krb;
use countersign_testkit::{FixedClock, Kdc, NOW};
use support::*;

fn mismatch(part: ReplyPart) -> ErrorKind {
    ErrorKind::Kdc(KdcProblem::ReplyMismatch(part))
}

/// The honest KDC's reply is accepted, the changed one refused.
#[track_caller]
fn only_the_honest_reply_is_accepted(change: impl FnOnce(&Kdc), expected: ErrorKind) {
    assert!(fetch(&mut Network::of([kdc()])).is_ok());
    let bent = kdc();
    change(&bent);
    assert_eq!(refusal(&mut Network::of([bent])), expected);
}

fn on_tgs<T>(mut edit: impl FnMut(&mut T)) -> impl FnMut(&SeenRequest, &mut T) {
    move |_, value| edit(value)
}

#[test]
fn a_tgt_becomes_a_service_ticket_that_the_service_can_read() {
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    let outcome = fetch(&mut network).unwrap();
    let ticket = &outcome.credential;
    assert_eq!(ticket.server, service());
    assert_eq!(ticket.client, named("alice"));
    assert!(outcome.intermediate.is_empty());
    assert_eq!(outcome.time_offset, 0);
    assert!(!ticket.is_skey);
    assert!(ticket.is_valid_at(NOW, 0));
    assert_eq!(network.asked(), [REALM]);

    // Only the request's own keys were offered, in our order.
    let seen = &kdc.seen()[0];
    assert_eq!(seen.etypes, [20, 19, 18, 17]);
    assert_eq!(seen.client, None);
}

#[test]
fn the_request_proves_its_body_with_a_keyed_checksum_and_brings_a_subkey() {
    let tgt = tgt(REALM, "alice");
    let session_key = tgt.session_key().unwrap().duplicate();
    let mut network = Network::of([kdc()]);
    let mut exchange = ServiceTicket::new(tgt, service());
    let ExchangeStep::Send(request) = network.step(&mut exchange, None).unwrap() else {
        panic!("nobody was asked")
    };
    let message = TgsReq::from_der(&request.message).unwrap();
    let padata = message.padata.unwrap().first().unwrap();
    let ap_req =
        countersign_context::token::kerberos::ApReq::from_der(padata.padata_value).unwrap();
    let plaintext = session_key
        .decrypt(KeyUsage::TGS_REQ_AUTHENTICATOR, ap_req.authenticator.cipher)
        .unwrap();
    let authenticator =
        countersign_context::token::kerberos::Authenticator::from_der(&plaintext).unwrap();
    let checksum = authenticator.cksum.unwrap();
    // CVE-2020-2601: of the session key's own type, over the body as it was sent.
    session_key
        .verify_checksum(
            KeyUsage::TGS_REQ_CHECKSUM,
            checksum.cksumtype,
            &[message.req_body.raw()],
            checksum.checksum,
        )
        .unwrap();
    let subkey = authenticator.subkey.unwrap();
    assert_eq!(subkey.keytype, session_key.enctype().id());
    assert_ne!(subkey.keyvalue, session_key.expose());
    assert!(message.nonce_is_positive());
}

trait NonceIsPositive {
    fn nonce_is_positive(&self) -> bool;
}

impl NonceIsPositive for TgsReq<'_> {
    fn nonce_is_positive(&self) -> bool {
        self.req_body.nonce < 1 << 31
    }
}

/// CVE-2017-11103: nothing in the clear is believed, and what was altered is refused.
#[test]
fn rewritten_names_in_the_clear_are_refused() {
    let other = || krb::KerberosString::try_from("HTTP").unwrap();
    let name = move || krb::PrincipalName {
        r#type: 2,
        string: vec![other(), krb::KerberosString::try_from("evil").unwrap()],
    };
    let rename = name;
    only_the_honest_reply_is_accepted(
        move |kdc| {
            kdc.edit_reply(on_tgs(move |rep: &mut krb::KdcRep| {
                rep.ticket.sname = rename()
            }))
        },
        mismatch(ReplyPart::Ticket),
    );
    only_the_honest_reply_is_accepted(
        |kdc| {
            kdc.edit_reply(on_tgs(|rep: &mut krb::KdcRep| {
                rep.ticket.realm = krb::Realm::try_from("EVIL.TEST").unwrap();
            }));
        },
        mismatch(ReplyPart::Ticket),
    );
    only_the_honest_reply_is_accepted(
        move |kdc| kdc.edit_reply(on_tgs(move |rep: &mut krb::KdcRep| rep.cname = name())),
        mismatch(ReplyPart::Client),
    );
    only_the_honest_reply_is_accepted(
        |kdc| {
            kdc.edit_reply(on_tgs(|rep: &mut krb::KdcRep| {
                rep.crealm = krb::Realm::try_from("EVIL.TEST").unwrap();
            }));
        },
        mismatch(ReplyPart::Client),
    );
}

#[test]
fn reply_to_another_request_is_refused() {
    only_the_honest_reply_is_accepted(
        |kdc| kdc.edit_enc_part(on_tgs(|part: &mut krb::EncKdcRepPart| part.nonce ^= 1)),
        mismatch(ReplyPart::Nonce),
    );
    // A whole reply of before is in another subkey.
    let kdc = kdc();
    let mut network = Network::of([kdc.clone()]);
    let mut first = exchange();
    let Ok(ExchangeStep::Send(request)) = network.step(&mut first, None) else {
        panic!("nobody was asked")
    };
    let old = network.answer(&request);
    assert!(matches!(
        network.step(&mut first, Some(old.clone())),
        Ok(ExchangeStep::Done(_))
    ));
    let mut second = exchange();
    let _ = network.step(&mut second, None).unwrap();
    let error = network.step(&mut second, Some(old)).unwrap_err();
    assert_eq!(error.kind(), mismatch(ReplyPart::Request));
}

#[test]
fn reply_for_another_service_is_refused_unless_it_may_be_an_alias() {
    let rename = |kdc: &Kdc, name: &'static str, realm: &'static str| {
        let parts: Vec<_> = name
            .split('/')
            .map(|part| krb::KerberosString::try_from(part).unwrap())
            .collect();
        let ticket_parts = parts.clone();
        kdc.edit_enc_part(move |_, part| {
            part.sname.string.clone_from(&parts);
            part.srealm = krb::Realm::try_from(realm).unwrap();
        });
        kdc.edit_reply(move |_, reply| {
            reply.ticket.sname.string.clone_from(&ticket_parts);
            reply.ticket.realm = krb::Realm::try_from(realm).unwrap();
        });
    };
    for (name, realm, canonicalize, accepted) in [
        (SERVICE, REALM, false, true),
        ("HTTP/other.example.com", REALM, false, false),
        // RFC 6806 §6: the KDC knows the service under another name.
        ("HTTP/other.example.com", REALM, true, true),
        ("HTTP/www.example.com", "OTHER.TEST", true, false),
        ("krbtgt/EXAMPLE.COM", REALM, true, false),
        ("krbtgt/OTHER.TEST", REALM, false, false),
        ("krbtgt/OTHER.TEST", "OTHER.TEST", true, false),
    ] {
        let kdc = kdc();
        rename(&kdc, name, realm);
        let result = Network::of([kdc]).run(exchange().canonicalize(canonicalize));
        match accepted {
            true => assert_eq!(result.unwrap().credential.server, named(name)),
            false => assert_eq!(
                result.unwrap_err().kind(),
                mismatch(ReplyPart::Server),
                "{name}@{realm}"
            ),
        }
    }
}

/// RFC 4120 §3.3.3: the subkey was sent, so nothing else may seal the reply.
#[test]
fn reply_in_the_session_key_or_of_another_usage_is_refused() {
    let tgt = tgt(REALM, "alice");
    let session_key = tgt.session_key().unwrap().duplicate();
    let reseal = |key: &Key, usage: KeyUsage, reply: &[u8], subkey: &Key| -> Vec<u8> {
        let rep = countersign_context::token::kerberos::TgsRep::from_der(reply).unwrap();
        let plaintext = subkey
            .decrypt(KeyUsage::TGS_REP_SUBKEY, rep.enc_part.cipher)
            .unwrap();
        let mut random = countersign_testkit::SeededRandom::new(8);
        let cipher = key.encrypt(usage, &plaintext, &mut random).unwrap();
        let mut rep = rep;
        rep.0.enc_part.cipher = &cipher;
        countersign_context::token::der::Encode::to_der(&rep)
    };
    for (in_subkey, usage, accepted) in [
        (true, KeyUsage::TGS_REP_SUBKEY, true),
        (true, KeyUsage::TGS_REP_SESSION, false),
        (false, KeyUsage::TGS_REP_SESSION, false),
        (false, KeyUsage::TGS_REP_SUBKEY, false),
    ] {
        let mut network = Network::of([kdc()]);
        let mut exchange = ServiceTicket::new(tgt.duplicate(), service());
        let Ok(ExchangeStep::Send(request)) = network.step(&mut exchange, None) else {
            panic!("nobody was asked")
        };
        let subkey = subkey_of(&request.message, &session_key);
        let KdcAnswer::Reply(reply) = network.answer(&request) else {
            panic!("no answer")
        };
        let key = if in_subkey { &subkey } else { &session_key };
        let reply = KdcAnswer::Reply(reseal(key, usage, &reply, &subkey));
        match network.step(&mut exchange, Some(reply)) {
            Ok(ExchangeStep::Done(_)) => assert!(accepted),
            Ok(step) => panic!("unexpected {step:?}"),
            Err(error) => {
                assert!(!accepted);
                assert_eq!(error.kind(), mismatch(ReplyPart::Request));
            }
        }
    }
}

fn subkey_of(message: &[u8], session_key: &Key) -> Key {
    let message = TgsReq::from_der(message).unwrap();
    let padata = message.padata.unwrap().first().unwrap();
    let ap_req =
        countersign_context::token::kerberos::ApReq::from_der(padata.padata_value).unwrap();
    let plaintext = session_key
        .decrypt(KeyUsage::TGS_REQ_AUTHENTICATOR, ap_req.authenticator.cipher)
        .unwrap();
    let authenticator =
        countersign_context::token::kerberos::Authenticator::from_der(&plaintext).unwrap();
    let subkey = authenticator.subkey.unwrap();
    Key::new(Enctype::from_id(subkey.keytype).unwrap(), subkey.keyvalue).unwrap()
}

#[test]
fn ticket_that_outlasts_what_was_asked_for_is_refused() {
    let later = |kdc: &Kdc| {
        kdc.edit_enc_part(|_, part| {
            part.end_time = krb::KerberosTime(part.end_time.0 + Duration::from_secs(1));
        });
    };
    only_the_honest_reply_is_accepted(later, mismatch(ReplyPart::Times));
    let hour = TicketOptions::default().lifetime(Duration::from_secs(3_600));
    let outcome = Network::of([kdc()]).run(exchange().options(hour.clone()));
    assert_eq!(outcome.unwrap().credential.times.end_time, NOW + 3_600);
    let kdc = kdc();
    later(&kdc);
    let error = Network::of([kdc])
        .run(exchange().options(hour))
        .unwrap_err();
    assert_eq!(error.kind(), mismatch(ReplyPart::Times));
}

#[test]
fn weak_or_unasked_enctypes_of_ticket_and_session_key_are_refused() {
    let camellia = EnctypeSet::AES.with(Enctype::Camellia256CtsCmac);
    let kdc = || {
        Kdc::builder(REALM)
            .account(
                countersign_testkit::Account::service(SERVICE)
                    .enctypes(&[Enctype::Camellia256CtsCmac])
                    .session_enctypes(&[Enctype::Aes256CtsHmacSha1_96]),
            )
            .build()
            .unwrap()
    };
    // The session key is as asked and the ticket is not.
    let refused = ErrorKind::EnctypeRefused { enctype: 26 };
    assert_eq!(refusal(&mut Network::of([kdc()])), refused);
    let mut permissive = Network::of([kdc()]);
    permissive.policy = Policy::default().with_enctypes(camellia);
    assert!(fetch(&mut permissive).is_ok());
    // What the caller asks is as binding as the policy.
    let error = permissive
        .run(exchange().enctypes(EnctypeSet::AES))
        .unwrap_err();
    assert_eq!(error.kind(), refused);

    only_the_honest_reply_is_accepted(
        |kdc| {
            kdc.edit_enc_part(|_, part| {
                part.key.r#type = 25;
                part.key.value = vec![7; 16].into();
            });
        },
        ErrorKind::EnctypeRefused { enctype: 25 },
    );
}

#[test]
fn expired_tgt_asks_nobody() {
    let mut network = Network::of([kdc()]);
    network.now = NOW + 36_000;
    assert_eq!(refusal(&mut network), ErrorKind::TicketExpired);
    assert!(network.sent.is_empty());
}

#[test]
fn error_of_the_kdc_has_its_own_kind_and_changes_no_later_request() {
    let mut network = Network::of([kdc()]);
    let error = network
        .run(ServiceTicket::new(
            tgt(REALM, "alice"),
            named("HTTP/nobody.example.com"),
        ))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::ServiceUnknown));
    assert_eq!(error.krb_error_code(), Some(7));
    assert_eq!(network.sent.len(), 1);

    // Whatever code somebody on the path invents: the exchange ends, or the same is asked again.
    let mut honest = Network::of([kdc()]);
    fetch(&mut honest).unwrap();
    for code in -2..=100 {
        let bent = kdc();
        bent.edit_bytes(move |_, bytes| {
            *bytes = countersign_testkit::KrbErrorBuilder::new(code, named("krbtgt/EXAMPLE.COM"))
                .framing(countersign_testkit::Framing::Bare)
                .build()
                .unwrap();
        });
        let mut network = Network::of([bent]);
        assert!(fetch(&mut network).is_err(), "{code}");
        assert!(network.sent.len() <= 2, "{code}");
        for request in &network.sent {
            let ours = TgsReq::from_der(&request.message).unwrap();
            let first = TgsReq::from_der(&honest.sent[0].message).unwrap();
            assert_eq!(ours.req_body.kdc_options, first.req_body.kdc_options);
            assert!(ours.req_body.etype.iter().eq(first.req_body.etype.iter()));
            assert_eq!(request.realm, REALM.as_bytes());
        }
    }
}

#[test]
fn skew_is_followed_once_and_within_the_life_of_the_ticket() {
    let far = kdc();
    far.set_time(FixedClock::at(NOW + 4_000));
    let mut network = Network::of([far.clone()]);
    let outcome = fetch(&mut network).unwrap();
    assert_eq!(outcome.time_offset, 4_000);
    assert_eq!(network.sent.len(), 2);
    // What was learned is used.
    let mut network = Network::of([far.clone()]);
    network.run(exchange().time_offset(4_000)).unwrap();
    assert_eq!(network.sent.len(), 1);

    let mut unwilling = Network::of([far]);
    unwilling.policy = Policy::default().with_skew_recovery(false);
    let skew = ErrorKind::Kdc(KdcProblem::ClockSkew { offset: 4_000 });
    assert_eq!(refusal(&mut unwilling), skew);

    let beyond = kdc();
    beyond.set_time(FixedClock::at(NOW + 36_001));
    let mut network = Network::of([beyond]);
    assert!(fetch(&mut network).is_err());
    assert_eq!(network.sent.len(), 1);
}

#[test]
fn reply_too_big_for_a_datagram_is_asked_for_over_a_stream_once() {
    let kdc = Kdc::builder(REALM)
        .service(SERVICE)
        .datagram_limit(100)
        .without_replay_cache()
        .build()
        .unwrap();
    let mut network = Network::of([kdc]);
    network.datagrams = true;
    fetch(&mut network).unwrap();
    let [first, second] = network.sent.as_slice() else {
        panic!("{} requests", network.sent.len())
    };
    assert!(!first.stream_only && second.stream_only);
    assert_eq!(first.message, second.message);
}

#[test]
fn unreachable_kdc_and_wrong_calls_are_errors() {
    let unreachable = ErrorKind::Kdc(KdcProblem::Unreachable);
    assert_eq!(refusal(&mut Network::of([])), unreachable);
    let mut network = Network::of([kdc()]);
    let reply = KdcAnswer::Reply(Vec::new());
    let error = network.step(&mut exchange(), Some(reply)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedCall);
    let mut asked = exchange();
    let _ = network.step(&mut asked, None).unwrap();
    let error = network.step(&mut asked, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedCall);
}

#[test]
fn every_prefix_and_every_flipped_bit_of_a_reply_is_an_error() {
    let mut network = Network::of([kdc()]);
    let prepared = |network: &mut Network| {
        let mut fresh = Network::of([]);
        let mut exchange = exchange();
        let Ok(ExchangeStep::Send(request)) = fresh.step(&mut exchange, None) else {
            panic!("nobody was asked")
        };
        let _ = network;
        (exchange, request)
    };
    let (mut control, request) = prepared(&mut network);
    let KdcAnswer::Reply(reply) = network.answer(&request) else {
        panic!("no answer")
    };
    assert!(matches!(
        network.step(&mut control, Some(KdcAnswer::Reply(reply.clone()))),
        Ok(ExchangeStep::Done(_))
    ));

    let mut accepted = Vec::new();
    let mut try_one = |label: usize, altered: Vec<u8>| {
        // The same seed: the same nonce and subkey.
        let (mut exchange, again) = prepared(&mut network);
        assert_eq!(again.message, request.message);
        if let Ok(ExchangeStep::Done(outcome)) =
            network.step(&mut exchange, Some(KdcAnswer::Reply(altered)))
        {
            accepted.push((label, outcome.credential));
        }
    };
    for length in 0..reply.len() {
        try_one(length, reply[..length].to_vec());
    }
    assert!(accepted.is_empty());
    let mut try_one = |label: usize, altered: Vec<u8>| {
        let (mut exchange, _) = prepared(&mut network);
        if let Ok(ExchangeStep::Done(outcome)) =
            network.step(&mut exchange, Some(KdcAnswer::Reply(altered)))
        {
            accepted.push((label, outcome.credential));
        }
    };
    for bit in 0..reply.len() * 8 {
        let mut altered = reply.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        try_one(bit, altered);
    }
    // RFC 4120 leaves three things in the clear that nobody checks: the types of names, the key
    // version of the parts, and the ticket itself, which its service will.
    let honest = Network::of([kdc()]).run(exchange()).unwrap().credential;
    for (bit, credential) in accepted {
        assert_eq!(credential.server, honest.server, "bit {bit}");
        assert_eq!(credential.client, honest.client, "bit {bit}");
        assert_eq!(credential.times, honest.times, "bit {bit}");
        assert_eq!(credential.flags, honest.flags, "bit {bit}");
    }
}
