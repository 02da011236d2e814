//! Apache with mod_auth_gssapi, whose NTLM is gss-ntlmssp.

use std::path::Path;

use crate::Result;
use crate::script::Script;

/// Where it answers: below `/` for NTLM, and below other folders for what `tests/peers/apache.sh` lists.
pub(crate) const PATH: &str = "/name.shtml";

/// A server that answers with the name of who asks.
pub(crate) struct Apache {
    script: Script,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Apache {
    /// With the folder of a realm it is a service of that too.
    pub(crate) fn start(folder: &Path, realm: Option<&Path>) -> Result<Self> {
        let mut script = Script::start_with("apache.sh", folder.to_owned(), realm)?;
        let environment = script.ready()?;
        let address = environment
            .get("ADDRESS")
            .ok_or("apache.sh tells no ADDRESS")?;
        Ok(Self {
            address: address.clone(),
            script,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Why it refused, as its log says last.
    pub(crate) fn last_error(&self) -> Result<String> {
        let log = self.script.folder().join("error.log");
        let text = std::fs::read_to_string(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        Ok(text.lines().last().unwrap_or_default().to_owned())
    }
}
