//! The bits that tests set by hand. Written down here a second time, independently of the code under test.

/// Ticket flags, RFC 4120 §5.3; bit 0 is the most significant of the 32.
pub mod ticket {
    /// FORWARDABLE (1).
    pub const FORWARDABLE: u32 = 1 << 30;
    /// FORWARDED (2).
    pub const FORWARDED: u32 = 1 << 29;
    /// PROXIABLE (3).
    pub const PROXIABLE: u32 = 1 << 28;
    /// PROXY (4).
    pub const PROXY: u32 = 1 << 27;
    /// MAY-POSTDATE (5).
    pub const MAY_POSTDATE: u32 = 1 << 26;
    /// POSTDATED (6).
    pub const POSTDATED: u32 = 1 << 25;
    /// INVALID (7).
    pub const INVALID: u32 = 1 << 24;
    /// RENEWABLE (8).
    pub const RENEWABLE: u32 = 1 << 23;
    /// INITIAL (9).
    pub const INITIAL: u32 = 1 << 22;
    /// PRE-AUTHENT (10).
    pub const PRE_AUTHENT: u32 = 1 << 21;
    /// TRANSITED-POLICY-CHECKED (12).
    pub const TRANSITED_POLICY_CHECKED: u32 = 1 << 19;
    /// OK-AS-DELEGATE (13).
    pub const OK_AS_DELEGATE: u32 = 1 << 18;
    /// ENC-PA-REP (15), RFC 6806 §11.
    pub const ENC_PA_REP: u32 = 1 << 16;
}

/// AP-REQ options, RFC 4120 §5.5.1.
pub mod ap_options {
    /// USE-SESSION-KEY (1).
    pub const USE_SESSION_KEY: u32 = 1 << 30;
    /// MUTUAL-REQUIRED (2).
    pub const MUTUAL_REQUIRED: u32 = 1 << 29;
}

/// Flags of the 0x8003 checksum, RFC 4121 §4.1.1.1.
pub mod gss {
    /// Credentials are delegated.
    pub const DELEG: u32 = 1;
    /// Mutual authentication.
    pub const MUTUAL: u32 = 2;
    /// Replays are detected.
    pub const REPLAY: u32 = 4;
    /// Messages out of sequence are detected.
    pub const SEQUENCE: u32 = 8;
    /// Messages can be sealed.
    pub const CONF: u32 = 16;
    /// Messages can be signed.
    pub const INTEG: u32 = 32;
    /// DCE style, three legs: MS-KILE §3.4.5 (RFC 4757 §7.1).
    pub const DCE_STYLE: u32 = 0x1000;
    /// The acceptor may identify, not impersonate: RFC 4757 §7.1.
    pub const IDENTIFY: u32 = 0x2000;
    /// Extended error, RFC 4757 §7.1.
    pub const EXTENDED_ERROR: u32 = 0x4000;
}
