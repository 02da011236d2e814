//! Checks of a decrypted ticket: RFC 4120 §3.2.3.

use countersign_credential::{Principal, TicketTimes};
use countersign_crypto::{Enctype, Key};
use countersign_token::der::Decode;
use countersign_token::kerberos::{EncTicketPart, HostAddress, TicketFlags};

use crate::environment::{Environment, Timestamp};
use crate::error::ErrorKind;
use crate::policy::Policy;

use super::authorization::AuthenticatorData;
use super::credential::OpenedTicket;
use super::pac::{self, TicketGrantingKeys};

/// What a verified ticket says.
pub(super) struct VerifiedTicket {
    pub(super) client: Principal,
    /// The KDC hid who the client is; its name is nobody's.
    pub(super) anonymous: bool,
    pub(super) server: Principal,
    pub(super) session_key: Key,
    pub(super) times: TicketTimes,
    pub(super) flags: TicketFlags,
    /// AuthorizationData, DER; empty if absent.
    pub(super) authorization_data: Vec<u8>,
    /// The authorization data has a PAC, and it is right.
    pub(super) pac: Option<pac::Verified>,
}

impl VerifiedTicket {
    /// Decodes the plaintext of a ticket and checks what it says against time and policy.
    pub(super) fn check(
        opened: &OpenedTicket<'_>,
        kdc: Option<&TicketGrantingKeys>,
        peer_address: Option<&(i32, Vec<u8>)>,
        env: &Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        let OpenedTicket {
            server,
            plaintext,
            signing,
        } = opened;
        let part = EncTicketPart::from_der(plaintext).map_err(ErrorKind::DefectivePlaintext)?;
        let skew = i64::from(env.policy.clock_skew());

        // §3.2.3: not yet valid before the start time less the skew, or while INVALID is set;
        // expired after the end time plus the skew. "If the starttime field is absent, use the
        // authtime": §5.3.
        let start = part.starttime.unwrap_or(part.authtime).seconds;
        if part.flags.contains(TicketFlags::INVALID)
            || Timestamp::from_unix(start.saturating_sub(skew)) > env.now
        {
            return Err(ErrorKind::TicketNotYetValid);
        }
        if Timestamp::from_unix(part.endtime.seconds.saturating_add(skew)) < env.now {
            return Err(ErrorKind::TicketExpired);
        }

        let client = Principal::from_token(&part.crealm, &part.cname);
        // §2.7: a path of realms must have been checked by the KDC, or must be checked here. One
        // that ends where it began counts too: each realm on it may have named any client.
        let unchecked = !part.flags.contains(TicketFlags::TRANSITED_POLICY_CHECKED)
            && !part.transited.contents.is_empty();
        if unchecked && !env.policy.unchecked_transit() {
            return Err(ErrorKind::TransitRefused);
        }

        // §3.2.3: "If the ticket contains addresses", the initiator's must be among them.
        if let (Some((addr_type, address)), Some(allowed)) = (peer_address, &part.caddr) {
            let among = |a: HostAddress<'_>| a.addr_type == *addr_type && a.address == address;
            if !allowed.is_empty() && !allowed.iter().any(among) {
                return Err(ErrorKind::AddressMismatch);
            }
        }

        AuthenticatorData::collect(part.authorization_data.as_ref())?;
        let keys = pac::Keys {
            server: signing,
            kdc,
            realm: server.realm(),
        };
        let pac = pac::verify(&part, &keys, env.policy)?;
        let session_key = permitted_key(part.key.keytype, part.key.keyvalue, env.policy)?;
        Ok(Self {
            client,
            // RFC 8062 §3.
            anonymous: part.flags.contains(TicketFlags::ANONYMOUS),
            server: server.clone(),
            session_key,
            pac,
            times: TicketTimes {
                auth_time: part.authtime.seconds,
                start_time: start,
                end_time: part.endtime.seconds,
                renew_till: part.renew_till.map_or(0, |time| time.seconds),
            },
            flags: part.flags,
            authorization_data: part
                .authorization_data
                .map(|data| countersign_token::der::Encode::to_der(&data))
                .unwrap_or_default(),
        })
    }
}

/// A key of a token, if the policy permits its enctype and it has that enctype's length.
pub(in crate::kerberos) fn permitted_key(
    enctype: i32,
    value: &[u8],
    policy: &Policy,
) -> Result<Key, ErrorKind> {
    Enctype::from_id(enctype)
        .filter(|enctype| policy.enctypes().contains(*enctype))
        .and_then(|enctype| Key::new(enctype, value).ok())
        .ok_or(ErrorKind::EnctypeRefused { enctype })
}
