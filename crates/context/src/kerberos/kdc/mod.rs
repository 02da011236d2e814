//! The client of the KDC: from a long-term secret to a service ticket.
//!
//! Each exchange is an [`Exchange`]: it says what to send to which realm, takes the reply, and in
//! the end yields its result. Where a KDC is, and how bytes get there, is for the driver.

mod acquire;
mod as_reply;
mod as_request;
mod client_credential;
mod ended;
mod exchange;
mod fast;
mod hints;
mod initial;
mod krb_error;
mod options;
mod padata;
mod password_change;
mod password_message;
mod path;
mod preauth;
mod reply;
mod s4u;
mod secret;
mod service_ticket;
mod tgs_request;
mod tickets;

pub use acquire::{Acquisition, Target};
pub use client_credential::ClientCredential;
pub use countersign_token::kerberos::kpasswd::PasswordPolicy;
pub use exchange::{Exchange, ExchangeStep, KdcAnswer, KdcRequest, KdcService};
pub use initial::{InitialTicket, InitialTicketOutcome, LastRequest};
pub use options::TicketOptions;
pub use password_change::{PasswordChange, PasswordChangeOutcome, PasswordChangeResult};
pub use path::{RealmPath, RealmPaths};
pub use secret::ClientSecret;
pub use service_ticket::{ServiceTicket, ServiceTicketOutcome};
pub use tickets::{TicketKey, Tickets};
