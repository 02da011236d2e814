//! Every layout in use: how long the fixed part is, and where the fields lie.

use countersign_token::DecodeErrorKind;
use countersign_token::ntlm::*;

use crate::common::ntlm::{VERSION, authenticate, challenge, negotiate, round, utf16};

/// A message of any type: its fixed part, in which `fields` are descriptors by their place, and a
/// payload in which the fields lie at the offsets given.
fn layout(message_type: u8, fixed: &[(usize, &[u8])], fields: &[(usize, usize, &[u8])]) -> Vec<u8> {
    let mut token = b"NTLMSSP\0".to_vec();
    token.extend([message_type, 0, 0, 0]);
    let mut put = |at: usize, bytes: &[u8]| {
        token.resize(token.len().max(at + bytes.len()), 0);
        token[at..at + bytes.len()].copy_from_slice(bytes);
    };
    for (at, bytes) in fixed {
        put(*at, bytes);
    }
    for (at, offset, bytes) in fields {
        let length = u16::try_from(bytes.len()).unwrap().to_le_bytes();
        let offset_bytes = u32::try_from(*offset).unwrap().to_le_bytes();
        put(*at, &[&length[..], &[0xff, 0xff], &offset_bytes].concat());
        put(*offset, bytes);
    }
    token
}

const OEM: &[u8] = &[2, 0, 0, 0];
/// UNICODE and VERSION.
const UNICODE_VERSION: &[u8] = &[1, 0, 0, 2];

#[test]
fn negotiate_is_read_with_16_32_and_40_bytes() {
    let bare = layout(1, &[(12, &[7, 0x82, 8, 2])], &[]);
    assert_eq!(bare.len(), 16);
    let message = NegotiateMessage::parse(&bare).unwrap();
    assert_eq!((message.flags.0, message.version), (0x0208_8207, None));
    assert!(message.domain.is_empty() && message.workstation.is_empty());
    for cut in 17..32 {
        let error = NegotiateMessage::parse(&[&bare[..], &[0; 16]].concat()[..cut]).unwrap_err();
        assert!(matches!(error.kind(), DecodeErrorKind::Truncated { .. }));
    }

    // curl: the version flag may be set, the offsets are zero or behind the fixed part.
    for offset in [0, 32] {
        let place = [0, 0, 0, 0, offset, 0, 0, 0];
        let curl = layout(
            1,
            &[(12, &[6, 0x82, 8, 2]), (16, &place), (24, &place)],
            &[],
        );
        assert_eq!(curl.len(), 32);
        let message = NegotiateMessage::parse(&curl).unwrap();
        assert_eq!((message.version, message.domain.bytes()), (None, &b""[..]));
    }

    let version = VERSION.to_bytes();
    let windows = layout(1, &[(12, UNICODE_VERSION), (32, &version)], &[]);
    assert_eq!(windows.len(), 40);
    assert_eq!(
        NegotiateMessage::parse(&windows).unwrap().version,
        Some(VERSION)
    );
    // MS-NLMP §2.2.1.1: without the flag those bytes say nothing.
    let silent = layout(1, &[(12, OEM), (32, &version)], &[]);
    assert_eq!(NegotiateMessage::parse(&silent).unwrap().version, None);
}

/// MS-NLMP §2.2.2.5, flags K and L.
#[test]
fn names_of_a_negotiate_are_read_whether_or_not_the_flags_say_so() {
    let version = VERSION.to_bytes();
    for flags in [&[2, 0x30, 0, 0], OEM] {
        let old = layout(1, &[(12, flags)], &[(16, 34, b"DOM"), (24, 32, b"PC")]);
        let new = layout(
            1,
            &[(12, &[flags[0], flags[1], 0, 2]), (32, &version)],
            &[(16, 40, b"DOM"), (24, 43, b"PC")],
        );
        for (token, version) in [(old, None), (new, Some(VERSION))] {
            let message = NegotiateMessage::parse(&token).unwrap();
            assert!(message.domain == "DOM" && message.workstation == "PC");
            assert_eq!(message.domain.charset(), Charset::Oem);
            assert_eq!(message.version, version);
            assert_eq!(round(&round(&token).unwrap()), round(&token));
        }
    }
    // A name in the version's place leaves no version, whatever the flag says.
    let token = layout(1, &[(12, UNICODE_VERSION)], &[(24, 32, b"WORKSTATION")]);
    let message = NegotiateMessage::parse(&token).unwrap();
    assert!(message.workstation == "WORKSTATION" && message.version.is_none());
}

#[test]
fn challenge_is_read_with_32_40_48_and_56_bytes_before_the_payload() {
    let name = utf16("SRV");
    let info = b"\x02\0\x02\0D\0\0\0\0\0";
    let nonce: (usize, &[u8]) = (24, b"nonce...");
    let unicode: (usize, &[u8]) = (20, &[1, 0, 0, 0]);
    let with_info: (usize, &[u8]) = (20, &[1, 0, 0x80, 0]);
    let everything: (usize, &[u8]) = (20, &[1, 0, 0x80, 2]);
    let version = VERSION.to_bytes();
    for (token, has_info, version) in [
        (layout(2, &[unicode, nonce], &[]), false, None),
        (
            layout(2, &[unicode, nonce], &[(12, 32, &name)]),
            false,
            None,
        ),
        // The flags promise what has no place.
        (
            layout(2, &[everything, nonce], &[(12, 32, &name)]),
            false,
            None,
        ),
        (
            layout(2, &[everything, nonce], &[(12, 40, &name)]),
            false,
            None,
        ),
        (
            layout(2, &[with_info, nonce], &[(12, 48, &name), (40, 54, info)]),
            true,
            None,
        ),
        (
            layout(2, &[everything, nonce], &[(40, 48, info)]),
            true,
            None,
        ),
        (
            layout(
                2,
                &[everything, nonce, (48, &version)],
                &[(12, 66, &name), (40, 56, info)],
            ),
            true,
            Some(VERSION),
        ),
    ] {
        let message = ChallengeMessage::parse(&token).unwrap();
        assert_eq!(&message.server_challenge, b"nonce...");
        assert!(message.target_name.is_empty() || message.target_name == "SRV");
        assert_eq!(message.target_info.is_some(), has_info);
        assert_eq!(message.version, version);
        let encoded = message.to_bytes().unwrap();
        assert_eq!(ChallengeMessage::parse(&encoded), Ok(message));
    }
    let shortest = layout(2, &[unicode, nonce], &[]);
    assert_eq!(shortest.len(), 32);
    for end in 0..32 {
        assert!(ChallengeMessage::parse(&shortest[..end]).is_err());
    }
}

/// MS-NLMP §2.2.1.2: what is not announced must be ignored.
#[test]
fn target_information_that_the_flags_do_not_announce_is_ignored_whatever_it_is() {
    let garbage: (usize, &[u8]) = (40, &[9, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff]);
    let announced = layout(2, &[(20, &[1, 0, 0x80, 0]), garbage], &[]);
    let error = ChallengeMessage::parse(&announced).unwrap_err();
    assert_eq!(
        (error.offset(), error.kind()),
        (40, DecodeErrorKind::OutOfBounds)
    );
    let silent = layout(2, &[(20, &[1, 0, 0, 0]), garbage], &[]);
    assert_eq!(ChallengeMessage::parse(&silent).unwrap().target_info, None);
    // Announced and empty is absent: a list has at least its end.
    let empty = layout(2, &[(20, &[1, 0, 0x80, 0]), (47, &[0])], &[]);
    assert_eq!(ChallengeMessage::parse(&empty).unwrap().target_info, None);
}

#[test]
fn authenticate_is_read_with_52_64_72_and_88_bytes_before_the_payload() {
    let (user, oem) = (utf16("user"), &b"user"[..]);
    let version = VERSION.to_bytes();
    let flags: (usize, &[u8]) = (60, UNICODE_VERSION);
    let (key, mic) = ([0x5e; 16], [0x3c; 16]);
    // 52: neither session key nor flags, so that the name is read as OEM.
    let token = layout(3, &[], &[(36, 52, oem)]);
    let message = AuthenticateMessage::parse(&token).unwrap();
    assert!(message.user == "user" && message.flags.is_empty());
    assert_eq!(
        (message.encrypted_session_key, message.mic),
        (&b""[..], None)
    );
    let again = message.to_bytes().unwrap();
    assert_eq!(AuthenticateMessage::parse(&again), Ok(message));

    for (fixed, version_read, mic_read) in [
        (64, None, None),
        (72, Some(VERSION), None),
        (80, Some(VERSION), None),
        (88, Some(VERSION), Some(mic)),
        (96, Some(VERSION), Some(mic)),
    ] {
        let parts: [(usize, &[u8]); 3] = [flags, (64, &version), (72, &mic)];
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|(at, bytes)| at + bytes.len() <= fixed)
            .collect();
        let token = layout(3, &parts, &[(36, fixed + 16, &user), (52, fixed, &key)]);
        let message = AuthenticateMessage::parse(&token).unwrap();
        assert!(message.user == "user");
        assert_eq!(message.encrypted_session_key, key);
        assert_eq!((message.version, message.mic), (version_read, mic_read));
        let again = message.to_bytes().unwrap();
        assert_eq!(AuthenticateMessage::parse(&again), Ok(message));
    }
}

/// MS-NLMP §2.2.1.3: the version's place is zeroed and stays.
#[test]
fn a_mic_without_a_version_stands_where_a_mic_stands() {
    let token = authenticate();
    let message = AuthenticateMessage {
        version: None,
        mic: Some([0; 16]),
        flags: NegotiateFlags::NEGOTIATE_UNICODE,
        ..AuthenticateMessage::parse(&token).unwrap()
    };
    let encoded = message.to_bytes().unwrap();
    assert_eq!(encoded.len(), token.len());
    assert_eq!(encoded[64..88], [0; 24]);
    assert_eq!(AuthenticateMessage::parse(&encoded), Ok(message));
}

/// MS-NLMP §2.2.1.3: "in any order within the Payload field, with variable-length padding".
#[test]
fn fields_in_any_order_overlapping_and_padded_are_read() {
    let key = [0x5e; 16];
    let flags: (usize, &[u8]) = (60, OEM);
    let token = layout(
        3,
        &[flags],
        &[
            (12, 104, &[1; 24]),
            (20, 80, &[2; 24]),
            (28, 67, b"SAME"),
            (36, 67, b"SAME"),
            (44, 68, b"AME"),
            (52, 128, &key),
            // Behind the last field.
            (20, 80, &[2; 24]),
        ],
    );
    let token = [&token[..], b"padding"].concat();
    let message = AuthenticateMessage::parse(&token).unwrap();
    assert!(message.domain == "SAME" && message.user == "SAME" && message.workstation == "AME");
    assert_eq!(
        (message.lm_response, message.nt_response),
        (&[1; 24][..], &[2; 24][..])
    );
    // Written, each has bytes of its own.
    let again = message.to_bytes().unwrap();
    assert_eq!(AuthenticateMessage::parse(&again), Ok(message));
    assert_eq!(again.len(), 64 + 4 + 4 + 3 + 24 + 24 + 16);
}

/// CVE-2023-25563: a sum of offset and length that wraps.
#[test]
fn a_field_outside_the_payload_is_refused_at_every_boundary() {
    for (message_type, token, descriptors, least) in [
        (1, negotiate(), &[(16, 32), (24, 32)][..], 32),
        (2, challenge(), &[(12, 32), (40, 48)], 32),
        (
            3,
            authenticate(),
            &[(12, 52), (20, 52), (28, 52), (36, 52), (44, 52), (52, 64)],
            52,
        ),
    ] {
        assert!(round(&token).is_ok());
        let end = u32::try_from(token.len()).unwrap();
        for (at, fixed) in descriptors {
            assert!(*fixed >= least, "type {message_type}");
            for (length, offset) in [
                (16_u16, 0xffff_fff0_u32),
                (15, 0xffff_fff0),
                (1, u32::MAX),
                (u16::MAX, u32::MAX),
                (u16::MAX, 0x7fff_ffff),
                (1, 0x8000_0000),
                (1, end),
                (2, end - 1),
                (u16::MAX, 100),
                (1, 0),
                (4, fixed - 1),
            ] {
                let mut changed = token.clone();
                changed[*at..at + 2].copy_from_slice(&length.to_le_bytes());
                changed[at + 4..at + 8].copy_from_slice(&offset.to_le_bytes());
                let error = round(&changed).unwrap_err();
                let expected = (*at, DecodeErrorKind::OutOfBounds);
                assert_eq!(
                    (error.offset(), error.kind()),
                    expected,
                    "{length} at {offset:#x}"
                );
            }
            // The control: of an empty field the offset says nothing.
            let mut changed = token.clone();
            changed[*at..at + 8].copy_from_slice(&[0, 0, 9, 9, 0xf0, 0xff, 0xff, 0xff]);
            assert!(round(&changed).is_ok(), "type {message_type}, field {at}");
        }
    }
}

#[test]
fn a_name_that_is_malformed_utf16_is_refused_where_it_stands() {
    let flags: (usize, &[u8]) = (60, UNICODE_VERSION);
    for at in [28, 36, 44] {
        let good = layout(3, &[flags], &[(at, 72, b"\x3d\xd8\x00\xdc")]);
        assert!(AuthenticateMessage::parse(&good).is_ok());
        for bad in [&b"\x3d\xd8\x00"[..], b"\x3d\xd8", b"\x00\xdc"] {
            let token = layout(3, &[flags], &[(at, 72, bad)]);
            let error = AuthenticateMessage::parse(&token).unwrap_err();
            assert_eq!(
                (error.offset(), error.kind()),
                (72, DecodeErrorKind::MalformedUtf16)
            );
            // The same bytes are text in OEM.
            let oem = layout(3, &[(60, OEM)], &[(at, 72, bad)]);
            assert!(AuthenticateMessage::parse(&oem).is_ok());
        }
    }
    let token = layout(2, &[(20, &[1, 0, 0, 0])], &[(12, 48, b"odd")]);
    let error = ChallengeMessage::parse(&token).unwrap_err();
    assert_eq!(
        (error.offset(), error.kind()),
        (48, DecodeErrorKind::MalformedUtf16)
    );
}

#[test]
fn a_value_that_no_length_can_say_is_not_written() {
    let limit = usize::from(u16::MAX);
    let longest = vec![b'x'; limit];
    let longer = vec![b'x'; limit + 1];
    for (bytes, fits) in [(&longest, true), (&longer, false)] {
        let name = Text::parse(bytes, Charset::Oem).unwrap();
        let negotiate = NegotiateMessage {
            flags: NegotiateFlags::NEGOTIATE_OEM,
            domain: Text::empty(Charset::Oem),
            workstation: name,
            version: None,
        };
        let challenge = ChallengeMessage {
            flags: NegotiateFlags::NEGOTIATE_OEM,
            target_name: name,
            server_challenge: [0; 8],
            target_info: None,
            version: None,
        };
        let authenticate = AuthenticateMessage {
            flags: NegotiateFlags::NEGOTIATE_OEM,
            lm_response: &[],
            nt_response: bytes,
            domain: name,
            user: name,
            workstation: name,
            encrypted_session_key: bytes,
            version: None,
            mic: None,
        };
        for (encoded, at) in [
            (negotiate.to_bytes(), 24),
            (challenge.to_bytes(), 12),
            (authenticate.to_bytes(), 28),
        ] {
            match encoded {
                Ok(token) => assert!(fits && round(&token).as_deref() == Ok(&token[..])),
                Err(error) => {
                    assert!(!fits);
                    let kind = DecodeErrorKind::ValueTooLong { limit };
                    assert_eq!((error.offset(), error.kind()), (at, kind));
                }
            }
        }
    }
}
