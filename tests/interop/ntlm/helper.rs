//! `ntlm_auth --helper-protocol=...`: a line for each line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::Result;
use crate::base64::decode;
use crate::process::PATIENCE;
use crate::side::Refusal;

/// NTLMSSP_NEGOTIATE_SIGN and NTLMSSP_NEGOTIATE_SEAL (MS-NLMP §2.2.2.5).
const FLAGS: [(&str, u32); 2] = [("integ", 0x10), ("conf", 0x20)];

/// A running helper, which ends with this.
pub(super) struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Helper {
    pub(super) fn start(mut command: Command, protocol: &str) -> Result<Self> {
        let mut child = command
            .arg(format!("--helper-protocol={protocol}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("ntlm_auth: {e}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("ntlm_auth has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            input,
            lines,
        })
    }

    pub(super) fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().ok_or("ntlm_auth is gone")?;
        writeln!(input, "{line}").map_err(|e| format!("ntlm_auth is gone: {e}"))
    }

    pub(super) fn hear(&self) -> Result<String> {
        let line = self.lines.recv_timeout(PATIENCE);
        line.map_err(|_| "ntlm_auth does not answer".into())
    }

    pub(super) fn ask(&mut self, line: &str) -> Result<String> {
        self.say(line)?;
        self.hear()
    }

    /// What the security context says behind a two-letter question.
    fn context(&mut self, question: &str) -> Result<String> {
        let answer = self.ask(question)?;
        match answer.split_once(' ') {
            Some((kind, value)) if kind == question => Ok(value.to_owned()),
            _ => Err(format!("ntlm_auth: {question}: {answer}")),
        }
    }

    pub(super) fn session_key(&mut self) -> Result<Vec<u8>> {
        let key = self.context("GK")?;
        decode(&key).ok_or_else(|| format!("ntlm_auth: no base64: {key}"))
    }

    pub(super) fn flags(&mut self) -> Result<Vec<String>> {
        let text = self.context("GF")?;
        let bits = u32::from_str_radix(text.trim_start_matches("0x"), 16);
        let bits = bits.map_err(|e| format!("ntlm_auth: {text}: {e}"))?;
        let granted = FLAGS.iter().filter(|(_, flag)| bits & flag != 0);
        Ok(granted.map(|(name, _)| (*name).to_owned()).collect())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What an answer to a token came to.
pub(super) enum Heard {
    Token(Vec<u8>),
    Finished(Option<Vec<u8>>, String),
}

/// An answer of one of the protocols: TT, KK and YR carry a token, AF says that it is over.
pub(super) fn heard(answer: &str, with_token: bool) -> Result<Heard, Refusal> {
    let mut words = answer.splitn(3, ' ');
    let kind = words.next().unwrap_or_default();
    let mut token = || {
        let word = words.next().filter(|word| *word != "*")?;
        decode(word)
    };
    match kind {
        "TT" | "KK" | "YR" => token()
            .map(Heard::Token)
            .ok_or_else(|| format!("ntlm_auth: {answer}").into()),
        "AF" if with_token => {
            let token = token();
            Ok(Heard::Finished(
                token,
                words.next().unwrap_or_default().to_owned(),
            ))
        }
        "AF" => Ok(Heard::Finished(
            None,
            answer.get(3..).unwrap_or_default().to_owned(),
        )),
        _ => Err(format!("ntlm_auth: {answer}").into()),
    }
}
