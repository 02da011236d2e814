//! Writes the seed corpus: real tokens, files and exchanges, the same on every run.
//!
//! `cargo run --example seeds` in this folder; then commit `corpus/`.

#[path = "../../crates/token/tests/common/mod.rs"]
#[allow(dead_code, unused_imports, clippy::all)]
mod samples;

use std::fs;
use std::path::Path;

use countersign_credential::cache::Version;
use countersign_credential::{ByteOrder, NameType, Principal};
use countersign_crypto::Enctype;
use countersign_testkit::{
    ApReqBuilder, FixedClock, KrbErrorBuilder, RawAcceptor, Realm, SeededRandom, seal_krb_cred,
};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn put(target: &str, name: &str, bytes: &[u8]) -> Result {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    let name: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    Ok(fs::write(folder.join(name.to_lowercase()), bytes)?)
}

fn main() -> Result {
    tokens()?;
    files()?;
    names()?;
    Ok(())
}

/// One full sample of each kind of token, and those of an exchange on another codec.
fn tokens() -> Result {
    for kind in samples::kinds() {
        put("messages", kind.name, &(kind.sample)())?;
        put("framing", kind.name, &(kind.sample)())?;
        put("describe", kind.name, &(kind.sample)())?;
    }
    for (name, sample) in [
        ("ticket", samples::ticket()),
        ("ap-req", samples::ap_req()),
        ("krb-error", samples::krb_error()),
    ] {
        put("differential", name, &sample)?;
    }

    let realm = Realm::new("EXAMPLE.COM", 1);
    let mut random = SeededRandom::new(1);
    let keytab = realm.keytab(&["HTTP/web.example.com"])?;
    let tgt = realm.forwarded_ticket_granting_ticket("user").mint()?;
    let (mut ticket_part, mut authenticator, mut reply_part) = (Vec::new(), Vec::new(), Vec::new());
    let keep = |to: &mut Vec<u8>, plaintext: Vec<u8>| {
        to.clone_from(&plaintext);
        plaintext
    };
    let ticket = realm
        .ticket("user", "HTTP/web.example.com")
        .map_plaintext(|plaintext| keep(&mut ticket_part, plaintext))
        .mint()?;
    let cred = seal_krb_cred(
        &[&tgt],
        ticket.session_key().ok(),
        FixedClock::new(),
        &mut random,
    )?;
    let request = ApReqBuilder::new(&ticket)
        .fresh_subkey(Enctype::Aes256CtsHmacSha1_96)
        .delegation(cred.clone())
        .map_authenticator(|plaintext| keep(&mut authenticator, plaintext))
        .build(&mut random)?;
    let received = RawAcceptor::new(&keytab).accept(&request.token)?;
    let reply = received
        .reply()
        .map_plaintext(|plaintext| keep(&mut reply_part, plaintext))
        .build(&mut random)?;
    let error = KrbErrorBuilder::new(37, ticket.server.clone()).build()?;
    for (name, token) in [
        ("exchange-ticket", &ticket.ticket),
        ("exchange-ticket-part", &ticket_part),
        ("exchange-ap-req", &request.token),
        ("exchange-authenticator", &authenticator),
        ("exchange-ap-rep", &reply),
        ("exchange-ap-rep-part", &reply_part),
        ("exchange-krb-error", &error),
        ("exchange-krb-cred", &cred),
    ] {
        put("describe", name, token)?;
        put("framing", name, token)?;
        // Out of the frame of RFC 2743, which the decoder of messages does not take off.
        let message = match token.first() {
            Some(0x60) => {
                countersign_token::framing::InitialToken::parse(token)?.inner[2..].to_vec()
            }
            _ => token.clone(),
        };
        put("messages", name, &message)?;
        put("differential", name, &message)?;
    }
    Ok(())
}

fn files() -> Result {
    let realm = Realm::new("EXAMPLE.COM", 1);
    let keytab = realm.keytab_of(
        &["HTTP/web.example.com", "host/web.example.com"],
        &[1, 300],
        &[
            Enctype::Aes256CtsHmacSha1_96,
            Enctype::Aes128CtsHmacSha256_128,
        ],
    )?;
    put("keytab", "two-services", &keytab.to_bytes()?)?;
    put("keytab", "empty", &[5, 2])?;
    let tickets = [
        realm
            .ticket_granting_ticket("user")
            .renew_till(realm.now() + 900_000)
            .mint()?,
        realm
            .ticket("user", "HTTP/web.example.com")
            .addresses(&[(2, &[192, 0, 2, 1])])
            .mint()?,
    ];
    let cache = realm.cache("user", tickets);
    for (name, version) in [
        ("v1-little", Version::V1(ByteOrder::Little)),
        ("v2-big", Version::V2(ByteOrder::Big)),
        ("v3", Version::V3),
        ("v4", Version::V4),
    ] {
        put("ccache", name, &cache.to_bytes(version)?)?;
    }
    // What MIT krb5 wrote.
    let theirs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/credential/tests/files");
    for entry in fs::read_dir(theirs)? {
        let path = entry?.path();
        let (stem, extension) = (path.file_stem(), path.extension());
        let (Some(stem), Some(extension)) = (
            stem.and_then(|s| s.to_str()),
            extension.and_then(|s| s.to_str()),
        ) else {
            continue;
        };
        if matches!(extension, "keytab" | "ccache") {
            put(extension, &format!("mit-{stem}"), &fs::read(&path)?)?;
        }
    }
    Ok(())
}

fn names() -> Result {
    for (name, text) in [
        ("user", "user@EXAMPLE.COM"),
        ("service", "HTTP/web.example.com@EXAMPLE.COM"),
        ("spn", "MSSQLSvc/db.example.com:1433/instance@EXAMPLE.COM"),
        ("host-based", "HTTP@web.example.com"),
        ("escapes", r"a\/b\@c\\d\n\t\b\0/e@R\@S"),
        ("wildcard", "HTTP/*@EXAMPLE.COM"),
        ("literal", "HTTP/[2001:db8::1]:8080"),
    ] {
        put("names", name, text.as_bytes())?;
    }
    let odd = Principal::new("R\0S", ["", "\u{e9}", "a b"], NameType::UNKNOWN);
    put("names", "odd", &odd.to_text())
}
