//! A token as people have it at hand.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

use crate::failure::Failure;

/// The token in hexadecimal (with or without separators), in base64, in an HTTP header, or as it
/// is.
pub(super) fn decode(input: &[u8]) -> Result<Vec<u8>, Failure> {
    let Some(text) = core::str::from_utf8(input)
        .ok()
        .filter(|text| is_printable(text))
    else {
        return Ok(input.to_vec());
    };
    let text = strip_header(text.trim());
    if text.is_empty() {
        return Err(Failure::usage(
            "there is no token; give it as an argument or on standard input (a header with the \
             word Negotiate or NTLM alone, as servers send it first, carries none)",
        ));
    }
    let digits = hexadecimal_digits(text);
    // Base64 could be made of such digits alone, but a token in it never is: it begins with a Y, or
    // with NTLM with a T.
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit) {
        return HEXLOWER_PERMISSIVE.decode(&digits).map_err(|_| {
            Failure::usage("the number of hexadecimal digits is odd; was the token cut short?")
        });
    }
    base64(text).ok_or_else(|| {
        Failure::usage(
            "this is neither hexadecimal nor base64 nor an HTTP header with Negotiate or NTLM; was \
             it cut short?",
        )
    })
}

fn is_printable(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() || c.is_ascii_whitespace())
}

/// `Authorization: Negotiate YII...` and `WWW-Authenticate: Negotiate oYG...` (RFC 4559 §4), and
/// the same with `NTLM` (MS-NTHT §2.2.1, §2.2.2).
fn strip_header(text: &str) -> &str {
    for scheme in ["negotiate", "kerberos", "ntlm"] {
        let found = text.char_indices().find(|(at, _)| {
            let begins = text.get(..*at).is_some_and(|before| {
                before.is_empty() || before.ends_with(|c: char| c == ':' || c.is_whitespace())
            });
            begins
                && text
                    .get(*at..)
                    .and_then(|s| s.get(..scheme.len()))
                    .is_some_and(|s| s.eq_ignore_ascii_case(scheme))
        });
        if let Some((at, _)) = found
            && let Some(rest) = text.get(at.saturating_add(scheme.len())..)
            && (rest.is_empty() || rest.starts_with(char::is_whitespace))
        {
            return rest.trim();
        }
    }
    text
}

/// The text without what people put between digits.
fn hexadecimal_digits(text: &str) -> Vec<u8> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    text.bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b':' | b'-' | b','))
        .collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
        .iter()
        .find_map(|encoding| encoding.decode(&text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_of_one_token_is_the_same_token() {
        let token = [0x60, 0x03, 0xfb, 0xff, 0x00];
        for notation in [
            "6003fbff00",
            "60:03:FB:FF:00",
            "0x6003fbff00\n",
            "60 03\nfb ff 00",
            "YAP7/wA=",
            "YAP7/wA",
            "YAP7_wA",
            "Negotiate YAP7/wA=",
            "authorization: NEGOTIATE YAP7/wA=\r\n",
            "WWW-Authenticate: Negotiate YAP7/wA=",
            "Authorization: NTLM YAP7/wA=",
        ] {
            assert_eq!(decode(notation.as_bytes()).unwrap(), token, "{notation:?}");
        }
        assert_eq!(decode(&token).unwrap(), token, "as it is");
    }

    #[test]
    fn a_scheme_is_a_word_and_no_part_of_a_token() {
        // Base64 over two lines, the first of which ends like a scheme.
        let token = decode(b"YAPntlm\nYAPntlmA").unwrap();
        assert_eq!(token.len(), 11);
        assert_eq!(decode(b"ntlm YAP7/wA=").unwrap().len(), 5);
    }

    #[test]
    fn text_that_is_no_token_is_refused_with_advice() {
        for text in [
            "",
            "  \n",
            "WWW-Authenticate: Negotiate",
            "WWW-Authenticate: NTLM",
            "hello, world",
            "60 0",
            "::",
            "Basic dXNlcjpwYXNz",
        ] {
            assert!(decode(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
