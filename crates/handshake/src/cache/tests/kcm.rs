//! A KCM server in a thread, with the manners of the servers that exist.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Mutex;

use countersign_credential::kcm::{CacheUuid, KcmCode, KcmError, Operation, ParsedRequest, Reply};
use zeroize::Zeroizing;

use super::*;

#[derive(Clone, Copy, PartialEq)]
enum Manners {
    /// MIT krb5's extensions are there.
    Mit,
    /// They are not: SSSD's older ones.
    Sssd,
    /// They are not, and what does not exist is answered with success: Heimdal's.
    Heimdal,
    /// Nothing is answered.
    Silent,
    /// More is announced than anybody may send.
    Huge,
    /// The connection is closed after half of a reply.
    Half,
}

#[derive(Default)]
struct Server {
    caches: BTreeMap<String, (Principal, Vec<TicketCredential>, i32)>,
    default: Option<String>,
    count: u32,
}

fn uuid(index: usize) -> CacheUuid {
    CacheUuid(u128::try_from(index).unwrap().to_be_bytes())
}

fn index(uuid: CacheUuid) -> usize {
    usize::try_from(u128::from_be_bytes(uuid.0)).unwrap()
}

impl Server {
    fn answer(&mut self, request: &[u8], manners: Manners) -> Result<Zeroizing<Vec<u8>>, KcmError> {
        let ParsedRequest {
            operation,
            mut fields,
        } = ParsedRequest::parse(request)?;
        let absent = KcmError::Refused(match manners {
            Manners::Heimdal => KcmCode::NOT_FOUND,
            _ => KcmCode::NO_CACHE,
        });
        let done = || Reply::frame_of_code(KcmCode(0));
        let mut name = || fields.name().map(str::to_owned);
        Ok(match operation {
            Operation::DefaultCache => {
                Reply::frame_of_name(self.default.as_deref().unwrap_or("1000"))
            }
            Operation::SetDefaultCache => {
                self.default = Some(name()?);
                done()
            }
            Operation::GenerateName => {
                self.count += 1;
                Reply::frame_of_name(&format!("1000:{}", self.count))
            }
            Operation::Initialize => {
                let name = name()?;
                let principal = fields.principal()?;
                self.caches.insert(name, (principal, Vec::new(), 0));
                done()
            }
            Operation::Destroy => {
                self.caches
                    .remove(&name()?)
                    .ok_or(KcmError::Refused(KcmCode::NO_CACHE))?;
                done()
            }
            Operation::Store => {
                let name = name()?;
                let credential = fields.credential()?;
                self.caches.get_mut(&name).ok_or(absent)?.1.push(credential);
                done()
            }
            Operation::Principal => match self.caches.get(&name()?) {
                Some((principal, ..)) => Reply::frame_of_principal(principal),
                None if manners == Manners::Heimdal => done(),
                None => return Err(absent),
            },
            Operation::KdcOffset => {
                Reply::frame_of_number(self.caches.get(&name()?).ok_or(absent)?.2)
            }
            Operation::SetKdcOffset => {
                let name = name()?;
                self.caches.get_mut(&name).ok_or(absent)?.2 = fields.number()?;
                done()
            }
            Operation::CredentialUuids => {
                let count = self.caches.get(&name()?).ok_or(absent)?.1.len();
                Reply::frame_of_uuids(&(0..count).map(uuid).collect::<Vec<_>>())
            }
            Operation::CredentialByUuid => {
                let name = name()?;
                let index = index(fields.uuid()?);
                let credential = self.caches.get(&name).and_then(|cache| cache.1.get(index));
                Reply::frame_of_credential(credential.ok_or(KcmError::Refused(KcmCode::END))?)
            }
            Operation::CacheUuids if self.caches.is_empty() => return Err(absent),
            Operation::CacheUuids => {
                // One more than there are: removed since.
                Reply::frame_of_uuids(&(0..=self.caches.len()).map(uuid).collect::<Vec<_>>())
            }
            Operation::CacheByUuid => {
                let name = self.caches.keys().nth(index(fields.uuid()?));
                Reply::frame_of_name(name.ok_or(KcmError::Refused(KcmCode::END))?)
            }
            Operation::Credentials if manners == Manners::Mit => {
                Reply::frame_of_credentials(&self.caches.get(&name()?).ok_or(absent)?.1)
            }
            Operation::Replace if manners == Manners::Mit => {
                let name = name()?;
                let offset = fields.number()?;
                let principal = fields.principal()?;
                self.caches
                    .insert(name, (principal, fields.credentials()?, offset));
                done()
            }
            _ if manners == Manners::Heimdal => return Err(KcmError::Refused(KcmCode::INTERNAL)),
            _ => return Err(KcmError::Refused(KcmCode::UNSUPPORTED)),
        })
    }

    fn serve(
        server: &Mutex<Self>,
        mut stream: UnixStream,
        manners: Manners,
    ) -> std::io::Result<()> {
        loop {
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut request)?;
            let reply = server.lock().unwrap().answer(&request, manners);
            let reply = match reply {
                Ok(reply) => reply,
                Err(KcmError::Refused(code)) => Reply::frame_of_code(code),
                Err(_) => Reply::frame_of_code(KcmCode::IO),
            };
            match manners {
                Manners::Silent => std::thread::sleep(Duration::from_secs(5)),
                Manners::Huge => stream.write_all(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])?,
                Manners::Half => return stream.write_all(&reply[..reply.len() - 1]),
                _ => stream.write_all(&reply)?,
            }
        }
    }
}

/// The folder of a server's socket, and a client of it.
fn server(manners: Manners) -> (Scratch, KcmServer) {
    let scratch = Scratch::new("kcm");
    let path = scratch.path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let state = Arc::new(Mutex::new(Server::default()));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let state = Arc::clone(&state);
            std::thread::spawn(move || Server::serve(&state, stream, manners));
        }
    });
    (scratch, KcmServer::new(path))
}

#[test]
fn servers_of_every_kind_keep_caches() {
    for manners in [Manners::Mit, Manners::Sssd, Manners::Heimdal] {
        let (_scratch, server) = server(manners);
        let cache = server.primary().unwrap();
        assert_eq!(cache.name(), CacheName::Kcm(Some("1000".into())));
        is_a_cache(&cache);
        is_in_a_collection(&cache);
    }
}

#[test]
fn servers_that_misbehave_are_given_up() {
    let (_scratch, honest) = server(Manners::Mit);
    assert!(honest.primary().is_ok());
    let (_scratch, silent) = server(Manners::Silent);
    let began = std::time::Instant::now();
    let refused = silent.patience(Duration::from_millis(50)).primary();
    assert_eq!(refused.map(|_| ()), Err(CacheError::TimedOut));
    assert!(began.elapsed() < Duration::from_secs(4));
    let (_scratch, huge) = server(Manners::Huge);
    let refused = huge.primary().map(|_| ());
    assert_eq!(refused, Err(CacheError::Kcm(KcmError::TooLarge(u32::MAX))));
    let (_scratch, half) = server(Manners::Half);
    let refused = half.primary().map(|_| ());
    assert_eq!(
        refused,
        Err(CacheError::Io(std::io::ErrorKind::UnexpectedEof))
    );
}
