//! Every refusal stands beside a control that passes.

use countersign_crypto::{
    ChecksumType, Enctype, Error, Key, KeyUsage, Random, RandomError, Segment, verify_equal,
};

use crate::Counting;

const USAGE: KeyUsage = KeyUsage::AP_REP;

fn sample(enctype: Enctype) -> Key {
    Key::generate(enctype, &mut Counting(7)).unwrap()
}

/// CVE-2022-3437, CVE-2022-45142, CVE-2025-57736: the verdict of the MAC is used, on every path.
#[test]
fn one_flipped_bit_anywhere_is_refused_on_every_enctype_and_path() {
    for &enctype in Enctype::ALL {
        let key = sample(enctype);
        let cipher = key.cipher(USAGE);
        for len in [0, 1, 16, 37] {
            let plain = vec![0x5A; len];
            let sealed = key.encrypt(USAGE, &plain, &mut Counting(1)).unwrap();
            assert_eq!(*key.decrypt(USAGE, &sealed).unwrap(), plain);
            assert_eq!(cipher.decrypt_in_place(&mut sealed.clone()).unwrap(), plain);

            for bit in 0..sealed.len() * 8 {
                let mut bad = sealed.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(key.decrypt(USAGE, &bad).unwrap_err(), Error::Integrity);
                let (body, trailer) = if cipher.confounder_offset() == 0 {
                    bad.split_at(bad.len() - cipher.trailer_len())
                } else {
                    let (trailer, body) = bad.split_at(cipher.trailer_len());
                    (body, trailer)
                };
                let (mut body, trailer) = (body.to_vec(), trailer.to_vec());
                let outcome = cipher.open_segments(&mut [Segment::Sealed(&mut body)], &trailer);
                assert_eq!(outcome, Err(Error::Integrity));
                assert_eq!(
                    cipher.decrypt_in_place(&mut bad).unwrap_err(),
                    Error::Integrity
                );
            }
        }
    }
}

#[test]
fn one_flipped_bit_in_a_checksum_or_its_data_is_refused_on_every_enctype() {
    for &enctype in Enctype::ALL {
        let key = sample(enctype);
        let mac = key.mac(USAGE);
        let data = *b"fourteen bytes";
        let tag = mac.compute(&[&data]).as_bytes().to_vec();
        assert_eq!(tag.len(), mac.len());
        mac.verify(&[&data], &tag).unwrap();
        let id = enctype.checksum_type().id();
        key.verify_checksum(USAGE, id, &[&data], &tag).unwrap();

        for bit in 0..tag.len() * 8 {
            let mut bad = tag.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(mac.verify(&[&data], &bad), Err(Error::Integrity));
            assert_eq!(
                key.verify_checksum(USAGE, id, &[&data], &bad),
                Err(Error::Integrity)
            );
        }
        for bit in 0..data.len() * 8 {
            let mut bad = data;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(mac.verify(&[&bad], &tag), Err(Error::Integrity));
        }
        // Neither shorter nor longer than the type demands, however right the bytes are.
        for len in 0..tag.len() {
            assert_eq!(mac.verify(&[&data], &tag[..len]), Err(Error::Integrity));
            assert_eq!(
                key.verify_checksum(USAGE, id, &[&data], &tag[..len]),
                Err(Error::Integrity)
            );
        }
        let longer = [&tag[..], &[0]].concat();
        assert_eq!(mac.verify(&[&data], &longer), Err(Error::Integrity));
    }
}

/// CVE-2010-1323, CVE-2010-1324, MS14-068, CVE-2018-16860, CVE-2020-2601.
#[test]
fn unkeyed_unknown_and_mismatched_checksum_types_never_verify() {
    let unkeyed: [(i32, &[u8]); 5] = [
        // The right unkeyed checksums of "abc": CRC-32, MD4, MD5, SHA-1 (both numbers).
        (1, &[0xD0, 0x98, 0x65, 0xCA]),
        (
            2,
            &[
                0xa4, 0x48, 0x01, 0x7a, 0xaf, 0x21, 0xd8, 0x52, 0x5f, 0xc1, 0x0a, 0xe8, 0x7a, 0xa6,
                0x72, 0x9d,
            ],
        ),
        (
            7,
            &[
                0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1,
                0x7f, 0x72,
            ],
        ),
        (10, &SHA1_OF_ABC),
        (14, &SHA1_OF_ABC),
    ];
    for &enctype in Enctype::ALL {
        let key = sample(enctype);
        let tag = key.mac(USAGE).compute(&[b"abc"]);
        let own = enctype.checksum_type().id();
        key.verify_checksum(USAGE, own, &[b"abc"], tag.as_bytes())
            .unwrap();
        for (id, checksum) in unkeyed {
            let outcome = key.verify_checksum(USAGE, id, &[b"abc"], checksum);
            assert_eq!(outcome, Err(Error::ChecksumType(id)), "{enctype}");
        }
        // The key's own checksum under every other type's number, zero included.
        for id in (-200..200)
            .chain([i32::MIN, i32::MAX, 0x8003])
            .filter(|&id| id != own)
        {
            let outcome = key.verify_checksum(USAGE, id, &[b"abc"], tag.as_bytes());
            assert_eq!(outcome, Err(Error::ChecksumType(id)), "{enctype}");
        }
        for &other in ChecksumType::ALL.iter().filter(|other| other.id() != own) {
            let outcome = key.checksum(USAGE, other, b"abc").map(|_| ());
            assert_eq!(outcome, Err(Error::ChecksumType(other.id())));
        }
    }
}

const SHA1_OF_ABC: [u8; 20] = [
    0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c,
    0x9c, 0xd0, 0xd8, 0x9d,
];

/// go-krb5 #147.
#[test]
fn zero_length_macs_are_never_equal() {
    assert!(verify_equal(b"mac", b"mac"));
    assert!(!verify_equal(b"", b""));
    assert!(!verify_equal(b"mac", b""));
    assert!(!verify_equal(b"mac", b"max"));
    assert!(!verify_equal(b"mac", b"macs"));
}

#[test]
fn truncated_ciphertexts_of_every_length_are_typed_errors() {
    for &enctype in Enctype::ALL {
        let key = sample(enctype);
        let cipher = key.cipher(USAGE);
        let sealed = key.encrypt(USAGE, &[0x5A; 50], &mut Counting(1)).unwrap();
        assert!(key.decrypt(USAGE, &sealed).is_ok());
        let minimum = cipher.sealed_len(0);
        for actual in 0..sealed.len() {
            let expected = if actual < minimum {
                Error::CiphertextTooShort { minimum, actual }
            } else {
                Error::Integrity
            };
            assert_eq!(
                key.decrypt(USAGE, &sealed[..actual]).unwrap_err(),
                expected,
                "{enctype}"
            );
            let mut buffer = sealed[..actual].to_vec();
            assert_eq!(
                cipher.decrypt_in_place(&mut buffer).unwrap_err(),
                expected,
                "{enctype}"
            );
        }
        let longer = [&sealed[..], &[0]].concat();
        assert_eq!(key.decrypt(USAGE, &longer).unwrap_err(), Error::Integrity);
    }
}

#[test]
fn another_usage_or_key_never_opens_a_message() {
    for &enctype in Enctype::ALL {
        let (key, other) = (
            sample(enctype),
            Key::generate(enctype, &mut Counting(8)).unwrap(),
        );
        let sealed = key.encrypt(USAGE, b"secret", &mut Counting(1)).unwrap();
        let tag = key.mac(USAGE).compute(&[b"data"]);
        assert!(key.decrypt(USAGE, &sealed).is_ok());
        key.mac(USAGE).verify(&[b"data"], tag.as_bytes()).unwrap();
        assert_eq!(other.decrypt(USAGE, &sealed).unwrap_err(), Error::Integrity);
        assert_eq!(
            other.mac(USAGE).verify(&[b"data"], tag.as_bytes()),
            Err(Error::Integrity)
        );
        for usage in (0..64).map(KeyUsage).filter(|&usage| usage != USAGE) {
            assert_eq!(
                key.decrypt(usage, &sealed).unwrap_err(),
                Error::Integrity,
                "{enctype}"
            );
            let outcome = key.mac(usage).verify(&[b"data"], tag.as_bytes());
            assert_eq!(outcome, Err(Error::Integrity), "{enctype}");
        }
    }
}

#[test]
fn wrong_lengths_of_keys_confounders_and_trailers_are_named() {
    for &enctype in Enctype::ALL {
        let expected = enctype.key_len();
        for actual in (0..80).filter(|&len| len != expected) {
            let outcome = Key::new(enctype, &vec![0; actual]).map(|_| ());
            assert_eq!(outcome, Err(Error::KeyLength { expected, actual }));
        }
        let cipher = Key::new(enctype, &vec![0; expected]).unwrap().cipher(USAGE);

        let (expected, actual) = (cipher.confounder_len(), 3);
        let mut out = b"kept".to_vec();
        let outcome = cipher.encrypt_into(&[0; 3], &[b"data"], &mut out);
        assert_eq!(outcome, Err(Error::ConfounderLength { expected, actual }));
        assert_eq!(out, b"kept");

        let (expected, actual) = (cipher.trailer_len(), 3);
        let mut buffer = [0x5A; 40];
        let outcome = cipher.seal_segments(&mut [Segment::Sealed(&mut buffer)], &mut [0; 3]);
        assert_eq!(outcome, Err(Error::TrailerLength { expected, actual }));
        let outcome = cipher.open_segments(&mut [Segment::Sealed(&mut buffer)], &[]);
        assert_eq!(
            outcome,
            Err(Error::TrailerLength {
                expected,
                actual: 0
            })
        );
        assert_eq!(buffer, [0x5A; 40]);

        let mut trailer = vec![0; cipher.trailer_len()];
        for short in 0..cipher.confounder_len() {
            let mut buffer = vec![0; short];
            let mut segments = [Segment::Sealed(&mut buffer), Segment::Associated(&[0; 64])];
            let outcome = cipher.seal_segments(&mut segments, &mut trailer);
            assert!(
                matches!(outcome, Err(Error::CiphertextTooShort { .. })),
                "{enctype}"
            );
        }
        assert!(matches!(
            cipher.open_segments(&mut [], &trailer),
            Err(Error::CiphertextTooShort { .. })
        ));
    }
}

#[test]
fn a_failing_generator_is_an_error() {
    struct Broken;
    impl Random for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }
    for &enctype in Enctype::ALL {
        let key = sample(enctype);
        assert!(key.encrypt(USAGE, b"", &mut Counting(0)).is_ok());
        assert_eq!(
            key.encrypt(USAGE, b"", &mut Broken).unwrap_err(),
            Error::Random
        );
        assert_eq!(
            Key::generate(enctype, &mut Broken).unwrap_err(),
            Error::Random
        );
    }
}

#[test]
fn unverified_plaintext_is_wiped() {
    for &enctype in Enctype::ALL {
        let cipher = sample(enctype).cipher(USAGE);
        let mut buffer = vec![0x5A; cipher.confounder_len() + 40];
        let mut trailer = vec![0; cipher.trailer_len()];
        cipher
            .seal_segments(&mut [Segment::Sealed(&mut buffer)], &mut trailer)
            .unwrap();
        trailer[0] ^= 1;
        let outcome = cipher.open_segments(&mut [Segment::Sealed(&mut buffer)], &trailer);
        assert_eq!(outcome, Err(Error::Integrity));
        assert!(buffer.iter().all(|&byte| byte == 0), "{enctype}");
    }
}
