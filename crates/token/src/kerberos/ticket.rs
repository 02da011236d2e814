use super::authorization::AuthorizationData;
use super::claimed::Claimed;
use super::data::{EncryptedData, EncryptionKey, HostAddresses};
use super::flags::TicketFlags;
use super::macros::sequence;
use super::principal::{PrincipalName, Realm};
use super::time::KerberosTime;

sequence! {
    /// What the KDC issues and the initiator presents.
    ///
    /// ```text
    /// Ticket          ::= [APPLICATION 1] SEQUENCE {
    ///         tkt-vno         [0] INTEGER (5),
    ///         realm           [1] Realm,
    ///         sname           [2] PrincipalName,
    ///         enc-part        [3] EncryptedData -- EncTicketPart
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Ticket<'a>: application 1 {
        const [0] = 5;
        /// The service's realm, in the clear.
        [1] realm: Claimed<Realm<'a>>,
        /// The service, in the clear.
        [2] sname: Claimed<PrincipalName<'a>>,
        /// An [`EncTicketPart`] in the service's key, key usage 2.
        [3] enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// The encrypted part of a ticket: what the KDC vouches for.
    ///
    /// ```text
    /// EncTicketPart   ::= [APPLICATION 3] SEQUENCE {
    ///         flags                   [0] TicketFlags,
    ///         key                     [1] EncryptionKey,
    ///         crealm                  [2] Realm,
    ///         cname                   [3] PrincipalName,
    ///         transited               [4] TransitedEncoding,
    ///         authtime                [5] KerberosTime,
    ///         starttime               [6] KerberosTime OPTIONAL,
    ///         endtime                 [7] KerberosTime,
    ///         renew-till              [8] KerberosTime OPTIONAL,
    ///         caddr                   [9] HostAddresses OPTIONAL,
    ///         authorization-data      [10] AuthorizationData OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.3.
    #[derive(Clone, Copy, Debug)]
    pub struct EncTicketPart<'a>: application 3 {
        /// The ticket's properties.
        [0] flags: TicketFlags,
        /// The session key.
        [1] key: EncryptionKey<'a>,
        /// The client's realm.
        [2] crealm: Realm<'a>,
        /// The client.
        [3] cname: PrincipalName<'a>,
        /// The realms that vouched for the client on the way.
        [4] transited: TransitedEncoding<'a>,
        /// When the client first authenticated.
        [5] authtime: KerberosTime,
        /// When the ticket becomes valid; absent means at `authtime`.
        [6] starttime: Option<KerberosTime>,
        /// When the ticket stops being valid.
        [7] endtime: KerberosTime,
        /// Until when a renewable ticket can be renewed.
        [8] renew_till: Option<KerberosTime>,
        /// The addresses that the ticket may be used from; absent means any.
        [9] caddr: Option<HostAddresses<'a>>,
        /// What else the KDC says of the client, such as a PAC.
        [10] authorization_data: Option<AuthorizationData<'a>>,
    }
}

sequence! {
    /// The realms between the client's and the service's.
    ///
    /// ```text
    /// TransitedEncoding       ::= SEQUENCE {
    ///         tr-type         [0] Int32 -- must be registered --,
    ///         contents        [1] OCTET STRING
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.3.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TransitedEncoding<'a> {
        /// The encoding; 1 is DOMAIN-X500-COMPRESS (RFC 4120 §3.3.3.2).
        [0] tr_type: i32,
        /// The realms; empty means none.
        [1] contents: &'a [u8],
    }
}
