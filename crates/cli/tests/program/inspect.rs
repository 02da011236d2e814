//! `countersign inspect`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{
    Files, PROGRAM, SERVICE, fail, fits_80_columns, hexadecimal, realm, request, run, succeed, text,
};

#[test]
fn inspect_opens_every_part_of_a_request_with_the_keytab() {
    let files = Files::new();
    let keytab = files.path("keytab").to_str().unwrap().to_owned();
    let token = hexadecimal(&request());
    let printed = succeed(&run(&["inspect", &token]));
    assert!(
        printed.contains("AP-REQ") && !printed.contains("authtime"),
        "{printed}"
    );
    let opened = succeed(&run(&["inspect", &token, "--keytab", &keytab]));
    for part in ["EncTicketPart", "authtime", "Authenticator", "cusec"] {
        assert!(opened.contains(part), "{part} in\n{opened}");
    }
    fits_80_columns(&opened);
    let wrong = files.path("wrong.keytab").to_str().unwrap().to_owned();
    let output = run(&["inspect", &token, "--keytab", &wrong]);
    assert!(
        text(&output.stdout).contains("AP-REQ"),
        "what can be read is shown"
    );
    assert!(fail(&output).1.contains("does not decrypt"));
}

#[test]
fn inspect_never_shows_a_session_key() {
    let files = Files::new();
    let keytab = files.path("keytab").to_str().unwrap().to_owned();
    let ticket = realm(1).ticket("alice", SERVICE).mint().unwrap();
    let secret = hexadecimal(ticket.session_key().unwrap().expose());
    let token = hexadecimal(&request());
    let opened = succeed(&run(&["inspect", &token, "--keytab", &keytab]));
    assert!(
        !opened
            .replace(char::is_whitespace, "")
            .contains(&secret[..16]),
        "{opened}"
    );
}

#[test]
fn inspect_gives_offset_and_reason_of_bytes_that_do_not_decode() {
    let request = request();
    let cut = hexadecimal(&request[..request.len() - 1]);
    let output = run(&["inspect", "--json", &cut]);
    let parts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines = parts[0]["lines"].as_array().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line["error_offset"].is_u64() && line["error"].is_string())
    );
    assert_eq!(fail(&output).0, 1);
    // Control: whole, nothing is wrong with it.
    let printed = succeed(&run(&["inspect", "--json", &hexadecimal(&request)]));
    assert!(!printed.contains("error"));
}

#[test]
fn inspect_reads_bytes_and_text_from_standard_input() {
    let request = request();
    let header = format!("Authorization: Negotiate {}", hexadecimal(&request));
    for input in [
        request.clone(),
        hexadecimal(&request).into_bytes(),
        header.into_bytes(),
    ] {
        let mut child = Command::new(PROGRAM)
            .arg("inspect")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(succeed(&output).contains("AP-REQ"));
    }
}
