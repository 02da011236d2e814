//! Kerberos between two sides that have a ticket and a keytab.

use countersign::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign::{Flags, handshake::context::credential::TicketCredential};
use countersign_testkit::{Realm, flags};

use crate::ledger::Ledger;
use crate::parties::{Party, converse, establish, look};

pub(crate) const SERVICE: &str = "HTTP/www.example.com";

pub(crate) fn realm() -> Realm {
    Realm::new("EXAMPLE.COM", 1)
}

/// Alice's ticket and the service's keys, known to the ledger.
pub(crate) fn ticket(ledger: &mut Ledger, realm: &Realm) -> TicketCredential {
    let trusted = flags::ticket::OK_AS_DELEGATE;
    let ticket = realm.ticket("alice", SERVICE).add_flags(trusted);
    let ticket = ticket.mint().unwrap();
    ledger.print(&ticket);
    ledger.print(&ticket.session_key());
    ledger.secret("ticket's key", ticket.key.expose());
    ticket
}

pub(crate) fn credential(ledger: &mut Ledger, realm: &Realm) -> AcceptorCredential {
    let keytab = realm.keytab(&[SERVICE]).unwrap();
    ledger.print(&keytab);
    for entry in keytab.entries() {
        ledger.secret("service's key", entry.key_block().expose());
    }
    let credential = AcceptorCredential::new(&keytab);
    ledger.print(&credential);
    credential
}

pub(crate) const ALL: Flags = Flags::MUTUAL
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);

#[test]
fn contexts_of_kerberos_print_no_secret() {
    for dce in [false, true] {
        let mut ledger = Ledger::new();
        let realm = realm();
        let mut initiator = Initiator::new(ticket(&mut ledger, &realm)).require(ALL);
        if dce {
            initiator = initiator.dce_style();
        }
        let acceptor = Acceptor::new(&credential(&mut ledger, &realm));
        let (client, server) = (Party::new(initiator, 3), Party::new(acceptor, 4));
        let (client, server) = establish(&mut ledger, client, server);
        look(&mut ledger, client);
        look(&mut ledger, server);
        ledger.close(
            8,
            &["alice", SERVICE, "SecurityContext", "Sender", "Receiver"],
        );
    }
}

#[test]
fn delegated_tickets_print_no_key() {
    let mut ledger = Ledger::new();
    let realm = realm();
    let forwarded = realm
        .forwarded_ticket_granting_ticket("alice")
        .mint()
        .unwrap();
    ledger.print(&forwarded);
    ledger.secret("forwarded key", forwarded.key.expose());
    let initiator = Initiator::new(ticket(&mut ledger, &realm))
        .require(ALL)
        .delegate(forwarded);
    let acceptor = Acceptor::new(&credential(&mut ledger, &realm));
    let (client, server) = (Party::new(initiator, 3), Party::new(acceptor, 4));
    let (client, mut server) = establish(&mut ledger, client, server);
    let delegated = server.take_delegated().unwrap();
    ledger.print(&delegated);
    ledger.print(&countersign::kerberos::kdc::ClientCredential::delegated(
        delegated,
    ));
    look(&mut ledger, client);
    look(&mut ledger, server);
    ledger.close(8, &["krbtgt", "TicketCredential", "ClientCredential"]);
}

#[test]
fn refusals_of_kerberos_print_no_secret() {
    // Another service's key; a changed authenticator; a changed proof of the acceptor.
    for which in 0..3 {
        let mut ledger = Ledger::new();
        let realm = realm();
        let initiator = Initiator::new(ticket(&mut ledger, &realm)).require(ALL);
        let others = Realm::new("EXAMPLE.COM", 2);
        let realm = if which == 0 { &others } else { &realm };
        let acceptor = Acceptor::new(&credential(&mut ledger, realm));
        let (client, server) = (Party::new(initiator, 3), Party::new(acceptor, 4));
        let ended = converse(&mut ledger, client, server, |number, token| {
            if number + 1 == which {
                *token.last_mut().unwrap() ^= 1;
            }
        });
        let refused = match which {
            2 => ended.0,
            _ => ended.1,
        };
        ledger.error(&refused.unwrap().unwrap_err());
        ledger.close(3, &["alice", "Error"]);
    }
}
