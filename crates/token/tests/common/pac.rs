//! PACs: a published one, and buffers that it does not have.

/// The PAC that Samba, Heimdal and MIT krb5 test with.
pub fn windows_2003() -> Vec<u8> {
    include_str!("../files/windows-2003.pac.hex")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.as_bytes().chunks(2))
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A PAC of these buffers, laid out as MS-PAC §2.3 has it.
pub fn container(buffers: &[(u32, &[u8])]) -> Vec<u8> {
    let mut offset = 8 + 16 * buffers.len();
    let mut bytes = u32::try_from(buffers.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend([0; 4]);
    for (kind, data) in buffers {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        bytes.extend(u64::try_from(offset).unwrap().to_le_bytes());
        offset = (offset + data.len()).next_multiple_of(8);
    }
    for (_, data) in buffers {
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    bytes
}

/// MS-RPCE §2.2.6: a structure behind its headers.
pub fn serialized(object: &[u8]) -> Vec<u8> {
    let length = u32::try_from(object.len()).unwrap().to_le_bytes();
    let common = b"\x01\x10\x08\0\xcc\xcc\xcc\xcc";
    [&common[..], &length, &[0; 4], object].concat()
}

/// MS-PAC §2.5: the published one for an account with a full name, `Ab`, whose service has a
/// domain of its own, S-1-5-21-7-8-9, with the group 1110 in it.
pub fn logon_info_with_resource_group() -> Vec<u8> {
    const PUBLISHED: usize = 0x58;
    let mut object = windows_2003()[PUBLISHED..0x21c].to_vec();
    let mut put = |at: usize, bytes: &[u8]| {
        object[at - PUBLISHED..at - PUBLISHED + bytes.len()].copy_from_slice(bytes);
    };
    // FullName: Length, MaximumLength; MaximumCount, Offset, ActualCount.
    put(0x94, &[4, 0, 4, 0]);
    put(0x158, &[2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
    // UserFlags; ResourceGroupDomainSid, ResourceGroupCount, ResourceGroupIds.
    put(0xd0, &[0x20, 0x02]);
    put(0x128, &[0x34, 0, 2, 0, 1, 0, 0, 0, 0x38, 0, 2, 0]);
    for value in [4_u32, 0x401, 0x0500_0000, 21, 7, 8, 9, 1, 1110, 0x2000_0007] {
        object.extend(value.to_le_bytes());
    }
    let characters = 0x164 - PUBLISHED;
    object.splice(characters..characters, *b"A\0b\0");
    serialized(&object)
}

/// MS-PAC §2.5: the published one with so many groups of its domain, 1 and following.
pub fn logon_info_with_groups(count: usize) -> Vec<u8> {
    const PUBLISHED: usize = 0x58;
    let mut object = windows_2003()[PUBLISHED..0x21c].to_vec();
    let number = u32::try_from(count).unwrap().to_le_bytes();
    // GroupCount, and the count before the array, which has one.
    for at in [0xc8, 0x194] {
        object[at - PUBLISHED..at - PUBLISHED + 4].copy_from_slice(&number);
    }
    let groups = (1..).take(count).flat_map(|relative_id: u32| {
        let [a, b, c, d] = relative_id.to_le_bytes();
        [a, b, c, d, 7, 0, 0, 0]
    });
    object.splice(0x198 - PUBLISHED..0x1a0 - PUBLISHED, groups);
    serialized(&object)
}

/// MS-PAC §2.10: `ab` in `c`, with the account's name `d` and its SID, S-1-5-21-1-2-3-1105.
pub fn upn_dns_info() -> Vec<u8> {
    let mut data = Vec::new();
    for value in [4_u16, 24, 2, 32, 2, 0, 2, 40, 28, 48, 0, 0] {
        data.extend(value.to_le_bytes());
    }
    data.extend(b"a\0b\0\0\0\0\0c\0\0\0\0\0\0\0d\0\0\0\0\0\0\0");
    data.extend(requestor());
    data
}

/// MS-PAC §2.15: S-1-5-21-1-2-3-1105.
pub fn requestor() -> Vec<u8> {
    let mut data = b"\x01\x05\0\0\0\0\0\x05".to_vec();
    for value in [21_u32, 1, 2, 3, 1105] {
        data.extend(value.to_le_bytes());
    }
    data
}

/// MS-PAC §2.9: to the target `a` through the service `b`.
pub fn delegation_info() -> Vec<u8> {
    let mut object = b"\0\0\x02\0".to_vec();
    for value in [
        0x0002_0002_u32,
        4,
        1,
        8,
        1,
        0,
        1,
        0x61,
        1,
        0x0002_0002,
        12,
        1,
        0,
        1,
        0x62,
    ] {
        object.extend(value.to_le_bytes());
    }
    serialized(&object)
}
