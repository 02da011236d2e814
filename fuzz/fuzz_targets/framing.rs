//! What stands around and inside the messages without being ASN.1: frames, token identifiers, the
//! 0x8003 checksum, channel bindings, the headers of RFC 4121 and RFC 1964.
#![no_main]

use countersign_token::bindings::ChannelBindings;
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::cfx::{MicHeader, WrapHeader};
use countersign_token::kerberos::gss_checksum::Extensions;
use countersign_token::kerberos::rfc1964::Rfc1964Header;
use countersign_token::kerberos::{GssChecksum, GssFlags, gss_token};
use countersign_token::oid::Oid;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(token) = InitialToken::parse(data) {
        let encoded = InitialToken::encode(token.mechanism, &[token.inner]);
        assert_eq!(encoded, data);
        let _ = token.mechanism.to_string();
    }
    if let Ok((id, rest)) = gss_token::split(data) {
        assert_eq!([&id.to_bytes(), rest].concat(), data);
    }
    if let Ok(checksum) = GssChecksum::parse(data) {
        let encoded = checksum.encode().expect("what was read fits");
        if checksum.delegation.is_some() == checksum.flags.contains(GssFlags::DELEG) {
            assert_eq!(encoded, data);
        }
        let rest: usize = checksum
            .extensions
            .map(|extension| extension.data.len() + 8)
            .sum();
        assert_eq!(rest, checksum.extensions.as_bytes().len());
    }
    if let Ok(extensions) = Extensions::parse(data) {
        assert_eq!(Extensions::encode(&extensions.collect::<Vec<_>>()), data);
    }
    if let Ok(bindings) = ChannelBindings::parse(data) {
        assert_eq!(ChannelBindings::parse(&bindings.encode()), Ok(bindings));
        bindings.write_hash_input(&mut |_| ());
    }
    if let Ok((header, rest)) = WrapHeader::parse(data) {
        assert_eq!([&header.to_bytes(), rest].concat(), data);
    }
    if let Ok((header, rest)) = MicHeader::parse(data) {
        assert_eq!([&header.to_bytes(), rest].concat(), data);
    }
    if let Ok((header, rest)) = Rfc1964Header::parse(data) {
        let bytes = header.to_bytes();
        let (again, none) = Rfc1964Header::parse(&bytes).expect("own header");
        assert_eq!((again, none.len()), (header, 0));
        assert!(rest.len() < data.len());
    }
    if let Ok(oid) = Oid::from_contents(data) {
        assert_eq!(oid.as_bytes(), data);
        let _ = oid.to_string();
    }
});
