//! The hash that `tls-server-end-point` takes of a certificate: RFC 5929 §4.1.

use countersign_token::DecodeError;
use countersign_token::der::{Decode, Reader, Tag};
use countersign_token::oid::Oid;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The hash function of a signature algorithm, weaker ones replaced as §4.1 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// 1.2.840.113549.1.1, PKCS #1 (RFC 8017 appendix C).
const PKCS1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01";
/// 1.2.840.10045.4, signatures of ANSI X9.62 (RFC 5758 §3.2).
const ECDSA: &[u8] = b"\x2a\x86\x48\xce\x3d\x04";
/// 2.16.840.1.101.3.4.2, hash functions of NIST (RFC 5754 §2).
const NIST_HASH: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02";
/// 1.3.14.3.2.26, SHA-1.
const SHA1: &[u8] = b"\x2b\x0e\x03\x02\x1a";

/// The hash of a DER certificate by the hash function of its signature algorithm.
///
/// `Ok(None)`: the algorithm has no single hash function, and the binding is undefined.
pub(super) fn end_point_hash(certificate: &[u8]) -> Result<Option<Vec<u8>>, DecodeError> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue } (RFC 5280
    // §4.1).
    let mut outer = Reader::new(certificate);
    let mut fields = outer.read(Tag::SEQUENCE)?;
    outer.finish()?;
    fields.read_element()?;
    let algorithm = fields.read(Tag::SEQUENCE)?;
    fields.read(Tag::BIT_STRING)?;
    fields.finish()?;
    Ok(signature_hash(algorithm)?.map(|hash| match hash {
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    }))
}

/// AlgorithmIdentifier ::= SEQUENCE { algorithm OID, parameters ANY OPTIONAL }
fn signature_hash(mut algorithm: Reader<'_>) -> Result<Option<Hash>, DecodeError> {
    let oid = Oid::decode(&mut algorithm)?;
    Ok(
        match (
            oid.as_bytes().strip_prefix(PKCS1),
            oid.as_bytes().strip_prefix(ECDSA),
        ) {
            // MD5 and SHA-1 give way to SHA-256.
            (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => Some(Hash::Sha256),
            (Some([12]), _) | (_, Some([3, 3])) => Some(Hash::Sha384),
            (Some([13]), _) | (_, Some([3, 4])) => Some(Hash::Sha512),
            (Some([10]), _) => pss_hash(algorithm)?,
            _ => None,
        },
    )
}

/// RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] AlgorithmIdentifier DEFAULT sha1, … }
/// (RFC 8017 appendix A.2.3).
fn pss_hash(mut algorithm: Reader<'_>) -> Result<Option<Hash>, DecodeError> {
    let mut parameters = algorithm.read(Tag::SEQUENCE)?;
    if parameters.peek() != Some(Tag::context(0)) {
        return Ok(Some(Hash::Sha256));
    }
    let mut hash = parameters.read(Tag::context(0))?.read(Tag::SEQUENCE)?;
    let oid = Oid::decode(&mut hash)?;
    Ok(match oid.as_bytes().strip_prefix(NIST_HASH) {
        Some([1]) => Some(Hash::Sha256),
        Some([2]) => Some(Hash::Sha384),
        Some([3]) => Some(Hash::Sha512),
        _ if oid.as_bytes() == SHA1 => Some(Hash::Sha256),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_token::der::Writer;

    fn certificate(oid: &[u8], pss_hash: Option<&[u8]>) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.nest(Tag::SEQUENCE, |w| {
            w.element(Tag::SEQUENCE, b"");
            w.nest(Tag::SEQUENCE, |w| {
                w.element(Tag::OID, oid);
                if let Some(hash) = pss_hash {
                    w.nest(Tag::SEQUENCE, |w| {
                        w.nest(Tag::context(0), |w| {
                            w.nest(Tag::SEQUENCE, |w| w.element(Tag::OID, hash));
                        });
                    });
                }
            });
            w.element(Tag::BIT_STRING, &[0, 1, 2, 3]);
        });
        writer.into_vec()
    }

    fn hash_len(certificate: &[u8]) -> Option<usize> {
        end_point_hash(certificate).unwrap().map(|hash| hash.len())
    }

    #[test]
    fn the_signature_algorithm_chooses_the_hash() {
        let rsa = |last| certificate(&[PKCS1, &[last]].concat(), None);
        let ecdsa = |last: &[u8]| certificate(&[ECDSA, last].concat(), None);
        for (certificate, len) in [
            (rsa(4), Some(32)),
            (rsa(5), Some(32)),
            (rsa(11), Some(32)),
            (rsa(12), Some(48)),
            (rsa(13), Some(64)),
            (rsa(14), None),
            (ecdsa(&[1]), Some(32)),
            (ecdsa(&[3, 2]), Some(32)),
            (ecdsa(&[3, 3]), Some(48)),
            (ecdsa(&[3, 4]), Some(64)),
            (certificate(b"\x2b\x65\x70", None), None),
        ] {
            assert_eq!(hash_len(&certificate), len);
        }
    }

    #[test]
    fn rsassa_pss_names_its_hash_in_the_parameters() {
        let pss = |hash: &[u8]| certificate(&[PKCS1, &[10]].concat(), Some(hash));
        for (last, len) in [(1, Some(32)), (2, Some(48)), (3, Some(64)), (4, None)] {
            assert_eq!(hash_len(&pss(&[NIST_HASH, &[last]].concat())), len);
        }
        assert_eq!(hash_len(&pss(SHA1)), Some(32));
    }

    #[test]
    fn what_is_no_certificate_is_refused_at_every_length() {
        let whole = certificate(&[PKCS1, &[11]].concat(), None);
        assert!(end_point_hash(&whole).is_ok());
        for length in 0..whole.len() {
            assert!(end_point_hash(&whole[..length]).is_err(), "{length}");
        }
    }
}
