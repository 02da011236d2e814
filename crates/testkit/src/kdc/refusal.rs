//! Why the KDC refuses, and the KRB-ERROR that says so.

use countersign_credential::Principal;
use rasn_kerberos as krb;

use super::request::Body;
use crate::{Error, FixedClock, wire};

/// Error codes, RFC 4120 §7.5.9, written down independently of the code under test.
pub mod code {
    /// KDC_ERR_NAME_EXP: the client's account is over.
    pub const CLIENT_EXPIRED: i32 = 1;
    /// KDC_ERR_C_PRINCIPAL_UNKNOWN.
    pub const CLIENT_UNKNOWN: i32 = 6;
    /// KDC_ERR_S_PRINCIPAL_UNKNOWN.
    pub const SERVER_UNKNOWN: i32 = 7;
    /// KDC_ERR_CANNOT_POSTDATE.
    pub const CANNOT_POSTDATE: i32 = 10;
    /// KDC_ERR_NEVER_VALID.
    pub const NEVER_VALID: i32 = 11;
    /// KDC_ERR_POLICY.
    pub const POLICY: i32 = 12;
    /// KDC_ERR_BADOPTION.
    pub const BAD_OPTION: i32 = 13;
    /// KDC_ERR_ETYPE_NOSUPP.
    pub const ETYPE_UNSUPPORTED: i32 = 14;
    /// KDC_ERR_SUMTYPE_NOSUPP.
    pub const CHECKSUM_UNSUPPORTED: i32 = 15;
    /// KDC_ERR_PADATA_TYPE_NOSUPP.
    pub const PADATA_UNSUPPORTED: i32 = 16;
    /// KDC_ERR_CLIENT_REVOKED.
    pub const CLIENT_REVOKED: i32 = 18;
    /// KDC_ERR_KEY_EXPIRED: the password must be changed.
    pub const KEY_EXPIRED: i32 = 23;
    /// KDC_ERR_PREAUTH_FAILED.
    pub const PREAUTH_FAILED: i32 = 24;
    /// KDC_ERR_PREAUTH_REQUIRED.
    pub const PREAUTH_REQUIRED: i32 = 25;
    /// KDC_ERR_SERVER_NOMATCH.
    pub const SERVER_NO_MATCH: i32 = 26;
    /// KDC_ERR_PATH_NOT_ACCEPTED.
    pub const PATH_NOT_ACCEPTED: i32 = 28;
    /// KRB_AP_ERR_BAD_INTEGRITY.
    pub const BAD_INTEGRITY: i32 = 31;
    /// KRB_AP_ERR_TKT_EXPIRED.
    pub const TICKET_EXPIRED: i32 = 32;
    /// KRB_AP_ERR_TKT_NYV.
    pub const TICKET_NOT_YET_VALID: i32 = 33;
    /// KRB_AP_ERR_REPEAT.
    pub const REPEAT: i32 = 34;
    /// KRB_AP_ERR_NOT_US.
    pub const NOT_US: i32 = 35;
    /// KRB_AP_ERR_BADMATCH.
    pub const BAD_MATCH: i32 = 36;
    /// KRB_AP_ERR_SKEW.
    pub const SKEW: i32 = 37;
    /// KRB_AP_ERR_BADVERSION.
    pub const BAD_VERSION: i32 = 39;
    /// KRB_AP_ERR_MODIFIED.
    pub const MODIFIED: i32 = 41;
    /// KRB_AP_ERR_BADKEYVER.
    pub const BAD_KEY_VERSION: i32 = 44;
    /// KRB_AP_ERR_NOKEY.
    pub const NO_KEY: i32 = 45;
    /// KRB_AP_ERR_INAPP_CKSUM.
    pub const INAPPROPRIATE_CHECKSUM: i32 = 50;
    /// KRB_ERR_RESPONSE_TOO_BIG.
    pub const RESPONSE_TOO_BIG: i32 = 52;
    /// KRB_ERR_GENERIC.
    pub const GENERIC: i32 = 60;
    /// KRB_ERR_FIELD_TOOLONG.
    pub const FIELD_TOO_LONG: i32 = 61;
    /// KDC_ERR_WRONG_REALM, and the referral of a client (RFC 6806 §7).
    pub const WRONG_REALM: i32 = 68;
    /// KDC_ERR_PREAUTH_EXPIRED, RFC 6113 §5.2.
    pub const PREAUTH_EXPIRED: i32 = 90;
    /// KDC_ERR_MORE_PREAUTH_DATA_REQUIRED, RFC 6113 §5.2.
    pub const MORE_PREAUTH_DATA_REQUIRED: i32 = 91;
    /// KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS, RFC 6113 §5.4.2.
    pub const UNKNOWN_FAST_OPTION: i32 = 93;
}

/// A refusal on its way to the client.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) text: &'static str,
    pub(super) e_data: Option<Vec<u8>>,
    /// The client's realm, which a referral names.
    pub(super) client_realm: Option<Vec<u8>>,
}

impl Refusal {
    pub(super) fn new(code: i32, text: &'static str) -> Self {
        Self {
            code,
            text,
            e_data: None,
            client_realm: None,
        }
    }

    pub(super) fn with_data(mut self, e_data: Vec<u8>) -> Self {
        self.e_data = Some(e_data);
        self
    }

    /// The KRB-ERROR, RFC 4120 §5.9.1.
    pub(super) fn to_error(
        &self,
        realm: &str,
        body: Option<&Body>,
        now: FixedClock,
    ) -> Result<krb::KrbError, Error> {
        let kdc = Principal::ticket_granting_service(realm, realm);
        let client = body.and_then(|body| body.client.as_ref());
        let server = body.and_then(|body| body.server.as_ref()).unwrap_or(&kdc);
        let crealm = match &self.client_realm {
            Some(realm) => Some(wire::string(realm)?),
            None => client
                .map(|client| wire::string(client.realm()))
                .transpose()?,
        };
        Ok(krb::KrbError {
            pvno: wire::integer(5),
            msg_type: wire::integer(30),
            ctime: None,
            cusec: None,
            stime: wire::time(now.seconds)?,
            susec: wire::integer(now.microseconds),
            error_code: self.code,
            crealm,
            cname: client.map(wire::name).transpose()?,
            realm: wire::string(realm.as_bytes())?,
            sname: wire::name(server)?,
            e_text: Some(wire::string(self.text.as_bytes())?),
            e_data: self.e_data.as_deref().map(wire::octets),
        })
    }
}

/// What cannot be encoded or sealed is nobody's fault but the KDC's.
impl From<Error> for Refusal {
    fn from(_: Error) -> Self {
        Self::new(code::GENERIC, "the KDC could not make its reply")
    }
}

impl From<countersign_crypto::Error> for Refusal {
    fn from(error: countersign_crypto::Error) -> Self {
        Error::from(error).into()
    }
}
