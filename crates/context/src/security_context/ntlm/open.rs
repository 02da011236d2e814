//! Verifying signatures.

use countersign_crypto::ntlm::Stream;
use countersign_token::ntlm::MessageSignature;
use countersign_token::{DecodeError, DecodeErrorKind};

use super::SIGNATURE;
use super::keys::{Channel, NtlmKeys};
use crate::error::{Error, ErrorKind};
use crate::security_context::Role;
use crate::security_context::cfx::Opened;
use crate::security_context::iov::{self, IoBuffer, Protection, Survey};
use crate::security_context::order::ReceiveWindow;

/// The receiving direction.
pub(crate) struct NtlmReceiver {
    channel: Channel,
}

impl NtlmReceiver {
    pub(crate) fn new(keys: &NtlmKeys, role: Role) -> Self {
        Self {
            channel: Channel::new(keys, role.other()),
        }
    }

    pub(crate) fn stream(&self) -> Option<&Stream> {
        self.channel.stream()
    }

    pub(crate) fn resume(&mut self, exported: Option<Stream>) -> bool {
        self.channel.resume(exported)
    }

    /// Reads a signature. On a connection it must be that of the message that is due, as the
    /// key stream stands there and nowhere else.
    fn signature(
        &self,
        window: &ReceiveWindow,
        bytes: &[u8],
    ) -> Result<(MessageSignature, u64), Error> {
        let signature = MessageSignature::parse(bytes).map_err(ErrorKind::DefectiveToken)?;
        let number = window.widen(signature.sequence);
        let due = window.due();
        if !self.channel.is_datagram() && number != due {
            let kind = if number < due {
                ErrorKind::MessageDuplicate
            } else {
                ErrorKind::MessageGap
            };
            return Err(kind.into());
        }
        Ok((signature, number))
    }

    fn protection(&self) -> Protection {
        if self.channel.seals() {
            Protection::Sealed
        } else {
            Protection::Signed
        }
    }

    /// Opens a whole token in place.
    pub(crate) fn unwrap(
        &mut self,
        window: &ReceiveWindow,
        token: &mut [u8],
    ) -> Result<Opened, Error> {
        let length = token.len();
        let Some((header, message)) = token.split_first_chunk_mut::<SIGNATURE>() else {
            return Err(truncated(length));
        };
        let (MessageSignature { checksum, sequence }, number) = self.signature(window, header)?;
        let mut buffers = [IoBuffer::Data(message)];
        if !self.channel.open(sequence, &mut buffers, checksum) {
            iov::wipe(&mut buffers);
            return Err(ErrorKind::MessageModified.into());
        }
        Ok(Opened {
            message: SIGNATURE..length,
            protection: self.protection(),
            sequence: number,
        })
    }

    pub(crate) fn verify_mic(
        &mut self,
        window: &ReceiveWindow,
        message: &[IoBuffer<'_>],
        mic: &[u8],
    ) -> Result<u64, Error> {
        let (MessageSignature { checksum, sequence }, number) = self.signature(window, mic)?;
        if self.channel.verify(sequence, message, &checksum) {
            Ok(number)
        } else {
            Err(ErrorKind::MessageModified.into())
        }
    }

    /// Opens scattered buffers in place.
    pub(crate) fn unwrap_iov(
        &mut self,
        window: &ReceiveWindow,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, u64), Error> {
        let survey = Survey::of(buffers)?;
        let header = if survey.streams == 0 {
            Survey::of_header(buffers)?;
            let beside = |buffer: &IoBuffer<'_>| matches!(buffer, IoBuffer::Padding(bytes) | IoBuffer::Trailer(bytes) if !bytes.is_empty());
            if buffers.iter().any(beside) {
                return Err(ErrorKind::BufferLayout.into());
            }
            let header = iov::header_bytes(buffers);
            header.try_into().map_err(|_| ErrorKind::BufferLayout)?
        } else {
            let stream = iov::take_stream(buffers)?;
            let length = stream.len();
            let Some((header, message)) = stream.split_first_chunk_mut::<SIGNATURE>() else {
                return Err(truncated(length));
            };
            iov::place_message(buffers, message);
            *header
        };
        let (MessageSignature { checksum, sequence }, number) = self.signature(window, &header)?;
        if !self.channel.open(sequence, buffers, checksum) {
            iov::wipe(buffers);
            return Err(ErrorKind::MessageModified.into());
        }
        Ok((self.protection(), number))
    }
}

fn truncated(length: usize) -> Error {
    let missing = SIGNATURE.saturating_sub(length);
    let error = DecodeError::new(length, DecodeErrorKind::Truncated { missing });
    ErrorKind::DefectiveToken(error).into()
}
