//! What foreign implementations are known not to do; as `ntlm/known.rs`.

use crate::negotiate::rows::{Peer, Row};

use Peer::{Pyspnego, Sspi};

/// The words of the failure, and the reason.
pub(super) fn note(row: &Row) -> Option<(&'static str, &'static str)> {
    Some(match (row.question.name, row.initiator, row.acceptor) {
        ("acceptor has NTLM alone", _, Pyspnego) => ("KeyError", OPTIMISTIC),
        ("acceptor has Kerberos alone", _, Pyspnego) => ("NoCredentialError", OPTIMISTIC),
        ("wrap sealed", Sspi, _) => (
            "to the initiator: sspi: major=000d0000 minor=0 what=unwrap MessageAltered",
            "the crate sspi opens no sealed message but those that are rotated by 28 octets, as Windows' are \
             (RFC 4121 4.2.5 leaves it to the sender)",
        ),
        ("wrap signed" | "MIC", Sspi, _) => (
            "no buffer was provided with type Data",
            "the crate sspi makes no MIC with Kerberos, and signs no message that it does not seal",
        ),
        _ => return None,
    })
}

const OPTIMISTIC: &str = "pyspnego as an acceptor hands the first token, which is the initiator's first \
                          mechanism's, to whichever mechanism it chooses (RFC 4178 3.2 has it ignored)";
