//! Kerberos: `sspi` as acceptor of tickets that were minted here.
//!
//! What it cannot do (0.23.1):
//! - Another enctype than aes256-cts-hmac-sha1-96: its acceptor replies with `DEFAULT_ENCRYPTION_TYPE`, since
//!   nothing sets `encryption_params.encryption_type` of a server, and with the session key of another it
//!   fails ("invalid key length. actual: 16. expected: 32").
//! - A message that is signed but not sealed: `encrypt_message` always seals (without data to seal, "no buffer
//!   was provided with type Data"), and `decrypt_message` refuses such a token where that same enctype is not
//!   set ("only supported for AES cipher suites").
//! - MICs: `make_signature` and `verify_signature` return `UnsupportedFunction`.
//! - Initiating without a KDC: there is no credential cache, and `handshake` needs it too.
//!
//! A server state is of one context, and so is its replay cache: each accept makes one from the properties,
//! as a server does for every connection.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use countersign_context::kerberos::Initiator;
use countersign_context::{Flags, SecurityContext};
use countersign_credential::TicketCredential;
use countersign_crypto::Enctype;
use countersign_testkit::{KVNO, Realm};
use sspi::kerberos::ServerProperties;
use sspi::{
    CredentialsBuffers, Kerberos, KerberosConfig, Secret, SecurityBuffer, SecurityStatus, Sspi,
};

use crate::messages::{self, Pair};
use crate::meter::Meter;
use crate::{Answer, Done, Result, accept, continued, established, now, seal, step, token};

const SERVICE: [&str; 2] = ["HTTP", "web.example.com"];

const CLIENT: &str = "user@example.com";

/// What Countersign asks for beside it.
const FLAGS: Flags = Flags::MUTUAL
    .union(Flags::REPLAY)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY);

/// Tokens that are made at once.
const BATCH: usize = 64;

pub fn answer(enctype: Enctype, operation: &[&str], times: usize) -> Answer {
    if enctype != Enctype::Aes256CtsHmacSha1_96 {
        return Ok(None);
    }
    let parties = Parties::new(enctype)?;
    match operation {
        ["accept"] => parties.measure_accept(times).map(Some),
        ["wrap", sealed, size] if seal(sealed)? => {
            messages::wrap(&mut parties.pair()?, true, size.parse()?, times).map(Some)
        }
        ["unwrap", sealed, size] if seal(sealed)? => {
            messages::unwrap(&mut parties.pair()?, true, size.parse()?, times).map(Some)
        }
        ["wrap" | "unwrap", _, _] | ["mic" | "verify", _] | ["initiate" | "handshake"] => Ok(None),
        other => Err(format!("no such operation: {other:?}").into()),
    }
}

/// A ticket, and the service's credential.
struct Parties {
    ticket: Arc<TicketCredential>,
    config: KerberosConfig,
    properties: ServerProperties,
}

impl Parties {
    fn new(enctype: Enctype) -> Result<Self> {
        let realm = Realm::new("EXAMPLE.COM", 1).at(now(0)?.seconds());
        let service = SERVICE.join("/");
        let key = realm.key(&realm.principal(&service), enctype, KVNO)?;
        let ticket = realm.ticket("user", &service).enctype(enctype).mint()?;
        Ok(Self {
            ticket: Arc::new(ticket),
            config: KerberosConfig::new_with_kdc_url("tcp://127.0.0.1:88", "PEER".into()),
            properties: ServerProperties::new(
                &SERVICE,
                None,
                Duration::from_secs(300),
                Some(Secret::new(key.expose().to_vec())),
            )?,
        })
    }

    fn initiator(&self) -> Initiator {
        Initiator::new(Arc::clone(&self.ticket)).request(FLAGS)
    }

    /// What is measured.
    fn accept(&self, input: &mut [SecurityBuffer]) -> Result<(Kerberos, Vec<u8>)> {
        let mut server =
            Kerberos::new_server_from_config(self.config.clone(), self.properties.clone())?;
        let mut handle: Option<CredentialsBuffers> = None;
        match accept(&mut server, &mut handle, input)? {
            (SecurityStatus::Ok, reply) if !reply.is_empty() => Ok((server, reply)),
            (status, _) => Err(format!("{status:?}").into()),
        }
    }

    fn measure_accept(&self, times: usize) -> Result<Meter> {
        self.pair()?;
        let mut meter = Meter::default();
        let mut count = 0;
        while count < times {
            let mut requests = Vec::with_capacity(BATCH);
            while requests.len() < BATCH && count < times {
                let now = now(u32::try_from(count % 1_000_000)?)?;
                let request = continued(step(&mut self.initiator(), None, now)?)?;
                requests.push(token(request));
                count += 1;
            }
            meter.measure(|| {
                for request in &mut requests {
                    black_box(self.accept(request)?);
                }
                Done::Ok(())
            })?;
        }
        Ok(meter)
    }

    /// Both sides' contexts: Countersign has verified the reply, and `sspi` names the client.
    fn pair(&self) -> Result<KerberosPair> {
        let mut initiator = self.initiator();
        let now = now(0)?;
        let request = continued(step(&mut initiator, None, now)?)?;
        let (mut theirs, reply) = self.accept(&mut token(request))?;
        let name = theirs.query_context_names()?.username;
        if name.inner() != CLIENT {
            return Err(format!("accepted {}", name.inner()).into());
        }
        let (_, ours) = established(step(&mut initiator, Some(&reply), now)?)?;
        Ok(KerberosPair { ours, theirs })
    }
}

struct KerberosPair {
    ours: SecurityContext,
    theirs: Kerberos,
}

/// The header of a token (RFC 4121 §4.2.6.2), and where its EC and RRC are.
const HEADER: usize = 16;
const EXTRA_COUNT: std::ops::Range<usize> = 4..6;
const ROTATION: std::ops::Range<usize> = 6..8;

impl Pair for KerberosPair {
    type Context = Kerberos;

    fn ours(&mut self) -> &mut SecurityContext {
        &mut self.ours
    }

    fn theirs(&mut self) -> &mut Kerberos {
        &mut self.theirs
    }

    fn trailer(&mut self) -> Result<usize> {
        Ok(self.theirs.query_context_sizes()?.security_trailer as usize)
    }

    /// `sspi` takes every sealed token as one that is rotated by its own `RRC`, whatever the header says.
    fn adapt(token: &mut [u8]) -> Result<()> {
        if token[EXTRA_COUNT] != [0; 2] || token[ROTATION] != [0; 2] {
            return Err("a token with other parts than expected".into());
        }
        token[HEADER..].rotate_right(usize::from(sspi::kerberos::RRC));
        token[ROTATION].copy_from_slice(&sspi::kerberos::RRC.to_be_bytes());
        Ok(())
    }
}
