//! A realm whose tickets and keys are in files, and the programs that use them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_benches::Result;
use countersign_benches::answer::Totals;
use countersign_credential::cache::Version;
use countersign_crypto::Enctype;
use countersign_testkit::Realm;

use crate::options::Options;
use crate::peer::Peer;

const REALM: &str = "BENCH.TEST";
const SERVICE: &str = "HTTP/web.bench.test";
/// As GSS-API writes it.
const TARGET: &str = "HTTP@web.bench.test";

/// Whose calls are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Library {
    /// MIT's, with its own defaults: credentials in files, a replay cache. It loads gss-ntlmssp for NTLM.
    Mit,
    /// MIT's at its best: credentials in memory, no replay cache.
    MitMemory,
    Heimdal,
    Sspi,
    /// Ours, compiled for the processor that it runs on.
    Native,
    /// Ours, counting what it allocates instead of its time.
    Count,
}

/// What ours for this processor is called in tables.
pub(crate) const NATIVE: &str = "countersign, target-cpu=native";

impl Library {
    /// What it is called in tables, for this kind of context.
    pub(crate) fn name(self, kind: &str) -> &'static str {
        match self {
            Self::Mit if kind.ends_with("ntlm") => "gss-ntlmssp",
            Self::Mit => "MIT krb5",
            Self::MitMemory => "MIT, in memory, no replays",
            Self::Heimdal => "Heimdal",
            Self::Sspi => "sspi",
            Self::Native => NATIVE,
            Self::Count => "count",
        }
    }

    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Mit | Self::MitMemory => "gss_bench-mit",
            Self::Heimdal => "gss_bench-heimdal",
            Self::Sspi => "sspi_bench",
            Self::Native => "bench-native",
            Self::Count => "count",
        }
    }
}

const ENCTYPES: [(Enctype, &str); 4] = [
    (Enctype::Aes256CtsHmacSha1_96, "aes256-sha1"),
    (Enctype::Aes128CtsHmacSha1_96, "aes128-sha1"),
    (Enctype::Aes256CtsHmacSha384_192, "aes256-sha2"),
    (Enctype::Aes128CtsHmacSha256_128, "aes128-sha2"),
];

/// The files, removed in the end, and the programs that run.
pub(crate) struct Lab {
    folder: PathBuf,
    programs: Option<PathBuf>,
    /// `None` for one that did not start or does not know the operation.
    peers: BTreeMap<(Library, String), Option<Peer>>,
    /// The last of our operations that was counted.
    counted: Option<(String, Totals)>,
    /// What went wrong, once each.
    pub(crate) problems: Vec<String>,
}

impl Lab {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let lab = Self {
            folder,
            programs: options.peers.clone(),
            peers: BTreeMap::new(),
            counted: None,
            problems: Vec::new(),
        };
        if lab.programs.is_some() {
            lab.write()?;
        }
        Ok(lab)
    }

    /// Tickets and keys of every enctype, valid from now on.
    fn write(&self) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let realm = Realm::new(REALM, 1).at(i64::try_from(now)?);
        // Heimdal takes no cache that others can read.
        let write = |name: &str, bytes: &[u8]| {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(self.folder.join(name))?.write_all(bytes)
        };
        write("keytab", &realm.keytab(&[SERVICE])?.to_bytes()?)?;
        for (enctype, name) in ENCTYPES {
            let ticket = realm.ticket("user", SERVICE).enctype(enctype).mint()?;
            // Heimdal takes no cache without one.
            let granting = realm.ticket_granting_ticket("user").mint()?;
            let cache = realm.cache("user", [granting, ticket]);
            write(&format!("cache-{name}"), &cache.to_bytes(Version::V4)?)?;
        }
        write(
            "krb5.conf",
            format!(
                "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n \
                 dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n\
                 [realms]\n {REALM} = {{\n  kdc = 127.0.0.1:9\n }}\n\
                 [domain_realm]\n bench.test = {REALM}\n"
            )
            .as_bytes(),
        )?;
        write("users", b"BENCH:user:open sesame\n")?;
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// What the library's program for this kind of context answers. `None` where it cannot do it.
    pub(crate) fn ask(
        &mut self,
        library: Library,
        kind: &str,
        told: &str,
    ) -> Result<Option<Totals>> {
        let Some(program) = self.program(library)? else {
            return Ok(None);
        };
        let key = (library, kind.to_owned());
        if !self.peers.contains_key(&key) {
            let started = self.start(&program, library, kind);
            if let Err(problem) = &started {
                self.problem(library, kind, &problem.to_string());
            }
            self.peers.insert(key.clone(), started.ok());
        }
        let Some(peer) = self.peers.get_mut(&key).and_then(Option::as_mut) else {
            return Ok(None);
        };
        match peer.ask(told) {
            Ok(totals) => Ok(totals),
            Err(problem) => {
                // One that has ended is not asked again.
                if peer.has_ended() {
                    self.peers.insert(key, None);
                }
                self.problem(library, kind, &format!("{told}: {problem}"));
                Ok(None)
            }
        }
    }

    /// What one run of our operation allocates: the same for all who ask one after the other.
    pub(crate) fn count(&mut self, operation: &str) -> Result<Option<Totals>> {
        if let Some((_, counted)) = self.counted.iter().find(|(name, _)| name == operation) {
            return Ok(Some(*counted));
        }
        let counted = self.ask(Library::Count, "", &format!("{operation} 1"))?;
        self.counted = counted.map(|counted| (operation.to_owned(), counted));
        Ok(counted)
    }

    /// Whether its program was built.
    pub(crate) fn has(&self, library: Library) -> Result<bool> {
        Ok(self
            .program(library)?
            .is_some_and(|program| program.exists()))
    }

    /// Peers are in the folder that was named, what counts is beside this program.
    fn program(&self, library: Library) -> Result<Option<PathBuf>> {
        let name = library.program();
        Ok(match (library, &self.programs) {
            (Library::Count, _) => {
                let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
                Some(std::env::current_exe()?.with_file_name(file))
            }
            (_, Some(folder)) => Some(folder.join(name)),
            (_, None) => None,
        })
    }

    fn problem(&mut self, library: Library, kind: &str, what: &str) {
        let name = library.name(kind);
        let text = match kind {
            "" => format!("{name}: {what}"),
            kind => format!("{name} ({kind}): {what}"),
        };
        eprintln!("bench: {text}");
        self.problems.push(text);
    }

    fn start(&self, program: &Path, library: Library, kind: &str) -> Result<Peer> {
        let mut command = Command::new(program);
        let is_ntlm = kind.ends_with("ntlm");
        match (library, kind) {
            (Library::Native, _) => command.arg("--answer"),
            (Library::Count, _) => &mut command,
            (Library::Sspi, "ntlm") => command.arg("ntlm"),
            (Library::Sspi, enctype) => command.args(["kerberos", enctype]),
            (_, "ntlm") => command.args(["ntlm", TARGET, "BENCH\\user"]),
            (_, "spnego-ntlm") => command.args(["ntlm-spnego", TARGET, "BENCH\\user"]),
            (_, "spnego") => command.args(["spnego", TARGET]),
            _ => command.args(["krb5", TARGET]),
        };
        let enctype = if kind == "spnego" {
            "aes256-sha1"
        } else {
            kind
        };
        command
            .env("KRB5_CONFIG", self.path("krb5.conf"))
            .env(
                "KRB5CCNAME",
                format!("FILE:{}", self.path(&format!("cache-{enctype}"))),
            )
            .env("KRB5_KTNAME", format!("FILE:{}", self.path("keytab")))
            .env("NTLM_USER_FILE", self.path("users"))
            .env(
                "KRB5RCACHENAME",
                match library {
                    Library::MitMemory => "none:".to_owned(),
                    _ => format!("dfl:{}", self.path("")),
                },
            )
            .env("KRB5RCACHEDIR", &self.folder);
        if library == Library::MitMemory {
            command.env("BENCH_MEMORY", "1");
        }
        if is_ntlm {
            command.env_remove("KRB5CCNAME");
        }
        Peer::start(&mut command)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.peers.clear();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
