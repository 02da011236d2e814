//! Setting up a KDC.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_crypto::{Enctype, Random};

use super::Kdc;
use super::account::{Account, KeySource, Record};
use super::authorization::Domain;
use super::core::{Clock, Config, Core, RandomKeys};
use super::fast::FastPolicy;
use super::password::PasswordPolicy;
use super::path::Paths;
use crate::realm::Realm;
use crate::{Error, FixedClock, SeededRandom};

/// A KDC in the making; [`Kdc::builder`] begins one.
#[must_use = "there is no KDC until `build` is called"]
pub struct KdcBuilder {
    realm: String,
    seed: u64,
    random: Option<Box<dyn Random + Send>>,
    clock: Clock,
    accounts: Vec<Account>,
    config: Config,
}

impl KdcBuilder {
    pub(super) fn new(realm: &str) -> Self {
        Self {
            realm: realm.into(),
            seed: 1,
            random: None,
            clock: Clock::Fixed(FixedClock::new()),
            accounts: Vec::new(),
            config: Config {
                enctypes: vec![
                    Enctype::Aes256CtsHmacSha384_192,
                    Enctype::Aes128CtsHmacSha256_128,
                    Enctype::Aes256CtsHmacSha1_96,
                    Enctype::Aes128CtsHmacSha1_96,
                ],
                max_life: 10 * 3_600,
                max_renewable_life: 7 * 86_400,
                skew: 300,
                datagram_limit: 1_465,
                windows_errors: false,
                replay_cache: true,
                fast: FastPolicy::Available,
                paths: Paths::default(),
                domain: None,
                password_policy: None,
            },
        }
    }

    /// Registers a user or a service. One with a name that is registered already takes its place.
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.retain(|other| other.name != account.name);
        self.accounts.push(account);
        self
    }

    /// Registers a user with a password.
    pub fn user(self, name: &str, password: &str) -> Self {
        self.account(Account::user(name, password))
    }

    /// Registers a service, such as `HTTP/web.example.com`.
    pub fn service(self, name: &str) -> Self {
        self.account(Account::service(name))
    }

    /// Trusts `realm` and is trusted by it: `krbtgt/REALM` here and this realm's `krbtgt` there, with keys that follow
    /// from `secret`. The other KDC names this realm and the same secret.
    pub fn trust(self, realm: &str, secret: &str) -> Self {
        let own = self.realm.clone();
        self.account(Account::user(&format!("krbtgt/{realm}@{own}"), secret))
            .account(Account::user(&format!("krbtgt/{own}@{realm}"), secret))
    }

    /// Who wants to go to `realm` is sent to the KDC of `next`, as `[capaths]` of a KDC says.
    pub fn route(mut self, realm: &str, next: &str) -> Self {
        self.config.paths.routes.push((realm.into(), next.into()));
        self
    }

    /// Refers who asks for a service on a host whose name ends in `suffix` to `realm` (RFC 6806 §8).
    pub fn refer_hosts(mut self, suffix: &str, realm: &str) -> Self {
        self.config.paths.hosts.push((suffix.into(), realm.into()));
        self
    }

    /// Refers users whose name ends in `suffix`, such as `@b.example`, to `realm` (RFC 6806 §7).
    pub fn refer_users(mut self, suffix: &str, realm: &str) -> Self {
        self.config.paths.users.push((suffix.into(), realm.into()));
        self
    }

    /// Refuses who comes through `realm` (RFC 4120 §3.3.3.2).
    pub fn shun(mut self, realm: &str) -> Self {
        self.config.paths.shunned.push(realm.into());
        self
    }

    /// Keys, session keys and confounders follow from `seed`: every run is the same. Seed 1 when nothing else is said.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Takes every key from `random` instead: for a KDC whose tickets shall be worth something.
    pub fn random(mut self, random: impl Random + Send + 'static) -> Self {
        self.random = Some(Box::new(random));
        self
    }

    /// The time at which the KDC stands until it is moved; [`NOW`](crate::NOW) when nothing else is said.
    pub fn at(mut self, clock: FixedClock) -> Self {
        self.clock = Clock::Fixed(clock);
        self
    }

    /// The operating system's clock, which the programs on this machine go by.
    pub fn system_clock(self) -> Self {
        self.clock(|| {
            let elapsed = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            FixedClock {
                seconds: i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX),
                microseconds: elapsed.subsec_micros(),
            }
        })
    }

    /// A clock that runs.
    pub fn clock(mut self, clock: impl FnMut() -> FixedClock + Send + 'static) -> Self {
        self.clock = Clock::Running(Box::new(clock));
        self
    }

    /// The enctypes of accounts that name none, strongest first.
    pub fn enctypes(mut self, enctypes: &[Enctype]) -> Self {
        self.config.enctypes = enctypes.to_vec();
        self
    }

    /// How many seconds a ticket lasts at most, and how many it can be renewed: 10 hours and 7 days when nothing else
    /// is said.
    pub fn lifetimes(mut self, longest: i64, renewable: i64) -> Self {
        self.config.max_life = longest;
        self.config.max_renewable_life = renewable;
        self
    }

    /// The clock skew that is forgiven, in seconds: 300 when nothing else is said.
    pub fn skew(mut self, seconds: i64) -> Self {
        self.config.skew = seconds;
        self
    }

    /// The longest answer that fits into a datagram; a longer one is KRB_ERR_RESPONSE_TOO_BIG (RFC 4120 §7.2.1).
    pub fn datagram_limit(mut self, bytes: usize) -> Self {
        self.config.datagram_limit = bytes;
        self
    }

    /// Answers for disabled, locked, expired accounts as Active Directory does, with an NTSTATUS (MS-KILE §2.2.1), asks
    /// for required FAST as it does (MS-KILE §3.3.5.1), and tells its password policy in numbers.
    pub fn windows_errors(mut self) -> Self {
        self.config.windows_errors = true;
        self
    }

    /// Whether the KDC knows FAST (RFC 6113); it does when nothing else is said.
    pub fn fast(mut self, policy: FastPolicy) -> Self {
        self.config.fast = policy;
        self
    }

    /// Puts PACs into tickets, of a domain of this NetBIOS name and SID (`S-1-5-21-1-2-3`), signed as MS-PAC §2.8 says.
    /// Without a domain there are none.
    pub fn domain(mut self, name: &str, sid: &str) -> Self {
        self.config.domain = Some(Domain {
            name: name.into(),
            sid: sid.into(),
        });
        self
    }

    /// Refuses new passwords of fewer than `shortest` characters, with `text` (RFC 3244 §2, KRB5_KPASSWD_SOFTERROR).
    pub fn password_policy(mut self, shortest: usize, text: &str) -> Self {
        self.config.password_policy = Some(PasswordPolicy {
            shortest,
            text: text.into(),
        });
        self
    }

    /// Forgets authenticators, so that a recorded TGS-REQ is answered every time.
    pub fn without_replay_cache(mut self) -> Self {
        self.config.replay_cache = false;
        self
    }

    /// The KDC.
    ///
    /// # Errors
    /// [`Error::Crypto`] when a key cannot be made.
    pub fn build(mut self) -> Result<Kdc, Error> {
        let realm = Realm::new(&self.realm, self.seed);
        let granting = format!("krbtgt/{}", self.realm);
        for own in [granting.as_str(), "kadmin/changepw"] {
            if !self.accounts.iter().any(|account| account.name == own) {
                self.accounts.push(Account::service(own));
            }
        }
        let mut random = self.random;
        let mut records = Vec::new();
        for account in self.accounts {
            let mut from_seed = &realm;
            let mut from_random = random.as_mut().map(|random| RandomKeys(&mut **random));
            let source: &mut dyn KeySource = match &mut from_random {
                Some(source) => source,
                None => &mut from_seed,
            };
            let record = Record::new(account, &realm, &self.config.enctypes, source)?;
            records.push(Arc::new(record));
        }
        let seeded = random.is_none();
        let random = random.unwrap_or_else(|| {
            Box::new(SeededRandom::derived(
                self.seed,
                &[b"kdc", self.realm.as_bytes()],
            ))
        });
        let core = Core::new(self.config, realm, records, random, self.clock, seeded);
        Ok(Kdc(Arc::new(Mutex::new(core))))
    }
}

impl fmt::Debug for KdcBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KdcBuilder")
            .field("realm", &self.realm)
            .field("accounts", &self.accounts.len())
            .finish_non_exhaustive()
    }
}
