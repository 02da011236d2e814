//! Services that act for users, MS-SFU: to themselves (S4U2self) and to others (S4U2proxy).

use countersign_context::credential::{Principal, TicketCredential};
use countersign_context::kerberos::kdc::{
    Acquisition, ClientCredential, InitialTicket, ServiceTicket, TicketOptions,
};
use countersign_context::token::kerberos::TicketFlags;
use countersign_context::{KdcProblem, Policy};

use crate::Result;
use crate::kdc::Kdc::{self, Heimdal, Mit, Samba};
use crate::kdc::client::{has_flags, is_problem, text};
use crate::kdc::lab::Lab;
use crate::kdc::rows::tickets::{self, ticket};
use crate::kdc::rows::{Row, add};

/// KDC_ERR_BADOPTION.
const BAD_OPTION: KdcProblem = KdcProblem::Refused {
    code: 13,
    nt_status: None,
};

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    add(rows, &Kdc::ALL, "S4U2self", to_itself);
    add(rows, &[Samba], "S4U2self, enterprise name", enterprise);
    let unproven = "S4U2self, nothing proves for whom: refused";
    add(rows, &[Heimdal, Samba], unproven, |lab| {
        let tgt = log_in_by_keytab(lab, service(lab))?;
        let exchange = ServiceTicket::s4u2self(tgt, lab.principal("alice")?);
        is_problem(lab.client()?.run(exchange), KdcProblem::ClientNotVerified)
    });
    add(rows, &Kdc::ALL, "S4U2self, unknown user: refused", |lab| {
        let tgt = log_in_by_keytab(lab, service(lab))?;
        let exchange = proven(lab, ServiceTicket::s4u2self(tgt, lab.principal("nobody")?));
        is_problem(lab.client()?.run(exchange), KdcProblem::ClientUnknown)
    });
    // MIT's KDC permits it with its LDAP back end only.
    add(rows, &[Heimdal, Samba], "S4U2proxy", to_another);
    add(
        rows,
        &[Samba],
        "S4U2proxy, with the user's ticket",
        with_evidence,
    );
    add(
        rows,
        &Kdc::ALL,
        "S4U2proxy, not permitted: refused",
        |lab| proxy_is_refused(lab, "alice", forbidden(lab)),
    );
    add(
        rows,
        &[Samba],
        "S4U2proxy, user not to be delegated: refused",
        |lab| proxy_is_refused(lab, "sensitive", "HTTP/web.ad.test"),
    );
    // Its KDC knows the old kind of delegation only, and says so.
    add(
        rows,
        &[Samba],
        "S4U2proxy, resource-based: refused",
        |lab| proxy_is_refused(lab, "alice", "HTTP/back.ad.test"),
    );
}

/// The account that may impersonate, whose keytab is of the same name.
const fn service(lab: &Lab) -> &'static str {
    match lab.kdc {
        Mit | Heimdal => "s4u",
        Samba => "front",
    }
}

const fn forbidden(lab: &Lab) -> &'static str {
    match lab.kdc {
        Mit => "host/aes256-sha1.one.test",
        Heimdal => "host/aes128-sha1.heimdal.test",
        Samba => "host/files.ad.test",
    }
}

fn log_in_by_keytab(lab: &Lab, name: &str) -> Result<TicketCredential> {
    let options = TicketOptions::default().forwardable(true);
    let exchange = InitialTicket::new(lab.principal(name)?, lab.keys(name, name)?);
    let outcome = lab.client()?.run(exchange.options(options));
    Ok(outcome.map_err(text)?.credential)
}

/// MIT's reply proves for whom the ticket is. Samba's does so in armor only, and Heimdal's never.
fn proven(lab: &Lab, exchange: ServiceTicket) -> ServiceTicket {
    let exchange = exchange.options(TicketOptions::default().forwardable(true));
    match lab.kdc {
        Mit => exchange,
        Samba => exchange.require_armor(),
        Heimdal => exchange.dangerous_accept_unverified_user(),
    }
}

fn enterprise(lab: &Lab) -> Result<()> {
    let user = Principal::enterprise("alice@corp.example", lab.kdc.realm());
    let service = service(lab);
    let tgt = log_in_by_keytab(lab, service)?;
    let exchange = ServiceTicket::s4u2self(tgt, user);
    let ticket = ticket(lab, proven(lab, exchange))?;
    // The ticket names the user as the request did.
    let name = r"alice\@corp.example";
    lab.accepts(ticket, service, name, &Policy::default())
        .map(|_| ())
}

fn to_itself(lab: &Lab) -> Result<()> {
    let service = service(lab);
    let tgt = log_in_by_keytab(lab, service)?;
    let exchange = ServiceTicket::s4u2self(tgt, lab.principal("alice")?);
    let ticket = ticket(lab, proven(lab, exchange))?;
    has_flags(&ticket, TicketFlags::FORWARDABLE)?;
    lab.accepts(ticket, service, "alice", &Policy::default())
        .map(|_| ())
}

/// The service, as a credential for a user.
fn on_behalf_of(lab: &Lab, user: &str) -> Result<ClientCredential> {
    let name = service(lab);
    let service = ClientCredential::keytab(lab.principal(name)?, &lab.keytab(name)?);
    let service = service
        .map_err(text)?
        .options(TicketOptions::default().forwardable(true));
    let service = match lab.kdc {
        Samba => service.require_armor(),
        Mit | Heimdal => service,
    };
    let user = ClientCredential::on_behalf_of(&service, lab.principal(user)?);
    Ok(match lab.kdc {
        Mit | Samba => user,
        Heimdal => user.dangerous_accept_unverified_user(),
    })
}

fn to_another(lab: &Lab) -> Result<()> {
    let (target, keytab) = tickets::service(lab);
    let user = on_behalf_of(lab, "alice")?;
    let exchange = Acquisition::new(&user, lab.principal(target)?);
    let ticket = lab.client()?.run(exchange).map_err(text)?;
    lab.accepts(ticket, keytab, "alice", &Policy::default())
        .map(|_| ())
}

/// The user came with a ticket: nothing is impersonated that was not there.
fn with_evidence(lab: &Lab) -> Result<()> {
    let name = service(lab);
    let own = match lab.kdc {
        Samba => "HTTP/front.ad.test",
        _ => name,
    };
    let exchange = ServiceTicket::new(lab.log_in("alice")?, lab.principal(own)?)
        .options(TicketOptions::default().forwardable(true));
    let evidence = ticket(lab, exchange)?;
    let (target, keytab) = tickets::service(lab);
    let tgt = log_in_by_keytab(lab, name)?;
    let exchange = ServiceTicket::s4u2proxy(tgt, evidence, lab.principal(target)?);
    let ticket = ticket(lab, exchange)?;
    lab.accepts(ticket, keytab, "alice", &Policy::default())
        .map(|_| ())
}

fn proxy_is_refused(lab: &Lab, user: &str, target: &str) -> Result<()> {
    let user = on_behalf_of(lab, user)?;
    let exchange = Acquisition::new(&user, lab.principal(target)?);
    is_problem(lab.client()?.run(exchange), BAD_OPTION)
}
