//! Negotiate over either mechanism.

use countersign::kerberos;
use countersign::negotiate::{Acceptor, Initiator};

use crate::kerberos::{credential, realm, ticket};
use crate::ledger::Ledger;
use crate::ntlm;
use crate::parties::{Party, converse, establish, look};

/// Kerberos first on the one side; NTLM is what remains when the other has no Kerberos.
fn sides(ledger: &mut Ledger, with_kerberos: bool) -> (Party, Party) {
    let realm = realm();
    let ticket = ticket(ledger, &realm);
    let initiator = Initiator::new()
        .offer(kerberos::Initiator::new(ticket))
        .offer(ntlm::honest_initiator(ledger));
    let mut acceptor = Acceptor::new();
    if with_kerberos {
        acceptor = acceptor.offer(kerberos::Acceptor::new(&credential(ledger, &realm)));
    }
    let acceptor = acceptor.offer(ntlm::acceptor(ledger));
    (Party::new(initiator, 3), Party::new(acceptor, 4))
}

#[test]
fn contexts_of_negotiate_print_no_secret() {
    for with_kerberos in [true, false] {
        let mut ledger = Ledger::new();
        let (client, server) = sides(&mut ledger, with_kerberos);
        let (client, server) = establish(&mut ledger, client, server);
        look(&mut ledger, client);
        look(&mut ledger, server);
        ledger.close(8, &["alice", "Initiator", "Acceptor", "Negotiated"]);
    }
}

#[test]
fn refusals_of_negotiate_print_no_secret() {
    for with_kerberos in [true, false] {
        let mut refused = 0;
        for meddled in 0..5 {
            let mut ledger = Ledger::new();
            let (client, server) = sides(&mut ledger, with_kerberos);
            let (client, server) = converse(&mut ledger, client, server, |number, token| {
                if number == meddled {
                    let middle = token.len() / 2;
                    token[middle] ^= 1;
                    *token.last_mut().unwrap() ^= 1;
                }
            });
            for ended in [client, server].into_iter().flatten() {
                match ended {
                    Ok(context) => look(&mut ledger, context),
                    Err(error) => {
                        refused += 1;
                        ledger.error(&error);
                    }
                }
            }
            ledger.close(5, &["alice"]);
        }
        assert!(refused >= 2, "{refused}");
    }
}
