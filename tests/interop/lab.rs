//! The real peers: a realm of MIT's KDC with its keytabs and credential caches, and the C program.
//! Everything is under one temporary folder, which goes when the lab is dropped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::exchange::establish;
use crate::gss_peer::GssPeer;
use crate::recording::Recording;
use crate::script::{self, Script};
use crate::side::{AcceptorSetup, InitiatorSetup, Side};

/// The enctypes of the matrix, by the name in `host/NAME.peer.test`.
pub(crate) const ENCTYPES: [&str; 7] = [
    "aes256-sha1",
    "aes128-sha1",
    "aes256-sha2",
    "aes128-sha2",
    "camellia256",
    "camellia128",
    "rc4",
];

/// A running realm.
pub(crate) struct Lab {
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    libfaketime: String,
    realm: Option<Script>,
    recording: Recording,
}

impl Lab {
    /// Starts the realm and builds the C program.
    ///
    /// What the peers send and write is kept in the recording.
    pub(crate) fn start(recording: Recording) -> Result<Self> {
        let folder =
            std::env::temp_dir().join(format!("countersign-interop-{}", std::process::id()));
        // What a killed process of the same number left behind.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let realm = Script::start("mit_realm.sh", folder.join("realm"))?;
        let mut lab = Self {
            folder,
            environment: BTreeMap::new(),
            libfaketime: String::new(),
            realm: Some(realm),
            recording,
        };
        if let Some(realm) = &mut lab.realm {
            lab.environment = realm.ready()?;
        }
        lab.libfaketime = lab.environment.remove("LIBFAKETIME").unwrap_or_default();
        let built = Command::new(script::path("build.sh"))
            .arg(lab.gss_peer())
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return Err("tests/peers/build.sh could not compile gss_peer.c".into());
        }
        for name in ["expired", "future"] {
            let from = lab.path(&format!("{name}.ccache"));
            let to = lab.path(&format!("{name}-unnoticed.ccache"));
            GssPeer::start(&lab, None)?.rewrite_times(&from, &to, -60, 36_000)?;
        }
        lab.forward()?;
        lab.record_files()?;
        Ok(lab)
    }

    /// Keeps the realm's keytabs and caches.
    fn record_files(&self) -> Result<()> {
        let realm = std::fs::read_dir(self.folder.join("realm")).map_err(|e| e.to_string())?;
        for path in realm.flatten().map(|entry| entry.path()) {
            if let Some(kind @ ("keytab" | "ccache")) = path.extension().and_then(|e| e.to_str()) {
                self.recording
                    .keep(kind, &std::fs::read(&path).map_err(|e| e.to_string())?)?;
            }
        }
        Ok(())
    }

    /// Where what the peers make is kept.
    pub(crate) const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Has alice's TGT forwarded, the way the peer's own programs do it, into `forwarded.ccache`.
    fn forward(&self) -> Result<()> {
        let (mut initiator, mut acceptor) =
            (GssPeer::start(self, None)?, GssPeer::start(self, None)?);
        initiator.start_initiator(&InitiatorSetup {
            host: "aes256-sha1.peer.test".into(),
            flags: vec!["mutual", "deleg"],
            ccache: self.path("alice.ccache"),
            ..InitiatorSetup::default()
        })?;
        acceptor.start_acceptor(&AcceptorSetup {
            keytab: self.path("all.keytab"),
            ..AcceptorSetup::default()
        })?;
        establish(&mut initiator, &mut acceptor)?;
        Ok(acceptor.store_delegated(&self.path("forwarded.ccache"))?)
    }

    /// A file of the realm: a keytab, a credential cache.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join("realm").join(name)
    }

    /// Where the realm's KDC listens.
    pub(crate) fn kdc(&self) -> Result<String> {
        let text = std::fs::read_to_string(self.path("krb5.conf")).map_err(|e| e.to_string())?;
        let address = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("kdc = "));
        Ok(address.ok_or("krb5.conf names no KDC")?.to_owned())
    }

    /// A fresh path for a file that a row writes.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The compiled C program.
    pub(crate) fn gss_peer(&self) -> PathBuf {
        self.folder.join("gss_peer")
    }

    /// A program that talks to the realm and knows nothing else of Kerberos on this machine.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_remove("KRB5_TRACE")
            .env_remove("KRB5_CLIENT_KTNAME")
            // No mechanism but the library's own.
            .env("GSS_MECH_CONFIG", "/dev/null")
            .envs(&self.environment);
        command
    }

    /// The same with its clock moved by `offset`: `+10m`, `-2h`.
    pub(crate) fn command_at(&self, program: impl AsRef<Path>, offset: Option<&str>) -> Command {
        let mut command = self.command(program);
        if let Some(offset) = offset {
            command
                .env("LD_PRELOAD", &self.libfaketime)
                .env("FAKETIME", offset)
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.realm.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
