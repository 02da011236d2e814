use core::fmt;

use super::data::{Checksum, EncryptedData, HostAddress};
use super::macros::sequence;
use super::time::{KerberosTime, Microseconds};
use crate::der::Encoded;

sequence! {
    /// A message with a checksum.
    ///
    /// ```text
    /// KRB-SAFE        ::= [APPLICATION 20] SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (20),
    ///         safe-body       [2] KRB-SAFE-BODY,
    ///         cksum           [3] Checksum
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.6.1.
    #[derive(Clone, Copy, Debug)]
    pub struct KrbSafe<'a>: application 20 {
        const [0] = 5;
        const [1] = 20;
        /// The message, with the bytes that the checksum covers.
        [2] safe_body: Encoded<'a, KrbSafeBody<'a>>,
        /// A checksum of the body, key usage 15.
        [3] cksum: Checksum<'a>,
    }
}

sequence! {
    /// What a KRB-SAFE protects.
    ///
    /// ```text
    /// KRB-SAFE-BODY   ::= SEQUENCE {
    ///         user-data       [0] OCTET STRING,
    ///         timestamp       [1] KerberosTime OPTIONAL,
    ///         usec            [2] Microseconds OPTIONAL,
    ///         seq-number      [3] UInt32 OPTIONAL,
    ///         s-address       [4] HostAddress,
    ///         r-address       [5] HostAddress OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.6.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KrbSafeBody<'a> {
        /// The application's bytes.
        [0] user_data: &'a [u8],
        /// The sender's clock.
        [1] timestamp: Option<KerberosTime>,
        /// Its microseconds.
        [2] usec: Option<Microseconds>,
        /// The message's number.
        [3] seq_number: Option<u32>,
        /// The sender's address.
        [4] s_address: HostAddress<'a>,
        /// The recipient's address.
        [5] r_address: Option<HostAddress<'a>>,
    }
}

sequence! {
    /// A message that is encrypted.
    ///
    /// ```text
    /// KRB-PRIV        ::= [APPLICATION 21] SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (21),
    ///                         -- NOTE: there is no [2] tag
    ///         enc-part        [3] EncryptedData -- EncKrbPrivPart
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.7.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KrbPriv<'a>: application 21 {
        const [0] = 5;
        const [1] = 21;
        /// An [`EncKrbPrivPart`], key usage 13.
        [3] enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// What a KRB-PRIV protects.
    ///
    /// ```text
    /// EncKrbPrivPart  ::= [APPLICATION 28] SEQUENCE {
    ///         user-data       [0] OCTET STRING,
    ///         timestamp       [1] KerberosTime OPTIONAL,
    ///         usec            [2] Microseconds OPTIONAL,
    ///         seq-number      [3] UInt32 OPTIONAL,
    ///         s-address       [4] HostAddress -- sender's addr --,
    ///         r-address       [5] HostAddress OPTIONAL -- recip's addr
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.7.1.
    #[derive(Clone, Copy)]
    pub struct EncKrbPrivPart<'a>: application 28 {
        /// The application's bytes, which were encrypted; not printed.
        [0] user_data: &'a [u8],
        /// The sender's clock.
        [1] timestamp: Option<KerberosTime>,
        /// Its microseconds.
        [2] usec: Option<Microseconds>,
        /// The message's number.
        [3] seq_number: Option<u32>,
        /// The sender's address.
        [4] s_address: HostAddress<'a>,
        /// The recipient's address.
        [5] r_address: Option<HostAddress<'a>>,
    }
}

impl fmt::Debug for EncKrbPrivPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncKrbPrivPart")
            .field("timestamp", &self.timestamp)
            .field("usec", &self.usec)
            .field("seq_number", &self.seq_number)
            .field("s_address", &self.s_address)
            .field("r_address", &self.r_address)
            .finish_non_exhaustive()
    }
}
