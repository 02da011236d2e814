//! One context of the package NTLM or of Negotiate, whose only mechanism is NTLM, or Kerberos where the request
//! names a KDC.

use std::io::{Read, Write};
use std::net::TcpStream;

use sspi::generator::NetworkRequest;
use sspi::network_client::NetworkClient;
use sspi::ntlm::NtlmConfig;
use sspi::{
    AuthIdentity, AuthIdentityBuffers, BufferType, ClientRequestFlags, CredentialUse, Credentials,
    CredentialsBuffers, DataRepresentation, EncryptionFlags, KerberosConfig, Negotiate,
    NegotiateConfig, Ntlm, SecurityBuffer, SecurityBufferFlags, SecurityBufferRef, SecurityStatus,
    ServerRequestFlags, Sspi, SspiEx, SspiImpl, Username,
};

use crate::Answer;
use crate::frames::{Request, unhex};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SIGNATURE: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Initiator,
    Acceptor,
}

/// What a step needs beside the package.
struct Setup {
    role: Role,
    target: String,
    flags: ClientRequestFlags,
    /// `SEC_CHANNEL_BINDINGS`, empty without them.
    bindings: Vec<u8>,
    users: Vec<AuthIdentity>,
    /// `HOST:PORT`: Kerberos, and no NTLM.
    kdc: Option<String>,
}

enum Package {
    Ntlm(Box<Ntlm>, Option<AuthIdentityBuffers>),
    Negotiate(Box<Negotiate>, Option<CredentialsBuffers>),
}

/// The one context of this process.
pub struct Context {
    setup: Setup,
    package: Package,
    sent: u32,
    received: u32,
}

impl Context {
    pub fn start(role: Role, request: &Request) -> Result<Self> {
        let users = match role {
            Role::Initiator => vec![identity(request)?],
            Role::Acceptor => listed(request.value("users").ok_or("no users")?)?,
        };
        let setup = Setup {
            role,
            target: request
                .value("target")
                .unwrap_or_default()
                .replacen('@', "/", 1),
            flags: flags(request.value("flags").unwrap_or_default())?,
            bindings: match request.value("bindings") {
                Some(hex) => channel_bindings(&unhex(hex)?)?,
                None => Vec::new(),
            },
            users,
            kdc: request.value("kdc").map(str::to_owned),
        };
        let package = match request.value("mech") {
            Some("spnego") => negotiate(&setup)?,
            _ => ntlm(&setup)?,
        };
        Ok(Self {
            setup,
            package,
            sent: 0,
            received: 0,
        })
    }

    pub fn step(&mut self, token: &[u8]) -> Answer {
        let (status, token) = match &mut self.package {
            Package::Ntlm(ntlm, handle) => {
                let (status, token) = step(ntlm.as_mut(), handle, &self.setup, token)?;
                if status == SecurityStatus::CompleteNeeded {
                    // Whom the response names; the crate leaves it to us to find that user.
                    let named = ntlm.query_context_names()?.username;
                    let known = self
                        .setup
                        .users
                        .iter()
                        .filter(|user| user.username.eq_ignore_ascii_case(&named));
                    let known: Vec<AuthIdentity> = known.cloned().collect();
                    if known.is_empty() {
                        return Err("unknown user".into());
                    }
                    ntlm.custom_set_auth_identities(known)?;
                    ntlm.complete_auth_token(&mut [])?;
                }
                (status, token)
            }
            Package::Negotiate(negotiate, handle) => {
                step(negotiate.as_mut(), handle, &self.setup, token)?
            }
        };
        let state = match status {
            SecurityStatus::ContinueNeeded => "continue",
            _ => "complete",
        };
        let has_token = u8::from(!token.is_empty());
        Ok((format!("state={state} token={has_token}"), token))
    }

    fn sspi(&mut self) -> &mut dyn Messages {
        match &mut self.package {
            Package::Ntlm(ntlm, _) => ntlm.as_mut(),
            Package::Negotiate(negotiate, _) => negotiate.as_mut(),
        }
    }

    pub fn inquire(&mut self) -> Answer {
        let name = self.sspi().name()?;
        match self.setup.kdc {
            // How a name of Kerberos is written, it leaves to us.
            Some(_) => Ok(("source=- flags= mech=kerberos".to_owned(), Vec::new())),
            None => Ok((
                format!("source={} flags= mech=ntlm", name.inner()),
                Vec::new(),
            )),
        }
    }

    pub fn session_key(&mut self) -> Result<Vec<u8>> {
        self.sspi().key()
    }

    /// `EncryptMessage`: the signature before the message, as peers expect it.
    pub fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>> {
        self.sent += 1;
        let mut signature = vec![0; self.trailer()?];
        let mut data = message.to_vec();
        self.sspi().encrypt(&mut [
            SecurityBufferRef::token_buf(&mut signature),
            SecurityBufferRef::data_buf(&mut data).with_flags(protection(seal)),
        ])?;
        Ok([signature, data].concat())
    }

    /// How long the token before the message is.
    fn trailer(&mut self) -> Result<usize> {
        match self.setup.kdc {
            Some(_) => self.sspi().trailer(),
            None => Ok(SIGNATURE),
        }
    }

    pub fn unwrap(&mut self, sealed: bool, token: &[u8]) -> Result<Vec<u8>> {
        self.received += 1;
        if self.setup.kdc.is_some() {
            // A token of others has its parts in another order than EncryptMessage's.
            let (mut stream, mut data) = (token.to_vec(), Vec::new());
            let mut buffers = [
                SecurityBufferRef::stream_buf(&mut stream),
                SecurityBufferRef::data_buf(&mut data),
            ];
            self.sspi().decrypt(&mut buffers)?;
            return Ok(buffers[1].data().to_vec());
        }
        let mut signature = token.to_vec();
        let mut data = signature.split_off(SIGNATURE.min(token.len()));
        self.sspi().decrypt(&mut [
            SecurityBufferRef::token_buf(&mut signature),
            SecurityBufferRef::data_buf(&mut data).with_flags(protection(sealed)),
        ])?;
        Ok(data)
    }

    /// `MakeSignature` takes the number of the message from its caller, `EncryptMessage` counts by itself; for
    /// peers both are one sequence, and a message that is only signed counts on both sides.
    pub fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        Ok(self.wrap(false, message)?[..SIGNATURE].to_vec())
    }

    pub fn verify(&mut self, message: &[u8], mic: Vec<u8>) -> Result<()> {
        self.unwrap(false, &[mic.as_slice(), message].concat())?;
        Ok(())
    }
}

/// One call of `InitializeSecurityContext` or `AcceptSecurityContext`.
fn step<P: Sspi + SspiImpl>(
    package: &mut P,
    handle: &mut P::CredentialsHandle,
    setup: &Setup,
    token: &[u8],
) -> Result<(SecurityStatus, Vec<u8>)> {
    let mut input = vec![SecurityBuffer::new(token.to_vec(), BufferType::Token)];
    if !setup.bindings.is_empty() {
        input.push(SecurityBuffer::new(
            setup.bindings.clone(),
            BufferType::ChannelBindings,
        ));
    }
    let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
    let status = match setup.role {
        Role::Initiator => {
            let mut builder = package
                .initialize_security_context()
                .with_credentials_handle(handle)
                .with_context_requirements(setup.flags)
                .with_target_data_representation(DataRepresentation::Native)
                .with_target_name(&setup.target)
                .with_input(&mut input)
                .with_output(&mut output);
            package
                .initialize_security_context_impl(&mut builder)?
                .resolve_with_client(&Tcp)?
                .status
        }
        Role::Acceptor => {
            let builder = package
                .accept_security_context()
                .with_credentials_handle(handle)
                .with_context_requirements(ServerRequestFlags::ALLOCATE_MEMORY)
                .with_target_data_representation(DataRepresentation::Native)
                .with_input(&mut input)
                .with_output(&mut output);
            package
                .accept_security_context_impl(builder)?
                .resolve_to_result()?
                .status
        }
    };
    Ok((status, std::mem::take(&mut output[0].buffer)))
}

fn ntlm(setup: &Setup) -> Result<Package> {
    let mut ntlm = Ntlm::with_config(NtlmConfig::default());
    let (usage, user) = match setup.role {
        Role::Initiator => (CredentialUse::Outbound, setup.users.first()),
        Role::Acceptor => (CredentialUse::Inbound, None),
    };
    let mut builder = ntlm.acquire_credentials_handle().with_credential_use(usage);
    if let Some(user) = user {
        builder = builder.with_auth_data(user);
    }
    let handle = builder.execute(&mut ntlm)?.credentials_handle;
    Ok(Package::Ntlm(Box::new(ntlm), handle))
}

/// The crate's own client needs more of it than is built here.
struct Tcp;

impl NetworkClient for Tcp {
    /// Request and reply with their lengths before them (RFC 4120 §7.2.2).
    fn send(&self, request: &NetworkRequest) -> sspi::Result<Vec<u8>> {
        let host = request.url.host_str().unwrap_or_default();
        let exchange = || {
            let mut stream = TcpStream::connect((host, request.url.port().unwrap_or(88)))?;
            stream.write_all(&request.data)?;
            let mut reply = vec![0; 4];
            stream.read_exact(&mut reply)?;
            let length = u32::from_be_bytes([reply[0], reply[1], reply[2], reply[3]]);
            reply.resize(4 + length as usize, 0);
            stream.read_exact(&mut reply[4..])?;
            Ok(reply)
        };
        exchange().map_err(|e: std::io::Error| {
            sspi::Error::new(sspi::ErrorKind::NoAuthenticatingAuthority, e.to_string())
        })
    }
}

fn negotiate(setup: &Setup) -> Result<Package> {
    let computer = "PEER".to_owned();
    let config = match &setup.kdc {
        Some(kdc) => NegotiateConfig::new(
            Box::new(KerberosConfig::new_with_kdc_url(
                &format!("tcp://{kdc}"),
                computer.clone(),
            )),
            Some("kerberos,!ntlm,!pku2u".to_owned()),
            computer,
        ),
        None => NegotiateConfig::new(
            Box::new(NtlmConfig::default()),
            Some("ntlm".to_owned()),
            computer,
        ),
    };
    let credentials = setup.users.first().cloned().map(Credentials::from);
    let mut negotiate = match setup.role {
        Role::Initiator => Negotiate::new_client(config)?,
        Role::Acceptor => Negotiate::new_server(config, setup.users.clone())?,
    };
    let (usage, user) = match setup.role {
        Role::Initiator => (CredentialUse::Outbound, credentials.as_ref()),
        Role::Acceptor => (CredentialUse::Inbound, None),
    };
    let mut builder = negotiate
        .acquire_credentials_handle()
        .with_credential_use(usage);
    if let Some(user) = user {
        builder = builder.with_auth_data(user);
    }
    let handle = builder.execute(&mut negotiate)?.credentials_handle;
    Ok(Package::Negotiate(Box::new(negotiate), handle))
}

/// What both packages do once they are established.
trait Messages {
    fn name(&mut self) -> Result<Username>;
    fn key(&mut self) -> Result<Vec<u8>>;
    fn trailer(&mut self) -> Result<usize>;
    fn encrypt(&mut self, message: &mut [SecurityBufferRef<'_>]) -> Result<()>;
    fn decrypt(&mut self, message: &mut [SecurityBufferRef<'_>]) -> Result<()>;
}

impl<P: Sspi> Messages for P {
    fn name(&mut self) -> Result<Username> {
        Ok(self.query_context_names()?.username)
    }

    fn key(&mut self) -> Result<Vec<u8>> {
        Ok(self
            .query_context_session_key()?
            .session_key
            .as_ref()
            .to_vec())
    }

    fn trailer(&mut self) -> Result<usize> {
        Ok(self.query_context_sizes()?.security_trailer as usize)
    }

    fn encrypt(&mut self, message: &mut [SecurityBufferRef<'_>]) -> Result<()> {
        self.encrypt_message(EncryptionFlags::empty(), message)?;
        Ok(())
    }

    fn decrypt(&mut self, message: &mut [SecurityBufferRef<'_>]) -> Result<()> {
        self.decrypt_message(message)?;
        Ok(())
    }
}

/// Data that is signed but not sealed is read-only to the package.
fn protection(seal: bool) -> SecurityBufferFlags {
    match seal {
        true => SecurityBufferFlags::NONE,
        false => SecurityBufferFlags::SECBUFFER_READONLY_WITH_CHECKSUM,
    }
}

fn flags(text: &str) -> Result<ClientRequestFlags> {
    let mut flags = ClientRequestFlags::ALLOCATE_MEMORY;
    for name in text.split(',').filter(|name| !name.is_empty()) {
        flags |= match name {
            "conf" => ClientRequestFlags::CONFIDENTIALITY,
            "integ" => ClientRequestFlags::INTEGRITY,
            "mutual" => ClientRequestFlags::MUTUAL_AUTH,
            "replay" => ClientRequestFlags::REPLAY_DETECT,
            "sequence" => ClientRequestFlags::SEQUENCE_DETECT,
            other => return Err(format!("no such flag: {other}").into()),
        };
    }
    Ok(flags)
}

fn identity(request: &Request) -> Result<AuthIdentity> {
    let (domain, name) = match request.value("user").ok_or("no user")?.split_once('\\') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, request.value("user").unwrap_or_default()),
    };
    let password = String::from_utf8(unhex(request.value("password").unwrap_or_default())?)?;
    Ok(AuthIdentity {
        username: Username::new(name, domain)?,
        password: password.into(),
    })
}

/// The users of a file whose lines are `DOMAIN:NAME:PASSWORD`.
fn listed(path: &str) -> Result<Vec<AuthIdentity>> {
    let mut users = Vec::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let mut fields = line.splitn(3, ':');
        if let (Some(domain), Some(name), Some(password)) =
            (fields.next(), fields.next(), fields.next())
        {
            users.push(AuthIdentity {
                username: Username::new(name, Some(domain))?,
                password: password.to_owned().into(),
            });
        }
    }
    Ok(users)
}

/// `SEC_CHANNEL_BINDINGS` of application data alone: eight little-endian words, then the data.
fn channel_bindings(data: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(data.len())?;
    let words = [0, 0, 0, 0, 0, 0, length, 32].map(u32::to_le_bytes);
    Ok([words.concat().as_slice(), data].concat())
}
