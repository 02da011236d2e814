//! Kerberos, from the password to the delegated ticket.

use std::sync::Arc;

use countersign::context::PrfKey;
use countersign::credential::{Password, Principal, ServiceName, TicketCredential};
use countersign::crypto::{Enctype, Key, wiping_stack};
use countersign::kerberos::kdc::{
    ClientCredential, ClientSecret, Exchange, ExchangeStep, InitialTicket, PasswordChange,
    TicketOptions,
};
use countersign::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign::{Answer, Flags, Mechanism, Need, SecurityContext, Step};

use crate::Claim;
use crate::domain::{Domain, MACHINE, PASSWORD, REALM, SERVICE};
use crate::ntlm::{ROUNDS, talk, world};
use crate::search::Search;

pub(crate) const CLAIM: Claim = (
    "secrets_of_kerberos_are_wiped",
    secrets_of_kerberos_are_wiped,
);

fn secrets_of_kerberos_are_wiped(search: &mut Search) {
    let mut domain = Domain::start();
    for seed in 0..ROUNDS {
        context(search, &mut domain, seed);
        search.nothing();
    }
    armored(search, &mut domain);
    search.nothing();
}

pub(crate) fn principal(name: &str) -> Principal {
    Principal::parse_with_default_realm(name, REALM).unwrap()
}

pub(crate) fn long_term(search: &mut Search, password: &'static str) {
    search.add_text("password", password);
    search.add_once(password, |keys| {
        for &enctype in Enctype::ALL {
            let salt = b"EXAMPLE.COMalice";
            let key = Key::from_password(enctype, password.as_bytes(), salt, None).unwrap();
            keys.note("long-term key", key.expose());
        }
    });
}

pub(crate) fn contexts(
    domain: &mut Domain,
    seed: u64,
    mut initiator: Initiator,
    mut acceptor: Acceptor,
) -> (Box<SecurityContext>, Box<SecurityContext>) {
    let mut world = world(seed);
    let mut env = world.environment();
    let mut step = initiator.step(None, &mut env).unwrap();
    while let Step::Need(Need::Kdc(request)) = &step {
        let answer = domain.answer(request);
        step = initiator.resume(Answer::Kdc(answer), &mut env).unwrap();
    }
    let Step::Continue { token } = step else {
        panic!("an AP-REQ waits for its AP-REP")
    };
    let Step::Established {
        token,
        context: server,
    } = acceptor.step(Some(&token), &mut env).unwrap()
    else {
        panic!("an AP-REQ is all that an acceptor needs")
    };
    let Step::Established {
        context: client, ..
    } = initiator.step(token.as_deref(), &mut env).unwrap()
    else {
        panic!("an AP-REP is all that an initiator needs")
    };
    (client, server)
}

#[inline(never)]
fn context(search: &mut Search, domain: &mut Domain, seed: u64) {
    long_term(search, PASSWORD);
    let keytab = domain.keytab(SERVICE);
    for entry in keytab.entries() {
        search.add("service's key", entry.key_block().expose());
    }
    search.finds("service's key");
    let credential = ClientCredential::password(principal("alice"), Password::from(PASSWORD))
        .options(TicketOptions::default().forwardable(true));
    let target = ServiceName::parse(SERVICE).unwrap();
    let initiator = Initiator::from_credential(&credential, target)
        .require(Flags::DELEGATION | Flags::CONFIDENTIALITY | Flags::MUTUAL);
    let acceptor = Acceptor::new(&AcceptorCredential::new(&keytab));
    let (client, mut server) = contexts(domain, seed, initiator, acceptor);
    let cache = credential.tickets().to_cache(credential.client());
    for entry in cache.credentials() {
        search.add("ticket's key", entry.key.expose());
    }
    let delegated = server.take_delegated().unwrap();
    search.add("delegated key", delegated.key.expose());
    for context in [&client, &server] {
        let lucid = context.lucid().unwrap();
        search.add("subkey", lucid.key.expose());
        search.add("initiator's key", lucid.initiator_key.expose());
        search.add("session key", context.session_key().expose());
    }
    let output = wiping_stack(|| {
        client
            .pseudo_random(PrfKey::Full, b"for tests", 100)
            .unwrap()
    });
    search.add("PRF output", &output);
    for secret in ["ticket's key", "delegated key", "subkey", "PRF output"] {
        search.finds(secret);
    }
    talk(client, server);
}

pub(crate) fn run<E: Exchange>(domain: &mut Domain, mut exchange: E) -> E::Output {
    let (mut world, mut answer) = (world(99), None);
    loop {
        match exchange
            .step(answer.take(), &mut world.environment())
            .unwrap()
        {
            ExchangeStep::Send(request) => answer = Some(domain.answer(&request)),
            ExchangeStep::Done(output) => return output,
        }
    }
}

#[inline(never)]
fn armored(search: &mut Search, domain: &mut Domain) {
    long_term(search, PASSWORD);
    let keytab = domain.keytab(MACHINE);
    let machine = ClientSecret::keytab(&keytab, &principal(MACHINE)).unwrap();
    let armor = run(domain, InitialTicket::new(principal(MACHINE), machine)).credential;
    search.add("armor", armor.key.expose());
    let armor: Arc<TicketCredential> = Arc::new(armor);
    let alice = ClientSecret::password(PASSWORD);
    let exchange = InitialTicket::new(principal("alice"), alice).armor(Arc::clone(&armor));
    let outcome = run(domain, exchange);
    assert!(outcome.armored);
    search.add("ticket's key", outcome.credential.key.expose());
    search.finds("armor");
    let new = "down the rabbit hole";
    search.add_text("new password", new);
    let alice = ClientSecret::password(PASSWORD);
    let change = PasswordChange::new(principal("alice"), alice, new).armor(armor);
    assert!(run(domain, change).is_changed());
}
