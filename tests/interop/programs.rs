//! Where the programs are that `tests/peers/install.sh` and `cargo xtask` put on this machine.

use std::path::{Path, PathBuf};

use crate::Result;

/// The Python that has pyspnego.
pub(crate) fn python() -> PathBuf {
    built("venv/bin/python")
}

/// The program around the crate `sspi`.
pub(crate) fn sspi_peer() -> Result<PathBuf> {
    let path = built("sspi_peer/debug/sspi_peer");
    match path.exists() {
        true => Ok(path),
        false => Err(
            "no sspi_peer; run `cargo build --manifest-path tests/peers/sspi_peer/Cargo.toml \
             --target-dir target/peers/sspi_peer`"
                .into(),
        ),
    }
}

/// The line of a `GSS_MECH_CONFIG` for gss-ntlmssp.
pub(crate) fn gss_ntlmssp() -> Result<String> {
    let folders = std::fs::read_dir("/usr/lib").map_err(|e| format!("/usr/lib: {e}"))?;
    let mut paths = folders
        .flatten()
        .map(|folder| folder.path().join("gssntlmssp/gssntlmssp.so"));
    let path = paths.find(|path| path.exists());
    let path = path.ok_or("no gssntlmssp.so under /usr/lib")?;
    Ok(format!(
        "ntlmssp 1.3.6.1.4.1.311.2.2.10 {}\n",
        path.display()
    ))
}

fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/peers")
        .join(name)
}
