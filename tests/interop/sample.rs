//! The programs that speak the gss-sample protocol: MIT's gss-client and gss-server, ours beside them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::lab::Lab;
use crate::process::{Running, free_port};

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Mit,
    Ours,
}

/// How to start a server.
pub(crate) struct ServerSetup<'a> {
    pub(crate) host: &'a str,
    pub(crate) keytab: &'a Path,
    /// Ends after one connection.
    pub(crate) once: bool,
    /// The clock's offset: `+10m`.
    pub(crate) clock: Option<&'a str>,
    pub(crate) framing: &'a str,
    /// An enctype for our program to permit by name.
    pub(crate) enctype: Option<&'a str>,
    /// Switches of our program.
    pub(crate) switches: &'a [&'a str],
}

/// A server that listens.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(lab: &Lab, whose: Program, setup: &ServerSetup<'_>) -> Result<Self> {
        match whose {
            Program::Mit => {
                let port = free_port()?;
                let mut command = lab.command_at("gss-server", setup.clock);
                command.args(["-port", &port.to_string(), "-keytab"]);
                command.arg(format!("FILE:{}", setup.keytab.display()));
                if setup.once {
                    command.arg("-once");
                }
                command.arg(format!("host@{}", setup.host));
                let mut running = Running::start(&mut command)?;
                running.wait_for_port(port)?;
                Ok(Self {
                    running,
                    address: SocketAddr::from(([127, 0, 0, 1], port)),
                })
            }
            Program::Ours => {
                let mut command = lab.command_at(countersign()?, setup.clock);
                command.args(["serve", "--listen", "127.0.0.1:0", "--package", "kerberos"]);
                command
                    .args(["--framing", setup.framing, "--keytab"])
                    .arg(setup.keytab);
                command.args([
                    "--service",
                    &format!("host/{}@COUNTERSIGN.TEST", setup.host),
                ]);
                if setup.once {
                    command.arg("--once");
                }
                if let Some(enctype) = setup.enctype {
                    command.args(["--only-enctype", enctype]);
                }
                command.args(setup.switches);
                let mut running = Running::start(&mut command)?;
                let address = running.wait_for_output(|output| {
                    let rest = output.split_once("listening on ")?.1;
                    rest.split_once('\n')?.0.trim().parse().ok()
                })?;
                Ok(Self { running, address })
            }
        }
    }
}

/// How to run a client.
pub(crate) struct ClientSetup<'a> {
    pub(crate) host: &'a str,
    pub(crate) ccache: &'a Path,
    pub(crate) message: &'a str,
    /// Switches of that program.
    pub(crate) switches: &'a [&'a str],
    pub(crate) clock: Option<&'a str>,
    pub(crate) framing: &'a str,
    /// An enctype for our program to permit by name.
    pub(crate) enctype: Option<&'a str>,
}

/// Runs a client to its end: whether it succeeded, and what it printed.
pub(crate) fn run_client(
    lab: &Lab,
    whose: Program,
    address: SocketAddr,
    setup: &ClientSetup<'_>,
) -> Result<(bool, String)> {
    let mut command = match whose {
        Program::Mit => {
            let mut command = lab.command_at("gss-client", setup.clock);
            command.env("KRB5CCNAME", format!("FILE:{}", setup.ccache.display()));
            command
                .args(["-port", &address.port().to_string()])
                .args(setup.switches);
            command
                .arg(address.ip().to_string())
                .arg(format!("host@{}", setup.host));
            command.arg(setup.message);
            command
        }
        Program::Ours => {
            let mut command = lab.command_at(countersign()?, setup.clock);
            command
                .arg("connect")
                .arg(address.to_string())
                .args(["--package", "kerberos"]);
            command.args(["--target", &format!("host/{}@COUNTERSIGN.TEST", setup.host)]);
            command
                .args(["--framing", setup.framing, "--ccache"])
                .arg(setup.ccache);
            command
                .args(["--message", setup.message])
                .args(setup.switches);
            if let Some(enctype) = setup.enctype {
                command.args(["--only-enctype", enctype]);
            }
            command
        }
    };
    Running::start(&mut command)?.finish()
}

/// Our program, built beside this one.
pub(crate) fn countersign() -> Result<PathBuf> {
    let path = std::env::current_exe()
        .map_err(|e| e.to_string())?
        .with_file_name(format!("countersign{}", std::env::consts::EXE_SUFFIX));
    if path.exists() {
        Ok(path)
    } else {
        Err("no countersign program; run `cargo build -p countersign-cli --all-features`".into())
    }
}
