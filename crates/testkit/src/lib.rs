#![doc = include_str!("../README.md")]

mod acceptor;
mod checksum;
mod clock;
mod cred;
mod error;
pub mod flags;
pub mod framing;
mod initiator;
pub mod kdc;
pub mod pac;
pub mod pipe;
mod random;
mod realm;
mod reply;
mod ticket;
mod wire;

pub use acceptor::{RawAcceptor, ReceivedApReq};
pub use checksum::{GSS_CHECKSUM, GssChecksum, bindings_hash};
pub use clock::{FixedClock, NOW};
pub use cred::{open_krb_cred, seal_krb_cred};
pub use error::Error;
pub use framing::Framing;
pub use initiator::{ApReqBuilder, ApReqToken};
pub use kdc::{Account, AccountState, FastPolicy, Kdc, KdcBuilder, KdcFault, KdcServer};
pub use pac::{PacBuilder, PacLogonInfo, PacSigner};
pub use pipe::{Fault, MessagePipe, StreamEnd, StreamFault};
pub use random::{FailingRandom, SeededRandom};
pub use rasn_kerberos;
pub use realm::{KVNO, Realm};
pub use reply::{ApRepBuilder, ApRepParts, KrbErrorBuilder, read_ap_rep, read_krb_error};
pub use ticket::TicketBuilder;
pub use wire::if_relevant;
