//! The mechanisms that a side offers.

use countersign_token::oid::Oid;

use crate::step::Mechanism;

/// Mechanisms in the order of preference.
#[derive(Debug, Default)]
pub(super) struct Candidates(Vec<Box<dyn Mechanism>>);

/// Both of Kerberos' identifiers are one mechanism (MS-SPNG §3.1.5.2).
pub(super) fn same(one: Oid<'_>, other: Oid<'_>) -> bool {
    one == other || (one.is_kerberos() && other.is_kerberos())
}

impl Candidates {
    pub(super) fn push(&mut self, mechanism: Box<dyn Mechanism>) {
        self.0.push(mechanism);
    }

    /// The most preferred.
    pub(super) fn first(&mut self) -> Option<Box<dyn Mechanism>> {
        if self.0.is_empty() {
            None
        } else {
            Some(self.0.remove(0))
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn supports(&self, mechanism: Oid<'_>) -> bool {
        self.0.iter().any(|one| same(one.mechanism(), mechanism))
    }

    /// Takes that mechanism out.
    pub(super) fn take(&mut self, mechanism: Oid<'_>) -> Option<Box<dyn Mechanism>> {
        let place = self.0.iter();
        let place = place.map(|one| one.mechanism());
        let place = place.into_iter().position(|one| same(one, mechanism))?;
        Some(self.0.remove(place))
    }

    /// Their identifiers: Kerberos' under both, as Windows has it.
    pub(super) fn identifiers(&self) -> impl Iterator<Item = Oid<'static>> {
        self.0
            .iter()
            .flat_map(|mechanism| identifiers(mechanism.mechanism()))
    }
}

/// What a mechanism is offered as.
pub(super) fn identifiers(mechanism: Oid<'static>) -> impl Iterator<Item = Oid<'static>> {
    let alias = (mechanism == Oid::KERBEROS).then_some(Oid::MS_KERBEROS);
    core::iter::once(mechanism).chain(alias)
}
