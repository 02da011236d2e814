//! The crate `sspi`, measured operation by operation.
//!
//! ```text
//! sspi_bench kerberos ENCTYPE | ntlm
//! ```
//!
//! Each line of standard input is an operation and how often to do it; the answer is a line
//! `NANOSECONDS ALLOCATIONS BYTES PEAK`, totals of all that was measured, or `error WHAT`, or `cannot`. The last
//! three are zero unless `count` is in front of the line.
//!
//! ```text
//! accept TIMES            tokens in, tokens and an established context out, which is dropped
//! initiate TIMES          NTLM: the initiator's calls alone
//! handshake TIMES         NTLM: both sides of `sspi`
//! wrap SEAL SIZE TIMES    EncryptMessage of the acceptor; SEAL is 0 or 1
//! unwrap SEAL SIZE TIMES  DecryptMessage of what Countersign's initiator wrapped
//! mic SIZE TIMES          MakeSignature of the acceptor
//! verify SIZE TIMES       VerifySignature of what Countersign's initiator signed
//! ```
//!
//! Only calls of `sspi` and the dropping of what they return are measured; tokens, buffers and credentials
//! are prepared before. Every operation is done once before, unmeasured, and its result checked.

mod kerberos;
mod messages;
mod meter;
mod ntlm;

use std::io::{BufRead, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_context::{Environment, Mechanism, Policy, SecurityContext, Step, Timestamp};
use countersign_crypto::{Enctype, Random, RandomError};
use meter::{Counted, Meter};
use sspi::{
    BufferType, DataRepresentation, SecurityBuffer, SecurityStatus, ServerRequestFlags, Sspi,
    SspiImpl,
};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// What an operation came to; `None` where `sspi` does not have it.
type Answer = Result<Option<Meter>>;

/// What a measured loop says.
type Done = Result<()>;

#[derive(Clone, Copy)]
enum Package {
    Kerberos(Enctype),
    Ntlm,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let package = match words.as_slice() {
        ["kerberos", "aes256-sha1"] => Package::Kerberos(Enctype::Aes256CtsHmacSha1_96),
        ["kerberos", "aes128-sha1"] => Package::Kerberos(Enctype::Aes128CtsHmacSha1_96),
        ["kerberos", "aes256-sha2"] => Package::Kerberos(Enctype::Aes256CtsHmacSha384_192),
        ["kerberos", "aes128-sha2"] => Package::Kerberos(Enctype::Aes128CtsHmacSha256_128),
        ["ntlm"] => Package::Ntlm,
        _ => return Err("sspi_bench kerberos ENCTYPE, or sspi_bench ntlm".into()),
    };
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let counted = line.strip_prefix("count ");
        meter::count(counted.is_some());
        match answer(package, counted.unwrap_or(&line)) {
            Ok(Some(Meter { elapsed, counted })) => {
                let nanoseconds = elapsed.as_nanos();
                let Counted {
                    allocations,
                    bytes,
                    peak,
                    ..
                } = counted;
                writeln!(output, "{nanoseconds} {allocations} {bytes} {peak}")?;
            }
            Ok(None) => writeln!(output, "cannot")?,
            Err(problem) => {
                writeln!(output, "error {}", problem.to_string().replace('\n', " "))?;
            }
        }
        output.flush()?;
    }
    Ok(())
}

fn answer(package: Package, line: &str) -> Answer {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((times, operation)) = words.split_last() else {
        return Err("no operation".into());
    };
    let times = times.parse()?;
    match (package, operation) {
        (Package::Kerberos(enctype), operation) => kerberos::answer(enctype, operation, times),
        (Package::Ntlm, operation) => ntlm::answer(operation, times),
    }
}

/// `0` or `1`.
fn seal(word: &str) -> Result<bool> {
    match word {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("SEAL is 0 or 1".into()),
    }
}

/// One call of `AcceptSecurityContext`: its status and token.
fn accept<P: Sspi + SspiImpl>(
    server: &mut P,
    handle: &mut P::CredentialsHandle,
    input: &mut [SecurityBuffer],
) -> Result<(SecurityStatus, Vec<u8>)> {
    let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
    let builder = server
        .accept_security_context()
        .with_credentials_handle(handle)
        .with_context_requirements(ServerRequestFlags::ALLOCATE_MEMORY)
        .with_target_data_representation(DataRepresentation::Native)
        .with_input(input)
        .with_output(&mut output);
    let status = server
        .accept_security_context_impl(builder)?
        .resolve_to_result()?
        .status;
    let [output] = output;
    Ok((status, output.buffer))
}

/// A token as `sspi` takes it.
fn token(bytes: Vec<u8>) -> [SecurityBuffer; 1] {
    [SecurityBuffer::new(bytes, BufferType::Token)]
}

/// The system's clock, which `sspi` asks, with microseconds that make each request another.
fn now(microseconds: u32) -> Result<Timestamp> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(Timestamp::new(
        i64::try_from(seconds)?,
        microseconds % 1_000_000,
    ))
}

/// A step of Countersign.
fn step(side: &mut dyn Mechanism, token: Option<&[u8]>, now: Timestamp) -> Result<Step> {
    let mut random = SystemRandom;
    let mut env = Environment::new(now, &mut random).with_policy(&Policy::DEFAULT);
    Ok(side.step(token, &mut env)?)
}

/// The token of a step that goes on.
fn continued(step: Step) -> Result<Vec<u8>> {
    match step {
        Step::Continue { token } => Ok(token),
        other => Err(format!("no token: {other:?}").into()),
    }
}

/// The last token, if there is one, and the context.
fn established(step: Step) -> Result<(Option<Vec<u8>>, SecurityContext)> {
    match step {
        Step::Established { token, context } => Ok((token, *context)),
        other => Err(format!("no context: {other:?}").into()),
    }
}

/// The operating system's randomness.
struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}
