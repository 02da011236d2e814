//! The one function that compares MACs, what decrypts and verifies under each enctype, and controls
//! that compare as one must not.

use std::hint::black_box;

use countersign_benches::Result;
use countersign_crypto::{Cipher, Enctype, Error, Key, KeyUsage, Mac, verify_equal};
use countersign_testkit::SeededRandom;

use crate::cases::{Case, Class, Promise, Subject, altered};

const USAGE: KeyUsage = KeyUsage(2);

const PLAIN: [u8; 64] = [0x42; 64];

/// A comparison is shorter than what the clock tells: so many are one call.
const COMPARISONS: usize = 16;

pub(crate) fn cases() -> Vec<Case> {
    let unlike = Promise::Unlike;
    let mut cases = vec![
        Case::new("control/compare/16", || Ok(compare(16, byte_by_byte))).promising(unlike),
        Case::new("control/checksum", || {
            checksum(Enctype::Aes256CtsHmacSha1_96, true)
        })
        .promising(unlike),
    ];
    for length in [8, 12, 16, 24] {
        let name = format!("compare/{length}");
        cases.push(Case::new(name, move || Ok(compare(length, verify_equal))));
    }
    for &enctype in Enctype::ALL {
        let name = |what: &str| format!("{what}/{}", enctype.name());
        // rc4-hmac makes its MAC a key of the data (RFC 4757 §4): with a wrong one all is wrong, and no
        // MAC is nearer to the truth than another.
        if enctype != Enctype::Rc4Hmac {
            cases.push(Case::new(name("decrypt"), move || decrypt(enctype)));
        }
        cases.push(Case::new(name("checksum"), move || {
            checksum(enctype, false)
        }));
    }
    cases
}

/// How one does not do it.
fn byte_by_byte(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one == other)
}

type Equal = fn(&[u8], &[u8]) -> bool;

struct Compare {
    equal: Equal,
    genuine: Vec<u8>,
    inputs: [Vec<u8>; 2],
    input: Vec<u8>,
    found: bool,
}

fn compare(length: usize, equal: Equal) -> Compare {
    let genuine = vec![0x5a; length];
    Compare {
        equal,
        inputs: altered(&genuine, 0, length - 1),
        input: genuine.clone(),
        genuine,
        found: true,
    }
}

impl Subject for Compare {
    fn prepare(&mut self, class: Class) {
        self.input.copy_from_slice(&self.inputs[class]);
    }

    fn run(&mut self) {
        for _ in 0..COMPARISONS {
            self.found = (self.equal)(black_box(&self.genuine), black_box(&self.input));
        }
    }

    fn outcome(&self) -> String {
        self.found.to_string()
    }
}

struct Decrypt {
    cipher: Cipher,
    inputs: [Vec<u8>; 2],
    input: Vec<u8>,
    found: Result<(), Error>,
}

fn decrypt(enctype: Enctype) -> Result<Decrypt> {
    let mut random = SeededRandom::new(1);
    let key = Key::generate(enctype, &mut random)?;
    let genuine = key.encrypt(USAGE, &PLAIN, &mut random)?;
    let cipher = key.cipher(USAGE);
    cipher.decrypt_in_place(&mut genuine.clone())?;
    let first = genuine.len() - cipher.trailer_len();
    Ok(Decrypt {
        cipher,
        inputs: altered(&genuine, first, genuine.len() - 1),
        input: genuine,
        found: Ok(()),
    })
}

impl Subject for Decrypt {
    fn prepare(&mut self, class: Class) {
        self.input.copy_from_slice(&self.inputs[class]);
    }

    fn run(&mut self) {
        let opened = self.cipher.decrypt_in_place(black_box(&mut self.input));
        self.found = opened.map(|plain| {
            black_box(plain);
        });
    }

    fn outcome(&self) -> String {
        format!("{:?}", self.found)
    }
}

struct Checksum {
    mac: Mac,
    inputs: [Vec<u8>; 2],
    input: Vec<u8>,
    carelessly: bool,
    found: Result<(), Error>,
}

fn checksum(enctype: Enctype, carelessly: bool) -> Result<Checksum> {
    let mac = Key::generate(enctype, &mut SeededRandom::new(2))?.mac(USAGE);
    let genuine = mac.compute(&[&PLAIN]).as_bytes().to_vec();
    mac.verify(&[&PLAIN], &genuine)?;
    Ok(Checksum {
        mac,
        inputs: altered(&genuine, 0, genuine.len() - 1),
        input: genuine,
        carelessly,
        found: Ok(()),
    })
}

impl Subject for Checksum {
    fn prepare(&mut self, class: Class) {
        self.input.copy_from_slice(&self.inputs[class]);
    }

    fn run(&mut self) {
        let (covered, input) = (black_box(&PLAIN[..]), black_box(&self.input[..]));
        self.found = if !self.carelessly {
            self.mac.verify(&[covered], input)
        } else if byte_by_byte(self.mac.compute(&[covered]).as_bytes(), input) {
            Ok(())
        } else {
            Err(Error::Integrity)
        };
    }

    fn outcome(&self) -> String {
        format!("{:?}", self.found)
    }
}
