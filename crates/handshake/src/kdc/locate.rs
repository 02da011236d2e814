//! Which KDCs a realm has.

use core::fmt;
use core::future::{Future, ready};
use core::pin::Pin;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use countersign_context::kerberos::kdc::KdcService;

use super::endpoint::{Endpoint, EndpointError};

/// What [`Locate::locate_async`] returns.
pub type Locating<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Endpoint>, LocateError>> + Send + 'a>>;

/// Knows where the KDCs of realms are.
///
/// Object-safe: `Arc<dyn Locate>` is a `Locate` too. A source that has its answers at hand
/// implements [`locate`](Self::locate) alone; one that must wait for a network implements both and
/// blocks no executor in the second.
pub trait Locate: fmt::Debug + Send + Sync + 'static {
    /// The endpoints of a realm's service, in the order in which they are to be asked: priorities
    /// and weights are resolved already. Empty where the source does not know the realm.
    ///
    /// A source that waits gives up at `deadline`.
    ///
    /// # Errors
    /// The source could not tell, or knows that the realm has no such service.
    fn locate(
        &self,
        realm: &[u8],
        service: KdcService,
        deadline: Instant,
    ) -> Result<Vec<Endpoint>, LocateError>;

    /// The same without blocking; by itself what [`locate`](Self::locate) says at once. The
    /// caller drops the future when its time is over.
    fn locate_async<'a>(
        &'a self,
        realm: &'a [u8],
        service: KdcService,
        deadline: Instant,
    ) -> Locating<'a> {
        Box::pin(ready(self.locate(realm, service, deadline)))
    }
}

macro_rules! locate_through_pointer {
    ($type:ty) => {
        impl<L: Locate + ?Sized> Locate for $type {
            fn locate(
                &self,
                realm: &[u8],
                service: KdcService,
                deadline: Instant,
            ) -> Result<Vec<Endpoint>, LocateError> {
                (**self).locate(realm, service, deadline)
            }

            fn locate_async<'a>(
                &'a self,
                realm: &'a [u8],
                service: KdcService,
                deadline: Instant,
            ) -> Locating<'a> {
                (**self).locate_async(realm, service, deadline)
            }
        }
    };
}

locate_through_pointer!(Arc<L>);
locate_through_pointer!(Box<L>);

/// Why a source could not tell where the KDCs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocateError {
    /// The source did not answer in time.
    TimedOut,
    /// The source failed.
    Failed,
    /// The realm says that it does not offer the service (RFC 2782, a target of `.`).
    NotOffered,
    /// The realm's name cannot be looked up there.
    RealmName,
    /// The configuration names a server of the realm in a form that is none.
    Misconfigured,
}

impl fmt::Display for LocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => {
                "the search for KDCs was not answered in time: name the realm's KDCs, or check the \
                 name server"
            }
            Self::Failed => {
                "the search for KDCs failed: name the realm's KDCs, or check the name server"
            }
            Self::NotOffered => "the realm announces that it does not offer this service",
            Self::Misconfigured => {
                "krb5.conf names a server of the realm wrongly: write host, host:port or \
                 https://host/path"
            }
            Self::RealmName => {
                "the realm's name is no DNS name and cannot be searched: name the realm's KDCs"
            }
        })
    }
}

impl core::error::Error for LocateError {}

/// A list of KDCs, written down by the caller.
///
/// ```
/// use countersign_handshake::kdc::StaticKdcs;
///
/// let kdcs = StaticKdcs::new()
///     .kdc("EXAMPLE.COM", "kdc1.example.com")?
///     .kdc("EXAMPLE.COM", "kdc2.example.com:1088")?
///     .password_change("EXAMPLE.COM", "kdc1.example.com")?;
/// # Ok::<(), countersign_handshake::kdc::EndpointError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaticKdcs {
    endpoints: HashMap<(Vec<u8>, KdcService), Vec<Endpoint>>,
}

impl StaticKdcs {
    /// Knows no realm yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a KDC of a realm, in one of the text forms of [`Endpoint`]; they are asked in the
    /// order in which they were added.
    ///
    /// # Errors
    /// The text names no endpoint.
    pub fn kdc(self, realm: impl AsRef<[u8]>, endpoint: &str) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::parse(endpoint, KdcService::Kdc)?;
        Ok(self.with(realm, KdcService::Kdc, endpoint))
    }

    /// Adds a password-changing service of a realm.
    ///
    /// # Errors
    /// The text names no endpoint.
    pub fn password_change(
        self,
        realm: impl AsRef<[u8]>,
        endpoint: &str,
    ) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::parse(endpoint, KdcService::PasswordChange)?;
        Ok(self.with(realm, KdcService::PasswordChange, endpoint))
    }

    /// Adds an endpoint of either service.
    #[must_use]
    pub fn with(
        mut self,
        realm: impl AsRef<[u8]>,
        service: KdcService,
        endpoint: Endpoint,
    ) -> Self {
        self.endpoints
            .entry((realm.as_ref().to_vec(), service))
            .or_default()
            .push(endpoint);
        self
    }
}

impl Locate for StaticKdcs {
    fn locate(
        &self,
        realm: &[u8],
        service: KdcService,
        _deadline: Instant,
    ) -> Result<Vec<Endpoint>, LocateError> {
        let key = (realm.to_vec(), service);
        Ok(self.endpoints.get(&key).cloned().unwrap_or_default())
    }
}

/// Several sources, the first of which that knows the realm is believed.
///
/// Explicit configuration comes first and then always wins: what it names for a realm is never
/// mixed with what a later source, such as DNS, says of it.
///
/// ```
/// use countersign_handshake::kdc::{Chain, StaticKdcs};
///
/// let kdcs = StaticKdcs::new().kdc("EXAMPLE.COM", "kdc1.example.com")?;
/// let more = StaticKdcs::new().kdc("EXAMPLE.ORG", "kdc.example.org")?;
/// let chain = Chain::new(kdcs).then(more);
/// # Ok::<(), countersign_handshake::kdc::EndpointError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chain {
    sources: Vec<Arc<dyn Locate>>,
}

impl Chain {
    /// The source that is asked first.
    #[must_use]
    pub fn new(first: impl Locate) -> Self {
        Self {
            sources: vec![Arc::new(first)],
        }
    }

    /// A source that is asked where those before it do not know the realm.
    #[must_use]
    pub fn then(mut self, next: impl Locate) -> Self {
        self.sources.push(Arc::new(next));
        self
    }
}

impl Locate for Chain {
    fn locate(
        &self,
        realm: &[u8],
        service: KdcService,
        deadline: Instant,
    ) -> Result<Vec<Endpoint>, LocateError> {
        for source in &self.sources {
            let found = source.locate(realm, service, deadline)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    fn locate_async<'a>(
        &'a self,
        realm: &'a [u8],
        service: KdcService,
        deadline: Instant,
    ) -> Locating<'a> {
        Box::pin(async move {
            for source in &self.sources {
                let found = source.locate_async(realm, service, deadline).await?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            Ok(Vec::new())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Broken;

    impl Locate for Broken {
        fn locate(
            &self,
            _realm: &[u8],
            _service: KdcService,
            _deadline: Instant,
        ) -> Result<Vec<Endpoint>, LocateError> {
            Err(LocateError::Failed)
        }
    }

    fn located(source: &dyn Locate, realm: &str, service: KdcService) -> Vec<String> {
        source
            .locate(realm.as_bytes(), service, Instant::now())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn explicit_configuration_wins_over_every_later_source() {
        let explicit = StaticKdcs::new()
            .kdc("A", "k2")
            .unwrap()
            .kdc("A", "k1")
            .unwrap();
        let chain = Chain::new(explicit).then(Broken);
        assert_eq!(located(&chain, "A", KdcService::Kdc), ["k2:88", "k1:88"]);
        // Control: a realm that is not written down reaches the later source.
        assert_eq!(
            chain.locate(b"B", KdcService::Kdc, Instant::now()),
            Err(LocateError::Failed)
        );
    }

    #[test]
    fn services_and_realms_are_told_apart_to_the_letter() {
        let kdcs = StaticKdcs::new().password_change("A", "k1").unwrap();
        assert_eq!(located(&kdcs, "A", KdcService::PasswordChange), ["k1:464"]);
        assert!(located(&kdcs, "A", KdcService::Kdc).is_empty());
        assert!(located(&kdcs, "a", KdcService::PasswordChange).is_empty());
    }
}
