//! What every pair is asked, written once for all of them.

use crate::Result;
use crate::exchange::{establish, expect_reason, refuse};
use crate::ntlm::side::{Mech, NtlmAcceptor, NtlmInitiator, NtlmSide, User};
use crate::side::Refusal;

/// Somebody whom every acceptor knows.
pub(super) const ALICE: User = User {
    domain: "DOM",
    name: "alice",
    password: "alice Passw0rd",
};

/// Somebody with other letters than English ones.
pub(super) const GREEN: User = User {
    domain: "DOM",
    name: "grün",
    password: "grüne Füße 1",
};

/// One who does not remember the password.
pub(super) const FORGETFUL: User = User {
    password: "alice Passw0rd?",
    ..ALICE
};

/// Her password is that of another.
pub(super) const MALLORY: User = User {
    domain: "DOM",
    name: "mallory",
    password: ALICE.password,
};

/// Whom acceptors know.
pub(super) const USERS: &[User] = &[ALICE, GREEN];

const SEALED: &[&str] = &["conf", "integ"];
const SIGNED: &[&str] = &["integ"];
const MESSAGE: &[u8] = b"Who goes there? A friend.";
const SIGNATURE: usize = 16;

/// In what words a wrong response is refused: ours, gss-ntlmssp's, pyspnego's, sspi's and Samba's.
pub(super) const BAD_PASSWORD: &[&str] = &[
    "unknown or its password is another",
    "Invalid argument",
    "Invalid NTLM response",
    "LogonDenied",
    "LOGON_FAILURE",
];

/// In what words a name is refused.
pub(super) const BAD_USER: &[&str] = &[
    "unknown or its password is another",
    "Permission denied",
    "matching credential",
    "unknown user",
    "credentials are not found",
    "LOGON_FAILURE",
];

/// And channel bindings: gss-ntlmssp has the words for a name for them too.
const BAD_BINDINGS: &[&str] = &["Permission denied", "bindings"];

/// A column of the table.
pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) heading: (&'static str, &'static str),
    /// What the sides must be able to do.
    pub(super) needs: Needs,
    pub(super) run: fn(&mut Sides<'_>) -> Result<()>,
}

/// What not every side can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing but a log-on, whoever carries the tokens.
    LogOn,
    /// Tokens that we hand from side to side.
    Tokens,
    SessionKey,
    /// An initiator that does not always ask for signing.
    Unprotected,
    Bindings,
    Messages,
}

/// Two sides before their first token.
pub(super) struct Sides<'a> {
    pub(super) mech: Mech,
    pub(super) initiator: &'a mut dyn NtlmSide,
    pub(super) acceptor: &'a mut dyn NtlmSide,
}

/// Every question.
pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "log-on",
        heading: ("log", "on"),
        needs: Needs::LogOn,
        run: log_on,
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
        name: "no session security",
        heading: ("no", "sec."),
        needs: Needs::Unprotected,
        run: no_session_security,
    },
    Question {
        name: "channel bindings",
        heading: ("CB", "both"),
        needs: Needs::Bindings,
        run: channel_bindings,
    },
    Question {
        name: "channel bindings absent",
        heading: ("CB", "gone"),
        needs: Needs::Bindings,
        run: channel_bindings_absent,
    },
    Question {
        name: "session key equal",
        heading: ("same", "key"),
        needs: Needs::SessionKey,
        run: session_key,
    },
    Question {
        name: "wrong password refused",
        heading: ("bad", "pwd."),
        needs: Needs::LogOn,
        run: wrong_password,
    },
    Question {
        name: "unknown user refused",
        heading: ("bad", "user"),
        needs: Needs::LogOn,
        run: unknown_user,
    },
    Question {
        name: "MIC flag cleared",
        heading: ("MIC", "off"),
        needs: Needs::Tokens,
        run: mic_flag_cleared,
    },
];

impl Sides<'_> {
    fn initiator(&self, flags: &'static [&'static str]) -> NtlmInitiator {
        NtlmInitiator {
            mech: self.mech,
            user: ALICE,
            flags,
            bindings: None,
        }
    }

    fn acceptor(&self) -> NtlmAcceptor {
        NtlmAcceptor {
            mech: self.mech,
            users: USERS,
            bindings: None,
        }
    }

    fn start(&mut self, initiator: &NtlmInitiator, acceptor: &NtlmAcceptor) -> Result<()> {
        self.initiator.start_initiator(initiator)?;
        Ok(self.acceptor.start_acceptor(acceptor)?)
    }

    fn establish_with(&mut self, i: &NtlmInitiator, a: &NtlmAcceptor) -> Result<usize> {
        self.start(i, a)?;
        Ok(establish(self.initiator, self.acceptor)?)
    }

    fn establish(&mut self, flags: &'static [&'static str]) -> Result<usize> {
        let (initiator, acceptor) = (self.initiator(flags), self.acceptor());
        self.establish_with(&initiator, &acceptor)
    }

    fn refuse_with(
        &mut self,
        initiator: &NtlmInitiator,
        acceptor: &NtlmAcceptor,
        reasons: &[&str],
    ) -> Result<()> {
        self.start(initiator, acceptor)?;
        refuse(self.initiator, self.acceptor, reasons)
    }

    /// What both say of themselves.
    fn check_facts(&mut self, user: &User, on: &[&str], off: &[&str]) -> Result<()> {
        for (whose, side) in [
            ("initiator", &mut *self.initiator),
            ("acceptor", &mut *self.acceptor),
        ] {
            let facts = side.facts()?;
            if facts.user.is_some() || whose == "acceptor" {
                expect(
                    &format!("{whose}'s user"),
                    &facts.user,
                    &Some(user.qualified()),
                )?;
            }
            for (flags, expected) in [(on, true), (off, false)] {
                for flag in flags {
                    if let Some(granted) = &facts.flags {
                        let found = granted.iter().any(|f| f == flag);
                        expect(&format!("{whose}'s flag {flag}"), &found, &expected)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs `each` from the initiator to the acceptor and the other way round.
    fn both_ways(
        &mut self,
        each: fn(sender: &mut dyn NtlmSide, receiver: &mut dyn NtlmSide) -> Result<()>,
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

fn log_on(sides: &mut Sides<'_>) -> Result<()> {
    let tokens = sides.establish(SEALED)?;
    if sides.mech == Mech::Raw {
        expect("tokens", &tokens, &3)?;
    }
    sides.check_facts(&ALICE, SEALED, &[])?;
    let initiator = NtlmInitiator {
        user: GREEN,
        ..sides.initiator(SEALED)
    };
    let acceptor = NtlmAcceptor {
        users: &[GREEN, ALICE],
        ..sides.acceptor()
    };
    let green = sides
        .establish_with(&initiator, &acceptor)
        .and_then(|_| sides.check_facts(&GREEN, SEALED, &[]));
    green.map_err(|e| format!("{}: {e}", GREEN.name))
}

/// One message of each length (none is empty: gss-ntlmssp wants something to protect), in one sequence.
fn wrap_one_way(seal: bool, sender: &mut dyn NtlmSide, receiver: &mut dyn NtlmSide) -> Result<()> {
    for size in [1usize, 15, 16, 17, 1000, 65_536] {
        let message: Vec<u8> = (0..size)
            .map(|i| u8::try_from(i % 251).unwrap_or(0))
            .collect();
        let token = sender.wrap(seal, &message)?;
        expect("length", &token.len(), &(SIGNATURE + size))?;
        let body = token.get(SIGNATURE..).unwrap_or_default();
        if size > 1 {
            expect("in clear", &(body == message), &!seal)?;
        }
        let opened = receiver.unwrap(seal, &token)?;
        expect("content", &(opened == message), &true)?;
    }
    Ok(())
}

/// A token with one bit changed is refused; what came before is the control.
fn wrap_changed(seal: bool, sides: &mut Sides<'_>, flags: &'static [&'static str]) -> Result<()> {
    // One context for each: RC4 runs on, whatever comes of it. In the version, the checksum, the
    // sequence number and the message.
    for index in [0, 4, 12, 16] {
        sides.establish(flags)?;
        let mut token = sides.initiator.wrap(seal, MESSAGE)?;
        if let Some(byte) = token.get_mut(index) {
            *byte ^= 0x10;
        }
        must_refuse(
            &format!("a token with byte {index} changed"),
            sides.acceptor.unwrap(seal, &token),
        )?;
    }
    Ok(())
}

fn wrap_sealed(sides: &mut Sides<'_>) -> Result<()> {
    sides.establish(SEALED)?;
    sides.both_ways(|sender, receiver| wrap_one_way(true, sender, receiver))?;
    sides.both_ways(|sender, receiver| wrap_one_way(true, sender, receiver))?;
    wrap_changed(true, sides, SEALED)
}

/// Where integrity alone was negotiated, and where a message of a sealed context is only signed.
fn wrap_signed(sides: &mut Sides<'_>) -> Result<()> {
    for flags in [SIGNED, SEALED] {
        sides.establish(flags)?;
        sides.both_ways(|sender, receiver| wrap_one_way(false, sender, receiver))?;
    }
    wrap_changed(false, sides, SIGNED)
}

fn mic_one_way(sender: &mut dyn NtlmSide, receiver: &mut dyn NtlmSide) -> Result<()> {
    for message in [MESSAGE, b"x", MESSAGE] {
        let mic = sender.mic(message)?;
        expect("length", &mic.len(), &SIGNATURE)?;
        receiver.verify(message, &mic)?;
    }
    Ok(())
}

/// Signatures and tokens are numbered together.
fn mic(sides: &mut Sides<'_>) -> Result<()> {
    for flags in [SIGNED, SEALED] {
        sides.establish(flags)?;
        sides.both_ways(mic_one_way)?;
        sides.both_ways(|sender, receiver| wrap_one_way(false, sender, receiver))?;
        sides.both_ways(mic_one_way)?;
    }
    for (what, message) in [("changed", MESSAGE), ("of another message", b"A foe.")] {
        sides.establish(SIGNED)?;
        let mut mic = sides.initiator.mic(MESSAGE)?;
        if let (true, Some(byte)) = (message == MESSAGE, mic.get_mut(5)) {
            *byte ^= 1;
        }
        must_refuse(
            &format!("a MIC {what}"),
            sides.acceptor.verify(message, &mic),
        )?;
    }
    Ok(())
}

/// Neither signing nor sealing is asked for, nor granted, nor done.
fn no_session_security(sides: &mut Sides<'_>) -> Result<()> {
    sides.establish(&[])?;
    sides.check_facts(&ALICE, &[], SEALED)?;
    let keys = (
        sides.initiator.session_key()?,
        sides.acceptor.session_key()?,
    );
    expect("session keys", &(keys.0 == keys.1), &true)?;
    must_refuse(
        "the initiator's wrapping",
        sides.initiator.wrap(true, MESSAGE),
    )?;
    must_refuse(
        "the acceptor's wrapping",
        sides.acceptor.wrap(true, MESSAGE),
    )
}

/// The same on both sides, none where none is looked for, and others.
fn channel_bindings(sides: &mut Sides<'_>) -> Result<()> {
    let initiator = NtlmInitiator {
        bindings: Some(b"tls-server-end-point:one"),
        ..sides.initiator(SEALED)
    };
    let mech = sides.mech;
    let acceptor = |bindings| NtlmAcceptor {
        mech,
        users: USERS,
        bindings,
    };
    sides.establish_with(&initiator, &acceptor(initiator.bindings))?;
    sides.establish_with(&initiator, &acceptor(None))?;
    let other = acceptor(Some(b"tls-server-end-point:two"));
    sides.refuse_with(&initiator, &other, BAD_BINDINGS)
}

/// The acceptor looks for channel bindings, and none are sent.
fn channel_bindings_absent(sides: &mut Sides<'_>) -> Result<()> {
    let acceptor = NtlmAcceptor {
        bindings: Some(b"tls-server-end-point:one"),
        ..sides.acceptor()
    };
    sides.establish(SEALED)?;
    let initiator = sides.initiator(SEALED);
    sides.refuse_with(&initiator, &acceptor, BAD_BINDINGS)
}

fn session_key(sides: &mut Sides<'_>) -> Result<()> {
    for flags in [SEALED, SIGNED] {
        sides.establish(flags)?;
        let (theirs, others) = (
            sides.initiator.session_key()?,
            sides.acceptor.session_key()?,
        );
        expect("length", &theirs.len(), &16)?;
        expect("session keys", &(theirs == others), &true)?;
    }
    Ok(())
}

fn wrong_password(sides: &mut Sides<'_>) -> Result<()> {
    sides.establish(SEALED)?;
    let initiator = NtlmInitiator {
        user: FORGETFUL,
        ..sides.initiator(SEALED)
    };
    let acceptor = sides.acceptor();
    sides.refuse_with(&initiator, &acceptor, BAD_PASSWORD)
}

fn unknown_user(sides: &mut Sides<'_>) -> Result<()> {
    sides.establish(SEALED)?;
    let initiator = NtlmInitiator {
        user: MALLORY,
        ..sides.initiator(SEALED)
    };
    let acceptor = sides.acceptor();
    sides.refuse_with(&initiator, &acceptor, BAD_USER)
}

/// Clears MsvAvFlags' bit 2 in the AV pair of AUTHENTICATE_MESSAGE's response.
fn clear_mic_flag(token: &mut [u8]) -> Result<()> {
    const PAIR: &[u8] = &[6, 0, 4, 0, 2, 0, 0, 0];
    let start = token.windows(PAIR.len()).position(|bytes| bytes == PAIR);
    let flags = start.and_then(|start| token.get_mut(start + 4));
    *flags.ok_or("the initiator sends no MIC")? = 0;
    Ok(())
}

/// Somebody on the way says that AUTHENTICATE_MESSAGE has no MIC (MS-NLMP §2.2.2.1, MsvAvFlags): the
/// response covers that flag.
fn mic_flag_cleared(sides: &mut Sides<'_>) -> Result<()> {
    sides.establish(SEALED)?;
    let (initiator, acceptor) = (sides.initiator(SEALED), sides.acceptor());
    sides.start(&initiator, &acceptor)?;
    let first = sides.initiator.step(None)?.token.ok_or("no token")?;
    let challenge = sides
        .acceptor
        .step(Some(&first))?
        .token
        .ok_or("no challenge")?;
    let mut response = sides
        .initiator
        .step(Some(&challenge))?
        .token
        .ok_or("no response")?;
    clear_mic_flag(&mut response)?;
    match sides.acceptor.step(Some(&response)) {
        Ok(_) => Err("a response without its MIC flag was accepted".into()),
        Err(refusal) => {
            // Within SPNEGO the session key is another too.
            let reasons = [BAD_PASSWORD, &["verification failed", "ACCESS_DENIED"]].concat();
            expect_reason(&refusal.reason, &reasons)
        }
    }
}
