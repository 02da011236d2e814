//! The options of the commands that obtain, show and remove credentials.

use std::path::PathBuf;

use clap::Args;

use super::Enctypes;

/// Where KDCs are, and what talking to them takes.
#[derive(Debug, Args)]
pub(crate) struct Kdcs {
    /// Configuration to follow, instead of $KRB5_CONFIG or /etc/krb5.conf
    #[arg(long, value_name = "PATH", conflicts_with_all = ["realm", "kdc"])]
    pub(crate) krb5_conf: Option<PathBuf>,
    /// The realm, without any configuration; needs --kdc
    #[arg(long, value_name = "R", requires = "kdc")]
    pub(crate) realm: Option<String>,
    /// A KDC of the realm, HOST:PORT or HOST, or an https:// proxy; may be repeated
    #[arg(long, value_name = "HOST:PORT", requires = "realm")]
    pub(crate) kdc: Vec<String>,
    /// A password-changing server of the realm; without, port 464 of the KDCs
    #[arg(long, value_name = "HOST:PORT", requires = "realm")]
    pub(crate) kpasswd_server: Vec<String>,
    /// Give up when no KDC has answered for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) kdc_timeout: u64,
    /// Show each exchange with a KDC; nothing secret is printed
    #[arg(long)]
    pub(crate) trace: bool,
}

/// What a long-term secret comes from.
#[derive(Debug, Args)]
pub(crate) struct Secrets {
    /// Read the password from the first line of standard input
    #[arg(long, conflicts_with = "keytab")]
    pub(crate) password_stdin: bool,
    /// Use a key of this keytab
    #[arg(short = 't', long, value_name = "PATH")]
    pub(crate) keytab: Option<PathBuf>,
    /// Use a keytab: without -t that of $KRB5_KTNAME or the configuration
    #[arg(short = 'k', conflicts_with = "password_stdin")]
    pub(crate) use_keytab: bool,
}

/// How a ticket is to be.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct TicketWishes {
    /// How long the ticket is to last: 10h, 1d, 2h30m, 90m, 3600
    #[arg(short = 'l', long, value_name = "DURATION")]
    pub(crate) lifetime: Option<String>,
    /// For how long it is to be renewable
    #[arg(short = 'r', long, value_name = "DURATION")]
    pub(crate) renewable_life: Option<String>,
    /// Valid only after this time from now (a postdated ticket)
    #[arg(short = 's', long, value_name = "DURATION")]
    pub(crate) start_in: Option<String>,
    /// A ticket that can be forwarded to other hosts
    #[arg(short = 'f', long, conflicts_with = "not_forwardable")]
    pub(crate) forwardable: bool,
    /// A ticket that cannot be forwarded
    #[arg(short = 'F', long)]
    pub(crate) not_forwardable: bool,
    /// A ticket from which proxies can be made
    #[arg(short = 'p', long)]
    pub(crate) proxiable: bool,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct KinitOptions {
    /// Who to be, NAME@REALM or NAME; without, who the credential cache belongs to
    #[arg(value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
    /// The credential cache to fill, instead of $KRB5CCNAME or the default one
    #[arg(short = 'c', long, value_name = "NAME")]
    pub(crate) ccache: Option<String>,
    #[command(flatten)]
    pub(crate) kdcs: Kdcs,
    #[command(flatten)]
    pub(crate) wishes: TicketWishes,
    #[command(flatten)]
    pub(crate) enctypes: Enctypes,
    /// A ticket for this service instead of a ticket-granting ticket
    #[arg(short = 'S', long, value_name = "SERVICE")]
    pub(crate) service: Option<String>,
    /// Let the KDC give the principal its canonical name
    #[arg(short = 'C', long)]
    pub(crate) canonicalize: bool,
    /// PRINCIPAL is an enterprise name such as user@corp.example
    #[arg(short = 'E', long)]
    pub(crate) enterprise: bool,
    /// Armor the exchange (FAST) with the ticket-granting ticket of this cache
    #[arg(short = 'T', long, value_name = "NAME")]
    pub(crate) armor_ccache: Option<String>,
    /// Renew the ticket that the cache holds
    #[arg(short = 'R', long, conflicts_with_all = ["validate", "service"])]
    pub(crate) renew: bool,
    /// Validate the postdated ticket that the cache holds
    #[arg(short = 'v', long)]
    pub(crate) validate: bool,
    /// Print a JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct KlistOptions {
    /// The credential cache to show, or with -k the keytab
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The credential cache to show, as kvno and kinit name it
    #[arg(short = 'c', long, value_name = "NAME", conflicts_with = "name")]
    pub(crate) ccache: Option<String>,
    /// Show a keytab instead of a credential cache
    #[arg(short = 'k', long)]
    pub(crate) keytab: bool,
    /// Show every cache of the collection, one line each
    #[arg(short = 'l', long, conflicts_with = "keytab")]
    pub(crate) list: bool,
    /// Show the tickets of every cache of the collection
    #[arg(short = 'A', long, conflicts_with = "keytab")]
    pub(crate) all: bool,
    /// Show the enctypes of tickets and session keys
    #[arg(short = 'e', long)]
    pub(crate) enctypes: bool,
    /// Show the flags of tickets
    #[arg(short = 'f', long)]
    pub(crate) flags: bool,
    /// Print nothing; succeed where there is a ticket-granting ticket that holds
    #[arg(short = 's', long)]
    pub(crate) silent: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KvnoOptions {
    /// Services to get tickets for, SERVICE/HOST or SERVICE/HOST@REALM
    #[arg(value_name = "SPN", required = true)]
    pub(crate) services: Vec<String>,
    /// The credential cache to use and to fill
    #[arg(short = 'c', long, value_name = "NAME")]
    pub(crate) ccache: Option<String>,
    #[command(flatten)]
    pub(crate) kdcs: Kdcs,
    #[command(flatten)]
    pub(crate) enctypes: Enctypes,
    /// Try the tickets against the keys of this keytab
    #[arg(short = 'k', long, value_name = "PATH")]
    pub(crate) keytab: Option<PathBuf>,
    /// Get the tickets on behalf of this user (S4U2self)
    #[arg(short = 'U', long, value_name = "USER")]
    pub(crate) for_user: Option<String>,
    /// The S4U2self ticket is for ourselves, SPN is whom it is shown to (S4U2proxy)
    #[arg(short = 'P', long, requires = "for_user")]
    pub(crate) proxy: bool,
    /// User-to-user: encrypted in the ticket-granting ticket of this cache
    #[arg(long, value_name = "NAME", conflicts_with_all = ["for_user", "proxy"])]
    pub(crate) u2u: Option<String>,
    /// Do not store the tickets in the cache
    #[arg(long)]
    pub(crate) no_store: bool,
    /// Print a JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KdestroyOptions {
    /// The credential cache to destroy
    #[arg(short = 'c', long, value_name = "NAME")]
    pub(crate) ccache: Option<String>,
    /// Destroy every cache of the collection
    #[arg(short = 'A', long, conflicts_with = "ccache")]
    pub(crate) all: bool,
    /// Print a JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KpasswdOptions {
    /// Whose password to change; without, who the default credential cache belongs to
    #[arg(value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    /// Read the present password and then the new one from two lines of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[command(flatten)]
    pub(crate) kdcs: Kdcs,
    #[command(flatten)]
    pub(crate) enctypes: Enctypes,
    /// Armor the exchange (FAST) with the ticket-granting ticket of this cache
    #[arg(short = 'T', long, value_name = "NAME")]
    pub(crate) armor_ccache: Option<String>,
    /// Print a JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
}
