//! Texts of statuses (RFC 2744 §5.11, `gss_display_status`).
//!
//! ```text
//! major    routine error and calling error and each supplementary bit, a text of its own
//! minor    what the mechanism calls it: a code of RFC 4120, or of MIT's tables krb5, ggss and k5g
//! ```

use crate::{MajorStatus, krb_error_name};

use super::error::{GssError, Problem};

/// The texts of a major status, the gravest first: one for the calling error, one for the routine
/// error, one for each supplementary bit (`gss_display_status` with `GSS_C_GSS_CODE`, which gives
/// them one a call).
///
/// # Errors
/// `GSS_S_BAD_STATUS` where a part of it has no meaning.
///
/// ```
/// use countersign::MajorStatus;
/// use countersign::gss::display_status;
///
/// let both = MajorStatus(MajorStatus::GSS_S_FAILURE.0 | MajorStatus::GSS_S_DUPLICATE_TOKEN.0);
/// assert_eq!(display_status(both)?.len(), 2);
/// # Ok::<(), countersign::gss::GssError>(())
/// ```
pub fn display_status(major: MajorStatus) -> Result<Vec<&'static str>, GssError> {
    if major == MajorStatus::GSS_S_COMPLETE {
        return Ok(vec!["done"]);
    }
    let mut texts = Vec::new();
    for part in [major.calling_error(), major.routine_error()] {
        if part.0 != 0 {
            texts.push(text(part).ok_or(Problem::StatusUnknown)?);
        }
    }
    for bit in (0..16).map(|place| MajorStatus(1 << place)) {
        if major.0 & bit.0 != 0 {
            texts.push(text(bit).ok_or(Problem::StatusUnknown)?);
        }
    }
    Ok(texts)
}

fn text(part: MajorStatus) -> Option<&'static str> {
    type M = MajorStatus;
    Some(match part {
        M::GSS_S_CALL_INACCESSIBLE_READ => "a parameter that is needed is missing",
        M::GSS_S_CALL_INACCESSIBLE_WRITE => "a place for a result is missing",
        M::GSS_S_CALL_BAD_STRUCTURE => "a parameter is malformed",
        M::GSS_S_BAD_MECH => {
            "the mechanism is not supported, or not by this credential: compare what both sides have"
        }
        M::GSS_S_BAD_NAME => "the name is malformed, or of no form that the mechanism has",
        M::GSS_S_BAD_NAMETYPE => "names of this type are not supported",
        M::GSS_S_BAD_BINDINGS => {
            "the channel bindings differ: look for who stands between the two sides"
        }
        M::GSS_S_BAD_STATUS => "the status is none that is known",
        M::GSS_S_BAD_SIG => {
            "a signature is wrong: the message was altered, or is not of this context"
        }
        M::GSS_S_NO_CRED => "there is no usable credential: log on, or name the keytab",
        M::GSS_S_NO_CONTEXT => "there is no such context, or it is not established",
        M::GSS_S_DEFECTIVE_TOKEN => "the token is malformed, or not the one that is due",
        M::GSS_S_DEFECTIVE_CREDENTIAL => "the credential is malformed: obtain a new one",
        M::GSS_S_CREDENTIALS_EXPIRED => "the credential has expired: log on again",
        M::GSS_S_CONTEXT_EXPIRED => "the context has expired: authenticate again",
        M::GSS_S_FAILURE => "it failed; the minor status says why",
        M::GSS_S_BAD_QOP => "this quality of protection is not supported, or was not granted",
        M::GSS_S_UNAUTHORIZED => "policy does not permit it",
        M::GSS_S_UNAVAILABLE => "the operation is not available",
        M::GSS_S_DUPLICATE_ELEMENT => "the credential has an element of this mechanism already",
        M::GSS_S_NAME_NOT_MN => "the name is not of one mechanism: canonicalize it first",
        M::GSS_S_BAD_MECH_ATTR => "the attribute of mechanisms is unknown",
        M::GSS_S_CONTINUE_NEEDED => "another token of the peer is needed",
        M::GSS_S_DUPLICATE_TOKEN => "the token is a duplicate of an earlier one",
        M::GSS_S_OLD_TOKEN => "the token is too old to tell whether it is a duplicate",
        M::GSS_S_UNSEQ_TOKEN => "a later token has been processed already",
        M::GSS_S_GAP_TOKEN => "an expected token was not received",
        _ => return None,
    })
}

/// The text of a minor status (`gss_display_status` with `GSS_C_MECH_CODE`), of the mechanism's
/// numbers that [`GssError::minor`] gives. What a [`GssError`] itself prints tells more.
///
/// # Errors
/// `GSS_S_BAD_STATUS` for a number that is in no table.
pub fn display_minor_status(minor: u32) -> Result<String, GssError> {
    /// `ERROR_TABLE_BASE_krb5`, -1765328384.
    const KRB5: u32 = 0x96c7_3a00;
    if minor == 0 {
        return Ok("nothing more is known".to_owned());
    }
    if let Some(problem) = Problem::ALL.iter().find(|problem| problem.minor() == minor) {
        return Ok(problem.to_string());
    }
    if let Some((_, text)) = super::error::LIBRARY
        .iter()
        .find(|(code, _)| *code == minor)
    {
        return Ok((*text).to_owned());
    }
    let code = minor.wrapping_sub(KRB5);
    match i32::try_from(code) {
        // RFC 4120 §7.5.9.
        Ok(code @ 1..=127) => Ok(format!("Kerberos error {code} ({})", krb_error_name(code))),
        _ => Err(Problem::StatusUnknown.into()),
    }
}
