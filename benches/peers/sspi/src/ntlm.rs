//! NTLM: `sspi` as acceptor, as initiator, and as both.
//!
//! Its acceptor (0.23.1) never compares the response to its challenge: a wrong password is noticed only
//! through the MIC, which Countersign always sends. Whom the response names, the crate leaves to its caller
//! to look up; that is in the figures, with a single user.

use std::hint::black_box;
use std::sync::Arc;

use countersign_context::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign_context::{Flags, SecurityContext};
use countersign_credential::Password;
use countersign_credential::ntlm::{AccountName, NtlmCredential, Users};
use sspi::ntlm::NtlmConfig;
use sspi::{
    AuthIdentity, AuthIdentityBuffers, BufferType, ClientRequestFlags, CredentialUse,
    DataRepresentation, Ntlm, SecurityBuffer, SecurityStatus, Sspi, SspiEx, SspiImpl, Username,
};

use crate::messages::{self, Pair};
use crate::meter::Meter;
use crate::{Answer, Done, Result, accept, continued, established, now, seal, step, token};

const DOMAIN: &str = "EXAMPLE";
const USER: &str = "alice";
const PASSWORD: &str = "open sesame";

const SIGN: Flags = Flags::INTEGRITY;
const SEAL: Flags = SIGN.union(Flags::CONFIDENTIALITY);

const REQUIREMENTS: ClientRequestFlags = ClientRequestFlags::ALLOCATE_MEMORY
    .union(ClientRequestFlags::INTEGRITY)
    .union(ClientRequestFlags::CONFIDENTIALITY);

/// Contexts that are established at once.
const BATCH: usize = 32;

pub fn answer(operation: &[&str], times: usize) -> Answer {
    let parties = Parties::new()?;
    match operation {
        ["accept"] => parties.measure_accept(times),
        ["initiate"] => parties.measure_initiate(times),
        ["handshake"] => parties.measure_handshake(times),
        ["wrap", sealed, size] => {
            let sealed = seal(sealed)?;
            messages::wrap(&mut parties.pair(sealed)?, sealed, size.parse()?, times)
        }
        ["unwrap", sealed, size] => {
            let sealed = seal(sealed)?;
            messages::unwrap(&mut parties.pair(sealed)?, sealed, size.parse()?, times)
        }
        ["mic", size] => messages::mic(&mut parties.pair(true)?, size.parse()?, times),
        ["verify", size] => messages::verify(&mut parties.pair(true)?, size.parse()?, times),
        other => Err(format!("no such operation: {other:?}").into()),
    }
    .map(Some)
}

struct Parties {
    ours: Arc<NtlmCredential>,
    our_server: AcceptorCredential,
    theirs: AuthIdentity,
    handle: Option<AuthIdentityBuffers>,
}

impl Parties {
    fn new() -> Result<Self> {
        let name = AccountName::new(DOMAIN, USER)?;
        let mut users = Users::new();
        let ours = NtlmCredential::with_password(name.clone(), &Password::from(PASSWORD));
        users
            .insert(name, ours.hash().duplicate())
            .map_err(|kind| format!("{kind:?}"))?;
        let theirs = AuthIdentity {
            username: Username::new(USER, Some(DOMAIN))?,
            password: PASSWORD.to_owned().into(),
        };
        let mut client = Ntlm::with_config(NtlmConfig::default());
        let handle = client
            .acquire_credentials_handle()
            .with_credential_use(CredentialUse::Outbound)
            .with_auth_data(&theirs)
            .execute(&mut client)?
            .credentials_handle;
        Ok(Self {
            ours: Arc::new(ours),
            our_server: AcceptorCredential::new(ServerNames::new("WWW", DOMAIN)?).with_users(users),
            theirs,
            handle,
        })
    }

    fn initiator(&self, flags: Flags) -> Initiator {
        Initiator::new(Arc::clone(&self.ours)).request(flags)
    }

    /// NEGOTIATE in, CHALLENGE out.
    fn challenge(&self, negotiate: &mut [SecurityBuffer]) -> Result<(Ntlm, Vec<u8>)> {
        let mut server = Ntlm::with_config(NtlmConfig::default());
        match accept(&mut server, &mut None, negotiate)? {
            (SecurityStatus::ContinueNeeded, challenge) => Ok((server, challenge)),
            (status, _) => Err(format!("{status:?}").into()),
        }
    }

    /// AUTHENTICATE in, and the context is established.
    fn complete(&self, server: &mut Ntlm, authenticate: &mut [SecurityBuffer]) -> Result<()> {
        let (status, _) = accept(server, &mut None, authenticate)?;
        if status != SecurityStatus::CompleteNeeded {
            return Err(format!("{status:?}").into());
        }
        if server.query_context_names()?.username != self.theirs.username {
            return Err("another user".into());
        }
        server.custom_set_auth_identity(self.theirs.clone())?;
        match server.complete_auth_token(&mut [])? {
            SecurityStatus::Ok => Ok(()),
            status => Err(format!("{status:?}").into()),
        }
    }

    fn measure_accept(&self, times: usize) -> Result<Meter> {
        self.pair(true)?;
        let mut meter = Meter::default();
        let mut left = times;
        while left > 0 {
            let count = left.min(BATCH);
            left -= count;
            let now = now(0)?;
            let mut initiators: Vec<_> = (0..count).map(|_| self.initiator(SEAL)).collect();
            let mut requests = Vec::with_capacity(count);
            for initiator in &mut initiators {
                requests.push(token(continued(step(initiator, None, now)?)?));
            }
            let mut servers = Vec::with_capacity(count);
            meter.measure(|| {
                for request in &mut requests {
                    servers.push(self.challenge(request)?);
                }
                Done::Ok(())
            })?;
            let mut last = Vec::with_capacity(count);
            for (initiator, (_, challenge)) in initiators.iter_mut().zip(&servers) {
                let (authenticate, _) = established(step(initiator, Some(challenge), now)?)?;
                last.push(token(authenticate.ok_or("no AUTHENTICATE")?));
            }
            meter.measure(|| {
                for ((mut server, _), authenticate) in servers.into_iter().zip(&mut last) {
                    self.complete(&mut server, authenticate)?;
                    black_box(server);
                }
                Done::Ok(())
            })?;
        }
        Ok(meter)
    }

    /// The initiator's calls; Countersign's acceptor verifies what they made.
    fn measure_initiate(&self, times: usize) -> Result<Meter> {
        self.initiate_batch(1)?;
        let mut meter = Meter::default();
        let mut left = times;
        while left > 0 {
            let count = left.min(BATCH);
            left -= count;
            meter.add(&self.initiate_batch(count)?);
        }
        Ok(meter)
    }

    fn initiate_batch(&self, count: usize) -> Result<Meter> {
        let mut handle = self.handle.clone();
        let mut meter = Meter::default();
        let mut clients = Vec::with_capacity(count);
        meter.measure(|| {
            for _ in 0..count {
                let mut client = Ntlm::with_config(NtlmConfig::default());
                let negotiate = initiate(&mut client, &mut handle, &mut [])?;
                clients.push((client, negotiate));
            }
            Done::Ok(())
        })?;
        let now = now(0)?;
        let mut servers = Vec::with_capacity(count);
        for (_, negotiate) in &clients {
            let mut server = Acceptor::new(&self.our_server).require(SEAL);
            let challenge = continued(step(&mut server, Some(negotiate), now)?)?;
            servers.push((server, token(challenge)));
        }
        let mut last = Vec::with_capacity(count);
        meter.measure(|| {
            for ((mut client, _), (_, challenge)) in clients.into_iter().zip(&mut servers) {
                last.push(initiate(&mut client, &mut handle, challenge)?);
                black_box(client);
            }
            Done::Ok(())
        })?;
        for ((server, _), authenticate) in servers.iter_mut().zip(&last) {
            established(step(server, Some(authenticate), now)?)?;
        }
        Ok(meter)
    }

    fn measure_handshake(&self, times: usize) -> Result<Meter> {
        let mut handle = self.handle.clone();
        let (mut client, mut server) = self.handshake(&mut handle)?;
        let (mut trailer, mut data) = (vec![0; 16], b"hello".to_vec());
        messages::encrypt(&mut client, true, &mut trailer, &mut data)?;
        let mut sealed = [trailer, data].concat();
        messages::decrypt(&mut server, true, &mut sealed)?;
        let mut meter = Meter::default();
        meter.measure(|| {
            for _ in 0..times {
                black_box(self.handshake(&mut handle)?);
            }
            Done::Ok(())
        })?;
        Ok(meter)
    }

    fn handshake(&self, handle: &mut Option<AuthIdentityBuffers>) -> Result<(Ntlm, Ntlm)> {
        let mut client = Ntlm::with_config(NtlmConfig::default());
        let negotiate = initiate(&mut client, handle, &mut [])?;
        let (mut server, challenge) = self.challenge(&mut token(negotiate))?;
        let authenticate = initiate(&mut client, handle, &mut token(challenge))?;
        self.complete(&mut server, &mut token(authenticate))?;
        Ok((client, server))
    }

    /// Countersign's initiator and the acceptor of `sspi`, which seal or only sign: a context does one of them.
    fn pair(&self, seal: bool) -> Result<NtlmPair> {
        let mut initiator = self.initiator(if seal { SEAL } else { SIGN });
        let now = now(0)?;
        let negotiate = continued(step(&mut initiator, None, now)?)?;
        let (mut theirs, challenge) = self.challenge(&mut token(negotiate))?;
        let (authenticate, ours) = established(step(&mut initiator, Some(&challenge), now)?)?;
        self.complete(
            &mut theirs,
            &mut token(authenticate.ok_or("no AUTHENTICATE")?),
        )?;
        Ok(NtlmPair { ours, theirs })
    }
}

/// One call of `InitializeSecurityContext`: its token.
fn initiate(
    client: &mut Ntlm,
    handle: &mut Option<AuthIdentityBuffers>,
    input: &mut [SecurityBuffer],
) -> Result<Vec<u8>> {
    let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
    let mut builder = client
        .initialize_security_context()
        .with_credentials_handle(handle)
        .with_context_requirements(REQUIREMENTS)
        .with_target_data_representation(DataRepresentation::Native)
        .with_target_name("HTTP/www.example.com")
        .with_input(input)
        .with_output(&mut output);
    client
        .initialize_security_context_impl(&mut builder)?
        .resolve_to_result()?;
    let [output] = output;
    Ok(output.buffer)
}

struct NtlmPair {
    ours: SecurityContext,
    theirs: Ntlm,
}

impl Pair for NtlmPair {
    type Context = Ntlm;

    fn ours(&mut self) -> &mut SecurityContext {
        &mut self.ours
    }

    fn theirs(&mut self) -> &mut Ntlm {
        &mut self.theirs
    }

    fn trailer(&mut self) -> Result<usize> {
        Ok(self.theirs.query_context_sizes()?.security_trailer as usize)
    }

    fn adapt(_: &mut [u8]) -> Result<()> {
        Ok(())
    }
}
