//! Two sides of each kind, and all the ways in which a handshake between them ends.

use countersign::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign::credential::{KeyBlock, Keytab, KeytabEntry, Password, ServiceName};
use countersign::kerberos::kdc::ClientCredential;
use countersign::ntlm::ServerNames;
use countersign::{
    Answer, Environment, Error, Flags, Mechanism, Need, SecurityContext, Step, kerberos, negotiate,
    ntlm,
};
use zeroize::Zeroizing;

use crate::Claim;
use crate::domain::{Domain, PASSWORD, SERVICE};
use crate::kerberos::{long_term, principal};
use crate::ntlm::{talk, world};
use crate::search::Search;

pub(crate) const CLAIM: Claim = (
    "ends_of_handshakes_leave_nothing",
    ends_of_handshakes_leave_nothing,
);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Kerberos,
    Ntlm,
    NegotiateKerberos,
    NegotiateNtlm,
}

/// What becomes of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Honest,
    /// Both sides are dropped after this step, counted from 0.
    Left(usize),
    /// While a side waits for an answer of the KDC, it is dropped.
    Cancelled,
    /// A bit of a token, counted from 0, is another one.
    Flipped(usize),
    WrongPassword,
    WrongKey,
}

const KINDS: [Kind; 4] = [
    Kind::Kerberos,
    Kind::Ntlm,
    Kind::NegotiateKerberos,
    Kind::NegotiateNtlm,
];

const WRONG: &str = "no password of hers";

/// Whichever way a handshake ends: established, refused, left half open or cancelled.
fn ends_of_handshakes_leave_nothing(search: &mut Search) {
    let mut domain = Domain::start();
    for kind in KINDS {
        let kerberos = matches!(kind, Kind::Kerberos | Kind::NegotiateKerberos);
        let fates = [
            Fate::Honest,
            Fate::Left(0),
            Fate::Left(1),
            Fate::Left(2),
            Fate::Cancelled,
            Fate::Flipped(0),
            Fate::Flipped(1),
            Fate::Flipped(2),
            Fate::WrongPassword,
            Fate::WrongKey,
        ];
        let mut refused = 0;
        for fate in fates {
            let kerberos_only = matches!(fate, Fate::Cancelled | Fate::WrongKey);
            if kerberos_only && !kerberos {
                continue;
            }
            let ended = handshake(search, &mut domain, kind, fate);
            refused += usize::from(ended == Ended::Refused);
            match fate {
                Fate::Honest => assert_eq!(ended, Ended::Established, "{kind:?}"),
                Fate::Cancelled => assert_eq!(ended, Ended::Left, "{kind:?}"),
                Fate::WrongPassword | Fate::WrongKey => {
                    assert_eq!(ended, Ended::Refused, "{kind:?} {fate:?}");
                }
                Fate::Left(_) | Fate::Flipped(_) => {}
            }
            search.nothing();
        }
        assert!(refused >= 3, "{kind:?}: {refused}");
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Established,
    Refused,
    Left,
}

#[inline(never)]
fn handshake(search: &mut Search, domain: &mut Domain, kind: Kind, fate: Fate) -> Ended {
    let password = if fate == Fate::WrongPassword {
        WRONG
    } else {
        PASSWORD
    };
    long_term(search, password);
    long_term(search, PASSWORD);
    let credential = ClientCredential::password(principal("alice"), Password::from(password));
    let target = ServiceName::parse(SERVICE).unwrap();
    let client = kerberos::Initiator::from_credential(&credential, target)
        .require(Flags::CONFIDENTIALITY | Flags::MUTUAL);
    let keytab = keytab(search, domain, fate == Fate::WrongKey);
    let server = kerberos::Acceptor::new(&kerberos::AcceptorCredential::new(&keytab));
    drop(keytab);
    let (client, server): (Box<dyn Mechanism>, Box<dyn Mechanism>) = match kind {
        Kind::Kerberos => (Box::new(client), Box::new(server)),
        Kind::Ntlm => {
            let (client, server) = ntlm_sides(search, password);
            (Box::new(client), Box::new(server))
        }
        Kind::NegotiateKerberos => {
            let client = negotiate::Initiator::new().offer(client);
            let server = negotiate::Acceptor::new().offer(server);
            (Box::new(client), Box::new(server))
        }
        Kind::NegotiateNtlm => {
            let (client, server) = ntlm_sides(search, password);
            let client = negotiate::Initiator::new().offer(client);
            let server = negotiate::Acceptor::new().offer(server);
            (Box::new(client), Box::new(server))
        }
    };
    let mut pair = [Side::new(client), Side::new(server)];
    let ended = converse(search, domain, &mut pair, fate);
    let cache = credential.tickets().to_cache(credential.client());
    for entry in cache.credentials() {
        search.add("ticket's key", entry.key.expose());
        search.finds("ticket's key");
    }
    search.finds("password");
    let contexts = pair.map(|side| side.context);
    for context in contexts.iter().flatten() {
        search.add("session key", context.session_key().expose());
        if let Some(lucid) = context.lucid() {
            search.add("subkey", lucid.key.expose());
        }
        search.finds("session key");
    }
    if let [Some(client), Some(server)] = contexts {
        talk(client, server);
    }
    ended
}

fn ntlm_sides(search: &mut Search, password: &str) -> (ntlm::Initiator, ntlm::Acceptor) {
    let name = AccountName::parse("EXAMPLE\\alice").unwrap();
    let credential = NtlmCredential::with_password(name, &Password::from(password));
    let file = Zeroizing::new(["EXAMPLE:alice:", PASSWORD, "\n"].concat());
    let users = Users::parse(file.as_bytes()).unwrap();
    let names = ServerNames::new("WWW", "EXAMPLE").unwrap();
    let acceptor = ntlm::AcceptorCredential::new(names).with_users(users);
    let initiator = ntlm::Initiator::new(credential).require(Flags::CONFIDENTIALITY);
    // The NT hash, which is that of rc4-hmac too (RFC 4757 §2), and which ends with the handshake.
    search.finds("long-term key");
    (initiator, ntlm::Acceptor::new(&acceptor))
}

/// The service's, or one of the same names whose keys are others.
fn keytab(search: &mut Search, domain: &mut Domain, wrong: bool) -> Keytab {
    let keytab = domain.keytab(SERVICE);
    let mut others = Keytab::new();
    for entry in keytab.entries() {
        search.add("service's key", entry.key_block().expose());
        let mut key = Zeroizing::new(entry.key_block().expose().to_vec());
        for octet in key.iter_mut() {
            *octet ^= 0x5a;
        }
        search.add("other key", &key);
        let block = KeyBlock::from_parts(entry.enctype_id(), &key);
        others.push(KeytabEntry::new(
            entry.principal().clone(),
            entry.kvno(),
            block,
        ));
    }
    search.finds("service's key");
    search.finds("other key");
    if wrong { others } else { keytab }
}

struct Side {
    mechanism: Box<dyn Mechanism>,
    context: Option<Box<SecurityContext>>,
}

impl Side {
    fn new(mechanism: Box<dyn Mechanism>) -> Self {
        Self {
            mechanism,
            context: None,
        }
    }

    /// What it sends; no answer at all where it is left while it waits for the KDC.
    fn step(
        &mut self,
        domain: &mut Domain,
        token: Option<&[u8]>,
        env: &mut Environment<'_>,
        cancelled: bool,
    ) -> Option<Result<Option<Vec<u8>>, Error>> {
        let mut result = self.mechanism.step(token, env);
        let mut answers = 0;
        while let Ok(Step::Need(Need::Kdc(request))) = &result {
            // The second exchange has proved the password already.
            if cancelled && answers == 2 {
                return None;
            }
            let answer = domain.answer(request);
            answers += 1;
            result = self.mechanism.resume(Answer::Kdc(answer), env);
        }
        Some(match result {
            Ok(Step::Continue { token }) => Ok(Some(token)),
            Ok(Step::Established { token, context }) => {
                self.context = Some(context);
                Ok(token)
            }
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Err(error) => Err(error),
        })
    }
}

fn converse(search: &mut Search, domain: &mut Domain, pair: &mut [Side; 2], fate: Fate) -> Ended {
    let mut world = world(5);
    let mut env = world.environment();
    let mut token: Option<Vec<u8>> = None;
    for count in 0..20 {
        let side = &mut pair[count % 2];
        if side.context.is_some() {
            break;
        }
        let cancelled = fate == Fate::Cancelled;
        let sent = match side.step(domain, token.as_deref(), &mut env, cancelled) {
            None => return Ended::Left,
            Some(Err(_)) => return Ended::Refused,
            Some(Ok(sent)) => sent,
        };
        if let Some(key) = side.mechanism.session_key() {
            search.add("session key", key.expose());
        }
        token = sent.map(|mut token| {
            if fate == Fate::Flipped(count) {
                *token.last_mut().unwrap() ^= 1;
            }
            token
        });
        if token.is_none() || fate == Fate::Left(count) {
            break;
        }
    }
    if pair.iter().all(|side| side.context.is_some()) {
        Ended::Established
    } else {
        Ended::Left
    }
}
