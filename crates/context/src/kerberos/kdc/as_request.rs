//! The AS-REQ: RFC 4120 §3.1.1 and §5.4.1, inside of FAST where there is armor.

use countersign_credential::{NameType, Principal};
use countersign_crypto::Enctype;
use countersign_token::der::{Encode, Encoded, SequenceOf};
use countersign_token::kerberos::{AsReq, KdcOptions, KdcReq, KdcReqBody, PaData};

use crate::environment::{Environment, Timestamp};
use crate::error::ErrorKind;

use super::fast::Armor;
use super::options::{AskedTimes, TicketOptions, addresses_field, token_addresses};
use super::padata::OwnedPaData;

/// What is asked for, whatever the round.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) client: &'a Principal,
    pub(crate) server: &'a Principal,
    pub(crate) options: &'a TicketOptions,
    pub(crate) canonicalize: bool,
    pub(crate) pac: Option<bool>,
    pub(crate) enctypes: &'a [Enctype],
}

/// A request, and what its reply must agree with.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) message: Vec<u8>,
    pub(crate) nonce: u32,
    pub(crate) times: AskedTimes,
}

impl Wish<'_> {
    /// The request at `time`, the KDC's, with a nonce of its own.
    pub(crate) fn encode(
        &self,
        armor: Option<&Armor>,
        mut padata: Vec<OwnedPaData>,
        time: Timestamp,
        env: &mut Environment<'_>,
    ) -> Result<Sent, ErrorKind> {
        let nonce = nonce(env)?;
        let times = self.options.times(time.seconds());
        let body = self.body(nonce, times);
        if let Some(include) = self.pac {
            padata.push(OwnedPaData::new(PaData::PAC_REQUEST, pac_request(include)));
        }
        // RFC 6806 §11: asks the KDC to prove which request it saw.
        padata.push(OwnedPaData::new(PaData::REQ_ENC_PA_REP, Vec::new()));
        if let Some(armor) = armor {
            let sealed = armor.seal(&body, &padata, &body, env)?;
            padata = vec![OwnedPaData::new(PaData::FX_FAST, sealed)];
        }
        let borrowed = OwnedPaData::borrow(&padata);
        let request = AsReq(KdcReq {
            padata: Some(SequenceOf::new(&borrowed)),
            req_body: Encoded::parse(&body).map_err(|_| ErrorKind::Internal("own request body"))?,
        });
        Ok(Sent {
            message: request.to_der(),
            nonce,
            times,
        })
    }

    fn body(&self, nonce: u32, times: AskedTimes) -> Vec<u8> {
        let client = self.client.token_components();
        let server = self.server.token_components();
        let enctypes: Vec<i32> = self.enctypes.iter().map(|enctype| enctype.id()).collect();
        let addresses = token_addresses(self.options.asked_addresses());
        let mut kdc_options = self.options.flags();
        if self.canonicalize {
            kdc_options |= KdcOptions::CANONICALIZE;
        }
        KdcReqBody {
            kdc_options,
            cname: Some(self.client.token_name(&client)),
            realm: self.server.token_realm(),
            sname: Some(self.server.token_name(&server)),
            from: times.start_field(),
            till: times.till_field(),
            rtime: times.renew_till_field(),
            nonce,
            etype: SequenceOf::new(&enctypes),
            addresses: addresses_field(&addresses),
            enc_authorization_data: None,
            additional_tickets: None,
        }
        .to_der()
    }
}

/// RFC 6806 §5: an enterprise name is of no realm, and means nothing but with CANONICALIZE.
pub(crate) fn is_enterprise(client: &Principal) -> bool {
    client.name_type() == NameType::ENTERPRISE
}

/// 31 random bits: there are KDCs that read the nonce as a signed number.
pub(crate) fn nonce(env: &mut Environment<'_>) -> Result<u32, ErrorKind> {
    let mut bytes = [0; 4];
    env.random.fill(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes) & 0x7fff_ffff)
}

/// MS-KILE §2.2.3: `KERB-PA-PAC-REQUEST ::= SEQUENCE { include-pac [0] BOOLEAN }`.
pub(crate) fn pac_request(include: bool) -> [u8; 7] {
    let value = if include { 0xff } else { 0 };
    [0x30, 5, 0xa0, 3, 1, 1, value]
}

/// Sizes: the message holds a proof of the password.
impl core::fmt::Debug for Sent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sent")
            .field("message_len", &self.message.len())
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
