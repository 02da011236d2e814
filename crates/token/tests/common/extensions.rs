//! The messages of the extensions to RFC 4120.

use countersign_token::der::{Encode, Encoded, SequenceOf};
use countersign_token::kerberos::*;

use super::{
    CHECKSUM, CLIENT, KEY, Kind, MICROSECONDS, PADATA, REALM, TIME, der, encrypted, kdc_req_body,
    message, other,
};

pub fn kinds() -> Vec<Kind> {
    vec![
        message!("KrbFastArmor", KrbFastArmor<'_>, || ARMOR.to_der(), []),
        message!(
            "KrbFastArmoredReq",
            KrbFastArmoredReq<'_>,
            || armored_req().to_der(),
            [0]
        ),
        message!("KrbFastReq", KrbFastReq<'_>, krb_fast_req, []),
        message!(
            "KrbFastArmoredRep",
            KrbFastArmoredRep<'_>,
            || armored_rep().to_der(),
            []
        ),
        message!(
            "KrbFastResponse",
            KrbFastResponse<'_>,
            krb_fast_response,
            [1, 2]
        ),
        message!(
            "KrbFastFinished",
            KrbFastFinished<'_>,
            || FINISHED.to_der(),
            []
        ),
        message!(
            "PA-AUTHENTICATION-SET-ELEM",
            PaAuthenticationSetElem<'_>,
            || SET_ELEMENT.to_der(),
            [1, 2]
        ),
        other!("PA-AUTHENTICATION-SET", authentication_set, |input| {
            der::<PaAuthenticationSet<'_>>(input)
        }),
        other!("PA-FX-FAST-REQUEST", fx_fast_request, |input| {
            der::<PaFxFastRequest<'_>>(input)
        }),
        other!("PA-FX-FAST-REPLY", fx_fast_reply, |input| {
            der::<PaFxFastReply<'_>>(input)
        }),
    ]
}

const ARMOR: KrbFastArmor<'_> = KrbFastArmor {
    armor_type: KrbFastArmor::AP_REQUEST,
    armor_value: b"AP-REQ",
};

fn armored_req() -> KrbFastArmoredReq<'static> {
    KrbFastArmoredReq {
        armor: Some(ARMOR),
        req_checksum: CHECKSUM,
        enc_fast_req: encrypted(),
    }
}

fn armored_rep() -> KrbFastArmoredRep<'static> {
    KrbFastArmoredRep {
        enc_fast_rep: encrypted(),
    }
}

pub fn fx_fast_request() -> Vec<u8> {
    let armored_data = armored_req();
    PaFxFastRequest { armored_data }.to_der()
}

pub fn fx_fast_reply() -> Vec<u8> {
    let armored_data = armored_rep();
    PaFxFastReply { armored_data }.to_der()
}

pub fn krb_fast_req() -> Vec<u8> {
    let body = kdc_req_body();
    KrbFastReq {
        fast_options: FastOptions::HIDE_CLIENT_NAMES,
        padata: PADATA,
        req_body: Encoded::parse(&body).unwrap(),
    }
    .to_der()
}

const FINISHED: KrbFastFinished<'_> = KrbFastFinished {
    timestamp: TIME,
    usec: MICROSECONDS,
    crealm: REALM,
    cname: CLIENT,
    ticket_checksum: CHECKSUM,
};

pub fn krb_fast_response() -> Vec<u8> {
    KrbFastResponse {
        padata: PADATA,
        strengthen_key: Some(KEY),
        finished: Some(FINISHED),
        nonce: 0x7fff_ffff,
    }
    .to_der()
}

const SET_ELEMENT: PaAuthenticationSetElem<'_> = PaAuthenticationSetElem {
    pa_type: 138,
    pa_hint: Some(b"hint"),
    pa_value: Some(b"value"),
};

pub fn authentication_set() -> Vec<u8> {
    SequenceOf::new(&[SET_ELEMENT, SET_ELEMENT]).to_der()
}
