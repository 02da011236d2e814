//! What an acceptor answers: AP-REP and KRB-ERROR, honest or not.

use countersign_credential::Principal;
use countersign_crypto::{Enctype, Key, KeyUsage, Random};
use rasn_kerberos as krb;

use crate::clock::FixedClock;
use crate::framing::{AP_REP, Framing, KRB_ERROR};
use crate::{Error, wire};

type Edit<'a> = Box<dyn FnOnce(&mut krb::EncApRepPart) + 'a>;
type Map<'a> = Box<dyn FnOnce(Vec<u8>) -> Vec<u8> + 'a>;

/// An AP-REP in the making; [`ReceivedApReq::reply`](crate::ReceivedApReq::reply) begins an honest one.
#[must_use = "nothing is sent until `build` is called"]
pub struct ApRepBuilder<'a> {
    key: Key,
    usage: KeyUsage,
    clock: FixedClock,
    subkey: Option<Key>,
    seq_number: Option<u32>,
    etype: Option<i32>,
    kvno: Option<u32>,
    protocol_version: u32,
    message_type: u32,
    framing: Framing,
    map: Option<Map<'a>>,
    tampered: bool,
    edit: Option<Edit<'a>>,
}

impl<'a> ApRepBuilder<'a> {
    /// An AP-REP sealed in the session key `key` that repeats the authenticator's time `clock`.
    pub fn new(key: &Key, clock: FixedClock) -> Self {
        Self {
            key: key.duplicate(),
            usage: KeyUsage::AP_REP,
            clock,
            subkey: None,
            seq_number: Some(1),
            etype: None,
            kvno: None,
            protocol_version: 5,
            message_type: 15,
            framing: Framing::kerberos(AP_REP),
            map: None,
            tampered: false,
            edit: None,
        }
    }

    /// The time that it repeats, instead of the authenticator's.
    pub fn clock(mut self, clock: FixedClock) -> Self {
        self.clock = clock;
        self
    }

    /// The acceptor's subkey.
    pub fn subkey(mut self, key: Key) -> Self {
        self.subkey = Some(key);
        self
    }

    /// A fresh subkey of this enctype, which is also given back.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the generator fails.
    pub fn fresh_subkey(
        self,
        enctype: Enctype,
        random: &mut dyn Random,
    ) -> Result<(Self, Key), Error> {
        let key = Key::generate(enctype, random)?;
        Ok((self.subkey(key.duplicate()), key))
    }

    /// The acceptor's first sequence number, or none.
    pub fn seq_number(mut self, number: Option<u32>) -> Self {
        self.seq_number = number;
        self
    }

    /// Seals it in another key.
    pub fn key(mut self, key: &Key) -> Self {
        self.key = key.duplicate();
        self
    }

    /// Seals it with another key usage than 12.
    pub fn usage(mut self, usage: KeyUsage) -> Self {
        self.usage = usage;
        self
    }

    /// Names another enctype than the key's.
    pub fn etype(mut self, etype: i32) -> Self {
        self.etype = Some(etype);
        self
    }

    /// Writes a key version, where none belongs.
    pub fn kvno(mut self, kvno: u32) -> Self {
        self.kvno = Some(kvno);
        self
    }

    /// `pvno`, 5 when nothing else is said.
    pub fn protocol_version(mut self, version: u32) -> Self {
        self.protocol_version = version;
        self
    }

    /// `msg-type`, 15 when nothing else is said.
    pub fn message_type(mut self, message_type: u32) -> Self {
        self.message_type = message_type;
        self
    }

    /// What stands around the AP-REP; [`Framing::Bare`] in DCE style.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Changes the encrypted part's bytes before they are sealed, so that mutations land inside it.
    pub fn map_plaintext(mut self, map: impl FnOnce(Vec<u8>) -> Vec<u8> + 'a) -> Self {
        self.map = Some(Box::new(map));
        self
    }

    /// Flips the last bit of the ciphertext.
    pub fn tampered(mut self) -> Self {
        self.tampered = true;
        self
    }

    /// Changes the decoded encrypted part before it is sealed.
    pub fn edit(mut self, edit: impl FnOnce(&mut krb::EncApRepPart) + 'a) -> Self {
        self.edit = Some(Box::new(edit));
        self
    }

    /// Makes the token.
    ///
    /// # Errors
    /// [`Error::Encode`] for what has no encoding, [`Error::Crypto`] for keys.
    pub fn build(self, random: &mut dyn Random) -> Result<Vec<u8>, Error> {
        let mut part = krb::EncApRepPart {
            ctime: wire::time(self.clock.seconds)?,
            cusec: wire::integer(self.clock.microseconds),
            subkey: self.subkey.as_ref().map(wire::key),
            seq_number: self.seq_number,
        };
        if let Some(edit) = self.edit {
            edit(&mut part);
        }
        let mut plaintext = wire::encode(&part)?;
        if let Some(map) = self.map {
            plaintext = map(plaintext);
        }
        let mut cipher = self.key.encrypt(self.usage, &plaintext, random)?;
        if self.tampered
            && let Some(last) = cipher.last_mut()
        {
            *last ^= 1;
        }
        let message = wire::encode(&krb::ApRep {
            pvno: wire::integer(self.protocol_version),
            msg_type: wire::integer(self.message_type),
            enc_part: krb::EncryptedData {
                etype: self.etype.unwrap_or(self.key.enctype().id()),
                kvno: self.kvno,
                cipher: wire::octets(&cipher),
            },
        })?;
        self.framing.wrap(&message)
    }
}

/// What an AP-REP says.
#[derive(Debug)]
pub struct ApRepParts {
    /// The time that it repeats.
    pub clock: FixedClock,
    /// The sender's subkey.
    pub subkey: Option<Key>,
    /// The sender's first sequence number.
    pub seq_number: Option<u32>,
    /// How it was framed.
    pub framing: Framing,
}

/// Opens an AP-REP, framed or bare: the acceptor's, or the initiator's third leg in DCE style.
///
/// # Errors
/// [`Error::Decode`] when it is another message, [`Error::Crypto`] when it was sealed in another key.
pub fn read_ap_rep(token: &[u8], key: &Key) -> Result<ApRepParts, Error> {
    let (framing, message) = Framing::unwrap(token)?;
    let reply: krb::ApRep = wire::decode(message)?;
    if reply.enc_part.etype != key.enctype().id() {
        return Err(Error::Decode);
    }
    let plaintext = key.decrypt(KeyUsage::AP_REP, &reply.enc_part.cipher)?;
    let part: krb::EncApRepPart = wire::decode(&plaintext)?;
    Ok(ApRepParts {
        clock: FixedClock {
            seconds: wire::seconds(&part.ctime),
            microseconds: wire::unsigned(&part.cusec),
        },
        subkey: part.subkey.as_ref().map(wire::open_key).transpose()?,
        seq_number: part.seq_number,
        framing,
    })
}

/// A KRB-ERROR, RFC 4120 §5.9.1. Nobody has authenticated what it says.
#[derive(Clone, Debug)]
pub struct KrbErrorBuilder {
    /// `error-code`.
    pub code: i32,
    /// The server's time.
    pub server_time: FixedClock,
    /// The client's time, when it is repeated.
    pub client_time: Option<FixedClock>,
    /// The client, when it is named.
    pub client: Option<Principal>,
    /// The server.
    pub server: Principal,
    /// `e-text`.
    pub text: Option<String>,
    /// `e-data`.
    pub data: Option<Vec<u8>>,
    /// `pvno`.
    pub protocol_version: u32,
    /// `msg-type`.
    pub message_type: u32,
    /// What stands around the message.
    pub framing: Framing,
}

impl KrbErrorBuilder {
    /// The error `code` of `server`, at [`NOW`](crate::NOW).
    #[must_use]
    pub fn new(code: i32, server: Principal) -> Self {
        Self {
            code,
            server_time: FixedClock::new(),
            client_time: None,
            client: None,
            server,
            text: None,
            data: None,
            protocol_version: 5,
            message_type: 30,
            framing: Framing::kerberos(KRB_ERROR),
        }
    }

    /// The server's time, by which an initiator may learn its offset (KRB_AP_ERR_SKEW, 37).
    #[must_use]
    pub fn server_time(mut self, clock: FixedClock) -> Self {
        self.server_time = clock;
        self
    }

    /// What stands around the message.
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// `e-data`, for instance a KERB-ERROR-DATA.
    #[must_use]
    pub fn data(mut self, data: Vec<u8>) -> Self {
        self.data = Some(data);
        self
    }

    /// Makes the token.
    ///
    /// # Errors
    /// [`Error::Encode`] for what has no encoding.
    pub fn build(&self) -> Result<Vec<u8>, Error> {
        let client = self.client.as_ref();
        let message = wire::encode(&krb::KrbError {
            pvno: wire::integer(self.protocol_version),
            msg_type: wire::integer(self.message_type),
            ctime: self
                .client_time
                .map(|clock| wire::time(clock.seconds))
                .transpose()?,
            cusec: self
                .client_time
                .map(|clock| wire::integer(clock.microseconds)),
            stime: wire::time(self.server_time.seconds)?,
            susec: wire::integer(self.server_time.microseconds),
            error_code: self.code,
            crealm: client
                .map(|client| wire::string(client.realm()))
                .transpose()?,
            cname: client.map(wire::name).transpose()?,
            realm: wire::string(self.server.realm())?,
            sname: wire::name(&self.server)?,
            e_text: self
                .text
                .as_ref()
                .map(|text| wire::string(text.as_bytes()))
                .transpose()?,
            e_data: self.data.as_deref().map(wire::octets),
        })?;
        self.framing.wrap(&message)
    }
}

/// Reads a KRB-ERROR token, framed or bare.
///
/// # Errors
/// [`Error::Framing`] and [`Error::Decode`].
pub fn read_krb_error(token: &[u8]) -> Result<krb::KrbError, Error> {
    wire::decode(Framing::unwrap(token)?.1)
}
