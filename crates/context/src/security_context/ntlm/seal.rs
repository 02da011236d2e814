//! Making signatures.

use countersign_crypto::ntlm::Stream;
use countersign_token::ntlm::MessageSignature;

use super::keys::{Channel, NtlmKeys};
use super::{PARTS, SIGNATURE};
use crate::error::{Error, ErrorKind};
use crate::security_context::Role;
use crate::security_context::iov::{self, Gathered, IoBuffer, Survey};
use crate::security_context::order::SendSequence;

/// The sending direction.
pub(crate) struct NtlmSender {
    channel: Channel,
}

impl NtlmSender {
    pub(crate) fn new(keys: &NtlmKeys, role: Role) -> Self {
        Self {
            channel: Channel::new(keys, role),
        }
    }

    pub(crate) fn stream(&self) -> Option<&Stream> {
        self.channel.stream()
    }

    pub(crate) fn resume(&mut self, exported: Option<Stream>) -> bool {
        self.channel.resume(exported)
    }

    /// Makes `buffer` a token; the message in it has its overhead before it.
    pub(crate) fn wrap_in_place(
        &mut self,
        sequence: &mut SendSequence,
        buffer: &mut [u8],
    ) -> Result<(), Error> {
        let number = low(sequence.peek()?);
        let (place, message) = buffer
            .split_first_chunk_mut::<SIGNATURE>()
            .ok_or(ErrorKind::BufferLayout)?;
        let checksum = self.channel.protect(number, &mut [IoBuffer::Data(message)]);
        *place = signature(number, checksum);
        sequence.advance();
        Ok(())
    }

    pub(crate) fn get_mic(
        &mut self,
        sequence: &mut SendSequence,
        message: &[IoBuffer<'_>],
    ) -> Result<Vec<u8>, Error> {
        let number = low(sequence.peek()?);
        let checksum = self.channel.sign(number, message);
        sequence.advance();
        Ok(signature(number, checksum).to_vec())
    }

    /// Protects scattered buffers: the header takes the signature.
    pub(crate) fn wrap_iov(
        &mut self,
        sequence: &mut SendSequence,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(), Error> {
        Survey::of_header(buffers)?;
        iov::fit(buffers, PARTS)?;
        let number = low(sequence.peek()?);
        let checksum = self.channel.protect(number, buffers);
        let Gathered {
            header: Some(place),
            ..
        } = iov::gather(buffers)
        else {
            return Err(ErrorKind::BufferLayout.into());
        };
        place.copy_from_slice(&signature(number, checksum));
        sequence.advance();
        Ok(())
    }
}

fn signature(sequence: u32, checksum: [u8; 8]) -> [u8; SIGNATURE] {
    MessageSignature { checksum, sequence }.to_bytes()
}

/// The number on the wire.
#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are sent")]
fn low(number: u64) -> u32 {
    number as u32
}
