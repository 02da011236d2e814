use core::fmt;

/// What the sender says of its operating system, for debugging.
///
/// ```text
/// 0   ProductMajorVersion    u8
/// 1   ProductMinorVersion    u8
/// 2   ProductBuild           u16 little-endian
/// 4   Reserved               3 bytes
/// 7   NTLMRevisionCurrent    u8
/// ```
///
/// Source: MS-NLMP §2.2.2.10. Nothing may depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The major version.
    pub major: u8,
    /// The minor version.
    pub minor: u8,
    /// The build number.
    pub build: u16,
    /// The revision of NTLM; [`REVISION_W2K3`](Self::REVISION_W2K3) in practice.
    pub revision: u8,
}

impl Version {
    /// The structure's length.
    pub const LEN: usize = 8;
    /// `NTLMSSP_REVISION_W2K3`.
    pub const REVISION_W2K3: u8 = 15;

    /// The version in these bytes; the reserved ones are ignored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let [major, minor, b0, b1, _, _, _, revision] = bytes;
        Self {
            major,
            minor,
            build: u16::from_le_bytes([b0, b1]),
            revision,
        }
    }

    /// The structure's bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let [b0, b1] = self.build.to_le_bytes();
        [self.major, self.minor, b0, b1, 0, 0, 0, self.revision]
    }
}

/// `10.0.20348 (revision 15)`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            build,
            revision,
        } = self;
        write!(f, "{major}.{minor}.{build} (revision {revision})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_has_the_layout_of_ms_nlmp_and_reserved_bytes_are_ignored() {
        let bytes = [5, 1, 0x28, 0x0a, 0, 0, 0, 15];
        let version = Version {
            major: 5,
            minor: 1,
            build: 2600,
            revision: Version::REVISION_W2K3,
        };
        assert_eq!(Version::from_bytes(bytes), version);
        assert_eq!(version.to_bytes(), bytes);
        assert_eq!(
            Version::from_bytes([5, 1, 0x28, 0x0a, 1, 2, 3, 15]),
            version
        );
    }
}
