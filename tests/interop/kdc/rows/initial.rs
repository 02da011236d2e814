//! Initial tickets: the AS exchange (RFC 4120 §3.1) by password and by keytab, in FAST armor (RFC 6113), by
//! UDP and TCP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_context::EnctypeSet;
use countersign_context::credential::{HostAddress, Principal};
use countersign_context::kerberos::kdc::{ClientSecret, InitialTicket, TicketOptions};
use countersign_context::token::kerberos::TicketFlags;
use countersign_handshake::kdc::{KdcClient, KdcEventKind, Transport};

use crate::Result;
use crate::kdc::Kdc::{self, Heimdal, Mit, Samba};
use crate::kdc::client::{enctype, environment, is_tgt, text};
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add, need_rc4};
use crate::lab::ENCTYPES;

/// The KDCs that have accounts with keys of this enctype.
fn kdcs_with(enctype: &str) -> &'static [Kdc] {
    match enctype {
        // Samba's accounts have all three keys or that of RC4 only, and its KDC wants the strongest.
        "aes256-sha1" | "rc4" => &Kdc::ALL,
        "aes128-sha1" | "aes256-sha2" | "aes128-sha2" => &[Mit, Heimdal],
        _ => &[Mit],
    }
}

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    for name in ENCTYPES {
        let kdcs = kdcs_with(name);
        let added = add(rows, kdcs, format!("AS, password, {name}"), move |lab| {
            with_enctype(lab, name, false)
        });
        if name == "rc4" {
            need_rc4(added);
        }
    }
    for name in ENCTYPES {
        let kdcs = kdcs_with(name);
        let added = add(rows, kdcs, format!("AS, keytab, {name}"), move |lab| {
            with_enctype(lab, name, true)
        });
        if name == "rc4" {
            need_rc4(added);
        }
    }
    add(
        rows,
        &Kdc::ALL,
        "AS, password with letters beyond ASCII",
        |lab| gives_tgt(lab, "grün", lab.initial("grün")?, TicketFlags::PRE_AUTHENT),
    );
    add(
        rows,
        &Kdc::ALL,
        "AS, no pre-authentication demanded",
        |lab| {
            let exchange = lab.initial("nopreauth")?;
            gives_tgt(lab, "nopreauth", exchange, TicketFlags::NONE)
        },
    );
    add(rows, &Kdc::ALL, "AS, proof in the first request", |lab| {
        let (client, asked) = observed(lab.client()?);
        let exchange = lab.initial("alice")?.optimistic(true);
        client.run(exchange).map_err(text)?;
        // With aes256-sha2, Heimdal uses a salt of its own, and Samba does not know it.
        match (lab.kdc, asked.lock().map_err(text)?.len()) {
            (Mit, 1) | (Heimdal | Samba, _) => Ok(()),
            (_, rounds) => Err(format!("{rounds} rounds")),
        }
    });
    add(rows, &[Heimdal, Samba], "AS, enterprise name", |lab| {
        let name = Principal::enterprise("alice@corp.example", lab.kdc.realm());
        let exchange = InitialTicket::new(name, lab.password("alice"));
        gives_tgt(lab, "alice", exchange, TicketFlags::PRE_AUTHENT)
    });
    add(
        rows,
        &Kdc::ALL,
        "AS, forwardable, proxiable, renewable",
        |lab| {
            let options = TicketOptions::default()
                .forwardable(true)
                .proxiable(true)
                .renewable(Duration::from_secs(36 * 3600));
            let flags = TicketFlags::FORWARDABLE | TicketFlags::PROXIABLE | TicketFlags::RENEWABLE;
            gives_tgt(lab, "alice", lab.initial("alice")?.options(options), flags)
        },
    );
    add(rows, &Kdc::ALL, "AS, for one hour", for_one_hour);
    add(
        rows,
        &[Mit, Heimdal],
        "AS, for one address",
        for_one_address,
    );
    add(rows, &Kdc::ALL, "AS, in FAST armor", in_armor);
    // Samba's ticket does not fit into a datagram.
    add(
        rows,
        &[Mit, Heimdal],
        "AS, by UDP alone and by TCP alone",
        by_each_transport,
    );
    add(
        rows,
        &[Mit, Samba],
        "AS, reply too long for a datagram",
        too_long,
    );
    add(
        rows,
        &[Mit],
        "AS, a KDC whose clock is an hour ahead",
        ahead,
    );
}

/// Runs the exchange: it is to give a ticket-granting ticket for that client, with these flags.
fn gives_tgt(lab: &Lab, client: &str, exchange: InitialTicket, flags: TicketFlags) -> Result<()> {
    let outcome = lab.client()?.run(exchange).map_err(text)?;
    is_tgt(lab, &outcome, client, flags)
}

fn for_one_hour(lab: &Lab) -> Result<()> {
    let options = TicketOptions::default().lifetime(Duration::from_secs(3600));
    let times = lab.log_in_for("alice", options)?.times;
    match times.end_time.saturating_sub(times.valid_from()) {
        // A second may have passed between the two clocks.
        3599..=3601 => Ok(()),
        seconds => Err(format!("valid for {seconds} s")),
    }
}

fn for_one_address(lab: &Lab) -> Result<()> {
    let here = HostAddress {
        addr_type: 2,
        address: vec![127, 0, 0, 1],
    };
    let options = TicketOptions::default().addresses([here.clone()]);
    let ticket = lab.log_in_for("alice", options)?;
    if ticket.addresses == [here] {
        Ok(())
    } else {
        Err(format!("valid at {:?}", ticket.addresses))
    }
}

fn in_armor(lab: &Lab) -> Result<()> {
    let exchange = lab.initial("bob")?.armor(lab.log_in("alice")?);
    let outcome = lab.client()?.run(exchange).map_err(text)?;
    if !outcome.armored {
        return Err("went without armor".into());
    }
    is_tgt(lab, &outcome, "bob", TicketFlags::PRE_AUTHENT)
}

fn by_each_transport(lab: &Lab) -> Result<()> {
    for (scheme, expected) in [("udp", Transport::Udp), ("tcp", Transport::Tcp)] {
        let endpoint = format!("{scheme}/{}", lab.endpoint()?);
        let (client, asked) = observed(lab.client_of(&[&endpoint])?);
        client.run(lab.initial("alice")?).map_err(text)?;
        let asked = asked.lock().map_err(text)?;
        if asked.is_empty() || asked.iter().any(|transport| *transport != expected) {
            return Err(format!("asked by {asked:?} in place of {expected:?}"));
        }
    }
    Ok(())
}

fn too_long(lab: &Lab) -> Result<()> {
    let endpoint = match lab.kdc {
        Samba => lab.endpoint()?,
        _ => format!("127.0.0.1:{}", lab.variable("SMALL")?),
    };
    let (client, asked) = observed(lab.client_of(&[&endpoint])?);
    client.run(lab.initial("alice")?).map_err(text)?;
    let asked = asked.lock().map_err(text)?;
    if asked.first() == Some(&Transport::Udp) && asked.last() == Some(&Transport::Tcp) {
        Ok(())
    } else {
        Err(format!("asked by {asked:?}"))
    }
}

fn ahead(lab: &Lab) -> Result<()> {
    let endpoint = format!("127.0.0.1:{}", lab.variable("AHEAD")?);
    let client = lab.client_of(&[&endpoint])?;
    let outcome = client.run(lab.initial("alice")?).map_err(text)?;
    match outcome.time_offset {
        3595..=3605 => Ok(()),
        seconds => Err(format!("found to be {seconds} s ahead")),
    }
}

/// The transports by which the client asked, in order.
fn observed(client: KdcClient) -> (KdcClient, Arc<Mutex<Vec<Transport>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let client = client.observe(move |event| {
        if let (KdcEventKind::Asked { transport, .. }, Ok(mut seen)) = (event.kind, seen.lock()) {
            seen.push(transport);
        }
    });
    (client, asked)
}

/// An account whose keys are of one enctype, or whose strongest one is.
fn with_enctype(lab: &Lab, name: &str, keytab: bool) -> Result<()> {
    let only = enctype(name)?;
    let (account, file) = match (lab.kdc, name) {
        (Samba, "aes256-sha1") => ("alice", "alice".to_owned()),
        (Samba, _) => (name, name.to_owned()),
        _ => (name, format!("user-{name}")),
    };
    let principal = lab.principal(account)?;
    let secret = if keytab {
        ClientSecret::keytab(&lab.keytab(&file)?, &principal).map_err(text)?
    } else {
        lab.password(account)
    };
    // What the session is encrypted in is the KDC's choice.
    let mut environment = environment(EnctypeSet::AES.with(only));
    let exchange = InitialTicket::new(principal, secret);
    let outcome = lab.client()?.run_with(exchange, &mut environment);
    let outcome = outcome.map_err(text)?;
    if outcome.key_enctype != only {
        return Err(format!("the key is of {}", outcome.key_enctype.name()));
    }
    is_tgt(lab, &outcome, account, TicketFlags::PRE_AUTHENT)
}
