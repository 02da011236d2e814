//! What a scenario printed, and what must not be in it.

use std::error::Error;
use std::fmt::{Debug, Display, Write};
use std::sync::{Arc, Mutex};

use crate::scanner::Text;

/// A second place to print to, for observers.
pub(crate) type Trace = Arc<Mutex<String>>;

#[derive(Default)]
pub(crate) struct Ledger {
    printed: String,
    secrets: Vec<(String, Vec<u8>)>,
    trace: Trace,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Both kinds of `Debug` output.
    pub(crate) fn print(&mut self, thing: &(impl Debug + ?Sized)) {
        writeln!(self.printed, "{thing:?}\n{thing:#?}").unwrap();
    }

    pub(crate) fn show(&mut self, thing: &(impl Display + ?Sized)) {
        writeln!(self.printed, "{thing}").unwrap();
    }

    /// An error with everything that led to it.
    pub(crate) fn error(&mut self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.print(error);
            self.show(error);
            next = error.source();
        }
    }

    pub(crate) fn secret(&mut self, name: &str, secret: &[u8]) {
        self.secrets.push((name.to_owned(), secret.to_vec()));
    }

    /// A password as Kerberos has it, and as NTLM has it.
    pub(crate) fn password(&mut self, password: &str) {
        self.secret("password", password.as_bytes());
        let utf16: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.secret("password in UTF-16", &utf16);
    }

    /// For what prints where the ledger cannot be.
    pub(crate) fn trace(&self) -> Trace {
        Arc::clone(&self.trace)
    }

    /// Control: `expected` was printed, and `secrets` are known at least. Claim: none of them was printed.
    #[track_caller]
    pub(crate) fn close(mut self, secrets: usize, expected: &[&str]) {
        self.printed += &self.trace.lock().unwrap();
        assert!(
            self.secrets.len() >= secrets,
            "{} secrets",
            self.secrets.len()
        );
        for expected in expected {
            assert!(
                self.printed.contains(expected),
                "{expected} was not printed"
            );
        }
        let text = Text::new(&self.printed);
        for (name, secret) in &self.secrets {
            let found = text.forms_of(secret);
            assert!(found.is_empty(), "{name} was printed: {found:?}");
        }
        // Control: had the last line been one of them, it would have been found.
        let (_, secret) = self.secrets.last().unwrap();
        let planted = Text::new(&format!("{}{secret:?}", self.printed));
        assert!(planted.forms_of(secret).contains(&"decimal"));
    }
}
