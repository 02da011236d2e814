//! User-to-user: RFC 4120 §3.7. An acceptor without a long-term key hands out its ticket-granting
//! ticket (draft-swift-win2k-krb-user2user-03 3), the KDC encrypts the initiator's ticket in that
//! one's session key.

mod acceptor;
mod initiator;

pub(super) use acceptor::OwnTicket;
pub use initiator::UserToUserInitiator;
