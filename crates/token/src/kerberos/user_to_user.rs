//! User-to-user in GSS-API: how an acceptor without a long-term key hands out its TGT, and an
//! initiator gets a ticket that is encrypted in that TGT's session key (RFC 4120 §3.7).
//!
//! The tokens are framed with [`Oid::KERBEROS_USER_TO_USER`](crate::oid::Oid) and have the
//! identifiers [`TokenId::TgtReq`](super::gss_token::TokenId::TgtReq) and
//! [`TokenId::TgtRep`](super::gss_token::TokenId::TgtRep); an AP-REQ follows as ever.
//!
//! ```
//! use countersign_token::der::{Decode, Encode};
//! use countersign_token::kerberos::TgtReq;
//!
//! let request = TgtReq { server_name: None, realm: None };
//! assert_eq!(request.to_der(), [0x30, 10, 0xa0, 3, 2, 1, 5, 0xa1, 3, 2, 1, 16]);
//! # assert_eq!(TgtReq::from_der(&request.to_der()), Ok(request));
//! ```

use super::macros::sequence;
use super::principal::{PrincipalName, Realm};
use super::ticket::Ticket;
use crate::der::Encoded;

sequence! {
    /// An initiator's request for the acceptor's TGT.
    ///
    /// ```text
    /// KERB-TGT-REQUEST ::= SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (16),
    ///         server-name     [2] PrincipalName OPTIONAL,
    ///         realm           [3] Realm OPTIONAL
    /// }
    /// ```
    ///
    /// Source: draft-swift-win2k-krb-user2user-03 3; the type's number is reserved in RFC 4120
    /// §7.5.7.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TgtReq<'a> {
        const [0] = 5;
        const [1] = 16;
        /// Whom the initiator takes the acceptor for.
        [2] server_name: Option<PrincipalName<'a>>,
        /// The acceptor's realm.
        [3] realm: Option<Realm<'a>>,
    }
}

sequence! {
    /// The acceptor's TGT, without its session key.
    ///
    /// ```text
    /// KERB-TGT-REPLY  ::= SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (17),
    ///         ticket          [2] Ticket
    /// }
    /// ```
    ///
    /// Source: draft-swift-win2k-krb-user2user-03 3. Nothing in it is authenticated: a wrong TGT
    /// leads to a ticket that the acceptor cannot decrypt.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TgtRep<'a> {
        const [0] = 5;
        const [1] = 17;
        /// The TGT, byte for byte.
        [2] ticket: Encoded<'a, Ticket<'a>>,
    }
}
