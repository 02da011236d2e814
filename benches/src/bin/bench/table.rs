//! What was found, for the screen and for programs.

use countersign_benches::answer::Totals;
use serde_json::{Value, json};

use crate::goals::{Standing, Verdict};
use crate::load::Load;
use crate::plot;
use crate::rounds::{Figures, Outcome, as_f64};

pub(crate) fn heading(group: &str) {
    println!("\n{group}");
    println!(
        "{:<31} {:>8} {:>5} {:>9} {:>6} {:>7} {:>6}",
        " by", "median", "+-%", "MB/s, /s", "allocs", "peak", "ratio"
    );
    println!("{}", "-".repeat(78));
}

/// Half of what is between a tenth and nine tenths of the turns, in per cent of the median.
pub(crate) fn spread(figures: &Figures) -> f64 {
    (figures.slow - figures.fast) * 50.0 / figures.median
}

/// How many times as long as ours.
pub(crate) fn ratio(outcome: &Outcome, figures: &Figures) -> Option<f64> {
    outcome.ours().map(|ours| figures.median / ours.median)
}

/// Megabytes or runs a second.
pub(crate) fn rate(outcome: &Outcome, figures: &Figures) -> String {
    let is_stream = ["messages/", "stream/"]
        .iter()
        .any(|group| outcome.name.starts_with(group));
    match outcome.speed(figures.median).filter(|_| is_stream) {
        Some(speed) => format!("{speed:.0}"),
        None => format!("{:.0}", 1e9 / figures.median),
    }
}

/// One of the numbers that were counted, or nothing.
pub(crate) fn counted(figures: &Figures, number: impl Fn(&Totals) -> u64) -> String {
    let counted = figures.counted.as_ref();
    counted.map_or_else(String::new, |totals| number(totals).to_string())
}

pub(crate) fn row(outcome: &Outcome) {
    println!("{}", outcome.name);
    for figures in &outcome.figures {
        println!(
            " {:<30} {:>8} {:>5.1} {:>9} {:>6} {:>7} {:>6}",
            figures.contender,
            plot::time(figures.median),
            spread(figures),
            rate(outcome, figures),
            counted(figures, |totals| totals.allocations),
            counted(figures, |totals| totals.peak),
            ratio(outcome, figures).map_or_else(String::new, |ratio| format!("{ratio:.2}"))
        );
    }
}

/// The group of [`loads`](crate::load).
pub(crate) const SERVER: &str = "server";

pub(crate) fn heading_of_loads() {
    println!(
        "\n{SERVER}: connections to a server with tokio, Kerberos, question and answer sealed"
    );
    println!(
        "{:<30} {:>10} {:>10} {:>10} {:>14}",
        "  clients at a time", "a second", "p50 ms", "p99 ms", "server's peak"
    );
    println!("{}", "-".repeat(78));
}

pub(crate) fn milliseconds(time: std::time::Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.2} MiB", as_f64(bytes) / f64::from(1 << 20))
}

pub(crate) fn load(load: &Load) {
    println!(
        "  {:<28} {:>10.0} {:>10} {:>10} {:>14}",
        load.clients,
        load.rate,
        milliseconds(load.half),
        milliseconds(load.most),
        load.peak.map_or_else(String::new, mebibytes)
    );
}

pub(crate) fn goals(verdicts: &[Verdict]) {
    if verdicts.is_empty() {
        return;
    }
    println!("\ngoals");
    println!(
        "{:<48} {:>11} {:>8} {:>8}",
        "  what", "goal", "found", "fastest"
    );
    println!("{}", "-".repeat(78));
    for verdict in verdicts {
        println!(
            "  {:<46} {:>11} {:>8} {:>8}",
            verdict.what,
            verdict.goal,
            verdict.found,
            verdict.best.as_deref().unwrap_or("")
        );
        if verdict.standing != Standing::Met {
            let beside = |what: &str, reached: &Option<String>| match reached {
                Some(reached) => format!("; {what} {reached}"),
                None => String::new(),
            };
            let alone = beside("alone", &verdict.alone);
            let floor = beside("slower", &verdict.floor);
            println!("      {}{alone}{floor}", verdict.standing);
        }
    }
}

pub(crate) fn json(outcomes: &[Outcome], loads: &[Load], verdicts: &[Verdict]) -> Value {
    let load = |load: &Load| {
        json!({
            "clients": load.clients,
            "connections_per_second": load.rate,
            "p50_microseconds": load.half.as_micros(),
            "p99_microseconds": load.most.as_micros(),
            "server_peak_bytes": load.peak,
        })
    };
    let outcome = |outcome: &Outcome| {
        let figures = |figures: &Figures| {
            json!({
                "contender": figures.contender,
                "nanoseconds": figures.median,
                "nanoseconds_p10": figures.fast,
                "nanoseconds_p90": figures.slow,
                "megabytes_per_second": outcome.speed(figures.median),
                "allocations": figures.counted.map(|totals| totals.allocations),
                "allocated_bytes": figures.counted.map(|totals| totals.bytes),
                "peak_bytes": figures.counted.map(|totals| totals.peak),
            })
        };
        json!({
            "operation": outcome.name,
            "bytes": outcome.bytes,
            "figures": outcome.figures.iter().map(figures).collect::<Vec<_>>(),
        })
    };
    json!({
        "operations": outcomes.iter().map(outcome).collect::<Vec<_>>(),
        "server": loads.iter().map(load).collect::<Vec<_>>(),
        "goals": json_of_goals(verdicts),
    })
}

pub(crate) fn json_of_goals(verdicts: &[Verdict]) -> Vec<Value> {
    let goal = |verdict: &Verdict| {
        json!({
            "goal": verdict.what,
            "demanded": verdict.goal,
            "found": verdict.found,
            "cipher_and_hash_alone": verdict.alone,
            "slower_of_cipher_and_hash": verdict.floor,
            "fastest_tenth": verdict.best,
            "met": verdict.standing == Standing::Met,
            "standing": verdict.standing.to_string(),
        })
    };
    verdicts.iter().map(goal).collect()
}
