//! MS-NLMP §4.2.1, §4.2.3.4 and §4.2.4, and what the keys of NTLM must do beyond it. Values without a section are
//! OpenSSL's and Python's.

use countersign_crypto::ntlm::{
    Direction, NtHash, ResponseKey, SealKey, SessionKey, SignKey, Stream, Strength,
};
use countersign_crypto::{Random, RandomError, verify_equal};

use crate::{Counting, hex};

/// MS-NLMP §4.2.1.
pub(crate) const PASSWORD: &str = "Password";
pub(crate) const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
pub(crate) const CLIENT_CHALLENGE: [u8; 8] = [0xaa; 8];
pub(crate) const RANDOM_SESSION_KEY: [u8; 16] = [0x55; 16];
/// `Plaintext` in UTF-16.
pub(crate) const PLAINTEXT: [u8; 18] = *b"P\0l\0a\0i\0n\0t\0e\0x\0t\0";

pub(crate) fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

fn response_key(user: &str, domain: &str) -> ResponseKey {
    NtHash::from_password(PASSWORD).response_key(user.chars(), domain.chars())
}

#[test]
fn nt_hashes_match_ms_nlmp_section_4_2_2_1_2() {
    let hash = NtHash::from_password(PASSWORD);
    assert_eq!(hash.expose()[..], hex("a4f49c406510bdcab6824ee7c30fd852"));
}

#[test]
fn nt_hashes_are_of_the_password_in_utf_16() {
    for (password, expected) in [
        ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        ("é", "e77286d072c7858e9110cc3a011d2ac8"),
        ("пароль", "507e3ee80df7db7c1fdd8d50ae8db606"),
        ("\u{1D11E}", "78d54ecb6cc7c823f8b6d7acf67bf657"),
        (&"x".repeat(300), "12eafc56afa85a7ffa7cb63cecc261fd"),
    ] {
        let hash = NtHash::from_password(password);
        assert_eq!(hash.expose()[..], hex(expected), "{password}");
    }
}

#[test]
fn nt_hashes_are_read_from_32_digits_and_from_nothing_else() {
    let digits = "A4f49c406510bdcab6824ee7c30fd852";
    let hash = NtHash::from_hex(digits).unwrap();
    assert!(hash.ct_eq(&NtHash::from_password(PASSWORD)));
    for len in 0..digits.len() {
        assert!(NtHash::from_hex(&digits[..len]).is_none(), "{len}");
    }
    for text in [
        "a4f49c406510bdcab6824ee7c30fd852a4",
        "a4f49c406510bdcab6824ee7c30fd85g",
        "+4f49c406510bdcab6824ee7c30fd852",
        " a4f49c406510bdcab6824ee7c30fd85",
        "0xf49c406510bdcab6824ee7c30fd852",
        "a4f49c406510bdcab6824ee7c30fd8é",
    ] {
        assert!(NtHash::from_hex(text).is_none(), "{text}");
    }
}

#[test]
fn responses_and_keys_match_ms_nlmp_section_4_2_4() {
    let key = response_key("User", "Domain");
    // §4.2.4.1.3: time 0, the client's challenge, the names of the domain and of the server.
    let temp = hex("0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
        02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000 00000000");
    let proof = key.proof(&SERVER_CHALLENGE, &[&temp]);
    assert_eq!(proof, array("68cd0ab851e51c96aabc927bebef6a1c"));
    let base = key.session_base_key(&proof);
    assert_eq!(*base.expose(), array("8de40ccadbc14a82f15cb0ad0de95ca3"));
    assert_eq!(
        key.lm_v2_response(&SERVER_CHALLENGE, &CLIENT_CHALLENGE),
        array("86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa")
    );
    let encrypted = base.encrypt(&SessionKey::new(RANDOM_SESSION_KEY));
    assert_eq!(encrypted, array("c5dad2544fc9799094ce1ce90bc9d03e"));
    assert_eq!(*base.decrypt(&encrypted).expose(), RANDOM_SESSION_KEY);

    for split in 0..=temp.len() {
        let (head, tail) = temp.split_at(split);
        assert_eq!(key.proof(&SERVER_CHALLENGE, &[head, &[], tail]), proof);
    }
}

/// A response of Windows 7 to Windows Server 2008 R2, published by Microsoft (Open Specifications blog, NTLM and
/// channel binding hash, 2013).
#[test]
fn the_response_of_windows_proves_right() {
    let pair = |id: u8, value: Vec<u8>| {
        let len = u8::try_from(value.len()).unwrap();
        [vec![id, 0, len, 0], value].concat()
    };
    let name = |id, name: &str| pair(id, name.encode_utf16().flat_map(u16::to_le_bytes).collect());
    let single_host = "3000000000000000 0100000000200000
        4d6b0d27541022f5ffa673da2bfcfdf1942f257be11a49c954197aca8aaf2eaf";
    let temp = [
        hex("0101000000000000 7be73fc30bdecd01 27fc118082c2fbdd 00000000"),
        name(2, "WS2008R2"),
        name(1, "DC-WS2008R2"),
        name(4, "ws2008r2.local"),
        name(3, "DC-ws2008r2.ws2008r2.local"),
        name(5, "ws2008r2.local"),
        pair(7, hex("7be73fc30bdecd01")),
        pair(6, hex("02000000")),
        pair(8, hex(single_host)),
        pair(10, hex("6586e99d81c2fc984e47172fd4dd0310")),
        name(9, "HTTP/dc-ws2008r2.ws2008r2.local"),
        // The end of the pairs, and as many zeros as Windows puts behind it.
        hex("00000000 0000000000000000"),
    ]
    .concat();
    let hash = NtHash::from_password("P@ssw0rd");
    assert_eq!(*hash.expose(), array("e19ccf75ee54e06b06a5907af13cef42"));
    let challenge = array("a2c5e8ca3084aa72");
    let proof = |user: &str, domain: &str| {
        hash.response_key(user.chars(), domain.chars())
            .proof(&challenge, &[&temp])
    };
    let expected: [u8; 16] = array("5a6a21ae1a44c044693eee59fc5d81e0");
    assert_eq!(proof("Administrator", "WS2008R2"), expected);
    assert_ne!(proof("Administrator", "ws2008r2"), expected);
    assert_ne!(proof("Administrator2", "WS2008R2"), expected);
}

/// MS-NLMP §3.3.2: the user's name in upper case, the domain as it is.
#[test]
fn response_keys_depend_on_the_users_letters_and_the_domains_case() {
    let proof = |user, domain| response_key(user, domain).proof(&SERVER_CHALLENGE, &[b"blob"]);
    let expected = array("f634d74f7aa2582f3a242d63dd441307");
    for user in ["ÜSER", "üser", "Üser"] {
        assert_eq!(proof(user, "Straße"), expected);
    }
    for (user, domain) in [
        ("ÜSER", "STRASSE"),
        ("ÜSER", "straße"),
        ("USER", "Straße"),
        ("ÜSER", ""),
        ("ÜSE", "RStraße"),
    ] {
        // The border between user and domain is not hashed: NTLM's own weakness.
        assert_eq!(
            proof(user, domain) == expected,
            (user, domain) == ("ÜSE", "RStraße"),
            "{user} {domain}"
        );
    }
    // Letters that Windows leaves as they are.
    let expected = array("5081d6d6d4b5e4172d0532c0e418824c");
    assert_eq!(proof("ÿσςßıω", "x"), expected);
    assert_ne!(proof("ÿσσßıω", "x"), expected);
}

#[test]
fn every_input_of_a_proof_matters() {
    let key = response_key("User", "Domain");
    let proof = key.proof(&SERVER_CHALLENGE, &[b"blob"]);
    assert!(verify_equal(
        &proof,
        &key.proof(&SERVER_CHALLENGE, &[b"bl", b"ob"])
    ));
    for bit in 0..64 {
        let mut challenge = SERVER_CHALLENGE;
        challenge[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(key.proof(&challenge, &[b"blob"]), proof);
    }
    assert_ne!(key.proof(&SERVER_CHALLENGE, &[b"blob\0"]), proof);
    assert_ne!(key.proof(&SERVER_CHALLENGE, &[]), proof);
    let other = NtHash::from_password("password").response_key("User".chars(), "Domain".chars());
    assert_ne!(other.proof(&SERVER_CHALLENGE, &[b"blob"]), proof);
    assert!(
        !other
            .session_base_key(&proof)
            .ct_eq(&key.session_base_key(&proof))
    );
}

/// Seals `PLAINTEXT` as the first message: the ciphertext, the checksum, and the checksum under RC4.
fn seal(session: &SessionKey, strength: Strength, direction: Direction) -> [Vec<u8>; 3] {
    let mut stream = SealKey::derive(session, strength, direction).stream();
    let mut message = PLAINTEXT;
    let mut checksum = SignKey::derive(session, direction).checksum(0, &[&message]);
    stream.apply(&mut message);
    let plain = checksum.to_vec();
    stream.apply(checksum.as_mut_slice());
    [message.to_vec(), plain, checksum.to_vec()]
}

#[test]
fn sealed_messages_match_ms_nlmp_section_4_2() {
    let to_server = Direction::ClientToServer;
    // §4.2.3.4: no key exchange, so the checksum is sent as it is.
    let session = SessionKey::new(array("eb93429a8bd952f8b89c55b87f475edc"));
    let [message, checksum, _] = seal(&session, Strength::Bits56, to_server);
    assert_eq!(message, hex("a02372f6530273f3aa1eb90190ce5200c99d"));
    assert_eq!(checksum, hex("ff2aeb52f681793a"));
    // §4.2.4.4
    let session = SessionKey::new(RANDOM_SESSION_KEY);
    let [message, checksum, encrypted] = seal(&session, Strength::Bits128, to_server);
    assert_eq!(message, hex("54e50165bf1936dc996020c1811b0f06fb5f"));
    assert_eq!(checksum, hex("70352851f2564309"));
    assert_eq!(encrypted, hex("7fb38ec5c55d4976"));

    let [message, checksum, _] = seal(&session, Strength::Bits128, Direction::ServerToClient);
    assert_eq!(message, hex("160871b730ba74e946c453d7465b54278dd0"));
    assert_eq!(checksum, hex("a6139944aa644dd5"));
    let [message, ..] = seal(&session, Strength::Bits40, to_server);
    assert_eq!(message, hex("4cbc1cb161a9aaedb1c3a66e896c2302010e"));
}

#[test]
fn checksums_cover_the_sequence_number_and_every_piece() {
    let key = SignKey::derive(
        &SessionKey::new(RANDOM_SESSION_KEY),
        Direction::ClientToServer,
    );
    for (sequence, parts, expected) in [
        (1, &[&PLAINTEXT[..]][..], "126c5d58da2144d6"),
        (1, &[], "d0d7acf0c6f50e0b"),
        (u32::MAX, &[&PLAINTEXT[..]], "35408e96370ecb58"),
        (u32::MAX, &[&[]], "fd770ebd232e2f97"),
    ] {
        assert_eq!(*key.checksum(sequence, parts), array(expected));
    }
    let whole = key.checksum(7, &[&PLAINTEXT]);
    for split in 0..=PLAINTEXT.len() {
        let (head, tail) = PLAINTEXT.split_at(split);
        let mut pieces = key.begin(7);
        pieces.update(head);
        pieces.update(tail);
        assert!(verify_equal(pieces.finish().as_slice(), whole.as_slice()));
        assert!(verify_equal(
            key.checksum(7, &[head, tail]).as_slice(),
            whole.as_slice()
        ));
    }
}

/// MS-NLMP §3.4: the key of a datagram is MD5 of the sealing key and the sequence number.
#[test]
fn datagrams_have_streams_of_their_own() {
    let session = SessionKey::new(RANDOM_SESSION_KEY);
    let key = SealKey::derive(&session, Strength::Bits128, Direction::ClientToServer);
    for (sequence, expected) in [
        (0, "c14288036b793b04f4"),
        (1, "d734c1301921251fcc"),
        (0xdead_beef, "3eef8a2f2eab515610"),
    ] {
        let mut message = *b"Plaintext";
        key.datagram_stream(sequence).apply(&mut message);
        assert_eq!(message, array(expected), "{sequence}");
    }
}

#[test]
fn mics_are_of_all_messages_in_their_order() {
    let key = SessionKey::new(RANDOM_SESSION_KEY);
    let mic = key.mic(&[b"negotiate", b"challenge", b"authenticate"]);
    assert_eq!(mic.as_bytes(), hex("62c615c5c376c9fa9600a21991b6c028"));
    let whole = key.mic(&[b"negotiatechallengeauthenticate"]);
    assert!(verify_equal(mic.as_bytes(), whole.as_bytes()));
    for (key, parts) in [
        (&key, [&b"challenge"[..], b"negotiate", b"authenticate"]),
        (&key, [b"negotiate", b"challenge", b"authenticatf"]),
        (
            &SessionKey::zero(),
            [b"negotiate", b"challenge", b"authenticate"],
        ),
    ] {
        assert!(!verify_equal(mic.as_bytes(), key.mic(&parts).as_bytes()));
    }
}

#[test]
fn session_keys_are_random_or_zero() {
    struct Broken;
    impl Random for Broken {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }
    let mut random = Counting(0);
    let (one, two) = (
        SessionKey::generate(&mut random).unwrap(),
        SessionKey::generate(&mut random).unwrap(),
    );
    assert!(!one.ct_eq(&two));
    assert!(!one.ct_eq(&SessionKey::zero()));
    assert!(SessionKey::zero().ct_eq(&SessionKey::new([0; 16])));
    assert_eq!(
        SessionKey::generate(&mut Broken).unwrap_err(),
        countersign_crypto::Error::Random
    );
}

/// A message that turned out forged must not move the stream on: MS-NLMP §3.4.4 leaves the sequence number, too.
#[test]
fn a_stream_can_go_back_before_a_message() {
    let session = SessionKey::new(RANDOM_SESSION_KEY);
    let key = SealKey::derive(&session, Strength::Bits128, Direction::ClientToServer);
    let (mut sender, mut receiver): (Stream, Stream) = (key.stream(), key.stream());
    let mut message = PLAINTEXT;
    sender.apply(&mut message);

    let before = receiver.duplicate();
    receiver.apply(&mut [0x66; 40]);
    receiver = before;
    receiver.apply(&mut message);
    assert_eq!(message, PLAINTEXT);
}
