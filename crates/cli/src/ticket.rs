//! Tickets, for people and machines.

use core::fmt::Write as _;

use countersign::credential::TicketCredential;
use countersign::token::der::Decode;
use countersign::token::kerberos::{KerberosTime, Ticket};
use serde_json::{Value, json};

use crate::output::{duration, enctype_name, fold};

/// What of a ticket is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Columns {
    pub(crate) flags: bool,
    pub(crate) enctypes: bool,
}

/// The ticket in some lines, the service first.
pub(crate) fn text(ticket: &TicketCredential, now: i64, columns: Columns) -> String {
    let times = &ticket.times;
    let mut rows = vec![("valid", validity(ticket, now))];
    if times.renew_till > 0 {
        rows.push(("renewable", format!("until {}", moment(times.renew_till))));
    }
    if columns.flags {
        rows.push(("flags", flags(ticket).join(", ")));
    }
    if columns.enctypes {
        let of_ticket = ticket_enctype(ticket).map_or_else(|| "unknown".to_owned(), enctype_name);
        let of_key = enctype_name(ticket.key.enctype_id());
        rows.push((
            "enctype",
            format!("{of_key} (session), {of_ticket} (ticket)"),
        ));
    }
    if ticket.is_skey {
        rows.push(("note", "for user-to-user authentication".to_owned()));
    }
    let mut text = fold(&ticket.server.to_string(), 4);
    for (name, value) in rows {
        // A string takes what is written to it.
        let _ = write!(text, "\n{}", fold(&format!("  {name:<10} {value}"), 13));
    }
    text
}

fn validity(ticket: &TicketCredential, now: i64) -> String {
    let (from, until) = (ticket.times.valid_from(), ticket.times.end_time);
    let left = u64::try_from(until.saturating_sub(now)).unwrap_or(0);
    let note = if from > now {
        "not yet".to_owned()
    } else if left == 0 {
        "expired".to_owned()
    } else {
        format!("{} left", duration(left))
    };
    format!("{} to {} ({note})", moment(from), moment(until))
}

/// A moment in universal time.
pub(crate) fn moment(seconds: i64) -> String {
    KerberosTime { seconds }.to_string()
}

/// The names of the flags, as words.
pub(crate) fn flags(ticket: &TicketCredential) -> Vec<String> {
    ticket
        .flags
        .names()
        .map(|name| name.to_lowercase().replace('_', "-"))
        .collect()
}

/// The enctype of the ticket itself, which only its service opens.
fn ticket_enctype(ticket: &TicketCredential) -> Option<i32> {
    Ticket::from_der(&ticket.ticket)
        .ok()
        .map(|ticket| ticket.enc_part.etype)
}

/// The version of the key that the ticket needs.
pub(crate) fn kvno(ticket: &TicketCredential) -> Option<u32> {
    Ticket::from_der(&ticket.ticket)
        .ok()
        .and_then(|ticket| ticket.enc_part.kvno)
}

pub(crate) fn to_json(ticket: &TicketCredential, now: i64) -> Value {
    let times = &ticket.times;
    let optional = |seconds: i64| (seconds > 0).then_some(seconds);
    json!({
        "client": ticket.client.to_string(),
        "service": ticket.server.to_string(),
        "starts": times.valid_from(),
        "expires": times.end_time,
        "renewable_until": optional(times.renew_till),
        "valid": ticket.is_valid_at(now, 0),
        "flags": flags(ticket),
        "session_enctype": enctype_name(ticket.key.enctype_id()),
        "ticket_enctype": ticket_enctype(ticket).map(enctype_name),
        "kvno": kvno(ticket),
        "user_to_user": ticket.is_skey,
    })
}
