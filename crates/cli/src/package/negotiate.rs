//! Negotiate: the other packages, in the order in which `--mechanisms` names them.

use countersign::handshake::Handshake;
use countersign::negotiate::{Acceptor, Initiator};
use countersign::{Answer, Flags, Mechanism, Need, Policy};

use crate::args::{ConnectOptions, Package, ServeOptions};
use crate::failure::Failure;
use crate::package;

pub(crate) struct Server(Vec<Box<dyn package::Server>>);

impl Server {
    pub(crate) fn new(options: &ServeOptions) -> Result<Self, Failure> {
        each(&options.protocol.mechanisms, |mechanism| {
            package::server_of(mechanism, options)
        })
        .map(Self)
    }
}

impl package::Server for Server {
    fn acceptor(&self) -> Box<dyn Mechanism> {
        let offers = self.0.iter().map(|server| server.acceptor());
        Box::new(offers.fold(Acceptor::new(), Acceptor::offer_boxed))
    }

    fn permit(&self, policy: Policy) -> Policy {
        self.0
            .iter()
            .fold(policy, |policy, server| server.permit(policy))
    }

    fn answer(&self, need: &Need) -> Option<Answer> {
        self.0.iter().find_map(|server| server.answer(need))
    }
}

pub(crate) struct Client(Vec<Box<dyn package::Client>>);

impl Client {
    pub(crate) fn new(options: &ConnectOptions) -> Result<Self, Failure> {
        each(&options.protocol.mechanisms, |mechanism| {
            package::client_of(mechanism, options)
        })
        .map(Self)
    }
}

impl package::Client for Client {
    fn initiator(&self, flags: Flags) -> Result<Box<dyn Mechanism>, Failure> {
        let mut initiator = Initiator::new();
        for client in &self.0 {
            initiator = initiator.offer_boxed(client.initiator(flags)?);
        }
        Ok(Box::new(initiator))
    }

    fn permit(&self, policy: Policy) -> Policy {
        self.0
            .iter()
            .fold(policy, |policy, client| client.permit(policy))
    }

    fn attach(&self, handshake: Handshake) -> Handshake {
        self.0
            .iter()
            .fold(handshake, |handshake, client| client.attach(handshake))
    }
}

/// One of each, in their order.
fn each<T>(
    mechanisms: &[Package],
    make: impl Fn(Package) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    for (place, mechanism) in mechanisms.iter().enumerate() {
        let again = mechanisms
            .iter()
            .take(place)
            .any(|other| other == mechanism);
        if again || *mechanism == Package::Negotiate {
            return Err(Failure::usage(
                "--mechanisms takes kerberos and ntlm, each once, the preferred one first",
            ));
        }
    }
    mechanisms.iter().copied().map(make).collect()
}
