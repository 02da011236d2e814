use countersign_crypto::{ChecksumType, Cipher, Enctype, Key, KeyUsage, Mac, Segment, Tag};

const SECRET: &[u8; 32] = b"a secret nobody should ever read";

fn keys() -> impl Iterator<Item = Key> {
    Enctype::ALL
        .iter()
        .map(|&enctype| Key::new(enctype, &SECRET[..enctype.key_len()]).unwrap())
}

#[test]
fn debug_output_and_errors_show_no_secret() {
    for key in keys() {
        let usage = KeyUsage::TICKET;
        let (cipher, mac) = (key.cipher(usage), key.mac(usage));
        let tag = mac.compute(&[b"data"]);
        let refused = mac.verify(&[b"data"], b"no").unwrap_err();
        let text = format!(
            "{key:?} {key:#?} {cipher:?} {mac:?} {tag:?} {refused:?} {refused} {:?}",
            cipher.encrypt_in_place(&mut [])
        );
        assert!(!text.contains("secret"), "{text}");
        for secret in [&key.expose()[..4], &tag.as_bytes()[..4]] {
            let decimal = format!("{secret:?}");
            let decimal = decimal.trim_matches(['[', ']']);
            let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                !text.contains(decimal) && !text.to_lowercase().contains(&hex),
                "{text}"
            );
        }
        assert!(text.contains(key.enctype().name()), "{text}");
    }
}

#[test]
fn prepared_keys_are_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Key>();
    check::<Cipher>();
    check::<Mac>();
    check::<Tag>();
    check::<countersign_crypto::Error>();
    #[cfg(feature = "ntlm")]
    {
        use countersign_crypto::ntlm;
        check::<(ntlm::NtHash, ntlm::ResponseKey, ntlm::SessionKey)>();
        check::<(ntlm::SignKey, ntlm::SealKey, ntlm::Stream, ntlm::Checksum)>();
    }
    fn sent<T: Send>() {}
    sent::<Segment<'static>>();
}

#[test]
fn duplicates_are_equal_and_independent() {
    for key in keys() {
        let copy = key.duplicate();
        assert!(key.ct_eq(&copy));
        drop(key);
        assert_eq!(copy.expose(), &SECRET[..copy.enctype().key_len()]);
        for &enctype in Enctype::ALL {
            let other = Key::new(enctype, &vec![0; enctype.key_len()]).unwrap();
            assert!(!other.ct_eq(&copy));
        }
    }
}

#[test]
fn numbers_and_names_lead_back_to_their_enctype() {
    for &enctype in Enctype::ALL {
        assert_eq!(Enctype::from_id(enctype.id()), Some(enctype));
        assert_eq!(Enctype::from_name(enctype.name()), Some(enctype));
        assert_eq!(
            Enctype::from_name(&enctype.name().to_uppercase()),
            Some(enctype)
        );
        let checksum = enctype.checksum_type();
        assert_eq!(ChecksumType::from_id(checksum.id()), Some(checksum));
        assert_eq!(checksum.len(), enctype.trailer_len());
    }
    assert_eq!(
        Enctype::from_name("aes256-sha1"),
        Some(Enctype::Aes256CtsHmacSha1_96)
    );
    assert_eq!(
        Enctype::from_name("AES128-SHA2"),
        Some(Enctype::Aes128CtsHmacSha256_128)
    );
    // DES, triple DES, the exportable RC4, unassigned numbers.
    for id in [
        i32::MIN,
        -138,
        0,
        1,
        2,
        3,
        5,
        7,
        16,
        21,
        22,
        24,
        27,
        i32::MAX,
    ] {
        assert_eq!(Enctype::from_id(id), None);
    }
    for name in [
        "",
        "aes",
        "des3-cbc-sha1",
        "des-cbc-crc",
        "arcfour-hmac-exp",
    ] {
        assert_eq!(Enctype::from_name(name), None);
    }
    #[cfg(not(feature = "rc4"))]
    assert_eq!(
        (Enctype::from_id(23), ChecksumType::from_id(-138)),
        (None, None)
    );
    #[cfg(feature = "rc4")]
    assert!(Enctype::from_id(23).is_some_and(Enctype::is_weak));
    assert!(
        Enctype::ALL
            .iter()
            .filter(|enctype| enctype.id() != 23)
            .all(|e| !e.is_weak())
    );
}

#[cfg(feature = "ntlm")]
#[test]
fn debug_output_of_ntlm_keys_shows_no_secret() {
    use countersign_crypto::ntlm::{Direction, NtHash, SealKey, SessionKey, SignKey, Strength};

    let (hash, session) = (NtHash::new([0x5A; 16]), SessionKey::new([0x5A; 16]));
    let direction = Direction::ClientToServer;
    let response_key = hash.response_key("user".chars(), "domain".chars());
    let (sign, seal) = (
        SignKey::derive(&session, direction),
        SealKey::derive(&session, Strength::Bits128, direction),
    );
    let (stream, checksum) = (seal.stream(), sign.begin(0));
    #[cfg(feature = "ntlm-v1")]
    assert_eq!(
        format!(
            "{:?}",
            countersign_crypto::ntlm::v1::LmHash::new([0x5A; 16])
        ),
        "LmHash(..)"
    );
    assert_eq!(
        format!(
            "{hash:#?} {session:#?} {response_key:?} {sign:?} {seal:?} {stream:?} {checksum:?}"
        ),
        "NtHash(..) SessionKey(..) ResponseKey(..) SignKey(..) SealKey(..) Stream(..) Checksum(..)"
    );
}

#[cfg(feature = "ntlm")]
#[test]
fn duplicates_of_ntlm_keys_are_equal_and_independent() {
    use countersign_crypto::ntlm::{NtHash, SessionKey};

    let (hash, session) = (NtHash::new([1; 16]), SessionKey::new([2; 16]));
    let (hash_copy, session_copy) = (hash.duplicate(), session.duplicate());
    assert!(hash.ct_eq(&hash_copy) && session.ct_eq(&session_copy));
    drop((hash, session));
    assert_eq!(
        (hash_copy.expose(), session_copy.expose()),
        (&[1; 16], &[2; 16])
    );
    assert!(!hash_copy.ct_eq(&NtHash::new([2; 16])));
    assert!(!session_copy.ct_eq(&SessionKey::new([1; 16])));
}

/// Fails to compile when a secret type implements a trait that would copy, compare or print it unseen.
#[test]
fn secret_types_are_not_clone_not_comparable_and_not_displayed() {
    macro_rules! without {
        ($($banned:path),*: $($secret:ty),*) => {
            without!(@each [$($banned),*] $($secret),*);
        };
        (@each $banned:tt $($secret:ty),*) => {$(
            without!(@one $banned $secret);
        )*};
        (@one [$($banned:path),*] $secret:ty) => {$({
            trait Ambiguous<Marker> {
                fn check() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $banned> Ambiguous<u8> for T {}
            <$secret as Ambiguous<_>>::check();
        })*};
    }
    without!(Clone, PartialEq, std::fmt::Display, std::hash::Hash: Key, Cipher, Mac);
    without!(PartialEq, std::fmt::Display: Tag);
    #[cfg(any(feature = "rc4", feature = "ntlm"))]
    {
        #[cfg(feature = "ntlm")]
        use countersign_crypto::ntlm::Stream;
        #[cfg(not(feature = "ntlm"))]
        use countersign_crypto::rc4::Stream;
        without!(Clone, PartialEq, std::fmt::Display, std::hash::Hash: Stream);
    }
    #[cfg(feature = "ntlm")]
    {
        use countersign_crypto::ntlm::{
            Checksum, NtHash, ResponseKey, SealKey, SessionKey, SignKey,
        };
        without!(Clone, PartialEq, std::fmt::Display, std::hash::Hash:
            Checksum, NtHash, ResponseKey, SealKey, SessionKey, SignKey);
    }
    #[cfg(feature = "ntlm-v1")]
    {
        use countersign_crypto::ntlm::v1::LmHash;
        without!(Clone, PartialEq, std::fmt::Display, std::hash::Hash: LmHash);
    }
}
