//! How much longer a message gets, and how long it may be.
//!
//! ```text
//! sealed   header 16 | confounder 16 | message | header 16 | MAC        (RFC 4121 §4.2.4)
//! signed   header 16 | message | checksum                                (RFC 4121 §4.2.4)
//! MIC      header 16 | checksum                                          (RFC 4121 §4.2.6.1)
//! NTLM     signature 16 | message                                        (MS-NLMP §3.4.4)
//! ```

use super::cfx;
use super::facts::{Facts, Form};
use crate::policy::Policy;

/// Sizes of `SecPkgContext_Sizes`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sizes {
    /// The longest token of the context's establishment that the default policy takes.
    pub max_token: usize,
    /// The length of a MIC.
    pub max_signature: usize,
    /// The block that messages are padded to: 1, there is none.
    pub block: usize,
    /// What sealing adds when it all stands in the header (`SECBUFFER_TOKEN`).
    pub security_trailer: usize,
}

impl Sizes {
    pub(super) fn of(facts: &Facts) -> Self {
        Self {
            max_token: Policy::DEFAULT.max_token(),
            max_signature: mic_len(facts),
            block: 1,
            security_trailer: security_trailer(facts),
        }
    }
}

/// Room that a token has before and after its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Overhead {
    /// Bytes before the message.
    pub header: usize,
    /// Bytes after the message.
    pub trailer: usize,
}

impl Overhead {
    /// Both together.
    #[must_use]
    pub fn total(self) -> usize {
        self.header.saturating_add(self.trailer)
    }
}

fn mic_len(facts: &Facts) -> usize {
    match facts.form() {
        Form::Cfx(facts) => cfx::HEADER.saturating_add(facts.enctype().checksum_type().len()),
        #[cfg(feature = "rc4")]
        Form::Rfc4757(_) => super::rfc4757::MIC_LEN,
        #[cfg(feature = "ntlm")]
        Form::Ntlm(_) => super::ntlm::SIGNATURE,
        Form::Custom(keys) => keys.header,
    }
}

fn security_trailer(facts: &Facts) -> usize {
    match facts.form() {
        Form::Cfx(kerberos) => overhead(facts, true, 0)
            .total()
            .saturating_add(cfx::dce_extra(kerberos)),
        #[cfg(feature = "rc4")]
        Form::Rfc4757(facts) => super::rfc4757::parts(facts, 0).total(),
        #[cfg(feature = "ntlm")]
        Form::Ntlm(_) => super::ntlm::SIGNATURE,
        Form::Custom(keys) => keys.header,
    }
}

#[cfg_attr(
    not(feature = "rc4"),
    expect(unused_variables, reason = "lengths of RFC 4757 alone depend on it")
)]
pub(super) fn overhead(facts: &Facts, seal: bool, message: usize) -> Overhead {
    match facts.form() {
        Form::Cfx(facts) => {
            let mac = facts.enctype().checksum_type().len();
            if seal {
                Overhead {
                    header: cfx::HEADER.saturating_add(cfx::CONFOUNDER),
                    trailer: cfx::HEADER.saturating_add(mac),
                }
            } else {
                Overhead {
                    header: cfx::HEADER,
                    trailer: mac,
                }
            }
        }
        #[cfg(feature = "rc4")]
        Form::Rfc4757(_) => super::rfc4757::overhead(message),
        #[cfg(feature = "ntlm")]
        Form::Ntlm(_) => Overhead {
            header: super::ntlm::SIGNATURE,
            trailer: 0,
        },
        Form::Custom(keys) => Overhead {
            header: keys.header,
            trailer: 0,
        },
    }
}

/// The longest message whose token fits: the overhead never shrinks as the message grows, and
/// grows by a byte or two where a DER length does.
pub(super) fn wrap_size_limit(facts: &Facts, seal: bool, max_output: usize) -> usize {
    let fits = |message: usize| {
        overhead(facts, seal, message)
            .total()
            .checked_add(message)
            .is_some_and(|token| token <= max_output)
    };
    let mut message = max_output.saturating_sub(overhead(facts, seal, 0).total());
    // At most as often as the DER length can grow.
    while message > 0 && !fits(message) {
        message = message.saturating_sub(1);
    }
    message
}
