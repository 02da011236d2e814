/// An encryption type that this crate implements (IANA "Kerberos Encryption Type Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Enctype {
    /// 20, RFC 8009.
    Aes256CtsHmacSha384_192,
    /// 19, RFC 8009.
    Aes128CtsHmacSha256_128,
    /// 18, RFC 3962.
    Aes256CtsHmacSha1_96,
    /// 17, RFC 3962.
    Aes128CtsHmacSha1_96,
    /// 26, RFC 6803.
    Camellia256CtsCmac,
    /// 25, RFC 6803.
    Camellia128CtsCmac,
    /// 23, RFC 4757. Weak: never offered or accepted unless a policy names it.
    #[cfg(feature = "rc4")]
    Rc4Hmac,
}

impl Enctype {
    /// Every enctype that is compiled in, strongest first.
    pub const ALL: &'static [Enctype] = &[
        Enctype::Aes256CtsHmacSha384_192,
        Enctype::Aes128CtsHmacSha256_128,
        Enctype::Aes256CtsHmacSha1_96,
        Enctype::Aes128CtsHmacSha1_96,
        Enctype::Camellia256CtsCmac,
        Enctype::Camellia128CtsCmac,
        #[cfg(feature = "rc4")]
        Enctype::Rc4Hmac,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn id(self) -> i32 {
        match self {
            Enctype::Aes128CtsHmacSha1_96 => 17,
            Enctype::Aes256CtsHmacSha1_96 => 18,
            Enctype::Aes128CtsHmacSha256_128 => 19,
            Enctype::Aes256CtsHmacSha384_192 => 20,
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => 23,
            Enctype::Camellia128CtsCmac => 25,
            Enctype::Camellia256CtsCmac => 26,
        }
    }

    /// The enctype of a number on the wire; `None` for one that is not compiled in.
    #[must_use]
    pub fn from_id(id: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|enctype| enctype.id() == id)
    }

    /// The name in IANA's registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Enctype::Aes128CtsHmacSha1_96 => "aes128-cts-hmac-sha1-96",
            Enctype::Aes256CtsHmacSha1_96 => "aes256-cts-hmac-sha1-96",
            Enctype::Aes128CtsHmacSha256_128 => "aes128-cts-hmac-sha256-128",
            Enctype::Aes256CtsHmacSha384_192 => "aes256-cts-hmac-sha384-192",
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => "rc4-hmac",
            Enctype::Camellia128CtsCmac => "camellia128-cts-cmac",
            Enctype::Camellia256CtsCmac => "camellia256-cts-cmac",
        }
    }

    /// The enctype of a name or of one of the short names that `krb5.conf` knows, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        Self::ALL
            .iter()
            .copied()
            .find(|enctype| is(&[enctype.name()]) || is(enctype.aliases()))
    }

    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Enctype::Aes128CtsHmacSha1_96 => &["aes128-cts", "aes128-sha1"],
            Enctype::Aes256CtsHmacSha1_96 => &["aes256-cts", "aes256-sha1"],
            Enctype::Aes128CtsHmacSha256_128 => &["aes128-sha2"],
            Enctype::Aes256CtsHmacSha384_192 => &["aes256-sha2"],
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => &["arcfour-hmac", "arcfour-hmac-md5"],
            Enctype::Camellia128CtsCmac => &["camellia128-cts"],
            Enctype::Camellia256CtsCmac => &["camellia256-cts"],
        }
    }

    /// Bytes of a protocol key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Enctype::Aes128CtsHmacSha1_96
            | Enctype::Aes128CtsHmacSha256_128
            | Enctype::Camellia128CtsCmac => 16,
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => 16,
            Enctype::Aes256CtsHmacSha1_96
            | Enctype::Aes256CtsHmacSha384_192
            | Enctype::Camellia256CtsCmac => 32,
        }
    }

    /// Bytes of the random confounder before the plaintext.
    #[must_use]
    pub const fn confounder_len(self) -> usize {
        match self {
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => 8,
            _ => 16,
        }
    }

    /// Bytes of the MAC in a ciphertext: after it, except rc4-hmac's, which comes first.
    #[must_use]
    pub const fn trailer_len(self) -> usize {
        self.checksum_type().len()
    }

    /// The mandatory checksum type (RFC 3961 §3): the only one that keys of this enctype verify.
    #[must_use]
    pub const fn checksum_type(self) -> ChecksumType {
        match self {
            Enctype::Aes128CtsHmacSha1_96 => ChecksumType::HmacSha1_96Aes128,
            Enctype::Aes256CtsHmacSha1_96 => ChecksumType::HmacSha1_96Aes256,
            Enctype::Aes128CtsHmacSha256_128 => ChecksumType::HmacSha256_128Aes128,
            Enctype::Aes256CtsHmacSha384_192 => ChecksumType::HmacSha384_192Aes256,
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => ChecksumType::HmacMd5,
            Enctype::Camellia128CtsCmac => ChecksumType::CmacCamellia128,
            Enctype::Camellia256CtsCmac => ChecksumType::CmacCamellia256,
        }
    }

    /// Whether a policy must name this enctype before it is used.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        match self {
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => true,
            _ => false,
        }
    }
}

impl core::fmt::Display for Enctype {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// A keyed checksum type (IANA "Kerberos Checksum Type Numbers").
///
/// There is no variant for an unkeyed checksum, so none can be asked for and none verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChecksumType {
    /// 15, RFC 3962.
    HmacSha1_96Aes128,
    /// 16, RFC 3962.
    HmacSha1_96Aes256,
    /// 17, RFC 6803.
    CmacCamellia128,
    /// 18, RFC 6803.
    CmacCamellia256,
    /// 19, RFC 8009.
    HmacSha256_128Aes128,
    /// 20, RFC 8009.
    HmacSha384_192Aes256,
    /// -138, RFC 4757 §4.
    #[cfg(feature = "rc4")]
    HmacMd5,
}

impl ChecksumType {
    /// Every checksum type that is compiled in.
    pub const ALL: &'static [ChecksumType] = &[
        ChecksumType::HmacSha1_96Aes128,
        ChecksumType::HmacSha1_96Aes256,
        ChecksumType::CmacCamellia128,
        ChecksumType::CmacCamellia256,
        ChecksumType::HmacSha256_128Aes128,
        ChecksumType::HmacSha384_192Aes256,
        #[cfg(feature = "rc4")]
        ChecksumType::HmacMd5,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn id(self) -> i32 {
        match self {
            ChecksumType::HmacSha1_96Aes128 => 15,
            ChecksumType::HmacSha1_96Aes256 => 16,
            ChecksumType::CmacCamellia128 => 17,
            ChecksumType::CmacCamellia256 => 18,
            ChecksumType::HmacSha256_128Aes128 => 19,
            ChecksumType::HmacSha384_192Aes256 => 20,
            #[cfg(feature = "rc4")]
            ChecksumType::HmacMd5 => -138,
        }
    }

    /// The checksum type of a number on the wire; `None` for an unkeyed or unknown one.
    #[must_use]
    pub fn from_id(id: i32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|checksum| checksum.id() == id)
    }

    /// Bytes of a checksum.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no checksum is empty")]
    pub const fn len(self) -> usize {
        match self {
            ChecksumType::HmacSha1_96Aes128 | ChecksumType::HmacSha1_96Aes256 => 12,
            ChecksumType::CmacCamellia128
            | ChecksumType::CmacCamellia256
            | ChecksumType::HmacSha256_128Aes128 => 16,
            ChecksumType::HmacSha384_192Aes256 => 24,
            #[cfg(feature = "rc4")]
            ChecksumType::HmacMd5 => 16,
        }
    }
}
