//! The ticket that buys another: PA-TGS-REQ, RFC 4120 §3.3.2.

use std::sync::Arc;

use countersign_credential::Principal;
use countersign_crypto::{Enctype, Key, KeyUsage};
use rasn_kerberos as krb;

use super::account::Record;
use super::core::{Core, Session};
use super::grant::Times;
use super::preauth::within_skew;
use super::refusal::{Refusal, code};
use super::request::{option, padata};
use crate::{flags, wire};

/// A ticket that the KDC has opened.
pub(super) struct Opened {
    pub(super) part: krb::EncTicketPart,
    pub(super) client: Principal,
    /// Whom the ticket is for.
    pub(super) server: Principal,
    pub(super) record: Arc<Record>,
    pub(super) flags: u32,
    pub(super) times: Times,
    pub(super) session_key: Key,
}

/// The ticket that a TGS-REQ is sent with, and the authenticator's subkey.
pub(super) struct Evidence {
    pub(super) ticket: Opened,
    pub(super) subkey: Option<Key>,
}

impl Evidence {
    /// The key and the usage of the reply (RFC 4120 §5.4.2).
    pub(super) fn reply_key(&self) -> (&Key, KeyUsage) {
        match &self.subkey {
            Some(subkey) => (subkey, KeyUsage::TGS_REP_SUBKEY),
            None => (&self.ticket.session_key, KeyUsage::TGS_REP_SESSION),
        }
    }
}

/// Opens a ticket that this KDC, or one that it trusts, has sealed.
pub(super) fn open_ticket(core: &Core, ticket: &krb::Ticket) -> Result<Opened, Refusal> {
    let server = wire::principal(&ticket.realm, &ticket.sname);
    let record = core
        .find(&server)
        .ok_or_else(|| Refusal::new(code::NOT_US, "the ticket is for nobody here"))?;
    let key = Enctype::from_id(ticket.enc_part.etype)
        .and_then(|enctype| record.key(enctype, ticket.enc_part.kvno))
        .ok_or_else(|| Refusal::new(code::BAD_KEY_VERSION, "no such key"))?;
    let plaintext = key
        .decrypt(KeyUsage::TICKET, &ticket.enc_part.cipher)
        .map_err(|_| Refusal::new(code::BAD_INTEGRITY, "the ticket does not open"))?;
    let part: krb::EncTicketPart = wire::decode(&plaintext)?;
    let start = part.start_time.as_ref().unwrap_or(&part.auth_time);
    Ok(Opened {
        client: wire::principal(&part.crealm, &part.cname),
        server,
        record,
        flags: wire::bits(&part.flags.0),
        times: Times {
            start: wire::seconds(start),
            end: wire::seconds(&part.end_time),
            renew_till: part.renew_till.as_ref().map(wire::seconds),
        },
        session_key: wire::open_key(&part.key)?,
        part,
    })
}

/// Whether a ticket holds now (RFC 4120 §3.2.3).
pub(super) fn holds(core: &Core, session: &Session, ticket: &Opened) -> Result<(), Refusal> {
    let now = session.now.seconds;
    if ticket.times.end <= now {
        return Err(Refusal::new(code::TICKET_EXPIRED, "the ticket is over"));
    }
    let validates = session.request.body.asks(option::VALIDATE);
    if ticket.times.start > now.saturating_add(core.config.skew)
        || (ticket.flags & flags::ticket::INVALID != 0) != validates
    {
        return Err(Refusal::new(
            code::TICKET_NOT_YET_VALID,
            "the ticket does not hold yet",
        ));
    }
    Ok(())
}

/// Opens and checks PA-TGS-REQ: the ticket, the authenticator, and its checksum of the body.
pub(super) fn check(core: &mut Core, session: &Session) -> Result<Evidence, Refusal> {
    let value = session
        .request
        .padata(padata::TGS_REQ)
        .ok_or_else(|| Refusal::new(code::PADATA_UNSUPPORTED, "no PA-TGS-REQ"))?;
    let request: krb::ApReq =
        wire::decode(value).map_err(|_| Refusal::new(code::GENERIC, "malformed PA-TGS-REQ"))?;
    let ticket = open_ticket(core, &request.ticket)?;
    holds(core, session, &ticket)?;
    let opened = ticket
        .session_key
        .decrypt(
            KeyUsage::TGS_REQ_AUTHENTICATOR,
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
    within_skew(core, session, wire::seconds(&authenticator.ctime))?;
    covers_body(session, &ticket.session_key, authenticator.cksum.as_ref())?;
    if !core.remember(&request.authenticator.cipher, session.now.seconds) {
        return Err(Refusal::new(
            code::REPEAT,
            "this authenticator has come before",
        ));
    }
    let subkey = authenticator
        .subkey
        .as_ref()
        .map(wire::open_key)
        .transpose()?;
    Ok(Evidence { ticket, subkey })
}

/// RFC 4120 §3.3.2: the authenticator has a keyed checksum of the body.
fn covers_body(
    session: &Session,
    key: &Key,
    checksum: Option<&krb::Checksum>,
) -> Result<(), Refusal> {
    let checksum = checksum
        .ok_or_else(|| Refusal::new(code::INAPPROPRIATE_CHECKSUM, "the body has no checksum"))?;
    let body = &session.request.body_bytes;
    key.verify_checksum(
        KeyUsage::TGS_REQ_CHECKSUM,
        checksum.r#type,
        &[body],
        &checksum.checksum,
    )
    .map_err(|error| match error {
        countersign_crypto::Error::ChecksumType(_) => Refusal::new(
            code::INAPPROPRIATE_CHECKSUM,
            "the checksum is not the key's",
        ),
        _ => Refusal::new(code::MODIFIED, "the body is not what the client sent"),
    })
}
