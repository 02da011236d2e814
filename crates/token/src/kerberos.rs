//! The messages of RFC 4120, and the tokens of RFC 4121 and RFC 1964 that carry them.
//!
//! Every message is a struct that borrows from the received bytes; its fields have the names of
//! the ASN.1 fields. Constant fields (`pvno`, `tkt-vno`, `authenticator-vno`, `msg-type`) are
//! checked when they are read and written when they are written, and have no Rust field.
//!
//! ```
//! use countersign_token::der::{Decode, Encode, SequenceOf};
//! use countersign_token::kerberos::{KerberosString, PrincipalName};
//!
//! let components = [KerberosString::new(b"host"), KerberosString::new(b"www.example.com")];
//! let name = PrincipalName { name_type: 3, name_string: SequenceOf::new(&components) };
//! assert_eq!(PrincipalName::from_der(&name.to_der()), Ok(name));
//! ```

mod macros;

mod ap;
pub mod authorization;
pub mod cfx;
mod claimed;
mod cred;
mod data;
mod error;
pub mod fast;
pub(crate) mod flags;
pub mod gss_checksum;
pub mod gss_token;
pub mod iakerb;
mod kdc;
pub mod kkdcp;
pub mod kpasswd;
pub mod ms_error;
mod preauth;
mod principal;
pub mod rfc1964;
pub mod s4u;
mod safe_priv;
mod ticket;
mod time;
pub mod user_to_user;

pub use ap::{ApRep, ApReq, Authenticator, EncApRepPart};
pub use authorization::{
    AdAndOr, AdKdcIssued, AuthorizationData, AuthorizationDataEntry, EtypeList,
};
pub use claimed::Claimed;
pub use cred::{EncKrbCredPart, KrbCred, KrbCredInfo};
pub use data::{Checksum, EncryptedData, EncryptionKey, HostAddress, HostAddresses};
pub use error::{KrbError, TypedData, TypedDataEntry};
pub use fast::{
    KrbFastArmor, KrbFastArmoredRep, KrbFastArmoredReq, KrbFastFinished, KrbFastReq,
    KrbFastResponse, PaAuthenticationSet, PaAuthenticationSetElem, PaFxFastReply, PaFxFastRequest,
};
pub use flags::{ApOptions, FastOptions, KdcOptions, PacOptions, S4uOptions, TicketFlags};
pub use gss_checksum::{GssChecksum, GssFlags};
pub use iakerb::{IakerbFinished, IakerbHeader};
pub use kdc::{
    AsRep, AsReq, EncAsRepPart, EncKdcRepPart, EncTgsRepPart, KdcRep, KdcReq, KdcReqBody, LastReq,
    LastReqEntry, TgsRep, TgsReq,
};
pub use kkdcp::KdcProxyMessage;
pub use kpasswd::{ChangePasswdData, KpasswdReply, KpasswdRequest, KpasswdResult};
pub use ms_error::{KerbErrorData, KerbExtError};
pub use preauth::{
    EtypeInfo, EtypeInfo2, EtypeInfo2Entry, EtypeInfoEntry, MethodData, PaData, PaEncTsEnc,
};
pub use principal::{KerberosString, PrincipalName, Realm};
pub use s4u::{PaForUser, PaPacOptions, PaPacRequest, PaS4uX509User, S4uUserId};
pub use safe_priv::{EncKrbPrivPart, KrbPriv, KrbSafe, KrbSafeBody};
pub use ticket::{EncTicketPart, Ticket, TransitedEncoding};
pub use time::{KerberosTime, Microseconds};
pub use user_to_user::{TgtRep, TgtReq};
