//! Context flags under the names and with the numbers of `gssapi.h` and `gssapi_ext.h`.

use crate::Flags;

/// The initiator's credential is delegated (RFC 2744 appendix A): only to services that the KDC
/// marks OK-AS-DELEGATE, so the same as [`GSS_C_DELEG_POLICY_FLAG`].
pub const GSS_C_DELEG_FLAG: Flags = Flags::DELEGATION;
/// The acceptor proves its identity too (RFC 2744 appendix A).
pub const GSS_C_MUTUAL_FLAG: Flags = Flags::MUTUAL;
/// Replayed messages are detected (RFC 2744 appendix A).
pub const GSS_C_REPLAY_FLAG: Flags = Flags::REPLAY;
/// Messages out of order or missing are detected (RFC 2744 appendix A).
pub const GSS_C_SEQUENCE_FLAG: Flags = Flags::SEQUENCE;
/// Messages can be sealed (RFC 2744 appendix A).
pub const GSS_C_CONF_FLAG: Flags = Flags::CONFIDENTIALITY;
/// Messages can be signed (RFC 2744 appendix A).
pub const GSS_C_INTEG_FLAG: Flags = Flags::INTEGRITY;
/// The initiator stays anonymous (RFC 2744 appendix A).
pub const GSS_C_ANON_FLAG: Flags = Flags::ANONYMOUS;
/// Told, never asked for: messages can be protected (RFC 2744 appendix A).
pub const GSS_C_PROT_READY_FLAG: Flags = Flags::from_bits(128);
/// Told, never asked for: the context can be exported (RFC 2744 appendix A).
pub const GSS_C_TRANS_FLAG: Flags = Flags::from_bits(256);
/// Channel bindings were present and matched (`gssapi_ext.h`).
pub const GSS_C_CHANNEL_BOUND_FLAG: Flags = Flags::CHANNEL_BOUND;
/// DCE style: three legs, tokens without framing (`gssapi_ext.h`).
pub const GSS_C_DCE_STYLE: Flags = Flags::DCE_STYLE;
/// The acceptor may identify the initiator but not act for it (`gssapi_ext.h`).
pub const GSS_C_IDENTIFY_FLAG: Flags = Flags::IDENTIFY;
/// Errors are told to the peer in tokens (`gssapi_ext.h`).
pub const GSS_C_EXTENDED_ERROR_FLAG: Flags = Flags::EXTENDED_ERROR;
/// Delegate only where the KDC marks the service OK-AS-DELEGATE (RFC 5896).
pub const GSS_C_DELEG_POLICY_FLAG: Flags = Flags::from_bits(0x8000);

/// Name and value of every flag, in the order of the values.
pub const ALL: [(&str, Flags); 14] = [
    ("GSS_C_DELEG_FLAG", GSS_C_DELEG_FLAG),
    ("GSS_C_MUTUAL_FLAG", GSS_C_MUTUAL_FLAG),
    ("GSS_C_REPLAY_FLAG", GSS_C_REPLAY_FLAG),
    ("GSS_C_SEQUENCE_FLAG", GSS_C_SEQUENCE_FLAG),
    ("GSS_C_CONF_FLAG", GSS_C_CONF_FLAG),
    ("GSS_C_INTEG_FLAG", GSS_C_INTEG_FLAG),
    ("GSS_C_ANON_FLAG", GSS_C_ANON_FLAG),
    ("GSS_C_PROT_READY_FLAG", GSS_C_PROT_READY_FLAG),
    ("GSS_C_TRANS_FLAG", GSS_C_TRANS_FLAG),
    ("GSS_C_CHANNEL_BOUND_FLAG", GSS_C_CHANNEL_BOUND_FLAG),
    ("GSS_C_DCE_STYLE", GSS_C_DCE_STYLE),
    ("GSS_C_IDENTIFY_FLAG", GSS_C_IDENTIFY_FLAG),
    ("GSS_C_EXTENDED_ERROR_FLAG", GSS_C_EXTENDED_ERROR_FLAG),
    ("GSS_C_DELEG_POLICY_FLAG", GSS_C_DELEG_POLICY_FLAG),
];
