//! A domain: its KDC, a user's desk and a service's gate.

use countersign::gss::{
    self, AcceptResult, Context, CredUsage, Credential, GssError, InitResult, Name, OidSet, Status,
    oid,
};
use countersign::handshake::kdc::{KdcClient, StaticKdcs};
use countersign::token::oid::Oid;
use countersign::{ChannelBindingPolicy, ChannelBindings, Flags, Provider};
use countersign_testkit::{Account, Kdc, KdcServer};

pub(crate) const REALM: &str = "EXAMPLE.COM";
pub(crate) const SERVICE: &str = "sentry/gate.example.com";

/// What the service may reach as its users.
pub(crate) const BACK: &str = "store/back.example.com";
/// What users may delegate to.
pub(crate) const TRUSTED: &str = "host/trusted.example.com";

/// Everything that a test asks for unless it asks for something else.
pub(crate) const USUAL: Flags = Flags::MUTUAL
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);

pub(crate) struct Domain {
    pub(crate) kdc: Kdc,
    pub(crate) server: KdcServer,
}

impl Domain {
    pub(crate) fn new() -> Self {
        let kdc = Kdc::builder(REALM)
            .user("alice", "open sesame")
            .user("bob", "builder")
            .account(
                Account::service(SERVICE)
                    .any_protocol()
                    .delegates_to(&[BACK]),
            )
            .account(Account::service(TRUSTED).ok_as_delegate())
            .service(BACK)
            .domain("EXAMPLE", "S-1-5-21-1-2-3")
            .system_clock()
            .build()
            .unwrap();
        let server = kdc.serve("127.0.0.1:0").unwrap();
        Self { kdc, server }
    }

    pub(crate) fn client(&self) -> KdcClient {
        let address = self.server.address().to_string();
        KdcClient::new(StaticKdcs::new().kdc(REALM, &address).unwrap())
    }

    /// Where the user sits: KDCs, and a default realm.
    pub(crate) fn desk(&self) -> Provider {
        let conf = b"[libdefaults]\ndefault_realm = EXAMPLE.COM\nforwardable = true\n";
        let conf = countersign::credential::Krb5Conf::parse(conf).unwrap();
        Provider::new()
            .with_kdc_client(self.client())
            .with_configuration(conf)
    }

    /// Where the service stands: its keys, and users of NTLM.
    pub(crate) fn gate(&self) -> Provider {
        let provider = self
            .desk()
            .with_keytab(&self.kdc.keytab(&[SERVICE, TRUSTED, BACK]).unwrap());
        #[cfg(feature = "ntlm")]
        let provider = {
            use countersign::credential::ntlm::Users;
            use countersign::ntlm::{AcceptorCredential, ServerNames};
            let users = Users::parse(b"EXAMPLE:alice:open sesame\n").unwrap();
            let names = ServerNames::new("GATE", "EXAMPLE").unwrap();
            provider.with_ntlm(AcceptorCredential::new(names).with_users(users))
        };
        provider
    }

    pub(crate) fn alice(&self, mechanisms: &[Oid<'static>]) -> Credential {
        self.user("alice", mechanisms)
    }

    pub(crate) fn user(&self, name: &str, mechanisms: &[Oid<'static>]) -> Credential {
        let name = gss::import_name(name.as_bytes(), Some(oid::GSS_C_NT_USER_NAME)).unwrap();
        let mechanisms: OidSet = mechanisms.iter().copied().collect();
        let usage = CredUsage::Initiate;
        let password = "open sesame";
        gss::acquire_cred_with_password(&self.desk(), &name, password, 0, Some(&mechanisms), usage)
            .unwrap()
            .credential
    }

    pub(crate) fn sentry(&self, mechanisms: &[Oid<'static>]) -> Credential {
        let mechanisms: OidSet = mechanisms.iter().copied().collect();
        gss::acquire_cred(&self.gate(), None, 0, Some(&mechanisms), CredUsage::Accept)
            .unwrap()
            .credential
    }
}

pub(crate) fn service(name: &str) -> Name {
    gss::import_name(name.as_bytes(), Some(oid::GSS_C_NT_HOSTBASED_SERVICE)).unwrap()
}

/// What the initiator asks for.
pub(crate) struct Ask<'a> {
    pub(crate) target: &'a str,
    pub(crate) mechanism: Oid<'static>,
    pub(crate) flags: Flags,
    pub(crate) bindings: Option<&'a ChannelBindings>,
    pub(crate) expected: ChannelBindingPolicy,
}

impl Ask<'_> {
    pub(crate) fn of(mechanism: Oid<'static>) -> Self {
        Self {
            target: "sentry@gate.example.com",
            mechanism,
            flags: USUAL,
            bindings: None,
            expected: ChannelBindingPolicy::Ignore,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Both {
    pub(crate) client: Context,
    pub(crate) server: Context,
    pub(crate) initiated: InitResult,
    pub(crate) accepted: AcceptResult,
}

/// Both sides' contexts, or the first error.
pub(crate) fn establish(
    alice: &Credential,
    sentry: &Credential,
    ask: &Ask<'_>,
) -> Result<Both, GssError> {
    establish_with(alice, sentry, ask, &service(ask.target))
}

/// As well, with a target that is no service.
pub(crate) fn establish_with(
    alice: &Credential,
    sentry: &Credential,
    ask: &Ask<'_>,
    target: &Name,
) -> Result<Both, GssError> {
    let (mut client, mut server) = (None, None);
    let mut token: Option<Vec<u8>> = None;
    let mut accepted = None;
    loop {
        let initiated = gss::init_sec_context(
            alice,
            &mut client,
            target,
            Some(ask.mechanism),
            ask.flags,
            0,
            ask.bindings,
            token.as_deref(),
        )?;
        if let Some(token) = &initiated.output_token {
            let step = gss::accept_sec_context(&mut server, sentry, token, &ask.expected)?;
            accepted = Some(step);
        }
        let step = accepted.clone().unwrap();
        if initiated.status == Status::Complete && step.status == Status::Complete {
            return Ok(Both {
                client: client.unwrap(),
                server: server.unwrap(),
                initiated,
                accepted: step,
            });
        }
        token = step.output_token;
    }
}

/// Seals and opens a message either way.
pub(crate) fn talk(client: &mut Context, server: &mut Context) {
    for (sender, receiver) in [(0, 1), (1, 0)] {
        let ends = [&mut *client, &mut *server];
        let sealed = gss::wrap(ends[sender], true, 0, b"who goes there").unwrap();
        assert!(sealed.conf_state);
        let opened = gss::unwrap(ends[receiver], &sealed.token).unwrap();
        assert!(opened.conf_state());
        assert_eq!(opened.in_order().unwrap(), b"who goes there");
        let mic = gss::get_mic(ends[sender], 0, b"a friend").unwrap();
        let verified = gss::verify_mic(ends[receiver], b"a friend", &mic).unwrap();
        verified.in_order().unwrap();
    }
}
