//! NTLM.

use countersign::credential::Password;
use countersign::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign::crypto::ntlm::NtHash;
use countersign::ntlm::{Acceptor, AcceptorCredential, Initiator, Logon, MachineId, ServerNames};
use countersign::{Answer, Flags, Need};

use crate::ledger::Ledger;
use crate::parties::{Party, converse, establish, look};

const PASSWORD: &str = "swordfish under the bridge";

fn account() -> AccountName {
    AccountName::parse("EXAMPLE\\alice").unwrap()
}

/// Alice, with this password.
pub(crate) fn initiator(ledger: &mut Ledger, password: &str) -> Initiator {
    ledger.password(password);
    let password = Password::from(password);
    ledger.print(&password);
    let credential = NtlmCredential::with_password(account(), &password);
    ledger.print(&credential);
    ledger.print(credential.hash());
    ledger.secret("NT hash", credential.hash().expose());
    let user = "alice".chars();
    ledger.print(&credential.hash().response_key(user, "EXAMPLE".chars()));
    Initiator::new(credential)
        .require(Flags::CONFIDENTIALITY)
        .machine(MachineId::from_bytes([0xc3; 32]))
}

pub(crate) fn honest_initiator(ledger: &mut Ledger) -> Initiator {
    initiator(ledger, PASSWORD)
}

pub(crate) fn acceptor(ledger: &mut Ledger) -> Acceptor {
    ledger.password(PASSWORD);
    let users = Users::parse(format!("EXAMPLE:alice:{PASSWORD}\n").as_bytes()).unwrap();
    ledger.print(&users);
    let names = ServerNames::new("WWW", "EXAMPLE").unwrap();
    let credential = AcceptorCredential::new(names).with_users(users);
    ledger.print(&credential);
    Acceptor::new(&credential)
}

#[test]
fn contexts_of_ntlm_print_no_secret() {
    let mut ledger = Ledger::new();
    let client = Party::new(honest_initiator(&mut ledger), 3);
    let server = Party::new(acceptor(&mut ledger), 4);
    let (client, server) = establish(&mut ledger, client, server);
    look(&mut ledger, client);
    look(&mut ledger, server);
    ledger.close(6, &["alice", "EXAMPLE", "NtHash(..)", "SecurityContext"]);
}

#[test]
fn answers_to_logons_print_no_hash() {
    let mut ledger = Ledger::new();
    let client = Party::new(honest_initiator(&mut ledger), 3);
    let names = ServerNames::new("WWW", "EXAMPLE").unwrap();
    let server = Acceptor::new(&AcceptorCredential::new(names));
    let server = Party::new(server, 4).answering(|need| match need {
        Need::Logon(_) => Answer::Logon(Logon::NtHash {
            account: account(),
            hash: NtHash::from_password(PASSWORD),
        }),
        other => panic!("{other:?}"),
    });
    let (client, server) = establish(&mut ledger, client, server);
    look(&mut ledger, client);
    look(&mut ledger, server);
    ledger.close(5, &["NtHash", "LogonRequest"]);
}

#[test]
fn refusals_of_ntlm_print_no_secret() {
    // A wrong password; a MIC with a bit flipped.
    for flipped in [false, true] {
        let mut ledger = Ledger::new();
        let password = if flipped {
            PASSWORD
        } else {
            "wrong horse, wrong battery"
        };
        let client = Party::new(initiator(&mut ledger, password), 3);
        let server = Party::new(acceptor(&mut ledger), 4);
        let (_, ended) = converse(&mut ledger, client, server, |number, token| {
            if flipped && number == 2 {
                // MS-NLMP §2.2.1.3: the MIC stands behind 72 bytes.
                token[72] ^= 1;
            }
        });
        ledger.error(&ended.unwrap().unwrap_err());
        ledger.close(5, &["alice", "Error"]);
    }
}

#[test]
fn users_that_cannot_be_read_are_not_printed() {
    let mut ledger = Ledger::new();
    ledger.password(PASSWORD);
    for file in [
        format!("EXAMPLE:alice:{PASSWORD}\nEXAMPLE:bob\n"),
        format!("EXAMPLE{PASSWORD}\n"),
        format!("a:b:{PASSWORD}:c:{PASSWORD}:[d\n{PASSWORD}"),
    ] {
        ledger.error(&Users::parse(file.as_bytes()).unwrap_err());
    }
    ledger.error(&Users::parse(&[PASSWORD.as_bytes(), b"\xff\n"].concat()).unwrap_err());
    ledger.close(2, &["Users"]);
}
