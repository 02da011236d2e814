//! Where the programs are that speak NTLM, and the files that they read, under a temporary folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::ntlm::side::User;
use crate::programs;
use crate::recording::Recording;
use crate::script;

/// What this machine is called in NTLM messages.
pub(super) const COMPUTER: &str = "PEER";

/// The programs, and a folder for their files.
pub(crate) struct Lab {
    folder: PathBuf,
    recording: Recording,
}

impl Lab {
    /// Builds and writes what the peers need; they are installed already.
    pub(super) fn start(recording: Recording) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("countersign-ntlm-{}", std::process::id()));
        // What a killed process of the same number left behind.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let lab = Self { folder, recording };
        let built = Command::new(script::path("build.sh"))
            .arg(lab.gss_peer())
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return Err("tests/peers/build.sh could not compile gss_peer.c".into());
        }
        lab.write("mech.conf", &programs::gss_ntlmssp()?)?;
        Ok(lab)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(path)
    }

    /// A file as `NTLM_USER_FILE` names it.
    pub(super) fn users(&self, users: &[User]) -> Result<PathBuf> {
        let lines = users
            .iter()
            .map(|user| format!("{}:{}:{}\n", user.domain, user.name, user.password));
        self.write("users", &lines.collect::<String>())
    }

    pub(super) fn gss_peer(&self) -> PathBuf {
        self.path("gss_peer")
    }

    /// A program that knows of no NTLM but gss-ntlmssp, and of no Kerberos.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for name in [
            "NTLM_USER_FILE",
            "LM_COMPAT_LEVEL",
            "KRB5CCNAME",
            "KRB5_KTNAME",
        ] {
            command.env_remove(name);
        }
        command
            .env("GSS_MECH_CONFIG", self.path("mech.conf"))
            .env("KRB5_CONFIG", "/dev/null")
            .env("NETBIOS_COMPUTER_NAME", COMPUTER)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
