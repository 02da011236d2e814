//! Exchanges with a KDC: passwords, keys, armor, and what is obtained with them.

use std::fmt::Debug;
use std::sync::Arc;

use countersign::credential::{Keytab, Password, Principal, ServiceName, TicketCredential};
use countersign::crypto::{Enctype, Key};
use countersign::kerberos::kdc::{
    Acquisition, ClientCredential, ClientSecret, Exchange, ExchangeStep, InitialTicket, KdcAnswer,
    KdcRequest, PasswordChange, ServiceTicket, TicketOptions,
};
use countersign::kerberos::{
    Acceptor, AcceptorCredential, IakerbAcceptor, IakerbInitiator, Initiator,
};
use countersign::{Answer, Environment, Error, Flags, Need, Timestamp};
use countersign_testkit::{Account, Kdc, NOW, SeededRandom};

use crate::kerberos::SERVICE;
use crate::ledger::Ledger;
use crate::parties::{Party, establish, look};

const PASSWORD: &str = "curiouser and curiouser";
const REALM: &str = "EXAMPLE.COM";

fn kdc() -> Kdc {
    Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .user("machine$", "a machine's own password")
        .account(Account::service(SERVICE).ok_as_delegate())
        .domain("EXAMPLE", "S-1-5-21-1-2-3")
        .build()
        .unwrap()
}

/// The keys that the KDC and others make of the password.
fn long_term(ledger: &mut Ledger) {
    ledger.password(PASSWORD);
    for &enctype in Enctype::ALL {
        let salt = b"EXAMPLE.COMalice";
        let key = Key::from_password(enctype, PASSWORD.as_bytes(), salt, None).unwrap();
        ledger.print(&key);
        ledger.secret("long-term key", key.expose());
    }
}

fn keytab(ledger: &mut Ledger, kdc: &Kdc, account: &str) -> Keytab {
    let keytab = kdc.keytab(&[account]).unwrap();
    ledger.print(&keytab);
    for entry in keytab.entries() {
        ledger.secret("key of a keytab", entry.key_block().expose());
    }
    keytab
}

fn seen(ledger: &mut Ledger, ticket: &TicketCredential) {
    ledger.print(ticket);
    ledger.secret("ticket's key", ticket.key.expose());
}

/// An exchange to its end, looked at before and after every step.
fn run<E: Exchange>(ledger: &mut Ledger, kdc: &Kdc, mut exchange: E) -> Result<E::Output, Error>
where
    E::Output: Debug,
{
    let (mut random, mut answer) = (SeededRandom::new(7), None);
    for _ in 0..20 {
        ledger.print(&exchange);
        let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
        let step = exchange.step(answer.take(), &mut env);
        ledger.print(&step);
        ledger.print(&exchange);
        match step {
            Ok(ExchangeStep::Send(request)) => answer = Some(ask(kdc, &request)),
            Ok(ExchangeStep::Done(output)) => return Ok(output),
            Err(error) => {
                ledger.error(&error);
                return Err(error);
            }
        }
        ledger.print(&answer);
    }
    panic!("the exchange does not end")
}

fn ask(kdc: &Kdc, request: &KdcRequest) -> KdcAnswer {
    use countersign::kerberos::kdc::KdcService::PasswordChange;
    KdcAnswer::Reply(match request.service {
        PasswordChange => kdc.answer_password_change(&request.message),
        _ => kdc.answer(&request.message),
    })
}

fn tgt(ledger: &mut Ledger, kdc: &Kdc, exchange: InitialTicket) -> Arc<TicketCredential> {
    let outcome = run(ledger, kdc, exchange).unwrap();
    ledger.print(&outcome);
    seen(ledger, &outcome.credential);
    Arc::new(outcome.credential)
}

#[test]
fn exchanges_with_a_kdc_print_no_secret() {
    let mut ledger = Ledger::new();
    let kdc = kdc();
    long_term(&mut ledger);
    let machine = kdc.principal("machine$");
    let keys = keytab(&mut ledger, &kdc, "machine$");
    let machine_secret = ClientSecret::keytab(&keys, &machine).unwrap();
    ledger.print(&machine_secret);
    let armor = tgt(
        &mut ledger,
        &kdc,
        InitialTicket::new(machine, machine_secret),
    );

    let alice = kdc.principal("alice");
    let secret = ClientSecret::password(PASSWORD);
    ledger.print(&secret);
    #[cfg(feature = "rc4")]
    {
        ledger.print(&ClientSecret::nt_hash(&alice, &[0x5c; 16]));
        ledger.secret("NT hash", &[0x5c; 16]);
    }
    for armored in [true, false] {
        let mut exchange = InitialTicket::new(alice.clone(), ClientSecret::password(PASSWORD))
            .options(TicketOptions::default().forwardable(true));
        if armored {
            exchange = exchange.armor(Arc::clone(&armor));
        }
        let tgt = tgt(&mut ledger, &kdc, exchange);
        let service = kdc.principal(SERVICE);
        let forwarded = ServiceTicket::forward(Arc::clone(&tgt));
        for exchange in [ServiceTicket::new(Arc::clone(&tgt), service), forwarded] {
            let outcome = run(&mut ledger, &kdc, exchange).unwrap();
            ledger.print(&outcome);
            seen(&mut ledger, &outcome.credential);
        }
    }
    ledger.close(
        15,
        &["alice", "machine$", "ClientSecret", "InitialTicketOutcome"],
    );
}

#[test]
fn changes_of_a_password_print_neither_of_the_two() {
    let mut ledger = Ledger::new();
    let kdc = kdc();
    long_term(&mut ledger);
    for new in ["down the rabbit hole", "x-looking-glass"] {
        ledger.password(new);
        let secret = ClientSecret::password(PASSWORD);
        let change = PasswordChange::new(kdc.principal("alice"), secret, new);
        // The second time the old one is another.
        if let Ok(outcome) = run(&mut ledger, &kdc, change) {
            assert!(outcome.is_changed());
        }
    }
    ledger.close(8, &["PasswordChange", "Changed", "WrongSecret"]);
}

#[test]
fn refusals_of_a_kdc_print_no_secret() {
    let mut ledger = Ledger::new();
    let kdc = kdc();
    let wrong = "curiouser and curiouser still";
    ledger.password(wrong);
    let secret = ClientSecret::password(wrong);
    let exchange = InitialTicket::new(kdc.principal("alice"), secret);
    run(&mut ledger, &kdc, exchange).unwrap_err();

    let key = Key::new(Enctype::Aes256CtsHmacSha1_96, &[0xa7; 32]).unwrap();
    ledger.secret("wrong key", key.expose());
    let alice = kdc.principal("alice");
    let exchange = InitialTicket::new(alice.clone(), ClientSecret::key(&alice, key));
    run(&mut ledger, &kdc, exchange).unwrap_err();

    // A reply that was changed on the way: after the ticket was decrypted, or before.
    long_term(&mut ledger);
    kdc.edit_enc_part(|_, part| part.nonce ^= 1);
    let secret = ClientSecret::password(PASSWORD);
    run(&mut ledger, &kdc, InitialTicket::new(alice.clone(), secret)).unwrap_err();
    kdc.clear_edits();
    kdc.edit_bytes(|_, bytes| *bytes.last_mut().unwrap() ^= 1);
    let secret = ClientSecret::password(PASSWORD);
    run(&mut ledger, &kdc, InitialTicket::new(alice, secret)).unwrap_err();
    ledger.close(8, &["alice", "Error"]);
}

/// The answers of the realm's KDC.
fn network(kdc: &Kdc) -> impl FnMut(&Need) -> Answer + 'static {
    let kdc = kdc.clone();
    move |need| match need {
        Need::Kdc(request) => Answer::Kdc(ask(&kdc, request)),
        other => panic!("{other:?}"),
    }
}

fn acceptor(ledger: &mut Ledger, kdc: &Kdc) -> Acceptor {
    let keytab = keytab(ledger, kdc, SERVICE);
    let credential = AcceptorCredential::new(&keytab);
    ledger.print(&credential);
    Acceptor::new(&credential)
}

#[test]
fn contexts_that_begin_with_a_password_print_no_secret() {
    let mut ledger = Ledger::new();
    let kdc = kdc();
    long_term(&mut ledger);
    let alice = Principal::parse("alice@EXAMPLE.COM").unwrap();
    let password = Password::from(PASSWORD);
    let credential = ClientCredential::password(alice, password)
        .options(TicketOptions::default().forwardable(true));
    ledger.print(&credential);
    let target = ServiceName::parse(SERVICE).unwrap();
    let initiator = Initiator::from_credential(&credential, target)
        .require(Flags::DELEGATION | Flags::CONFIDENTIALITY);
    let acceptor = acceptor(&mut ledger, &kdc);
    let client = Party::new(initiator, 3).answering(network(&kdc));
    let server = Party::new(acceptor, 4);
    let (client, server) = establish(&mut ledger, client, server);
    look(&mut ledger, client);
    look(&mut ledger, server);
    ledger.print(&credential);
    ledger.print(credential.tickets());
    let cache = credential.tickets().to_cache(credential.client());
    ledger.print(&cache);
    ledger.print(cache.entries());
    for entry in cache.credentials() {
        seen(&mut ledger, entry);
    }
    ledger.print(&ClientCredential::cache(&cache, NOW));
    ledger.close(
        14,
        &["alice", "Need", "KdcRequest", "Tickets", "CredentialCache"],
    );
}

#[test]
fn contexts_of_iakerb_print_no_secret() {
    let mut ledger = Ledger::new();
    let kdc = kdc();
    long_term(&mut ledger);
    let alice = Principal::parse("alice@EXAMPLE.COM").unwrap();
    let credential = ClientCredential::password(alice, PASSWORD);
    let acquisition = Acquisition::new(&credential, ServiceName::parse(SERVICE).unwrap());
    let initiator = IakerbInitiator::new(acquisition, |ticket| {
        Initiator::new(ticket).require(Flags::CONFIDENTIALITY | Flags::INTEGRITY)
    });
    let acceptor = IakerbAcceptor::new(acceptor(&mut ledger, &kdc));
    let client = Party::new(initiator, 3);
    let server = Party::new(acceptor, 4).answering(network(&kdc));
    let (client, server) = establish(&mut ledger, client, server);
    look(&mut ledger, client);
    look(&mut ledger, server);
    ledger.close(10, &["alice", "Iakerb"]);
}
