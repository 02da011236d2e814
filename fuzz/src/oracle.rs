//! What a token proves, worked out a second time and without the engine.

use countersign_context::{Flags, Timestamp};
use countersign_credential::Principal;
use countersign_crypto::{Enctype, Key, KeyUsage, Zeroizing};
use countersign_token::kerberos::{
    ApRep, ApReq, Authenticator, EncApRepPart, EncTicketPart, EncryptedData, GssChecksum,
    TicketFlags,
};

use crate::realm::{NOW, decode, service_key, unframe};

/// What an acceptor may believe of an AP-REQ.
pub struct Claim {
    pub client: Principal,
    pub asked: Flags,
    pub bindings: [u8; 16],
    pub time: Timestamp,
}

fn open(part: &EncryptedData<'_>, key: &Key, usage: KeyUsage) -> Option<Zeroizing<Vec<u8>>> {
    (part.etype == key.enctype().id()).then(|| key.decrypt(usage, part.cipher).ok())?
}

/// The claim of a first token, if there is a reason to believe it.
pub fn request(token: &[u8]) -> Option<Claim> {
    let (_, message) = unframe(token)?;
    let request: ApReq<'_> = decode(message)?;
    let sealed = request.ticket.value().enc_part;
    let ticket = open(
        &sealed,
        &service_key(Enctype::from_id(sealed.etype)?),
        KeyUsage::TICKET,
    )?;
    let ticket: EncTicketPart<'_> = decode(&ticket)?;
    let session_key = Key::new(Enctype::from_id(ticket.key.keytype)?, ticket.key.keyvalue).ok()?;
    let plaintext = open(
        &request.authenticator,
        &session_key,
        KeyUsage::AP_REQ_AUTHENTICATOR,
    )?;
    let authenticator: Authenticator<'_> = decode(&plaintext)?;

    let start = ticket.starttime.unwrap_or(ticket.authtime).seconds;
    let client = Principal::from_token(&ticket.crealm, &ticket.cname);
    let holds = client == Principal::from_token(&authenticator.crealm, &authenticator.cname)
        && !ticket.flags.contains(TicketFlags::INVALID)
        && start - 300 <= NOW
        && NOW <= ticket.endtime.seconds + 300
        && (NOW - authenticator.ctime.seconds).abs() <= 300;
    let checksum = authenticator
        .cksum
        .filter(|checksum| checksum.cksumtype == 0x8003)?;
    let checksum = GssChecksum::parse(checksum.checksum).ok()?;
    holds.then_some(Claim {
        client,
        asked: Flags::from_bits(checksum.flags.0),
        bindings: checksum.bindings,
        time: Timestamp::new(authenticator.ctime.seconds, authenticator.cusec.as_u32()),
    })
}

/// The time that an AP-REP gives back, if its sender knows the session key.
pub fn reply(token: &[u8], session_key: &Key) -> Option<Timestamp> {
    let (_, message) = unframe(token)?;
    let reply: ApRep<'_> = decode(message)?;
    let plaintext = open(&reply.enc_part, session_key, KeyUsage::AP_REP)?;
    let part: EncApRepPart<'_> = decode(&plaintext)?;
    Some(Timestamp::new(part.ctime.seconds, part.cusec.as_u32()))
}

/// The time inside of an AP-REQ that was sent.
pub fn time_sent(token: &[u8], session_key: &Key) -> Option<Timestamp> {
    let (_, message) = unframe(token)?;
    let request: ApReq<'_> = decode(message)?;
    let plaintext = open(
        &request.authenticator,
        session_key,
        KeyUsage::AP_REQ_AUTHENTICATOR,
    )?;
    let part: Authenticator<'_> = decode(&plaintext)?;
    Some(Timestamp::new(part.ctime.seconds, part.cusec.as_u32()))
}

/// The acceptor's sequence number in an AP-REP.
pub fn sequence(token: &[u8], session_key: &Key) -> Option<u32> {
    let (_, message) = unframe(token)?;
    let reply: ApRep<'_> = decode(message)?;
    let plaintext = open(&reply.enc_part, session_key, KeyUsage::AP_REP)?;
    decode::<EncApRepPart<'_>>(&plaintext)?.seq_number
}
