//! Messages of an established context. `sspi` is the acceptor.

use countersign_context::SecurityContext;
use sspi::{EncryptionFlags, SecurityBufferFlags, SecurityBufferRef, Sspi};

use crate::Result;
use crate::meter::Meter;

/// Tokens that are made at once: few enough for a processor's cache.
const BATCH_TOKENS: usize = 256;
const BATCH_BYTES: usize = 256 << 10;

/// The length of a signature of NTLM (MS-NLMP §2.2.2.9).
const SIGNATURE: usize = 16;

/// Countersign's initiator and the acceptor of `sspi`.
pub trait Pair {
    type Context: Sspi;

    fn ours(&mut self) -> &mut SecurityContext;

    fn theirs(&mut self) -> &mut Self::Context;

    /// How long what stands before a message is.
    fn trailer(&mut self) -> Result<usize>;

    /// Countersign's token as `sspi` takes it.
    fn adapt(token: &mut [u8]) -> Result<()>;
}

/// `EncryptMessage` over one buffer again and again.
pub fn wrap<P: Pair>(pair: &mut P, seal: bool, size: usize, times: usize) -> Result<Meter> {
    let plain = message(size);
    let mut trailer = vec![0; pair.trailer()?];
    let mut data = plain.clone();
    encrypt(pair.theirs(), seal, &mut trailer, &mut data)?;
    let opened = pair.ours().unwrap(&[trailer.as_slice(), &data].concat())?;
    if opened.message != plain || opened.sealed != seal {
        return Err("wrapped another message".into());
    }
    let theirs = pair.theirs();
    let mut meter = Meter::default();
    meter
        .measure(|| (0..times).try_for_each(|_| encrypt(theirs, seal, &mut trailer, &mut data)))?;
    Ok(meter)
}

/// `DecryptMessage`, each token once; what it made of them is compared afterwards.
pub fn unwrap<P: Pair>(pair: &mut P, seal: bool, size: usize, times: usize) -> Result<Meter> {
    let plain = message(size);
    unwrap_batch(pair, seal, &plain, 1)?;
    in_batches(size, times, |count| unwrap_batch(pair, seal, &plain, count))
}

fn unwrap_batch<P: Pair>(pair: &mut P, seal: bool, plain: &[u8], count: usize) -> Result<Meter> {
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        let mut token = pair.ours().wrap(seal, plain)?;
        P::adapt(&mut token)?;
        tokens.push(token);
    }
    let theirs = pair.theirs();
    let mut meter = Meter::default();
    meter.measure(|| {
        let mut tokens = tokens.iter_mut();
        tokens.try_for_each(|token| decrypt(theirs, seal, token))
    })?;
    // The message is left where the sealed one was, at the end.
    match tokens.iter().all(|token| token.ends_with(plain)) {
        true => Ok(meter),
        false => Err("unwrapped another message".into()),
    }
}

/// `MakeSignature` over one message again and again.
pub fn mic<P: Pair>(pair: &mut P, size: usize, times: usize) -> Result<Meter> {
    let mut data = message(size);
    let mut signature = [0; SIGNATURE];
    let mut number = 0;
    sign(pair.theirs(), number, &mut signature, &mut data)?;
    pair.ours().verify_mic(&data, &signature)?;
    let theirs = pair.theirs();
    let mut meter = Meter::default();
    meter.measure(|| {
        (0..times).try_for_each(|_| {
            number += 1;
            sign(theirs, number, &mut signature, &mut data)
        })
    })?;
    Ok(meter)
}

/// `VerifySignature`, each signature once.
pub fn verify<P: Pair>(pair: &mut P, size: usize, times: usize) -> Result<Meter> {
    let mut data = message(size);
    let mut number = 0;
    let mut batch = |count| {
        let mut signatures = (0..count)
            .map(|_| Ok(pair.ours().get_mic(&data)?))
            .collect::<Result<Vec<_>>>()?;
        let theirs = pair.theirs();
        let mut meter = Meter::default();
        meter.measure(|| {
            signatures.iter_mut().try_for_each(|signature| {
                let mut buffers = [
                    SecurityBufferRef::token_buf(signature),
                    SecurityBufferRef::data_buf(&mut data),
                ];
                theirs.verify_signature(&mut buffers, number)?;
                number += 1;
                Ok::<_, sspi::Error>(())
            })
        })?;
        Ok(meter)
    };
    batch(1)?;
    in_batches(SIGNATURE, times, batch)
}

fn in_batches(
    size: usize,
    times: usize,
    mut batch: impl FnMut(usize) -> Result<Meter>,
) -> Result<Meter> {
    let most = (BATCH_BYTES / size.max(1)).clamp(1, BATCH_TOKENS);
    let mut total = Meter::default();
    let mut left = times;
    while left > 0 {
        let count = left.min(most);
        total.add(&batch(count)?);
        left -= count;
    }
    Ok(total)
}

fn message(size: usize) -> Vec<u8> {
    (0..size).map(|position| (position % 251) as u8).collect()
}

pub fn encrypt(
    theirs: &mut impl Sspi,
    seal: bool,
    trailer: &mut [u8],
    data: &mut [u8],
) -> sspi::Result<()> {
    let mut buffers = [
        SecurityBufferRef::token_buf(trailer),
        SecurityBufferRef::data_buf(data).with_flags(protection(seal)),
    ];
    theirs.encrypt_message(EncryptionFlags::empty(), &mut buffers)?;
    Ok(())
}

pub fn decrypt(theirs: &mut impl Sspi, seal: bool, token: &mut [u8]) -> sspi::Result<()> {
    if seal {
        let mut buffers = [
            SecurityBufferRef::stream_buf(token),
            SecurityBufferRef::data_buf(&mut []),
        ];
        theirs.decrypt_message(&mut buffers)?;
    } else {
        let (signature, data) = token.split_at_mut(SIGNATURE);
        let mut buffers = [
            SecurityBufferRef::token_buf(signature),
            SecurityBufferRef::data_buf(data).with_flags(protection(seal)),
        ];
        theirs.decrypt_message(&mut buffers)?;
    }
    Ok(())
}

fn sign(
    theirs: &mut impl Sspi,
    number: u32,
    signature: &mut [u8],
    data: &mut [u8],
) -> sspi::Result<()> {
    let mut buffers = [
        SecurityBufferRef::token_buf(signature),
        SecurityBufferRef::data_buf(data),
    ];
    theirs.make_signature(0, &mut buffers, number)
}

/// Data that is signed but not sealed is read-only to the package.
fn protection(seal: bool) -> SecurityBufferFlags {
    match seal {
        true => SecurityBufferFlags::NONE,
        false => SecurityBufferFlags::SECBUFFER_READONLY_WITH_CHECKSUM,
    }
}
