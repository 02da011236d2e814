//! rc4-hmac (RFC 4757): weak, compiled in only by the `rc4` feature.
//!
//! Beside the enctype itself, this module has the pieces that the GSS-API tokens of RFC 4757 §7 are
//! made of: [`GssKey`].

use core::fmt;

use hmac::Mac as _;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::{
    Error, Key, KeyUsage, Segment, Tag,
    hmac_md5::{HmacMd5, compute, finish, md4_of_text},
    mac::{keyed, verify_equal},
};

pub use crate::stream::Stream;

/// The constant with its terminating zero byte (RFC 4757 §4).
const SIGNATURE_KEY: &[u8] = b"signaturekey\0";

const TAG: usize = 16;

/// HMAC-MD5 (RFC 2104) over the concatenation of `parts`.
#[must_use]
pub fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    crate::hmac_md5::hmac_md5(key, parts)
}

/// The four bytes that stand for a usage (RFC 4757 §3), little-endian.
///
/// Two usages have other numbers here than in RFC 4120: 3 (AS-REP) is 8, and 23 (GSS sign) is 13. For 9
/// (TGS-REP under a subkey) RFC 4757 says 8, but Windows uses 9, and so does every other implementation.
fn usage_bytes(usage: KeyUsage) -> [u8; 4] {
    match usage.0 {
        3 => 8u32,
        23 => 13,
        other => other,
    }
    .to_le_bytes()
}

/// A key prepared for one usage's checksums: HMAC-MD5 of MD5(T | data) (RFC 4757 §4).
pub(crate) struct ChecksumKey {
    ksign: HmacMd5,
    usage: [u8; 4],
}

impl ChecksumKey {
    pub(crate) fn new(key: &[u8], usage: KeyUsage) -> Self {
        let ksign = hmac_md5(key, &[SIGNATURE_KEY]);
        ChecksumKey {
            ksign: keyed(ksign.as_slice()),
            usage: usage_bytes(usage),
        }
    }

    pub(crate) fn compute(&self, parts: &[&[u8]]) -> Tag {
        Tag::truncate(sign(&self.ksign, self.usage, parts).as_slice(), TAG)
    }
}

fn sign(ksign: &HmacMd5, usage: [u8; 4], parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    let mut hash = Md5::new();
    Digest::update(&mut hash, usage);
    for part in parts {
        Digest::update(&mut hash, part);
    }
    compute(ksign, &[&hash.finalize()])
}

/// A key prepared for one usage's messages (RFC 4757 §5).
pub(crate) struct MessageKey {
    /// HMAC keyed with K1 = K2.
    k1: HmacMd5,
}

impl MessageKey {
    pub(crate) fn new(key: &[u8], usage: KeyUsage) -> Self {
        MessageKey {
            k1: keyed(hmac_md5(key, &[&usage_bytes(usage)]).as_slice()),
        }
    }

    /// K3 = HMAC(K1, checksum) ciphers the confounder and the data.
    fn cipher(&self, segments: &mut [Segment<'_>], tag: &[u8]) {
        let mut stream = Stream::new(compute(&self.k1, &[tag]).as_slice());
        for segment in segments {
            if let Segment::Sealed(bytes) = segment {
                stream.apply(bytes);
            }
        }
    }

    fn tag(&self, segments: &[Segment<'_>]) -> Tag {
        let mut mac = self.k1.clone();
        for segment in segments {
            match segment {
                Segment::Sealed(bytes) => mac.update(bytes),
                Segment::Associated(bytes) => mac.update(bytes),
            }
        }
        Tag::truncate(finish(mac).as_slice(), TAG)
    }

    pub(crate) fn seal(&self, segments: &mut [Segment<'_>]) -> Tag {
        let tag = self.tag(segments);
        self.cipher(segments, tag.as_bytes());
        tag
    }

    pub(crate) fn open(&self, segments: &mut [Segment<'_>], tag: &[u8]) -> bool {
        self.cipher(segments, tag);
        verify_equal(self.tag(segments).as_bytes(), tag)
    }
}

/// string-to-key (RFC 4757 §2): MD4 of the password in UTF-16, little-endian; no salt.
pub(crate) fn string_to_key(password: &[u8], out: &mut [u8]) -> Result<(), Error> {
    let password = core::str::from_utf8(password).map_err(|_| Error::PasswordEncoding)?;
    let mut digest = Zeroizing::new([0; 16]);
    md4_of_text(password, &mut digest);
    let len = out.len().min(digest.len());
    out[..len].copy_from_slice(&digest[..len]);
    Ok(())
}

/// What a GSS-API token's checksum is for (RFC 4757 §7): the number hashed before the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUsage {
    /// GSS_Wrap, whether or not it encrypts.
    Wrap,
    /// GSS_GetMIC.
    Mic,
}

impl TokenUsage {
    const fn number(self) -> u32 {
        match self {
            TokenUsage::Wrap => 13,
            TokenUsage::Mic => 15,
        }
    }
}

/// A session key prepared for the per-message tokens of RFC 4757 §7.
///
/// ```text
///   SGN_CKSUM = HMAC(Ksign, MD5(usage | header | confounder | data)), its first 8 bytes
///   SND_SEQ   = RC4(HMAC(HMAC(K, 0), SGN_CKSUM), sequence number | direction)
///   data      = RC4(HMAC(HMAC(K xor F0F0.., 0), sequence number), confounder | data)
/// ```
pub struct GssKey {
    ksign: HmacMd5,
    sequence: HmacMd5,
    seal: HmacMd5,
}

impl GssKey {
    /// Prepares `key`, which is one of rc4-hmac; with another, tokens come out that nobody opens.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        let secret = key.expose();
        let zero = 0u32.to_le_bytes();
        let mut local = Zeroizing::new([0; 16]);
        for (out, byte) in local.iter_mut().zip(secret) {
            *out = byte ^ 0xF0;
        }
        GssKey {
            ksign: keyed(hmac_md5(secret, &[SIGNATURE_KEY]).as_slice()),
            sequence: keyed(hmac_md5(secret, &[&zero]).as_slice()),
            seal: keyed(hmac_md5(local.as_slice(), &[&zero]).as_slice()),
        }
    }

    /// SGN_CKSUM over the first 8 bytes of the token's header, then the confounder if there is one, then
    /// the data (with its padding).
    #[must_use]
    pub fn checksum(&self, usage: TokenUsage, parts: &[&[u8]]) -> Tag {
        let full = sign(&self.ksign, usage.number().to_le_bytes(), parts);
        Tag::truncate(full.as_slice(), 8)
    }

    /// Encrypts or decrypts SND_SEQ: the big-endian sequence number and the four direction bytes.
    pub fn apply_to_sequence(&self, checksum: &[u8; 8], sequence: &mut [u8; 8]) {
        derived_stream(&self.sequence, checksum).apply(sequence);
    }

    /// The key stream for a sealed token's confounder and data; `sequence` is the sequence number alone.
    #[must_use]
    pub fn data_stream(&self, sequence: u32) -> Stream {
        derived_stream(&self.seal, &sequence.to_be_bytes())
    }
}

impl fmt::Debug for GssKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GssKey(..)")
    }
}

fn derived_stream(key: &HmacMd5, input: &[u8]) -> Stream {
    Stream::new(compute(key, &[input]).as_slice())
}

#[cfg(test)]
mod tests {
    use super::{GssKey, Stream, TokenUsage, hmac_md5};
    use crate::{Enctype, Key};

    const SECRET: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    #[test]
    fn token_keys_follow_the_formulas_of_rfc_4757_section_7() {
        use md5::{Digest, Md5};

        let key = Key::new(Enctype::Rc4Hmac, &SECRET).unwrap();
        let gss = GssKey::new(&key);
        for (usage, number) in [(TokenUsage::Wrap, 13u32), (TokenUsage::Mic, 15)] {
            let ksign = hmac_md5(&SECRET, &[b"signaturekey\0"]);
            let hash = Md5::digest([&number.to_le_bytes()[..], b"header", b"data"].concat());
            let tag = gss.checksum(usage, &[b"header", b"data"]);
            assert_eq!(tag.as_bytes(), &hmac_md5(ksign.as_slice(), &[&hash])[..8]);
        }
        let checksum = *b"checksum";
        let mut sequence = [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
        let mut expected = sequence;
        let kseq = hmac_md5(&SECRET, &[&[0; 4]]);
        Stream::new(hmac_md5(kseq.as_slice(), &[&checksum]).as_slice()).apply(&mut expected);
        gss.apply_to_sequence(&checksum, &mut sequence);
        assert_eq!(sequence, expected);

        let local = SECRET.map(|byte| byte ^ 0xF0);
        let kcrypt = hmac_md5(&local, &[&[0; 4]]);
        let (mut data, mut expected) = (*b"confoundedly", *b"confoundedly");
        Stream::new(hmac_md5(kcrypt.as_slice(), &[&[0, 0, 0, 9]]).as_slice()).apply(&mut expected);
        gss.data_stream(9).apply(&mut data);
        assert_eq!(data, expected);
        assert_ne!(&data, b"confoundedly");
    }
}
