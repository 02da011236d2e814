//! NTLM at the domain controller: Samba's own acceptor, which asks winbindd, and what winbindd says of a response
//! that somebody else took.

use std::process::Command;

use countersign::credential::Password;
use countersign::credential::ntlm::{AccountName, NtlmCredential};
use countersign::crypto::ntlm::SessionKey;
use countersign::handshake::SystemEnvironment;
use countersign::ntlm::{self, Logon};
use countersign::{Answer, Flags, Mechanism, Need, SecurityContext, Step};

use crate::Result;
use crate::exchange::{establish, expect_reason};
use crate::kdc::Kdc::Samba;
use crate::kdc::lab::Lab;
use crate::kdc::rows::{Row, add};
use crate::ntlm::{Client, Server, Verifier};
use crate::side::Handshake;

/// Accounts whose log-on is refused, and in what words.
const REFUSED: [(&str, &str, &str); 4] = [
    ("alice", "wrong", "LOGON_FAILURE"),
    ("nobody", "wrong", "LOGON_FAILURE"),
    ("disabled", "disabled Passw0rd", "ACCOUNT_DISABLED"),
    ("locked", "locked Passw0rd", "ACCOUNT_LOCKED_OUT"),
];

/// What begins every message (MS-NLMP §2.2.1).
const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    for (scenario, spnego) in [
        ("NTLM log-on through winbindd", false),
        ("NTLM in SPNEGO, log-on through winbindd", true),
    ] {
        add(rows, &[Samba], scenario, move |lab| log_on(lab, spnego));
    }
    add(
        rows,
        &[Samba],
        "NTLM log-ons that winbindd refuses",
        refused,
    );
    add(
        rows,
        &[Samba],
        "NTLM response verified by winbindd",
        verified,
    );
    add(
        rows,
        &[Samba],
        "our NTLM acceptor, which asks winbindd",
        ours,
    );
}

fn ntlm_auth(lab: &Lab) -> Result<Command> {
    let mut command = lab.command("ntlm_auth");
    command.arg(format!("--configfile={}", lab.variable("SMB_CONF_PATH")?));
    Ok(command)
}

fn sides(lab: &Lab, user: &str, password: &str, spnego: bool) -> Result<(Client, Server)> {
    let mut command = ntlm_auth(lab)?;
    command.arg("--domain=AD");
    command.args([
        format!("--username={user}"),
        format!("--password={password}"),
    ]);
    let client = Client::start(command, spnego, &["integ", "conf"])?;
    Ok((client, Server::start(ntlm_auth(lab)?, spnego)?))
}

fn log_on(lab: &Lab, spnego: bool) -> Result<()> {
    for (user, password) in [("alice", "alice Passw0rd"), ("grün", "grüne Füße 1")] {
        let (mut client, mut server) = sides(lab, user, password, spnego)?;
        establish(&mut client, &mut server)?;
        if server.user() != format!("AD\\{user}") {
            return Err(format!("{} instead of AD\\{user}", server.user()));
        }
        // Within SPNEGO the client tells no key.
        if !spnego && client.session_key()? != server.session_key()? {
            return Err("the session keys differ".into());
        }
    }
    Ok(())
}

fn refused(lab: &Lab) -> Result<()> {
    log_on(lab, false)?;
    for (user, password, reason) in REFUSED {
        let (mut client, mut server) = sides(lab, user, password, false)?;
        match establish(&mut client, &mut server) {
            Ok(_) => return Err(format!("{user} was let in")),
            Err(refusal) => expect_reason(&refusal.reason, &[reason])
                .map_err(|problem| format!("{user}: {problem}"))?,
        }
    }
    Ok(())
}

/// The challenge and the response, asked of winbindd as an acceptor asks that has no password: the key that it
/// answers with is that from which both sides have theirs.
fn verified(lab: &Lab) -> Result<()> {
    let (mut client, mut server) = sides(lab, "alice", "alice Passw0rd", false)?;
    let (mut challenge, mut response) = (Vec::new(), Vec::new());
    let mut token = client.step(None)?.token;
    while let Some(from_client) = token.take() {
        let answer = server.step(Some(&from_client))?;
        response = from_client;
        if let Some(from_server) = answer.token {
            token = client.step(Some(&from_server))?.token;
            challenge = from_server;
        }
    }
    // MS-NLMP §2.2.1.2 and §2.2.1.3.
    let server_challenge = challenge.get(24..32).ok_or("a short CHALLENGE_MESSAGE")?;
    let nt_response = field(&response, 20)?;
    let encrypted = field(&response, 52)?;

    let mut verifier = Verifier::start(ntlm_auth(lab)?)?;
    let key = verifier.verify("AD", "alice", server_challenge, nt_response)?;
    if rc4(&key, encrypted) != server.session_key()? {
        return Err("winbindd's session key is not that of the context".into());
    }
    for (user, challenge, reason) in [
        ("alice", &[0; 8][..], "password is not correct"),
        ("bob", server_challenge, "password is not correct"),
        ("nobody", server_challenge, "does not exist"),
    ] {
        match verifier.verify("AD", user, challenge, nt_response) {
            Ok(_) => return Err(format!("{user}: winbindd takes a wrong response")),
            Err(problem) => expect_reason(&problem, &[reason])?,
        }
    }
    Ok(())
}

/// The payload that the field at this offset points to (MS-NLMP §2.2.1.3).
fn field(message: &[u8], at: usize) -> Result<&[u8]> {
    let found = (|| {
        let header = message
            .strip_prefix(SIGNATURE)?
            .get(at - SIGNATURE.len()..)?;
        let length = u16::from_le_bytes(header.first_chunk().copied()?);
        let offset = u32::from_le_bytes(header.get(4..)?.first_chunk().copied()?);
        let rest = message.get(usize::try_from(offset).ok()?..)?;
        rest.get(..usize::from(length))
    })();
    found.ok_or_else(|| format!("AUTHENTICATE_MESSAGE has no field at {at}"))
}

/// RC4K (MS-NLMP §6).
fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: Vec<u8> = (0..=255).collect();
    let at = |state: &[u8], index: usize| state.get(index).copied().map_or(0, usize::from);
    let mut j = 0;
    for i in 0..256 {
        let byte = key
            .get(i % key.len().max(1))
            .copied()
            .map_or(0, usize::from);
        j = (j + at(&state, i) + byte) % 256;
        state.swap(i, j);
    }
    let (mut i, mut j) = (0, 0);
    data.iter()
        .map(|byte| {
            i = (i + 1) % 256;
            j = (j + at(&state, i)) % 256;
            state.swap(i, j);
            let sum = (at(&state, i) + at(&state, j)) % 256;
            byte ^ state.get(sum).copied().unwrap_or(0)
        })
        .collect()
}

/// Our acceptor knows nobody: winbindd verifies the response and tells the key, and the rest is ours to verify.
fn ours(lab: &Lab) -> Result<()> {
    let mut verifier = Verifier::start(ntlm_auth(lab)?)?;
    for (user, password) in [("alice", "alice Passw0rd"), ("grün", "grüne Füße 1")] {
        let (mut client, mut server) = through_winbindd(&mut verifier, user, password)?;
        let peer = server.peer().map(ToString::to_string);
        if peer != Some(format!("AD\\{user}")) {
            return Err(format!("{peer:?} instead of AD\\{user}"));
        }
        let text = |error: countersign::Error| error.to_string();
        let sealed = client.wrap(true, b"Who goes there?").map_err(text)?;
        server.unwrap(&sealed).map_err(text)?;
    }
    for (user, password) in [
        ("alice", "wrong"),
        ("nobody", "wrong"),
        ("disabled", "disabled Passw0rd"),
    ] {
        match through_winbindd(&mut verifier, user, password) {
            Ok(_) => return Err(format!("{user} was let in")),
            Err(reason) => expect_reason(&reason, &["its password is another"])?,
        }
    }
    Ok(())
}

fn through_winbindd(
    verifier: &mut Verifier,
    user: &str,
    password: &str,
) -> Result<(Box<SecurityContext>, Box<SecurityContext>)> {
    let text = |error: countersign::Error| error.to_string();
    let name = AccountName::new("AD", user).map_err(|e| e.to_string())?;
    let credential = NtlmCredential::with_password(name, &Password::from(password));
    let names = ntlm::ServerNames::new("SERVER", "AD").map_err(text)?;
    let mut client = ntlm::Initiator::new(credential).require(Flags::CONFIDENTIALITY);
    let mut server = ntlm::Acceptor::new(&ntlm::AcceptorCredential::new(names));
    let mut system = SystemEnvironment::new();
    let mut step = |side: &mut dyn Mechanism, token: Option<&[u8]>| {
        side.step(token, &mut system.environment()).map_err(text)
    };
    let unexpected = || "an unexpected step".to_owned();
    let Step::Continue { token } = step(&mut client, None)? else {
        return Err(unexpected());
    };
    let Step::Continue { token } = step(&mut server, Some(&token))? else {
        return Err(unexpected());
    };
    let Step::Established {
        token: Some(token),
        context: initiator,
    } = step(&mut client, Some(&token))?
    else {
        return Err(unexpected());
    };
    let Step::Need(Need::Logon(request)) = step(&mut server, Some(&token))? else {
        return Err(unexpected());
    };
    let key = verifier.verify(
        request.domain(),
        request.user(),
        request.server_challenge(),
        request.nt_response(),
    );
    let logon = match key.map(|key| <[u8; 16]>::try_from(key.as_slice())) {
        Ok(Ok(key)) => Logon::Verified {
            account: AccountName::new(request.domain(), request.user())
                .map_err(|e| e.to_string())?,
            session_base_key: SessionKey::new(key),
        },
        Ok(Err(_)) => return Err("winbindd's key has not 16 bytes".into()),
        Err(_) => Logon::Denied,
    };
    let answer = Answer::Logon(logon);
    match server
        .resume(answer, &mut system.environment())
        .map_err(text)?
    {
        Step::Established { context, .. } => Ok((initiator, context)),
        _ => Err(unexpected()),
    }
}
