//! Per-message tokens of RFC 4121 §4.2.
//!
//! ```text
//! MIC     04 04 | flags | FF FF FF FF FF | SND_SEQ (8)         | checksum (message | header)
//! Wrap    05 04 | flags | FF | EC (2) | RRC (2) | SND_SEQ (8)  | rotated data
//!
//!   sealed   data = E(confounder | message | EC bytes of filler | header with RRC 0) | MAC
//!   signed   data = message | checksum (message | header with EC 0 and RRC 0), EC its length
//! ```

mod open;
mod seal;

pub(super) use open::{CfxReceiver, Opened};
pub(super) use seal::CfxSender;

use countersign_crypto::{Cipher, Key, KeyUsage, Mac};
use countersign_token::kerberos::cfx::{CfxFlags, HEADER_LEN};

use super::Role;
use super::facts::KerberosFacts;
use super::iov::{self, Gathered, IoBuffer, Segments};
use super::prepared;
use crate::error::{Error, ErrorKind};

/// The length of either header.
pub(super) const HEADER: usize = HEADER_LEN;

/// The length of the confounder: one block, for every enctype with these tokens.
pub(super) const CONFOUNDER: usize = 16;

/// The flags that this implementation knows; others are ignored where they arrive (RFC 4121
/// §4.2.2), but never without being authenticated.
pub(super) fn flags(facts: KerberosFacts<'_>, sender: Role, sealed: bool) -> CfxFlags {
    let mut flags = CfxFlags::NONE;
    if sender == Role::Acceptor {
        flags = flags | CfxFlags::SENT_BY_ACCEPTOR;
    }
    if sealed {
        flags = flags | CfxFlags::SEALED;
    }
    if facts.keys.acceptor_subkey {
        flags = flags | CfxFlags::ACCEPTOR_SUBKEY;
    }
    flags
}

/// Filler that DCE style adds to sealed messages: one block. Windows rotates by EC + RRC and
/// always has EC = 16 there (MS-KILE §3.4.5.4.1; so do MIT krb5 and Heimdal).
pub(super) fn dce_extra(facts: KerberosFacts<'_>) -> usize {
    if facts.dce_style() { 16 } else { 0 }
}

/// The keys of one direction, derived when first needed.
pub(super) struct DirectionKeys {
    sender: Role,
    wrap_cipher: Option<Cipher>,
    wrap_mac: Option<Mac>,
    mic_mac: Option<Mac>,
}

impl DirectionKeys {
    pub(super) fn new(sender: Role) -> Self {
        Self {
            sender,
            wrap_cipher: None,
            wrap_mac: None,
            mic_mac: None,
        }
    }

    /// RFC 4121 §2: Wrap tokens, sealed or not, have the usage called SEAL.
    fn wrap_usage(&self) -> KeyUsage {
        match self.sender {
            Role::Acceptor => KeyUsage::ACCEPTOR_SEAL,
            Role::Initiator => KeyUsage::INITIATOR_SEAL,
        }
    }

    /// RFC 4121 §2: MIC tokens have the usage called SIGN.
    fn mic_usage(&self) -> KeyUsage {
        match self.sender {
            Role::Acceptor => KeyUsage::ACCEPTOR_SIGN,
            Role::Initiator => KeyUsage::INITIATOR_SIGN,
        }
    }

    fn wrap_cipher(&mut self, key: &Key) -> &Cipher {
        let usage = self.wrap_usage();
        prepared(&mut self.wrap_cipher, || key.cipher(usage))
    }

    fn wrap_mac(&mut self, key: &Key) -> &Mac {
        let usage = self.wrap_usage();
        prepared(&mut self.wrap_mac, || key.mac(usage))
    }

    fn mic_mac(&mut self, key: &Key) -> &Mac {
        let usage = self.mic_usage();
        prepared(&mut self.mic_mac, || key.mac(usage))
    }
}

/// A sealed message in scattered buffers, taken apart.
struct Pieces<'s> {
    header: &'s mut [u8; HEADER],
    confounder: &'s mut [u8],
    /// Filler and the copy of the header.
    last: &'s mut [u8],
    mac: &'s mut [u8],
    segments: Segments<'s>,
}

impl<'s> Pieces<'s> {
    /// By the length of the MAC; the confounder has its fixed length, and what is left is `last`.
    #[inline]
    fn of(buffers: &'s mut [IoBuffer<'_>], mac: usize) -> Option<Self> {
        let Gathered {
            header,
            trailer,
            segments,
        } = iov::gather(buffers);
        let (header, rest) = header?.split_first_chunk_mut::<HEADER>()?;
        let (after, confounder) = match trailer {
            Some(trailer) => (trailer, rest),
            None => rest.split_at_mut_checked(rest.len().checked_sub(CONFOUNDER)?)?,
        };
        let (last, mac) = after.split_at_mut_checked(after.len().checked_sub(mac)?)?;
        Some(Self {
            header,
            confounder,
            last,
            mac,
            segments,
        })
    }
}

/// What cannot happen.
#[cold]
fn internal(what: &'static str) -> Error {
    Error::new(ErrorKind::Internal(what))
}
