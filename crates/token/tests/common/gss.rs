//! Tokens and headers of RFC 4121 and RFC 1964.

use countersign_token::bindings::ChannelBindings;
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::cfx::{CfxFlags, MicHeader, WrapHeader};
use countersign_token::kerberos::gss_checksum::{Extension, Extensions};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::rfc1964::Rfc1964Header;
use countersign_token::kerberos::{GssChecksum, GssFlags};
use countersign_token::oid::Oid;

use super::{ap_req, krb_cred};

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
