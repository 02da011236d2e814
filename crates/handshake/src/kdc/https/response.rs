//! One HTTP response, taken as it comes.
//!
//! ```text
//!   Head ── length known ──▶ Length ──▶ body
//!     │ ├── chunked ───────▶ Chunked ──▶ body
//!     │ └── neither ───────▶ End ── connection ends ──▶ body
//!     └── interim (1xx): Head again
//! ```

use httparse::Status;

use super::super::error::Failure;

/// Longest head, and most of its fields.
const MAX_HEAD: usize = 16 * 1024;
const MAX_FIELDS: usize = 64;

/// Longest line that announces a chunk.
const MAX_CHUNK_LINE: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Length(usize),
    /// A chunk's length comes next.
    ChunkLine,
    /// So much of a chunk is still to come.
    Chunk(usize),
    /// The end of the line after a chunk.
    ChunkEnd,
    /// All until the connection ends.
    End,
}

#[derive(Debug)]
pub(super) struct Response {
    state: State,
    /// Received and not understood yet.
    pending: Vec<u8>,
    body: Vec<u8>,
    /// Longest body.
    limit: usize,
}

impl Response {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: State::Head,
            pending: Vec::new(),
            body: Vec::new(),
            limit,
        }
    }

    /// Takes what has come; returns the body when it is complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        self.pending.extend_from_slice(bytes);
        loop {
            let before = (self.state, self.pending.len());
            if self.advance()? {
                return Ok(Some(std::mem::take(&mut self.body)));
            }
            if before == (self.state, self.pending.len()) {
                return Ok(None);
            }
        }
    }

    /// The connection has ended.
    pub(super) fn end(&mut self) -> Result<Vec<u8>, Failure> {
        match self.state {
            State::End => Ok(std::mem::take(&mut self.body)),
            _ => Err(Failure::Closed),
        }
    }

    /// One step of the diagram, if enough has come for it; whether the body is complete.
    fn advance(&mut self) -> Result<bool, Failure> {
        match self.state {
            State::Head => self.head()?,
            State::Length(length) => {
                self.append(length.saturating_sub(self.body.len()));
                return Ok(self.body.len() == length);
            }
            State::End => {
                self.fits(self.pending.len())?;
                self.append(self.pending.len());
            }
            State::ChunkLine => match httparse::parse_chunk_size(&self.pending) {
                Ok(Status::Complete((line, length))) => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    self.fits(length)?;
                    self.pending.drain(..line);
                    // Fields after the last chunk have no meaning here, and are not waited for.
                    if length == 0 {
                        return Ok(true);
                    }
                    self.state = State::Chunk(length);
                }
                Ok(Status::Partial) if self.pending.len() <= MAX_CHUNK_LINE => {}
                _ => return Err(Failure::NotHttp),
            },
            State::Chunk(left) => {
                let left = left.saturating_sub(self.append(left));
                self.state = match left {
                    0 => State::ChunkEnd,
                    left => State::Chunk(left),
                };
            }
            State::ChunkEnd => match self.pending.get(..2) {
                Some(b"\r\n") => {
                    self.pending.drain(..2);
                    self.state = State::ChunkLine;
                }
                Some(_) => return Err(Failure::NotHttp),
                None => {}
            },
        }
        Ok(false)
    }

    fn head(&mut self) -> Result<(), Failure> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut head = httparse::Response::new(&mut fields);
        let length = match head.parse(&self.pending) {
            Ok(Status::Complete(length)) if length <= MAX_HEAD => length,
            Ok(Status::Partial) if self.pending.len() <= MAX_HEAD => return Ok(()),
            _ => return Err(Failure::NotHttp),
        };
        let state = match head.code {
            // RFC 9110 §15.2: interim responses precede the final one.
            Some(100..=199) => State::Head,
            // MS-KKDCP §3.2.5.2: anything but 200 is a failure.
            Some(200) => body(head.headers)?,
            Some(status) => return Err(Failure::Proxy(status)),
            None => return Err(Failure::NotHttp),
        };
        if let State::Length(length) = state {
            self.fits(length)?;
        }
        self.pending.drain(..length);
        self.state = state;
        Ok(())
    }

    /// Moves up to so many bytes to the body; says how many.
    fn append(&mut self, most: usize) -> usize {
        let most = most.min(self.pending.len());
        self.body.extend(self.pending.drain(..most));
        most
    }

    fn fits(&self, more: usize) -> Result<(), Failure> {
        let length = self.body.len().saturating_add(more);
        if length > self.limit {
            return Err(Failure::TooLarge {
                length,
                limit: self.limit,
            });
        }
        Ok(())
    }
}

/// How long the body is, RFC 9112 §6.3. A response that says it in two ways is refused: whoever is
/// between here and the proxy may have understood the other one.
fn body(fields: &[httparse::Header<'_>]) -> Result<State, Failure> {
    let mut state = None;
    for field in fields {
        let said = if field.name.eq_ignore_ascii_case("content-length") {
            let digits = field.value.trim_ascii();
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return Err(Failure::NotHttp);
            }
            let length = std::str::from_utf8(digits).ok();
            let length = length.and_then(|digits| digits.parse().ok());
            // More digits than a number holds are more bytes than anyone takes.
            State::Length(length.unwrap_or(usize::MAX))
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            if !field.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(Failure::NotHttp);
            }
            State::ChunkLine
        } else {
            continue;
        };
        if state.is_some_and(|before| before != said) {
            return Err(Failure::NotHttp);
        }
        state = Some(said);
    }
    Ok(state.unwrap_or(State::End))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a response that arrives in pieces of so many bytes and then ends.
    fn taken(bytes: &[u8], step: usize, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut response = Response::new(limit);
        for piece in bytes.chunks(step) {
            if let Some(body) = response.take(piece)? {
                return Ok(body);
            }
        }
        response.end()
    }

    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n\
        3\r\nabc\r\n2;name=value\r\nde\r\n0\r\n\r\n";

    #[test]
    fn body_is_found_however_it_is_delimited_and_cut() {
        for bytes in [
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcdeand more".as_slice(),
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nContent-Length: 5\r\n\r\nabcde",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 \r\nContent-Length:5\r\n\r\nabcde",
            b"HTTP/1.0 200 OK\r\n\r\nabcde",
            CHUNKED,
        ] {
            for step in 1..bytes.len() {
                assert_eq!(taken(bytes, step, 5).unwrap(), b"abcde", "step {step}");
            }
        }
    }

    #[test]
    fn body_that_ends_early_is_closed() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde";
        for cut in 0..whole.len() {
            assert_eq!(taken(&whole[..cut], 7, 5), Err(Failure::Closed));
        }
        // The chunk of length zero ends it, not what follows.
        for cut in 0..CHUNKED.len() - 4 {
            assert_eq!(taken(&CHUNKED[..cut], 7, 5), Err(Failure::Closed));
        }
    }

    #[test]
    fn body_beyond_the_limit_is_refused_before_it_comes() {
        let large = Err(Failure::TooLarge {
            length: 5,
            limit: 4,
        });
        let cases: [&[u8]; 3] = [
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\n",
            b"HTTP/1.1 200 OK\r\n\r\nabcde",
        ];
        for bytes in cases {
            assert_eq!(taken(bytes, 1000, 4), large);
        }
        for length in ["18446744073709551615", "99999999999999999999999"] {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            assert!(matches!(
                taken(head.as_bytes(), 1000, 4),
                Err(Failure::TooLarge { limit: 4, .. })
            ));
        }
        let endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n";
        assert!(matches!(
            taken(endless, 1000, 4),
            Err(Failure::TooLarge { .. })
        ));
    }

    #[test]
    fn what_is_not_one_response_is_refused() {
        let mut long = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        long.resize(MAX_HEAD + 1, b'x');
        let many = format!(
            "HTTP/1.1 200 OK\r\n{}\r\n",
            "X: y\r\n".repeat(MAX_FIELDS + 1)
        );
        let chunked = |rest: &str| {
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}").into_bytes()
        };
        for bytes in [
            b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
            long,
            many.into_bytes(),
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n".to_vec(),
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nabcde".to_vec(),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".to_vec(),
            chunked("xyz\r\n"),
            chunked("3\r\nabcde\r\n"),
            chunked(&"0".repeat(MAX_CHUNK_LINE + 1)),
        ] {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned();
            assert_eq!(taken(&bytes, 1000, 100), Err(Failure::NotHttp), "{text}");
        }
    }

    #[test]
    fn any_status_but_200_is_reported() {
        for status in [204, 301, 403, 404, 500, 503] {
            let head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n");
            assert_eq!(
                taken(head.as_bytes(), 1000, 100),
                Err(Failure::Proxy(status))
            );
        }
    }
}
