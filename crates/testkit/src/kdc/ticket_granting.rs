//! The TGS exchange, RFC 4120 §3.3: a ticket by a ticket.

use std::sync::Arc;

use countersign_credential::Principal;
use countersign_crypto::{Enctype, KeyUsage};
use rasn_kerberos as krb;

use super::account::Record;
use super::core::{Core, Session};
use super::evidence::{self, Evidence};
use super::grant::{Grant, ReplyExtras, ReplyKey, Sealing, Times};
use super::refusal::{Refusal, code};
use super::request::{Body, option};
use super::s4u::{Subject, SubjectKind};
use super::{authorization, fast, lifetime, path, s4u};
use crate::{flags, wire};

pub(super) fn answer(core: &mut Core, session: &mut Session) -> Result<Vec<u8>, Refusal> {
    let evidence = evidence::check(core, session)?;
    fast::open_granting(core, session, &evidence)?;
    let body = session.request.body.clone();
    let (server, server_name) = server(core, &body)?;
    buys(core, &evidence, &body, &server_name)?;
    let transited = path::transited(core, &evidence)?;
    let subject = s4u::subject(core, session, &evidence, &server)?;
    let times = times(core, session, &evidence)?;
    let mut flags = flags(session, &evidence, &server, &times)?;
    match subject.forwardable {
        // MS-SFU §3.2.5.2.3: a delegated ticket can be delegated on.
        Some(true) if subject.kind == SubjectKind::Proxy || body.asks(option::FORWARDABLE) => {
            flags |= flags::ticket::FORWARDABLE;
        }
        Some(_) => flags &= !flags::ticket::FORWARDABLE,
        None => {}
    }
    let (sealing, enctypes) = sealing(core, session, &server, subject.kind)?;
    let session_key = core.session_key(&body.etypes, &enctypes)?;
    let part = subject
        .ticket
        .as_ref()
        .map_or(&evidence.ticket.part, |ticket| &ticket.part);
    let pac = authorization::derived(core, &evidence, &subject, &server_name)?;
    let grant = Grant {
        client: subject.client.clone(),
        server: server_name,
        sealing,
        session_key,
        flags,
        auth_time: wire::seconds(&part.auth_time),
        times,
        transited,
        addresses: match body.asks(option::FORWARDED | option::PROXY) {
            true => body.addresses.clone(),
            false => part.caddr.clone(),
        },
        authorization_data: authorization_data(&evidence, &subject, &body)?,
        pac,
    };
    let (key, usage) = evidence.reply_key();
    let reply_key = ReplyKey {
        key: key.duplicate(),
        usage,
        kvno: None,
    };
    let extras = ReplyExtras {
        padata: subject.padata,
        encrypted_padata: subject.encrypted_padata,
        ..ReplyExtras::default()
    };
    grant.reply(core, session, &reply_key, extras)
}

fn server(core: &Core, body: &Body) -> Result<(Arc<Record>, Principal), Refusal> {
    let unknown = || Refusal::new(code::SERVER_UNKNOWN, "no such server");
    let asked = body.server.as_ref().ok_or_else(unknown)?;
    let Some(record) = core.find(asked) else {
        return path::server_referral(core, body, asked).ok_or_else(unknown);
    };
    let name = match body.asks(option::CANONICALIZE) {
        true => record.principal.clone(),
        false => asked.clone(),
    };
    Ok((record, name))
}

/// What the ticket is good for: a ticket-granting ticket for any ticket, another one only for itself, renewed or
/// validated (RFC 4120 §3.3.1, §3.3.3).
fn buys(core: &Core, evidence: &Evidence, body: &Body, server: &Principal) -> Result<(), Refusal> {
    let presented = &evidence.ticket.server;
    if body.asks(option::RENEW | option::VALIDATE) {
        return match presented == server || evidence.ticket.record.is_named(server) {
            true => Ok(()),
            false => Err(Refusal::new(
                code::SERVER_NO_MATCH,
                "another ticket's server",
            )),
        };
    }
    let granting = Principal::ticket_granting_service(core.realm.name(), presented.realm());
    match *presented == granting {
        true => Ok(()),
        false => Err(Refusal::new(code::NOT_US, "not a ticket-granting ticket")),
    }
}

fn times(core: &Core, session: &Session, evidence: &Evidence) -> Result<Times, Refusal> {
    let body = &session.request.body;
    let old = evidence.ticket.times;
    if body.asks(option::RENEW) {
        return lifetime::renewed(session, &old);
    }
    if body.asks(option::VALIDATE) {
        return match old.start > session.now.seconds {
            true => Err(Refusal::new(
                code::TICKET_NOT_YET_VALID,
                "the start lies in the future",
            )),
            false => Ok(old),
        };
    }
    lifetime::derived(&core.config, session, &old)
}

/// RFC 4120 §3.3.3: what the ticket at hand allows, and no more.
fn flags(
    session: &Session,
    evidence: &Evidence,
    server: &Record,
    times: &Times,
) -> Result<u32, Refusal> {
    use flags::ticket as flag;
    let body = &session.request.body;
    let old = evidence.ticket.flags;
    if body.asks(option::RENEW) {
        return Ok(old);
    }
    if body.asks(option::VALIDATE) {
        return Ok(old & !flag::INVALID);
    }
    let mut new = old & (flag::PRE_AUTHENT | flag::FORWARDED | flag::ENC_PA_REP);
    // The option, and the flag that the old ticket must have; or the client asks too much.
    let allowed = [
        (option::FORWARDABLE, flag::FORWARDABLE, flag::FORWARDABLE),
        (option::FORWARDED, flag::FORWARDABLE, flag::FORWARDED),
        (option::PROXIABLE, flag::PROXIABLE, flag::PROXIABLE),
        (option::PROXY, flag::PROXIABLE, flag::PROXY),
        (
            option::ALLOW_POSTDATE,
            flag::MAY_POSTDATE,
            flag::MAY_POSTDATE,
        ),
        (
            option::POSTDATED,
            flag::MAY_POSTDATE,
            flag::POSTDATED | flag::INVALID,
        ),
    ];
    for (asked, needed, given) in allowed {
        if body.asks(asked) {
            // Windows and MIT leave FORWARDABLE and PROXIABLE out without a word; the others are refused.
            let mild = asked == option::FORWARDABLE || asked == option::PROXIABLE;
            match old & needed != 0 {
                true => new |= given,
                false if mild => {}
                false => {
                    return Err(Refusal::new(
                        code::BAD_OPTION,
                        "the ticket does not allow that",
                    ));
                }
            }
        }
    }
    if body.asks(option::PROXY) && server.principal.is_ticket_granting_service() {
        return Err(Refusal::new(
            code::BAD_OPTION,
            "a proxy is no ticket-granting ticket",
        ));
    }
    if times.renew_till.is_some() {
        new |= flag::RENEWABLE;
    }
    if server.account.ok_as_delegate {
        new |= flag::OK_AS_DELEGATE;
    }
    // RFC 4120 §3.3.3.2: who does not want it checked gets no word on it.
    if !body.asks(option::DISABLE_TRANSITED_CHECK) {
        new |= flag::TRANSITED_POLICY_CHECKED;
    }
    Ok(new)
}

/// The service's key, or with ENC-TKT-IN-SKEY the session key of the ticket-granting ticket that the service's user
/// sent to the client (RFC 4120 §3.7).
fn sealing(
    core: &Core,
    session: &Session,
    server: &Arc<Record>,
    kind: SubjectKind,
) -> Result<(Sealing, Vec<Enctype>), Refusal> {
    let body = &session.request.body;
    if !body.asks(option::ENC_TKT_IN_SKEY) || kind == SubjectKind::Proxy {
        return Ok((Sealing::Service(server.clone()), server.session_enctypes()));
    }
    let ticket = body
        .additional_tickets
        .first()
        .ok_or_else(|| Refusal::new(code::BAD_OPTION, "no second ticket"))?;
    let second = evidence::open_ticket(core, ticket)?;
    evidence::holds(core, session, &second)?;
    if !second.server.is_ticket_granting_service() {
        return Err(Refusal::new(
            code::POLICY,
            "the second ticket grants no tickets",
        ));
    }
    // RFC 4120 §3.3.3: the second ticket is the server's own.
    if !server.is_named(&second.client) {
        return Err(Refusal::new(
            code::SERVER_NO_MATCH,
            "the second ticket is another's",
        ));
    }
    let enctypes = vec![second.session_key.enctype()];
    Ok((Sealing::SessionKey(second.session_key), enctypes))
}

/// The old ticket's restrictions, and the ones that the client adds (RFC 4120 §5.2.6, §5.4.1).
fn authorization_data(
    evidence: &Evidence,
    subject: &Subject,
    body: &Body,
) -> Result<Option<krb::AuthorizationData>, Refusal> {
    let old = match (&subject.ticket, subject.kind) {
        (Some(ticket), _) => ticket.part.authorization_data.clone(),
        // What restricts the service says nothing of the user.
        (None, SubjectKind::SelfService) => None,
        (None, _) => evidence.ticket.part.authorization_data.clone(),
    };
    let mut all = authorization::without_pac(old.unwrap_or_default());
    if let Some(sealed) = &body.enc_authorization_data {
        let (key, usage) = match &evidence.subkey {
            Some(subkey) => (subkey, KeyUsage::TGS_REQ_AUTHORIZATION_SUBKEY),
            None => (
                &evidence.ticket.session_key,
                KeyUsage::TGS_REQ_AUTHORIZATION_SESSION,
            ),
        };
        let opened = key
            .decrypt(usage, &sealed.cipher)
            .map_err(|_| Refusal::new(code::BAD_INTEGRITY, "the data do not open"))?;
        all.extend(wire::decode::<krb::AuthorizationData>(&opened)?);
    }
    Ok((!all.is_empty()).then_some(all))
}
