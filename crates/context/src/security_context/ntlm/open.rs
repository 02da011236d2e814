//! Verifying signatures.

use core::cmp::Ordering;

use countersign_crypto::ntlm::Stream;
use countersign_token::ntlm::MessageSignature;

use super::SIGNATURE;
use super::keys::{Channel, NtlmKeys};
use crate::error::{Error, ErrorKind};
use crate::security_context::Role;
use crate::security_context::cfx::Opened;
use crate::security_context::iov::{self, IoBuffer, Protection};
use crate::security_context::order::ReceiveWindow;

/// Whether a token has the number that the application expects.
pub(crate) fn check_number(token: &[u8], expected: u32) -> Result<(), Error> {
    let signature = token.get(..SIGNATURE).unwrap_or(token);
    let found = MessageSignature::parse(signature).map_err(ErrorKind::DefectiveToken)?;
    match found.sequence.cmp(&expected) {
        Ordering::Less => Err(ErrorKind::MessageUnsequenced.into()),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(ErrorKind::MessageGap.into()),
    }
}

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
        let (header, message) = token
            .split_first_chunk_mut::<SIGNATURE>()
            .ok_or_else(|| iov::truncated(length, SIGNATURE))?;
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
        let header: [u8; SIGNATURE] = iov::take_header(buffers, SIGNATURE)?
            .try_into()
            .map_err(|_| ErrorKind::BufferLayout)?;
        let (MessageSignature { checksum, sequence }, number) = self.signature(window, &header)?;
        if !self.channel.open(sequence, buffers, checksum) {
            iov::wipe(buffers);
            return Err(ErrorKind::MessageModified.into());
        }
        Ok((self.protection(), number))
    }
}
