//! Who does the same thing: ours, other codecs in this process, other libraries in theirs.

use countersign_benches::answer::Totals;
use countersign_benches::{Operation, Prepared, Result};

use crate::goals;
use crate::lab::{Lab, Library};
use crate::options::Options;

/// What this library is called in tables.
pub(crate) const OURS: &str = "countersign";

/// One operation, and who does it. Ours is the first.
pub(crate) struct Contest {
    /// `group/what/how`.
    pub(crate) name: String,
    pub(crate) contenders: Vec<Contender>,
}

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) source: Source,
}

pub(crate) enum Source {
    /// In this process.
    Here(Prepared),
    /// The library's program for this kind of context, and what it is told.
    Peer(Library, String, String),
}

impl Contest {
    pub(crate) fn group(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }
}

/// Who else is in this process, by the ends of the names of what they do.
const OTHERS: [&str; 3] = ["rasn-kerberos", "picky-krb", "plain-socket"];

/// What the bare ciphers and hashes are called in tables.
pub(crate) const LIMIT: &str = "cipher and hash alone";

/// Each of both by itself.
pub(crate) const CIPHER: &str = "cipher alone";
pub(crate) const HASH: &str = "hash alone";

/// The same, compiled for this processor.
pub(crate) const NATIVE_CIPHER: &str = "cipher alone, native";
pub(crate) const NATIVE_HASH: &str = "hash alone, native";

/// All that are wanted, in order.
pub(crate) fn all(operations: Vec<Prepared>, options: &Options) -> Vec<Contest> {
    let mut contests: Vec<Contest> = Vec::new();
    for prepared in operations {
        if let Some(limited) = prepared.name.strip_prefix("limits/") {
            // limits/seal/X is the measure of messages/wrap/sealed/X, limits/kerberos/X that of kerberos/X.
            let limited = match limited.split_once('/') {
                Some(("seal", rest)) => format!("messages/wrap/sealed/{rest}"),
                Some(("open", rest)) => format!("messages/unwrap/sealed/{rest}"),
                _ => limited.to_owned(),
            };
            let (limited, name, native) = match limited.rsplit_once('/') {
                Some((limited, "cipher")) => (limited, CIPHER, Some(NATIVE_CIPHER)),
                Some((limited, "hash")) => (limited, HASH, Some(NATIVE_HASH)),
                _ => (limited.as_str(), LIMIT, None),
            };
            if let Some(contest) = contests.iter_mut().find(|c| c.name == limited) {
                let native = native.filter(|_| goals::is_native(limited));
                contest.contenders.extend(native.map(|name| Contender {
                    name,
                    source: Source::Peer(Library::Native, String::new(), prepared.name.clone()),
                }));
                contest.contenders.push(Contender {
                    name,
                    source: Source::Here(prepared),
                });
            }
            continue;
        }
        let other = OTHERS
            .iter()
            .find(|other| prepared.name.ends_with(&format!("/{other}")));
        if let Some(other) = other {
            if let Some(contest) = contests.last_mut().filter(|contest| {
                prepared
                    .name
                    .strip_prefix(contest.name.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            }) {
                contest.contenders.push(Contender {
                    name: other,
                    source: Source::Here(prepared),
                });
            }
            continue;
        }
        if !options.wants(&prepared.name) {
            continue;
        }
        let name = prepared.name.clone();
        let mut contenders = vec![Contender {
            name: OURS,
            source: Source::Here(prepared),
        }];
        contenders.extend(peers(&name));
        contests.push(Contest { name, contenders });
    }
    contests
}

/// The libraries that do this too.
fn peers(name: &str) -> Vec<Contender> {
    use Library::{Heimdal, Mit, MitMemory, Native, Sspi};
    let parts: Vec<&str> = name.split('/').collect();
    let size = |label: &str| match label {
        "1k" => "1024",
        "4k" => "4096",
        "64k" => "65536",
        "1m" => "1048576",
        _ => "64",
    };
    let (kind, told): (&str, String) = match parts[..] {
        // What the others leave for it is not told apart from the message.
        ["kerberos", "first-message", _] => return Vec::new(),
        ["kerberos", what, enctype] => (enctype, what.to_owned()),
        ["ntlm", what] => ("ntlm", what.to_owned()),
        ["negotiate", what, "kerberos"] => ("spnego", what.to_owned()),
        ["negotiate", what, "ntlm"] => ("spnego-ntlm", what.to_owned()),
        ["messages", what, protection, kind, label] => {
            let seal = u8::from(protection == "sealed");
            (kind, format!("{what} {seal} {}", size(label)))
        }
        ["messages", what, kind, label] => (kind, format!("{what} {}", size(label))),
        _ => return Vec::new(),
    };
    let libraries: &[Library] = match (parts[0], kind) {
        ("kerberos", _) => &[Mit, MitMemory, Heimdal, Sspi],
        ("negotiate", "spnego") => &[Mit, MitMemory, Heimdal],
        ("messages", "ntlm") | ("ntlm", _) => &[Mit, Sspi],
        ("negotiate", _) => &[Mit],
        _ => &[Mit, Heimdal, Sspi],
    };
    let native = match parts[..] {
        ["kerberos", "accept" | "handshake", _] | ["messages", ..] => Some(Contender {
            name: Native.name(""),
            source: Source::Peer(Native, String::new(), name.to_owned()),
        }),
        _ => None,
    };
    let others = libraries.iter().map(|library| Contender {
        name: library.name(kind),
        source: Source::Peer(*library, kind.to_owned(), told.clone()),
    });
    native.into_iter().chain(others).collect()
}

/// A contender that is ready.
pub(crate) enum Ready {
    Here(Box<Operation>),
    Peer(Library, String, String),
}

impl Source {
    pub(crate) fn ready(&self) -> Result<Ready> {
        Ok(match self {
            Self::Here(prepared) => Ready::Here(Box::new(prepared.operation()?)),
            Self::Peer(library, kind, told) => Ready::Peer(*library, kind.clone(), told.clone()),
        })
    }
}

impl Ready {
    /// Does it so often. `None` where it cannot.
    pub(crate) fn run(&mut self, times: u32, lab: &mut Lab) -> Result<Option<Totals>> {
        match self {
            Self::Here(operation) => {
                let took = operation.time(times);
                Ok(Some(Totals {
                    nanoseconds: u64::try_from(took.as_nanos())?,
                    ..Totals::default()
                }))
            }
            Self::Peer(library, kind, told) => lab.ask(*library, kind, &format!("{told} {times}")),
        }
    }

    /// What one run allocates, which is not timed. `None` where nobody counts.
    pub(crate) fn count(&self, lab: &mut Lab) -> Result<Option<Totals>> {
        match self {
            Self::Here(operation) => lab.count(&operation.name),
            // The code is the same.
            Self::Peer(Library::Native, _, name) => lab.count(name),
            Self::Peer(library, kind, told) => lab.ask(*library, kind, &format!("count {told} 1")),
        }
    }
}
