//! The shapes of the extensions: FAST, S4U, user-to-user, IAKERB, MS-KKDCP, passwords.

use super::super::names::{ARMORS, ERROR_DATA, MESSAGES, NONE, PADATA};
use super::Shape::{self, Boolean, Chosen, Fields, Flags, Number, Octets, Text, Token};
use super::{CHECKSUM, ENCRYPTED, PRINCIPAL, Part, TICKET, flags};

/// RFC 6113 §5.4.2.
pub(super) static FAST_REQUEST: Shape = Chosen(
    "PA-FX-FAST-REQUEST",
    &[
        Part(
            0,
            "armor",
            Fields(&[
                Part(0, "armor-type", Number(ARMORS)),
                Part(1, "armor-value", Token),
            ]),
        ),
        Part(1, "req-checksum", CHECKSUM),
        Part(2, "enc-fast-req", ENCRYPTED),
    ],
);

/// RFC 6113 §5.4.3.
pub(super) static FAST_REPLY: Shape =
    Chosen("PA-FX-FAST-REPLY", &[Part(0, "enc-fast-rep", ENCRYPTED)]);

/// RFC 6113 §5.3.
pub(super) static SET_ELEMENT: Shape = Fields(&[
    Part(0, "pa-type", Number(PADATA)),
    Part(1, "pa-hint", Octets),
    Part(2, "pa-value", Octets),
]);

/// MS-KILE §2.2.3.
pub(super) static PAC_REQUEST: Shape = Fields(&[Part(0, "include-pac", Boolean)]);

/// MS-KILE §2.2.10.
pub(super) static PAC_OPTIONS: Shape = Fields(&[Part(0, "flags", Flags(flags::pac_options))]);

/// MS-SFU §2.2.1.
pub(super) static FOR_USER: Shape = Fields(&[
    Part(0, "userName", PRINCIPAL),
    Part(1, "userRealm", Text),
    Part(2, "cksum", CHECKSUM),
    Part(3, "auth-package", Text),
]);

/// MS-SFU §2.2.2.
pub(super) static S4U_X509_USER: Shape = Fields(&[
    Part(
        0,
        "user-id",
        Fields(&[
            Part(0, "nonce", Number(NONE)),
            Part(1, "cname", PRINCIPAL),
            Part(2, "crealm", Text),
            Part(3, "subject-certificate", Octets),
            Part(4, "options", Flags(flags::s4u_options)),
        ]),
    ),
    Part(1, "checksum", CHECKSUM),
]);

/// MS-KILE §2.2.2.
pub(in super::super) static ERROR_DATA_VALUE: Shape = Fields(&[
    Part(1, "data-type", Number(ERROR_DATA)),
    Part(2, "data-value", Octets),
]);

/// draft-swift-win2k-krb-user2user-03 3.
pub(in super::super) static TGT_REQ: Shape = Fields(&[
    Part(0, "pvno", Number(NONE)),
    Part(1, "msg-type", Number(MESSAGES)),
    Part(2, "server-name", PRINCIPAL),
    Part(3, "realm", Text),
]);

/// draft-swift-win2k-krb-user2user-03 3.
pub(in super::super) static TGT_REP: Shape = Fields(&[
    Part(0, "pvno", Number(NONE)),
    Part(1, "msg-type", Number(MESSAGES)),
    Part(2, "ticket", TICKET),
]);

/// draft-ietf-kitten-iakerb-03 3.
pub(in super::super) static IAKERB_HEADER: Shape = Fields(&[
    Part(1, "target-realm", Shape::Any),
    Part(2, "cookie", Octets),
]);

/// MS-KKDCP §2.2.2.
pub(in super::super) static KDC_PROXY: Shape = Fields(&[
    Part(0, "kerb-message", Token),
    Part(1, "target-domain", Text),
    Part(2, "dclocator-hint", Number(NONE)),
]);
