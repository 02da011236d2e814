//! `KCM` caches: behind the Unix socket of a server.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_credential::cache::TimeOffset;
use countersign_credential::kcm::{CacheUuid, KcmError, Reply, ReplyHeader, Request};
use countersign_credential::{CredentialCache, TicketCredential};
use zeroize::Zeroizing;

use super::error::CacheError;
use super::name::CacheName;
use super::private_file::deadline;
use super::store::{CacheStore, succeeds};

/// A server of caches, by its socket. Each operation makes its own connection.
#[derive(Debug, Clone)]
pub struct KcmServer {
    socket: PathBuf,
    patience: Duration,
}

impl KcmServer {
    /// The server that listens on the Unix socket.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            patience: Duration::from_secs(10),
        }
    }

    /// One operation waits so long for the server; 10 s unless told otherwise.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The cache of the name, which need not exist yet.
    #[must_use]
    pub fn cache(&self, name: impl Into<String>) -> KcmCache {
        KcmCache {
            server: self.clone(),
            name: name.into(),
        }
    }

    /// The primary cache, or the one that would be.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn primary(&self) -> Result<KcmCache, CacheError> {
        let name = self.connect()?.primary()?;
        Ok(self.cache(name))
    }

    fn connect(&self) -> Result<Connection, CacheError> {
        let deadline = deadline(self.patience);
        Ok(Connection {
            stream: connect(&self.socket)?,
            deadline,
        })
    }
}

/// Connecting to a Unix socket does not wait for the server, unless its queue is full.
fn connect(path: &Path) -> Result<UnixStream, CacheError> {
    UnixStream::connect(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => CacheError::NoServer,
        kind => CacheError::Io(kind),
    })
}

struct Connection {
    stream: UnixStream,
    deadline: Instant,
}

impl Connection {
    /// The reply to the request, after its header.
    fn call(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, CacheError> {
        self.write_all(request)?;
        let mut header = [0; ReplyHeader::LENGTH];
        self.read_exact(&mut header)?;
        let length = ReplyHeader::parse(header)?.length();
        let mut reply = Zeroizing::new(vec![0; length]);
        self.read_exact(&mut reply)?;
        Ok(reply)
    }

    fn left(&self) -> Result<Duration, CacheError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(CacheError::TimedOut);
        }
        Ok(left)
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), CacheError> {
        while !bytes.is_empty() {
            self.stream.set_write_timeout(Some(self.left()?))?;
            match self.stream.write(bytes) {
                Ok(0) => return Err(CacheError::Io(io::ErrorKind::WriteZero)),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(waited(&error)),
            }
        }
        Ok(())
    }

    fn read_exact(&mut self, mut into: &mut [u8]) -> Result<(), CacheError> {
        while !into.is_empty() {
            self.stream.set_read_timeout(Some(self.left()?))?;
            match self.stream.read(into) {
                Ok(0) => return Err(CacheError::Io(io::ErrorKind::UnexpectedEof)),
                Ok(count) => into = into.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(waited(&error)),
            }
        }
        Ok(())
    }

    fn primary(&mut self) -> Result<String, CacheError> {
        let reply = self.call(&Request::default_cache())?;
        Ok(Reply::parse(&reply)?.only_name()?.into())
    }

    /// An operation that returns nothing.
    fn order(&mut self, request: Result<Zeroizing<Vec<u8>>, KcmError>) -> Result<(), CacheError> {
        let reply = self.call(&request?)?;
        Reply::parse(&reply)?.nothing();
        Ok(())
    }

    /// Every credential: at once where the server can, otherwise one by one.
    fn credentials(&mut self, name: &str) -> Result<Vec<TicketCredential>, CacheError> {
        let reply = self.call(&Request::credentials(name)?);
        let listed = reply.and_then(|reply| Ok(Reply::parse(&reply)?.only_credentials()?));
        match listed {
            Err(CacheError::Kcm(KcmError::Refused(code))) if code.is_unsupported() => {}
            other => return other,
        }
        let reply = self.call(&Request::credential_uuids(name)?)?;
        let mut credentials = Vec::new();
        for uuid in Reply::parse(&reply)?.only_uuids()? {
            let reply = self.call(&Request::credential_by_uuid(name, uuid)?)?;
            match Reply::parse(&reply).and_then(Reply::only_credential) {
                Ok(credential) => credentials.push(credential),
                // Removed since they were listed.
                Err(KcmError::Refused(code)) if code.is_absent() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(credentials)
    }

    fn name_of(&mut self, uuid: CacheUuid) -> Result<Option<String>, CacheError> {
        let reply = self.call(&Request::cache_by_uuid(uuid)?)?;
        match Reply::parse(&reply).and_then(Reply::only_name) {
            Ok(name) => Ok(Some(name.into())),
            Err(KcmError::Refused(code)) if code.is_absent() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn exists(&mut self, name: &str) -> Result<bool, CacheError> {
        let reply = self.call(&Request::principal(name)?)?;
        match Reply::parse(&reply).and_then(Reply::only_principal) {
            Ok(_) => Ok(true),
            Err(KcmError::Refused(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn waited(error: &io::Error) -> CacheError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => CacheError::TimedOut,
        kind => CacheError::Io(kind),
    }
}

/// One cache of a server.
#[derive(Debug, Clone)]
pub struct KcmCache {
    server: KcmServer,
    name: String,
}

impl KcmCache {
    /// Writes the cache anew entry by entry, for servers that cannot do it at once.
    fn rewrite(&self, to: &mut Connection, cache: &CredentialCache) -> Result<(), CacheError> {
        to.order(Request::initialize(&self.name, cache.default_principal()))?;
        if let Some(offset) = cache.time_offset() {
            to.order(Request::set_kdc_offset(&self.name, offset.seconds))?;
        }
        for entry in cache.entries() {
            to.order(Request::store(&self.name, entry))?;
        }
        Ok(())
    }
}

impl CacheStore for KcmCache {
    fn name(&self) -> CacheName {
        CacheName::Kcm(Some(self.name.clone()))
    }

    fn load(&self) -> Result<CredentialCache, CacheError> {
        let mut server = self.server.connect()?;
        let reply = server.call(&Request::principal(&self.name)?)?;
        let mut cache = CredentialCache::new(Reply::parse(&reply)?.only_principal()?);
        let reply = server.call(&Request::kdc_offset(&self.name)?)?;
        match Reply::parse(&reply).and_then(Reply::only_number) {
            // Nothing tells no offset from none known.
            Ok(0) | Err(KcmError::Refused(_)) => {}
            Ok(seconds) => cache.set_time_offset(Some(TimeOffset {
                seconds,
                microseconds: 0,
            })),
            Err(error) => return Err(error.into()),
        }
        for credential in server.credentials(&self.name)? {
            cache.push(credential);
        }
        Ok(cache)
    }

    fn replace(&self, cache: &CredentialCache) -> Result<(), CacheError> {
        let mut server = self.server.connect()?;
        let offset = cache.time_offset().map_or(0, |offset| offset.seconds);
        let request = Request::replace(
            &self.name,
            offset,
            cache.default_principal(),
            cache.entries().iter(),
        );
        match server.order(request) {
            Err(CacheError::Kcm(KcmError::Refused(code))) if code.is_unsupported() => {
                self.rewrite(&mut server, cache)
            }
            other => other,
        }
    }

    /// Tickets that are succeeded stay until the cache is made anew where the server cannot replace it as a whole: the
    /// protocol's way to remove one is not the same with every server.
    fn store(&self, tickets: &[TicketCredential]) -> Result<(), CacheError> {
        let present = self.load()?;
        let outdated = present
            .entries()
            .iter()
            .any(|entry| tickets.iter().any(|ticket| succeeds(ticket, entry)));
        if outdated {
            let mut merged = present;
            super::store::merge(&mut merged, tickets);
            return self.replace(&merged);
        }
        let mut server = self.server.connect()?;
        for ticket in tickets {
            server.order(Request::store(&self.name, ticket))?;
        }
        Ok(())
    }

    fn destroy(&self) -> Result<(), CacheError> {
        self.server.connect()?.order(Request::destroy(&self.name))
    }

    fn collection(&self) -> Result<Vec<Arc<dyn CacheStore>>, CacheError> {
        let mut server = self.server.connect()?;
        let primary = server.primary()?;
        let mut names = Vec::new();
        if server.exists(&primary)? {
            names.push(primary.clone());
        }
        let reply = server.call(&Request::cache_uuids())?;
        let uuids = match Reply::parse(&reply).and_then(Reply::only_uuids) {
            Ok(uuids) => uuids,
            Err(KcmError::Refused(code)) if code.is_absent() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for uuid in uuids {
            names.extend(server.name_of(uuid)?.filter(|name| *name != primary));
        }
        let member = |name: String| -> Arc<dyn CacheStore> { Arc::new(self.server.cache(name)) };
        Ok(names.into_iter().map(member).collect())
    }

    fn make_primary(&self) -> Result<(), CacheError> {
        self.server
            .connect()?
            .order(Request::set_default_cache(&self.name))
    }

    fn sibling(&self) -> Result<Arc<dyn CacheStore>, CacheError> {
        let reply = self.server.connect()?.call(&Request::generate_name())?;
        Ok(Arc::new(
            self.server.cache(Reply::parse(&reply)?.only_name()?),
        ))
    }
}
