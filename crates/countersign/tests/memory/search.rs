//! Looks for secrets, of which it keeps only what cannot be taken for them.

use std::collections::{HashMap, HashSet};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use aes::Aes256Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use countersign::crypto::{Random, RandomError, wiping_stack};
use countersign_testkit::SeededRandom;
use zeroize::Zeroizing;

use crate::Claim;
use crate::memory::{Memory, mappings};

pub(crate) const CLAIM: Claim = ("what_is_in_memory_is_found", what_is_in_memory_is_found);

const MASK: u64 = 0xa55a_c33c_96e1_784d;

/// A piece of a secret that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) secret: &'static str,
    /// Of the piece in the secret.
    pub(crate) offset: usize,
    pub(crate) address: u64,
    pub(crate) mapping: String,
}

/// Secrets that come up where the search is out of reach, masked, until they are [taken](Search::take).
#[derive(Clone, Default)]
pub(crate) struct Noted(Arc<Mutex<Vec<Note>>>);

/// The name of a secret, and its pieces.
type Note = (&'static str, Vec<u64>);

impl Noted {
    #[inline(never)]
    pub(crate) fn note(&self, secret: &'static str, bytes: &[u8]) {
        let pieces = bytes.as_chunks().0.iter().map(masked).collect();
        self.0.lock().unwrap().push((secret, pieces));
    }
}

/// Notes what is drawn in blocks that keys are made of. Shorter ones are nonces, and numbers of the replay
/// cache's hash, which live as long as the cache.
pub(crate) struct NotedRandom {
    random: SeededRandom,
    noted: Noted,
}

impl NotedRandom {
    pub(crate) fn new(seed: u64, noted: &Noted) -> Self {
        Self {
            random: SeededRandom::new(seed),
            noted: noted.clone(),
        }
    }
}

impl Random for NotedRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        // The system's source leaves nothing on the stack; neither does this one.
        wiping_stack(|| {
            self.random.fill(out)?;
            if out.len() >= 32 {
                self.noted.note("drawn at random", out);
            }
            if let Ok(seed) = <&[u8; 32]>::try_from(&*out) {
                self.noted.note(STRETCHED, &*stretched(seed));
            }
            Ok(())
        })
    }
}

/// The name of what is made of a seed. What has another name too goes by that.
pub(crate) const STRETCHED: &str = "stretched";

/// What a step makes of a seed: more than any draws of the key stream of AES-256 in counter mode, seeds of
/// confounders among it.
fn stretched(seed: &[u8; 32]) -> Zeroizing<[u8; 256]> {
    let cipher = Aes256Enc::new(seed.into());
    let mut out = Zeroizing::new([0; 256]);
    for (counter, block) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        *block = (counter as u128).to_be_bytes();
        cipher.encrypt_block(<&mut Array<u8, _>>::from(block));
    }
    out
}

pub(crate) struct Search {
    memory: Memory,
    /// Every eight bytes of a secret, masked: a copy may be overwritten in part.
    pieces: HashMap<u64, (&'static str, usize)>,
    /// Whether a piece begins with these two bytes, masked.
    first: Vec<bool>,
    /// The secret whose pieces occur by chance too, but not two of them in a row.
    common: Option<&'static str>,
    found: Vec<Found>,
    /// What came of texts, by their address.
    computed: HashMap<(usize, usize), Noted>,
    /// How many secrets were looked for in how many scenarios.
    secrets: usize,
    scenarios: usize,
    /// How many scenarios are over.
    number: u64,
}

fn masked(piece: &[u8; 8]) -> u64 {
    u64::from_ne_bytes(*piece) ^ MASK
}

fn index(masked: u64) -> usize {
    usize::from(u16::try_from(masked & 0xffff).unwrap())
}

impl Search {
    pub(crate) fn new() -> Self {
        Self {
            memory: Memory::open(),
            pieces: HashMap::new(),
            first: vec![false; 1 << 16],
            common: None,
            found: Vec::with_capacity(4096),
            computed: HashMap::new(),
            secrets: 0,
            scenarios: 0,
            number: 1_000,
        }
    }

    /// Looks for this secret from now on.
    #[inline(never)]
    pub(crate) fn add(&mut self, secret: &'static str, bytes: &[u8]) {
        let (pieces, _) = bytes.as_chunks();
        self.add_masked(secret, pieces.iter().map(masked));
    }

    fn add_masked(&mut self, secret: &'static str, pieces: impl ExactSizeIterator<Item = u64>) {
        assert!(pieces.len() > 0, "{secret} is too short");
        self.secrets += 1;
        for (number, piece) in pieces.enumerate() {
            self.first[index(piece)] = true;
            let held = self.pieces.entry(piece).or_insert((secret, 8 * number));
            if held.0 == STRETCHED {
                *held = (secret, 8 * number);
            }
        }
    }

    /// Looks for what was noted from now on.
    pub(crate) fn take(&mut self, noted: &Noted) {
        for (secret, pieces) in noted.0.lock().unwrap().drain(..) {
            self.add_masked(secret, pieces.into_iter());
        }
    }

    /// Looks for what comes of this text, which is computed the first time.
    pub(crate) fn add_once(&mut self, text: &'static str, compute: impl FnOnce(&Noted)) {
        // By where it is: what it is would be left on the stack when it is hashed.
        let noted = self
            .computed
            .entry((text.as_ptr().addr(), text.len()))
            .or_insert_with(|| {
                let noted = Noted::default();
                compute(&noted);
                noted
            });
        let again = noted.0.lock().unwrap().clone();
        for (secret, pieces) in again {
            self.add_masked(secret, pieces.into_iter());
        }
    }

    /// A text, as it is and in UTF-16.
    #[inline(never)]
    pub(crate) fn add_text(&mut self, secret: &'static str, text: &str) {
        self.add(secret, text.as_bytes());
        for units in text.as_bytes().as_chunks::<4>().0 {
            let [a, b, c, d] = *units;
            let piece = masked(&[a, 0, b, 0, c, 0, d, 0]);
            self.first[index(piece)] = true;
            self.pieces.entry(piece).or_insert((secret, 0));
        }
    }

    /// The permutation of an RC4 stream, which has a word for an element.
    #[inline(never)]
    pub(crate) fn add_permutation(&mut self, secret: &'static str, elements: &[u8]) {
        self.common = Some(secret);
        self.secrets += 1;
        for (number, pair) in elements.as_chunks::<2>().0.iter().enumerate() {
            let [a, b] = *pair;
            let piece = masked(&[a, 0, 0, 0, b, 0, 0, 0]);
            self.first[index(piece)] = true;
            self.pieces.entry(piece).or_insert((secret, 8 * number));
        }
    }

    /// All pieces in all of memory.
    #[inline(never)]
    pub(crate) fn run(&mut self) -> &[Found] {
        self.look(|_| ControlFlow::Continue(()));
        let Self { common, found, .. } = self;
        let known: HashSet<_> = found.iter().map(|f| (f.address, f.offset)).collect();
        let in_a_row = |f: &Found| {
            known.contains(&(f.address + 8, f.offset + 8))
                || f.offset >= 8 && known.contains(&(f.address - 8, f.offset - 8))
        };
        found.retain(|f| Some(f.secret) != *common || in_a_row(f));
        found
    }

    /// Until `enough` breaks.
    fn look(&mut self, mut enough: impl FnMut(&Found) -> ControlFlow<()>) {
        let Self {
            memory,
            pieces,
            first,
            found,
            ..
        } = self;
        found.clear();
        for mapping in mappings() {
            let end = memory.each_word(&mapping, |address, word| {
                let word = masked(&word);
                if first[index(word)]
                    && let Some(&(secret, offset)) = pieces.get(&word)
                {
                    let piece = Found {
                        secret,
                        offset,
                        address,
                        mapping: mapping.name.clone(),
                    };
                    let end = enough(&piece);
                    found.push(piece);
                    return end;
                }
                ControlFlow::Continue(())
            });
            if end.is_break() {
                return;
            }
        }
    }

    /// Claim: none of the secrets is in memory. They are forgotten.
    #[track_caller]
    pub(crate) fn nothing(&mut self) {
        assert!(!self.pieces.is_empty(), "nothing to look for");
        let text: Vec<_> = self
            .run()
            .iter()
            .map(|found| format!("{found:x?}"))
            .collect();
        assert!(
            text.is_empty(),
            "{} are left:\n{}",
            text.len(),
            text.join("\n")
        );
        self.scenarios += 1;
        self.number += 1;
        self.pieces.clear();
        self.first.fill(false);
        self.common = None;
    }

    /// Another one in each scenario.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What was looked for since this was asked.
    pub(crate) fn counts(&mut self) -> String {
        let secrets = core::mem::take(&mut self.secrets);
        let scenarios = core::mem::take(&mut self.scenarios);
        format!("{scenarios} scenarios, {secrets} secrets")
    }

    /// Control: while they live, one of the secrets is found.
    #[track_caller]
    pub(crate) fn finds_any(&mut self) {
        assert!(
            self.finds_one(|_| true),
            "nothing is found while secrets live"
        );
    }

    /// Control: while it lives, the secret is found.
    #[track_caller]
    pub(crate) fn finds(&mut self, secret: &str) {
        let found = match self.common == Some(secret) {
            true => self.run().iter().any(|found| found.secret == secret),
            false => self.finds_one(|found| found.secret == secret),
        };
        assert!(found, "{secret} is not found while it lives");
    }

    fn finds_one(&mut self, is_meant: impl Fn(&Found) -> bool) -> bool {
        let (mut is_found, common) = (false, self.common);
        self.look(|found| {
            is_found = is_meant(found) && Some(found.secret) != common;
            match is_found {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        is_found
    }
}

/// Control: what is freed and not wiped is found on the heap, what is left on the stack is found there, and what is
/// wiped is not.
fn what_is_in_memory_is_found(search: &mut Search) {
    let secret = || (0..32_u8).map(|n| n.wrapping_mul(0x4f) ^ 0xa5);
    let mut on_heap: Box<[u8]> = secret().collect();
    search.add("on the heap", &on_heap);
    search.finds("on the heap");
    on_heap.fill(0);
    black_box(&on_heap);
    search.nothing();

    let freed: Vec<u8> = secret().chain([0; 100]).collect();
    search.add("freed", &freed[..32]);
    drop(black_box(freed));
    search.finds("freed");
    // What was allocated in its place is wiped with it.
    black_box(vec![0x55_u8; 132]);

    let mut on_stack = [0_u8; 32];
    for (to, from) in on_stack.iter_mut().zip(secret()) {
        *to = from;
    }
    search.add("on the stack", black_box(&on_stack));
    let found = search.run().iter();
    let stacks: Vec<_> = found.filter(|found| found.mapping == "[stack]").collect();
    assert!(!stacks.is_empty());
    on_stack.fill(0);
    black_box(&on_stack);
    search.nothing();
}
