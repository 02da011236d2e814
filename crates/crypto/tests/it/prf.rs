use countersign_crypto::{Enctype, Error, Key, combine};

use crate::{hex, key};

const TABLE: &[(Enctype, &str, &[u8], &str)] = &[
    (
        Enctype::Aes128CtsHmacSha1_96,
        "ae272e7cdec86ac5138cdb196d8e297d",
        &[1, 0x61],
        "77b39a37a868920f2a51f9dd150c5717",
    ),
    (
        Enctype::Aes128CtsHmacSha1_96,
        "67ab1cfef35e4c27ffdeac60385a3e9c",
        &[1, 0x62],
        "e06c0dd31ff02091994f2ef5178bfe3d",
    ),
    (
        Enctype::Aes256CtsHmacSha1_96,
        "c01f157211f7b77eaaf457c3e156690127ee127d810ba6392e97baa243eb0616",
        &[1, 0x61],
        "b2628c788e2e9c4a9bb4644678c29f2f",
    ),
    (
        Enctype::Aes256CtsHmacSha1_96,
        "c01f157211f7b77eaaf457c3e156690127ee127d810ba6392e97baa243eb0616",
        &[2, 0x61],
        "b406373350cee8a6126f4a9b65a0cd21",
    ),
    (
        Enctype::Aes256CtsHmacSha1_96,
        "9d520d2d980aa7cb6b693682b62da258b333867951642ce647ae62b1e5e0b5e9",
        &[1, 0x62],
        "ff0e289ea756c0559a0e911856961a49",
    ),
    (
        Enctype::Aes256CtsHmacSha1_96,
        "9d520d2d980aa7cb6b693682b62da258b333867951642ce647ae62b1e5e0b5e9",
        &[2, 0x62],
        "0d674dd0f9a6806525a4d92e828bd15a",
    ),
    // RFC 8009 appendix A.
    (
        Enctype::Aes128CtsHmacSha256_128,
        "3705d96080c17728a0e800eab6e0d23c",
        b"test",
        "9d188616f63852fe86915bb840b4a886ff3e6bb0f819b49b893393d393854295",
    ),
    (
        Enctype::Aes256CtsHmacSha384_192,
        "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52",
        b"test",
        "9801f69a368c2bf675e59521e177d9a07f67efe1cfde8d3c8d6f6a0256e3b17d
         b3c1b62ad1b8553360d17367eb1514d2",
    ),
    #[cfg(feature = "rc4")]
    (
        Enctype::Rc4Hmac,
        "0102030405060708090a0b0c0d0e0f10",
        b"test-input",
        "84fb47c2594710701cccfd586c17084a0c2180fe",
    ),
];

#[test]
fn prf_matches_published_values() {
    for (enctype, secret, input, expected) in TABLE {
        assert_eq!(
            *key(*enctype, secret).prf(input),
            hex(expected),
            "{enctype}"
        );
    }
}

/// KRB-FX-CF2 of string-to-key("key1"), string-to-key("key2") with the peppers "a" and "b": RFC 6113
/// appendix A; the enctypes that are younger than it have the values that MIT krb5 computes.
#[test]
fn combine_matches_rfc_6113_appendix_a() {
    let check = |enctype, expected| {
        let one = Key::from_password(enctype, b"key1", b"key1", None).unwrap();
        let two = Key::from_password(enctype, b"key2", b"key2", None).unwrap();
        let combined = combine(&one, &two, b"a", b"b").unwrap();
        assert_eq!(combined.enctype(), enctype);
        assert_eq!(combined.expose(), hex(expected), "{enctype}");
    };
    check(
        Enctype::Aes128CtsHmacSha1_96,
        "97df97e4b798b29eb31ed7280287a92a",
    );
    check(
        Enctype::Aes256CtsHmacSha1_96,
        "4d6ca4e629785c1f01baf55e2e548566b9617ae3a96868c337cb93b5e72b1c7b",
    );
    check(
        Enctype::Aes128CtsHmacSha256_128,
        "edd02a39d2dbde31611c16e610be062c",
    );
    check(
        Enctype::Aes256CtsHmacSha384_192,
        "67f6ea530aea85a37dcbb23349ea52dcc61ca8493ff557252327fd8304341584",
    );
    #[cfg(feature = "rc4")]
    check(Enctype::Rc4Hmac, "24d7f6b6bae4e5c00d2082c5ebab3672");
}

/// The GSS-API PRF of RFC 7802 §2 (PRF(K, counter | input), cut) as MIT krb5 computes it: this reaches the
/// PRF of every enctype, with an empty input and with one longer than a block.
#[test]
fn prf_of_every_enctype_matches_gss_pseudo_random() {
    const INPUT: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz123456789";
    let check = |enctype, secret, input: &[u8], expected| {
        let key = key(enctype, secret);
        let mut out = Vec::new();
        for counter in 0u32.. {
            if out.len() >= 44 {
                break;
            }
            out.extend_from_slice(&key.prf(&[&counter.to_be_bytes()[..], input].concat()));
        }
        assert_eq!(out[..44], hex(expected), "{enctype}");
    };
    for (enctype, first, empty, second, full) in [
        #[cfg(feature = "rc4")]
        (
            Enctype::Rc4Hmac,
            "3bb3ae288c12b3b9d06b208a4151b3b6",
            "9aea11a3bcf3c53f1f91f5a0ba2132e2501adf5f3c283c8a983ab88757ce865a22132d6100ead63e9e291afa",
            "6db7b33a01bd2b72f7655cb7b3d5fa0b",
            "cda9a544869fc84873b692663a82afda101c8611498ba46138b01e927c9b95eec953b562807434037837dddf",
        ),
        (
            Enctype::Aes128CtsHmacSha1_96,
            "6c742096eb896230312b73972fa28b5d",
            "94208d982fc1bb7778128bdd77904420b45c9da699f3117bce66e39602128ef0296611a6d191a5828530f20f",
            "fa61138c109d834a477d24c7311be6da",
            "0faedf0f842cc834fee750487e1b622739286b975fe5b7f45ab053143c75ca0df5d3d4bbb80f6a616c7c9027",
        ),
        (
            Enctype::Aes256CtsHmacSha1_96,
            "08fcdafd5832611b73ba7b497febff8c954b4b58031cad9b977c3b8c25192fd6",
            "e627efc14ef5b6d629f830c7109dea0d3d7d36e8cd57a1f301c5452494a1928f05affbee3360232209d3be0d",
            "f5b68b7823d8944f33f41541b4e4d38c9b2934f8d16334a796645b066152b4be",
            "112f2b2d878590653ccc7de278e9f0aa46fa5a380b6259f774cb7c134fcd37f61a50fd0d9f89bf8fe1a6b593",
        ),
        (
            Enctype::Camellia128CtsCmac,
            "866e0466a178279a32ac0bda92b72aeb",
            "97fbb354bf341c3a160dcc86a7a910fda824601df67768797baceebf5d250ae929dec9760772084267f50a54",
            "d4893fd37da1a211e12dd1e03e0f03b7",
            "1dee2ff126ca563a2a2326b9dd3f0095013257414c83fad4398901013d55f367c82681186b7b2fe62f746ba4",
        ),
        (
            Enctype::Camellia256CtsCmac,
            "203071b1ae77bd3d6fce70174af95c225b1ced46b35cf52b6479efeb47e6b063",
            "9b30020634c10fda28420cee7b96b70a90a771ced43ad8346554163e5949cbae2fb8ef36afb6b32ce75116a0",
            "a171ad582c1afbbad52abd622ee6b6a14d19bf95c6914b2ba40ffd99a88ec660",
            "a47cbb6e104dcc77e4db48a7a474b977f2fb6a7a1ab652317d50508ae72b7be2e4e4ba24164e029cbacf786b",
        ),
        (
            Enctype::Aes128CtsHmacSha256_128,
            "089bca48b105ea6ea77ca5d2f39dc5e7",
            "ed1736209b7c59c9f6a3ae8ccc8a7c97adfdd11688adf304f2f74252cbacd311a2d9253211fda49745ce4f62",
            "3705d96080c17728a0e800eab6e0d23c",
            "2bb41b183d76d8d5b30cbb049a7efe9f350efa058dc2c4d868308d354a7b199be6fd1f22b53c038bc6036581",
        ),
        (
            Enctype::Aes256CtsHmacSha384_192,
            "45bd806dbf6a833a9cffc1c94589a222367a79bc21c413718906e9f578a78467",
            "1c613ae8b77a3b4d783f3dce6c9178fc025e87f48a44784a69cb5fc697fe266a6141905067ef78566d309085",
            "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52",
            "d15944b0a44508d1e61213f6455f292a02298f870c01a3f74ad0345a4a6651ebe101976e933f32d44f0b5947",
        ),
    ] {
        check(enctype, first, b"", empty);
        check(enctype, second, INPUT, full);
    }
}

#[test]
fn prf_plus_concatenates_numbered_blocks_and_ends_at_255() {
    for &enctype in Enctype::ALL {
        let key = Key::new(enctype, &vec![7; enctype.key_len()]).unwrap();
        let block = key.prf(b"\x01pepper").len();
        let long = key.prf_plus(b"pepper", 255 * block).unwrap();
        assert_eq!(long[..block], *key.prf(b"\x01pepper"), "{enctype}");
        assert_eq!(long[254 * block..], *key.prf(b"\xffpepper"), "{enctype}");
        assert_eq!(
            *key.prf_plus(b"pepper", block + 1).unwrap(),
            long[..block + 1]
        );
        assert!(key.prf_plus(b"pepper", 0).unwrap().is_empty());
        assert_eq!(
            key.prf_plus(b"pepper", 255 * block + 1).unwrap_err(),
            Error::OutputTooLong
        );
        // Refused before there is room for it.
        assert_eq!(
            key.prf_plus(b"pepper", usize::MAX).unwrap_err(),
            Error::OutputTooLong
        );
    }
}
