//! What a KDC refuses, and by what name the client learns it.

use countersign_context::credential::Principal;
use countersign_context::kerberos::kdc::{ClientSecret, InitialTicket};
use countersign_context::{EnctypeSet, KdcProblem};

use crate::Result;
use crate::kdc::Kdc::{self, Heimdal, Mit, Samba};
use crate::kdc::client::{enctype, environment, is_problem, text};
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add, need_rc4};

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    type P = KdcProblem;
    add(rows, &Kdc::ALL, "refused: wrong password", |lab| {
        let exchange = InitialTicket::new(lab.principal("bob")?, ClientSecret::password("wrong"));
        is_problem(lab.client()?.run(exchange), P::WrongSecret)
    });
    add(
        rows,
        &Kdc::ALL,
        "refused: wrong password, in FAST armor",
        |lab| {
            let exchange =
                InitialTicket::new(lab.principal("bob")?, ClientSecret::password("wrong"));
            let exchange = exchange.armor(lab.log_in("alice")?);
            is_problem(lab.client()?.run(exchange), P::WrongSecret)
        },
    );
    add(rows, &Kdc::ALL, "refused: unknown client", |lab| {
        refused(lab, "nobody", P::ClientUnknown)
    });
    add(rows, &Kdc::ALL, "refused: unknown service", |lab| {
        let exchange = lab.initial("alice")?;
        let exchange = exchange.service(lab.principal("host/nowhere.test")?);
        is_problem(lab.client()?.run(exchange), P::ServiceUnknown)
    });
    add(rows, &Kdc::ALL, "refused: account expired", |lab| {
        refused(lab, "expired", P::AccountExpired)
    });
    // Which of the two it is only Windows says; Heimdal says that its policy refuses.
    add(rows, &[Mit, Samba], "refused: account locked", |lab| {
        refused(lab, "locked", P::AccountRevoked)
    });
    add(rows, &[Heimdal], "refused: account locked", |lab| {
        let policy = P::Refused {
            code: 12,
            nt_status: None,
        };
        refused(lab, "locked", policy)
    });
    add(rows, &[Samba], "refused: account disabled", |lab| {
        refused(lab, "disabled", P::AccountDisabled)
    });
    add(rows, &[Mit, Heimdal], "refused: password expired", |lab| {
        refused(lab, "pwexpired", P::PasswordExpired)
    });
    add(
        rows,
        &Kdc::ALL,
        "refused: password must be changed",
        |lab| refused(lab, "needchange", P::PasswordExpired),
    );
    add(rows, &Kdc::ALL, "refused: RC4 keys only", |lab| {
        refused(lab, rc4_only(lab), P::EnctypesDisjoint)
    });
    let named = "RC4 keys only, by a policy that names it";
    need_rc4(add(rows, &Kdc::ALL, named, rc4_named));
    let unknown = "refused: enterprise name that nobody has";
    add(rows, &Kdc::ALL, unknown, nobodys_enterprise_name);
}

fn rc4_named(lab: &Lab) -> Result<()> {
    let named = EnctypeSet::AES.with(enctype("rc4")?);
    let exchange = lab.initial(rc4_only(lab))?;
    let outcome = lab.client()?.run_with(exchange, &mut environment(named));
    outcome.map(|_| ()).map_err(text)
}

fn nobodys_enterprise_name(lab: &Lab) -> Result<()> {
    let name = Principal::enterprise("nobody@corp.example", lab.kdc.realm());
    let exchange = InitialTicket::new(name, lab.password("alice"));
    is_problem(lab.client()?.run(exchange), KdcProblem::ClientUnknown)
}

fn rc4_only(lab: &Lab) -> &'static str {
    match lab.kdc {
        Samba => "rc4",
        Mit | Heimdal => "rc4only",
    }
}

fn refused(lab: &Lab, name: &str, problem: KdcProblem) -> Result<()> {
    is_problem(lab.client()?.run(lab.initial(name)?), problem)
}
