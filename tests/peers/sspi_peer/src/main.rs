//! A security context of the crate `sspi`, driven command by command.
//!
//! Speaks the protocol of `gss_peer.c` (its opening comment): frames of a 4-byte big-endian length, a line
//! `verb key=value ...`, and data after the newline.
//!
//! ```text
//! initiator target=SERVICE@HOST [mech=ntlm|spnego] [flags=a,b] [bindings=HEX] user=DOMAIN\NAME password=HEX
//!           [kdc=HOST:PORT]
//! acceptor  [mech=ntlm|spnego] [bindings=HEX] users=PATH
//! step, inquire, session-key, wrap conf=, unwrap conf=, mic, verify mic=
//! ```
//!
//! What it cannot do (0.23.1), and what the rows therefore note:
//! - Its acceptor never compares the response to its challenge: a wrong password is noticed only through
//!   the MIC, and who clears the MIC's flag is let in with any.
//! - The caller looks the user up by the name that it has read; this program does so, as the crate's own
//!   Negotiate does.
//! - `flags` of a context are always empty, and a context without session security wraps all the same.
//! - Kerberos knows no credential cache and asks the KDC for each context; its MIC outside of SPNEGO is not
//!   there, nor a message that is signed but not sealed; sealed ones it opens only if rotated by 28 octets.
//! - Message numbers of MICs are the caller's; this program counts them together with those of wrapping.

mod frames;
mod package;

use std::io::Write;

use frames::Request;
use package::{Context, Role};

/// What a verb answers: the rest of the line, and data.
type Answer = Result<(String, Vec<u8>), Box<dyn std::error::Error>>;

fn main() -> std::io::Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut context = None;
    while let Some(request) = frames::read(&mut input)? {
        let reply = match answer(&mut context, &request) {
            Ok((text, data)) => [format!("ok {text}\n").as_bytes(), &data].concat(),
            Err(problem) => {
                let problem = problem.to_string().replace('\n', " ");
                let verb = &request.verb;
                format!("error major=000d0000 minor=0 what={verb} {problem}\n").into_bytes()
            }
        };
        frames::write(&mut output, &reply)?;
        output.flush()?;
    }
    Ok(())
}

fn answer(context: &mut Option<Context>, request: &Request) -> Answer {
    let role = match request.verb.as_str() {
        "initiator" => Some(Role::Initiator),
        "acceptor" => Some(Role::Acceptor),
        _ => None,
    };
    if let Some(role) = role {
        *context = Some(Context::start(role, request)?);
        return Ok((String::new(), Vec::new()));
    }
    let context = context.as_mut().ok_or("no context")?;
    let data = &request.data;
    let sealed = request.value("conf") != Some("0");
    let conf = u8::from(sealed);
    match request.verb.as_str() {
        "step" => context.step(data),
        "inquire" => context.inquire(),
        "session-key" => Ok(("enctype=0".to_owned(), context.session_key()?)),
        "wrap" => Ok((format!("conf={conf}"), context.wrap(sealed, data)?)),
        "unwrap" => Ok((
            format!("conf={conf} info=none"),
            context.unwrap(sealed, data)?,
        )),
        "mic" => Ok((String::new(), context.mic(data)?)),
        "verify" => {
            let mic = frames::unhex(request.value("mic").ok_or("no mic")?)?;
            context.verify(data, mic)?;
            Ok(("info=none".to_owned(), Vec::new()))
        }
        other => Err(format!("no such verb: {other}").into()),
    }
}
