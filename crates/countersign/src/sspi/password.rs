//! `ChangeAccountPassword`.

use countersign_context::ErrorKind;
use countersign_context::KdcProblem;
use countersign_context::kerberos::kdc::{
    ClientSecret, Exchange, ExchangeStep, PasswordChange, PasswordChangeOutcome,
    PasswordChangeResult,
};
use countersign_credential::{Password, Principal};

use super::buffer::{SECBUFFER_CHANGE_PASS_RESPONSE, SecBufferDesc};
use super::package::Package;
use super::{SecurityStatus, SspiError};
use crate::Provider;

/// `ChangeAccountPassword`: changes the password of an account of a realm (RFC 3244), by the
/// provider's KDC client. It blocks for the KDCs.
///
/// `bImpersonating` and `dwReserved` of Windows have no meaning here. What the service says for
/// people is put into a buffer of the type [`SECBUFFER_CHANGE_PASS_RESPONSE`], UTF-8, where `output`
/// has one with room for it.
///
/// # Errors
/// `SEC_E_SECPKG_NOT_FOUND`; `SEC_E_UNSUPPORTED_FUNCTION` with `NTLM`, which has no such protocol;
/// `SEC_E_NO_AUTHENTICATING_AUTHORITY` where nobody answers; `SEC_E_LOGON_DENIED` where the old
/// password is wrong or the change is not permitted; `SEC_E_INVALID_PARAMETER` where the new
/// password is refused; `SEC_E_UNKNOWN_CREDENTIALS` where the names do not parse.
pub fn change_account_password(
    provider: &Provider,
    package: &str,
    domain: &str,
    account: &str,
    old_password: &Password,
    new_password: &Password,
    output: &mut SecBufferDesc<'_>,
) -> Result<(), SspiError> {
    if Package::find(package)? == Package::Ntlm {
        return Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into());
    }
    let realm = domain.to_ascii_uppercase();
    let client = Principal::parse_with_default_realm(account, &realm)
        .map_err(|_| SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS)?;
    let secret = ClientSecret::password(old_password.duplicate());
    let change = PasswordChange::new(client, secret, new_password.duplicate());
    let outcome = run(provider, change)?;
    if let (Some(text), Some(place)) = (
        &outcome.text,
        output.find_mut(SECBUFFER_CHANGE_PASS_RESPONSE),
    ) {
        // The words are of use to people and of none to the program.
        place.put(text.as_bytes(), false).ok();
    }
    Err(match outcome.result {
        PasswordChangeResult::Changed => return Ok(()),
        PasswordChangeResult::PasswordRefused => SecurityStatus::SEC_E_INVALID_PARAMETER,
        PasswordChangeResult::BadVersion => SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION,
        PasswordChangeResult::HardError => SecurityStatus::SEC_E_INTERNAL_ERROR,
        _ => SecurityStatus::SEC_E_LOGON_DENIED,
    }
    .into())
}

fn run(
    provider: &Provider,
    mut change: PasswordChange,
) -> Result<PasswordChangeOutcome, SspiError> {
    let client = provider
        .kdc_client()
        .ok_or(ErrorKind::Kdc(KdcProblem::Unreachable))?;
    let mut answer = None;
    loop {
        match provider.with_environment(|env| change.step(answer.take(), env))? {
            ExchangeStep::Send(request) => answer = Some(client.answer(&request, None)),
            ExchangeStep::Done(outcome) => return Ok(outcome),
        }
    }
}
