//! Messages of RFC 4120, and what they are made of, with every OPTIONAL field.

use countersign_token::der::{Encode, Encoded, SequenceOf};
use countersign_token::kerberos::*;

use super::gss_checksum;

pub const TIME: KerberosTime = KerberosTime {
    seconds: 1_800_000_000,
};
pub const MICROSECONDS: Microseconds = Microseconds::MAX;
pub const REALM: Realm<'_> = KerberosString::new(b"EXAMPLE.COM");
pub const HOST: &[KerberosString<'_>] = &[
    KerberosString::new(b"host"),
    KerberosString::new(b"www.example.com"),
];
pub const USER: &[KerberosString<'_>] = &[KerberosString::new(b"user")];
pub const SERVICE: PrincipalName<'_> = PrincipalName {
    name_type: 2,
    name_string: SequenceOf::new(HOST),
};
pub const CLIENT: PrincipalName<'_> = PrincipalName {
    name_type: 1,
    name_string: SequenceOf::new(USER),
};
pub const KEY: EncryptionKey<'_> = EncryptionKey {
    keytype: 18,
    keyvalue: &[0x5a; 32],
};
pub const ADDRESS: HostAddress<'_> = HostAddress {
    addr_type: 2,
    address: &[192, 0, 2, 1],
};
pub const ADDRESSES: HostAddresses<'_> = SequenceOf::new(&[
    ADDRESS,
    HostAddress {
        addr_type: 24,
        address: &[0x20; 16],
    },
]);
pub const AUTHORIZATION: AuthorizationData<'_> = SequenceOf::new(&[
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
pub const PADATA: MethodData<'_> = SequenceOf::new(&[
    PaData {
        padata_type: 149,
        padata_value: b"",
    },
    PaData {
        padata_type: 133,
        padata_value: b"MIT",
    },
]);
pub const CHECKSUM: Checksum<'_> = Checksum {
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

pub const CRED_INFO: KrbCredInfo<'_> = KrbCredInfo {
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

pub const INFO2: EtypeInfo2Entry<'_> = EtypeInfo2Entry {
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
