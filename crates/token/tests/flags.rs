//! Sets of flags: their operators are those of their bits, and `Debug` names what is set.

use countersign_token::kerberos::cfx::CfxFlags;
use countersign_token::kerberos::{
    ApOptions, FastOptions, GssFlags, KdcOptions, PacOptions, S4uOptions, TicketFlags,
};
use countersign_token::ntlm::{AvFlags, NegotiateFlags};
use countersign_token::pac::{GroupAttributes, UpnDnsFlags, UserFlags};
use countersign_token::spnego::ContextFlags;

/// None, all, and sets of which some overlap.
const SETS: [u32; 6] = [
    0,
    u32::MAX,
    0x6000_0000,
    0x4000_1003,
    0x2000_0022,
    0x8888_8888,
];

fn pairs() -> impl Iterator<Item = (u32, u32)> {
    SETS.into_iter().flat_map(|a| SETS.map(|b| (a, b)))
}

macro_rules! agree {
    ($($kind:ident),*) => {
        $(for (a, b) in pairs() {
            let (left, right) = ($kind(a), $kind(b));
            assert_eq!((left | right).0, a | b);
            assert_eq!((left & right).0, a & b);
            assert_eq!(left.without(right).0, a & !b);
            assert_eq!(left.contains(right), a | b == a);
            let mut grown = left;
            grown |= right;
            assert_eq!(grown, left | right);
        })*
    };
}

#[test]
fn the_operators_of_flags_are_those_of_their_bits() {
    agree!(ApOptions, TicketFlags, KdcOptions, FastOptions);
    agree!(PacOptions, S4uOptions);
    agree!(ContextFlags, GssFlags, NegotiateFlags);
    for (a, b) in pairs() {
        let (left, right) = (NegotiateFlags(a), NegotiateFlags(b));
        assert_eq!(left.intersection(right).0, a & b);
        assert_eq!((AvFlags(a) | AvFlags(b)).0, a | b);
    }
}

#[test]
fn flags_contain_others_only_with_all_of_their_bits() {
    for (a, b) in pairs() {
        let all = a | b == a;
        assert_eq!(AvFlags(a).contains(AvFlags(b)), all);
        assert_eq!(UserFlags(a).contains(UserFlags(b)), all);
        assert_eq!(UpnDnsFlags(a).contains(UpnDnsFlags(b)), all);
        assert_eq!(GroupAttributes(a).contains(GroupAttributes(b)), all);
    }
    let flags = CfxFlags::SEALED | CfxFlags::ACCEPTOR_SUBKEY;
    assert_eq!(flags.0, 6);
    assert!(flags.contains(CfxFlags::SEALED) && flags.contains(CfxFlags::NONE));
    assert!(!flags.contains(CfxFlags::SENT_BY_ACCEPTOR));
    assert!(!flags.contains(CfxFlags::SEALED | CfxFlags::SENT_BY_ACCEPTOR));
}

/// MS-PAC §2.2.1: a group that is not enabled grants nothing.
#[test]
fn a_group_counts_only_where_its_bit_for_enabled_is_set() {
    let usual = GroupAttributes(7);
    assert!(usual.is_enabled() && usual.contains(GroupAttributes::MANDATORY));
    for attributes in [0, 3, 0x2000_0003, !4] {
        assert!(!GroupAttributes(attributes).is_enabled(), "{attributes:#x}");
    }
}

#[test]
fn flags_are_printed_as_a_number_with_the_names_that_are_known() {
    for (shown, expected) in [
        (
            format!("{:?}", ApOptions::MUTUAL_REQUIRED | ApOptions(1)),
            "ApOptions(0x20000001 MUTUAL_REQUIRED)",
        ),
        (
            format!("{:?}", TicketFlags::INITIAL | TicketFlags::FORWARDABLE),
            "TicketFlags(0x40400000 FORWARDABLE INITIAL)",
        ),
        (
            format!("{:?}", ContextFlags::INTEG | ContextFlags::MUTUAL),
            "ContextFlags(0x42000000 MUTUAL INTEG)",
        ),
        (
            format!(
                "{:?}",
                GssFlags::MUTUAL | GssFlags::INTEG | GssFlags(0x8000)
            ),
            "GssFlags(0x8022 MUTUAL INTEG)",
        ),
        (
            format!("{:?}", NegotiateFlags::NEGOTIATE_128 | NegotiateFlags(8)),
            "NegotiateFlags(0x20000008 NEGOTIATE_128, 0x8)",
        ),
        (
            format!("{:?}", AvFlags::MIC_PROVIDED | AvFlags(8)),
            "AvFlags(0xa MIC_PROVIDED)",
        ),
        (format!("{:?}", KdcOptions::NONE), "KdcOptions(0x00000000)"),
    ] {
        assert_eq!(shown, expected);
    }
}
