//! Minting tickets, good ones and every wrong kind.

use countersign_credential::{
    AuthorizationElement, HostAddress, KeyBlock, Principal, TicketCredential, TicketTimes,
};
use countersign_crypto::{Enctype, Key, KeyUsage};
use rasn_kerberos as krb;

use crate::pac::PacBuilder;
use crate::realm::{KVNO, Realm};
use crate::{Error, flags, wire};

/// Ten hours.
const LIFETIME: i64 = 36_000;

type Edit<'a> = Box<dyn FnOnce(&mut krb::EncTicketPart) + 'a>;
type Map<'a> = Box<dyn FnOnce(Vec<u8>) -> Vec<u8> + 'a>;

/// A ticket in the making; [`Realm::ticket`] begins one.
///
/// ```
/// use countersign_crypto::Enctype;
/// use countersign_testkit::{NOW, Realm, flags};
///
/// let realm = Realm::new("EXAMPLE.COM", 1);
/// let ticket = realm
///     .ticket("user", "host/server")
///     .enctype(Enctype::Aes128CtsHmacSha256_128)
///     .valid(NOW, NOW + 60)
///     .add_flags(flags::ticket::OK_AS_DELEGATE)
///     .mint()?;
/// assert_eq!(ticket.times.end_time, NOW + 60);
/// # Ok::<(), countersign_testkit::Error>(())
/// ```
#[must_use = "nothing is minted until `mint` is called"]
pub struct TicketBuilder<'a> {
    realm: &'a Realm,
    client: Principal,
    server: Principal,
    cleartext_server: Option<Principal>,
    enctype: Enctype,
    session_enctype: Option<Enctype>,
    session_key: Option<Key>,
    service_key: Option<Key>,
    key_version: u32,
    label: Option<u32>,
    auth_time: i64,
    start_time: Option<i64>,
    end_time: i64,
    renew_till: Option<i64>,
    flags: u32,
    transited: (i32, Vec<u8>),
    addresses: Vec<(i32, Vec<u8>)>,
    authorization_data: Option<Vec<(i32, Vec<u8>)>>,
    pac: Option<PacBuilder>,
    edit: Option<Edit<'a>>,
    map: Option<Map<'a>>,
    ticket_version: u32,
    tampered: bool,
}

impl<'a> TicketBuilder<'a> {
    pub(crate) fn new(realm: &'a Realm, client: Principal, server: Principal) -> Self {
        Self {
            realm,
            client,
            server,
            cleartext_server: None,
            enctype: Enctype::Aes256CtsHmacSha1_96,
            session_enctype: None,
            session_key: None,
            service_key: None,
            key_version: KVNO,
            label: Some(KVNO),
            auth_time: realm.now(),
            start_time: Some(realm.now()),
            end_time: realm.now().saturating_add(LIFETIME),
            renew_till: None,
            flags: flags::ticket::PRE_AUTHENT | flags::ticket::TRANSITED_POLICY_CHECKED,
            transited: (1, Vec::new()),
            addresses: Vec::new(),
            authorization_data: None,
            pac: None,
            edit: None,
            map: None,
            ticket_version: 5,
            tampered: false,
        }
    }

    /// The enctype of the service's key, and of the session key when nothing else is said.
    pub fn enctype(mut self, enctype: Enctype) -> Self {
        self.enctype = enctype;
        self
    }

    /// The enctype of the session key.
    pub fn session_enctype(mut self, enctype: Enctype) -> Self {
        self.session_enctype = Some(enctype);
        self
    }

    /// The session key itself.
    pub fn session_key(mut self, key: Key) -> Self {
        self.session_key = Some(key);
        self
    }

    /// The version of the service's key, used and named.
    pub fn kvno(mut self, kvno: u32) -> Self {
        self.key_version = kvno;
        self.label = Some(kvno);
        self
    }

    /// The version that the ticket names, whichever key is used: a wrong kvno, or none.
    pub fn named_kvno(mut self, kvno: Option<u32>) -> Self {
        self.label = kvno;
        self
    }

    /// Encrypts the ticket in this key instead of the service's.
    pub fn service_key(mut self, key: Key) -> Self {
        self.service_key = Some(key);
        self
    }

    /// Encrypts the ticket in a key that nobody has: the service must refuse it.
    pub fn wrong_key(self) -> Self {
        let stranger = self.realm.principal("nobody/has.this.key");
        match self.realm.key(&stranger, self.enctype, self.key_version) {
            Ok(key) => self.service_key(key),
            Err(_) => self,
        }
    }

    /// From when until when the ticket holds, in Unix seconds.
    pub fn valid(mut self, from: i64, until: i64) -> Self {
        self.auth_time = from;
        self.start_time = Some(from);
        self.end_time = until;
        self
    }

    /// When the client authenticated.
    pub fn auth_time(mut self, seconds: i64) -> Self {
        self.auth_time = seconds;
        self
    }

    /// Leaves the optional start time out: the ticket holds from the authentication on.
    pub fn without_start_time(mut self) -> Self {
        self.start_time = None;
        self
    }

    /// Until when the ticket can be renewed; sets RENEWABLE.
    pub fn renew_till(mut self, seconds: i64) -> Self {
        self.renew_till = Some(seconds);
        self.add_flags(flags::ticket::RENEWABLE)
    }

    /// A ticket that ended an hour ago.
    pub fn expired(self) -> Self {
        let now = self.realm.now();
        self.valid(now.saturating_sub(7_200), now.saturating_sub(3_600))
    }

    /// A ticket that begins in an hour.
    pub fn not_yet_valid(self) -> Self {
        let now = self.realm.now();
        self.valid(now.saturating_add(3_600), now.saturating_add(7_200))
            .auth_time(now)
    }

    /// Sets INVALID: a postdated ticket that no KDC has validated.
    pub fn invalid(self) -> Self {
        self.add_flags(flags::ticket::INVALID)
    }

    /// The ticket's flags ([`flags::ticket`]), instead of PRE-AUTHENT and TRANSITED-POLICY-CHECKED.
    pub fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// More flags.
    pub fn add_flags(mut self, flags: u32) -> Self {
        self.flags |= flags;
        self
    }

    /// TransitedEncoding, RFC 4120 §5.3: its type and contents.
    pub fn transited(mut self, tr_type: i32, contents: &[u8]) -> Self {
        self.transited = (tr_type, contents.to_vec());
        self
    }

    /// Binds the ticket to addresses: type (2 for IPv4, 24 for IPv6) and bytes.
    pub fn addresses(mut self, addresses: &[(i32, &[u8])]) -> Self {
        self.addresses = addresses
            .iter()
            .map(|(kind, bytes)| (*kind, bytes.to_vec()))
            .collect();
        self
    }

    /// Authorization data: type and contents of each element.
    pub fn authorization_data(mut self, elements: Vec<(i32, Vec<u8>)>) -> Self {
        self.authorization_data = Some(elements);
        self
    }

    /// A PAC, signed with the key that the ticket is sealed in and with the realm's
    /// [`ticket_granting_key`](Realm::ticket_granting_key), before other authorization data.
    pub fn pac(mut self, pac: PacBuilder) -> Self {
        self.pac = Some(pac);
        self
    }

    /// Writes another server's name outside the encrypted part, where anybody can change it.
    pub fn cleartext_server(mut self, server: &str) -> Self {
        self.cleartext_server = Some(self.realm.principal(server));
        self
    }

    /// Changes the decoded encrypted part before it is sealed.
    pub fn edit(mut self, edit: impl FnOnce(&mut krb::EncTicketPart) + 'a) -> Self {
        self.edit = Some(Box::new(edit));
        self
    }

    /// Changes the encrypted part's bytes before they are sealed, so that mutations land inside it.
    pub fn map_plaintext(mut self, map: impl FnOnce(Vec<u8>) -> Vec<u8> + 'a) -> Self {
        self.map = Some(Box::new(map));
        self
    }

    /// `tkt-vno`, 5 when nothing else is said.
    pub fn ticket_version(mut self, version: u32) -> Self {
        self.ticket_version = version;
        self
    }

    /// Flips the last bit of the ciphertext.
    pub fn tampered(mut self) -> Self {
        self.tampered = true;
        self
    }

    /// Makes the ticket and the client's credential for it.
    ///
    /// # Errors
    /// [`Error::Encode`] for a name or time that has no encoding, [`Error::Crypto`] for keys.
    pub fn mint(self) -> Result<TicketCredential, Error> {
        let mut random = self.realm.fresh_random(b"ticket");
        let session_key = match self.session_key {
            Some(key) => key,
            None => Key::generate(self.session_enctype.unwrap_or(self.enctype), &mut random)?,
        };
        let service_key = match self.service_key {
            Some(key) => key,
            None => self
                .realm
                .key(&self.server, self.enctype, self.key_version)?,
        };
        let mut part = krb::EncTicketPart {
            flags: krb::TicketFlags(wire::flags(self.flags)),
            key: wire::key(&session_key),
            crealm: wire::string(self.client.realm())?,
            cname: wire::name(&self.client)?,
            transited: krb::TransitedEncoding {
                r#type: self.transited.0,
                contents: wire::octets(&self.transited.1),
            },
            auth_time: wire::time(self.auth_time)?,
            start_time: self.start_time.map(wire::time).transpose()?,
            end_time: wire::time(self.end_time)?,
            renew_till: self.renew_till.map(wire::time).transpose()?,
            caddr: wire::addresses(&self.addresses),
            authorization_data: wire::authorization_data(self.authorization_data.as_deref()),
        };
        if let Some(pac) = self.pac {
            pac.embed(&mut part, &service_key, &self.realm.ticket_granting_key()?)?;
        }
        if let Some(edit) = self.edit {
            edit(&mut part);
        }
        let mut plaintext = wire::encode(&part)?;
        if let Some(map) = self.map {
            plaintext = map(plaintext);
        }
        let mut cipher = service_key.encrypt(KeyUsage::TICKET, &plaintext, &mut random)?;
        if self.tampered
            && let Some(last) = cipher.last_mut()
        {
            *last ^= 1;
        }
        let shown = self.cleartext_server.as_ref().unwrap_or(&self.server);
        let ticket = krb::Ticket {
            tkt_vno: wire::integer(self.ticket_version),
            realm: wire::string(shown.realm())?,
            sname: wire::name(shown)?,
            enc_part: krb::EncryptedData {
                etype: service_key.enctype().id(),
                kvno: self.label,
                cipher: wire::octets(&cipher),
            },
        };
        let mut credential = TicketCredential::new(
            self.client,
            self.server,
            KeyBlock::from(session_key),
            wire::encode(&ticket)?,
        );
        credential.times = TicketTimes {
            auth_time: self.auth_time,
            start_time: self.start_time.unwrap_or(0),
            end_time: self.end_time,
            renew_till: self.renew_till.unwrap_or(0),
        };
        credential.flags.0 = self.flags;
        credential.addresses = self
            .addresses
            .into_iter()
            .map(|(addr_type, address)| HostAddress { addr_type, address })
            .collect();
        credential.authorization_data = self
            .authorization_data
            .unwrap_or_default()
            .into_iter()
            .map(|(ad_type, ad_data)| AuthorizationElement { ad_type, ad_data })
            .collect();
        Ok(credential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NOW;

    fn open(credential: &TicketCredential, key: &Key) -> Result<krb::EncTicketPart, Error> {
        let ticket: krb::Ticket = wire::decode(&credential.ticket)?;
        wire::decode(&key.decrypt(KeyUsage::TICKET, &ticket.enc_part.cipher)?)
    }

    fn service_key(realm: &Realm, enctype: Enctype) -> Key {
        realm
            .key(&realm.principal("host/server"), enctype, KVNO)
            .unwrap()
    }

    #[test]
    fn a_ticket_of_every_enctype_opens_with_the_services_key() {
        let realm = Realm::new("R", 1);
        for &enctype in Enctype::ALL {
            let ticket = realm
                .ticket("user", "host/server")
                .enctype(enctype)
                .mint()
                .unwrap();
            let part = open(&ticket, &service_key(&realm, enctype)).unwrap();
            assert_eq!(
                part.key.value.as_ref(),
                ticket.session_key().unwrap().expose()
            );
            assert_eq!(wire::principal(&part.crealm, &part.cname), ticket.client);
            assert_eq!(wire::seconds(&part.end_time), NOW + LIFETIME);
            assert_eq!(wire::bits(&part.flags.0), ticket.flags.0);
        }
    }

    #[test]
    fn every_wrong_kind_is_wrong_in_its_own_way_only() {
        let realm = Realm::new("R", 1);
        let key = service_key(&realm, Enctype::Aes256CtsHmacSha1_96);
        let mint = |change: fn(TicketBuilder<'_>) -> TicketBuilder<'_>| {
            change(realm.ticket("user", "host/server")).mint().unwrap()
        };
        assert!(open(&mint(|ticket| ticket), &key).is_ok());
        assert!(open(&mint(|ticket| ticket.wrong_key()), &key).is_err());
        assert!(open(&mint(|ticket| ticket.tampered()), &key).is_err());
        assert!(
            open(
                &mint(|ticket| ticket.map_plaintext(|_| vec![0x30, 0])),
                &key
            )
            .is_err()
        );
        let expired = mint(|ticket| ticket.expired());
        assert!(!expired.is_valid_at(NOW, 300) && open(&expired, &key).is_ok());
        let early = mint(|ticket| ticket.not_yet_valid());
        assert!(!early.is_valid_at(NOW, 300) && open(&early, &key).is_ok());
        let invalid = open(&mint(|ticket| ticket.invalid()), &key).unwrap();
        assert_ne!(wire::bits(&invalid.flags.0) & flags::ticket::INVALID, 0);

        let kvno = mint(|ticket| ticket.named_kvno(Some(9)));
        let decoded: krb::Ticket = wire::decode(&kvno.ticket).unwrap();
        assert!(decoded.enc_part.kvno == Some(9) && open(&kvno, &key).is_ok());
        let renamed = mint(|ticket| ticket.cleartext_server("host/other"));
        let decoded: krb::Ticket = wire::decode(&renamed.ticket).unwrap();
        assert_eq!(decoded.sname.string[1].as_bytes(), b"other");
        assert!(open(&renamed, &key).is_ok());
        let edited = mint(|ticket| ticket.edit(|part| part.transited.r#type = 77));
        assert_eq!(open(&edited, &key).unwrap().transited.r#type, 77);
    }

    #[test]
    fn two_tickets_have_different_session_keys_and_the_same_ones_next_time() {
        let mint = |realm: &Realm| realm.ticket("user", "host/server").mint().unwrap().ticket;
        let (one, other) = (Realm::new("R", 1), Realm::new("R", 1));
        let (first, second) = (mint(&one), mint(&one));
        assert_ne!(first, second);
        assert_eq!((first, second), (mint(&other), mint(&other)));
    }
}
