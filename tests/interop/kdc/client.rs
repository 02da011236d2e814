//! Our client of the KDC, pointed at a lab's.

use core::time::Duration;

use countersign_context::credential::{Keytab, Principal, TicketCredential};
use countersign_context::crypto::Enctype;
use countersign_context::kerberos::kdc::{
    ClientSecret, InitialTicket, InitialTicketOutcome, TicketOptions,
};
use countersign_context::token::kerberos::TicketFlags;
use countersign_context::{EnctypeSet, ErrorKind, KdcProblem, Policy};
use countersign_handshake::SystemEnvironment;
use countersign_handshake::kdc::{Error, KdcClient, StaticKdcs};

use crate::Result;
use crate::kdc::Kdc;
use crate::kdc::lab::Lab;

/// Nobody waits longer than this for a KDC, the faulty ones apart.
const TIMEOUT: Duration = Duration::from_secs(15);

impl Lab {
    /// Where the KDC listens.
    pub(crate) fn endpoint(&self) -> Result<String> {
        Ok(match self.kdc {
            Kdc::Mit => format!("127.0.0.1:{}", self.variable("ONE")?),
            Kdc::Heimdal => format!("127.0.0.1:{}", self.variable("KDC")?),
            Kdc::Samba => "127.0.0.10:88".to_owned(),
        })
    }

    /// Every realm of the lab, with its password-changing service.
    fn kdcs(&self) -> Result<StaticKdcs> {
        let realm = self.kdc.realm();
        let mut kdcs = StaticKdcs::new()
            .kdc(realm, &self.endpoint()?)
            .map_err(text)?;
        let password_change = match self.kdc {
            Kdc::Samba => "127.0.0.10".to_owned(),
            _ => format!("127.0.0.1:{}", self.variable("KPASSWD")?),
        };
        kdcs = kdcs
            .password_change(realm, &password_change)
            .map_err(text)?;
        if self.kdc == Kdc::Mit {
            for (realm, port) in [("TWO.TEST", "TWO"), ("THREE.TEST", "THREE")] {
                let endpoint = format!("127.0.0.1:{}", self.variable(port)?);
                kdcs = kdcs.kdc(realm, &endpoint).map_err(text)?;
            }
        }
        Ok(kdcs)
    }

    /// A client under the default policy.
    pub(crate) fn client(&self) -> Result<KdcClient> {
        Ok(KdcClient::new(self.kdcs()?).timeout(TIMEOUT))
    }

    /// A client whose realm has these KDCs only.
    pub(crate) fn client_of(&self, endpoints: &[&str]) -> Result<KdcClient> {
        let mut kdcs = StaticKdcs::new();
        for endpoint in endpoints {
            kdcs = kdcs.kdc(self.kdc.realm(), endpoint).map_err(text)?;
        }
        Ok(KdcClient::new(kdcs).timeout(TIMEOUT))
    }

    /// A principal of the lab's own realm unless it names another.
    pub(crate) fn principal(&self, name: &str) -> Result<Principal> {
        Principal::parse_with_default_realm(name, self.kdc.realm()).map_err(text)
    }

    /// The password that the scripts give to an account.
    pub(crate) fn password(&self, name: &str) -> ClientSecret {
        ClientSecret::password(match (self.kdc, name) {
            (Kdc::Samba, "grün") => "grüne Füße 1".to_owned(),
            (_, "grün") => "grüne Füße".to_owned(),
            (Kdc::Samba, name) => format!("{} Passw0rd", name.trim_end_matches('$').to_lowercase()),
            (_, name) => format!("{name} password"),
        })
    }

    /// The exchange for a ticket-granting ticket by the account's password.
    pub(crate) fn initial(&self, name: &str) -> Result<InitialTicket> {
        Ok(InitialTicket::new(
            self.principal(name)?,
            self.password(name),
        ))
    }

    /// A keytab that the script wrote.
    pub(crate) fn keytab(&self, name: &str) -> Result<Keytab> {
        let path = self.path(&format!("{name}.keytab"));
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Keytab::parse(&bytes).map_err(text)
    }

    /// The account's keys out of a keytab.
    pub(crate) fn keys(&self, keytab: &str, name: &str) -> Result<ClientSecret> {
        ClientSecret::keytab(&self.keytab(keytab)?, &self.principal(name)?).map_err(text)
    }

    /// A forwardable ticket-granting ticket by password.
    pub(crate) fn log_in(&self, name: &str) -> Result<TicketCredential> {
        self.log_in_for(name, TicketOptions::default().forwardable(true))
    }

    pub(crate) fn log_in_for(
        &self,
        name: &str,
        options: TicketOptions,
    ) -> Result<TicketCredential> {
        let outcome = self.client()?.run(self.initial(name)?.options(options));
        Ok(outcome.map_err(text)?.credential)
    }
}

/// An environment whose policy permits these enctypes only.
pub(crate) fn environment(enctypes: EnctypeSet) -> SystemEnvironment {
    SystemEnvironment::new().with_policy(Policy::default().with_enctypes(enctypes))
}

/// The enctype by the name that the scripts give it.
pub(crate) fn enctype(name: &str) -> Result<Enctype> {
    Ok(match name {
        "aes256-sha1" => Enctype::Aes256CtsHmacSha1_96,
        "aes128-sha1" => Enctype::Aes128CtsHmacSha1_96,
        "aes256-sha2" => Enctype::Aes256CtsHmacSha384_192,
        "aes128-sha2" => Enctype::Aes128CtsHmacSha256_128,
        "camellia256" => Enctype::Camellia256CtsCmac,
        "camellia128" => Enctype::Camellia128CtsCmac,
        "rc4" => Enctype::from_id(23).ok_or("built without the feature rc4")?,
        other => return Err(format!("no enctype {other}")),
    })
}

/// For the reader of the table.
pub(crate) fn text(error: impl core::fmt::Display) -> String {
    error.to_string()
}

/// That the ticket is one for the ticket-granting service, whose client and flags are these.
pub(crate) fn is_tgt(
    lab: &Lab,
    outcome: &InitialTicketOutcome,
    client: &str,
    flags: TicketFlags,
) -> Result<()> {
    let ticket = &outcome.credential;
    if ticket.client != lab.principal(client)? {
        return Err(format!("the client is {}", ticket.client));
    }
    if !ticket.server.is_ticket_granting_service() {
        return Err(format!("the ticket is for {}", ticket.server));
    }
    has_flags(ticket, flags | TicketFlags::INITIAL)
}

pub(crate) fn has_flags(ticket: &TicketCredential, flags: TicketFlags) -> Result<()> {
    if ticket.flags.contains(flags) {
        Ok(())
    } else {
        Err(format!("{:?} of {flags:?} are set", ticket.flags))
    }
}

/// That the exchange failed, with this problem.
pub(crate) fn is_problem<T>(result: Result<T, Error>, expected: KdcProblem) -> Result<()> {
    match result {
        Ok(_) => Err(format!("succeeded in place of {expected:?}")),
        Err(Error::Refused(error)) if error.kind() == ErrorKind::Kdc(expected) => Ok(()),
        Err(other) => Err(format!("{other:?} in place of {expected:?}")),
    }
}
