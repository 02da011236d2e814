//! KRB-ERROR, both ways: RFC 4120 §5.9.1. Never authenticated.

use countersign_token::der::{Decode, Reader, SequenceOf, Tag};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{
    Claimed, KerberosString, KerberosTime, KrbError, Microseconds, PrincipalName,
};

use crate::environment::{Environment, Timestamp};
use crate::error::ErrorKind;

use super::credential::AcceptorCredential;
use super::framing::Framed;

/// KERB-ERROR-DATA with data-type KERB_AP_ERR_TYPE_SKEW_RECOVERY (MS-KILE §2.2.2):
/// `SEQUENCE { [1] INTEGER 2 }`.
const SKEW_RECOVERY: [u8; 7] = [0x30, 0x05, 0xa1, 0x03, 0x02, 0x01, 0x02];

/// The token that tells the initiator, for the errors that RFC 4120 gives a code.
pub(super) fn encode(
    kind: ErrorKind,
    credential: &AcceptorCredential,
    framed: Framed,
    skew_recovery: bool,
    env: &Environment<'_>,
) -> Option<Vec<u8>> {
    let error_code = kind.krb_error_code()?;
    let principal = credential.answers_as();
    let components: Vec<KerberosString<'_>> = principal
        .into_iter()
        .flat_map(|principal| principal.components())
        .map(KerberosString::new)
        .collect();
    let name_type = principal.map_or(0, |principal| principal.name_type().0);
    let realm = principal.map_or(&b""[..], |principal| principal.realm());
    let error = KrbError {
        ctime: None,
        cusec: None,
        stime: KerberosTime {
            seconds: env.now.seconds(),
        },
        susec: Microseconds::saturating(env.now.microseconds()),
        error_code,
        crealm: None,
        cname: None,
        realm: Claimed::new(KerberosString::new(realm)),
        sname: Claimed::new(PrincipalName {
            name_type,
            name_string: SequenceOf::new(&components),
        }),
        e_text: None,
        e_data: skew_recovery.then_some(&SKEW_RECOVERY),
    };
    Some(framed.frame(TokenId::KrbError, &error))
}

/// What a KRB-ERROR claims.
pub(super) struct PeerError {
    pub(super) code: i32,
    pub(super) time: Timestamp,
    /// The sender attempts clock skew recovery: it waits for another AP-REQ (MS-KILE §3.4.5).
    pub(super) recovering: bool,
}

pub(super) fn decode(message: &[u8]) -> Result<PeerError, ErrorKind> {
    let error = KrbError::from_der(message).map_err(ErrorKind::DefectiveToken)?;
    Ok(PeerError {
        code: error.error_code,
        time: Timestamp::new(error.stime.seconds, error.susec.as_u32()),
        recovering: error.e_data.is_some_and(says_skew_recovery),
    })
}

/// Whether e-data is a KERB-ERROR-DATA of type KERB_AP_ERR_TYPE_SKEW_RECOVERY, whatever its value.
fn says_skew_recovery(data: &[u8]) -> bool {
    let data_type = Reader::new(data)
        .read(Tag::SEQUENCE)
        .and_then(|mut fields| fields.field(1));
    data_type == Ok(2_i32)
}
