//! Every combination of what an initiator knows, what it sends and what the acceptor wants.
//!
//! What is expected of a cell is computed from the rule, in one place: [`Cell::expected`].

use std::io::Write as _;

use countersign_context::credential::ntlm::Users;
use countersign_context::crypto::ntlm::{Direction, Strength};
use countersign_context::ntlm::{Acceptor, AcceptorCredential, Logon, LogonRequest};
use countersign_context::{
    Answer, Error, ErrorKind, Flags, MicPolicy, Need, NtlmProblem, SecurityContext, Step,
};

use crate::forger::{BASE, F, Forged, Forger, Mic, Response};
use crate::support::*;
use crate::wire::Wire;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Right,
    WrongPassword,
    UnknownUser,
    Empty,
    /// The response to the challenge of another context.
    Replayed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Sealed,
    Signed,
    Neither,
}

/// Who says whether the response is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    /// The acceptor's own users.
    Own,
    /// A store that gives the hash.
    Store,
    /// A domain controller, which gives a key.
    Controller,
}

const PROOFS: [Proof; 5] = [
    Proof::Right,
    Proof::WrongPassword,
    Proof::UnknownUser,
    Proof::Empty,
    Proof::Replayed,
];
const MICS: [Mic; 5] = [
    Mic::Right,
    Mic::Cleared,
    Mic::Zeroed,
    Mic::Absent,
    Mic::Wrong,
];
const LEVELS: [Level; 3] = [Level::Sealed, Level::Signed, Level::Neither];
const JUDGES: [Judge; 3] = [Judge::Own, Judge::Store, Judge::Controller];
const POLICIES: [MicPolicy; 2] = [MicPolicy::Required, MicPolicy::IfPresent];

#[derive(Debug, Clone, Copy)]
struct Cell {
    proof: Proof,
    mic: Mic,
    key_exchange: bool,
    target_info: bool,
    level: Level,
    policy: MicPolicy,
    judge: Judge,
}

impl Cell {
    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for proof in PROOFS {
            for mic in MICS {
                for key_exchange in [true, false] {
                    for target_info in [true, false] {
                        for level in LEVELS {
                            for policy in POLICIES {
                                cells.extend(JUDGES.map(|judge| Self {
                                    proof,
                                    mic,
                                    key_exchange,
                                    target_info,
                                    level,
                                    policy,
                                    judge,
                                }));
                            }
                        }
                    }
                }
            }
        }
        cells
    }

    /// The rule: who proves the password gets in with a right MIC, or with none at all where the
    /// policy says so. Nothing else does, whatever the rest.
    fn expected(self) -> Result<(), NtlmProblem> {
        match (self.proof, self.mic, self.policy) {
            (Proof::Empty, _, _) => Err(NtlmProblem::ResponseRefused),
            (Proof::WrongPassword | Proof::UnknownUser | Proof::Replayed, _, _) => {
                Err(NtlmProblem::LogonDenied)
            }
            (Proof::Right, Mic::Right, _) | (Proof::Right, Mic::Cleared, MicPolicy::IfPresent) => {
                Ok(())
            }
            (Proof::Right, Mic::Cleared, _) => Err(NtlmProblem::MicMissing),
            (Proof::Right, Mic::Zeroed | Mic::Absent | Mic::Wrong, _) => {
                Err(NtlmProblem::MicMismatch)
            }
        }
    }

    fn forger(self) -> Forger {
        let mut offered = match self.level {
            Level::Sealed => BASE | F::NEGOTIATE_SIGN | F::NEGOTIATE_SEAL,
            Level::Signed => BASE | F::NEGOTIATE_SIGN,
            Level::Neither => BASE,
        };
        if self.key_exchange {
            offered |= F::KEY_EXCH;
        }
        let honest = Forger::alice(offered);
        Forger {
            mic: self.mic,
            target_info: self.target_info,
            // Sent even where none is exchanged: it must make no difference.
            encrypted: (self.key_exchange && self.level == Level::Neither).then(|| vec![0x11; 16]),
            ..match self.proof {
                Proof::Right | Proof::Replayed => honest,
                Proof::WrongPassword => Forger {
                    password: "open sesamo".into(),
                    ..honest
                },
                Proof::UnknownUser => Forger {
                    user: "mallory".into(),
                    ..honest
                },
                Proof::Empty => Forger {
                    response: Response::Empty,
                    ..honest
                },
            }
        }
    }

    fn run(self) -> (Result<SecurityContext, Error>, Forged) {
        let mut forger = self.forger();
        let credential = match self.judge {
            Judge::Own => server(),
            Judge::Store | Judge::Controller => AcceptorCredential::new(names()),
        };
        let policy = policy(|ntlm| ntlm.with_mic(self.policy));
        let negotiate = forger.negotiate();
        if self.proof == Proof::Replayed {
            // An honest exchange; the acceptor of another context sees its response again, with a
            // MIC over the messages of that one.
            let mut first = Acceptor::new(&credential);
            let challenge = World::new(1).go_on(&mut first, Some(&negotiate));
            let heard = forger.authenticate(&negotiate, &challenge);
            forger.response = Response::Bytes(heard.nt_response, *heard.base.expose());
        }
        let mut world = World::new(2).with_policy(&policy);
        let mut acceptor = Acceptor::new(&credential);
        let challenge = world.go_on(&mut acceptor, Some(&negotiate));
        let forged = forger.authenticate(&negotiate, &challenge);
        let mut step = world.step(&mut acceptor, Some(&forged.token));
        if let Ok(Step::Need(Need::Logon(request))) = &step {
            let logon = self.judge.answer(request, &forged);
            step = world.resume(&mut acceptor, Answer::Logon(logon));
        }
        (step.map(|step| last(step).1), forged)
    }

    /// What an accepted context must be.
    fn check(self, mut context: SecurityContext, forged: &Forged) {
        assert_eq!(context.peer().unwrap().to_string(), "EXAMPLE\\alice");
        assert_eq!(context.session_key().expose(), forged.exported.expose());
        let (signs, seals) = (self.level != Level::Neither, self.level == Level::Sealed);
        assert_eq!(context.flags().contains(Flags::INTEGRITY), signs);
        assert_eq!(context.flags().contains(Flags::CONFIDENTIALITY), seals);
        if !signs {
            assert_eq!(why(context.get_mic(b"m")), ErrorKind::IntegrityNotGranted);
            return;
        }
        let mut wire = Wire::new(
            &forged.exported,
            Strength::Bits128,
            Direction::ClientToServer,
        )
        .sealing(seals)
        .key_exchange(self.key_exchange);
        let opened = context.unwrap(&wire.wrap(b"message")).unwrap();
        assert_eq!(
            (&opened.message[..], opened.sealed),
            (&b"message"[..], seals)
        );
    }
}

impl Judge {
    fn answer(self, request: &LogonRequest, forged: &Forged) -> Logon {
        let users: Users = users();
        let Some((account, hash)) = users.find(request.domain(), request.user()) else {
            return Logon::Denied;
        };
        let account = account.clone();
        if self == Self::Store {
            let hash = hash.duplicate();
            return Logon::NtHash { account, hash };
        }
        // As a domain controller does it.
        let key = hash.response_key(request.user().chars(), request.domain().chars());
        let (proof, blob) = request.nt_response().split_at(16);
        if key.proof(request.server_challenge(), &[blob]) != proof {
            return Logon::Denied;
        }
        let session_base_key = forged.base.duplicate();
        Logon::Verified {
            account,
            session_base_key,
        }
    }
}

/// The acceptor that takes any response: sspi-rs #172, and what it is a case of.
#[test]
fn every_cell_of_the_matrix_is_as_the_rule_has_it() {
    let cells = Cell::all();
    assert_eq!(cells.len(), 5 * 5 * 2 * 2 * 3 * 2 * 3);
    let mut accepted = [[0_usize; 5]; 5];
    let mut wrong = Vec::new();
    for cell in cells {
        let (result, forged) = cell.run();
        let came_to = match &result {
            Ok(_) => Ok(()),
            Err(error) => Err(error.kind()),
        };
        if came_to != cell.expected().map_err(ErrorKind::Ntlm) {
            wrong.push(format!("{cell:?}: {came_to:?}"));
        }
        if let Ok(context) = result {
            cell.check(context, &forged);
            let row = PROOFS.iter().position(|proof| *proof == cell.proof);
            let column = MICS.iter().position(|mic| *mic == cell.mic);
            accepted[row.unwrap()][column.unwrap()] += 1;
        }
    }
    print(&accepted, wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What the rule comes to: 72 cells each.
    assert_eq!(accepted[0], [72, 36, 0, 0, 0]);
    assert_eq!(accepted[1..], [[0; 5]; 4]);
}

/// Straight to standard output, past what keeps the output of tests that pass: `cargo xtask test`
/// shows lines that begin so.
fn print(accepted: &[[usize; 5]; 5], wrong: usize) {
    let mut table = format!(
        "\nmatrix: NTLM acceptor: accepted cells of 72 (key exchange, target information, sealed / \
         signed / neither, MIC policy, who judges); {wrong} not as the rule has it\n\
         matrix: {:<14} {:>7} {:>8} {:>7} {:>7} {:>6}\n",
        "response", "MIC", "cleared", "zeroed", "absent", "wrong"
    );
    for (proof, [a, b, c, d, e]) in PROOFS.iter().zip(accepted) {
        let proof = format!("{proof:?}");
        table += &format!("matrix: {proof:<14} {a:>7} {b:>8} {c:>7} {d:>7} {e:>6}\n");
    }
    let mut out = std::io::stdout().lock();
    out.write_all(table.as_bytes()).unwrap();
    out.flush().unwrap();
}
