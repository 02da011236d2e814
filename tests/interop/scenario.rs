//! What two sides do with each other, written once for every pair of implementations.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::Result;
use crate::exchange::{establish, expect_reason, refuse};
use crate::lab::Lab;
use crate::process::Running;
use crate::side::{
    AcceptorSetup, Bindings, Facts, InitiatorSetup, Kind, Refusal, Scattered, Side, Stepped, gather,
};

/// The flags that a scenario asks for unless it says otherwise.
const USUAL: &[&str] = &["mutual", "replay", "sequence", "conf", "integ"];
const DCE: &[&str] = &["mutual", "replay", "sequence", "conf", "integ", "dce"];
const MESSAGE: &[u8] = b"Who goes there? A friend.";

/// Two sides before their first token.
pub(crate) struct Pair<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) enctype: &'static str,
    pub(crate) initiator: &'a mut dyn Side,
    pub(crate) acceptor: &'a mut dyn Side,
    /// Starts one more acceptor of the kind of `acceptor`, its clock so many seconds ahead.
    pub(crate) another_acceptor: &'a dyn Fn(i64) -> Result<Box<dyn Side>>,
    /// Within SPNEGO, whose acceptor has the last word.
    pub(crate) negotiated: bool,
}

/// A named exchange.
pub(crate) struct Scenario {
    /// What the table's column "protection" says.
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Pair<'_>) -> Result<()>,
}

/// Every scenario, each run for each enctype and each pair of implementations.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "mutual, facts agree",
        run: facts_agree,
    },
    Scenario {
        name: "mutual off",
        run: one_way,
    },
    Scenario {
        name: "wrap and MIC, both ways",
        run: wrap_and_mic,
    },
    Scenario {
        name: "order told apart",
        run: order,
    },
    Scenario {
        name: "flipped bits refused",
        run: flipped,
    },
    Scenario {
        name: "IOV, associated data",
        run: iov,
    },
    Scenario {
        name: "IOV, header only",
        run: iov_header_only,
    },
    Scenario {
        name: "AEAD",
        run: aead,
    },
    Scenario {
        name: "DCE style, three legs",
        run: dce,
    },
    Scenario {
        name: "PRF",
        run: prf,
    },
    Scenario {
        name: "wrap size limit",
        run: size_limit,
    },
    Scenario {
        name: "channel bindings match",
        run: bindings_match,
    },
    Scenario {
        name: "channel bindings differ",
        run: bindings_differ,
    },
    Scenario {
        name: "exported name",
        run: exported_name,
    },
    Scenario {
        name: "delegation",
        run: delegation,
    },
    Scenario {
        name: "context passed on",
        run: passed_on,
    },
    Scenario {
        name: "wrong service key",
        run: wrong_key,
    },
    Scenario {
        name: "expired ticket",
        run: expired,
    },
    Scenario {
        name: "ticket not yet valid",
        run: not_yet_valid,
    },
    Scenario {
        name: "clock skew, one retry",
        run: skewed,
    },
    Scenario {
        name: "IAKERB",
        run: through_acceptor,
    },
    Scenario {
        name: "replayed AP-REQ",
        run: replayed,
    },
];

impl Pair<'_> {
    fn host(&self) -> String {
        format!("{}.peer.test", self.enctype)
    }

    fn keytab(&self) -> PathBuf {
        self.lab.path(&format!("{}.keytab", self.enctype))
    }

    fn initiator_setup(&self, flags: &[&'static str]) -> InitiatorSetup {
        InitiatorSetup {
            host: self.host(),
            flags: flags.to_vec(),
            ccache: self.lab.path("alice.ccache"),
            ..InitiatorSetup::default()
        }
    }

    fn acceptor_setup(&self) -> AcceptorSetup {
        AcceptorSetup {
            keytab: self.keytab(),
            ..AcceptorSetup::default()
        }
    }

    /// Both sides established with these flags; how many tokens it took.
    fn establish(&mut self, flags: &[&'static str]) -> Result<usize> {
        let (initiator, acceptor) = (self.initiator_setup(flags), self.acceptor_setup());
        self.establish_with(&initiator, &acceptor)
    }

    /// As [`establish`](Self::establish), in so many tokens of Kerberos.
    fn establish_in(&mut self, tokens: usize, flags: &[&'static str]) -> Result<()> {
        let initiators_last = self.negotiated && !tokens.is_multiple_of(2);
        let expected = tokens + usize::from(initiators_last);
        expect("tokens", &self.establish(flags)?, &expected)
    }

    fn establish_with(&mut self, i: &InitiatorSetup, a: &AcceptorSetup) -> Result<usize> {
        self.initiator.start_initiator(i)?;
        self.acceptor.start_acceptor(a)?;
        Ok(establish(self.initiator, self.acceptor)?)
    }

    fn refuse_with(
        &mut self,
        initiator: &InitiatorSetup,
        acceptor: &AcceptorSetup,
        reasons: &[&str],
    ) -> Result<()> {
        self.initiator.start_initiator(initiator)?;
        self.acceptor.start_acceptor(acceptor)?;
        refuse(self.initiator, self.acceptor, reasons)
    }

    /// Runs `each` from the initiator to the acceptor and the other way round.
    fn both_ways(
        &mut self,
        each: fn(sender: &mut dyn Side, receiver: &mut dyn Side) -> Result<()>,
    ) -> Result<()> {
        each(self.initiator, self.acceptor).map_err(|e| format!("initiator to acceptor: {e}"))?;
        each(self.acceptor, self.initiator).map_err(|e| format!("acceptor to initiator: {e}"))
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}, expected {expected:?}"))
    }
}

fn must_refuse<T>(what: &str, result: std::result::Result<T, Refusal>) -> Result<()> {
    match result {
        Ok(_) => Err(format!("{what} was accepted")),
        Err(_) => Ok(()),
    }
}

fn expect_flags(whose: &str, facts: &Facts, on: &[&str], off: &[&str]) -> Result<()> {
    for flag in on {
        expect(
            &format!("{whose}'s flag {flag}"),
            &facts.flags.iter().any(|f| f == flag),
            &true,
        )?;
    }
    for flag in off {
        expect(
            &format!("{whose}'s flag {flag}"),
            &facts.flags.iter().any(|f| f == flag),
            &false,
        )?;
    }
    Ok(())
}

fn check_facts(pair: &mut Pair<'_>, on: &[&str], off: &[&str]) -> Result<()> {
    // The tickets live for ten hours; MIT adds the skew on the acceptor's side.
    check_facts_and_lifetime(pair, on, off, 30_000..=36_400)
}

fn check_facts_and_lifetime(
    pair: &mut Pair<'_>,
    on: &[&str],
    off: &[&str],
    lifetime: RangeInclusive<u64>,
) -> Result<()> {
    let target = format!("host/{}@COUNTERSIGN.TEST", pair.host());
    for (whose, side) in [
        ("initiator", &mut *pair.initiator),
        ("acceptor", &mut *pair.acceptor),
    ] {
        let facts = side.facts()?;
        expect(
            &format!("{whose}'s source"),
            &facts.source.as_str(),
            &"alice@COUNTERSIGN.TEST",
        )?;
        if let Some(found) = &facts.target {
            expect(&format!("{whose}'s target"), found, &target)?;
        }
        expect(
            &format!("{whose}'s lifetime"),
            &lifetime.contains(&facts.lifetime),
            &true,
        )?;
        expect(
            &format!("{whose}'s delegated credential"),
            &facts.delegated,
            &false,
        )?;
        expect_flags(whose, &facts, on, off)?;
    }
    let (ours, theirs) = (pair.initiator.session_key()?, pair.acceptor.session_key()?);
    expect("session keys", &(ours == theirs), &true)
}

fn facts_agree(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish_in(2, USUAL)?;
    check_facts(pair, USUAL, &["deleg", "dce"])?;
    pair.establish_in(2, &["mutual", "conf", "integ"])?;
    check_facts(
        pair,
        &["mutual", "conf", "integ"],
        &["deleg", "dce", "sequence"],
    )
}

fn one_way(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish_in(1, &["replay", "sequence", "conf", "integ"])?;
    check_facts(pair, &["conf", "integ"], &["mutual"])?;
    pair.both_ways(wrap_and_mic_one_way)
}

fn wrap_and_mic(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    pair.both_ways(wrap_and_mic_one_way)?;
    pair.both_ways(wrap_and_mic_one_way)
}

fn wrap_and_mic_one_way(sender: &mut dyn Side, receiver: &mut dyn Side) -> Result<()> {
    for size in [0usize, 1, 15, 16, 17, 1000, 4096, 65_536] {
        let message: Vec<u8> = (0..size)
            .map(|i| u8::try_from(i % 251).unwrap_or(0))
            .collect();
        for seal in [true, false] {
            let token = sender.wrap(seal, &message)?;
            let opened = receiver.unwrap(&token)?;
            expect(
                &format!("order of {size} bytes"),
                &opened.order.as_str(),
                &"none",
            )?;
            expect(&format!("sealing of {size} bytes"), &opened.sealed, &seal)?;
            expect(
                &format!("content of {size} bytes"),
                &(opened.message == message),
                &true,
            )?;
        }
        let mic = sender.mic(&message)?;
        expect(
            &format!("MIC of {size} bytes"),
            &receiver.verify(&message, &mic)?,
            &"none".into(),
        )?;
    }
    Ok(())
}

/// RFC 2743 §1.2.3: what comes twice, too late, out of turn or too early is told apart.
fn order(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    pair.both_ways(|sender, receiver| {
        let tokens = wrapped(sender, 6)?;
        let plan = [
            (0, "none"),
            (0, "duplicate"),
            (3, "gap"),
            (2, "unseq"),
            (4, "none"),
            (1, "unseq"),
        ];
        for (index, expected) in plan {
            let found = order_of(receiver, tokens.get(index).ok_or("no token")?);
            expect(&format!("token {index}"), &found.contains(expected), &true)?;
        }
        // More than the window of 64 behind: MIT calls it unsequenced where sequence was asked for.
        let tokens = wrapped(sender, 71)?;
        order_of(receiver, tokens.last().ok_or("no token")?);
        let found = order_of(receiver, tokens.first().ok_or("no token")?);
        let known = found.contains("old") || found.contains("unseq");
        expect("a token 70 behind is late", &known, &true)
    })?;
    pair.establish(&["mutual", "replay", "conf", "integ"])?;
    pair.both_ways(|sender, receiver| {
        let tokens = wrapped(sender, 71)?;
        let plan = [
            (3, "none"),
            (2, "none"),
            (2, "duplicate"),
            (70, "none"),
            (70, "duplicate"),
        ];
        for (index, expected) in plan.into_iter().chain([(4, "old")]) {
            let found = order_of(receiver, tokens.get(index).ok_or("no token")?);
            expect(
                &format!("token {index} is {expected}: {found}"),
                &found.contains(expected),
                &true,
            )?;
        }
        Ok(())
    })
}

fn wrapped(sender: &mut dyn Side, count: usize) -> Result<Vec<Vec<u8>>> {
    (0..count)
        .map(|_| Ok(sender.wrap(true, MESSAGE)?))
        .collect()
}

/// What the receiver says of the token's order, as information or as an error.
fn order_of(receiver: &mut dyn Side, token: &[u8]) -> String {
    match receiver.unwrap(token) {
        Ok(opened) => opened.order,
        Err(refusal) => refusal.reason.to_lowercase(),
    }
}

/// Every byte of a valid token, flipped, is refused; the untouched token is the control.
fn flipped(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(&["mutual", "conf", "integ"])?;
    pair.both_ways(|sender, receiver| {
        for seal in [true, false] {
            let token = sender.wrap(seal, MESSAGE)?;
            for index in 0..token.len() {
                let mut bad = token.clone();
                if let Some(byte) = bad.get_mut(index) {
                    *byte ^= 0x40;
                }
                // RRC says how the token is rotated and nothing protects it (RFC 4121 §4.2.5): where it
                // is a multiple of the length, the content comes out unharmed.
                if let Ok(opened) = receiver.unwrap(&bad)
                    && opened.message != MESSAGE
                {
                    return Err(format!(
                        "byte {index} of a token (sealed: {seal}) can be changed"
                    ));
                }
            }
            expect(
                "control",
                &receiver.unwrap(&token)?.message.as_slice(),
                &MESSAGE,
            )?;
        }
        let mic = sender.mic(MESSAGE)?;
        for index in 0..mic.len() {
            let mut bad = mic.clone();
            if let Some(byte) = bad.get_mut(index) {
                *byte ^= 0x01;
            }
            must_refuse(
                &format!("a MIC with byte {index} changed"),
                receiver.verify(MESSAGE, &bad),
            )?;
        }
        receiver.verify(MESSAGE, &mic)?;
        must_refuse("a MIC of another message", receiver.verify(b"A foe.", &mic))
    })
}

fn scattered(parts: &[(Kind, &[u8])]) -> Scattered {
    parts
        .iter()
        .map(|(kind, contents)| (*kind, contents.to_vec()))
        .collect()
}

fn iov(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    pair.both_ways(|sender, receiver| {
        for seal in [true, false] {
            let message = scattered(&[
                (Kind::Header, b""),
                (Kind::SignOnly, b"a header in clear"),
                (Kind::Data, b"the first part"),
                (Kind::SignOnly, b"clear again"),
                (
                    Kind::Data,
                    b"and the second, somewhat longer part of the message",
                ),
                (Kind::Padding, b""),
                (Kind::Trailer, b""),
            ]);
            let sent = sender.wrap_iov(seal, message.clone())?;
            if seal && gather(&sent, &[Kind::Data]) == gather(&message, &[Kind::Data]) {
                return Err("sealed data is in clear".into());
            }
            let (opened, sealed) = receiver.unwrap_iov(sent)?;
            expect("sealing", &sealed, &seal)?;
            for kind in [Kind::Data, Kind::SignOnly] {
                let (found, expected) = (gather(&opened, &[kind]), gather(&message, &[kind]));
                expect("content", &found, &expected)?;
            }

            let changed = sender.wrap_iov(seal, message.clone())?;
            let mut bad = changed.clone();
            if let Some(byte) = bad
                .iter_mut()
                .filter(|(kind, _)| *kind == Kind::SignOnly)
                .find_map(|(_, contents)| contents.first_mut())
            {
                *byte ^= 1;
            }
            must_refuse("changed associated data", receiver.unwrap_iov(bad))?;
            receiver.unwrap_iov(changed)?;
        }
        Ok(())
    })
}

/// Without associated data the buffers in a row are a Wrap token, and a Wrap token is a stream.
fn iov_header_only(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    pair.both_ways(|sender, receiver| {
        for seal in [true, false] {
            let parts = scattered(&[
                (Kind::Header, b""),
                (Kind::Data, MESSAGE),
                (Kind::Padding, b""),
                (Kind::Trailer, b""),
            ]);
            let sent = sender.wrap_iov(seal, parts)?;
            let token: Vec<u8> = sent
                .into_iter()
                .flat_map(|(_, contents)| contents)
                .collect();
            expect(
                "content",
                &receiver.unwrap(&token)?.message.as_slice(),
                &MESSAGE,
            )?;

            let token = sender.wrap(seal, MESSAGE)?;
            let stream = vec![(Kind::Stream, token), (Kind::Data, Vec::new())];
            let (opened, sealed) = receiver.unwrap_iov(stream)?;
            expect("sealing", &sealed, &seal)?;
            expect(
                "content",
                &gather(&opened, &[Kind::Data]).as_slice(),
                &MESSAGE,
            )?;
        }
        let mic = sender.mic_iov(scattered(&[
            (Kind::Data, b"one "),
            (Kind::SignOnly, b"two"),
            (Kind::Mic, b""),
        ]))?;
        receiver.verify(b"one two", &gather(&mic, &[Kind::Mic]))?;
        let mut whole = scattered(&[(Kind::Data, b"one two")]);
        whole.push((Kind::Mic, sender.mic(b"one two")?));
        Ok(receiver.verify_iov(whole)?)
    })
}

fn aead(pair: &mut Pair<'_>) -> Result<()> {
    // Without sequence: MIT's gss_unwrap_aead hands out no message beside GSS_S_GAP_TOKEN.
    pair.establish(&["mutual", "conf", "integ"])?;
    pair.both_ways(|sender, receiver| {
        for seal in [true, false] {
            let token = sender.wrap_aead(seal, b"associated", MESSAGE)?;
            let opened = receiver.unwrap_aead(b"associated", &token)?;
            expect("sealing", &opened.sealed, &seal)?;
            expect("content", &opened.message.as_slice(), &MESSAGE)?;
            let token = sender.wrap_aead(seal, b"associated", MESSAGE)?;
            must_refuse(
                "other associated data",
                receiver.unwrap_aead(b"Associated", &token),
            )?;
        }
        Ok(())
    })
}

/// Three legs, then messages as DCE/RPC cuts them: no trailer, everything of the mechanism in front.
fn dce(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish_in(3, DCE)?;
    check_facts(pair, &["mutual", "dce", "conf", "integ"], &["deleg"])?;
    pair.both_ways(|sender, receiver| {
        for seal in [true, false] {
            for length in [16usize, 64, 4096] {
                let stub = vec![0x5a; length];
                let message = scattered(&[
                    (Kind::SignOnly, b"the PDU's header, 24 byte"),
                    (Kind::Data, &stub),
                    (Kind::SignOnly, b"trailer8"),
                    (Kind::Header, b""),
                ]);
                let sent = sender.wrap_iov(seal, message)?;
                let (opened, sealed) = receiver.unwrap_iov(sent)?;
                expect("sealing", &sealed, &seal)?;
                expect("content", &gather(&opened, &[Kind::Data]), &stub)?;
            }
        }
        let mic = sender.mic(MESSAGE)?;
        receiver
            .verify(MESSAGE, &mic)
            .map(|_| ())
            .map_err(String::from)
    })
}

/// RFC 4401: both sides draw the same bytes, and more of them begin with the fewer.
fn prf(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    for full in [true, false] {
        for length in [1usize, 16, 32, 100] {
            let ours = pair.initiator.prf(full, b"seed", length)?;
            let theirs = pair.acceptor.prf(full, b"seed", length)?;
            expect("length", &ours.len(), &length)?;
            expect(&format!("PRF of {length} bytes"), &ours, &theirs)?;
            let other = pair.acceptor.prf(full, b"another seed", length)?;
            if length >= 16 && other == ours {
                return Err("the PRF does not depend on its seed".into());
            }
        }
    }
    Ok(())
}

fn size_limit(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    pair.both_ways(|sender, receiver| {
        for seal in [true, false] {
            for output in [256usize, 1024, 65_535] {
                let limit = sender.size_limit(seal, output)?;
                let length = sender.wrap(seal, &vec![7; limit])?.len();
                if limit == 0 || length > output {
                    return Err(format!("{limit} bytes make {length}, not at most {output}"));
                }
                expect(
                    "the other side's limit",
                    &receiver.size_limit(seal, output)?,
                    &limit,
                )?;
            }
        }
        Ok(())
    })
}

fn tls_bindings(data: &[u8]) -> Option<Bindings> {
    Some(Bindings {
        application_data: data.to_vec(),
        ..Bindings::default()
    })
}

fn bindings_match(pair: &mut Pair<'_>) -> Result<()> {
    let (mut i, mut a) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    i.bindings = tls_bindings(b"tls-server-end-point:0123456789abcdef0123456789abcdef");
    a.bindings.clone_from(&i.bindings);
    pair.establish_with(&i, &a)?;
    pair.both_ways(wrap_and_mic_one_way)?;

    // RFC 2744 §3.11: address families and addresses are hashed too (2 is AF_INET).
    i.bindings = Some(Bindings {
        initiator_address: Some((2, vec![127, 0, 0, 1])),
        acceptor_address: Some((2, vec![127, 0, 0, 2])),
        application_data: b"tls-unique:x".to_vec(),
    });
    a.bindings.clone_from(&i.bindings);
    pair.establish_with(&i, &a)?;
    Ok(())
}

fn bindings_differ(pair: &mut Pair<'_>) -> Result<()> {
    let (mut i, mut a) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    a.bindings = tls_bindings(b"tls-server-end-point:0123456789abcdef0123456789abcdef");
    i.bindings.clone_from(&a.bindings);
    pair.establish_with(&i, &a)
        .map_err(|e| format!("control: {e}"))?;
    i.bindings = tls_bindings(b"tls-server-end-point:0123456789abcdef0123456789abcdee");
    pair.refuse_with(&i, &a, &["channel binding"])
}

/// RFC 2743 §3.2 and RFC 1964 §2.1.1.
fn exported_name(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    let name = b"alice@COUNTERSIGN.TEST";
    let mut expected = b"\x04\x01\x00\x0b\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02".to_vec();
    expected.extend_from_slice(&u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
    expected.extend_from_slice(name);
    expect(
        "initiator's exported name",
        &pair.initiator.exported_source()?,
        &expected,
    )?;
    expect(
        "acceptor's exported name",
        &pair.acceptor.exported_source()?,
        &expected,
    )
}

/// The delegated TGT gets a ticket from the KDC; without OK-AS-DELEGATE nothing is delegated.
fn delegation(pair: &mut Pair<'_>) -> Result<()> {
    const FLAGS: &[&str] = &["mutual", "conf", "integ", "deleg-policy"];
    pair.establish(FLAGS)?;
    expect(
        "delegated to the acceptor",
        &pair.acceptor.facts()?.delegated,
        &true,
    )?;
    let cache = pair
        .lab
        .scratch(&format!("delegated-{}.ccache", pair.enctype));
    pair.acceptor.store_delegated(&cache)?;
    let mut kvno = pair.lab.command("kvno");
    kvno.arg("-c").arg(&cache).arg("host/undelegated.peer.test");
    let (works, output) = Running::start(&mut kvno)?.finish()?;
    let _ = std::fs::remove_file(&cache);
    if !works {
        return Err(format!("the delegated credential does not work: {output}"));
    }
    let (mut i, mut a) = (pair.initiator_setup(FLAGS), pair.acceptor_setup());
    i.host = "undelegated.peer.test".into();
    a.keytab = pair.lab.path("undelegated.keytab");
    pair.establish_with(&i, &a)?;
    expect(
        "delegated without OK-AS-DELEGATE",
        &pair.acceptor.facts()?.delegated,
        &false,
    )
}

fn passed_on(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL)?;
    pair.both_ways(wrap_and_mic_one_way)?;
    pair.initiator.pass_on()?;
    pair.acceptor.pass_on()?;
    pair.both_ways(wrap_and_mic_one_way)
}

fn wrong_key(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL).map_err(|e| format!("control: {e}"))?;
    let (i, mut a) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    a.keytab = pair.lab.path("wrong.keytab");
    pair.refuse_with(
        &i,
        &a,
        &[
            "cannot decrypt",
            "integrity",
            "another key",
            "does not open",
        ],
    )
}

/// A fresh authenticator beside a ticket whose encrypted part says otherwise than the cache.
fn expired(pair: &mut Pair<'_>) -> Result<()> {
    pair.establish(USUAL).map_err(|e| format!("control: {e}"))?;
    let (mut i, a) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    i.ccache = pair.lab.path("expired-unnoticed.ccache");
    pair.refuse_with(&i, &a, &["ticket expired", "has expired", "expired"])
}

fn not_yet_valid(pair: &mut Pair<'_>) -> Result<()> {
    let (mut i, a) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    i.ccache = pair.lab.path("future-unnoticed.ccache");
    pair.refuse_with(&i, &a, &["not yet valid"])
}

/// The acceptor's clock is ten minutes fast and its KRB-ERROR says so. MIT's initiator gives up; one
/// that tries again at the learned time is accepted.
fn skewed(pair: &mut Pair<'_>) -> Result<()> {
    let (i, a) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    let mut acceptor = (pair.another_acceptor)(600)?;
    pair.initiator.start_initiator(&i)?;
    acceptor.start_acceptor(&a)?;
    let token = pair.initiator.step(None)?.token.ok_or("no token")?;
    let (error, waits) = match acceptor.step(Some(&token)) {
        Ok(Stepped { complete: true, .. }) => return Err("was accepted".into()),
        Ok(stepped) => (stepped.token, true),
        Err(refusal) => (refusal.token, false),
    };
    let error = error.ok_or("the initiator is not told")?;
    let second = match pair.initiator.step(Some(&error)) {
        Err(refusal) => return expect_reason(&refusal.reason, &["skew"]),
        Ok(stepped) => stepped.token.ok_or("no second token")?,
    };
    if !waits {
        acceptor.start_acceptor(&a)?;
    }
    let reply = acceptor.step(Some(&second))?;
    expect("the acceptor is done", &reply.complete, &true)?;
    let last = pair.initiator.step(reply.token.as_deref())?;
    expect("the initiator is done", &last.complete, &true)?;
    wrap_and_mic_one_way(pair.initiator, acceptor.as_mut())?;
    wrap_and_mic_one_way(acceptor.as_mut(), pair.initiator)
}

/// The initiator has a keytab and no ticket, and reaches the KDC through the acceptor.
fn through_acceptor(pair: &mut Pair<'_>) -> Result<()> {
    let (mut i, mut a) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    i.through_acceptor = Some(pair.lab.path("user.keytab"));
    a.passes_on = true;
    let tokens = pair.establish_with(&i, &a)?;
    // At least a round of the log-on, one for the ticket, and the AP exchange.
    expect("rounds", &(tokens >= 6), &true)?;
    // Tickets as long as the realm gives them to whoever does not say how long.
    check_facts_and_lifetime(pair, USUAL, &["deleg", "dce"], 30_000..=86_800)?;
    pair.both_ways(wrap_and_mic_one_way)
}

/// The first token of a finished handshake, given to another acceptor with the same keytab.
fn replayed(pair: &mut Pair<'_>) -> Result<()> {
    let (initiator, acceptor) = (pair.initiator_setup(USUAL), pair.acceptor_setup());
    pair.initiator.start_initiator(&initiator)?;
    pair.acceptor.start_acceptor(&acceptor)?;
    let token = pair.initiator.step(None)?.token.ok_or("no token")?;
    pair.acceptor
        .step(Some(&token))
        .map_err(|r| format!("control: {}", r.reason))?;
    let mut second = (pair.another_acceptor)(0)?;
    second.start_acceptor(&acceptor)?;
    match second.step(Some(&token)) {
        Ok(_) => Err("was accepted twice".into()),
        Err(refusal) => expect_reason(&refusal.reason, &["replay", "used before"]),
    }
}
