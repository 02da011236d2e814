//! The TGS exchange (RFC 4120 §3.3): tickets for services, and tickets made of tickets. A ticket is good
//! when our acceptor, with the service's own keys, sees the client that it is for.

use std::sync::Arc;
use std::time::Duration;

use countersign_context::credential::TicketCredential;
use countersign_context::kerberos::kdc::{
    Acquisition, ClientCredential, ServiceTicket, TicketOptions,
};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::token::kerberos::TicketFlags;
use countersign_context::{EnctypeSet, Flags, KdcProblem, Policy};
use countersign_handshake::kdc::Error;

use crate::Result;
use crate::kdc::Kdc::{self, Heimdal, Mit, Samba};
use crate::kdc::accept::establish;
use crate::kdc::client::{enctype, environment, has_flags, is_problem, text};
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add, need_rc4};
use crate::lab::ENCTYPES;

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    for name in ENCTYPES {
        let kdcs: &[Kdc] = match name {
            "aes256-sha1" => &Kdc::ALL,
            "camellia256" | "camellia128" => &[Mit],
            _ => &[Mit, Heimdal],
        };
        let added = add(
            rows,
            kdcs,
            format!("TGS, service with {name}"),
            move |lab| service_with(lab, name),
        );
        if name == "rc4" {
            need_rc4(added);
        }
    }
    add(rows, &[Samba], "TGS, service without AES: refused", |lab| {
        let tgt = lab.log_in("alice")?;
        let exchange = ServiceTicket::new(tgt, lab.principal("HTTP/old.ad.test")?);
        match lab.client()?.run(exchange) {
            Ok(outcome) => Err(format!("got {:?}", outcome.credential)),
            Err(Error::Refused(_)) => Ok(()),
            Err(other) => Err(other.to_string()),
        }
    });
    let named = "TGS, service without AES, by a policy that names RC4";
    need_rc4(add(rows, &[Samba], named, old_service));
    add(rows, &[Mit, Samba], "TGS, in FAST armor", in_armor);
    // Heimdal 7 has FAST for initial tickets only.
    add(
        rows,
        &[Heimdal],
        "TGS, in armor that the KDC has not: refused",
        |lab| {
            let exchange = ServiceTicket::new(lab.log_in("alice")?, lab.principal(service(lab).0)?);
            let unarmored = KdcProblem::Unarmored { code: None };
            is_problem(lab.client()?.run(exchange.require_armor()), unarmored)
        },
    );
    add(
        rows,
        &Kdc::ALL,
        "TGS, through the cache, from a password",
        acquired,
    );
    add(rows, &Kdc::ALL, "TGS, unknown service: refused", |lab| {
        let tgt = lab.log_in("alice")?;
        let exchange = ServiceTicket::new(tgt, lab.principal("host/nowhere.test")?);
        is_problem(lab.client()?.run(exchange), KdcProblem::ServiceUnknown)
    });
    add(rows, &Kdc::ALL, "TGS, renewed", renewed);
    add(
        rows,
        &[Mit, Heimdal],
        "TGS, postdated, then validated",
        validated,
    );
    add(rows, &Kdc::ALL, "TGS, forwarded", forwarded);
    add(rows, &Kdc::ALL, "TGS, proxy", proxied);
    add(rows, &Kdc::ALL, "TGS, user to user", user_to_user);
    add(rows, &[Mit], "TGS, for user to user only: refused", |lab| {
        let exchange = ServiceTicket::new(lab.log_in("alice")?, lab.principal("u2u")?);
        let only = KdcProblem::Refused {
            code: 27,
            nt_status: None,
        };
        is_problem(lab.client()?.run(exchange), only)
    });
    add(
        rows,
        &[Samba],
        "TGS, with a PAC and without",
        with_pac_and_without,
    );
}

/// A service of each lab with AES keys: its name and its keytab.
pub(super) const fn service(lab: &Lab) -> (&'static str, &'static str) {
    match lab.kdc {
        Mit => ("host/aes256-sha1.one.test", "aes256-sha1"),
        Heimdal => ("host/aes256-sha1.heimdal.test", "aes256-sha1"),
        Samba => ("HTTP/web.ad.test", "web"),
    }
}

/// Runs an exchange for a ticket.
pub(super) fn ticket(lab: &Lab, exchange: ServiceTicket) -> Result<Arc<TicketCredential>> {
    Ok(lab.client()?.run(exchange).map_err(text)?.credential)
}

fn service_with(lab: &Lab, name: &str) -> Result<()> {
    let (service, keytab) = match lab.kdc {
        Mit => (format!("host/{name}.one.test"), name),
        Heimdal => (format!("host/{name}.heimdal.test"), name),
        Samba => ("HTTP/web.ad.test".to_owned(), "web"),
    };
    let policy = Policy::default().with_enctypes(EnctypeSet::AES.with(enctype(name)?));
    let exchange = ServiceTicket::new(lab.log_in("alice")?, lab.principal(&service)?);
    let mut environment = environment(policy.enctypes());
    let outcome = lab.client()?.run_with(exchange, &mut environment);
    let ticket = outcome.map_err(text)?.credential;
    lab.accepts(ticket, keytab, "alice", &policy).map(|_| ())
}

/// Its ticket is encrypted with rc4-hmac, and the session with AES.
fn old_service(lab: &Lab) -> Result<()> {
    let policy = Policy::default().with_enctypes(EnctypeSet::AES.with(enctype("rc4")?));
    let exchange = ServiceTicket::new(lab.log_in("alice")?, lab.principal("HTTP/old.ad.test")?);
    let mut environment = environment(policy.enctypes());
    let outcome = lab.client()?.run_with(exchange, &mut environment);
    let ticket = outcome.map_err(text)?.credential;
    lab.accepts(ticket, "old", "alice", &policy).map(|_| ())
}

fn in_armor(lab: &Lab) -> Result<()> {
    let (service, keytab) = service(lab);
    let exchange = ServiceTicket::new(lab.log_in("alice")?, lab.principal(service)?);
    let ticket = ticket(lab, exchange.require_armor())?;
    lab.accepts(ticket, keytab, "alice", &Policy::default())
        .map(|_| ())
}

fn acquired(lab: &Lab) -> Result<()> {
    let (service, keytab) = service(lab);
    let alice = ClientCredential::new(lab.principal("alice")?, lab.password("alice"));
    let client = lab.client()?;
    let target = lab.principal(service)?;
    let first = client
        .run(Acquisition::new(&alice, target.clone()))
        .map_err(text)?;
    // Now from the cache: nobody needs to be asked.
    let nobody = lab.client_of(&[])?;
    let second = nobody.run(Acquisition::new(&alice, target)).map_err(text)?;
    if first.ticket != second.ticket {
        return Err("another ticket came from the cache".into());
    }
    lab.accepts(second, keytab, "alice", &Policy::default())
        .map(|_| ())
}

fn renewed(lab: &Lab) -> Result<()> {
    let options = TicketOptions::default()
        .lifetime(Duration::from_secs(3600))
        .renewable(Duration::from_secs(36 * 3600));
    let old = lab.log_in_for("alice", options)?;
    std::thread::sleep(Duration::from_millis(1_100));
    let (end, service) = (old.times.end_time, service(lab));
    let new = ticket(lab, ServiceTicket::renew(old))?;
    has_flags(&new, TicketFlags::RENEWABLE)?;
    if new.times.end_time <= end {
        return Err(format!("ends at {} and not later", new.times.end_time));
    }
    let ticket = ticket(lab, ServiceTicket::new(new, lab.principal(service.0)?))?;
    lab.accepts(ticket, service.1, "alice", &Policy::default())
        .map(|_| ())
}

fn validated(lab: &Lab) -> Result<()> {
    let start = lab.log_in("alice")?.times.auth_time.saturating_add(2);
    let options = TicketOptions::default().start_at(start);
    let postdated = lab.log_in_for("alice", options)?;
    has_flags(&postdated, TicketFlags::POSTDATED | TicketFlags::INVALID)?;
    std::thread::sleep(Duration::from_millis(2_500));
    let valid = ticket(lab, ServiceTicket::validate(postdated))?;
    if valid.flags.contains(TicketFlags::INVALID) {
        return Err("it is still invalid".into());
    }
    let (service, keytab) = service(lab);
    let ticket = ticket(lab, ServiceTicket::new(valid, lab.principal(service)?))?;
    lab.accepts(ticket, keytab, "alice", &Policy::default())
        .map(|_| ())
}

fn forwarded(lab: &Lab) -> Result<()> {
    let forwarded = ticket(lab, ServiceTicket::forward(lab.log_in("alice")?))?;
    has_flags(&forwarded, TicketFlags::FORWARDED)?;
    let (service, keytab) = service(lab);
    let ticket = ticket(lab, ServiceTicket::new(forwarded, lab.principal(service)?))?;
    lab.accepts(ticket, keytab, "alice", &Policy::default())
        .map(|_| ())
}

fn proxied(lab: &Lab) -> Result<()> {
    let (service, keytab) = service(lab);
    let options = TicketOptions::default().proxiable(true);
    let tgt = lab.log_in_for("alice", options.clone())?;
    let service = lab.principal(service)?;
    let proxy = match lab.kdc {
        // MIT makes a proxy ticket of a ticket for the same service only.
        Mit => {
            let exchange = ServiceTicket::new(tgt, service.clone()).options(options);
            ServiceTicket::proxy(ticket(lab, exchange)?, service)
        }
        Heimdal | Samba => ServiceTicket::proxy(tgt, service),
    };
    let proxy = ticket(lab, proxy)?;
    has_flags(&proxy, TicketFlags::PROXY)?;
    lab.accepts(proxy, keytab, "alice", &Policy::default())
        .map(|_| ())
}

/// The service has no key but that of its own ticket-granting ticket.
fn user_to_user(lab: &Lab) -> Result<()> {
    // Samba knows no service without a service principal name.
    let peer = match lab.kdc {
        Mit => "u2u",
        Heimdal => "bob",
        Samba => "front",
    };
    let theirs = Arc::new(lab.log_in(peer)?);
    let (tgt, service) = (lab.log_in("alice")?, lab.principal(peer)?);
    let ticket = ticket(
        lab,
        ServiceTicket::user_to_user(tgt, service, Arc::clone(&theirs)),
    )?;
    let credential = AcceptorCredential::user_to_user(theirs);
    let (_, accepted) = establish(
        Box::new(Initiator::new(ticket).require(Flags::CONFIDENTIALITY)),
        Box::new(Acceptor::new(&credential)),
        &Policy::default(),
    )?;
    let client = accepted.peer().and_then(|peer| peer.principal());
    if client != Some(&lab.principal("alice")?) {
        return Err(format!("the peer sees {client:?}"));
    }
    Ok(())
}

fn with_pac_and_without(lab: &Lab) -> Result<()> {
    let mut lengths = Vec::new();
    for include in [true, false] {
        let exchange = lab.initial("alice")?.pac_request(include);
        let tgt = lab.client()?.run(exchange).map_err(text)?.credential;
        let exchange = ServiceTicket::new(tgt, lab.principal("HTTP/web.ad.test")?);
        lengths.push(ticket(lab, exchange)?.ticket.len());
    }
    match lengths.as_slice() {
        [with, without] if with.saturating_sub(*without) > 400 => Ok(()),
        _ => Err(format!("tickets of {lengths:?} bytes")),
    }
}
