//! User-to-user, RFC 4120 §3.7: what the acceptor with a ticket-granting ticket accepts and
//! refuses, each refusal beside a control.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod support;

use countersign_context::credential::TicketCredential;
use countersign_context::crypto::{Enctype, Key};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator, ServicePattern};
use countersign_context::token::der::{Decode, Encode};
use countersign_context::token::framing::InitialToken;
use countersign_context::token::kerberos::gss_token::{self, TokenId};
use countersign_context::token::kerberos::{ApOptions, ApReq, KerberosString, TgtRep, TgtReq};
use countersign_context::token::oid::Oid;
use countersign_context::{ErrorKind, Flags, Policy, Step};
use countersign_testkit::flags::ap_options;
use countersign_testkit::{NOW, Realm, read_krb_error};
use support::*;

/// Who accepts: a user without a keytab.
const BOB: &str = "bob";

fn own_ticket(realm: &Realm, owner: &str) -> TicketCredential {
    realm.ticket_granting_ticket(owner).mint().unwrap()
}

/// A ticket for `server`, encrypted in the session key of another ticket.
fn ticket_in(realm: &Realm, server: &str, second: &TicketCredential) -> TicketCredential {
    let key: &Key = second.session_key().unwrap();
    let mut ticket = realm
        .ticket(CLIENT, server)
        .enctype(key.enctype())
        .service_key(key.duplicate())
        .named_kvno(None)
        .mint()
        .unwrap();
    ticket.is_skey = true;
    ticket
}

fn bobs_acceptor(ticket: &TicketCredential) -> Acceptor {
    Acceptor::new(&AcceptorCredential::user_to_user(ticket.duplicate()))
}

fn first_token(ticket: &TicketCredential) -> Vec<u8> {
    match World::new(3).step(&mut Initiator::new(ticket.duplicate()), None) {
        Ok(Step::Continue { token }) => token,
        other => panic!("{other:?}"),
    }
}

fn tgt_req() -> Vec<u8> {
    let request = TgtReq {
        server_name: None,
        realm: Some(KerberosString::new(b"EXAMPLE.COM")),
    };
    InitialToken::encode(
        Oid::KERBEROS_USER_TO_USER,
        &[&TokenId::TgtReq.to_bytes(), &request.to_der()],
    )
}

#[test]
fn both_sides_establish_and_the_request_says_user_to_user_in_its_frame_and_options() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let ticket = ticket_in(&realm, BOB, &own);
    let token = first_token(&ticket);
    let frame = InitialToken::parse(&token).unwrap();
    assert_eq!(frame.mechanism, Oid::KERBEROS_USER_TO_USER);
    let request = gss_token::expect(frame.inner, TokenId::ApReq).unwrap();
    let options = ApReq::from_der(request).unwrap().ap_options;
    let expected = ApOptions::USE_SESSION_KEY | ApOptions::MUTUAL_REQUIRED;
    assert_eq!(options, expected);

    let initiator = Initiator::new(ticket).require(Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    let (mut ours, mut theirs) = establish(initiator, bobs_acceptor(&own)).unwrap();
    assert_eq!(theirs.peer().unwrap().to_string(), "alice@EXAMPLE.COM");
    assert_eq!(ours.peer().unwrap().to_string(), "bob@EXAMPLE.COM");
    let sealed = ours.wrap(true, b"hello").unwrap();
    assert_eq!(theirs.unwrap(&sealed).unwrap().message, b"hello");
}

#[test]
fn the_ticket_granting_ticket_is_handed_out_once_and_as_the_kdc_made_it() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let mut acceptor = bobs_acceptor(&own);
    let Ok(Step::Continue { token }) = accept(&mut acceptor, &tgt_req()) else {
        panic!("a TGT-REP is due")
    };
    let frame = InitialToken::parse(&token).unwrap();
    assert_eq!(frame.mechanism, Oid::KERBEROS_USER_TO_USER);
    let reply = gss_token::expect(frame.inner, TokenId::TgtRep).unwrap();
    assert_eq!(TgtRep::from_der(reply).unwrap().ticket.raw(), own.ticket);

    // The AP-REQ follows; a second TGT-REQ does not.
    let request = first_token(&ticket_in(&realm, BOB, &own));
    accepted(&mut acceptor, &request);
    let mut acceptor = bobs_acceptor(&own);
    assert!(accept(&mut acceptor, &tgt_req()).is_ok());
    let found = TokenId::TgtReq.to_bytes();
    assert_eq!(
        refused(&mut acceptor, &tgt_req()),
        ErrorKind::WrongTokenId { found }
    );
}

#[test]
fn an_ordinary_acceptor_refuses_user_to_user_and_says_that_it_has_no_ticket() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let request = first_token(&ticket_in(&realm, BOB, &own));
    for token in [tgt_req(), request.clone()] {
        let error = accept(&mut acceptor(&realm), &token).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UserToUserUnsupported);
        // RFC 4120 §7.5.9, KRB_AP_ERR_NO_TGT.
        let told = read_krb_error(error.token().unwrap()).unwrap();
        assert_eq!(told.error_code, 67);
    }
    accepted(&mut acceptor(&realm), &build(honest(&ticket(&realm))));
    accepted(&mut bobs_acceptor(&own), &request);
}

/// The other way round: a ticket that says that it is user-to-user is not opened by the keytab.
#[test]
fn the_keytab_opens_no_user_to_user_ticket_and_the_session_key_no_other() {
    let realm = realm();
    let own = own_ticket(&realm, SERVICE);
    let both = AcceptorCredential::new(&keytab(&realm)).with_user_to_user(own.duplicate());
    let ordinary = ticket(&realm);
    let mut of_user = ticket_in(&realm, SERVICE, &own);
    accepted(&mut Acceptor::new(&both), &build(honest(&ordinary)));
    accepted(&mut Acceptor::new(&both), &first_token(&of_user));

    let flagged = honest(&ordinary).ap_options(ap_options::USE_SESSION_KEY);
    let refusal = refused(&mut Acceptor::new(&both), &build(flagged));
    assert_eq!(refusal, ErrorKind::TicketModified);
    of_user.is_skey = false;
    let refusal = refused(&mut Acceptor::new(&both), &first_token(&of_user));
    let expected = ErrorKind::NoKey {
        kvno: None,
        enctype: 18,
    };
    assert!(
        refusal == expected || refusal == ErrorKind::TicketModified,
        "{refusal:?}"
    );
}

#[test]
fn acceptor_without_a_key_requires_user_to_user() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let ordinary = build(honest(&ticket(&realm)));
    let error = accept(&mut bobs_acceptor(&own), &ordinary).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UserToUserRequired);
    // RFC 4120 §7.5.9, KRB_AP_ERR_USER_TO_USER_REQUIRED.
    let told = read_krb_error(error.token().unwrap()).unwrap();
    assert_eq!(told.error_code, 69);
    accepted(&mut acceptor(&realm), &ordinary);
}

#[test]
fn acceptor_refuses_a_ticket_in_the_session_key_of_somebody_elses_ticket() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let other = own_ticket(&realm, "mallory");
    // One that names bob, in mallory's key; one of bob's, of an earlier log-on.
    let mut earlier = own_ticket(&realm, BOB);
    earlier.key = Key::new(Enctype::Aes256CtsHmacSha1_96, &[7; 32])
        .unwrap()
        .into();
    for wrong in [&other, &earlier] {
        let token = first_token(&ticket_in(&realm, BOB, wrong));
        let refusal = refused(&mut bobs_acceptor(&own), &token);
        assert_eq!(refusal, ErrorKind::TicketModified);
    }
    accepted(
        &mut bobs_acceptor(&own),
        &first_token(&ticket_in(&realm, BOB, &own)),
    );
}

#[test]
fn acceptor_refuses_a_name_that_is_neither_its_own_nor_listed() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let alias = first_token(&ticket_in(&realm, "TERMSRV/desktop.example.com", &own));
    assert_eq!(
        refused(&mut bobs_acceptor(&own), &alias),
        ErrorKind::NotOurService
    );
    let listed = AcceptorCredential::user_to_user(own.duplicate())
        .with_services([ServicePattern::parse("TERMSRV/desktop.example.com").unwrap()]);
    accepted(&mut Acceptor::new(&listed), &alias);
    // The list replaces its own name.
    let named = first_token(&ticket_in(&realm, BOB, &own));
    assert_eq!(
        refused(&mut Acceptor::new(&listed), &named),
        ErrorKind::NotOurService
    );
    accepted(&mut bobs_acceptor(&own), &named);
}

#[test]
fn an_expired_ticket_granting_ticket_is_neither_handed_out_nor_trusted() {
    let realm = realm();
    let builder = realm.ticket_granting_ticket(BOB).valid(NOW - 60, NOW + 10);
    let own = builder.mint().unwrap();
    let token = first_token(&ticket_in(&realm, BOB, &own));
    for first in [tgt_req(), token] {
        let mut world = World::new(5).at(NOW + 9);
        assert!(world.step(&mut bobs_acceptor(&own), Some(&first)).is_ok());
        world.now = NOW + 10;
        let error = world.step(&mut bobs_acceptor(&own), Some(&first));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::TicketExpired);
    }
}

#[test]
fn acceptor_refuses_a_replayed_user_to_user_authenticator() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let credential = AcceptorCredential::user_to_user(own.duplicate());
    let ticket = ticket_in(&realm, BOB, &own);
    let token = first_token(&ticket);
    accepted(&mut Acceptor::new(&credential), &token);
    let refusal = refused(&mut Acceptor::new(&credential), &token);
    assert_eq!(refusal, ErrorKind::Replayed);
}

#[test]
fn the_enctype_policy_covers_the_acceptors_session_key() {
    let realm = realm();
    let camellia = Enctype::Camellia256CtsCmac;
    let builder = realm.ticket_granting_ticket(BOB).session_enctype(camellia);
    let own = builder.mint().unwrap();
    let key = Enctype::Aes256CtsHmacSha1_96;
    let mut ticket = ticket_in(&realm, BOB, &own);
    ticket.key = Key::new(key, &[1; 32]).unwrap().into();
    let token = first_token(&ticket);
    let enctype = camellia.id();
    assert_eq!(
        refused(&mut bobs_acceptor(&own), &token),
        ErrorKind::EnctypeRefused { enctype }
    );
    let strong = own_ticket(&realm, BOB);
    let token = first_token(&ticket_in(&realm, BOB, &strong));
    accepted(&mut bobs_acceptor(&strong), &token);
    // And opens once it is permitted: what is refused then is the session key that we replaced.
    let policy = Policy::default();
    let permitted = policy.enctypes().with(camellia);
    let mut world = World::new(6).with_policy(policy.with_enctypes(permitted));
    let token = first_token(&ticket);
    let error = world.step(&mut bobs_acceptor(&own), Some(&token));
    assert_eq!(
        error.err().map(|error| error.kind()),
        Some(ErrorKind::AuthenticatorModified)
    );
}

#[test]
fn malformed_requests_for_the_ticket_are_refused() {
    let realm = realm();
    let own = own_ticket(&realm, BOB);
    let good = tgt_req();
    assert!(accept(&mut bobs_acceptor(&own), &good).is_ok());
    for end in 0..good.len() {
        assert!(accept(&mut bobs_acceptor(&own), &good[..end]).is_err());
    }
    let mut trailing = good.clone();
    trailing.push(0);
    assert!(accept(&mut bobs_acceptor(&own), &trailing).is_err());
}
