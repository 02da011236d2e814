//! One file of models for each module.

mod baton;
mod fetch;
mod replay;
mod tickets;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs the model in every order of its steps, and says past the harness how many there were.
fn every_order(name: &str, model: impl Fn() + Send + Sync + 'static) {
    explore(name, None, model);
}

/// In every order in which threads are interrupted so many times at most: where all would be too
/// many. A thread that waits is not interrupted.
fn every_order_of(interruptions: usize, name: &str, model: impl Fn() + Send + Sync + 'static) {
    explore(name, Some(interruptions), model);
}

fn explore(name: &str, interruptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let mut builder = loom::model::Builder::new();
    // Not what an environment variable says.
    builder.preemption_bound = interruptions;
    builder.checkpoint_file = None;
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let runs = runs.load(Ordering::Relaxed);
    assert!(runs > 1, "{name}: threads that never meet prove nothing");
    let _ = writeln!(std::io::stdout(), "\nmatrix: loom: {name}: {runs} orders");
}
