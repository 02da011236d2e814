//! `SecurityFunctionTable`: the functions by pointers.

use countersign_credential::Password;
use zeroize::Zeroizing;

use super::*;
use crate::Provider;

/// The version of [`SecurityFunctionTable`] that ends with `ChangeAccountPassword`.
pub const SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_4: u32 = 4;

/// `SecurityFunctionTable`, in the order of `sspi.h`. Its reserved entries are left out.
#[derive(Debug, Clone, Copy)]
#[allow(
    missing_docs,
    clippy::type_complexity,
    reason = "each is the function of its name"
)]
pub struct SecurityFunctionTable {
    /// `dwVersion`: [`SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_4`].
    pub version: u32,
    pub enumerate_security_packages: fn() -> Vec<SecPkgInfo>,
    pub query_credentials_attributes:
        fn(&CredHandle, u32) -> Result<CredentialsAttribute, SspiError>,
    pub acquire_credentials_handle: fn(
        &Provider,
        Option<&str>,
        &str,
        u32,
        Option<&SecWinntAuthIdentity>,
    ) -> Result<(CredHandle, TimeStamp), SspiError>,
    pub free_credentials_handle: fn(CredHandle),
    pub initialize_security_context: fn(
        &CredHandle,
        &mut Option<CtxtHandle>,
        Option<&str>,
        u32,
        u32,
        Option<&SecBufferDesc<'_>>,
        &mut SecBufferDesc<'_>,
    ) -> Result<Progress, SspiError>,
    pub accept_security_context: fn(
        &CredHandle,
        &mut Option<CtxtHandle>,
        Option<&SecBufferDesc<'_>>,
        u32,
        u32,
        &mut SecBufferDesc<'_>,
    ) -> Result<Progress, SspiError>,
    pub complete_auth_token: fn(&mut CtxtHandle, &mut SecBufferDesc<'_>) -> Result<(), SspiError>,
    pub delete_security_context: fn(CtxtHandle),
    pub query_context_attributes: fn(&CtxtHandle, u32) -> Result<ContextAttribute, SspiError>,
    pub impersonate_security_context: fn(&CtxtHandle) -> Result<Impersonation, SspiError>,
    pub revert_security_context: fn(Impersonation),
    pub make_signature:
        fn(&mut CtxtHandle, u32, &mut SecBufferDesc<'_>, u32) -> Result<(), SspiError>,
    pub verify_signature: fn(&mut CtxtHandle, &SecBufferDesc<'_>, u32) -> Result<u32, SspiError>,
    pub free_context_buffer: fn(Vec<u8>),
    pub query_security_package_info: fn(&str) -> Result<SecPkgInfo, SspiError>,
    pub export_security_context: fn(CtxtHandle, u32) -> Result<Zeroizing<Vec<u8>>, SspiError>,
    pub import_security_context: fn(&Provider, &str, &[u8]) -> Result<CtxtHandle, SspiError>,
    pub add_credentials: fn(
        &mut CredHandle,
        Option<&str>,
        &str,
        u32,
        Option<&SecWinntAuthIdentity>,
    ) -> Result<TimeStamp, SspiError>,
    pub query_security_context_token: fn(&CtxtHandle) -> Result<AccessToken, SspiError>,
    pub encrypt_message:
        fn(&mut CtxtHandle, u32, &mut SecBufferDesc<'_>, u32) -> Result<(), SspiError>,
    pub decrypt_message: fn(&mut CtxtHandle, &mut SecBufferDesc<'_>, u32) -> Result<u32, SspiError>,
    pub set_context_attributes: fn(&mut CtxtHandle, u32, &[u8]) -> Result<(), SspiError>,
    pub set_credentials_attributes: fn(&mut CredHandle, u32, &[u8]) -> Result<(), SspiError>,
    pub change_account_password: fn(
        &Provider,
        &str,
        &str,
        &str,
        &Password,
        &Password,
        &mut SecBufferDesc<'_>,
    ) -> Result<(), SspiError>,
}

/// `InitSecurityInterface`.
#[must_use]
pub fn init_security_interface() -> SecurityFunctionTable {
    SecurityFunctionTable {
        version: SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_4,
        enumerate_security_packages,
        query_credentials_attributes,
        acquire_credentials_handle,
        free_credentials_handle,
        initialize_security_context,
        accept_security_context,
        complete_auth_token,
        delete_security_context,
        query_context_attributes,
        impersonate_security_context,
        revert_security_context,
        make_signature,
        verify_signature,
        free_context_buffer: free_context_buffer::<Vec<u8>>,
        query_security_package_info,
        export_security_context,
        import_security_context,
        add_credentials,
        query_security_context_token,
        encrypt_message,
        decrypt_message,
        set_context_attributes,
        set_credentials_attributes,
        change_account_password,
    }
}
