//! Whom a client trusts to vouch for KDC proxies.

use core::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Certificate authorities that are trusted to vouch for KDC proxies, `http_anchors` of krb5.conf.
/// A clone costs as much as that of an `Arc`.
///
/// There is no default: a client that was given none does not talk to proxies.
#[derive(Clone)]
pub struct Anchors {
    config: Arc<ClientConfig>,
    count: usize,
}

impl Anchors {
    /// Those in the text of a PEM file; what else is in it is passed over.
    ///
    /// # Errors
    /// A certificate of it cannot be read, or there is none.
    pub fn from_pem(pem: &[u8]) -> Result<Self, AnchorsError> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates.map_err(|_| AnchorsError::Unreadable)?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots
                .add(certificate)
                .map_err(|_| AnchorsError::Unreadable)?;
        }
        Self::new(roots)
    }

    /// Those in DER.
    ///
    /// # Errors
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_der<C: AsRef<[u8]>>(
        certificates: impl IntoIterator<Item = C>,
    ) -> Result<Self, AnchorsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots
                .add(CertificateDer::from(certificate.as_ref()))
                .map_err(|_| AnchorsError::Unreadable)?;
        }
        Self::new(roots)
    }

    /// Those that the operating system trusts. Where the environment variables `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` are set, they are read and say where those are. Certificates that cannot be
    /// read are passed over.
    ///
    /// # Errors
    /// There is none.
    pub fn system() -> Result<Self, AnchorsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::new(roots)
    }

    fn new(roots: RootCertStore) -> Result<Self, AnchorsError> {
        if roots.is_empty() {
            return Err(AnchorsError::Empty);
        }
        let count = roots.len();
        // Named, because the process's default would be a global.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| AnchorsError::Unreadable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            count,
        })
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchors({})", self.count)
    }
}

/// Why there are no certificate authorities to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnchorsError {
    /// A certificate cannot be read.
    Unreadable,
    /// There is no certificate.
    Empty,
    /// The file or folder of certificates that krb5.conf names cannot be read.
    File(std::io::ErrorKind),
    /// krb5.conf names certificates by something else than `FILE:` or `DIR:`.
    Kind,
}

impl fmt::Display for AnchorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => {
                "a certificate authority's certificate cannot be read: export it again"
            }
            Self::Empty => "there is no certificate: name a PEM file with those of the authorities",
            Self::File(kind) => return write!(f, "http_anchors cannot be read: {kind}"),
            Self::Kind => "http_anchors is of another type: write FILE:path or DIR:path",
        })
    }
}

impl core::error::Error for AnchorsError {}
