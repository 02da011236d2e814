//! Attributes of credentials.

use super::credential::CredHandle;
#[cfg(feature = "ntlm")]
use super::credential::NtlmClient;
use super::{SecurityStatus, SspiError};

/// Whose credential it is.
pub const SECPKG_CRED_ATTR_NAMES: u32 = 1;
/// Who provides the package.
pub const SECPKG_CRED_ATTR_SSI_PROVIDER: u32 = 2;
/// Settings of KDC proxies; they are the provider's.
pub const SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS: u32 = 3;
/// A certificate (Schannel).
pub const SECPKG_CRED_ATTR_CERT: u32 = 4;
/// Whether PACs are asked for; it is the credential's option.
pub const SECPKG_CRED_ATTR_PAC_BYPASS: u32 = 5;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsAttribute {
    /// `SecPkgCredentials_Names`: `sUserName`; the client, or the first service of the keytab.
    Names(String),
    /// `SecPkgCredentials_SSIProvider`: `sProviderName`.
    SsiProvider(&'static str),
}

/// `QueryCredentialsAttributes`.
///
/// # Errors
/// `SEC_E_UNSUPPORTED_FUNCTION` for an attribute that these packages do not have;
/// `SEC_E_NO_CREDENTIALS` where the credential has no name.
pub fn query_credentials_attributes(
    credential: &CredHandle,
    attribute: u32,
) -> Result<CredentialsAttribute, SspiError> {
    match attribute {
        SECPKG_CRED_ATTR_NAMES => {
            let name = name(credential).ok_or(SecurityStatus::SEC_E_NO_CREDENTIALS)?;
            Ok(CredentialsAttribute::Names(name))
        }
        SECPKG_CRED_ATTR_SSI_PROVIDER => Ok(CredentialsAttribute::SsiProvider("countersign")),
        _ => Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into()),
    }
}

/// `SetCredentialsAttributes`. These packages have none that can be set: proxies and PACs are
/// options of the [`Provider`](crate::Provider) and its credentials.
///
/// # Errors
/// `SEC_E_UNSUPPORTED_FUNCTION`, always.
pub fn set_credentials_attributes(
    _credential: &mut CredHandle,
    _attribute: u32,
    _buffer: &[u8],
) -> Result<(), SspiError> {
    Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into())
}

fn name(credential: &CredHandle) -> Option<String> {
    let (inbound, outbound) = (&credential.0.inbound, &credential.0.outbound);
    if let Some(client) = &outbound.kerberos {
        return Some(client.client().to_string());
    }
    #[cfg(feature = "ntlm")]
    if let Some(NtlmClient::Account(account)) = &outbound.ntlm {
        return Some(account.name().to_string());
    }
    if let Some(service) = inbound
        .kerberos
        .as_ref()
        .and_then(|keys| keys.principals().next())
    {
        return Some(service.to_string());
    }
    #[cfg(feature = "ntlm")]
    if let Some(server) = &inbound.ntlm {
        return Some(format!(
            "{}\\{}$",
            server.names().domain(),
            server.names().computer()
        ));
    }
    None
}
