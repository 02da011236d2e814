//! What is measured can be measured. Not here: the server under load, which takes its three seconds five times, and
//! the other libraries, which `cargo xtask test --only bench` asks.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use countersign_benches::half_open::{HALF_OPEN, Parties};
use countersign_benches::operations;

/// A million accepts before the first that is measured.
const LEFT_OUT: &str = "growth/replay-entries/1000000";

#[test]
fn every_operation_prepares_and_runs() {
    let mut failed = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for prepared in operations() {
        assert!(names.insert(prepared.name.clone()), "{}", prepared.name);
        if prepared.name == LEFT_OUT {
            continue;
        }
        match prepared.operation() {
            Ok(mut operation) => {
                assert_eq!(operation.name, prepared.name);
                operation.prepare();
                operation.run();
            }
            Err(problem) => failed.push(format!("{}: {problem}", prepared.name)),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(names.contains(LEFT_OUT), "its name has changed");
}

/// What a program of this package answers to some lines.
fn said(program: &str, arguments: &[&str], lines: &str) -> Vec<String> {
    let mut process = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn numbers(answer: &str) -> [u64; 4] {
    let numbers: Vec<u64> = answer.split(' ').map(|n| n.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

const LINES: &str = "tokens/decode-ap-req 1\nkerberos/accept/aes256-sha1 1\nnothing 1\n";

#[test]
fn allocations_are_counted_by_a_program_that_times_nothing() {
    let answers = said(env!("CARGO_BIN_EXE_count"), &[], LINES);
    let [decode, accept, unknown] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert_eq!(numbers(decode), [0; 4]);
    let [nanoseconds, allocations, bytes, peak] = numbers(accept);
    assert_eq!(nanoseconds, 0);
    assert!(allocations > 0 && peak > 0 && peak <= bytes, "{accept}");
    assert_eq!(unknown, "error no such operation");
}

#[test]
fn times_are_taken_by_a_program_that_counts_nothing() {
    let answers = said(env!("CARGO_BIN_EXE_bench"), &["--answer"], LINES);
    let [decode, accept, unknown] = &answers[..] else {
        panic!("{answers:?}");
    };
    for answer in [decode, accept] {
        let [nanoseconds, counted @ ..] = numbers(answer);
        assert!(nanoseconds > 0);
        assert_eq!(counted, [0; 3]);
    }
    assert_eq!(unknown, "error no such operation");
}

#[test]
fn a_run_prints_times_and_what_was_counted() {
    let arguments = ["--rounds", "1", "--json", "kerberos/accept/aes128-sha2"];
    let lines = said(env!("CARGO_BIN_EXE_bench"), &arguments, "");
    let found: serde_json::Value = serde_json::from_str(&lines.concat()).unwrap();
    let figures = &found["operations"][0]["figures"][0];
    assert_eq!(figures["contender"], "countersign");
    assert!(figures["nanoseconds"].as_f64().unwrap() > 0.0);
    assert!(figures["allocations"].as_u64().unwrap() > 0);
    assert!(figures["peak_bytes"].as_u64().unwrap() > 0);
}

#[test]
fn contexts_of_every_kind_are_left_waiting() {
    let mut parties = Parties::new().unwrap();
    for kind in &HALF_OPEN {
        // Another one each time.
        for _ in 0..2 {
            let made = kind.make(&mut parties);
            assert!(made.is_ok(), "{}: {:?}", kind.name, made.err());
        }
    }
}

/// Two questions about its memory, where the system tells.
#[test]
fn the_server_says_where_it_is_and_what_it_holds() {
    let lines = said(env!("CARGO_BIN_EXE_bench"), &["--serve"], "\n\n");
    let [address, peaks @ ..] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(address.parse::<std::net::SocketAddr>().unwrap().port() > 0);
    assert_eq!(peaks.len(), 2);
    for peak in peaks {
        // Not every Linux lets a process begin its peak anew.
        let bytes = peak.parse::<u64>();
        assert!(
            peak == "?" || bytes.is_ok_and(|bytes| bytes > 100_000),
            "{peak}"
        );
    }
}
