//! The tokens of SPNEGO, through definitions for rasn that were written from the ASN.1 of RFC 4178
//! §4.2 and MS-SPNG §2.2.1.

use rasn::prelude::*;

use super::Random;
use countersign_token::oid::Oid;
use countersign_token::spnego as ours;

/// More than in the other tests: the values are small.
const ROUNDS: usize = 2_000;

#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
#[rasn(choice)]
enum NegotiationToken {
    #[rasn(tag(explicit(0)))]
    Init(NegTokenInit),
    #[rasn(tag(explicit(1)))]
    Resp(NegTokenResp),
}

#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
struct NegTokenInit {
    #[rasn(tag(explicit(0)))]
    mech_types: Vec<ObjectIdentifier>,
    #[rasn(tag(explicit(1)))]
    req_flags: Option<BitString>,
    #[rasn(tag(explicit(2)))]
    mech_token: Option<OctetString>,
    #[rasn(tag(explicit(3)))]
    mech_list_mic: Option<OctetString>,
}

#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
struct NegHints {
    #[rasn(tag(explicit(0)))]
    hint_name: Option<GeneralString>,
    #[rasn(tag(explicit(1)))]
    hint_address: Option<OctetString>,
}

#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
struct NegTokenInit2 {
    #[rasn(tag(explicit(0)))]
    mech_types: Vec<ObjectIdentifier>,
    #[rasn(tag(explicit(1)))]
    req_flags: Option<BitString>,
    #[rasn(tag(explicit(2)))]
    mech_token: Option<OctetString>,
    #[rasn(tag(explicit(3)))]
    neg_hints: NegHints,
    #[rasn(tag(explicit(4)))]
    mech_list_mic: Option<OctetString>,
}

#[derive(AsnType, Clone, Copy, Debug, Decode, Encode, PartialEq)]
#[rasn(enumerated)]
enum NegState {
    AcceptCompleted = 0,
    AcceptIncomplete = 1,
    Reject = 2,
    RequestMic = 3,
}

#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
struct NegTokenResp {
    #[rasn(tag(explicit(0)))]
    neg_state: Option<NegState>,
    #[rasn(tag(explicit(1)))]
    supported_mech: Option<ObjectIdentifier>,
    #[rasn(tag(explicit(2)))]
    response_token: Option<OctetString>,
    #[rasn(tag(explicit(3)))]
    mech_list_mic: Option<OctetString>,
}

fn mechanism(random: &mut Random) -> ObjectIdentifier {
    let arcs: &[&[u32]] = &[
        &[1, 2, 840, 113_554, 1, 2, 2],
        &[1, 2, 840, 48_018, 1, 2, 2],
        &[1, 3, 6, 1, 4, 1, 311, 2, 2, 10],
        &[2, 999, 4_294_967_295],
    ];
    ObjectIdentifier::new_unchecked(arcs[random.below(arcs.len())].into())
}

fn mechanisms(random: &mut Random) -> Vec<ObjectIdentifier> {
    (0..=random.below(5)).map(|_| mechanism(random)).collect()
}

fn flags(random: &mut Random) -> BitString {
    BitString::from_slice(&random.u32().to_be_bytes())
}

/// The frame of RFC 2743 §3.1.
fn framed(inner: &[u8]) -> Vec<u8> {
    countersign_token::framing::InitialToken::encode(Oid::SPNEGO, &[inner])
}

fn unframed(token: &[u8]) -> &[u8] {
    countersign_token::framing::InitialToken::parse(token)
        .unwrap()
        .inner
}

#[test]
fn init_and_resp_agree_with_rasn_both_ways() {
    let mut random = Random(0x4178);
    for _ in 0..ROUNDS {
        let theirs = NegotiationToken::Init(NegTokenInit {
            mech_types: mechanisms(&mut random),
            req_flags: random.option(flags),
            mech_token: random.option(Random::octets),
            mech_list_mic: random.option(Random::octets),
        });
        let token = framed(&rasn::der::encode(&theirs).unwrap());
        let init = ours::NegTokenInit::parse(&token).unwrap();
        assert_eq!(init.to_bytes(), token);
        let NegotiationToken::Init(theirs) = theirs else {
            unreachable!()
        };
        assert_eq!(
            init.mech_types.as_bytes(),
            rasn::der::encode(&theirs.mech_types).unwrap()
        );
        assert_eq!(init.mech_types.iter().count(), theirs.mech_types.len());
        assert_eq!(init.mech_token, theirs.mech_token.as_deref());
        assert_eq!(init.mech_list_mic, theirs.mech_list_mic.as_deref());
        assert_eq!(init.req_flags.is_some(), theirs.req_flags.is_some());

        let states = [
            (NegState::AcceptCompleted, ours::NegState::AcceptCompleted),
            (NegState::AcceptIncomplete, ours::NegState::AcceptIncomplete),
            (NegState::Reject, ours::NegState::Reject),
            (NegState::RequestMic, ours::NegState::RequestMic),
        ];
        let state = random.option(|random| states[random.below(4)]);
        let theirs = NegotiationToken::Resp(NegTokenResp {
            neg_state: state.map(|state| state.0),
            supported_mech: random.option(mechanism),
            response_token: random.option(Random::octets),
            mech_list_mic: random.option(Random::octets),
        });
        let token = rasn::der::encode(&theirs).unwrap();
        let resp = ours::NegTokenResp::parse(&token).unwrap();
        assert_eq!(resp.to_bytes(), token);
        let NegotiationToken::Resp(theirs) = theirs else {
            unreachable!()
        };
        assert_eq!(resp.neg_state, state.map(|state| state.1));
        assert_eq!(resp.response_token, theirs.response_token.as_deref());
        assert_eq!(resp.mech_list_mic, theirs.mech_list_mic.as_deref());
        assert_eq!(
            resp.supported_mech.is_some(),
            theirs.supported_mech.is_some()
        );
    }
}

#[test]
fn init_of_a_server_that_speaks_first_agrees_with_rasn() {
    let mut random = Random(0x5350_4e47);
    for _ in 0..ROUNDS {
        let theirs = NegTokenInit2 {
            mech_types: mechanisms(&mut random),
            req_flags: random.option(flags),
            mech_token: random.option(Random::octets),
            neg_hints: NegHints {
                hint_name: random.option(Random::text),
                hint_address: random.option(Random::octets),
            },
            mech_list_mic: random.option(Random::octets),
        };
        let der = rasn::der::encode(&theirs).unwrap();
        let mut writer = countersign_token::der::Writer::with_capacity(0);
        writer.element(countersign_token::der::Tag::context(0), &der);
        let token = framed(&writer.into_vec());
        let init = ours::NegTokenInit::parse(&token).unwrap();
        assert_eq!(init.to_bytes(), token);
        let hints = init.hints.unwrap();
        let name = theirs.neg_hints.hint_name.as_deref();
        assert_eq!(hints.hint_name, name.map(Vec::as_slice));
        assert_eq!(hints.hint_address, theirs.neg_hints.hint_address.as_deref());
        assert_eq!(init.mech_list_mic, theirs.mech_list_mic.as_deref());
    }
}

/// Nothing is accepted by ours alone, and what both accept says the same.
#[test]
fn mutated_tokens_mean_the_same_to_both() {
    let mut random = Random(0x2478);
    let (mut both, mut neither) = (0, 0);
    for _ in 0..ROUNDS * 10 {
        let theirs = NegTokenInit {
            mech_types: mechanisms(&mut random),
            req_flags: None,
            mech_token: random.option(Random::octets),
            mech_list_mic: random.option(Random::octets),
        };
        let mut token = framed(&rasn::der::encode(&NegotiationToken::Init(theirs)).unwrap());
        let place = 10 + random.below((token.len() - 10).min(60));
        token[place] = [random.byte(), token[place] ^ 1, 0x30, 0xa3][random.below(4)];
        let Ok(init) = ours::NegTokenInit::parse(&token) else {
            neither += 1;
            continue;
        };
        if init.hints.is_some() || init.req_flags.is_some() {
            continue;
        }
        let theirs = match rasn::der::decode(unframed(&token)) {
            Ok(NegotiationToken::Init(theirs)) => theirs,
            Ok(NegotiationToken::Resp(_)) => panic!("another alternative"),
            // Identifiers of more than 32 bits in an arc, which there are.
            Err(error) => {
                let error = format!("{error:?}");
                assert!(error.contains("UnsupportedObjectIdentifierArc"), "{error}");
                continue;
            }
        };
        assert_eq!(init.mech_types.iter().count(), theirs.mech_types.len());
        assert_eq!(init.mech_token, theirs.mech_token.as_deref());
        assert_eq!(init.mech_list_mic, theirs.mech_list_mic.as_deref());
        both += 1;
    }
    assert!(both > ROUNDS && neither > ROUNDS, "{both}, {neither}");
}
