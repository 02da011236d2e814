use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ConfError, ConfProblem, ConfSource, Krb5Conf, SourceProblem};

mod files;
mod limits;
mod realms;
mod settings;
mod syntax;

/// Files in memory.
#[derive(Default)]
struct Files(BTreeMap<&'static str, String>);

impl Files {
    fn of(files: &[(&'static str, &str)]) -> Self {
        Self(
            files
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned()))
                .collect(),
        )
    }
}

impl ConfSource for Files {
    fn file(&mut self, path: &str, limit: usize) -> Result<Vec<u8>, SourceProblem> {
        if path.ends_with("/folder") {
            return Err(SourceProblem::Folder);
        }
        let text = self.0.get(path).ok_or(SourceProblem::Absent)?;
        if text.len() > limit {
            return Err(SourceProblem::TooLarge);
        }
        Ok(text.clone().into_bytes())
    }

    fn folder(&mut self, path: &str) -> Result<Vec<String>, SourceProblem> {
        let names = self.0.keys().rev();
        let inside = names.filter_map(|name| name.strip_prefix(path)?.strip_prefix('/'));
        let found: Vec<String> = inside.map(ToOwned::to_owned).collect();
        if found.is_empty() {
            return Err(SourceProblem::Absent);
        }
        Ok(found)
    }
}

fn conf(text: &str) -> Krb5Conf {
    Krb5Conf::parse(text.as_bytes()).unwrap()
}

fn values(conf: &Krb5Conf, path: &[&str]) -> Vec<String> {
    conf.values(path).map(ToOwned::to_owned).collect()
}

fn problem(text: &[u8]) -> (u32, ConfProblem) {
    let error = Krb5Conf::parse(text).expect_err("must be refused");
    (error.line(), error.problem())
}
