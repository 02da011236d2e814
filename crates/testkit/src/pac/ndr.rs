//! Writing NDR: type serialization version 1, little-endian (MS-RPCE §2.2.6).

/// A structure, and behind it what its pointers point to.
#[derive(Default)]
pub(super) struct Writer {
    fixed: Vec<u8>,
    deferred: Vec<u8>,
    referents: u32,
}

impl Writer {
    pub(super) fn u16(&mut self, value: u16) {
        self.fixed.extend(value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.fixed.extend(value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.fixed.extend(bytes);
    }

    /// The next referent; Windows counts from 0x20004 on.
    fn referent(&mut self) -> u32 {
        self.referents = self.referents.saturating_add(1);
        self.referents.saturating_mul(4).saturating_add(0x0002_0000)
    }

    /// RPC_UNICODE_STRING.
    pub(super) fn string(&mut self, text: &str) {
        self.string_with_room(text, 0);
    }

    /// RPC_UNICODE_STRING with room for so many characters more: Windows counts the terminator of some.
    pub(super) fn string_with_room(&mut self, text: &str, room: u16) {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = u16::try_from(units.len()).unwrap_or(u16::MAX);
        let maximum = length.saturating_add(room.saturating_mul(2));
        let referent = self.referent();
        self.u16(length);
        self.u16(maximum);
        self.u32(referent);
        // A conformant and varying array of characters.
        for value in [u32::from(maximum / 2), 0, u32::from(length / 2)] {
            self.deferred.extend(value.to_le_bytes());
        }
        self.deferred.extend(units);
        let aligned = self.deferred.len().next_multiple_of(4);
        self.deferred.resize(aligned, 0);
    }

    /// A pointer to a SID, null without one.
    pub(super) fn sid(&mut self, sid: Option<&str>) {
        let Some(sid) = sid else {
            return self.u32(0);
        };
        let referent = self.referent();
        self.u32(referent);
        let sid = conformant(sid);
        self.deferred.extend(sid);
    }

    /// A count, said to be `declared`, and a pointer to an array of pairs, null when it is empty.
    pub(super) fn pairs(&mut self, declared: Option<u32>, pairs: &[(u32, u32)]) {
        self.counted(declared, pairs.len(), |deferred| {
            for (first, second) in pairs {
                deferred.extend([first.to_le_bytes(), second.to_le_bytes()].concat());
            }
        });
    }

    /// A count and a pointer to an array of SIDs with attributes.
    pub(super) fn sids(&mut self, declared: Option<u32>, sids: &[(String, u32)]) {
        // The array's own pointer is numbered first.
        let mut elements = Self {
            referents: self.referents.saturating_add(1),
            ..Self::default()
        };
        for (_, attributes) in sids {
            let referent = elements.referent();
            elements.u32(referent);
            elements.u32(*attributes);
        }
        let referents = elements.referents;
        self.counted(declared, sids.len(), |deferred| {
            deferred.extend(elements.fixed);
            for (sid, _) in sids {
                deferred.extend(conformant(sid));
            }
        });
        self.referents = referents;
    }

    /// A count and a pointer to an array of strings.
    pub(super) fn strings(&mut self, texts: &[&str]) {
        let mut elements = Self {
            referents: self.referents.saturating_add(1),
            ..Self::default()
        };
        texts.iter().for_each(|text| elements.string(text));
        let referents = elements.referents;
        self.counted(None, texts.len(), |deferred| {
            deferred.extend(elements.fixed);
            deferred.extend(elements.deferred);
        });
        self.referents = referents;
    }

    fn counted(&mut self, declared: Option<u32>, count: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.u32(declared.unwrap_or(count));
        if count == 0 {
            return self.u32(0);
        }
        let referent = self.referent();
        self.u32(referent);
        self.deferred.extend(count.to_le_bytes());
        write(&mut self.deferred);
    }

    /// The structure with the headers and the pointer to it.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut object = 0x0002_0000_u32.to_le_bytes().to_vec();
        object.extend(self.fixed);
        object.extend(self.deferred);
        object.resize(object.len().next_multiple_of(8), 0);
        let length = u32::try_from(object.len()).unwrap_or(u32::MAX);
        let mut out = vec![1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc];
        out.extend(length.to_le_bytes());
        out.extend([0; 4]);
        out.extend(object);
        out
    }
}

/// A SID as a conformant structure.
fn conformant(sid: &str) -> Vec<u8> {
    let bytes = sid_bytes(sid);
    let count = u32::from(bytes.get(1).copied().unwrap_or(0));
    [&count.to_le_bytes()[..], &bytes].concat()
}

/// The binary form of a SID (MS-DTYP §2.4.2.2); text that is none makes one without sub-authorities.
#[must_use]
pub fn sid_bytes(text: &str) -> Vec<u8> {
    let mut numbers = text
        .split('-')
        .skip(2)
        .map(|part| part.parse::<u64>().unwrap_or(0));
    let authority = numbers.next().unwrap_or(0).to_be_bytes();
    let values: Vec<u8> = numbers
        .filter_map(|value| u32::try_from(value).ok())
        .flat_map(u32::to_le_bytes)
        .collect();
    let count = u8::try_from(values.len() / 4).unwrap_or(u8::MAX);
    let mut bytes = vec![1, count];
    bytes.extend(authority.iter().skip(2));
    bytes.extend(values);
    bytes
}
