//! The mechanisms that a side offers.

use countersign_token::oid::Oid;

use crate::step::Mechanism;

/// Mechanisms in the order of preference.
#[derive(Debug, Default)]
pub(super) struct Candidates(Vec<Box<dyn Mechanism>>);

/// Whether a token for the one is a token for the other: both of Kerberos' identifiers stand for
/// one mechanism (MS-SPNG §3.1.5.2).
pub(super) fn same(one: Oid<'_>, other: Oid<'_>) -> bool {
    one == other || (one.is_kerberos() && other.is_kerberos())
}

/// What a mechanism is offered as.
pub(super) fn identifiers(mechanism: &dyn Mechanism) -> impl Iterator<Item = Oid<'static>> {
    core::iter::once(mechanism.mechanism()).chain(mechanism.aliases().iter().copied())
}

fn answers(mechanism: &dyn Mechanism, identifier: Oid<'_>) -> bool {
    identifiers(mechanism).any(|own| own == identifier)
}

impl Candidates {
    pub(super) fn push(&mut self, mechanism: Box<dyn Mechanism>) {
        self.0.push(mechanism);
    }

    /// Takes the most preferred one out.
    pub(super) fn first(&mut self) -> Option<Box<dyn Mechanism>> {
        self.take_at(0)
    }

    /// Where in the order of preference the mechanism with this identifier is.
    pub(super) fn place(&self, identifier: Oid<'_>) -> Option<usize> {
        self.0
            .iter()
            .position(|one| answers(one.as_ref(), identifier))
    }

    /// The identifiers of each mechanism, in the order of preference.
    pub(super) fn each(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = Oid<'static>> + '_> + '_ {
        self.0.iter().map(|one| identifiers(one.as_ref()))
    }

    /// Takes the mechanism with this identifier out.
    pub(super) fn take(&mut self, identifier: Oid<'_>) -> Option<Box<dyn Mechanism>> {
        self.take_at(self.place(identifier)?)
    }

    fn take_at(&mut self, place: usize) -> Option<Box<dyn Mechanism>> {
        (place < self.0.len()).then(|| self.0.remove(place))
    }
}

/// A list of mechanisms as it is sent: each identifier once.
pub(super) fn list(identifiers: impl Iterator<Item = Oid<'static>>) -> Vec<Oid<'static>> {
    let mut list = Vec::new();
    for identifier in identifiers {
        if !list.contains(&identifier) {
            list.push(identifier);
        }
    }
    list
}
