//! The kinds of RFC 4120, RFC 4121 and RFC 1964.

use countersign_token::bindings::ChannelBindings;
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::cfx::{MicHeader, WrapHeader};
use countersign_token::kerberos::rfc1964::Rfc1964Header;
use countersign_token::kerberos::*;

use super::*;

pub fn kinds() -> Vec<Kind> {
    vec![
        message!("Ticket", Ticket<'_>, ticket, []),
        message!(
            "EncTicketPart",
            EncTicketPart<'_>,
            enc_ticket_part,
            [6, 8, 9, 10]
        ),
        message!("AP-REQ", ApReq<'_>, ap_req, []),
        message!(
            "Authenticator",
            Authenticator<'_>,
            authenticator,
            [3, 6, 7, 8]
        ),
        message!("AP-REP", ApRep<'_>, ap_rep, []),
        message!("EncAPRepPart", EncApRepPart<'_>, enc_ap_rep_part, [2, 3]),
        message!("AS-REQ", AsReq<'_>, as_req, [3]),
        message!("TGS-REQ", TgsReq<'_>, tgs_req, [3]),
        message!(
            "KDC-REQ-BODY",
            KdcReqBody<'_>,
            kdc_req_body,
            [1, 3, 4, 6, 9, 10, 11]
        ),
        message!("AS-REP", AsRep<'_>, as_rep, [2]),
        message!("TGS-REP", TgsRep<'_>, tgs_rep, [2]),
        message!(
            "EncASRepPart",
            EncAsRepPart<'_>,
            enc_as_rep_part,
            [3, 6, 8, 11, 12]
        ),
        message!(
            "EncTGSRepPart",
            EncTgsRepPart<'_>,
            enc_tgs_rep_part,
            [3, 6, 8, 11, 12]
        ),
        message!("KRB-ERROR", KrbError<'_>, krb_error, [2, 3, 7, 8, 11, 12]),
        message!("KRB-CRED", KrbCred<'_>, krb_cred, []),
        message!(
            "EncKrbCredPart",
            EncKrbCredPart<'_>,
            enc_krb_cred_part,
            [1, 2, 3, 4, 5]
        ),
        message!(
            "KrbCredInfo",
            KrbCredInfo<'_>,
            krb_cred_info,
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        ),
        message!("KRB-SAFE", KrbSafe<'_>, krb_safe, []),
        message!(
            "KRB-SAFE-BODY",
            KrbSafeBody<'_>,
            krb_safe_body,
            [1, 2, 3, 5]
        ),
        message!("KRB-PRIV", KrbPriv<'_>, krb_priv, []),
        message!(
            "EncKrbPrivPart",
            EncKrbPrivPart<'_>,
            enc_krb_priv_part,
            [1, 2, 3, 5]
        ),
        message!(
            "EncryptedData",
            EncryptedData<'_>,
            || encrypted().to_der(),
            [1]
        ),
        message!("PA-ENC-TS-ENC", PaEncTsEnc, pa_enc_ts_enc, [1]),
        message!(
            "ETYPE-INFO2-ENTRY",
            EtypeInfo2Entry<'_>,
            etype_info2_entry,
            [1, 2]
        ),
        message!("AD-KDCIssued", AdKdcIssued<'_>, ad_kdc_issued, [1, 2]),
        message!("AD-AND-OR", AdAndOr<'_>, ad_and_or, []),
        other!("METHOD-DATA", method_data, |input| der::<MethodData<'_>>(
            input
        )),
        other!("ETYPE-INFO", etype_info, |input| der::<EtypeInfo<'_>>(
            input
        )),
        other!("ETYPE-INFO2", etype_info2, |input| der::<EtypeInfo2<'_>>(
            input
        )),
        other!("TYPED-DATA", typed_data, |input| der::<TypedData<'_>>(
            input
        )),
        other!("AuthorizationData", authorization_data, |input| {
            let data = AuthorizationData::from_der(input)?;
            authorization::elements(&data).for_each(drop);
            Ok(data.to_der())
        }),
        other!("EtypeList", etype_list, |input| der::<EtypeList<'_>>(input)),
        other!("GSS frame", gss_token, |input| {
            let token = InitialToken::parse(input)?;
            Ok(InitialToken::encode(token.mechanism, &[token.inner]))
        }),
        other!("GSS checksum", gss_checksum, |input| {
            let checksum = GssChecksum::parse(input)?;
            assert!(checksum.extensions.count() <= input.len());
            checksum.encode()
        }),
        other!("MIC token", mic, |input| {
            let (header, rest) = MicHeader::parse(input)?;
            Ok([&header.to_bytes()[..], rest].concat())
        }),
        other!("Wrap token", wrap, |input| {
            let (header, rest) = WrapHeader::parse(input)?;
            Ok([&header.to_bytes()[..], rest].concat())
        }),
        other!("RFC 1964 token", rfc1964, |input| {
            let (header, rest) = Rfc1964Header::parse(input)?;
            Ok([&header.to_bytes()[..], rest].concat())
        }),
        other!("SEC_CHANNEL_BINDINGS", channel_bindings, |input| {
            ChannelBindings::parse(input).map(|bindings| bindings.encode())
        }),
    ]
}
