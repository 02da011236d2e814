use countersign_crypto::{Enctype, Error, Key};

use crate::hex;

const X64: &[u8] = &[b'X'; 64];
const X65: &[u8] = &[b'X'; 65];
/// U+1D11E, outside the basic plane.
const G_CLEF: &[u8] = &[0xf0, 0x9d, 0x84, 0x9e];
const RAEBURN: &[u8] = b"ATHENA.MIT.EDUraeburn";
const BINARY: &[u8] = &[0x12, 0x34, 0x56, 0x78, 0x78, 0x56, 0x34, 0x12];
const EQUALS: &[u8] = b"pass phrase equals block size";
const EXCEEDS: &[u8] = b"pass phrase exceeds block size";
const PIANIST: &[u8] = b"EXAMPLE.COMpianist";

fn check(enctype: Enctype, count: u32, password: &[u8], salt: &[u8], expected: &str) {
    let key = Key::from_password(enctype, password, salt, Some(&count.to_be_bytes())).unwrap();
    assert_eq!(key.expose(), hex(expected), "{enctype} {count}");
}

#[test]
fn aes_sha1_keys_match_rfc_3962_appendix_b() {
    let short = Enctype::Aes128CtsHmacSha1_96;
    check(
        short,
        1,
        b"password",
        RAEBURN,
        "42263c6e89f4fc28b8df68ee09799f15",
    );
    check(
        short,
        2,
        b"password",
        RAEBURN,
        "c651bf29e2300ac27fa469d693bdda13",
    );
    check(
        short,
        1200,
        b"password",
        RAEBURN,
        "4c01cd46d632d01e6dbe230a01ed642a",
    );
    check(
        short,
        5,
        b"password",
        BINARY,
        "e9b23d52273747dd5c35cb55be619d8e",
    );
    check(short, 1200, X64, EQUALS, "59d1bb789a828b1aa54ef9c2883f69ed");
    check(
        short,
        1200,
        X65,
        EXCEEDS,
        "cb8005dc5f90179a7f02104c0018751d",
    );
    check(
        short,
        50,
        G_CLEF,
        PIANIST,
        "f149c1f2e154a73452d43e7fe62a56e5",
    );

    let long = Enctype::Aes256CtsHmacSha1_96;
    for (count, password, salt, expected) in [
        (
            1,
            &b"password"[..],
            RAEBURN,
            "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161",
        ),
        (
            2,
            b"password",
            RAEBURN,
            "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff",
        ),
        (
            1200,
            b"password",
            RAEBURN,
            "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a",
        ),
        (
            5,
            b"password",
            BINARY,
            "97a4e786be20d81a382d5ebc96d5909cabcdadc87ca48f574504159f16c36e31",
        ),
        (
            1200,
            X64,
            EQUALS,
            "89adee3608db8bc71f1bfbfe459486b05618b70cbae22092534e56c553ba4b34",
        ),
        (
            1200,
            X65,
            EXCEEDS,
            "d78c5c9cb872a8c9dad4697f0bb5b2d21496c82beb2caeda2112fceea057401b",
        ),
        (
            50,
            G_CLEF,
            PIANIST,
            "4b6d9839f84406df1f09cc166db4b83c571848b784a3d6bdc346589a3e393f9e",
        ),
    ] {
        check(long, count, password, salt, expected);
    }
}

#[test]
fn camellia_keys_match_rfc_6803_section_10() {
    let short = Enctype::Camellia128CtsCmac;
    check(
        short,
        1,
        b"password",
        RAEBURN,
        "57d0297298ffd9d35de5a47fb4bde24b",
    );
    check(
        short,
        2,
        b"password",
        RAEBURN,
        "73f1b53aa0f310f93b1de8ccaa0cb152",
    );
    check(
        short,
        1200,
        b"password",
        RAEBURN,
        "8e571145452855575fd916e7b04487aa",
    );
    check(
        short,
        5,
        b"password",
        BINARY,
        "00498fd916bfc1c2b1031c170801b381",
    );
    check(short, 1200, X64, EQUALS, "8bf6c3ef709b981dbb585d086843be05");
    check(
        short,
        1200,
        X65,
        EXCEEDS,
        "5752ac8d6ad1ccfe8430b312871c2f74",
    );
    check(
        short,
        50,
        G_CLEF,
        PIANIST,
        "cc75c7fd260f1c1658011fcc0d560616",
    );

    let long = Enctype::Camellia256CtsCmac;
    for (count, password, salt, expected) in [
        (
            1,
            &b"password"[..],
            RAEBURN,
            "b9d6828b2056b7be656d88a123b1fac68214ac2b727ecf5f69afe0c4df2a6d2c",
        ),
        (
            2,
            b"password",
            RAEBURN,
            "83fc5866e5f8f4c6f38663c65c87549f342bc47ed394dc9d3cd4d163ade375e3",
        ),
        (
            1200,
            b"password",
            RAEBURN,
            "77f421a6f25e138395e837e5d85d385b4c1bfd772e112cd9208ce72a530b15e6",
        ),
        (
            5,
            b"password",
            BINARY,
            "11083a00bdfe6a41b2f19716d6202f0afa94289afe8b27a049bd28b1d76c389a",
        ),
        (
            1200,
            X64,
            EQUALS,
            "119fe2a1cb0b1be010b9067a73db63ed4665b4e53a98d178035dcfe843a6b9b0",
        ),
        (
            1200,
            X65,
            EXCEEDS,
            "614d5dfc0ba6d390b412b89ae4d5b088b612b316510994679ddb4383c7126ddf",
        ),
        (
            50,
            G_CLEF,
            PIANIST,
            "163b768c6db148b4eec7163df5aed70e206b68cec078bc069ed68a7ed36b1ecc",
        ),
    ] {
        check(long, count, password, salt, expected);
    }
}

#[test]
fn aes_sha2_keys_match_rfc_8009_appendix_a() {
    let salt = [&hex("10df9dd783e5bc8acea1730e74355f61")[..], RAEBURN].concat();
    check(
        Enctype::Aes128CtsHmacSha256_128,
        32768,
        b"password",
        &salt,
        "089bca48b105ea6ea77ca5d2f39dc5e7",
    );
    check(
        Enctype::Aes256CtsHmacSha384_192,
        32768,
        b"password",
        &salt,
        "45bd806dbf6a833a9cffc1c94589a222367a79bc21c413718906e9f578a78467",
    );
}

#[test]
fn absent_parameters_mean_the_enctypes_default_count() {
    for &enctype in Enctype::ALL {
        let count = match enctype {
            Enctype::Aes128CtsHmacSha1_96 | Enctype::Aes256CtsHmacSha1_96 => 4096u32,
            _ => 32768,
        };
        let default = Key::from_password(enctype, b"password", RAEBURN, None).unwrap();
        let named =
            Key::from_password(enctype, b"password", RAEBURN, Some(&count.to_be_bytes())).unwrap();
        assert!(default.ct_eq(&named), "{enctype}");
    }
}

/// RFC 4757 §2; the value is the well-known NT hash of `foo`, from the RFC's own example.
#[cfg(feature = "rc4")]
#[test]
fn rc4_keys_match_rfc_4757_section_2() {
    let key = |password| Key::from_password(Enctype::Rc4Hmac, password, b"salt", None);
    assert_eq!(
        key(b"foo").unwrap().expose(),
        hex("ac8e657f83df82beea5d43bdaf7800cc")
    );
    assert_eq!(key(b"\xff").unwrap_err(), Error::PasswordEncoding);
}

#[test]
fn malformed_or_hostile_parameters_are_refused() {
    let derive = |params: &[u8]| {
        Key::from_password(
            Enctype::Aes256CtsHmacSha1_96,
            b"password",
            RAEBURN,
            Some(params),
        )
    };
    assert!(derive(&[0, 0, 0, 1]).is_ok());
    for params in [&[][..], &[0, 0, 1], &[0, 0, 0, 0, 1]] {
        assert_eq!(derive(params).unwrap_err(), Error::StringToKeyParameters);
    }
    // Zero stands for 2^32 (RFC 3962 §4).
    for count in [0, 1 << 24, u32::MAX] {
        assert_eq!(
            derive(&count.to_be_bytes()).unwrap_err(),
            Error::IterationCount(count)
        );
    }
}
