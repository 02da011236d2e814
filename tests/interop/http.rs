//! Negotiation over HTTP (RFC 4559; the scheme NTLM is the same with raw tokens): a server for any acceptor,
//! and a client for any initiator.
//!
//! Authentication is of the connection: all tokens of a context are of one.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::base64::{decode, encode};
use crate::process::{PATIENCE, Running};
use crate::recording::Recording;
use crate::side::Handshake;

/// What a server answered, and in its own words why not.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) why: String,
}

/// A curl that says nothing of its own, and prints the status below the body.
pub(crate) fn curl(mut command: Command) -> Command {
    command.args(["-q", "-sS", "--noproxy", "*", "--max-time", "15"]);
    command.args(["--write-out", "\n%{http_code}"]);
    command
}

/// The status and the body that it got.
pub(crate) fn run_curl(command: &mut Command) -> Result<(u16, String)> {
    curl_result(Running::start(command)?.finish()?)
}

/// An acceptor behind HTTP, which answers with the name of who asks.
pub(crate) struct Server<'a, A: ?Sized> {
    pub(crate) scheme: &'static str,
    pub(crate) recording: &'a Recording,
    pub(crate) acceptor: &'a mut A,
    /// Readies it for a connection.
    pub(crate) start: &'a dyn Fn(&mut A) -> Result<()>,
    pub(crate) user: &'a dyn Fn(&mut A) -> Result<String>,
}

impl<A: Handshake + ?Sized> Server<'_, A> {
    /// Serves curl, which is told the port, until it ends.
    pub(crate) fn answer(&mut self, curl: impl FnOnce(u16) -> Result<Command>) -> Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("bind: {e}"))?;
        let address = listener.local_addr().map_err(|e| format!("bind: {e}"))?;
        let mut curl = Running::start(&mut curl(address.port())?)?;
        let mut why = String::new();
        listener.set_nonblocking(true).map_err(|e| e.to_string())?;
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).map_err(|e| e.to_string())?;
                    (self.start)(self.acceptor)?;
                    self.serve(stream, &mut why)?;
                }
                Err(e) if e.kind() != ErrorKind::WouldBlock => return Err(e.to_string()),
                Err(_) if curl.has_ended()? => break,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        let (status, body) = curl_result(curl.finish()?)?;
        Ok(Answer { status, body, why })
    }

    /// Answers the requests of one connection, the first time that one has a right response with the user's name.
    fn serve(&mut self, stream: TcpStream, why: &mut String) -> Result<()> {
        let scheme = self.scheme;
        let mut stream = connection(stream)?;
        while let Some(request) = Message::read(&mut stream, false)? {
            let token = request.token("authorization", scheme);
            if let Some(token) = &token {
                self.recording.keep("step", token)?;
            }
            let stepped = token.map(|token| self.acceptor.step(Some(&token)));
            let (status, answer, body) = match stepped {
                None => ("401 Unauthorized", String::new(), String::new()),
                Some(Ok(stepped)) => {
                    let token = stepped.token.as_deref().map(encode).unwrap_or_default();
                    match stepped.complete {
                        true => ("200 OK", token, (self.user)(self.acceptor)?),
                        false => ("401 Unauthorized", token, String::new()),
                    }
                }
                Some(Err(refusal)) => {
                    // Clients that try once more make it no better.
                    if why.is_empty() {
                        *why = refusal.reason;
                    }
                    ("401 Unauthorized", String::new(), String::new())
                }
            };
            let authenticate = match (status, answer.as_str()) {
                ("200 OK", "") => String::new(),
                _ => {
                    format!("WWW-Authenticate: {scheme} {answer}")
                        .trim_end()
                        .to_owned()
                        + "\r\n"
                }
            };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\n{authenticate}Content-Length: {length}\r\n\r\n");
            let stream = stream.get_mut();
            let written = stream.write_all((head + &body).as_bytes());
            written.map_err(|e| format!("curl hung up: {e}"))?;
        }
        Ok(())
    }
}

fn curl_result((succeeded, output): (bool, String)) -> Result<(u16, String)> {
    let (body, status) = output.rsplit_once('\n').unwrap_or_default();
    match status.trim().parse() {
        Ok(status) if succeeded => Ok((status, body.to_owned())),
        _ => Err(format!("curl: {output}")),
    }
}

/// The status and the body for an initiator. What the server says last must suit the initiator too.
pub(crate) fn get<I: Handshake + ?Sized>(
    address: &str,
    path: &str,
    scheme: &str,
    initiator: &mut I,
) -> Result<(u16, String)> {
    let problem = |e: std::io::Error| format!("{address}: {e}");
    let mut stream = connection(TcpStream::connect(address).map_err(problem)?)?;
    let mut stepped = initiator.step(None)?;
    loop {
        let token = stepped.token.take().ok_or("the initiator has no token")?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {scheme} {}\r\n\r\n",
            encode(&token)
        );
        stream
            .get_mut()
            .write_all(request.as_bytes())
            .map_err(problem)?;
        let answer = Message::read(&mut stream, true)?.ok_or("the server hung up")?;
        let status: u16 = answer
            .first
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        let token = answer
            .token("www-authenticate", scheme)
            .filter(|t| !t.is_empty());
        if status == 401 && !stepped.complete && token.is_some() {
            // SPNEGO has a token for a refusal too, which the initiator is to understand.
            match initiator.step(token.as_deref()) {
                Ok(next) => stepped = next,
                Err(heard) => return Ok((status, format!("heard as: {}", heard.reason))),
            }
            continue;
        }
        if status == 200 && !stepped.complete {
            stepped = initiator.step(token.as_deref())?;
            if !stepped.complete {
                return Err("the server lets in whose context is not complete".into());
            }
        }
        return Ok((status, answer.body));
    }
}

fn connection(stream: TcpStream) -> Result<BufReader<TcpStream>> {
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(|e| e.to_string())?;
    Ok(BufReader::new(stream))
}

fn part(stream: &mut BufReader<TcpStream>, length: usize) -> Result<String> {
    let mut bytes = vec![0; length];
    let read = stream.read_exact(&mut bytes);
    read.map_err(|e| format!("HTTP: {e}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A request or a response.
struct Message {
    first: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Message {
    /// `None` where the other end has hung up.
    fn read(stream: &mut BufReader<TcpStream>, has_body: bool) -> Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match stream.read_line(&mut line) {
                Ok(0) => return Ok(None),
                Ok(_) if line.trim_end().is_empty() => break,
                Ok(_) => lines.push(line.trim_end().to_owned()),
                Err(e) => return Err(format!("HTTP: {e}")),
            }
        }
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_lowercase(), value.trim().to_owned()))
        });
        let mut message = Self {
            first,
            headers: headers.collect(),
            body: String::new(),
        };
        let length = message.header("content-length");
        let length = length.and_then(|text| text.parse().ok());
        match (has_body, length) {
            (true, Some(length)) => message.body = part(stream, length)?,
            (true, None) if message.header("transfer-encoding") == Some("chunked") => loop {
                let mut line = String::new();
                stream
                    .read_line(&mut line)
                    .map_err(|e| format!("HTTP: {e}"))?;
                let length = usize::from_str_radix(line.trim_end(), 16);
                let length = length.map_err(|e| format!("HTTP: a chunk of {line:?}: {e}"))?;
                let chunk = part(stream, length + 2)?;
                message.body.push_str(chunk.trim_end_matches("\r\n"));
                if length == 0 {
                    break;
                }
            },
            _ => {}
        }
        Ok(Some(message))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The token behind the scheme in one of the headers of that name.
    fn token(&self, name: &str, scheme: &str) -> Option<Vec<u8>> {
        let values = self.headers.iter().filter(|(known, _)| known == name);
        let mut tokens = values.filter_map(|(_, value)| {
            let rest = value.strip_prefix(scheme)?;
            (rest.is_empty() || rest.starts_with(' ')).then(|| decode(rest.trim()))?
        });
        tokens.next()
    }
}
