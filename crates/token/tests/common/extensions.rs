//! The messages of the extensions to RFC 4120.

use countersign_token::der::{Encode, Encoded, SequenceOf};
use countersign_token::kerberos::*;

use countersign_token::framing::InitialToken;
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::oid::Oid;

use super::{
    CHECKSUM, CLIENT, KEY, Kind, MICROSECONDS, PADATA, REALM, SERVICE, TIME, ap_rep, ap_req,
    as_req, der, encrypted, kdc_req_body, krb_priv, message, other, ticket,
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
        message!("PA-FOR-USER", PaForUser<'_>, pa_for_user, []),
        message!("PA-S4U-X509-USER", PaS4uX509User<'_>, pa_s4u_x509_user, []),
        message!("S4UUserID", S4uUserId<'_>, s4u_user_id, [1, 3, 4]),
        message!("KERB-PA-PAC-REQUEST", PaPacRequest, pa_pac_request, []),
        message!("PA-PAC-OPTIONS", PaPacOptions, pa_pac_options, []),
        message!("KERB-TGT-REQUEST", TgtReq<'_>, tgt_req, [2, 3]),
        message!("KERB-TGT-REPLY", TgtRep<'_>, tgt_rep, []),
        message!("IAKERB-HEADER", IakerbHeader<'_>, iakerb_header, [2]),
        message!("KRB-FINISHED", IakerbFinished<'_>, iakerb_finished, []),
        message!(
            "KDC-PROXY-MESSAGE",
            KdcProxyMessage<'_>,
            kdc_proxy_message,
            [1, 2]
        ),
        message!("KERB-ERROR-DATA", KerbErrorData<'_>, kerb_error_data, [2]),
        message!(
            "ChangePasswdData",
            ChangePasswdData<'_>,
            change_passwd_data,
            [1, 2]
        ),
        other!(
            "KERB-EXT-ERROR",
            || EXT_ERROR.to_bytes().to_vec(),
            |input| { KerbExtError::parse(input).map(|error| error.to_bytes().to_vec()) }
        ),
        other!("kpasswd request", kpasswd_request, |input| {
            KpasswdRequest::parse(input)?.encode()
        }),
        other!("kpasswd reply", kpasswd_reply, |input| {
            KpasswdReply::parse(input)?.encode()
        }),
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

pub fn pa_for_user() -> Vec<u8> {
    PaForUser {
        user_name: CLIENT,
        user_realm: REALM,
        cksum: CHECKSUM,
        auth_package: PaForUser::AUTH_PACKAGE,
    }
    .to_der()
}

pub fn s4u_user_id() -> Vec<u8> {
    S4uUserId {
        nonce: 0x7fff_ffff,
        cname: Some(CLIENT),
        crealm: REALM,
        subject_certificate: Some(b"certificate"),
        options: Some(S4uOptions::USE_REPLY_KEY_USAGE),
    }
    .to_der()
}

pub fn pa_s4u_x509_user() -> Vec<u8> {
    let user_id = s4u_user_id();
    PaS4uX509User {
        user_id: Encoded::parse(&user_id).unwrap(),
        checksum: CHECKSUM,
    }
    .to_der()
}

pub fn pa_pac_request() -> Vec<u8> {
    PaPacRequest { include_pac: true }.to_der()
}

pub fn pa_pac_options() -> Vec<u8> {
    let flags = PacOptions::CLAIMS | PacOptions::BRANCH_AWARE;
    PaPacOptions { flags }.to_der()
}

pub fn tgt_req() -> Vec<u8> {
    TgtReq {
        server_name: Some(SERVICE),
        realm: Some(REALM),
    }
    .to_der()
}

pub fn tgt_rep() -> Vec<u8> {
    let ticket = ticket();
    TgtRep {
        ticket: Encoded::parse(&ticket).unwrap(),
    }
    .to_der()
}

pub fn iakerb_header() -> Vec<u8> {
    IakerbHeader {
        cookie: Some(b"cookie"),
        ..IakerbHeader::new(iakerb::Dialect::Kitten, b"EXAMPLE.COM")
    }
    .to_der()
}

/// An initial token: header and AS-REQ.
pub fn iakerb_token() -> Vec<u8> {
    let header = IakerbHeader::new(iakerb::Dialect::Zhu, b"EXAMPLE.COM");
    let message = iakerb::join(&header, &as_req());
    InitialToken::encode(Oid::IAKERB, &[&TokenId::IakerbProxy.to_bytes(), &message])
}

pub fn iakerb_finished() -> Vec<u8> {
    IakerbFinished { gss_mic: CHECKSUM }.to_der()
}

pub fn kdc_proxy_message() -> Vec<u8> {
    KdcProxyMessage {
        kerb_message: &kkdcp::with_length(&as_req()).unwrap(),
        target_domain: Some(REALM),
        dclocator_hint: Some(0x4000_0000),
    }
    .to_der()
}

const EXT_ERROR: KerbExtError = KerbExtError {
    status: KerbExtError::ACCOUNT_LOCKED_OUT,
    reserved: 0,
    flags: 1,
};

pub fn kerb_error_data() -> Vec<u8> {
    KerbErrorData {
        data_type: KerbErrorData::EXTENDED,
        data_value: Some(&EXT_ERROR.to_bytes()),
    }
    .to_der()
}

pub fn change_passwd_data() -> Vec<u8> {
    ChangePasswdData {
        newpasswd: b"password",
        targname: Some(CLIENT),
        targrealm: Some(REALM),
    }
    .to_der()
}

pub fn kpasswd_request() -> Vec<u8> {
    KpasswdRequest {
        version: KpasswdRequest::SET,
        ap_req: &ap_req(),
        krb_priv: &krb_priv(),
    }
    .encode()
    .unwrap()
}

pub fn kpasswd_reply() -> Vec<u8> {
    KpasswdReply::Reply {
        ap_rep: &ap_rep(),
        krb_priv: &krb_priv(),
    }
    .encode()
    .unwrap()
}
