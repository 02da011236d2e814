//! Eight processes that change one cache, one collection and one keytab at the same time, and are killed at it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use countersign_credential::{KeyBlock, KeytabEntry, NameType, Principal, TicketCredential};
use countersign_handshake::cache::{CacheStore, DirCache, FileCache, load_keytab, update_keytab};
use countersign_testkit::SeededRandom;

const PROCESSES: usize = 8;
const TICKETS: usize = 12;
const FOLDER: &str = "COUNTERSIGN_TEST_FOLDER";
const NUMBER: &str = "COUNTERSIGN_TEST_NUMBER";

fn user() -> Principal {
    Principal::new("R", ["user"], NameType::PRINCIPAL)
}

fn ticket(name: &str) -> TicketCredential {
    let server = Principal::new("R", ["HTTP", name], NameType::SRV_HST);
    let key = KeyBlock::from_parts(18, &[7; 32]);
    let mut ticket = TicketCredential::new(user(), server, key, vec![1; 900]);
    ticket.times.end_time = 1;
    ticket
}

/// Starts this test program again, to run the same test as one of the eight.
fn start(test: &str, folder: &Path, number: usize) -> Child {
    start_with(test, folder, number, Stdio::null())
}

fn start_with(test: &str, folder: &Path, number: usize, output: Stdio) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder)
        .env(NUMBER, number.to_string())
        .stdout(output)
        .spawn()
        .unwrap()
}

/// Which of the eight this process is, and where they work; `None` for the one that starts them.
fn one_of_eight() -> Option<(PathBuf, usize)> {
    let folder = std::env::var_os(FOLDER)?;
    let number = std::env::var(NUMBER).unwrap().parse().unwrap();
    Some((folder.into(), number))
}

/// An empty folder of this test.
fn fresh(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("countersign-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    folder
}

fn run(test: &str, folder: &Path) {
    let children: Vec<Child> = (0..PROCESSES)
        .map(|number| start(test, folder, number))
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn eight_processes_that_store_lose_no_ticket() {
    if let Some((folder, number)) = one_of_eight() {
        return store(&folder, number);
    }
    let folder = fresh("store");
    let cache = FileCache::new(folder.join("cc"));
    cache.initialize(&user()).unwrap();
    run("eight_processes_that_store_lose_no_ticket", &folder);
    assert_eq!(cache.load().unwrap().entries().len(), PROCESSES * TICKETS);
    assert_eq!(
        load_keytab(folder.join("keytab")).unwrap().entries().len(),
        PROCESSES * TICKETS
    );
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 2, "temporary files are left behind");
    std::fs::remove_dir_all(&folder).unwrap();
}

fn store(folder: &Path, number: usize) {
    let cache = FileCache::new(folder.join("cc"));
    for index in 0..TICKETS {
        cache
            .store(&[ticket(&format!("h{number}-{index}"))])
            .unwrap();
        // Read while others write.
        assert_eq!(*cache.load().unwrap().default_principal(), user());
        let kvno = u32::try_from(number * TICKETS + index).unwrap();
        update_keytab(folder.join("keytab"), |keytab| {
            let key = KeyBlock::from_parts(18, &[3; 32]);
            keytab.push(KeytabEntry::new(user(), kvno, key));
        })
        .unwrap();
    }
}

#[test]
fn eight_processes_that_make_and_remove_never_show_half_a_cache() {
    if let Some((folder, number)) = one_of_eight() {
        return make(&folder, number);
    }
    let folder = fresh("make");
    run(
        "eight_processes_that_make_and_remove_never_show_half_a_cache",
        &folder,
    );
    let primary = DirCache::primary(folder.join("collection")).unwrap();
    for member in primary.collection().unwrap() {
        member.load().unwrap();
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn make(folder: &Path, number: usize) {
    use countersign_handshake::cache::CacheError;

    let whole_or_absent = |cache: &dyn CacheStore| match cache.load() {
        Ok(cache) => assert_eq!(*cache.default_principal(), user()),
        Err(CacheError::Absent) => {}
        Err(error) => panic!("{error}"),
    };
    for index in 0..TICKETS {
        let cache = DirCache::primary(folder.join("collection")).unwrap();
        cache.initialize(&user()).unwrap();
        whole_or_absent(&cache);
        match cache.store(&[ticket(&format!("h{number}-{index}"))]) {
            Ok(()) | Err(CacheError::Absent) => {}
            Err(error) => panic!("{error}"),
        }
        let own = cache.sibling().unwrap();
        own.initialize(&user()).unwrap();
        own.make_primary().unwrap();
        whole_or_absent(&cache);
        if index % 3 == 0 {
            match cache.destroy() {
                Ok(()) | Err(CacheError::Absent) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// What a writer says of a ticket that is in the cache, and of a key that is in the keytab.
const STORED: &str = "stored ";
const KILLS: u32 = 48;

#[test]
fn processes_killed_while_they_write_leave_whole_files_and_no_lock() {
    const NAME: &str = "processes_killed_while_they_write_leave_whole_files_and_no_lock";
    if let Some((folder, number)) = one_of_eight() {
        return store_until_killed(&folder, number);
    }
    let folder = fresh("killed");
    let cache = FileCache::new(folder.join("cc"));
    cache.initialize(&user()).unwrap();
    let keytab = folder.join("keytab");
    update_keytab(&keytab, |_| {}).unwrap();
    let mut next = 0;
    let mut writer = || {
        next += 1;
        start_with(NAME, &folder, next, Stdio::piped())
    };
    let mut writers: Vec<Child> = (0..PROCESSES).map(|_| writer()).collect();
    let mut random = SeededRandom::new(1);
    let mut stored = 0;
    for kill in 0..KILLS {
        let mut victim = writers.remove(0);
        let said = BufReader::new(victim.stdout.take().unwrap());
        let mut said = said.lines().map(Result::unwrap);
        // Each has written once before its turn comes; where it is by then is left to chance.
        let first = said.by_ref().find(|line| line.contains(STORED)).unwrap();
        std::thread::sleep(Duration::from_micros(random.next_u64() % 20_000));
        victim.kill().unwrap();
        assert!(!victim.wait().unwrap().success(), "it was still writing");

        let names: Vec<String> = [first].into_iter().chain(said).filter_map(named).collect();
        let held = cache.load().unwrap();
        let keys = load_keytab(&keytab).unwrap();
        for name in &names {
            let server = Principal::new("R", ["HTTP", name.as_str()], NameType::SRV_HST);
            let mut tickets = held.entries().iter();
            assert!(
                tickets.any(|ticket| ticket.server == server),
                "kill {kill}: {name} was stored"
            );
            assert!(keys.entries().iter().any(|key| *key.principal() == server));
        }
        stored += names.len();
        writers.push(writer());
    }
    for mut writer in writers {
        writer.kill().unwrap();
        writer.wait().unwrap();
    }
    assert!(stored >= usize::try_from(KILLS).unwrap());
    // Nobody is left to hold a lock: there is nothing to wait for.
    let impatient = cache.clone().patience(Duration::ZERO);
    impatient.store(&[ticket("after")]).unwrap();
    assert_eq!(*impatient.load().unwrap().default_principal(), user());
    update_keytab(&keytab, |_| {}).unwrap();
    // A killed writer may leave the new file beside the old one, which nobody but its owner reads.
    for entry in std::fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_ours = name == "cc" || name == "keytab";
        assert!(is_ours || name.starts_with(".cc.") || name.starts_with(".keytab."));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                entry.metadata().unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The name in what a writer said; `None` for what the test program says, and for half a line.
fn named(line: String) -> Option<String> {
    let (_, name) = line.split_once(STORED)?;
    Some(name.strip_suffix('.')?.to_owned())
}

fn store_until_killed(folder: &Path, number: usize) {
    let cache = FileCache::new(folder.join("cc"));
    for index in 0.. {
        let name = format!("h{number}-{index}");
        update_keytab(folder.join("keytab"), |keytab| {
            let server = Principal::new("R", ["HTTP", &name], NameType::SRV_HST);
            let key = KeyBlock::from_parts(18, &[3; 32]);
            keytab.push(KeytabEntry::new(server, 1, key));
        })
        .unwrap();
        cache.store(&[ticket(&name)]).unwrap();
        println!("{STORED}{name}.");
    }
}
