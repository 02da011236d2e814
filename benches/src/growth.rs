//! What an accept costs as what it has to look through grows.

use std::sync::Arc;

use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, Initiator, ReplayCache, ReplayProtection,
};
use countersign_context::{Environment, Mechanism, Step, Timestamp};
use countersign_credential::{Keytab, KeytabEntry, TicketCredential};
use countersign_crypto::{Enctype, Key};
use countersign_testkit::{KVNO, NOW, PacBuilder, PacLogonInfo, Realm, TicketBuilder};

use crate::kerberos::{FLAGS, Parties, SERVICE, accepting};
use crate::{Operation, Prepared, Result, SystemRandom};

const ENCTYPE: Enctype = Enctype::Aes256CtsHmacSha1_96;

/// A buffer type that no PAC has (MS-PAC §2.4), for what is only long.
const FILLING: u32 = 0x7fff;

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    let mut add = |what: &str, size: u32, prepare: fn(&str, u32) -> Result<Operation>| {
        let name = format!("growth/{what}/{size}");
        all.push(Prepared::new(name, move |name| prepare(name, size)));
    };
    for entries in [1, 10, 100, 1_000, 10_000] {
        add("keytab-entries", entries, |name, entries| {
            let realm = realm();
            let credential = AcceptorCredential::new(&keytab(&realm, entries)?);
            accept(name, realm.ticket("user", SERVICE).mint()?, credential)
        });
    }
    for entries in [0, 1_000, 10_000, 100_000, 1_000_000] {
        add("replay-entries", entries, |name, entries| {
            let realm = realm();
            let ticket = Arc::new(realm.ticket("user", SERVICE).mint()?);
            let credential = busy(&realm, &ticket, entries)?;
            accept(name, ticket, credential)
        });
    }
    for kilobytes in [0, 1, 8, 24, 48] {
        add("pac-kb", kilobytes, |name, kilobytes| {
            with_ticket(name, |ticket| {
                let filling = vec![0x5c; usize::try_from(kilobytes)? * 1024];
                Ok(match kilobytes {
                    0 => ticket,
                    _ => ticket.pac(PacBuilder::of(logon(0)).buffer(FILLING, filling)),
                })
            })
        });
    }
    for groups in [0, 10, 100, 1_000] {
        add("groups", groups, |name, groups| {
            with_ticket(name, |ticket| Ok(ticket.pac(PacBuilder::of(logon(groups)))))
        });
    }
    for threads in [1, 2] {
        add("threads", threads, together);
    }
    all
}

fn realm() -> Realm {
    Realm::new("EXAMPLE.COM", 1)
}

fn logon(groups: u32) -> PacLogonInfo {
    let domain = "S-1-5-21-1-2-3";
    (0..groups).fold(
        PacLogonInfo::new("user", "EXAMPLE", domain, 1105),
        |logon, number| logon.group(&format!("{domain}-{}", 2_000 + number)),
    )
}

/// The service's key is the last of so many.
fn keytab(realm: &Realm, entries: u32) -> Result<Keytab> {
    let mut keytab = Keytab::new();
    for number in 1..entries {
        let other = realm.principal(&format!("HTTP/web{number}.example.com"));
        let key = Key::generate(ENCTYPE, &mut SystemRandom)?;
        keytab.push(KeytabEntry::new(other, KVNO, key));
    }
    let service = realm.principal(SERVICE);
    let key = realm.key(&service, ENCTYPE, KVNO)?;
    keytab.push(KeytabEntry::new(service, KVNO, key));
    Ok(keytab)
}

/// A service that has accepted so many clients in the last second, and remembers them.
fn busy(realm: &Realm, ticket: &Arc<TicketCredential>, entries: u32) -> Result<AcceptorCredential> {
    let cache = Arc::new(ReplayCache::new(2 << 20));
    let credential = AcceptorCredential::new(&realm.keytab(&[SERVICE])?)
        .with_replay_protection(ReplayProtection::Shared(cache));
    for number in 0..entries {
        let mut random = SystemRandom;
        let env = &mut Environment::new(Timestamp::new(NOW - 1, number), &mut random);
        let token = match Initiator::new(Arc::clone(ticket)).step(None, env)? {
            Step::Continue { token } => Some(token),
            Step::Established { token, .. } => token,
            Step::Need(need) => return Err(format!("{need:?}").into()),
        };
        drop(Acceptor::new(&credential).step(token.as_deref(), env)?);
    }
    Ok(credential)
}

fn with_ticket(
    name: &str,
    change: impl FnOnce(TicketBuilder<'_>) -> Result<TicketBuilder<'_>>,
) -> Result<Operation> {
    let realm = realm();
    let ticket = change(realm.ticket("user", SERVICE))?.mint()?;
    let credential = AcceptorCredential::new(&realm.keytab(&[SERVICE])?);
    accept(name, ticket, credential)
}

fn accept(
    name: &str,
    ticket: impl Into<Arc<TicketCredential>>,
    credential: AcceptorCredential,
) -> Result<Operation> {
    let parties = Parties::of(ticket, credential, ENCTYPE);
    accepting(name, parties, Parties::initiator, Parties::acceptor)
}

/// So many threads with one credential: the time is that of an accept of one of them.
fn together(name: &str, threads: u32) -> Result<Operation> {
    const EACH: u32 = 256;
    let realm = realm();
    let ticket = Arc::new(realm.ticket("user", SERVICE).mint()?);
    let keytab = realm.keytab(&[SERVICE])?;
    let token = move |count: u32| {
        let mut random = SystemRandom;
        let env = &mut Environment::new(Timestamp::new(NOW, count), &mut random);
        let mut initiator = Initiator::new(Arc::clone(&ticket)).request(FLAGS);
        match initiator.step(None, env) {
            Ok(Step::Continue { token }) => token,
            _ => Vec::new(),
        }
    };
    let share = usize::try_from(EACH)?;
    let prepare = move || {
        let tokens: Vec<Vec<u8>> = (0..EACH * threads).map(&token).collect();
        (AcceptorCredential::new(&keytab), tokens)
    };
    let run = move |(credential, tokens): (AcceptorCredential, Vec<Vec<u8>>)| {
        std::thread::scope(|scope| {
            for share in tokens.chunks(share) {
                let credential = &credential;
                scope.spawn(move || share.iter().for_each(|token| accept_one(credential, token)));
            }
        });
    };
    Ok(Operation::prepared(name, prepare, run).of_many(EACH))
}

fn accept_one(credential: &AcceptorCredential, token: &[u8]) {
    let mut random = SystemRandom;
    let env = &mut Environment::new(Timestamp::from_unix(NOW), &mut random);
    let step = Acceptor::new(credential)
        .require(FLAGS)
        .step(Some(token), env);
    assert!(matches!(step, Ok(Step::Established { .. })));
}
