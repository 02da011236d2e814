//! The syntax, line by line, as MIT krb5's parser reads it.
//!
//! ```text
//!            first line that begins with "["
//!   Preamble ───────────────────────────────▶ Lines ──── name = ────▶ OpenBrace
//!   (ignored)                                   ▲                         │
//!                                               └──────── "{" ────────────┘
//! ```
//!
//! `include` and `includedir` at the start of a line are obeyed in every state. An included file begins in
//! `Preamble` and leaves the including file's state alone: files are syntactically independent of each other.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::error::{ConfError, ConfProblem, Place};
use super::profile::Section;
use super::source::{ConfSource, SourceProblem};
use crate::limits;

/// What all files of one configuration share.
pub(super) struct Parser<'s> {
    source: &'s mut dyn ConfSource,
    root: Section,
    /// The files that are being read, outermost first.
    open: Vec<Arc<str>>,
    files: usize,
    bytes: usize,
    nodes: usize,
}

enum State {
    Preamble,
    Lines,
    OpenBrace,
}

impl<'s> Parser<'s> {
    pub(super) fn new(source: &'s mut dyn ConfSource) -> Self {
        Self {
            source,
            root: Section::default(),
            open: Vec::new(),
            files: 0,
            bytes: 0,
            nodes: 0,
        }
    }

    /// What the file says, and the files that it includes. `None`: there is no such file.
    pub(super) fn main_file(mut self, path: &str) -> Result<Option<Section>, ConfError> {
        let place = Place {
            file: path.into(),
            line: 0,
        };
        match self.source.file(path, limits::CONF_BYTES) {
            Ok(bytes) => self.text(&place.file, &bytes)?,
            Err(SourceProblem::Absent) => return Ok(None),
            Err(problem) => return Err(place.error(refusal(problem))),
        }
        Ok(Some(self.root))
    }

    /// What the text says, which came from `name`.
    pub(super) fn main_text(mut self, name: &str, bytes: &[u8]) -> Result<Section, ConfError> {
        self.text(&Arc::from(name), bytes)?;
        Ok(self.root)
    }

    fn text(&mut self, name: &Arc<str>, bytes: &[u8]) -> Result<(), ConfError> {
        let mut place = Place {
            file: Arc::clone(name),
            line: 0,
        };
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.files > limits::CONF_FILES || self.bytes > limits::CONF_BYTES {
            return Err(place.error(ConfProblem::TooLarge));
        }
        self.open.push(Arc::clone(name));
        let (mut state, mut path) = (State::Preamble, Vec::new());
        // Each line ends with a line feed; a last one without is a line as well.
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for line in bytes.split(|byte| *byte == b'\n') {
            place.line = place.line.saturating_add(1);
            self.line(&mut state, &mut path, line, &place)?;
        }
        self.open.pop();
        Ok(())
    }

    fn line(
        &mut self,
        state: &mut State,
        path: &mut Vec<Box<str>>,
        line: &[u8],
        place: &Place,
    ) -> Result<(), ConfError> {
        if let Some(target) = directive(line, b"include") {
            return self.include(&text(target, place)?, place);
        }
        if let Some(target) = directive(line, b"includedir") {
            return self.include_folder(&text(target, place)?, place);
        }
        match state {
            State::Preamble if directive(line, b"module").is_some() => {
                Err(place.error(ConfProblem::Module))
            }
            State::Preamble if !line.starts_with(b"[") => Ok(()),
            State::Preamble | State::Lines => {
                *state = State::Lines;
                self.standard(state, path, line, place)
            }
            State::OpenBrace if skip_blanks(line).starts_with(b"{") => {
                *state = State::Lines;
                Ok(())
            }
            State::OpenBrace => Err(place.error(ConfProblem::MissingBrace)),
        }
    }

    fn standard(
        &mut self,
        state: &mut State,
        path: &mut Vec<Box<str>>,
        line: &[u8],
        place: &Place,
    ) -> Result<(), ConfError> {
        let line = strip_blanks(line);
        match line.first() {
            None | Some(b';' | b'#') => return Ok(()),
            _ => {}
        }
        let line = text(line, place)?;
        if let Some(rest) = line.strip_prefix('[') {
            return self.section(path, rest, place);
        }
        if let Some(rest) = line.strip_prefix('}') {
            // The first name in the path is the section's in brackets.
            if path.len() < 2 {
                return Err(place.error(ConfProblem::ExtraBrace));
            }
            if rest.starts_with('*') {
                self.root.at(path).set_final();
            }
            path.pop();
            return Ok(());
        }
        self.relation(state, path, &line, place)
    }

    fn section(
        &mut self,
        path: &mut Vec<Box<str>>,
        rest: &str,
        place: &Place,
    ) -> Result<(), ConfError> {
        if path.len() > 1 {
            return Err(place.error(ConfProblem::SectionInBraces));
        }
        let (name, rest) = rest
            .split_once(']')
            .ok_or_else(|| place.error(ConfProblem::BadSection))?;
        let (is_final, rest) = match rest.strip_prefix('*') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        if !rest.chars().all(is_blank) {
            return Err(place.error(ConfProblem::BadSection));
        }
        self.count(place)?;
        path.clear();
        path.push(name.into());
        let section = self.root.at(path);
        if is_final {
            section.set_final();
        }
        Ok(())
    }

    fn relation(
        &mut self,
        state: &mut State,
        path: &mut Vec<Box<str>>,
        line: &str,
        place: &Place,
    ) -> Result<(), ConfError> {
        let wrong = || place.error(ConfProblem::NotARelation);
        let (name, value) = line.split_once('=').ok_or_else(wrong)?;
        let name = name.trim_end_matches(is_blank);
        if name.contains(is_blank) || line.starts_with('=') {
            return Err(wrong());
        }
        // What follows the marker in the name is dropped. On a relation it has no effect, as in MIT krb5.
        let (name, is_final) = match name.split_once('*') {
            Some((name, _)) => (name, true),
            None => (name, false),
        };
        let value = value.trim_start_matches(is_blank);
        self.count(place)?;
        if let Some(quoted) = value.strip_prefix('"') {
            self.root
                .at(path)
                .push(name, &unquoted(quoted), place.clone());
            return Ok(());
        }
        if !value.is_empty() && value.trim_end_matches(is_blank) != "{" {
            let value = value.trim_end_matches(is_blank);
            self.root.at(path).push(name, value, place.clone());
            return Ok(());
        }
        if path.len() > limits::CONF_DEPTH {
            return Err(place.error(ConfProblem::TooLarge));
        }
        if value.is_empty() {
            *state = State::OpenBrace;
        }
        path.push(name.into());
        let section = self.root.at(path);
        if is_final {
            section.set_final();
        }
        Ok(())
    }

    fn count(&mut self, place: &Place) -> Result<(), ConfError> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > limits::CONF_RELATIONS {
            return Err(place.error(ConfProblem::TooLarge));
        }
        Ok(())
    }

    fn include(&mut self, path: &str, place: &Place) -> Result<(), ConfError> {
        if self.open.iter().any(|open| **open == *path) {
            return Err(place.error(ConfProblem::IncludeLoop));
        }
        if self.open.len() > limits::CONF_INCLUDE_DEPTH {
            return Err(place.error(ConfProblem::TooLarge));
        }
        let left = limits::CONF_BYTES.saturating_sub(self.bytes);
        match self.source.file(path, left) {
            Ok(bytes) => self.text(&Arc::from(path), &bytes),
            // The C library opens a folder and reads nothing from it.
            Err(SourceProblem::Folder) => Ok(()),
            Err(problem) => Err(place.error(refusal(problem))),
        }
    }

    fn include_folder(&mut self, path: &str, place: &Place) -> Result<(), ConfError> {
        let mut names: Vec<String> = self
            .source
            .folder(path)
            .map_err(|problem| place.error(refusal(problem)))?;
        names.retain(|name| is_included(name));
        names.sort_unstable();
        for name in names {
            self.include(&format!("{path}/{name}"), place)?;
        }
        Ok(())
    }
}

fn refusal(problem: SourceProblem) -> ConfProblem {
    match problem {
        SourceProblem::TooLarge => ConfProblem::TooLarge,
        _ => ConfProblem::Unreadable,
    }
}

/// Which files of a folder are read: editors' and packagers' leftovers are not.
fn is_included(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.starts_with('.') && (name.ends_with(".conf") || name.chars().all(plain))
}

/// What follows the directive, which must stand at the start of the line and be followed by a blank.
fn directive<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name)?;
    if !rest.first().is_some_and(|byte| is_blank_byte(*byte)) {
        return None;
    }
    let rest = skip_blanks(rest);
    let end = rest.iter().rposition(|byte| *byte != b'\r');
    Some(end.and_then(|end| rest.get(..=end)).unwrap_or_default())
}

/// `isspace` in the C locale.
fn is_blank_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

pub(super) fn is_blank(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_blank_byte)
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|byte| !is_blank_byte(*byte));
    start
        .and_then(|start| line.get(start..))
        .unwrap_or_default()
}

/// Without leading blanks and without the carriage returns of other systems' line ends.
fn strip_blanks(line: &[u8]) -> &[u8] {
    let line = skip_blanks(line);
    let end = line.iter().rposition(|byte| *byte != b'\r');
    end.and_then(|end| line.get(..=end)).unwrap_or_default()
}

fn text(line: &[u8], place: &Place) -> Result<String, ConfError> {
    match core::str::from_utf8(line) {
        Ok(text) if !text.contains('\0') => Ok(text.into()),
        _ => Err(place.error(ConfProblem::NotText)),
    }
}

/// Up to the closing quote, which may be absent; what follows it is dropped.
fn unquoted(quoted: &str) -> String {
    let mut value = String::with_capacity(quoted.len());
    let mut rest = quoted.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => match rest.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('b') => value.push('\u{8}'),
                Some(other) => value.push(other),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    value
}
