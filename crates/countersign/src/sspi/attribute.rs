//! Attributes of contexts, by their numbers and by their types.
//!
//! | attribute | number | type | client | server | half-open |
//! |---|---|---|---|---|---|
//! | SIZES | 0 | [`SecPkgContextSizes`] | yes | yes | |
//! | NAMES | 1 | [`SecPkgContextNames`] | yes | yes | |
//! | LIFESPAN | 2 | [`SecPkgContextLifespan`] | yes | yes | |
//! | DCE_INFO | 3 | [`SecPkgContextDceInfo`] | | yes | |
//! | STREAM_SIZES | 4 | [`SecPkgContextStreamSizes`] | yes | yes | |
//! | KEY_INFO | 5 | [`SecPkgContextKeyInfo`] | yes | yes | |
//! | AUTHORITY | 6 | [`SecPkgContextAuthority`] | yes | yes | |
//! | SESSION_KEY | 9 | [`SecPkgContextSessionKey`] | yes | yes | where it exists already |
//! | PACKAGE_INFO | 10 | [`SecPkgContextPackageInfo`] | yes | yes | yes |
//! | NEGOTIATION_INFO | 12 | [`SecPkgContextNegotiationInfo`] | yes | yes | yes |
//! | NATIVE_NAMES | 13 | [`SecPkgContextNativeNames`] | yes | yes | |
//! | FLAGS | 14 | [`SecPkgContextFlags`] | yes | yes | yes |
//! | TARGET_INFORMATION | 17 | [`SecPkgContextTargetInformation`] | yes | | yes |
//! | ACCESS_TOKEN | 18 | [`AccessToken`] | | yes | |
//! | UNIQUE_BINDINGS | 25 | [`SecPkgContextUniqueBindings`] | where given | where given | yes |
//! | ENDPOINT_BINDINGS | 26 | [`SecPkgContextEndpointBindings`] | where given | where given | yes |
//! | CLIENT_SPECIFIED_TARGET | 27 | [`SecPkgContextClientSpecifiedTarget`] | | where named | |
//! | LAST_CLIENT_TOKEN_STATUS | 30 | [`SecPkgAttrLastClientTokenStatus`] | | yes | yes |
//! | APP_DATA | 94 | [`SecPkgContextSessionAppData`] | where set | where set | yes |
//! | SUBJECT_SECURITY_ATTRIBUTES | 128 | [`SecPkgContextSubjectAttributes`] | | Kerberos | |
//!
//! An attribute that is not there is `SEC_E_UNSUPPORTED_FUNCTION`; one that comes with the
//! established context is `SEC_E_INVALID_HANDLE` before.

use zeroize::Zeroizing;

use super::access_token::AccessToken;
use super::context::CtxtHandle;
use super::package::SecPkgInfo;
use super::time::TimeStamp;
use super::{SecurityStatus, SspiError};

macro_rules! attributes {
    ($($(#[$doc:meta])* $number:ident = $value:literal => $variant:ident($type:ty);)*) => {
        $($(#[$doc])* pub const $number: u32 = $value;)*

        /// The value of an attribute: what `pBuffer` of `QueryContextAttributes` receives.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum ContextAttribute {
            $($(#[$doc])* $variant($type),)*
        }

        $(impl Attribute for $type {
            const NUMBER: u32 = $value;

            fn of(attribute: ContextAttribute) -> Option<Self> {
                match attribute {
                    ContextAttribute::$variant(value) => Some(value),
                    _ => None,
                }
            }
        })*

        /// Every attribute that these packages have: name and number.
        pub const CONTEXT_ATTRIBUTES: &[(&str, u32)] = &[$((stringify!($number), $value)),*];
    };
}

attributes! {
    /// Sizes of tokens and signatures.
    SECPKG_ATTR_SIZES = 0 => Sizes(SecPkgContextSizes);
    /// The client's name.
    SECPKG_ATTR_NAMES = 1 => Names(SecPkgContextNames);
    /// From when to when it is valid.
    SECPKG_ATTR_LIFESPAN = 2 => Lifespan(SecPkgContextLifespan);
    /// What DCE RPC authorizes by.
    SECPKG_ATTR_DCE_INFO = 3 => DceInfo(SecPkgContextDceInfo);
    /// Sizes of messages of a stream.
    SECPKG_ATTR_STREAM_SIZES = 4 => StreamSizes(SecPkgContextStreamSizes);
    /// The algorithms that protect messages.
    SECPKG_ATTR_KEY_INFO = 5 => KeyInfo(SecPkgContextKeyInfo);
    /// Who vouches for the client.
    SECPKG_ATTR_AUTHORITY = 6 => Authority(SecPkgContextAuthority);
    /// The session key.
    SECPKG_ATTR_SESSION_KEY = 9 => SessionKey(SecPkgContextSessionKey);
    /// The package in effect.
    SECPKG_ATTR_PACKAGE_INFO = 10 => PackageInfo(SecPkgContextPackageInfo);
    /// The package in effect and how far its negotiation is.
    SECPKG_ATTR_NEGOTIATION_INFO = 12 => NegotiationInfo(SecPkgContextNegotiationInfo);
    /// The names of both sides as the mechanism writes them.
    SECPKG_ATTR_NATIVE_NAMES = 13 => NativeNames(SecPkgContextNativeNames);
    /// The attributes that were granted.
    SECPKG_ATTR_FLAGS = 14 => Flags(SecPkgContextFlags);
    /// Whom the client wants to reach.
    SECPKG_ATTR_TARGET_INFORMATION = 17 => TargetInformation(SecPkgContextTargetInformation);
    /// Who the client is.
    SECPKG_ATTR_ACCESS_TOKEN = 18 => AccessToken(AccessToken);
    /// The `tls-unique` bindings that the caller gave.
    SECPKG_ATTR_UNIQUE_BINDINGS = 25 => UniqueBindings(SecPkgContextUniqueBindings);
    /// The `tls-server-end-point` bindings that the caller gave.
    SECPKG_ATTR_ENDPOINT_BINDINGS = 26 => EndpointBindings(SecPkgContextEndpointBindings);
    /// The service that the client meant.
    SECPKG_ATTR_CLIENT_SPECIFIED_TARGET = 27 => ClientSpecifiedTarget(SecPkgContextClientSpecifiedTarget);
    /// Whether the client's token was its last.
    SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS = 30 => LastClientTokenStatus(SecPkgAttrLastClientTokenStatus);
    /// What the program keeps with the context.
    SECPKG_ATTR_APP_DATA = 94 => AppData(SecPkgContextSessionAppData);
    /// The client's claims.
    SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES = 128 => SubjectSecurityAttributes(SecPkgContextSubjectAttributes);
}

/// A type that is the value of an attribute.
pub trait Attribute: Sized {
    /// `SECPKG_ATTR_*`.
    const NUMBER: u32;

    /// The value, where it is of this type.
    fn of(attribute: ContextAttribute) -> Option<Self>;
}

/// `SecPkgContext_Sizes`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecPkgContextSizes {
    /// `cbMaxToken`.
    pub max_token: usize,
    /// `cbMaxSignature`.
    pub max_signature: usize,
    /// `cbBlockSize`.
    pub block_size: usize,
    /// `cbSecurityTrailer`.
    pub security_trailer: usize,
}

/// `SecPkgContext_Names`: on either side the client, `DOMAIN\user` where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextNames {
    /// `sUserName`.
    pub user_name: String,
}

/// `SecPkgContext_NativeNames`: principals of Kerberos, accounts of NTLM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextNativeNames {
    /// `sClientName`.
    pub client_name: String,
    /// `sServerName`; what the client called it where it proved nothing.
    pub server_name: String,
}

/// `SecPkgContext_Lifespan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecPkgContextLifespan {
    /// `tsStart`: when this side was established.
    pub start: TimeStamp,
    /// `tsExpiry`.
    pub expiry: TimeStamp,
}

/// `RPC_C_AUTHZ_NAME`: DCE RPC authorizes by name.
pub const RPC_C_AUTHZ_NAME: u32 = 1;

/// `SecPkgContext_DceInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextDceInfo {
    /// `AuthzSvc`: [`RPC_C_AUTHZ_NAME`].
    pub authz_svc: u32,
    /// `pPac`: the client's name.
    pub pac: String,
}

/// `SecPkgContext_StreamSizes`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecPkgContextStreamSizes {
    /// `cbHeader`: TOKEN.
    pub header: usize,
    /// `cbTrailer`: none; everything stands before the message.
    pub trailer: usize,
    /// `cbMaximumMessage`.
    pub maximum_message: usize,
    /// `cBuffers`: TOKEN, DATA, PADDING.
    pub buffers: usize,
    /// `cbBlockSize`.
    pub block_size: usize,
}

/// `ALG_ID` of an HMAC (`wincrypt.h`).
pub const CALG_HMAC: u32 = 0x0000_8009;
/// `ALG_ID` of RC4 (`wincrypt.h`).
pub const CALG_RC4: u32 = 0x0000_6801;

/// `SecPkgContext_KeyInfo`.
///
/// Its documentation has `ALG_ID`s in both numbers. With NTLM they are, and the names are those of
/// MS-NLMP §3.4; Kerberos has enctypes that no `ALG_ID` stands for, and tells its own numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextKeyInfo {
    /// `sSignatureAlgorithmName`.
    pub signature_algorithm_name: &'static str,
    /// `sEncryptAlgorithmName`.
    pub encrypt_algorithm_name: &'static str,
    /// `KeySize`: as many bits of the session key as count, with NTLM 128 unless a policy permits
    /// fewer.
    pub key_size: usize,
    /// `SignatureAlgorithm`: the checksum type of RFC 3961 as an unsigned number; with NTLM
    /// [`CALG_HMAC`].
    pub signature_algorithm: u32,
    /// `EncryptAlgorithm`: the enctype of RFC 3961; with NTLM [`CALG_RC4`].
    pub encrypt_algorithm: u32,
}

/// `SecPkgContext_Authority`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextAuthority {
    /// `sAuthorityName`: the client's realm or domain.
    pub authority_name: String,
}

/// `SecPkgContext_SessionKey`. Not printed, and wiped.
pub struct SecPkgContextSessionKey {
    /// `SessionKey`: as long as the enctype's key, or 16 bytes with NTLM.
    pub session_key: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for SecPkgContextSessionKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecPkgContextSessionKey(..)")
    }
}

/// `SecPkgContext_PackageInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecPkgContextPackageInfo {
    /// `PackageInfo`: with `Negotiate` the package that was negotiated, once it was.
    pub package_info: SecPkgInfo,
}

/// The negotiation is complete.
pub const SECPKG_NEGOTIATION_COMPLETE: u32 = 0;
/// The preferred package has begun, and may be replaced.
pub const SECPKG_NEGOTIATION_OPTIMISTIC: u32 = 1;
/// The package is being negotiated.
pub const SECPKG_NEGOTIATION_IN_PROGRESS: u32 = 2;
/// The package was not negotiated.
pub const SECPKG_NEGOTIATION_DIRECT: u32 = 3;
/// Another credential is tried.
pub const SECPKG_NEGOTIATION_TRY_MULTICRED: u32 = 4;

/// `SecPkgContext_NegotiationInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecPkgContextNegotiationInfo {
    /// `PackageInfo`, as [`SecPkgContextPackageInfo`] has it.
    pub package_info: SecPkgInfo,
    /// `NegotiationState`: `SECPKG_NEGOTIATION_*`.
    pub negotiation_state: u32,
}

/// `SecPkgContext_Flags`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecPkgContextFlags {
    /// `Flags`: as the last call returned them, `ISC_RET_*` or `ASC_RET_*`.
    pub flags: u32,
}

/// `SecPkgContext_TargetInformation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextTargetInformation {
    /// `MarshalledTargetInfo`: on Windows a structure of the credential manager, for
    /// `CredUnmarshalTargetInfo`. There is none here: it is the target's name as the caller gave it,
    /// in UTF-16, little-endian.
    pub marshalled_target_info: Vec<u8>,
}

/// `SecPkgContext_Bindings` of [`SECPKG_ATTR_UNIQUE_BINDINGS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextUniqueBindings {
    /// `SEC_CHANNEL_BINDINGS`.
    pub bindings: Vec<u8>,
}

/// `SecPkgContext_Bindings` of [`SECPKG_ATTR_ENDPOINT_BINDINGS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextEndpointBindings {
    /// `SEC_CHANNEL_BINDINGS`.
    pub bindings: Vec<u8>,
}

/// `SecPkgContext_ClientSpecifiedTarget`: the service that the client says it means. It may be another
/// than this one.
///
/// A server that compares it hinders relaying of what was meant for another. Of NTLM it is what the
/// response proves (`MsvAvTargetName`, MS-NLMP §2.2.2.1). Clients need not send one: then it is
/// `SEC_E_TARGET_UNKNOWN`, and so it is for a name from a source that the client itself does not trust
/// ([`ISC_REQ_UNVERIFIED_TARGET_NAME`](super::ISC_REQ_UNVERIFIED_TARGET_NAME)), which
/// [`SecurityContext::ntlm_target`](crate::SecurityContext) of [`CtxtHandle::context`] shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextClientSpecifiedTarget {
    /// `sTargetName`: the principal of the ticket; with NTLM the name as the client was given it.
    pub target_name: String,
}

/// `SECPKG_ATTR_LCT_STATUS`, of `SecPkgContext_LastClientTokenStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecPkgAttrLastClientTokenStatus {
    /// It was the last.
    Yes = 0,
    /// Another is expected.
    No = 1,
    /// It cannot be told.
    Maybe = 2,
}

/// `SecPkgContext_SessionAppData`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextSessionAppData {
    /// `pbAppData`.
    pub app_data: Vec<u8>,
}

/// `SecPkgContext_SubjectAttributes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecPkgContextSubjectAttributes {
    /// `AttributeInfo`: the client's claims as the verified PAC has them (MS-PAC §2.11); nothing
    /// where it has none.
    pub attribute_info: Vec<u8>,
}

/// `QueryContextAttributes`, by number.
///
/// # Errors
/// `SEC_E_UNSUPPORTED_FUNCTION` for an attribute that the context does not have;
/// `SEC_E_INVALID_HANDLE` where it is not established yet; `SEC_E_NO_IMPERSONATION` for
/// [`SECPKG_ATTR_ACCESS_TOKEN`] and `SEC_E_TARGET_UNKNOWN` for
/// [`SECPKG_ATTR_CLIENT_SPECIFIED_TARGET`] where there is none.
pub fn query_context_attributes(
    context: &CtxtHandle,
    attribute: u32,
) -> Result<ContextAttribute, SspiError> {
    type A = ContextAttribute;
    let context = &*context.0;
    Ok(match attribute {
        SECPKG_ATTR_SIZES => A::Sizes(context.sizes()?),
        SECPKG_ATTR_NAMES => A::Names(context.names()?),
        SECPKG_ATTR_LIFESPAN => A::Lifespan(context.lifespan()?),
        SECPKG_ATTR_DCE_INFO => A::DceInfo(context.dce_info()?),
        SECPKG_ATTR_STREAM_SIZES => A::StreamSizes(context.stream_sizes()?),
        SECPKG_ATTR_KEY_INFO => A::KeyInfo(context.key_info()?),
        SECPKG_ATTR_AUTHORITY => A::Authority(context.authority()?),
        SECPKG_ATTR_SESSION_KEY => A::SessionKey(context.session_key()?),
        SECPKG_ATTR_PACKAGE_INFO => A::PackageInfo(context.package_info()),
        SECPKG_ATTR_NEGOTIATION_INFO => A::NegotiationInfo(context.negotiation_info()),
        SECPKG_ATTR_NATIVE_NAMES => A::NativeNames(context.native_names()?),
        SECPKG_ATTR_FLAGS => A::Flags(SecPkgContextFlags {
            flags: context.attributes(),
        }),
        SECPKG_ATTR_TARGET_INFORMATION => A::TargetInformation(context.target_information()?),
        SECPKG_ATTR_ACCESS_TOKEN => A::AccessToken(context.access_token()?),
        SECPKG_ATTR_UNIQUE_BINDINGS => A::UniqueBindings(SecPkgContextUniqueBindings {
            bindings: context.bindings_of(b"tls-unique:")?,
        }),
        SECPKG_ATTR_ENDPOINT_BINDINGS => A::EndpointBindings(SecPkgContextEndpointBindings {
            bindings: context.bindings_of(b"tls-server-end-point:")?,
        }),
        SECPKG_ATTR_CLIENT_SPECIFIED_TARGET => {
            A::ClientSpecifiedTarget(context.specified_target()?)
        }
        SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS => {
            A::LastClientTokenStatus(context.last_client_token_status()?)
        }
        SECPKG_ATTR_APP_DATA => A::AppData(context.app_data()?),
        SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES => {
            A::SubjectSecurityAttributes(context.subject_attributes()?)
        }
        _ => return Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into()),
    })
}

/// `QueryContextAttributes`, by type.
///
/// ```no_run
/// use countersign::sspi::{CtxtHandle, SecPkgContextSizes, SspiError, query_context_attribute};
///
/// fn room_for_a_token(context: &CtxtHandle) -> Result<Vec<u8>, SspiError> {
///     let sizes: SecPkgContextSizes = query_context_attribute(context)?;
///     Ok(vec![0; sizes.security_trailer])
/// }
/// ```
///
/// # Errors
/// As [`query_context_attributes`].
pub fn query_context_attribute<A: Attribute>(context: &CtxtHandle) -> Result<A, SspiError> {
    let attribute = query_context_attributes(context, A::NUMBER)?;
    A::of(attribute).ok_or(SecurityStatus::SEC_E_INTERNAL_ERROR.into())
}

/// `SetContextAttributes`. Of what Windows can set, these packages have [`SECPKG_ATTR_APP_DATA`].
///
/// # Errors
/// `SEC_E_UNSUPPORTED_FUNCTION` for any other.
pub fn set_context_attributes(
    context: &mut CtxtHandle,
    attribute: u32,
    buffer: &[u8],
) -> Result<(), SspiError> {
    match attribute {
        SECPKG_ATTR_APP_DATA => {
            context.0.application_data = Some(buffer.to_vec());
            Ok(())
        }
        _ => Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into()),
    }
}
