//! How much memory many contexts hold that wait, each kind in a process of its own.

use std::process::{Command, Stdio};

use countersign_benches::Result;
use countersign_benches::half_open::{HALF_OPEN, Parties};

use crate::memory::resident;

/// So many at once.
pub(super) const COUNT: u32 = 100_000;

/// What was found of one kind.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) kind: &'static str,
    /// Bytes that all of them have in memory.
    pub(super) bytes: u64,
}

impl Held {
    /// Bytes of one.
    pub(super) fn each(&self) -> u64 {
        self.bytes.div_ceil(COUNT.into())
    }
}

/// Every kind; none where the system does not tell.
pub(super) fn measure() -> Result<Vec<Held>> {
    let mut all = Vec::new();
    if resident().is_none() {
        return Ok(all);
    }
    eprintln!("half-open contexts: {COUNT} of each kind");
    for kind in &HALF_OPEN {
        let output = Command::new(std::env::current_exe()?)
            .args(["--hold", kind.name])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("{}: it was not held", kind.name).into());
        }
        all.push(Held {
            kind: kind.name,
            bytes: String::from_utf8(output.stdout)?.trim().parse()?,
        });
    }
    Ok(all)
}

/// What the process does: prints how much more memory it has for them.
pub(crate) fn hold(name: &str) -> Result<()> {
    let kind = HALF_OPEN.iter().find(|kind| kind.name == name);
    let kind = kind.ok_or("no such kind")?;
    let mut parties = Parties::new()?;
    // What is made once, for all of them.
    kind.make(&mut parties)?;
    let before = resident().ok_or("the system does not tell")?;
    let held = (0..COUNT).map(|_| kind.make(&mut parties));
    let held = held.collect::<Result<Vec<_>>>()?;
    let after = resident().ok_or("the system does not tell")?;
    println!("{}", after.saturating_sub(before));
    drop(held);
    Ok(())
}
