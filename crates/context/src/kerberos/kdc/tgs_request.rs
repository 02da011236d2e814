//! TGS-REQ: RFC 4120 §3.3.1 and §5.4.1.

use countersign_credential::{HostAddress, Principal, TicketCredential};
use countersign_crypto::{Enctype, Key, KeyUsage, Random};
use countersign_token::der::{Encode, Encoded, SequenceOf};
use countersign_token::kerberos::{
    ApOptions, Authenticator, Checksum, EncryptionKey, KdcOptions, KdcReq, KdcReqBody,
    KerberosTime, Microseconds, PaData, TgsReq, Ticket,
};

use crate::environment::Timestamp;
use crate::error::ErrorKind;
use crate::kerberos::ap_req::{Envelope, resolved};
use crate::kerberos::framing::Framed;
use crate::policy::EnctypeSet;

use super::options::{AskedTimes, addresses_field, token_addresses};
use super::padata::OwnedPaData;

/// What is asked of a ticket-granting service.
pub(super) struct TgsRequest<'a> {
    /// The ticket that the request is made with.
    pub(super) header: &'a TicketCredential,
    pub(super) service: &'a Principal,
    pub(super) flags: KdcOptions,
    pub(super) times: AskedTimes,
    pub(super) addresses: &'a [HostAddress],
    pub(super) enctypes: EnctypeSet,
    /// Tickets that the options need, DER.
    pub(super) additional: &'a [&'a [u8]],
}

/// The parts of a request that its padata is made over or in.
pub(super) struct Sealed {
    pub(super) nonce: u32,
    pub(super) subkey: Key,
    /// KDC-REQ-BODY, DER.
    pub(super) body: Vec<u8>,
    /// The AP-REQ, DER: the value of PA-TGS-REQ.
    pub(super) ap_req: Vec<u8>,
}

/// The header ticket's session key, if the policy permits its enctype.
pub(super) fn header_key(
    header: &TicketCredential,
    enctypes: EnctypeSet,
) -> Result<&Key, ErrorKind> {
    header
        .session_key()
        .ok()
        .filter(|key| enctypes.contains(key.enctype()))
        .ok_or(ErrorKind::EnctypeRefused {
            enctype: header.key.enctype_id(),
        })
}

impl TgsRequest<'_> {
    /// Draws nonce and subkey, writes the body, and proves to the KDC that who sends it holds the
    /// header ticket's session key. `time` is by the KDC's clock.
    pub(super) fn seal(
        &self,
        time: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Sealed, ErrorKind> {
        let session_key = header_key(self.header, self.enctypes)?;
        let mut nonce = [0; 4];
        random.fill(&mut nonce)?;
        // Positive as a signed number too: RFC 4120 §5.2.4 notes implementations that read it so.
        let nonce = u32::from_be_bytes(nonce) & 0x7fff_ffff;
        let subkey = Key::generate(session_key.enctype(), random).map_err(|_| ErrorKind::Random)?;
        let body = self.body(nonce)?;
        let ap_req = self.ap_req(session_key, &subkey, &body, time, random)?;
        Ok(Sealed {
            nonce,
            subkey,
            body,
            ap_req,
        })
    }

    /// KDC-REQ-BODY; the client's name is the header ticket's.
    fn body(&self, nonce: u32) -> Result<Vec<u8>, ErrorKind> {
        let components = self.service.token_components();
        let etypes: Vec<i32> = self.enctypes.iter().map(Enctype::id).collect();
        let addresses = token_addresses(self.addresses);
        let additional = self
            .additional
            .iter()
            .map(|ticket| Encoded::<Ticket<'_>>::parse(ticket))
            .collect::<Result<Vec<_>, _>>()
            .map_err(ErrorKind::DefectiveTicket)?;
        let body = KdcReqBody {
            kdc_options: self.flags,
            cname: None,
            realm: self.service.token_realm(),
            sname: Some(self.service.token_name(&components)),
            from: self.times.start_field(),
            till: self.times.till_field(),
            rtime: self.times.renew_till_field(),
            nonce,
            etype: SequenceOf::new(&etypes),
            addresses: addresses_field(&addresses),
            enc_authorization_data: None,
            additional_tickets: (!additional.is_empty()).then(|| SequenceOf::new(&additional)),
        };
        Ok(body.to_der())
    }

    /// RFC 4120 §5.2.7.1: the AP-REQ in the padata. Its checksum is of the key's own keyed type
    /// only, so that nobody can put another body under it (CVE-2020-2601).
    fn ap_req(
        &self,
        session_key: &Key,
        subkey: &Key,
        body: &[u8],
        time: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, ErrorKind> {
        let time = resolved(time, random)?;
        let tag = session_key.mac(KeyUsage::TGS_REQ_CHECKSUM).compute(&[body]);
        let client = &self.header.client;
        let components = client.token_components();
        let authenticator = Authenticator {
            crealm: client.token_realm(),
            cname: client.token_name(&components),
            cksum: Some(Checksum {
                cksumtype: session_key.enctype().checksum_type().id(),
                checksum: tag.as_bytes(),
            }),
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
            ticket: self.header,
            session_key,
            usage: KeyUsage::TGS_REQ_AUTHENTICATOR,
            framed: Framed::Bare,
        };
        envelope.around(&authenticator, random)
    }
}

impl Sealed {
    /// The message, with more padata behind PA-TGS-REQ.
    pub(super) fn message(&self, padata: &[OwnedPaData]) -> Result<Vec<u8>, ErrorKind> {
        let proof = PaData {
            padata_type: PaData::TGS_REQ,
            padata_value: &self.ap_req,
        };
        let padata: Vec<PaData<'_>> = core::iter::once(proof)
            .chain(OwnedPaData::borrow(padata))
            .collect();
        let req_body = Encoded::parse(&self.body)
            .map_err(|_| ErrorKind::Internal("own KDC-REQ-BODY does not decode"))?;
        let request = TgsReq(KdcReq {
            padata: Some(SequenceOf::new(&padata)),
            req_body,
        });
        Ok(request.to_der())
    }
}
