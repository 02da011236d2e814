//! The Distinguished Encoding Rules (X.690) as far as Kerberos, GSS-API and SPNEGO need them:
//! definite minimal lengths, one-octet tags, a bounded cursor that borrows, a writer that nests.
//!
//! ```
//! use countersign_token::der::{Decode, Encode};
//!
//! let der = 300_i32.to_der();
//! assert_eq!(der, [0x02, 0x02, 0x01, 0x2c]);
//! assert_eq!(i32::from_der(&der), Ok(300));
//! ```

mod boolean;
mod encoded;
mod integer;
mod reader;
mod sequence_of;
mod string;
mod tag;
mod writer;

pub use encoded::Encoded;
pub(crate) use integer::integer_of_32_bits;
pub use reader::{Decode, Reader};
pub use sequence_of::{Iter, MAX_ELEMENTS, SequenceOf};
pub use tag::{Class, Tag};
pub use writer::{Encode, Writer};

pub(crate) use reader::Field;
