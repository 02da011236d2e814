//! Tokens: ours, and the two other codecs of Kerberos in Rust.
//!
//! What another codec does is `tokens/WHAT/CODEC`.

use countersign_testkit::{ApReqBuilder, KrbErrorBuilder, RawAcceptor, Realm, SeededRandom};
use countersign_token::der::{Decode, Encode};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::{
    ApRep, ApReq, Authenticator, EncApRepPart, EncTicketPart, GssChecksum, KrbError, Ticket, cfx,
};
use countersign_token::oid::Oid;
use countersign_token::spnego::{MechTypes, NegTokenInit};
use picky_krb::gss_api::{ApplicationTag0, GssApiNegInit};

use crate::{Operation, Prepared, Result};

/// The bytes of an exchange.
struct Exchange {
    /// AP-REQ of exactly 510 bytes, without its frame.
    ap_req: Vec<u8>,
    framed: Vec<u8>,
    ticket: Vec<u8>,
    ticket_part: Vec<u8>,
    authenticator: Vec<u8>,
    checksum: Vec<u8>,
    ap_rep: Vec<u8>,
    ap_rep_part: Vec<u8>,
    krb_error: Vec<u8>,
}

fn inner(token: &[u8]) -> Result<Vec<u8>> {
    let inner = InitialToken::parse(token)?.inner;
    Ok(inner.get(2..).ok_or("no identifier")?.to_vec())
}

fn exchange() -> Result<Exchange> {
    const SERVICE: &str = "HTTP/web.example.com";
    let realm = Realm::new("EXAMPLE.COM", 1);
    let keytab = realm.keytab(&[SERVICE])?;
    let mut random = SeededRandom::new(1);
    // Authorization data fills the ticket up to the size that NUMBERS speaks of.
    // A length of DER that grows by an octet can skip a size; another name then meets it.
    for (client, filling) in ["user", "administrator"]
        .into_iter()
        .flat_map(|name| (0..200).map(move |n| (name, n)))
    {
        let (mut ticket_part, mut authenticator, mut ap_rep_part) = (vec![], vec![], vec![]);
        let keep = |to: &mut Vec<u8>, plaintext: Vec<u8>| {
            to.clone_from(&plaintext);
            plaintext
        };
        let ticket = realm
            .ticket(client, SERVICE)
            .authorization_data(vec![(-1, vec![0; filling])])
            .map_plaintext(|plaintext| keep(&mut ticket_part, plaintext))
            .mint()?;
        let request = ApReqBuilder::new(&ticket)
            .map_authenticator(|plaintext| keep(&mut authenticator, plaintext))
            .build(&mut random)?;
        let ap_req = inner(&request.token)?;
        if ap_req.len() != 510 {
            continue;
        }
        let reply = RawAcceptor::new(&keytab)
            .accept(&request.token)?
            .reply()
            .map_plaintext(|plaintext| keep(&mut ap_rep_part, plaintext))
            .build(&mut random)?;
        let checksum = Authenticator::from_der(&authenticator)?.cksum;
        let error = KrbErrorBuilder::new(37, ticket.server.clone()).build()?;
        return Ok(Exchange {
            ap_req,
            ticket: ticket.ticket.clone(),
            ticket_part,
            checksum: checksum.ok_or("no checksum")?.checksum.to_vec(),
            authenticator,
            ap_rep: inner(&reply)?,
            ap_rep_part,
            krb_error: inner(&error)?,
            framed: request.token,
        });
    }
    Err("no filling makes the AP-REQ 510 bytes long".into())
}

/// Decodes `bytes` as one of ours.
macro_rules! ours {
    ($kind:ident, $field:ident) => {
        |name: &str| {
            let bytes = exchange()?.$field;
            let length = bytes.len();
            $kind::from_der(&bytes)?;
            let run = move || $kind::from_der(&bytes).is_ok();
            Ok(Operation::new(name, run).with_bytes(length))
        }
    };
}

/// Decodes `bytes` as a type of rasn-kerberos.
macro_rules! rasn {
    ($kind:ident, $field:ident) => {
        |name: &str| {
            let bytes = exchange()?.$field;
            let length = bytes.len();
            rasn::der::decode::<rasn_kerberos::$kind>(&bytes).map_err(|e| e.to_string())?;
            let run = move || rasn::der::decode::<rasn_kerberos::$kind>(&bytes).is_ok();
            Ok(Operation::new(name, run).with_bytes(length))
        }
    };
}

/// Decodes `bytes` as a type of picky-krb.
macro_rules! picky {
    ($kind:path, $field:ident) => {
        |name: &str| {
            let bytes = exchange()?.$field;
            let length = bytes.len();
            picky_asn1_der::from_bytes::<$kind>(&bytes)?;
            let run = move || picky_asn1_der::from_bytes::<$kind>(&bytes).is_ok();
            Ok(Operation::new(name, run).with_bytes(length))
        }
    };
}

/// An offer of Kerberos, twice, and NTLM, with an AP-REQ: what a client of Windows says first.
fn neg_token_init() -> Result<Vec<u8>> {
    let mechanisms = MechTypes::encode(&[Oid::KERBEROS, Oid::MS_KERBEROS, Oid::NTLMSSP]);
    let framed = exchange()?.framed;
    let mut init = NegTokenInit::new(MechTypes::parse(&mechanisms)?);
    init.mech_token = Some(&framed);
    Ok(init.to_bytes())
}

pub(crate) fn operations() -> Vec<Prepared> {
    let decode = |what: &str, prepare: fn(&str) -> Result<Operation>| {
        Prepared::new(format!("tokens/decode-{what}"), prepare)
    };
    let encode = |how: &str, prepare: fn(&str) -> Result<Operation>| {
        Prepared::new(format!("tokens/encode-ap-req{how}"), prepare)
    };
    vec![
        decode("ap-req", ours!(ApReq, ap_req)),
        decode("ap-req/rasn-kerberos", rasn!(ApReq, ap_req)),
        decode(
            "ap-req/picky-krb",
            picky!(picky_krb::messages::ApReq, ap_req),
        ),
        decode("ticket", ours!(Ticket, ticket)),
        decode("ticket/rasn-kerberos", rasn!(Ticket, ticket)),
        decode(
            "ticket/picky-krb",
            picky!(picky_krb::data_types::Ticket, ticket),
        ),
        decode("krb-error", ours!(KrbError, krb_error)),
        decode("krb-error/rasn-kerberos", rasn!(KrbError, krb_error)),
        decode(
            "krb-error/picky-krb",
            picky!(picky_krb::messages::KrbError, krb_error),
        ),
        decode("enc-ticket-part", ours!(EncTicketPart, ticket_part)),
        decode(
            "enc-ticket-part/rasn-kerberos",
            rasn!(EncTicketPart, ticket_part),
        ),
        decode(
            "enc-ticket-part/picky-krb",
            picky!(picky_krb::data_types::EncTicketPart, ticket_part),
        ),
        decode("authenticator", ours!(Authenticator, authenticator)),
        decode(
            "authenticator/rasn-kerberos",
            rasn!(Authenticator, authenticator),
        ),
        decode(
            "authenticator/picky-krb",
            picky!(picky_krb::data_types::Authenticator, authenticator),
        ),
        decode("ap-rep", ours!(ApRep, ap_rep)),
        decode("ap-rep/rasn-kerberos", rasn!(ApRep, ap_rep)),
        decode(
            "ap-rep/picky-krb",
            picky!(picky_krb::messages::ApRep, ap_rep),
        ),
        decode("enc-ap-rep-part", ours!(EncApRepPart, ap_rep_part)),
        decode("neg-token-init", |name| {
            let bytes = neg_token_init()?;
            let length = bytes.len();
            let run = move || NegTokenInit::parse(&bytes).is_ok();
            Ok(Operation::new(name, run).with_bytes(length))
        }),
        decode("neg-token-init/picky-krb", |name| {
            type Token = ApplicationTag0<GssApiNegInit>;
            let bytes = neg_token_init()?;
            picky_asn1_der::from_bytes::<Token>(&bytes)?;
            let length = bytes.len();
            let run = move || picky_asn1_der::from_bytes::<Token>(&bytes).is_ok();
            Ok(Operation::new(name, run).with_bytes(length))
        }),
        decode("frame", |name| {
            let bytes = exchange()?.framed;
            let length = bytes.len();
            let run = move || InitialToken::parse(&bytes).is_ok();
            Ok(Operation::new(name, run).with_bytes(length))
        }),
        decode("gss-checksum", |name| {
            let bytes = exchange()?.checksum;
            let length = bytes.len();
            let run = move || GssChecksum::parse(&bytes).is_ok();
            Ok(Operation::new(name, run).with_bytes(length))
        }),
        decode("wrap-header", |name| {
            let header = [5, 4, 2, 0xff, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 1];
            Ok(Operation::new(name, move || {
                cfx::WrapHeader::parse(&header).is_ok()
            }))
        }),
        encode("", |name| {
            let bytes: &'static [u8] = exchange()?.ap_req.leak();
            let request = ApReq::from_der(bytes)?;
            let run = move || request.to_der();
            Ok(Operation::new(name, run).with_bytes(bytes.len()))
        }),
        encode("/rasn-kerberos", |name| {
            let bytes = exchange()?.ap_req;
            let request: rasn_kerberos::ApReq =
                rasn::der::decode(&bytes).map_err(|e| e.to_string())?;
            let run = move || rasn::der::encode(&request).is_ok();
            Ok(Operation::new(name, run).with_bytes(bytes.len()))
        }),
        encode("/picky-krb", |name| {
            let bytes = exchange()?.ap_req;
            let request: picky_krb::messages::ApReq = picky_asn1_der::from_bytes(&bytes)?;
            let run = move || picky_asn1_der::to_vec(&request).is_ok();
            Ok(Operation::new(name, run).with_bytes(bytes.len()))
        }),
    ]
}
