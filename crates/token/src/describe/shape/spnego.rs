//! The shapes of SPNEGO.

use super::super::names::NEG_STATES;
use super::Shape::{self, Fields, Flags, List, Number, Octets, Oid, Text, Token};
use super::{Part, flags};

/// RFC 4178 §4.2.1: `NegTokenInit`.
pub(in crate::describe) static NEG_TOKEN_INIT: Shape = Fields(&[
    Part(0, "mechTypes", List("mechType", &Oid)),
    Part(1, "reqFlags", Flags(flags::context_flags)),
    Part(2, "mechToken", Token),
    Part(3, "mechListMIC", Token),
]);

/// MS-SPNG §2.2.1: `NegTokenInit2`.
pub(in crate::describe) static NEG_TOKEN_INIT2: Shape = Fields(&[
    Part(0, "mechTypes", List("mechType", &Oid)),
    Part(1, "reqFlags", Flags(flags::context_flags)),
    Part(2, "mechToken", Token),
    Part(
        3,
        "negHints",
        Fields(&[Part(0, "hintName", Text), Part(1, "hintAddress", Octets)]),
    ),
    Part(4, "mechListMIC", Token),
]);

/// RFC 4178 §4.2.2: `NegTokenResp`.
pub(in crate::describe) static NEG_TOKEN_RESP: Shape = Fields(&[
    Part(0, "negState", Number(NEG_STATES)),
    Part(1, "supportedMech", Oid),
    Part(2, "responseToken", Token),
    Part(3, "mechListMIC", Token),
]);
