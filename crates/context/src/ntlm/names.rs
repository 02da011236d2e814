//! What an acceptor says of itself, and what names of services it answers to.

use core::fmt;

use countersign_credential::ServiceName;
use countersign_credential::ntlm::AccountName;
use countersign_crypto::{Random, RandomError};
use countersign_token::ntlm::{AvId, AvPairsBuilder};

use crate::error::{ErrorKind, NtlmProblem};

/// The names of a server and its domain, which initiators see in its CHALLENGE before anybody is
/// authenticated (MS-NLMP §2.2.2.1).
///
/// ```
/// use countersign_context::ntlm::ServerNames;
///
/// let names = ServerNames::new("WWW", "EXAMPLE")?.with_dns("www.example.com", "example.com")?;
/// # Ok::<(), countersign_context::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerNames {
    computer: String,
    domain: String,
    account: AccountName,
    dns_computer: Option<String>,
    dns_domain: Option<String>,
    dns_tree: Option<String>,
}

impl ServerNames {
    /// The NetBIOS names of computer and domain, in upper case by custom. A server without a domain
    /// gives its own name twice.
    ///
    /// # Errors
    /// [`NtlmProblem::NameRefused`]: empty, longer than 256 characters (255 for the computer), or with
    /// control characters or a backslash.
    pub fn new(computer: &str, domain: &str) -> Result<Self, crate::Error> {
        let (computer, domain) = (checked(computer)?, checked(domain)?);
        let account = AccountName::new(domain.as_str(), format!("{computer}$"))
            .map_err(|_| NtlmProblem::NameRefused)?;
        Ok(Self {
            computer,
            domain,
            account,
            dns_computer: None,
            dns_domain: None,
            dns_tree: None,
        })
    }

    /// The DNS names of computer and domain.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_dns(mut self, computer: &str, domain: &str) -> Result<Self, crate::Error> {
        self.dns_computer = Some(checked(computer)?);
        self.dns_domain = Some(checked(domain)?);
        Ok(self)
    }

    /// The DNS name of the forest.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_forest(mut self, tree: &str) -> Result<Self, crate::Error> {
        self.dns_tree = Some(checked(tree)?);
        Ok(self)
    }

    /// The NetBIOS name of the computer.
    #[must_use]
    pub fn computer(&self) -> &str {
        &self.computer
    }

    /// The NetBIOS name of the domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The computer's account, as domains name it: `DOMAIN\COMPUTER$`.
    pub(super) fn account(&self) -> &AccountName {
        &self.account
    }

    /// The target information of a CHALLENGE, in the order in which Windows has it.
    pub(super) fn target_info(&self, timestamp: u64) -> Result<Vec<u8>, ErrorKind> {
        let names = [
            (AvId::NB_DOMAIN_NAME, Some(&self.domain)),
            (AvId::NB_COMPUTER_NAME, Some(&self.computer)),
            (AvId::DNS_DOMAIN_NAME, self.dns_domain.as_ref()),
            (AvId::DNS_COMPUTER_NAME, self.dns_computer.as_ref()),
            (AvId::DNS_TREE_NAME, self.dns_tree.as_ref()),
        ];
        let length = |sum: usize, (_, name): &(AvId, Option<&String>)| {
            let name = name.map_or(0, |name| name.len().saturating_mul(2));
            sum.saturating_add(name).saturating_add(4)
        };
        // And the timestamp, and the end.
        let length = names.iter().fold(16, length);
        let mut pairs = AvPairsBuilder::with_capacity(length);
        let refused = |_| ErrorKind::Internal("target information");
        for (id, name) in names {
            if let Some(name) = name {
                pairs.push_text(id, name).map_err(refused)?;
            }
        }
        pairs
            .push(AvId::TIMESTAMP, &timestamp.to_le_bytes())
            .map_err(refused)?;
        Ok(pairs.finish())
    }
}

/// What an acceptor makes of the target name in a response (`MsvAvTargetName`, MS-NLMP §2.2.2.1):
/// which service the initiator meant to reach.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TargetNamePolicy {
    /// Not looked at.
    #[default]
    Ignore,
    /// One of these, or none given.
    IfPresent(Vec<ServiceName>),
    /// One of these, and proved to be what the initiator meant: responses without a name are
    /// refused, and those that say themselves that they do not know where the name comes from.
    Required(Vec<ServiceName>),
}

impl TargetNamePolicy {
    /// `target` is what the initiator meant.
    pub(super) fn check(&self, target: Option<&TargetName>) -> Result<(), ErrorKind> {
        let (services, required) = match self {
            Self::Ignore => return Ok(()),
            Self::IfPresent(services) => (services, false),
            Self::Required(services) => (services, true),
        };
        let admitted = match target {
            None => !required,
            Some(target) if required && target.unverified => false,
            Some(target) => ServiceName::parse(&target.name)
                .is_ok_and(|name| services.iter().any(|service| same(service, &name))),
        };
        if admitted {
            Ok(())
        } else {
            Err(NtlmProblem::TargetRefused.into())
        }
    }
}

/// Which service an initiator says that it means to reach (`MsvAvTargetName`, MS-NLMP §2.2.2.1). It is
/// part of what the response proves: nobody on the way has put it there or altered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetName {
    name: String,
    unverified: bool,
}

impl TargetName {
    /// `None` for an empty name, which is what initiators send that have none.
    pub(crate) fn new(name: String, unverified: bool) -> Option<Self> {
        (!name.is_empty()).then_some(Self { name, unverified })
    }

    /// The name as the initiator wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether the initiator says itself that the name comes from a source that it does not trust
    /// (`MsvAvFlags` 0x00000004): somebody else may have chosen it, and it proves nothing.
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        self.unverified
    }
}

/// Service and host without regard to case, as Windows compares SPNs; a port or instance only
/// where the list names one.
fn same(listed: &ServiceName, named: &ServiceName) -> bool {
    listed.service().eq_ignore_ascii_case(named.service())
        && listed.host().eq_ignore_ascii_case(named.host())
        && (listed.port().is_none() || listed.port() == named.port())
        && (listed.instance().is_none() || listed.instance() == named.instance())
}

/// Marks the messages of one machine (MS-NLMP §2.2.2.2), so that its acceptors know responses that
/// its own initiators made: somebody who sends them back reflects them.
///
/// Draw one when the program begins and give it to every initiator and every acceptor credential of
/// the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MachineId(pub(super) [u8; 32]);

impl MachineId {
    /// A fresh one.
    ///
    /// # Errors
    /// Where the random source fails.
    pub fn generate(random: &mut dyn Random) -> Result<Self, RandomError> {
        let mut id = [0; 32];
        random.fill(&mut id)?;
        Ok(Self(id))
    }

    /// One that was drawn elsewhere, by another process of the machine.
    #[must_use]
    pub const fn from_bytes(id: [u8; 32]) -> Self {
        Self(id)
    }
}

impl fmt::Debug for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MachineId(..)")
    }
}

fn checked(name: &str) -> Result<String, crate::Error> {
    let fits = !name.is_empty() && name.encode_utf16().count() <= 256;
    if fits && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(NtlmProblem::NameRefused.into())
    }
}
