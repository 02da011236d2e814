//! What honest sides come to.

use countersign_context::credential::Password;
use countersign_context::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_context::negotiate::{Acceptor, Initiator};
use countersign_context::token::oid::Oid;
use countersign_context::{
    Environment, Flags, Mechanism, SecurityContext, Step, Timestamp, kerberos, ntlm,
};
use countersign_testkit::{Realm, SeededRandom};

struct Lab {
    realm: Realm,
}

impl Lab {
    fn new() -> Self {
        Self {
            realm: Realm::new("EXAMPLE.COM", 1),
        }
    }
    fn kerberos_initiator(&self) -> kerberos::Initiator {
        let ticket = self
            .realm
            .ticket("alice", "HTTP/www.example.com")
            .mint()
            .unwrap();
        kerberos::Initiator::new(ticket).require(Flags::CONFIDENTIALITY)
    }
    fn kerberos_acceptor(&self) -> kerberos::Acceptor {
        let keytab = self.realm.keytab(&["HTTP/www.example.com"]).unwrap();
        kerberos::Acceptor::new(&kerberos::AcceptorCredential::new(&keytab))
    }
    fn ntlm_initiator() -> ntlm::Initiator {
        let name = AccountName::parse("EXAMPLE\\alice").unwrap();
        let credential = NtlmCredential::with_password(name, &Password::from("open sesame"));
        ntlm::Initiator::new(credential).require(Flags::CONFIDENTIALITY)
    }
    fn ntlm_acceptor() -> ntlm::Acceptor {
        let users = Users::parse(b"EXAMPLE:alice:open sesame\n").unwrap();
        let names = ntlm::ServerNames::new("WWW", "EXAMPLE").unwrap();
        ntlm::Acceptor::new(&ntlm::AcceptorCredential::new(names).with_users(users))
    }
}

fn run(mut i: Initiator, mut a: Acceptor, now: i64) -> (SecurityContext, SecurityContext, usize) {
    let mut random = SeededRandom::new(3);
    let mut env = Environment::new(Timestamp::from_unix(now), &mut random);
    let mut legs = 0;
    let (mut client, mut server) = (None, None);
    let mut token = None;
    loop {
        match i.step(token.as_deref(), &mut env).unwrap() {
            Step::Continue { token: t } => token = Some(t),
            Step::Established { token: t, context } => {
                client = Some(*context);
                token = t;
            }
            Step::Need(_) => panic!(),
        }
        if token.is_none() {
            break;
        }
        legs += 1;
        match a.step(token.as_deref(), &mut env).unwrap() {
            Step::Continue { token: t } => token = Some(t),
            Step::Established { token: t, context } => {
                server = Some(*context);
                token = t;
            }
            Step::Need(_) => panic!(),
        }
        if token.is_none() || client.is_some() {
            break;
        }
        legs += 1;
    }
    (client.unwrap(), server.unwrap(), legs)
}

fn talk(client: &mut SecurityContext, server: &mut SecurityContext) {
    for _ in 0..2 {
        let sealed = client.wrap(true, b"who goes there").unwrap();
        assert_eq!(server.unwrap(&sealed).unwrap().message, b"who goes there");
        let sealed = server.wrap(true, b"friend").unwrap();
        assert_eq!(client.unwrap(&sealed).unwrap().message, b"friend");
    }
}

#[test]
fn the_first_choice_of_both_needs_no_mic_and_one_round() {
    let lab = Lab::new();
    let i = Initiator::new().offer(lab.kerberos_initiator());
    let a = Acceptor::new().offer(lab.kerberos_acceptor());
    let (mut client, mut server, legs) = run(i, a, lab.realm.now());
    assert_eq!(legs, 2);
    assert_eq!(client.mechanism(), Oid::KERBEROS);
    assert!(!client.negotiated().unwrap().proved);
    talk(&mut client, &mut server);
}

#[test]
fn another_choice_is_proved_by_both_sides() {
    let lab = Lab::new();
    let i = Initiator::new()
        .offer(lab.kerberos_initiator())
        .offer(Lab::ntlm_initiator());
    let a = Acceptor::new().offer(Lab::ntlm_acceptor());
    let (mut client, mut server, _) = run(i, a, lab.realm.now());
    assert_eq!(server.mechanism(), Oid::NTLMSSP);
    assert!(client.negotiated().unwrap().proved && server.negotiated().unwrap().proved);
    talk(&mut client, &mut server);

    let i = Initiator::new()
        .offer(Lab::ntlm_initiator())
        .offer(lab.kerberos_initiator());
    let a = Acceptor::new().offer(lab.kerberos_acceptor());
    let (mut client, mut server, _) = run(i, a, lab.realm.now());
    assert_eq!(server.mechanism(), Oid::KERBEROS);
    assert!(client.negotiated().unwrap().proved && server.negotiated().unwrap().proved);
    talk(&mut client, &mut server);
}
