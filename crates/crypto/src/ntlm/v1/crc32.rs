//! CRC-32, the checksum of MS-NLMP §3.4.4.1.

/// The polynomial of IEEE 802.3, bits reversed.
const POLYNOMIAL: u32 = 0xEDB8_8320;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0u32;
    while byte < 256 {
        let mut value = byte;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ if value & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        table[byte as usize] = value;
        byte += 1;
    }
    table
};

/// CRC-32 of a message that may come piece by piece. It has no key: it protects against nobody.
#[derive(Clone, Copy, Debug)]
pub struct Crc32(u32);

impl Crc32 {
    /// That of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Crc32(u32::MAX)
    }

    /// Takes the next piece of the message.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let [low, ..] = self.0.to_le_bytes();
            self.0 = (self.0 >> 8) ^ TABLE[usize::from(low ^ byte)];
        }
    }

    /// The checksum of what was taken so far.
    #[must_use]
    pub const fn value(self) -> u32 {
        !self.0
    }
}

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Crc32;

    #[test]
    fn the_check_value_comes_out_however_the_message_is_cut() {
        let message = b"123456789";
        for cut in 0..=message.len() {
            let mut crc = Crc32::default();
            let (head, tail) = message.split_at(cut);
            crc.update(head);
            crc.update(tail);
            assert_eq!(crc.value(), 0xCBF4_3926);
        }
        assert_eq!(Crc32::new().value(), 0);
    }
}
