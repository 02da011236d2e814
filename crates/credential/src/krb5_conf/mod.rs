//! `krb5.conf`: the syntax as MIT krb5 reads it, and the settings that matter here.
//!
//! ```
//! use countersign_credential::krb5_conf::{ConfServer, Krb5Conf};
//!
//! let conf = Krb5Conf::parse(
//!     b"[libdefaults]
//!         default_realm = EXAMPLE.COM
//!         ticket_lifetime = 10h
//!     [realms]
//!         EXAMPLE.COM = {
//!             kdc = kdc1.example.com
//!             kdc = https://proxy.example.com/KdcProxy
//!         }
//!     [domain_realm]
//!         .example.com = EXAMPLE.COM
//!     ",
//! )?;
//! assert_eq!(conf.libdefaults()?.ticket_lifetime, Some(36_000));
//! assert_eq!(conf.kdcs("EXAMPLE.COM")?.len(), 2);
//! assert_eq!(conf.realm_of_host("web.example.com"), Some("EXAMPLE.COM"));
//! assert_eq!(conf.realm_of_host("elsewhere.example"), None);
//! # Ok::<(), countersign_credential::krb5_conf::ConfError>(())
//! ```
//!
//! What is read and what is refused was compared with MIT krb5 1.20. The differences, all on the side of refusing or of
//! reading what MIT cannot:
//!
//! * lines may be longer than 2,047 bytes;
//! * a file that includes itself, files nested too deeply, and sizes and counts over [`limits`](crate::limits) are errors
//!   that say so;
//! * `module` lines are refused: they ask for code to be loaded;
//! * lines that matter must be UTF-8 without NUL; comments need not.
//!
//! Sources: MIT krb5 documentation, "krb5.conf" and "Supported date and time formats"; Heimdal's manual page
//! krb5.conf(5) for its own spellings.

mod duration;
mod enctypes;
mod error;
mod libdefaults;
mod parser;
mod profile;
mod realms;
mod source;
mod tokens;

use alloc::vec::Vec;

pub use duration::duration;
pub use enctypes::{EnctypeList, Weak};
pub use error::{ConfError, ConfProblem};
pub use libdefaults::{Canonicalization, LibDefaults};
pub use realms::{ConfServer, ConfTransport};
pub use source::{ConfSource, NoFiles, SourceProblem};
pub use tokens::NameTokens;

use error::Place;
use parser::Parser;
use profile::Section;

/// A configuration: one file or several, which continue each other, with the files that they include.
///
/// Relations that this library does not know are kept and can be read with [`value`](Self::value) and
/// [`values`](Self::values). An empty one ([`Default`]) says nothing, and every question has its default answer.
#[derive(Clone, Debug, Default)]
pub struct Krb5Conf {
    files: Vec<Section>,
}

impl Krb5Conf {
    /// Reads one text that includes nothing.
    ///
    /// # Errors
    /// What is wrong, and in which line; the text goes by the name `krb5.conf`.
    pub fn parse(text: &[u8]) -> Result<Self, ConfError> {
        Self::parse_with("krb5.conf", text, &mut NoFiles)
    }

    /// Reads one text that goes by `name`, and what it includes.
    ///
    /// # Errors
    /// What is wrong, in which file and which line.
    pub fn parse_with(
        name: &str,
        text: &[u8],
        source: &mut dyn ConfSource,
    ) -> Result<Self, ConfError> {
        let files = Vec::from([Parser::new(source).main_text(name, text)?]);
        Ok(Self { files })
    }

    /// Reads the files in order; where several speak of the same thing, single values come from the first that does,
    /// and lists from all of them, up to a section that is marked as final (`*`). Files that do not exist
    /// are skipped unless none does.
    ///
    /// # Errors
    /// What is wrong, in which file and which line.
    pub fn read<'p>(
        paths: impl IntoIterator<Item = &'p str>,
        source: &mut dyn ConfSource,
    ) -> Result<Self, ConfError> {
        let mut files = Vec::new();
        let mut last = "krb5.conf";
        for path in paths {
            if files.len() >= crate::limits::CONF_FILES {
                let place = Place {
                    file: path.into(),
                    line: 0,
                };
                return Err(place.error(ConfProblem::TooLarge));
            }
            last = path;
            files.extend(Parser::new(source).main_file(path)?);
        }
        if files.is_empty() {
            let place = Place {
                file: last.into(),
                line: 0,
            };
            return Err(place.error(ConfProblem::NoFile));
        }
        Ok(Self { files })
    }

    /// The first value of the relation: the names of the sections and, last, of the relation.
    #[must_use]
    pub fn value(&self, path: &[&str]) -> Option<&str> {
        self.values(path).next()
    }

    /// Every value of the relation, in order.
    pub fn values<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = &'a str> + use<'a> {
        let found: Vec<&str> = match path.split_last() {
            Some((name, path)) => profile::relations(&self.files, path, name)
                .map(|relation| &*relation.value)
                .collect(),
            None => Vec::new(),
        };
        found.into_iter()
    }

    /// The names of the relations in the section, sorted.
    #[must_use]
    pub fn relation_names(&self, path: &[&str]) -> Vec<&str> {
        profile::relation_names(&self.files, path)
    }

    /// The names of the sections in the section, sorted; those of the whole for an empty path.
    #[must_use]
    pub fn section_names(&self, path: &[&str]) -> Vec<&str> {
        profile::section_names(&self.files, path)
    }
}

#[cfg(test)]
mod tests;
