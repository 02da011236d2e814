//! KDC proxies, MS-KKDCP. HTTP is so little here that it is written out; TLS is of `rustls`.

mod anchors;
mod conversation;
mod message;
mod response;

pub use self::anchors::{Anchors, AnchorsError};
pub(super) use self::conversation::Conversation;
