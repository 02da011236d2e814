//! NTLM over HTTP: curl as the client, and Apache as the server.

use std::process::Command;

use crate::Result;
use crate::apache::{Apache, PATH};
use crate::exchange::expect_reason;
use crate::http::{self, Answer, Server};
use crate::ntlm::lab::Lab;
use crate::ntlm::questions::{ALICE, BAD_PASSWORD, BAD_USER, FORGETFUL, MALLORY, USERS};
use crate::ntlm::side::{Mech, NtlmAcceptor, NtlmInitiator, NtlmSide, SERVER, User};
use crate::process::Running;

const fn scheme(mech: Mech) -> &'static str {
    match mech {
        Mech::Raw => "NTLM",
        Mech::Spnego => "Negotiate",
    }
}

/// Asks a question of those about log-on, by a function that asks as somebody.
fn ask(question: &str, mut get: impl FnMut(User) -> Result<Answer>) -> Result<()> {
    let answer = get(ALICE)?;
    if (answer.status, answer.body.trim()) != (200, ALICE.qualified().as_str()) {
        let Answer { status, body, why } = answer;
        return Err(format!("{status} instead of 200: {why} {body}"));
    }
    let (user, reasons) = match question {
        "wrong password refused" => (FORGETFUL, BAD_PASSWORD),
        "unknown user refused" => (MALLORY, BAD_USER),
        _ => return Ok(()),
    };
    let answer = get(user)?;
    match answer.status {
        401 => expect_reason(&answer.why, reasons),
        status => Err(format!("{status} instead of 401: {}", answer.body)),
    }
}

/// curl against an acceptor behind our server.
pub(super) fn from_curl(
    lab: &Lab,
    mech: Mech,
    acceptor: &mut dyn NtlmSide,
    question: &str,
) -> Result<()> {
    let setup = NtlmAcceptor {
        mech,
        users: USERS,
        bindings: None,
    };
    ask(question, |user| {
        let mut server = Server {
            scheme: scheme(mech),
            recording: lab.recording(),
            acceptor: &mut *acceptor,
            start: &|acceptor| Ok(acceptor.start_acceptor(&setup)?),
            user: &|acceptor| Ok(acceptor.facts()?.user.unwrap_or_default()),
        };
        server.answer(|port| {
            // gss-ntlmssp compares the server's name with the one in CHALLENGE_MESSAGE.
            let mut curl = curl(lab, mech, &format!("http://{SERVER}:{port}/"), user)?;
            curl.args(["--resolve", &format!("{SERVER}:{port}:127.0.0.1")]);
            Ok(curl)
        })
    })
}

/// curl against the example `http_service`, which greets whom it knows by name.
pub(super) fn curl_to_service(lab: &Lab, question: &str) -> Result<()> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let program = program.with_file_name("examples").join("http_service");
    let mut service = Command::new(program);
    service
        .args(["127.0.0.1:0"])
        .arg(lab.users(USERS)?)
        .arg("mic-if-present");
    let mut service = Running::start(&mut service)?;
    let url = service.wait_for_output(|output| {
        let rest = output.split_once("listening on ")?.1;
        Some(rest.split_once('\n')?.0.trim().to_owned())
    })?;
    let (status, body) = run_curl(lab, Mech::Raw, &url, ALICE)?;
    if (status, body.trim()) != (200, format!("hello {}", ALICE.qualified()).as_str()) {
        return Err(format!("{status} instead of 200: {body}"));
    }
    let user = match question {
        "wrong password refused" => FORGETFUL,
        "unknown user refused" => MALLORY,
        _ => return Ok(()),
    };
    match run_curl(lab, Mech::Raw, &url, user)? {
        (401, _) => Ok(()),
        (status, body) => Err(format!("{status} instead of 401: {body}")),
    }
}

/// An initiator against Apache.
pub(super) fn to_apache(
    apache: &Apache,
    mech: Mech,
    initiator: &mut dyn NtlmSide,
    question: &str,
) -> Result<()> {
    ask(question, |user| {
        initiator.start_initiator(&NtlmInitiator {
            mech,
            user,
            flags: &["conf", "integ"],
            bindings: None,
        })?;
        let (status, body) = http::get(&apache.address, PATH, scheme(mech), initiator)?;
        let why = apache.last_error()?;
        Ok(Answer { status, body, why })
    })
}

/// curl against Apache.
pub(super) fn curl_to_apache(lab: &Lab, apache: &Apache, mech: Mech, question: &str) -> Result<()> {
    ask(question, |user| {
        let (status, body) = run_curl(lab, mech, &apache.url(), user)?;
        let why = apache.last_error()?;
        Ok(Answer { status, body, why })
    })
}

/// The status and the body that curl gets.
fn run_curl(lab: &Lab, mech: Mech, url: &str, user: User) -> Result<(u16, String)> {
    http::run_curl(&mut curl(lab, mech, url, user)?)
}

/// `--ntlm` is curl's own; `--negotiate` is the system's GSS-API, which finds the password in a file.
fn curl(lab: &Lab, mech: Mech, url: &str, user: User) -> Result<Command> {
    let mut command = http::curl(lab.command("curl"));
    match mech {
        Mech::Raw => {
            let user = format!("{}:{}", user.qualified(), user.password);
            command.args(["--ntlm", "--user", &user]);
        }
        Mech::Spnego => {
            let line = format!("{}:{}:{}\n", user.domain, user.name, user.password);
            let file = lab.write("curl-user", &line)?;
            command.args(["--negotiate", "--user", ":"]);
            command.env("NTLM_USER_FILE", file);
        }
    }
    command.arg(url);
    Ok(command)
}
