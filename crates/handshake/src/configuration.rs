//! `krb5.conf` from the file system, and the environment's names of files: only where the function's name says so.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use std::time::Duration;

use countersign_context::kerberos::kdc::{RealmPaths, TicketOptions};
use countersign_context::{EnctypeSet, Policy};
use countersign_credential::Krb5Conf;
use countersign_credential::krb5_conf::{
    ConfError, ConfSource, LibDefaults, NameTokens, SourceProblem,
};

use crate::cache::{CacheError, NameProblem};
use crate::kdc::KdcClient;
#[cfg(feature = "https")]
use crate::kdc::{Anchors, AnchorsError};

/// Where `krb5.conf` is unless somebody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/krb5.conf";

/// Where a service's keys are unless somebody says otherwise.
pub const DEFAULT_KEYTAB: &str = "/etc/krb5.keytab";

/// Where a client's keys are unless somebody says otherwise, with the tokens of
/// [`NameTokens`].
pub const DEFAULT_CLIENT_KEYTAB: &str = "/var/lib/krb5/user/%{euid}/client.keytab";

#[cfg(windows)]
const SEPARATOR: char = ';';
#[cfg(not(windows))]
const SEPARATOR: char = ':';

/// The file system as a source of configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSystem;

impl ConfSource for FileSystem {
    fn file(&mut self, path: &str, limit: usize) -> Result<Vec<u8>, SourceProblem> {
        let file = File::open(path).map_err(|error| problem(&error))?;
        let kind = file.metadata().map_err(|error| problem(&error))?;
        if kind.is_dir() {
            return Err(SourceProblem::Folder);
        }
        if !kind.is_file() {
            return Err(SourceProblem::Unreadable);
        }
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        file.take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| problem(&error))?;
        if bytes.len() > limit {
            return Err(SourceProblem::TooLarge);
        }
        Ok(bytes)
    }

    fn folder(&mut self, path: &str) -> Result<Vec<String>, SourceProblem> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| problem(&error))? {
            let entry = entry.map_err(|error| problem(&error))?;
            // A name that is no text is none that is read from a folder.
            names.extend(entry.file_name().into_string());
        }
        Ok(names)
    }
}

fn problem(error: &io::Error) -> SourceProblem {
    match error.kind() {
        io::ErrorKind::NotFound => SourceProblem::Absent,
        io::ErrorKind::IsADirectory => SourceProblem::Folder,
        _ => SourceProblem::Unreadable,
    }
}

/// Reads `krb5.conf` from the files, in order; those that do not exist are skipped unless none does.
///
/// # Errors
/// What is wrong, in which file and which line.
pub fn load<'p>(paths: impl IntoIterator<Item = &'p str>) -> Result<Krb5Conf, ConfError> {
    Krb5Conf::read(paths, &mut FileSystem)
}

/// Reads `krb5.conf` from the files that the environment variable `KRB5_CONFIG` lists, separated by colons (on Windows
/// semicolons), or else from `/etc/krb5.conf`, which need not exist.
///
/// # Errors
/// What is wrong, in which file and which line. Files that the variable lists must not all be absent.
pub fn load_from_environment() -> Result<Krb5Conf, ConfError> {
    match env::var_os("KRB5_CONFIG").filter(|paths| !paths.is_empty()) {
        // What is no text in it names no file, and is reported as one that does not exist.
        Some(paths) => load(paths.to_string_lossy().split(SEPARATOR)),
        None if Path::new(DEFAULT_PATH).exists() => load([DEFAULT_PATH]),
        None => Ok(Krb5Conf::default()),
    }
}

/// The keytab of services: the environment variable `KRB5_KTNAME`, or else what the configuration says, or else
/// `/etc/krb5.keytab`.
///
/// # Errors
/// The name that was found is not a file's; the next is not tried.
pub fn keytab_from_environment(conf: &Krb5Conf) -> Result<PathBuf, CacheError> {
    let tokens = UserTokens::from_environment();
    keytab(
        "KRB5_KTNAME",
        DEFAULT_KEYTAB,
        |t| conf.default_keytab_name(t),
        &tokens,
    )
}

/// The keytab of clients: the environment variable `KRB5_CLIENT_KTNAME`, or else what the configuration says, or else
/// [`DEFAULT_CLIENT_KEYTAB`].
///
/// # Errors
/// The name that was found is not a file's; the next is not tried.
pub fn client_keytab_from_environment(conf: &Krb5Conf) -> Result<PathBuf, CacheError> {
    let tokens = UserTokens::from_environment();
    keytab(
        "KRB5_CLIENT_KTNAME",
        DEFAULT_CLIENT_KEYTAB,
        |t| conf.default_client_keytab_name(t),
        &tokens,
    )
}

fn keytab(
    name: &str,
    default: &str,
    configured: impl FnOnce(&NameTokens<'_>) -> Result<Option<String>, ConfError>,
    user: &UserTokens,
) -> Result<PathBuf, CacheError> {
    if let Some(name) = variable(name)? {
        return keytab_path(&name);
    }
    match configured(&user.tokens()).map_err(|_| NameProblem::Token)? {
        Some(name) => keytab_path(&name),
        None => {
            let path = user.tokens().expand(default);
            Ok(PathBuf::from(path.map_err(|_| NameProblem::Token)?))
        }
    }
}

/// The path in a keytab's name: `FILE:path`, `WRFILE:path`, or the path alone.
///
/// # Errors
/// It is of another type.
pub fn keytab_path(name: &str) -> Result<PathBuf, CacheError> {
    let path = match name.split_once(':') {
        Some(("FILE" | "WRFILE", path)) => path,
        // A letter before the colon is a drive of Windows, not a type.
        Some((kind, _)) if kind.len() > 1 && !kind.contains(['/', '\\']) => {
            return Err(NameProblem::UnknownType.into());
        }
        _ => name,
    };
    match path {
        "" => Err(NameProblem::Empty.into()),
        path => Ok(path.into()),
    }
}

/// An environment variable; one that is empty counts as absent.
pub(crate) fn variable(name: &str) -> Result<Option<String>, CacheError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(NameProblem::NotText.into()),
    }
}

/// What is permitted: `permitted_enctypes` as far as this build implements them, and `clockskew`. All else is the default
/// policy's.
///
/// ```
/// use countersign_credential::Krb5Conf;
/// use countersign_handshake::configuration;
///
/// let conf = Krb5Conf::parse(b"[libdefaults]\nclockskew = 60\npermitted_enctypes = aes256-sha2\n")?;
/// let policy = configuration::policy(&conf.libdefaults()?);
/// assert_eq!((policy.clock_skew(), policy.enctypes().iter().count()), (60, 1));
/// # Ok::<(), countersign_credential::krb5_conf::ConfError>(())
/// ```
#[must_use]
pub fn policy(settings: &LibDefaults) -> Policy {
    let permitted = settings.permitted_enctypes.enctypes();
    Policy::default()
        .with_enctypes(permitted.fold(EnctypeSet::EMPTY, EnctypeSet::with))
        .with_clock_skew(settings.clock_skew)
}

/// What initial tickets are asked for: `ticket_lifetime`, `renew_lifetime`, `forwardable` and `proxiable`.
#[must_use]
pub fn ticket_options(settings: &LibDefaults) -> TicketOptions {
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let mut options = TicketOptions::default()
        .forwardable(settings.forwardable)
        .proxiable(settings.proxiable);
    if let Some(lifetime) = settings.ticket_lifetime {
        options = options.lifetime(seconds(lifetime));
    }
    // Zero asks for no renewable ticket.
    if let Some(lifetime) = settings.renew_lifetime.filter(|lifetime| *lifetime != 0) {
        options = options.renewable(seconds(lifetime));
    }
    options
}

/// The ways between realms that `[capaths]` names.
#[must_use]
pub fn realm_paths(conf: &Krb5Conf) -> RealmPaths {
    conf.capaths()
        .fold(RealmPaths::new(), |paths, (client, server, between)| {
            paths.with(client, server, between)
        })
}

/// The client with `udp_preference_limit`, `kdc_timeout` (how long one KDC may be silent before the next is asked too) and
/// `request_timeout`, where the configuration sets them.
#[must_use]
pub fn kdc_client(client: KdcClient, settings: &LibDefaults) -> KdcClient {
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let limit = usize::try_from(settings.udp_preference_limit).unwrap_or(usize::MAX);
    let mut client = client.udp_preference_limit(limit);
    if let Some(patience) = settings.kdc_timeout {
        client = client.patience(seconds(patience));
    }
    // Zero waits for ever, which nothing here does.
    if let Some(timeout) = settings.request_timeout.filter(|timeout| *timeout != 0) {
        client = client.timeout(seconds(timeout));
    }
    client
}

/// The client with the authorities that `http_anchors` names, each for the proxies of its own realm: `FILE:path`, a PEM
/// file, or `DIR:path`, a folder of them. `ENV:` is refused, since no environment variable is read here.
///
/// # Errors
/// What is wrong with the certificates.
#[cfg(feature = "https")]
pub fn http_anchors(mut client: KdcClient, conf: &Krb5Conf) -> Result<KdcClient, AnchorsError> {
    for realm in conf.section_names(&["realms"]) {
        let names = conf.http_anchors(realm);
        if names.is_empty() {
            continue;
        }
        let mut pem = Vec::new();
        for name in names {
            append_anchors(name, &mut pem)?;
        }
        client = client.realm_anchors(realm, Anchors::from_pem(&pem)?);
    }
    Ok(client)
}

/// Most bytes of certificates that one file may have.
#[cfg(feature = "https")]
const ANCHORS_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(feature = "https")]
fn append_anchors(name: &str, pem: &mut Vec<u8>) -> Result<(), AnchorsError> {
    let failed = |error: io::Error| AnchorsError::File(error.kind());
    let mut append = |path: &Path| {
        let file = File::open(path).map_err(failed)?;
        file.take(ANCHORS_BYTES).read_to_end(pem).map_err(failed)?;
        pem.push(b'\n');
        Ok(())
    };
    match name.split_once(':') {
        Some(("FILE", path)) => append(Path::new(path)),
        Some(("DIR", path)) => {
            for entry in std::fs::read_dir(path).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.is_file() {
                    append(&path)?;
                }
            }
            Ok(())
        }
        _ => Err(AnchorsError::Kind),
    }
}

/// Who this process runs as, for names with `%{uid}` in them.
#[derive(Debug, Clone, Default)]
pub struct UserTokens {
    uid: Option<u32>,
    euid: Option<u32>,
    username: Option<String>,
    temp: Option<String>,
}

impl UserTokens {
    /// The same as [`of_process`](Self::of_process), with the environment's folder for temporary files (on Unix the
    /// variable `TMPDIR`).
    #[must_use]
    pub fn from_environment() -> Self {
        Self {
            temp: env::temp_dir().into_os_string().into_string().ok(),
            ..Self::of_process()
        }
    }

    /// The user's numbers and name, asked of the operating system; `%{TEMP}` is `/tmp` on Unix.
    #[must_use]
    pub fn of_process() -> Self {
        #[cfg(unix)]
        {
            use nix::unistd::{Uid, User};
            Self {
                uid: Some(Uid::current().as_raw()),
                euid: Some(Uid::effective().as_raw()),
                username: User::from_uid(Uid::effective())
                    .ok()
                    .flatten()
                    .map(|user| user.name),
                temp: Some("/tmp".into()),
            }
        }
        #[cfg(not(unix))]
        Self::default()
    }

    /// The values of the tokens.
    #[must_use]
    pub fn tokens(&self) -> NameTokens<'_> {
        NameTokens {
            uid: self.uid,
            euid: self.euid,
            username: self.username.as_deref(),
            temp: self.temp.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_credential::krb5_conf::ConfProblem;

    #[test]
    fn settings_become_the_engines() {
        let conf = Krb5Conf::parse(
            b"[libdefaults]\nforwardable = yes\nticket_lifetime = 1h\nrenew_lifetime = 0\n\
              permitted_enctypes = des3 aes128-sha1 camellia\n[capaths]\nA = {\n B = .\n C = B\n}\n",
        )
        .unwrap();
        let settings = conf.libdefaults().unwrap();
        let enctypes: Vec<i32> = policy(&settings)
            .enctypes()
            .iter()
            .map(|e| e.id())
            .collect();
        assert_eq!(enctypes, [17, 26, 25]);
        let options = TicketOptions::default()
            .forwardable(true)
            .lifetime(Duration::from_secs(3_600));
        assert_eq!(
            format!("{:?}", ticket_options(&settings)),
            format!("{options:?}")
        );
        let expected = RealmPaths::new()
            .with("A", "B", [""; 0])
            .with("A", "C", ["B"]);
        assert_eq!(realm_paths(&conf), expected);
        let nothing = Krb5Conf::default().libdefaults().unwrap();
        assert_eq!(policy(&nothing), Policy::default());
    }

    #[test]
    fn files_and_folders_are_read_from_the_file_system() {
        let folder = env::temp_dir().join(format!("countersign-conf-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("d/folder")).unwrap();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let main = format!("includedir {}\ninclude {}\n", path("d"), path("d/folder"));
        std::fs::write(path("main"), main).unwrap();
        std::fs::write(path("d/one.conf"), "[a]\nb = 1\n").unwrap();
        std::fs::write(path("d/left~"), "[a]\nb = 2\n").unwrap();
        let conf = load([&*path("absent"), &*path("main")]).unwrap();
        assert_eq!(conf.values(&["a", "b"]).collect::<Vec<_>>(), ["1"]);
        let problem = |names: &str| load([&*path(names)]).map(|_| ()).map_err(|e| e.problem());
        assert_eq!(problem("absent"), Err(ConfProblem::NoFile));
        assert_eq!(problem("d"), Err(ConfProblem::Unreadable));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn names_of_keytabs_are_paths() {
        for name in ["FILE:/x/y", "WRFILE:/x/y", "/x/y"] {
            assert_eq!(keytab_path(name), Ok("/x/y".into()));
        }
        assert_eq!(keytab_path("C:\\y"), Ok("C:\\y".into()));
        for name in ["MEMORY:x", "SRVTAB:/x"] {
            assert_eq!(keytab_path(name), Err(NameProblem::UnknownType.into()));
        }
        assert_eq!(keytab_path("FILE:"), Err(NameProblem::Empty.into()));
        let conf =
            Krb5Conf::parse(b"[libdefaults]\ndefault_keytab_name = FILE:/k/%{null}t\n").unwrap();
        let none = UserTokens::default();
        let configured = |conf: &Krb5Conf| {
            keytab(
                "COUNTERSIGN_UNSET",
                DEFAULT_KEYTAB,
                |t| conf.default_keytab_name(t),
                &none,
            )
        };
        assert_eq!(configured(&conf), Ok("/k/t".into()));
        assert_eq!(configured(&Krb5Conf::default()), Ok(DEFAULT_KEYTAB.into()));
    }
}
