#[cfg(feature = "rc4")]
use countersign_crypto::Key;
use countersign_crypto::{Enctype, KeyUsage};
use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::messages::SetElement;
use crate::kdc::preauth::data;
use crate::kdc::refusal::code as c;
use crate::kdc::request::{option, padata};
use crate::{Account, AccountState, FixedClock, Kdc, NOW, flags, wire};

fn kdc() -> Kdc {
    realm().build().unwrap()
}

fn realm() -> crate::KdcBuilder {
    Kdc::builder(REALM)
        .user("alice", "open sesame")
        .account(Account::user("bob", "pw").alias("bob@corp.example"))
        .service("HTTP/web.example.com")
}

fn hints(answer: &[u8]) -> Vec<krb::PaData> {
    wire::decode(error(answer).e_data.as_deref().unwrap()).unwrap()
}

#[test]
fn a_first_ticket_needs_proof_and_the_hint_says_how() {
    let kdc = kdc();
    let answer = kdc.answer(&Ask::initial("alice").as_req());
    assert_eq!(code(&answer), c::PREAUTH_REQUIRED);
    let hints = hints(&answer);
    let info = hints.iter().find(|hint| hint.r#type == 19).unwrap();
    let info: krb::EtypeInfo2 = wire::decode(&info.value).unwrap();
    assert_eq!(
        info.iter().map(|entry| entry.etype).collect::<Vec<_>>(),
        ALL
    );
    assert_eq!(
        info[0].salt.as_ref().unwrap().as_bytes(),
        b"EXAMPLE.COMalice"
    );
    assert!(hints.iter().any(|hint| hint.r#type == 2));
}

#[test]
fn every_enctype_proves_and_gives_a_ticket_that_the_kdc_opens() {
    let kdc = kdc();
    for id in ALL {
        let enctype = Enctype::from_id(id).unwrap();
        let key = password_key("alice", "open sesame", enctype);
        let ask = Ask::initial("alice").with(|ask| ask.etypes = vec![id]);
        let got = read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap();
        assert_eq!(got.client.to_string(), "alice@EXAMPLE.COM");
        assert_eq!(got.key.enctype(), enctype);
        assert_eq!(got.part.nonce, 7);
        assert_eq!(got.end(), NOW + 36_000);
        let expected =
            flags::ticket::INITIAL | flags::ticket::PRE_AUTHENT | flags::ticket::FORWARDABLE;
        assert_eq!(got.flags(), expected);
        buy(&kdc, Ask::ticket("HTTP/web.example.com"), &got).unwrap();
    }
}

#[test]
fn a_wrong_password_an_old_timestamp_and_an_unknown_name_are_refused() {
    let kdc = kdc();
    let right = password_key("alice", "open sesame", FAST_ENCTYPE);
    let wrong = password_key("alice", "open sesam", FAST_ENCTYPE);
    let ask = |key, time| kdc.answer(&Ask::initial("alice").stamped(key, time).as_req());
    assert_eq!(code(&ask(&wrong, NOW)), c::PREAUTH_FAILED);
    assert!(wire::decode::<krb::AsRep>(&ask(&right, NOW)).is_ok());
    assert!(wire::decode::<krb::AsRep>(&ask(&right, NOW - 300)).is_ok());
    assert_eq!(code(&ask(&right, NOW - 301)), c::SKEW);
    assert_eq!(code(&ask(&right, NOW + 301)), c::SKEW);
    let unknown = kdc.answer(&Ask::initial("mallory").as_req());
    assert_eq!(code(&unknown), c::CLIENT_UNKNOWN);
    let server = Ask::initial("alice").with(|ask| ask.server = principal("no/service"));
    assert_eq!(code(&kdc.answer(&server.as_req())), c::SERVER_UNKNOWN);
    let realm = Ask::initial("alice").with(|ask| ask.realm = "OTHER".into());
    assert_eq!(code(&kdc.answer(&realm.as_req())), c::WRONG_REALM);
}

#[test]
fn only_who_needs_no_proof_gets_a_ticket_without_one() {
    let builder = realm().account(Account::user("open", "pw").without_preauth());
    let kdc = builder.build().unwrap();
    let ask = |user| {
        kdc.answer(
            &Ask::initial(user)
                .with(|ask| ask.etypes = vec![17])
                .as_req(),
        )
    };
    let key = password_key("open", "pw", FAST_ENCTYPE);
    let got = read_as(&ask("open"), &key).unwrap();
    assert_eq!(got.flags() & flags::ticket::PRE_AUTHENT, 0);
    assert_eq!(code(&ask("alice")), c::PREAUTH_REQUIRED);
}

#[test]
fn the_clients_order_of_enctypes_decides_and_none_in_common_is_refused() {
    let kdc = kdc();
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").with(|ask| ask.etypes = vec![3, 17, 18]);
    let got = read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap();
    assert_eq!(got.key.enctype().id(), 17);
    let ask = Ask::initial("alice").with(|ask| ask.etypes = vec![3, 16]);
    assert_eq!(code(&kdc.answer(&ask.as_req())), c::ETYPE_UNSUPPORTED);
}

#[test]
fn enterprise_names_and_aliases_lead_to_the_true_name() {
    let kdc = kdc();
    let key = password_key("bob", "pw", FAST_ENCTYPE);
    for name in ["bob@corp.example", "bob@EXAMPLE.COM"] {
        let ask = Ask::initial("bob").with(|ask| {
            ask.client = Some(countersign_credential::Principal::enterprise(name, REALM));
            ask.etypes = vec![17];
            ask.options |= option::CANONICALIZE;
        });
        let got = read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap();
        assert_eq!(got.client.to_string(), "bob@EXAMPLE.COM");
    }
    let ask = Ask::initial("bob").with(|ask| {
        ask.client = Some(countersign_credential::Principal::enterprise(
            "bob@no", REALM,
        ));
    });
    assert_eq!(code(&kdc.answer(&ask.as_req())), c::CLIENT_UNKNOWN);
}

#[test]
fn who_asks_for_it_gets_the_checksum_of_the_request() {
    let kdc = kdc();
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = |asked: bool| {
        let ask = Ask::initial("alice").with(|ask| {
            ask.etypes = vec![17];
            if asked {
                ask.padata.push(data(padata::REQ_ENC_PA_REP, &[]));
            }
        });
        let request = ask.stamped(&key, NOW).as_req();
        (read_as(&kdc.answer(&request), &key).unwrap(), request)
    };
    let (plain, _) = ask(false);
    assert_eq!(plain.flags() & flags::ticket::ENC_PA_REP, 0);
    assert!(plain.part.encrypted_pa_data.is_none());
    let (got, request) = ask(true);
    assert_ne!(got.flags() & flags::ticket::ENC_PA_REP, 0);
    let sealed = got.part.encrypted_pa_data.unwrap();
    let checksum: krb::Checksum = wire::decode(&sealed[0].value).unwrap();
    let verify = |request: &[u8]| {
        key.verify_checksum(
            KeyUsage::AS_REQ,
            checksum.r#type,
            &[request],
            &checksum.checksum,
        )
    };
    assert!(verify(&request).is_ok());
    assert!(verify(&request[1..]).is_err());
}

#[test]
fn accounts_that_are_off_locked_over_or_with_an_old_password_have_their_own_errors() {
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let states = [
        (
            AccountState::Disabled,
            c::CLIENT_REVOKED,
            c::CLIENT_REVOKED,
            0xc000_0072,
        ),
        (
            AccountState::Locked,
            c::CLIENT_REVOKED,
            c::CLIENT_REVOKED,
            0xc000_0234,
        ),
        (
            AccountState::Expired,
            c::CLIENT_EXPIRED,
            c::CLIENT_REVOKED,
            0xc000_0193,
        ),
        (
            AccountState::PasswordExpired,
            c::KEY_EXPIRED,
            c::KEY_EXPIRED,
            0xc000_0071,
        ),
        (
            AccountState::MustChangePassword,
            c::KEY_EXPIRED,
            c::KEY_EXPIRED,
            0xc000_0224_u32,
        ),
    ];
    let ask = Ask::initial("alice").stamped(&key, NOW).as_req();
    for (state, plain, windows, status) in states {
        let kdc = kdc();
        kdc.set_state("alice", state).unwrap();
        let answer = kdc.answer(&ask);
        assert_eq!((code(&answer), error(&answer).e_data), (plain, None));

        let kdc = realm().windows_errors().build().unwrap();
        kdc.set_state("alice", state).unwrap();
        let answer = kdc.answer(&ask);
        assert_eq!(code(&answer), windows);
        let extended: krb::PaData = wire::decode(&error(&answer).e_data.unwrap()).unwrap();
        assert_eq!(extended.r#type, 3);
        assert_eq!(extended.value[..4], status.to_le_bytes());
        assert_eq!(extended.value[4..], [0, 0, 0, 0, 1, 0, 0, 0]);

        kdc.set_state("alice", AccountState::Active).unwrap();
        assert!(wire::decode::<krb::AsRep>(&kdc.answer(&ask)).is_ok());
    }
}

#[test]
fn a_password_expires_at_its_time() {
    let builder = realm().account(Account::user("old", "pw").password_expires(NOW + 60));
    let kdc = builder.build().unwrap();
    let key = password_key("old", "pw", FAST_ENCTYPE);
    let ask = |now: i64| {
        let ask = Ask::initial("old").with(|ask| ask.etypes = vec![17]);
        kdc.answer(&ask.stamped(&key, now).as_req())
    };
    let got = read_as(&ask(NOW), &key).unwrap();
    assert_eq!(
        got.part.key_expiration.as_ref().map(wire::seconds),
        Some(NOW + 60)
    );
    kdc.set_time(FixedClock::at(NOW + 60));
    assert_eq!(code(&ask(NOW + 60)), c::KEY_EXPIRED);
    kdc.set_password("old", "new").unwrap();
    assert_eq!(code(&ask(NOW + 60)), c::PREAUTH_FAILED);
}

#[test]
fn seeds_repeat_the_whole_conversation_and_other_seeds_do_not() {
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").stamped(&key, NOW).as_req();
    assert_eq!(kdc().answer(&ask), kdc().answer(&ask));
    assert_ne!(
        kdc().answer(&ask),
        realm().seed(2).build().unwrap().answer(&ask)
    );
}

#[test]
fn an_answer_too_long_for_a_datagram_says_so() {
    let kdc = realm().datagram_limit(500).build().unwrap();
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").stamped(&key, NOW).as_req();
    assert_eq!(code(&kdc.answer_datagram(&ask)), c::RESPONSE_TOO_BIG);
    assert!(wire::decode::<krb::AsRep>(&kdc.answer(&ask)).is_ok());
    assert_eq!(kdc.seen()[0].refused, Some(c::RESPONSE_TOO_BIG));
    assert_eq!(kdc.seen()[1].refused, None);
}

#[test]
fn edits_bend_what_is_sealed_and_what_is_not() {
    let kdc = kdc();
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").with(|ask| ask.etypes = vec![17]);
    let request = ask.clone().stamped(&key, NOW).as_req();
    kdc.edit_enc_part(|_, part| part.nonce = 99);
    kdc.edit_reply(|_, reply| reply.crealm = wire::string(b"EVIL").unwrap());
    kdc.edit_error(|_, error| error.error_code = c::SKEW);
    let got = read_as(&kdc.answer(&request), &key).unwrap();
    assert_eq!((got.part.nonce, got.client.realm()), (99, &b"EVIL"[..]));
    assert_eq!(code(&kdc.answer(&ask.as_req())), c::SKEW);
    kdc.clear_edits();
    assert_eq!(read_as(&kdc.answer(&request), &key).unwrap().part.nonce, 7);
    kdc.edit_bytes(|_, bytes| bytes.truncate(5));
    assert_eq!(kdc.answer(&request).len(), 5);
}

#[cfg(feature = "rc4")]
#[test]
fn an_account_of_rc4_alone_is_for_who_offers_rc4() {
    let builder = realm().account(Account::user("old", "pw").enctypes(&[Enctype::Rc4Hmac]));
    let kdc = builder.build().unwrap();
    let ask = |etypes: &[i32]| Ask::initial("old").with(|ask| ask.etypes = etypes.to_vec());
    assert_eq!(code(&kdc.answer(&ask(&ALL).as_req())), c::ETYPE_UNSUPPORTED);
    let key = Key::from_password(Enctype::Rc4Hmac, b"pw", b"", None).unwrap();
    let answer = kdc.answer(&ask(&[18, 23]).stamped(&key, NOW).as_req());
    let got = read_as(&answer, &key).unwrap();
    // The ticket-granting service has keys of its own.
    assert_eq!(got.key.enctype(), Enctype::Aes256CtsHmacSha1_96);
    let info: krb::EtypeInfo2 =
        wire::decode(&hints(&kdc.answer(&ask(&[23]).as_req()))[1].value).unwrap();
    assert_eq!((info[0].etype, &info[0].salt), (23, &None));
}

#[test]
fn sets_are_offered_and_the_chosen_one_is_to_be_named() {
    let builder = realm().account(Account::user("set", "pw").authentication_sets());
    let kdc = builder.build().unwrap();
    let ask = Ask::initial("set").with(|ask| ask.etypes = vec![17]);
    let hints = hints(&kdc.answer(&ask.as_req()));
    assert!(
        !hints
            .iter()
            .any(|hint| hint.r#type == padata::ENC_TIMESTAMP)
    );
    let sets = hints
        .iter()
        .filter(|hint| hint.r#type == padata::AUTHENTICATION_SET);
    let sets: Vec<Vec<SetElement>> = sets.map(|set| wire::decode(&set.value).unwrap()).collect();
    assert_eq!((sets.len(), sets[1][0].pa_type), (2, padata::ENC_TIMESTAMP));

    let key = password_key("set", "pw", FAST_ENCTYPE);
    let answer = |chosen: Option<&SetElement>| {
        let ask = ask.clone().with(|ask| {
            let chosen = chosen.map(|chosen| wire::encode(chosen).unwrap());
            let chosen = chosen.map(|chosen| data(padata::AUTH_SET_SELECTED, &chosen));
            ask.padata.extend(chosen);
        });
        kdc.answer(&ask.stamped(&key, NOW).as_req())
    };
    assert_eq!(code(&answer(None)), c::PREAUTH_FAILED);
    assert_eq!(code(&answer(Some(&sets[0][0]))), c::PREAUTH_FAILED);
    assert!(read_as(&answer(Some(&sets[1][0])), &key).is_ok());
}
