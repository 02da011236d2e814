//! docs/THREATS.md names tests: each of them exists, in the file that the page says.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The page, from the workspace's folder.
const PAGE: &str = "docs/THREATS.md";

/// A test that the page names, and where.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    place: String,
    test: String,
}

/// The short names of files: the rows of a table whose second cell is in backticks.
fn places(page: &str) -> BTreeMap<String, Vec<String>> {
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let [name, files, ..] = cells[..] else {
            return None;
        };
        let files = quoted(files);
        (!files.is_empty()).then(|| (name.to_owned(), files))
    });
    rows.collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The tests that the items of lists name: `- place: \`one\`, \`two\`; other place: \`three\``.
fn named(page: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut item = String::new();
    for line in page.lines().chain([""]) {
        let begins = line.starts_with("- ");
        if begins || !line.starts_with("  ") {
            read(&item, &mut found);
            item.clear();
        }
        if begins || !item.is_empty() {
            item += line.trim_start_matches("- ").trim();
            item.push(' ');
        }
    }
    found
}

fn read(item: &str, found: &mut Vec<Named>) {
    let mut place = None;
    // Outside of backticks a colon ends the name of a place; a path stands in backticks itself.
    let mut before = String::new();
    for (index, part) in item.split('`').enumerate() {
        let inside = index % 2 == 1;
        if !inside {
            if let Some((name, _)) = part.split_once(':') {
                let name = name.trim_start_matches([';', ',', '.', ' ']).trim();
                place = Some(if name.is_empty() {
                    before.clone()
                } else {
                    name.to_owned()
                });
            }
            continue;
        }
        before = part.to_owned();
        let is_test =
            part.contains('_') && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if let (Some(place), true) = (&place, is_test) {
            found.push(Named {
                place: place.clone(),
                test: part.to_owned(),
            });
        }
    }
}

/// The text of a file, or of all that lie in a folder.
fn sources(path: &Path, text: &mut String) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(path)? {
            entries.push(entry?.path());
        }
        entries.iter().try_for_each(|entry| sources(entry, text))
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        *text += &std::fs::read_to_string(path)?;
        Ok(())
    } else {
        Ok(())
    }
}

/// Each test that the page names and that is not there.
fn missing(root: &Path) -> io::Result<(usize, Vec<String>)> {
    let page = std::fs::read_to_string(root.join(PAGE))?;
    let places = places(&page);
    let named = named(&page);
    let mut missing = Vec::new();
    for Named { place, test } in &named {
        let own = vec![place.clone()];
        let mut text = String::new();
        for file in places.get(place).unwrap_or(&own) {
            let path = root.join(file);
            if path.exists() {
                sources(&path, &mut text)?;
            }
        }
        if !text.contains(&format!("fn {test}(")) {
            missing.push(format!("{place}: {test}"));
        }
    }
    Ok((named.len(), missing))
}

#[test]
fn items_are_read_with_their_places_across_lines() {
    let page = "| name | file |\n|---|---|\n| one | `a/b.rs` |\n\n**A thing** (CVE-1).\n- one: `first_test`,\n  \
                `second_test`; two: `third_test`.\n- `c/d.rs`:\n  `fourth_test`\n\nText with `other_word`.\n\
                - **bold** `not_a_test` text\n";
    let found = named(page);
    let pairs: Vec<_> = found
        .iter()
        .map(|named| (named.place.as_str(), named.test.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("one", "first_test"),
            ("one", "second_test"),
            ("two", "third_test"),
            ("c/d.rs", "fourth_test"),
        ]
    );
    assert_eq!(places(page)["one"], ["a/b.rs"]);
}

#[test]
fn every_test_that_the_page_names_exists() {
    let (count, missing) = missing(&crate::root()).unwrap();
    assert!(count > 200, "{count} named");
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
}
