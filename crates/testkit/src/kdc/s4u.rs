//! Tickets in another's name: S4U2self and S4U2proxy, MS-SFU §3.2.5.
//!
//! ```text
//! S4U2self    PA-FOR-USER or PA-S4U-X509-USER in a TGS-REQ for the asking service itself          MS-SFU §3.2.5.1
//! S4U2proxy   CNAME-IN-ADDL-TKT, and the user's ticket to the asking service beside the request    MS-SFU §3.2.5.2
//! ```

use std::sync::Arc;

use countersign_credential::Principal;
use countersign_crypto::{Key, KeyUsage, verify_equal};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use rasn_kerberos as krb;

use super::account::{AccountState, Record};
use super::authorization;
use super::core::{Core, Session};
use super::evidence::{self, Evidence, Opened};
use super::messages::{PaForUser, PaPacOptions, PaS4uX509User};
use super::preauth::data;
use super::refusal::{Refusal, code};
use super::request::{option, padata};
use crate::{Error, flags, wire};

/// The checksum of PA-FOR-USER, whatever the key's enctype: KERB_CHECKSUM_HMAC_MD5 (RFC 4757 §4).
const HMAC_MD5: i32 = -138;
/// PA-S4U-X509-USER in the request and, where the client asked for it, in the reply (MS-SFU §2.2.2).
const X509_REQUEST: KeyUsage = KeyUsage(26);
const X509_REPLY: KeyUsage = KeyUsage(27);
/// USE-REPLY-KEY-USAGE, MS-SFU §2.2.2.
const USE_REPLY_KEY_USAGE: u32 = 1 << 29;
/// Resource-based constrained delegation, bit 3 of PA-PAC-OPTIONS (MS-KILE §2.2.10).
const RESOURCE_BASED: u32 = 1 << 28;

/// In whose name a ticket is given, and what follows from that.
pub(super) struct Subject {
    pub(super) client: Principal,
    /// The ticket that the user's data come from; `None` for the one that the request came with.
    pub(super) ticket: Option<Opened>,
    /// Whether the ticket may be forwardable, where it is in another's name.
    pub(super) forwardable: Option<bool>,
    pub(super) kind: SubjectKind,
    pub(super) padata: Vec<krb::PaData>,
    pub(super) encrypted_padata: Vec<krb::PaData>,
}

/// How the subject came to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubjectKind {
    /// It asks for itself.
    Own,
    /// A service asks in its name, for the service.
    SelfService,
    /// A service asks in its name, for another.
    Proxy,
}

/// Finds out in whose name the ticket is asked for.
pub(super) fn subject(
    core: &Core,
    session: &Session,
    evidence: &Evidence,
    server: &Arc<Record>,
) -> Result<Subject, Refusal> {
    let mut subject = Subject {
        client: evidence.ticket.client.clone(),
        ticket: None,
        forwardable: None,
        kind: SubjectKind::Own,
        padata: Vec::new(),
        encrypted_padata: Vec::new(),
    };
    if session.request.body.asks(option::CNAME_IN_ADDL_TKT) {
        proxy(core, session, evidence, server, &mut subject)?;
    } else if let Some(user) = named_user(session, evidence, &mut subject)? {
        own_service(core, evidence, server, &user, &mut subject)?;
    }
    Ok(subject)
}

/// The user that the padata name, where they name one.
fn named_user(
    session: &Session,
    evidence: &Evidence,
    subject: &mut Subject,
) -> Result<Option<Principal>, Refusal> {
    let malformed = |_| Refusal::new(code::BAD_OPTION, "malformed S4U data");
    if let Some(value) = session.request.padata(padata::S4U_X509_USER) {
        let named: PaS4uX509User = wire::decode(value).map_err(malformed)?;
        let (key, _) = evidence.reply_key();
        verify_x509(session, &named, key)?;
        subject.padata.push(x509_reply(&named, key)?);
        if let Some(name) = &named.user_id.cname {
            return Ok(Some(wire::principal(&named.user_id.crealm, name)));
        }
        return Err(Refusal::new(
            code::CLIENT_UNKNOWN,
            "certificates name nobody here",
        ));
    }
    let Some(value) = session.request.padata(padata::FOR_USER) else {
        return Ok(None);
    };
    let named: PaForUser = wire::decode(value).map_err(malformed)?;
    verify_for_user(&named, &evidence.ticket.session_key)?;
    Ok(Some(wire::principal(&named.user_realm, &named.user_name)))
}

/// MS-SFU §2.2.2: the checksum covers S4UUserID, and its nonce is the request's.
fn verify_x509(session: &Session, named: &PaS4uX509User, key: &Key) -> Result<(), Refusal> {
    let modified = || Refusal::new(code::MODIFIED, "the S4U data are not what the client sent");
    if named.user_id.nonce != session.request.body.nonce {
        return Err(modified());
    }
    let covered = wire::encode(&named.user_id)?;
    let checksum = &named.checksum;
    key.verify_checksum(
        X509_REQUEST,
        checksum.r#type,
        &[&covered],
        &checksum.checksum,
    )
    .map_err(|_| modified())
}

fn x509_reply(named: &PaS4uX509User, key: &Key) -> Result<krb::PaData, Error> {
    let options = named.user_id.options.as_ref().map_or(0, wire::bits);
    let usage = match options & USE_REPLY_KEY_USAGE {
        0 => X509_REQUEST,
        _ => X509_REPLY,
    };
    let mut reply = named.clone();
    let mac = key.mac(usage);
    reply.checksum = krb::Checksum {
        r#type: mac.checksum_type().id(),
        checksum: wire::octets(mac.compute(&[&wire::encode(&reply.user_id)?]).as_bytes()),
    };
    Ok(data(padata::S4U_X509_USER, &wire::encode(&reply)?))
}

/// MS-SFU §2.2.1: HMAC-MD5 (RFC 4757 §4, usage 17) of the name type, the components, the realm and the package.
fn verify_for_user(named: &PaForUser, key: &Key) -> Result<(), Refusal> {
    let computed = for_user_checksum(named, key)
        .ok_or_else(|| Refusal::new(code::GENERIC, "no checksum with this key"))?;
    match named.cksum.r#type == HMAC_MD5 && verify_equal(&computed, &named.cksum.checksum) {
        true => Ok(()),
        false => Err(Refusal::new(
            code::MODIFIED,
            "the S4U data are not what the client sent",
        )),
    }
}

pub(super) fn for_user_checksum(named: &PaForUser, key: &Key) -> Option<[u8; 16]> {
    let mac = |key: &[u8], data: &[u8]| -> Option<[u8; 16]> {
        let mut mac = Hmac::<Md5>::new_from_slice(key).ok()?;
        mac.update(data);
        Some(mac.finalize().into_bytes().into())
    };
    let signing = mac(key.expose(), b"signaturekey\0")?;
    let mut hash = Md5::new();
    hash.update(KeyUsage::PAC_SIGNATURE.0.to_le_bytes());
    hash.update(named.user_name.r#type.to_le_bytes());
    for component in &named.user_name.string {
        hash.update(component.as_bytes());
    }
    hash.update(named.user_realm.as_bytes());
    hash.update(named.auth_package.as_bytes());
    mac(&signing, &hash.finalize())
}

/// S4U2self, MS-SFU §3.2.5.1.2.
fn own_service(
    core: &Core,
    evidence: &Evidence,
    server: &Record,
    user: &Principal,
    subject: &mut Subject,
) -> Result<(), Refusal> {
    if !server.is_named(&evidence.ticket.client) {
        return Err(Refusal::new(
            code::BAD_MATCH,
            "a service asks in others' names for itself only",
        ));
    }
    let user = core
        .find(user)
        .ok_or_else(|| Refusal::new(code::CLIENT_UNKNOWN, "no such user"))?;
    match user.account.state {
        AccountState::Disabled | AccountState::Locked | AccountState::Expired => {
            return Err(Refusal::new(
                code::CLIENT_REVOKED,
                "the user's account is not good",
            ));
        }
        AccountState::Active | AccountState::PasswordExpired | AccountState::MustChangePassword => {
        }
    }
    subject.client = user.principal.clone();
    subject.kind = SubjectKind::SelfService;
    // MS-SFU §3.2.5.1.2: who may delegate only what users brought gets nothing that can be delegated.
    let service = &server.account;
    let may_delegate = service.any_protocol || service.delegates_to.is_empty();
    subject.forwardable = Some(may_delegate && !user.account.sensitive);
    Ok(())
}

/// S4U2proxy, MS-SFU §3.2.5.2.
fn proxy(
    core: &Core,
    session: &Session,
    evidence: &Evidence,
    server: &Record,
    subject: &mut Subject,
) -> Result<(), Refusal> {
    let refused = |text| Refusal::new(code::BAD_OPTION, text);
    let ticket = session.request.body.additional_tickets.first();
    let ticket = ticket.ok_or_else(|| refused("no user's ticket"))?;
    let ticket = evidence::open_ticket(core, ticket)?;
    if ticket.times.end <= session.now.seconds {
        return Err(Refusal::new(
            code::TICKET_EXPIRED,
            "the user's ticket is over",
        ));
    }
    let asking = &evidence.ticket.client;
    if !ticket.record.is_named(asking) {
        return Err(Refusal::new(
            code::BAD_MATCH,
            "the user's ticket is for another service",
        ));
    }
    authorization::is_untouched(core, &ticket.part)?;
    let names = |list: &[String], who: &Record| {
        list.iter()
            .any(|name| who.is_named(&core.realm.principal(name)))
    };
    let service = &ticket.record;
    let forwardable = ticket.flags & flags::ticket::FORWARDABLE != 0;
    let options = session.request.padata(padata::PAC_OPTIONS);
    let options = options.and_then(|value| wire::decode::<PaPacOptions>(value).ok());
    let options = options.map_or(0, |options| wire::bits(&options.flags));
    let resource_based = names(&server.account.accepts_delegation_from, service);
    if names(&service.account.delegates_to, server) {
        // MS-SFU §3.2.5.2.1: the classic list is for forwardable tickets.
        if !forwardable && !resource_based {
            return Err(refused("the user's ticket is not forwardable"));
        }
    } else if options & RESOURCE_BASED == 0 || !resource_based {
        return Err(refused("neither service allows this delegation"));
    }
    let user = core.find(&ticket.client);
    if !forwardable && user.is_some_and(|user| user.account.sensitive) {
        return Err(refused("the user's account is not delegated"));
    }
    if options & RESOURCE_BASED != 0 {
        let told = PaPacOptions {
            flags: wire::flags(RESOURCE_BASED),
        };
        let told = data(padata::PAC_OPTIONS, &wire::encode(&told)?);
        subject.encrypted_padata.push(told);
    }
    subject.client = ticket.client.clone();
    subject.kind = SubjectKind::Proxy;
    subject.forwardable = Some(true);
    subject.ticket = Some(ticket);
    Ok(())
}
