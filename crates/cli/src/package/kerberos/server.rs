//! A service with a keytab.

use std::path::Path;

use countersign::credential::{Keytab, KeytabEntry};
#[cfg(feature = "redis")]
use countersign::handshake::replay::{self, RedisReplayCache};
#[cfg(feature = "redis")]
use countersign::kerberos::ReplayProtection;
use countersign::kerberos::{Acceptor, AcceptorCredential, ServicePattern};
#[cfg(feature = "redis")]
use countersign::{Answer, Need};
use countersign::{EnctypeSet, Mechanism, Policy};

use crate::args::ServeOptions;
#[cfg(feature = "redis")]
use crate::args::{Outage, Replays};
use crate::failure::Failure;
#[cfg(feature = "redis")]
use crate::output::complain;
use crate::{files, package};

pub(crate) struct Server {
    credential: AcceptorCredential,
    enctypes: EnctypeSet,
    #[cfg(feature = "redis")]
    replays: Option<RedisReplayCache>,
}

impl Server {
    pub(crate) fn new(options: &ServeOptions) -> Result<Self, Failure> {
        let path = options.keytab.as_deref().ok_or_else(|| {
            Failure::usage("--package kerberos needs --keytab PATH, with the keys of the service")
        })?;
        let keytab = files::keytab(path)?;
        let mut credential = AcceptorCredential::new(&keytab);
        if credential.principals().next().is_none() {
            return Err(Failure::usage(format!(
                "the keytab {} holds no key that this program can use; look at it with \
                 `klist -ket`",
                path.display()
            )));
        }
        if !options.services.is_empty() {
            let services: Vec<_> = options
                .services
                .iter()
                .map(|text| service(text, &credential))
                .collect::<Result<_, _>>()?;
            credential = credential.with_services(services);
        }
        let enctypes = options.protocol.enctypes.set()?;
        permitted_keys(&keytab, enctypes, path)?;
        #[cfg(feature = "redis")]
        let replays = replays(&options.replays)?;
        #[cfg(feature = "redis")]
        if replays.is_some() {
            credential = credential.with_replay_protection(ReplayProtection::External);
        }
        Ok(Self {
            credential,
            enctypes,
            #[cfg(feature = "redis")]
            replays,
        })
    }
}

impl package::Server for Server {
    fn acceptor(&self) -> Box<dyn Mechanism> {
        Box::new(Acceptor::new(&self.credential))
    }

    fn permit(&self, policy: Policy) -> Policy {
        policy.with_enctypes(self.enctypes)
    }

    #[cfg(feature = "redis")]
    fn answer(&self, need: &Need) -> Option<Answer> {
        self.replays.as_ref()?.answer(need)
    }
}

/// The replay cache that is not this process's own.
#[cfg(feature = "redis")]
fn replays(options: &Replays) -> Result<Option<RedisReplayCache>, Failure> {
    let Some(url) = &options.replay_cache else {
        return Ok(None);
    };
    let outage = match options.replay_outage {
        Outage::Refuse => replay::Outage::Refuse,
        Outage::RememberHere => replay::Outage::RememberHere,
    };
    let builder = RedisReplayCache::builder(url)
        .map_err(|error| Failure::usage(format!("--replay-cache: {error}")))?
        .on_outage(outage)
        .observe(|error| complain(&format!("error: the replay cache: {error}")));
    Ok(Some(builder.build()))
}

/// A listed service. One that is written in full may be an alias of what the keytab names; a
/// wildcard that covers nothing in it would refuse everybody.
fn service(text: &str, credential: &AcceptorCredential) -> Result<ServicePattern, Failure> {
    let pattern = ServicePattern::parse(text).ok_or_else(|| {
        Failure::usage(format!(
            "\"{text}\" is no service; write HTTP/www.example.com, HTTP/www.example.com@REALM or \
             HTTP/*"
        ))
    })?;
    let wildcard = text
        .split('@')
        .next()
        .is_some_and(|name| name.ends_with("/*"));
    if wildcard && !credential.principals().any(|name| pattern.matches(name)) {
        return Err(Failure::usage(format!(
            "the keytab has no key of a name that {text} covers; look at it with `klist -ket`"
        )));
    }
    Ok(pattern)
}

/// Whether any key at all may be used; otherwise every client would be refused.
fn permitted_keys(keytab: &Keytab, permitted: EnctypeSet, path: &Path) -> Result<(), Failure> {
    let mut names = Vec::new();
    for enctype in keytab.entries().iter().filter_map(KeytabEntry::enctype) {
        if permitted.contains(enctype) {
            return Ok(());
        }
        if !names.contains(&enctype.name()) {
            names.push(enctype.name());
        }
    }
    Err(Failure::usage(format!(
        "the keytab {} has keys of {} only, which are not permitted; name them with \
         --allow-enctype",
        path.display(),
        names.join(" and ")
    )))
}
