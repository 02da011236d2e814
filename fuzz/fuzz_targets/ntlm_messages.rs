//! NTLM, MS-NLMP §2.2: the three messages in every layout, lists of AV_PAIR, responses and
//! signatures. What is read lies in the input, and is written and read back the same.
#![no_main]

use countersign_token::ntlm::{
    AuthenticateMessage, AvPairs, AvPairsBuilder, ChallengeMessage, Charset, MessageSignature,
    MessageSignatureV1, MessageType, NegotiateMessage, NtlmV2Response, SingleHostData, Text,
    encode_client_challenge,
};
use libfuzzer_sys::fuzz_target;

/// That `part` is a piece of `data`, or of nothing.
fn inside(data: &[u8], part: &[u8]) {
    let (whole, part) = (data.as_ptr_range(), part.as_ptr_range());
    assert!(part.is_empty() || (whole.start <= part.start && part.end <= whole.end));
}

/// Encodes `$read`, which must give a message of the same meaning and a stable encoding.
macro_rules! again {
    ($kind:ident, $read:expr) => {{
        let encoded = $read.to_bytes().expect("what was read fits");
        assert_eq!($kind::parse(&encoded), Ok($read));
        assert_eq!(
            $kind::parse(&encoded).and_then(|m| m.to_bytes()),
            Ok(encoded)
        );
    }};
}

fn text(data: &[u8], text: Text<'_>) {
    inside(data, text.bytes());
    let shown = text.to_string();
    assert_eq!(shown.chars().count(), text.chars().count());
    let encoded = text.charset().encode(&shown);
    assert!(text.charset() == Charset::Oem || encoded.as_deref() == Some(text.bytes()));
}

fn pairs(data: &[u8], list: AvPairs<'_>) {
    inside(data, list.as_bytes());
    let mut builder = AvPairsBuilder::with_capacity(list.as_bytes().len());
    for pair in list {
        inside(data, pair.value);
        assert_eq!(list.find(pair.id), Some(pair.value));
        builder.push(pair.id, pair.value).expect("what was read");
    }
    assert_eq!(builder.finish(), list.as_bytes());
    let _ = (
        list.flags(),
        list.timestamp(),
        list.channel_bindings(),
        list.single_host(),
    );
    for name in [
        list.target_name(),
        list.nb_computer(),
        list.nb_domain(),
        list.dns_computer(),
        list.dns_domain(),
        list.dns_tree(),
    ] {
        name.into_iter().for_each(|name| text(data, name));
    }
}

fn response(data: &[u8], bytes: &[u8]) {
    if let Ok(read) = NtlmV2Response::parse(bytes) {
        assert_eq!([&read.proof[..], read.blob].concat(), bytes);
        pairs(data, read.av_pairs);
        let av_pairs = read.av_pairs.as_bytes();
        let blob = encode_client_challenge(read.timestamp, read.client_challenge, av_pairs, 4);
        let encoded = [&read.proof[..], &blob].concat();
        let again = NtlmV2Response::parse(&encoded).expect("own response");
        assert_eq!(again.client_challenge, read.client_challenge);
        assert_eq!(
            (again.timestamp, again.av_pairs),
            (read.timestamp, read.av_pairs)
        );
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(read) = NegotiateMessage::parse(data) {
        assert_eq!(MessageType::of(data), Ok(MessageType::Negotiate));
        text(data, read.domain);
        text(data, read.workstation);
        again!(NegotiateMessage, read);
    }
    if let Ok(read) = ChallengeMessage::parse(data) {
        assert_eq!(MessageType::of(data), Ok(MessageType::Challenge));
        text(data, read.target_name);
        read.target_info
            .into_iter()
            .for_each(|list| pairs(data, list));
        again!(ChallengeMessage, read);
    }
    if let Ok(read) = AuthenticateMessage::parse(data) {
        assert_eq!(MessageType::of(data), Ok(MessageType::Authenticate));
        for name in [read.domain, read.user, read.workstation] {
            text(data, name);
        }
        for part in [
            read.lm_response,
            read.nt_response,
            read.encrypted_session_key,
        ] {
            inside(data, part);
        }
        if let Some(mic) = read.mic {
            let place = AuthenticateMessage::MIC_OFFSET;
            assert_eq!(mic, data[place..place + AuthenticateMessage::MIC_LEN]);
        }
        response(data, read.nt_response);
        again!(AuthenticateMessage, read);
    }
    response(data, data);
    if let Ok((list, rest)) = AvPairs::parse_prefix(data) {
        assert_eq!([list.as_bytes(), rest].concat(), data);
        assert_eq!(AvPairs::parse(data).is_ok(), rest.is_empty());
        pairs(data, list);
    }
    if let Ok(signature) = MessageSignature::parse(data) {
        assert_eq!(signature.to_bytes(), data);
        let old = MessageSignatureV1::parse(data).expect("of the same length and version");
        assert_eq!(old.to_bytes(), data);
    }
    if let Ok(host) = SingleHostData::parse(data) {
        assert_eq!(SingleHostData::parse(&host.to_bytes()), Ok(host));
    }
    for charset in [Charset::Oem, Charset::Unicode] {
        if let Ok(name) = Text::parse(data, charset) {
            text(data, name);
        }
    }
});
