//! `docs/THREATS.md` names a test beside each defence: a test here finds every one of them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The page, from the workspace's folder.
const PAGE: &str = "docs/THREATS.md";

/// What the page says of a test: where it stands, and its name.
type Named = (Vec<PathBuf>, String);

/// The tests that the page names, or what is wrong with a line of it.
fn named(root: &Path, page: &str) -> Result<Vec<Named>, String> {
    let places = places(root, page);
    let mut named = Vec::new();
    for item in items(page) {
        named.extend(tests(&item, &places).ok_or(item)?);
    }
    Ok(named)
}

/// The table of short names.
fn places(root: &Path, page: &str) -> BTreeMap<String, Vec<PathBuf>> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (name, files) = (cells.next()?, quoted(cells.next()?));
        let files = files.into_iter().map(|file| root.join(file));
        Some((name.to_owned(), files.collect()))
    });
    rows.collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The items of lists, each in one line.
fn items(page: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        if let Some(item) = line.strip_prefix("- ") {
            items.push(item.to_owned());
            open = true;
        } else if line.starts_with("  ") && open {
            if let Some(item) = items.last_mut() {
                *item += " ";
                *item += line.trim();
            }
        } else {
            open = false;
        }
    }
    items.retain(|item| !item.starts_with("**"));
    items
}

/// `place: `test`, `test`; place: `test`.`
fn tests(item: &str, places: &BTreeMap<String, Vec<PathBuf>>) -> Option<Vec<Named>> {
    let mut tests = Vec::new();
    for part in item.split(';') {
        let (place, names) = part.split_once(':')?;
        let place = place.trim();
        let files = match places.get(place) {
            Some(files) => files.clone(),
            None => vec![crate::root().join(place.trim_matches('`'))],
        };
        let names = quoted(names);
        if names.is_empty() {
            return None;
        }
        tests.extend(names.iter().map(|name| (files.clone(), (*name).to_owned())));
    }
    Some(tests)
}

/// Whether a file, or one in the folder, has a test of that name.
fn has(place: &Path, name: &str) -> io::Result<bool> {
    if place.is_dir() {
        for entry in std::fs::read_dir(place)? {
            if has(&entry?.path(), name)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    Ok(is_test(&std::fs::read_to_string(place)?, name))
}

/// Whether a function of that name is marked as a test, and not as ignored; a program of tests without a
/// harness has a `CLAIM` of that name instead.
fn is_test(source: &str, name: &str) -> bool {
    let claims = source
        .lines()
        .any(|line| line.starts_with("pub(crate) const CLAIM"));
    if claims && source.contains(&format!("\"{name}\"")) {
        return true;
    }
    let start = format!("fn {name}(");
    let mut marked = false;
    for line in source.lines().map(str::trim_start) {
        let function = line.strip_prefix("async ").unwrap_or(line);
        if function.starts_with(&start) && marked {
            return true;
        }
        if line.starts_with("#[ignore") || line.is_empty() {
            marked = false;
        } else if line.starts_with("#[") && line.contains("test") {
            marked = true;
        }
    }
    false
}

#[test]
fn every_test_that_the_page_names_exists() {
    let root = crate::root();
    let page = std::fs::read_to_string(root.join(PAGE)).unwrap();
    let named = named(&root, &page).unwrap();
    assert!(named.len() > 200, "{}", named.len());
    let mut missing = Vec::new();
    for (places, name) in named {
        let found = places
            .iter()
            .any(|place| has(place, &name).unwrap_or(false));
        if !found {
            missing.push(name);
        }
    }
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "{PAGE} names tests that are not there"
    );
}

#[test]
fn places_and_names_are_read_over_lines_and_what_is_no_list_of_tests_is_an_error() {
    let page = "| name | file |\n|---|---|\n| here | `crates/xtask/src/threats.rs` |\n\n\
                - here: `one`,\n  `two`; `crates/xtask/src/main.rs`: `three`.\n\ntext\n";
    let root = crate::root();
    let found = named(&root, page).unwrap();
    let names: Vec<_> = found.iter().map(|(_, name)| &name[..]).collect();
    assert_eq!(names, ["one", "two", "three"]);
    assert!(found.iter().all(|(places, _)| places[0].is_file()));
    assert!(named(&root, "- here: nothing\n").is_err());
    let own = root.join("crates/xtask/src/threats.rs");
    assert!(has(&own, "every_test_that_the_page_names_exists").unwrap());
    assert!(!has(&own, "no_such_test").unwrap());
    assert!(is_test("#[tokio::test]\nasync fn one() {}\n", "one"));
    assert!(!is_test("#[test]\n#[ignore]\nfn one() {}\n", "one"));
    assert!(!is_test("#[test]\nfn two() {}\n\nfn one() {}\n", "one"));
}
