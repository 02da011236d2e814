//! Contexts as bytes, to continue in another process.
//!
//! ```text
//! "countersign context" 00 | version (2)
//! role (1: 0 initiator, 1 acceptor) | mechanism (OID contents, counted)
//! flags (4) | expires: seconds (8), microseconds (4)
//! local identity | peer: 0, or 1 and an identity
//! sending: first (8), 0 or 1 and next (8)
//! receiving: first (8), 0 or 1 and last (8), seen (8)
//! keys
//!
//! identity   1 (Kerberos) | name type (4) | realm, counted | components (4), each counted
//!            2 (NTLM) | 0 account, 1 anonymous, 2 guest | domain, counted | user, counted
//! keys       1 (Kerberos) | key | acceptor subkey (1: 0 or 1) | initiator's key
//!                | delegated: 0, or 1 and a credential cache of version 4, counted
//!                | authorization data, counted
//!                | PAC: 0, or 1 and what became of the KDC's, the ticket's and the full signature
//!                    (1 each: 0 absent, 1 unverified, 2 verified)
//!            2 (NTLM) | exported session key (16) | protection | sending RC4 | receiving RC4
//!                | target name: 0, or 1, unverified (1: 0 or 1) and the name, counted
//! key        enctype (4) | bytes, counted
//! RC4        0, or 1 and S (256), i (1), j (1)
//! counted    length (4) | bytes
//! ```
//!
//! Integers are big-endian. There is no confounder generator in it: an imported context seeds its
//! own, so that no confounder is ever used twice.

mod reader;
mod writer;

use std::sync::Arc;

use countersign_crypto::wiping_stack;
use countersign_token::oid::Oid;
use zeroize::Zeroizing;

use super::facts::Keys;
use super::receive::Receiver;
use super::send::Sender;
use super::{Role, SecurityContext};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use reader::Reader;
use writer::Writer;

const MAGIC: &[u8; 20] = b"countersign context\0";
const VERSION: u16 = 1;

/// Whose identity or keys follow.
const KERBEROS: u8 = 1;
#[cfg(feature = "ntlm")]
const NTLM: u8 = 2;

/// Every mechanism that a context can be of.
const MECHANISMS: [Oid<'static>; 6] = [
    Oid::KERBEROS,
    Oid::MS_KERBEROS,
    Oid::KERBEROS_USER_TO_USER,
    Oid::IAKERB,
    Oid::SPNEGO,
    Oid::NTLMSSP,
];

impl SecurityContext {
    /// The context as bytes, to be [imported](Self::import) by another process, once
    /// (`gss_export_sec_context`).
    ///
    /// **The bytes contain the context's keys**, and those of a delegated credential that was not
    /// taken: whoever reads them reads and forges every message, and importing them twice lets
    /// sequence numbers be used twice. Hand them over as you would a private key.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a context of a mechanism that the program brought along;
    /// [`ErrorKind::Overflow`] when a length does not fit 32 bits, or a delegated credential has
    /// times that the cache format cannot hold.
    pub fn export(self) -> Result<Zeroizing<Vec<u8>>, Error> {
        wiping_stack(|| self.write())
    }

    fn write(self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let facts = Arc::clone(&self.sender.facts);
        let (sequence, window) = (self.sender.sequence, self.receiver.window);
        let mut out = Writer::new();
        out.bytes(MAGIC);
        out.bytes(&VERSION.to_be_bytes());
        out.bytes(&[match facts.role {
            Role::Initiator => 0,
            Role::Acceptor => 1,
        }]);
        out.counted(facts.mechanism.as_bytes())?;
        out.bytes(&facts.flags.bits().to_be_bytes());
        out.bytes(&facts.expires.seconds().to_be_bytes());
        out.bytes(&facts.expires.microseconds().to_be_bytes());
        out.identity(&facts.local)?;
        match &facts.peer {
            None => out.bytes(&[0]),
            Some(peer) => {
                out.bytes(&[1]);
                out.identity(peer)?;
            }
        }
        out.number(sequence.first);
        out.optional(sequence.next);
        out.number(window.first);
        out.optional(window.last);
        out.number(window.seen);
        match &facts.keys {
            Keys::Kerberos(keys) => {
                out.bytes(&[KERBEROS]);
                out.kerberos(keys, self.receiver.delegated.as_ref())?;
            }
            #[cfg(feature = "ntlm")]
            Keys::Ntlm(keys) => {
                out.bytes(&[NTLM]);
                out.bytes(keys.exported.expose());
                out.bytes(&keys.protection.to_bytes());
                // What no message was protected with yet is derived now.
                let (mut sender, mut receiver) = (self.sender, self.receiver);
                out.stream(sender.ntlm_stream());
                out.stream(receiver.ntlm_stream());
                out.target(keys.target.as_ref())?;
            }
            Keys::Custom(_) => return Err(ErrorKind::Unsupported.into()),
        }
        Ok(out.into_bytes())
    }

    /// A context that was [exported](Self::export). It goes on where that one ended.
    ///
    /// The bytes are trusted as keys are: their form is checked, not their origin.
    ///
    /// # Errors
    /// [`ErrorKind::DefectiveExport`] when they are not such bytes; [`ErrorKind::Random`].
    pub fn import(exported: &[u8], env: &mut Environment<'_>) -> Result<Self, Error> {
        wiping_stack(|| Self::read(exported, env))
    }

    fn read(exported: &[u8], env: &mut Environment<'_>) -> Result<Self, Error> {
        let mut seed = Zeroizing::new([0; 16]);
        env.random.fill(&mut *seed)?;
        let parts = Reader::new(exported)
            .context(seed)
            .ok_or(ErrorKind::DefectiveExport)?;
        let facts = Arc::new(parts.facts);
        #[cfg_attr(not(feature = "ntlm"), expect(unused_mut, reason = "NTLM only"))]
        let mut context = Self {
            sender: Sender::resume(Arc::clone(&facts), parts.sequence),
            receiver: Receiver::resume(facts, parts.window, parts.delegated),
            negotiated: None,
        };
        #[cfg(feature = "ntlm")]
        {
            let [sending, receiving] = parts.streams;
            if !(context.sender.resume_ntlm(sending) && context.receiver.resume_ntlm(receiving)) {
                return Err(ErrorKind::DefectiveExport.into());
            }
        }
        Ok(context)
    }
}
