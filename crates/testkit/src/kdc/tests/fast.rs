use countersign_crypto::{Key, KeyUsage, combine};
use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::fast::strengthened;
use crate::kdc::messages::*;
use crate::kdc::preauth::data;
use crate::kdc::refusal::code as c;
use crate::kdc::request::padata;
use crate::{Account, FastPolicy, Kdc, KdcBuilder, NOW, SeededRandom, wire};

const WEB: &str = "HTTP/web.example.com";

fn realm() -> KdcBuilder {
    Kdc::builder(REALM)
        .user("alice", "open sesame")
        .user("bob", "pw")
        .service(WEB)
}

/// The client's end of the tunnel.
struct Armor {
    key: Key,
    value: KrbFastArmor,
}

fn subkey(seed: u64) -> Key {
    Key::generate(FAST_ENCTYPE, &mut SeededRandom::new(seed)).unwrap()
}

fn armor(tgt: &Got) -> Armor {
    let subkey = subkey(5);
    let authenticator = krb::Authenticator {
        authenticator_vno: wire::integer(5),
        crealm: wire::string(tgt.client.realm()).unwrap(),
        cname: wire::name(&tgt.client).unwrap(),
        cksum: None,
        cusec: wire::integer(0),
        ctime: wire::time(NOW).unwrap(),
        subkey: Some(wire::key(&subkey)),
        seq_number: None,
        authorization_data: None,
    };
    let plaintext = wire::encode(&authenticator).unwrap();
    let request = krb::ApReq {
        pvno: wire::integer(5),
        msg_type: wire::integer(14),
        ap_options: krb::ApOptions(wire::flags(0)),
        ticket: wire::decode(&tgt.ticket).unwrap(),
        authenticator: seal(&tgt.key, KeyUsage::AP_REQ_AUTHENTICATOR, &plaintext),
    };
    Armor {
        key: combine(&subkey, &tgt.key, b"subkeyarmor", b"ticketarmor").unwrap(),
        value: KrbFastArmor {
            armor_type: 1,
            armor_value: wire::octets(&wire::encode(&request).unwrap()),
        },
    }
}

/// `ask` inside a tunnel, and nothing but the tunnel outside.
fn armored(ask: &Ask, key: &Key, value: Option<KrbFastArmor>, options: u32) -> Ask {
    let body = wire::encode(&ask.body()).unwrap();
    let outside = ask
        .padata
        .iter()
        .find(|data| data.r#type == padata::TGS_REQ)
        .cloned();
    let covered = outside
        .as_ref()
        .map_or(body.clone(), |data| data.value.to_vec());
    let inner = KrbFastReq {
        fast_options: wire::flags(options),
        padata: ask
            .padata
            .iter()
            .filter(|data| data.r#type != padata::TGS_REQ)
            .cloned()
            .collect(),
        req_body: wire::decode(&body).unwrap(),
    };
    let mac = key.mac(KeyUsage::FAST_REQ_CHECKSUM);
    let request = PaFxFastRequest::Armored(KrbFastArmoredReq {
        armor: value,
        req_checksum: krb::Checksum {
            r#type: mac.checksum_type().id(),
            checksum: wire::octets(mac.compute(&[&covered]).as_bytes()),
        },
        enc_fast_req: seal(key, KeyUsage::FAST_ENC, &wire::encode(&inner).unwrap()),
    });
    let tunnel = data(padata::FX_FAST, &wire::encode(&request).unwrap());
    ask.clone()
        .with(|ask| ask.padata = outside.into_iter().chain([tunnel]).collect())
}

fn challenge(armor_key: &Key, client: &Key, time: i64) -> krb::PaData {
    let key = combine(
        armor_key,
        client,
        b"clientchallengearmor",
        b"challengelongterm",
    )
    .unwrap();
    let stamp = krb::PaEncTsEnc {
        patimestamp: wire::time(time).unwrap(),
        pausec: None,
    };
    let sealed = seal(
        &key,
        KeyUsage::ENC_CHALLENGE_CLIENT,
        &wire::encode(&stamp).unwrap(),
    );
    data(padata::ENCRYPTED_CHALLENGE, &wire::encode(&sealed).unwrap())
}

fn response(key: &Key, padata: &[krb::PaData]) -> Option<KrbFastResponse> {
    let tunnel = padata.iter().find(|data| data.r#type == padata::FX_FAST)?;
    let PaFxFastReply::Armored(reply) = wire::decode(&tunnel.value).ok()?;
    let opened = key
        .decrypt(KeyUsage::FAST_REP, &reply.enc_fast_rep.cipher)
        .ok()?;
    wire::decode(&opened).ok()
}

fn error_response(key: &Key, answer: &[u8]) -> Option<KrbFastResponse> {
    let hints: krb::MethodData = wire::decode(error(answer).e_data.as_deref()?).ok()?;
    response(key, &hints)
}

fn bob() -> Ask {
    Ask::initial("bob").with(|ask| ask.etypes = vec![17])
}

fn bob_key() -> Key {
    password_key("bob", "pw", FAST_ENCTYPE)
}

/// bob's request with a proof, in a tunnel.
fn proved(armor: &Armor) -> Ask {
    let ask = bob().with(|ask| ask.padata.push(challenge(&armor.key, &bob_key(), NOW)));
    armored(&ask, &armor.key, Some(armor.value.clone()), 0)
}

#[test]
fn a_tunnel_carries_hint_proof_and_reply() {
    let kdc = realm().build().unwrap();
    let armor = armor(&log_on(&kdc, 0));
    let ask = armored(&bob(), &armor.key, Some(armor.value.clone()), 0);
    let answer = kdc.answer(&ask.as_req());
    assert_eq!(code(&answer), c::PREAUTH_REQUIRED);
    let hint = error_response(&armor.key, &answer).unwrap();
    let kinds: Vec<_> = hint.padata.iter().map(|data| data.r#type).collect();
    assert_eq!(kinds, [137, 136, 19, 138, 133]);
    assert!(hint.finished.is_none());
    let inner: krb::KrbError = wire::decode(&hint.padata[0].value).unwrap();
    assert_eq!(
        (inner.error_code, inner.e_data),
        (c::PREAUTH_REQUIRED, None)
    );

    let answer = kdc.answer(&proved(&armor).as_req());
    let reply = wire::decode::<krb::AsRep>(&answer).unwrap().0;
    let response = response(&armor.key, &reply.padata.unwrap()).unwrap();
    let strengthen = wire::open_key(response.strengthen_key.as_ref().unwrap()).unwrap();
    assert!(read_as(&answer, &bob_key()).is_err());
    let got = read_as(&answer, &strengthened(&strengthen, &bob_key()).unwrap()).unwrap();
    assert_eq!(response.nonce, 7);
    let finished = response.finished.unwrap();
    assert_eq!(
        wire::principal(&finished.crealm, &finished.cname),
        got.client
    );
    let checksum = finished.ticket_checksum;
    let usage = KeyUsage::FAST_FINISHED;
    assert!(
        armor
            .key
            .verify_checksum(usage, checksum.r#type, &[&got.ticket], &checksum.checksum)
            .is_ok()
    );
    // The KDC has the key too.
    let own = response
        .padata
        .iter()
        .find(|data| data.r#type == 138)
        .unwrap();
    let sealed: krb::EncryptedData = wire::decode(&own.value).unwrap();
    let key = combine(
        &armor.key,
        &bob_key(),
        b"kdcchallengearmor",
        b"challengelongterm",
    )
    .unwrap();
    assert!(
        key.decrypt(KeyUsage::ENC_CHALLENGE_KDC, &sealed.cipher)
            .is_ok()
    );
    assert!(kdc.seen().last().unwrap().armored);
}

#[test]
fn a_wrong_key_an_old_time_and_a_changed_body_are_refused_in_the_tunnel() {
    let kdc = realm().build().unwrap();
    let armor = armor(&log_on(&kdc, 0));
    let refused = |proof: krb::PaData| {
        let ask = bob().with(|ask| ask.padata.push(proof));
        let answer = kdc.answer(&armored(&ask, &armor.key, Some(armor.value.clone()), 0).as_req());
        assert!(error_response(&armor.key, &answer).is_some());
        code(&answer)
    };
    let wrong = password_key("bob", "no", FAST_ENCTYPE);
    assert_eq!(
        refused(challenge(&armor.key, &wrong, NOW)),
        c::PREAUTH_FAILED
    );
    assert_eq!(
        refused(challenge(&armor.key, &bob_key(), NOW - 301)),
        c::SKEW
    );
    // A challenge for another armor.
    assert_eq!(
        refused(challenge(&subkey(6), &bob_key(), NOW)),
        c::PREAUTH_FAILED
    );
    let changed = proved(&armor).with(|ask| ask.till += 1);
    assert_eq!(code(&kdc.answer(&changed.as_req())), c::MODIFIED);
    assert!(wire::decode::<krb::AsRep>(&kdc.answer(&proved(&armor).as_req())).is_ok());
}

#[test]
fn only_a_ticket_granting_ticket_with_a_subkey_is_armor() {
    let kdc = realm().build().unwrap();
    let tgt = log_on(&kdc, 0);
    let service = armor(&buy(&kdc, Ask::ticket(WEB), &tgt).unwrap());
    assert_eq!(
        code(&kdc.answer(&proved(&service).as_req())),
        c::PREAUTH_FAILED
    );
    let mut unknown = armor(&tgt);
    unknown.value.armor_type = 2;
    assert_eq!(
        code(&kdc.answer(&proved(&unknown).as_req())),
        c::PREAUTH_FAILED
    );
    let none = armored(&bob(), &armor(&tgt).key, None, 0);
    assert_eq!(code(&kdc.answer(&none.as_req())), c::PREAUTH_FAILED);
    assert!(wire::decode::<krb::AsRep>(&kdc.answer(&proved(&armor(&tgt)).as_req())).is_ok());
}

#[test]
fn names_are_hidden_outside_and_unknown_critical_options_refused() {
    let kdc = realm().build().unwrap();
    let armor = armor(&log_on(&kdc, 0));
    let ask = |options| {
        let ask = bob().with(|ask| ask.padata.push(challenge(&armor.key, &bob_key(), NOW)));
        kdc.answer(&armored(&ask, &armor.key, Some(armor.value.clone()), options).as_req())
    };
    let hidden = wire::decode::<krb::AsRep>(&ask(1 << 30)).unwrap().0;
    assert_eq!(hidden.cname.string[0].as_bytes(), b"WELLKNOWN");
    let finished = response(&armor.key, &hidden.padata.unwrap())
        .unwrap()
        .finished
        .unwrap();
    assert_eq!(finished.cname.string[0].as_bytes(), b"bob");
    assert_eq!(code(&ask(1 << 29)), c::UNKNOWN_FAST_OPTION);
    // kdc-follow-referrals (16) is not critical.
    assert!(wire::decode::<krb::AsRep>(&ask(1 << 15)).is_ok());
}

#[test]
fn a_service_ticket_comes_through_the_tunnel_of_its_own_request() {
    let kdc = realm().build().unwrap();
    let tgt = log_on(&kdc, 0);
    let subkey = subkey(8);
    let ask = Ask::ticket(WEB).presenting(&tgt, |a| a.subkey = Some(wire::key(&subkey)));
    let key = combine(&subkey, &tgt.key, b"subkeyarmor", b"ticketarmor").unwrap();
    let answer = kdc.answer(&armored(&ask, &key, None, 0).tgs_req());
    let reply = wire::decode::<krb::TgsRep>(&answer).unwrap().0;
    let response = response(&key, &reply.padata.unwrap()).unwrap();
    let strengthen = wire::open_key(&response.strengthen_key.unwrap()).unwrap();
    let reply_key = strengthened(&strengthen, &subkey).unwrap();
    assert!(read_tgs(&answer, &subkey, KeyUsage::TGS_REP_SUBKEY).is_err());
    assert!(read_tgs(&answer, &reply_key, KeyUsage::TGS_REP_SUBKEY).is_ok());
    assert!(response.finished.is_some());

    let without = Ask::ticket(WEB).presenting(&tgt, |a| a.cusec = wire::integer(5));
    let answer = kdc.answer(&armored(&without, &key, None, 0).tgs_req());
    assert_eq!(code(&answer), c::PREAUTH_FAILED);
}

#[test]
fn a_kdc_may_want_the_tunnel_or_know_nothing_of_it() {
    let open = |kdc: &Kdc| code(&kdc.answer(&bob().as_req()));
    let required = realm().fast(FastPolicy::Required).build().unwrap();
    assert_eq!(open(&required), c::POLICY);
    // Windows hints, and hints at nothing else.
    let windows = realm()
        .fast(FastPolicy::Required)
        .windows_errors()
        .build()
        .unwrap();
    let answer = windows.answer(&bob().as_req());
    assert_eq!(code(&answer), c::PREAUTH_REQUIRED);
    let hints: krb::MethodData = wire::decode(&error(&answer).e_data.unwrap()).unwrap();
    assert_eq!(
        hints.iter().map(|hint| hint.r#type).collect::<Vec<_>>(),
        [136]
    );
    let available = realm().build().unwrap();
    assert_eq!(open(&available), c::PREAUTH_REQUIRED);
    // The ticket of one KDC is the other's: they have the same seed.
    let armor = armor(&log_on(&available, 0));
    let granted =
        |kdc: &Kdc| wire::decode::<krb::AsRep>(&kdc.answer(&proved(&armor).as_req())).is_ok();
    assert!(granted(&required));
    let unavailable = realm().fast(FastPolicy::Unavailable).build().unwrap();
    assert!(!granted(&unavailable));
    let hints: krb::MethodData =
        wire::decode(&error(&unavailable.answer(&bob().as_req())).e_data.unwrap()).unwrap();
    assert!(
        !hints
            .iter()
            .any(|hint| hint.r#type == 136 || hint.r#type == 133)
    );
}

#[test]
fn stripping_and_edits_reach_into_the_tunnel() {
    let kdc = realm().build().unwrap();
    let armor = armor(&log_on(&kdc, 0));
    kdc.edit_fast(|_, response| response.finished = None);
    let reply = wire::decode::<krb::AsRep>(&kdc.answer(&proved(&armor).as_req()))
        .unwrap()
        .0;
    assert!(
        response(&armor.key, &reply.padata.unwrap())
            .unwrap()
            .finished
            .is_none()
    );
    kdc.clear_edits();
    kdc.strip_fast();
    let answer = kdc.answer(&proved(&armor).as_req());
    assert!(read_as(&answer, &bob_key()).is_ok());
    let hint = kdc.answer(&armored(&bob(), &armor.key, Some(armor.value.clone()), 0).as_req());
    assert!(error_response(&armor.key, &hint).is_none());
}

#[test]
fn proofs_are_counted_by_the_cookie() {
    let builder = realm().account(Account::user("carol", "pw").proofs(2));
    let kdc = builder.build().unwrap();
    let key = password_key("carol", "pw", FAST_ENCTYPE);
    let ask = |cookie: Option<krb::PaData>| {
        let ask = Ask::initial("carol").with(|ask| {
            ask.etypes = vec![17];
            ask.padata.extend(cookie);
        });
        kdc.answer(&ask.stamped(&key, NOW).as_req())
    };
    let cookie = |answer: &[u8]| {
        let hints: krb::MethodData = wire::decode(&error(answer).e_data.unwrap()).unwrap();
        hints
            .into_iter()
            .find(|hint| hint.r#type == padata::FX_COOKIE)
            .unwrap()
    };
    let first = ask(None);
    assert_eq!(code(&first), c::MORE_PREAUTH_DATA_REQUIRED);
    // Without the cookie the KDC remembers nothing.
    assert_eq!(code(&ask(None)), c::MORE_PREAUTH_DATA_REQUIRED);
    let good = cookie(&first);
    assert!(wire::decode::<krb::AsRep>(&ask(Some(good.clone()))).is_ok());
    let bob = cookie(&kdc.answer(&bob().as_req()));
    assert_eq!(code(&ask(Some(bob))), c::PREAUTH_EXPIRED);
    assert_eq!(
        code(&ask(Some(data(padata::FX_COOKIE, b"made up")))),
        c::PREAUTH_EXPIRED
    );
    kdc.advance(200);
    assert!(wire::decode::<krb::AsRep>(&ask(Some(good))).is_ok());
}
