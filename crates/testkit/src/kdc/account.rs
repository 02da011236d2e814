//! Who is registered in a realm: users and services, with what the KDC is to think of them.

use std::sync::OnceLock;

use countersign_credential::{NameType, Password, Principal};
use countersign_crypto::{Enctype, Key};

use crate::Error;
use crate::realm::{KVNO, Realm};

/// A user or a service of a [`Kdc`](crate::Kdc).
///
/// ```
/// use countersign_testkit::Account;
///
/// let user = Account::user("alice", "open sesame").alias("alice@example.com").kvno(3);
/// let service = Account::service("HTTP/web.example.com").ok_as_delegate();
/// # let _ = (user, service);
/// ```
#[derive(Debug)]
#[must_use = "an account does nothing until it is given to a KDC"]
pub struct Account {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) secret: Secret,
    pub(super) enctypes: Option<Vec<Enctype>>,
    pub(super) session_enctypes: Option<Vec<Enctype>>,
    pub(super) kvno: u32,
    pub(super) salt: Option<Vec<u8>>,
    pub(super) iterations: Option<u32>,
    pub(super) preauth: bool,
    pub(super) rounds: u32,
    pub(super) wants_set: bool,
    pub(super) state: AccountState,
    pub(super) password_expires: Option<i64>,
    pub(super) ok_as_delegate: bool,
    pub(super) sensitive: bool,
    pub(super) sets_passwords: bool,
    pub(super) any_protocol: bool,
    pub(super) delegates_to: Vec<String>,
    pub(super) accepts_delegation_from: Vec<String>,
    pub(super) rid: Option<u32>,
    pub(super) groups: Vec<String>,
}

/// Where the keys of an account come from.
#[derive(Debug)]
pub(super) enum Secret {
    /// string-to-key.
    Password(Password),
    /// The realm's seed, or its generator when it has no seed.
    Random,
    /// Given, one an enctype.
    Keys(Vec<Key>),
}

/// What the KDC thinks of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Nothing is wrong with it.
    Active,
    /// Switched off by an administrator.
    Disabled,
    /// Locked after wrong passwords.
    Locked,
    /// The account's own time is over.
    Expired,
    /// The password is too old.
    PasswordExpired,
    /// An administrator asks for another password at the next logon.
    MustChangePassword,
}

impl Account {
    fn new(name: &str, secret: Secret) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            secret,
            enctypes: None,
            session_enctypes: None,
            kvno: KVNO,
            salt: None,
            iterations: None,
            preauth: true,
            rounds: 1,
            wants_set: false,
            state: AccountState::Active,
            password_expires: None,
            ok_as_delegate: false,
            sensitive: false,
            sets_passwords: false,
            any_protocol: false,
            delegates_to: Vec::new(),
            accepts_delegation_from: Vec::new(),
            rid: None,
            groups: Vec::new(),
        }
    }

    /// A user with a password.
    pub fn user(name: &str, password: &str) -> Self {
        Self::new(name, Secret::Password(Password::new(password.into())))
    }

    /// A service with random keys: those of [`Realm`] with the KDC's seed, which
    /// [`Kdc::keytab`](crate::Kdc::keytab) exports.
    pub fn service(name: &str) -> Self {
        Self::new(name, Secret::Random)
    }

    /// An account with these keys, one an enctype, strongest first.
    pub fn with_keys(name: &str, keys: Vec<Key>) -> Self {
        Self::new(name, Secret::Keys(keys))
    }

    /// Another name of the account: a second SPN, or an enterprise name with its `@`.
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.into());
        self
    }

    /// The enctypes of its keys, strongest first, instead of the realm's.
    pub fn enctypes(mut self, enctypes: &[Enctype]) -> Self {
        self.enctypes = Some(enctypes.to_vec());
        self
    }

    /// The enctypes of session keys that the service understands, instead of those of its keys.
    pub fn session_enctypes(mut self, enctypes: &[Enctype]) -> Self {
        self.session_enctypes = Some(enctypes.to_vec());
        self
    }

    /// The version of its keys.
    pub fn kvno(mut self, kvno: u32) -> Self {
        self.kvno = kvno;
        self
    }

    /// A salt of its own, instead of the realm and the components (RFC 4120 §4).
    pub fn salt(mut self, salt: &[u8]) -> Self {
        self.salt = Some(salt.to_vec());
        self
    }

    /// The iterations of string-to-key, told in the s2kparams of ETYPE-INFO2 (RFC 3962 §4, RFC 8009 §4).
    pub fn iterations(mut self, count: u32) -> Self {
        self.iterations = Some(count);
        self
    }

    /// Gives initial tickets to anybody who asks (RFC 4120 §3.1.3); they are of use only with the key.
    pub fn without_preauth(mut self) -> Self {
        self.preauth = false;
        self
    }

    /// Wants so many proofs, one after the other: after each but the last the KDC answers
    /// KDC_ERR_MORE_PREAUTH_DATA_REQUIRED, and its cookie says how many there were (RFC 6113 §5.2).
    pub fn proofs(mut self, count: u32) -> Self {
        self.rounds = count;
        self
    }

    /// Offers its pre-authentication in two sets (RFC 6113 §5.3): one that nobody knows, then the usual, and wants to be
    /// told which was chosen.
    pub fn authentication_sets(mut self) -> Self {
        self.wants_set = true;
        self
    }

    /// What the KDC thinks of it.
    pub fn state(mut self, state: AccountState) -> Self {
        self.state = state;
        self
    }

    /// When its password expires, in Unix seconds: told in `key-expiration` (RFC 4120 §5.4.2), and enforced.
    pub fn password_expires(mut self, seconds: i64) -> Self {
        self.password_expires = Some(seconds);
        self
    }

    /// Sets OK-AS-DELEGATE in tickets for this service (RFC 4120 §2.8).
    pub fn ok_as_delegate(mut self) -> Self {
        self.ok_as_delegate = true;
        self
    }

    /// May set other accounts' passwords (RFC 3244 §2).
    pub fn sets_passwords(mut self) -> Self {
        self.sets_passwords = true;
        self
    }

    /// May delegate users' tickets to these services: constrained delegation (MS-SFU §3.2.5.2.1).
    pub fn delegates_to(mut self, services: &[&str]) -> Self {
        let names = services.iter().map(|name| (*name).to_owned());
        self.delegates_to.extend(names);
        self
    }

    /// May delegate users' tickets that it asked for itself, whichever way the users came: TrustedToAuthForDelegation
    /// (MS-SFU §3.2.5.1.2).
    pub fn any_protocol(mut self) -> Self {
        self.any_protocol = true;
        self
    }

    /// Takes users' tickets that these services delegate: resource-based constrained delegation (MS-SFU §3.2.5.2.2).
    pub fn accepts_delegation_from(mut self, services: &[&str]) -> Self {
        let names = services.iter().map(|name| (*name).to_owned());
        self.accepts_delegation_from.extend(names);
        self
    }

    /// The relative identifier in its PACs, instead of one that the KDC gives.
    pub fn rid(mut self, rid: u32) -> Self {
        self.rid = Some(rid);
        self
    }

    /// A group in its PACs, by its SID, such as `S-1-5-21-1-2-3-1200`.
    pub fn group(mut self, sid: &str) -> Self {
        self.groups.push(sid.into());
        self
    }

    /// The account's tickets are never forwardable or proxiable, whoever asks (MS-KILE §3.3.5.1).
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }
}

/// What makes keys.
pub(super) trait KeySource {
    fn key(&mut self, principal: &Principal, enctype: Enctype, kvno: u32) -> Result<Key, Error>;
}

impl KeySource for &Realm {
    fn key(&mut self, principal: &Principal, enctype: Enctype, kvno: u32) -> Result<Key, Error> {
        Realm::key(self, principal, enctype, kvno)
    }
}

/// A registered account with its keys.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) account: Account,
    pub(super) principal: Principal,
    aliases: Vec<Principal>,
    /// Newest last.
    versions: Vec<Version>,
    pub(super) salt: Vec<u8>,
}

/// The keys of one version. Those of a password are made when they are first needed: string-to-key is slow by
/// design, and most accounts of a test use one enctype.
#[derive(Debug)]
struct Version {
    kvno: u32,
    password: Option<Password>,
    keys: Vec<(Enctype, OnceLock<Key>)>,
}

impl Version {
    fn of_password(kvno: u32, password: &Password, enctypes: &[Enctype]) -> Self {
        Self {
            kvno,
            password: Some(password.duplicate()),
            keys: enctypes
                .iter()
                .map(|enctype| (*enctype, OnceLock::new()))
                .collect(),
        }
    }

    fn of_keys(kvno: u32, keys: impl IntoIterator<Item = Key>) -> Self {
        Self {
            kvno,
            password: None,
            keys: keys
                .into_iter()
                .map(|key| (key.enctype(), OnceLock::from(key)))
                .collect(),
        }
    }
}

impl Record {
    pub(super) fn new(
        account: Account,
        realm: &Realm,
        default_enctypes: &[Enctype],
        source: &mut dyn KeySource,
    ) -> Result<Self, Error> {
        let mut principal = realm.principal(&account.name);
        if principal.is_ticket_granting_service() {
            principal = principal.with_name_type(NameType::SRV_INST);
        }
        let aliases = account
            .aliases
            .iter()
            .map(|alias| match alias.contains('@') {
                true => Principal::enterprise(alias, realm.name()),
                false => realm.principal(alias),
            })
            .collect();
        let salt = account.salt.clone().unwrap_or_else(|| {
            let mut salt = principal.realm().to_vec();
            salt.extend(principal.components().flatten());
            salt
        });
        let enctypes = account.enctypes.as_deref().unwrap_or(default_enctypes);
        let version = match &account.secret {
            Secret::Password(password) => Version::of_password(account.kvno, password, enctypes),
            Secret::Random => Version::of_keys(
                account.kvno,
                enctypes
                    .iter()
                    .map(|enctype| source.key(&principal, *enctype, account.kvno))
                    .collect::<Result<Vec<_>, _>>()?,
            ),
            Secret::Keys(keys) => Version::of_keys(account.kvno, keys.iter().map(Key::duplicate)),
        };
        Ok(Self {
            versions: vec![version],
            account,
            principal,
            aliases,
            salt,
        })
    }

    /// Whether `name` is the account's name or an alias of it.
    pub(super) fn is_named(&self, name: &Principal) -> bool {
        self.principal == *name || self.aliases.contains(name)
    }

    pub(super) fn kvno(&self) -> u32 {
        self.versions.last().map_or(0, |version| version.kvno)
    }

    /// The versions of which there are keys, newest last.
    pub(super) fn kvnos(&self) -> impl Iterator<Item = u32> {
        self.versions.iter().map(|version| version.kvno)
    }

    /// The enctypes of the newest keys, strongest first.
    pub(super) fn enctypes(&self) -> Vec<Enctype> {
        let enctypes =
            |version: &Version| version.keys.iter().map(|(enctype, _)| *enctype).collect();
        self.versions.last().map(enctypes).unwrap_or_default()
    }

    /// The enctypes of session keys that the account understands.
    pub(super) fn session_enctypes(&self) -> Vec<Enctype> {
        match &self.account.session_enctypes {
            Some(enctypes) => enctypes.clone(),
            None => self.enctypes(),
        }
    }

    /// The newest key of `enctype`, or the one of the version that a message names.
    pub(super) fn key(&self, enctype: Enctype, kvno: Option<u32>) -> Option<&Key> {
        let version = match kvno {
            Some(kvno) => self.versions.iter().find(|version| version.kvno == kvno),
            None => self.versions.last(),
        }?;
        let (_, cell) = version.keys.iter().find(|(own, _)| *own == enctype)?;
        if let (None, Some(password)) = (cell.get(), &version.password) {
            let params = self.s2k_params(enctype);
            let password = password.expose().as_bytes();
            let key = Key::from_password(enctype, password, &self.salt, params.as_deref()).ok()?;
            let _ = cell.set(key);
        }
        cell.get()
    }

    /// The strongest of the newest keys.
    pub(super) fn strongest_key(&self) -> Option<&Key> {
        self.key(*self.enctypes().first()?, None)
    }

    /// string-to-key parameters as ETYPE-INFO2 tells them (RFC 4120 §5.2.7.5); rc4-hmac has none.
    pub(super) fn s2k_params(&self, enctype: Enctype) -> Option<Vec<u8>> {
        let count = self.account.iterations?;
        (!enctype.is_weak()).then(|| count.to_be_bytes().to_vec())
    }

    /// Adds keys of the next version; old ones still open what they sealed.
    pub(super) fn rotate(&mut self, source: &mut dyn KeySource) -> Result<u32, Error> {
        let kvno = self.kvno().saturating_add(1);
        let keys = self
            .enctypes()
            .into_iter()
            .map(|enctype| source.key(&self.principal, enctype, kvno))
            .collect::<Result<Vec<_>, _>>()?;
        self.versions.push(Version::of_keys(kvno, keys));
        Ok(kvno)
    }

    /// Takes another password, and with it keys of the next version.
    pub(super) fn set_password(&mut self, password: &Password) {
        let kvno = self.kvno().saturating_add(1);
        let enctypes = self.enctypes();
        self.versions
            .push(Version::of_password(kvno, password, &enctypes));
        if matches!(
            self.account.state,
            AccountState::PasswordExpired | AccountState::MustChangePassword
        ) {
            self.account.state = AccountState::Active;
        }
        self.account.password_expires = None;
    }
}
