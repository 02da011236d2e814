//! What can go wrong with a KDC.

use core::fmt;

use crate::status::{MajorStatus, SspiStatus};

/// Why a KDC exchange failed. More may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KdcProblem {
    /// No KDC of the realm was found, or none answered in time.
    Unreachable,
    /// The KDC answered with a KRB-ERROR. Unless FAST protected it, it is nobody's word.
    Refused {
        /// Its code, RFC 4120 §7.5.9.
        code: i32,
        /// The NTSTATUS that Windows and Samba add (MS-KILE §2.2.1), where there is one.
        nt_status: Option<u32>,
    },
}

impl KdcProblem {
    pub(super) fn status(self) -> SspiStatus {
        type S = SspiStatus;
        match self {
            Self::Unreachable => S::SEC_E_NO_AUTHENTICATING_AUTHORITY,
            Self::Refused { code, .. } => match code {
                // KDC_ERR_S_PRINCIPAL_UNKNOWN
                7 => S::SEC_E_TARGET_UNKNOWN,
                // KRB_AP_ERR_SKEW
                37 => S::SEC_E_TIME_SKEW,
                _ => S::SEC_E_LOGON_DENIED,
            },
        }
    }

    #[allow(clippy::unused_self)] // more problems are to come
    pub(super) fn major(self) -> MajorStatus {
        MajorStatus::GSS_S_FAILURE
    }

    pub(super) fn krb_error_code(self) -> Option<i32> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Unreachable => None,
        }
    }
}

impl fmt::Display for KdcProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str(
                "no KDC of the realm answered: check the realm's name, the addresses of its KDCs \
                 and the network",
            ),
            Self::Refused { code, .. } => write!(
                f,
                "the KDC refused with error {code} ({}): {}",
                super::krb_error_name(*code),
                super::text::krb_error_advice(*code)
            ),
        }
    }
}
