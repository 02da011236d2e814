//! Interferes with one kind of session, and has each case judged.

use core::fmt::Write as _;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::fault::Fault;
use super::judge::{Honest, Verdict, judge};
use super::lab::Lab;
use super::scenario::{Between, Scenario, Session, replay_cache};
use crate::Result;

/// The session that is attacked, another one of the same client, and one of somebody else.
pub(crate) const SESSION: Session = Session { who: 0, seed: 3 };
const OTHERS: [Session; 2] = [Session { who: 0, seed: 77 }, Session { who: 1, seed: 99 }];

/// Refusals that were passed on to the other side; beyond that one is as good as another.
const MAX_TOLD: usize = 4096;

/// How many cases came out how.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) cases: u64,
    pub(crate) refused: u64,
    pub(crate) same: u64,
    pub(crate) waiting: u64,
    pub(crate) other: u64,
    pub(crate) panics: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.refused += other.refused;
        self.same += other.same;
        self.waiting += other.waiting;
        self.other += other.other;
        self.panics += other.panics;
    }
}

/// A kind of session, ready to be attacked.
pub(crate) struct Target<'lab> {
    pub(crate) scenario: Scenario,
    lab: &'lab Lab,
    pub(crate) honest: Honest,
    pub(crate) others: [Honest; 2],
    told: HashSet<Vec<u8>>,
    pub(crate) counts: Counts,
    /// What is wrong, the first of it.
    pub(crate) defects: Vec<String>,
}

thread_local! {
    /// Whether a panic of this thread is a case's.
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Panics within cases are counted and told with the case, not printed.
pub(crate) fn silence_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !WATCHED.get() {
            before(info);
        }
    }));
}

impl<'lab> Target<'lab> {
    pub(crate) fn new(scenario: &Scenario, lab: &'lab Lab) -> Result<Self> {
        let honest = Honest::of(scenario, lab, SESSION)?;
        let [one, two] = OTHERS.map(|session| Honest::of(scenario, lab, session));
        Ok(Self {
            scenario: scenario.clone(),
            lab,
            honest,
            others: [one?, two?],
            told: HashSet::new(),
            counts: Counts::default(),
            defects: Vec::new(),
        })
    }

    /// One case: `arrives` comes in the place of the message of that number.
    pub(crate) fn case(&mut self, number: usize, fault: Fault, arrives: &[&[u8]]) {
        let arrived = || {
            arrives
                .iter()
                .map(|token| (number, token.to_vec()))
                .collect()
        };
        self.watch(fault, arrived, |target| match (fault, arrives) {
            (Fault::SeenOfAnother(which), _) => target.seen(number, which),
            (Fault::None, _) => match target.session(number, arrives)? {
                Verdict::Same => Ok(Verdict::Same),
                verdict => Err(format!("the control is {verdict:?}")),
            },
            (_, [token]) => target.token(number, token),
            _ => target.session(number, arrives),
        });
    }

    /// One case in which `between` interferes with several messages.
    pub(crate) fn several(&mut self, fault: Fault, between: &mut Between<'_>) {
        let arrived = RefCell::new(Vec::new());
        self.watch(
            fault,
            || arrived.take(),
            |target| {
                let replay = replay_cache();
                let watch = &mut |number: usize, token: &[u8]| {
                    let arrives = between(number, token);
                    for token in arrives.iter().flatten() {
                        arrived.borrow_mut().push((number, token.clone()));
                    }
                    arrives
                };
                let mut run = target.scenario.run(target.lab, SESSION, &replay, watch)?;
                judge(&mut run, &target.honest, &target.others)
            },
        );
    }

    /// `arrived`: the tokens that were put in the place of others, and whose.
    fn watch(
        &mut self,
        fault: Fault,
        arrived: impl FnOnce() -> Vec<(usize, Vec<u8>)>,
        case: impl FnOnce(&mut Self) -> Result<Verdict>,
    ) {
        self.counts.cases += 1;
        WATCHED.set(true);
        let verdict = catch_unwind(AssertUnwindSafe(|| case(self)));
        WATCHED.set(false);
        let problem = match verdict {
            Ok(Ok(verdict)) => {
                *match verdict {
                    Verdict::Refused => &mut self.counts.refused,
                    Verdict::Same => &mut self.counts.same,
                    Verdict::Waiting => &mut self.counts.waiting,
                    Verdict::Other => &mut self.counts.other,
                } += 1;
                return;
            }
            Ok(Err(problem)) => problem,
            Err(panic) => {
                self.counts.panics += 1;
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied());
                format!("panicked: {}", text.unwrap_or("with no words"))
            }
        };
        if self.defects.len() < 20 {
            let mut defect = format!("{}, {fault:?}: {problem}", self.scenario.title());
            for (number, token) in arrived() {
                let _ = write!(defect, "\nin the place of token {number}: ");
                for octet in token {
                    let _ = write!(defect, "{octet:02x}");
                }
            }
            self.defects.push(defect);
        }
    }

    /// One token in the place of another. That it is refused is known when the side that it is for was
    /// asked; only the first refusal of each kind is then passed on.
    fn token(&mut self, number: usize, token: &[u8]) -> Result<Verdict> {
        let sent = &self.honest.sent;
        let mut side = self.scenario.waiting(self.lab, SESSION, sent, number)?;
        let told = side.receive(Some(token))?;
        if side.failed() {
            match told {
                None => return Ok(Verdict::Refused),
                Some(told) if self.told.contains(&told) => return Ok(Verdict::Refused),
                Some(told) if self.told.len() < MAX_TOLD => {
                    self.told.insert(told);
                }
                Some(_) => return Ok(Verdict::Refused),
            }
        }
        self.session(number, &[token])
    }

    /// The whole session, in which `arrives` comes in the place of one message.
    fn session(&mut self, number: usize, arrives: &[&[u8]]) -> Result<Verdict> {
        let replay = replay_cache();
        let mut run = self
            .scenario
            .run(self.lab, SESSION, &replay, &mut |at, _| {
                (at == number).then(|| arrives.iter().map(|token| token.to_vec()).collect())
            })?;
        judge(&mut run, &self.honest, &self.others)
    }

    /// A message of a session that the same acceptor has had before: a replay.
    fn seen(&mut self, number: usize, which: usize) -> Result<Verdict> {
        let replay = replay_cache();
        let (Some(session), Some(other)) = (OTHERS.get(which), self.others.get(which)) else {
            return Err("no such session".into());
        };
        let before = self
            .scenario
            .run(self.lab, *session, &replay, &mut |_, _| None)?;
        if before.sent != other.sent {
            return Err("a session is not the same again".into());
        }
        let mut run = self
            .scenario
            .run(self.lab, SESSION, &replay, &mut |at, _| {
                (at == number).then(|| other.sent.get(number).cloned().into_iter().collect())
            })?;
        judge(&mut run, &self.honest, &[])
    }
}
