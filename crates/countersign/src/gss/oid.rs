//! Object identifiers of mechanisms and names, and sets of them.

use crate::token::oid::Oid;

/// 1.2.840.113554.1.2.2: Kerberos 5 (RFC 1964 §1), the default.
pub const GSS_MECH_KRB5: Oid<'static> = Oid::KERBEROS;
/// 1.3.6.1.5.2.5: Kerberos 5 through the acceptor (draft-ietf-kitten-iakerb).
pub const GSS_MECH_IAKERB: Oid<'static> = Oid::IAKERB;
/// 1.2.840.113554.1.2.2.3: Kerberos 5 user-to-user (draft-swift-win2k-krb-user2user).
pub const GSS_MECH_KRB5_USER_TO_USER: Oid<'static> = Oid::KERBEROS_USER_TO_USER;
/// 1.3.6.1.5.5.2: negotiation (RFC 4178 §3).
pub const GSS_MECH_SPNEGO: Oid<'static> = Oid::SPNEGO;
/// 1.3.6.1.4.1.311.2.2.10: NTLM (MS-NLMP §1.9); used with the feature `ntlm`.
pub const GSS_MECH_NTLMSSP: Oid<'static> = Oid::NTLMSSP;

/// 1.2.840.113554.1.2.1.1: a user (RFC 2744 appendix A).
pub const GSS_C_NT_USER_NAME: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01");
/// 1.2.840.113554.1.2.1.2: the number of a user in a machine's form (RFC 2744 appendix A). Refused:
/// it means nothing to another machine.
pub const GSS_C_NT_MACHINE_UID_NAME: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x02");
/// 1.2.840.113554.1.2.1.3: the number of a user in digits (RFC 2744 appendix A). Refused as well.
pub const GSS_C_NT_STRING_UID_NAME: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x03");
/// 1.2.840.113554.1.2.1.4: `service@host` (RFC 2744 appendix A, RFC 2743 §4.1).
pub const GSS_C_NT_HOSTBASED_SERVICE: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04");
/// 1.3.6.1.5.6.2: the same as RFC 2743 §4.1 numbers it, which nobody sends.
pub const GSS_C_NT_HOSTBASED_SERVICE_X: Oid<'static> =
    Oid::from_static(b"\x2b\x06\x01\x05\x06\x02");
/// 1.3.6.1.5.6.3: nobody (RFC 2743 §4.5).
pub const GSS_C_NT_ANONYMOUS: Oid<'static> = Oid::from_static(b"\x2b\x06\x01\x05\x06\x03");
/// 1.3.6.1.5.6.4: an exported name (RFC 2743 §4.7).
pub const GSS_C_NT_EXPORT_NAME: Oid<'static> = Oid::from_static(b"\x2b\x06\x01\x05\x06\x04");
/// 1.3.6.1.5.6.6: an exported name with attributes (RFC 6680 §7.8).
pub const GSS_C_NT_COMPOSITE_EXPORT: Oid<'static> = Oid::from_static(b"\x2b\x06\x01\x05\x06\x06");
/// 1.2.840.113554.1.2.2.1: a principal (RFC 1964 §2.1.1).
pub const GSS_KRB5_NT_PRINCIPAL_NAME: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01");
/// 1.2.840.113554.1.2.2.6: an enterprise name, `user@domain` as one component (RFC 6806 §5).
pub const GSS_KRB5_NT_ENTERPRISE_NAME: Oid<'static> =
    Oid::from_static(b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x06");

/// A set of object identifiers, in the order in which they were put in (`gss_OID_set`).
///
/// ```
/// use countersign::gss::{OidSet, oid};
///
/// let set = OidSet::from([oid::GSS_MECH_SPNEGO, oid::GSS_MECH_KRB5]);
/// assert!(set.contains(oid::GSS_MECH_KRB5) && !set.contains(oid::GSS_MECH_NTLMSSP));
/// assert_eq!(set.with(oid::GSS_MECH_KRB5).len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OidSet(Vec<Oid<'static>>);

impl OidSet {
    /// Nothing (`gss_create_empty_oid_set`).
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The set with one more member (`gss_add_oid_set_member`).
    #[must_use]
    pub fn with(mut self, oid: Oid<'static>) -> Self {
        if !self.contains(oid) {
            self.0.push(oid);
        }
        self
    }

    /// Whether it is a member (`gss_test_oid_set_member`).
    #[must_use]
    pub fn contains(&self, oid: Oid<'_>) -> bool {
        let members: &[Oid<'_>] = &self.0;
        members.contains(&oid)
    }

    /// The members.
    pub fn iter(&self) -> impl Iterator<Item = Oid<'static>> + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Oid<'static>> for OidSet {
    fn from_iter<I: IntoIterator<Item = Oid<'static>>>(members: I) -> Self {
        members.into_iter().fold(Self::new(), Self::with)
    }
}

impl<const N: usize> From<[Oid<'static>; N]> for OidSet {
    fn from(members: [Oid<'static>; N]) -> Self {
        members.into_iter().collect()
    }
}
