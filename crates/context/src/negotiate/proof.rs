//! The proof that both sides saw the same list of mechanisms: a MIC over it each way (RFC 4178 §5).

use crate::error::{Error, NegotiationProblem};
use crate::flags::Flags;
use crate::security_context::SecurityContext;

/// Whether the list has to be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Demand {
    /// The mechanism is what both sides like best.
    No,
    /// Somebody wants it; a mechanism without integrity goes without.
    WherePossible,
    /// The mechanism is not the initiator's first choice: the context does not go without.
    Always,
}

/// The two MICs over the list.
#[derive(Debug)]
pub(super) struct Proof {
    /// The MechTypeList as it was sent, byte for byte: tag 0x30, without the field around it.
    list: Vec<u8>,
    demand: Demand,
    pub(super) sent: bool,
    pub(super) verified: bool,
}

impl Proof {
    pub(super) fn of(list: Vec<u8>) -> Self {
        Self {
            list,
            demand: Demand::No,
            sent: false,
            verified: false,
        }
    }

    /// Nothing that was demanded before is forgotten.
    pub(super) fn demand(&mut self, demand: Demand) {
        self.demand = self.demand.max(demand);
    }

    /// Whether it is demanded, if it can be had.
    pub(super) fn is_wanted(&self) -> bool {
        self.demand != Demand::No
    }

    /// Whether this context does not go without.
    pub(super) fn is_required(&self, context: &SecurityContext) -> bool {
        match self.demand {
            Demand::No => false,
            Demand::WherePossible => context.flags().contains(Flags::INTEGRITY),
            Demand::Always => true,
        }
    }

    /// Ours, once.
    pub(super) fn make(&mut self, context: &mut SecurityContext) -> Result<Vec<u8>, Error> {
        check_integrity(context)?;
        self.sent = true;
        context.negotiation_mic(&self.list)
    }

    /// The peer's. Where the context protects nothing there is no MIC (RFC 4178 §5): what pyspnego and
    /// others send all the same proves nothing, and counts for nothing where none is required.
    pub(super) fn verify(
        &mut self,
        context: &mut SecurityContext,
        mic: &[u8],
    ) -> Result<(), Error> {
        if self.verified {
            return Err(NegotiationProblem::MicRepeated.into());
        }
        match check_integrity(context) {
            Err(_) if self.demand != Demand::Always => return Ok(()),
            checked => checked?,
        }
        context
            .verify_negotiation_mic(&self.list, mic)
            .map_err(|_| NegotiationProblem::MicMismatch)?;
        self.verified = true;
        Ok(())
    }
}

/// Without integrity a MIC proves nothing: anybody may know the key.
fn check_integrity(context: &SecurityContext) -> Result<(), Error> {
    if context.flags().contains(Flags::INTEGRITY) {
        Ok(())
    } else {
        Err(NegotiationProblem::Unprotected.into())
    }
}
