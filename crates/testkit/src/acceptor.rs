//! An acceptor on the independent codec: it opens AP-REQs and answers whatever a test wants it to answer.

use countersign_credential::{Keytab, Principal};
use countersign_crypto::{Enctype, Key, KeyUsage};
use rasn_kerberos as krb;

use crate::checksum::{GSS_CHECKSUM, GssChecksum};
use crate::clock::FixedClock;
use crate::framing::Framing;
use crate::reply::{ApRepBuilder, KrbErrorBuilder};
use crate::{Error, wire};

/// An acceptor that opens AP-REQ tokens. It judges nothing: times, replays, flags and names are for the test to look
/// at.
#[derive(Debug)]
pub struct RawAcceptor {
    keys: Keytab,
}

impl RawAcceptor {
    /// An acceptor with the keys of a keytab.
    #[must_use]
    pub fn new(keytab: &Keytab) -> Self {
        Self {
            keys: keytab.duplicate(),
        }
    }

    /// Opens an AP-REQ token, framed or bare.
    ///
    /// # Errors
    /// [`Error::Framing`] or [`Error::Decode`] when it is malformed, [`Error::Crypto`] when no key opens the ticket or
    /// the ticket's session key does not open the authenticator.
    pub fn accept(&self, token: &[u8]) -> Result<ReceivedApReq, Error> {
        let (framing, message) = Framing::unwrap(token)?;
        let request: krb::ApReq = wire::decode(message)?;
        let sealed = &request.ticket.enc_part;
        let enctype = Enctype::from_id(sealed.etype).ok_or(Error::Decode)?;
        let mut ticket = Err(Error::Crypto(countersign_crypto::Error::Integrity));
        for entry in self.keys.candidates(sealed.kvno, enctype) {
            if let Some(key) = entry.key()
                && let Ok(plaintext) = key.decrypt(KeyUsage::TICKET, &sealed.cipher)
            {
                ticket = wire::decode::<krb::EncTicketPart>(&plaintext);
                break;
            }
        }
        let ticket = ticket?;
        let session_key = wire::open_key(&ticket.key)?;
        let plaintext = session_key.decrypt(
            KeyUsage::AP_REQ_AUTHENTICATOR,
            &request.authenticator.cipher,
        )?;
        let authenticator: krb::Authenticator = wire::decode(&plaintext)?;
        Ok(ReceivedApReq {
            framing,
            ap_options: wire::bits(&request.ap_options.0),
            client: wire::principal(&ticket.crealm, &ticket.cname),
            server: wire::principal(&request.ticket.realm, &request.ticket.sname),
            named_client: wire::principal(&authenticator.crealm, &authenticator.cname),
            clock: FixedClock {
                seconds: wire::seconds(&authenticator.ctime),
                microseconds: wire::unsigned(&authenticator.cusec),
            },
            subkey: authenticator
                .subkey
                .as_ref()
                .map(wire::open_key)
                .transpose()?,
            seq_number: authenticator.seq_number,
            checksum: authenticator
                .cksum
                .as_ref()
                .map(|checksum| (checksum.r#type, checksum.checksum.to_vec())),
            session_key,
            request,
            ticket,
            authenticator,
        })
    }
}

/// An AP-REQ, opened.
#[derive(Debug)]
pub struct ReceivedApReq {
    /// How it was framed.
    pub framing: Framing,
    /// The AP options ([`flags::ap_options`](crate::flags::ap_options)).
    pub ap_options: u32,
    /// The client, from inside the ticket.
    pub client: Principal,
    /// The server, from outside the ticket, where nobody has authenticated it.
    pub server: Principal,
    /// The client whom the authenticator names.
    pub named_client: Principal,
    /// The authenticator's time.
    pub clock: FixedClock,
    /// The initiator's subkey.
    pub subkey: Option<Key>,
    /// The initiator's first sequence number.
    pub seq_number: Option<u32>,
    /// The authenticator's checksum: type and bytes.
    pub checksum: Option<(i32, Vec<u8>)>,
    /// The ticket's session key.
    pub session_key: Key,
    /// The request as the independent codec read it.
    pub request: krb::ApReq,
    /// The ticket's encrypted part as the independent codec read it.
    pub ticket: krb::EncTicketPart,
    /// The authenticator as the independent codec read it.
    pub authenticator: krb::Authenticator,
}

impl ReceivedApReq {
    /// The 0x8003 checksum, when there is one and it is well-formed.
    #[must_use]
    pub fn gss_checksum(&self) -> Option<GssChecksum> {
        match &self.checksum {
            Some((GSS_CHECKSUM, bytes)) => GssChecksum::parse(bytes),
            _ => None,
        }
    }

    /// Begins an honest AP-REP.
    pub fn reply<'a>(&self) -> ApRepBuilder<'a> {
        ApRepBuilder::new(&self.session_key, self.clock)
    }

    /// Begins a KRB-ERROR with this code.
    #[must_use]
    pub fn error(&self, code: i32) -> KrbErrorBuilder {
        KrbErrorBuilder::new(code, self.server.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{AP_REQ, MS_KERBEROS};
    use crate::{
        ApReqBuilder, FailingRandom, NOW, Realm, SeededRandom, bindings_hash, flags, open_krb_cred,
        read_ap_rep, read_krb_error, seal_krb_cred,
    };
    use countersign_credential::TicketCredential;

    fn setup(enctype: Enctype) -> (Realm, TicketCredential, RawAcceptor) {
        let realm = Realm::new("EXAMPLE.COM", 5);
        let ticket = realm
            .ticket("user", "host/server")
            .enctype(enctype)
            .mint()
            .unwrap();
        let acceptor = RawAcceptor::new(&realm.keytab(&["host/server"]).unwrap());
        (realm, ticket, acceptor)
    }

    const AES: Enctype = Enctype::Aes256CtsHmacSha1_96;

    #[test]
    fn both_raw_sides_agree_for_every_enctype() {
        for &enctype in Enctype::ALL {
            let (_, ticket, acceptor) = setup(enctype);
            let mut random = SeededRandom::new(1);
            let request = ApReqBuilder::new(&ticket)
                .fresh_subkey(enctype)
                .seq_number(Some(0xffff_ffff))
                .time(NOW + 1, 999_999)
                .bindings(bindings_hash(b"x"))
                .build(&mut random)
                .unwrap();
            let received = acceptor.accept(&request.token).unwrap();
            assert_eq!(received.client, ticket.client);
            assert_eq!(received.named_client, ticket.client);
            assert_eq!(received.server, ticket.server);
            assert_eq!(
                received.clock,
                FixedClock {
                    seconds: NOW + 1,
                    microseconds: 999_999
                }
            );
            assert_eq!(received.seq_number, Some(0xffff_ffff));
            assert_eq!(received.ap_options, flags::ap_options::MUTUAL_REQUIRED);
            assert_eq!(
                received.gss_checksum().unwrap().bindings,
                bindings_hash(b"x")
            );
            let sent = request.subkey.as_ref().unwrap();
            assert!(received.subkey.as_ref().unwrap().ct_eq(sent));

            let (reply, subkey) = received.reply().fresh_subkey(enctype, &mut random).unwrap();
            let reply = reply.seq_number(None).build(&mut random).unwrap();
            let parts = request.read_reply(&reply).unwrap();
            assert!(parts.subkey.unwrap().ct_eq(&subkey));
            assert_eq!(parts.seq_number, None);
        }
    }

    #[test]
    fn every_override_reaches_the_wire() {
        let (realm, ticket, acceptor) = setup(AES);
        let receive = |change: fn(ApReqBuilder<'_>) -> ApReqBuilder<'_>| {
            let token = change(ApReqBuilder::new(&ticket))
                .build(&mut SeededRandom::new(1))
                .unwrap();
            acceptor.accept(&token.token).unwrap()
        };
        assert!(receive(|token| token).gss_checksum().is_some());
        assert_eq!(receive(|token| token.no_checksum()).checksum, None);
        let raw = receive(|token| token.raw_checksum(7, &[1, 2]));
        assert_eq!(raw.checksum, Some((7, vec![1, 2])));
        let short = receive(|token| token.short_checksum(23));
        assert_eq!(short.checksum.unwrap().1.len(), 23);
        assert_eq!(
            receive(|token| token.gss_flags(1 << 9))
                .gss_checksum()
                .unwrap()
                .flags,
            1 << 9
        );
        assert_eq!(receive(|token| token.seq_number(None)).seq_number, None);
        assert_eq!(receive(|token| token.ap_options(0)).ap_options, 0);
        let version = receive(|token| token.authenticator_version(4).protocol_version(6));
        assert_eq!(wire::unsigned(&version.authenticator.authenticator_vno), 4);
        assert_eq!(wire::unsigned(&version.request.pvno), 6);
        let framing = Framing::Gss {
            oid: MS_KERBEROS.to_vec(),
            token_id: AP_REQ,
        };
        let expected = framing.clone();
        let token = ApReqBuilder::new(&ticket)
            .framing(framing)
            .client(realm.principal("other"))
            .authorization_data(vec![(-1, vec![9])])
            .build(&mut SeededRandom::new(1))
            .unwrap();
        let received = acceptor.accept(&token.token).unwrap();
        assert_eq!(received.framing, expected);
        assert_eq!(received.named_client, realm.principal("other"));
        assert_eq!(received.client, realm.principal("user"));
        assert!(received.authenticator.authorization_data.is_some());
        assert_eq!(
            receive(|token| token.framing(Framing::Bare)).framing,
            Framing::Bare
        );
        assert_eq!(
            receive(|token| token.edit(|part| part.seq_number = Some(3))).seq_number,
            Some(3)
        );
        assert_eq!(
            receive(|token| token.time(1, 2_000_000)).clock.microseconds,
            2_000_000
        );
    }

    #[test]
    fn what_is_sealed_wrongly_does_not_open() {
        let (realm, ticket, acceptor) = setup(AES);
        let other = realm.key(&realm.principal("x"), AES, 1).unwrap();
        let accept = |token: ApReqBuilder<'_>| {
            let token = token.build(&mut SeededRandom::new(1)).unwrap().token;
            acceptor.accept(&token).map(|_| ())
        };
        assert_eq!(accept(ApReqBuilder::new(&ticket)), Ok(()));
        let integrity = Err(Error::Crypto(countersign_crypto::Error::Integrity));
        assert_eq!(
            accept(ApReqBuilder::new(&ticket).authenticator_key(&other)),
            integrity
        );
        assert_eq!(
            accept(ApReqBuilder::new(&ticket).usage(KeyUsage::AP_REP)),
            integrity
        );
        let mapped = ApReqBuilder::new(&ticket).map_authenticator(|mut bytes| {
            bytes.pop();
            bytes
        });
        assert_eq!(accept(mapped), Err(Error::Decode));
        let tampered = realm
            .ticket("user", "host/server")
            .tampered()
            .mint()
            .unwrap();
        assert_eq!(accept(ApReqBuilder::new(&tampered)), integrity);
        let failing = ApReqBuilder::new(&ticket).build(&mut FailingRandom::new());
        assert!(matches!(failing, Err(Error::Crypto(_))));
    }

    #[test]
    fn hostile_replies_are_told_from_the_honest_one() {
        let (realm, ticket, acceptor) = setup(AES);
        let mut random = SeededRandom::new(1);
        let request = ApReqBuilder::new(&ticket).build(&mut random).unwrap();
        let received = acceptor.accept(&request.token).unwrap();
        let other = realm.key(&realm.principal("x"), AES, 1).unwrap();
        let mut read = |reply: ApRepBuilder<'_>| {
            let token = reply.build(&mut random).unwrap();
            request.read_reply(&token).map(|parts| parts.framing)
        };
        let honest = Framing::kerberos(crate::framing::AP_REP);
        assert_eq!(read(received.reply()), Ok(honest));
        assert_eq!(
            read(received.reply().framing(Framing::Bare)),
            Ok(Framing::Bare)
        );
        assert!(read(received.reply().key(&other)).is_err());
        assert!(read(received.reply().tampered()).is_err());
        assert!(read(received.reply().usage(KeyUsage::TICKET)).is_err());
        assert!(read(received.reply().etype(17)).is_err());
        assert!(read(received.reply().map_plaintext(|_| vec![0])).is_err());
        assert!(read(received.reply().clock(FixedClock::at(NOW + 1))).is_err());
        assert!(read(received.reply().edit(|part| part.cusec = wire::integer(1))).is_err());
        let parts = read_ap_rep(
            &received
                .reply()
                .framing(Framing::Bare)
                .build(&mut SeededRandom::new(2))
                .unwrap(),
            &received.session_key,
        );
        assert!(parts.is_ok());

        let error = received
            .error(37)
            .server_time(FixedClock::at(NOW + 900))
            .data(vec![4]);
        let read = read_krb_error(&error.build().unwrap()).unwrap();
        assert_eq!(
            (read.error_code, wire::seconds(&read.stime)),
            (37, NOW + 900)
        );
        assert!(read_krb_error(&request.token).is_err());
    }

    #[test]
    fn delegation_travels_in_the_checksum() {
        let (realm, ticket, acceptor) = setup(AES);
        let mut random = SeededRandom::new(1);
        let tgt = realm
            .forwarded_ticket_granting_ticket("user")
            .mint()
            .unwrap();
        let key = ticket.session_key().unwrap();
        let message = seal_krb_cred(&[&tgt], Some(key), FixedClock::new(), &mut random).unwrap();
        let token = ApReqBuilder::new(&ticket)
            .delegation(message)
            .build(&mut random)
            .unwrap();
        let received = acceptor.accept(&token.token).unwrap();
        let checksum = received.gss_checksum().unwrap();
        assert_ne!(checksum.flags & flags::gss::DELEG, 0);
        let opened = open_krb_cred(&checksum.delegation.unwrap(), &received.session_key).unwrap();
        assert_eq!(opened[0].ticket, tgt.ticket);
    }
}
