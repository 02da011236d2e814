//! What is printed: lines for people, or JSON objects for machines.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::crypto::Enctype;
use countersign::{Flags, SecurityContext};
use serde_json::{Value, json};

/// Prints `text`, or `value` where JSON is asked for, and flushes: whoever reads a pipe must not
/// wait for the next line.
pub(crate) fn event(as_json: bool, text: impl FnOnce() -> String, value: impl FnOnce() -> Value) {
    let line = if as_json { value().to_string() } else { text() };
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush())
        // A reader that has gone away has read what it wanted.
        && error.kind() != io::ErrorKind::BrokenPipe
        && !INCOMPLETE.swap(true, Ordering::Relaxed)
    {
        complain(&format!("error: cannot write to standard output: {error}"));
    }
}

/// Whether something could not be printed.
static INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// Whether something could not be printed, although somebody wanted to read it.
pub(crate) fn is_incomplete() -> bool {
    INCOMPLETE.load(Ordering::Relaxed)
}

/// Prints a complaint to standard error. Lines that are indented are commands to be copied, and
/// are left as they are.
pub(crate) fn complain(text: &str) {
    let lines: Vec<_> = text
        .lines()
        .map(|line| match line.strip_prefix("  ") {
            Some(_) => line.to_owned(),
            None => break_at_spaces(line),
        })
        .collect();
    // Where nobody listens any more there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
}

/// The flags by name.
pub(crate) fn flag_names(flags: Flags) -> Vec<String> {
    match flags.to_string().as_str() {
        "none" => Vec::new(),
        names => names.split(", ").map(str::to_owned).collect(),
    }
}

/// The mechanism by the name of its package.
pub(crate) fn mechanism_name(context: &SecurityContext) -> &'static str {
    use countersign::token::oid::Oid;
    match context.mechanism() {
        Oid::KERBEROS | Oid::MS_KERBEROS => "kerberos",
        Oid::NTLMSSP => "ntlm",
        _ => "unknown",
    }
}

/// The enctype by its name, or its number where this build has none for it.
pub(crate) fn enctype_name(id: i32) -> String {
    Enctype::from_id(id).map_or_else(|| format!("enctype {id}"), |known| known.name().to_owned())
}

/// `9 h 59 min`, `4 min 3 s`.
pub(crate) fn duration(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, rest) = (rest / 3_600, rest % 3_600);
    let (minutes, seconds) = (rest / 60, rest % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Bytes as text where they are, else in hexadecimal.
pub(crate) fn printable(bytes: &[u8]) -> String {
    match core::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => format!("\"{text}\""),
        _ => data_encoding::HEXLOWER.encode(bytes),
    }
}

/// Columns of a terminal that everything but the lines of `serve` keeps to.
const COLUMNS: usize = 80;

/// The line in pieces of at most 80 columns, those after the first indented by `indent`; broken
/// at spaces where there are some.
pub(crate) fn fold(line: &str, indent: usize) -> String {
    let mut folded = String::new();
    let (mut rest, mut margin) = (line, 0);
    loop {
        let room = COLUMNS.saturating_sub(margin).max(1);
        let Some((end, _)) = rest.char_indices().nth(room) else {
            folded.push_str(rest);
            return folded;
        };
        let text = rest.len().saturating_sub(rest.trim_start().len());
        let at = rest
            .get(..=end)
            .and_then(|fitting| fitting.rfind(' '))
            .filter(|space| *space > text && *space > indent)
            .unwrap_or(end);
        let (now, later) = rest.split_at(at);
        folded.push_str(now);
        folded.push('\n');
        folded.extend(core::iter::repeat_n(' ', indent));
        (rest, margin) = (later.trim_start(), indent);
    }
}

/// The line in pieces of at most 80 columns, except where a word is longer: paths stay whole.
fn break_at_spaces(line: &str) -> String {
    let (mut broken, mut column) = (String::new(), 0_usize);
    for (number, word) in line.split(' ').enumerate() {
        let length = word.chars().count();
        if number != 0 && column.saturating_add(length) >= COLUMNS {
            broken.push_str("\n  ");
            column = 2;
        } else if number != 0 {
            broken.push(' ');
            column = column.saturating_add(1);
        }
        broken.push_str(word);
        column = column.saturating_add(length);
    }
    broken
}

/// What protects messages: a Kerberos enctype, or what NTLM has in its place.
pub(crate) fn ciphers(context: &SecurityContext) -> &'static str {
    context.enctype().map_or("RC4, HMAC-MD5", Enctype::name)
}

/// What is known of an established context.
pub(crate) fn describe(context: &SecurityContext) -> Value {
    json!({
        "peer": context.peer().map(ToString::to_string),
        "local": context.local().to_string(),
        "mechanism": context.mechanism().to_string(),
        "package": mechanism_name(context),
        "flags": flag_names(context.flags()),
        "enctype": context.enctype().map(Enctype::name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_break_at_spaces_only() {
        let path = format!("/{}", "x".repeat(100));
        let broken = break_at_spaces(&format!("error: {} {path} short", "word ".repeat(30)));
        assert!(broken.lines().any(|line| line.trim() == path));
        for line in broken.lines().filter(|line| line.trim() != path) {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        assert_eq!(break_at_spaces("error: short"), "error: short");
    }

    #[test]
    fn durations_read_well() {
        for (seconds, text) in [
            (0, "0 s"),
            (243, "4 min 3 s"),
            (35_999, "9 h 59 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn control_characters_of_a_peer_never_reach_the_terminal() {
        assert_eq!(printable(b"hello"), "\"hello\"");
        assert_eq!(printable(b"\x1b[2J"), "1b5b324a");
        assert_eq!(printable(b"\xff"), "ff");
    }

    #[test]
    fn long_lines_are_folded_at_spaces_and_lose_nothing() {
        assert_eq!(fold("short", 4), "short");
        let words = "word ".repeat(40);
        let folded = fold(&format!("  {words}"), 4);
        assert!(
            folded
                .lines()
                .all(|line| line.len() <= COLUMNS && line.starts_with("  "))
        );
        assert_eq!(folded.split_whitespace().count(), 40);
        // Without a space, at the edge.
        let folded = fold(&"é".repeat(200), 4);
        assert!(folded.lines().all(|line| line.chars().count() <= COLUMNS));
        assert_eq!(folded.matches('é').count(), 200);
    }

    #[test]
    fn no_flags_are_an_empty_list() {
        assert!(flag_names(Flags::NONE).is_empty());
        assert_eq!(
            flag_names(Flags::MUTUAL | Flags::REPLAY),
            ["mutual", "replay"]
        );
    }
}
