//! Authorization data: what is understood of it, and what forbids the use of a ticket.

use countersign_token::der::{Decode, Encode};
use countersign_token::kerberos::authorization;
use countersign_token::kerberos::{AuthorizationData, AuthorizationDataEntry, EtypeList};

use crate::error::ErrorKind;

/// KERB_AP_OPTIONS_CBT in AD-AUTH-DATA-AP-OPTIONS (MS-KILE §3.2.5.8), little-endian on the wire.
const AP_OPTIONS_CBT: u32 = 0x4000;

/// The types that an acceptor may meet outside of AD-IF-RELEVANT and go on: those it reads, and
/// those that restrict nothing of what it does.
const UNDERSTOOD: [i32; 8] = [
    AuthorizationDataEntry::KDC_ISSUED,
    AuthorizationDataEntry::MANDATORY_FOR_KDC,
    AuthorizationDataEntry::CAMMAC,
    AuthorizationDataEntry::WIN2K_PAC,
    AuthorizationDataEntry::ETYPE_NEGOTIATION,
    AuthorizationDataEntry::TOKEN_RESTRICTIONS,
    AuthorizationDataEntry::LOCAL,
    AuthorizationDataEntry::AP_OPTIONS,
];

/// What the initiator says in its authenticator's authorization data.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    /// The enctypes that it supports, preferred first, by assigned number.
    pub(super) enctypes: EtypeList<'a>,
    /// It sends channel bindings whenever there is a channel.
    pub(super) expects_bindings: bool,
}

impl<'a> AuthenticatorData<'a> {
    /// Reads the known elements, at the top or inside AD-IF-RELEVANT.
    ///
    /// # Errors
    /// RFC 4120 §5.2.6: an element of an unknown type that is not inside AD-IF-RELEVANT forbids
    /// the use of the ticket.
    pub(super) fn collect(data: Option<&AuthorizationData<'a>>) -> Result<Self, ErrorKind> {
        let mut found = Self {
            enctypes: EtypeList::EMPTY,
            expects_bindings: false,
        };
        for element in data.into_iter().flat_map(authorization::elements) {
            let element = element.map_err(ErrorKind::DefectivePlaintext)?;
            let ad_type = element.entry.ad_type;
            if !element.if_relevant && !UNDERSTOOD.contains(&ad_type) {
                return Err(ErrorKind::AuthorizationDataRefused { ad_type });
            }
            found.take(&element.entry);
        }
        Ok(found)
    }

    fn take(&mut self, element: &AuthorizationDataEntry<'a>) {
        match element.ad_type {
            AuthorizationDataEntry::ETYPE_NEGOTIATION if self.enctypes.is_empty() => {
                if let Ok(list) = EtypeList::from_der(element.ad_data) {
                    self.enctypes = list;
                }
            }
            AuthorizationDataEntry::AP_OPTIONS => {
                if let Ok(bytes) = element.ad_data.try_into() {
                    self.expects_bindings |= u32::from_le_bytes(bytes) & AP_OPTIONS_CBT != 0;
                }
            }
            _ => {}
        }
    }

    /// The DER of an initiator's AuthorizationData with the same content.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let list = self.enctypes.to_der();
        let options = AP_OPTIONS_CBT.to_le_bytes();
        let mut elements = Vec::new();
        if !self.enctypes.is_empty() {
            elements.push(AuthorizationDataEntry {
                ad_type: AuthorizationDataEntry::ETYPE_NEGOTIATION,
                ad_data: &list,
            });
        }
        if self.expects_bindings {
            elements.push(AuthorizationDataEntry {
                ad_type: AuthorizationDataEntry::AP_OPTIONS,
                ad_data: &options,
            });
        }
        if elements.is_empty() {
            return None;
        }
        let inner = AuthorizationData::new(&elements).to_der();
        let outer = [AuthorizationDataEntry {
            ad_type: AuthorizationDataEntry::IF_RELEVANT,
            ad_data: &inner,
        }];
        Some(AuthorizationData::new(&outer).to_der())
    }
}
