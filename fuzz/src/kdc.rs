//! A KDC whose answers the input bends, and every kind of exchange with it.

use std::sync::{Arc, Mutex, OnceLock};

use countersign_context::kerberos::kdc::{
    ClientSecret, Exchange, ExchangeStep, InitialTicket, KdcAnswer, KdcService, PasswordChange,
    ServiceTicket, TicketOptions,
};
use countersign_context::{Environment, Error, Timestamp};
use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::{Enctype, Key};
use countersign_testkit::rasn_kerberos as krb;
use countersign_testkit::{Account, Kdc, NOW};
use rasn::{Decode, Encode};

use crate::{Seeded, realm};

/// Exchanges that [`run`] knows.
pub const SCENARIOS: u8 = 10;

/// Requests that one exchange may send; the engine stops before.
const MAX_REQUESTS: usize = 64;

/// What is done to an answer, and the octets that it is done with.
#[derive(Clone, Debug, Default)]
pub struct Bend {
    pub how: u8,
    pub with: Vec<u8>,
}

impl Bend {
    pub const HONEST: u8 = 0;
    /// The octets are the answer.
    pub const RAW: u8 = 1;
    /// The answer with the octets added to it, octet by octet.
    pub const ALTERED: u8 = 2;
    /// AS-REP or TGS-REP around the honest ciphertext.
    pub const REPLY: u8 = 3;
    pub const ERROR: u8 = 4;
    /// No FAST around the answer.
    pub const STRIPPED: u8 = 5;
    /// From here on only who has the keys can do it: an encrypted part, with the request's nonce.
    pub const PART: u8 = 6;
    /// The same with a nonce of its own.
    pub const STRAY_PART: u8 = 7;
    pub const FAST: u8 = 8;
    pub const KINDS: u8 = 9;

    /// Whether it takes the KDC's keys.
    pub fn needs_keys(&self) -> bool {
        self.how % Self::KINDS >= Self::PART
    }
}

/// What came of an exchange, and what was asked for.
pub struct Got {
    pub ticket: Option<TicketCredential>,
    pub client: Principal,
    pub server: Principal,
    /// The KDC may give the service another name.
    pub canonical: bool,
}

type Shared = Arc<Mutex<Bend>>;

fn principal(name: &str) -> Principal {
    Principal::parse_with_default_realm(name, "EXAMPLE.COM").expect("a name")
}

fn user_key() -> Key {
    Key::new(Enctype::Aes128CtsHmacSha1_96, &[0x11; 16]).expect("a key")
}

/// The realm, the same every time.
pub fn kdc() -> Kdc {
    let service = Account::service("HTTP/web.example.com")
        .delegates_to(&["cifs/files.example.com"])
        .any_protocol()
        .ok_as_delegate();
    Kdc::builder("EXAMPLE.COM")
        .seed(7)
        .enctypes(&[Enctype::Aes128CtsHmacSha1_96])
        .account(Account::with_keys("user", vec![user_key()]))
        .account(service)
        .service("cifs/files.example.com")
        .build()
        .expect("a realm")
}

/// An answer as it is, in the form that [`Bend::with`] takes.
pub type Capture = Arc<Mutex<Vec<(u8, Vec<u8>)>>>;

/// Puts what was bent in the place of what the KDC is about to encode, and keeps what it was.
fn bend<T: Encode + Decode>(bend: &Shared, kinds: &[u8], capture: &Capture, value: &mut T) {
    if let Ok(der) = rasn::der::encode(value) {
        capture.lock().expect("alone").push((kinds[0], der));
    }
    let bend = bend.lock().expect("alone");
    if kinds.contains(&(bend.how % Bend::KINDS))
        && let Ok(other) = rasn::der::decode(&bend.with)
    {
        *value = other;
    }
}

fn bent(shared: &Shared, capture: &Capture) -> Kdc {
    let kdc = kdc();
    let (state, kept) = (Arc::clone(shared), Arc::clone(capture));
    kdc.edit_enc_part(move |_, part: &mut krb::EncKdcRepPart| {
        let nonce = part.nonce;
        bend(&state, &[Bend::PART, Bend::STRAY_PART], &kept, part);
        if state.lock().expect("alone").how % Bend::KINDS == Bend::PART {
            part.nonce = nonce;
        }
    });
    let (state, kept) = (Arc::clone(shared), Arc::clone(capture));
    kdc.edit_reply(move |_, reply| bend(&state, &[Bend::REPLY], &kept, reply));
    let (state, kept) = (Arc::clone(shared), Arc::clone(capture));
    kdc.edit_error(move |_, error| bend(&state, &[Bend::ERROR], &kept, error));
    let (state, kept) = (Arc::clone(shared), Arc::clone(capture));
    kdc.edit_fast(move |_, response| bend(&state, &[Bend::FAST], &kept, response));
    kdc
}

/// Runs one exchange; the answer to each request is bent in turn, and the rest are honest.
pub fn run(scenario: u8, bends: &[Bend], capture: &Capture) -> Result<Got, Error> {
    let shared = Shared::default();
    let kdc = bent(&shared, capture);
    let talk = Talk {
        seed: u64::from(scenario % SCENARIOS),
        kdc: &kdc,
        shared: &shared,
        bends,
    };
    let (client, tgt) = (principal("user"), tgt());
    let (service, other) = (
        principal("HTTP/web.example.com"),
        principal("cifs/files.example.com"),
    );
    let granting = principal("krbtgt/EXAMPLE.COM");
    let secret = || ClientSecret::key(&client, user_key());
    let initial = || InitialTicket::new(client.clone(), secret());
    let got = |ticket: TicketCredential, client: &Principal, server: &Principal, canonical| Got {
        ticket: Some(ticket),
        client: client.clone(),
        server: server.clone(),
        canonical,
    };
    match scenario % SCENARIOS {
        0 => talk
            .run(initial())
            .map(|out| got(out.credential, &client, &granting, false)),
        1 => talk
            .run(initial().armor(tgt.duplicate()))
            .map(|out| got(out.credential, &client, &granting, false)),
        2 => talk
            .run(initial().canonicalize(true).pac_request(true))
            .map(|out| got(out.credential, &client, &granting, true)),
        3 => talk
            .run(ServiceTicket::new(tgt.duplicate(), service.clone()))
            .map(|out| got(out.credential.duplicate(), &client, &service, true)),
        4 => talk
            .run(ServiceTicket::new(tgt.duplicate(), service.clone()).canonicalize(false))
            .map(|out| got(out.credential.duplicate(), &client, &service, false)),
        5 => talk
            .run(ServiceTicket::new(tgt.duplicate(), service.clone()).require_armor())
            .map(|out| got(out.credential.duplicate(), &client, &service, true)),
        6 => talk
            .run(ServiceTicket::user_to_user(
                tgt.duplicate(),
                client.clone(),
                tgt.duplicate(),
            ))
            .map(|out| got(out.credential.duplicate(), &client, &client, true)),
        7 => talk
            .run(ServiceTicket::s4u2self(
                service_tgt().duplicate(),
                client.clone(),
            ))
            .map(|out| got(out.credential.duplicate(), &client, &service, true)),
        8 => talk
            .run(ServiceTicket::s4u2proxy(
                service_tgt().duplicate(),
                evidence().duplicate(),
                other.clone(),
            ))
            .map(|out| got(out.credential.duplicate(), &client, &other, true)),
        _ => talk
            .run(PasswordChange::new(client.clone(), secret(), "another"))
            .map(|_| Got {
                ticket: None,
                client: client.clone(),
                server: service.clone(),
                canonical: false,
            }),
    }
}

struct Talk<'a> {
    /// Each exchange draws its own nonces and subkeys, so that the answers to one are none to
    /// another.
    seed: u64,
    kdc: &'a Kdc,
    shared: &'a Shared,
    bends: &'a [Bend],
}

impl Talk<'_> {
    fn run<E: Exchange>(&self, mut exchange: E) -> Result<E::Output, Error> {
        let mut random = Seeded(self.seed);
        let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
        env = env.with_policy(realm::policy());
        let mut answer = None;
        for turn in 0..MAX_REQUESTS {
            let request = match exchange.step(answer.take(), &mut env) {
                Ok(ExchangeStep::Send(request)) => request,
                Ok(ExchangeStep::Done(output)) => {
                    let again = exchange.step(None, &mut env);
                    assert!(again.is_err(), "an exchange that is over goes on");
                    return Ok(output);
                }
                Err(error) => {
                    let again = exchange.step(None, &mut env).err().expect("over");
                    assert_eq!(again.kind(), error.kind(), "an error that changes");
                    return Err(error);
                }
            };
            let bend = self.bends.get(turn).cloned().unwrap_or_default();
            answer = Some(self.answer(&bend, request.service, &request.message));
        }
        panic!("the exchange never ends");
    }

    fn answer(&self, bend: &Bend, service: KdcService, message: &[u8]) -> KdcAnswer {
        *self.shared.lock().expect("alone") = bend.clone();
        let how = bend.how % Bend::KINDS;
        if how == Bend::RAW {
            return KdcAnswer::Reply(bend.with.clone());
        }
        if how == Bend::STRIPPED {
            self.kdc.strip_fast();
        }
        let mut reply = match service {
            KdcService::Kdc => self.kdc.answer(message),
            KdcService::PasswordChange => self.kdc.answer_password_change(message),
        };
        if how == Bend::ALTERED {
            for (octet, add) in reply.iter_mut().zip(&bend.with) {
                *octet = octet.wrapping_add(*add);
            }
        }
        match reply.is_empty() {
            true => KdcAnswer::Unreachable,
            false => KdcAnswer::Reply(reply),
        }
    }
}

/// The ticket that an honest exchange brings.
fn honest<E: Exchange>(exchange: E) -> E::Output {
    let (kdc, shared) = (kdc(), Shared::default());
    let talk = Talk {
        seed: u64::MAX,
        kdc: &kdc,
        shared: &shared,
        bends: &[],
    };
    talk.run(exchange).unwrap_or_else(|error| panic!("{error}"))
}

fn tgt() -> &'static TicketCredential {
    static TICKET: OnceLock<TicketCredential> = OnceLock::new();
    TICKET.get_or_init(|| {
        let client = principal("user");
        let secret = ClientSecret::key(&client, user_key());
        honest(InitialTicket::new(client, secret)).credential
    })
}

fn service_tgt() -> &'static TicketCredential {
    static TICKET: OnceLock<TicketCredential> = OnceLock::new();
    TICKET.get_or_init(|| {
        let client = principal("HTTP/web.example.com");
        let keytab = kdc().keytab(&["HTTP/web.example.com"]).expect("registered");
        let secret = ClientSecret::keytab(&keytab, &client).expect("has keys");
        let forwardable = TicketOptions::default().forwardable(true);
        honest(InitialTicket::new(client, secret).options(forwardable)).credential
    })
}

fn evidence() -> &'static TicketCredential {
    static TICKET: OnceLock<TicketCredential> = OnceLock::new();
    TICKET.get_or_init(|| {
        let exchange = ServiceTicket::s4u2self(service_tgt().duplicate(), principal("user"))
            .options(TicketOptions::default().forwardable(true));
        honest(exchange).credential.duplicate()
    })
}
