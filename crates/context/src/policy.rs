//! What is permitted, explicit and safe by default.

use countersign_crypto::Enctype;
#[cfg(feature = "ntlm")]
use countersign_crypto::ntlm::Strength;

/// A set of encryption types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EnctypeSet(u64);

impl EnctypeSet {
    /// The strong AES profiles: aes256-sha2, aes128-sha2, aes256-sha1, aes128-sha1.
    pub const AES: Self = Self(1 << 20 | 1 << 19 | 1 << 18 | 1 << 17);

    /// No enctype at all.
    pub const EMPTY: Self = Self(0);

    /// A set of the listed enctypes.
    #[must_use]
    pub fn of(enctypes: &[Enctype]) -> Self {
        enctypes
            .iter()
            .fold(Self::EMPTY, |set, enctype| set.with(*enctype))
    }

    /// The set with one more enctype.
    #[must_use]
    pub fn with(self, enctype: Enctype) -> Self {
        Self(self.0 | Self::bit(enctype))
    }

    /// The set with one enctype fewer.
    #[must_use]
    pub fn without(self, enctype: Enctype) -> Self {
        Self(self.0 & !Self::bit(enctype))
    }

    /// Whether the enctype is in the set.
    #[must_use]
    pub fn contains(self, enctype: Enctype) -> bool {
        self.0 & Self::bit(enctype) != 0
    }

    /// The enctypes that are in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Every enctype that this library implements is numbered below 64.
    fn bit(enctype: Enctype) -> u64 {
        u32::try_from(enctype.id())
            .ok()
            .and_then(|id| 1u64.checked_shl(id))
            .unwrap_or(0)
    }

    /// The members, strongest first.
    pub fn iter(self) -> impl Iterator<Item = Enctype> + Clone {
        let all = Enctype::ALL.iter().copied();
        all.filter(move |enctype| self.contains(*enctype))
    }
}

impl core::fmt::Debug for EnctypeSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Enctype::name))
            .finish()
    }
}

/// What an acceptor makes of a ticket's PAC (MS-PAC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PacPolicy {
    /// Verified when there is one; a context whose PAC is malformed or forged is refused.
    #[default]
    WhenPresent,
    /// As [`WhenPresent`](Self::WhenPresent), and there must be one that names a SID: for services
    /// that authorize by SID, in a domain all of whose KDCs add PACs. Without it, a client can be
    /// any that has the right name.
    Required,
    /// Neither verified nor offered: for services that use names only, and KDCs that sign PACs
    /// wrongly, as some that copy them across realms.
    Ignored,
}

/// What an acceptor makes of NTLM responses without a MIC (MS-NLMP §3.1.5.1.2). One that a
/// response announces is verified whatever this says.
#[cfg(feature = "ntlm")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MicPolicy {
    /// Refused.
    #[default]
    Required,
    /// Taken: for curl, impacket and other initiators that send none. Whoever is on the way of such
    /// a context can strip flags from its messages, signing and sealing among them; what the
    /// acceptor requires it still gets, or ends the context.
    IfPresent,
}

/// What is permitted of NTLM, where a program names NTLM at all.
///
/// ```
/// use countersign_context::{MicPolicy, NtlmPolicy, Policy};
///
/// let policy = Policy::default().with_ntlm(NtlmPolicy::default().with_mic(MicPolicy::IfPresent));
/// assert!(!policy.ntlm().guests());
/// ```
#[cfg(feature = "ntlm")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NtlmPolicy {
    mic: MicPolicy,
    strength: Strength,
    guests: bool,
    #[cfg(feature = "ntlm-v1")]
    v1: bool,
}

#[cfg(feature = "ntlm")]
impl NtlmPolicy {
    /// NTLMv2 with a MIC, keys of 128 bits, no guests.
    pub const DEFAULT: Self = Self {
        mic: MicPolicy::Required,
        strength: Strength::Bits128,
        guests: false,
        #[cfg(feature = "ntlm-v1")]
        v1: false,
    };

    /// What an acceptor makes of responses without a MIC.
    #[must_use]
    pub fn with_mic(mut self, mic: MicPolicy) -> Self {
        self.mic = mic;
        self
    }

    /// Permits keys as weak as this for signing and sealing (MS-NLMP §3.4.5.3); 56 and 40 bits are
    /// searched in no time.
    #[must_use]
    pub fn with_dangerous_strength(mut self, least: Strength) -> Self {
        self.strength = least;
        self
    }

    /// Admits those whom the user store or the domain controller takes for guests. Nothing is
    /// proved of them, and nothing protects their messages.
    #[must_use]
    pub fn with_guests(mut self, admitted: bool) -> Self {
        self.guests = admitted;
        self
    }

    /// Accepts NTLMv1's responses with extended session security (MS-NLMP §3.3.1), and LMv2's
    /// (§3.3.2). Dangerous: whoever hears the former has the NT hash after some hours of search, and
    /// none of the two has a MIC, channel bindings, a target name or a time. As they have no MIC,
    /// [`MicPolicy::IfPresent`] must be named too.
    ///
    /// Without extended session security NTLMv1 stays refused, and so does LM.
    ///
    /// This is the acceptor's; an initiator sends NTLMv1 where
    /// [`Initiator::dangerous_v1`](crate::ntlm::Initiator::dangerous_v1) says so.
    #[cfg(feature = "ntlm-v1")]
    #[must_use]
    pub fn with_dangerous_v1(mut self, accepted: bool) -> Self {
        self.v1 = accepted;
        self
    }

    /// What an acceptor makes of responses without a MIC.
    #[must_use]
    pub fn mic(&self) -> MicPolicy {
        self.mic
    }

    /// The weakest keys that are permitted.
    #[must_use]
    pub fn strength(&self) -> Strength {
        self.strength
    }

    /// Whether guests are admitted.
    #[must_use]
    pub fn guests(&self) -> bool {
        self.guests
    }

    /// Whether NTLMv1 is accepted.
    #[cfg(feature = "ntlm-v1")]
    #[must_use]
    pub fn v1(&self) -> bool {
        self.v1
    }
}

#[cfg(feature = "ntlm")]
impl Default for NtlmPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What the engine permits. The default refuses everything weak; each relaxation has a name.
///
/// ```
/// use countersign_context::{EnctypeSet, Policy};
/// use countersign_crypto::Enctype;
///
/// let policy = Policy::default()
///     .with_enctypes(EnctypeSet::AES.with(Enctype::Camellia256CtsCmac))
///     .with_clock_skew(60);
/// assert_eq!(policy.clock_skew(), 60);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    enctypes: EnctypeSet,
    clock_skew: u32,
    max_token: usize,
    skew_recovery: bool,
    unchecked_transit: bool,
    anonymous_initiators: bool,
    pac: PacPolicy,
    #[cfg(feature = "ntlm")]
    ntlm: NtlmPolicy,
}

impl Policy {
    /// The defaults: AES enctypes, 300 s of skew, tokens of at most 64 KiB, one attempt at clock
    /// skew recovery, no anonymous initiator, no unchecked transit through foreign realms, PACs
    /// verified when there are any.
    pub const DEFAULT: Self = Self {
        enctypes: EnctypeSet::AES,
        clock_skew: 300,
        max_token: 64 * 1024,
        skew_recovery: true,
        unchecked_transit: false,
        anonymous_initiators: false,
        pac: PacPolicy::WhenPresent,
        #[cfg(feature = "ntlm")]
        ntlm: NtlmPolicy::DEFAULT,
    };

    /// Permits exactly these enctypes, for the ticket, the session key and both subkeys alike.
    #[must_use]
    pub fn with_enctypes(mut self, enctypes: EnctypeSet) -> Self {
        self.enctypes = enctypes;
        self
    }

    /// Tolerates clocks that differ by up to `seconds` (RFC 4120 §3.2.3 suggests 300).
    #[must_use]
    pub fn with_clock_skew(mut self, seconds: u32) -> Self {
        self.clock_skew = seconds;
        self
    }

    /// Refuses tokens of more than `bytes` before anything is allocated for them.
    #[must_use]
    pub fn with_max_token(mut self, bytes: usize) -> Self {
        self.max_token = bytes;
        self
    }

    /// Whether clock skew is recovered from once: the acceptor answers with KRB_AP_ERR_SKEW and
    /// waits for a second AP-REQ, the initiator sends one at the acceptor's time (MS-KILE §3.4.5
    /// and §3.2.5.8). The initiator does so only where mutual authentication was asked for.
    #[must_use]
    pub fn with_skew_recovery(mut self, enabled: bool) -> Self {
        self.skew_recovery = enabled;
        self
    }

    /// Admits anonymous initiators (RFC 8062, MS-NLMP §3.2.5.1.2); their contexts have
    /// [`Flags::ANONYMOUS`](crate::Flags::ANONYMOUS), and the name in them says nothing.
    #[must_use]
    pub fn with_anonymous_initiators(mut self, admitted: bool) -> Self {
        self.anonymous_initiators = admitted;
        self
    }

    /// Accepts cross-realm tickets whose transited path no KDC has checked (RFC 4120 §2.7).
    /// Dangerous: any realm on the path can then name any client.
    #[must_use]
    pub fn with_dangerous_unchecked_transit(mut self, accepted: bool) -> Self {
        self.unchecked_transit = accepted;
        self
    }

    /// What an acceptor makes of a ticket's PAC.
    #[must_use]
    pub fn with_pac(mut self, pac: PacPolicy) -> Self {
        self.pac = pac;
        self
    }

    /// What is permitted of NTLM, where a program names NTLM at all.
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn with_ntlm(mut self, ntlm: NtlmPolicy) -> Self {
        self.ntlm = ntlm;
        self
    }

    /// What is permitted of NTLM.
    #[cfg(feature = "ntlm")]
    #[must_use]
    pub fn ntlm(&self) -> &NtlmPolicy {
        &self.ntlm
    }

    /// The permitted enctypes.
    #[must_use]
    pub fn enctypes(&self) -> EnctypeSet {
        self.enctypes
    }

    /// The tolerated difference of clocks, in seconds.
    #[must_use]
    pub fn clock_skew(&self) -> u32 {
        self.clock_skew
    }

    /// The longest token that is looked at, in bytes.
    #[must_use]
    pub fn max_token(&self) -> usize {
        self.max_token
    }

    /// Whether clock skew is recovered from once.
    #[must_use]
    pub fn skew_recovery(&self) -> bool {
        self.skew_recovery
    }

    /// Whether anonymous initiators are admitted.
    #[must_use]
    pub fn anonymous_initiators(&self) -> bool {
        self.anonymous_initiators
    }

    /// What an acceptor makes of a ticket's PAC.
    #[must_use]
    pub fn pac(&self) -> PacPolicy {
        self.pac
    }

    /// Whether unchecked transit is accepted.
    #[must_use]
    pub fn unchecked_transit(&self) -> bool {
        self.unchecked_transit
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_permits_the_four_aes_enctypes_and_no_other() {
        let ids: Vec<i32> = Policy::default()
            .enctypes()
            .iter()
            .map(Enctype::id)
            .collect();
        assert_eq!(ids, [20, 19, 18, 17]);
    }

    #[test]
    fn enctypes_are_added_and_removed_once() {
        let (first, second) = (Enctype::Camellia128CtsCmac, Enctype::Camellia256CtsCmac);
        let one = EnctypeSet::of(&[first]);
        assert_eq!(one.with(first), one);
        assert!(one.contains(first) && !one.contains(second));
        assert_eq!(one.with(second).without(second), one);
        assert_eq!(one.without(second), one);
        assert_eq!(one.without(first), EnctypeSet::EMPTY);
    }
}
