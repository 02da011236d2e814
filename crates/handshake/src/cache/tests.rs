use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_credential::cache::TimeOffset;
use countersign_credential::{
    CredentialCache, KeyBlock, Keytab, KeytabEntry, NameType, Principal, TicketCredential,
};

use super::*;

/// A folder that goes with the test.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let random = private_file::random_name().unwrap();
        let folder = std::env::temp_dir().join(format!("countersign-{name}-{random}"));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn user() -> Principal {
    Principal::new("R", ["user"], NameType::PRINCIPAL)
}

pub(super) fn ticket(server: &str, end_time: i64) -> TicketCredential {
    let server = Principal::new("R", ["HTTP", server], NameType::SRV_HST);
    let key = KeyBlock::from_parts(18, &[7; 32]);
    let mut ticket = TicketCredential::new(user(), server, key, vec![1; 700]);
    ticket.times.auth_time = 1;
    ticket.times.end_time = end_time;
    ticket
}

/// In the year 2100.
const LATER: i64 = 4_100_000_000;

fn servers(cache: &CredentialCache) -> Vec<String> {
    let mut names: Vec<_> = cache
        .entries()
        .iter()
        .map(|entry| entry.server.to_string())
        .collect();
    names.sort();
    names
}

/// What every kind of cache must do.
fn is_a_cache(store: &dyn CacheStore) {
    assert_eq!(store.load().map(|_| ()), Err(CacheError::Absent));
    assert!(store.store(&[ticket("a", LATER)]).is_err());
    store.initialize(&user()).unwrap();
    let empty = store.load().unwrap();
    assert_eq!(*empty.default_principal(), user());
    assert_eq!((empty.entries().len(), empty.time_offset()), (0, None));

    store
        .store(&[ticket("a", LATER), ticket("b", LATER)])
        .unwrap();
    store.store(&[ticket("a", LATER + 1)]).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(servers(&loaded), ["HTTP/a@R", "HTTP/b@R"]);
    let found = loaded.find(&ticket("a", 0).server).unwrap();
    assert_eq!(found.times.end_time, LATER + 1);
    assert_eq!(found.session_key().unwrap().expose(), [7; 32]);

    let mut whole = CredentialCache::new(Principal::new("R", ["other"], NameType::PRINCIPAL));
    whole.set_time_offset(Some(TimeOffset {
        seconds: -5,
        microseconds: 0,
    }));
    whole.push(ticket("c", LATER));
    whole.set_configuration("fast_avail", None, Some(b"yes"));
    store.replace(&whole).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.default_principal(), whole.default_principal());
    assert_eq!(loaded.time_offset(), whole.time_offset());
    assert_eq!(loaded.configuration("fast_avail", None), Some(&b"yes"[..]));
    assert_eq!(loaded.credentials().count(), 1);

    store.destroy().unwrap();
    assert_eq!(store.load().map(|_| ()), Err(CacheError::Absent));
    assert_eq!(store.destroy(), Err(CacheError::Absent));
}

/// What every member of a collection must do.
fn is_in_a_collection(store: &dyn CacheStore) {
    let names = || -> Vec<CacheName> {
        let members = store.collection().unwrap();
        members.iter().map(|member| member.name()).collect()
    };
    assert!(names().is_empty());
    store.initialize(&user()).unwrap();
    let sibling = store.sibling().unwrap();
    assert_ne!(sibling.name(), store.name());
    assert_eq!(names(), [store.name()]);
    sibling.initialize(&user()).unwrap();
    sibling.make_primary().unwrap();
    assert_eq!(names(), [sibling.name(), store.name()]);
    store.make_primary().unwrap();
    assert_eq!(names(), [store.name(), sibling.name()]);
    sibling.destroy().unwrap();
    assert_eq!(names(), [store.name()]);
    store.destroy().unwrap();
    assert!(names().is_empty());
}

#[test]
fn files_are_caches() {
    let scratch = Scratch::new("file");
    let cache = FileCache::new(scratch.path("cc"));
    is_a_cache(&cache);
    assert_eq!(cache.make_primary(), Err(CacheError::NoCollection));
    assert_eq!(
        std::fs::read_dir(&scratch.0).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn folders_are_collections_of_caches() {
    let scratch = Scratch::new("dir");
    let folder = scratch.path("cc");
    let cache = DirCache::primary(&folder).unwrap();
    assert_eq!(cache.name(), CacheName::DirMember(folder.join("tkt")));
    is_a_cache(&cache);
    is_in_a_collection(&cache);
    let member = DirCache::member(folder.join("tkt2")).unwrap();
    member.make_primary().unwrap();
    assert_eq!(DirCache::primary(&folder).unwrap().name(), member.name());
    assert_eq!(std::fs::read(folder.join("primary")).unwrap(), b"tkt2\n");
    for line in [
        "",
        "tkt",
        "../tkt\n",
        "tkt/../../x\n",
        "other\n",
        "tkt\nmore",
    ] {
        std::fs::write(folder.join("primary"), line).unwrap();
        assert!(DirCache::primary(&folder).is_err(), "{line:?}");
    }
}

#[test]
fn memory_is_shared_by_clones_and_by_nobody_else() {
    let caches = MemoryCaches::new();
    is_a_cache(&caches.cache("x"));
    is_in_a_collection(&caches.cache("x"));
    caches.clone().cache("x").initialize(&user()).unwrap();
    assert!(caches.cache("x").load().is_ok());
    let others = MemoryCaches::new().cache("x").load();
    assert_eq!(others.map(|_| ()), Err(CacheError::Absent));
    assert_eq!(format!("{caches:?}"), r#"{"x"}"#);
}

#[test]
fn names_open_caches() {
    let scratch = Scratch::new("open");
    let memory = MemoryCaches::new();
    let caches = Caches::new()
        .memory(memory.clone())
        .kcm_socket(scratch.path("nobody"))
        .patience(Duration::from_secs(1));
    for name in [
        format!("FILE:{}", scratch.path("f").display()),
        format!("DIR:{}", scratch.path("d").display()),
        format!("DIR::{}", scratch.path("d/tktx").display()),
        "MEMORY:m".into(),
    ] {
        let cache = caches.open(&name.parse().unwrap()).unwrap();
        cache.initialize(&user()).unwrap();
        let again = caches.open(&cache.name()).unwrap();
        assert_eq!(*again.load().unwrap().default_principal(), user(), "{name}");
    }
    assert!(memory.cache("m").load().is_ok());
    #[cfg(unix)]
    {
        let nobody = caches.open(&CacheName::Kcm(None)).map(|_| ());
        assert_eq!(nobody, Err(CacheError::NoServer));
    }
}

#[test]
fn keytabs_are_saved_and_changed_as_a_whole() {
    let scratch = Scratch::new("keytab");
    let path = scratch.path("keytab");
    let entry = |kvno| KeytabEntry::new(user(), kvno, KeyBlock::from_parts(18, &[3; 32]));
    assert_eq!(load_keytab(&path).map(|_| ()), Err(CacheError::Absent));
    update_keytab(&path, |keytab| keytab.push(entry(1))).unwrap();
    update_keytab(&path, |keytab| keytab.push(entry(2))).unwrap();
    assert_eq!(load_keytab(&path).unwrap().entries().len(), 2);
    save_keytab(&path, &Keytab::new()).unwrap();
    assert!(load_keytab(&path).unwrap().entries().is_empty());
}

#[test]
fn what_is_no_cache_is_reported_and_not_destroyed_by_storing() {
    let scratch = Scratch::new("malformed");
    let path = scratch.path("cc");
    let cache = FileCache::new(&path);
    cache.initialize(&user()).unwrap();
    let good = std::fs::read(&path).unwrap();
    for bad in [&b""[..], b"text", &good[..good.len() - 1]] {
        std::fs::write(&path, bad).unwrap();
        assert!(matches!(cache.load(), Err(CacheError::Format(_))));
        assert!(matches!(
            cache.store(&[ticket("a", 1)]),
            Err(CacheError::Format(_))
        ));
        assert_eq!(std::fs::read(&path).unwrap(), bad);
        // Making it anew needs nothing of it.
        cache.initialize(&user()).unwrap();
        assert!(cache.load().is_ok());
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &PathBuf) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_private_whatever_they_replace() {
        let scratch = Scratch::new("mode");
        let path = scratch.path("cc");
        std::fs::write(&path, b"").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
        FileCache::new(&path).initialize(&user()).unwrap();
        assert_eq!(mode(&path), 0o600);
        let folder = scratch.path("folder");
        let member = DirCache::primary(&folder).unwrap();
        member.initialize(&user()).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("primary")), 0o600);
        assert_eq!(mode(&folder.join("tkt")), 0o600);
    }

    /// In a folder like /tmp others can give any file that they can see a second name, and wait for
    /// its owner to destroy the cache of that name.
    #[test]
    fn destroying_a_cache_spares_a_file_that_has_another_name() {
        let scratch = Scratch::new("hard-link");
        let (path, other) = (scratch.path("cc"), scratch.path("other"));
        let cache = FileCache::new(&path);
        for linked in [true, false] {
            cache.initialize(&user()).unwrap();
            let contents = std::fs::read(&path).unwrap();
            let mut open = std::fs::File::open(&path).unwrap();
            if linked {
                std::fs::hard_link(&path, &other).unwrap();
            }
            cache.destroy().unwrap();
            assert!(!path.exists());
            let mut left = Vec::new();
            std::io::Read::read_to_end(&mut open, &mut left).unwrap();
            assert_eq!(left == contents, linked);
            assert!(linked || left.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn links_and_what_is_no_file_are_refused() {
        let scratch = Scratch::new("link");
        let (real, link) = (scratch.path("real"), scratch.path("link"));
        let cache = FileCache::new(&real);
        cache.initialize(&user()).unwrap();
        symlink(&real, &link).unwrap();
        let through = FileCache::new(&link);
        assert_eq!(through.load().map(|_| ()), Err(CacheError::Link));
        assert_eq!(through.initialize(&user()), Err(CacheError::Link));
        assert_eq!(through.destroy(), Err(CacheError::Link));
        assert_eq!(load_keytab(&link).map(|_| ()), Err(CacheError::Link));
        assert!(cache.load().is_ok());
        // A link to nothing: nothing is made where it leads.
        let dangling = scratch.path("dangling");
        symlink(scratch.path("target"), &dangling).unwrap();
        assert_eq!(
            FileCache::new(&dangling).initialize(&user()),
            Err(CacheError::Link)
        );
        assert!(!scratch.path("target").exists());
        // A folder, and a pipe that nobody writes to.
        let folder = FileCache::new(&scratch.0);
        assert_eq!(folder.load().map(|_| ()), Err(CacheError::WrongKind));
        assert_eq!(folder.initialize(&user()), Err(CacheError::WrongKind));
        let pipe = scratch.path("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            let pipe = FileCache::new(&pipe);
            assert_eq!(pipe.load().map(|_| ()), Err(CacheError::WrongKind));
        }
    }

    #[test]
    fn waiting_for_a_lock_ends() {
        let scratch = Scratch::new("locked");
        let path = scratch.path("cc");
        let cache = FileCache::new(&path).patience(Duration::from_millis(30));
        cache.initialize(&user()).unwrap();
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        lock::acquire(
            &file,
            lock::Kind::Exclusive,
            private_file::deadline(Duration::ZERO),
        )
        .unwrap();
        assert_eq!(cache.load().map(|_| ()), Err(CacheError::Locked));
        assert_eq!(cache.store(&[ticket("a", 1)]), Err(CacheError::Locked));
        drop(file);
        cache.store(&[ticket("a", 1)]).unwrap();
    }

    #[test]
    fn threads_that_store_at_once_lose_nothing() {
        let scratch = Scratch::new("threads");
        let cache = Arc::new(FileCache::new(scratch.path("cc")));
        cache.initialize(&user()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let cache = Arc::clone(&cache);
                scope.spawn(move || {
                    for index in 0..5 {
                        cache
                            .store(&[ticket(&format!("h{thread}-{index}"), 1)])
                            .unwrap();
                        cache.load().unwrap();
                    }
                });
            }
        });
        assert_eq!(cache.load().unwrap().entries().len(), 40);
    }
}

#[cfg(all(target_os = "linux", feature = "keyring"))]
mod keyring {
    use super::*;

    /// Whether this kernel, or the container around us, lets us use keyrings.
    fn is_permitted() -> bool {
        let permitted = keyutils::Keyring::attach_or_create(keyutils::SpecialKeyring::Process);
        if permitted.is_err() {
            eprintln!("no keyrings here: nothing was tested");
        }
        permitted.is_ok()
    }

    fn open(name: &str) -> Arc<dyn CacheStore> {
        Caches::new().open(&name.parse().unwrap()).unwrap()
    }

    #[test]
    fn keyrings_are_collections_of_caches() {
        if !is_permitted() {
            return;
        }
        let random = private_file::random_name().unwrap();
        for anchor in ["process", "thread"] {
            is_a_cache(&*open(&format!("KEYRING:{anchor}:{random}")));
            is_in_a_collection(&*open(&format!("KEYRING:{anchor}:{random}x")));
        }
    }

    #[test]
    fn names_with_the_kernels_separator_are_kept() {
        if !is_permitted() {
            return;
        }
        let cache = open("KEYRING:process:semicolons");
        cache.initialize(&user()).unwrap();
        cache.store(&[ticket("a;b", LATER)]).unwrap();
        assert_eq!(servers(&cache.load().unwrap()), ["HTTP/a;b@R"]);
    }

    #[test]
    fn another_users_persistent_keyring_is_refused() {
        let name: CacheName = "KEYRING:persistent:4000000000".parse().unwrap();
        let refused = Caches::new().open(&name).map(|_| ());
        assert_eq!(refused, Err(CacheError::Name(NameProblem::Anchor)));
    }
}

#[cfg(unix)]
mod kcm;
