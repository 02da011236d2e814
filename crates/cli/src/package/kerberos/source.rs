//! Where the ticket for the server comes from.

use std::sync::Arc;

use countersign::credential::{CredentialCache, Krb5Conf, ServiceName, TicketCredential};
use countersign::handshake::{Clock, Handshake, SystemClock, configuration};
use countersign::kerberos::Initiator;
use countersign::kerberos::kdc::{Acquisition, ClientCredential};

use crate::args::ConnectOptions;
use crate::failure::Failure;
use crate::kdc::{Setup, cache_failed, open_cache};
use crate::kinit;

/// A ticket, or what gets one from a KDC.
pub(crate) enum Source {
    Ticket(Arc<TicketCredential>),
    Kdc {
        setup: Box<Setup>,
        credential: ClientCredential,
        target: ServiceName,
    },
}

impl Source {
    pub(super) fn find(target: &ServiceName, options: &ConnectOptions) -> Result<Self, Failure> {
        let policy = options.protocol.enctypes.policy()?;
        if let Some(text) = &options.principal {
            let setup = Setup::new(&options.kdcs, policy)?;
            let client = setup.principal(text)?;
            let secret = kinit::secret(&options.secrets, &client)?;
            return Ok(Self::kdc(
                setup,
                ClientCredential::new(client, secret),
                target,
                options,
            ));
        }
        if options.secrets.password_stdin
            || options.secrets.keytab.is_some()
            || options.secrets.use_keytab
        {
            return Err(Failure::usage(
                "whose password or key it is must be said with --principal",
            ));
        }
        let (name, cache) = load(options)?;
        let now = SystemClock.now().seconds();
        let held = cache
            .find_service(target)
            .filter(|ticket| ticket.is_valid_at(now, 0));
        if let (Some(ticket), false) = (held, options.delegate) {
            return Ok(Self::Ticket(Arc::new(ticket.duplicate())));
        }
        let buys = cache
            .credentials()
            .any(|ticket| ticket.server.is_ticket_granting_service() && ticket.is_valid_at(now, 0));
        match buys {
            true => {
                let setup = Setup::new(&options.kdcs, policy)?;
                let credential = ClientCredential::cache(&cache, now);
                Ok(Self::kdc(setup, credential, target, options))
            }
            false => Err(nothing(&cache, &name, target)),
        }
    }

    fn kdc(
        setup: Setup,
        credential: ClientCredential,
        target: &ServiceName,
        options: &ConnectOptions,
    ) -> Self {
        let mut credential = credential.paths(setup.paths());
        if options.delegate {
            credential = credential.options(kinit::forwardable());
        }
        if let Some(realm) = setup.conf().realm_of_host(target.host()) {
            credential = credential.service_realm(realm);
        }
        Self::Kdc {
            setup: Box::new(setup),
            credential,
            target: target.clone(),
        }
    }

    pub(super) fn initiator(&self) -> Initiator {
        match self {
            Self::Ticket(ticket) => Initiator::new(Arc::clone(ticket)),
            Self::Kdc {
                credential, target, ..
            } => Initiator::from_credential(credential, target.clone()),
        }
    }

    /// Lets the handshake ask KDCs.
    pub(super) fn attach(&self, handshake: Handshake) -> Handshake {
        match self {
            Self::Ticket(_) => handshake,
            Self::Kdc { setup, .. } => handshake.kdc_client(setup.client().clone()),
        }
    }

    /// A forwarded ticket-granting ticket, which the server can act with.
    pub(super) fn forwarded(&self) -> Result<Arc<TicketCredential>, Failure> {
        match self {
            Self::Ticket(_) => Err(Failure::usage(
                "--delegate needs a ticket-granting ticket; a service ticket cannot be forwarded",
            )),
            Self::Kdc {
                setup, credential, ..
            } => setup.run(Acquisition::forwarded(credential)),
        }
    }
}

fn load(options: &ConnectOptions) -> Result<(String, CredentialCache), Failure> {
    let conf = match (&options.ccache, &options.kdcs.realm) {
        // What is named needs no configuration.
        (Some(_), _) | (_, Some(_)) => Krb5Conf::default(),
        (None, None) => configuration::load_from_environment()
            .map_err(|error| Failure::usage(format!("the configuration: {error}")))?,
    };
    let cache = open_cache(options.ccache.as_deref(), &conf)?;
    let contents = cache.load().map_err(|error| cache_failed(&*cache, error))?;
    Ok((cache.name().to_string(), contents))
}

/// Why the cache gets nobody to the target.
fn nothing(cache: &CredentialCache, name: &str, target: &ServiceName) -> Failure {
    let unusable = cache
        .credentials()
        .filter(|entry| target.matches(&entry.server))
        .find_map(|entry| entry.session_key().err());
    match unusable {
        Some(error) => Failure::refused(format!(
            "the ticket for {target} in the credential cache {name} cannot be used: {error}"
        )),
        None => Failure::usage(format!(
            "the credential cache {name} holds no valid ticket for {target}, and no \
             ticket-granting ticket to get one with; get one with\n  \
             countersign kinit -c {name}"
        )),
    }
}
