//! The security packages: what `serve` and `connect` need of each.
//!
//! One file a package, with its server and its client; all else does not tell them apart.

mod kerberos;
mod negotiate;
#[cfg(feature = "ntlm")]
mod ntlm;

use countersign::credential::ServiceName;
use countersign::handshake::Handshake;
use countersign::{Answer, Flags, Mechanism, Need, Policy};

use crate::args::{ConnectOptions, Package, ServeOptions};
use crate::failure::Failure;

/// What all connections of `serve` share.
pub(crate) trait Server: Send + Sync {
    /// The half-open context of one connection.
    fn acceptor(&self) -> Box<dyn Mechanism>;

    /// The policy, and in it what the options permit of this package.
    fn permit(&self, policy: Policy) -> Policy;

    /// What the mechanism asks for on the way.
    fn answer(&self, _need: &Need) -> Option<Answer> {
        None
    }
}

/// What all connections of `connect` share.
pub(crate) trait Client {
    /// The half-open context of one connection, which needs all of these flags.
    fn initiator(&self, flags: Flags) -> Result<Box<dyn Mechanism>, Failure>;

    /// The policy, and in it what the options permit of this package.
    fn permit(&self, policy: Policy) -> Policy;

    /// Lends the handshake what the mechanism asks for on the way.
    fn attach(&self, handshake: Handshake) -> Handshake {
        handshake
    }
}

/// The server of the package that the options name.
pub(crate) fn server(options: &ServeOptions) -> Result<Box<dyn Server>, Failure> {
    server_of(options.protocol.package, options)
}

fn server_of(package: Package, options: &ServeOptions) -> Result<Box<dyn Server>, Failure> {
    Ok(match package {
        Package::Negotiate => Box::new(negotiate::Server::new(options)?),
        Package::Kerberos => Box::new(kerberos::Server::new(options)?),
        #[cfg(feature = "ntlm")]
        Package::Ntlm => Box::new(ntlm::Server::new(options)?),
    })
}

/// The client of the package that the options name.
pub(crate) fn client(options: &ConnectOptions) -> Result<Box<dyn Client>, Failure> {
    client_of(options.protocol.package, options)
}

fn client_of(package: Package, options: &ConnectOptions) -> Result<Box<dyn Client>, Failure> {
    Ok(match package {
        Package::Negotiate => Box::new(negotiate::Client::new(options)?),
        Package::Kerberos => Box::new(kerberos::Client::new(options)?),
        #[cfg(feature = "ntlm")]
        Package::Ntlm => Box::new(ntlm::Client::new(options)?),
    })
}

/// The service that `--target` names.
fn target(text: &str) -> Result<ServiceName, Failure> {
    ServiceName::parse(text)
        .map_err(|error| Failure::usage(format!("the target {text:?}: {error}")))
}
