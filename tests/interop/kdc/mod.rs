//! What is asked of real KDCs: a realm of MIT's, of Heimdal's and of Samba's Active Directory, each with
//! the accounts that its script in `tests/peers/` names.

mod accept;
mod client;
mod guide;
mod hostile;
mod lab;
mod ldap;
mod rows;
mod worker;

pub(crate) use lab::Labs;
pub(crate) use rows::{Row, rows};
pub(crate) use worker::work;

/// What the role of all these rows is called.
pub(crate) const ROLE: &str = "client";

/// A KDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kdc {
    Mit,
    Heimdal,
    Samba,
}

impl Kdc {
    pub(crate) const ALL: [Self; 3] = [Self::Mit, Self::Heimdal, Self::Samba];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mit => "MIT",
            Self::Heimdal => "Heimdal",
            Self::Samba => "Samba",
        }
    }

    /// As `install.sh` calls it.
    const fn package(self) -> &'static str {
        match self {
            Self::Mit => "mit",
            Self::Heimdal => "heimdal",
            Self::Samba => "samba",
        }
    }

    const fn script(self) -> &'static str {
        match self {
            Self::Mit => "mit_realms.sh",
            Self::Heimdal => "heimdal_realm.sh",
            Self::Samba => "samba_dc.sh",
        }
    }

    /// The realm of its accounts.
    const fn realm(self) -> &'static str {
        match self {
            Self::Mit => "ONE.TEST",
            Self::Heimdal => "HEIMDAL.TEST",
            Self::Samba => "AD.TEST",
        }
    }
}
