//! What records say of a realm's KDCs.

use countersign_context::kerberos::kdc::KdcService;

use super::super::endpoint::Endpoint;
use super::weight::Weighted;

/// The target of a URI record that names a KDC, in the form that MIT krb5 documents:
///
/// ```text
/// krb5srv : flags : udp | tcp | kkdcp : host [ : port ] or URL
/// ```
///
/// Flags are letters and all pass: `m`, a primary KDC, makes no difference here. What names
/// another kind of server is none.
fn parse_uri(target: &str, service: KdcService) -> Option<Endpoint> {
    let mut parts = target.splitn(4, ':');
    let scheme = parts.next()?;
    let _flags = parts.next()?;
    let transport = parts.next()?;
    let rest = parts.next()?;
    if !scheme.eq_ignore_ascii_case("krb5srv") {
        return None;
    }
    let plain = |text: &str| !text.contains('/');
    match transport.to_ascii_lowercase().as_str() {
        "udp" if plain(rest) => Endpoint::parse(&format!("udp/{rest}"), service).ok(),
        "tcp" if plain(rest) => Endpoint::parse(&format!("tcp/{rest}"), service).ok(),
        "kkdcp" => {
            let endpoint = Endpoint::parse(rest, service).ok()?;
            endpoint.path().is_some().then_some(endpoint)
        }
        _ => None,
    }
}

/// The data of a URI record, RFC 7553 §4.5: priority, weight, target.
pub(super) fn uri(data: &[u8], service: KdcService) -> Option<Weighted<Endpoint>> {
    let ([a, b, c, d], target) = data.split_first_chunk::<4>()?;
    Some(Weighted {
        priority: u16::from_be_bytes([*a, *b]),
        weight: u16::from_be_bytes([*c, *d]),
        value: parse_uri(std::str::from_utf8(target).ok()?, service)?,
    })
}

/// A host and port.
pub(super) type Place = (String, u16);

/// Endpoints of the hosts in two ordered lists of SRV records: those for UDP in their order, which
/// may also be reached by TCP, then those for TCP alone.
pub(super) fn merge(udp: Vec<Place>, tcp: Vec<Place>) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for place in &udp {
        let (host, port) = (place.0.as_str(), place.1);
        endpoints.push(if tcp.contains(place) {
            Endpoint::new(host, port)
        } else {
            Endpoint::udp(host, port)
        });
    }
    for place in tcp.iter().filter(|place| !udp.contains(place)) {
        endpoints.push(Endpoint::tcp(&place.0, place.1));
    }
    // A record with a name that is none, or without a port, names nobody.
    endpoints.into_iter().flatten().collect()
}

/// Where records of a service are: the label, RFC 4120 §7.2.3.2.
pub(super) fn label(service: KdcService) -> &'static str {
    match service {
        KdcService::Kdc => "_kerberos",
        KdcService::PasswordChange => "_kpasswd",
    }
}

/// The DNS name that a realm is, RFC 4120 §7.2.3.1, without a search list.
pub(super) fn domain(realm: &[u8]) -> Option<&str> {
    let realm = std::str::from_utf8(realm).ok()?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let labels_are_legal = realm
        .split('.')
        .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(legal));
    // The longest label before it is `_kerberos._tcp`.
    (labels_are_legal && realm.len() <= 235).then_some(realm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_in_the_form_of_mit_are_read() {
        for (target, expected) in [
            (
                "krb5srv:m:tcp:kdc1.example.com",
                Some("tcp/kdc1.example.com:88"),
            ),
            ("KRB5SRV::UDP:kdc1:1088", Some("udp/kdc1:1088")),
            (
                "krb5srv:m:udp:[2001:db8::1]:89",
                Some("udp/[2001:db8::1]:89"),
            ),
            (
                "krb5srv::kkdcp:https://proxy/path",
                Some("https://proxy:443/path"),
            ),
            ("krb5srv:xyz:tcp:kdc1", Some("tcp/kdc1:88")),
            ("krb5srv::kkdcp:proxy", None),
            ("krb5srv::kkdcp:http://proxy/path", None),
            ("krb5srv::tcp:https://proxy/path", None),
            ("krb5srv::sctp:kdc1", None),
            ("krb5srv:m:tcp", None),
            ("krb5srv::tcp:", None),
            ("https://kdc1", None),
            ("", None),
        ] {
            let mut data = vec![0, 10, 0, 1];
            data.extend(target.as_bytes());
            let read = uri(&data, KdcService::Kdc);
            let text = read.as_ref().map(|record| record.value.to_string());
            assert_eq!(text.as_deref(), expected, "{target}");
            if let Some(record) = read {
                assert_eq!((record.priority, record.weight), (10, 1));
            }
        }
        assert_eq!(uri(&[0, 10, 0], KdcService::Kdc), None);
    }

    #[test]
    fn lists_of_udp_and_tcp_become_one() {
        let place = |host: &str| (host.to_owned(), 88);
        let merged = merge(
            vec![place("a"), place("b"), place("not a name")],
            vec![place("c"), place("a"), ("z".into(), 0)],
        );
        let texts: Vec<_> = merged.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["a:88", "udp/b:88", "tcp/c:88"]);
    }

    #[test]
    fn realm_that_is_no_domain_is_not_searched() {
        assert_eq!(domain(b"EXAMPLE.COM"), Some("EXAMPLE.COM"));
        assert_eq!(domain(b"LOCAL"), Some("LOCAL"));
        for realm in [
            &b""[..],
            b"A B",
            b"A..B",
            b".A",
            b"A.",
            b"A\0B",
            b"\xff",
            &[b'a'; 64],
        ] {
            assert_eq!(domain(realm), None, "{realm:?}");
        }
        assert_eq!(domain("a.".repeat(118).as_bytes()), None);
    }
}
