//! What the two sides can do and agree on.

use countersign_crypto::ntlm::Strength;
use countersign_token::ntlm::NegotiateFlags;

use crate::error::{Error, ErrorKind, NtlmProblem};
use crate::flags::Flags;
use crate::policy::NtlmPolicy;
use crate::security_context::ntlm::Protection;

type F = NegotiateFlags;

/// What NTLM can grant on a connection: neither a proof of the acceptor nor delegation.
const GRANTABLE: Flags = Flags::REPLAY
    .union(Flags::SEQUENCE)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::ANONYMOUS)
    .union(Flags::CHANNEL_BOUND)
    .union(Flags::DCE_STYLE)
    .union(Flags::IDENTIFY);

/// Of what was required, what can be known never to be granted: `never` beside what NTLM has not.
pub(super) fn refuse_impossible(
    required: Flags,
    never: Flags,
    datagram: bool,
) -> Result<(), ErrorKind> {
    let mut grantable = GRANTABLE.difference(never);
    if datagram {
        // Messages may be lost and overtake each other (MS-NLMP §3.4).
        grantable = grantable.difference(Flags::SEQUENCE);
    }
    let impossible = required.difference(grantable);
    if impossible.is_empty() {
        Ok(())
    } else {
        Err(ErrorKind::FlagsNotGranted(impossible))
    }
}

/// What there is not without a key.
pub(super) const PROTECTED: Flags = SIGNED.union(Flags::CONFIDENTIALITY);

/// Any of these asks for signing (RFC 2743 §1.2.3; MS-NLMP §3.1.1.2).
const SIGNED: Flags = Flags::INTEGRITY.union(Flags::REPLAY).union(Flags::SEQUENCE);

fn any(flags: Flags, of: Flags) -> bool {
    !(flags & of).is_empty()
}

/// What an initiator offers that asks for `flags`.
pub(super) fn offered_by_initiator(flags: Flags, policy: &NtlmPolicy, datagram: bool) -> F {
    let mut offered = F::NEGOTIATE_UNICODE
        | F::REQUEST_TARGET
        | F::NEGOTIATE_NTLM
        | F::ALWAYS_SIGN
        | F::EXTENDED_SESSIONSECURITY
        | F::TARGET_INFO
        | F::VERSION
        | strengths(policy);
    if flags.contains(Flags::CONFIDENTIALITY) {
        // MS-NLMP §2.2.2.5: sealing takes signing along.
        offered = offered | F::NEGOTIATE_SEAL | F::NEGOTIATE_SIGN;
    }
    if any(flags, SIGNED) {
        offered |= F::NEGOTIATE_SIGN;
    }
    // A key is exchanged for messages to be protected with; without them sides do not agree on
    // whether there is one (MS-NLMP §3.1.5.1.2, §3.2.5.1.2).
    if offered.contains(F::NEGOTIATE_SIGN) {
        offered |= F::KEY_EXCH;
    }
    if flags.contains(Flags::IDENTIFY) {
        offered |= F::IDENTIFY;
    }
    if datagram {
        offered |= F::NEGOTIATE_DATAGRAM;
    }
    offered
}

fn strengths(policy: &NtlmPolicy) -> F {
    match policy.strength() {
        Strength::Bits128 => F::NEGOTIATE_128,
        Strength::Bits56 | Strength::Bits40 => F::NEGOTIATE_128 | F::NEGOTIATE_56,
    }
}

/// What an acceptor offers to do.
const ACCEPTORS: [F; 12] = [
    F::NEGOTIATE_UNICODE,
    F::NEGOTIATE_OEM,
    F::REQUEST_TARGET,
    F::NEGOTIATE_SIGN,
    F::NEGOTIATE_SEAL,
    F::NEGOTIATE_DATAGRAM,
    F::NEGOTIATE_NTLM,
    F::ALWAYS_SIGN,
    F::EXTENDED_SESSIONSECURITY,
    F::KEY_EXCH,
    F::IDENTIFY,
    F::VERSION,
];

fn acceptors(policy: &NtlmPolicy) -> F {
    ACCEPTORS
        .into_iter()
        .fold(strengths(policy), |all, flag| all | flag)
}

/// The acceptor's answer to an initiator's offer (MS-NLMP §3.2.5.1.1).
pub(super) fn answered_by_acceptor(
    offered: F,
    policy: &NtlmPolicy,
    required: Flags,
) -> Result<F, Error> {
    if !offered.contains(F::EXTENDED_SESSIONSECURITY) {
        return Err(NtlmProblem::SessionSecurityRefused.into());
    }
    check_charset(offered)?;
    let mut answer = offered & acceptors(policy);
    if answer.contains(F::NEGOTIATE_UNICODE) {
        // MS-NLMP §2.2.2.5: of the two, one is chosen.
        answer = answer.without(F::NEGOTIATE_OEM);
    }
    if !protects(answer) {
        answer = answer.without(F::KEY_EXCH);
    }
    granted(answer, required)?;
    check_keys(answer, policy)?;
    Ok(answer | F::TARGET_INFO | F::TARGET_TYPE_SERVER | F::NEGOTIATE_NTLM)
}

/// In connectionless mode the acceptor speaks first (MS-NLMP §3.2.5.2.1).
pub(super) fn proposed_by_acceptor(policy: &NtlmPolicy) -> F {
    acceptors(policy).without(F::NEGOTIATE_OEM) | F::TARGET_INFO | F::TARGET_TYPE_SERVER
}

/// What was granted, where that is all that is required.
pub(super) fn granted(agreed: F, required: Flags) -> Result<Flags, Error> {
    let mut granted = Flags::NONE;
    if protects(agreed) {
        granted |= SIGNED;
    }
    if agreed.contains(F::NEGOTIATE_DATAGRAM) {
        granted = granted.difference(Flags::SEQUENCE);
    }
    if agreed.contains(F::NEGOTIATE_SEAL) {
        granted |= Flags::CONFIDENTIALITY;
    }
    if agreed.contains(F::IDENTIFY) {
        granted |= Flags::IDENTIFY;
    }
    // These do not depend on what the peer agrees to.
    let own = Flags::DCE_STYLE | Flags::CHANNEL_BOUND | Flags::ANONYMOUS;
    let missing = required.difference(granted).difference(own);
    if missing.is_empty() {
        Ok(granted)
    } else {
        Err(ErrorKind::FlagsNotGranted(missing).into())
    }
}

/// MS-NLMP §2.2.2.5, flags A and B: names are in one character set or the other.
pub(super) fn check_charset(agreed: F) -> Result<(), Error> {
    if agreed.contains(F::NEGOTIATE_UNICODE) || agreed.contains(F::NEGOTIATE_OEM) {
        Ok(())
    } else {
        Err(NtlmProblem::CharsetMissing.into())
    }
}

/// Keys that protect messages are strong enough; where nothing is protected there are none. In
/// connectionless mode they are exchanged (MS-NLMP §3.2.5.2.1).
pub(super) fn check_keys(agreed: F, policy: &NtlmPolicy) -> Result<(), Error> {
    if !protects(agreed) {
        return Ok(());
    }
    let permitted = match (strength(agreed), policy.strength()) {
        (Strength::Bits128, _) | (_, Strength::Bits40) => true,
        (Strength::Bits56, least) => least == Strength::Bits56,
        (Strength::Bits40, _) => false,
    };
    if !permitted {
        return Err(NtlmProblem::StrengthRefused.into());
    }
    if agreed.contains(F::NEGOTIATE_DATAGRAM) && !agreed.contains(F::KEY_EXCH) {
        return Err(NtlmProblem::KeyExchangeMissing.into());
    }
    Ok(())
}

/// MS-NLMP §3.4.5.3.
pub(super) fn strength(agreed: F) -> Strength {
    if agreed.contains(F::NEGOTIATE_128) {
        Strength::Bits128
    } else if agreed.contains(F::NEGOTIATE_56) {
        Strength::Bits56
    } else {
        Strength::Bits40
    }
}

/// Whether a key was exchanged: MS-NLMP §3.2.5.1.2 has it only where messages are protected.
pub(super) fn exchanges_key(agreed: F) -> bool {
    agreed.contains(F::KEY_EXCH) && protects(agreed)
}

/// Sealing takes signing along (MS-NLMP §2.2.2.5).
fn protects(agreed: F) -> bool {
    agreed.contains(F::NEGOTIATE_SIGN) || agreed.contains(F::NEGOTIATE_SEAL)
}

pub(super) fn protection(agreed: F) -> Protection {
    Protection {
        strength: strength(agreed),
        key_exchange: exchanges_key(agreed),
        datagram: agreed.contains(F::NEGOTIATE_DATAGRAM),
        seal: agreed.contains(F::NEGOTIATE_SEAL),
    }
}
