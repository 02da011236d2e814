//! What the fuzz targets share: mutators that know DER, a deterministic realm, the oracles.

pub mod der_tree;
pub mod inside;
pub mod kdc;
pub mod mit;
pub mod negotiate;
pub mod ntlm;
pub mod oracle;
pub mod random;
pub mod realm;
pub mod sections;

pub use random::Seeded;

/// Decodes `$data` as each type in turn. What decodes must encode to something that decodes to the
/// same value and the same bytes.
#[macro_export]
macro_rules! round_trip {
    ($data:expr; $($kind:ty),* $(,)?) => {$(
        if let Ok(value) = <$kind as countersign_token::der::Decode>::from_der($data) {
            let encoded = countersign_token::der::Encode::to_der(&value);
            match <$kind as countersign_token::der::Decode>::from_der(&encoded) {
                Ok(again) => {
                    assert_eq!(format!("{value:?}"), format!("{again:?}"));
                    assert_eq!(countersign_token::der::Encode::to_der(&again), encoded);
                }
                Err(error) => panic!("{}: own encoding: {error}", stringify!($kind)),
            }
        }
    )*};
}
