//! A KDC-REQ as the KDC reads it, and what tests may see of it.

use countersign_credential::Principal;
use rasn_kerberos as krb;

use super::messages::{RawAsReq, RawKdcReq, RawTgsReq};
use super::refusal::{Refusal, code};
use crate::{Error, wire};

/// What came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// An AS-REQ (RFC 4120 §5.4.1): a first ticket.
    As,
    /// A TGS-REQ (RFC 4120 §5.4.1): a ticket by a ticket.
    Tgs,
    /// A password change (RFC 3244 §2).
    PasswordChange,
    /// Nothing that a KDC knows.
    Unknown,
}

/// A request that the KDC has seen, for tests to look at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SeenRequest {
    /// What came in.
    pub kind: RequestKind,
    /// The client that the body names; inside FAST the true one.
    pub client: Option<Principal>,
    /// The service that the body names.
    pub server: Option<Principal>,
    /// The types of the pre-authentication data, inside FAST where there is FAST.
    pub padata: Vec<i32>,
    /// `kdc-options`.
    pub options: u32,
    /// The enctypes that the client offers.
    pub etypes: Vec<i32>,
    /// Whether FAST armored the request.
    pub armored: bool,
    /// The request as it came.
    pub bytes: Vec<u8>,
    /// The KRB-ERROR's code, when the answer was an error.
    pub refused: Option<i32>,
}

impl SeenRequest {
    pub(super) fn new(kind: RequestKind, bytes: &[u8]) -> Self {
        Self {
            kind,
            client: None,
            server: None,
            padata: Vec::new(),
            options: 0,
            etypes: Vec::new(),
            armored: false,
            bytes: bytes.to_vec(),
            refused: None,
        }
    }

    pub(super) fn note(&mut self, request: &Request) {
        self.client.clone_from(&request.body.client);
        self.server.clone_from(&request.body.server);
        self.padata = request.padata.iter().map(|data| data.r#type).collect();
        self.options = request.body.options;
        self.etypes.clone_from(&request.body.etypes);
    }
}

/// KDC options, RFC 4120 §5.4.1; bit 0 is the most significant of the 32.
pub(super) mod option {
    pub(crate) const FORWARDABLE: u32 = 1 << 30;
    pub(crate) const FORWARDED: u32 = 1 << 29;
    pub(crate) const PROXIABLE: u32 = 1 << 28;
    pub(crate) const PROXY: u32 = 1 << 27;
    pub(crate) const ALLOW_POSTDATE: u32 = 1 << 26;
    pub(crate) const POSTDATED: u32 = 1 << 25;
    pub(crate) const RENEWABLE: u32 = 1 << 23;
    /// CNAME-IN-ADDL-TKT (14), MS-SFU §2.2.3.
    pub(crate) const CNAME_IN_ADDL_TKT: u32 = 1 << 17;
    /// CANONICALIZE (15), RFC 6806 §3.
    pub(crate) const CANONICALIZE: u32 = 1 << 16;
    pub(crate) const DISABLE_TRANSITED_CHECK: u32 = 1 << 5;
    pub(crate) const RENEWABLE_OK: u32 = 1 << 4;
    pub(crate) const ENC_TKT_IN_SKEY: u32 = 1 << 3;
    pub(crate) const RENEW: u32 = 1 << 1;
    pub(crate) const VALIDATE: u32 = 1;
}

/// Types of pre-authentication data.
pub(super) mod padata {
    pub(crate) const TGS_REQ: i32 = 1;
    pub(crate) const ENC_TIMESTAMP: i32 = 2;
    pub(crate) const ETYPE_INFO2: i32 = 19;
    /// MS-KILE §2.2.3.
    pub(crate) const PAC_REQUEST: i32 = 128;
    /// MS-SFU §2.2.1.
    pub(crate) const FOR_USER: i32 = 129;
    /// MS-SFU §2.2.2.
    pub(crate) const S4U_X509_USER: i32 = 130;
    /// RFC 6113 §5.2.
    pub(crate) const FX_COOKIE: i32 = 133;
    /// RFC 6113 §5.3.
    pub(crate) const AUTHENTICATION_SET: i32 = 134;
    /// RFC 6113 §5.3.
    pub(crate) const AUTH_SET_SELECTED: i32 = 135;
    /// RFC 6113 §5.4.
    pub(crate) const FX_FAST: i32 = 136;
    /// RFC 6113 §5.4.4.
    pub(crate) const FX_ERROR: i32 = 137;
    /// RFC 6113 §5.4.6.
    pub(crate) const ENCRYPTED_CHALLENGE: i32 = 138;
    /// PA-REQ-ENC-PA-REP, RFC 6806 §11.
    pub(crate) const REQ_ENC_PA_REP: i32 = 149;
    /// MS-KILE §2.2.10.
    pub(crate) const PAC_OPTIONS: i32 = 167;
}

/// KDC-REQ-BODY, RFC 4120 §5.4.1.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) options: u32,
    pub(super) realm: Vec<u8>,
    pub(super) client: Option<Principal>,
    pub(super) server: Option<Principal>,
    pub(super) from: Option<i64>,
    pub(super) till: i64,
    pub(super) rtime: Option<i64>,
    pub(super) nonce: u32,
    pub(super) etypes: Vec<i32>,
    pub(super) addresses: Option<krb::HostAddresses>,
    pub(super) enc_authorization_data: Option<krb::EncryptedData>,
    pub(super) additional_tickets: Vec<krb::Ticket>,
}

impl Body {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let body: krb::KdcReqBody = wire::decode(bytes)?;
        let named = |name: &krb::PrincipalName| wire::principal(&body.realm, name);
        Ok(Self {
            options: wire::bits(&body.kdc_options.0),
            realm: body.realm.as_bytes().to_vec(),
            client: body.cname.as_ref().map(named),
            server: body.sname.as_ref().map(named),
            from: body.from.as_ref().map(wire::seconds),
            till: wire::seconds(&body.till),
            rtime: body.rtime.as_ref().map(wire::seconds),
            nonce: body.nonce,
            etypes: body.etype,
            addresses: body.addresses,
            enc_authorization_data: body.enc_authorization_data,
            additional_tickets: body.additional_tickets.unwrap_or_default(),
        })
    }

    pub(super) fn asks(&self, option: u32) -> bool {
        self.options & option != 0
    }

    /// The time until which the client wants its ticket; RFC 4120 §5.4.1 has 1970 stand for "as long as possible".
    pub(super) fn till(&self) -> i64 {
        if self.till == 0 { i64::MAX } else { self.till }
    }
}

/// A request, decoded.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) body: Body,
    /// The body's bytes as they came.
    pub(super) body_bytes: Vec<u8>,
    pub(super) padata: Vec<krb::PaData>,
}

impl Request {
    pub(super) fn parse(kind: RequestKind, bytes: &[u8]) -> Result<Self, Refusal> {
        let malformed = |_| Refusal::new(code::GENERIC, "malformed request");
        let (raw, number): (RawKdcReq, u32) = match kind {
            RequestKind::As => (wire::decode::<RawAsReq>(bytes).map_err(malformed)?.0, 10),
            _ => (wire::decode::<RawTgsReq>(bytes).map_err(malformed)?.0, 12),
        };
        if wire::unsigned(&raw.pvno) != 5 || wire::unsigned(&raw.msg_type) != number {
            return Err(Refusal::new(code::BAD_VERSION, "not version 5"));
        }
        let body_bytes = raw.req_body.as_bytes().to_vec();
        Ok(Self {
            body: Body::parse(&body_bytes).map_err(malformed)?,
            body_bytes,
            padata: raw.padata.unwrap_or_default(),
        })
    }

    /// The value of the first pre-authentication data of `kind`.
    pub(super) fn padata(&self, kind: i32) -> Option<&[u8]> {
        let data = self.padata.iter().find(|data| data.r#type == kind)?;
        Some(&data.value)
    }
}

/// What `bytes` begin as.
pub(super) fn kind_of(bytes: &[u8]) -> RequestKind {
    // [APPLICATION 10] and [APPLICATION 12], constructed.
    match bytes.first() {
        Some(0x6a) => RequestKind::As,
        Some(0x6c) => RequestKind::Tgs,
        _ => RequestKind::Unknown,
    }
}
