//! MS-NLMP §4.2.2 and §4.2.3.

use countersign_crypto::ntlm::{NtHash, SessionKey, Strength, v1};

use crate::hex;
use crate::ntlm::{
    CLIENT_CHALLENGE, PASSWORD, PLAINTEXT, RANDOM_SESSION_KEY, SERVER_CHALLENGE, array,
};

fn lm_hash() -> v1::LmHash {
    v1::lm_hash(PASSWORD).unwrap()
}

#[test]
fn responses_match_ms_nlmp_section_4_2_2() {
    let hash = NtHash::from_password(PASSWORD);
    assert_eq!(
        *lm_hash().expose(),
        array("e52cac67419a9a224a3b108f3fa6cb6d")
    );
    assert_eq!(
        v1::nt_response(&hash, &SERVER_CHALLENGE),
        array("67c43011f30298a2 ad35ece64f16331c 44bdbed927841f94")
    );
    assert_eq!(
        v1::lm_response(&lm_hash(), &SERVER_CHALLENGE),
        array("98def7b87f88aa5d afe2df779688a172 def11c7d5ccdef13")
    );
}

#[test]
fn session_keys_match_ms_nlmp_section_4_2_2() {
    let base = v1::session_base_key(&NtHash::from_password(PASSWORD));
    assert_eq!(*base.expose(), array("d87262b0cde4b1cb7499becccdf10784"));
    let lm_response = v1::lm_response(&lm_hash(), &SERVER_CHALLENGE);
    let lm_key = v1::lm_key_exchange_key(&lm_hash(), &lm_response);
    assert_eq!(*lm_key.expose(), array("b09e379f7fbecb1eaf0afdcb0383c8a0"));
    let non_nt = v1::non_nt_key_exchange_key(&lm_hash());
    assert_eq!(*non_nt.expose(), array("e52cac67419a9a22 0000000000000000"));

    let exported = SessionKey::new(RANDOM_SESSION_KEY);
    for (key, expected) in [
        (base, "518822b1b3f350c8958682ecbb3e3cb7"),
        (non_nt, "7452ca55c225a1ca04b48fae32cf56fc"),
        (lm_key, "4cd7bb57d697ef9b549f02b8f9b37864"),
    ] {
        let encrypted = key.encrypt(&exported);
        assert_eq!(encrypted, array(expected));
        assert!(key.decrypt(&encrypted).ct_eq(&exported));
    }
}

#[test]
fn responses_and_keys_match_ms_nlmp_section_4_2_3() {
    let hash = NtHash::from_password(PASSWORD);
    assert_eq!(
        v1::ntlm2_session_response(&hash, &SERVER_CHALLENGE, &CLIENT_CHALLENGE),
        array("7537f803ae367128 ca458204bde7caf8 1e97ed2683267232")
    );
    let lm_response = array("aaaaaaaaaaaaaaaa 00000000000000000000000000000000");
    let base = v1::session_base_key(&hash);
    let key = v1::extended_key_exchange_key(&base, &SERVER_CHALLENGE, &lm_response);
    assert_eq!(*key.expose(), array("eb93429a8bd952f8b89c55b87f475edc"));
}

#[test]
fn sealed_messages_match_ms_nlmp_section_4_2_2_4() {
    let session = SessionKey::new(RANDOM_SESSION_KEY);
    // 56 and 128 bits are negotiated there, and neither NTLMSSP_NEGOTIATE_LM_KEY nor the connectionless mode: the
    // whole key.
    let mut stream = v1::seal_key(&session, Strength::Bits128).stream();
    let mut message = PLAINTEXT;
    let mut crc = v1::Crc32::new();
    crc.update(&message);
    assert_eq!(crc.value().to_le_bytes(), [0x7d, 0x84, 0xaa, 0x93]);
    stream.apply(&mut message);
    assert_eq!(message, array("56fe04d861f9319af0d7238a2e3b4d457fb8"));
    let mac = v1::mac(&mut stream, 0, crc.value());
    assert_eq!(mac, array("45c844e5 09dcd1df 2e459d36"));
}

/// Microsoft's forum has the outcome of the first key for the message of MS-NLMP §4.2.2.4.
#[test]
fn weakened_sealing_keys_have_eight_bytes() {
    let session = SessionKey::new(RANDOM_SESSION_KEY);
    for (strength, expected) in [
        (Strength::Bits56, "1ea99fa44e987c38cce9cff08d9b862d6da7"),
        (Strength::Bits40, "9b759ed758bce8e85e0b7ffebc1f1261e8c1"),
    ] {
        let mut message = PLAINTEXT;
        v1::seal_key(&session, strength)
            .stream()
            .apply(&mut message);
        assert_eq!(message, array(expected), "{strength:?}");
    }
}

#[test]
fn macs_depend_on_checksum_sequence_and_place_in_the_stream() {
    let key = v1::seal_key(&SessionKey::new(RANDOM_SESSION_KEY), Strength::Bits128);
    let mac = v1::mac(&mut key.stream(), 5, 0x1234_5678);
    assert_eq!(mac, v1::mac(&mut key.stream(), 5, 0x1234_5678));
    assert_ne!(mac[8..], v1::mac(&mut key.stream(), 6, 0x1234_5678)[8..]);
    assert_ne!(mac[4..8], v1::mac(&mut key.stream(), 5, 0x1234_5679)[4..8]);
    let mut stream = key.stream();
    stream.apply(&mut [0]);
    assert_ne!(mac, v1::mac(&mut stream, 5, 0x1234_5678));
}

/// MS-NLMP §3.3.1: none for more than 14 letters.
#[test]
fn lm_hashes_exist_for_short_plain_passwords_only() {
    let hash = |password: &str| v1::lm_hash(password).map(|hash| hash.expose().to_vec());
    // The well-known hash of no password: half of it is that of any password up to 7 letters.
    let empty = hash("").unwrap();
    assert_eq!(empty, hex("aad3b435b51404eeaad3b435b51404ee"));
    assert_eq!(hash("1234567").unwrap()[8..], empty[8..]);
    assert_ne!(hash("12345678").unwrap()[8..], empty[8..]);
    assert_eq!(hash("pAsSwOrD"), hash("PASSWORD"));
    assert!(hash("14 letters, yo").is_some());
    assert_eq!(hash("15 letters, you"), None);
    assert_eq!(hash("é"), None);
}
