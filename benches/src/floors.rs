//! The cryptography of a handshake alone: the measure of `kerberos` and `ntlm`.
//!
//! The same keys are derived, the same bytes ciphered and hashed, and as much randomness is drawn from the
//! operating system, as often. Ciphertexts are copied first, as they are ciphered in place. No message is read or
//! written, nothing is checked but what deciphers, and no context is made.

use std::hint::black_box;

use countersign_context::{Mechanism, Policy};
use countersign_credential::Password;
use countersign_credential::ntlm::{AccountName, NtlmCredential};
use countersign_crypto::ntlm::{NtHash, ResponseKey, SessionKey};
use countersign_crypto::{Cipher, Enctype, Key, KeyUsage, Random};
use countersign_testkit::Realm;
use countersign_token::der::Decode;
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::{ApRep, ApReq};
use countersign_token::ntlm::AuthenticateMessage;
use sha2::{Digest, Sha256};

use crate::kerberos::{ENCTYPES, Parties, SERVICE};
use crate::ntlm::{self, recorded};
use crate::{Operation, Prepared, Result, SystemRandom};

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for (enctype, name) in ENCTYPES {
        let mut add = |what: &str, run: fn(&Kerberos) -> Result<()>| {
            let name = format!("limits/kerberos/{what}/{name}");
            all.push(Prepared::new(name, move |name| {
                let floor = Kerberos::new(enctype)?;
                run(&floor)?;
                Ok(Operation::new(name, move || run(&floor)))
            }));
        };
        add("accept", Kerberos::accept);
        add("handshake", |floor| {
            floor.initiate()?;
            floor.accept()
        });
    }
    let mut add = |what: &str, run: fn(&Ntlm) -> Result<()>| {
        all.push(Prepared::new(format!("limits/ntlm/{what}"), move |name| {
            let floor = Ntlm::new()?;
            run(&floor)?;
            Ok(Operation::new(name, move || run(&floor)))
        }));
    };
    add("accept", Ntlm::accept);
    add("handshake", |floor| {
        floor.initiate()?;
        floor.accept()
    });
    all
}

/// Randomness as a step draws it.
fn draw<const N: usize>() -> Result<()> {
    let mut bytes = [0; N];
    SystemRandom.fill(&mut bytes)?;
    black_box(bytes);
    Ok(())
}

/// The keys and ciphertexts of one handshake.
struct Kerberos {
    service: Cipher,
    session: Key,
    ticket: Vec<u8>,
    authenticator: Vec<u8>,
    reply: Vec<u8>,
}

impl Kerberos {
    fn new(enctype: Enctype) -> Result<Self> {
        let parties = Parties::new(enctype)?;
        let said = recorded(
            &mut parties.initiator(),
            &mut parties.acceptor(),
            &parties.policy,
        )?;
        let message = |said: &[Option<Vec<u8>>], place: usize| -> Result<Vec<u8>> {
            let token = said.get(place).and_then(Option::as_deref);
            let framed = InitialToken::parse(token.ok_or("no token")?)?;
            Ok(framed.inner.get(2..).ok_or("no message")?.to_vec())
        };
        let request = message(&said.of_initiator, 0)?;
        let request = ApReq::from_der(&request)?;
        let reply = message(&said.of_acceptor, 1)?;
        let realm = Realm::new("EXAMPLE.COM", 1);
        let keytab = realm.keytab(&[SERVICE])?;
        let mut keys = keytab.entries().iter().filter_map(|entry| entry.key());
        let service = keys.find(|key| key.enctype() == enctype);
        Ok(Self {
            service: service.ok_or("no key")?.cipher(KeyUsage::TICKET),
            session: parties.session_key()?,
            ticket: request.ticket.value().enc_part.cipher.to_vec(),
            authenticator: request.authenticator.cipher.to_vec(),
            reply: ApRep::from_der(&reply)?.enc_part.cipher.to_vec(),
        })
    }

    /// A ticket and an authenticator are opened, a reply is sealed.
    fn accept(&self) -> Result<()> {
        let mut ticket = self.ticket.clone();
        self.service.decrypt_in_place(&mut ticket)?;
        let mut authenticator = self.authenticator.clone();
        let usage = KeyUsage::AP_REQ_AUTHENTICATOR;
        let cipher = self.session.cipher(usage);
        cipher.decrypt_in_place(&mut authenticator)?;
        black_box(Sha256::digest(&self.authenticator));
        draw::<32>()?;
        let mut reply = self.reply.clone();
        let cipher = self.session.cipher(KeyUsage::AP_REP);
        cipher.encrypt_in_place(&mut reply)?;
        black_box((ticket, authenticator, reply));
        Ok(())
    }

    /// An authenticator is sealed, a reply is opened.
    fn initiate(&self) -> Result<()> {
        draw::<32>()?;
        let mut authenticator = self.authenticator.clone();
        let usage = KeyUsage::AP_REQ_AUTHENTICATOR;
        let cipher = self.session.cipher(usage);
        cipher.encrypt_in_place(&mut authenticator)?;
        let mut reply = self.reply.clone();
        let cipher = self.session.cipher(KeyUsage::AP_REP);
        cipher.decrypt_in_place(&mut reply)?;
        black_box((authenticator, reply));
        Ok(())
    }
}

/// The keys and messages of one handshake.
struct Ntlm {
    credential: NtlmCredential,
    hash: NtHash,
    negotiate: Vec<u8>,
    challenge: Vec<u8>,
    authenticate: Vec<u8>,
    /// What is proved of a response.
    blob: Vec<u8>,
}

impl Ntlm {
    fn new() -> Result<Self> {
        let parties = ntlm::Parties::new()?;
        let initiator: &mut dyn Mechanism = &mut parties.initiator();
        let said = recorded(initiator, &mut parties.acceptor(), &Policy::default())?;
        let token = |said: &[Option<Vec<u8>>], place: usize| {
            let token = said.get(place).cloned().flatten();
            token.ok_or("no token")
        };
        let authenticate = token(&said.of_initiator, 1)?;
        let message = AuthenticateMessage::parse(&authenticate)?;
        let blob = message.nt_response.get(16..).ok_or("no response")?.to_vec();
        let name = AccountName::parse("EXAMPLE\\alice")?;
        let password = Password::from(ntlm::PASSWORD);
        Ok(Self {
            hash: NtHash::from_password(ntlm::PASSWORD),
            credential: NtlmCredential::with_password(name, &password),
            negotiate: token(&said.of_initiator, 0)?,
            challenge: token(&said.of_acceptor, 1)?,
            authenticate,
            blob,
        })
    }

    /// The keys of an account's response, and what they exchange.
    fn exchange(&self, key: &ResponseKey, exported: &SessionKey) {
        let proof = key.proof(&[7; 8], &[&self.blob]);
        let base = key.session_base_key(&proof);
        black_box(base.encrypt(exported));
        let messages: [&[u8]; 3] = [&self.negotiate, &self.challenge, &self.authenticate];
        black_box(exported.mic(&messages));
    }

    fn accept(&self) -> Result<()> {
        draw::<8>()?;
        let key = self.hash.response_key("alice".chars(), "EXAMPLE".chars());
        self.exchange(&key, &SessionKey::zero());
        Ok(())
    }

    fn initiate(&self) -> Result<()> {
        draw::<24>()?;
        self.exchange(self.credential.response_key(), &SessionKey::zero());
        Ok(())
    }
}
