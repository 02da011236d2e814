//! The messages as tables: what the walk calls each field, and how it shows it.

mod flags;
mod preauth;
mod spnego;

use super::names::{
    ADDRESSES, AUTHORIZATION, CHECKSUMS, ENCTYPES, ERRORS, LAST_REQUESTS, MESSAGES, NAME_TYPES,
    NONE, Names, PADATA, TRANSITED,
};

/// How a value is shown.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// `[APPLICATION n] SEQUENCE`, by name.
    Message(u8, &'static str, Parts),
    /// CHOICE of which the alternative `[0] SEQUENCE` is the only one, by name.
    Chosen(&'static str, Parts),
    /// SEQUENCE of explicitly tagged fields.
    Fields(Parts),
    /// SEQUENCE OF; what each element is called.
    List(&'static str, &'static Shape),
    /// INTEGER or ENUMERATED.
    Number(Names),
    /// GeneralString, UTF8String.
    Text,
    /// BOOLEAN.
    Boolean,
    /// GeneralizedTime.
    Time,
    /// KerberosFlags; how set bits are named.
    Flags(fn(u32) -> alloc::string::String),
    /// OCTET STRING, shown.
    Octets,
    /// OCTET STRING, only its length shown: a key.
    Secret,
    /// OCTET STRING, only its length shown: ciphertext.
    Cipher,
    /// OCTET STRING that the last number beside it gives a shape.
    Typed(&'static [(i32, &'static Shape)]),
    /// OCTET STRING that holds a token of its own.
    Token,
    /// OCTET STRING with a PAC.
    Pac,
    /// OCTET STRING with the checksum of a GSS-API authenticator.
    GssChecksum,
    /// OBJECT IDENTIFIER.
    Oid,
    /// Whatever it is.
    Any,
}

/// A field.
pub(super) struct Part(pub(super) u8, pub(super) &'static str, pub(super) Shape);

/// Fields.
pub(super) type Parts = &'static [Part];

pub(super) use preauth::{IAKERB_HEADER, KDC_PROXY, TGT_REP, TGT_REQ};
pub(super) use spnego::{NEG_TOKEN_INIT, NEG_TOKEN_INIT2, NEG_TOKEN_RESP};

use Shape::{Cipher, Fields, Flags, List, Message, Number, Octets, Secret, Text, Time, Typed};

const PRINCIPAL: Shape = Fields(&[
    Part(0, "name-type", Number(NAME_TYPES)),
    Part(1, "name-string", List("component", &Text)),
]);

const ENCRYPTED: Shape = Fields(&[
    Part(0, "etype", Number(ENCTYPES)),
    Part(1, "kvno", Number(NONE)),
    Part(2, "cipher", Cipher),
]);

const KEY: Shape = Fields(&[
    Part(0, "keytype", Number(ENCTYPES)),
    Part(1, "keyvalue", Secret),
]);

const CHECKSUM: Shape = Fields(&[
    Part(0, "cksumtype", Number(CHECKSUMS)),
    Part(1, "checksum", Typed(&[(0x8003, &Shape::GssChecksum)])),
]);

const ADDRESS: Shape = Fields(&[
    Part(0, "addr-type", Number(ADDRESSES)),
    Part(1, "address", Octets),
]);

const HOST_ADDRESSES: Shape = List("HostAddress", &ADDRESS);

const AUTHORIZATION_DATA: Shape = List("element", &AUTHORIZATION_ELEMENT);

static AUTHORIZATION_ELEMENT: Shape = Fields(&[
    Part(0, "ad-type", Number(AUTHORIZATION)),
    Part(
        1,
        "ad-data",
        Typed(&[
            (1, &AUTHORIZATION_DATA_REF),
            (4, &KDC_ISSUED),
            (5, &AND_OR),
            (8, &AUTHORIZATION_DATA_REF),
            (128, &Shape::Pac),
            (129, &ETYPE_LIST),
        ]),
    ),
]);

static AUTHORIZATION_DATA_REF: Shape = List("element", &AUTHORIZATION_ELEMENT);

static ETYPE_LIST: Shape = List("etype", &Number(ENCTYPES));

static KDC_ISSUED: Shape = Fields(&[
    Part(0, "ad-checksum", CHECKSUM),
    Part(1, "i-realm", Text),
    Part(2, "i-sname", PRINCIPAL),
    Part(3, "elements", List("element", &AUTHORIZATION_ELEMENT)),
]);

static AND_OR: Shape = Fields(&[
    Part(0, "condition-count", Number(NONE)),
    Part(1, "elements", List("element", &AUTHORIZATION_ELEMENT)),
]);

/// What padata holds in whatever it stands; `$fast` is the shape of FAST there.
macro_rules! padata {
    ($fast:expr) => {
        Fields(&[
            Part(1, "padata-type", Number(PADATA)),
            Part(
                2,
                "padata-value",
                Typed(&[
                    (1, &AP_REQ),
                    (2, &ENCRYPTED),
                    (
                        11,
                        &List(
                            "entry",
                            &Fields(&[Part(0, "etype", Number(ENCTYPES)), Part(1, "salt", Octets)]),
                        ),
                    ),
                    (
                        19,
                        &List(
                            "entry",
                            &Fields(&[
                                Part(0, "etype", Number(ENCTYPES)),
                                Part(1, "salt", Text),
                                Part(2, "s2kparams", Octets),
                            ]),
                        ),
                    ),
                    (128, &preauth::PAC_REQUEST),
                    (129, &preauth::FOR_USER),
                    (130, &preauth::S4U_X509_USER),
                    (134, &List("element", &preauth::SET_ELEMENT)),
                    (135, &preauth::SET_ELEMENT),
                    (136, $fast),
                    (137, &KRB_ERROR),
                    (138, &ENCRYPTED),
                    (167, &preauth::PAC_OPTIONS),
                ]),
            ),
        ])
    };
}

static PA_DATA: Shape = padata!(&preauth::FAST_REPLY);

static PA_DATA_OF_REQUEST: Shape = padata!(&preauth::FAST_REQUEST);

const METHOD_DATA: Shape = List("PA-DATA", &PA_DATA);

const TICKET: Shape = Message(
    1,
    "Ticket",
    &[
        Part(0, "tkt-vno", Number(NONE)),
        Part(1, "realm", Text),
        Part(2, "sname", PRINCIPAL),
        Part(3, "enc-part", ENCRYPTED),
    ],
);

const TRANSITED_ENCODING: Shape = Fields(&[
    Part(0, "tr-type", Number(TRANSITED)),
    Part(1, "contents", Octets),
]);

static AP_REQ: Shape = Message(
    14,
    "AP-REQ",
    &[
        Part(0, "pvno", Number(NONE)),
        Part(1, "msg-type", Number(MESSAGES)),
        Part(2, "ap-options", Flags(flags::ap_options)),
        Part(3, "ticket", TICKET),
        Part(4, "authenticator", ENCRYPTED),
    ],
);

const KDC_REQ: Parts = &[
    Part(1, "pvno", Number(NONE)),
    Part(2, "msg-type", Number(MESSAGES)),
    Part(3, "padata", List("PA-DATA", &PA_DATA_OF_REQUEST)),
    Part(4, "req-body", KDC_REQ_BODY),
];

const KDC_REQ_BODY: Shape = Fields(&[
    Part(0, "kdc-options", Flags(flags::kdc_options)),
    Part(1, "cname", PRINCIPAL),
    Part(2, "realm", Text),
    Part(3, "sname", PRINCIPAL),
    Part(4, "from", Time),
    Part(5, "till", Time),
    Part(6, "rtime", Time),
    Part(7, "nonce", Number(NONE)),
    Part(8, "etype", List("etype", &Number(ENCTYPES))),
    Part(9, "addresses", HOST_ADDRESSES),
    Part(10, "enc-authorization-data", ENCRYPTED),
    Part(11, "additional-tickets", List("additional-ticket", &TICKET)),
]);

const KDC_REP: Parts = &[
    Part(0, "pvno", Number(NONE)),
    Part(1, "msg-type", Number(MESSAGES)),
    Part(2, "padata", METHOD_DATA),
    Part(3, "crealm", Text),
    Part(4, "cname", PRINCIPAL),
    Part(5, "ticket", TICKET),
    Part(6, "enc-part", ENCRYPTED),
];

const ENC_KDC_REP_PART: Parts = &[
    Part(0, "key", KEY),
    Part(
        1,
        "last-req",
        List(
            "entry",
            &Fields(&[
                Part(0, "lr-type", Number(LAST_REQUESTS)),
                Part(1, "lr-value", Time),
            ]),
        ),
    ),
    Part(2, "nonce", Number(NONE)),
    Part(3, "key-expiration", Time),
    Part(4, "flags", Flags(flags::ticket_flags)),
    Part(5, "authtime", Time),
    Part(6, "starttime", Time),
    Part(7, "endtime", Time),
    Part(8, "renew-till", Time),
    Part(9, "srealm", Text),
    Part(10, "sname", PRINCIPAL),
    Part(11, "caddr", HOST_ADDRESSES),
    Part(12, "encrypted-pa-data", METHOD_DATA),
];

/// Here and inside FAST; a constant of it would contain itself.
macro_rules! krb_error {
 () => {
Message(
    30,
    "KRB-ERROR",
    &[
        Part(0, "pvno", Number(NONE)),
        Part(1, "msg-type", Number(MESSAGES)),
        Part(2, "ctime", Time),
        Part(3, "cusec", Number(NONE)),
        Part(4, "stime", Time),
        Part(5, "susec", Number(NONE)),
        Part(6, "error-code", Number(ERRORS)),
        Part(7, "crealm", Text),
        Part(8, "cname", PRINCIPAL),
        Part(9, "realm", Text),
        Part(10, "sname", PRINCIPAL),
        Part(11, "e-text", Text),
        // RFC 4120 §5.9.1, RFC 6113 §5.2: a METHOD-DATA; MS-KILE §2.2.2: a KERB-ERROR-DATA.
        Part(
            12,
            "e-data",
            Typed(&[
                (12, &preauth::ERROR_DATA_VALUE),
                (18, &preauth::ERROR_DATA_VALUE),
                (23, &preauth::ERROR_DATA_VALUE),
                (24, &METHOD_DATA_REF),
                (25, &METHOD_DATA_REF),
                (37, &preauth::ERROR_DATA_VALUE),
                (60, &preauth::ERROR_DATA_VALUE),
                (90, &METHOD_DATA_REF),
                (91, &METHOD_DATA_REF),
            ]),
        ),
    ],
)
 };
}

static KRB_ERROR: Shape = krb_error!();

static METHOD_DATA_REF: Shape = List("PA-DATA", &PA_DATA);

/// Every `[APPLICATION n]` of RFC 4120.
pub(super) static MESSAGES_BY_TAG: &[Shape] = &[
    TICKET,
    Message(
        2,
        "Authenticator",
        &[
            Part(0, "authenticator-vno", Number(NONE)),
            Part(1, "crealm", Text),
            Part(2, "cname", PRINCIPAL),
            Part(3, "cksum", CHECKSUM),
            Part(4, "cusec", Number(NONE)),
            Part(5, "ctime", Time),
            Part(6, "subkey", KEY),
            Part(7, "seq-number", Number(NONE)),
            Part(8, "authorization-data", AUTHORIZATION_DATA),
        ],
    ),
    Message(
        3,
        "EncTicketPart",
        &[
            Part(0, "flags", Flags(flags::ticket_flags)),
            Part(1, "key", KEY),
            Part(2, "crealm", Text),
            Part(3, "cname", PRINCIPAL),
            Part(4, "transited", TRANSITED_ENCODING),
            Part(5, "authtime", Time),
            Part(6, "starttime", Time),
            Part(7, "endtime", Time),
            Part(8, "renew-till", Time),
            Part(9, "caddr", HOST_ADDRESSES),
            Part(10, "authorization-data", AUTHORIZATION_DATA),
        ],
    ),
    Message(10, "AS-REQ", KDC_REQ),
    Message(11, "AS-REP", KDC_REP),
    Message(12, "TGS-REQ", KDC_REQ),
    Message(13, "TGS-REP", KDC_REP),
    Message(
        14,
        "AP-REQ",
        &[
            Part(0, "pvno", Number(NONE)),
            Part(1, "msg-type", Number(MESSAGES)),
            Part(2, "ap-options", Flags(flags::ap_options)),
            Part(3, "ticket", TICKET),
            Part(4, "authenticator", ENCRYPTED),
        ],
    ),
    Message(
        15,
        "AP-REP",
        &[
            Part(0, "pvno", Number(NONE)),
            Part(1, "msg-type", Number(MESSAGES)),
            Part(2, "enc-part", ENCRYPTED),
        ],
    ),
    Message(
        20,
        "KRB-SAFE",
        &[
            Part(0, "pvno", Number(NONE)),
            Part(1, "msg-type", Number(MESSAGES)),
            Part(
                2,
                "safe-body",
                Fields(&[
                    Part(0, "user-data", Octets),
                    Part(1, "timestamp", Time),
                    Part(2, "usec", Number(NONE)),
                    Part(3, "seq-number", Number(NONE)),
                    Part(4, "s-address", ADDRESS),
                    Part(5, "r-address", ADDRESS),
                ]),
            ),
            Part(3, "cksum", CHECKSUM),
        ],
    ),
    Message(
        21,
        "KRB-PRIV",
        &[
            Part(0, "pvno", Number(NONE)),
            Part(1, "msg-type", Number(MESSAGES)),
            Part(3, "enc-part", ENCRYPTED),
        ],
    ),
    Message(
        22,
        "KRB-CRED",
        &[
            Part(0, "pvno", Number(NONE)),
            Part(1, "msg-type", Number(MESSAGES)),
            Part(2, "tickets", List("ticket", &TICKET)),
            Part(3, "enc-part", ENCRYPTED),
        ],
    ),
    Message(25, "EncASRepPart", ENC_KDC_REP_PART),
    Message(26, "EncTGSRepPart", ENC_KDC_REP_PART),
    Message(
        27,
        "EncAPRepPart",
        &[
            Part(0, "ctime", Time),
            Part(1, "cusec", Number(NONE)),
            Part(2, "subkey", KEY),
            Part(3, "seq-number", Number(NONE)),
        ],
    ),
    Message(
        28,
        "EncKrbPrivPart",
        &[
            Part(0, "user-data", Secret),
            Part(1, "timestamp", Time),
            Part(2, "usec", Number(NONE)),
            Part(3, "seq-number", Number(NONE)),
            Part(4, "s-address", ADDRESS),
            Part(5, "r-address", ADDRESS),
        ],
    ),
    Message(
        29,
        "EncKrbCredPart",
        &[
            Part(
                0,
                "ticket-info",
                List(
                    "KrbCredInfo",
                    &Fields(&[
                        Part(0, "key", KEY),
                        Part(1, "prealm", Text),
                        Part(2, "pname", PRINCIPAL),
                        Part(3, "flags", Flags(flags::ticket_flags)),
                        Part(4, "authtime", Time),
                        Part(5, "starttime", Time),
                        Part(6, "endtime", Time),
                        Part(7, "renew-till", Time),
                        Part(8, "srealm", Text),
                        Part(9, "sname", PRINCIPAL),
                        Part(10, "caddr", HOST_ADDRESSES),
                    ]),
                ),
            ),
            Part(1, "nonce", Number(NONE)),
            Part(2, "timestamp", Time),
            Part(3, "usec", Number(NONE)),
            Part(4, "s-address", ADDRESS),
            Part(5, "r-address", ADDRESS),
        ],
    ),
    krb_error!(),
];

/// The shape of a message with this tag number.
pub(super) fn message(number: u8) -> Option<&'static Shape> {
    MESSAGES_BY_TAG
        .iter()
        .find(|shape| matches!(shape, Message(n, ..) if *n == number))
}
