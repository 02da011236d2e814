//! What the types of secrets must not be able to do.

use alloc::format;

use countersign_crypto::ntlm::NtHash;

use super::{AccountName, NtlmCredential, Users, UsersError};
use crate::Password;

#[test]
fn debug_output_shows_names_and_no_secret() {
    let name = AccountName::parse("CORP\\alice").unwrap();
    let credential = NtlmCredential::with_password(name.clone(), &Password::from("hidden"));
    let text = format!("{credential:?}");
    assert!(
        text.contains("alice") && text.contains("NtHash(..)"),
        "{text}"
    );
    assert!(!text.contains("hidden"), "{text}");
    let mut users = Users::new();
    users.insert(name, NtHash::new([0x5A; 16])).unwrap();
    assert_eq!(format!("{users:#?}"), "Users(1)");
}

#[test]
fn credentials_and_users_are_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<(AccountName, NtlmCredential, Users, UsersError)>();
}

/// Fails to compile when a secret type implements a trait that would copy, compare or print it unseen.
#[test]
fn secret_types_are_not_clone_not_comparable_and_not_displayed() {
    macro_rules! without {
        ($secret:ty: $($banned:path),*) => {{
            trait Ambiguous<Marker> {
                fn check() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            $({
                struct Banned;
                impl<T: ?Sized + $banned> Ambiguous<Banned> for T {}
            })*
            <$secret as Ambiguous<_>>::check();
        }};
    }
    without!(NtlmCredential: Clone, PartialEq, core::fmt::Display, core::hash::Hash);
    without!(Users: Clone, PartialEq, core::fmt::Display, core::hash::Hash);
}
