//! Where a KDC listens.

use core::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use countersign_context::kerberos::kdc::KdcService;

/// The path of a KDC proxy unless its URL names another, MS-KKDCP §2.1.
const PROXY_PATH: &str = "/KdcProxy";

/// What carries a message to a KDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One datagram each way (RFC 4120 §7.2.1).
    Udp,
    /// A connection, each message after its length (RFC 4120 §7.2.2).
    Tcp,
    /// A proxy reached by HTTPS POST (MS-KKDCP §2.1); needs the feature `https`.
    Https,
}

/// A host and port, and which transports reach it there.
///
/// As text, the forms of `kdc =` in krb5.conf: `host`, `host:port`, `[2001:db8::88]:port`,
/// `tcp/host:port`, `udp/host:port`, and `https://host:port/path` for a KDC proxy.
///
/// ```
/// use countersign_handshake::context::kerberos::kdc::KdcService;
/// use countersign_handshake::kdc::{Endpoint, Transport};
///
/// let kdc = Endpoint::parse("tcp/kdc1.example.com", KdcService::Kdc)?;
/// assert_eq!((kdc.host(), kdc.port()), ("kdc1.example.com", 88));
/// assert!(kdc.permits(Transport::Tcp) && !kdc.permits(Transport::Udp));
/// # Ok::<(), countersign_handshake::kdc::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: Arc<str>,
    port: u16,
    reach: Reach,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Reach {
    /// UDP and TCP at the same port; which comes first depends on the message.
    Either,
    Udp,
    Tcp,
    /// With the path of the URL.
    Https(Arc<str>),
}

impl Endpoint {
    /// A KDC at a name or address, by UDP or TCP as the message's size demands.
    ///
    /// # Errors
    /// The text is no name and no address.
    pub fn new(host: &str, port: u16) -> Result<Self, EndpointError> {
        Self::with_reach(host, port, Reach::Either)
    }

    /// A KDC that is to be asked by UDP alone.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn udp(host: &str, port: u16) -> Result<Self, EndpointError> {
        Self::with_reach(host, port, Reach::Udp)
    }

    /// A KDC that is to be asked by TCP alone.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn tcp(host: &str, port: u16) -> Result<Self, EndpointError> {
        Self::with_reach(host, port, Reach::Tcp)
    }

    /// A KDC proxy, whose URL has this path; `/KdcProxy` where it is empty.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and the path is no path of a URL.
    pub fn https(host: &str, port: u16, path: &str) -> Result<Self, EndpointError> {
        let path = match path {
            "" | "/" => PROXY_PATH,
            path => path,
        };
        // The path becomes a line of the request: nothing in it may end that line or a word of it.
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(EndpointError::Path);
        }
        Self::with_reach(host, port, Reach::Https(path.into()))
    }

    /// Reads one of the text forms; without a port it is the one of `service`.
    ///
    /// # Errors
    /// What of the text is not as it should be.
    pub fn parse(text: &str, service: KdcService) -> Result<Self, EndpointError> {
        let text = text.trim();
        if let Some(url) = strip_prefix_ignoring_case(text, "https://") {
            let (authority, path) = match url.find('/') {
                Some(slash) => url.split_at(slash),
                None => (url, ""),
            };
            let (host, port) = host_and_port(authority, 443)?;
            return Self::https(host, port, path);
        }
        if text.contains("://") {
            return Err(EndpointError::Scheme);
        }
        let (reach, rest) = if let Some(rest) = strip_prefix_ignoring_case(text, "tcp/") {
            (Reach::Tcp, rest)
        } else if let Some(rest) = strip_prefix_ignoring_case(text, "udp/") {
            (Reach::Udp, rest)
        } else {
            (Reach::Either, text)
        };
        let (host, port) = host_and_port(rest, default_port(service))?;
        Self::with_reach(host, port, reach)
    }

    fn with_reach(host: &str, port: u16, reach: Reach) -> Result<Self, EndpointError> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let legal =
            !host.is_empty() && host.len() <= 253 && (host.bytes().all(name) || is_ipv6(host));
        if !legal {
            return Err(EndpointError::Host);
        }
        if port == 0 {
            return Err(EndpointError::Port);
        }
        Ok(Self {
            host: host.into(),
            port,
            reach,
        })
    }

    /// The name or the address, an IPv6 one without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path of a KDC proxy's URL.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match &self.reach {
            Reach::Https(path) => Some(path),
            _ => None,
        }
    }

    /// Whether this transport leads there.
    #[must_use]
    pub fn permits(&self, transport: Transport) -> bool {
        match self.reach {
            Reach::Either => transport != Transport::Https,
            Reach::Udp => transport == Transport::Udp,
            Reach::Tcp => transport == Transport::Tcp,
            Reach::Https(_) => transport == Transport::Https,
        }
    }
}

/// The port at which a service listens: 88 (RFC 4120 §7.2.1) or 464 (RFC 3244 §2).
#[must_use]
pub fn default_port(service: KdcService) -> u16 {
    match service {
        KdcService::Kdc => 88,
        KdcService::PasswordChange => 464,
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    let tail = text.get(prefix.len()..)?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// `host`, `host:port`, `[address]`, `[address]:port`, or an IPv6 address without a port.
fn host_and_port(text: &str, default: u16) -> Result<(&str, u16), EndpointError> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(EndpointError::Host)?;
        if !is_ipv6(host) {
            return Err(EndpointError::Host);
        }
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(EndpointError::Host),
        }
    } else if is_ipv6(text) {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        // `parse` of an integer would take a sign.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| EndpointError::Port)?
        }
        Some(_) => return Err(EndpointError::Port),
        None => default,
    };
    Ok((host, port))
}

/// An IPv6 address; on a link its interface may follow `%`.
fn is_ipv6(text: &str) -> bool {
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (text, None),
    };
    matches!(address.parse::<IpAddr>(), Ok(IpAddr::V6(_)))
        && scope.is_none_or(|scope| {
            !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// As [`Endpoint::parse`] reads it, always with the port.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reach {
            Reach::Either => "",
            Reach::Udp => "udp/",
            Reach::Tcp => "tcp/",
            Reach::Https(_) => "https://",
        })?;
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)?;
        } else {
            write!(f, "{}:{}", self.host, self.port)?;
        }
        f.write_str(self.path().unwrap_or_default())
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Https => "HTTPS",
        })
    }
}

/// Why a text names no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndpointError {
    /// The host is no name in ASCII and no address.
    Host,
    /// The port is no number from 1 to 65535.
    Port,
    /// The path of the URL does not begin with a slash, or has spaces or letters beyond ASCII.
    Path,
    /// A URL of another scheme than `https`.
    Scheme,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => {
                "no host: write a DNS name in ASCII, an IPv4 address, or an IPv6 address in brackets"
            }
            Self::Port => "no port: write a number from 1 to 65535 after the colon",
            Self::Path => "no path: begin it with / and percent-encode what is not plain ASCII",
            Self::Scheme => "a KDC proxy is reached by https:// only",
        })
    }
}

impl core::error::Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(text, KdcService::Kdc)
    }

    #[test]
    fn every_form_of_krb5_conf_is_read_and_printed_back() {
        for (text, printed) in [
            ("kdc1", "kdc1:88"),
            ("kdc1.example.com.", "kdc1.example.com:88"),
            ("kdc1:1088", "kdc1:1088"),
            ("192.0.2.1:750", "192.0.2.1:750"),
            ("2001:db8::1", "[2001:db8::1]:88"),
            ("[2001:db8::1]", "[2001:db8::1]:88"),
            ("[fe80::1%eth0]:89", "[fe80::1%eth0]:89"),
            ("TCP/kdc1", "tcp/kdc1:88"),
            ("udp/kdc1:1", "udp/kdc1:1"),
            (" kdc1\r\n", "kdc1:88"),
            ("https://proxy", "https://proxy:443/KdcProxy"),
            ("HTTPS://proxy:8443/a/b", "https://proxy:8443/a/b"),
            ("https://[::1]:8443", "https://[::1]:8443/KdcProxy"),
        ] {
            let endpoint = parsed(text).unwrap();
            assert_eq!(endpoint.to_string(), printed, "{text}");
            assert_eq!(parsed(printed).unwrap(), endpoint, "{printed}");
        }
        let kpasswd = Endpoint::parse("kdc1", KdcService::PasswordChange).unwrap();
        assert_eq!(kpasswd.port(), 464);
    }

    #[test]
    fn what_names_no_endpoint_is_refused() {
        use EndpointError::{Host, Path, Port, Scheme};
        for (text, expected) in [
            ("", Host),
            ("a b", Host),
            ("kdc/", Host),
            ("[::1", Host),
            ("[::1]x", Host),
            ("[kdc]:88", Host),
            ("user@kdc", Host),
            ("kdc:", Port),
            ("kdc:+88", Port),
            ("kdc:0", Port),
            ("kdc:65536", Port),
            ("http://proxy/KdcProxy", Scheme),
            ("https://proxy/a b", Path),
            ("https://proxy/a\r\nHost: b", Path),
            ("https:///KdcProxy", Host),
        ] {
            assert_eq!(parsed(text), Err(expected), "{text:?}");
        }
    }
}
