//! From realm to realm: ONE.TEST and TWO.TEST trust each other, TWO.TEST and THREE.TEST do, and nobody else.

use std::sync::Arc;

use countersign_context::credential::{NameType, Principal};
use countersign_context::kerberos::kdc::{RealmPaths, ServiceTicket};
use countersign_context::{KdcProblem, Policy};

use crate::Result;
use crate::kdc::Kdc::Mit;
use crate::kdc::client::{is_problem, text};
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add};

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    for (realm, name) in [("TWO.TEST", "two"), ("THREE.TEST", "three")] {
        let hops = if name == "two" { 1 } else { 2 };
        let scenario = format!("realms, {hops} away, its realm named");
        add(rows, &[Mit], scenario, move |lab| {
            let service = Principal::parse(format!("host/svc.{name}.test@{realm}"));
            reaches(lab, service.map_err(text)?, RealmPaths::new(), name, hops)
        });
        let scenario = format!("realms, {hops} away, by capaths");
        add(rows, &[Mit], scenario, move |lab| {
            let service = Principal::parse(format!("host/svc.{name}.test@{realm}"));
            let through = (hops == 2).then_some("TWO.TEST");
            let paths = RealmPaths::new().with("ONE.TEST", realm, through);
            reaches(lab, service.map_err(text)?, paths, name, hops)
        });
        let scenario = format!("realms, {hops} away, by referral");
        add(rows, &[Mit], scenario, move |lab| {
            let host = format!("svc.{name}.test");
            let service = Principal::new("", ["host", &host], NameType::SRV_HST);
            reaches(lab, service, RealmPaths::new(), name, hops)
        });
    }
    add(
        rows,
        &[Mit],
        "realms, one that nobody knows: refused",
        |lab| {
            let service = Principal::parse("host/svc.four.test@FOUR.TEST").map_err(text)?;
            let exchange = ServiceTicket::new(lab.log_in("alice")?, service);
            is_problem(lab.client()?.run(exchange), KdcProblem::ServiceUnknown)
        },
    );
}

/// Alice gets a ticket that the service accepts, through that many realms beside hers.
fn reaches(
    lab: &Lab,
    service: Principal,
    paths: RealmPaths,
    keytab: &str,
    hops: usize,
) -> Result<()> {
    let tgt = Arc::new(lab.log_in("alice")?);
    let exchange = ServiceTicket::new(tgt, service).paths(paths);
    let outcome = lab.client()?.run(exchange).map_err(text)?;
    if outcome.intermediate.len() != hops {
        return Err(format!("went through {:?}", outcome.intermediate));
    }
    lab.accepts(outcome.credential, keytab, "alice", &Policy::default())
        .map(|_| ())
}
