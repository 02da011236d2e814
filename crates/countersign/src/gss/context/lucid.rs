//! A context laid open for another implementation of its messages, such as a kernel's
//! (`gss_krb5_export_lucid_sec_context` of `gssapi_krb5.h`).
//!
//! | `gss_krb5_lucid_context_v1_t` | [`LucidContextV1`] |
//! |---|---|
//! | `version` | [`GSS_KRB5_LUCID_V1`] |
//! | `initiate`, `endtime`, `send_seq`, `recv_seq` | the same |
//! | `protocol` 0, `rfc1964_kd` | [`LucidProtocol::Rfc1964`] |
//! | `protocol` 1, `cfx_kd` | [`LucidProtocol::Cfx`] |

use crate::Role;
use crate::crypto::{Key, Zeroizing};

use super::super::error::{GssError, Problem};
use super::Context;

/// The only version that there is.
pub const GSS_KRB5_LUCID_V1: u32 = 1;

/// A Kerberos context in the open.
///
/// **It holds the context's keys.** They are wiped when it is dropped.
#[derive(Debug)]
pub struct LucidContextV1 {
    /// Whether this side is the initiator.
    pub initiate: bool,
    /// When the context ends: unix seconds.
    pub endtime: i64,
    /// The number of the next message that is sent.
    pub send_seq: u64,
    /// The number of the next message that is due.
    pub recv_seq: u64,
    /// How messages are protected, and the keys.
    pub protocol: LucidProtocol,
}

/// How the messages of a lucid context are protected.
#[derive(Debug)]
#[non_exhaustive]
pub enum LucidProtocol {
    /// RFC 1964 with the algorithms of RFC 4757: protocol 0.
    Rfc1964 {
        /// `SGN_ALG_HMAC_MD5`, 0x11.
        sign_alg: u32,
        /// `SEAL_ALG_MICROSOFT_RC4`, 0x10.
        seal_alg: u32,
        /// The key.
        ctx_key: LucidKey,
    },
    /// RFC 4121: protocol 1.
    Cfx {
        /// The initiator's subkey.
        ctx_key: LucidKey,
        /// The acceptor's, where it asserted one; messages are then protected by it.
        acceptor_subkey: Option<LucidKey>,
    },
}

/// A key of a lucid context.
pub struct LucidKey {
    /// Its enctype.
    pub enctype: i32,
    /// The secret bytes.
    pub data: Zeroizing<Vec<u8>>,
}

impl LucidKey {
    fn of(key: &Key) -> Self {
        Self {
            enctype: key.enctype().id(),
            data: Zeroizing::new(key.expose().to_vec()),
        }
    }
}

impl core::fmt::Debug for LucidKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LucidKey")
            .field("enctype", &self.enctype)
            .finish_non_exhaustive()
    }
}

/// RFC 4757: the one enctype whose messages are not RFC 4121's.
const RC4_HMAC: i32 = 23;

/// The context in the open; here it is gone afterwards, as two senders would use sequence numbers
/// twice.
///
/// # Errors
/// `GSS_S_NO_CONTEXT` where there is none or it is not established; `GSS_S_UNAVAILABLE` for another
/// version, and for contexts of mechanisms other than Kerberos. The context then stays.
pub fn export_lucid_sec_context(
    context: &mut Option<Context>,
    version: u32,
) -> Result<LucidContextV1, GssError> {
    if version != GSS_KRB5_LUCID_V1 {
        return Err(Problem::Unavailable.into());
    }
    let engine = context.as_ref().ok_or(Problem::ContextMissing)?.engine()?;
    let open = engine.lucid().ok_or(Problem::Unavailable)?;
    let protocol = if open.key.enctype().id() == RC4_HMAC {
        LucidProtocol::Rfc1964 {
            sign_alg: 0x11,
            seal_alg: 0x10,
            ctx_key: LucidKey::of(open.key),
        }
    } else {
        LucidProtocol::Cfx {
            ctx_key: LucidKey::of(open.initiator_key),
            acceptor_subkey: open.acceptor_subkey.then(|| LucidKey::of(open.key)),
        }
    };
    let lucid = LucidContextV1 {
        initiate: engine.role() == Role::Initiator,
        endtime: engine.expires().seconds(),
        send_seq: open.send_sequence,
        recv_seq: open.receive_sequence,
        protocol,
    };
    *context = None;
    Ok(lucid)
}
