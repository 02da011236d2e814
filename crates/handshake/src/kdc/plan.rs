//! In which order, and by what, endpoints are asked.

use super::endpoint::{Endpoint, Transport};

/// However many KDCs a source names, so many ways are tried.
const MOST: usize = 64;

/// An endpoint by one of its transports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) endpoint: Endpoint,
    pub(super) transport: Transport,
}

/// What a message wants of its transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// UDP, then TCP.
    DatagramFirst,
    /// TCP, then UDP.
    StreamFirst,
    /// TCP, never UDP.
    StreamOnly,
}

/// Every endpoint by the first transport that the message wants, then those that have another by
/// that one too. The one that answered last comes first, and by TCP if that is how it answered:
/// UDP may not pass there.
pub(super) fn routes(endpoints: &[Endpoint], wish: Wish, last: Option<&Route>) -> Vec<Route> {
    let order: &[Transport] = match wish {
        Wish::DatagramFirst => &[Transport::Udp, Transport::Tcp, Transport::Https],
        Wish::StreamFirst => &[Transport::Tcp, Transport::Udp, Transport::Https],
        Wish::StreamOnly => &[Transport::Tcp, Transport::Https],
    };
    let is_last = |endpoint: &Endpoint| last.is_some_and(|last| last.endpoint == *endpoint);
    let (first, rest): (Vec<_>, Vec<_>) = endpoints.iter().partition(|endpoint| is_last(endpoint));

    let mut routes: Vec<Route> = Vec::new();
    let mut push = |endpoint: &Endpoint, transport| {
        let route = Route {
            endpoint: endpoint.clone(),
            transport,
        };
        if routes.len() < MOST && !routes.contains(&route) {
            routes.push(route);
        }
    };
    let first_choice = |endpoint: &Endpoint| {
        let learned = last
            .filter(|last| last.endpoint == *endpoint && last.transport == Transport::Tcp)
            .map(|last| last.transport);
        learned.or_else(|| {
            let mut permitted = order.iter().filter(|way| endpoint.permits(**way));
            permitted.next().copied()
        })
    };
    for endpoint in first.iter().chain(&rest) {
        if let Some(transport) = first_choice(endpoint) {
            push(endpoint, transport);
        }
    }
    for endpoint in first.iter().chain(&rest) {
        for transport in order.iter().filter(|way| endpoint.permits(**way)) {
            push(endpoint, *transport);
        }
    }
    routes
}

#[cfg(test)]
mod tests {
    use countersign_context::kerberos::kdc::KdcService;

    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text, KdcService::Kdc).unwrap()
    }

    fn planned(texts: &[&str], wish: Wish, last: Option<Route>) -> Vec<String> {
        let endpoints: Vec<_> = texts.iter().map(|text| endpoint(text)).collect();
        routes(&endpoints, wish, last.as_ref())
            .iter()
            .map(|route| format!("{} {}", route.endpoint.host(), route.transport))
            .collect()
    }

    const MIXED: &[&str] = &["a", "tcp/b", "udp/c", "https://d", "a"];

    #[test]
    fn every_endpoint_has_its_turn_before_any_has_a_second() {
        assert_eq!(
            planned(MIXED, Wish::DatagramFirst, None),
            ["a UDP", "b TCP", "c UDP", "d HTTPS", "a TCP"]
        );
        assert_eq!(
            planned(MIXED, Wish::StreamFirst, None),
            ["a TCP", "b TCP", "c UDP", "d HTTPS", "a UDP"]
        );
    }

    #[test]
    fn what_must_not_go_by_udp_does_not() {
        assert_eq!(
            planned(MIXED, Wish::StreamOnly, None),
            ["a TCP", "b TCP", "d HTTPS"]
        );
    }

    #[test]
    fn the_one_that_answered_last_comes_first_and_by_tcp_if_it_did() {
        let last = |transport| {
            Some(Route {
                endpoint: endpoint("b"),
                transport,
            })
        };
        assert_eq!(
            planned(&["a", "b"], Wish::DatagramFirst, last(Transport::Udp)),
            ["b UDP", "a UDP", "b TCP", "a TCP"]
        );
        assert_eq!(
            planned(&["a", "b"], Wish::DatagramFirst, last(Transport::Tcp)),
            ["b TCP", "a UDP", "b UDP", "a TCP"]
        );
        // By UDP before does not mean that this message may.
        assert_eq!(
            planned(&["a", "b"], Wish::StreamFirst, last(Transport::Udp)),
            ["b TCP", "a TCP", "b UDP", "a UDP"]
        );
    }
}
