//! What a ticket is to be: the options, times and addresses of a KDC-REQ-BODY, RFC 4120 §5.4.1.

use core::time::Duration;

use countersign_credential::HostAddress;
use countersign_token::kerberos::{
    HostAddress as TokenAddress, HostAddresses, KdcOptions, KerberosTime,
};

/// What the client asks of a ticket. By default nothing: as long a life as the KDC gives, and no
/// property that could be misused elsewhere.
///
/// A KDC grants what its policy allows; what it granted is in the ticket's
/// [`flags`](countersign_credential::TicketCredential::flags) and
/// [`times`](countersign_credential::TicketCredential::times).
///
/// ```
/// use std::time::Duration;
///
/// use countersign_context::kerberos::kdc::TicketOptions;
///
/// let day = TicketOptions::default()
///     .forwardable(true)
///     .lifetime(Duration::from_secs(10 * 3600))
///     .renewable(Duration::from_secs(7 * 24 * 3600));
/// assert!(day.is_forwardable());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketOptions {
    forwardable: bool,
    proxiable: bool,
    postdatable: bool,
    renewable_ok: bool,
    lifetime: Option<Duration>,
    renewable: Option<Duration>,
    start: Option<i64>,
    addresses: Vec<HostAddress>,
}

impl TicketOptions {
    /// Tickets that can be forwarded can be obtained with it (RFC 4120 §2.6).
    #[must_use]
    pub fn forwardable(mut self, asked: bool) -> Self {
        self.forwardable = asked;
        self
    }

    /// Proxy tickets can be obtained with it (RFC 4120 §2.5).
    #[must_use]
    pub fn proxiable(mut self, asked: bool) -> Self {
        self.proxiable = asked;
        self
    }

    /// Postdated tickets can be obtained with it (RFC 4120 §2.4).
    #[must_use]
    pub fn postdatable(mut self, asked: bool) -> Self {
        self.postdatable = asked;
        self
    }

    /// Is valid for so long; without this, for as long as the KDC gives.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Can be renewed for so long (RFC 4120 §2.3).
    #[must_use]
    pub fn renewable(mut self, lifetime: Duration) -> Self {
        self.renewable = Some(lifetime);
        self
    }

    /// May be renewable in place of a lifetime that the KDC does not grant at once
    /// (RFC 4120 §5.4.1, RENEWABLE-OK).
    #[must_use]
    pub fn renewable_ok(mut self, accepted: bool) -> Self {
        self.renewable_ok = accepted;
        self
    }

    /// Becomes valid only at `seconds` of Unix time, by the KDC's clock; such a ticket must be
    /// validated before it is used (RFC 4120 §2.4).
    #[must_use]
    pub fn start_at(mut self, seconds: i64) -> Self {
        self.start = Some(seconds);
        self
    }

    /// Can be used from these addresses only. None, the default, means any; behind address
    /// translation nothing else works.
    #[must_use]
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = HostAddress>) -> Self {
        self.addresses = addresses.into_iter().collect();
        self
    }

    /// Whether a forwardable ticket is asked for.
    #[must_use]
    pub fn is_forwardable(&self) -> bool {
        self.forwardable
    }

    /// The flags of the request.
    pub(crate) fn flags(&self) -> KdcOptions {
        [
            (self.forwardable, KdcOptions::FORWARDABLE),
            (self.proxiable, KdcOptions::PROXIABLE),
            (self.postdatable, KdcOptions::ALLOW_POSTDATE),
            (self.start.is_some(), KdcOptions::POSTDATED),
            (self.renewable.is_some(), KdcOptions::RENEWABLE),
            (self.renewable_ok, KdcOptions::RENEWABLE_OK),
        ]
        .into_iter()
        .filter(|(asked, _)| *asked)
        .fold(KdcOptions::NONE, |flags, (_, flag)| flags | flag)
    }

    /// The times of a request that is made at `now` by the KDC's clock.
    pub(crate) fn times(&self, now: i64) -> AskedTimes {
        let start = self.start.unwrap_or(now);
        let after = |duration: Duration| {
            start.saturating_add(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
        };
        AskedTimes {
            from: self.start,
            till: self.lifetime.map(after),
            renew_till: self.renewable.map(after),
            renewable_ok: self.renewable_ok,
        }
    }

    /// The addresses that are asked for.
    pub(crate) fn asked_addresses(&self) -> &[HostAddress] {
        &self.addresses
    }
}

/// The times of a request, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedTimes {
    pub(crate) from: Option<i64>,
    /// None: as long as the KDC gives.
    pub(crate) till: Option<i64>,
    pub(crate) renew_till: Option<i64>,
    pub(crate) renewable_ok: bool,
}

impl AskedTimes {
    /// The field `till`. RFC 4120 §5.4.1: 19700101000000Z asks for the latest end that the KDC's
    /// policy permits.
    pub(crate) fn till_field(&self) -> KerberosTime {
        KerberosTime {
            seconds: self.till.unwrap_or(0),
        }
    }

    /// The field `from`.
    pub(crate) fn start_field(&self) -> Option<KerberosTime> {
        self.from.map(|seconds| KerberosTime { seconds })
    }

    /// The field `rtime`.
    pub(crate) fn renew_till_field(&self) -> Option<KerberosTime> {
        self.renew_till.map(|seconds| KerberosTime { seconds })
    }
}

/// Addresses as messages carry them.
pub(crate) fn token_addresses(addresses: &[HostAddress]) -> Vec<TokenAddress<'_>> {
    addresses
        .iter()
        .map(|address| TokenAddress {
            addr_type: address.addr_type,
            address: &address.address,
        })
        .collect()
}

/// The field `addresses`: absent rather than empty (RFC 4120 §5.2.5).
pub(crate) fn addresses_field<'a>(addresses: &'a [TokenAddress<'a>]) -> Option<HostAddresses<'a>> {
    (!addresses.is_empty()).then(|| HostAddresses::new(addresses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_for_that_was_not_named() {
        let options = TicketOptions::default();
        assert_eq!(options.flags(), KdcOptions::NONE);
        let times = options.times(1_000);
        assert_eq!(
            (times.start_field(), times.renew_till_field()),
            (None, None::<KerberosTime>)
        );
        assert_eq!(times.till_field().to_string(), "1970-01-01 00:00:00Z");
        let forwardable = options.forwardable(true).flags();
        assert_eq!(forwardable, KdcOptions::FORWARDABLE);
    }

    #[test]
    fn lifetimes_count_from_the_start_of_the_ticket() {
        let hour = Duration::from_secs(3_600);
        let options = TicketOptions::default().lifetime(hour).renewable(2 * hour);
        let now = options.times(1_000);
        assert_eq!((now.from, now.till), (None, Some(4_600)));
        assert_eq!(now.renew_till, Some(8_200));
        let later = options.start_at(5_000).times(1_000);
        assert_eq!((later.from, later.till), (Some(5_000), Some(8_600)));
        let endless = TicketOptions::default().lifetime(Duration::MAX).times(1);
        assert_eq!(endless.till, Some(i64::MAX));
    }
}
