//! `countersign kpasswd`: changes a password.

use countersign::credential::Principal;
use countersign::handshake::configuration;
use countersign::kerberos::kdc::{
    ClientSecret, PasswordChange, PasswordChangeOutcome, PasswordChangeResult,
};
use countersign::token::kerberos::kpasswd::PasswordPolicy;
use serde_json::json;

use crate::args::KpasswdOptions;
use crate::failure::Failure;
use crate::kdc::{Setup, open_cache};
use crate::kinit;
use crate::output::event;
use crate::password;

/// What to use where nothing can be typed.
const INSTEAD: &str = "--password-stdin";

pub(crate) fn run(options: &KpasswdOptions) -> Result<(), Failure> {
    let setup = Setup::new(&options.kdcs, options.enctypes.policy()?)?;
    let client = client(&setup, options)?;
    let (old, new) = match options.password_stdin {
        true => (
            password::line("present password")?,
            password::line("new password")?,
        ),
        false => (
            password::typed(&format!("Present password for {client}: "), INSTEAD)?,
            password::typed_twice("New password", INSTEAD)?,
        ),
    };
    let mut exchange = PasswordChange::new(client.clone(), ClientSecret::password(old), new);
    if let Some(name) = &options.armor_ccache {
        exchange = exchange.armor(kinit::armor(&setup, name, client.realm())?);
    }
    let outcome = setup.run(exchange)?;
    match outcome.result {
        PasswordChangeResult::Changed => {
            event(
                options.json,
                || format!("the password of {client} is changed"),
                || json!({ "event": "changed", "principal": client.to_string() }),
            );
            Ok(())
        }
        result => Err(Failure::refused(refusal(result, &outcome))),
    }
}

/// Whose password: as the command line says, or else whose default cache it is.
fn client(setup: &Setup, options: &KpasswdOptions) -> Result<Principal, Failure> {
    match &options.principal {
        Some(text) => setup.principal(text),
        None => {
            let conf = configuration::load_from_environment()
                .map_err(|error| Failure::usage(format!("the configuration: {error}")))?;
            open_cache(None, &conf)?
                .load()
                .map(|contents| contents.default_principal().clone())
                .map_err(|_| {
                    Failure::usage("name a principal: there is no credential cache to take it from")
                })
        }
    }
}

/// Why the password is not changed, in our words and the service's.
fn refusal(result: PasswordChangeResult, outcome: &PasswordChangeOutcome) -> String {
    let reason = match result {
        PasswordChangeResult::PasswordRefused => {
            "the service refuses the new password, or it is too early for another"
        }
        PasswordChangeResult::AccessDenied => "this client may not set that password",
        PasswordChangeResult::AuthenticationError => "the service could not verify the request",
        _ => "the service did not change the password",
    };
    let mut text = reason.to_owned();
    if let Some(words) = &outcome.text {
        text.push_str(&format!("; it says: {words}"));
    }
    if let Some(policy) = &outcome.policy {
        text.push_str(&format!("; {}", demands(policy)));
    }
    if !outcome.authenticated {
        text.push_str(" (unauthenticated)");
    }
    text
}

fn demands(policy: &PasswordPolicy) -> String {
    let complex = match policy.is_complex() {
        true => ", of several kinds",
        false => "",
    };
    format!(
        "it wants {} characters or more{complex}, unlike the last {} passwords",
        policy.minimum_length, policy.history
    )
}
