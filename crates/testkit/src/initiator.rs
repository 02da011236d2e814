//! An initiator that says whatever a test wants it to say.

use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::{Enctype, Key, KeyUsage, Random};
use rasn_kerberos as krb;

use crate::checksum::{GSS_CHECKSUM, GssChecksum};
use crate::clock::FixedClock;
use crate::framing::{AP_REQ, Framing};
use crate::reply::{ApRepParts, read_ap_rep};
use crate::{Error, flags, wire};

type Edit<'a> = Box<dyn FnOnce(&mut krb::Authenticator) + 'a>;
type Map<'a> = Box<dyn FnOnce(Vec<u8>) -> Vec<u8> + 'a>;

/// The checksum of an authenticator.
#[derive(Clone, Debug)]
enum Checksum {
    Absent,
    Gss(GssChecksum),
    Raw(i32, Vec<u8>),
}

/// An AP-REQ token in the making, every field of which a test can change.
///
/// Unchanged it is what an honest initiator sends: mutual authentication, signing and sealing, a sequence number and
/// no subkey.
///
/// ```
/// use countersign_testkit::{ApReqBuilder, RawAcceptor, Realm, SeededRandom};
///
/// let realm = Realm::new("EXAMPLE.COM", 1);
/// let ticket = realm.ticket("user", "host/server").mint()?;
/// let mut random = SeededRandom::new(1);
///
/// let request = ApReqBuilder::new(&ticket).seq_number(Some(7)).build(&mut random)?;
/// let received = RawAcceptor::new(&realm.keytab(&["host/server"])?).accept(&request.token)?;
/// let reply = received.reply().seq_number(Some(9)).build(&mut random)?;
/// assert_eq!(request.read_reply(&reply)?.seq_number, Some(9));
/// # Ok::<(), countersign_testkit::Error>(())
/// ```
#[must_use = "nothing is sent until `build` is called"]
pub struct ApReqBuilder<'a> {
    credential: &'a TicketCredential,
    clock: FixedClock,
    checksum: Checksum,
    checksum_length: Option<usize>,
    client: Option<Principal>,
    subkey: Option<Key>,
    subkey_enctype: Option<Enctype>,
    seq_number: Option<u32>,
    ap_options: u32,
    authorization_data: Option<Vec<(i32, Vec<u8>)>>,
    authenticator_version: u32,
    protocol_version: u32,
    message_type: u32,
    key: Option<&'a Key>,
    usage: KeyUsage,
    authenticator_kvno: Option<u32>,
    framing: Framing,
    ticket: Option<Vec<u8>>,
    edit: Option<Edit<'a>>,
    map: Option<Map<'a>>,
}

impl<'a> ApReqBuilder<'a> {
    /// An honest request with this ticket, at [`NOW`](crate::NOW).
    pub fn new(credential: &'a TicketCredential) -> Self {
        let gss = flags::gss::MUTUAL
            | flags::gss::REPLAY
            | flags::gss::SEQUENCE
            | flags::gss::CONF
            | flags::gss::INTEG;
        Self {
            credential,
            clock: FixedClock::new(),
            checksum: Checksum::Gss(GssChecksum::new(gss)),
            checksum_length: None,
            client: None,
            subkey: None,
            subkey_enctype: None,
            seq_number: Some(1),
            ap_options: flags::ap_options::MUTUAL_REQUIRED,
            authorization_data: None,
            authenticator_version: 5,
            protocol_version: 5,
            message_type: 14,
            key: None,
            usage: KeyUsage::AP_REQ_AUTHENTICATOR,
            authenticator_kvno: None,
            framing: Framing::kerberos(AP_REQ),
            ticket: None,
            edit: None,
            map: None,
        }
    }

    /// The authenticator's time.
    pub fn clock(mut self, clock: FixedClock) -> Self {
        self.clock = clock;
        self
    }

    /// The authenticator's time in Unix seconds, with `microseconds`, which may be out of range.
    pub fn time(self, seconds: i64, microseconds: u32) -> Self {
        self.clock(FixedClock {
            seconds,
            microseconds,
        })
    }

    /// Replaces the 0x8003 checksum.
    pub fn gss_checksum(mut self, checksum: GssChecksum) -> Self {
        self.checksum = Checksum::Gss(checksum);
        self
    }

    fn with_gss(mut self, change: impl FnOnce(&mut GssChecksum)) -> Self {
        if let Checksum::Gss(checksum) = &mut self.checksum {
            change(checksum);
        }
        self
    }

    /// The flags of the 0x8003 checksum ([`flags::gss`]).
    pub fn gss_flags(self, flags: u32) -> Self {
        self.with_gss(|checksum| checksum.flags = flags)
    }

    /// The bindings hash of the 0x8003 checksum; see [`bindings_hash`](crate::bindings_hash).
    pub fn bindings(self, hash: [u8; 16]) -> Self {
        self.with_gss(|checksum| checksum.bindings = hash)
    }

    /// Puts a KRB-CRED into the 0x8003 checksum and sets DELEG; see [`seal_krb_cred`](crate::seal_krb_cred).
    pub fn delegation(self, krb_cred: Vec<u8>) -> Self {
        self.with_gss(|checksum| {
            checksum.flags |= flags::gss::DELEG;
            checksum.delegation = Some(krb_cred);
        })
    }

    /// What follows the 0x8003 checksum's other fields.
    pub fn extensions(self, extensions: &[u8]) -> Self {
        self.with_gss(|checksum| checksum.extensions = extensions.to_vec())
    }

    /// Sends no checksum (CVE-2010-1321).
    pub fn no_checksum(mut self) -> Self {
        self.checksum = Checksum::Absent;
        self
    }

    /// Sends a checksum of any type and contents.
    pub fn raw_checksum(mut self, checksum_type: i32, bytes: &[u8]) -> Self {
        self.checksum = Checksum::Raw(checksum_type, bytes.to_vec());
        self
    }

    /// Cuts the checksum off after `length` bytes.
    pub fn short_checksum(mut self, length: usize) -> Self {
        self.checksum_length = Some(length);
        self
    }

    /// The client whom the authenticator names, instead of the ticket's.
    pub fn client(mut self, client: Principal) -> Self {
        self.client = Some(client);
        self
    }

    /// Sends this subkey.
    pub fn subkey(mut self, key: Key) -> Self {
        self.subkey = Some(key);
        self
    }

    /// Sends a fresh subkey of this enctype.
    pub fn fresh_subkey(mut self, enctype: Enctype) -> Self {
        self.subkey_enctype = Some(enctype);
        self
    }

    /// The initiator's first sequence number, or none.
    pub fn seq_number(mut self, number: Option<u32>) -> Self {
        self.seq_number = number;
        self
    }

    /// The AP options ([`flags::ap_options`]), whatever the GSS flags say.
    pub fn ap_options(mut self, options: u32) -> Self {
        self.ap_options = options;
        self
    }

    /// Authorization data of the authenticator: type and contents of each element.
    pub fn authorization_data(mut self, elements: Vec<(i32, Vec<u8>)>) -> Self {
        self.authorization_data = Some(elements);
        self
    }

    /// `authenticator-vno`, 5 when nothing else is said.
    pub fn authenticator_version(mut self, version: u32) -> Self {
        self.authenticator_version = version;
        self
    }

    /// `pvno`, 5 when nothing else is said.
    pub fn protocol_version(mut self, version: u32) -> Self {
        self.protocol_version = version;
        self
    }

    /// `msg-type`, 14 when nothing else is said.
    pub fn message_type(mut self, message_type: u32) -> Self {
        self.message_type = message_type;
        self
    }

    /// Seals the authenticator in another key than the ticket's session key.
    pub fn authenticator_key(mut self, key: &'a Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Seals the authenticator with another key usage than 11.
    pub fn usage(mut self, usage: KeyUsage) -> Self {
        self.usage = usage;
        self
    }

    /// Writes a key version beside the authenticator, where none belongs.
    pub fn authenticator_kvno(mut self, kvno: u32) -> Self {
        self.authenticator_kvno = Some(kvno);
        self
    }

    /// What stands around the AP-REQ.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Sends this Ticket, DER, instead of the credential's.
    pub fn ticket(mut self, der: Vec<u8>) -> Self {
        self.ticket = Some(der);
        self
    }

    /// Changes the decoded authenticator before it is sealed.
    pub fn edit(mut self, edit: impl FnOnce(&mut krb::Authenticator) + 'a) -> Self {
        self.edit = Some(Box::new(edit));
        self
    }

    /// Changes the authenticator's bytes before they are sealed, so that mutations land inside the encrypted part.
    pub fn map_authenticator(mut self, map: impl FnOnce(Vec<u8>) -> Vec<u8> + 'a) -> Self {
        self.map = Some(Box::new(map));
        self
    }

    /// Makes the token.
    ///
    /// # Errors
    /// [`Error::Encode`] for what has no encoding, [`Error::Crypto`] for keys, [`Error::Credential`] when the session
    /// key cannot be used.
    pub fn build(self, random: &mut dyn Random) -> Result<ApReqToken, Error> {
        let session_key = self.credential.session_key()?;
        let subkey = match (self.subkey, self.subkey_enctype) {
            (Some(key), _) => Some(key),
            (None, Some(enctype)) => Some(Key::generate(enctype, random)?),
            (None, None) => None,
        };
        let client = self.client.as_ref().unwrap_or(&self.credential.client);
        let checksum = match self.checksum {
            Checksum::Absent => None,
            Checksum::Gss(checksum) => Some((GSS_CHECKSUM, checksum.to_bytes())),
            Checksum::Raw(checksum_type, bytes) => Some((checksum_type, bytes)),
        };
        let mut authenticator = krb::Authenticator {
            authenticator_vno: wire::integer(self.authenticator_version),
            crealm: wire::string(client.realm())?,
            cname: wire::name(client)?,
            cksum: checksum.map(|(checksum_type, mut bytes)| {
                bytes.truncate(self.checksum_length.unwrap_or(usize::MAX));
                krb::Checksum {
                    r#type: checksum_type,
                    checksum: wire::octets(&bytes),
                }
            }),
            cusec: wire::integer(self.clock.microseconds),
            ctime: wire::time(self.clock.seconds)?,
            subkey: subkey.as_ref().map(wire::key),
            seq_number: self.seq_number,
            authorization_data: wire::authorization_data(self.authorization_data.as_deref()),
        };
        if let Some(edit) = self.edit {
            edit(&mut authenticator);
        }
        let mut plaintext = wire::encode(&authenticator)?;
        if let Some(map) = self.map {
            plaintext = map(plaintext);
        }
        let key = self.key.unwrap_or(session_key);
        let cipher = key.encrypt(self.usage, &plaintext, random)?;
        let ticket = self.ticket.as_ref().unwrap_or(&self.credential.ticket);
        let message = wire::encode(&krb::ApReq {
            pvno: wire::integer(self.protocol_version),
            msg_type: wire::integer(self.message_type),
            ap_options: krb::ApOptions(wire::flags(self.ap_options)),
            ticket: wire::decode(ticket)?,
            authenticator: krb::EncryptedData {
                etype: key.enctype().id(),
                kvno: self.authenticator_kvno,
                cipher: wire::octets(&cipher),
            },
        })?;
        Ok(ApReqToken {
            token: self.framing.wrap(&message)?,
            message,
            session_key: session_key.duplicate(),
            subkey,
            seq_number: self.seq_number,
            clock: self.clock,
        })
    }
}

/// An AP-REQ token, and what its sender must remember to read the reply.
#[derive(Debug)]
pub struct ApReqToken {
    /// The token, framed as was asked for.
    pub token: Vec<u8>,
    /// The bare AP-REQ.
    pub message: Vec<u8>,
    /// The ticket's session key.
    pub session_key: Key,
    /// The subkey that was sent.
    pub subkey: Option<Key>,
    /// The sequence number that was sent.
    pub seq_number: Option<u32>,
    /// The authenticator's time.
    pub clock: FixedClock,
}

impl ApReqToken {
    /// Opens the acceptor's AP-REP, framed or bare, and checks that it answers this request: it must repeat the
    /// authenticator's time (RFC 4120 §3.2.5).
    ///
    /// # Errors
    /// [`Error::Decode`] when it is another message or answers another request, [`Error::Crypto`] when it was sealed
    /// in another key.
    pub fn read_reply(&self, token: &[u8]) -> Result<ApRepParts, Error> {
        let parts = read_ap_rep(token, &self.session_key)?;
        if parts.clock != self.clock {
            return Err(Error::Decode);
        }
        Ok(parts)
    }
}
