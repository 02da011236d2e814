use super::authorization::AuthorizationData;
use super::data::{Checksum, EncryptedData, EncryptionKey};
use super::flags::ApOptions;
use super::macros::sequence;
use super::principal::{PrincipalName, Realm};
use super::ticket::Ticket;
use super::time::{KerberosTime, Microseconds};
use crate::der::Encoded;

sequence! {
    /// The initiator's message: a ticket, and the proof that its sender knows the session key.
    ///
    /// ```text
    /// AP-REQ          ::= [APPLICATION 14] SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (14),
    ///         ap-options      [2] APOptions,
    ///         ticket          [3] Ticket,
    ///         authenticator   [4] EncryptedData -- Authenticator
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.5.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ApReq<'a>: application 14 {
        const [0] = 5;
        const [1] = 14;
        /// What the initiator asks for.
        [2] ap_options: ApOptions,
        /// The ticket, byte for byte as the KDC wrote it.
        [3] ticket: Encoded<'a, Ticket<'a>>,
        /// An [`Authenticator`] in the session key, key usage 11 (7 in a TGS-REQ).
        [4] authenticator: EncryptedData<'a>,
    }
}

sequence! {
    /// The proof in an AP-REQ.
    ///
    /// ```text
    /// Authenticator   ::= [APPLICATION 2] SEQUENCE  {
    ///         authenticator-vno       [0] INTEGER (5),
    ///         crealm                  [1] Realm,
    ///         cname                   [2] PrincipalName,
    ///         cksum                   [3] Checksum OPTIONAL,
    ///         cusec                   [4] Microseconds,
    ///         ctime                   [5] KerberosTime,
    ///         subkey                  [6] EncryptionKey OPTIONAL,
    ///         seq-number              [7] UInt32 OPTIONAL,
    ///         authorization-data      [8] AuthorizationData OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.5.1.
    #[derive(Clone, Copy, Debug)]
    pub struct Authenticator<'a>: application 2 {
        const [0] = 5;
        /// The client's realm; equal to the ticket's `crealm`.
        [1] crealm: Realm<'a>,
        /// The client; equal to the ticket's `cname`.
        [2] cname: PrincipalName<'a>,
        /// For GSS-API, type 0x8003: a [`GssChecksum`](super::GssChecksum).
        [3] cksum: Option<Checksum<'a>>,
        /// The microseconds of `ctime`.
        [4] cusec: Microseconds,
        /// The initiator's clock.
        [5] ctime: KerberosTime,
        /// A key for this session, chosen by the initiator.
        [6] subkey: Option<EncryptionKey<'a>>,
        /// The number of the initiator's first message.
        [7] seq_number: Option<u32>,
        /// Restrictions, and negotiation such as RFC 4537's.
        [8] authorization_data: Option<AuthorizationData<'a>>,
    }
}

sequence! {
    /// The acceptor's answer under mutual authentication.
    ///
    /// ```text
    /// AP-REP          ::= [APPLICATION 15] SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (15),
    ///         enc-part        [2] EncryptedData -- EncAPRepPart
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.5.2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ApRep<'a>: application 15 {
        const [0] = 5;
        const [1] = 15;
        /// An [`EncApRepPart`] in the session key, key usage 12.
        [2] enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// The proof in an AP-REP.
    ///
    /// ```text
    /// EncAPRepPart    ::= [APPLICATION 27] SEQUENCE {
    ///         ctime           [0] KerberosTime,
    ///         cusec           [1] Microseconds,
    ///         subkey          [2] EncryptionKey OPTIONAL,
    ///         seq-number      [3] UInt32 OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.5.2.
    #[derive(Clone, Copy, Debug)]
    pub struct EncApRepPart<'a>: application 27 {
        /// The authenticator's `ctime`, given back.
        [0] ctime: KerberosTime,
        /// The authenticator's `cusec`, given back.
        [1] cusec: Microseconds,
        /// A key for this session, chosen by the acceptor.
        [2] subkey: Option<EncryptionKey<'a>>,
        /// The number of the acceptor's first message.
        [3] seq_number: Option<u32>,
    }
}
