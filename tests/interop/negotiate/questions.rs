//! What every pair is asked, written once for all of them.

use crate::Result;
use crate::exchange::expect_reason;
use crate::negotiate::meet::{Accepting, Met, Pair};
use crate::negotiate::side::{Accepts, Initiates, NegotiateSide, Offer};

use Offer::{Kerberos, Ntlm};

const MESSAGE: &[u8] = b"Who goes there? A friend.";
const BOTH: &[Offer] = &[Kerberos, Ntlm];
const NTLM_FIRST: &[Offer] = &[Ntlm, Kerberos];

/// In what words Kerberos refuses a ticket for another key: ours, MIT's, and pyspnego's, which asks for the flags
/// of the context that there is not.
const BAD_KEY: &[&str] = &[
    "does not decrypt",
    "cannot decrypt",
    "integrity check",
    "whose establishment has not yet been started",
];
/// In what words an initiator does without a ticket.
const STALE: &[&str] = &[
    "expired",
    "no credentials",
    // curl sends nothing then, and its server is not asked.
    "401: ",
    "unable to negotiate common mechanism",
];
/// In what words nothing in common is refused.
const NOTHING: &[&str] = &[
    "no mechanism",
    "unsupported mechanism",
    "unable to negotiate common mechanism",
    "rejected",
];

/// A column of the table.
pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) heading: (&'static str, &'static str),
    pub(super) needs: Needs,
    pub(super) run: fn(&mut Pair<'_, '_>) -> Result<()>,
}

/// What not every side can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Kerberos at both sides, whoever carries the tokens.
    Kerberos,
    /// And a credential cache of which we say which it is.
    Cache,
    /// Tokens that we hand from side to side.
    Messages,
    /// NTLM beside Kerberos at the initiator.
    Both,
    /// An initiator whose order and choice are ours to say.
    Choice,
    /// And such an acceptor.
    OwnOrder,
}

/// Every question.
pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "Kerberos",
        heading: ("", "krb5"),
        needs: Needs::Kerberos,
        run: kerberos,
    },
    Question {
        name: "wrong key refused",
        heading: ("bad", "key"),
        needs: Needs::Kerberos,
        run: wrong_key,
    },
    Question {
        name: "stale ticket refused",
        heading: ("old", "tkt."),
        needs: Needs::Cache,
        run: stale,
    },
    Question {
        name: "wrap sealed",
        heading: ("wrap", "seal"),
        needs: Needs::Messages,
        run: wrap_sealed,
    },
    Question {
        name: "wrap signed",
        heading: ("wrap", "sign"),
        needs: Needs::Messages,
        run: wrap_signed,
    },
    Question {
        name: "MIC",
        heading: ("", "MIC"),
        needs: Needs::Messages,
        run: mic,
    },
    Question {
        name: "session key equal",
        heading: ("same", "key"),
        needs: Needs::Messages,
        run: session_key,
    },
    Question {
        name: "both have both",
        heading: ("both", "both"),
        needs: Needs::Both,
        run: both,
    },
    Question {
        name: "acceptor has NTLM alone",
        heading: ("only", "NTLM"),
        needs: Needs::Both,
        run: acceptor_ntlm,
    },
    Question {
        name: "acceptor has Kerberos alone",
        heading: ("only", "krb5"),
        needs: Needs::Choice,
        run: acceptor_kerberos,
    },
    Question {
        name: "stale ticket, then NTLM",
        heading: ("old", "NTLM"),
        needs: Needs::Both,
        run: stale_then_ntlm,
    },
    Question {
        name: "acceptor's own order",
        heading: ("own", "ord."),
        needs: Needs::OwnOrder,
        run: own_order,
    },
];

const fn initiates(offers: &'static [Offer]) -> Initiates {
    Initiates {
        offers,
        cache: "alice.ccache",
    }
}

const fn accepts(offers: &'static [Offer]) -> Accepts {
    Accepts {
        offers,
        keytab: "www.keytab",
        own_order: false,
    }
}

const ALICE: Initiates = initiates(&[Kerberos]);
const WWW: Accepts = accepts(&[Kerberos]);

impl<'l> Pair<'_, 'l> {
    /// Whether that mechanism comes out, for everybody; another than the first of the initiator's list must
    /// have been proved (RFC 4178 §5).
    fn expect(&mut self, i: &Initiates, a: &Accepts, expected: Offer) -> Result<()> {
        let Met { user, facts } = self.meet(i, a)?;
        expect("user", &user.as_str(), &expected.user())?;
        for facts in facts {
            expect("mechanism", &facts.mechanism, &expected)?;
            // A mechanism that could not begin was not on the list.
            let offered = i.offers.iter().find(|_| i.cache == ALICE.cache);
            if offered.is_some_and(|first| *first != expected) {
                expect("proved", &facts.proved.unwrap_or(true), &true)?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, i: &Initiates, a: &Accepts, reasons: &[&str]) -> Result<()> {
        match self.meet(i, a) {
            Ok(met) => Err(format!("was accepted as {}", met.user)),
            Err(reason) => expect_reason(&reason, reasons),
        }
    }

    fn both_ways(
        &mut self,
        each: fn(&mut (dyn NegotiateSide + 'l), &mut (dyn NegotiateSide + 'l)) -> Result<()>,
    ) -> Result<()> {
        let (Some(initiator), Accepting::Side(acceptor)) =
            (&mut self.initiator, &mut self.acceptor)
        else {
            return Err("has no messages".into());
        };
        each(&mut **initiator, &mut **acceptor).map_err(|e| format!("to the acceptor: {e}"))?;
        each(&mut **acceptor, &mut **initiator).map_err(|e| format!("to the initiator: {e}"))
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}, expected {expected:?}"))
    }
}

fn kerberos(pair: &mut Pair<'_, '_>) -> Result<()> {
    pair.expect(&ALICE, &WWW, Kerberos)
}

fn wrong_key(pair: &mut Pair<'_, '_>) -> Result<()> {
    kerberos(pair).map_err(|e| format!("control: {e}"))?;
    let keytab = "wrong.keytab";
    pair.refuse(&ALICE, &Accepts { keytab, ..WWW }, BAD_KEY)
}

fn stale(pair: &mut Pair<'_, '_>) -> Result<()> {
    kerberos(pair).map_err(|e| format!("control: {e}"))?;
    let cache = "expired.ccache";
    pair.refuse(&Initiates { cache, ..ALICE }, &WWW, STALE)
}

fn wrap_sealed(pair: &mut Pair<'_, '_>) -> Result<()> {
    kerberos(pair)?;
    pair.both_ways(|sender, receiver| wrap(true, sender, receiver))
}

fn wrap_signed(pair: &mut Pair<'_, '_>) -> Result<()> {
    kerberos(pair)?;
    pair.both_ways(|sender, receiver| wrap(false, sender, receiver))
}

fn wrap(
    seal: bool,
    sender: &mut (dyn NegotiateSide + '_),
    receiver: &mut (dyn NegotiateSide + '_),
) -> Result<()> {
    for size in [0usize, 1, 16, 1000, 65_536] {
        let message = vec![b'x'; size];
        let token = sender.wrap(seal, &message)?;
        let (opened, sealed) = receiver.unwrap(&token)?;
        expect("sealed", &sealed, &seal)?;
        expect("content", &(opened == message), &true)?;
    }
    let token = sender.wrap(seal, MESSAGE)?;
    let mut changed = token.clone();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    if receiver.unwrap(&changed).is_ok() {
        return Err("a changed token was accepted".into());
    }
    let (opened, _) = receiver.unwrap(&token)?;
    expect("content", &opened.as_slice(), &MESSAGE)
}

fn mic(pair: &mut Pair<'_, '_>) -> Result<()> {
    kerberos(pair)?;
    pair.both_ways(|sender, receiver| {
        for message in [MESSAGE, b"", MESSAGE] {
            let mic = sender.mic(message)?;
            if receiver.verify(b"A foe.", &mic).is_ok() {
                return Err("the MIC of another message was accepted".into());
            }
            receiver.verify(message, &mic)?;
        }
        Ok(())
    })
}

fn session_key(pair: &mut Pair<'_, '_>) -> Result<()> {
    kerberos(pair)?;
    pair.both_ways(|one, other| {
        let key = one.session_key()?;
        expect("length", &key.len(), &32)?;
        expect("equal keys", &(other.session_key()? == key), &true)
    })
}

fn both(pair: &mut Pair<'_, '_>) -> Result<()> {
    pair.expect(&initiates(BOTH), &accepts(BOTH), Kerberos)
}

/// Kerberos' token is thrown away, and nothing is left for who has Kerberos alone.
fn acceptor_ntlm(pair: &mut Pair<'_, '_>) -> Result<()> {
    pair.expect(&initiates(BOTH), &accepts(&[Ntlm]), Ntlm)?;
    if pair.initiator.is_none() {
        return Ok(());
    }
    pair.refuse(&ALICE, &accepts(&[Ntlm]), NOTHING)
}

/// Also where that is the initiator's second choice.
fn acceptor_kerberos(pair: &mut Pair<'_, '_>) -> Result<()> {
    pair.expect(&initiates(BOTH), &WWW, Kerberos)?;
    pair.expect(&initiates(NTLM_FIRST), &WWW, Kerberos)?;
    pair.refuse(&initiates(&[Ntlm]), &WWW, NOTHING)
}

/// The initiator does not offer what it cannot begin.
fn stale_then_ntlm(pair: &mut Pair<'_, '_>) -> Result<()> {
    let cache = "expired.ccache";
    let initiator = Initiates {
        cache,
        ..initiates(BOTH)
    };
    pair.expect(&initiator, &accepts(BOTH), Ntlm)
}

/// The initiator's order counts, unless the acceptor is told to go by its own.
fn own_order(pair: &mut Pair<'_, '_>) -> Result<()> {
    let initiator = initiates(NTLM_FIRST);
    pair.expect(&initiator, &accepts(BOTH), Ntlm)?;
    let own = Accepts {
        own_order: true,
        ..accepts(BOTH)
    };
    pair.expect(&initiator, &own, Kerberos)?;
    let own = Accepts {
        own_order: true,
        ..accepts(NTLM_FIRST)
    };
    pair.expect(&initiates(BOTH), &own, Ntlm)
}
