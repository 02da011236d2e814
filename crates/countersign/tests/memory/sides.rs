//! Two sides of each kind, and all the ways in which a handshake between them ends.

use countersign::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign::credential::{
    KeyBlock, Keytab, KeytabEntry, Password, ServiceName, TicketCredential,
};
use countersign::kerberos::kdc::{Acquisition, ClientCredential, TicketOptions};
use countersign::kerberos::{self, AcceptorCredential, IakerbAcceptor, IakerbInitiator};
use countersign::ntlm::ServerNames;
use countersign::{Flags, Mechanism, negotiate, ntlm};
use zeroize::Zeroizing;

use crate::Claim;
use crate::domain::{BOB, BOBS_PASSWORD, Domain, FRONT, PASSWORD, SERVICE};
use crate::ends::{Ended, Fate, Length, Side, converse};
use crate::kerberos::{contexts, long_term, principal, run};
use crate::ntlm::talk;
use crate::search::{Noted, STRETCHED, Search};

pub(crate) const CLAIM: Claim = (
    "ends_of_handshakes_leave_nothing",
    ends_of_handshakes_leave_nothing,
);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Kerberos,
    /// Three legs.
    Dce,
    Ntlm,
    NegotiateKerberos,
    NegotiateNtlm,
    /// The acceptor asks the KDC for the initiator.
    Iakerb,
    /// The acceptor has a ticket-granting ticket and no keytab.
    UserToUser,
    /// S4U2self and S4U2proxy: a service acts for a user who is not there.
    OnBehalf,
    /// S4U2proxy: for a user who was.
    Evidence,
}

const KINDS: [(Kind, usize, usize); 9] = [
    (Kind::Kerberos, 2, 3),
    (Kind::Dce, 3, 3),
    (Kind::Ntlm, 3, 0),
    (Kind::NegotiateKerberos, 2, 3),
    (Kind::NegotiateNtlm, 4, 0),
    (Kind::Iakerb, 8, 3),
    (Kind::UserToUser, 4, 3),
    (Kind::OnBehalf, 2, 4),
    (Kind::Evidence, 2, 3),
];

const WRONG: &str = "no password of hers";
/// What a stream wants of a context.
const STREAM: Flags = Flags::CONFIDENTIALITY
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);
const FLAGS: Flags = STREAM.union(Flags::MUTUAL);

/// Whichever way a handshake ends: established, refused, left half open or cancelled.
fn ends_of_handshakes_leave_nothing(search: &mut Search) {
    let mut domain = Domain::start();
    for (kind, tokens, answers) in KINDS {
        let length = Length { tokens, answers };
        let mut refused = 0;
        for fate in length.fates() {
            let (ended, took) = handshake(search, &mut domain, kind, fate);
            refused += usize::from(ended == Ended::Refused);
            match fate {
                Fate::Honest => {
                    assert_eq!(ended, Ended::Established, "{kind:?}");
                    assert_eq!(took, length, "{kind:?}");
                }
                Fate::Unanswered(_) => assert_eq!(ended, Ended::Left, "{kind:?}"),
                Fate::WrongPassword | Fate::WrongKey => {
                    assert_eq!(ended, Ended::Refused, "{kind:?} {fate:?}");
                }
                Fate::Left(_) | Fate::Flipped(_) | Fate::AnswerFlipped(_) => {}
            }
            search.nothing();
        }
        assert!(refused >= 3, "{kind:?}: {refused}");
    }
}

#[inline(never)]
fn handshake(search: &mut Search, domain: &mut Domain, kind: Kind, fate: Fate) -> (Ended, Length) {
    let noted = Noted::default();
    let credential = client(search, domain, kind, fate);
    let (client, server) = sides(search, domain, &credential, kind, fate, &noted);
    let mut pair = [Side::new(client), Side::new(server)];
    let ended = converse(search, domain, &mut pair, fate, &noted);
    let cache = credential.tickets().to_cache(credential.client());
    for entry in cache.credentials() {
        search.add("ticket's key", entry.key.expose());
        search.finds("ticket's key");
    }
    let held = match kind {
        Kind::OnBehalf | Kind::Evidence if fate == Fate::WrongPassword => "other key",
        Kind::OnBehalf | Kind::Evidence => "front's key",
        _ => "password",
    };
    search.finds(held);
    let contexts = pair.map(|side| side.context);
    for context in contexts.iter().flatten() {
        search.add("session key", context.session_key().expose());
        if let Some(lucid) = context.lucid() {
            search.add("subkey", lucid.key.expose());
        }
        search.finds("session key");
        if context.lucid().is_some() {
            // The seed of the confounders.
            search.finds(STRETCHED);
        }
    }
    if let [Some(client), Some(server)] = contexts {
        talk(client, server);
    }
    ended
}

/// Who the initiator is, or acts for.
pub(crate) fn client(
    search: &mut Search,
    domain: &mut Domain,
    kind: Kind,
    fate: Fate,
) -> ClientCredential {
    long_term(search, PASSWORD);
    let wrong = fate == Fate::WrongPassword;
    let password = if wrong { WRONG } else { PASSWORD };
    long_term(search, password);
    let alice = || ClientCredential::password(principal("alice"), Password::from(password));
    match kind {
        Kind::OnBehalf => {
            let front = front(search, domain, wrong);
            ClientCredential::on_behalf_of(&front, principal("alice"))
        }
        Kind::Evidence => {
            let keytab = domain.keytab(FRONT);
            let acceptor = kerberos::Acceptor::new(&AcceptorCredential::new(&keytab));
            let alice = ClientCredential::password(principal("alice"), Password::from(PASSWORD))
                .options(TicketOptions::default().forwardable(true));
            let target = ServiceName::parse(FRONT).unwrap();
            let initiator = kerberos::Initiator::from_credential(&alice, target).require(FLAGS);
            let (_, mut server) = contexts(domain, 6, initiator, acceptor.keep_evidence());
            let evidence = server.take_evidence().unwrap();
            search.add("evidence's key", evidence.key.expose());
            search.finds("evidence's key");
            ClientCredential::with_evidence(&front(search, domain, wrong), evidence)
        }
        _ => alice(),
    }
}

fn front(search: &mut Search, domain: &mut Domain, wrong: bool) -> ClientCredential {
    let keytab = keytab(search, domain, FRONT, wrong);
    ClientCredential::keytab(principal(FRONT), &keytab)
        .unwrap()
        .options(TicketOptions::default().forwardable(true))
}

pub(crate) type Pair = (Box<dyn Mechanism>, Box<dyn Mechanism>);

pub(crate) fn sides(
    search: &mut Search,
    domain: &mut Domain,
    credential: &ClientCredential,
    kind: Kind,
    fate: Fate,
    noted: &Noted,
) -> Pair {
    let wrong_key = fate == Fate::WrongKey;
    let target = ServiceName::parse(SERVICE).unwrap();
    let client = kerberos::Initiator::from_credential(credential, target.clone()).require(FLAGS);
    let keytab = keytab(search, domain, SERVICE, wrong_key);
    let server = kerberos::Acceptor::new(&AcceptorCredential::new(&keytab));
    drop(keytab);
    match kind {
        Kind::Kerberos | Kind::OnBehalf | Kind::Evidence => (Box::new(client), Box::new(server)),
        Kind::Dce => (Box::new(client.dce_style()), Box::new(server)),
        Kind::Ntlm => {
            let (client, server) = ntlm_sides(search, fate);
            (Box::new(client), Box::new(server))
        }
        Kind::NegotiateKerberos => {
            let client = negotiate::Initiator::new().offer(client);
            let server = negotiate::Acceptor::new().offer(server);
            (Box::new(client), Box::new(server))
        }
        Kind::NegotiateNtlm => {
            let (client, server) = ntlm_sides(search, fate);
            let client = negotiate::Initiator::new().offer(client);
            let server = negotiate::Acceptor::new().offer(server);
            (Box::new(client), Box::new(server))
        }
        Kind::Iakerb => {
            let exchange = Acquisition::new(credential, target);
            let client = IakerbInitiator::new(exchange, begin(noted));
            (Box::new(client), Box::new(IakerbAcceptor::new(server)))
        }
        Kind::UserToUser => {
            let alice = credential.clone();
            let client = kerberos::UserToUserInitiator::new(
                principal(BOB),
                move |bobs| Acquisition::user_to_user(&alice, principal(BOB), bobs),
                begin(noted),
            );
            let own = bobs_ticket(search, domain, wrong_key);
            let own = AcceptorCredential::user_to_user(own);
            (Box::new(client), Box::new(kerberos::Acceptor::new(&own)))
        }
    }
}

/// What an initiator does with the ticket that it obtained.
fn begin(
    noted: &Noted,
) -> impl FnOnce(std::sync::Arc<TicketCredential>) -> kerberos::Initiator + Send + Sync + use<> {
    let noted = noted.clone();
    move |ticket| {
        noted.note("ticket's key", ticket.key.expose());
        kerberos::Initiator::new(ticket).require(FLAGS)
    }
}

/// What bob logged on with, or the ticket with a key that it was not made for.
fn bobs_ticket(search: &mut Search, domain: &mut Domain, wrong: bool) -> TicketCredential {
    search.add_text("bob's password", BOBS_PASSWORD);
    let bob = ClientCredential::password(principal(BOB), Password::from(BOBS_PASSWORD));
    let own = run(domain, Acquisition::ticket_granting_ticket(&bob));
    let mut own = own.duplicate();
    search.add("bob's ticket's key", own.key.expose());
    search.finds("bob's ticket's key");
    search.finds("bob's password");
    if wrong {
        own.key = other(search, &own.key);
    }
    own
}

fn ntlm_sides(search: &mut Search, fate: Fate) -> (ntlm::Initiator, ntlm::Acceptor) {
    let wrong = fate == Fate::WrongPassword;
    let password = if wrong { WRONG } else { PASSWORD };
    let name = AccountName::parse("EXAMPLE\\alice").unwrap();
    let credential = NtlmCredential::with_password(name, &Password::from(password));
    let file = Zeroizing::new(["EXAMPLE:alice:", PASSWORD, "\n"].concat());
    let users = Users::parse(file.as_bytes()).unwrap();
    let names = ServerNames::new("WWW", "EXAMPLE").unwrap();
    let acceptor = ntlm::AcceptorCredential::new(names).with_users(users);
    let initiator = ntlm::Initiator::new(credential).require(STREAM);
    // The NT hash, which is that of rc4-hmac too (RFC 4757 §2), and which ends with the handshake.
    search.finds("long-term key");
    (initiator, ntlm::Acceptor::new(&acceptor))
}

/// A service's, or one of the same names whose keys are others.
fn keytab(search: &mut Search, domain: &mut Domain, service: &str, wrong: bool) -> Keytab {
    let keytab = domain.keytab(service);
    let mut others = Keytab::new();
    let name = match service {
        FRONT => "front's key",
        _ => "service's key",
    };
    for entry in keytab.entries() {
        search.add(name, entry.key_block().expose());
        others.push(KeytabEntry::new(
            entry.principal().clone(),
            entry.kvno(),
            other(search, entry.key_block()),
        ));
    }
    search.finds(name);
    search.finds("other key");
    if wrong { others } else { keytab }
}

fn other(search: &mut Search, key: &KeyBlock) -> KeyBlock {
    let mut octets = Zeroizing::new(key.expose().to_vec());
    for octet in octets.iter_mut() {
        *octet ^= 0x5a;
    }
    search.add("other key", &octets);
    KeyBlock::from_parts(key.enctype_id(), &octets)
}
