use super::claimed::Claimed;
use super::macros::sequence;
use super::principal::{KerberosString, PrincipalName, Realm};
use super::time::{KerberosTime, Microseconds};
use crate::der::SequenceOf;

sequence! {
    /// An error message. Nothing in it is authenticated.
    ///
    /// ```text
    /// KRB-ERROR       ::= [APPLICATION 30] SEQUENCE {
    ///         pvno            [0] INTEGER (5),
    ///         msg-type        [1] INTEGER (30),
    ///         ctime           [2] KerberosTime OPTIONAL,
    ///         cusec           [3] Microseconds OPTIONAL,
    ///         stime           [4] KerberosTime,
    ///         susec           [5] Microseconds,
    ///         error-code      [6] Int32,
    ///         crealm          [7] Realm OPTIONAL,
    ///         cname           [8] PrincipalName OPTIONAL,
    ///         realm           [9] Realm -- service realm --,
    ///         sname           [10] PrincipalName -- service name --,
    ///         e-text          [11] KerberosString OPTIONAL,
    ///         e-data          [12] OCTET STRING OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.9.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KrbError<'a>: application 30 {
        const [0] = 5;
        const [1] = 30;
        /// The client's clock, given back.
        [2] ctime: Option<KerberosTime>,
        /// Its microseconds.
        [3] cusec: Option<Microseconds>,
        /// The sender's clock.
        [4] stime: KerberosTime,
        /// Its microseconds.
        [5] susec: Microseconds,
        /// RFC 4120 §7.5.9: what went wrong.
        [6] error_code: i32,
        /// The client's realm.
        [7] crealm: Option<Claimed<Realm<'a>>>,
        /// The client.
        [8] cname: Option<Claimed<PrincipalName<'a>>>,
        /// The service's realm.
        [9] realm: Claimed<Realm<'a>>,
        /// The service.
        [10] sname: Claimed<PrincipalName<'a>>,
        /// A text for people.
        [11] e_text: Option<KerberosString<'a>>,
        /// More, of a type that the error code decides: a [`MethodData`](super::MethodData), a
        /// [`TypedData`], or what Windows puts here.
        [12] e_data: Option<&'a [u8]>,
    }
}

sequence! {
    /// An element of a [`TypedData`].
    ///
    /// ```text
    /// TYPED-DATA      ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
    ///         data-type       [0] Int32,
    ///         data-value      [1] OCTET STRING OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.9.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct TypedDataEntry<'a> {
        /// The type.
        [0] data_type: i32,
        /// The value.
        [1] data_value: Option<&'a [u8]>,
    }
}

/// RFC 4120 §5.9.1: `TYPED-DATA ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { .. }`.
pub type TypedData<'a> = SequenceOf<'a, TypedDataEntry<'a>>;
