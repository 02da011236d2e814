//! The realm, with NTLM beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::negotiate::side::SERVER;
use crate::programs;
use crate::recording::Recording;

/// The password of alice in the realm and of `DOM\alice`.
pub(super) const PASSWORD: &str = "alice Passw0rd";

/// A realm, the files for NTLM, and the programs.
pub(super) struct Lab<'l> {
    realm: &'l crate::lab::Lab,
    recording: Recording,
}

impl<'l> Lab<'l> {
    pub(super) fn start(realm: &'l crate::lab::Lab) -> Result<Self> {
        let recording = realm.recording().within("negotiate");
        let lab = Self { realm, recording };
        for (name, text) in [
            ("mech.conf", programs::gss_ntlmssp()?),
            ("users", format!("DOM:alice:{PASSWORD}\n")),
        ] {
            let path = lab.scratch(name);
            std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(lab)
    }

    /// A keytab or a credential cache.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.realm.path(name)
    }

    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.realm.scratch(name)
    }

    pub(super) const fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(super) fn gss_peer(&self) -> PathBuf {
        self.realm.gss_peer()
    }

    pub(super) fn kdc(&self) -> Result<String> {
        self.realm.kdc()
    }

    /// A program that knows the realm and gss-ntlmssp.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.realm.command(program);
        command
            .env_remove("NTLM_USER_FILE")
            .env_remove("LM_COMPAT_LEVEL")
            .env("GSS_MECH_CONFIG", self.scratch("mech.conf"))
            .env("NETBIOS_COMPUTER_NAME", "PEER")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// curl, with the tickets of that cache and the password.
    pub(super) fn curl(&self, cache: &str, port: u16, path: &str) -> Command {
        let mut curl = crate::http::curl(self.command("curl"));
        curl.args(["--negotiate", "--user", ":"])
            .args(["--resolve", &format!("{SERVER}:{port}:127.0.0.1")])
            .arg(format!("http://{SERVER}:{port}{path}"))
            .env("KRB5CCNAME", format!("FILE:{}", self.path(cache).display()))
            .env("NTLM_USER_FILE", self.scratch("users"));
        curl
    }
}
