//! Files of NTLM users, and names of accounts: whoever has a line of a file that parses is found by it, with the
//! password that it gives and in any case, and names are written as they are read.
#![no_main]

use countersign_credential::ntlm::{AccountName, Users};
use countersign_crypto::ntlm::NtHash;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else {
        let error = Users::parse(data).expect_err("not text");
        assert!(error.line() > 0);
        return;
    };
    if let Ok(name) = AccountName::parse(text) {
        assert_eq!(AccountName::parse(&name.to_string()).as_ref(), Ok(&name));
        assert!(AccountName::new(name.domain(), name.user()).is_ok_and(|same| same == name));
        assert!(name.matches(&name));
    }
    let users = match Users::parse(data) {
        Ok(users) => users,
        Err(error) => {
            let lines = text.split('\n').count();
            assert!(error.line() as usize <= lines);
            return;
        }
    };
    let mut seen = 0;
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim_start().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        // Samba's lines, in which a password could hide, are another reading of the same: left to the unit tests.
        if line.contains('[') {
            return;
        }
        let fields: Vec<&str> = line.splitn(3, ':').collect();
        let (domain, user, hash) = match *fields {
            [user, hash] => {
                let (domain, user) = user.trim().split_once('\\').unwrap_or(("", user.trim()));
                (domain, user, NtHash::from_hex(hash.trim()))
            }
            [domain, user, password] => {
                let domain = if domain.trim() == "*" {
                    ""
                } else {
                    domain.trim()
                };
                (domain, user.trim(), Some(NtHash::from_password(password)))
            }
            _ => panic!("a line without a colon"),
        };
        let hash = hash.expect("a hash");
        for (domain, user) in [
            (domain.to_owned(), user.to_owned()),
            (domain.to_ascii_uppercase(), user.to_ascii_lowercase()),
        ] {
            let found = users.find(&domain, &user).expect("a user of the file");
            assert!(found.1.ct_eq(&hash));
        }
        seen += 1;
    }
    assert_eq!(users.len(), seen);
    assert_eq!(users.is_empty(), seen == 0);
});
