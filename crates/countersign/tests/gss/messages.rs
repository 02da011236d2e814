//! Messages, their order, and what else an established context gives.

use countersign::crypto::{Enctype, Key, KeyUsage};
use countersign::gss::{self, LucidProtocol};
use countersign::token::oid::Oid;
use countersign::{IoBuffer, MajorStatus};

use crate::support::{Ask, Both, Domain, USUAL, establish, talk};

fn both() -> Both {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap()
}

#[test]
fn the_order_of_a_message_is_told_beside_it_or_is_an_error() {
    type M = MajorStatus;
    let mut both = both();
    let mut tokens: Vec<_> = (0..70_u8)
        .map(|number| {
            gss::wrap(&mut both.client, true, 0, &[number])
                .unwrap()
                .token
        })
        .collect();
    let mut open = |number: usize| {
        let opened = gss::unwrap(&mut both.server, &tokens[number]).unwrap();
        let (message, order) = opened.clone().any_order();
        assert_eq!(message, [u8::try_from(number).unwrap()]);
        let strict = opened.in_order().map_err(|error| error.major());
        match order {
            M::GSS_S_COMPLETE => assert!(strict.is_ok()),
            order => assert_eq!(strict, Err(MajorStatus(order.0 | M::GSS_S_FAILURE.0))),
        }
        order
    };
    assert_eq!(open(0), M::GSS_S_COMPLETE);
    assert_eq!(open(0), M::GSS_S_DUPLICATE_TOKEN);
    assert_eq!(open(2), M::GSS_S_GAP_TOKEN);
    assert_eq!(open(1), M::GSS_S_UNSEQ_TOKEN);
    assert_eq!(open(69), M::GSS_S_GAP_TOKEN);
    assert_eq!(open(1), M::GSS_S_OLD_TOKEN);

    let last = tokens.last_mut().unwrap();
    *last.last_mut().unwrap() ^= 1;
    let error = gss::unwrap(&mut both.server, &tokens[69]).unwrap_err();
    assert_eq!(error.major(), M::GSS_S_BAD_SIG);
    let error = gss::unwrap(&mut both.server, b"nonsense").unwrap_err();
    assert_eq!(error.major(), M::GSS_S_DEFECTIVE_TOKEN);
}

#[test]
fn the_order_of_a_mic_is_told_as_well() {
    let mut both = both();
    let mic = gss::get_mic(&mut both.client, 0, b"hello").unwrap();
    assert_eq!(mic.len(), gss::get_mic_iov_length(&both.client, 0).unwrap());
    let verified = gss::verify_mic(&mut both.server, b"hello", &mic).unwrap();
    assert_eq!(verified.any_order(), MajorStatus::GSS_S_COMPLETE);
    let verified = gss::verify_mic(&mut both.server, b"hello", &mic).unwrap();
    assert_eq!(verified.any_order(), MajorStatus::GSS_S_DUPLICATE_TOKEN);
    verified.in_order().unwrap_err();
    let error = gss::verify_mic(&mut both.server, b"hullo", &mic).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_SIG);
}

#[test]
fn other_qualities_of_protection_are_refused_everywhere() {
    let mut both = both();
    let context = &mut both.client;
    let bad = |result: Result<(), gss::GssError>| {
        assert_eq!(result.unwrap_err().major(), MajorStatus::GSS_S_BAD_QOP);
    };
    gss::wrap(context, true, gss::GSS_C_QOP_DEFAULT, b"x").unwrap();
    bad(gss::wrap(context, true, 1, b"x").map(drop));
    bad(gss::wrap_aead(context, true, 1, b"", b"x").map(drop));
    bad(gss::get_mic(context, 1, b"x").map(drop));
    bad(gss::get_mic_iov(context, 1, &[]).map(drop));
    bad(gss::wrap_iov(context, true, 1, &mut []).map(drop));
    bad(gss::wrap_iov_length(context, true, 1, &[]).map(drop));
    bad(gss::wrap_size_limit(context, true, 1, 100).map(drop));
}

#[test]
fn protection_that_was_not_asked_for_is_refused() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let ask = Ask {
        flags: countersign::Flags::MUTUAL | countersign::Flags::INTEGRITY,
        ..Ask::of(Oid::KERBEROS)
    };
    let mut both = establish(&alice, &sentry, &ask).unwrap();
    gss::wrap(&mut both.client, false, 0, b"x").unwrap();
    let error = gss::wrap(&mut both.client, true, 0, b"x").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_QOP);
}

#[test]
fn messages_in_several_buffers_and_with_associated_data_are_protected_alike() {
    let mut both = both();
    let shape = [
        IoBuffer::Header(&mut []),
        IoBuffer::SignOnly(b"rpc"),
        IoBuffer::Data(&mut []),
        IoBuffer::Trailer(&mut []),
    ];
    let parts = gss::wrap_iov_length(&both.client, true, 0, &shape).unwrap();
    let (mut header, mut trailer) = (vec![0; parts.header], vec![0; parts.trailer]);
    let mut body = b"the body".to_vec();
    let buffers = &mut [
        IoBuffer::Header(&mut header),
        IoBuffer::SignOnly(b"rpc"),
        IoBuffer::Data(&mut body),
        IoBuffer::Trailer(&mut trailer),
    ];
    assert!(gss::wrap_iov(&mut both.client, true, 0, buffers).unwrap());
    assert_ne!(body, b"the body");
    let buffers = &mut [
        IoBuffer::Header(&mut header),
        IoBuffer::SignOnly(b"rpc"),
        IoBuffer::Data(&mut body),
        IoBuffer::Trailer(&mut trailer),
    ];
    let opened = gss::unwrap_iov(&mut both.server, buffers).unwrap();
    assert!(opened.conf_state);
    opened.verified.in_order().unwrap();
    assert_eq!(body, b"the body");

    let token = gss::wrap_aead(&mut both.client, true, 0, b"beside", b"inside")
        .unwrap()
        .token;
    let error = gss::unwrap_aead(&mut both.server, &token, b"BESIDE").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_SIG);
    let opened = gss::unwrap_aead(&mut both.server, &token, b"beside").unwrap();
    assert_eq!(opened.in_order().unwrap(), b"inside");

    let cut = [IoBuffer::SignOnly(b"one, "), IoBuffer::SignOnly(b"two")];
    let mic = gss::get_mic_iov(&mut both.client, 0, &cut).unwrap();
    let whole = [IoBuffer::SignOnly(b"one, two")];
    gss::verify_mic_iov(&mut both.server, &whole, &mic)
        .unwrap()
        .in_order()
        .unwrap();
}

#[test]
fn a_message_of_the_limit_fits_and_one_byte_more_does_not() {
    let mut both = both();
    for seal in [true, false] {
        let fits = gss::wrap_size_limit(&both.client, seal, 0, 4096).unwrap();
        let mut length = |message: usize| {
            gss::wrap(&mut both.client, seal, 0, &vec![7; message])
                .unwrap()
                .token
                .len()
        };
        assert!(length(fits) <= 4096 && length(fits + 1) > 4096);
    }
}

#[test]
fn both_sides_have_the_same_keys_and_make_the_same_bytes() {
    let both = both();
    let object = |context| {
        gss::inquire_sec_context_by_oid(context, gss::GSS_C_INQ_SSPI_SESSION_KEY).unwrap()
    };
    let (one, other) = (object(&both.client), object(&both.server));
    assert_eq!(one, other);
    let key = both.client.engine().unwrap().session_key();
    assert_eq!(&one[0][..], key.expose());
    // 1.2.840.113554.1.2.2.4 and the enctype, which is below 128.
    let (enctype, arc) = one[1].split_last().unwrap();
    assert_eq!(arc, b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x04");
    assert_eq!(i32::from(*enctype), key.enctype().unwrap().id());

    for which in [gss::GSS_C_PRF_KEY_FULL, gss::GSS_C_PRF_KEY_PARTIAL] {
        let make = |context| gss::pseudo_random(context, which, b"input", 48).unwrap();
        assert_eq!(make(&both.client), make(&both.server));
    }
    let make = |which| gss::pseudo_random(&both.client, which, b"input", 48).unwrap();
    assert_ne!(
        make(gss::GSS_C_PRF_KEY_FULL),
        make(gss::GSS_C_PRF_KEY_PARTIAL)
    );
}

#[test]
fn authorization_data_is_found_by_its_type() {
    let both = both();
    // AD-WIN2K-PAC, 128, in AD-IF-RELEVANT; as an arc 0x81 0x00.
    let object = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0a\x81\x00";
    let object = Oid::from_contents(object).unwrap();
    let found = gss::inquire_sec_context_by_oid(&both.server, object).unwrap();
    assert_eq!(
        &found[0][..],
        gss::extract_authz_data(&both.server, 128).unwrap()
    );
    let error = gss::extract_authz_data(&both.server, 4711).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_UNAVAILABLE);
    let error = gss::inquire_sec_context_by_oid(&both.server, Oid::SPNEGO).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_UNAVAILABLE);
}

#[test]
fn an_exported_context_goes_on_where_it_ended() {
    let domain = Domain::new();
    let mut both = both();
    talk(&mut both.client, &mut both.server);
    let old = gss::wrap(&mut both.client, true, 0, b"old").unwrap().token;
    gss::unwrap(&mut both.server, &old)
        .unwrap()
        .in_order()
        .unwrap();
    let mut server = Some(both.server);
    let exported = gss::export_sec_context(&mut server).unwrap();
    assert!(server.is_none());
    let error = gss::export_sec_context(&mut server).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CONTEXT);
    let mut server = gss::import_sec_context(&domain.gate(), &exported).unwrap();
    let (_, order) = gss::unwrap(&mut server, &old).unwrap().any_order();
    assert_eq!(order, MajorStatus::GSS_S_DUPLICATE_TOKEN);
    talk(&mut both.client, &mut server);
    let info = gss::inquire_context(&server);
    assert!(info.open && !info.locally_initiated);
    assert!(info.ctx_flags.contains(USUAL));
    let error = gss::import_sec_context(&domain.gate(), &exported[1..]).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_DEFECTIVE_TOKEN);
}

/// RFC 4121 §4.2.6.1 from the bytes alone, as a kernel would.
#[test]
fn a_lucid_context_holds_what_a_kernel_needs() {
    let mut both = both();
    talk(&mut both.client, &mut both.server);
    let mut client = Some(both.client);
    let lucid = gss::export_lucid_sec_context(&mut client, gss::GSS_KRB5_LUCID_V1).unwrap();
    assert!(client.is_none() && lucid.initiate);
    let LucidProtocol::Cfx {
        acceptor_subkey: Some(key),
        ..
    } = lucid.protocol
    else {
        panic!("{lucid:?}")
    };
    let key = Key::new(Enctype::from_id(key.enctype).unwrap(), &key.data).unwrap();
    // TOK_ID, flags: AcceptorSubkey; filler; SND_SEQ.
    let mut header = b"\x04\x04\x04\xff\xff\xff\xff\xff".to_vec();
    header.extend(lucid.send_seq.to_be_bytes());
    let mac = key.mac(KeyUsage::INITIATOR_SIGN);
    let mac = mac.compute(&[b"from the kernel", &header]);
    header.extend_from_slice(mac.as_bytes());
    let verified = gss::verify_mic(&mut both.server, b"from the kernel", &header).unwrap();
    verified.in_order().unwrap();

    let mut server = Some(both.server);
    let error = gss::export_lucid_sec_context(&mut server, 2).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_UNAVAILABLE);
    assert!(server.is_some());
}

#[test]
fn contexts_that_are_over_take_no_token_and_no_wrong_side() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let mut both = establish(&alice, &sentry, &Ask::of(Oid::KERBEROS)).unwrap();
    let error = gss::process_context_token(&mut both.client, b"bye").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_DEFECTIVE_TOKEN);
    let mut context = Some(both.client);
    let ignore = countersign::ChannelBindingPolicy::Ignore;
    let error = gss::accept_sec_context(&mut context, &sentry, b"x", &ignore).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_NO_CONTEXT);
    let target = crate::support::service("sentry@gate.example.com");
    let again = gss::init_sec_context(
        &alice,
        &mut context,
        &target,
        None,
        USUAL,
        0,
        None,
        Some(b"x"),
    );
    assert_eq!(again.unwrap_err().major(), MajorStatus::GSS_S_NO_CONTEXT);
    gss::delete_sec_context(&mut context);
    assert!(context.is_none());
}

#[test]
fn half_open_contexts_protect_nothing_and_say_what_they_are() {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let target = crate::support::service("sentry@gate.example.com");
    let mut context = None;
    let first = gss::init_sec_context(&alice, &mut context, &target, None, USUAL, 0, None, None);
    assert!(first.unwrap().ret_flags.is_empty());
    let mut context = context.unwrap();
    let info = gss::inquire_context(&context);
    assert!(!info.open && info.src_name.is_none() && info.lifetime_rec == 0);
    assert_eq!(
        info.targ_name.unwrap().to_string(),
        "sentry@gate.example.com"
    );
    for error in [
        gss::wrap(&mut context, true, 0, b"x").unwrap_err(),
        gss::context_time(&context).unwrap_err(),
        gss::pseudo_random(&context, gss::GSS_C_PRF_KEY_FULL, b"", 1).unwrap_err(),
        context.into_engine().unwrap_err(),
    ] {
        assert_eq!(error.major(), MajorStatus::GSS_S_NO_CONTEXT);
    }
}
