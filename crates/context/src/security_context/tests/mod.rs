//! Tests of messages on contexts that are put together by hand.

#![allow(clippy::cast_possible_truncation, reason = "small numbers of tests")]

mod altered;
mod exported;
mod invalid;
mod rotation;
mod scattered;
mod sequence;
mod whole;

#[cfg(feature = "rc4")]
mod rc4;

use countersign_credential::Principal;
use countersign_crypto::{Enctype, Key, KeyUsage, Random, RandomError};
use countersign_token::kerberos::cfx::{CfxFlags, WrapHeader};
use countersign_token::oid::Oid;

use super::{NewContext, Role, SecurityContext};
use crate::environment::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use crate::identity::Identity;

pub(super) const ORDERED: Flags = Flags::REPLAY
    .union(Flags::SEQUENCE)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY);
pub(super) const UNORDERED: Flags = Flags::CONFIDENTIALITY.union(Flags::INTEGRITY);

pub(super) const INITIATOR_FIRST: u64 = 0x1234_5678;
pub(super) const ACCEPTOR_FIRST: u64 = 0x2222_0000;

/// Enctypes whose tokens are those of RFC 4121.
pub(super) fn cfx_enctypes() -> impl Iterator<Item = Enctype> {
    Enctype::ALL
        .iter()
        .copied()
        .filter(|enctype| enctype.confounder_len() == 16)
}

pub(super) fn key(enctype: Enctype, seed: u8) -> Key {
    let bytes: Vec<u8> = (0..enctype.key_len())
        .map(|n| seed ^ (n as u8 * 7))
        .collect();
    Key::new(enctype, &bytes).unwrap()
}

pub(super) fn identity(name: &str) -> Identity {
    Identity::Kerberos(Principal::parse(name).unwrap())
}

/// One side of a context; change a field before `establish` where a test needs it.
pub(super) fn side(role: Role, enctype: Enctype, flags: Flags) -> NewContext {
    let (client, server) = (identity("user@EXAMPLE.COM"), identity("host/h@EXAMPLE.COM"));
    let (local, peer, send_sequence, receive_sequence) = match role {
        Role::Initiator => (client, server, INITIATOR_FIRST, ACCEPTOR_FIRST),
        Role::Acceptor => (server, client, ACCEPTOR_FIRST, INITIATOR_FIRST),
    };
    NewContext {
        role,
        mechanism: Oid::KERBEROS,
        flags,
        local,
        peer: Some(peer),
        expires: Timestamp::from_unix(1_000_000),
        key: key(enctype, 0x51),
        acceptor_subkey: true,
        initiator_key: key(enctype, 0x0f),
        send_sequence,
        receive_sequence,
        delegated: None,
        evidence: None,
        auth_time: None,
        authorization_data: Vec::new(),
        pac: None,
        confounder_seed: [role as u8; 16].into(),
    }
}

/// Initiator and acceptor.
pub(super) fn pair(enctype: Enctype, flags: Flags) -> (SecurityContext, SecurityContext) {
    let establish = |role| SecurityContext::establish(side(role, enctype, flags));
    (establish(Role::Initiator), establish(Role::Acceptor))
}

pub(super) fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.kind(),
    }
}

/// A random source that counts.
pub(super) struct Counting(pub(super) u8);

impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for byte in out {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

/// A sealed token of the initiator, put together from the text of RFC 4121 §4.2.4 and §4.2.5
/// without the code under test. `copy` changes the header before it is sealed.
pub(super) fn sealed_by_hand(
    enctype: Enctype,
    message: &[u8],
    filler: &[u8],
    rrc: u16,
    copy: impl FnOnce(&mut WrapHeader),
) -> Vec<u8> {
    let flags = CfxFlags::SEALED | CfxFlags::ACCEPTOR_SUBKEY;
    let ec = u16::try_from(filler.len()).unwrap();
    let header = WrapHeader {
        flags,
        ec,
        rrc: 0,
        seq: INITIATOR_FIRST,
    };
    let mut inner = header;
    copy(&mut inner);
    let mut data = Vec::new();
    let cipher = key(enctype, 0x51).cipher(KeyUsage(24));
    cipher
        .encrypt_into(
            &[0xcf; 16],
            &[message, filler, &inner.to_bytes()],
            &mut data,
        )
        .unwrap();
    let count = usize::from(rrc) % data.len();
    data.rotate_right(count);
    let mut token = WrapHeader { rrc, ..header }.to_bytes().to_vec();
    token.extend_from_slice(&data);
    token
}

/// A signed token of the initiator, likewise.
pub(super) fn signed_by_hand(enctype: Enctype, message: &[u8], rrc: u16) -> Vec<u8> {
    let header = WrapHeader {
        flags: CfxFlags::ACCEPTOR_SUBKEY,
        ec: 0,
        rrc: 0,
        seq: INITIATOR_FIRST,
    };
    let tag = key(enctype, 0x51)
        .mac(KeyUsage(24))
        .compute(&[message, &header.to_bytes()]);
    let mut data = [message, tag.as_bytes()].concat();
    let count = usize::from(rrc) % data.len();
    data.rotate_right(count);
    let ec = u16::try_from(tag.as_bytes().len()).unwrap();
    let mut token = WrapHeader { ec, rrc, ..header }.to_bytes().to_vec();
    token.extend_from_slice(&data);
    token
}
