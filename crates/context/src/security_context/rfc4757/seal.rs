//! Making tokens of RFC 4757.

use countersign_crypto::rc4::{GssKey, TokenUsage};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::rfc1964::Rfc1964Header;

use super::{
    CONFOUNDER, COVERED, Frame, HEADER, MIC_LEN, PADDING, direction, iov_parts, mechanism,
};
use crate::error::{Error, ErrorKind};
use crate::security_context::confounder::Confounders;
use crate::security_context::facts::KerberosFacts;
use crate::security_context::iov::{self, Gathered, IoBuffer, Survey};
use crate::security_context::order::SendSequence;

/// The sending direction.
pub(crate) struct Rfc4757Sender {
    key: GssKey,
    confounders: Confounders,
}

impl Rfc4757Sender {
    pub(crate) fn new(facts: KerberosFacts<'_>) -> Self {
        Self {
            key: GssKey::new(&facts.keys.key),
            confounders: Confounders::new(&facts.keys.confounder_seed),
        }
    }

    fn header(seal: bool) -> Rfc1964Header {
        Rfc1964Header {
            tok_id: TokenId::Rfc1964Wrap,
            sgn_alg: Rfc1964Header::SGN_ALG_HMAC,
            seal_alg: if seal {
                Rfc1964Header::SEAL_ALG_RC4
            } else {
                Rfc1964Header::SEAL_ALG_NONE
            },
            snd_seq: [0; 8],
            sgn_cksum: [0; 8],
        }
    }

    /// Puts checksum and encrypted sequence number into a header.
    fn finish(
        &self,
        facts: KerberosFacts<'_>,
        header: &mut Rfc1964Header,
        number: u32,
        checksum: [u8; 8],
    ) {
        let [a, b, c, d] = number.to_be_bytes();
        let [e, f, g, h] = direction(facts.role);
        header.sgn_cksum = checksum;
        header.snd_seq = [a, b, c, d, e, f, g, h];
        self.key.apply_to_sequence(&checksum, &mut header.snd_seq);
    }

    /// Makes `buffer` a token; the message in it has its overhead around it.
    pub(crate) fn wrap_in_place(
        &mut self,
        facts: KerberosFacts<'_>,
        sequence: &mut SendSequence,
        seal: bool,
        buffer: &mut [u8],
    ) -> Result<(), Error> {
        let layout = ErrorKind::BufferLayout;
        let frame = Frame::within(mechanism(facts), buffer.len()).ok_or(layout)?;
        let (head, rest) = buffer.split_at_mut_checked(frame.len).ok_or(layout)?;
        let (place, data) = rest
            .split_first_chunk_mut::<{ Rfc1964Header::LEN }>()
            .ok_or(layout)?;
        if data.len() < CONFOUNDER.saturating_add(PADDING) {
            return Err(layout.into());
        }
        let number = low(sequence.peek()?);
        head.copy_from_slice(frame.as_bytes());
        self.fill_confounder(data)?;
        // RFC 1964 §1.2.2.3: each byte of padding is the padding's length.
        if let Some(last) = data.last_mut() {
            *last = 1;
        }
        let mut header = Self::header(seal);
        let covered = covered(&header);
        let tag = checksum(
            self.key
                .checksum(TokenUsage::Wrap, &[&covered, data])
                .as_bytes(),
        )?;
        self.finish(facts, &mut header, number, tag);
        if seal {
            self.key.data_stream(number).apply(data);
        }
        *place = header.to_bytes();
        sequence.advance();
        Ok(())
    }

    pub(crate) fn get_mic(
        &mut self,
        facts: KerberosFacts<'_>,
        sequence: &mut SendSequence,
        message: &[IoBuffer<'_>],
    ) -> Result<Vec<u8>, Error> {
        let number = low(sequence.peek()?);
        let frame = Frame::around(mechanism(facts), Rfc1964Header::LEN)
            .ok_or(ErrorKind::Internal("frame of a MIC"))?;
        let mut header = Self::header(false);
        header.tok_id = TokenId::Rfc1964Mic;
        let covered = covered(&header);
        let tag = iov::with_parts(Some(&covered), message, None, |parts| {
            checksum(self.key.checksum(TokenUsage::Mic, parts).as_bytes())
        })?;
        self.finish(facts, &mut header, number, tag);
        let mut token = Vec::with_capacity(MIC_LEN);
        token.extend_from_slice(frame.as_bytes());
        token.extend_from_slice(&header.to_bytes());
        sequence.advance();
        Ok(token)
    }

    /// Protects scattered buffers: `Header | Data… | Padding`, an empty trailer.
    pub(crate) fn wrap_iov(
        &mut self,
        facts: KerberosFacts<'_>,
        sequence: &mut SendSequence,
        seal: bool,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(), Error> {
        let survey = Survey::of_header(buffers)?;
        let parts = iov_parts(facts, &survey)?;
        iov::fit(buffers, parts)?;
        let number = low(sequence.peek()?);
        let following = if facts.dce_style() {
            0
        } else {
            survey.data.saturating_add(parts.padding)
        };
        let inner = HEADER.saturating_add(following);
        let frame = Frame::around(mechanism(facts), inner).ok_or(ErrorKind::Overflow)?;
        if frame.len.saturating_add(HEADER) != parts.header {
            return Err(ErrorKind::Internal("length of a frame").into());
        }
        for buffer in buffers.iter_mut() {
            if let IoBuffer::Padding(bytes) = buffer {
                bytes.fill(1);
            }
        }
        let mut confounder = [0; CONFOUNDER];
        self.fill_confounder(&mut confounder)?;
        let mut header = Self::header(seal);
        let mut before = [0; COVERED + CONFOUNDER];
        let (first, second) = before.split_at_mut(COVERED);
        first.copy_from_slice(&covered(&header));
        second.copy_from_slice(&confounder);
        let tag = iov::with_parts(Some(&before), buffers, None, |parts| {
            checksum(self.key.checksum(TokenUsage::Wrap, parts).as_bytes())
        })?;
        self.finish(facts, &mut header, number, tag);
        let Gathered {
            header: Some(place),
            mut segments,
            ..
        } = iov::gather(buffers)
        else {
            return Err(ErrorKind::BufferLayout.into());
        };
        if seal {
            let mut stream = self.key.data_stream(number);
            stream.apply(&mut confounder);
            segments.sealed_mut().for_each(|bytes| stream.apply(bytes));
        }
        let cut = ErrorKind::Internal("length of a header");
        let (head, rest) = place.split_at_mut_checked(frame.len).ok_or(cut)?;
        let (middle, last) = rest.split_at_mut_checked(Rfc1964Header::LEN).ok_or(cut)?;
        head.copy_from_slice(frame.as_bytes());
        middle.copy_from_slice(&header.to_bytes());
        last.copy_from_slice(&confounder);
        sequence.advance();
        Ok(())
    }

    fn fill_confounder(&mut self, data: &mut [u8]) -> Result<(), Error> {
        let confounder = self.confounders.next()?;
        for (place, byte) in data.iter_mut().zip(confounder.iter().take(CONFOUNDER)) {
            *place = *byte;
        }
        Ok(())
    }
}

/// The number on the wire.
#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are sent")]
fn low(number: u64) -> u32 {
    number as u32
}

/// The first 8 bytes of a header, which do not depend on its other fields.
pub(super) fn covered(header: &Rfc1964Header) -> [u8; COVERED] {
    let mut covered = [0; COVERED];
    for (place, byte) in covered.iter_mut().zip(header.to_bytes()) {
        *place = byte;
    }
    covered
}

fn checksum(tag: &[u8]) -> Result<[u8; 8], Error> {
    tag.try_into()
        .map_err(|_| ErrorKind::Internal("length of SGN_CKSUM").into())
}
