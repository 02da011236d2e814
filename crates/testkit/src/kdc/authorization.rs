//! PACs in the KDC's tickets: made for a user, kept from ticket to ticket, signed anew each time (MS-PAC §2.8).

use countersign_credential::Principal;
use countersign_crypto::KeyUsage;
use rasn_kerberos as krb;

use super::account::Record;
use super::core::{Core, Session};
use super::evidence::Evidence;
use super::messages::PaPacRequest;
use super::refusal::{Refusal, code};
use super::request::padata;
use super::s4u::{Subject, SubjectKind};
use crate::{Error, PacBuilder, PacLogonInfo, pac, wire};

/// AD-IF-RELEVANT, RFC 4120 §5.2.6.1, and AD-WIN2K-PAC, MS-PAC §2.2.
const IF_RELEVANT: i32 = 1;
const WIN2K_PAC: i32 = 128;
/// The first relative identifier that the KDC gives by itself.
const FIRST_RID: u32 = 1_101;

/// The domain that PACs speak of.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) sid: String,
}

/// The PAC of an initial ticket, unless the client wants none (MS-KILE §3.3.5.6.4).
pub(super) fn initial(core: &Core, session: &Session, client: &Record) -> Option<PacBuilder> {
    let wish = session.request.padata(padata::PAC_REQUEST);
    let wish = wish.and_then(|value| wire::decode::<PaPacRequest>(value).ok());
    match wish.is_none_or(|wish| wish.include_pac) {
        true => of_user(core, client),
        false => None,
    }
}

/// What a domain controller knows of a user.
fn of_user(core: &Core, user: &Record) -> Option<PacBuilder> {
    let domain = core.config.domain.as_ref()?;
    let position = core
        .records
        .iter()
        .position(|record| record.principal == user.principal)?;
    let rid = user.account.rid.or_else(|| {
        let position = u32::try_from(position).ok()?;
        FIRST_RID.checked_add(position)
    })?;
    let name = user.account.name.as_str();
    let mut logon = PacLogonInfo::new(name, &domain.name, &domain.sid, rid);
    for group in &user.account.groups {
        logon = logon.group(group);
    }
    let realm = core.realm.name();
    let sid = format!("{}-{rid}", domain.sid);
    let enterprise = user
        .account
        .aliases
        .iter()
        .find(|alias| alias.contains('@'));
    let upn = match enterprise {
        Some(alias) => alias.clone(),
        None => format!("{name}@{}", realm.to_lowercase()),
    };
    let pac = PacBuilder::of(logon)
        .upn_extended(&upn, realm, name, &sid)
        .attributes(2, 1)
        .requestor(&sid);
    Some(pac)
}

/// The PAC of a ticket that another one buys.
pub(super) fn derived(
    core: &Core,
    evidence: &Evidence,
    subject: &Subject,
    server: &Principal,
) -> Result<Option<PacBuilder>, Refusal> {
    let part = match subject.kind {
        SubjectKind::SelfService => {
            let user = core.find(&subject.client);
            return Ok(user.and_then(|user| of_user(core, &user)));
        }
        SubjectKind::Own => &evidence.ticket.part,
        SubjectKind::Proxy => match &subject.ticket {
            Some(ticket) => &ticket.part,
            None => return Ok(None),
        },
    };
    let Some(pac) = pac_of(part.authorization_data.as_ref()) else {
        return Ok(None);
    };
    let pac = PacBuilder::from_pac(&pac)?;
    Ok(Some(match subject.kind {
        // S4U_DELEGATION_INFO: for whom, and through whom (MS-PAC §2.9).
        SubjectKind::Proxy => {
            let asking = evidence.ticket.client.to_string();
            pac.delegation(&name(server), &[&asking])
        }
        _ => pac,
    }))
}

fn name(server: &Principal) -> String {
    let components: Vec<_> = server.components().map(String::from_utf8_lossy).collect();
    components.join("/")
}

/// The PAC among the data.
fn pac_of(data: Option<&krb::AuthorizationData>) -> Option<Vec<u8>> {
    let elements = data?.iter().filter(|element| element.r#type == IF_RELEVANT);
    let inner =
        elements.filter_map(|element| wire::decode::<krb::AuthorizationData>(&element.data).ok());
    let mut inner = inner.flatten();
    let pac = inner.find(|element| element.r#type == WIN2K_PAC)?;
    Some(pac.data.to_vec())
}

/// Whether the ticket of a user is as the KDC made it: the service has its key, and could have changed it
/// (CVE-2020-17049). The ticket's signature in the PAC is the KDC's (MS-PAC §2.8.3).
pub(super) fn is_untouched(core: &Core, part: &krb::EncTicketPart) -> Result<(), Refusal> {
    if core.config.domain.is_none() {
        return Ok(());
    }
    let touched = || Refusal::new(code::MODIFIED, "the user's ticket is not what the KDC made");
    let pac = pac_of(part.authorization_data.as_ref()).ok_or_else(touched)?;
    let signature = pac::buffer(&pac, pac::buffer_type::TICKET_SIGNATURE);
    let (kind, signature) = signature
        .and_then(|signature| signature.split_first_chunk::<4>())
        .ok_or_else(touched)?;
    let covered = wire::encode(&with_pac_blanked(part)?)?;
    let granting = core.granting().ok_or_else(touched)?;
    let mut keys = granting.kvnos().flat_map(|kvno| {
        let enctypes = granting.enctypes();
        enctypes.into_iter().map(move |enctype| (enctype, kvno))
    });
    let holds = keys.any(|(enctype, kvno)| {
        granting.key(enctype, Some(kvno)).is_some_and(|key| {
            let kind = i32::from_le_bytes(*kind);
            let usage = KeyUsage::PAC_SIGNATURE;
            key.verify_checksum(usage, kind, &[&covered], signature)
                .is_ok()
        })
    });
    holds.then_some(()).ok_or_else(touched)
}

/// What the ticket's signature covers: one zero byte stands for the PAC (MS-PAC §2.8.3).
fn with_pac_blanked(part: &krb::EncTicketPart) -> Result<krb::EncTicketPart, Error> {
    let mut part = part.clone();
    for element in part.authorization_data.iter_mut().flatten() {
        if pac_of(Some(&vec![element.clone()])).is_some() {
            let mut inner: krb::AuthorizationData = wire::decode(&element.data)?;
            for pac in inner.iter_mut().filter(|inner| inner.r#type == WIN2K_PAC) {
                pac.data = wire::octets(&[0]);
            }
            element.data = wire::octets(&wire::encode(&inner)?);
        }
    }
    Ok(part)
}

/// The data without PACs, which are made anew.
pub(super) fn without_pac(mut data: krb::AuthorizationData) -> krb::AuthorizationData {
    data.retain(|element| pac_of(Some(&vec![element.clone()])).is_none());
    data
}
