//! Contexts handed to another process.
//!
//! ```text
//! "SSPI" | version (1) | wRPCID (2) | requested flags (4) | established: seconds (8), microseconds (4)
//! | target: length (4), UTF-8 | the engine's export
//! ```
//!
//! Integers are big-endian.

use countersign_context::{ErrorKind, Role, SecurityContext, Timestamp};
use zeroize::Zeroizing;

use super::context::{Context, CtxtHandle, State};
use super::flag_rules::Side;
use super::package::Package;
use super::{SecurityStatus, SspiError};
use crate::Provider;

/// The new context begins with fresh numbers. Refused: both sides would have to know.
pub const SECPKG_CONTEXT_EXPORT_RESET_NEW: u32 = 0x0000_0001;
/// The old context is deleted. It always is: two of one context would use numbers twice.
pub const SECPKG_CONTEXT_EXPORT_DELETE_OLD: u32 = 0x0000_0002;
/// The context goes to the kernel. Refused.
pub const SECPKG_CONTEXT_EXPORT_TO_KERNEL: u32 = 0x0000_0004;

const MAGIC: [u8; 5] = *b"SSPI\x01";

/// `ExportSecurityContext`: the context as bytes, to be imported once.
///
/// **The bytes contain the context's keys.** Hand them over as you would a private key. There is no
/// token beside them: the identity is in them too.
///
/// # Errors
/// `SEC_E_INVALID_HANDLE` before the context is established; `SEC_E_UNSUPPORTED_FUNCTION` for flags
/// other than [`SECPKG_CONTEXT_EXPORT_DELETE_OLD`]. The context is lost either way.
pub fn export_security_context(
    context: CtxtHandle,
    flags: u32,
) -> Result<Zeroizing<Vec<u8>>, SspiError> {
    if flags & !SECPKG_CONTEXT_EXPORT_DELETE_OLD != 0 {
        return Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into());
    }
    let (package, requested) = (context.0.package, context.0.requested);
    let (started, target) = (context.0.started, context.0.target.clone());
    let target = target.unwrap_or_default();
    let exported = context.into_context()?.export()?;
    let length = u32::try_from(target.len()).map_err(|_| ErrorKind::Overflow)?;
    let mut packed = Zeroizing::new(Vec::with_capacity(exported.len().saturating_add(64)));
    packed.extend_from_slice(&MAGIC);
    packed.extend_from_slice(&package.info().rpc_id.to_be_bytes());
    packed.extend_from_slice(&requested.to_be_bytes());
    packed.extend_from_slice(&started.seconds().to_be_bytes());
    packed.extend_from_slice(&started.microseconds().to_be_bytes());
    packed.extend_from_slice(&length.to_be_bytes());
    packed.extend_from_slice(target.as_bytes());
    packed.extend_from_slice(&exported);
    Ok(packed)
}

/// `ImportSecurityContext`: goes on with a context that was exported. Its channel bindings and the data
/// that the program kept with it ([`SECPKG_ATTR_APP_DATA`](super::SECPKG_ATTR_APP_DATA)) stayed behind.
///
/// # Errors
/// `SEC_E_SECPKG_NOT_FOUND`; `SEC_E_INVALID_TOKEN` where the bytes are none that were exported, or
/// of another package.
pub fn import_security_context(
    provider: &Provider,
    package: &str,
    packed_context: &[u8],
) -> Result<CtxtHandle, SspiError> {
    let package = Package::find(package)?;
    let defective = || SspiError::from(ErrorKind::DefectiveExport);
    let mut rest = packed_context;
    if take(&mut rest).ok_or_else(defective)? != MAGIC {
        return Err(defective());
    }
    let rpc_id = u16::from_be_bytes(take(&mut rest).ok_or_else(defective)?);
    let requested = u32::from_be_bytes(take(&mut rest).ok_or_else(defective)?);
    let seconds = i64::from_be_bytes(take(&mut rest).ok_or_else(defective)?);
    let microseconds = u32::from_be_bytes(take(&mut rest).ok_or_else(defective)?);
    let length = u32::from_be_bytes(take(&mut rest).ok_or_else(defective)?);
    let length = usize::try_from(length).map_err(|_| defective())?;
    let (target, exported) = rest.split_at_checked(length).ok_or_else(defective)?;
    let target = core::str::from_utf8(target).map_err(|_| defective())?;
    if rpc_id != package.info().rpc_id {
        return Err(defective());
    }
    let context = provider.with_environment(|env| SecurityContext::import(exported, env))?;
    Ok(CtxtHandle(Box::new(Context {
        provider: provider.clone(),
        credential: None,
        package,
        side: match context.role() {
            Role::Initiator => Side::Initiator,
            Role::Acceptor => Side::Acceptor,
        },
        requested,
        bindings: None,
        target: (!target.is_empty()).then(|| target.to_owned()),
        state: State::Established(Box::new(context)),
        pending: None,
        started: Timestamp::new(seconds, microseconds),
        application_data: None,
    })))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (part, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*part)
}
