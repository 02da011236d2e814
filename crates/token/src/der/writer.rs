use alloc::vec::Vec;

use super::tag::Tag;

/// A type that is written as DER.
pub trait Encode {
    /// Appends the value.
    fn encode(&self, writer: &mut Writer);

    /// The value's DER.
    ///
    /// The length is counted first and the bytes are allocated once, so that no regrowth leaves a
    /// copy of a key behind in freed memory.
    fn to_der(&self) -> Vec<u8> {
        let mut counter = Writer::counting();
        self.encode(&mut counter);
        let mut writer = Writer::with_capacity(counter.len());
        self.encode(&mut writer);
        writer.into_vec()
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, writer: &mut Writer) {
        (**self).encode(writer);
    }
}

/// Appends DER to a buffer, or only counts its length.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    /// `Some` in a writer that only counts; `out` is then empty.
    counted: Option<usize>,
}

impl Writer {
    /// An empty writer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::from(Vec::with_capacity(capacity))
    }

    /// A writer that keeps no bytes and only counts them.
    #[must_use]
    pub const fn counting() -> Self {
        Self {
            out: Vec::new(),
            counted: Some(0),
        }
    }

    /// How many bytes are written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counted.unwrap_or(self.out.len())
    }

    /// Whether nothing is written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes written; empty for a counting writer.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.out
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        match &mut self.counted {
            Some(count) => *count = count.saturating_add(bytes.len()),
            None => self.out.extend_from_slice(bytes),
        }
    }

    /// Appends an element with these contents.
    pub fn element(&mut self, tag: Tag, contents: &[u8]) {
        // Arrays of known lengths are stored at once; a slice of an array that was just filled would have to wait for it.
        match u16::try_from(contents.len()).map(u16::to_be_bytes) {
            Ok([0, length @ ..0x80]) => self.bytes(&[tag.0, length]),
            Ok([0, length]) => self.bytes(&[tag.0, 0x81, length]),
            Ok([high, low]) => self.bytes(&[tag.0, 0x82, high, low]),
            Err(_) => {
                self.bytes(&[tag.0]);
                self.bytes(Length::of(contents.len()).as_bytes());
            }
        }
        self.bytes(contents);
    }

    /// Appends an element whose contents `body` writes.
    pub fn nest(&mut self, tag: Tag, body: impl FnOnce(&mut Self)) {
        let start = self.open(tag);
        body(self);
        self.close(start);
    }

    /// Appends the explicitly tagged field `[number]`; an absent value leaves no field.
    pub fn field(&mut self, number: u8, value: &impl Encode) {
        let before = self.len();
        let start = self.open(Tag::context(number));
        value.encode(self);
        if self.len() == start {
            self.truncate(before);
        } else {
            self.close(start);
        }
    }

    /// Begins an element, and says where its contents begin. One octet is kept for the length, which
    /// is all that most need.
    fn open(&mut self, tag: Tag) -> usize {
        self.bytes(&[tag.0, 0]);
        self.len()
    }

    /// Writes the length of the element whose contents began there; a longer one moves them.
    #[inline]
    fn close(&mut self, start: usize) {
        let length = self.len().saturating_sub(start);
        if let Ok(short @ ..0x80) = u8::try_from(length) {
            if let Some(octet) = self.out.get_mut(start.saturating_sub(1)) {
                *octet = short;
            }
        } else {
            self.close_longer(start, length);
        }
    }

    fn close_longer(&mut self, start: usize, length: usize) {
        let length = Length::of(length);
        let octets = length.as_bytes();
        let more = octets.len().saturating_sub(1);
        if let Some(count) = &mut self.counted {
            *count = count.saturating_add(more);
            return;
        }
        let end = self.out.len();
        self.out.resize(end.saturating_add(more), 0);
        self.out.copy_within(start..end, start.saturating_add(more));
        let place = start.saturating_sub(1)..start.saturating_add(more);
        if let Some(place) = self.out.get_mut(place) {
            place.copy_from_slice(octets);
        }
    }

    /// Appends a field `[number] INTEGER`.
    pub(crate) fn constant_field(&mut self, number: u8, value: u8) {
        self.field(number, &u32::from(value));
    }

    fn truncate(&mut self, len: usize) {
        match &mut self.counted {
            Some(count) => *count = len,
            None => self.out.truncate(len),
        }
    }
}

impl From<Vec<u8>> for Writer {
    /// A writer that appends to `out`.
    fn from(out: Vec<u8>) -> Self {
        Self { out, counted: None }
    }
}

/// X.690 8.1.3: the octets of a length, the fewest possible (X.690 10.1).
pub(crate) struct Length {
    octets: [u8; 9],
    start: usize,
}

impl Length {
    pub(crate) fn of(length: usize) -> Self {
        let value = (length as u64).to_be_bytes();
        let mut octets = [0; 9];
        for (octet, byte) in octets.iter_mut().skip(1).zip(value) {
            *octet = byte;
        }
        if length < 0x80 {
            return Self { octets, start: 8 };
        }
        let used = 8_usize.saturating_sub(value.iter().take_while(|byte| **byte == 0).count());
        let start = 8_usize.saturating_sub(used);
        if let Some(octet) = octets.get_mut(start) {
            *octet = 0x80 | (u8::try_from(used).unwrap_or_default());
        }
        Self { octets, start }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or(&self.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_fewest_octets() {
        for (length, octets) in [
            (0, &[0][..]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0x80]),
            (0xff, &[0x81, 0xff]),
            (0x100, &[0x82, 1, 0]),
            (0xffff, &[0x82, 0xff, 0xff]),
            (0x1_0000, &[0x83, 1, 0, 0]),
            (0x100_0000, &[0x84, 1, 0, 0, 0]),
        ] {
            assert_eq!(Length::of(length).as_bytes(), octets);
        }
    }

    #[test]
    fn counting_agrees_with_writing_and_absent_fields_leave_nothing() {
        let write = |writer: &mut Writer| {
            writer.nest(Tag::SEQUENCE, |writer| {
                writer.field(0, &7_i32);
                writer.field(1, &None::<i32>);
                writer.element(Tag::OCTET_STRING, &[0; 300]);
            });
        };
        let mut counter = Writer::counting();
        write(&mut counter);
        let mut writer = Writer::with_capacity(0);
        write(&mut writer);
        assert_eq!(counter.len(), writer.len());
        let der = writer.into_vec();
        assert_eq!(
            der.get(..11),
            Some(&[0x30, 0x82, 1, 0x35, 0xa0, 3, 2, 1, 7, 4, 0x82][..])
        );
    }
}
