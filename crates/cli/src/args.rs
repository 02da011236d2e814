//! The command line.

mod credentials;
#[cfg(feature = "ntlm")]
mod ntlm;
mod package;
#[cfg(feature = "redis")]
mod replay;

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use countersign::crypto::Enctype;
use countersign::{EnctypeSet, Policy};

use crate::failure::Failure;

pub(crate) use credentials::{
    Kdcs, KdestroyOptions, KinitOptions, KlistOptions, KpasswdOptions, KvnoOptions, Secrets,
    TicketWishes,
};
#[cfg(feature = "ntlm")]
pub(crate) use ntlm::{Mic, NtlmClient, NtlmServer};
pub(crate) use package::Package;
#[cfg(feature = "redis")]
pub(crate) use replay::{Outage, Replays};

/// The command, and whether its options fit together. Where clap knows that they do not, the
/// program ends here.
pub(crate) fn read() -> (Command, Result<(), Failure>) {
    let known = Arguments::command();
    let matches = known.clone().get_matches();
    let command = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments.command,
        Err(error) => error.exit(),
    };
    let protocol = match &command {
        Command::Serve(options) => Some(&options.protocol),
        Command::Connect(options) => Some(&options.protocol),
        _ => None,
    };
    let given = matches.subcommand();
    let fits = match (protocol, given) {
        (Some(protocol), Some((name, given))) => {
            let known = known.find_subcommand(name);
            protocol.package.check(&protocol.mechanisms, known, given)
        }
        _ => Ok(()),
    };
    (command, fits)
}

/// Security contexts of Kerberos, NTLM and Negotiate from the command line.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 80)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let a server and a client authenticate mutually, with tickets of an in-process realm
    Demo(DemoOptions),
    /// Accept contexts, and answer what comes in them
    Serve(ServeOptions),
    /// Establish a context with a server and send messages in it
    Connect(ConnectOptions),
    /// Get a ticket-granting ticket for a password or a key, or renew one
    Kinit(KinitOptions),
    /// Show the tickets of a credential cache, or the keys of a keytab
    Klist(KlistOptions),
    /// Get service tickets, and tell the version of the keys that they need
    Kvno(KvnoOptions),
    /// Destroy a credential cache
    Kdestroy(KdestroyOptions),
    /// Change a password
    Kpasswd(KpasswdOptions),
    /// Show what a token says
    Inspect(InspectOptions),
    /// Run a realm with a KDC, for development
    Realm(RealmOptions),
}

#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Use this enctype and no other, for the ticket and for messages
    #[arg(long, value_name = "NAME")]
    pub(crate) enctype: Option<String>,
    /// Print a JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(mut_args(package::headed))]
pub(crate) struct ServeOptions {
    /// Where to listen; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4444")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) protocol: Protocol,
    /// Keytab with the keys of the service
    #[arg(long, value_name = "PATH")]
    pub(crate) keytab: Option<PathBuf>,
    /// Answer for this service only, such as HTTP/www.example.com or HTTP/*; may be repeated
    #[arg(long = "service", value_name = "SPN")]
    pub(crate) services: Vec<String>,
    #[cfg(feature = "redis")]
    #[command(flatten)]
    pub(crate) replays: Replays,
    #[cfg(feature = "ntlm")]
    #[command(flatten)]
    pub(crate) ntlm: NtlmServer,
    /// End after one connection, without success if it was refused
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
#[command(mut_args(package::headed))]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct ConnectOptions {
    /// Address of the server, HOST:PORT
    #[arg(value_name = "ADDR")]
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) protocol: Protocol,
    /// The service to authenticate to, such as HTTP/www.example.com; required with Kerberos
    #[arg(long, value_name = "SPN")]
    pub(crate) target: Option<String>,
    /// Who to be, NAME@REALM or NAME, with a password or a key; without, who the credential cache
    /// belongs to
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
    /// Credential cache with a ticket for the service, or a ticket-granting ticket to get one with
    #[arg(short = 'c', long, value_name = "NAME", conflicts_with = "principal")]
    pub(crate) ccache: Option<String>,
    #[command(flatten)]
    pub(crate) kdcs: Kdcs,
    /// Hand the server a forwarded ticket-granting ticket: it can then act as the client
    #[arg(long)]
    pub(crate) delegate: bool,
    #[cfg(feature = "ntlm")]
    #[command(flatten)]
    pub(crate) ntlm: NtlmClient,
    /// Send this message; may be repeated
    #[arg(long = "message", value_name = "TEXT")]
    pub(crate) messages: Vec<String>,
    /// Send every message so many times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) repeat: u32,
    /// Make so many connections, one after the other
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) connections: u32,
    /// Seal messages; this is the default
    #[arg(long, overrides_with = "no_seal", action = ArgAction::SetTrue)]
    pub(crate) seal: bool,
    /// Sign messages without sealing them
    #[arg(long)]
    pub(crate) no_seal: bool,
    /// Send messages in clear text, as gss-client -nw does
    #[arg(long)]
    pub(crate) no_wrap: bool,
    /// Ask the server for a MIC of every message; this is the default (gss-sample)
    #[arg(long, overrides_with = "no_mic", action = ArgAction::SetTrue)]
    pub(crate) mic: bool,
    /// Do not ask the server for MICs (gss-sample)
    #[arg(long)]
    pub(crate) no_mic: bool,
    /// Do not ask the server to prove its identity; with NTLM it cannot
    #[arg(long)]
    pub(crate) no_mutual: bool,
    /// Do not ask for the detection of replayed messages
    #[arg(long)]
    pub(crate) no_replay: bool,
    /// Do not ask for the detection of missing and reordered messages
    #[arg(long)]
    pub(crate) no_sequence: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectOptions {
    /// Hexadecimal, base64, or an HTTP header with `Negotiate` or `NTLM`; read from standard input
    /// if absent or -
    #[arg(value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Keytab to open the encrypted parts with
    #[arg(long, value_name = "PATH")]
    pub(crate) keytab: Option<PathBuf>,
    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "For development only: the realm forgets everything when it ends, and who may read \
                        its keytab can be any of its services."
)]
pub(crate) struct RealmOptions {
    /// The realm, in capitals by custom
    #[arg(long, value_name = "REALM")]
    pub(crate) realm: String,
    /// A user and a password; may be repeated. Other users of this machine can read command lines:
    /// see --users-from
    #[arg(long = "user", value_name = "NAME:PASSWORD")]
    pub(crate) users: Vec<String>,
    /// Users and passwords from a file, NAME:PASSWORD on each line; - is standard input
    #[arg(long, value_name = "PATH")]
    pub(crate) users_from: Option<PathBuf>,
    /// A service, such as HTTP/www.example.com; may be repeated
    #[arg(long = "service", value_name = "SPN")]
    pub(crate) services: Vec<String>,
    /// Write the services' keys to this keytab
    #[arg(long, value_name = "PATH")]
    pub(crate) keytab: PathBuf,
    /// Where the KDC listens, UDP and TCP; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// Where passwords are changed; any free port of the same host if absent
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_kpasswd: Option<String>,
    /// Write a krb5.conf that leads to this realm
    #[arg(long, value_name = "PATH")]
    pub(crate) krb5_conf: Option<PathBuf>,
    /// Give keys of this enctype, strongest first; may be repeated
    #[arg(long = "enctype", value_name = "NAME")]
    pub(crate) enctypes: Vec<String>,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// Print a JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `serve` and `connect` have in common.
#[derive(Debug, Args)]
pub(crate) struct Protocol {
    /// The security package
    #[arg(long, value_enum, default_value_t = Package::Kerberos)]
    pub(crate) package: Package,
    /// What is offered, kerberos or ntlm or both, the preferred one first: kerberos,ntlm
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        value_delimiter = ',',
        value_name = "PACKAGES",
        default_value = "kerberos"
    )]
    pub(crate) mechanisms: Vec<Package>,
    /// How tokens are cut out of the stream
    #[arg(long, value_enum, default_value_t = FramingName::Length)]
    pub(crate) framing: FramingName,
    #[command(flatten)]
    pub(crate) enctypes: Enctypes,
    /// Give up after so many seconds of silence
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// Print a JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is permitted.
#[derive(Debug, Args)]
pub(crate) struct Enctypes {
    /// Permit this enctype beside the AES ones; may be repeated
    #[arg(long = "allow-enctype", value_name = "NAME")]
    pub(crate) allow_enctypes: Vec<String>,
    /// Permit this enctype and no other; may be repeated
    #[arg(
        long = "only-enctype",
        value_name = "NAME",
        conflicts_with = "allow_enctypes"
    )]
    pub(crate) only_enctypes: Vec<String>,
}

impl Enctypes {
    /// The default policy with the enctypes that were named.
    pub(crate) fn policy(&self) -> Result<Policy, Failure> {
        Ok(Policy::default().with_enctypes(self.set()?))
    }

    /// The enctypes that were named, or with what was named those that are permitted always.
    pub(crate) fn set(&self) -> Result<EnctypeSet, Failure> {
        let mut enctypes = if self.only_enctypes.is_empty() {
            EnctypeSet::AES
        } else {
            EnctypeSet::EMPTY
        };
        for name in self.allow_enctypes.iter().chain(&self.only_enctypes) {
            enctypes = enctypes.with(enctype(name)?);
        }
        Ok(enctypes)
    }
}

/// The enctype of that name.
pub(crate) fn enctype(name: &str) -> Result<Enctype, Failure> {
    Enctype::from_name(name).ok_or_else(|| {
        let known: Vec<_> = (0..64)
            .filter_map(Enctype::from_id)
            .map(Enctype::name)
            .collect();
        Failure::usage(format!(
            "this program knows no enctype {name}; it knows {}",
            known.join(", ")
        ))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FramingName {
    /// Each token behind its length in 4 bytes, big-endian
    Length,
    /// The protocol of MIT's gss-client and gss-server
    GssSample,
}
