//! Verification of a KDC's reply, AS and TGS alike: RFC 4120 §3.1.5 and §3.3.4, RFC 6806 §11.
//!
//! Outside of the encrypted part nothing is believed. The names in the clear are compared with
//! what was asked for and with the encrypted part, so that an altered reply is refused, and never
//! taken over.

use countersign_credential::{HostAddress, Principal, TicketCredential, TicketTimes};
use countersign_crypto::{Enctype, Key, KeyUsage};
use countersign_token::der::{Decode, Encoded};
use countersign_token::kerberos::{
    Checksum, EncKdcRepPart, EncryptedData, PaData, Ticket, TicketFlags,
};

use crate::error::{ErrorKind, KdcProblem, ReplyPart};
use crate::kerberos::plaintext::Plaintext;
use crate::kerberos::ticket::permitted_key;
use crate::policy::Policy;

use super::options::AskedTimes;

/// What the reply must agree with.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) nonce: u32,
    pub(crate) server: AskedServer<'a>,
    pub(crate) times: AskedTimes,
    /// None means any.
    pub(crate) addresses: &'a [HostAddress],
}

/// The service that the ticket must be for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AskedServer<'a> {
    /// This one.
    Exactly(&'a Principal),
    /// This one, perhaps under another name (RFC 6806 §6): a ticket-granting service only as
    /// another one, and another service never as that.
    Canonical(&'a Principal),
}

impl AskedServer<'_> {
    fn is_met_by(self, server: &Principal) -> bool {
        match self {
            Self::Exactly(asked) => server == asked,
            Self::Canonical(asked) => {
                server == asked
                    || server.is_ticket_granting_service() == asked.is_ticket_granting_service()
            }
        }
    }
}

/// A ticket with what the client knows of it, and what else the encrypted part says.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) credential: TicketCredential,
    /// When the client's long-term key expires: Unix seconds.
    pub(crate) key_expiration: Option<i64>,
    /// RFC 4120 §5.4.2: `lr-type` and Unix seconds.
    pub(crate) last_requests: Vec<(i32, i64)>,
}

/// The plaintext of an EncryptedData; `None` if it is not one of this key and usage.
pub(crate) fn open(key: &Key, usage: KeyUsage, data: &EncryptedData<'_>) -> Option<Plaintext> {
    if Enctype::from_id(data.etype) != Some(key.enctype()) {
        return None;
    }
    Plaintext::open(&key.cipher(usage), data.cipher)
}

impl Asked<'_> {
    /// Checks the encrypted part and the ticket. `client` is who the ticket is for, which the
    /// caller has verified.
    pub(crate) fn check(
        &self,
        client: Principal,
        ticket: &Encoded<'_, Ticket<'_>>,
        part: &EncKdcRepPart<'_>,
        policy: &Policy,
    ) -> Result<Issued, ErrorKind> {
        let differs = |part| Err(ErrorKind::Kdc(KdcProblem::ReplyMismatch(part)));
        // RFC 4120 §3.1.5: "verifies that the nonce in the encrypted part matches the nonce it
        // supplied".
        if part.nonce != self.nonce {
            return differs(ReplyPart::Nonce);
        }
        // RFC 4120 §3.1.5: "the sname and srealm in the response match those in the request (or
        // are otherwise expected values)"; the encrypted part's, as the others are anybody's
        // (CVE-2017-11103).
        let server = Principal::from_token(&part.srealm, &part.sname);
        if !self.server.is_met_by(&server) {
            return differs(ReplyPart::Server);
        }
        let named = server.is_named(ticket.realm.unverified(), ticket.sname.unverified());
        if !named {
            return differs(ReplyPart::Ticket);
        }
        if !self.times_agree(part) {
            return differs(ReplyPart::Times);
        }
        let addresses: Vec<HostAddress> = part
            .caddr
            .unwrap_or_default()
            .iter()
            .map(|address| HostAddress {
                addr_type: address.addr_type,
                address: address.address.to_vec(),
            })
            .collect();
        // RFC 4120 §3.1.5: "that the host address field is also correct".
        if !addresses
            .iter()
            .all(|address| self.addresses.contains(address))
        {
            return differs(ReplyPart::Addresses);
        }
        let etype = ticket.enc_part.etype;
        let permitted = Enctype::from_id(etype).is_some_and(|e| policy.enctypes().contains(e));
        if !permitted {
            return Err(ErrorKind::EnctypeRefused { enctype: etype });
        }
        let key = permitted_key(part.key.keytype, part.key.keyvalue, policy)?;

        let mut credential = TicketCredential::new(client, server, key, ticket.raw().to_vec());
        credential.times = TicketTimes {
            auth_time: part.authtime.seconds,
            start_time: part.starttime.map_or(0, |time| time.seconds),
            end_time: part.endtime.seconds,
            renew_till: part.renew_till.map_or(0, |time| time.seconds),
        };
        credential.flags = part.flags;
        credential.addresses = addresses;
        Ok(Issued {
            credential,
            key_expiration: part.key_expiration.map(|time| time.seconds),
            last_requests: part
                .last_req
                .iter()
                .map(|entry| (entry.lr_type, entry.lr_value.seconds))
                .collect(),
        })
    }

    /// RFC 4120 §3.1.3: a postdated ticket starts when asked, and nothing lasts longer than asked.
    fn times_agree(&self, part: &EncKdcRepPart<'_>) -> bool {
        let start = part.starttime.unwrap_or(part.authtime).seconds;
        let starts = self.times.from.is_none_or(|from| start == from);
        let ends = self
            .times
            .till
            .is_none_or(|till| part.endtime.seconds <= till);
        // With RENEWABLE-OK alone the renewable life is what the plain one would have been.
        let limit = match (self.times.renew_till, self.times.renewable_ok) {
            (None, true) => self.times.till,
            (limit, _) => limit,
        };
        let renews = match (part.renew_till, limit) {
            (Some(end), Some(limit)) if part.flags.contains(TicketFlags::RENEWABLE) => {
                end.seconds <= limit
            }
            _ => true,
        };
        starts && ends && renews && start < part.endtime.seconds
    }
}

/// What the encrypted part proves of the request that the KDC saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestProof {
    /// The KDC saw the very request that was sent, so its canonical names can be believed.
    pub(crate) proven: bool,
    /// The KDC has FAST (RFC 6806 §11: an empty PA-FX-FAST beside the checksum).
    pub(crate) fast: bool,
}

impl RequestProof {
    /// RFC 6806 §11: where the ticket has the flag ENC-PA-REP, a checksum over the request is in
    /// the encrypted part and is verified. `request` is the whole message as it was sent, `key`
    /// the one that decrypted the part.
    pub(crate) fn check(
        request: &[u8],
        key: &Key,
        part: &EncKdcRepPart<'_>,
    ) -> Result<Self, ErrorKind> {
        let list = part.encrypted_pa_data.unwrap_or_default();
        let find = |kind| list.iter().find(|data| data.padata_type == kind);
        if !part.flags.contains(TicketFlags::ENC_PA_REP) {
            return Ok(Self {
                proven: false,
                fast: false,
            });
        }
        let altered = ErrorKind::Kdc(KdcProblem::ReplyMismatch(ReplyPart::Request));
        let checksum = find(PaData::REQ_ENC_PA_REP).ok_or(altered)?;
        let checksum = Checksum::from_der(checksum.padata_value).map_err(|_| altered)?;
        key.verify_checksum(
            KeyUsage::AS_REQ,
            checksum.cksumtype,
            &[request],
            checksum.checksum,
        )
        .map_err(|_| altered)?;
        Ok(Self {
            proven: true,
            fast: find(PaData::FX_FAST).is_some(),
        })
    }
}
