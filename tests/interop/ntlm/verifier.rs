//! `ntlm_auth` as the one who asks a domain controller.

use std::process::Command;

use crate::Result;
use crate::base64::encode;
use crate::frames::{hex, unhex};
use crate::ntlm::helper::Helper;

/// `ntlm-server-1`: asks winbindd whether a response is the right one, as an acceptor asks that has the
/// response already.
pub(crate) struct Verifier {
    helper: Helper,
}

impl Verifier {
    pub(crate) fn start(command: Command) -> Result<Self> {
        let helper = Helper::start(command, "ntlm-server-1")?;
        Ok(Self { helper })
    }

    /// The session base key, if the domain controller finds that the response answers the challenge.
    pub(crate) fn verify(
        &mut self,
        domain: &str,
        user: &str,
        challenge: &[u8],
        nt_response: &[u8],
    ) -> Result<Vec<u8>> {
        for line in [
            format!("Username:: {}", encode(user.as_bytes())),
            format!("NT-Domain:: {}", encode(domain.as_bytes())),
            format!("LANMAN-Challenge: {}", hex(challenge)),
            format!("NT-Response: {}", hex(nt_response)),
            "Request-User-Session-Key: Yes".to_owned(),
            ".".to_owned(),
        ] {
            self.helper.say(&line)?;
        }
        let (mut authenticated, mut key, mut error) = (None, Vec::new(), String::new());
        loop {
            let line = self.helper.hear()?;
            match line.split_once(": ") {
                Some(("Authenticated", value)) => authenticated = Some(value == "Yes"),
                Some(("User-Session-Key", value)) => key = unhex(value),
                Some(("Authentication-Error", value)) => error = value.to_owned(),
                // A refusal ends with two of these: one may be left of the question before.
                None if line == "." && authenticated.is_some() => break,
                _ => {}
            }
        }
        match authenticated {
            Some(true) => Ok(key),
            _ => Err(format!("ntlm_auth: {error}")),
        }
    }
}
