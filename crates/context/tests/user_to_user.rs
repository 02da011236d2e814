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
    let acceptor = bobs_acceptor(&own).keep_evidence();
    let (mut ours, mut theirs) = establish(initiator, acceptor).unwrap();
    // Such a ticket is no evidence.
    assert!(theirs.take_evidence().is_none());
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

/// A realm of users without services, and a handshake in it.
mod through_the_kdc {
    use std::sync::Arc;

    use countersign_context::kerberos::UserToUserInitiator;
    use countersign_context::kerberos::kdc::{
        Acquisition, ClientCredential, Exchange, ExchangeStep, KdcAnswer,
    };
    use countersign_context::{
        Answer, Environment, Error, KdcProblem, Mechanism, Need, SecurityContext, Timestamp,
    };
    use countersign_testkit::{Account, Kdc, SeededRandom};

    use super::*;

    fn kdc() -> Kdc {
        let realm = Kdc::builder("EXAMPLE.COM");
        let users = realm.user(CLIENT, "a").user(BOB, "b").user("mallory", "m");
        users.account(Account::service(SERVICE)).build().unwrap()
    }

    struct Side(SeededRandom);

    impl Side {
        fn env(&mut self) -> Environment<'_> {
            Environment::new(Timestamp::new(NOW, 5), &mut self.0)
        }

        fn obtain(&mut self, kdc: &Kdc, mut exchange: Acquisition) -> Arc<TicketCredential> {
            let mut answer = None;
            loop {
                match exchange.step(answer, &mut self.env()).unwrap() {
                    ExchangeStep::Send(request) => {
                        answer = Some(KdcAnswer::Reply(kdc.answer(&request.message)));
                    }
                    ExchangeStep::Done(ticket) => return ticket,
                }
            }
        }

        /// A step with as many rounds to the KDC as it takes.
        fn step(
            &mut self,
            kdc: &Kdc,
            mechanism: &mut dyn Mechanism,
            token: Option<&[u8]>,
        ) -> Result<Step, Error> {
            let mut step = mechanism.step(token, &mut self.env())?;
            while let Step::Need(Need::Kdc(request)) = &step {
                let answer = KdcAnswer::Reply(kdc.answer(&request.message));
                step = mechanism.resume(Answer::Kdc(answer), &mut self.env())?;
            }
            Ok(step)
        }
    }

    fn user(kdc: &Kdc, name: &str) -> ClientCredential {
        let password = &name[..1];
        ClientCredential::password(kdc.principal(name), password)
    }

    /// The ticket-granting ticket of a user who logged on.
    fn logged_on(kdc: &Kdc, name: &str) -> Arc<TicketCredential> {
        let exchange = Acquisition::ticket_granting_ticket(&user(kdc, name));
        Side(SeededRandom::new(1)).obtain(kdc, exchange)
    }

    fn to_bob(kdc: &Kdc) -> UserToUserInitiator {
        let (alice, bob) = (user(kdc, CLIENT), kdc.principal(BOB));
        let target = bob.clone();
        UserToUserInitiator::new(
            bob,
            move |ticket| Acquisition::user_to_user(&alice, &target, ticket),
            |ticket| Initiator::new(ticket).require(Flags::CONFIDENTIALITY),
        )
    }

    /// Both ends, and how many tokens went either way.
    fn meet(
        kdc: &Kdc,
        acceptor: &mut dyn Mechanism,
    ) -> (Result<Box<SecurityContext>, Error>, bool, usize) {
        let (mut here, mut there) = (Side(SeededRandom::new(2)), Side(SeededRandom::new(3)));
        let (mut initiator, mut token, mut accepted) = (to_bob(kdc), None, false);
        for tokens in (2..10).step_by(2) {
            let sent = match here.step(kdc, &mut initiator, token.as_deref()) {
                Ok(Step::Continue { token }) => token,
                Ok(Step::Established { token, context }) => {
                    assert_eq!(token, None);
                    return (Ok(context), accepted, tokens - 2);
                }
                Ok(step) => panic!("{step:?}"),
                Err(error) => return (Err(error), accepted, tokens - 2),
            };
            token = match there.step(kdc, acceptor, Some(&sent)) {
                Ok(Step::Continue { token }) => Some(token),
                Ok(Step::Established { token, .. }) => {
                    accepted = true;
                    token
                }
                Ok(step) => panic!("{step:?}"),
                Err(error) => error.token().map(<[u8]>::to_vec),
            };
            assert!(token.is_some());
        }
        panic!("the handshake does not end")
    }

    #[test]
    fn the_initiator_asks_for_the_ticket_of_the_acceptor_and_establishes_with_it() {
        let kdc = kdc();
        let own = AcceptorCredential::user_to_user(logged_on(&kdc, BOB));
        let (context, accepted, tokens) = meet(&kdc, &mut Acceptor::new(&own));
        let context = context.unwrap();
        assert_eq!(context.peer().unwrap().to_string(), "bob@EXAMPLE.COM");
        assert!(accepted);
        assert_eq!(tokens, 4);
    }

    /// RFC 4120 §3.3.3: the KDC compares the owner of the additional ticket with the service.
    #[test]
    fn the_initiator_reaches_nobody_else_by_the_ticket_that_he_hands_out() {
        let kdc = kdc();
        let mallorys = AcceptorCredential::user_to_user(logged_on(&kdc, "mallory"));
        let (context, accepted, _) = meet(&kdc, &mut Acceptor::new(&mallorys));
        assert!(!accepted);
        let refused = matches!(
            context.unwrap_err().kind(),
            ErrorKind::Kdc(KdcProblem::Refused { code: 26, .. })
        );
        assert!(refused, "KDC_ERR_SERVER_NOMATCH");
        let own = AcceptorCredential::user_to_user(logged_on(&kdc, BOB));
        assert!(meet(&kdc, &mut Acceptor::new(&own)).0.is_ok());
    }

    #[test]
    fn the_initiator_takes_no_service_ticket_for_a_ticket_granting_one() {
        let kdc = kdc();
        let service = Acquisition::new(&user(&kdc, BOB), kdc.principal(SERVICE));
        let service = Side(SeededRandom::new(1)).obtain(&kdc, service);
        let wrong = AcceptorCredential::user_to_user(service);
        let (context, ..) = meet(&kdc, &mut Acceptor::new(&wrong));
        assert_eq!(context.unwrap_err().kind(), ErrorKind::PeerTicketUnfit);
    }

    #[test]
    fn the_initiator_reports_an_acceptor_without_a_ticket() {
        let kdc = kdc();
        let keytab = kdc.keytab(&[SERVICE]).unwrap();
        let ordinary = AcceptorCredential::new(&keytab);
        let (context, ..) = meet(&kdc, &mut Acceptor::new(&ordinary));
        let expected = ErrorKind::PeerError { code: 67 };
        assert_eq!(context.unwrap_err().kind(), expected);
    }

    #[test]
    fn cut_and_altered_tickets_of_the_acceptor_end_in_errors() {
        let kdc = kdc();
        let own = AcceptorCredential::user_to_user(logged_on(&kdc, BOB));
        let Ok(Step::Continue { token }) = accept(&mut Acceptor::new(&own), &tgt_req()) else {
            panic!("a TGT-REP is due")
        };
        let mut side = Side(SeededRandom::new(4));
        let mut received = |token: &[u8]| {
            let mut initiator = to_bob(&kdc);
            assert!(initiator.step(None, &mut side.env()).is_ok());
            let step = initiator.step(Some(token), &mut side.env());
            if let Err(error) = &step {
                // It stays so.
                let again = initiator.step(Some(token), &mut side.env());
                assert_eq!(again.unwrap_err(), *error);
            }
            step.is_ok()
        };
        assert!(received(&token));
        for end in 0..token.len() {
            assert!(!received(&token[..end]), "cut at {end}");
        }
        for at in 0..token.len() {
            let mut altered = token.clone();
            altered[at] ^= 1 << (at % 8);
            received(&altered);
        }
    }
}
