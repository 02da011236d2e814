//! Finds a secret in text, whichever way it got there.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding};

/// So much of a secret tells it from chance; what is printed may be cut off after it.
const HEAD: usize = 8;

/// Text that is searched.
pub(crate) struct Text {
    /// Runs of white space are one space: `{:#?}` puts each byte into a line of its own.
    exact: String,
    lower: String,
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        let exact = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = exact.to_lowercase();
        Self { exact, lower }
    }

    /// The forms in which the secret is there.
    pub(crate) fn forms_of(&self, secret: &[u8]) -> Vec<&'static str> {
        assert!(secret.len() >= HEAD, "too short to be told from chance");
        let exact = |(_, form): &(_, String)| self.exact.contains(form);
        let lower = |(_, form): &(_, String)| self.lower.contains(form);
        let exact = exact_forms(secret).into_iter().filter(exact);
        let lower = lists(&secret[..HEAD]).into_iter().filter(lower);
        exact.chain(lower).map(|(name, _)| name).collect()
    }
}

/// Forms whose letters' case counts.
fn exact_forms(secret: &[u8]) -> Vec<(&'static str, String)> {
    let lossy = String::from_utf8_lossy(secret).into_owned();
    let debug = format!("{lossy:?}");
    let mut forms = vec![
        (
            "raw",
            lossy.split_whitespace().collect::<Vec<_>>().join(" "),
        ),
        ("escaped as text", debug.trim_matches('"').to_owned()),
        ("escaped as bytes", secret.escape_ascii().to_string()),
    ];
    for (name, encoding) in [("base64", BASE64_NOPAD), ("base64url", BASE64URL_NOPAD)] {
        forms.extend((0..3).map(|shift| (name, base64(&encoding, secret, shift))));
    }
    forms
}

/// What is the same in base64 wherever the secret stands in what was encoded: `shift` bytes after a
/// multiple of three.
fn base64(encoding: &Encoding, secret: &[u8], shift: usize) -> String {
    let mut bytes = vec![0; shift];
    bytes.extend(secret);
    let whole = bytes.len() / 3 * 3;
    let text = encoding.encode(&bytes[..whole]);
    // Letters of which bits are of what stands before.
    text[[0, 2, 3][shift]..].to_owned()
}

/// Bytes one by one, in lower case.
fn lists(head: &[u8]) -> Vec<(&'static str, String)> {
    let each = |form: fn(&u8) -> String, between: &str| {
        let bytes: Vec<_> = head.iter().map(form).collect();
        bytes.join(between)
    };
    let decimal: fn(&u8) -> String = u8::to_string;
    let signed: fn(&u8) -> String = |byte| byte.cast_signed().to_string();
    let hex: fn(&u8) -> String = |byte| format!("{byte:02x}");
    let short: fn(&u8) -> String = |byte| format!("{byte:x}");
    let prefixed: fn(&u8) -> String = |byte| format!("0x{byte:02x}");
    let words = |reverse: bool| {
        let mut bytes = head.to_vec();
        if reverse {
            bytes.reverse();
        }
        let word = bytes
            .iter()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        word.to_string()
    };
    let mut lists = vec![
        ("hex", each(hex, "")),
        ("one big number", words(false)),
        ("one little number", words(true)),
    ];
    for between in [", ", " ", ",", ":", "-"] {
        lists.push(("decimal", each(decimal, between)));
        lists.push(("signed decimal", each(signed, between)));
        lists.push(("hex list", each(hex, between)));
        lists.push(("short hex list", each(short, between)));
        lists.push(("prefixed hex list", each(prefixed, between)));
    }
    lists
}

/// A secret as the program that leaked it might print it.
fn leaks(secret: &[u8]) -> Vec<(&'static str, String)> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let after = |shift: usize| {
        let mut bytes = vec![0x61; shift];
        bytes.extend(secret);
        bytes.push(0x62);
        bytes
    };
    let word = u64::from_be_bytes(*secret.first_chunk().unwrap());
    let mut leaks = vec![
        ("raw", String::from_utf8_lossy(secret).into_owned()),
        (
            "escaped as text",
            format!("{:?}", String::from_utf8_lossy(secret)),
        ),
        ("escaped as bytes", secret.escape_ascii().to_string()),
        ("hex", hex.to_uppercase()),
        ("hex", hex),
        (
            "hex",
            format!("{:02x}{:02X}…", secret[0], secret[1]) + &format!("{word:016x}"),
        ),
        ("decimal", format!("{secret:?}")),
        ("decimal", format!("{secret:#?}")),
        ("decimal", format!("{:?}", &secret[..HEAD])),
        (
            "signed decimal",
            format!(
                "{:?}",
                secret.iter().map(|b| b.cast_signed()).collect::<Vec<_>>()
            ),
        ),
        ("hex list", format!("{secret:02x?}")),
        ("short hex list", format!("{secret:#x?}").replace("0x", "")),
        (
            "prefixed hex list",
            format!("{secret:#04X?}").replace("0X", "0x"),
        ),
        ("one big number", format!("{word}")),
        ("one little number", format!("{}", word.swap_bytes())),
    ];
    for shift in 0..3 {
        leaks.push(("base64", BASE64_NOPAD.encode(&after(shift))));
        leaks.push(("base64url", BASE64URL_NOPAD.encode(&after(shift))));
    }
    leaks
}

#[test]
fn a_planted_secret_is_found_in_every_form() {
    let key: Vec<u8> = (0..32_u8).map(|n| n.wrapping_mul(0x4f) ^ 0xa5).collect();
    let utf16: Vec<u8> = "open sesame"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let secrets: [&[u8]; 4] = [&key, &key[..16], b"open sesame", &utf16];
    for secret in secrets {
        for (form, leak) in leaks(secret) {
            let text = Text::new(&format!("before {leak} after"));
            let found = text.forms_of(secret);
            assert!(
                found.contains(&form),
                "{form} of {secret:?} in {leak}: {found:?}"
            );
        }
        // What is not the secret is not taken for it.
        let mut other = secret.to_vec();
        other[3] ^= 1;
        for (_, leak) in leaks(&other) {
            let found = Text::new(&leak).forms_of(secret);
            assert_eq!(found, Vec::<&str>::new(), "{secret:?} in {leak}");
        }
    }
}
