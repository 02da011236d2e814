//! The walk over a token: a stack of open containers on the heap, so that no input is too deep.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::names::{CHECKSUMS, name};
use super::shape::{Parts, Shape};
use super::{Line, MAX_DEPTH, MAX_LINES};
use crate::der::{Reader, Tag};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::kerberos::{GssChecksum, KerberosString, KerberosTime};
use crate::oid::Oid;

/// An open container.
struct Frame<'a> {
    reader: Reader<'a>,
    depth: usize,
    inside: Inside,
    /// The last number among the fields, which gives octets beside it a meaning.
    number: Option<i64>,
}

/// What the elements of a container are.
#[derive(Clone, Copy)]
pub(super) enum Inside {
    Fields(Parts),
    List(&'static str, &'static Shape),
    Unknown,
}

/// The state of a walk.
pub(super) struct Walk<'a> {
    lines: Vec<Line>,
    stack: Vec<Frame<'a>>,
    /// The depth and offset of the first line that was one too many.
    cut: Option<(usize, usize)>,
    /// What a typed decoder says of a message, to be shown where the walk saw nothing wrong.
    pub(super) verdict: Option<DecodeError>,
}

impl<'a> Walk<'a> {
    pub(super) fn of(token: &'a [u8]) -> Vec<Line> {
        let mut walk = Self {
            lines: Vec::new(),
            stack: Vec::new(),
            cut: None,
            verdict: None,
        };
        walk.token("token", Reader::new(token), 0);
        while let Some(frame) = walk.stack.last_mut() {
            if frame.reader.is_empty() {
                walk.stack.pop();
            } else if walk.is_cut() {
                break;
            } else {
                walk.element();
            }
        }
        walk.conclude()
    }

    /// Puts the lines in the order of the bytes, and the typed decoder's verdict at its line.
    fn conclude(mut self) -> Vec<Line> {
        if let Some((depth, offset)) = self.cut {
            self.lines.push(Line {
                depth,
                offset,
                label: "more".to_string(),
                value: format!("only {MAX_LINES} lines are shown"),
                error: None,
            });
        }
        self.lines.sort_by_key(|line| line.offset);
        if let Some(verdict) = self.verdict
            && self.lines.iter().all(|line| line.error.is_none())
            && let Some(line) = self
                .lines
                .iter_mut()
                .rev()
                .find(|line| line.offset <= verdict.offset())
        {
            line.error = Some(verdict);
        }
        self.lines
    }

    pub(super) fn line(&mut self, depth: usize, offset: usize, label: &str, value: String) {
        self.push(Line {
            depth,
            offset,
            label: label.to_string(),
            value,
            error: None,
        });
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() < MAX_LINES {
            self.lines.push(line);
        } else {
            self.cut.get_or_insert((line.depth, line.offset));
        }
    }

    /// Whether a line was one too many: to end loops early.
    pub(super) const fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    pub(super) fn broken(&mut self, depth: usize, rest: Reader<'_>, error: DecodeError) {
        self.push(Line {
            depth,
            offset: rest.offset(),
            label: "undecodable".to_string(),
            value: hex(rest.remaining()),
            error: Some(error),
        });
    }

    pub(super) fn open(&mut self, reader: Reader<'a>, depth: usize, inside: Inside) {
        if depth > MAX_DEPTH {
            let error = DecodeErrorKind::TooDeep { limit: MAX_DEPTH };
            let error = DecodeError::new(reader.offset(), error);
            self.broken(depth, reader, error);
            return;
        }
        self.stack.push(Frame {
            reader,
            depth,
            inside,
            number: None,
        });
    }

    /// Shows the next element of the innermost open container.
    fn element(&mut self) {
        let Some(frame) = self.stack.last_mut() else {
            return;
        };
        let (depth, before, inside) = (frame.depth, frame.reader, frame.inside);
        let (tag, mut contents) = match frame.reader.read_any() {
            Ok(element) => element,
            Err(error) => {
                frame.reader = Reader::new(&[]);
                return self.broken(depth, before, error);
            }
        };
        let offset = before.offset();
        match inside {
            Inside::Fields(parts) => {
                let part = parts.iter().find(|part| tag == Tag::context(part.0));
                let Some(part) = part else {
                    return self.unknown(&tag.to_string(), depth, offset, tag, contents);
                };
                let whole = contents;
                match contents.read_any() {
                    Ok((tag, value)) => {
                        self.value(part.1, depth, offset, tag, value, &part.2);
                        if let Err(error) = contents.finish() {
                            self.broken(depth.saturating_add(1), contents, error);
                        }
                    }
                    Err(error) => {
                        self.line(depth, offset, part.1, String::new());
                        self.broken(depth.saturating_add(1), whole, error);
                    }
                }
            }
            Inside::List(name, shape) => self.value(name, depth, offset, tag, contents, shape),
            Inside::Unknown => {
                self.unknown(&tag.to_string(), depth, offset, tag, contents);
            }
        }
    }

    /// Shows a value that should have a shape.
    fn value(
        &mut self,
        label: &str,
        depth: usize,
        offset: usize,
        tag: Tag,
        contents: Reader<'a>,
        shape: &'static Shape,
    ) {
        let below = depth.saturating_add(1);
        let octets = contents.remaining();
        match (shape, tag) {
            (Shape::Message(number, message, parts), _) if tag == Tag::application(*number) => {
                let mut outer = contents;
                let text = if label == "token" { *message } else { label };
                let value = if label == "token" {
                    String::new()
                } else {
                    (*message).to_string()
                };
                self.line(depth, offset, text, value);
                match outer.read(Tag::SEQUENCE) {
                    Ok(fields) => self.open(fields, below, Inside::Fields(parts)),
                    Err(error) => return self.broken(below, contents, error),
                }
                if let Err(error) = outer.finish() {
                    self.broken(below, outer, error);
                }
            }
            (Shape::Chosen(name, parts), _) if tag == Tag::context(0) => {
                let mut outer = contents;
                self.line(depth, offset, name, String::new());
                match outer.read(Tag::SEQUENCE) {
                    Ok(fields) => self.open(fields, below, Inside::Fields(parts)),
                    Err(error) => return self.broken(below, contents, error),
                }
                if let Err(error) = outer.finish() {
                    self.broken(below, outer, error);
                }
            }
            (Shape::Fields(parts), Tag::SEQUENCE) => {
                self.line(depth, offset, label, String::new());
                self.open(contents, below, Inside::Fields(parts));
            }
            (Shape::List(element, shape), Tag::SEQUENCE) => {
                self.line(depth, offset, label, String::new());
                self.open(contents, below, Inside::List(element, shape));
            }
            (Shape::Number(names), Tag::INTEGER | Tag::ENUMERATED) => {
                let Some(number) = number(octets) else {
                    return self.unknown(label, depth, offset, tag, contents);
                };
                if let Some(frame) = self.stack.last_mut() {
                    frame.number = Some(number);
                }
                let value = match name(names, number) {
                    Some(name) => format!("{number} {name}"),
                    None => number.to_string(),
                };
                self.line(depth, offset, label, value);
            }
            (Shape::Boolean, Tag::BOOLEAN) => {
                let value = octets.iter().any(|octet| *octet != 0).to_string();
                self.line(depth, offset, label, value);
            }
            (Shape::Text, Tag::GENERAL_STRING | Tag::UTF8_STRING) => {
                self.line(
                    depth,
                    offset,
                    label,
                    format!("{:?}", KerberosString::new(octets)),
                );
            }
            (Shape::Time, Tag::GENERALIZED_TIME) => {
                self.line(depth, offset, label, time(octets));
            }
            (Shape::Flags(names), Tag::BIT_STRING) => {
                let mut padded = [0; 4];
                for (to, from) in padded.iter_mut().zip(octets.iter().skip(1)) {
                    *to = *from;
                }
                self.line(depth, offset, label, names(u32::from_be_bytes(padded)));
            }
            (Shape::Secret, Tag::OCTET_STRING) => {
                self.line(
                    depth,
                    offset,
                    label,
                    format!("{} bytes, not shown", octets.len()),
                );
            }
            (Shape::Cipher, Tag::OCTET_STRING) => {
                self.line(
                    depth,
                    offset,
                    label,
                    format!("{} bytes, encrypted", octets.len()),
                );
            }
            (Shape::Typed(shapes), Tag::OCTET_STRING) => {
                self.typed(label, depth, offset, contents, shapes);
            }
            (Shape::Token, Tag::OCTET_STRING) => {
                self.line(depth, offset, label, format!("{} bytes", octets.len()));
                self.token("token", contents, below);
            }
            _ => self.unknown(label, depth, offset, tag, contents),
        }
    }

    /// Octets that the number beside them may give a shape.
    fn typed(
        &mut self,
        label: &str,
        depth: usize,
        offset: usize,
        contents: Reader<'a>,
        shapes: &'static [(i32, &'static Shape)],
    ) {
        let number = self.stack.last().and_then(|frame| frame.number);
        let shape = shapes
            .iter()
            .find(|(known, _)| number == Some(i64::from(*known)))
            .map(|(_, shape)| *shape);
        match shape {
            Some(Shape::GssChecksum) => self.gss_checksum(label, depth, offset, contents),
            Some(Shape::Pac) => {
                let value = format!("{} bytes", contents.remaining().len());
                self.line(depth, offset, label, value);
                self.pac("PAC", contents, depth.saturating_add(1));
            }
            Some(shape) if !contents.is_empty() => {
                let below = depth.saturating_add(1);
                let value = format!("{} bytes", contents.remaining().len());
                self.line(depth, offset, label, value);
                let inside = match shape {
                    Shape::Message(_, name, _) => Inside::List(name, shape),
                    _ => Inside::List("value", shape),
                };
                self.open(contents, below, inside);
            }
            _ => self.line(depth, offset, label, hex(contents.remaining())),
        }
    }

    /// A value of no known shape, by its tag alone.
    fn unknown(&mut self, label: &str, depth: usize, offset: usize, tag: Tag, at: Reader<'a>) {
        let octets = at.remaining();
        let value = match tag {
            _ if tag.is_constructed() => {
                let kind = tag.to_string();
                let value = if kind == label { String::new() } else { kind };
                self.line(depth, offset, label, value);
                return self.open(at, depth.saturating_add(1), Inside::Unknown);
            }
            Tag::INTEGER | Tag::ENUMERATED => {
                number(octets).map_or_else(|| hex(octets), |number| number.to_string())
            }
            Tag::GENERALIZED_TIME => time(octets),
            Tag::OID => {
                Oid::from_contents(octets).map_or_else(|_| hex(octets), |oid| mechanism(oid))
            }
            Tag::GENERAL_STRING | Tag::UTF8_STRING => {
                format!("{:?}", KerberosString::new(octets))
            }
            _ => hex(octets),
        };
        self.line(depth, offset, label, value);
    }

    /// The checksum field of a GSS-API authenticator, RFC 4121 §4.1.1.
    fn gss_checksum(&mut self, label: &str, depth: usize, offset: usize, contents: Reader<'a>) {
        let octets = contents.remaining();
        let (at, below) = (contents.offset(), depth.saturating_add(1));
        let name = name(CHECKSUMS, i64::from(GssChecksum::TYPE)).unwrap_or_default();
        self.line(
            depth,
            offset,
            label,
            format!("{} bytes, {name}", octets.len()),
        );
        let checksum = match GssChecksum::parse(octets) {
            Ok(checksum) => checksum,
            Err(error) => {
                let place = at.saturating_add(error.offset());
                return self.broken(below, contents, DecodeError::new(place, error.kind()));
            }
        };
        let bindings = if checksum.has_bindings() {
            hex(&checksum.bindings)
        } else {
            "none".to_string()
        };
        self.line(below, at.saturating_add(4), "Bnd", bindings);
        let names: Vec<_> = checksum.flags.names().collect();
        let flags = format!("{:#010x} {}", checksum.flags.0, names.join(" "));
        self.line(below, at.saturating_add(20), "Flags", flags);
        if let Some(credentials) = checksum.delegation {
            let start = at.saturating_add(28);
            self.line(
                below,
                start,
                "Deleg",
                format!("{} bytes", credentials.len()),
            );
            self.token(
                "token",
                Reader::at(credentials, start),
                below.saturating_add(1),
            );
        }
        let end = at.saturating_add(octets.len());
        let mut extensions = checksum.extensions;
        loop {
            let start = end.saturating_sub(extensions.as_bytes().len());
            let Some(extension) = extensions.next().filter(|_| !self.is_cut()) else {
                break;
            };
            let value = format!("type {}, {}", extension.kind, hex(extension.data));
            self.line(below, start, "Ext", value);
        }
    }
}

/// An INTEGER's contents of at most eight octets.
fn number(octets: &[u8]) -> Option<i64> {
    let first = octets.first()?;
    if octets.len() > 8 {
        return None;
    }
    let sign = i64::from(first.cast_signed() >> 7);
    Some(
        octets
            .iter()
            .fold(sign, |value, octet| (value << 8) | i64::from(*octet)),
    )
}

/// A time, or its characters.
fn time(octets: &[u8]) -> String {
    KerberosTime::from_contents(octets).map_or_else(
        || format!("{:?} is not a time", KerberosString::new(octets)),
        |time| time.to_string(),
    )
}

/// A mechanism's name and identifier.
pub(super) fn mechanism(oid: Oid<'_>) -> String {
    match oid.mechanism_name() {
        Some(name) => format!("{name} ({oid})"),
        None => oid.to_string(),
    }
}

/// The first bytes in hexadecimal, and how many there are.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = format!("{} bytes", bytes.len());
    for (index, byte) in bytes.iter().take(32).enumerate() {
        let _ = write!(text, "{}{byte:02x}", if index == 0 { " " } else { "" });
    }
    if bytes.len() > 32 {
        text.push_str("...");
    }
    text
}
