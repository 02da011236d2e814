//! The initiator's call.

use crate::token::oid::Oid;
use crate::{ChannelBindings, Flags, Role};

use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
use super::super::{Credential, Name};
use super::mechanisms::{Asked, initiator};
use super::{Context, GSS_C_INDEFINITE, State, Status};

/// What [`init_sec_context`] gives.
#[derive(Debug, Clone)]
#[must_use = "a token is to be sent, and ret_flags tell what was granted"]
pub struct InitResult {
    /// Whether the context is established.
    pub status: Status,
    /// The mechanism at work; with SPNEGO the negotiated one, once the context is established.
    pub actual_mech_type: Oid<'static>,
    /// To be sent to the peer, if present; also where the context is established.
    pub output_token: Option<Vec<u8>>,
    /// What was granted, once the context is established; nothing before.
    pub ret_flags: Flags,
    /// Seconds that the context lasts, once it is established.
    pub time_rec: u32,
}

/// Begins a context and takes it on (RFC 2744 §5.19, `gss_init_sec_context`).
///
/// `context` is `None` for the first call; `target_name` and the parameters after it count for that
/// one alone. `mech_type` `None` is Kerberos. The first call takes no token, or an empty one.
///
/// `time_req` seconds, unless 0 or [`GSS_C_INDEFINITE`](super::GSS_C_INDEFINITE), are the longest that
/// this side takes the context to last: `time_rec` and [`context_time`](super::context_time) do not tell
/// more, less where the ticket ends before. The peer does not learn of it and an exported context
/// forgets it. MIT krb5 asks the KDC for a ticket that ends then, and tells when the ticket ends that it
/// got, which may be an older one that lasts longer; here tickets are shared, and not cut short for one
/// context.
///
/// Flags are asked for, and `ret_flags` tell what was granted; [`Credential::require`] makes it an
/// error. One exception: Kerberos that was asked for mutual authentication never does without.
///
/// SPNEGO goes on to NTLM, where the credential names it, when Kerberos cannot begin. Whoever can block
/// or make up the answers of KDCs chooses so; with [`GSS_C_MUTUAL_FLAG`](super::super::flags::GSS_C_MUTUAL_FLAG)
/// among the required flags that is an error too.
///
/// # Errors
/// As RFC 2744 lists them. [`GssError::token`] may hold a token that tells the peer. After a first
/// call that fails there is no context; after a later one it stays and repeats the error.
#[expect(clippy::too_many_arguments, reason = "those of RFC 2744 section 5.19")]
pub fn init_sec_context(
    claimant_cred: &Credential,
    context: &mut Option<Context>,
    target_name: &Name,
    mech_type: Option<Oid<'_>>,
    req_flags: Flags,
    time_req: u32,
    input_chan_bindings: Option<&ChannelBindings>,
    input_token: Option<&[u8]>,
) -> Result<InitResult, GssError> {
    if let Some(context) = context {
        if context.role != Role::Initiator {
            return Err(Problem::ContextOfOtherSide.into());
        }
        let (status, output_token) = context.step(input_token)?;
        return Ok(result(context, status, output_token));
    }
    let asked = Mech::of(mech_type.unwrap_or(Oid::KERBEROS))?;
    claimant_cred.check(asked, true).or_else(|error| {
        // Who wants to be nobody needs nothing.
        let anonymous = req_flags.contains(Flags::ANONYMOUS) && may_be_nobody(asked);
        if anonymous { Ok(()) } else { Err(error) }
    })?;
    let mechanism = initiator(
        claimant_cred,
        asked,
        &Asked {
            target: target_name,
            flags: req_flags,
            bindings: input_chan_bindings,
        },
    )?;
    let mut begun = Context {
        provider: claimant_cred.provider.clone(),
        role: Role::Initiator,
        asked,
        target: Some(target_name.clone()),
        proxy: None,
        wanted_until: match time_req {
            0 | GSS_C_INDEFINITE => None,
            seconds => Some(claimant_cred.provider.now().offset_by(i64::from(seconds))),
        },
        state: State::HalfOpen(mechanism),
    };
    let (status, output_token) = begun.step(input_token.filter(|token| !token.is_empty()))?;
    let result = result(&begun, status, output_token);
    *context = Some(begun);
    Ok(result)
}

fn may_be_nobody(mechanism: Mech) -> bool {
    match mechanism {
        #[cfg(feature = "ntlm")]
        Mech::Ntlm => true,
        _ => false,
    }
}

fn result(context: &Context, status: Status, output_token: Option<Vec<u8>>) -> InitResult {
    InitResult {
        status,
        actual_mech_type: context.mechanism(),
        output_token,
        ret_flags: context.granted(),
        time_rec: context.seconds(),
    }
}
