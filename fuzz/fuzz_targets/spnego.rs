//! SPNEGO, RFC 4178 §4.2: what decodes is written as it was, and keeps the bytes of its list.
#![no_main]

use countersign_fuzz::{round_trip, sections};
use countersign_token::der::Decode;
use countersign_token::spnego::{
    ContextFlags, MechTypes, NegHints, NegTokenInit, NegTokenResp, Negotiation,
};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_der(data, size, max_size, seed)
});

fn list(data: &[u8], list: MechTypes<'_>) {
    let bytes = list.as_bytes();
    assert!(data.as_ptr_range().contains(&bytes.as_ptr()));
    let mechanisms: Vec<_> = list.iter().collect();
    assert!((1..=MechTypes::MAX).contains(&mechanisms.len()));
    assert_eq!(mechanisms[0], list.first());
    assert_eq!(MechTypes::encode(&mechanisms), bytes);
    assert_eq!(MechTypes::parse(bytes), Ok(list));
}

fuzz_target!(|data: &[u8]| {
    if let Ok(token) = Negotiation::parse(data) {
        let encoded = token.to_bytes();
        assert_eq!(Negotiation::parse(&encoded), Ok(token));
        let normalised = match token {
            Negotiation::Init(init) => {
                list(data, init.mech_types);
                assert_eq!(NegTokenInit::parse(data), Ok(init));
                // The only field with more than one encoding.
                init.req_flags.is_some()
            }
            Negotiation::Resp(resp) => {
                assert_eq!(NegTokenResp::parse(data), Ok(resp));
                false
            }
        };
        assert!(normalised || encoded == data);
    }
    if let Ok(mechanisms) = MechTypes::from_der(data) {
        list(data, mechanisms);
    }
    round_trip!(data; NegTokenInit, NegTokenResp, NegHints, ContextFlags);
});
