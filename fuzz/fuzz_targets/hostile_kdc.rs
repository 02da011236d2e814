//! Every exchange with a KDC that the fuzzer bends: with its keys and without.
//!
//! Sections: [scenario], then for each request [how] and the octets that it is answered with.
#![no_main]

use countersign_fuzz::kdc::{Bend, Capture, run};
use countersign_fuzz::sections;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_sections(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let sections = sections::split(data);
    let [[scenario, ..], answers @ ..] = &sections[..] else {
        return;
    };
    let bends: Vec<Bend> = answers
        .chunks_exact(2)
        .map(|pair| Bend {
            how: pair[0].first().copied().unwrap_or(0),
            with: pair[1].to_vec(),
        })
        .collect();
    let Ok(got) = run(*scenario, &bends, &Capture::default()) else {
        return;
    };
    let Some(ticket) = got.ticket else { return };
    if !got.canonical {
        // Whatever a KDC does, even with its keys.
        assert_eq!((&ticket.client, &ticket.server), (&got.client, &got.server));
    }
    if !bends.iter().any(Bend::needs_keys) {
        // Whatever anybody on the path does.
        assert_eq!((&ticket.client, &ticket.server), (&got.client, &got.server));
        assert!(ticket.session_key().is_ok());
    }
});
