//! A context of Kerberos laid open, for another implementation of its messages: a kernel, say.

use countersign_crypto::Key;

use super::SecurityContext;
use super::order::Width;

/// What an implementation of RFC 4121's or RFC 4757's messages needs to take a context on.
///
/// **It holds the context's keys.** Only one of the two may send from then on: a sequence number that
/// is used twice gives away what it protects.
#[derive(Debug)]
#[non_exhaustive]
pub struct LucidContext<'a> {
    /// The number of the next message that is sent.
    pub send_sequence: u64,
    /// The number of the next message that is due.
    pub receive_sequence: u64,
    /// What protects messages: the acceptor's subkey, else the initiator's, else the ticket's key.
    pub key: &'a Key,
    /// The initiator's subkey, else the ticket's key.
    pub initiator_key: &'a Key,
    /// Whether the acceptor asserted a subkey, which then is [`key`](Self::key).
    pub acceptor_subkey: bool,
}

impl SecurityContext {
    /// The context laid open; `None` with mechanisms other than Kerberos, and at the end of its
    /// sequence numbers.
    #[must_use]
    pub fn lucid(&self) -> Option<LucidContext<'_>> {
        let keys = self.facts().kerberos()?.keys;
        let on_the_wire = |number: u64, width| match width {
            Width::Bits64 => number,
            Width::Bits32 => number & u64::from(u32::MAX),
        };
        let (sending, receiving) = (&self.sender.sequence, &self.receiver.window);
        Some(LucidContext {
            send_sequence: on_the_wire(sending.peek().ok()?, sending.width),
            receive_sequence: on_the_wire(receiving.due(), receiving.width),
            key: &keys.key,
            initiator_key: &keys.initiator_key,
            acceptor_subkey: keys.acceptor_subkey,
        })
    }
}
