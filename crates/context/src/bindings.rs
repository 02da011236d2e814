//! Channel bindings: what ties a context to the channel under it.

mod certificate;

use countersign_crypto::verify_equal;
use countersign_token::DecodeError;
use countersign_token::bindings::ChannelBindings as WireBindings;
use md5::{Digest, Md5};

use crate::error::ErrorKind;

/// Channel bindings of RFC 2744 §3.11: the application data, and the addresses that hardly anyone
/// uses.
///
/// ```
/// use countersign_context::ChannelBindings;
///
/// let certificate_hash = [0x5a; 32];
/// let bindings = ChannelBindings::tls_server_end_point(&certificate_hash);
/// assert!(bindings.application_data().starts_with(b"tls-server-end-point:"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelBindings {
    initiator_address_type: u32,
    initiator_address: Vec<u8>,
    acceptor_address_type: u32,
    acceptor_address: Vec<u8>,
    application_data: Vec<u8>,
}

impl ChannelBindings {
    /// Bindings of raw application data; both addresses unspecified and empty.
    #[must_use]
    pub fn from_application_data(data: impl Into<Vec<u8>>) -> Self {
        Self {
            application_data: data.into(),
            ..Self::default()
        }
    }

    /// `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate by the hash of
    /// its signature algorithm, SHA-256 in place of MD5 and SHA-1.
    #[must_use]
    pub fn tls_server_end_point(certificate_hash: &[u8]) -> Self {
        Self::tls(b"tls-server-end-point:", certificate_hash)
    }

    /// `tls-server-end-point` of the server's certificate itself, DER; `None` if its signature
    /// algorithm has no single hash function (Ed25519), for which RFC 5929 §4.1 defines no binding.
    ///
    /// # Errors
    /// Where the bytes are no certificate.
    pub fn tls_server_end_point_of(certificate: &[u8]) -> Result<Option<Self>, DecodeError> {
        let hash = certificate::end_point_hash(certificate)?;
        Ok(hash.map(|hash| Self::tls_server_end_point(&hash)))
    }

    /// `tls-exporter` (RFC 9266 §2): 32 bytes of TLS keying material exported with the label
    /// `EXPORTER-Channel-Binding` and an empty context. The one to use on TLS 1.3.
    #[must_use]
    pub fn tls_exporter(keying_material: &[u8; 32]) -> Self {
        Self::tls(b"tls-exporter:", keying_material)
    }

    /// `tls-unique` (RFC 5929 §3): the first Finished message. Not defined for TLS 1.3.
    #[must_use]
    pub fn tls_unique(finished: &[u8]) -> Self {
        Self::tls(b"tls-unique:", finished)
    }

    fn tls(prefix: &[u8], value: &[u8]) -> Self {
        let mut data = Vec::with_capacity(prefix.len().saturating_add(value.len()));
        data.extend_from_slice(prefix);
        data.extend_from_slice(value);
        Self::from_application_data(data)
    }

    /// The bindings in a `SEC_CHANNEL_BINDINGS` blob of `sspi.h`, as
    /// `SECBUFFER_CHANNEL_BINDINGS` carries it.
    ///
    /// # Errors
    /// Where an offset or a length lies outside of the blob.
    pub fn from_sec_channel_bindings(blob: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::from(&WireBindings::parse(blob)?))
    }

    /// The `SEC_CHANNEL_BINDINGS` blob of `sspi.h` with these bindings.
    #[must_use]
    pub fn to_sec_channel_bindings(&self) -> Vec<u8> {
        self.as_wire().encode()
    }

    /// The same bindings with the initiator's address; types as in RFC 2744 appendix A.
    #[must_use]
    pub fn with_initiator_address(
        mut self,
        address_type: u32,
        address: impl Into<Vec<u8>>,
    ) -> Self {
        self.initiator_address_type = address_type;
        self.initiator_address = address.into();
        self
    }

    /// The same bindings with the acceptor's address; types as in RFC 2744 appendix A.
    #[must_use]
    pub fn with_acceptor_address(mut self, address_type: u32, address: impl Into<Vec<u8>>) -> Self {
        self.acceptor_address_type = address_type;
        self.acceptor_address = address.into();
        self
    }

    /// The application data, prefix included.
    #[must_use]
    pub fn application_data(&self) -> &[u8] {
        &self.application_data
    }

    /// MD5 over the layout of RFC 4121 §4.1.1.2, as the 0x8003 checksum carries it. A second
    /// preimage would be needed to cheat it; MD5 still resists that.
    pub(crate) fn hash(&self) -> [u8; 16] {
        let mut md5 = Md5::new();
        self.as_wire()
            .write_hash_input(&mut |bytes| md5.update(bytes));
        md5.finalize().into()
    }

    fn as_wire(&self) -> WireBindings<'_> {
        WireBindings {
            initiator_address_type: self.initiator_address_type,
            initiator_address: &self.initiator_address,
            acceptor_address_type: self.acceptor_address_type,
            acceptor_address: &self.acceptor_address,
            application_data: &self.application_data,
        }
    }
}

impl From<&WireBindings<'_>> for ChannelBindings {
    fn from(wire: &WireBindings<'_>) -> Self {
        Self {
            initiator_address_type: wire.initiator_address_type,
            initiator_address: wire.initiator_address.to_vec(),
            acceptor_address_type: wire.acceptor_address_type,
            acceptor_address: wire.acceptor_address.to_vec(),
            application_data: wire.application_data.to_vec(),
        }
    }
}

/// What an acceptor demands of the initiator's channel bindings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ChannelBindingPolicy {
    /// There is no outer channel: bindings of the initiator are not compared.
    #[default]
    Ignore,
    /// The initiator must send these bindings.
    Required(ChannelBindings),
    /// The initiator may send none; if it sends any, or says that it always does
    /// (`KERB_AP_OPTIONS_CBT`, MS-KILE §3.2.5.8), they must be these.
    IfPresent(ChannelBindings),
}

impl ChannelBindingPolicy {
    /// Whether the initiator's bindings, by their hash, are present and match; an error if they must
    /// and do not. Absent ones are sixteen zero bytes. `promised`: the initiator says that it always
    /// sends some.
    pub(crate) fn check(&self, sent: &[u8; 16], promised: bool) -> Result<bool, ErrorKind> {
        let (ours, required) = match self {
            Self::Ignore => return Ok(false),
            Self::Required(ours) => (ours, true),
            Self::IfPresent(ours) => (ours, promised),
        };
        match *sent == [0; 16] {
            true if required => Err(ErrorKind::BindingsMissing),
            true => Ok(false),
            false if verify_equal(sent, &ours.hash()) => Ok(true),
            false => Err(ErrorKind::BindingsMismatch),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate of nothing, signed with sha256WithRSAEncryption.
    const CERTIFICATE: &[u8] =
        b"\x30\x15\x30\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00\x03\x02\x00\x00";

    #[test]
    fn bindings_of_a_certificate_are_those_of_its_hash() {
        use sha2::{Digest, Sha256};
        let bindings = ChannelBindings::tls_server_end_point_of(CERTIFICATE).unwrap();
        let hash = Sha256::digest(CERTIFICATE);
        assert_eq!(bindings, Some(ChannelBindings::tls_server_end_point(&hash)));
        assert!(ChannelBindings::tls_server_end_point_of(&CERTIFICATE[1..]).is_err());
    }

    #[test]
    fn bindings_pass_through_the_blob_of_sspi() {
        let bindings = ChannelBindings::tls_unique(b"finished")
            .with_initiator_address(2, [192, 0, 2, 1])
            .with_acceptor_address(2, [192, 0, 2, 2]);
        let blob = bindings.to_sec_channel_bindings();
        assert_eq!(
            ChannelBindings::from_sec_channel_bindings(&blob),
            Ok(bindings)
        );
        let cut = &blob[..blob.len() - 1];
        assert!(ChannelBindings::from_sec_channel_bindings(cut).is_err());
    }

    #[test]
    fn every_part_of_the_bindings_changes_their_hash() {
        let plain = ChannelBindings::tls_unique(b"finished");
        let others = [
            ChannelBindings::from_application_data(*b"finished"),
            ChannelBindings::tls_server_end_point(b"finished"),
            plain.clone().with_initiator_address(2, []),
            plain.clone().with_acceptor_address(2, []),
            plain.clone().with_initiator_address(0, [1]),
            plain.clone().with_acceptor_address(0, [1]),
            ChannelBindings::default(),
        ];
        assert_eq!(plain.hash(), plain.clone().hash());
        for (index, other) in others.iter().enumerate() {
            assert_ne!(other.hash(), plain.hash(), "{index}");
            for another in others.iter().skip(index + 1) {
                assert_ne!(other.hash(), another.hash(), "{index}");
            }
        }
    }
}
