//! The examples of MS-NLMP §4.2.4 through both sides of the engine.

use countersign_context::crypto::ntlm::{NtHash, SessionKey};
use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator, Logon};
use countersign_context::token::ntlm::{
    AuthenticateMessage, AvId, AvPairs, ChallengeMessage, NtlmV2Response,
};
use countersign_context::{
    Answer, Environment, Flags, Mechanism, Need, SecurityContext, Step, Timestamp,
};

use crate::forger::{BASE, F, Forger};
use crate::support::*;

/// The time of the examples is 0, which is the year 1601.
pub(crate) const THEN: Timestamp = Timestamp::from_unix(-11_644_473_600);

pub(crate) const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
/// `ClientChallenge` and `RandomSessionKey` of §4.2.1.
pub(crate) const CLIENT_CHALLENGE: [u8; 8] = [0xaa; 8];
const RANDOM_SESSION_KEY: [u8; 16] = [0x55; 16];

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

/// A message of the specification, from the codec's collection.
pub(crate) fn example(name: &str) -> Vec<u8> {
    let text = include_str!("../../../token/tests/files/ntlm.hex");
    let (_, rest) = text.split_once(&format!("= {name}\n")).unwrap();
    hex(rest.split('=').next().unwrap())
}

/// §4.2.1: `Plaintext` in Unicode.
pub(crate) fn plaintext() -> Vec<u8> {
    crate::forger::utf16("Plaintext")
}

pub(crate) fn user() -> countersign_context::credential::ntlm::NtlmCredential {
    credential("Domain\\User", "Password")
        .with_workstation("COMPUTER")
        .unwrap()
}

/// An acceptor that drew the server's challenge of the examples and offers what they agree on.
pub(crate) fn accept(
    authenticate: &[u8],
    offered: F,
    policy: &countersign_context::Policy,
) -> SecurityContext {
    let mut acceptor = Acceptor::new(&AcceptorCredential::new(names()));
    let mut random = Script(SERVER_CHALLENGE.to_vec());
    let mut env = Environment::new(THEN, &mut random).with_policy(policy);
    let negotiate = Forger::alice(offered).negotiate();
    let Ok(Step::Continue { token }) = acceptor.step(Some(&negotiate), &mut env) else {
        panic!("CHALLENGE")
    };
    let challenge = ChallengeMessage::parse(&token).unwrap();
    assert_eq!(challenge.server_challenge, SERVER_CHALLENGE);
    let step = acceptor.step(Some(authenticate), &mut env).unwrap();
    let Step::Need(Need::Logon(request)) = step else {
        panic!("{step:?}")
    };
    assert_eq!(
        (request.domain(), request.user(), request.workstation()),
        ("Domain", "User", "COMPUTER")
    );
    let answer = Answer::Logon(Logon::NtHash {
        account: user().name().clone(),
        hash: NtHash::from_password("Password"),
    });
    context(acceptor.resume(answer, &mut env))
}

const SEALED: &str = "01000000 7fb38ec5c55d4976 00000000 54e50165bf1936dc996020c1811b0f06fb5f";

#[test]
fn an_acceptor_takes_the_authenticate_message_of_section_4_2_4_and_opens_its_message() {
    let message = example("MS-NLMP 4.2.4.3 AUTHENTICATE");
    let offered = BASE | F::NEGOTIATE_SIGN | F::NEGOTIATE_SEAL | F::KEY_EXCH;
    let mut context = accept(&message, offered, &mic_if_present());
    assert_eq!(context.peer().unwrap().to_string(), "Domain\\User");
    assert_eq!(context.session_key().expose(), &RANDOM_SESSION_KEY);
    assert!(context.flags().contains(Flags::CONFIDENTIALITY));
    let opened = context.unwrap(&hex(SEALED)).unwrap();
    assert_eq!((opened.message, opened.sealed), (plaintext(), true));
}

#[test]
fn an_initiator_answers_the_challenge_message_of_section_4_2_4_and_seals_its_message() {
    let mut initiator = Initiator::new(user()).require(Flags::CONFIDENTIALITY);
    let mut random = Script([&CLIENT_CHALLENGE[..], &RANDOM_SESSION_KEY].concat());
    let mut env = Environment::new(THEN, &mut random);
    let Ok(Step::Continue { token: negotiate }) = initiator.step(None, &mut env) else {
        panic!("NEGOTIATE")
    };
    let challenge = example("MS-NLMP 4.2.4.3 CHALLENGE");
    let (token, mut context) = last(initiator.step(Some(&challenge), &mut env).unwrap());
    let token = token.unwrap();
    assert!(random.0.is_empty());

    // It adds MsvAvFlags for the MIC, so that its proof is another than that of the example; all
    // that it is over is the example's.
    let message = AuthenticateMessage::parse(&token).unwrap();
    let response = NtlmV2Response::parse(message.nt_response).unwrap();
    assert_eq!(
        (response.timestamp, response.client_challenge),
        (0, &CLIENT_CHALLENGE)
    );
    let info = ChallengeMessage::parse(&challenge)
        .unwrap()
        .target_info
        .unwrap();
    let received = &info.as_bytes()[..info.as_bytes().len() - 4];
    let sent = response.av_pairs.as_bytes();
    assert_eq!(
        sent,
        [received, &[6, 0, 4, 0, 2, 0, 0, 0], &[0; 4]].concat()
    );
    // Without it, it is the proof of §4.2.4.2.2.
    let key = NtHash::from_password("Password").response_key("User".chars(), "Domain".chars());
    let blob = |pairs: &[u8]| {
        countersign_context::token::ntlm::encode_client_challenge(0, &CLIENT_CHALLENGE, pairs, 4)
    };
    let published = key.proof(&SERVER_CHALLENGE, &[&blob(info.as_bytes())]);
    assert_eq!(published[..], hex("68cd0ab851e51c96aabc927bebef6a1c"));
    let proof = key.proof(&SERVER_CHALLENGE, &[&blob(sent)]);
    assert_eq!(response.proof, &proof);
    let base = key.session_base_key(&proof);
    let exported = SessionKey::new(RANDOM_SESSION_KEY);
    assert_eq!(message.encrypted_session_key, base.encrypt(&exported));
    let mut bare = token.clone();
    bare[72..88].fill(0);
    let mic = exported.mic(&[&negotiate, &challenge, &bare]);
    assert_eq!(message.mic.unwrap(), mic.as_bytes());
    assert!(message.workstation == "COMPUTER");

    assert_eq!(context.session_key().expose(), &RANDOM_SESSION_KEY);
    assert_eq!(context.wrap(true, &plaintext()).unwrap(), hex(SEALED));
}

/// A response of Windows 7, published by Microsoft (Open Specifications blog, NTLM and channel
/// binding hash, 2013), in the acceptor that sent the challenge to it.
#[test]
fn an_acceptor_takes_the_response_of_windows_by_its_proof_and_misses_the_first_message() {
    let challenge = example("Windows CHALLENGE");
    let challenge = ChallengeMessage::parse(&challenge).unwrap();
    let sent = example("Windows AUTHENTICATE");
    let message = AuthenticateMessage::parse(&sent).unwrap();
    let response = NtlmV2Response::parse(message.nt_response).unwrap();
    let seconds = i64::try_from(response.timestamp / 10_000_000).unwrap() - 11_644_473_600;
    let mut random = Script(challenge.server_challenge.to_vec());
    let mut env = Environment::new(Timestamp::from_unix(seconds), &mut random);
    let mut acceptor = Acceptor::new(&AcceptorCredential::new(names()));
    let negotiate = Forger::alice(BASE).negotiate();
    assert!(acceptor.step(Some(&negotiate), &mut env).is_ok());
    let step = acceptor.step(Some(&sent), &mut env).unwrap();
    let Step::Need(Need::Logon(request)) = step else {
        panic!("{step:?}")
    };
    assert_eq!(request.user(), "Administrator");
    let pairs = AvPairs::parse_prefix(&request.nt_response()[44..])
        .unwrap()
        .0;
    assert!(pairs.find(AvId::CHANNEL_BINDINGS).is_some());
    // The NEGOTIATE that its MIC is over was never published, so that is where it ends; a wrong
    // password ends before.
    for (password, problem) in [
        ("P@ssw0rd", countersign_context::NtlmProblem::MicMismatch),
        ("p@ssw0rd", countersign_context::NtlmProblem::LogonDenied),
    ] {
        let mut random = Script(challenge.server_challenge.to_vec());
        let mut env = Environment::new(Timestamp::from_unix(seconds), &mut random);
        let mut acceptor = Acceptor::new(&AcceptorCredential::new(names()));
        assert!(acceptor.step(Some(&negotiate), &mut env).is_ok());
        assert!(acceptor.step(Some(&sent), &mut env).is_ok());
        let answer = Answer::Logon(Logon::NtHash {
            account: user().name().clone(),
            hash: NtHash::from_password(password),
        });
        let kind = why(acceptor.resume(answer, &mut env));
        assert_eq!(kind, countersign_context::ErrorKind::Ntlm(problem));
    }
}
