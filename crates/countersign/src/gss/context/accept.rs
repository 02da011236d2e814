//! The acceptor's call.

use crate::kerberos::kdc::ClientCredential;
use crate::token::framing::InitialToken;
use crate::token::oid::Oid;
use crate::{ChannelBindingPolicy, ErrorKind, Flags, Role};

use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
use super::super::oid::OidSet;
use super::super::{CredUsage, Credential, Name};
use super::mechanisms::acceptor;
use super::{Context, State, Status};

/// What [`accept_sec_context`] gives.
#[derive(Debug, Clone)]
#[must_use = "a token is to be sent, and ret_flags tell what was granted"]
pub struct AcceptResult {
    /// Whether the context is established.
    pub status: Status,
    /// Who the initiator is, once the context is established. Nobody, where it is anonymous.
    pub source_name: Option<Name>,
    /// The mechanism at work; with SPNEGO the negotiated one, once the context is established.
    pub mech_type: Oid<'static>,
    /// To be sent to the peer, if present; also where the context is established.
    pub output_token: Option<Vec<u8>>,
    /// What was granted, once the context is established; nothing before.
    pub ret_flags: Flags,
    /// Seconds that the context lasts, once it is established.
    pub time_rec: u32,
    /// The initiator's credential, where it delegated one, or where the acceptor's credential asks for
    /// [constrained delegation](Credential::delegate_constrained).
    pub delegated_cred: Option<Credential>,
}

/// Accepts a context and takes it on (RFC 2744 §5.1, `gss_accept_sec_context`).
///
/// `context` is `None` for the first call, whose token tells the mechanism: one that the credential
/// is for. An empty first token makes SPNEGO speak first, as servers of SMB do (MS-SPNG §3.2.5.2).
///
/// `input_chan_bindings` say what becomes of initiators that send none: C has them accepted, which
/// here is [`ChannelBindingPolicy::IfPresent`].
///
/// # Errors
/// As RFC 2744 lists them. [`GssError::token`] may hold a token that tells the peer. After a first
/// call that fails there is no context; after a later one it stays and repeats the error.
pub fn accept_sec_context(
    context: &mut Option<Context>,
    acceptor_cred: &Credential,
    input_token: &[u8],
    input_chan_bindings: &ChannelBindingPolicy,
) -> Result<AcceptResult, GssError> {
    if let Some(context) = context {
        if context.role != Role::Acceptor {
            return Err(Problem::ContextOfOtherSide.into());
        }
        let (status, output_token) = context.step(Some(input_token))?;
        return Ok(result(context, status, output_token));
    }
    let asked = mechanism_of(input_token)?;
    acceptor_cred.check(asked, false)?;
    let mut begun = Context {
        provider: acceptor_cred.provider.clone(),
        role: Role::Acceptor,
        asked,
        target: None,
        proxy: acceptor_cred.proxy().cloned(),
        wanted_until: None,
        state: State::HalfOpen(acceptor(acceptor_cred, asked, input_chan_bindings)?),
    };
    let (status, output_token) = begun.step(Some(input_token).filter(|token| !token.is_empty()))?;
    let result = result(&mut begun, status, output_token);
    *context = Some(begun);
    Ok(result)
}

/// Whose token it is, by its first bytes.
fn mechanism_of(token: &[u8]) -> Result<Mech, GssError> {
    /// AP-REQ without framing, which is DCE style's: [APPLICATION 14] (MS-KILE §3.4.5.1).
    const BARE_AP_REQ: u8 = 0x6e;
    match token.first() {
        None => return Ok(Mech::Spnego),
        Some(&BARE_AP_REQ) => return Ok(Mech::Krb5),
        Some(_) => {}
    }
    #[cfg(feature = "ntlm")]
    if token.starts_with(&crate::token::ntlm::SIGNATURE) {
        return Ok(Mech::Ntlm);
    }
    let framed = InitialToken::parse(token).map_err(ErrorKind::DefectiveToken)?;
    Ok(Mech::of(framed.mechanism)?)
}

fn result(context: &mut Context, status: Status, output_token: Option<Vec<u8>>) -> AcceptResult {
    let delegated = delegated(context);
    AcceptResult {
        status,
        source_name: context.peer(),
        mech_type: context.mechanism(),
        output_token,
        ret_flags: context.granted(),
        time_rec: context.seconds(),
        delegated_cred: delegated.map(|client| Credential {
            provider: context.provider.clone(),
            usage: CredUsage::Initiate,
            mechanisms: OidSet::from([Oid::KERBEROS, Oid::SPNEGO]),
            negotiable: None,
            initiator: Some(client),
            acceptor: None,
            #[cfg(feature = "ntlm")]
            account: None,
            #[cfg(feature = "ntlm")]
            ntlm_acceptor: None,
            acceptor_name: None,
            required: Flags::NONE,
            constrained: false,
        }),
    }
}

/// What the initiator delegated, or else what its ticket permits where the service asks for it.
fn delegated(context: &mut Context) -> Option<ClientCredential> {
    let service = context.proxy.clone();
    let context = context.established().ok()?;
    if let Some(ticket) = context.take_delegated() {
        return Some(ClientCredential::delegated(ticket));
    }
    Some(ClientCredential::with_evidence(
        &service?,
        context.take_evidence()?,
    ))
}
