//! The functions of `sspi.h`: `Negotiate`, `Kerberos` and `NTLM`, on every operating system.
//!
//! Names, parameters, calling sequences, flags, buffers, attributes and statuses are those that
//! Microsoft documents, in Rust case. They stand on the engine of this library and have no protocol
//! state of their own; what `pvLogonId` and the machine are on Windows is a [`Provider`](crate::Provider).
//!
//! ```text
//! acquire_credentials_handle ──▶ CredHandle
//!       initialize_security_context ◀── tokens ──▶ accept_security_context      ──▶ CtxtHandle
//!             query_context_attributes, query_security_context_token, impersonate…
//!             make_signature / verify_signature, encrypt_message / decrypt_message
//!       delete_security_context
//! free_credentials_handle
//! ```
//!
//! A server's side of it, as "How a Windows Sockets Service Authenticates a Client" has it:
//!
//! ```no_run
//! use countersign::Provider;
//! use countersign::sspi::*;
//!
//! # fn receive() -> Vec<u8> { Vec::new() }
//! # fn send(_: &[u8]) {}
//! fn authenticate(provider: &Provider, package: &str) -> Result<CtxtHandle, SspiError> {
//!     let (credential, _) =
//!         acquire_credentials_handle(provider, None, package, SECPKG_CRED_INBOUND, None)?;
//!     let mut context = None;
//!     loop {
//!         let token = receive();
//!         let input = SecBufferDesc::new([SecBuffer::input(SECBUFFER_TOKEN, &token)]);
//!         let mut output = SecBufferDesc::new([SecBuffer::owned(SECBUFFER_TOKEN, Vec::new())]);
//!         let progress = accept_security_context(
//!             &credential,
//!             &mut context,
//!             Some(&input),
//!             ASC_REQ_MUTUAL_AUTH,
//!             SECURITY_NATIVE_DREP,
//!             &mut output,
//!         )?;
//!         if !output.token().is_empty() {
//!             send(output.token());
//!         }
//!         if progress.status == SecurityStatus::SEC_E_OK {
//!             return context.ok_or(SecurityStatus::SEC_E_INTERNAL_ERROR.into());
//!         }
//!     }
//! }
//! ```
//!
//! Calls block while KDCs are asked, as those of Windows do. Programs that must not block use the
//! engine itself ([`kerberos`](crate::kerberos), [`negotiate`](crate::negotiate)).
//!
//! What differs from Windows, on purpose:
//!
//! | Windows | here |
//! |---|---|
//! | `Negotiate` uses NTLM unless it is excluded | only where it is named: in the client's package list or provider, in the server's provider |
//! | two threads must not use a handle at once | they cannot: it does not compile |
//! | a context may be exported and kept | an exported context is gone |
//! | attributes tell what was not granted | so they do; [`CredHandle::require_requested`] makes it an error |

mod accept;
mod access_token;
mod attribute;
mod attribute_values;
mod auth_identity;
mod buffer;
mod complete;
mod context;
mod credential;
mod credential_attribute;
mod error;
mod establish;
mod export;
mod flag_rules;
mod flags;
mod impersonate;
mod initialize;
#[cfg(all(feature = "impersonate", target_os = "linux"))]
mod linux;
mod message;
mod package;
mod password;
mod table;
mod time;

pub use accept::accept_security_context;
pub use access_token::{AccessToken, SecurityImpersonationLevel, query_security_context_token};
pub use attribute::*;
pub use auth_identity::{
    SEC_WINNT_AUTH_IDENTITY_ANSI, SEC_WINNT_AUTH_IDENTITY_UNICODE, SEC_WINNT_AUTH_IDENTITY_VERSION,
    SecWinntAuthIdentity,
};
pub use buffer::*;
pub use complete::complete_auth_token;
pub use context::{CtxtHandle, delete_security_context};
pub use credential::{
    CredHandle, SECPKG_CRED_AUTOLOGON_RESTRICTED, SECPKG_CRED_BOTH, SECPKG_CRED_DEFAULT,
    SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND, SECPKG_CRED_PROCESS_POLICY_ONLY,
    SECPKG_CRED_RESERVED, acquire_credentials_handle, add_credentials, free_credentials_handle,
};
pub use credential_attribute::*;
pub use error::{SecurityStatus, SspiError};
pub use establish::Progress;
pub use export::{
    SECPKG_CONTEXT_EXPORT_DELETE_OLD, SECPKG_CONTEXT_EXPORT_RESET_NEW,
    SECPKG_CONTEXT_EXPORT_TO_KERNEL, export_security_context, import_security_context,
};
pub use flag_rules::{ASC_RULES, FlagRule, ISC_RULES, Treatment};
pub use flags::*;
pub use impersonate::{
    Impersonated, Impersonation, Impersonator, current_identity, impersonate_security_context,
    impersonate_with, revert_security_context,
};
pub use initialize::initialize_security_context;
#[cfg(all(feature = "impersonate", target_os = "linux"))]
pub use linux::LinuxImpersonator;
pub use message::{
    SECQOP_WRAP_NO_ENCRYPT, SECQOP_WRAP_OOB_DATA, decrypt_message, encrypt_message, make_signature,
    verify_signature,
};
pub use package::*;
pub use password::change_account_password;
pub use table::{
    SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_4, SecurityFunctionTable, init_security_interface,
};
pub use time::TimeStamp;
