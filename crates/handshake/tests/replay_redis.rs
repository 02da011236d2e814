//! [`RedisReplayCache`] against a store of this test's own, which can be told to fail. The real one
//! is in the interoperability tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use countersign_handshake::context::kerberos::kdc::{KdcRequest, KdcService};
use countersign_handshake::context::{Answer, Need, ReplayQuery, ReplayVerdict, Timestamp};
use countersign_handshake::replay::{Outage, RedisReplayCache, RedisReplayCacheBuilder};

const NOW: i64 = 1_700_000_000;

/// What the store does with a `SET`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Answer,
    /// `maxmemory` with `noeviction`.
    Full,
    Silent,
    /// Stores, and closes instead of answering.
    Close,
}

/// A store that knows `SET key value NX EX seconds`.
struct Store {
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    /// Key and span.
    entries: Arc<Mutex<HashMap<Vec<u8>, i64>>>,
    connections: Arc<AtomicUsize>,
    /// How often a `SET` has come.
    asked: Arc<AtomicUsize>,
}

impl Store {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let store = Self {
            address: listener.local_addr().unwrap(),
            mood: Arc::new(Mutex::new(Mood::Answer)),
            entries: Arc::default(),
            connections: Arc::default(),
            asked: Arc::default(),
        };
        let (mood, entries) = (Arc::clone(&store.mood), Arc::clone(&store.entries));
        let connections = Arc::clone(&store.connections);
        let asked = Arc::clone(&store.asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (mood, entries) = (Arc::clone(&mood), Arc::clone(&entries));
                let asked = Arc::clone(&asked);
                thread::spawn(move || serve(stream.unwrap(), &mood, &entries, &asked));
            }
        });
        store
    }

    fn feel(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn cache(&self) -> RedisReplayCacheBuilder {
        RedisReplayCache::builder(&format!("redis://{}/", self.address))
            .unwrap()
            .timeout(Duration::from_secs(20))
            .clock(|| Timestamp::new(NOW, 0))
    }
}

/// One connection, until it ends.
fn serve(
    stream: TcpStream,
    mood: &Mutex<Mood>,
    entries: &Mutex<HashMap<Vec<u8>, i64>>,
    asked: &AtomicUsize,
) {
    let mut input = BufReader::new(stream.try_clone().unwrap());
    let mut output = stream;
    while let Some(words) = command(&mut input) {
        let reply: &[u8] = if words[0] == b"SET" {
            asked.fetch_add(1, Ordering::SeqCst);
            let mood = *mood.lock().unwrap();
            if mood == Mood::Full {
                b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
            } else {
                assert_eq!((&*words[3], &*words[4]), (&b"NX"[..], &b"EX"[..]));
                let seconds = String::from_utf8(words[5].clone()).unwrap();
                let mut entries = entries.lock().unwrap();
                let known = entries.contains_key(&words[1]);
                entries
                    .entry(words[1].clone())
                    .or_insert(seconds.parse().unwrap());
                match mood {
                    Mood::Silent => continue,
                    Mood::Close => return,
                    _ if known => b"$-1\r\n",
                    _ => b"+OK\r\n",
                }
            }
        } else {
            b"+OK\r\n"
        };
        if output.write_all(reply).is_err() {
            return;
        }
    }
}

/// An array of strings, as clients send commands.
fn command(input: &mut BufReader<TcpStream>) -> Option<Vec<Vec<u8>>> {
    let number = |input: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        line.trim_end().get(1..)?.parse::<usize>().ok()
    };
    let count = number(input)?;
    let words = (0..count).map(|_| {
        let mut word = vec![0; number(input)? + 2];
        input.read_exact(&mut word).ok()?;
        word.truncate(word.len() - 2);
        Some(word)
    });
    words.collect()
}

fn query(tag: u8) -> ReplayQuery {
    ReplayQuery {
        tag: [tag; 16],
        expires: NOW + 600,
    }
}

/// Both forms of the question.
fn both() -> [fn(&RedisReplayCache, u8) -> ReplayVerdict; 2] {
    fn blocking(cache: &RedisReplayCache, tag: u8) -> ReplayVerdict {
        cache.verdict(&query(tag))
    }
    fn tokio(cache: &RedisReplayCache, tag: u8) -> ReplayVerdict {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(cache.verdict_async(&query(tag)))
    }
    [blocking, tokio]
}

#[test]
fn an_authenticator_is_fresh_once_for_all_caches_of_one_store() {
    for ask in both() {
        let store = Store::start();
        let (one, other) = (store.cache().build(), store.cache().build());
        assert_eq!(ask(&one, 1), ReplayVerdict::Fresh);
        for cache in [&one, &other] {
            assert_eq!(ask(cache, 1), ReplayVerdict::Replayed);
        }
        assert_eq!(ask(&other, 2), ReplayVerdict::Fresh);
        let apart = store.cache().prefix("another service:").build();
        assert_eq!(ask(&apart, 1), ReplayVerdict::Fresh);
    }
}

#[test]
fn the_other_needs_are_left_to_others() {
    let store = Store::start();
    let cache = store.cache().build();
    let Some(Answer::Replay(verdict)) = cache.answer(&Need::Replay(query(1))) else {
        panic!("no verdict");
    };
    assert_eq!(verdict, ReplayVerdict::Fresh);
    let other = Need::Kdc(KdcRequest {
        realm: b"EXAMPLE.COM".to_vec(),
        service: KdcService::Kdc,
        message: Vec::new(),
        stream_only: false,
    });
    assert!(cache.answer(&other).is_none());
}

#[test]
fn entries_are_kept_five_minutes_longer_than_they_are_needed() {
    let store = Store::start();
    let cache = store.cache().build();
    assert_eq!(cache.verdict(&query(1)), ReplayVerdict::Fresh);
    // An authenticator from a clock that is ahead, and one whose time is over.
    let mut late = query(2);
    late.expires = NOW - 10;
    assert_eq!(cache.verdict(&late), ReplayVerdict::Fresh);
    let mut spans: Vec<_> = store.entries.lock().unwrap().values().copied().collect();
    spans.sort_unstable();
    assert_eq!(spans, [300, 900]);
}

#[test]
fn a_store_that_is_full_silent_or_gone_refuses_unless_told_otherwise() {
    for ask in both() {
        let store = Store::start();
        for (mood, tag) in [(Mood::Full, 10), (Mood::Silent, 20), (Mood::Close, 30)] {
            // Only silence is waited for.
            let patience = match mood {
                Mood::Silent => Duration::from_millis(100),
                _ => Duration::from_secs(20),
            };
            let seen = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&seen);
            let strict = store.cache().timeout(patience).observe(move |error| {
                assert!(!error.to_string().is_empty());
                counter.fetch_add(1, Ordering::SeqCst);
            });
            let strict = strict.build();
            let lenient = store.cache().timeout(patience);
            let lenient = lenient.on_outage(Outage::RememberHere).build();
            store.feel(mood);
            assert_eq!(ask(&strict, tag), ReplayVerdict::Unavailable);
            assert_eq!(seen.load(Ordering::SeqCst), 1);
            assert_eq!(ask(&lenient, tag + 1), ReplayVerdict::Fresh);
            // What this process has seen it refuses all the same.
            assert_eq!(ask(&lenient, tag + 1), ReplayVerdict::Replayed);
            // And afterwards all is as before.
            store.feel(Mood::Answer);
            let patient = store.cache().build();
            assert_eq!(ask(&patient, tag + 3), ReplayVerdict::Fresh);
            assert_eq!(ask(&patient, tag + 3), ReplayVerdict::Replayed);
        }
    }
}

/// A cache of a store that had the entry of question 2, whose answer was lost.
fn after_a_lost_answer() -> (Store, RedisReplayCache) {
    let store = Store::start();
    let cache = store.cache().build();
    assert_eq!(cache.verdict(&query(1)), ReplayVerdict::Fresh);
    store.feel(Mood::Close);
    assert_eq!(cache.verdict(&query(2)), ReplayVerdict::Unavailable);
    store.feel(Mood::Answer);
    (store, cache)
}

#[test]
fn an_answer_that_is_lost_is_never_taken_for_fresh() {
    let (_store, cache) = after_a_lost_answer();
    assert_eq!(cache.verdict(&query(2)), ReplayVerdict::Replayed);
}

#[test]
fn connections_are_used_again_and_one_that_died_is_made_anew() {
    for (driver, ask) in both().into_iter().enumerate() {
        let store = Store::start();
        let cache = store.cache().build();
        for tag in 0..5 {
            assert_eq!(ask(&cache, tag), ReplayVerdict::Fresh);
        }
        // A runtime that ends takes its connection with it, and each question here has its own.
        let expected = [1, 5][driver];
        assert_eq!(store.connections.load(Ordering::SeqCst), expected);
    }
    let (_store, cache) = after_a_lost_answer();
    assert_eq!(cache.verdict(&query(3)), ReplayVerdict::Fresh);
}

#[test]
fn a_connection_that_fell_silent_is_waited_for_once() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // One runtime for all questions, so that a connection is kept between them.
    let ask = |blocks, cache: &RedisReplayCache, tag| match blocks {
        true => cache.verdict(&query(tag)),
        false => runtime.block_on(cache.verdict_async(&query(tag))),
    };
    for blocks in [true, false] {
        let store = Store::start();
        let cache = store.cache().timeout(Duration::from_secs(1)).build();
        assert_eq!(ask(blocks, &cache, 1), ReplayVerdict::Fresh);
        store.feel(Mood::Silent);
        // By the one that was kept and by a new one, and then by a new one alone.
        for (tag, asked) in [(2, 3), (3, 4)] {
            assert_eq!(ask(blocks, &cache, tag), ReplayVerdict::Unavailable);
            assert_eq!(store.asked.load(Ordering::SeqCst), asked);
        }
        store.feel(Mood::Answer);
        assert_eq!(ask(blocks, &cache, 4), ReplayVerdict::Fresh);
    }
}

#[test]
fn one_of_many_racers_wins() {
    let store = Store::start();
    let caches = [store.cache().build(), store.cache().build()];
    let wins: usize = thread::scope(|scope| {
        let racers: Vec<_> = (0..40)
            .map(|racer| {
                let cache = &caches[racer % 2];
                scope.spawn(move || cache.verdict(&query(9)) == ReplayVerdict::Fresh)
            })
            .collect();
        let wins = racers.into_iter().map(|racer| racer.join().unwrap());
        wins.filter(|won| *won).count()
    });
    assert_eq!(wins, 1);
}

#[test]
fn what_is_no_address_is_refused_and_no_password_is_shown() {
    for text in [
        "",
        "replays.example.com",
        "http://replays.example.com/",
        "rediss://replays.example.com/",
    ] {
        let error = RedisReplayCache::new(text).unwrap_err();
        assert!(error.to_string().contains("redis://HOST"), "{text}");
    }
    let cache = RedisReplayCache::new("redis://:swordfish@replays.example.com/").unwrap();
    assert!(!format!("{cache:?}").contains("swordfish"));
}

#[test]
fn a_question_that_is_dropped_at_any_await_leaves_no_task_and_a_cache_that_answers() {
    use std::future::{Future, poll_fn};
    use std::task::Poll;

    let store = Store::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for polls in 0.. {
            let cache = store.cache().build();
            // Of its own, each time.
            let own = query(u8::try_from(polls).unwrap());
            let mut asking = Box::pin(cache.verdict_async(&own));
            let mut left = polls;
            let verdict = poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                match asking.as_mut().poll(cx) {
                    Poll::Pending if left == 0 => Poll::Ready(None),
                    polled => polled.map(Some),
                }
            });
            let verdict = verdict.await;
            drop(asking);
            // Asked again, it is fresh or has been stored already; another is fresh.
            let again = cache.verdict_async(&own).await;
            assert_ne!(again, ReplayVerdict::Unavailable, "{polls}");
            assert!(verdict.is_none() || again == ReplayVerdict::Replayed);
            let mut other = own.clone();
            other.tag[0] ^= 0xff;
            assert_eq!(cache.verdict_async(&other).await, ReplayVerdict::Fresh);
            assert_eq!(cache.verdict_async(&other).await, ReplayVerdict::Replayed);
            drop(cache);
            // What drives the connection ends with the cache.
            let tasks = || {
                tokio::runtime::Handle::current()
                    .metrics()
                    .num_alive_tasks()
            };
            for _ in 0..2_000 {
                if tasks() == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert_eq!(tasks(), 0, "{polls}");
            if verdict.is_some() {
                assert!(polls > 2, "it never waited");
                return;
            }
        }
    });
}
