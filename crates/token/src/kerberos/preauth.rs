use core::fmt;

use super::macros::sequence;
use super::principal::KerberosString;
use super::time::{KerberosTime, Microseconds};
use crate::der::SequenceOf;

sequence! {
    /// Pre-authentication data, typed by a number.
    ///
    /// ```text
    /// PA-DATA         ::= SEQUENCE {
    ///         -- NOTE: first tag is [1], not [0]
    ///         padata-type     [1] Int32,
    ///         padata-value    [2] OCTET STRING
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.7. `Debug` has the length of the value alone: that of some types is
    /// ciphertext, with which a password can be guessed.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct PaData<'a> {
        /// The type.
        [1] padata_type: i32,
        /// The value, which the type gives a meaning.
        [2] padata_value: &'a [u8],
    }
}

impl fmt::Debug for PaData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.padata_value.len();
        f.debug_struct("PaData")
            .field("padata_type", &self.padata_type)
            .field("padata_value", &format_args!("{length} bytes"))
            .finish()
    }
}

impl PaData<'_> {
    /// RFC 4120 §5.2.7.1: an AP-REQ.
    pub const TGS_REQ: i32 = 1;
    /// RFC 4120 §5.2.7.2: an EncryptedData of [`PaEncTsEnc`], key usage 1.
    pub const ENC_TIMESTAMP: i32 = 2;
    /// RFC 4120 §5.2.7.3.
    pub const PW_SALT: i32 = 3;
    /// RFC 4120 §5.2.7.4: an [`EtypeInfo`].
    pub const ETYPE_INFO: i32 = 11;
    /// RFC 4556 §3.2.1: a PA-PK-AS-REQ.
    pub const PK_AS_REQ: i32 = 16;
    /// RFC 4556 §3.2.3: a PA-PK-AS-REP.
    pub const PK_AS_REP: i32 = 17;
    /// RFC 4120 §5.2.7.5: an [`EtypeInfo2`].
    pub const ETYPE_INFO2: i32 = 19;
    /// RFC 4120 §7.5.2: a referral, outside the encrypted part and so not to be believed.
    pub const SVR_REFERRAL_INFO: i32 = 20;
    /// MS-KILE §2.2.3: a [`PaPacRequest`](super::PaPacRequest), whether a PAC is wanted.
    pub const PAC_REQUEST: i32 = 128;
    /// MS-SFU §2.2.1: a [`PaForUser`](super::PaForUser).
    pub const FOR_USER: i32 = 129;
    /// MS-SFU §2.2.2: a [`PaS4uX509User`](super::PaS4uX509User).
    pub const S4U_X509_USER: i32 = 130;
    /// RFC 6113 §5.2.
    pub const FX_COOKIE: i32 = 133;
    /// RFC 6113 §5.4.
    pub const FX_FAST: i32 = 136;
    /// RFC 6113 §5.5.
    pub const FX_ERROR: i32 = 137;
    /// RFC 6113 §5.4.6.
    pub const ENCRYPTED_CHALLENGE: i32 = 138;
    /// RFC 6112 §4.1: the key of PKINIT's reply, for anonymous clients.
    pub const PKINIT_KX: i32 = 147;
    /// RFC 6806 §11: empty in a request; in `encrypted-pa-data` a checksum of the request in the
    /// reply key, key usage 56.
    pub const REQ_ENC_PA_REP: i32 = 149;
    /// RFC 8070 §2.2: a token that proves that a PKINIT client has its key now.
    pub const AS_FRESHNESS: i32 = 150;
    /// MS-KILE §2.2.8: enctypes of the service's account, 32 little-endian bits.
    pub const SUPPORTED_ENCTYPES: i32 = 165;
    /// MS-KILE §2.2.10: a [`PaPacOptions`](super::PaPacOptions).
    pub const PAC_OPTIONS: i32 = 167;
}

/// RFC 4120 §5.2.7: `METHOD-DATA ::= SEQUENCE OF PA-DATA`.
pub type MethodData<'a> = SequenceOf<'a, PaData<'a>>;

sequence! {
    /// A client's clock, encrypted to prove that it knows its key.
    ///
    /// ```text
    /// PA-ENC-TS-ENC           ::= SEQUENCE {
    ///         patimestamp     [0] KerberosTime -- client's time --,
    ///         pausec          [1] Microseconds OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.7.2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PaEncTsEnc {
        /// The client's time.
        [0] patimestamp: KerberosTime,
        /// Its microseconds.
        [1] pausec: Option<Microseconds>,
    }
}

sequence! {
    /// An enctype that the KDC can use with a client's password, and how it makes the key.
    ///
    /// ```text
    /// ETYPE-INFO2-ENTRY       ::= SEQUENCE {
    ///         etype           [0] Int32,
    ///         salt            [1] KerberosString OPTIONAL,
    ///         s2kparams       [2] OCTET STRING OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.7.5.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct EtypeInfo2Entry<'a> {
        /// The enctype.
        [0] etype: i32,
        /// The salt; absent means the default one.
        [1] salt: Option<KerberosString<'a>>,
        /// Parameters of string-to-key; absent means the default ones.
        [2] s2kparams: Option<&'a [u8]>,
    }
}

/// RFC 4120 §5.2.7.5: `ETYPE-INFO2 ::= SEQUENCE SIZE (1..MAX) OF ETYPE-INFO2-ENTRY`.
pub type EtypeInfo2<'a> = SequenceOf<'a, EtypeInfo2Entry<'a>>;

sequence! {
    /// The older form of [`EtypeInfo2Entry`].
    ///
    /// ```text
    /// ETYPE-INFO-ENTRY        ::= SEQUENCE {
    ///         etype           [0] Int32,
    ///         salt            [1] OCTET STRING OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.7.4.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct EtypeInfoEntry<'a> {
        /// The enctype.
        [0] etype: i32,
        /// The salt; absent means the default one.
        [1] salt: Option<&'a [u8]>,
    }
}

/// RFC 4120 §5.2.7.4: `ETYPE-INFO ::= SEQUENCE OF ETYPE-INFO-ENTRY`.
pub type EtypeInfo<'a> = SequenceOf<'a, EtypeInfoEntry<'a>>;
