use core::fmt;

use super::macros::sequence;
use crate::der::SequenceOf;

sequence! {
    /// Something encrypted.
    ///
    /// ```text
    /// EncryptedData   ::= SEQUENCE {
    ///         etype   [0] Int32 -- EncryptionType --,
    ///         kvno    [1] UInt32 OPTIONAL,
    ///         cipher  [2] OCTET STRING -- ciphertext
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.9. `Debug` has the length of the ciphertext alone: a password can be
    /// guessed with it, and the one of the null enctype is the text itself.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct EncryptedData<'a> {
        /// The enctype.
        [0] etype: i32,
        /// The version of the long-term key. A read-only Active Directory KDC puts its own number
        /// in the upper 16 bits (MS-KILE §3.1.5.8), and then many write the whole as negative.
        [1] kvno: Option<u32>,
        /// The ciphertext.
        [2] cipher: &'a [u8],
    }
}

impl fmt::Debug for EncryptedData<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedData")
            .field("etype", &self.etype)
            .field("kvno", &self.kvno)
            .field("cipher", &format_args!("{} bytes", self.cipher.len()))
            .finish()
    }
}

sequence! {
    /// A key in the clear, as encrypted parts carry it.
    ///
    /// ```text
    /// EncryptionKey   ::= SEQUENCE {
    ///         keytype         [0] Int32 -- actually encryption type --,
    ///         keyvalue        [1] OCTET STRING
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.9. A view of bytes that the caller owns and wipes; it does not print
    /// them and cannot be compared.
    #[derive(Clone, Copy)]
    pub struct EncryptionKey<'a> {
        /// The enctype.
        [0] keytype: i32,
        /// The key.
        [1] keyvalue: &'a [u8],
    }
}

impl fmt::Debug for EncryptionKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey")
            .field("keytype", &self.keytype)
            .finish_non_exhaustive()
    }
}

sequence! {
    /// A checksum.
    ///
    /// ```text
    /// Checksum        ::= SEQUENCE {
    ///         cksumtype       [0] Int32,
    ///         checksum        [1] OCTET STRING
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.9. It cannot be compared with `==`: verify it with its key. `Debug`
    /// has its length alone, since that of a GSS-API authenticator may hold a delegated credential.
    #[derive(Clone, Copy)]
    pub struct Checksum<'a> {
        /// The checksum type.
        [0] cksumtype: i32,
        /// The checksum.
        [1] checksum: &'a [u8],
    }
}

impl fmt::Debug for Checksum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checksum")
            .field("cksumtype", &self.cksumtype)
            .field("checksum", &format_args!("{} bytes", self.checksum.len()))
            .finish()
    }
}

sequence! {
    /// An address.
    ///
    /// ```text
    /// HostAddress     ::= SEQUENCE  {
    ///         addr-type       [0] Int32,
    ///         address         [1] OCTET STRING
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.5; the types are in 7.5.3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HostAddress<'a> {
        /// The kind of address.
        [0] addr_type: i32,
        /// The address, in network byte order.
        [1] address: &'a [u8],
    }
}

/// RFC 4120 §5.2.5: `HostAddresses ::= SEQUENCE OF HostAddress`, where it is there not empty.
pub type HostAddresses<'a> = SequenceOf<'a, HostAddress<'a>>;

impl HostAddress<'_> {
    /// RFC 4120 §7.5.3: four octets.
    pub const IPV4: i32 = 2;
    /// RFC 4120 §7.1: 0 for the initiator, 1 for the acceptor, four octets.
    pub const DIRECTIONAL: i32 = 3;
    /// RFC 4120 §7.1: sixteen octets, padded with spaces.
    pub const NETBIOS: i32 = 20;
    /// RFC 4120 §7.5.3: sixteen octets.
    pub const IPV6: i32 = 24;
}
