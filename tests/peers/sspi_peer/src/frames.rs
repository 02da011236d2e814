//! Requests and replies on standard input and output.

use std::io::{ErrorKind, Read, Write};

const MAX_FRAME: usize = 32 << 20;

/// A request: `verb key=value ...`, and data.
pub struct Request {
    pub verb: String,
    values: Vec<(String, String)>,
    pub data: Vec<u8>,
}

impl Request {
    pub fn value(&self, key: &str) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// The next request; `None` at the end of input.
pub fn read(input: &mut impl Read) -> std::io::Result<Option<Request>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(problem) if problem.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    input.read_exact(&mut frame)?;
    let end = frame
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(length);
    let data = frame.get(end + 1..).unwrap_or_default().to_vec();
    let line = String::from_utf8_lossy(&frame[..end]).into_owned();
    let mut words = line.split(' ');
    Ok(Some(Request {
        verb: words.next().unwrap_or_default().to_owned(),
        values: words
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        data,
    }))
}

pub fn write(output: &mut impl Write, frame: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(|_| ErrorKind::InvalidData)?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(frame)
}

/// Hexadecimal digits as bytes.
pub fn unhex(text: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect()
}
