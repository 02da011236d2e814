//! Every message of RFC 4120 and of its extensions: what decodes is written and read back the same.
#![no_main]

use countersign_fuzz::{round_trip, sections};
use countersign_token::der::Decode;
use countersign_token::kerberos::*;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_der(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    round_trip!(data; ApReq, ApRep, Authenticator, EncApRepPart, Ticket, EncTicketPart, KrbError,
        KrbCred, EncKrbCredPart, AsReq, TgsReq, AsRep, TgsRep, EncAsRepPart, EncTgsRepPart, KrbSafe,
        KrbPriv, EncKrbPrivPart, KdcReqBody, MethodData, PaEncTsEnc, EtypeInfo, EtypeInfo2,
        AuthorizationData, AdKdcIssued, AdAndOr, EtypeList, TypedData, PrincipalName, LastReq,
        HostAddresses, EncryptedData, TransitedEncoding, PaFxFastRequest, PaFxFastReply, KrbFastReq,
        KrbFastResponse, KrbFastFinished, PaAuthenticationSet, PaForUser, PaS4uX509User, S4uUserId,
        PaPacRequest, PaPacOptions, TgtReq, TgtRep, IakerbHeader, IakerbFinished, KdcProxyMessage,
        KerbErrorData, ChangePasswdData);
    let _ = ms_error::extended_error(data);
    for parts in [
        KpasswdRequest::parse(data).and_then(|request| request.encode()),
        KpasswdReply::parse(data).and_then(|reply| reply.encode()),
    ] {
        // A bare KRB-ERROR gets a frame; whatever had one is written as it was read.
        assert!(
            parts.is_err()
                || data.first() == Some(&0x7e)
                || parts.is_ok_and(|p| p.len() == data.len())
        );
    }
    if let Ok(data) = AuthorizationData::from_der(data) {
        let count = authorization::elements(&data).count();
        assert!(count <= 1 << 20, "{count} elements");
    }
});
