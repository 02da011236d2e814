//! Keys that are made of passwords, and what is made of keys.

use std::hint::black_box;

use countersign::credential::Password;
use countersign::crypto::ntlm::NtHash;
use countersign::crypto::{Enctype, Key, KeyUsage, wiping_stack};
use countersign::handshake::SystemRandom;

use crate::Claim;
use crate::domain::PASSWORD;
use crate::search::Search;

pub(crate) const CLAIM: Claim = ("keys_of_passwords_are_wiped", keys_of_passwords_are_wiped);

fn keys_of_passwords_are_wiped(search: &mut Search) {
    for &enctype in Enctype::ALL {
        wiping_stack(|| of_enctype(search, enctype));
        search.nothing();
    }
    wiping_stack(|| hash(search));
    search.nothing();
}

#[inline(never)]
fn of_enctype(search: &mut Search, enctype: Enctype) {
    let password = Password::from(PASSWORD);
    search.add_text("password", PASSWORD);
    let bytes = password.expose().as_bytes();
    let key = Key::from_password(enctype, bytes, b"EXAMPLE.COMalice", None).unwrap();
    let key = Box::new(key);
    search.add("long-term key", key.expose());
    search.finds("long-term key");
    search.finds("password");
    let output = key.prf(b"for tests");
    search.add("PRF output", &output);
    let more = key.prf_plus(b"for tests", 100).unwrap();
    search.add("PRF+ output", &more);
    search.finds("PRF+ output");
    let secret = b"what nobody else should read";
    search.add("plaintext", secret);
    let usage = KeyUsage::TICKET;
    let sealed = key.encrypt(usage, secret, &mut SystemRandom).unwrap();
    let opened = key.decrypt(usage, &sealed).unwrap();
    search.finds("plaintext");
    black_box((key.duplicate(), key.cipher(usage), key.mac(usage), opened));
}

#[inline(never)]
fn hash(search: &mut Search) {
    let password = Password::from(PASSWORD);
    search.add_text("password", PASSWORD);
    let hash = Box::new(NtHash::from_password(password.expose()));
    search.add("NT hash", hash.expose());
    search.finds("NT hash");
    black_box(hash.response_key("alice".chars(), "EXAMPLE".chars()));
}
