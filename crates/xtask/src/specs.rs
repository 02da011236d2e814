//! `cargo xtask specs`: which section of which specification is cited where.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

/// The generated page, from the workspace's folder.
pub(crate) const PAGE: &str = "docs/SPECS.md";

/// The folders whose sources are read.
const SOURCES: [&str; 6] = [
    "crates/token/src",
    "crates/crypto/src",
    "crates/credential/src",
    "crates/context/src",
    "crates/handshake/src",
    "crates/countersign/src",
];

/// Specification, then section, then the files that cite it.
type Citations = BTreeMap<(String, u32), BTreeMap<Vec<u32>, BTreeSet<String>>>;

/// The page as it should be.
pub(crate) fn page(root: &Path) -> io::Result<String> {
    let mut citations = Citations::new();
    for folder in SOURCES {
        for file in files(&root.join(folder))? {
            let name = file
                .strip_prefix(root)
                .unwrap_or(&file)
                .display()
                .to_string();
            for (specification, section) in cited(&std::fs::read_to_string(&file)?) {
                let sections = citations.entry(specification).or_default();
                sections.entry(section).or_default().insert(name.clone());
            }
        }
    }
    Ok(render(&citations))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Every `RFC 4121 §4.2.1` and `MS-KILE §3.4.5` in a text. Lines of a comment are joined first, so
/// that a citation may be broken between them.
fn cited(source: &str) -> Vec<((String, u32), Vec<u32>)> {
    let text: String = source
        .lines()
        .map(|line| {
            line.trim()
                .trim_start_matches('/')
                .trim_start_matches('!')
                .trim()
        })
        .flat_map(|line| [line, " "])
        .collect();
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut found = Vec::new();
    let mut specification = None;
    for (index, word) in words.iter().enumerate() {
        let bare = |word: &str| -> String {
            word.chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect()
        };
        let name = bare(word);
        if name == "RFC" {
            let number = words
                .get(index + 1)
                .and_then(|next| bare(next).parse().ok());
            specification = number.map(|number| (name, number));
        } else if name.starts_with("MS-") && name.len() > 3 {
            specification = Some((name, 0));
        } else if let (Some(specification), Some((_, section))) =
            (&specification, word.split_once('§'))
        {
            let digits = |c: char| c.is_ascii_digit() || c == '.';
            let section: String = section.chars().take_while(|c| digits(*c)).collect();
            let numbers: Result<Vec<u32>, _> = section
                .trim_matches('.')
                .split('.')
                .map(str::parse)
                .collect();
            if let Ok(numbers) = numbers {
                found.push((specification.clone(), numbers));
            }
        }
        // A citation of a bare section belongs to the specification named shortly before.
        if word.ends_with('.') && !word.contains('§') {
            specification = None;
        }
    }
    found
}

fn render(citations: &Citations) -> String {
    let mut page = String::from(
        "# Specifications\n\n\
         Which section is cited in which source file. Written by `cargo xtask specs` from the\n\
         citations in the sources; a test holds the two together.\n",
    );
    for ((name, number), sections) in citations {
        let title = match number {
            0 => format!("[{name}]"),
            number => format!("{name} {number}"),
        };
        let _ = writeln!(page, "\n## {title}\n\n| section | cited in |\n|---|---|");
        for (section, files) in sections {
            let section: Vec<String> = section.iter().map(u32::to_string).collect();
            let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
            let _ = writeln!(page, "| {} | {} |", section.join("."), files.join(", "));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_found_across_lines_and_after_their_specification() {
        let source =
            "/// As RFC 4120\n/// §5.2.6 says, and §7.5.4; also\n// MS-KILE §3.4.5.\nfn f() {}";
        let found = cited(source);
        let rfc = ("RFC".to_owned(), 4120);
        assert_eq!(
            found,
            [
                (rfc.clone(), vec![5, 2, 6]),
                (rfc, vec![7, 5, 4]),
                (("MS-KILE".to_owned(), 0), vec![3, 4, 5]),
            ]
        );
    }

    #[test]
    fn the_page_is_what_the_sources_cite() {
        let root = crate::root();
        let written = std::fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(
            written == page(&root).unwrap(),
            "{PAGE} is out of date: run cargo xtask specs"
        );
    }
}
