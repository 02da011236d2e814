//! A realm, its users, and both sides of a context.

use countersign::Provider;
use countersign::handshake::kdc::{KdcClient, StaticKdcs};
use countersign::sspi::{
    CredHandle, CtxtHandle, Progress, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_TOKEN,
    SECPKG_CRED_INBOUND, SECPKG_CRED_OUTBOUND, SECURITY_NATIVE_DREP, SecBuffer, SecBufferDesc,
    SecWinntAuthIdentity, SecurityStatus, SspiError, accept_security_context,
    acquire_credentials_handle, initialize_security_context,
};
use countersign_testkit::{Account, Kdc, KdcServer};

pub(crate) const SERVICE: &str = "sentry/gate.example.com";
pub(crate) const DOMAIN_SID: &str = "S-1-5-21-1004336348-1177238915-682003330";

/// A domain with a KDC on loopback, and what its members have.
pub(crate) struct Domain {
    pub(crate) kdc: Kdc,
    pub(crate) server: KdcServer,
    /// The service's.
    pub(crate) service: Provider,
    /// Who logs on by password.
    pub(crate) client: Provider,
}

impl Domain {
    pub(crate) fn new() -> Self {
        let kdc = Kdc::builder("EXAMPLE.COM")
            .system_clock()
            .domain("EXAMPLE", DOMAIN_SID)
            .account(Account::user("alice", "open sesame").rid(1104))
            .account(Account::user("bob", "battery staple"))
            .account(Account::service(SERVICE).ok_as_delegate())
            .account(Account::service("other/gate.example.com"))
            .build()
            .unwrap();
        let server = kdc.serve("127.0.0.1:0").unwrap();
        let client = Provider::new().with_kdc_client(kdc_client(&server));
        let keytab = kdc.keytab(&[SERVICE]).unwrap();
        let service = with_users(Provider::new().with_keytab(&keytab));
        Self {
            kdc,
            server,
            service,
            client,
        }
    }

    pub(crate) fn inbound(&self, package: &str) -> CredHandle {
        acquire(&self.service, package, SECPKG_CRED_INBOUND, None)
    }

    /// Whoever has no key at hand and is reached by user-to-user.
    pub(crate) fn user_to_user_acceptor(&self, user: &str, password: &str) -> CredHandle {
        use countersign::kerberos::AcceptorCredential;
        use countersign::kerberos::kdc::{ClientSecret, InitialTicket};

        let secret = ClientSecret::password(password);
        let initial = InitialTicket::new(self.kdc.principal(user), secret);
        let ticket = kdc_client(&self.server).run(initial).unwrap().credential;
        let provider = Provider::new().with_acceptor(AcceptorCredential::user_to_user(ticket));
        acquire(&provider, "Kerberos", SECPKG_CRED_INBOUND, None)
    }

    pub(crate) fn outbound(&self, package: &str) -> CredHandle {
        acquire(&self.client, package, SECPKG_CRED_OUTBOUND, Some(&alice()))
    }
}

pub(crate) fn kdc_client(server: &KdcServer) -> KdcClient {
    let kdcs = StaticKdcs::new()
        .kdc("EXAMPLE.COM", &server.address().to_string())
        .unwrap()
        .password_change("EXAMPLE.COM", &server.password_address().to_string())
        .unwrap();
    KdcClient::new(kdcs)
}

#[cfg(feature = "ntlm")]
pub(crate) fn with_users(provider: Provider) -> Provider {
    use countersign::credential::ntlm::Users;
    use countersign::ntlm::{AcceptorCredential, ServerNames};

    let users = Users::parse(b"EXAMPLE.COM:alice:open sesame\n").unwrap();
    let names = ServerNames::new("GATE", "EXAMPLE").unwrap();
    provider.with_ntlm(AcceptorCredential::new(names).with_users(users))
}

#[cfg(not(feature = "ntlm"))]
pub(crate) fn with_users(provider: Provider) -> Provider {
    provider
}

pub(crate) fn alice() -> SecWinntAuthIdentity {
    SecWinntAuthIdentity::new("alice", "EXAMPLE.COM", "open sesame")
}

pub(crate) fn acquire(
    provider: &Provider,
    package: &str,
    credential_use: u32,
    identity: Option<&SecWinntAuthIdentity>,
) -> CredHandle {
    acquire_credentials_handle(provider, None, package, credential_use, identity)
        .unwrap()
        .0
}

/// Packages of this build.
pub(crate) const PACKAGES: &[&str] = &[
    "Negotiate",
    "Kerberos",
    #[cfg(feature = "ntlm")]
    "NTLM",
];

/// One side, and how it calls.
pub(crate) struct Side<'a> {
    pub(crate) credential: &'a CredHandle,
    pub(crate) requested: u32,
    pub(crate) target: Option<&'a str>,
    pub(crate) bindings: Option<&'a [u8]>,
    pub(crate) context: Option<CtxtHandle>,
}

impl<'a> Side<'a> {
    pub(crate) fn new(credential: &'a CredHandle, requested: u32) -> Self {
        Self {
            credential,
            requested,
            target: Some(SERVICE),
            bindings: None,
            context: None,
        }
    }

    fn input<'b>(&'b self, token: Option<&'b [u8]>) -> SecBufferDesc<'b> {
        let mut buffers = vec![SecBuffer::empty()];
        if let Some(token) = token {
            buffers.push(SecBuffer::input(SECBUFFER_TOKEN, token));
        }
        if let Some(bindings) = self.bindings {
            buffers.push(SecBuffer::input(SECBUFFER_CHANNEL_BINDINGS, bindings));
        }
        SecBufferDesc::new(buffers)
    }

    pub(crate) fn initialize(
        &mut self,
        token: Option<&[u8]>,
    ) -> Result<(Progress, Vec<u8>), SspiError> {
        let mut context = self.context.take();
        let mut room = [0; 65536];
        let mut output = SecBufferDesc::new([SecBuffer::new(SECBUFFER_TOKEN, &mut room)]);
        let result = initialize_security_context(
            self.credential,
            &mut context,
            self.target,
            self.requested,
            SECURITY_NATIVE_DREP,
            Some(&self.input(token)),
            &mut output,
        );
        self.context = context;
        result.map(|progress| (progress, output.token().to_vec()))
    }

    pub(crate) fn accept(
        &mut self,
        token: Option<&[u8]>,
    ) -> Result<(Progress, Vec<u8>), SspiError> {
        let mut context = self.context.take();
        let mut room = [0; 65536];
        let mut output = SecBufferDesc::new([SecBuffer::new(SECBUFFER_TOKEN, &mut room)]);
        let result = accept_security_context(
            self.credential,
            &mut context,
            Some(&self.input(token)),
            self.requested,
            SECURITY_NATIVE_DREP,
            &mut output,
        );
        self.context = context;
        result.map(|progress| (progress, output.token().to_vec()))
    }
}

/// What came of both sides.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: CtxtHandle,
    pub(crate) server: CtxtHandle,
    pub(crate) client_attributes: u32,
    pub(crate) server_attributes: u32,
}

/// Calls one side and the other until both are done; the error is the first of either.
pub(crate) fn run(client: &mut Side<'_>, server: &mut Side<'_>) -> Result<Pair, SspiError> {
    let (mut progress, mut token) = client.initialize(None)?;
    let mut accepted = None;
    loop {
        if accepted.is_none() || !token.is_empty() {
            let (progress, answer) = server.accept(Some(&token))?;
            token = answer;
            accepted = Some(progress);
        }
        let done = |progress: &Progress| progress.status == SecurityStatus::SEC_E_OK;
        if done(&progress) && accepted.as_ref().is_some_and(done) && token.is_empty() {
            break;
        }
        (progress, token) = client.initialize(Some(&token))?;
        if done(&progress) && accepted.as_ref().is_some_and(done) && token.is_empty() {
            break;
        }
    }
    Ok(Pair {
        client: client.context.take().unwrap(),
        server: server.context.take().unwrap(),
        client_attributes: progress.attributes,
        server_attributes: accepted.unwrap().attributes,
    })
}

/// Both sides of a package, with the same requests.
pub(crate) fn pair(domain: &Domain, package: &str, isc: u32, asc: u32) -> Pair {
    let (outbound, inbound) = (domain.outbound(package), domain.inbound(package));
    run(
        &mut Side::new(&outbound, isc),
        &mut Side::new(&inbound, asc),
    )
    .unwrap()
}
