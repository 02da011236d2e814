//! What a function leaves on the stack, where the next one finds it.

use core::hint::black_box;

/// As deep as the engine goes, in bytes.
const DEPTH: usize = 16 * 1024;

/// Does work with secrets, and overwrites the stack that it used.
///
/// A value that is moved leaves a copy in its old place, and compilers keep copies that no program sees. Secrets here
/// stay where they are and wipe themselves, but the schedules of ciphers, states of hashes and blocks between two
/// steps of a computation are on the stack: 16 KiB below the caller are overwritten once the work is done. What the
/// work returns must not be the secret itself.
///
/// The engine does so in every step of a handshake, and not for each message.
///
/// ```
/// use countersign_crypto::{Enctype, Key, wiping_stack};
///
/// let key = Key::new(Enctype::Aes256CtsHmacSha1_96, &[7; 32])?;
/// let output = wiping_stack(|| key.prf(b"for what"));
/// assert_eq!(output.len(), 16);
/// # Ok::<(), countersign_crypto::Error>(())
/// ```
pub fn wiping_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = below(work);
    overwrite();
    result
}

/// A frame of its own, which [`overwrite`] is then in the place of.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite() {
    black_box(&mut [0_u8; DEPTH]);
}
