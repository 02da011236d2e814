use super::data::{EncryptedData, EncryptionKey, HostAddress, HostAddresses};
use super::flags::TicketFlags;
use super::macros::sequence;
use super::principal::{PrincipalName, Realm};
use super::ticket::Ticket;
use super::time::{KerberosTime, Microseconds};
use crate::der::{Encoded, SequenceOf};

sequence! {
    /// Credentials on their way to another principal: delegation.
    ///
    /// ```text
    /// KRB-CRED        ::= [APPLICATION 22] SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (22),
    ///         tickets         [2] SEQUENCE OF Ticket,
    ///         enc-part        [3] EncryptedData -- EncKrbCredPart
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.8.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KrbCred<'a>: application 22 {
        const [0] = 5;
        const [1] = 22;
        /// The tickets, byte for byte.
        [2] tickets: SequenceOf<'a, Encoded<'a, Ticket<'a>>>,
        /// An [`EncKrbCredPart`], key usage 14; enctype 0 means that it is not encrypted.
        [3] enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// The secrets of a KRB-CRED's tickets.
    ///
    /// ```text
    /// EncKrbCredPart  ::= [APPLICATION 29] SEQUENCE {
    ///         ticket-info     [0] SEQUENCE OF KrbCredInfo,
    ///         nonce           [1] UInt32 OPTIONAL,
    ///         timestamp       [2] KerberosTime OPTIONAL,
    ///         usec            [3] Microseconds OPTIONAL,
    ///         s-address       [4] HostAddress OPTIONAL,
    ///         r-address       [5] HostAddress OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.8.1.
    #[derive(Clone, Copy, Debug)]
    pub struct EncKrbCredPart<'a>: application 29 {
        /// What goes with each ticket, in the same order.
        [0] ticket_info: SequenceOf<'a, KrbCredInfo<'a>>,
        /// A number that the recipient asked for.
        [1] nonce: Option<u32>,
        /// The sender's clock.
        [2] timestamp: Option<KerberosTime>,
        /// Its microseconds.
        [3] usec: Option<Microseconds>,
        /// The sender's address.
        [4] s_address: Option<HostAddress<'a>>,
        /// The recipient's address.
        [5] r_address: Option<HostAddress<'a>>,
    }
}

sequence! {
    /// What goes with one ticket.
    ///
    /// ```text
    /// KrbCredInfo     ::= SEQUENCE {
    ///         key             [0] EncryptionKey,
    ///         prealm          [1] Realm OPTIONAL,
    ///         pname           [2] PrincipalName OPTIONAL,
    ///         flags           [3] TicketFlags OPTIONAL,
    ///         authtime        [4] KerberosTime OPTIONAL,
    ///         starttime       [5] KerberosTime OPTIONAL,
    ///         endtime         [6] KerberosTime OPTIONAL,
    ///         renew-till      [7] KerberosTime OPTIONAL,
    ///         srealm          [8] Realm OPTIONAL,
    ///         sname           [9] PrincipalName OPTIONAL,
    ///         caddr           [10] HostAddresses OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.8.1.
    #[derive(Clone, Copy, Debug)]
    pub struct KrbCredInfo<'a> {
        /// The session key.
        [0] key: EncryptionKey<'a>,
        /// The client's realm.
        [1] prealm: Option<Realm<'a>>,
        /// The client.
        [2] pname: Option<PrincipalName<'a>>,
        /// The ticket's flags.
        [3] flags: Option<TicketFlags>,
        /// When the client first authenticated.
        [4] authtime: Option<KerberosTime>,
        /// When the ticket becomes valid.
        [5] starttime: Option<KerberosTime>,
        /// When the ticket stops being valid.
        [6] endtime: Option<KerberosTime>,
        /// Until when the ticket can be renewed.
        [7] renew_till: Option<KerberosTime>,
        /// The service's realm.
        [8] srealm: Option<Realm<'a>>,
        /// The service.
        [9] sname: Option<PrincipalName<'a>>,
        /// The addresses that the ticket may be used from.
        [10] caddr: Option<HostAddresses<'a>>,
    }
}
