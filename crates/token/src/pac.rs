//! The Privilege Attribute Certificate of Active Directory: MS-PAC.
//!
//! What a domain's KDC says about a client, inside of a ticket's authorization data: its security
//! identifier, groups, names, and how it came by the ticket. Everything borrows from the received
//! bytes, nothing here is authenticated: the signatures are for whoever holds the keys to verify.
//!
//! ```
//! use countersign_token::pac::{BufferType, Pac, Sid};
//!
//! // One buffer, PAC_REQUESTOR, at offset 24.
//! let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0];
//! bytes.extend([0x12, 0, 0, 0, 28, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0]);
//! let user: Sid = "S-1-5-21-1-2-3-1105".parse()?;
//! bytes.extend(user.to_bytes().as_slice());
//!
//! let pac = Pac::parse(&bytes)?;
//! assert_eq!(pac.buffers().count(), 1);
//! assert_eq!(pac.requestor()?, Some(user));
//! assert_eq!(pac.buffer(BufferType::LOGON_INFO), None);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod attributes;
mod client_info;
mod container;
mod cursor;
mod delegation_info;
mod file_time;
mod groups;
mod logon_info;
mod ndr;
mod sid;
mod signature;
mod upn_dns_info;
mod utf16;

pub use attributes::PacAttributes;
pub use client_info::ClientInfo;
pub use container::{Buffer, BufferType, Buffers, Pac};
pub use delegation_info::{DelegationInfo, TransitedServices};
pub use file_time::FileTime;
pub use groups::{ExtraSids, GroupAttributes, GroupMembership, GroupMemberships, SidAndAttributes};
pub use logon_info::{LogonInfo, UserFlags};
pub use sid::{ParseSidError, Sid, SidBytes};
pub use signature::{SignatureData, SignedParts};
pub use upn_dns_info::{UpnDnsFlags, UpnDnsInfo};
pub use utf16::Utf16;
