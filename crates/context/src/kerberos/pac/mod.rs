//! The PAC of a client's ticket: MS-PAC, verified on accept.
//!
//! A service alone verifies the server's signature, which says that the ticket's KDC, or whoever
//! else holds the service's key, made the PAC. The KDC's three signatures need the ticket-granting
//! key ([`AcceptorCredential::with_ticket_granting_keys`](super::AcceptorCredential::with_ticket_granting_keys));
//! without it they are told to be [`Unverified`](SignatureState::Unverified). A domain controller
//! would verify the KDC's over NETLOGON (MS-APDS §3.2.5.4), which this library does not.

mod keys;
mod ticket_signature;
mod verified;

use countersign_token::kerberos::authorization;
use countersign_token::kerberos::{
    AuthorizationData, AuthorizationDataEntry, EncTicketPart, PrincipalName,
};
use countersign_token::pac::{BufferType, ClientInfo, Pac, SignatureData, Utf16};

use crate::error::{ErrorKind, PacProblem, PacSignature};
use crate::policy::{PacPolicy, Policy};

pub(super) use keys::{SigningKey, TicketGrantingKeys};
pub(crate) use verified::Verified;
pub use verified::{SignatureState, VerifiedPac};

/// The keys that signed.
pub(super) struct Keys<'a> {
    /// The one that opened the ticket.
    pub(super) server: &'a SigningKey,
    /// The ticket-granting ones, if the caller has them.
    pub(super) kdc: Option<&'a TicketGrantingKeys>,
    /// The realm whose KDC issued the ticket: the service's.
    pub(super) realm: &'a [u8],
}

/// The only PAC in authorization data, at any depth of AD-IF-RELEVANT (MS-KILE §2.2).
pub(super) fn find<'a>(
    data: Option<&AuthorizationData<'a>>,
) -> Result<Option<&'a [u8]>, ErrorKind> {
    let mut found = None;
    for element in data.into_iter().flat_map(authorization::elements) {
        let entry = element.map_err(ErrorKind::DefectivePlaintext)?.entry;
        if entry.ad_type == AuthorizationDataEntry::WIN2K_PAC
            && found.replace(entry.ad_data).is_some()
        {
            return Err(PacProblem::Repeated.into());
        }
    }
    Ok(found)
}

/// Verifies the PAC of a decrypted ticket; `None` when there is none or the policy ignores it.
pub(super) fn verify(
    part: &EncTicketPart<'_>,
    keys: &Keys<'_>,
    policy: &Policy,
) -> Result<Option<Verified>, ErrorKind> {
    if policy.pac() == PacPolicy::Ignored {
        return Ok(None);
    }
    let required = policy.pac() == PacPolicy::Required;
    let Some(bytes) = find(part.authorization_data.as_ref())? else {
        return if required {
            Err(PacProblem::Missing.into())
        } else {
            Ok(None)
        };
    };
    let pac = Pac::parse(bytes).map_err(PacProblem::Malformed)?;
    verify_server(&pac, keys.server)?;
    let verified = verify_kdc(&pac, part, keys, policy)?;

    let client = pac.client_info().map_err(PacProblem::Malformed)?;
    let client = client.ok_or(PacProblem::ClientInfoMissing)?;
    if !belongs(&client, part) {
        return Err(PacProblem::ClientMismatch.into());
    }
    let view = VerifiedPac::new(pac, verified).map_err(PacProblem::Malformed)?;
    if required && view.logon_info().is_none() {
        return Err(PacProblem::LogonInfoMissing.into());
    }
    Ok(Some(verified))
}

fn signature<'a>(
    pac: &Pac<'a>,
    signature: PacSignature,
) -> Result<Option<SignatureData<'a>>, PacProblem> {
    pac.signature(buffer_type(signature))
        .map_err(PacProblem::Malformed)
}

fn required<'a>(pac: &Pac<'a>, which: PacSignature) -> Result<SignatureData<'a>, PacProblem> {
    signature(pac, which)?.ok_or(PacProblem::SignatureMissing { signature: which })
}

const fn buffer_type(signature: PacSignature) -> BufferType {
    match signature {
        PacSignature::Server => BufferType::SERVER_SIGNATURE,
        PacSignature::Kdc => BufferType::KDC_SIGNATURE,
        PacSignature::Ticket => BufferType::TICKET_SIGNATURE,
        PacSignature::Full => BufferType::FULL_SIGNATURE,
    }
}

/// MS-PAC §2.8: the server's signature, which there must be, with the key that opened the ticket
/// and the checksum type that belongs to it.
fn verify_server(pac: &Pac<'_>, key: &SigningKey) -> Result<(), PacProblem> {
    let which = PacSignature::Server;
    let found = required(pac, which)?;
    let covered = pac.server_signed().map_err(PacProblem::Malformed)?;
    if !key.makes(found.signature_type) {
        return Err(PacProblem::SignatureTypeRefused {
            signature: which,
            signature_type: found.signature_type,
        });
    }
    if key.verify(covered.as_slice(), found.signature) {
        Ok(())
    } else {
        Err(PacProblem::SignatureWrong { signature: which })
    }
}

/// MS-PAC §2.8: the KDC's signature, which there must be, and the two that a KDC without the
/// updates of 2020 and 2022 does not make.
fn verify_kdc(
    pac: &Pac<'_>,
    part: &EncTicketPart<'_>,
    keys: &Keys<'_>,
    policy: &Policy,
) -> Result<Verified, PacProblem> {
    let kdc = required(pac, PacSignature::Kdc)?;
    let ticket = signature(pac, PacSignature::Ticket)?;
    let full = signature(pac, PacSignature::Full)?;
    let Some(kdc_keys) = keys.kdc else {
        let state = |found: Option<_>| match found {
            Some(_) => SignatureState::Unverified,
            None => SignatureState::Absent,
        };
        return Ok(Verified {
            kdc: SignatureState::Unverified,
            ticket: state(ticket),
            full: state(full),
        });
    };
    let check = |which, found: SignatureData<'_>, covered: &[&[u8]]| {
        kdc_keys.verify(keys.realm, policy, which, &found, covered)
    };
    check(
        PacSignature::Kdc,
        kdc,
        &[pac.kdc_signed().unwrap_or_default()],
    )?;
    let ticket = match ticket {
        Some(found) => {
            let covered = ticket_signature::covered(part).map_err(PacProblem::Malformed)?;
            check(PacSignature::Ticket, found, &[&covered])?
        }
        None => SignatureState::Absent,
    };
    let full = match full {
        Some(found) => {
            let covered = pac.fully_signed().map_err(PacProblem::Malformed)?;
            check(PacSignature::Full, found, covered.as_slice())?
        }
        None => SignatureState::Absent,
    };
    Ok(Verified {
        kdc: SignatureState::Verified,
        ticket,
        full,
    })
}

/// MS-PAC §2.7: the name and the time are the ticket's.
fn belongs(client: &ClientInfo<'_>, part: &EncTicketPart<'_>) -> bool {
    client.client_id.unix_seconds() == Some(part.authtime.seconds)
        && is_name(client.name, &part.cname)
}

/// Whether the text is the name's components, joined by slashes and without the realm.
fn is_name(text: Utf16<'_>, name: &PrincipalName<'_>) -> bool {
    let mut chars = text.chars();
    for (index, component) in name.name_string.iter().enumerate() {
        if index > 0 && chars.next() != Some('/') {
            return false;
        }
        let Some(component) = component.as_str() else {
            return false;
        };
        if !component.chars().all(|c| chars.next() == Some(c)) {
            return false;
        }
    }
    chars.next().is_none()
}
