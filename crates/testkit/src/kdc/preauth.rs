//! Pre-authentication: the client proves that it has its key before it gets anything sealed in it.

use countersign_crypto::{Enctype, Key, KeyUsage};
use rasn_kerberos as krb;

use super::account::Record;
use super::core::{Core, Session};
use super::refusal::{Refusal, code};
use super::request::padata;
use crate::{Error, wire};

/// Whether the client has proved anything.
pub(super) struct Proof {
    pub(super) authenticated: bool,
}

/// Checks what the client sent, and asks for more where that is not enough (RFC 4120 §3.1.3, §5.2.7).
pub(super) fn check(
    core: &mut Core,
    session: &mut Session,
    client: &Record,
) -> Result<Proof, Refusal> {
    if let Some(value) = session.request.padata(padata::ENC_TIMESTAMP) {
        enc_timestamp(core, session, client, value)?;
        return Ok(Proof {
            authenticated: true,
        });
    }
    if client.account.preauth {
        let hints = method_data(session, client)?;
        return Err(
            Refusal::new(code::PREAUTH_REQUIRED, "prove that you have the key").with_data(hints),
        );
    }
    Ok(Proof {
        authenticated: false,
    })
}

/// PA-ENC-TIMESTAMP, RFC 4120 §5.2.7.2.
fn enc_timestamp(
    core: &Core,
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
        return Err(failed().with_data(method_data(session, client)?));
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
fn method_data(session: &Session, client: &Record) -> Result<Vec<u8>, Error> {
    let list: krb::MethodData = vec![
        etype_info2(client, &offered(session, client))?,
        data(padata::ENC_TIMESTAMP, &[]),
    ];
    wire::encode(&list)
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
