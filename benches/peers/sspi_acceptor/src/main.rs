//! The smallest service that authenticates its clients by the crate `sspi`: its size is in `docs/BENCHMARKS.md`.
//!
//! ```text
//! sspi_acceptor KEY ADDRESS:PORT
//! ```
//!
//! KEY is a file with the 32 octets of the service's key, as the crate reads no keytab. Tokens have their length
//! before them, in four octets, the first the most significant.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use sspi::kerberos::ServerProperties;
use sspi::{
    BufferType, CredentialsBuffers, DataRepresentation, Kerberos, KerberosConfig, Secret,
    SecurityBuffer, SecurityStatus, ServerRequestFlags, Sspi, SspiImpl,
};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// No token is longer.
const MOST: usize = 1 << 16;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(key), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: sspi_acceptor KEY ADDRESS:PORT".into());
    };
    let config = KerberosConfig::new_with_kdc_url("tcp://127.0.0.1:88", "ACCEPTOR".into());
    let key = Secret::new(std::fs::read(key)?);
    let service = ["HTTP", "web.example.com"];
    let skew = Duration::from_secs(300);
    let properties = ServerProperties::new(&service, None, skew, Some(key))?;
    for socket in TcpListener::bind(address)?.incoming() {
        let server = Kerberos::new_server_from_config(config.clone(), properties.clone())?;
        match accept(server, socket?) {
            Ok(name) => println!("{name}"),
            Err(problem) => eprintln!("{problem}"),
        }
    }
    Ok(())
}

/// Who is at the other end.
fn accept(mut server: Kerberos, mut socket: TcpStream) -> Result<String> {
    let mut handle: Option<CredentialsBuffers> = None;
    loop {
        let mut length = [0; 4];
        socket.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length))?;
        if length > MOST {
            return Err("a token is too long".into());
        }
        let mut token = vec![0; length];
        socket.read_exact(&mut token)?;
        let mut input = [SecurityBuffer::new(token, BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let builder = server
            .accept_security_context()
            .with_credentials_handle(&mut handle)
            .with_context_requirements(ServerRequestFlags::ALLOCATE_MEMORY)
            .with_target_data_representation(DataRepresentation::Native)
            .with_input(&mut input)
            .with_output(&mut output);
        let status = server
            .accept_security_context_impl(builder)?
            .resolve_to_result()?
            .status;
        let reply = &output[0].buffer;
        socket.write_all(&u32::try_from(reply.len())?.to_be_bytes())?;
        socket.write_all(reply)?;
        match status {
            SecurityStatus::ContinueNeeded => {}
            SecurityStatus::Ok => {
                return Ok(server.query_context_names()?.username.inner().to_owned());
            }
            status => return Err(format!("{status:?}").into()),
        }
    }
}
