//! Our library as a side of a context, in this process.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_context::credential::cache::Version;
use countersign_context::credential::{
    CredentialCache, Keytab, Principal, ServiceName, TicketCredential,
};
use countersign_context::crypto::{Enctype, Random, RandomError};
use countersign_context::kerberos::kdc::{Acquisition, ClientCredential, KdcAnswer};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, IakerbAcceptor, IakerbDialect, IakerbInitiator, Initiator,
};
use countersign_context::token::kerberos::TicketFlags;
use countersign_context::{
    Answer, ChannelBindings, EnctypeSet, Environment, Flags, Identity, IoBuffer, Mechanism, Need,
    Order, Policy, PrfKey, Role, SecurityContext, Step, Timestamp, negotiate,
};

use crate::lab::Lab;
use crate::process::PATIENCE;
use crate::side::{
    AcceptorSetup, Bindings, Facts, Handshake, InitiatorSetup, Kind, Opened, Refusal, Scattered,
    Side, Stepped, gather,
};

/// The flags by the names that the scenarios use.
const FLAGS: [(&str, Flags); 9] = [
    ("deleg", Flags::DELEGATION),
    ("mutual", Flags::MUTUAL),
    ("replay", Flags::REPLAY),
    ("sequence", Flags::SEQUENCE),
    ("conf", Flags::CONFIDENTIALITY),
    ("integ", Flags::INTEGRITY),
    ("channel-bound", Flags::CHANNEL_BOUND),
    ("dce", Flags::DCE_STYLE),
    ("identify", Flags::IDENTIFY),
];

/// What the acceptors of one row share: the keys of a keytab with their replay cache.
pub(crate) type Shared = Rc<RefCell<Vec<(PathBuf, AcceptorCredential)>>>;

/// Our library.
pub(crate) struct Ours {
    policy: Policy,
    /// How many seconds our clock is ahead.
    ahead: i64,
    /// A forwarded ticket-granting ticket, to delegate.
    forwarded: PathBuf,
    /// Where the realm's KDC listens.
    kdc: String,
    shared: Shared,
    negotiates: bool,
    state: State,
    delegated: Option<TicketCredential>,
}

enum State {
    Idle,
    Opening(Box<dyn Mechanism>),
    Established(Box<SecurityContext>),
}

impl Ours {
    /// A side that permits every enctype of this build.
    pub(crate) fn new(lab: &Lab, ahead: i64, shared: &Shared) -> Self {
        let every = (0..64).filter_map(Enctype::from_id);
        Self {
            policy: Policy::default().with_enctypes(every.fold(EnctypeSet::AES, EnctypeSet::with)),
            ahead,
            forwarded: lab.path("forwarded.ccache"),
            kdc: lab.kdc().unwrap_or_default(),
            shared: Rc::clone(shared),
            negotiates: false,
            state: State::Idle,
            delegated: None,
        }
    }

    /// Speaks SPNEGO, and offers Kerberos alone in it.
    pub(crate) fn negotiating(mut self) -> Self {
        self.negotiates = true;
        self
    }

    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Timestamp::new(seconds, since.subsec_micros()).offset_by(self.ahead)
    }

    fn context(&mut self) -> Result<&mut SecurityContext, Refusal> {
        match &mut self.state {
            State::Established(context) => Ok(context),
            _ => Err("ours: no context".to_owned().into()),
        }
    }

    /// The initiator's identity, which is one or the other of ours.
    fn source(&mut self) -> Result<Identity, Refusal> {
        let context = self.context()?;
        let source = match context.role() {
            Role::Initiator => Some(context.local()),
            Role::Acceptor => context.peer(),
        };
        Ok(source
            .ok_or_else(|| "ours: the initiator has no name".to_owned())?
            .clone())
    }
}

/// A KDC's reply over TCP, RFC 4120 §7.2.2.
fn ask(kdc: &str, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    let problem = |error: std::io::Error| Refusal::from(format!("the KDC: {error}"));
    let mut stream = TcpStream::connect(kdc).map_err(problem)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(problem)?;
    let length = u32::try_from(message.len()).map_err(|error| error.to_string())?;
    stream.write_all(&length.to_be_bytes()).map_err(problem)?;
    stream.write_all(message).map_err(problem)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(problem)?;
    let mut reply = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap_or(0)];
    stream.read_exact(&mut reply).map_err(problem)?;
    Ok(reply)
}

struct System;

impl Random for System {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

impl From<countersign_context::Error> for Refusal {
    fn from(error: countersign_context::Error) -> Self {
        Self {
            reason: error.to_string(),
            token: error.token().map(<[u8]>::to_vec),
        }
    }
}

impl From<countersign_context::credential::Error> for Refusal {
    fn from(error: countersign_context::credential::Error) -> Self {
        error.to_string().into()
    }
}

impl Handshake for Ours {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        let now = self.now();
        let State::Opening(mechanism) = &mut self.state else {
            return Err("ours: no handshake".to_owned().into());
        };
        let mut random = System;
        let mut environment = Environment::new(now, &mut random).with_policy(&self.policy);
        let mut step = mechanism.step(token, &mut environment)?;
        while let Step::Need(Need::Kdc(request)) = step {
            let reply = ask(&self.kdc, &request.message)?;
            let answer = Answer::Kdc(KdcAnswer::Reply(reply));
            step = mechanism.resume(answer, &mut environment)?;
        }
        match step {
            Step::Continue { token } => Ok(Stepped {
                token: Some(token),
                complete: false,
            }),
            Step::Established { token, mut context } => {
                self.delegated = context.take_delegated();
                self.state = State::Established(context);
                Ok(Stepped {
                    token,
                    complete: true,
                })
            }
            Step::Need(need) => Err(format!("ours: needs {need:?}").into()),
        }
    }
}

impl Side for Ours {
    fn start_initiator(&mut self, setup: &InitiatorSetup) -> Result<(), Refusal> {
        let cache = CredentialCache::parse(&read(&setup.ccache)?)?;
        let service = ServiceName::parse(&format!("host/{}@COUNTERSIGN.TEST", setup.host))?;
        let ticket = cache
            .find_service(&service)
            .ok_or_else(|| format!("no ticket for {service}"))?;
        let mut asked = Flags::NONE;
        for name in &setup.flags {
            if let Some((_, flag)) = FLAGS.iter().find(|(known, _)| known == name) {
                asked |= *flag;
            }
        }
        let may_delegate = ticket.flags.contains(TicketFlags::OK_AS_DELEGATE);
        let mut initiator = Initiator::new(ticket.duplicate()).require(asked);
        if !asked.contains(Flags::MUTUAL) {
            initiator = initiator.one_way();
        }
        if setup.flags.contains(&"deleg-policy") && may_delegate {
            let cache = CredentialCache::parse(&read(&self.forwarded)?)?;
            let forwarded = cache
                .ticket_granting_ticket()
                .ok_or_else(|| "no TGT".to_owned())?;
            initiator = initiator.delegate(forwarded.duplicate());
        }
        if let Some(bindings) = &setup.bindings {
            initiator = initiator.channel_bindings(channel_bindings(bindings));
        }
        self.state = match self.negotiates {
            true => State::Opening(Box::new(negotiate::Initiator::new().offer(initiator))),
            false => State::Opening(Box::new(initiator)),
        };
        if let Some(keytab) = &setup.through_acceptor {
            let client = Principal::parse("alice@COUNTERSIGN.TEST")?;
            let alice = ClientCredential::keytab(client, &Keytab::parse(&read(keytab)?)?)?;
            let acquisition = Acquisition::new(&alice, &service);
            // MIT krb5 before 1.22.
            let initiator = IakerbInitiator::new(acquisition, move |ticket| {
                Initiator::new(ticket).require(asked)
            })
            .dialect(IakerbDialect::Zhu);
            self.state = State::Opening(Box::new(initiator));
        }
        Ok(())
    }

    fn start_acceptor(&mut self, setup: &AcceptorSetup) -> Result<(), Refusal> {
        let known = self
            .shared
            .borrow()
            .iter()
            .find(|(path, _)| *path == setup.keytab)
            .cloned();
        let credential = match known {
            Some((_, credential)) => credential,
            None => {
                let credential = AcceptorCredential::new(&Keytab::parse(&read(&setup.keytab)?)?);
                self.shared
                    .borrow_mut()
                    .push((setup.keytab.clone(), credential.clone()));
                credential
            }
        };
        let mut acceptor = Acceptor::new(&credential);
        if let Some(bindings) = &setup.bindings {
            acceptor = acceptor.channel_bindings(channel_bindings(bindings));
        }
        self.state = match setup.passes_on {
            true => State::Opening(Box::new(IakerbAcceptor::new(acceptor))),
            false if self.negotiates => {
                State::Opening(Box::new(negotiate::Acceptor::new().offer(acceptor)))
            }
            false => State::Opening(Box::new(acceptor)),
        };
        self.delegated = None;
        Ok(())
    }

    fn facts(&mut self) -> Result<Facts, Refusal> {
        let (now, source) = (self.now(), self.source()?.to_string());
        let delegated = self.delegated.is_some();
        let context = self.context()?;
        let target = match context.role() {
            Role::Initiator => context.peer().map(ToString::to_string),
            Role::Acceptor => Some(context.local().to_string()),
        };
        let granted = context.flags();
        let flags = FLAGS.iter().filter(|(_, flag)| granted.contains(*flag));
        Ok(Facts {
            source,
            target,
            flags: flags.map(|(name, _)| (*name).to_owned()).collect(),
            lifetime: context.remaining(now),
            delegated,
        })
    }

    fn exported_source(&mut self) -> Result<Vec<u8>, Refusal> {
        Ok(self.source()?.to_exported_name())
    }

    fn session_key(&mut self) -> Result<(i32, Vec<u8>), Refusal> {
        let key = self.context()?.session_key();
        let enctype = key.enctype().ok_or_else(|| "no enctype".to_owned())?;
        Ok((enctype.id(), key.expose().to_vec()))
    }

    fn store_delegated(&mut self, to: &Path) -> Result<(), Refusal> {
        let credential = self
            .delegated
            .as_ref()
            .ok_or_else(|| "nothing delegated".to_owned())?;
        let mut cache = CredentialCache::new(credential.client.clone());
        cache.push(credential.duplicate());
        let bytes = cache.to_bytes(Version::V4)?;
        std::fs::write(to, &*bytes).map_err(|e| format!("{}: {e}", to.display()))?;
        Ok(())
    }

    fn pass_on(&mut self) -> Result<(), Refusal> {
        let now = self.now();
        let State::Established(context) = std::mem::replace(&mut self.state, State::Idle) else {
            return Err("ours: no context".to_owned().into());
        };
        let exported = context.export()?;
        let mut random = System;
        let mut environment = Environment::new(now, &mut random).with_policy(&self.policy);
        let context = SecurityContext::import(&exported, &mut environment)?;
        self.state = State::Established(Box::new(context));
        Ok(())
    }

    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.context()?.wrap(seal, message)?)
    }

    fn unwrap(&mut self, token: &[u8]) -> Result<Opened, Refusal> {
        let (unwrapped, order) = self.context()?.unwrap_any_order(token)?;
        Ok(Opened {
            message: unwrapped.message,
            sealed: unwrapped.sealed,
            order: order_name(order).to_owned(),
        })
    }

    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.context()?.get_mic(message)?)
    }

    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<String, Refusal> {
        Ok(order_name(self.context()?.verify_mic_any_order(message, mic)?).to_owned())
    }

    fn wrap_aead(&mut self, seal: bool, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.context()?.wrap_aead(seal, aad, message)?)
    }

    fn unwrap_aead(&mut self, aad: &[u8], token: &[u8]) -> Result<Opened, Refusal> {
        let (unwrapped, order) = self.context()?.unwrap_aead_any_order(token, aad)?;
        Ok(Opened {
            message: unwrapped.message,
            sealed: unwrapped.sealed,
            order: order_name(order).to_owned(),
        })
    }

    fn wrap_iov(&mut self, seal: bool, mut message: Scattered) -> Result<Scattered, Refusal> {
        let context = self.context()?;
        let parts = context.wrap_iov_length(seal, &buffers(&mut message)?)?;
        for (kind, contents) in &mut message {
            match kind {
                Kind::Header => contents.resize(parts.header, 0),
                Kind::Padding => contents.resize(parts.padding, 0),
                Kind::Trailer => contents.resize(parts.trailer, 0),
                _ => {}
            }
        }
        let mut buffers = buffers(&mut message)?;
        context.wrap_iov(seal, &mut buffers)?;
        Ok(contents(&buffers))
    }

    fn unwrap_iov(&mut self, mut message: Scattered) -> Result<(Scattered, bool), Refusal> {
        let mut buffers = buffers(&mut message)?;
        let (protection, _) = self.context()?.unwrap_iov_any_order(&mut buffers)?;
        Ok((contents(&buffers), protection.is_sealed()))
    }

    fn mic_iov(&mut self, mut message: Scattered) -> Result<Scattered, Refusal> {
        message.retain(|(kind, _)| *kind != Kind::Mic);
        let mic = self.context()?.get_mic_iov(&buffers(&mut message)?)?;
        message.push((Kind::Mic, mic));
        Ok(message)
    }

    fn verify_iov(&mut self, mut message: Scattered) -> Result<(), Refusal> {
        let mic = gather(&message, &[Kind::Mic]);
        message.retain(|(kind, _)| *kind != Kind::Mic);
        Ok(self
            .context()?
            .verify_mic_iov(&buffers(&mut message)?, &mic)?)
    }

    fn prf(&mut self, full: bool, seed: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
        let key = if full { PrfKey::Full } else { PrfKey::Partial };
        Ok(self.context()?.pseudo_random(key, seed, length)?.to_vec())
    }

    fn size_limit(&mut self, seal: bool, output: usize) -> Result<usize, Refusal> {
        Ok(self.context()?.wrap_size_limit(seal, output))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

fn channel_bindings(bindings: &Bindings) -> ChannelBindings {
    let mut ours = ChannelBindings::from_application_data(bindings.application_data.clone());
    if let Some((kind, address)) = &bindings.initiator_address {
        ours = ours.with_initiator_address(*kind, address.clone());
    }
    if let Some((kind, address)) = &bindings.acceptor_address {
        ours = ours.with_acceptor_address(*kind, address.clone());
    }
    ours
}

const fn order_name(order: Order) -> &'static str {
    match order {
        Order::InOrder => "none",
        Order::Duplicate => "duplicate",
        Order::Old => "old",
        Order::Unsequenced => "unseq",
        Order::Gap => "gap",
    }
}

fn buffers(message: &mut Scattered) -> Result<Vec<IoBuffer<'_>>, Refusal> {
    let buffers = message.iter_mut().map(|(kind, contents)| {
        Some(match kind {
            Kind::Header => IoBuffer::Header(contents),
            Kind::Data => IoBuffer::Data(contents),
            Kind::SignOnly => IoBuffer::SignOnly(contents),
            Kind::Padding => IoBuffer::Padding(contents),
            Kind::Trailer => IoBuffer::Trailer(contents),
            Kind::Stream => IoBuffer::Stream(contents),
            Kind::Mic => return None,
        })
    });
    let buffers: Option<Vec<_>> = buffers.collect();
    Ok(buffers.ok_or_else(|| "ours: a MIC is no buffer of a wrapped message".to_owned())?)
}

fn contents(buffers: &[IoBuffer<'_>]) -> Scattered {
    let contents = buffers.iter().map(|buffer| match buffer {
        IoBuffer::Header(bytes) => (Kind::Header, bytes.to_vec()),
        IoBuffer::Data(bytes) => (Kind::Data, bytes.to_vec()),
        IoBuffer::SignOnly(bytes) => (Kind::SignOnly, bytes.to_vec()),
        IoBuffer::Padding(bytes) => (Kind::Padding, bytes.to_vec()),
        IoBuffer::Trailer(bytes) => (Kind::Trailer, bytes.to_vec()),
        IoBuffer::Stream(bytes) => (Kind::Stream, bytes.to_vec()),
    });
    contents.collect()
}
