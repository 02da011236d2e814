//! Keys that come out of a context: of its own, and made from it.
//!
//! | object | what it gives |
//! |---|---|
//! | [`GSS_C_INQ_SSPI_SESSION_KEY`] | the key, then the DER contents of an identifier that ends with its enctype |
//! | [`GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT_OID`], `.`, type | the authorization data of that type in the ticket |

use crate::context::PrfKey;
use crate::crypto::Zeroizing;
use crate::token::der::Decode;
use crate::token::kerberos::{AuthorizationData, authorization};
use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};
use super::{Context, State};

/// 1.2.840.113554.1.2.2.5.5 (`gssapi_ext.h`): the key that protocols above take.
pub const GSS_C_INQ_SSPI_SESSION_KEY: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05");
/// 1.2.840.113554.1.2.2.5.10 (`gssapi_krb5.h`), to be followed by the type of authorization data.
pub const GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT_OID: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0a");

/// `GSS_C_PRF_KEY_FULL` of RFC 4401 §2: the key that the whole exchange agreed on.
pub const GSS_C_PRF_KEY_FULL: PrfKey = PrfKey::Full;
/// `GSS_C_PRF_KEY_PARTIAL` of RFC 4401 §2: the key that the initiator had before the acceptor answered.
pub const GSS_C_PRF_KEY_PARTIAL: PrfKey = PrfKey::Partial;

/// Bytes that both sides make alike of `prf_in` and that tell nothing of the context's keys (RFC 4401
/// §2, RFC 7802; `gss_pseudo_random`).
///
/// # Errors
/// `GSS_S_NO_CONTEXT` before the context is established; `GSS_S_UNAVAILABLE` with NTLM.
pub fn pseudo_random(
    context: &Context,
    prf_key: PrfKey,
    prf_in: &[u8],
    desired_output_len: usize,
) -> Result<Zeroizing<Vec<u8>>, GssError> {
    let context = context.engine()?;
    Ok(context.pseudo_random(prf_key, prf_in, desired_output_len)?)
}

/// Objects of a context (`gss_inquire_sec_context_by_oid`): [`GSS_C_INQ_SSPI_SESSION_KEY`], the key and
/// then the DER contents of an identifier that ends with its enctype; and
/// [`GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT_OID`] with a type of authorization data behind it.
/// The session key is there before the context is established, as soon as it exists.
///
/// # Errors
/// `GSS_S_UNAVAILABLE` where nothing is known of the object, or the context has none;
/// `GSS_S_NO_CONTEXT` before it is established.
pub fn inquire_sec_context_by_oid(
    context: &Context,
    desired_object: Oid<'_>,
) -> Result<Vec<Zeroizing<Vec<u8>>>, GssError> {
    if desired_object == GSS_C_INQ_SSPI_SESSION_KEY {
        return session_key(context);
    }
    let kind = desired_object
        .as_bytes()
        .strip_prefix(GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT_OID.as_bytes());
    match kind {
        Some(kind) if !kind.is_empty() => {
            let kind = arc(kind).ok_or(Problem::ObjectUnknown)?;
            Ok(vec![extract_authz_data(context, kind)?.into()])
        }
        _ => Err(Problem::ObjectUnknown.into()),
    }
}

/// RFC 1964's arc for enctypes, 1.2.840.113554.1.2.2.4, as MIT krb5 ends it with the enctype.
const ENCTYPES: &[u8] = b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x04";

fn session_key(context: &Context) -> Result<Vec<Zeroizing<Vec<u8>>>, GssError> {
    let key = match &context.state {
        State::Established(context) => context.session_key(),
        State::HalfOpen(mechanism) => mechanism.session_key().ok_or(Problem::ContextIncomplete)?,
    };
    let mut found = vec![Zeroizing::new(key.expose().to_vec())];
    if let Some(enctype) = key.enctype() {
        let mut oid = ENCTYPES.to_vec();
        let id = u32::try_from(enctype.id()).unwrap_or(0);
        push_arc(id, &mut oid);
        found.push(Zeroizing::new(oid));
    }
    Ok(found)
}

/// X.690 8.19.2: seven bits an octet, the last without its high bit.
fn push_arc(arc: u32, out: &mut Vec<u8>) {
    let octets = (0..5).rev().map(|place| (arc >> (7 * place)) & 0x7f);
    let octets: Vec<u32> = octets.skip_while(|octet| *octet == 0).collect();
    if octets.is_empty() {
        out.push(0);
    }
    for (index, octet) in octets.iter().enumerate() {
        let more = if index.saturating_add(1) < octets.len() {
            0x80
        } else {
            0
        };
        out.push(u8::try_from(octet | more).unwrap_or(0));
    }
}

/// The one arc that the octets are.
fn arc(octets: &[u8]) -> Option<i32> {
    let (last, first) = octets.split_last()?;
    if last & 0x80 != 0 || first.iter().any(|octet| octet & 0x80 == 0) {
        return None;
    }
    let value = octets.iter().try_fold(0_u32, |value, octet| {
        let shifted = value.checked_mul(128)?;
        shifted.checked_add(u32::from(octet & 0x7f))
    })?;
    i32::try_from(value).ok()
}

/// The first authorization data of this type in the initiator's ticket, also inside of
/// AD-IF-RELEVANT (`gsskrb5_extract_authz_data_from_sec_context`).
///
/// The KDC vouches for the outermost elements alone. Of a PAC take what the name's attributes offer,
/// which was verified.
///
/// # Errors
/// `GSS_S_UNAVAILABLE` where there is none; `GSS_S_NO_CONTEXT` before the context is established.
pub fn extract_authz_data(context: &Context, ad_type: i32) -> Result<Vec<u8>, GssError> {
    let data = context.engine()?.authorization_data();
    let parsed = AuthorizationData::from_der(data).map_err(|_| Problem::ObjectUnknown)?;
    let mut elements = authorization::elements(&parsed).flatten();
    let found = elements.find(|element| element.entry.ad_type == ad_type);
    Ok(found.ok_or(Problem::ObjectUnknown)?.entry.ad_data.to_vec())
}
