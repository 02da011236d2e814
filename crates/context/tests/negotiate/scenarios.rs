//! Every way of a negotiation to its end.

use countersign_context::negotiate::{Acceptor, Initiator};
use countersign_context::token::oid::Oid;
use countersign_context::{Flags, Mechanism, Policy};

use crate::lab::{ACCOUNT, ALICE, Lab, Run, Side, acceptor, initiator, run_between};
use crate::toy;

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) sides: fn(&Lab) -> (Initiator, Acceptor),
    pub(crate) mechanism: fn() -> Oid<'static>,
    /// Tokens of both sides.
    pub(crate) legs: usize,
    pub(crate) proved: bool,
    /// Who the acceptor learns is there.
    pub(crate) client: &'static str,
    /// Who the initiator learns is there, if the mechanism proves it.
    pub(crate) server: Option<&'static str>,
}

const HOST: Option<&str> = Some("HTTP/www.example.com@EXAMPLE.COM");

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

impl Scenario {
    const fn kerberos(
        name: &'static str,
        legs: usize,
        sides: fn(&Lab) -> (Initiator, Acceptor),
    ) -> Self {
        Self {
            name,
            sides,
            mechanism: || Oid::KERBEROS,
            legs,
            proved: false,
            client: ALICE,
            server: HOST,
        }
    }

    const fn ntlm(
        name: &'static str,
        legs: usize,
        sides: fn(&Lab) -> (Initiator, Acceptor),
    ) -> Self {
        Self {
            name,
            sides,
            mechanism: || Oid::NTLMSSP,
            legs,
            proved: true,
            client: ACCOUNT,
            server: None,
        }
    }

    const fn toy(
        name: &'static str,
        legs: usize,
        sides: fn(&Lab) -> (Initiator, Acceptor),
    ) -> Self {
        Self {
            name,
            sides,
            mechanism: toy::oid,
            legs,
            proved: false,
            client: "friend",
            server: Some("sentry"),
        }
    }

    const fn proved(mut self) -> Self {
        self.proved = true;
        self
    }

    const fn one_way(mut self) -> Self {
        self.server = None;
        self
    }

    /// A new session with these seeds; `between` may change what is sent.
    pub(crate) fn run(
        &self,
        lab: &Lab,
        seed: u64,
        between: &mut dyn FnMut(usize, Vec<u8>) -> Vec<Vec<u8>>,
    ) -> Run {
        let (initiator, acceptor) = (self.sides)(lab);
        let policy = Policy::default();
        let client = Side::new(initiator, seed).with_policy(policy.clone());
        let server = Side::new(acceptor, seed + 1).with_policy(policy);
        run_between(client, server, between)
    }

    pub(crate) fn honest(&self, lab: &Lab, seed: u64) -> Run {
        self.run(lab, seed, &mut |_, token| vec![token])
    }

    /// Each side that is established is so by the mechanism, and with the peer, of the honest
    /// exchange; and if both are, and have the same key, they can talk. How many are established.
    #[track_caller]
    pub(crate) fn judge(&self, run: &mut Run, what: &dyn core::fmt::Debug) -> usize {
        let mechanism = (self.mechanism)();
        let sides = [
            (&mut run.client, self.server),
            (&mut run.server, Some(self.client)),
        ];
        let mut established = 0;
        for (side, peer) in sides {
            if !side.is_established() {
                continue;
            }
            established += 1;
            let context = side.context();
            assert_eq!(context.mechanism(), mechanism, "{}: {what:?}", self.name);
            let found = context.peer().map(ToString::to_string);
            assert_eq!(found.as_deref(), peer, "{}: {what:?}", self.name);
            assert!(
                context.flags().contains(Flags::INTEGRITY),
                "{}: {what:?}",
                self.name
            );
            let proved = context.negotiated().unwrap().proved;
            assert!(proved || !self.proved, "{}: {what:?}", self.name);
        }
        established
    }
}

/// All of them: first choices, choices of the acceptor's, and a fallback.
pub(crate) const ALL: [Scenario; 12] = [
    Scenario::kerberos("Kerberos", 2, |lab| {
        let (k, n) = (boxed(lab.kerberos()), boxed(lab.ntlm()));
        let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
        (initiator([k, n]), acceptor(server))
    }),
    Scenario::kerberos("Kerberos one-way", 2, |lab| {
        let (k, n) = (boxed(lab.kerberos().one_way()), boxed(lab.ntlm()));
        let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
        (initiator([k, n]), acceptor(server))
    })
    .one_way(),
    Scenario::kerberos("Kerberos DCE", 4, |lab| {
        let (k, n) = (boxed(lab.kerberos().dce_style()), boxed(lab.ntlm()));
        let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
        (initiator([k, n]), acceptor(server))
    }),
    Scenario::kerberos("Kerberos reselected", 5, |lab| {
        let (n, k) = (boxed(lab.ntlm()), boxed(lab.kerberos()));
        (
            initiator([n, k]),
            acceptor([boxed(lab.kerberos_acceptor())]),
        )
    })
    .proved(),
    Scenario::kerberos("Kerberos one-way reselected", 4, |lab| {
        let (n, k) = (boxed(lab.ntlm()), boxed(lab.kerberos().one_way()));
        (
            initiator([n, k]),
            acceptor([boxed(lab.kerberos_acceptor())]),
        )
    })
    .proved()
    .one_way(),
    Scenario::kerberos("Kerberos DCE reselected", 6, |lab| {
        let (n, k) = (boxed(lab.ntlm()), boxed(lab.kerberos().dce_style()));
        (
            initiator([n, k]),
            acceptor([boxed(lab.kerberos_acceptor())]),
        )
    })
    .proved(),
    Scenario::ntlm("NTLM", 4, |lab| {
        let (n, k) = (boxed(lab.ntlm()), boxed(lab.kerberos()));
        (initiator([n, k]), acceptor([boxed(lab.ntlm_acceptor())]))
    }),
    Scenario::ntlm("NTLM reselected", 6, |lab| {
        let (k, n) = (boxed(lab.kerberos()), boxed(lab.ntlm()));
        (initiator([k, n]), acceptor([boxed(lab.ntlm_acceptor())]))
    }),
    Scenario::ntlm("fallback", 4, |lab| {
        let (k, n) = (boxed(lab.kerberos_without_kdc()), boxed(lab.ntlm()));
        let server = [boxed(lab.kerberos_acceptor()), boxed(lab.ntlm_acceptor())];
        (initiator([k, n]), acceptor(server))
    }),
    Scenario::toy("a third mechanism", 2, |lab| {
        let (t, n) = (boxed(lab.toy(2)), boxed(lab.ntlm()));
        let server = [boxed(lab.toy_acceptor(2)), boxed(lab.ntlm_acceptor())];
        (initiator([t, n]), acceptor(server))
    }),
    Scenario::toy("a third mechanism reselected", 5, |lab| {
        let (n, t) = (boxed(lab.ntlm()), boxed(lab.toy(2)));
        (initiator([n, t]), acceptor([boxed(lab.toy_acceptor(2))]))
    })
    .proved(),
    Scenario::toy("a third mechanism of three tokens reselected", 6, |lab| {
        let (n, t) = (boxed(lab.ntlm()), boxed(lab.toy(3)));
        (initiator([n, t]), acceptor([boxed(lab.toy_acceptor(3))]))
    })
    .proved(),
];
