//! The forms of a line.

use countersign_crypto::ntlm::NtHash;

use super::UsersErrorKind;
use crate::error::Error;
use crate::ntlm::AccountName;

/// The user of a line; `None` for an empty line, a comment, and an account that nobody can log on to.
pub(super) fn read(line: &[u8]) -> Result<Option<(AccountName, NtHash)>, UsersErrorKind> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = core::str::from_utf8(line).map_err(|_| UsersErrorKind::NotText)?;
    let start = text.trim_start();
    if start.is_empty() || start.starts_with('#') {
        return Ok(None);
    }
    if let Some(entry) = SambaEntry::read(text) {
        return entry.user();
    }
    let (first, rest) = text.split_once(':').ok_or(UsersErrorKind::Incomplete)?;
    let first = first.trim();
    let Some((user, password)) = rest.split_once(':') else {
        let hash = NtHash::from_hex(rest.trim()).ok_or(UsersErrorKind::NotAHash)?;
        return Ok(Some((AccountName::parse(first)?, hash)));
    };
    let domain = if first == "*" { "" } else { first };
    let name = AccountName::new(domain, user.trim())?;
    if password.is_empty() {
        return Err(UsersErrorKind::NoPassword);
    }
    Ok(Some((name, NtHash::from_password(password))))
}

/// A line of Samba's smbpasswd(5): name, user id, LM hash, NT hash, flags in brackets, time of the last change.
///
/// As `DOMAIN:user:password` it would be a user who is called by a number and has a password that is two hashes and
/// a bracket: nobody means that.
struct SambaEntry<'a> {
    name: &'a str,
    nt: &'a str,
    flags: &'a str,
}

impl<'a> SambaEntry<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut fields = text.split(':');
        let (name, id) = (fields.next()?, fields.next()?);
        let (lm, nt) = (fields.next()?, fields.next()?);
        let flags = fields.next()?.strip_prefix('[')?.strip_suffix(']')?;
        let number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        (number && is_hash_or_none(lm) && is_hash_or_none(nt)).then_some(Self { name, nt, flags })
    }

    /// Flags: U is a user's account, D is disabled, L is locked, N needs no password.
    fn user(self) -> Result<Option<(AccountName, NtHash)>, UsersErrorKind> {
        let usable = self.flags.contains('U') && !self.flags.contains(['D', 'L', 'N']);
        match NtHash::from_hex(self.nt) {
            Some(hash) if usable => Ok(Some((AccountName::parse(self.name)?, hash))),
            _ => Ok(None),
        }
    }
}

/// 32 hexadecimal digits, or what stands there where there is no hash.
fn is_hash_or_none(field: &str) -> bool {
    let digits = field.strip_prefix("NO PASSWORD").unwrap_or(field);
    field.len() == 32
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'X')
}

impl From<Error> for UsersErrorKind {
    fn from(error: Error) -> Self {
        match error {
            Error::Name { problem, .. } => Self::Name(problem),
            // Names have no other errors.
            _ => Self::Incomplete,
        }
    }
}
