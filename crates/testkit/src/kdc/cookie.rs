//! PA-FX-COOKIE, RFC 6113 §5.2: what the KDC would have to remember, sealed in its own key and carried by the client.

use countersign_crypto::KeyUsage;
use rasn_kerberos as krb;

use super::account::Record;
use super::core::{Core, Session};
use super::preauth::data;
use super::refusal::{Refusal, code};
use super::request::padata;
use crate::Error;

/// A key usage of the KDC's own (RFC 4120 §7.5.1 leaves 1024 and above to applications).
const USAGE: KeyUsage = KeyUsage(1_024);

/// How long a cookie keeps, in seconds.
const FRESH: i64 = 600;

/// A cookie for `client`, who has proved itself `rounds` times.
pub(super) fn bake(
    core: &mut Core,
    session: &Session,
    client: &Record,
    rounds: u32,
) -> Result<krb::PaData, Error> {
    let mut plaintext = session.now.seconds.to_be_bytes().to_vec();
    plaintext.extend(rounds.to_be_bytes());
    plaintext.extend(client.principal.to_text());
    let granting = core.granting().ok_or(Error::Unknown)?;
    let key = granting.strongest_key().ok_or(Error::Unknown)?;
    let sealed = key.encrypt(USAGE, &plaintext, &mut *core.random)?;
    Ok(data(padata::FX_COOKIE, &sealed))
}

/// How often the client has proved itself, by its cookie; not at all when it has none.
pub(super) fn rounds(core: &Core, session: &Session, client: &Record) -> Result<u32, Refusal> {
    let Some(cookie) = session.request.padata(padata::FX_COOKIE) else {
        return Ok(0);
    };
    let stale = || Refusal::new(code::PREAUTH_EXPIRED, "the cookie is stale");
    let granting = core.granting().ok_or_else(stale)?;
    let key = granting.strongest_key().ok_or_else(stale)?;
    let opened = key.decrypt(USAGE, cookie).map_err(|_| stale())?;
    let (baked, rest) = opened.split_first_chunk::<8>().ok_or_else(stale)?;
    let (rounds, name) = rest.split_first_chunk::<4>().ok_or_else(stale)?;
    let age = session.now.seconds.abs_diff(i64::from_be_bytes(*baked));
    if age > FRESH.unsigned_abs() || name != client.principal.to_text() {
        return Err(stale());
    }
    Ok(u32::from_be_bytes(*rounds))
}
