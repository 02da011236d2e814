//! A client with a ticket, or with what gets one.

use countersign::handshake::Handshake;
use countersign::{EnctypeSet, Flags, Mechanism, Policy};

use crate::args::ConnectOptions;
use crate::failure::Failure;
use crate::package;

use super::source::Source;

pub(crate) struct Client {
    source: Source,
    enctypes: EnctypeSet,
    one_way: bool,
    delegate: bool,
}

impl Client {
    pub(crate) fn new(options: &ConnectOptions) -> Result<Self, Failure> {
        let text = options.target.as_deref().ok_or_else(|| {
            Failure::usage(
                "--package kerberos needs --target SPN, such as HTTP/www.example.com: the service \
                 that the ticket is for",
            )
        })?;
        let target = package::target(text)?;
        Ok(Self {
            source: Source::find(&target, options)?,
            enctypes: options.protocol.enctypes.set()?,
            one_way: options.no_mutual,
            delegate: options.delegate,
        })
    }
}

impl package::Client for Client {
    fn initiator(&self, flags: Flags) -> Result<Box<dyn Mechanism>, Failure> {
        let mut initiator = self.source.initiator().require(flags);
        if self.delegate {
            initiator = initiator.delegate(self.source.forwarded()?);
        }
        if self.one_way {
            initiator = initiator.one_way();
        }
        Ok(Box::new(initiator))
    }

    fn permit(&self, policy: Policy) -> Policy {
        policy.with_enctypes(self.enctypes)
    }

    /// KDCs are asked through the source's own client.
    fn attach(&self, handshake: Handshake) -> Handshake {
        self.source.attach(handshake)
    }
}
