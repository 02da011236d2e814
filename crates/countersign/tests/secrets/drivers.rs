//! Handshakes over a stream, what is authenticated by them, and what observers see.

use std::thread;

use countersign::Timestamp;
use countersign::handshake::{AuthenticatedStream, Handshake, StreamOptions, SystemEnvironment};
use countersign::kerberos::{Acceptor, Initiator};
use countersign_testkit::pipe::pair;
use countersign_testkit::{NOW, SeededRandom};

use crate::kerberos::{ALL, credential, realm, ticket};
use crate::ledger::{Ledger, Trace};

fn traced(handshake: Handshake, trace: Trace, seed: u64) -> Handshake {
    let environment = SystemEnvironment::new()
        .with_clock(|| Timestamp::from_unix(NOW))
        .with_random(SeededRandom::new(seed));
    handshake.environment(environment).observe(move |leg| {
        trace.lock().unwrap().push_str(&format!("{leg:?} {leg:#?}"));
    })
}

#[test]
fn handshakes_streams_and_their_observers_print_no_secret() {
    for honest in [true, false] {
        let mut ledger = Ledger::new();
        let here = realm();
        let there = if honest {
            realm()
        } else {
            countersign_testkit::Realm::new("EXAMPLE.COM", 9)
        };
        let client = Handshake::initiator(Initiator::new(ticket(&mut ledger, &here)).require(ALL));
        let server = Handshake::acceptor(Acceptor::new(&credential(&mut ledger, &there)));
        let (client, server) = (
            traced(client, ledger.trace(), 1),
            traced(server, ledger.trace(), 2),
        );
        ledger.print(&(&client, &server));
        let (mut near, mut far) = pair();
        let server = thread::spawn(move || server.run(&mut far).map(|context| (context, far)));
        let client = client.run(&mut near);
        ledger.print(&client);
        let server = server.join().unwrap();
        ledger.print(&server);
        assert_eq!(server.is_ok(), honest);
        for error in [client.as_ref().err(), server.as_ref().err()]
            .into_iter()
            .flatten()
        {
            ledger.error(error);
        }
        if let (Ok(client), Ok((server, far))) = (client, server) {
            ledger.secret("session key", client.session_key().expose());
            let options = StreamOptions::default();
            let near = AuthenticatedStream::new(near, *client, options).unwrap();
            let far = AuthenticatedStream::new(far, *server, options).unwrap();
            ledger.print(&near);
            ledger.print(&far);
        }
        ledger.close(3, &["alice", "Leg", "Handshake"]);
    }
}
