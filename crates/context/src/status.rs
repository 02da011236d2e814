//! Status codes of the two faces, with their documented numbers.

use core::fmt;

/// A `SECURITY_STATUS` of `sspi.h`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SspiStatus(pub u32);

macro_rules! statuses {
    ($type:ident: $($(#[doc = $doc:literal])* $name:ident = $value:literal;)*) => {
        impl $type {
            $($(#[doc = $doc])* pub const $name: Self = Self($value);)*

            /// Every constant that has a name here.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What it means, in a sentence, where the value has a name.
            #[must_use]
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(concat!($($doc),*).trim_ascii()),)*
                    _ => None,
                }
            }

            /// The constant's name, where the value has one.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! { SspiStatus:
    /// Done.
    SEC_E_OK = 0x0000_0000;
    /// Another token is expected.
    SEC_I_CONTINUE_NEEDED = 0x0009_0312;
    /// The output token must be completed before it is sent.
    SEC_I_COMPLETE_NEEDED = 0x0009_0313;
    /// The output token must be completed before it is sent, and another token is expected.
    SEC_I_COMPLETE_AND_CONTINUE = 0x0009_0314;
    /// The logon was completed without a network.
    SEC_I_LOCAL_LOGON = 0x0009_0315;
    /// The peer has shut the context down.
    SEC_I_CONTEXT_EXPIRED = 0x0009_0317;
    /// The peer wants a credential that was not supplied.
    SEC_I_INCOMPLETE_CREDENTIALS = 0x0009_0320;
    /// The context must be negotiated again.
    SEC_I_RENEGOTIATE = 0x0009_0321;
    /// The context does not protect messages.
    SEC_I_NO_LSA_CONTEXT = 0x0009_0323;
    /// A signature is needed to go on.
    SEC_I_SIGNATURE_NEEDED = 0x0009_035C;
    /// The peer refuses to negotiate again.
    SEC_I_NO_RENEGOTIATION = 0x0009_0360;
    /// A part of the token was returned; more of it remains.
    SEC_I_MESSAGE_FRAGMENT = 0x0009_0364;
    /// Not enough memory.
    SEC_E_INSUFFICIENT_MEMORY = 0x8009_0300;
    /// The handle is not of a usable object.
    SEC_E_INVALID_HANDLE = 0x8009_0301;
    /// The function is not supported for this context.
    SEC_E_UNSUPPORTED_FUNCTION = 0x8009_0302;
    /// The target is not known.
    SEC_E_TARGET_UNKNOWN = 0x8009_0303;
    /// An error that should not happen.
    SEC_E_INTERNAL_ERROR = 0x8009_0304;
    /// There is no such package.
    SEC_E_SECPKG_NOT_FOUND = 0x8009_0305;
    /// The caller is not the owner of the credentials.
    SEC_E_NOT_OWNER = 0x8009_0306;
    /// The package cannot be installed.
    SEC_E_CANNOT_INSTALL = 0x8009_0307;
    /// The token is malformed.
    SEC_E_INVALID_TOKEN = 0x8009_0308;
    /// A message or a context could not be packed.
    SEC_E_CANNOT_PACK = 0x8009_0309;
    /// Quality of protection not supported.
    SEC_E_QOP_NOT_SUPPORTED = 0x8009_030A;
    /// The client cannot be impersonated.
    SEC_E_NO_IMPERSONATION = 0x8009_030B;
    /// The logon failed.
    SEC_E_LOGON_DENIED = 0x8009_030C;
    /// The credentials are not recognised.
    SEC_E_UNKNOWN_CREDENTIALS = 0x8009_030D;
    /// No usable credential.
    SEC_E_NO_CREDENTIALS = 0x8009_030E;
    /// A message was altered.
    SEC_E_MESSAGE_ALTERED = 0x8009_030F;
    /// A message came out of sequence.
    SEC_E_OUT_OF_SEQUENCE = 0x8009_0310;
    /// Nobody to ask for authentication.
    SEC_E_NO_AUTHENTICATING_AUTHORITY = 0x8009_0311;
    /// The package is wrong.
    SEC_E_BAD_PKGID = 0x8009_0316;
    /// The context or its ticket has expired.
    SEC_E_CONTEXT_EXPIRED = 0x8009_0317;
    /// A message is incomplete.
    SEC_E_INCOMPLETE_MESSAGE = 0x8009_0318;
    /// The credentials supplied are not complete.
    SEC_E_INCOMPLETE_CREDENTIALS = 0x8009_0320;
    /// A buffer is too small.
    SEC_E_BUFFER_TOO_SMALL = 0x8009_0321;
    /// The ticket is for another principal.
    SEC_E_WRONG_PRINCIPAL = 0x8009_0322;
    /// The clocks differ too much.
    SEC_E_TIME_SKEW = 0x8009_0324;
    /// A certificate's authority is not trusted.
    SEC_E_UNTRUSTED_ROOT = 0x8009_0325;
    /// A message could not be encrypted.
    SEC_E_ENCRYPT_FAILURE = 0x8009_0329;
    /// A message could not be decrypted.
    SEC_E_DECRYPT_FAILURE = 0x8009_0330;
    /// No enctype in common.
    SEC_E_ALGORITHM_MISMATCH = 0x8009_0331;
    /// A required property could not be had.
    SEC_E_SECURITY_QOS_FAILED = 0x8009_0332;
    /// A context was deleted before it was established.
    SEC_E_UNFINISHED_CONTEXT_DELETED = 0x8009_0333;
    /// The peer wants user-to-user and sent no ticket-granting ticket for it.
    SEC_E_NO_TGT_REPLY = 0x8009_0334;
    /// This machine has no address.
    SEC_E_NO_IP_ADDRESSES = 0x8009_0335;
    /// The context was begun with another credential handle.
    SEC_E_WRONG_CREDENTIAL_HANDLE = 0x8009_0336;
    /// A cryptographic function is not available.
    SEC_E_CRYPTO_SYSTEM_INVALID = 0x8009_0337;
    /// Too many referrals.
    SEC_E_MAX_REFERRALS_EXCEEDED = 0x8009_0338;
    /// Only a KDC can do it.
    SEC_E_MUST_BE_KDC = 0x8009_0339;
    /// Strong cryptography is not supported.
    SEC_E_STRONG_CRYPTO_NOT_SUPPORTED = 0x8009_033A;
    /// There is more than one principal name.
    SEC_E_TOO_MANY_PRINCIPALS = 0x8009_033B;
    /// Pre-authentication data was expected.
    SEC_E_NO_PA_DATA = 0x8009_033C;
    /// A smart card's logon is required.
    SEC_E_SMARTCARD_LOGON_REQUIRED = 0x8009_033E;
    /// A shutdown is in progress.
    SEC_E_SHUTDOWN_IN_PROGRESS = 0x8009_033F;
    /// The KDC's request is malformed.
    SEC_E_KDC_INVALID_REQUEST = 0x8009_0340;
    /// The KDC could not refer.
    SEC_E_KDC_UNABLE_TO_REFER = 0x8009_0341;
    /// The KDC does not know the encryption type.
    SEC_E_KDC_UNKNOWN_ETYPE = 0x8009_0342;
    /// The pre-authentication mechanism is not supported.
    SEC_E_UNSUPPORTED_PREAUTH = 0x8009_0343;
    /// Delegation is required and not to be had.
    SEC_E_DELEGATION_REQUIRED = 0x8009_0345;
    /// The channel bindings do not match.
    SEC_E_BAD_BINDINGS = 0x8009_0346;
    /// Several accounts match.
    SEC_E_MULTIPLE_ACCOUNTS = 0x8009_0347;
    /// The KDC has no key of the type.
    SEC_E_NO_KERB_KEY = 0x8009_0348;
    /// Somebody on the way may have lowered what was negotiated.
    SEC_E_DOWNGRADE_DETECTED = 0x8009_0350;
    /// Delegation is refused by policy.
    SEC_E_DELEGATION_POLICY = 0x8009_035E;
    /// Policy permits NTLM alone (spelled as in the header).
    SEC_E_POLICY_NLTM_ONLY = 0x8009_035F;
    /// There is no context.
    SEC_E_NO_CONTEXT = 0x8009_0361;
    /// The mutual authentication of the peer failed.
    SEC_E_MUTUAL_AUTH_FAILED = 0x8009_0363;
    /// A parameter does not fit.
    SEC_E_INVALID_PARAMETER = 0x8009_035D;
}

impl SspiStatus {
    /// `SEC_SUCCESS`: done, or on the way. Statuses of errors have the highest bit.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 & 0x8000_0000 == 0
    }
}

/// A major status of RFC 2744 §3.9.1.
///
/// ```text
///  31      24 23      16 15                      0
/// ├──────────┼──────────┼─────────────────────────┤
/// │ calling  │ routine  │ supplementary (bits)    │
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MajorStatus(pub u32);

statuses! { MajorStatus:
    /// Done.
    GSS_S_COMPLETE = 0;
    /// Another token is expected.
    GSS_S_CONTINUE_NEEDED = 1;
    /// The token is a duplicate of an earlier one.
    GSS_S_DUPLICATE_TOKEN = 2;
    /// The token is too old to tell whether it is a duplicate.
    GSS_S_OLD_TOKEN = 4;
    /// A later token has been processed already.
    GSS_S_UNSEQ_TOKEN = 8;
    /// An expected token was not received.
    GSS_S_GAP_TOKEN = 16;
    /// The mechanism is not supported.
    GSS_S_BAD_MECH = 0x0001_0000;
    /// The name is malformed or not ours.
    GSS_S_BAD_NAME = 0x0002_0000;
    /// The name is of a kind that is not supported.
    GSS_S_BAD_NAMETYPE = 0x0003_0000;
    /// The channel bindings do not match.
    GSS_S_BAD_BINDINGS = 0x0004_0000;
    /// The status is none.
    GSS_S_BAD_STATUS = 0x0005_0000;
    /// A MIC did not verify.
    GSS_S_BAD_SIG = 0x0006_0000;
    /// No usable credential.
    GSS_S_NO_CRED = 0x0007_0000;
    /// No such context.
    GSS_S_NO_CONTEXT = 0x0008_0000;
    /// The token is malformed.
    GSS_S_DEFECTIVE_TOKEN = 0x0009_0000;
    /// The credential is malformed.
    GSS_S_DEFECTIVE_CREDENTIAL = 0x000A_0000;
    /// The credential has expired.
    GSS_S_CREDENTIALS_EXPIRED = 0x000B_0000;
    /// The context has expired.
    GSS_S_CONTEXT_EXPIRED = 0x000C_0000;
    /// Failure told by the minor status.
    GSS_S_FAILURE = 0x000D_0000;
    /// The quality of protection is not supported.
    GSS_S_BAD_QOP = 0x000E_0000;
    /// Not permitted by policy.
    GSS_S_UNAUTHORIZED = 0x000F_0000;
    /// The operation is not available.
    GSS_S_UNAVAILABLE = 0x0010_0000;
    /// The credential has an element of the mechanism already.
    GSS_S_DUPLICATE_ELEMENT = 0x0011_0000;
    /// The name is not one of a single mechanism.
    GSS_S_NAME_NOT_MN = 0x0012_0000;
    /// The attribute of mechanisms is unknown (RFC 5587 §3.4).
    GSS_S_BAD_MECH_ATTR = 0x0013_0000;
    /// A parameter that is needed could not be read.
    GSS_S_CALL_INACCESSIBLE_READ = 0x0100_0000;
    /// A parameter that is needed could not be written.
    GSS_S_CALL_INACCESSIBLE_WRITE = 0x0200_0000;
    /// A parameter is malformed.
    GSS_S_CALL_BAD_STRUCTURE = 0x0300_0000;
}

impl MajorStatus {
    /// As `gssapi.h` has it too: the same as [`GSS_S_BAD_SIG`](Self::GSS_S_BAD_SIG).
    pub const GSS_S_BAD_MIC: Self = Self::GSS_S_BAD_SIG;

    /// The calling error alone (`GSS_CALLING_ERROR`).
    #[must_use]
    pub const fn calling_error(self) -> Self {
        Self(self.0 & 0xff00_0000)
    }

    /// The routine error alone (`GSS_ROUTINE_ERROR`).
    #[must_use]
    pub const fn routine_error(self) -> Self {
        Self(self.0 & 0x00ff_0000)
    }

    /// The supplementary bits alone (`GSS_SUPPLEMENTARY_INFO`).
    #[must_use]
    pub const fn supplementary(self) -> Self {
        Self(self.0 & 0x0000_ffff)
    }

    /// Whether it is an error (`GSS_ERROR`): supplementary bits alone are none.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 & 0xffff_0000 != 0
    }
}

impl fmt::Debug for SspiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "SspiStatus({:#010x})", self.0),
        }
    }
}

impl fmt::Debug for MajorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "MajorStatus({:#010x})", self.0),
        }
    }
}
