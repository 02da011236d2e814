//! The AS exchange, RFC 4120 §3.1: a first ticket for who has the key.

use std::sync::Arc;

use countersign_credential::{NameType, Principal};
use countersign_crypto::KeyUsage;

use super::account::{AccountState, Record};
use super::core::{Core, Session};
use super::grant::{Grant, ReplyExtras, ReplyKey, Sealing};
use super::refusal::{Refusal, code};
use super::request::{Body, option, padata};
use super::{authorization, fast, lifetime, path, preauth};
use crate::{Error, flags, wire};

pub(super) fn answer(core: &mut Core, session: &mut Session) -> Result<Vec<u8>, Refusal> {
    fast::open_initial(core, session)?;
    let body = session.request.body.clone();
    if body.realm != core.realm.name().as_bytes() {
        return Err(Refusal::new(code::WRONG_REALM, "not this KDC's realm"));
    }
    let (client, client_name) = client(core, &body)?;
    let (server, server_name) = server(core, &body)?;
    may_log_on(core, session, &client)?;
    let reply_key = preauth::reply_key(session, &client)?.duplicate();
    let proof = preauth::check(core, session, &client)?;
    may_use_password(core, session, &client, &server_name)?;

    let session_key = core.session_key(&body.etypes, &server.session_enctypes())?;
    let times = lifetime::initial(&core.config, session)?;
    let mut flags = flags::ticket::INITIAL;
    if proof.authenticated {
        flags |= flags::ticket::PRE_AUTHENT;
    }
    flags |= flags_asked(&body, &client, &server);
    if times.renew_till.is_some() {
        flags |= flags::ticket::RENEWABLE;
    }
    if times.start > session.now.seconds {
        flags |= flags::ticket::POSTDATED | flags::ticket::INVALID;
    }
    // RFC 6806 §11: a checksum of the whole request shows the client that nobody changed it.
    let covers_request = session.request.padata(padata::REQ_ENC_PA_REP).is_some();
    if covers_request {
        flags |= flags::ticket::ENC_PA_REP;
    }
    let mut padata = vec![preauth::etype_info2(&client, &[reply_key.enctype()])?];
    padata.extend(proof.padata);
    let extras = ReplyExtras {
        padata,
        encrypted_padata: Vec::new(),
        covers_request,
        key_expiration: client.account.password_expires,
    };
    let grant = Grant {
        client: client_name,
        server: server_name,
        sealing: Sealing::Service(server),
        session_key,
        flags,
        auth_time: session.now.seconds,
        times,
        transited: Vec::new(),
        addresses: body.addresses.clone(),
        authorization_data: None,
        pac: authorization::initial(core, session, &client),
    };
    let reply_key = ReplyKey {
        key: reply_key,
        usage: KeyUsage::AS_REP,
        kvno: Some(client.kvno()),
    };
    grant.reply(core, session, &reply_key, extras)
}

/// The client's account, and its name as the ticket has it.
fn client(core: &Core, body: &Body) -> Result<(Arc<Record>, Principal), Refusal> {
    let unknown = || Refusal::new(code::CLIENT_UNKNOWN, "no such client");
    let asked = body.client.as_ref().ok_or_else(unknown)?;
    let refer = || path::client_referral(core, body, asked).unwrap_or_else(unknown);
    let record = core.find(asked).ok_or_else(refer)?;
    // RFC 6806 §6: the true name for who asked for it, and for an enterprise name, which is no principal's name.
    let canonical = body.asks(option::CANONICALIZE) || asked.name_type() == NameType::ENTERPRISE;
    let name = match canonical {
        true => record.principal.clone(),
        false => asked.clone(),
    };
    Ok((record, name))
}

fn server(core: &Core, body: &Body) -> Result<(Arc<Record>, Principal), Refusal> {
    let unknown = || Refusal::new(code::SERVER_UNKNOWN, "no such server");
    let asked = body.server.as_ref().ok_or_else(unknown)?;
    let record = core.find(asked).ok_or_else(unknown)?;
    let name = match body.asks(option::CANONICALIZE) {
        true => record.principal.clone(),
        false => asked.clone(),
    };
    Ok((record, name))
}

/// Options that become flags when nothing speaks against them (RFC 4120 §3.1.3).
fn flags_asked(body: &Body, client: &Record, server: &Record) -> u32 {
    let mut flags = 0;
    let pairs = [
        (option::FORWARDABLE, flags::ticket::FORWARDABLE),
        (option::PROXIABLE, flags::ticket::PROXIABLE),
        (option::ALLOW_POSTDATE, flags::ticket::MAY_POSTDATE),
    ];
    for (option, flag) in pairs {
        if body.asks(option) {
            flags |= flag;
        }
    }
    if client.account.sensitive {
        flags &= !(flags::ticket::FORWARDABLE | flags::ticket::PROXIABLE);
    }
    if server.account.ok_as_delegate {
        flags |= flags::ticket::OK_AS_DELEGATE;
    }
    flags
}

/// What is known before any proof: accounts that are off, locked or over (RFC 4120 §3.1.3).
fn may_log_on(core: &Core, _session: &Session, client: &Record) -> Result<(), Refusal> {
    let refused = match client.account.state {
        AccountState::Active | AccountState::PasswordExpired | AccountState::MustChangePassword => {
            return Ok(());
        }
        AccountState::Disabled => (code::CLIENT_REVOKED, "the account is disabled", 0xc000_0072),
        AccountState::Locked => (code::CLIENT_REVOKED, "the account is locked", 0xc000_0234),
        AccountState::Expired => match core.config.windows_errors {
            true => (code::CLIENT_REVOKED, "the account is over", 0xc000_0193),
            false => (code::CLIENT_EXPIRED, "the account is over", 0),
        },
    };
    Err(account_refusal(core, refused)?)
}

/// What only the client may know: that its password is over. It is still good for changing it.
fn may_use_password(
    core: &Core,
    session: &Session,
    client: &Record,
    server: &Principal,
) -> Result<(), Refusal> {
    let now = session.now.seconds;
    let expired = client
        .account
        .password_expires
        .is_some_and(|time| time <= now);
    let changes_password = server.components().eq([&b"kadmin"[..], b"changepw"]);
    let refused = match client.account.state {
        _ if changes_password => return Ok(()),
        AccountState::MustChangePassword => 0xc000_0224,
        AccountState::PasswordExpired => 0xc000_0071,
        _ if expired => 0xc000_0071,
        _ => return Ok(()),
    };
    let refused = (code::KEY_EXPIRED, "change the password first", refused);
    Err(account_refusal(core, refused)?)
}

/// As Windows does, with the NTSTATUS beside the code: KERB-ERROR-DATA around KERB_EXT_ERROR, MS-KILE §2.2.1.
fn account_refusal(
    core: &Core,
    (code, text, status): (i32, &'static str, u32),
) -> Result<Refusal, Error> {
    let refusal = Refusal::new(code, text);
    if !core.config.windows_errors || status == 0 {
        return Ok(refusal);
    }
    let mut extended = status.to_le_bytes().to_vec();
    extended.extend([0; 4]);
    extended.extend(1_u32.to_le_bytes());
    // KERB_ERR_TYPE_EXTENDED (3), in a sequence that is laid out as PA-DATA is.
    Ok(refusal.with_data(wire::encode(&preauth::data(3, &extended))?))
}
