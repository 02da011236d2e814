//! A ticket that the KDC has decided to give, and the reply around it.

use std::sync::Arc;

use countersign_credential::Principal;
use countersign_crypto::{Key, KeyUsage};
use rasn_kerberos as krb;

use super::account::Record;
use super::core::{Core, Session};
use super::fast::{self, FastPolicy};
use super::preauth::data;
use super::refusal::{Refusal, code};
use super::request::{RequestKind, padata};
use crate::{Error, PacBuilder, wire};

/// What goes into a ticket (RFC 4120 §5.3).
pub(super) struct Grant {
    pub(super) client: Principal,
    /// The server as the ticket names it.
    pub(super) server: Principal,
    pub(super) sealing: Sealing,
    pub(super) session_key: Key,
    pub(super) flags: u32,
    pub(super) auth_time: i64,
    pub(super) times: Times,
    pub(super) transited: Vec<u8>,
    pub(super) addresses: Option<krb::HostAddresses>,
    pub(super) authorization_data: Option<krb::AuthorizationData>,
    /// The PAC, to be signed.
    pub(super) pac: Option<PacBuilder>,
}

/// Whose key seals the ticket.
pub(super) enum Sealing {
    /// The service's strongest.
    Service(Arc<Record>),
    /// Another ticket's session key (RFC 4120 §3.7): user-to-user.
    SessionKey(Key),
}

/// From when until when a ticket holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) renew_till: Option<i64>,
}

/// What the reply is sealed in.
pub(super) struct ReplyKey {
    pub(super) key: Key,
    pub(super) usage: KeyUsage,
    pub(super) kvno: Option<u32>,
}

/// What the reply says besides the ticket.
#[derive(Default)]
pub(super) struct ReplyExtras {
    pub(super) padata: Vec<krb::PaData>,
    pub(super) encrypted_padata: Vec<krb::PaData>,
    /// Whether the client gets a checksum of its request (RFC 6806 §11).
    pub(super) covers_request: bool,
    pub(super) key_expiration: Option<i64>,
}

impl Grant {
    /// EncTicketPart, RFC 4120 §5.3.
    fn part(&self) -> Result<krb::EncTicketPart, Error> {
        Ok(krb::EncTicketPart {
            flags: krb::TicketFlags(wire::flags(self.flags)),
            key: wire::key(&self.session_key),
            crealm: wire::string(self.client.realm())?,
            cname: wire::name(&self.client)?,
            transited: krb::TransitedEncoding {
                // DOMAIN-X500-COMPRESS, RFC 4120 §3.3.3.2.
                r#type: 1,
                contents: wire::octets(&self.transited),
            },
            auth_time: wire::time(self.auth_time)?,
            start_time: Some(wire::time(self.times.start)?),
            end_time: wire::time(self.times.end)?,
            renew_till: self.times.renew_till.map(wire::time).transpose()?,
            caddr: self.addresses.clone(),
            authorization_data: self.authorization_data.clone(),
        })
    }

    fn seal(&self, core: &mut Core, session: &Session) -> Result<krb::Ticket, Refusal> {
        let mut part = self.part()?;
        core.edits.ticket(&session.seen, &mut part);
        let no_key = || Refusal::new(code::NO_KEY, "the service has no key");
        let (key, kvno) = match &self.sealing {
            Sealing::Service(record) => (
                record.strongest_key().ok_or_else(no_key)?,
                Some(record.kvno()),
            ),
            Sealing::SessionKey(key) => (key, None),
        };
        if let Some(pac) = &self.pac {
            let granting = core.granting().ok_or_else(no_key)?;
            let kdc_key = granting.strongest_key().ok_or_else(no_key)?;
            let mut pac = pac.clone();
            // MS-PAC §2.8: only what goes to services has a ticket's and a full signature.
            if self.server.is_ticket_granting_service() {
                pac = pac.for_ticket_granting();
            }
            core.edits.pac(&session.seen, &mut pac);
            pac.embed(&mut part, key, kdc_key)?;
        }
        let plaintext = wire::encode(&part)?;
        let cipher = key.encrypt(KeyUsage::TICKET, &plaintext, &mut *core.random)?;
        Ok(krb::Ticket {
            tkt_vno: wire::integer(5),
            realm: wire::string(self.server.realm())?,
            sname: wire::name(&self.server)?,
            enc_part: krb::EncryptedData {
                etype: key.enctype().id(),
                kvno,
                cipher: wire::octets(&cipher),
            },
        })
    }

    /// EncKDCRepPart, RFC 4120 §5.4.2.
    fn reply_part(
        &self,
        session: &Session,
        extras: &ReplyExtras,
    ) -> Result<krb::EncKdcRepPart, Error> {
        Ok(krb::EncKdcRepPart {
            key: wire::key(&self.session_key),
            last_req: vec![krb::LastReqValue {
                r#type: 0,
                value: wire::time(session.now.seconds)?,
            }],
            nonce: session.request.body.nonce,
            key_expiration: extras.key_expiration.map(wire::time).transpose()?,
            flags: krb::TicketFlags(wire::flags(self.flags)),
            auth_time: wire::time(self.auth_time)?,
            start_time: Some(wire::time(self.times.start)?),
            end_time: wire::time(self.times.end)?,
            renew_till: self.times.renew_till.map(wire::time).transpose()?,
            srealm: wire::string(self.server.realm())?,
            sname: wire::name(&self.server)?,
            caddr: self.addresses.clone(),
            encrypted_pa_data: optional(extras.encrypted_padata.clone()),
        })
    }

    /// The KDC-REP, RFC 4120 §5.4.2.
    pub(super) fn reply(
        &self,
        core: &mut Core,
        session: &Session,
        reply_key: &ReplyKey,
        mut extras: ReplyExtras,
    ) -> Result<Vec<u8>, Refusal> {
        let ticket = self.seal(core, session)?;
        let mut key = reply_key.key.duplicate();
        let mut shown_client = self.client.clone();
        let mut outside = std::mem::take(&mut extras.padata);
        if let Some(tunnel) = core.tunnel(session) {
            let strengthen = Key::generate(key.enctype(), &mut *core.random)?;
            key = fast::strengthened(&strengthen, &key)?;
            shown_client = tunnel.shown_client(&self.client);
            let response = tunnel.response(session, outside, &strengthen, &self.client, &ticket)?;
            outside = vec![tunnel.seal(core, session, response)?];
        }
        if extras.covers_request {
            extras
                .encrypted_padata
                .push(checksum_of_request(session, &key)?);
            if core.config.fast != FastPolicy::Unavailable {
                extras.encrypted_padata.push(data(padata::FX_FAST, &[]));
            }
        }
        let mut part = self.reply_part(session, &extras)?;
        core.edits.enc_part(&session.seen, &mut part);
        let initial = session.seen.kind == RequestKind::As;
        let plaintext = match initial {
            true => wire::encode(&krb::EncAsRepPart(part))?,
            false => wire::encode(&krb::EncTgsRepPart(part))?,
        };
        let cipher = key.encrypt(reply_key.usage, &plaintext, &mut *core.random)?;
        let mut reply = krb::KdcRep {
            pvno: wire::integer(5),
            msg_type: wire::integer(if initial { 11 } else { 13 }),
            padata: optional(outside),
            crealm: wire::string(shown_client.realm())?,
            cname: wire::name(&shown_client)?,
            ticket,
            enc_part: krb::EncryptedData {
                etype: key.enctype().id(),
                kvno: reply_key.kvno,
                cipher: wire::octets(&cipher),
            },
        };
        core.edits.reply(&session.seen, &mut reply);
        Ok(match initial {
            true => wire::encode(&krb::AsRep(reply))?,
            false => wire::encode(&krb::TgsRep(reply))?,
        })
    }
}

/// PA-REQ-ENC-PA-REP, RFC 6806 §11: the checksum of the request as it came, with the reply key.
fn checksum_of_request(session: &Session, reply_key: &Key) -> Result<krb::PaData, Error> {
    let mac = reply_key.mac(KeyUsage::AS_REQ);
    let tag = mac.compute(&[&session.seen.bytes]);
    let checksum = krb::Checksum {
        r#type: mac.checksum_type().id(),
        checksum: wire::octets(tag.as_bytes()),
    };
    Ok(data(padata::REQ_ENC_PA_REP, &wire::encode(&checksum)?))
}

fn optional<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
