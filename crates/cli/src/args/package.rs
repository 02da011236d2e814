//! The security packages and their options.
//!
//! An option of one package stands below that package's heading in the help, and is refused where
//! another package is asked for: it would have no effect there.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, ValueEnum};

use crate::failure::Failure;

const NEGOTIATE: &[&str] = &["mechanisms"];
/// The options that all packages but this one refuse, and Negotiate, which may come to it.
const KERBEROS: &[&str] = &[
    "allow_enctypes",
    "ccache",
    "delegate",
    "kdc",
    "kdc_timeout",
    "keytab",
    "kpasswd_server",
    "krb5_conf",
    "only_enctypes",
    "principal",
    "realm",
    "replay_cache",
    "replay_outage",
    "services",
    "trace",
    "use_keytab",
];
#[cfg(feature = "ntlm")]
const NTLM: &[&str] = &[
    #[cfg(feature = "ntlm-v1")]
    "ntlm_dangerous_v1",
    "ntlm_domain",
    "ntlm_mic",
    "ntlm_name",
    "ntlm_users",
    "user",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Package {
    /// One of the others, negotiated (SPNEGO, RFC 4178)
    Negotiate,
    /// Kerberos 5 without negotiation (RFC 4121)
    Kerberos,
    /// NTLMv2 without negotiation (MS-NLMP); it proves the client, and nothing of the server
    #[cfg(feature = "ntlm")]
    Ntlm,
}

impl Package {
    /// Its options, by their identifiers.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Negotiate => NEGOTIATE,
            Self::Kerberos => KERBEROS,
            #[cfg(feature = "ntlm")]
            Self::Ntlm => NTLM,
        }
    }

    /// The package that alone has this option.
    fn owner(argument: &Arg) -> Option<Self> {
        Self::value_variants()
            .iter()
            .copied()
            .find(|package| package.options().contains(&argument.get_id().as_str()))
    }

    /// What stands above its options in the help.
    fn heading(self) -> &'static str {
        match self {
            Self::Negotiate => "Negotiate",
            Self::Kerberos => "Kerberos",
            #[cfg(feature = "ntlm")]
            Self::Ntlm => "NTLM",
        }
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Negotiate => "negotiate",
            Self::Kerberos => "kerberos",
            #[cfg(feature = "ntlm")]
            Self::Ntlm => "ntlm",
        }
    }

    /// Refuses options of packages that are neither this nor, with Negotiate, among its mechanisms.
    pub(super) fn check(
        self,
        mechanisms: &[Self],
        command: Option<&clap::Command>,
        given: &ArgMatches,
    ) -> Result<(), Failure> {
        let given = command
            .into_iter()
            .flat_map(clap::Command::get_arguments)
            .filter(|argument| {
                let source = given.value_source(argument.get_id().as_str());
                source == Some(ValueSource::CommandLine)
            });
        for argument in given {
            let fits = |owner: Self| {
                owner == self || (self == Self::Negotiate && mechanisms.contains(&owner))
            };
            match Self::owner(argument).filter(|owner| !fits(*owner)) {
                Some(owner) if self == Self::Negotiate => {
                    return Err(Failure::usage(format!(
                        "{} goes with {1} only: name it with --mechanisms, as in --mechanisms \
                         kerberos,{1}",
                        shown(argument),
                        owner.name()
                    )));
                }
                Some(owner) => {
                    return Err(Failure::usage(format!(
                        "{} goes with --package {} only, and this is --package {}",
                        shown(argument),
                        owner.name(),
                        self.name()
                    )));
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// The option below the heading of its package.
pub(super) fn headed(argument: Arg) -> Arg {
    match Package::owner(&argument) {
        Some(package) => argument.help_heading(package.heading()),
        None => argument,
    }
}

/// The option as people write it.
fn shown(argument: &Arg) -> String {
    match (argument.get_long(), argument.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => argument.get_id().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_option_of_a_package_is_one_of_serve_or_connect_and_of_no_other() {
        let program = super::super::Arguments::command();
        let known: Vec<_> = ["serve", "connect"]
            .iter()
            .filter_map(|name| program.find_subcommand(name))
            .flat_map(clap::Command::get_arguments)
            .map(|argument| argument.get_id().as_str())
            .collect();
        let mut seen = Vec::new();
        for option in Package::value_variants()
            .iter()
            .flat_map(|package| package.options())
        {
            assert!(known.contains(option), "{option}");
            assert!(!seen.contains(&option), "{option}");
            seen.push(option);
        }
        assert!(!seen.is_empty());
    }
}
