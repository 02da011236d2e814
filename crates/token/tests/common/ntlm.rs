//! NTLM: the examples of the specification, and a message of each kind with everything in it.

use countersign_token::ntlm::*;

/// The messages in `tests/files/ntlm.hex`, by name.
pub fn examples() -> Vec<(&'static str, Vec<u8>)> {
    let text = include_str!("../files/ntlm.hex");
    let (_, messages) = text.split_once("\n= ").unwrap();
    messages
        .split("\n= ")
        .map(|message| {
            let (name, hex) = message.split_once('\n').unwrap();
            let octets = hex.lines().flat_map(|line| line.as_bytes().chunks(2));
            let octets = octets.map(|pair| str::from_utf8(pair).unwrap());
            let octets = octets.map(|pair| u8::from_str_radix(pair, 16).unwrap());
            (name, octets.collect())
        })
        .collect()
}

pub fn example(name: &str) -> Vec<u8> {
    let mut examples = examples().into_iter();
    examples.find(|(found, _)| *found == name).unwrap().1
}

pub const VERSION: Version = Version {
    major: 10,
    minor: 0,
    build: 20348,
    revision: Version::REVISION_W2K3,
};

pub fn utf16(text: &str) -> Vec<u8> {
    Charset::Unicode.encode(text).unwrap()
}

pub fn negotiate() -> Vec<u8> {
    NegotiateMessage {
        flags: NegotiateFlags::NEGOTIATE_UNICODE
            | NegotiateFlags::NEGOTIATE_NTLM
            | NegotiateFlags::OEM_DOMAIN_SUPPLIED
            | NegotiateFlags::OEM_WORKSTATION_SUPPLIED
            | NegotiateFlags::VERSION,
        domain: Text::parse(b"EXAMPLE", Charset::Oem).unwrap(),
        workstation: Text::parse(b"PC", Charset::Oem).unwrap(),
        version: Some(VERSION),
    }
    .to_bytes()
    .unwrap()
}

/// A pair of every AvId and one of an unknown one, not in the order of their numbers.
pub fn av_pairs() -> Vec<u8> {
    let mut pairs = AvPairsBuilder::new();
    for (id, text) in [
        (AvId::NB_DOMAIN_NAME, "EXAMPLE"),
        (AvId::NB_COMPUTER_NAME, "SERVER"),
        (AvId::DNS_DOMAIN_NAME, "example.com"),
        (AvId::DNS_COMPUTER_NAME, "server.example.com"),
        (AvId::DNS_TREE_NAME, "example.com"),
        (AvId::TARGET_NAME, "HTTP/server.example.com"),
    ] {
        pairs.push_text(id, text).unwrap();
    }
    let host = SingleHostData {
        custom_data: &[1; 8],
        machine_id: &[0x4d; 32],
    };
    for (id, value) in [
        (AvId::TIMESTAMP, &TIMESTAMP.to_le_bytes()[..]),
        (AvId::FLAGS, &[2, 0, 0, 0]),
        (AvId::SINGLE_HOST, &host.to_bytes()),
        (AvId(0x1234), b"unknown"),
        (AvId::CHANNEL_BINDINGS, &[0xcb; 16]),
    ] {
        pairs.push(id, value).unwrap();
    }
    pairs.finish()
}

pub const TIMESTAMP: u64 = 0x01dc_1122_3344_5566;

pub fn challenge() -> Vec<u8> {
    let name = utf16("EXAMPLE");
    let pairs = av_pairs();
    ChallengeMessage {
        flags: NegotiateFlags::NEGOTIATE_UNICODE
            | NegotiateFlags::REQUEST_TARGET
            | NegotiateFlags::TARGET_INFO
            | NegotiateFlags::VERSION,
        target_name: Text::parse(&name, Charset::Unicode).unwrap(),
        server_challenge: [1, 2, 3, 4, 5, 6, 7, 8],
        target_info: Some(AvPairs::parse(&pairs).unwrap()),
        version: Some(VERSION),
    }
    .to_bytes()
    .unwrap()
}

pub fn nt_response() -> Vec<u8> {
    let blob = encode_client_challenge(TIMESTAMP, &[0xcc; 8], &av_pairs(), 4);
    [&[0x9f; 16][..], &blob].concat()
}

pub fn authenticate() -> Vec<u8> {
    let (domain, user, workstation) = (utf16("EXAMPLE"), utf16("user"), utf16("PC"));
    let nt_response = nt_response();
    let text = |bytes| Text::parse(bytes, Charset::Unicode).unwrap();
    AuthenticateMessage {
        flags: NegotiateFlags::NEGOTIATE_UNICODE
            | NegotiateFlags::KEY_EXCH
            | NegotiateFlags::VERSION,
        lm_response: &[0; 24],
        nt_response: &nt_response,
        domain: text(&domain),
        user: text(&user),
        workstation: text(&workstation),
        encrypted_session_key: &[0x5a; 16],
        version: Some(VERSION),
        mic: Some([0x3c; 16]),
    }
    .to_bytes()
    .unwrap()
}

/// The three messages.
pub fn samples() -> [(&'static str, Vec<u8>); 3] {
    [
        ("NEGOTIATE", negotiate()),
        ("CHALLENGE", challenge()),
        ("AUTHENTICATE", authenticate()),
    ]
}

/// Decodes a message of any of the three types and encodes it again.
pub fn round(token: &[u8]) -> Result<Vec<u8>, countersign_token::DecodeError> {
    match MessageType::of(token)? {
        MessageType::Negotiate => NegotiateMessage::parse(token)?.to_bytes(),
        MessageType::Challenge => ChallengeMessage::parse(token)?.to_bytes(),
        MessageType::Authenticate => AuthenticateMessage::parse(token)?.to_bytes(),
    }
}
