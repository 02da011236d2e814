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

/// KDC-REQ-BODY whose bytes are kept, inside FAST.
///
/// ```text
/// KrbFastReq ::= SEQUENCE { fast-options [0] FastOptions, padata [1] SEQUENCE OF PA-DATA,
///                           req-body [2] KDC-REQ-BODY, ... }                             RFC 6113 §5.4.2
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct KrbFastReq {
    #[rasn(tag(explicit(0)))]
    pub(super) fast_options: krb::KerberosFlags,
    #[rasn(tag(explicit(1)))]
    pub(super) padata: SequenceOf<krb::PaData>,
    #[rasn(tag(explicit(2)))]
    pub(super) req_body: Any,
}

/// ```text
/// KrbFastArmor ::= SEQUENCE { armor-type [0] Int32, armor-value [1] OCTET STRING, ... }   RFC 6113 §5.4.1
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct KrbFastArmor {
    #[rasn(tag(explicit(0)))]
    pub(super) armor_type: i32,
    #[rasn(tag(explicit(1)))]
    pub(super) armor_value: OctetString,
}

/// ```text
/// KrbFastArmoredReq ::= SEQUENCE { armor [0] KrbFastArmor OPTIONAL, req-checksum [1] Checksum,
///                                  enc-fast-req [2] EncryptedData -- KrbFastReq -- }     RFC 6113 §5.4.2
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct KrbFastArmoredReq {
    #[rasn(tag(explicit(0)))]
    pub(super) armor: Option<KrbFastArmor>,
    #[rasn(tag(explicit(1)))]
    pub(super) req_checksum: krb::Checksum,
    #[rasn(tag(explicit(2)))]
    pub(super) enc_fast_req: krb::EncryptedData,
}

/// ```text
/// PA-FX-FAST-REQUEST ::= CHOICE { armored-data [0] KrbFastArmoredReq, ... }               RFC 6113 §5.4.2
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
#[rasn(choice)]
pub(super) enum PaFxFastRequest {
    #[rasn(tag(explicit(0)))]
    Armored(KrbFastArmoredReq),
}

/// ```text
/// KrbFastArmoredRep ::= SEQUENCE { enc-fast-rep [0] EncryptedData -- KrbFastResponse -- } RFC 6113 §5.4.3
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct KrbFastArmoredRep {
    #[rasn(tag(explicit(0)))]
    pub(super) enc_fast_rep: krb::EncryptedData,
}

/// ```text
/// PA-FX-FAST-REPLY ::= CHOICE { armored-data [0] KrbFastArmoredRep, ... }                 RFC 6113 §5.4.3
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
#[rasn(choice)]
pub(super) enum PaFxFastReply {
    #[rasn(tag(explicit(0)))]
    Armored(KrbFastArmoredRep),
}

/// What a KDC answers inside FAST.
///
/// ```text
/// KrbFastResponse ::= SEQUENCE { padata [0] SEQUENCE OF PA-DATA, strengthen-key [1] EncryptionKey OPTIONAL,
///                                finished [2] KrbFastFinished OPTIONAL, nonce [3] UInt32, ... }
///                                                                                        RFC 6113 §5.4.3
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub struct KrbFastResponse {
    /// What would stand in the reply's `padata`; with an error, PA-FX-ERROR among it.
    #[rasn(tag(explicit(0)))]
    pub padata: SequenceOf<krb::PaData>,
    /// Goes into the reply key.
    #[rasn(tag(explicit(1)))]
    pub strengthen_key: Option<krb::EncryptionKey>,
    /// Present in the reply that ends the conversation.
    #[rasn(tag(explicit(2)))]
    pub finished: Option<KrbFastFinished>,
    /// The request's.
    #[rasn(tag(explicit(3)))]
    pub nonce: u32,
}

/// What proves that the reply's clear parts are the KDC's.
///
/// ```text
/// KrbFastFinished ::= SEQUENCE { timestamp [0] KerberosTime, usec [1] Microseconds, crealm [2] Realm,
///                                cname [3] PrincipalName, ticket-checksum [4] Checksum, ... }
///                                                                                        RFC 6113 §5.4.3
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub struct KrbFastFinished {
    /// The KDC's time.
    #[rasn(tag(explicit(0)))]
    pub timestamp: krb::KerberosTime,
    /// Its microseconds.
    #[rasn(tag(explicit(1)))]
    pub usec: krb::Microseconds,
    /// The client's realm.
    #[rasn(tag(explicit(2)))]
    pub crealm: krb::Realm,
    /// The client's name.
    #[rasn(tag(explicit(3)))]
    pub cname: krb::PrincipalName,
    /// Over the ticket, with the armor key.
    #[rasn(tag(explicit(4)))]
    pub ticket_checksum: krb::Checksum,
}

/// ```text
/// ChangePasswdData ::= SEQUENCE { newpasswd [0] OCTET STRING, targname [1] PrincipalName OPTIONAL,
///                                 targrealm [2] Realm OPTIONAL }                           RFC 3244 §2
/// ```
#[derive(AsnType, Decode, Encode)]
pub(super) struct ChangePasswdData {
    #[rasn(tag(explicit(0)))]
    pub(super) newpasswd: OctetString,
    #[rasn(tag(explicit(1)))]
    pub(super) targname: Option<krb::PrincipalName>,
    #[rasn(tag(explicit(2)))]
    pub(super) targrealm: Option<krb::Realm>,
}

/// ```text
/// PA-FOR-USER ::= SEQUENCE { userName [0] PrincipalName, userRealm [1] Realm, cksum [2] Checksum,
///                            auth-package [3] KerberosString }                            MS-SFU §2.2.1
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct PaForUser {
    #[rasn(tag(explicit(0)))]
    pub(super) user_name: krb::PrincipalName,
    #[rasn(tag(explicit(1)))]
    pub(super) user_realm: krb::Realm,
    #[rasn(tag(explicit(2)))]
    pub(super) cksum: krb::Checksum,
    #[rasn(tag(explicit(3)))]
    pub(super) auth_package: krb::KerberosString,
}

/// ```text
/// S4UUserID ::= SEQUENCE { nonce [0] UInt32, cname [1] PrincipalName OPTIONAL, crealm [2] Realm,
///                          subject-certificate [3] OCTET STRING OPTIONAL, options [4] BIT STRING OPTIONAL }
///                                                                                        MS-SFU §2.2.2
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct S4uUserId {
    #[rasn(tag(explicit(0)))]
    pub(super) nonce: u32,
    #[rasn(tag(explicit(1)))]
    pub(super) cname: Option<krb::PrincipalName>,
    #[rasn(tag(explicit(2)))]
    pub(super) crealm: krb::Realm,
    #[rasn(tag(explicit(3)))]
    pub(super) subject_certificate: Option<OctetString>,
    #[rasn(tag(explicit(4)))]
    pub(super) options: Option<krb::KerberosFlags>,
}

/// ```text
/// PA-S4U-X509-USER ::= SEQUENCE { user-id [0] S4UUserID, checksum [1] Checksum }           MS-SFU §2.2.2
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct PaS4uX509User {
    #[rasn(tag(explicit(0)))]
    pub(super) user_id: S4uUserId,
    #[rasn(tag(explicit(1)))]
    pub(super) checksum: krb::Checksum,
}

/// ```text
/// PA-PAC-OPTIONS ::= SEQUENCE { flags [0] KerberosFlags }                                 MS-KILE §2.2.10
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct PaPacOptions {
    #[rasn(tag(explicit(0)))]
    pub(super) flags: krb::KerberosFlags,
}

/// ```text
/// KERB-PA-PAC-REQUEST ::= SEQUENCE { include-pac [0] BOOLEAN }                             MS-KILE §2.2.3
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct PaPacRequest {
    #[rasn(tag(explicit(0)))]
    pub(super) include_pac: bool,
}

/// ```text
/// PA-AUTHENTICATION-SET-ELEM ::= SEQUENCE { pa-type [0] Int32, pa-hint [1] OCTET STRING OPTIONAL,
///                                           pa-value [2] OCTET STRING OPTIONAL, ... }      RFC 6113 §5.3
/// ```
#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq, Eq, Hash)]
pub(super) struct SetElement {
    #[rasn(tag(explicit(0)))]
    pub(super) pa_type: i32,
    #[rasn(tag(explicit(1)))]
    pub(super) pa_hint: Option<OctetString>,
    #[rasn(tag(explicit(2)))]
    pub(super) pa_value: Option<OctetString>,
}
