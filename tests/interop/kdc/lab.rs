//! The KDCs as their scripts run them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::kdc::rows::Row;
use crate::kdc::{Kdc, worker};
use crate::row::{Outcome, Title};
use crate::script::{self, Script};

/// A realm that runs, and where its files are.
pub(crate) struct Lab {
    pub(crate) kdc: Kdc,
    folder: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Lab {
    /// The realm whose script wrote there.
    pub(crate) fn open(kdc: Kdc, folder: &Path) -> Result<Self> {
        Ok(Self {
            kdc,
            folder: folder.to_owned(),
            environment: script::read_environment(folder)?,
        })
    }

    /// A file that the script wrote.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A variable of the script's file `env`.
    pub(crate) fn variable(&self, name: &str) -> Result<&str> {
        let value = self.environment.get(name).map(String::as_str);
        value.ok_or_else(|| format!("no {name} in {}", self.path("env").display()))
    }

    /// A program that knows of this realm and of no other.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_remove("KRB5_TRACE")
            .env_remove("KRB5_CLIENT_KTNAME")
            // No mechanism but the library's own.
            .env("GSS_MECH_CONFIG", "/dev/null")
            .envs(&self.environment);
        command
    }
}

/// The KDCs of all rows.
pub(crate) struct Labs {
    folder: PathBuf,
    scripts: Vec<(Kdc, Result<Script, Outcome>)>,
}

impl Labs {
    /// Installs and starts the KDCs of the rows, and waits for none of them.
    pub(crate) fn start(rows: &[Row], unavailable: impl Fn(String) -> Outcome) -> Self {
        let folder = std::env::temp_dir().join(format!("countersign-kdc-{}", std::process::id()));
        // What a killed process of the same number left behind.
        let _ = std::fs::remove_dir_all(&folder);
        let kdcs = Kdc::ALL.into_iter();
        let kdcs = kdcs.filter(|kdc| rows.iter().any(|row| row.kdc == *kdc));
        let mut installed: Vec<(Kdc, Result<()>)> = Vec::new();
        for kdc in kdcs {
            installed.push((kdc, script::install(kdc.package())));
        }
        let scripts = installed.into_iter().map(|(kdc, installed)| {
            let script = installed.map_err(&unavailable).and_then(|()| {
                Script::start(kdc.script(), folder.join(kdc.package())).map_err(Outcome::Failed)
            });
            (kdc, script)
        });
        let scripts = scripts.collect();
        Self { folder, scripts }
    }

    /// Runs the rows, those of one KDC after those of the other.
    pub(crate) fn run(mut self, rows: &[Row], mut done: impl FnMut(&Title, Outcome)) {
        for (kdc, script) in &mut self.scripts {
            let rows: Vec<&Row> = rows.iter().filter(|row| row.kdc == *kdc).collect();
            let lab = match script {
                Ok(script) => script
                    .ready()
                    .and_then(|_| Lab::open(*kdc, script.folder()))
                    .map_err(Outcome::Failed),
                Err(outcome) => Err(outcome.clone()),
            };
            match lab {
                Ok(lab) if lab.environment.contains_key("NAMESPACE") => {
                    within_namespace(&lab, &rows, &mut done);
                }
                Ok(lab) => {
                    for row in rows {
                        done(&row.title(), row.outcome(&lab));
                    }
                }
                Err(outcome) => {
                    for row in rows {
                        done(&row.title(), outcome.clone());
                    }
                }
            }
        }
    }
}

impl Drop for Labs {
    fn drop(&mut self) {
        self.scripts.clear();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Has the rows run by this program, started anew within the KDC's own network.
fn within_namespace(lab: &Lab, rows: &[&Row], done: &mut impl FnMut(&Title, Outcome)) {
    let mut answers = match ask(lab, rows) {
        Ok(answers) => answers,
        Err(reason) => {
            return rows.iter().for_each(|row| {
                done(&row.title(), Outcome::Failed(reason.clone()));
            });
        }
    };
    for row in rows {
        let outcome = answers.next(&row.scenario);
        done(&row.title(), outcome);
    }
}

fn ask(lab: &Lab, rows: &[&Row]) -> Result<worker::Answers> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut child = Command::new("nsenter")
        .arg("--target")
        .arg(lab.variable("NAMESPACE")?)
        .args(["--net", "--mount"])
        .arg(program)
        .arg("--worker")
        .arg(&lab.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("nsenter: {e}"))?;
    if let Some(mut input) = child.stdin.take() {
        for row in rows {
            writeln!(input, "{}", row.scenario).map_err(|e| e.to_string())?;
        }
    }
    Ok(worker::Answers::new(child))
}
