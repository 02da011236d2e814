//! The client of the KDC: from a long-term secret to a service ticket.
//!
//! Each exchange is an [`Exchange`]: it says what to send to which realm, takes the reply, and in
//! the end yields its result. Where a KDC is, and how bytes get there, is for the driver.

mod exchange;
#[allow(dead_code)] // the exchanges that need it follow
mod fast;
#[allow(dead_code)]
mod krb_error;
#[allow(dead_code)]
mod options;
#[allow(dead_code)]
mod padata;
#[allow(dead_code)]
mod reply;

pub use exchange::{Exchange, ExchangeStep, KdcAnswer, KdcRequest, KdcService};
pub use options::TicketOptions;
