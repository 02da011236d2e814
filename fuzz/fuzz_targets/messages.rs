//! Every message of RFC 4120: what decodes is written and read back the same.
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
        HostAddresses, EncryptedData, TransitedEncoding);
    if let Ok(data) = AuthorizationData::from_der(data) {
        let count = authorization::elements(&data).count();
        assert!(count <= 1 << 20, "{count} elements");
    }
});
