//! The fault matrix: every kind of session, every message of it, every fault.
//!
//! A case is one session in which something happens to a message. Each side must end with an error,
//! or with the context that it would have had anyway: peer, mechanism, flags, lifetime and key. Where both
//! are established, messages must arrive. An error is the same when asked again; nothing panics.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use countersign_context::crypto::Enctype;

mod attack;
mod fault;
mod judge;
pub(crate) mod lab;
mod random;
pub(crate) mod scenario;
pub(crate) mod side;

pub(crate) use attack::SESSION;
use attack::{Counts, Target, silence_panics};
use fault::Fault;
pub(crate) use judge::Honest;
use lab::Lab;
use scenario::Scenario;

use crate::Options;
use crate::report::Report;

/// As many as the machines that this is made for have cores.
pub(crate) const THREADS: usize = 2;
const PROGRESS: Duration = Duration::from_secs(30);

/// One lab of each enctype, for one thread.
pub(crate) struct Labs(BTreeMap<i32, Lab>);

impl Labs {
    pub(crate) fn of(scenarios: &[Scenario]) -> Self {
        let enctypes = scenarios.iter().map(|scenario| scenario.enctype);
        Self(
            enctypes
                .map(|enctype| (enctype.id(), Lab::new(enctype)))
                .collect(),
        )
    }

    pub(crate) fn get(&self, enctype: Enctype) -> &Lab {
        self.0.get(&enctype.id()).expect("there is one for each")
    }
}

/// What came of one kind of session.
#[derive(Clone, Default)]
struct Outcome {
    tokens: usize,
    counts: Counts,
    defects: Vec<String>,
}

impl Outcome {
    fn of(target: Target<'_>) -> Self {
        Self {
            tokens: target.honest.sent.len(),
            counts: target.counts,
            defects: target.defects,
        }
    }

    fn add(&mut self, other: &Self) {
        self.tokens = other.tokens;
        self.counts.add(other.counts);
        self.defects.extend_from_slice(&other.defects);
    }

    fn report(&self, title: &str, report: &mut Report) -> bool {
        let Counts {
            cases,
            refused,
            same,
            waiting,
            other,
            panics,
        } = self.counts;
        report.cases += cases;
        let figures = format!(
            "{cases:>9} cases: {refused} refused, {same} same, {waiting} wait, {other} other"
        );
        let mut problem = self.defects.first().cloned();
        if cases == 0 && problem.is_none() {
            problem = Some("no case was run".into());
        }
        if panics > 0 {
            problem = Some(format!("{panics} panics; {}", problem.unwrap_or_default()));
        }
        report.add("faults", title, &figures, problem)
    }
}

/// The matrix, then random faults until there are `cases` in all.
pub(crate) fn run(options: &Options, report: &mut Report) {
    let mut scenarios = scenario::all();
    scenarios.retain(|scenario| options.selects("faults", &scenario.title()));
    silence_panics();
    matrix(&scenarios, options.short, report);
    let wanted = options.cases().saturating_sub(report.cases);
    if wanted > 0 && options.selects("faults", RANDOM) {
        at_random(wanted, options, report);
    }
}

const RANDOM: &str = "at random";

/// What there is to select.
pub(crate) fn titles() -> Vec<String> {
    let titles = scenario::all().into_iter().map(|scenario| scenario.title());
    titles.chain([RANDOM.to_owned()]).collect()
}

fn matrix(scenarios: &[Scenario], short: bool, report: &mut Report) {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![None; scenarios.len()]);
    let mut printed = 0;
    thread::scope(|scope| {
        let work = || {
            let labs = Labs::of(scenarios);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(scenario) = scenarios.get(index) else {
                    return;
                };
                let outcome = attack(scenario, labs.get(scenario.enctype), short);
                outcomes.lock().expect("no panic")[index] = Some(outcome);
            }
        };
        let threads = [(); THREADS].map(|()| scope.spawn(work));
        // In their order, as they come.
        while printed < scenarios.len() {
            let outcome = outcomes.lock().expect("no panic")[printed].take();
            match outcome {
                Some(outcome) => {
                    outcome.report(&scenarios[printed].title(), report);
                    printed += 1;
                }
                None if threads.iter().all(|thread| thread.is_finished()) => break,
                None => thread::sleep(Duration::from_millis(50)),
            }
        }
    });
    for scenario in scenarios.iter().skip(printed) {
        let problem = "a thread of the test died".to_owned();
        report.add("faults", &scenario.title(), "", Some(problem));
    }
}

fn attack(scenario: &Scenario, lab: &Lab, short: bool) -> Outcome {
    let mut target = match Target::new(scenario, lab) {
        Ok(target) => target,
        Err(problem) => {
            return Outcome {
                defects: vec![problem],
                ..Outcome::default()
            };
        }
    };
    let own = target.honest.sent.clone();
    let others = target.others.each_ref().map(|other| other.sent.clone());
    let octets = scenario.octets || !short;
    for number in 0..own.len() {
        let others = [others[0].as_slice(), others[1].as_slice()];
        let _ = fault::each(&own, number, others, octets, &mut |fault, arrives| {
            target.case(number, fault, arrives);
            ControlFlow::Continue(())
        });
        for which in 0..others.len() {
            target.case(number, Fault::SeenOfAnother(which), &[]);
        }
    }
    Outcome::of(target)
}

/// So many random faults that all are as many as was asked for.
fn at_random(wanted: u64, options: &Options, report: &mut Report) {
    let scenarios = scenario::all();
    let first = options.from / random::CHUNK;
    let last = first + wanted.div_ceil(random::CHUNK);
    let next = AtomicU64::new(first);
    let total = Mutex::new(Outcome::default());
    let began = Instant::now();
    thread::scope(|scope| {
        let work = || {
            let labs = Labs::of(&scenarios);
            let targets = scenarios
                .iter()
                .map(|scenario| Target::new(scenario, labs.get(scenario.enctype)));
            let mut targets: Vec<_> = match targets.collect() {
                Ok(targets) => targets,
                Err(problem) => {
                    total.lock().expect("no panic").defects.push(problem);
                    return;
                }
            };
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                if chunk >= last {
                    break;
                }
                random::chunk(&mut targets, options.seed, chunk);
            }
            let mut total = total.lock().expect("no panic");
            for target in targets {
                total.add(&Outcome::of(target));
            }
        };
        let threads = [(); THREADS].map(|()| scope.spawn(work));
        let mut told = Instant::now();
        while !threads.iter().all(|thread| thread.is_finished()) {
            thread::sleep(Duration::from_millis(50));
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                let done = (next.load(Ordering::Relaxed).min(last) - first) * random::CHUNK;
                let rate = done / began.elapsed().as_secs().max(1);
                report.progress(&format!("{done} of {wanted} random cases, {rate}/s"));
            }
        }
    });
    let total = total.into_inner().expect("no panic");
    total.report(&format!("{RANDOM}, seed {}", options.seed), report);
}
