//! The encrypted parts of an AP-REQ, opened with the service's key: the ticket, and with the
//! session key in it the authenticator.

use countersign::credential::{Keytab, Principal};
use countersign::crypto::{Enctype, Key, KeyUsage};
use countersign::token::der::{Decode, Encoded};
use countersign::token::describe;
use countersign::token::framing::InitialToken;
use countersign::token::kerberos::gss_token::{self, TokenId};
use countersign::token::kerberos::{ApReq, EncTicketPart, Ticket};

use super::Part;
use crate::failure::Failure;

/// Opens what the keytab opens, adding a part for each.
pub(super) fn open(token: &[u8], keytab: &Keytab, parts: &mut Vec<Part>) -> Result<(), Failure> {
    let inner = InitialToken::parse(token).map_or(token, |framed| framed.inner);
    let message = gss_token::expect(inner, TokenId::ApReq).unwrap_or(inner);
    if let Ok(request) = ApReq::from_der(message) {
        let key = open_ticket(request.ticket.value(), keytab, parts)?;
        let plaintext = key
            .decrypt(KeyUsage::AP_REQ_AUTHENTICATOR, request.authenticator.cipher)
            .map_err(|_| {
                Failure::refused("the authenticator does not decrypt with the ticket's session key")
            })?;
        parts.push(Part {
            title: "the authenticator, opened with the session key".to_owned(),
            lines: describe::tree(&plaintext),
        });
        return Ok(());
    }
    if let Ok(ticket) = Encoded::<Ticket<'_>>::parse(message) {
        return open_ticket(ticket.value(), keytab, parts).map(drop);
    }
    Err(Failure::usage(
        "only an AP-REQ or a ticket has parts that a keytab opens; this is neither",
    ))
}

/// Opens the ticket and returns its session key.
fn open_ticket(
    ticket: &Ticket<'_>,
    keytab: &Keytab,
    parts: &mut Vec<Part>,
) -> Result<Key, Failure> {
    let claimed = Principal::from_token(ticket.realm.unverified(), ticket.sname.unverified());
    let (kvno, etype) = (ticket.enc_part.kvno, ticket.enc_part.etype);
    let enctype = Enctype::from_id(etype).ok_or_else(|| {
        Failure::refused(format!(
            "the ticket's enctype {etype} is not one this program has"
        ))
    })?;
    let candidates: Vec<_> = keytab.candidates(kvno, enctype).collect();
    if candidates.is_empty() {
        let kvno = kvno.map_or_else(|| "no version".to_owned(), |kvno| format!("version {kvno}"));
        return Err(Failure::refused(format!(
            "the keytab has no key for the ticket of {claimed} ({kvno}, {})",
            enctype.name()
        )));
    }
    let opened = candidates.iter().find_map(|entry| {
        let plaintext = entry
            .key()?
            .decrypt(KeyUsage::TICKET, ticket.enc_part.cipher)
            .ok()?;
        Some((entry, plaintext))
    });
    let Some((entry, plaintext)) = opened else {
        return Err(Failure::refused(format!(
            "the ticket of {claimed} does not decrypt with what the keytab has of its version and \
             enctype (keys tried: {}); get a fresh keytab",
            candidates.len()
        )));
    };
    parts.push(Part {
        title: format!(
            "the ticket, opened with version {} of the key of {}",
            entry.kvno(),
            entry.principal()
        ),
        lines: describe::tree(&plaintext),
    });
    let part = EncTicketPart::from_der(&plaintext)
        .map_err(|error| Failure::refused(format!("the ticket's encrypted part: {error}")))?;
    let etype = part.key.keytype;
    let enctype = Enctype::from_id(etype).ok_or_else(|| {
        Failure::refused(format!(
            "the session key's enctype {etype} is not one this program has"
        ))
    })?;
    Key::new(enctype, part.key.keyvalue)
        .map_err(|error| Failure::refused(format!("the session key: {error}")))
}
