//! The error of a file of users.

use core::fmt;

use crate::error::NameProblem;

/// What is wrong with a file of users, and in which line. Of the line itself it tells nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsersError {
    line: u32,
    kind: UsersErrorKind,
}

impl UsersError {
    /// The line, counted from 1; 0 where the file as a whole is meant.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// What is wrong there.
    #[must_use]
    pub fn kind(&self) -> UsersErrorKind {
        self.kind
    }
}

/// What is wrong with a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsersErrorKind {
    /// The file, or the number of users in it, is over a limit of [`limits`](crate::limits).
    TooLarge,
    /// The line is not UTF-8.
    NotText,
    /// There is no colon in the line.
    Incomplete,
    /// A line of two fields has something else than 32 hexadecimal digits in the second one.
    NotAHash,
    /// The domain or the user is malformed.
    Name(NameProblem),
    /// The password is empty.
    NoPassword,
    /// There is a user of this name already.
    Duplicate,
}

impl UsersErrorKind {
    pub(super) fn at(self, line: u32) -> UsersError {
        UsersError { line, kind: self }
    }
}

impl fmt::Display for UsersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line != 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(f, "{}", self.kind)
    }
}

impl fmt::Display for UsersErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the file or the number of its users is over the limit",
            Self::NotText => "the line is not UTF-8 text; save the file as UTF-8",
            Self::Incomplete => "expected DOMAIN:user:password or user:hash",
            Self::NotAHash => {
                "expected 32 hexadecimal digits after user: or else DOMAIN:user:password"
            }
            Self::Name(problem) => return write!(f, "{problem}"),
            Self::NoPassword => "the password is empty; give the user one, or remove the line",
            Self::Duplicate => "the user is there already; remove one of both",
        })
    }
}

impl core::error::Error for UsersError {}

impl core::error::Error for UsersErrorKind {}
