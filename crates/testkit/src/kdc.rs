//! A KDC on the independent codec: what it is asked, it answers, in process or on loopback.

mod account;
mod authorization;
mod builder;
mod cookie;
mod core;
mod edit;
mod evidence;
mod fast;
mod grant;
mod initial;
mod lifetime;
mod messages;
mod password;
mod path;
mod preauth;
mod refusal;
mod request;
mod s4u;
mod serve;
#[cfg(test)]
mod tests;
mod ticket_granting;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_credential::{Keytab, KeytabEntry, Password, Principal};
use rasn_kerberos as krb;

pub use account::{Account, AccountState};
pub use builder::KdcBuilder;
pub use fast::FastPolicy;
pub use messages::{KrbFastFinished, KrbFastResponse};
pub use refusal::code;
pub use request::{RequestKind, SeenRequest};
pub use serve::{KdcFault, KdcServer};

use self::core::{Clock, Core, RandomKeys};
use crate::{Error, FixedClock, PacBuilder};

/// A KDC of one realm: it answers AS-REQ and TGS-REQ, and repeats itself exactly when its seed, its clock and what it
/// is asked are the same.
///
/// Clones are the same KDC.
///
/// ```
/// use countersign_testkit::{Account, Kdc};
///
/// let kdc = Kdc::builder("EXAMPLE.COM")
///     .user("alice", "open sesame")
///     .account(Account::service("HTTP/web.example.com").ok_as_delegate())
///     .build()?;
/// let keytab = kdc.keytab(&["HTTP/web.example.com"])?;
/// assert_eq!(keytab.principals().count(), 1);
/// // Nothing that a KDC knows: it keeps silent.
/// assert!(kdc.answer(b"GET / HTTP/1.1").is_empty());
/// # Ok::<(), countersign_testkit::Error>(())
/// ```
#[derive(Clone)]
pub struct Kdc(Arc<Mutex<Core>>);

impl Kdc {
    /// Begins a KDC of `realm`, with nobody registered but its ticket-granting service.
    pub fn builder(realm: &str) -> KdcBuilder {
        KdcBuilder::new(realm)
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        // A test's edit that panicked has changed nothing that the next request needs.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a message that came over a stream; empty when a KDC would keep silent.
    #[must_use]
    pub fn answer(&self, request: &[u8]) -> Vec<u8> {
        self.core().answer(request, None)
    }

    /// The answer to a message that came in a datagram: KRB_ERR_RESPONSE_TOO_BIG when it does not fit into one
    /// (RFC 4120 §7.2.1).
    #[must_use]
    pub fn answer_datagram(&self, request: &[u8]) -> Vec<u8> {
        let mut core = self.core();
        let limit = core.config.datagram_limit;
        core.answer(request, Some(limit))
    }

    /// The answer of the realm's password-changing service (RFC 3244 §2); empty when it would keep silent.
    #[must_use]
    pub fn answer_password_change(&self, request: &[u8]) -> Vec<u8> {
        password::answer(&mut self.core(), request)
    }

    /// A client believes no reply that names another address than the one it asked (RFC 4120 §3.5.2).
    fn password_host(&self, host: IpAddr) {
        self.core().password_host = host;
    }

    fn datagram_limit(&self) -> usize {
        self.core().config.datagram_limit
    }

    fn refuse_plainly(&self, code: i32, text: &'static str) -> Vec<u8> {
        self.core().refuse_plainly(code, text)
    }

    /// The realm's name.
    #[must_use]
    pub fn realm(&self) -> String {
        self.core().realm.name().into()
    }

    /// The principal that `text` names, in this realm when it names none.
    #[must_use]
    pub fn principal(&self, text: &str) -> Principal {
        self.core().realm.principal(text)
    }

    /// A keytab with every key of `accounts`, of every version.
    ///
    /// # Errors
    /// [`Error::Unknown`] when one of them is not registered.
    pub fn keytab(&self, accounts: &[&str]) -> Result<Keytab, Error> {
        let mut core = self.core();
        let timestamp = u32::try_from(core.clock.now().seconds).unwrap_or(0);
        let mut keytab = Keytab::new();
        for account in accounts {
            let principal = core.realm.principal(account);
            let record = core.find(&principal).ok_or(Error::Unknown)?;
            for kvno in record.kvnos() {
                for enctype in record.enctypes() {
                    if let Some(key) = record.key(enctype, Some(kvno)) {
                        let entry = KeytabEntry::new(principal.clone(), kvno, key.duplicate());
                        keytab.push(entry.with_timestamp(timestamp));
                    }
                }
            }
        }
        Ok(keytab)
    }

    /// Gives a service keys of the next version and says which that is. Tickets of the old one still open.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not registered.
    pub fn rotate(&self, account: &str) -> Result<u32, Error> {
        let mut core = self.core();
        let Core {
            realm,
            records,
            random,
            seeded,
            ..
        } = &mut *core;
        let principal = realm.principal(account);
        let record = find_mut(records, &principal).ok_or(Error::Unknown)?;
        match seeded {
            true => record.rotate(&mut &*realm),
            false => record.rotate(&mut RandomKeys(&mut **random)),
        }
    }

    /// Gives a user another password.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the user is not registered.
    pub fn set_password(&self, user: &str, password: &str) -> Result<(), Error> {
        let mut core = self.core();
        let principal = core.realm.principal(user);
        let record = find_mut(&mut core.records, &principal).ok_or(Error::Unknown)?;
        record.set_password(&Password::new(password.into()));
        Ok(())
    }

    /// Changes what the KDC thinks of an account.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not registered.
    pub fn set_state(&self, account: &str, state: AccountState) -> Result<(), Error> {
        let mut core = self.core();
        let principal = core.realm.principal(account);
        let record = find_mut(&mut core.records, &principal).ok_or(Error::Unknown)?;
        record.account.state = state;
        Ok(())
    }

    /// Stops the clock at `time`.
    pub fn set_time(&self, time: FixedClock) {
        self.core().clock = Clock::Fixed(time);
    }

    /// Moves a clock that stands still by `seconds`.
    pub fn advance(&self, seconds: i64) {
        if let Clock::Fixed(clock) = &mut self.core().clock {
            clock.advance(seconds);
        }
    }

    /// The time that the KDC goes by.
    #[must_use]
    pub fn now(&self) -> FixedClock {
        self.core().clock.now()
    }

    /// The requests that have come so far, at most the last 1,024.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenRequest> {
        self.core().seen.iter().cloned().collect()
    }

    /// Forgets the requests that have come so far.
    pub fn clear_seen(&self) {
        self.core().seen.clear();
    }

    /// Changes the encrypted part of every ticket before it is sealed. The edit must not call the KDC.
    pub fn edit_ticket(
        &self,
        edit: impl FnMut(&SeenRequest, &mut krb::EncTicketPart) + Send + 'static,
    ) {
        self.core().edits.ticket = Some(Box::new(edit));
    }

    /// Changes the PAC of every ticket before it is signed, or how it is. The edit must not call the KDC.
    pub fn edit_pac(&self, edit: impl FnMut(&SeenRequest, &mut PacBuilder) + Send + 'static) {
        self.core().edits.pac = Some(Box::new(edit));
    }

    /// Changes the encrypted part of every reply before it is sealed. The edit must not call the KDC.
    pub fn edit_enc_part(
        &self,
        edit: impl FnMut(&SeenRequest, &mut krb::EncKdcRepPart) + Send + 'static,
    ) {
        self.core().edits.enc_part = Some(Box::new(edit));
    }

    /// Changes every AS-REP and TGS-REP after sealing, where nothing but the client's care protects it. The edit
    /// must not call the KDC.
    pub fn edit_reply(&self, edit: impl FnMut(&SeenRequest, &mut krb::KdcRep) + Send + 'static) {
        self.core().edits.reply = Some(Box::new(edit));
    }

    /// Changes every KRB-ERROR. The edit must not call the KDC.
    pub fn edit_error(&self, edit: impl FnMut(&SeenRequest, &mut krb::KrbError) + Send + 'static) {
        self.core().edits.error = Some(Box::new(edit));
    }

    /// Changes every response inside FAST before it is sealed, those with errors included. The edit must not call
    /// the KDC.
    pub fn edit_fast(&self, edit: impl FnMut(&SeenRequest, &mut KrbFastResponse) + Send + 'static) {
        self.core().edits.fast = Some(Box::new(edit));
    }

    /// Answers armored requests as if they were not, errors included.
    pub fn strip_fast(&self) {
        self.core().edits.strips_fast = true;
    }

    /// Changes the bytes of every answer, or puts others in their place. The edit must not call the KDC.
    pub fn edit_bytes(&self, edit: impl FnMut(&SeenRequest, &mut Vec<u8>) + Send + 'static) {
        self.core().edits.bytes = Some(Box::new(edit));
    }

    /// Answers honestly again.
    pub fn clear_edits(&self) {
        self.core().edits = edit::Edits::default();
    }
}

fn find_mut<'a>(
    records: &'a mut [Arc<account::Record>],
    name: &Principal,
) -> Option<&'a mut account::Record> {
    let record = records.iter_mut().find(|record| record.is_named(name))?;
    Arc::get_mut(record)
}

impl fmt::Debug for Kdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let core = self.core();
        f.debug_struct("Kdc")
            .field("realm", &core.realm.name())
            .field("accounts", &core.records.len())
            .finish_non_exhaustive()
    }
}
