//! Kerberos: RFC 4120 through RFC 4121, with the extensions of MS-KILE that peers use.

mod acceptor;
mod ap_rep;
mod ap_req;
mod authorization;
mod credential;
mod delegation;
mod drawn;
mod framing;
mod iakerb;
mod initiator;
pub mod kdc;
mod krb_error;
pub(crate) mod pac;
mod plaintext;
mod replay;
mod request;
mod service;
mod ticket;
mod user_to_user;

pub use acceptor::Acceptor;
pub use credential::{AcceptorCredential, ReplayProtection};
pub use iakerb::{IakerbAcceptor, IakerbDialect, IakerbInitiator};
pub use initiator::Initiator;
pub use pac::{SignatureState, VerifiedPac};
pub use replay::ReplayCache;
pub use service::ServicePattern;
pub use user_to_user::UserToUserInitiator;
