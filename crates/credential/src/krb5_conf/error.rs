//! Why a configuration is refused, and where.

use alloc::sync::Arc;
use core::fmt;

/// Why a configuration is refused, with the file and the line.
///
/// It names the file and never quotes what stands in it, so it can be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfError {
    place: Place,
    problem: ConfProblem,
}

/// A line of a file, counted from 1; line 0 is the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
}

impl Place {
    pub(crate) fn error(&self, problem: ConfProblem) -> ConfError {
        ConfError {
            place: self.clone(),
            problem,
        }
    }
}

impl ConfError {
    /// The file, by the name under which it was read.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.place.file
    }

    /// The line, counted from 1; 0 where the file as a whole is meant.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.place.line
    }

    /// What is wrong there.
    #[must_use]
    pub fn problem(&self) -> ConfProblem {
        self.problem
    }
}

/// What is wrong in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfProblem {
    /// The file cannot be opened, or is not a file of the kind that was expected.
    Unreadable,
    /// None of the files exists.
    NoFile,
    /// A size, a count or a depth is over a limit of [`limits`](crate::limits).
    TooLarge,
    /// A file includes itself, directly or through others.
    IncludeLoop,
    /// A `module` line asks for code to be loaded.
    Module,
    /// A line that matters is not UTF-8, or holds a NUL.
    NotText,
    /// A section's line is not `[name]` or `[name]*`.
    BadSection,
    /// A section begins inside of braces.
    SectionInBraces,
    /// A line is neither a section, a relation, a brace nor a comment.
    NotARelation,
    /// What follows `name =` on the next line is not `{`.
    MissingBrace,
    /// A `}` closes nothing.
    ExtraBrace,
    /// The value is no truth value: `true`, `yes`, `false`, `no` and the like are.
    NotABoolean,
    /// The value is no number, or one out of bounds.
    NotANumber,
    /// The value is no duration such as `300`, `10h`, `1d 12h`, `36:00` or `7-00:00:00`.
    NotADuration,
    /// The value is no `host`, `host:port`, `[address]:port` or `https://host/path`.
    NotAServer,
    /// A `%{…}` in the value is unknown, or has no end.
    UnknownToken,
}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place.file)?;
        if self.place.line != 0 {
            write!(f, ", line {}", self.place.line)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl fmt::Display for ConfProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "cannot be read; check that it exists and who may read it",
            Self::NoFile => "there is no configuration; name a file that exists",
            Self::TooLarge => "a size, count or depth is over the limit",
            Self::IncludeLoop => "the file includes itself; break the circle",
            Self::Module => "profile modules are not loaded; write the settings into a file",
            Self::NotText => "the line is not UTF-8 text; save the file as UTF-8",
            Self::BadSection => "expected [name] or [name]* alone on the line",
            Self::SectionInBraces => "a section begins inside of braces; close them first",
            Self::NotARelation => "expected name = value, without blanks in the name",
            Self::MissingBrace => "expected { on the line after name =",
            Self::ExtraBrace => "there is no open brace; remove this one",
            Self::NotABoolean => "expected true or false",
            Self::NotANumber => "expected a number within bounds",
            Self::NotADuration => "expected a duration such as 300, 10h, 1d 12h or 36:00",
            Self::NotAServer => "expected host, host:port, [address]:port or https://host/path",
            Self::UnknownToken => "unknown %{…} in the value; spell the value out",
        })
    }
}

impl core::error::Error for ConfError {}
