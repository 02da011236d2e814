//! SPNEGO: a token of each kind with everything in it.

use countersign_token::der::Encode;
use countersign_token::oid::Oid;
use countersign_token::spnego::*;

use super::{Kind, der, gss_token, message, mic, ntlm, other};

pub fn kinds() -> Vec<Kind> {
    vec![
        message!(
            "NegTokenInit",
            NegTokenInit<'_>,
            || with_init(|init| init.to_der()),
            [1, 2, 3]
        ),
        // Without hints, there is no place for a MIC in [4].
        message!(
            "NegTokenInit2",
            NegTokenInit<'_>,
            || with_init2(|init| init.to_der()),
            [1, 2, 4]
        ),
        message!(
            "NegTokenResp",
            NegTokenResp<'_>,
            || with_resp(|resp| resp.to_der()),
            [0, 1, 2, 3]
        ),
        message!(
            "NegHints",
            NegHints<'_>,
            || NegHints {
                hint_address: Some(b"address"),
                ..NegHints::PLEASE_IGNORE
            }
            .to_der(),
            [0, 1]
        ),
        other!("MechTypeList", mech_types, |input| {
            let list = MechTypes::parse(input)?;
            let mechanisms: Vec<_> = list.iter().collect();
            assert_eq!(mechanisms.first(), Some(&list.first()));
            Ok(MechTypes::encode(&mechanisms))
        }),
        other!("SPNEGO init", init, round),
        other!("SPNEGO init2", init2, round),
        other!("SPNEGO resp", resp, round),
    ]
}

fn round(input: &[u8]) -> Result<Vec<u8>, countersign_token::DecodeError> {
    Negotiation::parse(input).map(|token| token.to_bytes())
}

pub fn mech_types() -> Vec<u8> {
    MechTypes::encode(&[Oid::KERBEROS, Oid::MS_KERBEROS, Oid::NTLMSSP])
}

fn with_init<T>(then: impl FnOnce(&NegTokenInit<'_>) -> T) -> T {
    let (mechanisms, token, mic) = (mech_types(), gss_token(), mic());
    then(&NegTokenInit {
        req_flags: Some(ContextFlags::MUTUAL | ContextFlags::INTEG),
        mech_token: Some(&token),
        mech_list_mic: Some(&mic),
        ..NegTokenInit::new(MechTypes::parse(&mechanisms).unwrap())
    })
}

fn with_init2<T>(then: impl FnOnce(&NegTokenInit<'_>) -> T) -> T {
    with_init(|init| {
        let hints = Some(NegHints::PLEASE_IGNORE);
        then(&NegTokenInit { hints, ..*init })
    })
}

fn with_resp<T>(then: impl FnOnce(&NegTokenResp<'_>) -> T) -> T {
    let token = ntlm::challenge();
    then(&NegTokenResp {
        neg_state: Some(NegState::AcceptIncomplete),
        supported_mech: Some(Oid::NTLMSSP),
        response_token: Some(&token),
        mech_list_mic: Some(&[1, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0]),
    })
}

/// As a Kerberos initiator's.
pub fn init() -> Vec<u8> {
    with_init(|init| init.to_bytes())
}

pub fn init2() -> Vec<u8> {
    with_init2(|init| init.to_bytes())
}

/// As an NTLM acceptor's.
pub fn resp() -> Vec<u8> {
    with_resp(|resp| resp.to_bytes())
}
