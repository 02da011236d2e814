//! The lock on a cache or a keytab, compatible with that of the C libraries.
//!
//! MIT krb5 and Heimdal lock with `fcntl`, which on Linux does not see locks of `flock` (those of
//! [`File::lock`](std::fs::File::lock)). Of the two kinds of `fcntl` locks we take those of the open file description, as
//! MIT krb5 does: they keep threads of one process apart too, and do not vanish when another part of the program closes
//! the same file. Where there are none (macOS), locks are the process's; elsewhere they are `flock`'s.

use std::fs::File;
use std::time::{Duration, Instant};

use super::error::CacheError;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Shared,
    Exclusive,
}

/// Waits for the lock until the deadline. It goes when the file is closed.
pub(super) fn acquire(file: &File, kind: Kind, deadline: Instant) -> Result<(), CacheError> {
    let mut pause = Duration::from_millis(1);
    loop {
        if try_lock(file, kind)? {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(CacheError::Locked);
        }
        std::thread::sleep(pause.min(left));
        pause = pause.saturating_mul(2).min(Duration::from_millis(16));
    }
}

/// Whether the file is locked now.
#[cfg(any(
    target_vendor = "apple",
    all(
        target_os = "linux",
        any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        )
    )
))]
fn try_lock(file: &File, kind: Kind) -> Result<bool, CacheError> {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    let kind = match kind {
        Kind::Shared => libc::F_RDLCK,
        Kind::Exclusive => libc::F_WRLCK,
    };
    let lock = libc::flock {
        l_type: i16::try_from(kind).unwrap_or_default(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: 0,
        // To the end of the file, however far it grows.
        l_len: 0,
        l_pid: 0,
    };
    #[cfg(target_os = "linux")]
    let locked = fcntl(file, FcntlArg::F_OFD_SETLK(&lock));
    #[cfg(not(target_os = "linux"))]
    let locked = fcntl(file, FcntlArg::F_SETLK(&lock));
    match locked {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES | Errno::EINTR) => Ok(false),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

#[cfg(not(any(
    target_vendor = "apple",
    all(
        target_os = "linux",
        any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        )
    )
)))]
fn try_lock(file: &File, kind: Kind) -> Result<bool, CacheError> {
    use std::fs::TryLockError;

    let locked = match kind {
        Kind::Shared => file.try_lock_shared(),
        Kind::Exclusive => file.try_lock(),
    };
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}
