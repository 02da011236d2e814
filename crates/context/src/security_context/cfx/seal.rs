//! Making tokens of RFC 4121.

use countersign_crypto::{Cipher, Mac};
use countersign_token::kerberos::cfx::{MicHeader, WrapHeader};

use super::{CONFOUNDER, DirectionKeys, HEADER, Pieces, dce_extra, flags, internal};
use crate::error::{Error, ErrorKind};
use crate::security_context::confounder::Confounders;
use crate::security_context::facts::KerberosFacts;
use crate::security_context::iov::{self, Gathered, IoBuffer, IovParts, Survey};
use crate::security_context::order::SendSequence;

/// The sending direction.
pub(crate) struct CfxSender {
    keys: DirectionKeys,
    confounders: Confounders,
}

impl CfxSender {
    pub(crate) fn new(facts: KerberosFacts<'_>) -> Self {
        Self {
            keys: DirectionKeys::new(facts.role),
            confounders: Confounders::new(&facts.keys.confounder_seed),
        }
    }

    fn header(facts: KerberosFacts<'_>, sealed: bool, seq: u64) -> WrapHeader {
        WrapHeader {
            flags: flags(facts, facts.role, sealed),
            ec: 0,
            rrc: 0,
            seq,
        }
    }

    /// Makes `buffer` a token; the message in it has its overhead around it.
    pub(crate) fn wrap_in_place(
        &mut self,
        facts: KerberosFacts<'_>,
        sequence: &mut SendSequence,
        seal: bool,
        buffer: &mut [u8],
    ) -> Result<(), Error> {
        let mut header = Self::header(facts, seal, sequence.peek()?);
        let (place, rest) = buffer
            .split_first_chunk_mut::<HEADER>()
            .ok_or(ErrorKind::BufferLayout)?;
        if seal {
            let cipher = self.keys.wrap_cipher(&facts.keys.key);
            let copy = copy_of_header(cipher, rest).ok_or(ErrorKind::BufferLayout)?;
            *copy = header.to_bytes();
            let confounder = rest
                .first_chunk_mut::<CONFOUNDER>()
                .ok_or(ErrorKind::BufferLayout)?;
            *confounder = self.confounders.next()?;
            cipher
                .encrypt_in_place(rest)
                .map_err(|_| internal("in-place lengths"))?;
        } else {
            let mac = self.keys.wrap_mac(&facts.keys.key);
            let end = rest
                .len()
                .checked_sub(mac.len())
                .ok_or(ErrorKind::BufferLayout)?;
            let (message, checksum) = rest.split_at_mut(end);
            let tag = mac.compute(&[message, &header.to_bytes()]);
            checksum.copy_from_slice(tag.as_bytes());
            header.ec = checksum_len(mac)?;
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
        let header = MicHeader {
            flags: flags(facts, facts.role, false),
            seq: sequence.peek()?,
        };
        let header = header.to_bytes();
        let mac = self.keys.mic_mac(&facts.keys.key);
        let tag = iov::with_parts(None, message, Some(&header), |parts| mac.compute(parts));
        let mut token = Vec::with_capacity(HEADER.saturating_add(mac.len()));
        token.extend_from_slice(&header);
        token.extend_from_slice(tag.as_bytes());
        sequence.advance();
        Ok(token)
    }

    /// Lengths of header and trailer for these buffers.
    pub(crate) fn iov_parts(facts: KerberosFacts<'_>, seal: bool, has_trailer: bool) -> IovParts {
        let mac = facts.enctype().checksum_type().len();
        let (confounder, after) = if seal {
            (
                CONFOUNDER,
                dce_extra(facts).saturating_add(HEADER).saturating_add(mac),
            )
        } else {
            (0, mac)
        };
        let header = HEADER.saturating_add(confounder);
        if has_trailer {
            IovParts {
                header,
                padding: 0,
                trailer: after,
            }
        } else {
            IovParts {
                header: header.saturating_add(after),
                padding: 0,
                trailer: 0,
            }
        }
    }

    /// Protects scattered buffers. Without a trailer everything but the message stands in the
    /// header, as though rotated there.
    pub(crate) fn wrap_iov(
        &mut self,
        facts: KerberosFacts<'_>,
        sequence: &mut SendSequence,
        seal: bool,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(), Error> {
        let survey = Survey::of_header(buffers)?;
        iov::fit(buffers, Self::iov_parts(facts, seal, survey.has_trailer()))?;
        let header = Self::header(facts, seal, sequence.peek()?);
        if seal {
            self.seal_iov(facts, header, buffers)?;
        } else {
            self.sign_iov(facts, header, buffers)?;
        }
        sequence.advance();
        Ok(())
    }

    fn sign_iov(
        &mut self,
        facts: KerberosFacts<'_>,
        mut header: WrapHeader,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(), Error> {
        let mac = self.keys.wrap_mac(&facts.keys.key);
        let tag = iov::with_parts(None, buffers, Some(&header.to_bytes()), |parts| {
            mac.compute(parts)
        });
        header.ec = checksum_len(mac)?;
        let Gathered {
            header: Some(first),
            trailer,
            ..
        } = iov::gather(buffers)
        else {
            return Err(ErrorKind::BufferLayout.into());
        };
        let (place, after) = first
            .split_first_chunk_mut::<HEADER>()
            .ok_or(ErrorKind::BufferLayout)?;
        header.rrc = if trailer.is_some() { 0 } else { header.ec };
        *place = header.to_bytes();
        let checksum = trailer.unwrap_or(after);
        if checksum.len() != mac.len() {
            return Err(internal("checksum length"));
        }
        checksum.copy_from_slice(tag.as_bytes());
        Ok(())
    }

    fn seal_iov(
        &mut self,
        facts: KerberosFacts<'_>,
        mut header: WrapHeader,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(), Error> {
        let extra = dce_extra(facts);
        header.ec = u16::try_from(extra).map_err(|_| internal("filler length"))?;
        let cipher = self.keys.wrap_cipher(&facts.keys.key);
        let rotated = !Survey::of_header(buffers)?.has_trailer();
        let Pieces {
            header: place,
            confounder,
            last,
            mac,
            segments,
        } = Pieces::of(buffers, cipher.trailer_len()).ok_or(ErrorKind::BufferLayout)?;
        if confounder.len() != CONFOUNDER || last.len() != extra.saturating_add(HEADER) {
            return Err(internal("header or trailer length"));
        }
        confounder.copy_from_slice(&self.confounders.next()?);
        // RFC 4121 §4.2.4: filler, then the header as it is now, with RRC still zero.
        let (filler, copy) = last
            .split_last_chunk_mut::<HEADER>()
            .ok_or(ErrorKind::BufferLayout)?;
        filler.fill(0xff);
        *copy = header.to_bytes();
        if rotated {
            // In DCE style the rotation is EC + RRC, otherwise EC is zero: RRC leaves EC out.
            let rotation = HEADER.saturating_add(mac.len());
            header.rrc = u16::try_from(rotation).map_err(|_| internal("rotation"))?;
        }
        *place = header.to_bytes();
        segments
            .seal(cipher, confounder, last, mac)
            .map_err(|_| internal("segment lengths"))
    }
}

/// The place for the header's encrypted copy, just before the MAC.
fn copy_of_header<'a>(cipher: &Cipher, rest: &'a mut [u8]) -> Option<&'a mut [u8; HEADER]> {
    let end = rest.len().checked_sub(cipher.trailer_len())?;
    let (before, _) = rest.split_at_mut_checked(end)?;
    let least = CONFOUNDER.checked_add(HEADER)?;
    if before.len() < least {
        None
    } else {
        before.last_chunk_mut::<HEADER>()
    }
}

/// EC of a message that is only signed (RFC 4121 §4.2.3).
fn checksum_len(mac: &Mac) -> Result<u16, Error> {
    u16::try_from(mac.len()).map_err(|_| internal("checksum length"))
}
