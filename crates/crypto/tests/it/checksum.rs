use countersign_crypto::{Enctype, KeyUsage};

use crate::{hex, key};

fn check(enctype: Enctype, secret: &str, usage: u32, data: &[u8], expected: &str) {
    let key = key(enctype, secret);
    let (usage, expected) = (KeyUsage(usage), hex(expected));
    let tag = key.checksum(usage, enctype.checksum_type(), data).unwrap();
    assert_eq!(tag.as_bytes(), expected, "{enctype}");
    let (head, tail) = data.split_at(data.len() / 2);
    assert_eq!(
        key.mac(usage).compute(&[head, &[], tail]).as_bytes(),
        expected,
        "{enctype}"
    );
    key.verify_checksum(
        usage,
        enctype.checksum_type().id(),
        &[head, tail],
        &expected,
    )
    .unwrap();
}

#[test]
fn aes_sha1_checksums_match_known_answers() {
    check(
        Enctype::Aes128CtsHmacSha1_96,
        "9062430c8cda3388922e6d6a509f5b7a",
        3,
        b"eight nine ten eleven twelve thirteen",
        "01a4b088d45628f6946614e3",
    );
    check(
        Enctype::Aes256CtsHmacSha1_96,
        "b1ae4cd8462aff1677053cc9279aac30b796fb81ce21474dd3ddbcfea4ec76d7",
        4,
        b"fourteen",
        "e08739e3279e2903ec8e3836",
    );
}

#[test]
fn aes_sha2_checksums_match_rfc_8009_appendix_a() {
    let data = hex("000102030405060708090a0b0c0d0e0f1011121314");
    check(
        Enctype::Aes128CtsHmacSha256_128,
        "3705d96080c17728a0e800eab6e0d23c",
        2,
        &data,
        "d78367186643d67b411cba9139fc1dee",
    );
    check(
        Enctype::Aes256CtsHmacSha384_192,
        "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52",
        2,
        &data,
        "45ee791567eefca37f4ac1e0222de80d43c3bfa06699672a",
    );
}

#[test]
fn camellia_checksums_match_rfc_6803_section_10() {
    check(
        Enctype::Camellia128CtsCmac,
        "1dc46a8d763f4f93742bcba3387576c3",
        7,
        b"abcdefghijk",
        "1178e6c5c47a8c1ae0c4b9c7d4eb7b6b",
    );
    check(
        Enctype::Camellia128CtsCmac,
        "5027bc231d0f3a9d23333f1ca6fdbe7c",
        8,
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "d1b34f7004a731f23a0c00bf6c3f753a",
    );
    check(
        Enctype::Camellia256CtsCmac,
        "b61c86cc4e5d2757545ad423399fb7031ecab913cbb900bd7a3c6dd8bf92015b",
        9,
        b"123456789",
        "87a12cfd2b96214810f01c826e7744b1",
    );
    check(
        Enctype::Camellia256CtsCmac,
        "32164c5b434d1d1538e4cfd9be8040fe8c4ac7acc4b93d3314d2133668147a05",
        10,
        b"!@#$%^&*()!@#$%^&*()!@#$%^&*()",
        "3fa0b42355e52b189187294aa252ab64",
    );
}

#[cfg(feature = "rc4")]
#[test]
fn rc4_checksum_matches_known_answer() {
    check(
        Enctype::Rc4Hmac,
        "f7d3a155af5e238a0b7a871a96ba2ab2",
        6,
        b"seventeen eighteen nineteen twenty",
        "eb38cc97e2230f59da4117dc5859d7ec",
    );
}
