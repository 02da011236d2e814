//! Files with secrets in them: read, replaced and removed with care.
//!
//! * Never through a symbolic link at the end of the path, never a device or a pipe, never a file of another user (root
//!   may read everybody's, and everybody root's).
//! * Replaced as a whole: a new file of mode 0600 in the same folder, written, flushed to the disk, then renamed. Whoever
//!   reads sees the old contents or the new ones; a program that dies in between leaves the old ones.
//! * Under the lock that the C libraries take too, on the file itself. Who waited for it may find that the path has been
//!   given a new file meanwhile, and then starts anew with that one.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::error::CacheError;
use super::lock::{self, Kind};

/// Reads the whole file under a shared lock.
pub(crate) fn read(
    path: &Path,
    limit: usize,
    deadline: Instant,
) -> Result<Zeroizing<Vec<u8>>, CacheError> {
    loop {
        let mut file = open(path, false)?;
        lock::acquire(&file, Kind::Shared, deadline)?;
        // What was removed while we waited for the lock has been overwritten.
        if is_at(&file, path)? {
            return contents(&mut file, limit);
        }
        if Instant::now() >= deadline {
            return Err(CacheError::Locked);
        }
    }
}

fn contents(file: &mut File, limit: usize) -> Result<Zeroizing<Vec<u8>>, CacheError> {
    let length = file.metadata()?.len();
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    if length > most {
        return Err(CacheError::TooLarge);
    }
    // Allocated once, so that no copy of a key is left behind in freed memory.
    let capacity = usize::try_from(length).map_err(|_| CacheError::TooLarge)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What an update makes of the old contents.
pub(crate) enum Change {
    /// The path gets a file with these.
    Replace(Zeroizing<Vec<u8>>),
    /// The file goes; its contents are overwritten.
    Remove,
}

/// Whether the old contents are needed to make the new.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    /// They are.
    Read,
    /// They are not, and may be malformed or too large.
    Skip,
}

/// Changes the file under an exclusive lock. The function is given the old contents, `None` where there is no file; it
/// may be asked again, when somebody else made the file meanwhile.
pub(crate) fn update(
    path: &Path,
    old: Old,
    limit: usize,
    deadline: Instant,
    mut change: impl FnMut(Option<&[u8]>) -> Result<Change, CacheError>,
) -> Result<(), CacheError> {
    loop {
        match update_once(path, old, limit, deadline, &mut change) {
            Err(CacheError::Io(std::io::ErrorKind::AlreadyExists)) if Instant::now() < deadline => {
            }
            other => return other,
        }
    }
}

fn update_once(
    path: &Path,
    old: Old,
    limit: usize,
    deadline: Instant,
    change: &mut impl FnMut(Option<&[u8]>) -> Result<Change, CacheError>,
) -> Result<(), CacheError> {
    let mut locked = None;
    loop {
        match open(path, true) {
            Err(CacheError::Absent) => break,
            Err(error) => return Err(error),
            Ok(file) => {
                lock::acquire(&file, Kind::Exclusive, deadline)?;
                if is_at(&file, path)? {
                    locked = Some(file);
                    break;
                }
            }
        }
    }
    // What was made of nothing must not displace what somebody else has made of nothing.
    let only_new = locked.is_none() && old == Old::Read;
    let bytes = match (&mut locked, old) {
        (Some(file), Old::Read) => Some(contents(file, limit)?),
        (Some(_), Old::Skip) => Some(Zeroizing::default()),
        (None, _) => None,
    };
    match change(bytes.as_deref().map(Vec::as_slice))? {
        Change::Replace(new) => replace(path, &new, locked.as_ref(), only_new),
        Change::Remove => match locked {
            Some(file) => remove(path, file),
            None => Err(CacheError::Absent),
        },
    }
}

/// Opens a file that holds secrets, without following a link and without waiting for a pipe.
fn open(path: &Path, for_writing: bool) -> Result<File, CacheError> {
    let mut options = OpenOptions::new();
    options.read(true).write(for_writing);
    #[cfg(unix)]
    {
        use nix::libc;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) => {
            return Err(match fs::symlink_metadata(path) {
                Ok(found) if found.file_type().is_symlink() => CacheError::Link,
                Ok(found) if !found.is_file() => CacheError::WrongKind,
                _ => error.into(),
            });
        }
    };
    if !file.metadata()?.is_file() {
        return Err(CacheError::WrongKind);
    }
    is_ours(&file)?;
    Ok(file)
}

#[cfg(unix)]
pub(super) fn is_ours(file: &File) -> Result<(), CacheError> {
    use std::os::unix::fs::MetadataExt;
    let (owner, user) = (file.metadata()?.uid(), nix::unistd::Uid::effective());
    if user.is_root() || owner == 0 || owner == user.as_raw() {
        return Ok(());
    }
    Err(CacheError::NotOurs)
}

#[cfg(not(unix))]
pub(super) fn is_ours(_: &File) -> Result<(), CacheError> {
    Ok(())
}

/// Whether the path still leads to the open file.
fn is_at(file: &File, path: &Path) -> Result<bool, CacheError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let ours = file.metadata()?;
        Ok(match fs::symlink_metadata(path) {
            Ok(there) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
            Err(_) => false,
        })
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        Ok(true)
    }
}

fn replace(
    path: &Path,
    bytes: &[u8],
    old: Option<&File>,
    only_new: bool,
) -> Result<(), CacheError> {
    let (temporary, mut file) = create_beside(path)?;
    let written = file
        .write_all(bytes)
        .map_err(CacheError::from)
        .and_then(|()| keep_owner(&file, old))
        .and_then(|()| Ok(file.sync_all()?))
        .and_then(|()| match only_new {
            true => Ok(fs::hard_link(&temporary, path)?),
            false => Ok(fs::rename(&temporary, path)?),
        });
    if only_new || written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // The new name outlives a crash only once the folder is on the disk as well. The contents hold either way.
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder_of(path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Root that changes another user's file leaves it that user's.
fn keep_owner(file: &File, old: Option<&File>) -> Result<(), CacheError> {
    #[cfg(unix)]
    if let Some(old) = old {
        use std::os::unix::fs::{MetadataExt, fchown};
        let (old, new) = (old.metadata()?, file.metadata()?);
        if (old.uid(), old.gid()) != (new.uid(), new.gid())
            && nix::unistd::Uid::effective().is_root()
        {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (file, old);
    Ok(())
}

/// A new, empty file of mode 0600 in the folder of the path, under a name that nobody guesses.
fn create_beside(path: &Path) -> Result<(PathBuf, File), CacheError> {
    let name = path.file_name().ok_or(CacheError::WrongKind)?;
    for _ in 0..16 {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(".");
        temporary.push(random_name()?);
        let temporary = path.with_file_name(temporary);
        match create(&temporary) {
            Err(CacheError::Io(std::io::ErrorKind::AlreadyExists)) => {}
            Err(error) => return Err(error),
            Ok(file) => return Ok((temporary, file)),
        }
    }
    Err(CacheError::Io(std::io::ErrorKind::AlreadyExists))
}

/// A file that did not exist before.
fn create(path: &Path) -> Result<File, CacheError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    Ok(options.open(path)?)
}

/// Ten letters and digits, 51 bits.
pub(super) fn random_name() -> Result<String, CacheError> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|_| CacheError::Random)?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
    Ok(random.iter().map(|byte| char::from(letter(byte))).collect())
}

/// Takes the name away, then overwrites what it named, as far as the file system overwrites in place.
/// A file with other names keeps its contents: in a folder that others can write to, they may have made the path a
/// second name of something that is not ours to destroy.
fn remove(path: &Path, mut file: File) -> Result<(), CacheError> {
    fs::remove_file(path)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) > 0 {
        return Ok(());
    }
    let mut left = file.metadata()?.len();
    let wipe = || -> std::io::Result<()> {
        file.seek(SeekFrom::Start(0))?;
        let zeros = [0; 4096];
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
            file.write_all(zeros.get(..now).unwrap_or_default())?;
            left = left.saturating_sub(u64::try_from(now).unwrap_or(u64::MAX));
        }
        file.sync_all()
    };
    Ok({ wipe }()?)
}

#[cfg(unix)]
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The moment at which waiting for a lock ends.
pub(crate) fn deadline(patience: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(patience).unwrap_or(now)
}
