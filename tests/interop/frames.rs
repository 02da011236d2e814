//! Asks a program that speaks in frames: `tests/peers/gss_peer.c`, whose opening comment is the protocol,
//! and those that speak like it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::Result;
use crate::process::PATIENCE;
use crate::recording::Recording;
use crate::side::{Refusal, Stepped};

/// A program that runs until this is dropped.
pub(crate) struct Frames {
    /// What it is called when it refuses.
    name: &'static str,
    recording: Recording,
    child: Child,
    input: Option<ChildStdin>,
    frames: Receiver<Vec<u8>>,
}

/// An `ok` reply.
pub(crate) struct Reply {
    values: BTreeMap<String, String>,
    pub(crate) data: Vec<u8>,
}

impl Reply {
    pub(crate) fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }
}

impl Frames {
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        recording: Recording,
    ) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{name}: {}: {e}", command.get_program().display()))?;
        let input = child.stdin.take();
        let mut output = child
            .stdout
            .take()
            .ok_or_else(|| format!("{name} has no output"))?;
        let (sender, frames) = channel();
        std::thread::spawn(move || {
            loop {
                let mut length = [0; 4];
                if output.read_exact(&mut length).is_err() {
                    break;
                }
                let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap_or(0)];
                if output.read_exact(&mut frame).is_err() || sender.send(frame).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            name,
            recording,
            child,
            input,
            frames,
        })
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn ask(&mut self, line: &str, data: &[u8]) -> Result<Reply, Refusal> {
        let name = self.name;
        let input = self
            .input
            .as_mut()
            .ok_or_else(|| format!("{name} is gone"))?;
        let length = u32::try_from(line.len() + 1 + data.len()).map_err(|e| e.to_string())?;
        let mut frame = length.to_be_bytes().to_vec();
        frame.extend_from_slice(line.as_bytes());
        frame.push(b'\n');
        frame.extend_from_slice(data);
        input
            .write_all(&frame)
            .map_err(|e| format!("{name} is gone: {e}"))?;
        let reply = self
            .frames
            .recv_timeout(PATIENCE)
            .map_err(|_| format!("{name} does not answer {line:.40}"))?;
        let split = reply
            .iter()
            .position(|&b| b == b'\n')
            .ok_or("no line".to_owned())?;
        let (head, data) = reply.split_at(split);
        let data = data.get(1..).unwrap_or_default().to_vec();
        let head = String::from_utf8_lossy(head);
        if let Some(error) = head.strip_prefix("error ") {
            let token = (!data.is_empty()).then_some(data);
            return Err(Refusal {
                reason: format!("{name}: {error}"),
                token,
            });
        }
        if !data.is_empty() {
            let kind = line.split(' ').next().unwrap_or_default();
            self.recording.keep(kind, &data)?;
        }
        let values = head
            .split(' ')
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Ok(Reply { values, data })
    }

    pub(crate) fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        let reply = self.ask("step", token.unwrap_or_default())?;
        let complete = reply.value("state") == "complete";
        let token = (reply.value("token") == "1").then_some(reply.data);
        Ok(Stepped { token, complete })
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        drop(self.input.take());
        for _ in 0..100 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
