//! `Debug` of what holds keys, ciphertext or responses shows none of their bytes.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod common;

use countersign_token::der::{Decode, Encode, SequenceOf};
use countersign_token::kerberos::*;
use countersign_token::ntlm::{AuthenticateMessage, AvId, AvPairsBuilder, NtlmV2Response};

/// Octets that the samples repeat in keys, in ciphertext and in the proof of a response.
const HIDDEN: [u8; 3] = [0x5a, 0xe1, 0x9f];

/// What `Debug` says of a value, which says nothing of the hidden octets of `sample`.
fn shown(sample: &[u8], value: &dyn core::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let there = |octet: &u8| sample.windows(8).any(|bytes| bytes == [*octet; 8]);
    assert!(HIDDEN.iter().any(there), "the sample hides something");
    for octet in HIDDEN {
        // Bytes are printed as a list of decimal numbers.
        assert!(!text.contains(&format!("{octet}, {octet}")), "{text}");
    }
    text
}

macro_rules! shown {
    ($sample:expr, $kind:ty) => {{
        let sample = $sample;
        shown(&sample, &<$kind>::from_der(&sample).unwrap())
    }};
}

#[test]
fn encrypted_parts_are_printed_without_their_keys() {
    for text in [
        shown!(common::enc_ticket_part(), EncTicketPart<'_>),
        shown!(common::authenticator(), Authenticator<'_>),
        shown!(common::enc_ap_rep_part(), EncApRepPart<'_>),
        shown!(common::enc_as_rep_part(), EncAsRepPart<'_>),
        shown!(common::enc_tgs_rep_part(), EncTgsRepPart<'_>),
        shown!(common::enc_krb_cred_part(), EncKrbCredPart<'_>),
        shown!(common::extensions::krb_fast_response(), KrbFastResponse<'_>),
    ] {
        assert!(text.contains("EncryptionKey { keytype: 18, .. }"), "{text}");
    }
}

#[test]
fn messages_are_printed_with_the_lengths_of_their_ciphertexts() {
    for text in [
        shown!(common::ticket(), Ticket<'_>),
        shown!(common::ap_req(), ApReq<'_>),
        shown!(common::ap_rep(), ApRep<'_>),
        shown!(common::as_rep(), AsRep<'_>),
        shown!(common::tgs_rep(), TgsRep<'_>),
        shown!(common::krb_cred(), KrbCred<'_>),
        shown!(common::krb_priv(), KrbPriv<'_>),
    ] {
        assert!(text.contains("cipher: 200 bytes"), "{text}");
    }
    // A TGS-REQ has its ticket in its pre-authentication data.
    let request = common::ap_req();
    let padata = [PaData {
        padata_type: PaData::TGS_REQ,
        padata_value: &request,
    }];
    let padata = SequenceOf::new(&padata).to_der();
    let text = shown!(padata, MethodData<'_>);
    let length = request.len();
    let expected = format!("[PaData {{ padata_type: 1, padata_value: {length} bytes }}]");
    assert_eq!(text, expected);
}

/// The field of a GSS-API authenticator holds a KRB-CRED, of which some peers leave the part with
/// the keys unencrypted.
#[test]
fn a_delegated_credential_is_printed_by_its_length() {
    let (field, credential) = (common::gss_checksum(), common::krb_cred());
    let checksum = GssChecksum::parse(&field).unwrap();
    let text = shown(&field, &checksum);
    let length = format!("delegation_length: Some({})", credential.len());
    assert!(text.contains(&length), "{text}");
    assert!(text.contains("flags: GssFlags(0xb DELEG MUTUAL SEQUENCE)"));
    let text = shown(
        &field,
        &Checksum {
            cksumtype: GssChecksum::TYPE,
            checksum: &field,
        },
    );
    let length = format!("checksum: {} bytes", field.len());
    assert!(text.contains(&length), "{text}");
}

#[test]
fn protected_text_and_passwords_are_not_printed() {
    let sample = common::enc_krb_priv_part();
    let text = format!("{:?}", EncKrbPrivPart::from_der(&sample).unwrap());
    // "mes" of "message".
    assert!(!text.contains("109, 101, 115"), "{text}");
    assert!(text.contains("seq_number: Some(1)"), "{text}");

    let sample = common::extensions::change_passwd_data();
    let text = format!("{:?}", ChangePasswdData::from_der(&sample).unwrap());
    // "pas" of "password".
    assert!(!text.contains("112, 97, 115"), "{text}");
    assert!(text.contains("\"EXAMPLE.COM\""), "{text}");
}

#[test]
fn an_authenticate_message_is_printed_without_its_responses_and_its_key() {
    let sample = common::ntlm::authenticate();
    let text = shown(&sample, &AuthenticateMessage::parse(&sample).unwrap());
    for part in [
        "NegotiateFlags(0x42000001 NEGOTIATE_UNICODE, VERSION, KEY_EXCH)",
        "lm_response_length: 24",
        "domain: \"EXAMPLE\", user: \"user\", workstation: \"PC\"",
        "session_key_length: 16",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let sample = common::ntlm::nt_response();
    let text = shown(&sample, &NtlmV2Response::parse(&sample).unwrap());
    assert!(text.contains("AvId(9 MsvAvTargetName)"), "{text}");
    let mut builder = AvPairsBuilder::new();
    builder.push(AvId(0x1234), b"x").unwrap();
    let expected = "[AvPair { id: AvId(4660 AvId 0x1234), value: [120] }]";
    assert_eq!(format!("{builder:?}"), expected);
}
