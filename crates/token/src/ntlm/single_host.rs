use crate::error::{DecodeError, DecodeErrorKind};

/// The length of what is not ignored.
const LEN: usize = 48;

/// Single_Host_Data, the value of [`AvId::SINGLE_HOST`](super::AvId::SINGLE_HOST): what only means
/// something to an acceptor on the initiator's own machine.
///
/// ```text
///  0   Size         u32 little-endian
///  4   Z4           4 bytes
///  8   CustomData   8 bytes
/// 16   MachineID    32 bytes
/// 48   whatever follows is ignored on receipt
/// ```
///
/// Source: MS-NLMP §2.2.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SingleHostData<'a> {
    /// What only the machine itself understands.
    pub custom_data: &'a [u8; 8],
    /// A random number that the machine chose when it started.
    pub machine_id: &'a [u8; 32],
}

impl<'a> SingleHostData<'a> {
    /// The length of what is not ignored.
    pub const LEN: usize = LEN;

    /// Reads the value of a pair.
    ///
    /// # Errors
    /// Fewer than 48 bytes.
    pub fn parse(value: &'a [u8]) -> Result<Self, DecodeError> {
        let parts = value
            .split_first_chunk::<8>()
            .and_then(|(_, rest)| rest.split_first_chunk())
            .and_then(|(custom_data, rest)| Some((custom_data, rest.first_chunk()?)));
        let Some((custom_data, machine_id)) = parts else {
            let missing = Self::LEN.saturating_sub(value.len());
            let kind = DecodeErrorKind::Truncated { missing };
            return Err(DecodeError::new(value.len(), kind));
        };
        Ok(Self {
            custom_data,
            machine_id,
        })
    }

    /// The value of a pair, of [`LEN`](Self::LEN) bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let parts: [&[u8]; 3] = [
            &[48, 0, 0, 0, 0, 0, 0, 0],
            self.custom_data,
            self.machine_id,
        ];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_goes_both_ways_and_what_follows_it_is_ignored() {
        let data = SingleHostData {
            custom_data: &[1, 2, 3, 4, 5, 6, 7, 8],
            machine_id: &[0x4d; 32],
        };
        let bytes = data.to_bytes();
        assert_eq!(bytes[..9], [48, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(SingleHostData::parse(&bytes), Ok(data));
        let longer = [&bytes[..], &[9; 32]].concat();
        assert_eq!(SingleHostData::parse(&longer), Ok(data));
        for end in 0..bytes.len() {
            let error = SingleHostData::parse(&bytes[..end]).unwrap_err();
            let missing = 48 - end;
            assert_eq!(error.kind(), DecodeErrorKind::Truncated { missing });
        }
    }
}
