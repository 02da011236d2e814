//! In which order both drivers ask several KDCs, and whose answer they take.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use countersign_handshake::context::kerberos::kdc::{KdcRequest, KdcService};
use countersign_handshake::kdc::{
    Endpoint, Error, Failure, KdcClient, Locate, LocateError, Locating, StaticKdcs,
};
use support::DRIVERS;
use support::kdc::{
    FOREVER, REALM, Watched, failures, framed, password_change, password_reply, receive, refusing,
    reply, request, silent, tcp, tcp_alone, tcp_saying, udp, udp_answering,
};

const SOON: Duration = Duration::from_millis(30);

fn at(port: u16) -> String {
    format!("udp/127.0.0.1:{port}")
}

fn tcp_at(port: u16) -> String {
    format!("tcp/127.0.0.1:{port}")
}

#[test]
fn kdcs_are_asked_in_their_order_each_when_the_one_before_was_silent() {
    let (a, b, c) = (silent(), silent(), udp_answering(reply("c")));
    for driver in DRIVERS {
        let watched = Watched::new(&[("a", at(a)), ("b", at(b)), ("c", at(c))])
            .with(|client| client.patience(SOON));
        let began = Instant::now();
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            reply("c")
        );
        // Two were waited for, and each for so long only.
        assert!(began.elapsed() >= SOON * 2);
        assert_eq!(
            watched.events(),
            [
                "asked a by UDP",
                "asked b by UDP",
                "asked c by UDP",
                "c answered by UDP"
            ],
            "{driver:?}"
        );
    }
}

#[test]
fn silent_kdc_is_overtaken_after_a_second_by_default() {
    let (a, b) = (silent(), udp_answering(reply("b")));
    for driver in DRIVERS {
        let kdcs = StaticKdcs::new().kdc(REALM, &at(a)).unwrap();
        let client = KdcClient::new(kdcs.kdc(REALM, &at(b)).unwrap());
        let began = Instant::now();
        assert_eq!(driver.send(&client, &request()).unwrap(), reply("b"));
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(1), "{took:?}");
        // The default deadline is 10 s; a busy machine may be late, but not by so much.
        assert!(took < Duration::from_secs(9), "{took:?}");
    }
}

#[test]
fn answer_of_a_kdc_that_was_overtaken_is_still_welcome() {
    for driver in DRIVERS {
        let (asked, was_asked) = mpsc::channel();
        let a = udp(move |socket, _, from| {
            was_asked.recv().unwrap();
            socket.send_to(&reply("a"), from).unwrap();
        });
        let b = udp(move |_, _, _| {
            let _ = asked.send(());
        });
        let watched =
            Watched::new(&[("a", at(a)), ("b", at(b))]).with(|client| client.patience(SOON));
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            reply("a")
        );
        assert_eq!(
            watched.events(),
            ["asked a by UDP", "asked b by UDP", "a answered by UDP"],
            "{driver:?}"
        );
    }
}

#[test]
fn kdc_that_is_known_to_fail_is_not_waited_for() {
    let answering = tcp_saying(framed(&reply("b")));
    let dead = refusing();
    let refused = Failure::Io(std::io::ErrorKind::ConnectionRefused);
    let full = framed(&reply("0123456789"));
    let cases = [
        (tcp_at(dead), refused),
        (at(dead), refused),
        (tcp_at(tcp_saying(vec![])), Failure::Closed),
        (tcp_at(tcp_saying(full[..9].to_vec())), Failure::Closed),
        (
            tcp_at(tcp_saying(vec![0x80, 0, 0, 0])),
            Failure::ReservedLength,
        ),
        (tcp_at(tcp_saying(framed(b"rubbish"))), Failure::NotKerberos),
    ];
    for driver in DRIVERS {
        for (first, failure) in &cases {
            // With this patience, the second is asked in time only if the first is given up.
            let watched = Watched::new(&[("a", first.clone()), ("b", tcp_at(answering))]);
            assert_eq!(
                driver.send(&watched.client, &request()).unwrap(),
                reply("b")
            );
            let events = watched.events();
            assert_eq!(
                events[1..],
                [
                    format!("a failed: {failure:?}"),
                    "asked b by TCP".into(),
                    "b answered by TCP".into()
                ],
                "{driver:?} {first}"
            );
        }
    }
}

#[test]
fn rubbish_by_udp_brings_in_the_next_kdc_at_once_and_the_real_answer_still_counts() {
    for driver in DRIVERS {
        let (asked, was_asked) = mpsc::channel();
        let a = udp(move |socket, _, from| {
            socket.send_to(b"rubbish", from).unwrap();
            was_asked.recv().unwrap();
            socket.send_to(&reply("a"), from).unwrap();
        });
        let b = udp(move |_, _, _| {
            let _ = asked.send(());
        });
        let watched = Watched::new(&[("a", at(a)), ("b", at(b))]);
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            reply("a")
        );
        assert_eq!(
            watched.events(),
            ["asked a by UDP", "asked b by UDP", "a answered by UDP"],
            "{driver:?}"
        );
    }
}

#[test]
fn kdc_that_swallows_a_connection_is_overtaken() {
    let (keep, _kept) = mpsc::channel();
    let hole = tcp(move |mut stream| {
        receive(&mut stream);
        keep.send(stream).unwrap();
    });
    let answering = tcp_saying(framed(&reply("b")));
    for driver in DRIVERS {
        let watched = Watched::new(&[("a", tcp_at(hole)), ("b", tcp_at(answering))])
            .with(|client| client.patience(SOON));
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            reply("b")
        );
        assert_eq!(
            watched.events(),
            ["asked a by TCP", "asked b by TCP", "b answered by TCP"]
        );
    }
}

#[test]
fn host_without_an_address_is_passed_over() {
    let b = udp_answering(reply("b"));
    for driver in DRIVERS {
        let watched = Watched::new(&[("a", "no-such-host.invalid".into()), ("b", at(b))])
            // A name server that cannot be reached is overtaken like any other.
            .with(|client| client.patience(Duration::from_secs(1)));
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            reply("b")
        );
    }
}

#[test]
fn kdc_that_answered_is_asked_first_by_the_next_request_and_by_every_clone() {
    let (a, b) = (silent(), udp_answering(reply("b")));
    for driver in DRIVERS {
        let watched =
            Watched::new(&[("a", at(a)), ("b", at(b))]).with(|client| client.patience(SOON));
        assert!(driver.send(&watched.client, &request()).is_ok());
        watched.events();
        for _ in 0..3 {
            // With this patience, only who is asked first can answer in time.
            let clone = watched.client.clone().patience(FOREVER);
            assert!(driver.send(&clone, &request()).is_ok());
            assert_eq!(watched.events(), ["asked b by UDP", "b answered by UDP"]);
        }
        // Control: another service of the realm has another memory.
        let other = KdcRequest {
            service: KdcService::PasswordChange,
            ..password_change()
        };
        let client = watched.client.clone().timeout(SOON * 10);
        assert!(driver.send(&client, &other).is_err());
        assert_eq!(watched.events()[0], "asked a by UDP");
    }
}

#[test]
fn tcp_that_answered_where_udp_did_not_is_remembered() {
    let b = tcp_alone(framed(&reply("b")));
    for driver in DRIVERS {
        let watched = Watched::new(&[("a", format!("127.0.0.1:{b}"))]);
        let refused = "a failed: Io(ConnectionRefused)";
        assert!(driver.send(&watched.client, &request()).is_ok());
        assert_eq!(
            watched.events(),
            [
                "asked a by UDP",
                refused,
                "asked a by TCP",
                "a answered by TCP"
            ]
        );
        assert!(driver.send(&watched.client, &request()).is_ok());
        assert_eq!(watched.events(), ["asked a by TCP", "a answered by TCP"]);
    }
}

/// RFC 4120 §5.9.1.
fn krb_error(code: i32) -> Vec<u8> {
    use countersign_handshake::context::token::der::Encode;
    use countersign_handshake::context::token::kerberos::{
        Claimed, KerberosString, KerberosTime, KrbError, Microseconds, PrincipalName,
    };
    let names = [KerberosString::from("krbtgt"), KerberosString::from(REALM)];
    KrbError {
        ctime: None,
        cusec: None,
        stime: KerberosTime {
            seconds: 1_700_000_000,
        },
        susec: Microseconds::default(),
        error_code: code,
        crealm: None,
        cname: None,
        realm: Claimed::new(KerberosString::from(REALM)),
        sname: Claimed::new(PrincipalName {
            name_type: 2,
            name_string: (&names).into(),
        }),
        e_text: None,
        e_data: None,
    }
    .to_der()
}

#[test]
fn kdc_out_of_service_sends_to_the_next_and_is_believed_if_all_are() {
    const SVC_UNAVAILABLE: i32 = 29;
    let out = [0, 1].map(|_| udp_answering(krb_error(SVC_UNAVAILABLE)));
    let answering = udp_answering(reply("c"));
    let unknown = udp_answering(krb_error(6));
    for driver in DRIVERS {
        let watched = Watched::new(&[("a", at(out[0])), ("c", at(answering))]);
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            reply("c")
        );
        let watched = Watched::new(&[("a", at(out[0])), ("b", at(out[1]))]);
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            krb_error(SVC_UNAVAILABLE)
        );
        // Control: any other error is the answer.
        let watched = Watched::new(&[("a", at(unknown)), ("c", at(answering))]);
        assert_eq!(
            driver.send(&watched.client, &request()).unwrap(),
            krb_error(6)
        );
    }
}

#[test]
fn password_change_reaches_one_server_once() {
    for driver in DRIVERS {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let (keep, _kept) = mpsc::channel();
        let hole = tcp(move |mut stream| {
            receive(&mut stream);
            counted.fetch_add(1, Ordering::SeqCst);
            keep.send(stream).unwrap();
        });
        let counted = Arc::clone(&count);
        let also = udp(move |_, _, _| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        // Long enough for the server to have counted, on a busy machine too.
        let watched = |timeout| {
            Watched::new(&[("a", tcp_at(hole)), ("b", at(also))])
                .with(|client| client.patience(SOON).timeout(timeout))
        };
        let client = watched(SOON * 40).client;
        let failed = failures(driver.send(&client, &password_change()));
        assert_eq!(failed, [Failure::NoAnswer], "{driver:?}");
        assert_eq!(count.load(Ordering::SeqCst), 1);
        // Control: a request for a ticket goes to both.
        let failed = failures(driver.send(&watched(SOON * 40).client, &request()));
        assert_eq!(failed.len(), 2);
        while count.load(Ordering::SeqCst) < 3 {
            thread::yield_now();
        }
    }
}

#[test]
fn password_change_goes_on_to_the_server_that_can_be_reached() {
    let dead = refusing();
    let answering = udp_answering(password_reply());
    for driver in DRIVERS {
        let watched = Watched::new(&[
            ("a", format!("127.0.0.1:{dead}")),
            ("b", format!("127.0.0.1:{answering}")),
        ]);
        assert_eq!(
            driver.send(&watched.client, &password_change()).unwrap(),
            password_reply()
        );
        // By TCP first, since only there it is known whether anybody listens.
        let events = watched.events();
        assert_eq!(events[0], "asked a by TCP");
        assert_eq!(events[2], "asked b by TCP");
    }
}

#[test]
fn deadline_holds_over_all_kdcs_together() {
    let kdcs: Vec<_> = (0..4).map(|_| ("a", at(silent()))).collect();
    for driver in DRIVERS {
        let watched = Watched::new(&kdcs)
            .with(|client| client.patience(SOON).timeout(Duration::from_secs(2)));
        let began = Instant::now();
        let failed = failures(driver.send(&watched.client, &request()));
        // All four were asked, with time to spare for a busy machine.
        assert_eq!(failed, [Failure::NoAnswer; 4]);
        assert!(began.elapsed() < FOREVER / 2);
    }
}

#[derive(Debug)]
struct Slow;

impl Locate for Slow {
    fn locate(
        &self,
        _realm: &[u8],
        _service: KdcService,
        deadline: Instant,
    ) -> Result<Vec<Endpoint>, LocateError> {
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        Err(LocateError::TimedOut)
    }

    fn locate_async<'a>(
        &'a self,
        _realm: &'a [u8],
        _service: KdcService,
        _deadline: Instant,
    ) -> Locating<'a> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn search_for_kdcs_is_under_the_deadline_too() {
    for driver in DRIVERS {
        let client = KdcClient::new(Slow).timeout(SOON);
        assert_eq!(
            driver.send(&client, &request()),
            Err(Error::Locate(LocateError::TimedOut))
        );
        // Control: a source that does not know the realm says so at once.
        let client = KdcClient::new(StaticKdcs::new());
        assert_eq!(driver.send(&client, &request()), Err(Error::NotLocated));
    }
}

#[test]
fn error_names_every_kdc_that_was_asked() {
    let (a, b) = (refusing(), silent());
    for driver in DRIVERS {
        let watched = Watched::new(&[("a", at(a)), ("b", at(b))])
            // That `a` refuses takes no time; that it is seen may, on a busy machine.
            .with(|client| client.timeout(Duration::from_secs(2)));
        let error = driver.send(&watched.client, &request()).unwrap_err();
        let text = error.to_string();
        for part in [
            at(a),
            at(b),
            "nobody listens".into(),
            "no answer in time".into(),
        ] {
            assert!(text.contains(&part), "{text}");
        }
    }
}
