//! A ticket and what its client knows of it.

use alloc::vec::Vec;
use core::fmt;

use countersign_crypto::Key;
use countersign_token::kerberos::TicketFlags;
use zeroize::Zeroizing;

use crate::cache::format;
use crate::error::Error;
use crate::key_block::KeyBlock;
use crate::principal::Principal;
use crate::wire::{ByteOrder, Reader, Writer};

/// A ticket with its session key: what a client needs to authenticate to `server`.
///
/// The same type holds what a credential cache keeps, what a KDC reply brings, and what a client delegates. It is
/// not `Clone`, because it holds a key; [`duplicate`](Self::duplicate) is explicit.
pub struct TicketCredential {
    /// Whom the ticket names.
    pub client: Principal,
    /// Whom the ticket is for.
    pub server: Principal,
    /// The session key, perhaps of an enctype that this build does not know.
    pub key: KeyBlock,
    /// From when until when the ticket holds.
    pub times: TicketTimes,
    /// The ticket's flags, RFC 4120 §5.3.
    pub flags: TicketFlags,
    /// The addresses that the ticket is bound to; none means any.
    pub addresses: Vec<HostAddress>,
    /// Authorization data that the client asked to be put into the ticket.
    pub authorization_data: Vec<AuthorizationElement>,
    /// The Ticket, DER as the KDC sent it. In a configuration entry: the value.
    pub ticket: Vec<u8>,
    /// The second ticket of a user-to-user credential, DER; empty when there is none.
    pub second_ticket: Vec<u8>,
    /// Whether the ticket is encrypted in the session key of `second_ticket` (user-to-user).
    pub is_skey: bool,
}

/// The times of a ticket, in Unix seconds; 0 stands for absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TicketTimes {
    /// When the client first authenticated.
    pub auth_time: i64,
    /// From when the ticket holds; 0: from `auth_time`.
    pub start_time: i64,
    /// Until when the ticket holds.
    pub end_time: i64,
    /// Until when a renewable ticket can be renewed.
    pub renew_till: i64,
}

impl TicketTimes {
    /// From when the ticket holds: RFC 4120 §5.3, `starttime` or, when that is absent, `authtime`.
    #[must_use]
    pub fn valid_from(&self) -> i64 {
        match self.start_time {
            0 => self.auth_time,
            start => start,
        }
    }
}

/// HostAddress, RFC 4120 §5.2.5.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostAddress {
    /// The type of the address: 2 for IPv4, 24 for IPv6.
    pub addr_type: i32,
    /// The address, in network byte order.
    pub address: Vec<u8>,
}

/// One element of AuthorizationData, RFC 4120 §5.2.6.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AuthorizationElement {
    /// The type of the element; negative for local use.
    pub ad_type: i32,
    /// The element.
    pub ad_data: Vec<u8>,
}

impl TicketCredential {
    /// A credential without times, flags and the rest, which can be set afterwards.
    #[must_use]
    pub fn new(
        client: Principal,
        server: Principal,
        key: impl Into<KeyBlock>,
        ticket: Vec<u8>,
    ) -> Self {
        Self {
            client,
            server,
            key: key.into(),
            times: TicketTimes::default(),
            flags: TicketFlags(0),
            addresses: Vec::new(),
            authorization_data: Vec::new(),
            ticket,
            second_ticket: Vec::new(),
            is_skey: false,
        }
    }

    /// The session key, ready for use.
    ///
    /// # Errors
    /// [`Error::UnsupportedEnctype`] or [`Error::InvalidKeyLength`] when this build cannot use it.
    pub fn session_key(&self) -> Result<&Key, Error> {
        self.key.key()
    }

    /// Whether the ticket holds at `now` (Unix seconds), `skew` seconds of leeway given at its start.
    #[must_use]
    pub fn is_valid_at(&self, now: i64, skew: u32) -> bool {
        now.saturating_add(i64::from(skew)) >= self.times.valid_from() && now < self.times.end_time
    }

    /// Whether this is an entry of a cache's configuration and no ticket (MIT krb5, "Credential cache configuration
    /// entries").
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        self.server.realm() == crate::cache::CONFIGURATION_REALM
            && self.server.component(0) == Some(crate::cache::CONFIGURATION_NAME)
    }

    /// Whether the entry was deleted in place. The C libraries mark it so: no end time, but an authentication time
    /// (`krb5_cc_remove_cred` of MIT krb5 1.16 and Heimdal).
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.times.end_time == 0 && self.times.auth_time != 0
    }

    /// Reads a credential alone, as it stands in a version 4 cache: what keyrings and cache servers keep.
    ///
    /// # Errors
    /// The bytes are not exactly one credential.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, 0, ByteOrder::Big);
        let credential = format::read_credential(&mut reader)?;
        reader.end().map(|()| credential)
    }

    /// Writes a credential alone, as [`parse`](Self::parse) reads it.
    ///
    /// # Errors
    /// [`Error::NotRepresentable`].
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Writer::run(ByteOrder::Big, |out| format::write_credential(self, out))
    }

    /// An explicit copy, with a copy of the key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            client: self.client.clone(),
            server: self.server.clone(),
            key: self.key.duplicate(),
            times: self.times,
            flags: self.flags,
            addresses: self.addresses.clone(),
            authorization_data: self.authorization_data.clone(),
            ticket: self.ticket.clone(),
            second_ticket: self.second_ticket.clone(),
            is_skey: self.is_skey,
        }
    }
}

impl fmt::Debug for TicketCredential {
    /// Names, times and sizes; neither the key nor the bytes of tickets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketCredential")
            .field("client", &self.client)
            .field("server", &self.server)
            .field("key", &self.key)
            .field("times", &self.times)
            .field("flags", &self.flags)
            .field("ticket_len", &self.ticket.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FormatProblem;
    use crate::principal::NameType;
    use alloc::format;
    use alloc::vec;

    fn credential() -> TicketCredential {
        let user = Principal::new("R", ["user"], NameType::PRINCIPAL);
        let server = Principal::new("R", ["host", "h"], NameType::SRV_HST);
        TicketCredential::new(user, server, KeyBlock::from_parts(18, &[0xa7; 32]), vec![1])
    }

    #[test]
    fn validity_begins_with_leeway_and_ends_without() {
        let mut credential = credential();
        credential.times = TicketTimes {
            auth_time: 1_000,
            end_time: 2_000,
            ..TicketTimes::default()
        };
        assert!(!credential.is_valid_at(699, 300));
        assert!(credential.is_valid_at(700, 300));
        assert!(credential.is_valid_at(1_999, 300));
        assert!(!credential.is_valid_at(2_000, 300));
        credential.times.start_time = 1_500;
        assert!(!credential.is_valid_at(1_499, 0));
        assert!(credential.is_valid_at(1_500, 0));
    }

    #[test]
    fn debug_output_has_no_key() {
        let credential = credential();
        assert_eq!(
            credential.session_key().map(|key| key.expose()[0]),
            Ok(0xa7)
        );
        let text = format!(
            "{credential:?} {credential:#?} {:?}",
            credential.duplicate()
        );
        assert!(text.contains("user@R"));
        for secret in ["167", "a7a7", "A7A7", "a7, a7"] {
            assert!(!text.contains(secret), "{text}");
        }
    }

    #[test]
    fn a_credential_alone_is_written_and_read_without_loss() {
        let mut before = credential();
        before.times.end_time = 0xffff_ffff;
        before.flags = TicketFlags(0x40a1_0000);
        before.addresses = vec![HostAddress {
            addr_type: 2,
            address: vec![127, 0, 0, 1],
        }];
        before.authorization_data = vec![AuthorizationElement {
            ad_type: -3,
            ad_data: vec![5],
        }];
        before.second_ticket = vec![2; 9];
        before.is_skey = true;
        let bytes = before.to_bytes().unwrap();
        let after = TicketCredential::parse(&bytes).unwrap();
        assert_eq!((after.client, after.server), (before.client, before.server));
        assert_eq!(after.key.expose(), before.key.expose());
        assert_eq!((after.times, after.flags), (before.times, before.flags));
        assert_eq!(after.addresses, before.addresses);
        assert_eq!(after.authorization_data, before.authorization_data);
        assert_eq!(after.ticket, before.ticket);
        assert_eq!(after.second_ticket, before.second_ticket);
        assert!(after.is_skey);

        let problem = |bytes: &[u8]| match TicketCredential::parse(bytes) {
            Err(Error::Format { offset, problem }) => (offset, problem),
            other => panic!("{other:?}"),
        };
        let end = bytes.len();
        let longer = [&bytes[..], b"\0"].concat();
        assert_eq!(problem(&longer), (end, FormatProblem::TrailingBytes));
        // The second ticket is nine bytes and their length.
        let shorter = &bytes[..end - 1];
        assert_eq!(problem(shorter), (end - 13, FormatProblem::Truncated));
    }

    #[test]
    fn a_session_key_that_cannot_be_used_says_why() {
        let mut credential = credential();
        assert!(credential.session_key().is_ok());
        credential.key = KeyBlock::from_parts(18, &[0; 31]);
        assert_eq!(
            credential.session_key().map(|_| ()),
            Err(Error::InvalidKeyLength(18))
        );
        credential.key = KeyBlock::from_parts(-5, &[0; 8]);
        assert_eq!(
            credential.session_key().map(|_| ()),
            Err(Error::UnsupportedEnctype(-5))
        );
    }
}
