//! A KDC's KRB-ERROR: RFC 4120 §5.9.1 and §7.5.9, MS-KILE §2.2.1 and §2.2.2.

use countersign_token::DecodeError;
use countersign_token::der::{Decode, SequenceOf};
use countersign_token::kerberos::{KrbError, MethodData, PaData, TypedData};

use crate::environment::Timestamp;
use crate::error::KdcProblem;

use super::padata::OwnedPaData;

/// Error codes that an exchange follows instead of failing, RFC 4120 §7.5.9 and RFC 6113 §5.
pub(crate) mod code {
    pub(crate) const ETYPE_NOSUPP: i32 = 14;
    pub(crate) const PREAUTH_FAILED: i32 = 24;
    pub(crate) const PREAUTH_REQUIRED: i32 = 25;
    pub(crate) const SKEW: i32 = 37;
    pub(crate) const RESPONSE_TOO_BIG: i32 = 52;
    pub(crate) const WRONG_REALM: i32 = 68;
    pub(crate) const PREAUTH_EXPIRED: i32 = 90;
    pub(crate) const MORE_PREAUTH_DATA_REQUIRED: i32 = 91;
}

/// Of a KERB-ERROR-DATA (MS-KILE §2.2.2): KERB_ERR_TYPE_EXTENDED. It shares its number, and in
/// METHOD-DATA its place, with PA-PW-SALT.
const ERROR_TYPE_EXTENDED: i32 = 3;

/// What a KRB-ERROR says. Nobody's word, unless FAST carried it.
#[derive(Debug, Clone)]
pub(crate) struct KdcError {
    pub(crate) code: i32,
    /// The sender's clock.
    pub(crate) time: Timestamp,
    /// Where WRONG_REALM sends the client (RFC 6806 §7).
    pub(crate) client_realm: Option<Vec<u8>>,
    /// METHOD-DATA, or TYPED-DATA read as such.
    pub(crate) padata: Vec<OwnedPaData>,
    pub(crate) nt_status: Option<u32>,
    /// The raw e-data.
    pub(crate) data: Vec<u8>,
}

impl KdcError {
    /// Whether a message is tagged as KRB-ERROR.
    pub(crate) fn is_one(message: &[u8]) -> bool {
        // [APPLICATION 30], constructed.
        message.first() == Some(&0x7e)
    }

    pub(crate) fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let error = KrbError::from_der(message)?;
        let data = error.e_data.unwrap_or_default();
        Ok(Self {
            code: error.error_code,
            time: Timestamp::new(error.stime.seconds, error.susec.as_u32()),
            client_realm: error
                .crealm
                .map(|realm| realm.unverified().as_bytes().to_vec()),
            nt_status: None,
            padata: Vec::new(),
            data: data.to_vec(),
        }
        .with_padata(list(data)))
    }

    /// The same error with these padata: FAST has them beside it (RFC 6113 §5.4.4).
    pub(crate) fn with_padata(mut self, padata: Vec<OwnedPaData>) -> Self {
        self.padata = padata;
        // With PREAUTH_REQUIRED the type is a salt's.
        if self.code != code::PREAUTH_REQUIRED {
            self.nt_status = nt_status(&self.data, &self.padata);
        }
        if self.nt_status.is_some() {
            self.padata.retain(|data| data.kind != ERROR_TYPE_EXTENDED);
        }
        self
    }

    /// What to tell the caller.
    pub(crate) fn problem(&self) -> KdcProblem {
        KdcProblem::from_krb_error(self.code, self.nt_status)
    }
}

/// The e-data as a list, if it is one. RFC 4120 §5.9.1 has METHOD-DATA for some codes and leaves
/// the others to the application; RFC 1510's TYPED-DATA has other tags.
fn list(data: &[u8]) -> Vec<OwnedPaData> {
    if let Ok(list) = MethodData::from_der(data) {
        return OwnedPaData::collect(list);
    }
    let Ok(list) = TypedData::from_der(data) else {
        return Vec::new();
    };
    SequenceOf::iter(&list)
        .map(|data| OwnedPaData::new(data.data_type, data.data_value.unwrap_or_default()))
        .collect()
}

/// KERB_EXT_ERROR: an NTSTATUS, little-endian, and eight bytes more. Alone as KERB-ERROR-DATA,
/// which has the form of one PA-DATA, or in METHOD-DATA.
fn nt_status(data: &[u8], padata: &[OwnedPaData]) -> Option<u32> {
    let alone = PaData::from_der(data).ok();
    let alone = alone.map(|data| (data.padata_type, data.padata_value));
    alone
        .into_iter()
        .chain(padata.iter().map(|data| (data.kind, data.value.as_slice())))
        .filter(|(kind, value)| *kind == ERROR_TYPE_EXTENDED && value.len() == 12)
        .find_map(|(_, value)| {
            let status = value.first_chunk::<4>()?;
            Some(u32::from_le_bytes(*status)).filter(|status| *status != 0)
        })
}
