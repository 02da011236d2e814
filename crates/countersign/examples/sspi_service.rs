//! A sockets service that authenticates its clients by the functions of SSPI.
//!
//! Microsoft's example of a Windows Sockets service ("How a Windows Sockets Service Authenticates a
//! Client"), function by function: `DoAuthentication` receives and sends, `GenServerContext` hands
//! the token to the package. The package is an argument, and nothing else changes with it.
//!
//! ```text
//! cargo run --example sspi_service --features ntlm -- Negotiate 127.0.0.1:4446 service.keytab users
//! ```
//!
//! The last argument, a file of `DOMAIN:user:password` lines, is for NTLM.
#![allow(dead_code, reason = "a test includes this file as a module")]

mod framing;

use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use countersign::Provider;
use countersign::credential::Keytab;
use countersign::sspi::*;
use framing::MAX_MESSAGE;
// `ReceiveMsg` and `SendMsg` of Microsoft's example.
pub(crate) use framing::{receive as receive_msg, send as send_msg};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sspi_service: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [package, address, keytab, users @ ..] = arguments.as_slice() else {
        return Err("usage: sspi_service PACKAGE ADDRESS KEYTAB [USERS]".into());
    };
    let provider = Provider::new().with_keytab(&Keytab::parse(&std::fs::read(keytab)?)?);
    let provider = match users.first() {
        Some(users) => with_users(provider, &std::fs::read(users)?)?,
        None => provider,
    };
    let service = Service::new(&provider, package)?;
    for (key, stream) in (0..).zip(TcpListener::bind(address)?.incoming()) {
        match stream
            .map_err(Into::into)
            .and_then(|stream| service.serve(key, stream))
        {
            Ok(client) => println!("{client} has gone"),
            Err(error) => eprintln!("connection {key}: {error}"),
        }
    }
    Ok(())
}

#[cfg(feature = "ntlm")]
fn with_users(provider: Provider, users: &[u8]) -> Result<Provider> {
    use countersign::credential::ntlm::Users;
    use countersign::ntlm::{AcceptorCredential, ServerNames};

    let names = ServerNames::new("GATE", "EXAMPLE")?;
    let users = Users::parse(users)?;
    Ok(provider.with_ntlm(AcceptorCredential::new(names).with_users(users)))
}

#[cfg(not(feature = "ntlm"))]
fn with_users(_: Provider, _: &[u8]) -> Result<Provider> {
    Err("users are for NTLM, which this build does not have".into())
}

/// What all connections share.
pub(crate) struct Service {
    credential: CredHandle,
    /// `AUTH_SEQ` by connection: the context of an authentication on its way.
    sequences: Mutex<HashMap<u64, CtxtHandle>>,
}

impl Service {
    /// A service of one package.
    pub(crate) fn new(provider: &Provider, package: &str) -> Result<Self> {
        let (credential, _lifetime) =
            acquire_credentials_handle(provider, None, package, SECPKG_CRED_INBOUND, None)?;
        Ok(Self {
            credential,
            sequences: Mutex::default(),
        })
    }

    /// Authenticates a client and answers its messages, until it closes.
    pub(crate) fn serve(&self, key: u64, mut stream: TcpStream) -> Result<String> {
        let authenticated = self.do_authentication(key, &mut stream);
        let context = self.entry(key);
        authenticated?;
        let mut context = context.ok_or("no context")?;
        let client = query_security_context_token(&context)?.to_string();
        while let Some(mut message) = receive_msg(&mut stream)? {
            let mut received = SecBufferDesc::new([
                SecBuffer::new(SECBUFFER_STREAM, &mut message),
                SecBuffer::new(SECBUFFER_DATA, &mut []),
            ]);
            if decrypt_message(&mut context, &mut received, 0)? != 0 {
                return Err("the request is not encrypted".into());
            }
            let request = received.find(SECBUFFER_DATA).map(SecBuffer::bytes);
            let mut answer = format!("{client} says: ").into_bytes();
            answer.extend_from_slice(request.unwrap_or_default());
            let mut sent = SecBufferDesc::new([
                SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
                SecBuffer::owned(SECBUFFER_DATA, answer),
                SecBuffer::owned(SECBUFFER_PADDING, Vec::new()),
            ]);
            encrypt_message(&mut context, 0, &mut sent, 0)?;
            let parts = sent.into_buffers().into_iter();
            send_msg(
                &mut stream,
                &parts.flat_map(SecBuffer::into_bytes).collect::<Vec<_>>(),
            )?;
        }
        delete_security_context(context);
        Ok(client)
    }

    /// `DoAuthentication`: receives the client's tokens and sends the package's, until it is done.
    fn do_authentication(&self, key: u64, stream: &mut (impl Read + Write)) -> Result<()> {
        loop {
            let input = receive_msg(stream)?.ok_or("the client closed")?;
            let (output, done) = self.gen_server_context(key, &input)?;
            // NTLM's server has nothing to say at the end.
            if !output.is_empty() {
                send_msg(stream, &output)?;
            }
            if done {
                return Ok(());
            }
        }
    }

    /// `GenServerContext`: hands a token to the package; returns its answer, and whether the
    /// authentication is complete.
    fn gen_server_context(&self, key: u64, input: &[u8]) -> Result<(Vec<u8>, bool)> {
        // The structure that holds the state of the authentication sequence.
        let mut context = self.entry(key);

        // Prepare the output buffer.
        let mut room = vec![0; MAX_MESSAGE];
        let mut output = SecBufferDesc::new([SecBuffer::new(SECBUFFER_TOKEN, &mut room)]);
        // Prepare the input buffer.
        let input = SecBufferDesc::new([SecBuffer::input(SECBUFFER_TOKEN, input)]);

        let progress = accept_security_context(
            &self.credential,
            &mut context,
            Some(&input),
            ASC_REQ_MUTUAL_AUTH,
            SECURITY_NATIVE_DREP,
            &mut output,
        )?;
        let done = progress.status == SecurityStatus::SEC_E_OK;
        if done && progress.attributes & ASC_RET_MUTUAL_AUTH == 0 {
            println!("Mutual Auth not set in returned context.");
        }

        // Complete the authentication token, if necessary.
        let complete = [
            SecurityStatus::SEC_I_COMPLETE_NEEDED,
            SecurityStatus::SEC_I_COMPLETE_AND_CONTINUE,
        ];
        if let Some(context) = context
            .as_mut()
            .filter(|_| complete.contains(&progress.status))
        {
            complete_auth_token(context, &mut output)?;
        }
        if let Some(context) = context {
            self.sequences().insert(key, context);
        }
        Ok((output.token().to_vec(), done))
    }

    /// `GetEntry`: takes the context of a connection out of the table.
    fn entry(&self, key: u64) -> Option<CtxtHandle> {
        self.sequences().remove(&key)
    }

    fn sequences(&self) -> std::sync::MutexGuard<'_, HashMap<u64, CtxtHandle>> {
        self.sequences
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
