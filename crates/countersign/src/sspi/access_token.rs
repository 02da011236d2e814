//! Who the client is, as `QuerySecurityContextToken` tells.

use core::fmt;

use countersign_context::token::pac::{Sid, SidAndAttributes};
use countersign_context::{Flags, Identity, SecurityContext};

use super::context::{Context, CtxtHandle};
use super::flag_rules::Side;
use super::flags::{ASC_REQ_IDENTIFY, ASC_REQ_NO_TOKEN};
use super::{SecurityStatus, SspiError};

/// `SECURITY_IMPERSONATION_LEVEL` (MS-DTYP §2.4.7 has the numbers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecurityImpersonationLevel {
    /// The client is nobody.
    Anonymous = 0,
    /// The server may know the client and not act for it.
    Identification = 1,
    /// The server may act for the client on this machine.
    Impersonation = 2,
    /// And on others: the client delegated its credential.
    Delegation = 3,
}

/// An access token: the client's identity, with the SIDs of a PAC that was verified.
///
/// It owns all that it tells, so that it outlives the context.
#[derive(Clone)]
pub struct AccessToken {
    identity: Identity,
    account: Option<(String, String)>,
    user_sid: Option<Sid>,
    upn: Option<String>,
    groups: Vec<SidAndAttributes>,
    level: SecurityImpersonationLevel,
}

impl AccessToken {
    fn of(context: &SecurityContext, identify: bool) -> Option<Self> {
        let identity = context.peer()?.clone();
        let pac = context.pac();
        let flags = context.flags();
        let level = match &identity {
            #[cfg(feature = "ntlm")]
            Identity::Ntlm(countersign_context::NtlmIdentity::Anonymous) => {
                SecurityImpersonationLevel::Anonymous
            }
            _ if flags.contains(Flags::ANONYMOUS) => SecurityImpersonationLevel::Anonymous,
            _ if identify || flags.contains(Flags::IDENTIFY) => {
                SecurityImpersonationLevel::Identification
            }
            _ if flags.contains(Flags::DELEGATION) => SecurityImpersonationLevel::Delegation,
            _ => SecurityImpersonationLevel::Impersonation,
        };
        let account = pac.as_ref().and_then(|pac| {
            let (domain, name) = (pac.logon_domain()?, pac.account_name()?);
            Some((domain.into(), name.into()))
        });
        #[cfg(feature = "ntlm")]
        let account = account.or_else(|| {
            let account = identity.account()?;
            Some((account.domain().to_owned(), account.user().to_owned()))
        });
        Some(Self {
            account,
            user_sid: pac.as_ref().and_then(|pac| pac.user_sid()),
            upn: pac.as_ref().and_then(|pac| pac.upn()).map(String::from),
            groups: pac.map(|pac| pac.groups().collect()).unwrap_or_default(),
            identity,
            level,
        })
    }

    /// Whom the mechanism proved.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The account's domain, as Windows shows it; `None` where neither a PAC nor NTLM names one.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.account.as_ref().map(|(domain, _)| domain.as_str())
    }

    /// The account's name in its domain; as for [`domain`](Self::domain).
    #[must_use]
    pub fn account_name(&self) -> Option<&str> {
        self.account.as_ref().map(|(_, name)| name.as_str())
    }

    /// The account's SID, of the PAC.
    #[must_use]
    pub fn user_sid(&self) -> Option<Sid> {
        self.user_sid
    }

    /// The user principal name, of the PAC.
    #[must_use]
    pub fn user_principal_name(&self) -> Option<&str> {
        self.upn.as_deref()
    }

    /// Every group of the PAC, with what it means.
    #[must_use]
    pub fn groups(&self) -> &[SidAndAttributes] {
        &self.groups
    }

    /// `CheckTokenMembership`: whether the client is in a group, and the group counts.
    #[must_use]
    pub fn is_member_of(&self, group: &Sid) -> bool {
        self.groups
            .iter()
            .any(|known| known.attributes.is_enabled() && known.sid == *group)
    }

    /// What the server may do with it.
    #[must_use]
    pub fn level(&self) -> SecurityImpersonationLevel {
        self.level
    }
}

/// `DOMAIN\account` where that is known, else as the mechanism writes the name.
impl fmt::Display for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some((domain, name)) if !domain.is_empty() => write!(f, "{domain}\\{name}"),
            _ => self.identity.fmt(f),
        }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("identity", &self.identity)
            .field("user_sid", &self.user_sid)
            .field("groups", &self.groups.len())
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// `QuerySecurityContextToken`: who the client is.
///
/// # Errors
/// `SEC_E_INVALID_HANDLE` before the context is established; `SEC_E_NO_IMPERSONATION` on the
/// client's side, and under [`ASC_REQ_NO_TOKEN`].
pub fn query_security_context_token(context: &CtxtHandle) -> Result<AccessToken, SspiError> {
    context.0.access_token()
}

impl Context {
    pub(super) fn access_token(&self) -> Result<AccessToken, SspiError> {
        let context = self.established()?;
        if self.side != Side::Acceptor || self.requested & ASC_REQ_NO_TOKEN != 0 {
            return Err(SecurityStatus::SEC_E_NO_IMPERSONATION.into());
        }
        let identify = self.requested & ASC_REQ_IDENTIFY != 0;
        AccessToken::of(context, identify).ok_or(SecurityStatus::SEC_E_NO_IMPERSONATION.into())
    }
}
