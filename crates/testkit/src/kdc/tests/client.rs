//! A client that says anything, and reads what comes back.

use std::sync::atomic::{AtomicU32, Ordering};

use countersign_credential::Principal;
use countersign_crypto::{Enctype, Key, KeyUsage};
use rasn_kerberos as krb;

use crate::kdc::preauth::data;
use crate::kdc::request::{option, padata};
use crate::{Error, Kdc, NOW, SeededRandom, wire};

pub(super) const REALM: &str = "EXAMPLE.COM";
pub(super) const ALL: [i32; 4] = [20, 19, 18, 17];

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A request in the making.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) options: u32,
    pub(super) client: Option<Principal>,
    pub(super) realm: String,
    pub(super) server: Principal,
    pub(super) from: Option<i64>,
    pub(super) till: i64,
    pub(super) rtime: Option<i64>,
    pub(super) etypes: Vec<i32>,
    pub(super) additional: Vec<Vec<u8>>,
    pub(super) padata: Vec<krb::PaData>,
}

pub(super) fn principal(text: &str) -> Principal {
    Principal::parse_with_default_realm(text, REALM).unwrap()
}

pub(super) fn tgs(realm: &str) -> Principal {
    Principal::ticket_granting_service(realm, REALM)
}

impl Ask {
    pub(super) fn initial(client: &str) -> Self {
        Self {
            client: Some(principal(client)),
            ..Self::service(tgs(REALM))
        }
    }

    pub(super) fn ticket(server: &str) -> Self {
        Self::service(principal(server))
    }

    pub(super) fn service(server: Principal) -> Self {
        Self {
            options: option::FORWARDABLE,
            client: None,
            realm: String::from_utf8(server.realm().to_vec()).unwrap(),
            server,
            from: None,
            till: NOW + 36_000,
            rtime: None,
            etypes: ALL.to_vec(),
            additional: Vec::new(),
            padata: Vec::new(),
        }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn body(&self) -> krb::KdcReqBody {
        krb::KdcReqBody {
            kdc_options: krb::KdcOptions(wire::flags(self.options)),
            cname: self.client.as_ref().map(|name| wire::name(name).unwrap()),
            realm: wire::string(self.realm.as_bytes()).unwrap(),
            sname: Some(wire::name(&self.server).unwrap()),
            from: self.from.map(|time| wire::time(time).unwrap()),
            till: wire::time(self.till).unwrap(),
            rtime: self.rtime.map(|time| wire::time(time).unwrap()),
            nonce: 7,
            etype: self.etypes.clone(),
            addresses: None,
            enc_authorization_data: None,
            additional_tickets: (!self.additional.is_empty()).then(|| {
                let tickets = self.additional.iter();
                tickets
                    .map(|ticket| wire::decode(ticket).unwrap())
                    .collect()
            }),
        }
    }

    fn request(&self, message: u32) -> krb::KdcReq {
        krb::KdcReq {
            pvno: wire::integer(5),
            msg_type: wire::integer(message),
            padata: (!self.padata.is_empty()).then(|| self.padata.clone()),
            req_body: self.body(),
        }
    }

    pub(super) fn as_req(&self) -> Vec<u8> {
        wire::encode(&krb::AsReq(self.request(10))).unwrap()
    }

    pub(super) fn tgs_req(&self) -> Vec<u8> {
        wire::encode(&krb::TgsReq(self.request(12))).unwrap()
    }

    /// With PA-ENC-TIMESTAMP.
    pub(super) fn stamped(self, key: &Key, time: i64) -> Self {
        let stamp = krb::PaEncTsEnc {
            patimestamp: wire::time(time).unwrap(),
            pausec: Some(wire::integer(1)),
        };
        let sealed = seal(
            key,
            KeyUsage::AS_REQ_TIMESTAMP,
            &wire::encode(&stamp).unwrap(),
        );
        self.with(|ask| {
            let value = wire::encode(&sealed).unwrap();
            ask.padata.push(data(padata::ENC_TIMESTAMP, &value));
        })
    }

    /// With PA-TGS-REQ.
    pub(super) fn presenting(self, got: &Got, edit: impl FnOnce(&mut krb::Authenticator)) -> Self {
        let body = wire::encode(&self.body()).unwrap();
        let mac = got.key.mac(KeyUsage::TGS_REQ_CHECKSUM);
        let mut authenticator = krb::Authenticator {
            authenticator_vno: wire::integer(5),
            crealm: wire::string(got.client.realm()).unwrap(),
            cname: wire::name(&got.client).unwrap(),
            cksum: Some(krb::Checksum {
                r#type: mac.checksum_type().id(),
                checksum: wire::octets(mac.compute(&[&body]).as_bytes()),
            }),
            // No two are alike, or they would be replays.
            cusec: wire::integer(COUNT.fetch_add(1, Ordering::Relaxed)),
            ctime: wire::time(NOW).unwrap(),
            subkey: None,
            seq_number: None,
            authorization_data: None,
        };
        edit(&mut authenticator);
        let plaintext = wire::encode(&authenticator).unwrap();
        let request = krb::ApReq {
            pvno: wire::integer(5),
            msg_type: wire::integer(14),
            ap_options: krb::ApOptions(wire::flags(0)),
            ticket: wire::decode(&got.ticket).unwrap(),
            authenticator: seal(&got.key, KeyUsage::TGS_REQ_AUTHENTICATOR, &plaintext),
        };
        self.with(|ask| {
            let value = wire::encode(&request).unwrap();
            ask.padata.insert(0, data(padata::TGS_REQ, &value));
        })
    }
}

pub(super) fn seal(key: &Key, usage: KeyUsage, plaintext: &[u8]) -> krb::EncryptedData {
    // Each message its own confounder, as from a generator that never stands still.
    let mut random = SeededRandom::derived(9, &[plaintext, &usage.0.to_le_bytes()]);
    krb::EncryptedData {
        etype: key.enctype().id(),
        kvno: None,
        cipher: wire::octets(&key.encrypt(usage, plaintext, &mut random).unwrap()),
    }
}

/// A ticket, as the client holds it.
pub(super) struct Got {
    pub(super) client: Principal,
    pub(super) ticket: Vec<u8>,
    pub(super) key: Key,
    pub(super) part: krb::EncKdcRepPart,
    pub(super) reply: krb::KdcRep,
}

impl Got {
    pub(super) fn flags(&self) -> u32 {
        wire::bits(&self.part.flags.0)
    }

    pub(super) fn end(&self) -> i64 {
        wire::seconds(&self.part.end_time)
    }

    pub(super) fn server(&self) -> Principal {
        wire::principal(&self.part.srealm, &self.part.sname)
    }
}

fn got(reply: krb::KdcRep, part: krb::EncKdcRepPart) -> Got {
    Got {
        client: wire::principal(&reply.crealm, &reply.cname),
        ticket: wire::encode(&reply.ticket).unwrap(),
        key: wire::open_key(&part.key).unwrap(),
        part,
        reply,
    }
}

pub(super) fn error(answer: &[u8]) -> krb::KrbError {
    wire::decode(answer).expect("an error")
}

pub(super) fn code(answer: &[u8]) -> i32 {
    error(answer).error_code
}

pub(super) fn read_as(answer: &[u8], key: &Key) -> Result<Got, Error> {
    let reply = wire::decode::<krb::AsRep>(answer)?.0;
    let plaintext = key.decrypt(KeyUsage::AS_REP, &reply.enc_part.cipher)?;
    let part = wire::decode::<krb::EncAsRepPart>(&plaintext)?.0;
    Ok(got(reply, part))
}

pub(super) fn read_tgs(answer: &[u8], key: &Key, usage: KeyUsage) -> Result<Got, Error> {
    let reply = wire::decode::<krb::TgsRep>(answer)?.0;
    let plaintext = key.decrypt(usage, &reply.enc_part.cipher)?;
    let part = wire::decode::<krb::EncTgsRepPart>(&plaintext)?.0;
    Ok(got(reply, part))
}

/// The key of a password, salted as RFC 4120 §4 says.
pub(super) fn password_key(user: &str, password: &str, enctype: Enctype) -> Key {
    let salt = format!("{REALM}{user}");
    Key::from_password(enctype, password.as_bytes(), salt.as_bytes(), None).unwrap()
}

pub(super) const FAST_ENCTYPE: Enctype = Enctype::Aes128CtsHmacSha1_96;

/// alice's ticket-granting ticket, with these options.
pub(super) fn log_on(kdc: &Kdc, options: u32) -> Got {
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").with(|ask| {
        ask.options |= options;
        ask.etypes = vec![17];
        ask.rtime = Some(NOW + 7 * 86_400);
    });
    read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap()
}

/// A ticket by a ticket.
pub(super) fn buy(kdc: &Kdc, ask: Ask, with: &Got) -> Result<Got, i32> {
    let answer = kdc.answer(&ask.presenting(with, |_| {}).tgs_req());
    read_tgs(&answer, &with.key, KeyUsage::TGS_REP_SESSION).map_err(|_| code(&answer))
}
