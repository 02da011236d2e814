//! What a verified PAC says.

use core::fmt;

use countersign_token::DecodeError;
use countersign_token::der::Decode;
use countersign_token::kerberos::AuthorizationData;
use countersign_token::pac::{
    BufferType, DelegationInfo, LogonInfo, Pac, PacAttributes, Sid, SidAndAttributes, UpnDnsInfo,
    UserFlags, Utf16,
};

use crate::error::PacSignature;

/// What became of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureState {
    /// There is none: the KDC does not make it.
    Absent,
    /// There is one, and no key to verify it with.
    Unverified,
    /// It is right.
    Verified,
}

/// What was verified of a PAC; the server's signature always was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) kdc: SignatureState,
    pub(crate) ticket: SignatureState,
    pub(crate) full: SignatureState,
}

/// Who the client is in Active Directory's terms, as its KDC says in the ticket: MS-PAC.
///
/// It exists only where the server's signature was right and the PAC is the ticket's own. Authorize
/// by [`user_sid`](Self::user_sid) and [`is_member_of`](Self::is_member_of): names can be changed,
/// and given to others, without a SID's changing.
///
/// ```no_run
/// # fn authorize(context: &countersign_context::SecurityContext) -> Option<bool> {
/// use countersign_context::token::pac::Sid;
///
/// let administrators: Sid = "S-1-5-21-1004336348-1177238915-682003330-512".parse().ok()?;
/// let pac = context.pac()?;
/// println!("{} ({:?})", pac.account_name()?, pac.user_sid());
/// # Some(
/// pac.is_member_of(&administrators)
/// # )
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct VerifiedPac<'a> {
    pac: Pac<'a>,
    logon: Option<LogonInfo<'a>>,
    upn: Option<UpnDnsInfo<'a>>,
    delegation: Option<DelegationInfo<'a>>,
    requestor: Option<Sid>,
    attributes: Option<PacAttributes>,
    verified: Verified,
}

impl<'a> VerifiedPac<'a> {
    /// Reads every buffer that is known, so that nothing can be malformed later.
    pub(crate) fn new(pac: Pac<'a>, verified: Verified) -> Result<Self, DecodeError> {
        Ok(Self {
            logon: pac.logon_info()?,
            upn: pac.upn_dns_info()?,
            delegation: pac.delegation_info()?,
            requestor: pac.requestor()?,
            attributes: pac.attributes()?,
            pac,
            verified,
        })
    }

    /// The PAC in authorization data in which it was verified.
    pub(crate) fn within(data: &'a [u8], verified: Verified) -> Option<Self> {
        let data = AuthorizationData::from_der(data).ok()?;
        let bytes = super::find(Some(&data)).ok()??;
        Self::new(Pac::parse(bytes).ok()?, verified).ok()
    }

    /// The account. `None` when the KDC is no domain controller, as MIT krb5's.
    #[must_use]
    pub fn user_sid(&self) -> Option<Sid> {
        self.logon
            .and_then(|logon| logon.user_sid())
            .or_else(|| self.upn?.sid)
    }

    /// The account's name in its domain (sAMAccountName).
    #[must_use]
    pub fn account_name(&self) -> Option<Utf16<'a>> {
        let logon = self.logon.map(|logon| logon.effective_name);
        logon.or_else(|| self.upn?.sam_name)
    }

    /// The person's name.
    #[must_use]
    pub fn full_name(&self) -> Option<Utf16<'a>> {
        self.logon.map(|logon| logon.full_name)
    }

    /// The NetBIOS name of the account's domain.
    #[must_use]
    pub fn logon_domain(&self) -> Option<Utf16<'a>> {
        self.logon.map(|logon| logon.logon_domain_name)
    }

    /// The NetBIOS name of the domain controller where the client logged on.
    #[must_use]
    pub fn logon_server(&self) -> Option<Utf16<'a>> {
        self.logon.map(|logon| logon.logon_server)
    }

    /// The account's domain.
    #[must_use]
    pub fn domain_sid(&self) -> Option<Sid> {
        self.logon?.logon_domain_id
    }

    /// The user principal name; one made up of account and domain where the account has none.
    #[must_use]
    pub fn upn(&self) -> Option<Utf16<'a>> {
        self.upn.map(|upn| upn.upn)
    }

    /// The DNS name of the account's domain.
    #[must_use]
    pub fn dns_domain(&self) -> Option<Utf16<'a>> {
        self.upn.map(|upn| upn.dns_domain_name)
    }

    /// Every group, also those that do not count, with what they mean: of the account's domain, of
    /// other domains, of the service's domain. MS-PAC §2.5.
    pub fn groups(&self) -> impl Iterator<Item = SidAndAttributes> + 'a {
        self.logon.into_iter().flat_map(|logon| {
            let of = |domain: Option<Sid>, groups: countersign_token::pac::GroupMemberships<'a>| {
                let domain = domain.into_iter();
                domain.flat_map(move |domain| {
                    groups.iter().filter_map(move |group| {
                        Some(SidAndAttributes {
                            sid: domain.with_rid(group.relative_id)?,
                            attributes: group.attributes,
                        })
                    })
                })
            };
            // Without the flags the fields mean nothing. With a UserId of zero the first extra SID
            // is the account itself.
            let extra = logon.user_flags.contains(UserFlags::EXTRA_SIDS);
            let extra = logon
                .extra_sids
                .iter()
                .filter(move |_| extra)
                .skip(usize::from(logon.user_id == 0));
            let resource = logon
                .resource_group_domain_sid
                .filter(|_| logon.user_flags.contains(UserFlags::RESOURCE_GROUPS));
            of(logon.logon_domain_id, logon.group_ids)
                .chain(extra)
                .chain(of(resource, logon.resource_group_ids))
        })
    }

    /// Whether the client is in a group, and the group counts (`SE_GROUP_ENABLED`).
    ///
    /// Only groups that the KDC lists: those that a computer adds by itself, such as
    /// [`Sid::EVERYONE`] or its local groups, are in no PAC.
    #[must_use]
    pub fn is_member_of(&self, group: &Sid) -> bool {
        self.groups()
            .any(|known| known.attributes.is_enabled() && known.sid == *group)
    }

    /// What became of a signature. The server's is [`Verified`](SignatureState::Verified).
    #[must_use]
    pub fn signature(&self, signature: PacSignature) -> SignatureState {
        match signature {
            PacSignature::Server => SignatureState::Verified,
            PacSignature::Kdc => self.verified.kdc,
            PacSignature::Ticket => self.verified.ticket,
            PacSignature::Full => self.verified.full,
        }
    }

    /// What the domain knows of the client, in full.
    #[must_use]
    pub fn logon_info(&self) -> Option<&LogonInfo<'a>> {
        self.logon.as_ref()
    }

    /// The client's other names, in full.
    #[must_use]
    pub fn upn_dns_info(&self) -> Option<&UpnDnsInfo<'a>> {
        self.upn.as_ref()
    }

    /// The services that act for the client (S4U2proxy).
    #[must_use]
    pub fn delegation_info(&self) -> Option<&DelegationInfo<'a>> {
        self.delegation.as_ref()
    }

    /// Who asked for the ticket-granting ticket.
    #[must_use]
    pub fn requestor(&self) -> Option<Sid> {
        self.requestor
    }

    /// How the PAC came to be asked for.
    #[must_use]
    pub fn attributes(&self) -> Option<PacAttributes> {
        self.attributes
    }

    /// The bytes of a buffer, for those that this library does not read: claims, the device.
    #[must_use]
    pub fn buffer(&self, buffer_type: BufferType) -> Option<&'a [u8]> {
        self.pac.buffer(buffer_type)
    }

    /// When the client first authenticated, which was compared with the ticket: MS-PAC §2.7.
    pub(crate) fn auth_time(&self) -> Option<i64> {
        self.pac.client_info().ok()??.client_id.unix_seconds()
    }

    /// All of it, as it was in the ticket. MS-PAC §2.3.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.pac.as_bytes()
    }
}

impl fmt::Debug for VerifiedPac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedPac")
            .field("user_sid", &self.user_sid())
            .field("account_name", &self.account_name())
            .field("verified", &self.verified)
            .finish_non_exhaustive()
    }
}
