//! The messages and structures of NTLM: MS-NLMP §2.2.
//!
//! Everything borrows from the received bytes, and nothing here is authenticated: a name is what
//! its sender wrote, and a MIC or a response is for whoever holds the keys to verify.
//!
//! The messages have grown over the years. Each is read in every layout in use: where its fixed
//! part ends is told by the lowest offset of a field that is not empty (see docs/TOLERANCES.md).
//! What is written has the layout and the order of Windows.
//!
//! ```
//! use countersign_token::ntlm::{
//!     AvId, AvPairs, AvPairsBuilder, ChallengeMessage, Charset, NegotiateFlags, Text,
//! };
//!
//! let mut pairs = AvPairsBuilder::new();
//! pairs.push_text(AvId::NB_DOMAIN_NAME, "EXAMPLE")?;
//! pairs.push(AvId::TIMESTAMP, &0x01da_0000_0000_0000_u64.to_le_bytes())?;
//! let pairs = pairs.finish();
//!
//! let challenge = ChallengeMessage {
//!     flags: NegotiateFlags::NEGOTIATE_UNICODE | NegotiateFlags::TARGET_INFO,
//!     target_name: Text::parse(b"E\0X\0", Charset::Unicode)?,
//!     server_challenge: [7; 8],
//!     target_info: Some(AvPairs::parse(&pairs)?),
//!     version: None,
//! };
//! let token = challenge.to_bytes()?;
//! let read = ChallengeMessage::parse(&token)?;
//! assert_eq!(read, challenge);
//! assert!(read.target_name == "EX");
//! # Ok::<_, countersign_token::DecodeError>(())
//! ```

mod authenticate;
mod av_pair;
mod av_pairs;
mod av_pairs_builder;
mod challenge;
mod flags;
mod message;
mod message_type;
mod negotiate;
mod response;
mod signature;
mod single_host;
mod text;
mod version;

pub use authenticate::AuthenticateMessage;
pub use av_pair::{AvFlags, AvId, AvPair};
pub use av_pairs::{AvPairs, AvPairsIter};
pub use av_pairs_builder::AvPairsBuilder;
pub use challenge::ChallengeMessage;
pub use flags::NegotiateFlags;
pub use message_type::{MessageType, SIGNATURE};
pub use negotiate::NegotiateMessage;
pub use response::{NtlmV2Response, encode_client_challenge};
pub use signature::{MessageSignature, MessageSignatureV1};
pub use single_host::SingleHostData;
pub use text::{Charset, Text};
pub use version::Version;
