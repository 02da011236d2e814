/// A key usage number (RFC 3961 §3, RFC 4120 §7.5.1): what a derived key is for.
///
/// A message sealed for one usage never opens for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyUsage(pub u32);

impl KeyUsage {
    /// AS-REQ PA-ENC-TIMESTAMP, with the client's key.
    pub const AS_REQ_TIMESTAMP: Self = Self(1);
    /// The encrypted part of a ticket, with the service's key.
    pub const TICKET: Self = Self(2);
    /// The encrypted part of an AS-REP, with the client's key.
    pub const AS_REP: Self = Self(3);
    /// TGS-REQ authorization data, with the session key.
    pub const TGS_REQ_AUTHORIZATION_SESSION: Self = Self(4);
    /// TGS-REQ authorization data, with the authenticator's subkey.
    pub const TGS_REQ_AUTHORIZATION_SUBKEY: Self = Self(5);
    /// The checksum in the authenticator of a TGS-REQ's PA-TGS-REQ.
    pub const TGS_REQ_CHECKSUM: Self = Self(6);
    /// The authenticator of a TGS-REQ's PA-TGS-REQ.
    pub const TGS_REQ_AUTHENTICATOR: Self = Self(7);
    /// The encrypted part of a TGS-REP, with the session key.
    pub const TGS_REP_SESSION: Self = Self(8);
    /// The encrypted part of a TGS-REP, with the authenticator's subkey.
    pub const TGS_REP_SUBKEY: Self = Self(9);
    /// The checksum in the authenticator of an AP-REQ.
    pub const AP_REQ_CHECKSUM: Self = Self(10);
    /// The authenticator of an AP-REQ.
    pub const AP_REQ_AUTHENTICATOR: Self = Self(11);
    /// The encrypted part of an AP-REP.
    pub const AP_REP: Self = Self(12);
    /// The encrypted part of a KRB-PRIV.
    pub const KRB_PRIV: Self = Self(13);
    /// The encrypted part of a KRB-CRED.
    pub const KRB_CRED: Self = Self(14);
    /// The checksum of a KRB-SAFE.
    pub const KRB_SAFE: Self = Self(15);
    /// PAC signatures: KERB_NON_KERB_CKSUM_SALT (MS-PAC §2.8).
    pub const PAC_SIGNATURE: Self = Self(17);
    /// AD-KDC-ISSUED checksum.
    pub const AD_KDC_ISSUED: Self = Self(19);
    /// Wrap tokens from the acceptor, sealed or only signed (RFC 4121 §2).
    pub const ACCEPTOR_SEAL: Self = Self(22);
    /// MIC tokens from the acceptor (RFC 4121 §2).
    pub const ACCEPTOR_SIGN: Self = Self(23);
    /// Wrap tokens from the initiator, sealed or only signed (RFC 4121 §2).
    pub const INITIATOR_SEAL: Self = Self(24);
    /// MIC tokens from the initiator (RFC 4121 §2).
    pub const INITIATOR_SIGN: Self = Self(25);
    /// The checksum over the KDC-REQ body or AP-REQ in KrbFastArmoredReq (RFC 6113 §5.4.2).
    pub const FAST_REQ_CHECKSUM: Self = Self(50);
    /// KrbFastArmoredReq's encrypted part.
    pub const FAST_ENC: Self = Self(51);
    /// KrbFastArmoredRep's encrypted part.
    pub const FAST_REP: Self = Self(52);
    /// The ticket checksum in KrbFastFinished.
    pub const FAST_FINISHED: Self = Self(53);
    /// The client's encrypted challenge (RFC 6113 §5.4.6).
    pub const ENC_CHALLENGE_CLIENT: Self = Self(54);
    /// The KDC's encrypted challenge.
    pub const ENC_CHALLENGE_KDC: Self = Self(55);
    /// The AS-REQ checksum of PA-REQ-ENC-PA-REP (RFC 6806 §11).
    pub const AS_REQ: Self = Self(56);
}
