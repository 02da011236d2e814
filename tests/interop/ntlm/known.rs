//! What foreign implementations are known not to do. A row of them that fails in these words is noted with the
//! reason; one that does not fail any more is a failure, so that nothing here outlives its truth.

use crate::ntlm::rows::{Peer, Row};
use crate::ntlm::side::Mech;

use Peer::{Apache, Curl, GssNtlmssp, NtlmAuth, Ours, Pyspnego, Sspi};

/// Why a row ends as it does.
#[derive(Clone, Copy)]
pub(super) struct Note {
    /// What the failure says.
    pub(super) said: &'static str,
    pub(super) reason: &'static str,
}

const LOG_ON: &str = "log-on";
const UNPROTECTED: &str = "no session security";
const NO_BINDINGS: &str = "channel bindings absent";
const BAD_PASSWORD: &str = "wrong password refused";
const BAD_USER: &str = "unknown user refused";
const MIC_OFF: &str = "MIC flag cleared";

/// What is known of the row: of the pair before what is known of one of them.
pub(super) fn note(row: &Row) -> Option<Note> {
    pair(row)
        .or_else(|| one(row))
        .map(|(said, reason)| Note { said, reason })
}

/// Pairs that do not come to speak with each other.
fn pair(row: &Row) -> Option<(&'static str, &'static str)> {
    let raw = row.mech == Mech::Raw;
    Some(match (row.initiator, row.acceptor) {
        (GssNtlmssp, Sspi) => ("Invalid combinations of negotiate flags", UNICODE_AND_OEM),
        (Curl, Sspi) if !raw => ("401 instead of 200", UNICODE_AND_OEM),
        (Curl, Sspi) => (
            "Negotiate flags do not contain",
            "the crate sspi takes no NEGOTIATE_MESSAGE that does not say Unicode, as curl's",
        ),
        (Curl, GssNtlmssp | Apache) if raw => (
            "Failed to decode data",
            "gss-ntlmssp 1.2, in Apache too, does not decode curl's NEGOTIATE_MESSAGE of 32 bytes",
        ),
        (NtlmAuth, Pyspnego) => (
            "Invalid NTLM response",
            "Samba's response ends without the four zero bytes of MS-NLMP 3.3.2, over which pyspnego \
             computes its own",
        ),
        (NtlmAuth, Sspi) if !raw => (
            "Read NTLM signature is invalid",
            "the crate sspi does not decode Samba's NegTokenResp, which has no negState",
        ),
        _ => return None,
    })
}

const UNICODE_AND_OEM: &str = "gss-ntlmssp 1.2, in curl too, takes no CHALLENGE_MESSAGE that says both Unicode \
                               and OEM, as the crate sspi's";

/// What one side does or does not, whatever the other.
fn one(row: &Row) -> Option<(&'static str, &'static str)> {
    let raw = row.mech == Mech::Raw;
    Some(match (row.question.name, row.initiator, row.acceptor) {
        (LOG_ON, initiator, GssNtlmssp) if initiator != Curl => (
            "grün",
            "gss-ntlmssp 1.2 does not find a name beyond ASCII in its file of users",
        ),
        (UNPROTECTED, Pyspnego, GssNtlmssp) => (
            "Permission denied",
            "gss-ntlmssp 1.2 as an acceptor exchanges keys where neither signing nor sealing was \
             negotiated (MS-NLMP 3.2.5.1.2 does not), so that pyspnego's MIC is another",
        ),
        (UNPROTECTED, Pyspnego, Sspi) => ("Invalid encrypted random session key", ONE_BYTE),
        (UNPROTECTED, Pyspnego, NtlmAuth) => ("INVALID_PARAMETER", ONE_BYTE),
        (UNPROTECTED, GssNtlmssp, _) if !raw => (
            "flag integ: found true",
            "MIT's SPNEGO asks for integrity by itself",
        ),
        (UNPROTECTED, Sspi, GssNtlmssp | NtlmAuth) if !raw => ("both sides wait", WAITS),
        (UNPROTECTED, Sspi, Pyspnego) if !raw => ("BadMICError", SIGNS),
        (UNPROTECTED, Sspi, Ours) if !raw => ("both sides wait", WAITS),
        (UNPROTECTED, Sspi, _) | (UNPROTECTED, Ours, Sspi) => ("wrapping was accepted", SIGNS),
        (UNPROTECTED, GssNtlmssp, Ours) => (
            "no MIC",
            "gss-ntlmssp 1.2 sends no MIC where nothing is signed, and ours requires one",
        ),
        (NO_BINDINGS, _, GssNtlmssp | Sspi) => (
            "was accepted",
            "gss-ntlmssp 1.2 and the crate sspi take a response without the channel bindings that they \
             look for",
        ),
        (BAD_USER, initiator, NtlmAuth) => (
            if initiator == Curl {
                "200 instead of 401"
            } else {
                "was accepted"
            },
            "ntlm_auth with a password on its command line takes every name with that password",
        ),
        (MIC_OFF, Sspi, NtlmAuth) if raw => (
            "was accepted",
            "Samba takes the LMv2 response, which covers no flags, where the NTLMv2 response is wrong; \
             the crate sspi sends both",
        ),
        (BAD_PASSWORD, NtlmAuth, Sspi) => (
            "was accepted",
            "the crate sspi does not compare the response to its challenge, and looks at a MIC only where \
             AUTHENTICATE_MESSAGE has NTLMSSP_NEGOTIATE_TARGET_INFO, which Samba's has not: any password \
             will do",
        ),
        (MIC_OFF, _, Sspi) if raw => (
            "was accepted",
            "the crate sspi does not compare the response to its challenge: without a MIC any password \
             will do",
        ),
        _ => return None,
    })
}

const ONE_BYTE: &str = "pyspnego sends one byte of session key where none is exchanged (MS-NLMP 3.1.5.1.2); \
                        the crate sspi and Samba want sixteen";

const SIGNS: &str = "the crate sspi signs and wraps without session security";

const WAITS: &str =
    "without session security the crate sspi waits for a mechListMIC, which nobody can make there";
