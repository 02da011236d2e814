//! Runs every command of `docs/guide/active-directory.md` in the domain that the page is about.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::kdc::client::text;
use crate::kdc::lab::Lab;
use crate::process::Running;

/// The page.
fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/active-directory.md")
}

/// What stands around the page's commands: passwords are typed, the examples are built already, and a
/// client waits for the server that was started before it.
const PREAMBLE: &str = r#"
set -eu
kinit() {
    for name; do :; done
    echo "$name Passw0rd" | command kinit "$@" >/dev/null
}
cargo() {
    while [ "$1" != -- ]; do
        [ "$1" != --example ] || example=$2
        shift
    done
    shift
    if [ "$example" = ad_service ]; then
        exec "$EXAMPLES/$example" "$@"
    fi
    tries=0
    until "$EXAMPLES/$example" "$@" 2>client.log; do
        tries=$((tries + 1))
        [ $tries -lt 50 ] || { cat client.log; return 1; }
        grep -q 'refused (os error' client.log || { cat client.log; return 1; }
        sleep 0.1
    done
}
trap 'kill $! 2>/dev/null || :' EXIT
"#;

/// Runs the page from top to bottom.
pub(crate) fn run(lab: &Lab) -> Result<()> {
    let folder = lab.path("guide");
    std::fs::create_dir_all(&folder).map_err(text)?;
    let page = std::fs::read_to_string(page()).map_err(text)?;
    let mut script = PREAMBLE.to_owned();
    let mut expected = Vec::new();
    for block in blocks(&page) {
        match block.info.split_once(' ') {
            Some((_, file)) => std::fs::write(folder.join(file), &block.text).map_err(text)?,
            None if block.info == "console" => {
                let (commands, output) = split(&block.text);
                let _ = writeln!(script, "{commands}");
                expected.extend(output);
            }
            None => {}
        }
    }
    std::fs::write(folder.join("page.sh"), script).map_err(text)?;
    let examples = std::env::current_exe()
        .map_err(text)?
        .with_file_name("examples");
    let mut command = lab.command("sh");
    command
        .arg("page.sh")
        .current_dir(&folder)
        .env("EXAMPLES", examples)
        .env("LC_ALL", "C.UTF-8")
        .env("KRB5CCNAME", folder.join("ccache"));
    let (succeeded, output) = Running::start(&mut command)?.finish()?;
    if !succeeded {
        return Err(format!("the page's commands fail\n{output}"));
    }
    match expected.iter().find(|line| !output.contains(line.as_str())) {
        Some(line) => Err(format!("the page promises {line:?}\n{output}")),
        None => Ok(()),
    }
}

struct Block<'a> {
    info: &'a str,
    text: String,
}

/// The fenced blocks of a page.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(_), true) => inside = false,
            (Some(info), false) => {
                inside = true;
                blocks.push(Block {
                    info,
                    text: String::new(),
                });
            }
            (None, true) => {
                if let Some(block) = blocks.last_mut() {
                    let _ = writeln!(block.text, "{line}");
                }
            }
            (None, false) => {}
        }
    }
    blocks
}

/// The commands, after `$ ` and with the lines that continue them, and what they print.
fn split(text: &str) -> (String, Vec<String>) {
    let (mut commands, mut output) = (String::new(), Vec::new());
    let mut continued = false;
    for line in text.lines() {
        let command = line.strip_prefix("$ ").or(continued.then_some(line));
        match command {
            Some(command) => {
                continued = command.ends_with('\\');
                let _ = writeln!(commands, "{command}");
            }
            None => output.push(line.to_owned()),
        }
    }
    (commands, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_commands_files_and_promises() {
        let page = std::fs::read_to_string(page()).unwrap();
        let blocks = blocks(&page);
        assert!(blocks.iter().any(|block| block.info.starts_with("ldif ")));
        let console = blocks.iter().filter(|block| block.info == "console");
        let (commands, output): (Vec<_>, Vec<_>) = console.map(|block| split(&block.text)).unzip();
        assert!(commands.concat().contains("ad_service"));
        assert!(output.concat().len() >= 2);
    }

    #[test]
    fn a_command_ends_where_its_last_line_is_not_continued() {
        let (commands, output) = split("$ a \\\n    b\nprinted\n$ c\n");
        assert_eq!(commands, "a \\\n    b\nc\n");
        assert_eq!(output, ["printed"]);
    }
}
