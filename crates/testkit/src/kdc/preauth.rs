//! Pre-authentication: the client proves that it has its key before it gets anything sealed in it.

use countersign_crypto::{Enctype, Key, KeyUsage};
use rasn_kerberos as krb;

use super::account::Record;
use super::cookie;
use super::core::{Core, Session};
use super::fast::{FastPolicy, Tunnel};
use super::messages::SetElement;
use super::refusal::{Refusal, code};
use super::request::padata;
use crate::{Error, wire};

/// A pre-authentication mechanism that no client has.
const UNKNOWN_MECHANISM: i32 = 9_999;

/// What the client has proved, and what the KDC says to it.
#[derive(Default)]
pub(super) struct Proof {
    pub(super) authenticated: bool,
    pub(super) padata: Vec<krb::PaData>,
}

/// Checks what the client sent, and asks for more where that is not enough (RFC 4120 §3.1.3, §5.2.7).
pub(super) fn check(core: &mut Core, session: &Session, client: &Record) -> Result<Proof, Refusal> {
    let rounds = cookie::rounds(core, session, client)?;
    if client.account.wants_set {
        names_its_set(session)?;
    }
    let mut proof = Proof::default();
    if let (Some(value), Some(tunnel)) = (
        session.request.padata(padata::ENCRYPTED_CHALLENGE),
        &session.tunnel,
    ) {
        let key = encrypted_challenge(core, session, client, value)?;
        proof.authenticated = true;
        proof
            .padata
            .push(kdc_challenge(core, session, tunnel, key)?);
    } else if let Some(value) = session.request.padata(padata::ENC_TIMESTAMP) {
        enc_timestamp(core, session, client, value)?;
        proof.authenticated = true;
    } else if client.account.preauth {
        let hints = method_data(core, session, client, 0)?;
        let refusal = Refusal::new(code::PREAUTH_REQUIRED, "prove that you have the key");
        return Err(refusal.with_data(hints));
    }
    let rounds = rounds.saturating_add(1);
    if rounds < client.account.rounds {
        let hints = method_data(core, session, client, rounds)?;
        let refusal = Refusal::new(code::MORE_PREAUTH_DATA_REQUIRED, "and prove it again");
        return Err(refusal.with_data(hints));
    }
    Ok(proof)
}

/// PA-ENCRYPTED-CHALLENGE, RFC 6113 §5.4.6: the key that it was made with.
fn encrypted_challenge<'a>(
    core: &mut Core,
    session: &Session,
    client: &'a Record,
    value: &[u8],
) -> Result<&'a Key, Refusal> {
    let failed = || Refusal::new(code::PREAUTH_FAILED, "the challenge does not open");
    let sealed: krb::EncryptedData = wire::decode(value).map_err(|_| failed())?;
    let tunnel = session.tunnel.as_ref().ok_or_else(failed)?;
    // The challenge key has the armor key's enctype, so the client's key is found by trial.
    for enctype in offered(session, client) {
        let Some(key) = client.key(enctype, None) else {
            continue;
        };
        let challenge_key = tunnel.challenge_key(key, b"clientchallengearmor")?;
        if challenge_key.enctype().id() != sealed.etype {
            continue;
        }
        let usage = KeyUsage::ENC_CHALLENGE_CLIENT;
        let Ok(opened) = challenge_key.decrypt(usage, &sealed.cipher) else {
            continue;
        };
        let stamp: krb::PaEncTsEnc = wire::decode(&opened).map_err(|_| failed())?;
        within_skew(core, session, wire::seconds(&stamp.patimestamp))?;
        return Ok(key);
    }
    Err(failed().with_data(method_data(core, session, client, 0)?))
}

/// The KDC's own challenge, which proves to the client that it too has the key.
fn kdc_challenge(
    core: &mut Core,
    session: &Session,
    tunnel: &Tunnel,
    client: &Key,
) -> Result<krb::PaData, Error> {
    let key = tunnel.challenge_key(client, b"kdcchallengearmor")?;
    let stamp = krb::PaEncTsEnc {
        patimestamp: wire::time(session.now.seconds)?,
        pausec: Some(wire::integer(session.now.microseconds)),
    };
    let usage = KeyUsage::ENC_CHALLENGE_KDC;
    let cipher = key.encrypt(usage, &wire::encode(&stamp)?, &mut *core.random)?;
    let sealed = krb::EncryptedData {
        etype: key.enctype().id(),
        kvno: None,
        cipher: wire::octets(&cipher),
    };
    Ok(data(padata::ENCRYPTED_CHALLENGE, &wire::encode(&sealed)?))
}

/// PA-ENC-TIMESTAMP, RFC 4120 §5.2.7.2.
fn enc_timestamp(
    core: &mut Core,
    session: &Session,
    client: &Record,
    value: &[u8],
) -> Result<(), Refusal> {
    let failed = || Refusal::new(code::PREAUTH_FAILED, "the timestamp does not open");
    let sealed: krb::EncryptedData = wire::decode(value).map_err(|_| failed())?;
    let key = Enctype::from_id(sealed.etype)
        .and_then(|enctype| client.key(enctype, None))
        .ok_or_else(|| Refusal::new(code::ETYPE_UNSUPPORTED, "no key of that enctype"))?;
    let opened = key.decrypt(KeyUsage::AS_REQ_TIMESTAMP, &sealed.cipher);
    let Ok(opened) = opened else {
        return Err(failed().with_data(method_data(core, session, client, 0)?));
    };
    let stamp: krb::PaEncTsEnc = wire::decode(&opened).map_err(|_| failed())?;
    within_skew(core, session, wire::seconds(&stamp.patimestamp))
}

pub(super) fn within_skew(core: &Core, session: &Session, time: i64) -> Result<(), Refusal> {
    match time.abs_diff(session.now.seconds) > core.config.skew.unsigned_abs() {
        true => Err(Refusal::new(code::SKEW, "clock skew too great")),
        false => Ok(()),
    }
}

/// What the client may prove itself with, and how it makes its key: METHOD-DATA, RFC 4120 §5.9.1.
fn method_data(
    core: &mut Core,
    session: &Session,
    client: &Record,
    rounds: u32,
) -> Result<Vec<u8>, Error> {
    let mut list: krb::MethodData = vec![etype_info2(client, &offered(session, client))?];
    let usual = usual(session);
    if client.account.wants_set {
        for pa_type in [UNKNOWN_MECHANISM, usual] {
            let set = wire::encode(&vec![element(pa_type)])?;
            list.push(data(padata::AUTHENTICATION_SET, &set));
        }
    } else {
        list.push(data(usual, &[]));
    }
    if core.config.fast != FastPolicy::Unavailable {
        list.insert(0, data(padata::FX_FAST, &[]));
        list.push(cookie::bake(core, session, client, rounds)?);
    }
    wire::encode(&list)
}

/// What a password proves itself with: RFC 6113 §5.4.6 has the challenge only inside FAST.
fn usual(session: &Session) -> i32 {
    match session.tunnel {
        Some(_) => padata::ENCRYPTED_CHALLENGE,
        None => padata::ENC_TIMESTAMP,
    }
}

fn element(pa_type: i32) -> SetElement {
    SetElement {
        pa_type,
        pa_hint: Some(wire::octets(b"which")),
        pa_value: None,
    }
}

/// RFC 6113 §5.3: who begins a set says which, by giving its first element back.
fn names_its_set(session: &Session) -> Result<(), Refusal> {
    let usual = usual(session);
    if session.request.padata(usual).is_none() {
        return Ok(());
    }
    let chosen = session.request.padata(padata::AUTH_SET_SELECTED);
    let chosen = chosen.and_then(|value| wire::decode::<SetElement>(value).ok());
    match chosen == Some(element(usual)) {
        true => Ok(()),
        false => Err(Refusal::new(code::PREAUTH_FAILED, "which of the sets?")),
    }
}

/// The enctypes that the client offered and has keys of, in its order.
fn offered(session: &Session, client: &Record) -> Vec<Enctype> {
    let own = client.enctypes();
    let offered = session.request.body.etypes.iter();
    offered
        .filter_map(|id| Enctype::from_id(*id))
        .filter(|enctype| own.contains(enctype))
        .collect()
}

/// PA-ETYPE-INFO2, RFC 4120 §5.2.7.5.
pub(super) fn etype_info2(client: &Record, enctypes: &[Enctype]) -> Result<krb::PaData, Error> {
    let entry = |enctype: &Enctype| {
        Ok(krb::EtypeInfo2Entry {
            etype: enctype.id(),
            // RFC 4757 §2: rc4-hmac's keys have no salt.
            salt: (!enctype.is_weak())
                .then(|| wire::string(&client.salt))
                .transpose()?,
            s2kparams: client.s2k_params(*enctype).as_deref().map(wire::octets),
        })
    };
    let list: krb::EtypeInfo2 = enctypes.iter().map(entry).collect::<Result<_, Error>>()?;
    Ok(data(padata::ETYPE_INFO2, &wire::encode(&list)?))
}

pub(super) fn data(kind: i32, value: &[u8]) -> krb::PaData {
    krb::PaData {
        r#type: kind,
        value: wire::octets(value),
    }
}

/// The key of the reply: the first enctype of the client's list that it has a key of (RFC 4120 §3.1.3).
pub(super) fn reply_key<'a>(session: &Session, client: &'a Record) -> Result<&'a Key, Refusal> {
    offered(session, client)
        .first()
        .and_then(|enctype| client.key(*enctype, None))
        .ok_or_else(|| Refusal::new(code::ETYPE_UNSUPPORTED, "no enctype that you have keys of"))
}
