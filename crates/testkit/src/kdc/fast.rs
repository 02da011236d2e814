//! FAST, RFC 6113 §5.4: a tunnel for requests and replies, sealed in a key that a ticket gives.
//!
//! ```text
//! armor key      CF2(subkey, the armor ticket's session key, "subkeyarmor", "ticketarmor")        §5.4.1.1
//! TGS            the same of PA-TGS-REQ's subkey and session key, where there is no armor          §5.4.2
//! reply key      CF2(strengthen key, reply key, "strengthenkey", "replykey")                       §5.4.3
//! challenge keys CF2(armor key, client's key, "clientchallengearmor" | "kdcchallengearmor",
//!                    "challengelongterm")                                                          §5.4.6
//! ```

use countersign_credential::{NameType, Principal};
use countersign_crypto::{Key, KeyUsage, combine};
use rasn_kerberos as krb;

use super::core::{Core, Session};
use super::evidence::{self, Evidence};
use super::messages::{
    KrbFastArmor, KrbFastArmoredRep, KrbFastFinished, KrbFastReq, KrbFastResponse, PaFxFastReply,
    PaFxFastRequest,
};
use super::preauth::{data, within_skew};
use super::refusal::{Refusal, code};
use super::request::{Body, padata};
use crate::{Error, wire};

/// The bits of FastOptions that a KDC must know (RFC 6113 §5.4.2): the first 16.
const CRITICAL: u32 = 0xffff_0000;
/// hide-client-names (1).
const HIDE_CLIENT_NAMES: u32 = 1 << 30;

/// The tunnel of one request.
pub(super) struct Tunnel {
    pub(super) armor_key: Key,
    nonce: u32,
    hides_names: bool,
}

/// Whether a KDC knows FAST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FastPolicy {
    /// It has never heard of it.
    Unavailable,
    /// For who wants it.
    Available,
    /// Initial requests without it are refused.
    Required,
}

/// Opens the tunnel of an AS-REQ, where there is one.
pub(super) fn open_initial(core: &Core, session: &mut Session) -> Result<(), Refusal> {
    let Some(request) = armored(core, session)? else {
        return match core.config.fast {
            FastPolicy::Required => Err(unarmored(core)?),
            FastPolicy::Available | FastPolicy::Unavailable => Ok(()),
        };
    };
    let PaFxFastRequest::Armored(armored) = &request;
    let armor = armored.armor.as_ref();
    let armor = armor.ok_or_else(|| Refusal::new(code::PREAUTH_FAILED, "FAST without armor"))?;
    let armor_key = explicit_armor(core, session, armor)?;
    let covered = session.request.body_bytes.clone();
    open(session, &request, armor_key, &covered)
}

/// Opens the tunnel of a TGS-REQ, where there is one.
pub(super) fn open_granting(
    core: &Core,
    session: &mut Session,
    evidence: &Evidence,
) -> Result<(), Refusal> {
    let Some(request) = armored(core, session)? else {
        return Ok(());
    };
    let PaFxFastRequest::Armored(armored) = &request;
    let subkey = evidence.subkey.as_ref();
    let subkey = subkey.ok_or_else(|| Refusal::new(code::PREAUTH_FAILED, "FAST without subkey"))?;
    let armor_key = match &armored.armor {
        None => combine(
            subkey,
            &evidence.ticket.session_key,
            b"subkeyarmor",
            b"ticketarmor",
        )?,
        Some(armor) => {
            let explicit = explicit_armor(core, session, armor)?;
            combine(&explicit, subkey, b"explicitarmor", b"tgsarmor")?
        }
    };
    // RFC 6113 §5.4.2: in a TGS-REQ the checksum covers the AP-REQ, which covers the body.
    let covered = session
        .request
        .padata(padata::TGS_REQ)
        .unwrap_or_default()
        .to_vec();
    open(session, &request, armor_key, &covered)
}

/// A KDC that requires FAST says so; Windows' with the hint to use it (MS-KILE §3.3.5.1).
fn unarmored(core: &Core) -> Result<Refusal, Error> {
    if !core.config.windows_errors {
        return Ok(Refusal::new(code::POLICY, "FAST is required"));
    }
    let hints: krb::MethodData = vec![data(padata::FX_FAST, &[])];
    let refusal = Refusal::new(code::PREAUTH_REQUIRED, "FAST is required");
    Ok(refusal.with_data(wire::encode(&hints)?))
}

fn armored(core: &Core, session: &Session) -> Result<Option<PaFxFastRequest>, Refusal> {
    if core.config.fast == FastPolicy::Unavailable {
        return Ok(None);
    }
    let Some(value) = session.request.padata(padata::FX_FAST) else {
        return Ok(None);
    };
    let malformed = |_| Refusal::new(code::PREAUTH_FAILED, "malformed PA-FX-FAST");
    Ok(Some(wire::decode(value).map_err(malformed)?))
}

/// FX_FAST_ARMOR_AP_REQUEST, RFC 6113 §5.4.1.1.
fn explicit_armor(core: &Core, session: &Session, armor: &KrbFastArmor) -> Result<Key, Refusal> {
    let refused = |text| Refusal::new(code::PREAUTH_FAILED, text);
    if armor.armor_type != 1 {
        return Err(refused("unknown armor"));
    }
    let request: krb::ApReq =
        wire::decode(&armor.armor_value).map_err(|_| refused("malformed armor"))?;
    let ticket = evidence::open_ticket(core, &request.ticket)?;
    evidence::holds(core, session, &ticket)?;
    let granting = Principal::ticket_granting_service(core.realm.name(), core.realm.name());
    if ticket.record.principal != granting {
        return Err(refused("the armor's ticket is not for this realm's KDC"));
    }
    let opened = ticket
        .session_key
        .decrypt(
            KeyUsage::AP_REQ_AUTHENTICATOR,
            &request.authenticator.cipher,
        )
        .map_err(|_| {
            Refusal::new(
                code::BAD_INTEGRITY,
                "the armor's authenticator does not open",
            )
        })?;
    let authenticator: krb::Authenticator = wire::decode(&opened)?;
    within_skew(core, session, wire::seconds(&authenticator.ctime))?;
    let subkey = authenticator
        .subkey
        .ok_or_else(|| refused("armor without subkey"))?;
    let subkey = wire::open_key(&subkey)?;
    Ok(combine(
        &subkey,
        &ticket.session_key,
        b"subkeyarmor",
        b"ticketarmor",
    )?)
}

/// Puts what is inside the tunnel in the place of what is outside.
fn open(
    session: &mut Session,
    request: &PaFxFastRequest,
    armor_key: Key,
    covered: &[u8],
) -> Result<(), Refusal> {
    let PaFxFastRequest::Armored(armored) = request;
    let checksum = &armored.req_checksum;
    let usage = KeyUsage::FAST_REQ_CHECKSUM;
    armor_key
        .verify_checksum(usage, checksum.r#type, &[covered], &checksum.checksum)
        .map_err(|_| Refusal::new(code::MODIFIED, "the request is not what the client sent"))?;
    let opened = armor_key
        .decrypt(KeyUsage::FAST_ENC, &armored.enc_fast_req.cipher)
        .map_err(|_| Refusal::new(code::PREAUTH_FAILED, "the FAST request does not open"))?;
    let inner: KrbFastReq = wire::decode(&opened)?;
    let options = wire::bits(&inner.fast_options);
    let body = Body::parse(inner.req_body.as_bytes())?;
    session.tunnel = Some(Tunnel {
        armor_key,
        nonce: body.nonce,
        hides_names: options & HIDE_CLIENT_NAMES != 0,
    });
    if options & CRITICAL & !HIDE_CLIENT_NAMES != 0 {
        return Err(Refusal::new(
            code::UNKNOWN_FAST_OPTION,
            "unknown critical FAST option",
        ));
    }
    session.request.body = body;
    // PA-TGS-REQ stays outside (RFC 6113 §5.4.2).
    let outside = session.request.padata.drain(..);
    let mut all: Vec<_> = outside
        .filter(|data| data.r#type == padata::TGS_REQ)
        .collect();
    all.extend(inner.padata);
    session.request.padata = all;
    session.seen.armored = true;
    session.seen.note(&session.request);
    Ok(())
}

impl Tunnel {
    /// What the client's key proves in the tunnel, and what proves the KDC's (RFC 6113 §5.4.6).
    pub(super) fn challenge_key(&self, client: &Key, pepper: &[u8]) -> Result<Key, Error> {
        Ok(combine(
            &self.armor_key,
            client,
            pepper,
            b"challengelongterm",
        )?)
    }

    /// The name outside the tunnel (RFC 6113 §5.4.2, hide-client-names; RFC 8062 §3).
    pub(super) fn shown_client(&self, client: &Principal) -> Principal {
        match self.hides_names {
            true => Principal::new(
                "WELLKNOWN:ANONYMOUS",
                ["WELLKNOWN", "ANONYMOUS"],
                NameType::WELL_KNOWN,
            ),
            false => client.clone(),
        }
    }

    /// The response to a request that is granted.
    pub(super) fn response(
        &self,
        session: &Session,
        padata: Vec<krb::PaData>,
        strengthen: &Key,
        client: &Principal,
        ticket: &krb::Ticket,
    ) -> Result<KrbFastResponse, Error> {
        let mac = self.armor_key.mac(KeyUsage::FAST_FINISHED);
        let tag = mac.compute(&[&wire::encode(ticket)?]);
        Ok(KrbFastResponse {
            padata,
            strengthen_key: Some(wire::key(strengthen)),
            finished: Some(KrbFastFinished {
                timestamp: wire::time(session.now.seconds)?,
                usec: wire::integer(session.now.microseconds),
                crealm: wire::string(client.realm())?,
                cname: wire::name(client)?,
                ticket_checksum: krb::Checksum {
                    r#type: mac.checksum_type().id(),
                    checksum: wire::octets(tag.as_bytes()),
                },
            }),
            nonce: self.nonce,
        })
    }

    /// The response to a request that is refused: the error with its hints inside (RFC 6113 §5.4.4).
    pub(super) fn error_response(&self, error: &krb::KrbError) -> Result<KrbFastResponse, Error> {
        let mut inner = error.clone();
        let hints = inner.e_data.take();
        let mut padata = vec![data(padata::FX_ERROR, &wire::encode(&inner)?)];
        if let Some(hints) = hints {
            // What is no METHOD-DATA is left as it is, in a place of its own.
            match wire::decode::<krb::MethodData>(&hints) {
                Ok(hints) => padata.extend(hints),
                Err(_) => padata.extend(wire::decode::<krb::PaData>(&hints).ok()),
            }
        }
        Ok(KrbFastResponse {
            padata,
            strengthen_key: None,
            finished: None,
            nonce: self.nonce,
        })
    }

    /// PA-FX-FAST with the response sealed in it.
    pub(super) fn seal(
        &self,
        core: &mut Core,
        session: &Session,
        mut response: KrbFastResponse,
    ) -> Result<krb::PaData, Error> {
        core.edits.fast(&session.seen, &mut response);
        let plaintext = wire::encode(&response)?;
        let cipher = self
            .armor_key
            .encrypt(KeyUsage::FAST_REP, &plaintext, &mut *core.random)?;
        let reply = PaFxFastReply::Armored(KrbFastArmoredRep {
            enc_fast_rep: krb::EncryptedData {
                etype: self.armor_key.enctype().id(),
                kvno: None,
                cipher: wire::octets(&cipher),
            },
        });
        Ok(data(padata::FX_FAST, &wire::encode(&reply)?))
    }
}

/// KRB-FX-CF2 of the strengthen key and the reply key (RFC 6113 §5.4.3).
pub(super) fn strengthened(strengthen: &Key, reply: &Key) -> Result<Key, Error> {
    Ok(combine(strengthen, reply, b"strengthenkey", b"replykey")?)
}
