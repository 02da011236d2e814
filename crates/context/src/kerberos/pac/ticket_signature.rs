//! What a ticket's signature covers.

use countersign_token::DecodeError;
use countersign_token::der::{Decode, Encode};
use countersign_token::kerberos::{AuthorizationData, AuthorizationDataEntry, EncTicketPart};

/// MS-PAC §2.8: the DER of the EncTicketPart in which a single zero byte stands for the PAC.
pub(super) fn covered(part: &EncTicketPart<'_>) -> Result<Vec<u8>, DecodeError> {
    let Some(data) = &part.authorization_data else {
        return Ok(part.to_der());
    };
    let without = without_pac(data)?;
    let part = EncTicketPart {
        authorization_data: Some(AuthorizationData::from_der(&without)?),
        ..*part
    };
    Ok(part.to_der())
}

/// As deep as AD-IF-RELEVANT goes, which was checked when the PAC was found.
fn without_pac(data: &AuthorizationData<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut inner = Vec::new();
    for entry in data.iter() {
        inner.push(match entry.ad_type {
            AuthorizationDataEntry::WIN2K_PAC => Some(vec![0]),
            AuthorizationDataEntry::IF_RELEVANT => {
                let nested = AuthorizationData::from_der(entry.ad_data)?;
                Some(without_pac(&nested)?)
            }
            _ => None,
        });
    }
    let entries: Vec<_> = data
        .iter()
        .zip(&inner)
        .map(|(entry, replaced)| AuthorizationDataEntry {
            ad_type: entry.ad_type,
            ad_data: replaced.as_deref().unwrap_or(entry.ad_data),
        })
        .collect();
    Ok(AuthorizationData::new(&entries).to_der())
}
