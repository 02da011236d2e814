//! What the two faces work with.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_context::crypto::{Random, RandomError};
#[cfg(feature = "ntlm")]
use countersign_context::ntlm::{self, Logon, LogonRequest};
use countersign_context::{
    Answer, Environment, Error, ErrorKind, Mechanism, Need, Policy, ReplayVerdict, Step, Timestamp,
    kerberos,
};
use countersign_credential::Krb5Conf;
#[cfg(feature = "ntlm")]
use countersign_credential::ntlm::NtlmCredential;
use countersign_handshake::kdc::KdcClient;
use countersign_handshake::{Clock, SystemClock, SystemRandom};
use kerberos::kdc::ClientCredential;

/// Where the [`sspi`](crate::sspi) and [`gss`](crate::gss) faces find secrets, KDCs, users, time
/// and randomness. There is nothing global behind them: two providers in one process are two machines.
///
/// Clones are cheap and the same provider.
///
/// ```
/// use countersign::credential::Keytab;
/// use countersign::{Policy, Provider};
///
/// # let keytab = Keytab::new();
/// let provider = Provider::new()
///     .with_keytab(&keytab)
///     .with_policy(Policy::default().with_clock_skew(60));
/// ```
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    acceptor: Option<kerberos::AcceptorCredential>,
    initiator: Option<ClientCredential>,
    kdcs: Option<KdcClient>,
    configuration: Arc<Krb5Conf>,
    #[cfg(feature = "ntlm")]
    ntlm: Option<ntlm::AcceptorCredential>,
    #[cfg(feature = "ntlm")]
    ntlm_initiator: Option<Arc<NtlmCredential>>,
    #[cfg(feature = "ntlm")]
    logon: Option<AskLogon>,
    policy: Policy,
    clock: Arc<dyn Clock>,
    random: Option<Arc<Mutex<dyn Random + Send>>>,
}

#[cfg(feature = "ntlm")]
type AskLogon = Arc<dyn Fn(&LogonRequest) -> Logon + Send + Sync>;

impl Default for Provider {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider {
    /// No secret, no KDC and no user; the operating system's clock and randomness; the default policy.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            acceptor: None,
            initiator: None,
            kdcs: None,
            configuration: Arc::default(),
            #[cfg(feature = "ntlm")]
            ntlm: None,
            #[cfg(feature = "ntlm")]
            ntlm_initiator: None,
            #[cfg(feature = "ntlm")]
            logon: None,
            policy: Policy::default(),
            clock: Arc::new(SystemClock),
            random: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// What Kerberos acceptors have: the services in a keytab, all with one replay cache.
    #[must_use]
    pub fn with_keytab(self, keytab: &countersign_credential::Keytab) -> Self {
        self.with_acceptor(kerberos::AcceptorCredential::new(keytab))
    }

    /// As [`with_keytab`](Self::with_keytab), for a credential made elsewhere.
    #[must_use]
    pub fn with_acceptor(self, credential: kerberos::AcceptorCredential) -> Self {
        self.with(|inner| inner.acceptor = Some(credential))
    }

    /// Whom Kerberos initiators are unless they are told: of a credential cache, say.
    #[must_use]
    pub fn with_initiator(self, credential: ClientCredential) -> Self {
        self.with(|inner| inner.initiator = Some(credential))
    }

    /// Who speaks with KDCs. Calls of the faces block for it, as those of SSPI and GSS-API do.
    #[must_use]
    pub fn with_kdc_client(self, client: KdcClient) -> Self {
        self.with(|inner| inner.kdcs = Some(client))
    }

    /// The default realm and the realms of hosts.
    #[must_use]
    pub fn with_configuration(self, configuration: impl Into<Arc<Krb5Conf>>) -> Self {
        let configuration = configuration.into();
        self.with(|inner| inner.configuration = configuration)
    }

    /// What NTLM acceptors have. Without it nobody is accepted by NTLM.
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn with_ntlm(self, credential: ntlm::AcceptorCredential) -> Self {
        self.with(|inner| inner.ntlm = Some(credential))
    }

    /// Whom NTLM initiators are unless they are told. It names NTLM: with it `Negotiate` may use
    /// NTLM too.
    ///
    /// ```
    /// use countersign::Provider;
    /// use countersign::credential::Password;
    /// use countersign::credential::ntlm::{AccountName, NtlmCredential};
    /// use countersign::sspi::{SECPKG_CRED_OUTBOUND, acquire_credentials_handle};
    ///
    /// let account = AccountName::parse("EXAMPLE\\alice")?;
    /// let alice = NtlmCredential::with_password(account, &Password::from("open sesame"));
    /// let provider = Provider::new().with_ntlm_initiator(alice);
    /// let (credential, _expiry) =
    ///     acquire_credentials_handle(&provider, None, "NTLM", SECPKG_CRED_OUTBOUND, None)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn with_ntlm_initiator(self, credential: impl Into<Arc<NtlmCredential>>) -> Self {
        let credential = credential.into();
        self.with(|inner| inner.ntlm_initiator = Some(credential))
    }

    /// Who is asked whom NTLM may let in, where its credential has no users of its own.
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn with_logon(self, ask: impl Fn(&LogonRequest) -> Logon + Send + Sync + 'static) -> Self {
        self.with(|inner| inner.logon = Some(Arc::new(ask)))
    }

    /// What is permitted.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        self.with(|inner| inner.policy = policy)
    }

    /// Another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.with(|inner| inner.clock = Arc::new(clock))
    }

    /// Another source of randomness, which must be as unpredictable; for tests and for hardware.
    #[must_use]
    pub fn with_random(self, random: impl Random + Send + 'static) -> Self {
        self.with(|inner| inner.random = Some(Arc::new(Mutex::new(random))))
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// What Kerberos acceptors have.
    #[must_use]
    pub fn acceptor(&self) -> Option<&kerberos::AcceptorCredential> {
        self.0.acceptor.as_ref()
    }

    /// Whom Kerberos initiators are unless they are told.
    #[must_use]
    pub fn initiator(&self) -> Option<&ClientCredential> {
        self.0.initiator.as_ref()
    }

    /// Who speaks with KDCs.
    #[must_use]
    pub fn kdc_client(&self) -> Option<&KdcClient> {
        self.0.kdcs.as_ref()
    }

    /// The default realm and the realms of hosts.
    #[must_use]
    pub fn configuration(&self) -> &Krb5Conf {
        &self.0.configuration
    }

    /// What NTLM acceptors have.
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn ntlm(&self) -> Option<&ntlm::AcceptorCredential> {
        self.0.ntlm.as_ref()
    }

    /// Whom NTLM initiators are unless they are told.
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn ntlm_initiator(&self) -> Option<&Arc<NtlmCredential>> {
        self.0.ntlm_initiator.as_ref()
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Lends an environment to the engine.
    pub fn with_environment<R>(&self, work: impl FnOnce(&mut Environment<'_>) -> R) -> R {
        let mut random = Source(self.0.random.as_deref());
        let mut env = Environment::new(self.now(), &mut random).with_policy(&self.0.policy);
        work(&mut env)
    }

    /// One step of a mechanism, which does not end before the engine has all that it needs.
    ///
    /// # Errors
    /// Those of the mechanism; [`ErrorKind::UnexpectedCall`] never.
    pub fn step(&self, mechanism: &mut dyn Mechanism, token: Option<&[u8]>) -> Result<Step, Error> {
        let mut step = self.with_environment(|env| mechanism.step(token, env))?;
        while let Step::Need(need) = step {
            let answer = self.answer(&need)?;
            step = self.with_environment(|env| mechanism.resume(answer, env))?;
        }
        Ok(step)
    }

    fn answer(&self, need: &Need) -> Result<Answer, Error> {
        match need {
            Need::Kdc(request) => Ok(Answer::Kdc(match self.kdc_client() {
                Some(client) => client.answer(request, None),
                None => kerberos::kdc::KdcAnswer::Unreachable,
            })),
            #[cfg(feature = "ntlm")]
            Need::Logon(request) => Ok(Answer::Logon(match &self.0.logon {
                Some(ask) => ask(request),
                None => Logon::Unavailable,
            })),
            // An external cache that nobody brought along.
            Need::Replay(_) => Ok(Answer::Replay(ReplayVerdict::Unavailable)),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("acceptor", &self.0.acceptor)
            .field("initiator", &self.0.initiator)
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}

/// The provider's source, or the operating system's.
struct Source<'a>(Option<&'a Mutex<dyn Random + Send>>);

impl Random for Source<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        match self.0 {
            Some(shared) => shared
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill(out),
            None => SystemRandom.fill(out),
        }
    }
}

/// Handles of the faces go to other threads.
const _: () = {
    const fn sendable<T: Send + Sync + 'static>() {}
    sendable::<Provider>();
};
