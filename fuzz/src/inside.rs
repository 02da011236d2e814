//! An AP-REQ whose encrypted parts say what the fuzzer says, sealed with the right keys.

use countersign_crypto::{Enctype, Key, KeyUsage};
use countersign_token::der::{Encode, Encoded, SequenceOf};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{
    ApOptions, ApReq, Authenticator, Checksum, EncTicketPart, EncryptedData, GssChecksum, KrbCred,
    Ticket,
};

use crate::{realm, sections};

/// What the input of `acceptor_inside` and `differential_gss` asks for.
///
/// Sections: [enctype, options, ap-options, flip, low, high], EncTicketPart, Authenticator, the
/// 0x8003 checksum (empty: the authenticator's own), EncKrbCredPart (empty: none), and what the
/// target itself makes of the rest.
pub struct Inside<'a> {
    pub options: u8,
    /// What is done to which sealed octet.
    pub flip: u8,
    pub position: usize,
    pub session_key: Key,
    /// The plaintext of the ticket.
    pub ticket_part: &'a [u8],
    /// The plaintext of the authenticator, with its checksum.
    pub authenticator: Vec<u8>,
    pub token: Vec<u8>,
    /// The sealed parts, as they are in the token.
    pub sealed: [Vec<u8>; 2],
    pub rest: Vec<&'a [u8]>,
}

impl<'a> Inside<'a> {
    /// The request, with nothing flipped.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let sections = sections::split(data);
        let [
            control,
            ticket_part,
            authenticator,
            checksum,
            cred,
            rest @ ..,
        ] = &sections[..]
        else {
            return None;
        };
        let &[enctype, options, ap_options, flip, low, high, ..] = *control else {
            return None;
        };
        let enctype = realm::enctype(enctype);
        let session_key = session_key(ticket_part).unwrap_or_else(|| realm::session_key(enctype));
        let ticket = realm::seal_ticket(enctype, ticket_part);
        let authenticator = with_checksum(authenticator, checksum, cred, &session_key, &ticket);
        let cipher = realm::seal(
            &session_key,
            KeyUsage::AP_REQ_AUTHENTICATOR,
            &authenticator,
            4,
        );
        let Ok(ticket) = Encoded::<Ticket<'_>>::parse(&ticket) else {
            panic!("own ticket")
        };
        let sealed_ticket = ticket.value().enc_part.cipher.to_vec();
        let message = ApReq {
            ap_options: ApOptions(u32::from(ap_options) << 24),
            ticket,
            authenticator: EncryptedData {
                etype: session_key.enctype().id(),
                kvno: None,
                cipher: &cipher,
            },
        }
        .to_der();
        let token = match options & 1 {
            0 => realm::frame(TokenId::ApReq, &message),
            _ => message,
        };
        Some(Self {
            options,
            flip,
            position: usize::from(u16::from_le_bytes([low, high])),
            session_key,
            ticket_part,
            authenticator,
            token,
            sealed: [sealed_ticket, cipher],
            rest: rest.to_vec(),
        })
    }
}

/// The session key that a ticket's plaintext names, if there is such a key.
fn session_key(ticket_part: &[u8]) -> Option<Key> {
    let part: EncTicketPart<'_> = realm::decode(ticket_part)?;
    Key::new(Enctype::from_id(part.key.keytype)?, part.key.keyvalue).ok()
}

/// The authenticator with a checksum put into it, and credentials sealed into that.
fn with_checksum(
    authenticator: &[u8],
    checksum: &[u8],
    cred: &[u8],
    key: &Key,
    ticket: &[u8],
) -> Vec<u8> {
    let Some(mut value) = realm::decode::<Authenticator<'_>>(authenticator) else {
        return authenticator.to_vec();
    };
    let mut checksum = checksum.to_vec();
    if let (Ok(mut parsed), false) = (GssChecksum::parse(&checksum), cred.is_empty()) {
        let cipher = realm::seal(key, KeyUsage::KRB_CRED, cred, 8);
        let tickets = Encoded::parse(ticket).map(|ticket| [ticket]);
        let cred = KrbCred {
            tickets: tickets
                .as_ref()
                .map(|t| SequenceOf::new(t))
                .unwrap_or_default(),
            enc_part: EncryptedData {
                etype: key.enctype().id(),
                kvno: None,
                cipher: &cipher,
            },
        }
        .to_der();
        parsed.delegation = Some(&cred);
        if let Ok(encoded) = parsed.encode() {
            checksum = encoded;
        }
    }
    if checksum.is_empty() {
        return authenticator.to_vec();
    }
    value.cksum = Some(Checksum {
        cksumtype: GssChecksum::TYPE,
        checksum: &checksum,
    });
    value.to_der()
}
