use countersign_crypto::{Enctype, KeyUsage};

use crate::{hex, key};

/// Opens the ciphertext, then seals what came out under the confounder that came out, and under the
/// published one where there is one.
fn check(
    enctype: Enctype,
    secret: &str,
    usage: u32,
    confounder: Option<&str>,
    plaintext: &[u8],
    ciphertext: &str,
) {
    let expected = hex(ciphertext);
    let cipher = key(enctype, secret).cipher(KeyUsage(usage));
    assert_eq!(cipher.sealed_len(plaintext.len()), expected.len());

    let mut buffer = expected.clone();
    assert_eq!(
        cipher.decrypt_in_place(&mut buffer).unwrap(),
        plaintext,
        "{enctype} {usage}"
    );
    let start = cipher.confounder_offset();
    let found = &buffer[start..start + cipher.confounder_len()];
    if let Some(confounder) = confounder {
        assert_eq!(found, hex(confounder), "{enctype} {usage}");
    }
    let (head, tail) = plaintext.split_at(plaintext.len() / 3);
    let mut sealed = b"before".to_vec();
    cipher
        .encrypt_into(found, &[head, &[], tail], &mut sealed)
        .unwrap();
    assert_eq!(sealed[6..], expected, "{enctype} {usage}");
    assert_eq!(&sealed[..6], b"before");
}

const PLAINTEXTS: [&[u8]; 5] = [
    b"",
    b"1",
    b"9 bytesss",
    b"13 bytes byte",
    b"30 bytes bytes bytes bytes byt",
];

/// Random keys and confounders, recorded from MIT krb5; the usage is the row's number.
fn recorded(enctype: Enctype, rows: [(&str, &str); 5]) {
    for ((usage, plaintext), (secret, ciphertext)) in (0..).zip(PLAINTEXTS).zip(rows) {
        check(enctype, secret, usage, None, plaintext, ciphertext);
    }
}

#[test]
fn aes128_sha1_opens_and_makes_recorded_messages() {
    recorded(
        Enctype::Aes128CtsHmacSha1_96,
        [
            (
                "5a5c0f0ba54f3828b2195e66ca24a289",
                "49ff8e11c173d9583a3254fbe7b1f1df36c538e8416784a1672e6676",
            ),
            (
                "98450e3f3baa13f5c99beb936981b06f",
                "f86742f537b35dc2174a4dbaa920faf9042090b065e1ebb1cad9a65394",
            ),
            (
                "9062430c8cda3388922e6d6a509f5b7a",
                "68fb9679601f45c78857b2bf820fd6e53eca8d42fd4b1d7024a09205abb7cd2ec26c355d2f",
            ),
            (
                "033ee6502c54fd23e27791e987983827",
                "ec366d0327a933bf49330e650e49bc6b974637fe80bf532fe51795b4809718e6194724db948d1fd637",
            ),
            (
                "dceeb70b3de76562e689226c76429148",
                "c96081032d5d8eeb7e32b4089f789d0faa481dea74c0f97cbf3146ddfcf8e800
                 156ecb532fc203e30ff600b63b350939fece510f02d7ff1e7bac",
            ),
        ],
    );
}

#[test]
fn aes256_sha1_opens_and_makes_recorded_messages() {
    recorded(
        Enctype::Aes256CtsHmacSha1_96,
        [
            (
                "17f275f2954f2ed1f90c377ba7f4d6a369aa0136e0bf0c927ad6133c693759a9",
                "e5094c55ee7b38262e2b044280b069379a95bf95bd8376fb3281b435",
            ),
            (
                "b9477e1ff0329c0050e20ce6c72d2dff27e8fe541ab0954429a9cb5b4f7b1e2a",
                "406150b97aeb76d43b36b62cc1ecdfbe6f40e95755e0beb5c27825f3a4",
            ),
            (
                "b1ae4cd8462aff1677053cc9279aac30b796fb81ce21474dd3ddbcfea4ec76d7",
                "09957aa25fcaf88f7b39e4406e633012d5fea21853f6478da7065caef41fd454a40824eec5",
            ),
            (
                "e5a72be9b7926c1225bafef9c1872e7ba4cdb2b17893d84abd90acdd8764d966",
                "d8f1aafeec84587cc3e700a774e56651a6d693e174ec4473b5e6d96f80297a653fb818ad893e719f96",
            ),
            (
                "f1c795e9248a09338d82c3f8d5b567040b0110736845041347235b1404231398",
                "d1137a4d634cfece924dbc3bf6790648bd5cff7de0e7b99460211d0daef3d79a
                 295c688858f3b34b9cbd6eebae81daf6b734d4d498b6714f1c1d",
            ),
        ],
    );
}

#[cfg(feature = "rc4")]
#[test]
fn rc4_opens_and_makes_recorded_messages() {
    recorded(
        Enctype::Rc4Hmac,
        [
            (
                "f81fec39255f5784e850c4377c88bd85",
                "02c1eb15586144122ec717763dd348bf00434ddc6585954c",
            ),
            (
                "67d1300d281223867f9647ff48721273",
                "6156e0cc04e0a0874f9fda008f498a7adbbc80b70b14dddbc0",
            ),
            (
                "3e40ab6093695281b3ac1a9304224d98",
                "0f9ad121d99d4a09448e4f1f718c4f5cbe6096262c66f29df232a87c9f98755d55",
            ),
            (
                "4ba2fbf0379faed87a254d3b353d5a7e",
                "612c57568b17a70352bae8cf26fb9459a6f3353cd35fd439db3107cbec765d326dfc04c1dd",
            ),
            (
                "68f263db3fce15d031c9eab02d67107a",
                "95f9047c3ad75891c2e9b04b16566dc8b6eb9ce4231afb2542ef87a7b5a0f260
                 a99f0460508de0cecc632d07c354124e46c5d2234eb8",
            ),
        ],
    );
}

#[test]
fn camellia_messages_match_rfc_6803_section_10() {
    let short = [
        (
            "1dc46a8d763f4f93742bcba3387576c3",
            "b69822a19a6b09c0ebc8557d1f1b6c0a",
            "c466f1871069921edb7c6fde244a52db0ba10edc197bdb8006658ca3ccce6eb8",
        ),
        (
            "5027bc231d0f3a9d23333f1ca6fdbe7c",
            "6f2fc3c2a166fd8898967a83de9596d9",
            "842d21fd950311c0dd464a3f4be8d6da88a56d559c9b47d3f9a85067af661559b8",
        ),
        (
            "a1bb61e805f9ba6dde8fdbddc05cdea0",
            "a5b4a71e077aeef93c8763c18fdb1f10",
            "619ff072e36286ff0a28deb3a352ec0d0edf5c5160d663c901758ccf9d1ed33d71db8f23aabf8348a0",
        ),
        (
            "2ca27a5faf5532244506434e1cef6676",
            "19fee40d810c524b5b22f01874c693da",
            "b8eca3167ae6315512e59f98a7c500205e5f63ff3bb389af1c41a21d640d8615c9ed3fbeb05ab6acb67689b5ea",
        ),
        (
            "7824f8c16f83ff354c6bf7515b973f43",
            "ca7a7ab4be192dabd603506db19c39e2",
            "a26a3905a4ffd5816b7b1e27380d08090c8ec1f304496e1abdcd2bdcd1dffc660989e117a713ddbb57a4146c1587cba4356665591d2240282f5842b105a5",
        ),
    ];
    let long = [
        (
            "b61c86cc4e5d2757545ad423399fb7031ecab913cbb900bd7a3c6dd8bf92015b",
            "3cbbd2b45917941067f96599bb98926c",
            "03886d03310b47a6d8f06d7b94d1dd837ecce315ef652aff620859d94a259266",
        ),
        (
            "1b97fe0a190e2021eb30753e1b6e1e77b0754b1d684610355864104963463833",
            "def487fcebe6de6346d4da4521bba2d2",
            "2c9c1570133c99bf6a34bc1b0212002fd194338749db4135497a347cfcd9d18a12",
        ),
        (
            "32164c5b434d1d1538e4cfd9be8040fe8c4ac7acc4b93d3314d2133668147a05",
            "ad4ff904d34e555384b14100fc465f88",
            "9c6de75f812de7ed0d28b2963557a115640998275b0af5152709913ff52a2a9c8e63b872f92e64c839",
        ),
        (
            "b038b132cd8e06612267fab7170066d88aeccba0b744bfc60dc89bca182d0715",
            "cf9bca6df1144e0c0af9b8f34c90d514",
            "eeec85a9813cdc536772ab9b42defc5706f726e975dde05a87eb5406ea324ca185c9986b42aabe794b84821bee",
        ),
        (
            "ccfcd349bf4c6677e86e4b02b8eab924a546ac731cf9bf6989b996e7d6bfbba7",
            "644def38da35007275878d216855e228",
            "0e44680985855f2d1f1812529ca83bfd8e349de6fd9ada0baaa048d68e265febf34ad1255a344999ad37146887a6c6845731ac7f46376a0504cd06571474",
        ),
    ];
    for (enctype, rows) in [
        (Enctype::Camellia128CtsCmac, short),
        (Enctype::Camellia256CtsCmac, long),
    ] {
        for ((usage, plaintext), (secret, confounder, ciphertext)) in
            (0..).zip(PLAINTEXTS).zip(rows)
        {
            check(
                enctype,
                secret,
                usage,
                Some(confounder),
                plaintext,
                ciphertext,
            );
        }
    }
}

#[test]
fn aes_sha2_messages_match_rfc_8009_appendix_a() {
    let plaintext = hex("000102030405060708090a0b0c0d0e0f1011121314");
    for (len, confounder, ciphertext) in [
        (
            0,
            "7e5895eaf2672435bad817f545a37148",
            "ef85fb890bb8472f4dab20394dca781dad877eda39d50c870c0d5a0a8e48c718",
        ),
        (
            6,
            "7bca285e2fd4130fb55b1a5c83bc5b24",
            "84d7f30754ed987bab0bf3506beb09cfb55402cef7e6877ce99e247e52d16ed4421dfdf8976c",
        ),
        (
            16,
            "56ab21713ff62c0a1457200f6fa9948f",
            "3517d640f50ddc8ad3628722b3569d2ae07493fa8263254080ea65c1008e8fc295fb4852e7d83e1e7c48c37eebe6b0d3",
        ),
        (
            21,
            "a7a4e29a4728ce10664fb64e49ad3fac",
            "720f73b18d9859cd6ccb4346115cd336c70f58edc0c4437c5573544c31c813bce1e6d072c186b39a413c2f92ca9b8334a287ffcbfc",
        ),
    ] {
        check(
            Enctype::Aes128CtsHmacSha256_128,
            "3705d96080c17728a0e800eab6e0d23c",
            2,
            Some(confounder),
            &plaintext[..len],
            ciphertext,
        );
    }
    for (len, confounder, ciphertext) in [
        (
            0,
            "f764e9fa15c276478b2c7d0c4e5f58e4",
            "41f53fa5bfe7026d91faf9be959195a058707273a96a40f0a01960621ac612748b9bbfbe7eb4ce3c",
        ),
        (
            6,
            "b80d3251c1f6471494256ffe712d0b9a",
            "4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f2",
        ),
        (
            16,
            "53bf8a0d105265d4e276428624ce5e63",
            "bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f68cf51f14d798c2273f35df574d1f932e40c4ff255b36a266",
        ),
        (
            21,
            "763e65367e864f02f55153c7e3b58af1",
            "40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2b2a602ac86fef6ecb647d6295fae077a1feb517508d2c16b4192e01f62",
        ),
    ] {
        check(
            Enctype::Aes256CtsHmacSha384_192,
            "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52",
            2,
            Some(confounder),
            &plaintext[..len],
            ciphertext,
        );
    }
}
