//! `countersign inspect`: shows what a token says.

mod input;
mod sealed;

use std::io::{self, Read};

use countersign::token::describe::{self, Line};
use serde_json::{Value, json};

use crate::args::InspectOptions;
use crate::failure::Failure;
use crate::files;
use crate::output::{event, fold};

/// Most bytes that are read from standard input.
const MAX_INPUT: u64 = 16 * 1024 * 1024;

/// A tree, and what it is a tree of.
struct Part {
    title: String,
    lines: Vec<Line>,
}

pub(crate) fn run(options: &InspectOptions) -> Result<(), Failure> {
    let token = match options.token.as_deref() {
        Some(text) if text != "-" => input::decode(text.as_bytes())?,
        _ => {
            let mut bytes = Vec::new();
            io::stdin().lock().take(MAX_INPUT).read_to_end(&mut bytes)?;
            input::decode(&bytes)?
        }
    };
    let mut parts = vec![Part {
        title: String::new(),
        lines: describe::tree(&token),
    }];
    let mut opened = Ok(());
    if let Some(path) = &options.keytab {
        let keytab = files::keytab(path)?;
        opened = sealed::open(&token, &keytab, &mut parts);
    }
    show(&parts, options);
    opened?;
    // Undecodable bytes have been shown with their reason; whoever runs this in a script may
    // still want to know.
    if parts
        .iter()
        .flat_map(|part| &part.lines)
        .any(|line| line.error.is_some())
    {
        return Err(Failure::refused(
            "some bytes do not decode; see the lines with a reason",
        ));
    }
    Ok(())
}

fn show(parts: &[Part], options: &InspectOptions) {
    event(
        options.json,
        || {
            let mut text = String::new();
            for part in parts {
                if !part.title.is_empty() {
                    text.push_str("\n\n");
                    text.push_str(&fold(&part.title, 2));
                    text.push('\n');
                }
                let lines: Vec<_> = part.lines.iter().map(line_to_text).collect();
                text.push_str(&lines.join("\n"));
            }
            text
        },
        || parts.iter().map(part_to_json).collect::<Vec<_>>().into(),
    );
}

/// The line, what does not fit beside it below its label.
fn line_to_text(line: &Line) -> String {
    /// The columns of the offset, and the further indentation of what is folded.
    const MARGIN: usize = 8 + 4;
    fold(
        &line.to_string(),
        line.depth.saturating_mul(2).saturating_add(MARGIN).min(40),
    )
}

fn part_to_json(part: &Part) -> Value {
    let lines: Vec<_> = part.lines.iter().map(line_to_json).collect();
    json!({ "part": if part.title.is_empty() { "token" } else { &part.title }, "lines": lines })
}

fn line_to_json(line: &Line) -> Value {
    let mut value = json!({ "depth": line.depth, "offset": line.offset, "label": line.label });
    if !line.value.is_empty() {
        value["value"] = line.value.as_str().into();
    }
    if let Some(error) = &line.error {
        value["error"] = error.to_string().into();
        value["error_offset"] = error.offset().into();
    }
    value
}
