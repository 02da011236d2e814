//! Authorization data: what is understood of it, and what forbids the use of a ticket.

use countersign_crypto::Enctype;
use countersign_token::der::{Decode, Encode, Tag, Writer};
use countersign_token::kerberos::authorization;
use countersign_token::kerberos::{AuthorizationData, AuthorizationDataEntry as Entry, EtypeList};

use crate::error::ErrorKind;
use crate::policy::EnctypeSet;

/// KERB_AP_OPTIONS_CBT in AD-AUTH-DATA-AP-OPTIONS (MS-KILE §3.2.5.8), little-endian on the wire.
const AP_OPTIONS_CBT: u32 = 0x4000;

/// The types that an acceptor may meet outside of AD-IF-RELEVANT and go on: those it reads, and
/// those that restrict nothing of what it does.
const UNDERSTOOD: [i32; 8] = [
    Entry::KDC_ISSUED,
    Entry::MANDATORY_FOR_KDC,
    Entry::CAMMAC,
    Entry::WIN2K_PAC,
    Entry::ETYPE_NEGOTIATION,
    Entry::TOKEN_RESTRICTIONS,
    Entry::LOCAL,
    Entry::AP_OPTIONS,
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

    fn take(&mut self, element: &Entry<'a>) {
        match element.ad_type {
            Entry::ETYPE_NEGOTIATION if self.enctypes.is_empty() => {
                if let Ok(list) = EtypeList::from_der(element.ad_data) {
                    self.enctypes = list;
                }
            }
            Entry::AP_OPTIONS => {
                if let Ok(bytes) = element.ad_data.try_into() {
                    self.expects_bindings |= u32::from_le_bytes(bytes) & AP_OPTIONS_CBT != 0;
                }
            }
            _ => {}
        }
    }
}

/// The authorization data that an initiator puts into its authenticator: the enctypes that the acceptor may pick from
/// (RFC 4537 §3), and that it sends channel bindings whenever there is a channel (MS-KILE §3.2.5.8).
pub(super) struct Offer {
    pub(super) enctypes: EnctypeSet,
    pub(super) expects_bindings: bool,
}

impl Offer {
    /// Its DER, inside AD-IF-RELEVANT; `None` where there is nothing to say.
    pub(super) fn to_authorization_data(&self) -> Option<Vec<u8>> {
        let says = self.expects_bindings || self.enctypes != EnctypeSet::EMPTY;
        says.then(|| self.to_der())
    }

    fn elements(&self, writer: &mut Writer) {
        if self.enctypes != EnctypeSet::EMPTY {
            Entry::write(writer, Entry::ETYPE_NEGOTIATION, |writer| {
                writer.nest(Tag::SEQUENCE, |writer| {
                    let ids = self.enctypes.iter().map(Enctype::id);
                    ids.for_each(|id| id.encode(writer));
                });
            });
        }
        if self.expects_bindings {
            Entry::write(writer, Entry::AP_OPTIONS, |writer| {
                writer.bytes(&AP_OPTIONS_CBT.to_le_bytes());
            });
        }
    }
}

impl Encode for Offer {
    fn encode(&self, writer: &mut Writer) {
        writer.nest(Tag::SEQUENCE, |writer| {
            Entry::write(writer, Entry::IF_RELEVANT, |writer| {
                writer.nest(Tag::SEQUENCE, |writer| self.elements(writer));
            });
        });
    }
}
