//! Whatever a program has from these libraries, it may move to another thread and use from several.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use types::{EXCEPTIONS, TYPES};

/// How often each name is that of a public struct or enum.
type Names = BTreeMap<String, usize>;

/// Those of a folder of sources. `unreachable_pub` is denied: what is `pub` there is public.
fn declared(sources: &Path) -> Names {
    let mut names = Names::new();
    for file in files(sources) {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            if let Some(name) = declares(line) {
                *names.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    names
}

fn declares(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let rest = ["struct ", "enum ", "union "]
        .into_iter()
        .find_map(|kind| rest.strip_prefix(kind))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    rest.get(..end.unwrap_or(rest.len()))
        .filter(|name| !name.is_empty())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// `Claimed` of `token :: kerberos :: Claimed < u8 >`.
fn name(path: &str) -> &str {
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path).trim()
}

/// The pages of the guide, as rustdoc compiles them: of no program.
const PAGES: [&str; 6] = [
    "Repository",
    "Tickets",
    "SspiGuide",
    "Gss",
    "Ntlm",
    "Negotiate",
];

#[test]
fn every_public_type_is_send_and_sync() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let mut total = 0;
    for (sources, types) in TYPES {
        let mut listed = Names::new();
        let excepted = EXCEPTIONS.iter().filter(|(of, ..)| of == sources);
        let excepted = excepted.map(|(_, path, _)| path);
        for path in types.iter().chain(excepted) {
            *listed.entry(name(path).to_owned()).or_default() += 1;
        }
        let facade = *sources == "crates/countersign/src";
        let mut missing = declared(&root.unwrap().join(sources));
        missing.retain(|name, count| {
            let page = facade && PAGES.contains(&&name[..]);
            !page && listed.get(name).is_none_or(|listed| listed < count)
        });
        assert!(
            missing.is_empty(),
            "{sources}: list in tests/send_sync/types.rs: {missing:?}"
        );
        total += types.len();
    }
    assert!(total > 400, "{total}");
}

#[test]
fn declarations_and_names_are_read_as_they_are_written() {
    assert_eq!(declares("pub struct Open<'a> {"), Some("Open"));
    assert_eq!(declares("    pub enum Kind {"), Some("Kind"));
    assert_eq!(declares("pub struct Unit;"), Some("Unit"));
    assert_eq!(declares("pub(crate) struct Hidden;"), None);
    assert_eq!(declares("struct Private;"), None);
    assert_eq!(declares("/// pub struct Written;"), None);
    assert_eq!(name("token :: der :: Iter < 'static, u8 >"), "Iter");
    assert_eq!(name("countersign::Provider"), "Provider");
}
