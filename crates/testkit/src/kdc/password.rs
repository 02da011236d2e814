//! The password-changing service, RFC 3244 §2.
//!
//! ```text
//! request   length, version (0xff80, or 1: own password only), AP-REQ length, AP-REQ, KRB-PRIV
//! reply     length, version (1), AP-REP length, AP-REP, KRB-PRIV, or 0 and KRB-ERROR in their place
//! result    code, text
//! ```
//! Numbers are 16 bits, big-endian.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use countersign_credential::{NameType, Password, Principal};
use countersign_crypto::{Key, KeyUsage};
use rasn_kerberos as krb;
use zeroize::Zeroizing;

use super::core::Core;
use super::evidence::{Opened, open_ticket};
use super::messages::ChangePasswdData;
use super::refusal::{Refusal, code};
use super::request::{RequestKind, SeenRequest};
use crate::{Error, FixedClock, flags, wire};

/// What came of it: RFC 3244 §2.
mod result {
    pub(super) const SUCCESS: u16 = 0;
    pub(super) const MALFORMED: u16 = 1;
    pub(super) const HARD_ERROR: u16 = 2;
    pub(super) const AUTHENTICATION: u16 = 3;
    pub(super) const SOFT_ERROR: u16 = 4;
    pub(super) const ACCESS_DENIED: u16 = 5;
    pub(super) const BAD_VERSION: u16 = 6;
    pub(super) const INITIAL_FLAG_NEEDED: u16 = 7;
}

/// Set or change, RFC 3244 §2.
const SET: u16 = 0xff80;
/// The older protocol, in which the message is the new password.
const CHANGE: u16 = 1;

/// What passwords must be.
#[derive(Debug)]
pub(super) struct PasswordPolicy {
    pub(super) shortest: usize,
    pub(super) text: String,
}

/// A result, and what is told beside it.
struct Verdict {
    code: u16,
    text: Vec<u8>,
}

impl Verdict {
    fn new(code: u16, text: &str) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        [&self.code.to_be_bytes(), self.text.as_slice()].concat()
    }
}

/// Who asks: the keys for the reply, and what the authenticator said.
struct Asker {
    ticket: Opened,
    authenticator: krb::Authenticator,
    key: Key,
}

pub(super) fn answer(core: &mut Core, bytes: &[u8]) -> Vec<u8> {
    let mut seen = SeenRequest::new(RequestKind::PasswordChange, bytes);
    let now = core.clock.now();
    let answer = reply(core, &mut seen, now);
    let answer = core.edits.replace(&seen, answer.unwrap_or_default());
    core.keep(seen);
    answer
}

fn reply(core: &mut Core, seen: &mut SeenRequest, now: FixedClock) -> Result<Vec<u8>, Error> {
    let bytes = seen.bytes.clone();
    let Some((version, request, private)) = split(&bytes) else {
        return refuse(
            core,
            now,
            &Verdict::new(result::MALFORMED, "malformed request"),
        );
    };
    if version != SET && version != CHANGE {
        return refuse(
            core,
            now,
            &Verdict::new(result::BAD_VERSION, "unknown version"),
        );
    }
    let asker = match asker(core, request, now) {
        Ok(asker) => asker,
        Err(refusal) => {
            seen.refused = Some(refusal.code);
            return refuse(
                core,
                now,
                &Verdict::new(result::AUTHENTICATION, refusal.text),
            );
        }
    };
    seen.client = Some(asker.ticket.client.clone());
    seen.server = Some(asker.ticket.server.clone());
    let verdict = match open(&asker, private) {
        Some(data) => change(core, &asker, version, &data),
        None => Verdict::new(result::AUTHENTICATION, "the request does not open"),
    };
    sealed(core, &asker, &verdict, now)
}

/// Version, AP-REQ and KRB-PRIV.
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let (request, rest) = rest.split_first_chunk::<2>()?;
    if usize::from(u16::from_be_bytes(*length)) != bytes.len() {
        return None;
    }
    let (request, private) = rest.split_at_checked(u16::from_be_bytes(*request).into())?;
    Some((u16::from_be_bytes(*version), request, private))
}

fn frame(first: &[u8], second: &[u8]) -> Result<Vec<u8>, Error> {
    let too_long = |_| Error::TooLong;
    let length = first.len().saturating_add(second.len()).saturating_add(6);
    let length = u16::try_from(length).map_err(too_long)?;
    let first_length = u16::try_from(first.len()).map_err(too_long)?;
    Ok([
        &length.to_be_bytes()[..],
        &1_u16.to_be_bytes(),
        &first_length.to_be_bytes(),
        first,
        second,
    ]
    .concat())
}

/// Opens the AP-REQ (RFC 4120 §3.2.3).
fn asker(core: &mut Core, request: &[u8], now: FixedClock) -> Result<Asker, Refusal> {
    let malformed = |_| Refusal::new(code::GENERIC, "malformed AP-REQ");
    let request: krb::ApReq = wire::decode(request).map_err(malformed)?;
    let ticket = open_ticket(core, &request.ticket)?;
    // CVE-2022-2031: a ticket-granting ticket changes no password.
    if ticket.record.principal != service(core) {
        return Err(Refusal::new(
            code::NOT_US,
            "the ticket is for another service",
        ));
    }
    if ticket.times.end <= now.seconds || ticket.flags & flags::ticket::INVALID != 0 {
        return Err(Refusal::new(
            code::TICKET_EXPIRED,
            "the ticket does not hold",
        ));
    }
    let opened = ticket
        .session_key
        .decrypt(
            KeyUsage::AP_REQ_AUTHENTICATOR,
            &request.authenticator.cipher,
        )
        .map_err(|_| Refusal::new(code::BAD_INTEGRITY, "the authenticator does not open"))?;
    let authenticator: krb::Authenticator = wire::decode(&opened)?;
    if wire::principal(&authenticator.crealm, &authenticator.cname) != ticket.client {
        return Err(Refusal::new(
            code::BAD_MATCH,
            "ticket and authenticator name two clients",
        ));
    }
    let age = wire::seconds(&authenticator.ctime).abs_diff(now.seconds);
    if age > core.config.skew.unsigned_abs() {
        return Err(Refusal::new(code::SKEW, "clock skew too great"));
    }
    if !core.remember(&request.authenticator.cipher, now.seconds) {
        return Err(Refusal::new(
            code::REPEAT,
            "this authenticator has come before",
        ));
    }
    let key = match &authenticator.subkey {
        Some(subkey) => wire::open_key(subkey)?,
        None => ticket.session_key.duplicate(),
    };
    Ok(Asker {
        ticket,
        authenticator,
        key,
    })
}

pub(super) fn service(core: &Core) -> Principal {
    let realm = core.realm.name();
    Principal::new(realm, ["kadmin", "changepw"], NameType::SRV_INST)
}

/// The KRB-PRIV's data (RFC 4120 §3.5.2).
fn open(asker: &Asker, private: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let message: krb::KrbPriv = wire::decode(private).ok()?;
    let opened = asker
        .key
        .decrypt(KeyUsage::KRB_PRIV, &message.enc_part.cipher)
        .ok()?;
    let part: krb::EncKrbPrivPart = wire::decode(&opened).ok()?;
    // RFC 3244 §2: it belongs to this AP-REQ. MIT's clients begin at 0, and leave that out in both places.
    let expected = asker.authenticator.seq_number.unwrap_or(0);
    let fresh = part.seq_number.unwrap_or(0) == expected
        || (part.seq_number.is_none() && part.timestamp.is_some());
    fresh.then(|| Zeroizing::new(part.user_data.to_vec()))
}

fn change(core: &mut Core, asker: &Asker, version: u16, data: &[u8]) -> Verdict {
    let malformed = || Verdict::new(result::MALFORMED, "malformed data");
    let client = asker.ticket.client.clone();
    let (password, target) = match version {
        CHANGE => (Zeroizing::new(data.to_vec()), client.clone()),
        _ => {
            let Ok(data) = wire::decode::<ChangePasswdData>(data) else {
                return malformed();
            };
            let target = match (&data.targrealm, &data.targname) {
                (Some(realm), Some(name)) => wire::principal(realm, name),
                (None, Some(name)) => wire::principal(&asker.ticket.part.crealm, name),
                _ => client.clone(),
            };
            (Zeroizing::new(data.newpasswd.to_vec()), target)
        }
    };
    let own = target == client;
    // RFC 3244 §2: whoever changes his own password has just shown that he knows the old one.
    if own && asker.ticket.flags & flags::ticket::INITIAL == 0 {
        return Verdict::new(result::INITIAL_FLAG_NEEDED, "get an initial ticket first");
    }
    let may_set = core
        .find(&client)
        .is_some_and(|record| record.account.sets_passwords);
    if !own && !may_set {
        return Verdict::new(result::ACCESS_DENIED, "not another's password");
    }
    let Ok(password) = String::from_utf8(password.to_vec()) else {
        return malformed();
    };
    let password = Password::new(password);
    if let Some(verdict) = against_policy(core, &password) {
        return verdict;
    }
    let record = core
        .records
        .iter_mut()
        .find(|record| record.is_named(&target));
    match record.and_then(Arc::get_mut) {
        Some(record) => {
            record.set_password(&password);
            Verdict::new(result::SUCCESS, "")
        }
        None => Verdict::new(result::HARD_ERROR, "no such account"),
    }
}

fn against_policy(core: &Core, password: &Password) -> Option<Verdict> {
    let policy = core.config.password_policy.as_ref()?;
    if password.expose().chars().count() >= policy.shortest {
        return None;
    }
    let mut verdict = Verdict::new(result::SOFT_ERROR, &policy.text);
    if core.config.windows_errors {
        // As Active Directory tells its policy: zero (16 bits), shortest length, history, properties (32 bits each),
        // longest and shortest age (64 bits each, in 100 ns).
        let shortest = u32::try_from(policy.shortest).unwrap_or(u32::MAX);
        verdict.text = vec![0; 2];
        verdict.text.extend(shortest.to_be_bytes());
        verdict.text.extend([0; 24]);
    }
    Some(verdict)
}

/// The refusal of who could not be authenticated: nothing can be sealed for him.
fn refuse(core: &mut Core, now: FixedClock, verdict: &Verdict) -> Result<Vec<u8>, Error> {
    let refusal = Refusal::new(code::GENERIC, "see the data").with_data(verdict.to_bytes());
    let error = refusal.to_error(core.realm.name(), None, now)?;
    frame(&[], &wire::encode(&error)?)
}

/// AP-REP and KRB-PRIV (RFC 4120 §3.2.4, §3.5.1).
fn sealed(
    core: &mut Core,
    asker: &Asker,
    verdict: &Verdict,
    now: FixedClock,
) -> Result<Vec<u8>, Error> {
    let number = 1;
    let part = krb::EncApRepPart {
        ctime: asker.authenticator.ctime.clone(),
        cusec: asker.authenticator.cusec.clone(),
        subkey: None,
        seq_number: Some(number),
    };
    let session_key = &asker.ticket.session_key;
    let cipher = session_key.encrypt(KeyUsage::AP_REP, &wire::encode(&part)?, &mut *core.random)?;
    let reply = krb::ApRep {
        pvno: wire::integer(5),
        msg_type: wire::integer(15),
        enc_part: krb::EncryptedData {
            etype: session_key.enctype().id(),
            kvno: None,
            cipher: wire::octets(&cipher),
        },
    };
    let part = krb::EncKrbPrivPart {
        user_data: wire::octets(&verdict.to_bytes()),
        timestamp: Some(wire::time(now.seconds)?),
        usec: Some(wire::integer(now.microseconds)),
        seq_number: Some(number),
        sender_address: address(core.password_host),
        recipient_address: None,
    };
    let cipher = asker
        .key
        .encrypt(KeyUsage::KRB_PRIV, &wire::encode(&part)?, &mut *core.random)?;
    let private = krb::KrbPriv {
        pvno: wire::integer(5),
        msg_type: wire::integer(21),
        enc_part: krb::EncryptedData {
            etype: asker.key.enctype().id(),
            kvno: None,
            cipher: wire::octets(&cipher),
        },
    };
    frame(&wire::encode(&reply)?, &wire::encode(&private)?)
}

/// RFC 4120 §5.2.5.
fn address(host: IpAddr) -> krb::HostAddress {
    let (addr_type, bytes) = match host {
        IpAddr::V4(host) => (krb::HostAddress::IPV4, host.octets().to_vec()),
        IpAddr::V6(host) => (krb::HostAddress::IPV6, host.octets().to_vec()),
    };
    krb::HostAddress {
        addr_type,
        address: wire::octets(&bytes),
    }
}

/// Where the service says it is when it is nowhere.
pub(super) const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
