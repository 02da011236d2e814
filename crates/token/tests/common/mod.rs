//! Every kind of token with a full sample and a decoder, and a small deterministic generator.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "it is a test"
)]

use countersign_token::DecodeError;
use countersign_token::bindings::ChannelBindings;
use countersign_token::der::{Decode, Encode, Encoded, SequenceOf};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::cfx::{CfxFlags, MicHeader, WrapHeader};
use countersign_token::kerberos::gss_checksum::{Extension, Extensions};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::rfc1964::Rfc1964Header;
use countersign_token::kerberos::*;
use countersign_token::oid::Oid;

pub mod extensions;
pub mod ntlm;
pub mod spnego;

/// xorshift64*, from a seed that is not zero.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.next() >> 56).unwrap()
    }
}

/// A kind of token.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// A value with every OPTIONAL field.
    pub sample: fn() -> Vec<u8>,
    /// Decodes, walks every list, and encodes again.
    pub decode: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    /// The numbers of the OPTIONAL fields of the outermost SEQUENCE.
    pub optional: &'static [u8],
    /// Whether it is a DER message with an outermost SEQUENCE of numbered fields.
    pub fields: bool,
}

/// Decodes a DER type, walks it by printing it, and encodes it again.
fn der<'a, T: Decode<'a> + Encode>(input: &'a [u8]) -> Result<Vec<u8>, DecodeError> {
    T::from_der(input).map(|value| value.to_der())
}

macro_rules! message {
    ($name:literal, $type:ty, $sample:expr, $optional:expr) => {
        Kind {
            name: $name,
            sample: $sample,
            decode: |input| der::<$type>(input),
            optional: &$optional,
            fields: true,
        }
    };
}

macro_rules! other {
    ($name:literal, $sample:expr, $decode:expr) => {
        Kind {
            name: $name,
            sample: $sample,
            decode: $decode,
            optional: &[],
            fields: false,
        }
    };
}

use {message, other};

/// All kinds.
pub fn kinds() -> Vec<Kind> {
    let mut kinds = extensions::kinds();
    kinds.extend(messages());
    kinds.extend(spnego::kinds());
    kinds
}

/// Those of RFC 4120, RFC 4121 and RFC 1964.
fn messages() -> Vec<Kind> {
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

const TIME: KerberosTime = KerberosTime {
    seconds: 1_800_000_000,
};
const MICROSECONDS: Microseconds = Microseconds::MAX;
const REALM: Realm<'_> = KerberosString::new(b"EXAMPLE.COM");
const HOST: &[KerberosString<'_>] = &[
    KerberosString::new(b"host"),
    KerberosString::new(b"www.example.com"),
];
const USER: &[KerberosString<'_>] = &[KerberosString::new(b"user")];
const SERVICE: PrincipalName<'_> = PrincipalName {
    name_type: 2,
    name_string: SequenceOf::new(HOST),
};
const CLIENT: PrincipalName<'_> = PrincipalName {
    name_type: 1,
    name_string: SequenceOf::new(USER),
};
const KEY: EncryptionKey<'_> = EncryptionKey {
    keytype: 18,
    keyvalue: &[0x5a; 32],
};
const ADDRESS: HostAddress<'_> = HostAddress {
    addr_type: 2,
    address: &[192, 0, 2, 1],
};
const ADDRESSES: HostAddresses<'_> = SequenceOf::new(&[
    ADDRESS,
    HostAddress {
        addr_type: 24,
        address: &[0x20; 16],
    },
]);
const AUTHORIZATION: AuthorizationData<'_> = SequenceOf::new(&[
    // AD-IF-RELEVANT of one AD-WIN2K-PAC that is a PAC without buffers.
    AuthorizationDataEntry {
        ad_type: 1,
        ad_data: b"\x30\x14\x30\x12\xa0\x04\x02\x02\x00\x80\xa1\x0a\x04\x08\0\0\0\0\0\0\0\0",
    },
    AuthorizationDataEntry {
        ad_type: -17,
        ad_data: b"data",
    },
]);
const PADATA: MethodData<'_> = SequenceOf::new(&[
    PaData {
        padata_type: 149,
        padata_value: b"",
    },
    PaData {
        padata_type: 133,
        padata_value: b"MIT",
    },
]);
const CHECKSUM: Checksum<'_> = Checksum {
    cksumtype: 16,
    checksum: &[0xc5; 12],
};

pub fn encrypted() -> EncryptedData<'static> {
    // Longer than 127 octets, so that lengths of two octets are around it.
    EncryptedData {
        etype: 18,
        kvno: Some(0x8000_0001),
        cipher: &[0xe1; 200],
    }
}

pub fn ticket() -> Vec<u8> {
    Ticket {
        realm: Claimed::new(REALM),
        sname: Claimed::new(SERVICE),
        enc_part: encrypted(),
    }
    .to_der()
}

pub fn enc_ticket_part() -> Vec<u8> {
    EncTicketPart {
        flags: TicketFlags::INITIAL | TicketFlags::PRE_AUTHENT,
        key: KEY,
        crealm: REALM,
        cname: CLIENT,
        transited: TransitedEncoding {
            tr_type: 1,
            contents: b"A,B",
        },
        authtime: TIME,
        starttime: Some(TIME),
        endtime: TIME,
        renew_till: Some(TIME),
        caddr: Some(ADDRESSES),
        authorization_data: Some(AUTHORIZATION),
    }
    .to_der()
}

pub fn ap_req() -> Vec<u8> {
    ApReq {
        ap_options: ApOptions::MUTUAL_REQUIRED,
        ticket: Encoded::parse(&ticket()).unwrap(),
        authenticator: encrypted(),
    }
    .to_der()
}

pub fn authenticator() -> Vec<u8> {
    let checksum = gss_checksum();
    Authenticator {
        crealm: REALM,
        cname: CLIENT,
        cksum: Some(Checksum {
            cksumtype: GssChecksum::TYPE,
            checksum: &checksum,
        }),
        cusec: MICROSECONDS,
        ctime: TIME,
        subkey: Some(KEY),
        seq_number: Some(0xffff_fffe),
        authorization_data: Some(AUTHORIZATION),
    }
    .to_der()
}

pub fn ap_rep() -> Vec<u8> {
    ApRep {
        enc_part: encrypted(),
    }
    .to_der()
}

pub fn enc_ap_rep_part() -> Vec<u8> {
    EncApRepPart {
        ctime: TIME,
        cusec: MICROSECONDS,
        subkey: Some(KEY),
        seq_number: Some(7),
    }
    .to_der()
}

pub fn kdc_req_body() -> Vec<u8> {
    let ticket = ticket();
    KdcReqBody {
        kdc_options: KdcOptions::FORWARDABLE | KdcOptions::CANONICALIZE,
        cname: Some(CLIENT),
        realm: REALM,
        sname: Some(SERVICE),
        from: Some(TIME),
        till: TIME,
        rtime: Some(TIME),
        nonce: 0x7fff_ffff,
        etype: SequenceOf::new(&[20, 19, 18, 17, -133]),
        addresses: Some(ADDRESSES),
        enc_authorization_data: Some(encrypted()),
        additional_tickets: Some(SequenceOf::new(&[Encoded::parse(&ticket).unwrap()])),
    }
    .to_der()
}

pub fn as_req() -> Vec<u8> {
    let body = kdc_req_body();
    AsReq(KdcReq {
        padata: Some(PADATA),
        req_body: Encoded::parse(&body).unwrap(),
    })
    .to_der()
}

pub fn tgs_req() -> Vec<u8> {
    let body = kdc_req_body();
    TgsReq(KdcReq {
        padata: Some(PADATA),
        req_body: Encoded::parse(&body).unwrap(),
    })
    .to_der()
}

fn kdc_rep(ticket: &[u8]) -> KdcRep<'_> {
    KdcRep {
        padata: Some(PADATA),
        crealm: Claimed::new(REALM),
        cname: Claimed::new(CLIENT),
        ticket: Encoded::parse(ticket).unwrap(),
        enc_part: encrypted(),
    }
}

pub fn as_rep() -> Vec<u8> {
    AsRep(kdc_rep(&ticket())).to_der()
}

pub fn tgs_rep() -> Vec<u8> {
    TgsRep(kdc_rep(&ticket())).to_der()
}

pub const ENC_KDC_REP_PART: EncKdcRepPart<'_> = EncKdcRepPart {
    key: KEY,
    last_req: SequenceOf::new(&[LastReqEntry {
        lr_type: 0,
        lr_value: TIME,
    }]),
    nonce: 0x7fff_ffff,
    key_expiration: Some(TIME),
    flags: TicketFlags::INITIAL,
    authtime: TIME,
    starttime: Some(TIME),
    endtime: TIME,
    renew_till: Some(TIME),
    srealm: REALM,
    sname: SERVICE,
    caddr: Some(ADDRESSES),
    encrypted_pa_data: Some(PADATA),
};

pub fn enc_as_rep_part() -> Vec<u8> {
    EncAsRepPart(ENC_KDC_REP_PART).to_der()
}

pub fn enc_tgs_rep_part() -> Vec<u8> {
    EncTgsRepPart(ENC_KDC_REP_PART).to_der()
}

pub fn krb_error() -> Vec<u8> {
    let methods = method_data();
    KrbError {
        ctime: Some(TIME),
        cusec: Some(MICROSECONDS),
        stime: TIME,
        susec: MICROSECONDS,
        error_code: 25,
        crealm: Some(Claimed::new(REALM)),
        cname: Some(Claimed::new(CLIENT)),
        realm: Claimed::new(REALM),
        sname: Claimed::new(SERVICE),
        e_text: Some(KerberosString::new(b"NEEDED_PREAUTH")),
        e_data: Some(&methods),
    }
    .to_der()
}

pub fn krb_cred() -> Vec<u8> {
    let ticket = ticket();
    let ticket = Encoded::parse(&ticket).unwrap();
    KrbCred {
        tickets: SequenceOf::new(&[ticket, ticket]),
        enc_part: encrypted(),
    }
    .to_der()
}

const CRED_INFO: KrbCredInfo<'_> = KrbCredInfo {
    key: KEY,
    prealm: Some(REALM),
    pname: Some(CLIENT),
    flags: Some(TicketFlags::FORWARDED),
    authtime: Some(TIME),
    starttime: Some(TIME),
    endtime: Some(TIME),
    renew_till: Some(TIME),
    srealm: Some(REALM),
    sname: Some(SERVICE),
    caddr: Some(ADDRESSES),
};

pub fn krb_cred_info() -> Vec<u8> {
    CRED_INFO.to_der()
}

pub fn enc_krb_cred_part() -> Vec<u8> {
    EncKrbCredPart {
        ticket_info: SequenceOf::new(&[CRED_INFO, CRED_INFO]),
        nonce: Some(0x8000_0000),
        timestamp: Some(TIME),
        usec: Some(MICROSECONDS),
        s_address: Some(ADDRESS),
        r_address: Some(ADDRESS),
    }
    .to_der()
}

pub fn krb_safe_body() -> Vec<u8> {
    KrbSafeBody {
        user_data: b"message",
        timestamp: Some(TIME),
        usec: Some(MICROSECONDS),
        seq_number: Some(1),
        s_address: ADDRESS,
        r_address: Some(ADDRESS),
    }
    .to_der()
}

pub fn krb_safe() -> Vec<u8> {
    let body = krb_safe_body();
    KrbSafe {
        safe_body: Encoded::parse(&body).unwrap(),
        cksum: CHECKSUM,
    }
    .to_der()
}

pub fn krb_priv() -> Vec<u8> {
    KrbPriv {
        enc_part: encrypted(),
    }
    .to_der()
}

pub fn enc_krb_priv_part() -> Vec<u8> {
    EncKrbPrivPart {
        user_data: b"message",
        timestamp: Some(TIME),
        usec: Some(MICROSECONDS),
        seq_number: Some(1),
        s_address: ADDRESS,
        r_address: Some(ADDRESS),
    }
    .to_der()
}

pub fn pa_enc_ts_enc() -> Vec<u8> {
    PaEncTsEnc {
        patimestamp: TIME,
        pausec: Some(MICROSECONDS),
    }
    .to_der()
}

const INFO2: EtypeInfo2Entry<'_> = EtypeInfo2Entry {
    etype: 18,
    salt: Some(KerberosString::new(b"EXAMPLE.COMuser")),
    s2kparams: Some(&[0, 0, 0x10, 0]),
};

pub fn etype_info2_entry() -> Vec<u8> {
    INFO2.to_der()
}

pub fn etype_info2() -> Vec<u8> {
    SequenceOf::new(&[
        INFO2,
        EtypeInfo2Entry {
            etype: 23,
            salt: None,
            s2kparams: None,
        },
    ])
    .to_der()
}

pub fn etype_info() -> Vec<u8> {
    SequenceOf::new(&[EtypeInfoEntry {
        etype: 18,
        salt: Some(b"salt"),
    }])
    .to_der()
}

pub fn typed_data() -> Vec<u8> {
    SequenceOf::new(&[
        TypedDataEntry {
            data_type: 1,
            data_value: Some(b"value"),
        },
        TypedDataEntry {
            data_type: 2,
            data_value: None,
        },
    ])
    .to_der()
}

pub fn method_data() -> Vec<u8> {
    let info = etype_info2();
    SequenceOf::new(&[
        PaData {
            padata_type: PaData::ETYPE_INFO2,
            padata_value: &info,
        },
        PaData {
            padata_type: PaData::ENC_TIMESTAMP,
            padata_value: b"",
        },
    ])
    .to_der()
}

pub fn authorization_data() -> Vec<u8> {
    AUTHORIZATION.to_der()
}

pub fn etype_list() -> Vec<u8> {
    SequenceOf::new(&[20, 19, 18, 17]).to_der()
}

pub fn ad_kdc_issued() -> Vec<u8> {
    AdKdcIssued {
        ad_checksum: CHECKSUM,
        i_realm: Some(REALM),
        i_sname: Some(SERVICE),
        elements: AUTHORIZATION,
    }
    .to_der()
}

pub fn ad_and_or() -> Vec<u8> {
    AdAndOr {
        condition_count: 1,
        elements: AUTHORIZATION,
    }
    .to_der()
}

pub fn gss_token() -> Vec<u8> {
    InitialToken::encode(Oid::KERBEROS, &[&TokenId::ApReq.to_bytes(), &ap_req()])
}

pub fn gss_checksum() -> Vec<u8> {
    let credentials = krb_cred();
    let extensions = Extensions::encode(&[
        Extension {
            kind: 0,
            data: b"hash",
        },
        Extension {
            kind: 0x0102_0304,
            data: b"",
        },
    ]);
    GssChecksum {
        bindings: [0xb1; 16],
        flags: GssFlags::MUTUAL | GssFlags::SEQUENCE,
        delegation: Some(&credentials),
        extensions: Extensions::parse(&extensions).unwrap(),
    }
    .encode()
    .unwrap()
}

pub fn mic() -> Vec<u8> {
    let header = MicHeader {
        flags: CfxFlags::ACCEPTOR_SUBKEY,
        seq: 1 << 40,
    };
    [&header.to_bytes()[..], &[0xc5; 12]].concat()
}

pub fn wrap() -> Vec<u8> {
    let flags = CfxFlags::SEALED | CfxFlags::ACCEPTOR_SUBKEY;
    let header = WrapHeader {
        flags,
        ec: 16,
        rrc: 28,
        seq: 1 << 40,
    };
    [&header.to_bytes()[..], &[0xe1; 60]].concat()
}

pub fn rfc1964() -> Vec<u8> {
    let header = Rfc1964Header {
        tok_id: TokenId::Rfc1964Wrap,
        sgn_alg: Rfc1964Header::SGN_ALG_HMAC,
        seal_alg: Rfc1964Header::SEAL_ALG_RC4,
        snd_seq: [1; 8],
        sgn_cksum: [2; 8],
    };
    [&header.to_bytes()[..], &[0xe1; 24]].concat()
}

pub fn channel_bindings() -> Vec<u8> {
    ChannelBindings {
        initiator_address_type: 2,
        initiator_address: &[192, 0, 2, 1],
        acceptor_address_type: 24,
        acceptor_address: &[0x20; 16],
        application_data: b"tls-exporter:value",
    }
    .encode()
}
