//! `CompleteAuthToken`.

use super::buffer::SecBufferDesc;
use super::context::CtxtHandle;
use super::{SecurityStatus, SspiError};

/// `CompleteAuthToken`: for packages that return `SEC_I_COMPLETE_NEEDED` or
/// `SEC_I_COMPLETE_AND_CONTINUE`, Digest among them. Tokens of `Negotiate`, `Kerberos` and `NTLM`
/// are complete as they are.
///
/// # Errors
/// `SEC_E_UNSUPPORTED_FUNCTION`, always.
pub fn complete_auth_token(
    _context: &mut CtxtHandle,
    _token: &mut SecBufferDesc<'_>,
) -> Result<(), SspiError> {
    Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into())
}
