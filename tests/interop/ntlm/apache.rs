//! Apache with mod_auth_gssapi, whose NTLM is gss-ntlmssp.

use crate::Result;
use crate::ntlm::lab::Lab;
use crate::script::Script;

/// Where it answers.
pub(super) const PATH: &str = "/name.shtml";

/// A server that answers with the name of who asks.
pub(super) struct Apache {
    script: Script,
    /// `127.0.0.1:PORT`.
    pub(super) address: String,
}

impl Apache {
    pub(super) fn start(lab: &Lab) -> Result<Self> {
        let folder = lab.path("apache");
        let mut script = Script::start("apache.sh", folder)?;
        let environment = script.ready()?;
        let address = environment
            .get("ADDRESS")
            .ok_or("apache.sh tells no ADDRESS")?;
        Ok(Self {
            address: address.clone(),
            script,
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Why it refused, as its log says last.
    pub(super) fn last_error(&self) -> Result<String> {
        let log = self.script.folder().join("error.log");
        let text = std::fs::read_to_string(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        Ok(text.lines().last().unwrap_or_default().to_owned())
    }
}
