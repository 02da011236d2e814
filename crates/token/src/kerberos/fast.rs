//! The framework of pre-authentication: FAST, its armor, and authentication sets, RFC 6113.
//!
//! A client puts a [`PaFxFastRequest`] into the padata of its request, of type
//! [`PaData::FX_FAST`]; the KDC answers with a [`PaFxFastReply`] in the padata of its reply, or in
//! the `e-data` of a KRB-ERROR. What is inside is encrypted in the armor key.
//!
//! RFC 6113 §5.4.6: the value of [`PaData::ENCRYPTED_CHALLENGE`] is an [`EncryptedData`] of a
//! [`PaEncTsEnc`](super::PaEncTsEnc).
//!
//! ```
//! use countersign_token::der::{Decode, Encode};
//! use countersign_token::kerberos::{EncryptedData, KrbFastArmoredRep, PaFxFastReply};
//!
//! let enc_fast_rep = EncryptedData { etype: 18, kvno: None, cipher: b"..." };
//! let reply = PaFxFastReply { armored_data: KrbFastArmoredRep { enc_fast_rep } };
//! let der = reply.to_der();
//! // The CHOICE has only its alternative's tag.
//! assert_eq!(der[0], 0xa0);
//! assert_eq!(PaFxFastReply::from_der(&der), Ok(reply));
//! ```

use super::data::{Checksum, EncryptedData, EncryptionKey};
use super::flags::FastOptions;
use super::kdc::KdcReqBody;
use super::macros::sequence;
use super::preauth::{MethodData, PaData};
use super::principal::{PrincipalName, Realm};
use super::time::{KerberosTime, Microseconds};
use crate::der::{Decode, Encode, Encoded, Reader, SequenceOf, Writer};
use crate::error::DecodeError;

/// What a client puts into its request, in a [`PaData::FX_FAST`].
///
/// ```text
/// PA-FX-FAST-REQUEST ::= CHOICE {
///         armored-data [0] KrbFastArmoredReq,
///         ...
/// }
/// ```
///
/// Source: RFC 6113 §5.4.2. Another alternative, which the extension marker allows and nobody has
/// defined, is an error.
#[derive(Clone, Copy, Debug)]
pub struct PaFxFastRequest<'a> {
    /// The only alternative.
    pub armored_data: KrbFastArmoredReq<'a>,
}

/// What a KDC puts into its reply, in a [`PaData::FX_FAST`].
///
/// ```text
/// PA-FX-FAST-REPLY ::= CHOICE {
///         armored-data [0] KrbFastArmoredRep,
///         ...
/// }
/// ```
///
/// Source: RFC 6113 §5.4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaFxFastReply<'a> {
    /// The only alternative.
    pub armored_data: KrbFastArmoredRep<'a>,
}

macro_rules! armored {
    ($name:ident) => {
        impl<'a> Decode<'a> for $name<'a> {
            fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
                let armored_data = reader.field(0)?;
                Ok(Self { armored_data })
            }
        }

        impl Encode for $name<'_> {
            fn encode(&self, writer: &mut Writer) {
                writer.field(0, &self.armored_data);
            }
        }
    };
}

armored!(PaFxFastRequest);
armored!(PaFxFastReply);

sequence! {
    /// Where the armor key comes from.
    ///
    /// ```text
    /// KrbFastArmor    ::= SEQUENCE {
    ///         armor-type   [0] Int32,
    ///         armor-value  [1] OCTET STRING,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: RFC 6113 §5.4.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KrbFastArmor<'a> {
        /// The type.
        [0] armor_type: i32,
        /// The value; of [`AP_REQUEST`](Self::AP_REQUEST) an AP-REQ whose ticket is for the KDC.
        [1] armor_value: &'a [u8],
        ... extensible
    }
}

impl KrbFastArmor<'_> {
    /// RFC 6113 §5.4.1.1, `FX_FAST_ARMOR_AP_REQUEST`: an AP-REQ. The armor key is KRB-FX-CF2 of
    /// its subkey and of the ticket's session key, with "subkeyarmor" and "ticketarmor".
    pub const AP_REQUEST: i32 = 1;
}

sequence! {
    /// A request in its armor.
    ///
    /// ```text
    /// KrbFastArmoredReq ::= SEQUENCE {
    ///         armor        [0] KrbFastArmor OPTIONAL,
    ///         req-checksum [1] Checksum,
    ///         enc-fast-req [2] EncryptedData, -- KrbFastReq --
    ///         ...
    /// }
    /// ```
    ///
    /// Source: RFC 6113 §5.4.2.
    #[derive(Clone, Copy, Debug)]
    pub struct KrbFastArmoredReq<'a> {
        /// In an AS-REQ where the armor key comes from; absent in a TGS-REQ, whose PA-TGS-REQ
        /// says it.
        [0] armor: Option<KrbFastArmor<'a>>,
        /// A checksum in the armor key, key usage 50: in an AS-REQ of the KDC-REQ-BODY outside, in
        /// a TGS-REQ of the AP-REQ in PA-TGS-REQ.
        [1] req_checksum: Checksum<'a>,
        /// A [`KrbFastReq`] in the armor key, key usage 51.
        [2] enc_fast_req: EncryptedData<'a>,
        ... extensible
    }
}

sequence! {
    /// The request that counts, inside the armor.
    ///
    /// ```text
    /// KrbFastReq      ::= SEQUENCE {
    ///         fast-options [0] FastOptions,
    ///         padata       [1] SEQUENCE OF PA-DATA,
    ///         req-body     [2] KDC-REQ-BODY,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: RFC 6113 §5.4.2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KrbFastReq<'a> {
        /// What is asked of FAST itself.
        [0] fast_options: FastOptions,
        /// Pre-authentication data, which replaces that outside.
        [1] padata: MethodData<'a>,
        /// The request, which replaces that outside.
        [2] req_body: Encoded<'a, KdcReqBody<'a>>,
        ... extensible
    }
}

sequence! {
    /// A reply in its armor.
    ///
    /// ```text
    /// KrbFastArmoredRep ::= SEQUENCE {
    ///         enc-fast-rep      [0] EncryptedData, -- KrbFastResponse --
    ///         ...
    /// }
    /// ```
    ///
    /// Source: RFC 6113 §5.4.3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KrbFastArmoredRep<'a> {
        /// A [`KrbFastResponse`] in the armor key, key usage 52.
        [0] enc_fast_rep: EncryptedData<'a>,
        ... extensible
    }
}

sequence! {
    /// What the KDC says inside the armor.
    ///
    /// ```text
    /// KrbFastResponse ::= SEQUENCE {
    ///         padata         [0] SEQUENCE OF PA-DATA,
    ///         strengthen-key [1] EncryptionKey OPTIONAL,
    ///         finished       [2] KrbFastFinished OPTIONAL,
    ///         nonce          [3] UInt32,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: RFC 6113 §5.4.3.
    #[derive(Clone, Copy, Debug)]
    pub struct KrbFastResponse<'a> {
        /// Pre-authentication data; of an error the KRB-ERROR in a [`PaData::FX_ERROR`].
        [0] padata: MethodData<'a>,
        /// A key that the reply key is combined with, with "strengthenkey" and "replykey".
        [1] strengthen_key: Option<EncryptionKey<'a>>,
        /// There when a ticket was issued, and then it must be verified.
        [2] finished: Option<KrbFastFinished<'a>>,
        /// The nonce of the request inside the armor, given back.
        [3] nonce: u32,
        ... extensible
    }
}

sequence! {
    /// The KDC's word that the ticket and the names in its reply are those that it wrote.
    ///
    /// ```text
    /// KrbFastFinished ::= SEQUENCE {
    ///         timestamp       [0] KerberosTime,
    ///         usec            [1] Microseconds,
    ///         crealm          [2] Realm,
    ///         cname           [3] PrincipalName,
    ///         ticket-checksum [4] Checksum,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: RFC 6113 §5.4.3.
    #[derive(Clone, Copy, Debug)]
    pub struct KrbFastFinished<'a> {
        /// The KDC's clock.
        [0] timestamp: KerberosTime,
        /// Its microseconds.
        [1] usec: Microseconds,
        /// The client's realm.
        [2] crealm: Realm<'a>,
        /// The client.
        [3] cname: PrincipalName<'a>,
        /// A checksum of the ticket in the armor key, key usage 53.
        [4] ticket_checksum: Checksum<'a>,
        ... extensible
    }
}

sequence! {
    /// One mechanism of a set that the client must go through one after the other.
    ///
    /// ```text
    /// PA-AUTHENTICATION-SET-ELEM ::= SEQUENCE {
    ///         pa-type      [0] Int32, -- same as padata-type
    ///         pa-hint      [1] OCTET STRING OPTIONAL,
    ///         pa-value     [2] OCTET STRING OPTIONAL,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: RFC 6113 §5.3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PaAuthenticationSetElem<'a> {
        /// The mechanism, as a type of [`PaData`].
        [0] pa_type: i32,
        /// Whether the client can use the set, for those who know the mechanism.
        [1] pa_hint: Option<&'a [u8]>,
        /// Of the first element the padata-value that the mechanism starts from.
        [2] pa_value: Option<&'a [u8]>,
        ... extensible
    }
}

/// RFC 6113 §5.3: `PA-AUTHENTICATION-SET ::= SEQUENCE OF PA-AUTHENTICATION-SET-ELEM`, the value of
/// a [`PaData::AUTHENTICATION_SET`].
pub type PaAuthenticationSet<'a> = SequenceOf<'a, PaAuthenticationSetElem<'a>>;

/// RFC 6113 §5.2: the error code `KDC_ERR_MORE_PREAUTH_DATA_REQUIRED`: the mechanism goes on, with
/// the METHOD-DATA in the `e-data`.
pub const MORE_PREAUTH_DATA_REQUIRED: i32 = 91;

/// RFC 6113 §5.2: the error code `KDC_ERR_PREAUTH_EXPIRED`: the exchange is to start again.
pub const PREAUTH_EXPIRED: i32 = 90;

/// RFC 6113 §5.3: the error code `KDC_ERR_PREAUTH_BAD_AUTHENTICATION_SET`.
pub const PREAUTH_BAD_AUTHENTICATION_SET: i32 = 92;

/// RFC 6113 §5.4.2: the error code `KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS`.
pub const UNKNOWN_CRITICAL_FAST_OPTIONS: i32 = 93;

impl PaData<'_> {
    /// RFC 6113 §5.3: a [`PaAuthenticationSet`].
    pub const AUTHENTICATION_SET: i32 = 134;
    /// RFC 6113 §5.3: the [`PaAuthenticationSetElem`] that begins the chosen set, given back.
    pub const AUTH_SET_SELECTED: i32 = 135;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;

    const ELEMENT: PaAuthenticationSetElem<'_> = PaAuthenticationSetElem {
        pa_type: 138,
        pa_hint: None,
        pa_value: Some(b"v"),
    };

    #[test]
    fn fields_that_a_later_version_added_are_passed_over() {
        let der = [
            0x30, 15, 0xa0, 4, 2, 2, 0, 0x8a, 0xa2, 3, 4, 1, b'v', 0xa7, 2, 5, 0,
        ];
        assert_eq!(PaAuthenticationSetElem::from_der(&der), Ok(ELEMENT));
    }

    #[test]
    fn what_no_later_version_can_have_added_is_refused() {
        // [2] twice, a later field that is cut off, and one that is no field.
        for (tail, kind) in [
            (&[0xa2, 2, 5, 0][..], DecodeErrorKind::TrailingData),
            (
                &[0xa7, 3, 5, 0][..],
                DecodeErrorKind::Truncated { missing: 1 },
            ),
            (&[0x05, 0][..], DecodeErrorKind::TrailingData),
        ] {
            let mut der = ELEMENT.to_der();
            assert_eq!(PaAuthenticationSetElem::from_der(&der), Ok(ELEMENT));
            der.extend_from_slice(tail);
            der[1] += u8::try_from(tail.len()).unwrap();
            let error = PaAuthenticationSetElem::from_der(&der).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
    }

    #[test]
    fn another_alternative_is_refused() {
        let error = PaFxFastReply::from_der(&[0xa1, 2, 0x30, 0]).unwrap_err();
        assert!(matches!(
            error.kind(),
            DecodeErrorKind::UnexpectedTag { .. }
        ));
    }
}
