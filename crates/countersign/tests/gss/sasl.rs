//! SASL's GSSAPI mechanism (RFC 4752).

use countersign::gss::{self, sasl::*};
use countersign::token::oid::Oid;
use countersign::{Flags, MajorStatus};

use crate::support::{Ask, Both, Domain, USUAL, establish};

fn both(flags: Flags) -> Both {
    let domain = Domain::new();
    let alice = domain.alice(&[Oid::KERBEROS]);
    let sentry = domain.sentry(&[Oid::KERBEROS]);
    let ask = Ask {
        flags,
        ..Ask::of(Oid::KERBEROS)
    };
    establish(&alice, &sentry, &ask).unwrap()
}

#[test]
fn both_sides_agree_on_the_strongest_layer_and_its_sizes() {
    let mut both = both(USUAL);
    let integrity = Layers::EMPTY.with(Layer::Integrity);
    for (offered, wanted, layer) in [
        (Layers::ALL, Layers::ALL, Layer::Confidentiality),
        (Layers::ALL, integrity, Layer::Integrity),
        (integrity.with(Layer::None), Layers::ALL, Layer::Integrity),
        (Layers::EMPTY.with(Layer::None), Layers::ALL, Layer::None),
    ] {
        let offer = server_offer(&mut both.server, offered, 65_536).unwrap();
        let (choice, client) =
            client_choose(&mut both.client, &offer, wanted, 4096, Some("bob")).unwrap();
        let server = server_accept(&mut both.server, &choice, offered).unwrap();
        assert_eq!((client.layer, server.layer), (layer, layer));
        assert_eq!(server.authorization.as_deref(), Some("bob"));
        if layer == Layer::None {
            assert_eq!((client.max_message, server.max_message), (0, 0));
            continue;
        }
        // What the other side said that it takes.
        for (context, agreed, size) in [
            (&mut both.client, client, 65_536),
            (&mut both.server, server, 4096),
        ] {
            let seal = layer == Layer::Confidentiality;
            let longest = vec![0; agreed.max_message];
            let token = gss::wrap(context, seal, 0, &longest).unwrap().token;
            assert!(token.len() <= size && token.len() > size - 64);
        }
        // Spent above; the order counts.
        both = self::both(USUAL);
    }
}

#[test]
fn a_layer_that_was_not_offered_is_refused() {
    let mut both = both(USUAL);
    let none = Layers::EMPTY.with(Layer::None);
    let offer = server_offer(&mut both.server, Layers::ALL, 4096).unwrap();
    let (choice, _) = client_choose(&mut both.client, &offer, none, 0, None).unwrap();
    let sealed_only = Layers::EMPTY.with(Layer::Confidentiality);
    let error = server_accept(&mut both.server, &choice, sealed_only).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_QOP);

    let offer = server_offer(&mut both.server, none, 4096).unwrap();
    let error = client_choose(&mut both.client, &offer, sealed_only, 4096, None).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_QOP);
}

#[test]
fn layers_are_those_that_the_context_can_do() {
    let mut both = both(Flags::MUTUAL | Flags::INTEGRITY);
    let offer = server_offer(&mut both.server, Layers::ALL, 4096).unwrap();
    let (_, agreed) = client_choose(&mut both.client, &offer, Layers::ALL, 4096, None).unwrap();
    assert_eq!(agreed.layer, Layer::Integrity);
    assert_eq!(agreed.authorization, None);
}

#[test]
fn malformed_messages_are_refused() {
    let mut both = both(USUAL);
    // Too short; two layers at once; a size without a layer; no UTF-8.
    for message in [
        &b"\x04\x00\x10"[..],
        b"\x06\x00\x10\x00",
        b"\x01\x00\x10\x00",
        b"\x04\x00\x10\x00\xff",
    ] {
        let token = gss::wrap(&mut both.client, false, 0, message)
            .unwrap()
            .token;
        server_accept(&mut both.server, &token, Layers::ALL).unwrap_err();
    }
    let token = gss::wrap(&mut both.client, false, 0, b"\x04\x00\x10\x00")
        .unwrap()
        .token;
    server_accept(&mut both.server, &token, Layers::ALL).unwrap();
    let error = server_accept(&mut both.server, &token, Layers::ALL).unwrap_err();
    assert!(error.major().0 & MajorStatus::GSS_S_DUPLICATE_TOKEN.0 != 0);
}
