//! ASN.1 that `rasn-kerberos` has not, or that it decodes too far.

use rasn::prelude::*;
use rasn_kerberos as krb;

/// A KDC-REQ (RFC 4120 §5.4.1) whose body keeps its bytes, because checksums cover them.
///
/// ```text
/// KDC-REQ ::= SEQUENCE { pvno [1] INTEGER (5), msg-type [2] INTEGER (10 -- AS -- | 12 -- TGS --),
///                        padata [3] SEQUENCE OF PA-DATA OPTIONAL, req-body [4] KDC-REQ-BODY }
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct RawKdcReq {
    #[rasn(tag(explicit(1)))]
    pub(super) pvno: Integer,
    #[rasn(tag(explicit(2)))]
    pub(super) msg_type: Integer,
    #[rasn(tag(explicit(3)))]
    pub(super) padata: Option<SequenceOf<krb::PaData>>,
    #[rasn(tag(explicit(4)))]
    pub(super) req_body: Any,
}

/// AS-REQ ::= [APPLICATION 10] KDC-REQ.
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
#[rasn(tag(explicit(application, 10)), delegate)]
pub(super) struct RawAsReq(pub(super) RawKdcReq);

/// TGS-REQ ::= [APPLICATION 12] KDC-REQ.
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
#[rasn(tag(explicit(application, 12)), delegate)]
pub(super) struct RawTgsReq(pub(super) RawKdcReq);
