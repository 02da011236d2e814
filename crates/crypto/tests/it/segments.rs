use countersign_crypto::{Cipher, Enctype, Error, Key, KeyUsage, Segment};

/// Plaintext lengths on both sides of every boundary that the code has: blocks, the stolen tail, the
/// chunks in which hash and cipher alternate.
const LENGTHS: [usize; 12] = [0, 1, 15, 16, 17, 31, 32, 33, 63, 176, 300, 1030];

fn cipher(enctype: Enctype) -> Cipher {
    let secret: Vec<u8> = (1..).take(enctype.key_len()).collect();
    Key::new(enctype, &secret)
        .unwrap()
        .cipher(KeyUsage::INITIATOR_SEAL)
}

fn message(len: usize) -> Vec<u8> {
    (0u32..)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .take(len)
        .collect()
}

/// The sealed bytes and the MAC, through the contiguous call.
fn contiguous(cipher: &Cipher, plain: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (confounder, data) = plain.split_at(cipher.confounder_len());
    let mut out = Vec::new();
    cipher.encrypt_into(confounder, &[data], &mut out).unwrap();
    if cipher.confounder_offset() == 0 {
        let tag = out.split_off(plain.len());
        (out, tag)
    } else {
        let sealed = out.split_off(cipher.trailer_len());
        (sealed, out)
    }
}

#[test]
fn two_segments_equal_the_contiguous_message_for_every_split() {
    for &enctype in Enctype::ALL {
        let cipher = cipher(enctype);
        for len in LENGTHS {
            let plain = message(cipher.confounder_len() + len);
            let (sealed, tag) = contiguous(&cipher, &plain);
            for split in 0..=plain.len() {
                let mut buffer = plain.clone();
                let mut trailer = vec![0; cipher.trailer_len()];
                let (head, tail) = buffer.split_at_mut(split);
                let mut segments = [Segment::Sealed(head), Segment::Sealed(tail)];
                cipher.seal_segments(&mut segments, &mut trailer).unwrap();
                cipher_text_is(&buffer, &sealed, &trailer, &tag);

                let (head, tail) = buffer.split_at_mut(split);
                let mut segments = [Segment::Sealed(head), Segment::Sealed(tail)];
                cipher.open_segments(&mut segments, &trailer).unwrap();
                assert_eq!(buffer, plain, "{enctype} {len} {split}");
            }
        }
    }
}

fn cipher_text_is(sealed: &[u8], expected: &[u8], tag: &[u8], expected_tag: &[u8]) {
    assert_eq!(sealed, expected);
    assert_eq!(tag, expected_tag);
}

#[test]
fn pieces_of_any_size_equal_the_contiguous_message() {
    for &enctype in Enctype::ALL {
        let cipher = cipher(enctype);
        for len in LENGTHS {
            let plain = message(cipher.confounder_len() + len);
            let (sealed, tag) = contiguous(&cipher, &plain);
            for size in 1..70 {
                let mut buffer = plain.clone();
                let mut trailer = vec![0; cipher.trailer_len()];
                let mut segments: Vec<_> = buffer.chunks_mut(size).map(Segment::Sealed).collect();
                cipher.seal_segments(&mut segments, &mut trailer).unwrap();
                cipher_text_is(&buffer, &sealed, &trailer, &tag);
                let mut segments: Vec<_> = buffer.chunks_mut(size).map(Segment::Sealed).collect();
                cipher.open_segments(&mut segments, &trailer).unwrap();
                assert_eq!(buffer, plain, "{enctype} {len} {size}");
            }
        }
    }
}

/// The cipher runs across the sealed segments as though the associated ones were not there, and the MAC
/// covers all of them where they stand.
#[test]
fn associated_bytes_are_covered_where_they_stand_and_not_ciphered() {
    const HEADER: &[u8] = b"header";
    const BETWEEN: &[u8] = b"between the blocks";
    for &enctype in Enctype::ALL {
        let cipher = cipher(enctype);
        for len in [0, 1, 16, 17, 33, 63, 300] {
            let plain = message(cipher.confounder_len() + len);
            let (plain_sealed, plain_tag) = contiguous(&cipher, &plain);
            for split in 0..=plain.len() {
                let mut buffer = plain.clone();
                let mut trailer = vec![0; cipher.trailer_len()];
                let seal = |buffer: &mut [u8], trailer: &mut [u8]| {
                    let (head, tail) = buffer.split_at_mut(split);
                    let mut segments = [
                        Segment::Associated(HEADER),
                        Segment::Sealed(head),
                        Segment::Associated(BETWEEN),
                        Segment::Associated(&[]),
                        Segment::Sealed(tail),
                        Segment::Associated(HEADER),
                    ];
                    cipher.seal_segments(&mut segments, trailer).unwrap();
                };
                let open = |buffer: &mut [u8], trailer: &[u8], header, between, last| {
                    let (head, tail) = buffer.split_at_mut(split);
                    let mut segments = [
                        Segment::Associated(header),
                        Segment::Sealed(head),
                        Segment::Associated(between),
                        Segment::Sealed(tail),
                        Segment::Associated(last),
                    ];
                    cipher.open_segments(&mut segments, trailer)
                };
                seal(&mut buffer, &mut trailer);
                assert_ne!(trailer, plain_tag);
                // RC4's key depends on the MAC; the block ciphers' does not.
                if cipher.confounder_len() == 16 {
                    assert_eq!(buffer, plain_sealed);
                }
                let sealed = buffer.clone();
                open(&mut buffer, &trailer, HEADER, BETWEEN, HEADER).unwrap();
                assert_eq!(buffer, plain, "{enctype} {len} {split}");
                // Enough splits to have the associated bytes inside and between blocks.
                let changes = if split % 7 == 0 { 5 } else { 0 };
                for (header, between, last) in [
                    (&b"heades"[..], BETWEEN, HEADER),
                    (HEADER, &b"between the clocks"[..], HEADER),
                    (HEADER, BETWEEN, &b"heades"[..]),
                    (HEADER, HEADER, BETWEEN),
                    (HEADER, BETWEEN, &b""[..]),
                ]
                .into_iter()
                .take(changes)
                {
                    let mut buffer = sealed.clone();
                    let outcome = open(&mut buffer, &trailer, header, between, last);
                    assert_eq!(outcome, Err(Error::Integrity));
                }
            }
        }
    }
}

#[test]
fn in_place_and_appending_calls_agree() {
    for &enctype in Enctype::ALL {
        let cipher = cipher(enctype);
        for len in LENGTHS {
            let plain = message(cipher.confounder_len() + len);
            let (confounder, data) = plain.split_at(cipher.confounder_len());
            let mut appended = Vec::new();
            cipher
                .encrypt_into(confounder, &[data], &mut appended)
                .unwrap();
            let mut buffer = vec![0xEE; cipher.sealed_len(len)];
            let start = cipher.confounder_offset();
            buffer[start..start + plain.len()].copy_from_slice(&plain);
            cipher.encrypt_in_place(&mut buffer).unwrap();
            assert_eq!(buffer, appended, "{enctype} {len}");
            assert_eq!(cipher.decrypt_in_place(&mut buffer).unwrap(), data);
        }
    }
}
