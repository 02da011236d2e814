//! Services that act for users, MS-SFU, and what else MS-KILE asks of a KDC in padata.
//!
//! ```
//! use countersign_token::der::{Decode, Encode};
//! use countersign_token::kerberos::PaPacRequest;
//!
//! let request = PaPacRequest { include_pac: true };
//! assert_eq!(request.to_der(), [0x30, 5, 0xa0, 3, 1, 1, 0xff]);
//! # assert_eq!(PaPacRequest::from_der(&request.to_der()), Ok(request));
//! ```

use alloc::vec::Vec;

use super::data::Checksum;
use super::flags::{PacOptions, S4uOptions};
use super::macros::sequence;
use super::principal::{KerberosString, PrincipalName, Realm};
use crate::der::Encoded;

sequence! {
    /// The user for whom a service asks for a ticket to itself, by name.
    ///
    /// ```text
    /// PA-FOR-USER     ::= SEQUENCE {
    ///         userName        [0] PrincipalName,
    ///         userRealm       [1] Realm,
    ///         cksum           [2] Checksum,
    ///         auth-package    [3] KerberosString
    /// }
    /// ```
    ///
    /// Source: MS-SFU §2.2.1; the value of a [`PaData::FOR_USER`](super::PaData::FOR_USER).
    #[derive(Clone, Copy, Debug)]
    pub struct PaForUser<'a> {
        /// The user.
        [0] user_name: PrincipalName<'a>,
        /// The user's realm.
        [1] user_realm: Realm<'a>,
        /// HMAC-MD5 (type -138) of [`checksum_input`](Self::checksum_input) in the session key of
        /// the service's TGT, whatever its enctype, key usage 17.
        [2] cksum: Checksum<'a>,
        /// `Kerberos`.
        [3] auth_package: KerberosString<'a>,
    }
}

impl PaForUser<'_> {
    /// MS-SFU §2.2.1: the only authentication package.
    pub const AUTH_PACKAGE: KerberosString<'static> = KerberosString::new(b"Kerberos");

    /// What the checksum covers: the name type as 32 little-endian bits, every component, the
    /// realm and the package, with nothing between them (MS-SFU §2.2.1).
    #[must_use]
    pub fn checksum_input(
        user_name: &PrincipalName<'_>,
        user_realm: Realm<'_>,
        auth_package: KerberosString<'_>,
    ) -> Vec<u8> {
        let mut input = user_name.name_type.to_le_bytes().to_vec();
        for component in user_name.name_string {
            input.extend_from_slice(component.as_bytes());
        }
        input.extend_from_slice(user_realm.as_bytes());
        input.extend_from_slice(auth_package.as_bytes());
        input
    }
}

sequence! {
    /// The user for whom a service asks for a ticket to itself, by name or certificate, and in
    /// the reply the KDC's word for which user it is.
    ///
    /// ```text
    /// PA-S4U-X509-USER ::= SEQUENCE {
    ///         user-id         [0] S4UUserID,
    ///         checksum        [1] Checksum
    /// }
    /// ```
    ///
    /// Source: MS-SFU §2.2.2; the value of a
    /// [`PaData::S4U_X509_USER`](super::PaData::S4U_X509_USER).
    #[derive(Clone, Copy, Debug)]
    pub struct PaS4uX509User<'a> {
        /// The user, with the bytes that the checksum covers.
        [0] user_id: Encoded<'a, S4uUserId<'a>>,
        /// A checksum in the session key of the service's TGT, key usage 26; in a reply 27 if the
        /// request had [`S4uOptions::USE_REPLY_KEY_USAGE`].
        [1] checksum: Checksum<'a>,
    }
}

sequence! {
    /// A user, by name or certificate.
    ///
    /// ```text
    /// S4UUserID       ::= SEQUENCE {
    ///         nonce               [0] UInt32, -- the nonce in KDC-REQ-BODY
    ///         cname               [1] PrincipalName OPTIONAL, -- Certificate mapping hints
    ///         crealm              [2] Realm,
    ///         subject-certificate [3] OCTET STRING OPTIONAL,
    ///         options             [4] BIT STRING OPTIONAL,
    ///         ...
    /// }
    /// ```
    ///
    /// Source: MS-SFU §2.2.2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct S4uUserId<'a> {
        /// The nonce of the request.
        [0] nonce: u32,
        /// The user.
        [1] cname: Option<PrincipalName<'a>>,
        /// The user's realm.
        [2] crealm: Realm<'a>,
        /// The user's certificate, X.509 in DER.
        [3] subject_certificate: Option<&'a [u8]>,
        /// Options.
        [4] options: Option<S4uOptions>,
        ... extensible
    }
}

sequence! {
    /// Whether a PAC is wanted in the ticket.
    ///
    /// ```text
    /// KERB-PA-PAC-REQUEST ::= SEQUENCE {
    ///         include-pac     [0] BOOLEAN
    /// }
    /// ```
    ///
    /// Source: MS-KILE §2.2.3; the value of a
    /// [`PaData::PAC_REQUEST`](super::PaData::PAC_REQUEST).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PaPacRequest {
        /// Whether it is.
        [0] include_pac: bool,
    }
}

sequence! {
    /// What else is asked of an Active Directory KDC.
    ///
    /// ```text
    /// PA-PAC-OPTIONS  ::= SEQUENCE {
    ///         flags           [0] KerberosFlags
    /// }
    /// ```
    ///
    /// Source: MS-KILE §2.2.10, which leaves out the field's tag that Windows sends; the value of
    /// a [`PaData::PAC_OPTIONS`](super::PaData::PAC_OPTIONS).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PaPacOptions {
        /// The options.
        [0] flags: PacOptions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::{Encode, SequenceOf};

    #[test]
    fn the_checksum_of_a_user_covers_its_type_components_realm_and_package() {
        let components = [KerberosString::new(b"a"), KerberosString::new(b"bc")];
        let name = PrincipalName {
            name_type: 10,
            name_string: SequenceOf::new(&components),
        };
        let realm = KerberosString::new(b"R.EXAMPLE");
        assert_eq!(
            PaForUser::checksum_input(&name, realm, PaForUser::AUTH_PACKAGE),
            b"\x0a\0\0\0abcR.EXAMPLEKerberos"
        );
    }

    #[test]
    fn options_are_bit_strings_of_32_bits() {
        let flags = PacOptions::RESOURCE_BASED_CONSTRAINED_DELEGATION;
        let expected = [0x30, 9, 0xa0, 7, 3, 5, 0, 0x10, 0, 0, 0];
        assert_eq!(PaPacOptions { flags }.to_der(), expected);
        assert_eq!(S4uOptions::USE_REPLY_KEY_USAGE.0, 0x2000_0000);
    }
}
