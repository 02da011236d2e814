//! The printer of `countersign inspect` prints anything, within bounds.
#![no_main]

use countersign_fuzz::sections;
use countersign_token::describe;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_der(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let lines = describe::tree(data);
    assert!(!lines.is_empty());
    for line in &lines {
        assert!(line.offset <= data.len());
        let text = line.to_string();
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
});
