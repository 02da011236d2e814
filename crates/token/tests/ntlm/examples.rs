//! The messages of MS-NLMP §4.2, and an exchange of Windows.

use countersign_token::ntlm::*;

use crate::common::ntlm::{example, examples, negotiate, round, samples};

#[test]
fn every_example_encodes_to_its_very_bytes() {
    assert_eq!(examples().len(), 8);
    for (name, token) in examples().into_iter().chain(samples()) {
        assert_eq!(round(&token).as_deref(), Ok(&token[..]), "{name}");
    }
}

/// MS-NLMP §4.2.1, §4.2.4.
#[test]
fn the_example_of_version_2_says_what_the_specification_says() {
    let token = example("MS-NLMP 4.2.4.3 CHALLENGE");
    let challenge = ChallengeMessage::parse(&token).unwrap();
    assert!(challenge.target_name == "Server");
    assert_eq!(
        challenge.server_challenge,
        [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]
    );
    assert_eq!(challenge.flags.0, 0xe28a_8233);
    let info = challenge.target_info.unwrap();
    assert_eq!(
        info.iter().map(|pair| pair.id).collect::<Vec<_>>(),
        [AvId::NB_DOMAIN_NAME, AvId::NB_COMPUTER_NAME]
    );
    assert!(info.nb_domain().unwrap() == "Domain" && info.nb_computer().unwrap() == "Server");
    assert_eq!(
        challenge.version.unwrap().to_string(),
        "6.0.6000 (revision 15)"
    );

    let token = example("MS-NLMP 4.2.4.3 AUTHENTICATE");
    let message = AuthenticateMessage::parse(&token).unwrap();
    assert!(message.domain == "Domain" && message.user == "User");
    assert!(message.workstation == "COMPUTER");
    assert_eq!(message.lm_response.len(), 24);
    assert_eq!(message.encrypted_session_key[..4], [0xc5, 0xda, 0xd2, 0x54]);
    assert_eq!((message.mic, message.version.unwrap().build), (None, 2600));
    let response = NtlmV2Response::parse(message.nt_response).unwrap();
    assert_eq!(response.proof[..4], [0x68, 0xcd, 0x0a, 0xb8]);
    assert_eq!(response.client_challenge, &[0xaa; 8]);
    assert_eq!((response.timestamp, response.av_pairs), (0, info));
    // §4.2.4.1.3: `temp` ends with four bytes of zero behind the pairs.
    let blob = encode_client_challenge(0, &[0xaa; 8], info.as_bytes(), 4);
    assert_eq!(response.blob, blob);
}

/// MS-NLMP §4.2.2 and §4.2.3.
#[test]
fn the_examples_of_version_1_have_responses_of_24_bytes_and_no_target_information() {
    for (section, key) in [("4.2.2.3", 16), ("4.2.3.3", 0)] {
        let token = example(&format!("MS-NLMP {section} CHALLENGE"));
        let challenge = ChallengeMessage::parse(&token).unwrap();
        assert_eq!(challenge.target_info, None);
        let token = example(&format!("MS-NLMP {section} AUTHENTICATE"));
        let message = AuthenticateMessage::parse(&token).unwrap();
        assert_eq!(
            (message.lm_response.len(), message.nt_response.len()),
            (24, 24)
        );
        assert_eq!(message.encrypted_session_key.len(), key);
        assert!(NtlmV2Response::parse(message.nt_response).is_err());
    }
}

#[test]
fn an_exchange_of_windows_is_read_with_mic_bindings_and_single_host_data() {
    let token = example("Windows CHALLENGE");
    let challenge = ChallengeMessage::parse(&token).unwrap();
    let info = challenge.target_info.unwrap();
    assert!(info.dns_computer().unwrap() == "DC-ws2008r2.ws2008r2.local");
    assert!(info.dns_tree().unwrap() == "ws2008r2.local");
    assert_eq!((info.flags(), info.target_name()), (None, None));

    let token = example("Windows AUTHENTICATE");
    let message = AuthenticateMessage::parse(&token).unwrap();
    assert!(message.user == "Administrator" && message.domain == "WS2008R2");
    assert_eq!(message.encrypted_session_key, b"");
    let place = AuthenticateMessage::MIC_OFFSET;
    assert_eq!(
        message.mic.unwrap(),
        token[place..place + AuthenticateMessage::MIC_LEN]
    );
    let response = NtlmV2Response::parse(message.nt_response).unwrap();
    let pairs = response.av_pairs;
    assert_eq!(pairs.flags(), Some(AvFlags::MIC_PROVIDED));
    assert_eq!(pairs.timestamp(), Some(response.timestamp));
    assert_eq!(pairs.timestamp(), info.timestamp());
    assert_eq!(pairs.channel_bindings().unwrap()[..2], [0x65, 0x86]);
    assert!(pairs.target_name().unwrap() == "HTTP/dc-ws2008r2.ws2008r2.local");
    assert_eq!(pairs.single_host().unwrap().machine_id[..2], [0x4d, 0x6b]);
    // The acceptor's pairs come first, in their order.
    assert!(info.iter().zip(&pairs).all(|(theirs, ours)| theirs == ours));
}

#[test]
fn a_message_of_one_type_is_refused_where_another_must_be() {
    let token = negotiate();
    assert!(NegotiateMessage::parse(&token).is_ok());
    for error in [
        ChallengeMessage::parse(&token).unwrap_err(),
        AuthenticateMessage::parse(&token).unwrap_err(),
    ] {
        assert_eq!(error.offset(), 8);
        let text = error.to_string();
        assert!(text.ends_with(", found 1"), "{text}");
    }
    for (_, token) in &samples()[1..] {
        assert!(round(token).is_ok());
        assert!(NegotiateMessage::parse(token).is_err());
    }
}
