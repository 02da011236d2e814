//! Password changes, RFC 3244.

use countersign_context::kerberos::kdc::{
    ClientSecret, InitialTicket, PasswordChange, PasswordChangeOutcome, PasswordChangeResult,
};

use crate::Result;
use crate::kdc::Kdc::{self, Heimdal, Mit, Samba};
use crate::kdc::client::text;
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add};

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    add(rows, &Kdc::ALL, "password changed", |lab| {
        changes(lab, "changer")
    });
    add(
        rows,
        &Kdc::ALL,
        "password changed because it must be",
        |lab| changes(lab, "needchange"),
    );
    add(
        rows,
        &[Mit, Heimdal],
        "password changed after it expired",
        |lab| changes(lab, "pwexpired"),
    );
    add(rows, &[Mit, Samba], "password set by an administrator", set);
    add(
        rows,
        &[Mit, Samba],
        "password too short: refused",
        too_short,
    );
    add(
        rows,
        &[Mit, Samba],
        "password of another: refused",
        of_another,
    );
}

/// Changes the password, and logs in with the new one.
fn changes(lab: &Lab, name: &str) -> Result<()> {
    let new = format!("{name} has 2 New words");
    let change = PasswordChange::new(lab.principal(name)?, lab.password(name), new.as_str());
    let outcome = lab.client()?.run(change).map_err(text)?;
    is_changed(&outcome)?;
    knows(lab, name, &new)
}

fn is_changed(outcome: &PasswordChangeOutcome) -> Result<()> {
    if outcome.is_changed() && outcome.authenticated {
        return Ok(());
    }
    Err(format!("{outcome:?}"))
}

/// The KDC may need a moment to see what its neighbour wrote.
fn knows(lab: &Lab, name: &str, password: &str) -> Result<()> {
    let mut last = String::new();
    for _ in 0..20 {
        let exchange = InitialTicket::new(lab.principal(name)?, ClientSecret::password(password));
        match lab.client()?.run(exchange) {
            Ok(_) => return Ok(()),
            Err(problem) => last = problem.to_string(),
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Err(last)
}

/// An account that may set others' passwords, and the one that it does not set for itself.
fn administrator(lab: &Lab) -> (&'static str, &'static str) {
    match lab.kdc {
        Samba => ("Administrator", "bob"),
        _ => ("setter", "target"),
    }
}

fn set(lab: &Lab) -> Result<()> {
    let (setter, target) = administrator(lab);
    let secret = match lab.kdc {
        Samba => ClientSecret::password("Administrator Passw0rd"),
        _ => lab.password(setter),
    };
    // What is set is what it was: other rows log in with it.
    let word = match lab.kdc {
        Samba => format!("{target} Passw0rd"),
        _ => format!("{target} password"),
    };
    let change = PasswordChange::new(lab.principal(setter)?, secret, word.as_str());
    let change = change.of(lab.principal(target)?);
    is_changed(&lab.client()?.run(change).map_err(text)?)?;
    knows(lab, target, &word)
}

fn too_short(lab: &Lab) -> Result<()> {
    let name = match lab.kdc {
        Samba => "sensitive",
        _ => "polite",
    };
    let change = PasswordChange::new(lab.principal(name)?, lab.password(name), "Ab1");
    let outcome = lab.client()?.run(change).map_err(text)?;
    // Windows sends its policy in the place of words, and Samba either.
    let explained = outcome.policy.is_some() || outcome.text.is_some();
    if outcome.result == PasswordChangeResult::PasswordRefused && explained {
        return Ok(());
    }
    Err(format!("{outcome:?}"))
}

fn of_another(lab: &Lab) -> Result<()> {
    let change = PasswordChange::new(
        lab.principal("alice")?,
        lab.password("alice"),
        "a new Passw0rd",
    );
    let change = change.of(lab.principal("bob")?);
    let outcome = lab.client()?.run(change).map_err(text)?;
    if outcome.result == PasswordChangeResult::AccessDenied {
        return Ok(());
    }
    Err(format!("{outcome:?}"))
}
