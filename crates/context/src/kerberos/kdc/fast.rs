//! FAST: requests and replies inside of an armor that somebody else's ticket gives, RFC 6113 §5.4.
//!
//! The armor key is made of two keys that only the KDC and the armor's owner hold, so that a
//! password's proof inside cannot be guessed at by those who watch, and the answer inside is the
//! KDC's word, errors too.

use core::fmt;

use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::{Enctype, Key, KeyUsage, combine};
use countersign_token::der::{Decode, Encode, Encoded, SequenceOf};
use countersign_token::kerberos::{
    ApOptions, Authenticator, Checksum, EncryptedData, EncryptionKey, FastOptions, KdcReqBody,
    KerberosTime, KrbFastArmor, KrbFastArmoredReq, KrbFastReq, KrbFastResponse, Microseconds,
    PaData, PaFxFastReply, PaFxFastRequest, Ticket,
};

use crate::environment::{Environment, Timestamp};
use crate::error::{ErrorKind, KdcProblem};
use crate::kerberos::ap_req::Envelope;
use crate::kerberos::framing::Framed;
use crate::kerberos::plaintext::seal;

use super::krb_error::KdcError;
use super::padata::{OwnedPaData, find};
use super::reply::open;

/// The armor of one conversation: its key and, where the KDC must be told how it is made, the
/// AP-REQ that tells.
pub(crate) struct Armor {
    key: Key,
    ap_req: Option<Vec<u8>>,
}

/// What was inside of an armored answer.
pub(crate) struct Armored {
    pub(crate) padata: Vec<OwnedPaData>,
    strengthen_key: Option<Key>,
    finished: Option<Finished>,
}

/// KrbFastFinished: the end of a conversation that ends in a ticket.
struct Finished {
    client: Principal,
    checksum_type: i32,
    checksum: Vec<u8>,
}

impl Armor {
    /// RFC 6113 §5.4.1.1: armor by a ticket for the ticket-granting service of `realm`, whose KDC
    /// is going to be asked. The authenticator is made at `time`, the KDC's.
    pub(crate) fn from_ticket(
        ticket: &TicketCredential,
        realm: &[u8],
        time: Timestamp,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        // Only that realm's KDC can read the ticket; a ticket that another realm issued for it
        // will do as well.
        let server = &ticket.server;
        if !server.is_ticket_granting_service() || server.component(1) != Some(realm) {
            return Err(KdcProblem::ArmorOfAnotherService.into());
        }
        if time >= Timestamp::from_unix(ticket.times.end_time) {
            return Err(ErrorKind::TicketExpired);
        }
        let session_key = ticket
            .session_key()
            .ok()
            .filter(|key| env.policy.enctypes().contains(key.enctype()))
            .ok_or(ErrorKind::EnctypeRefused {
                enctype: ticket.key.enctype_id(),
            })?;
        let subkey =
            Key::generate(session_key.enctype(), env.random).map_err(|_| ErrorKind::Random)?;
        let ap_req = armor_request(ticket, session_key, &subkey, time, env)?;
        Ok(Self {
            key: armor_key(&subkey, session_key)?,
            ap_req: Some(ap_req),
        })
    }

    /// RFC 6113 §5.4.2: the armor that a TGS-REQ implies, by the ticket-granting ticket that it
    /// presents; `subkey` is the one in its authenticator.
    pub(crate) fn implicit(subkey: &Key, session_key: &Key) -> Result<Self, ErrorKind> {
        Ok(Self {
            key: armor_key(subkey, session_key)?,
            ap_req: None,
        })
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// The value of PA-FX-FAST for a request with `padata` and `body` inside.
    ///
    /// RFC 6113 §5.4.2: `bound` is what ties the armor to the message around it: in an AS-REQ the
    /// outer KDC-REQ-BODY, in a TGS-REQ the AP-REQ of its PA-TGS-REQ.
    pub(crate) fn seal(
        &self,
        bound: &[u8],
        padata: &[OwnedPaData],
        body: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Vec<u8>, ErrorKind> {
        let padata = OwnedPaData::borrow(padata);
        let inner = KrbFastReq {
            fast_options: FastOptions::NONE,
            padata: SequenceOf::new(&padata),
            req_body: Encoded::<KdcReqBody<'_>>::parse(body)
                .map_err(|_| ErrorKind::Internal("own request body"))?,
        };
        let cipher = seal(&inner, &self.key, KeyUsage::FAST_ENC, env.random)?;
        let checksum = self.key.mac(KeyUsage::FAST_REQ_CHECKSUM).compute(&[bound]);
        let request = PaFxFastRequest {
            armored_data: KrbFastArmoredReq {
                armor: self.ap_req.as_deref().map(|ap_req| KrbFastArmor {
                    armor_type: KrbFastArmor::AP_REQUEST,
                    armor_value: ap_req,
                }),
                req_checksum: Checksum {
                    cksumtype: self.key.enctype().checksum_type().id(),
                    checksum: checksum.as_bytes(),
                },
                enc_fast_req: EncryptedData {
                    etype: self.key.enctype().id(),
                    kvno: None,
                    cipher: &cipher,
                },
            },
        };
        Ok(request.to_der())
    }

    /// Opens the PA-FX-FAST among the padata of a KDC-REP or of a KRB-ERROR. `None`: there is
    /// none, and the message is nobody's word.
    ///
    /// RFC 6113 §5.4.3: the nonce inside must be the request's.
    pub(crate) fn open(
        &self,
        padata: &[OwnedPaData],
        nonce: u32,
    ) -> Result<Option<Armored>, ErrorKind> {
        let defective = ErrorKind::Kdc(KdcProblem::ArmorDefective);
        // RFC 6113 §5.4: an empty one only says that the KDC has FAST.
        let Some(value) = find(padata, PaData::FX_FAST).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let reply = PaFxFastReply::from_der(value).map_err(|_| defective)?;
        let sealed = &reply.armored_data.enc_fast_rep;
        let plaintext = open(&self.key, KeyUsage::FAST_REP, sealed).ok_or(defective)?;
        let response = KrbFastResponse::from_der(&plaintext).map_err(|_| defective)?;
        if response.nonce != nonce {
            return Err(defective);
        }
        // Any enctype that is known: it is mixed with the reply key and becomes no key by itself.
        let strengthen_key = match response.strengthen_key {
            Some(key) => Some(
                Enctype::from_id(key.keytype)
                    .and_then(|enctype| Key::new(enctype, key.keyvalue).ok())
                    .ok_or(defective)?,
            ),
            None => None,
        };
        Ok(Some(Armored {
            padata: OwnedPaData::collect(response.padata),
            strengthen_key,
            finished: response.finished.map(|finished| Finished {
                client: Principal::from_token(&finished.crealm, &finished.cname),
                checksum_type: finished.ticket_checksum.cksumtype,
                checksum: finished.ticket_checksum.checksum.to_vec(),
            }),
        }))
    }

    /// A KRB-ERROR to an armored request: the one inside of PA-FX-ERROR, with the padata beside
    /// it (RFC 6113 §5.4.4). What stands outside of the armor is not looked at further.
    pub(crate) fn error(&self, outer: &KdcError, nonce: u32) -> Result<KdcError, ErrorKind> {
        let unarmored = ErrorKind::Kdc(KdcProblem::Unarmored {
            code: Some(outer.code),
        });
        let inner = self.open(&outer.padata, nonce)?.ok_or(unarmored)?;
        let error = find(&inner.padata, PaData::FX_ERROR)
            .ok_or(ErrorKind::Kdc(KdcProblem::ArmorDefective))?;
        let error = KdcError::decode(error)
            .map_err(|error| ErrorKind::Kdc(KdcProblem::DefectiveReply(error)))?;
        Ok(error.with_padata(inner.padata))
    }
}

impl Armored {
    /// The key that opens the reply: RFC 6113 §5.4.3.
    pub(crate) fn reply_key(&self, key: &Key) -> Result<Key, ErrorKind> {
        match &self.strengthen_key {
            Some(strengthen) => combine(strengthen, key, b"strengthenkey", b"replykey")
                .map_err(|_| ErrorKind::Internal("a strengthened key")),
            None => Ok(key.duplicate()),
        }
    }

    /// RFC 6113 §5.4.3: a reply with a ticket must be finished, and the ticket be the one that the
    /// KDC wrote. Gives the client that the KDC names.
    pub(crate) fn finish(
        &self,
        armor: &Armor,
        ticket: &Encoded<'_, Ticket<'_>>,
    ) -> Result<&Principal, ErrorKind> {
        let defective = ErrorKind::Kdc(KdcProblem::ArmorDefective);
        let finished = self.finished.as_ref().ok_or(defective)?;
        armor
            .key
            .verify_checksum(
                KeyUsage::FAST_FINISHED,
                finished.checksum_type,
                &[ticket.raw()],
                &finished.checksum,
            )
            .map_err(|_| defective)?;
        Ok(&finished.client)
    }
}

/// RFC 6113 §5.4.1.1: `KRB-FX-CF2(subkey, ticket-session-key, "subkeyarmor", "ticketarmor")`.
fn armor_key(subkey: &Key, session_key: &Key) -> Result<Key, ErrorKind> {
    combine(subkey, session_key, b"subkeyarmor", b"ticketarmor")
        .map_err(|_| ErrorKind::Internal("an armor key"))
}

/// The AP-REQ of FX_FAST_ARMOR_AP_REQUEST: a subkey, no checksum, nothing asked for
/// (RFC 6113 §5.4.1.1).
fn armor_request(
    ticket: &TicketCredential,
    session_key: &Key,
    subkey: &Key,
    time: Timestamp,
    env: &mut Environment<'_>,
) -> Result<Vec<u8>, ErrorKind> {
    let components = ticket.client.token_components();
    let authenticator = Authenticator {
        crealm: ticket.client.token_realm(),
        cname: ticket.client.token_name(&components),
        cksum: None,
        cusec: Microseconds::saturating(time.microseconds()),
        ctime: KerberosTime {
            seconds: time.seconds(),
        },
        subkey: Some(EncryptionKey {
            keytype: subkey.enctype().id(),
            keyvalue: subkey.expose(),
        }),
        seq_number: None,
        authorization_data: None,
    };
    let envelope = Envelope {
        ap_options: ApOptions::NONE,
        ticket,
        session_key,
        usage: KeyUsage::AP_REQ_AUTHENTICATOR,
        framed: Framed::Bare,
    };
    envelope.around(&authenticator, env.random)
}

impl fmt::Debug for Armor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Armor")
            .field("key", &self.key)
            .field("implicit", &self.ap_req.is_none())
            .finish()
    }
}

impl fmt::Debug for Armored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Armored")
            .field("padata", &self.padata)
            .field("finished", &self.finished.is_some())
            .finish_non_exhaustive()
    }
}
