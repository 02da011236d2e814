//! Passwords: typed without an echo, or read from standard input.

use std::io::{self, BufRead, Read};

use countersign::credential::Password;

use crate::failure::Failure;

/// Longest line that is taken for a password, in bytes.
const MAX_LINE: u64 = 4096;

/// A password that is typed at the terminal; `instead` is what to use where there is none.
pub(crate) fn typed(prompt: &str, instead: &str) -> Result<Password, Failure> {
    rpassword::prompt_password(prompt)
        .map(Password::new)
        .map_err(|error| {
            Failure::system(format!(
                "no password can be typed here: {error}; use {instead}"
            ))
        })
}

/// The next line of standard input, without its end.
pub(crate) fn line(what: &str) -> Result<Password, Failure> {
    let mut line = String::new();
    let mut input = io::stdin().lock().take(MAX_LINE);
    input.read_line(&mut line).map_err(|error| {
        Failure::system(format!(
            "cannot read the {what} from standard input: {error}"
        ))
    })?;
    let text = line.strip_suffix('\n').unwrap_or(&line);
    let length = text.strip_suffix('\r').unwrap_or(text).len();
    line.truncate(length);
    if line.is_empty() {
        return Err(Failure::usage(format!(
            "standard input holds no {what}: write it on a line of its own"
        )));
    }
    // The text moves on without a copy, and is wiped with the password.
    Ok(Password::new(line))
}

/// A new password, typed twice.
pub(crate) fn typed_twice(prompt: &str, instead: &str) -> Result<Password, Failure> {
    let first = typed(&format!("{prompt}: "), instead)?;
    let second = typed(&format!("{prompt}, again: "), instead)?;
    if first.expose() != second.expose() {
        return Err(Failure::usage("the two passwords differ"));
    }
    Ok(first)
}
