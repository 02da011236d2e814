//! The face and the engine say the same of one exchange, whichever is on which side.

use countersign::gss::{self, Status};
use countersign::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign::token::oid::Oid;
use countersign::{ChannelBindingPolicy, Flags, SecurityContext, Step};

use crate::support::{Domain, SERVICE, USUAL, service};

fn agree(face: &gss::Context, engine: &SecurityContext) {
    let info = gss::inquire_context(face);
    let (own, other) = if info.locally_initiated {
        (info.src_name, info.targ_name)
    } else {
        (info.targ_name, info.src_name)
    };
    assert_eq!(own.unwrap().identity(), engine.peer());
    assert_eq!(other.unwrap().identity(), Some(engine.local()));
    assert_eq!(info.mech_type, engine.mechanism());
    let added = gss::flags::GSS_C_PROT_READY_FLAG | gss::flags::GSS_C_TRANS_FLAG;
    assert_eq!(info.ctx_flags.difference(added), engine.flags());
    assert!(engine.flags().contains(USUAL));
    let key = gss::inquire_sec_context_by_oid(face, gss::GSS_C_INQ_SSPI_SESSION_KEY).unwrap();
    assert_eq!(&key[0][..], engine.session_key().expose());
    let now = countersign::handshake::Clock::now(&countersign::handshake::SystemClock);
    let difference = i64::from(info.lifetime_rec) - i64::try_from(engine.remaining(now)).unwrap();
    // Acceptors tolerate skew at the end too.
    assert!((298..=302).contains(&difference.abs()), "{difference}");
    let prf = gss::pseudo_random(face, gss::GSS_C_PRF_KEY_FULL, b"x", 20).unwrap();
    let native = engine
        .pseudo_random(gss::GSS_C_PRF_KEY_FULL, b"x", 20)
        .unwrap();
    assert_eq!(prf, native);
}

#[test]
fn an_initiator_of_the_face_meets_an_acceptor_of_the_engine() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let credential = AcceptorCredential::new(&domain.kdc.keytab(&[SERVICE]).unwrap());
    let mut acceptor = Acceptor::new(&credential);
    let target = service("sentry@gate.example.com");
    let mut context = None;
    let first = gss::init_sec_context(&alice, &mut context, &target, None, USUAL, 0, None, None);
    let request = first.unwrap().output_token.unwrap();
    let step = domain.gate().step(&mut acceptor, Some(&request)).unwrap();
    let Step::Established {
        token: Some(reply),
        context: mut server,
    } = step
    else {
        panic!("{step:?}")
    };
    let last = gss::init_sec_context(
        &alice,
        &mut context,
        &target,
        None,
        USUAL,
        0,
        None,
        Some(&reply),
    );
    assert_eq!(last.unwrap().status, Status::Complete);
    let mut client = context.unwrap();
    agree(&client, &server);
    let token = gss::wrap(&mut client, true, 0, b"hello").unwrap().token;
    assert_eq!(server.unwrap(&token).unwrap().message, b"hello");
}

#[test]
fn an_acceptor_of_the_face_meets_an_initiator_of_the_engine() {
    let domain = Domain::new();
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let alice = domain.alice(&[Oid::KERBEROS]);
    let service = countersign::credential::ServiceName::parse(SERVICE).unwrap();
    let mut initiator =
        Initiator::from_credential(alice.client().unwrap(), &service).request(USUAL);
    let desk = domain.desk();
    let Step::Continue { token } = desk.step(&mut initiator, None).unwrap() else {
        panic!("a request")
    };
    let mut server = None;
    let ignore = ChannelBindingPolicy::Ignore;
    let accepted = gss::accept_sec_context(&mut server, &sentry, &token, &ignore).unwrap();
    let reply = accepted.output_token.unwrap();
    let step = desk.step(&mut initiator, Some(&reply)).unwrap();
    let Step::Established {
        context: mut client,
        ..
    } = step
    else {
        panic!("{step:?}")
    };
    let mut server = server.unwrap();
    agree(&server, &client);
    let token = client.wrap(true, b"hello").unwrap();
    let opened = gss::unwrap(&mut server, &token).unwrap();
    assert_eq!(opened.in_order().unwrap(), b"hello");
    assert!(!client.flags().contains(Flags::DELEGATION));
}
