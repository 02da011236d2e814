//! NTLM.

use countersign::credential::Password;
use countersign::credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign::crypto::ntlm::{Direction, SealKey, SessionKey, Strength};
use countersign::crypto::wiping_stack;
use countersign::handshake::SystemEnvironment;
use countersign::ntlm::{Acceptor, AcceptorCredential, Initiator, ServerNames};
use countersign::{Flags, Mechanism, SecurityContext, Step, Timestamp};
use countersign_testkit::{NOW, SeededRandom};
use zeroize::Zeroizing;

use crate::Claim;
use crate::domain::PASSWORD;
use crate::search::{Noted, NotedRandom, Search};

pub(crate) const CLAIM: Claim = ("secrets_of_ntlm_are_wiped", secrets_of_ntlm_are_wiped);

fn secrets_of_ntlm_are_wiped(search: &mut Search) {
    for seed in 0..ROUNDS {
        exchange(search, seed);
        search.nothing();
    }
}

/// Where numbers are long and short, what is encoded lies in other places.
pub(crate) const ROUNDS: u64 = 8;

/// The same at every run of this test.
pub(crate) fn world(seed: u64) -> SystemEnvironment {
    SystemEnvironment::new()
        .with_clock(|| Timestamp::from_unix(NOW))
        .with_random(SeededRandom::new(seed))
}

/// The same, where keys that are drawn are noted.
pub(crate) fn noting_world(seed: u64, noted: &Noted) -> SystemEnvironment {
    world(seed).with_random(NotedRandom::new(seed, noted))
}

#[inline(never)]
fn exchange(search: &mut Search, seed: u64) {
    search.add_text("password", PASSWORD);
    let name = AccountName::parse("EXAMPLE\\alice").unwrap();
    let password = Password::from(PASSWORD);
    let credential = NtlmCredential::with_password(name, &password);
    search.add("NT hash", credential.hash().expose());
    let response_key = wiping_stack(|| {
        credential
            .hash()
            .response_key("alice".chars(), "EXAMPLE".chars())
    });
    let file = Zeroizing::new(["EXAMPLE:alice:", PASSWORD, "\n"].concat());
    let users = Users::parse(file.as_bytes()).unwrap();
    let names = ServerNames::new("WWW", "EXAMPLE").unwrap();
    let acceptor = AcceptorCredential::new(names).with_users(users);
    let mut acceptor = Acceptor::new(&acceptor);
    let mut initiator = Initiator::new(credential).require(Flags::CONFIDENTIALITY);
    let mut world = world(seed);
    let mut env = world.environment();
    let Ok(Step::Continue { token }) = initiator.step(None, &mut env) else {
        panic!("NEGOTIATE")
    };
    let Ok(Step::Continue { token }) = acceptor.step(Some(&token), &mut env) else {
        panic!("CHALLENGE")
    };
    search.finds("NT hash");
    let Ok(Step::Established {
        token: Some(token),
        context: mut client,
    }) = initiator.step(Some(&token), &mut env)
    else {
        panic!("AUTHENTICATE")
    };
    let Ok(Step::Established {
        context: mut server,
        ..
    }) = acceptor.step(Some(&token), &mut env)
    else {
        panic!("established")
    };
    // MS-NLMP §2.2.1.3: where the NT response stands; its first 16 bytes are the proof.
    let offset = u32::from_le_bytes(*token[24..].first_chunk().unwrap());
    let proof = token[usize::try_from(offset).unwrap()..]
        .first_chunk()
        .unwrap();
    let base = wiping_stack(|| response_key.session_base_key(proof));
    search.add("session base key", base.expose());
    search.add("session key", client.session_key().expose());
    for direction in [Direction::ClientToServer, Direction::ServerToClient] {
        // As the context has it before the first message, which changes little of it.
        wiping_stack(|| {
            let exported = server.session_key().expose().first_chunk().unwrap();
            let exported = SessionKey::new(*exported);
            let key = SealKey::derive(&exported, Strength::Bits128, direction);
            let state = key.stream().to_bytes();
            search.add_permutation("sealing state", &state[..256]);
        });
    }
    search.finds("session key");
    // The streams are made for the first message.
    let sealed = client.wrap(true, b"?").unwrap();
    server.unwrap(&sealed).unwrap();
    let sealed = server.wrap(true, b"!").unwrap();
    client.unwrap(&sealed).unwrap();
    search.finds("sealing state");
    talk(client, server);
}

/// Messages in both directions, halves, and the way to another process.
pub(crate) fn talk(mut client: Box<SecurityContext>, mut server: Box<SecurityContext>) {
    for _ in 0..2 {
        let sealed = client.wrap(true, b"who goes there").unwrap();
        assert_eq!(server.unwrap(&sealed).unwrap().message, b"who goes there");
        let mic = server.get_mic(b"a friend").unwrap();
        client.verify_mic(b"a friend", &mic).unwrap();
    }
    let (mut sender, receiver) = client.split();
    let sealed = sender.wrap(true, b"pass").unwrap();
    assert_eq!(server.unwrap(&sealed).unwrap().message, b"pass");
    let client = SecurityContext::rejoin(sender, receiver).unwrap();
    if let Ok(exported) = client.export() {
        let mut world = world(7);
        let mut client = SecurityContext::import(&exported, &mut world.environment()).unwrap();
        let sealed = client.wrap(true, b"pass").unwrap();
        assert_eq!(server.unwrap(&sealed).unwrap().message, b"pass");
    }
}
