//! What no type that holds a secret may be able to do.
//!
//! A copy outlives what it was made of and a comparison takes as long as the secrets are alike, so that both are
//! methods with names of their own (`duplicate`, `ct_eq`). What derives them again is found here.

use std::borrow::Borrow;
use std::fmt::Display;
use std::hash::Hash;
use std::ops::Deref;

use countersign::credential::ntlm::{NtlmCredential, Users};
use countersign::credential::{
    CredentialCache, KeyBlock, Keytab, KeytabEntry, Password, TicketCredential,
};
use countersign::crypto::ntlm::{NtHash, ResponseKey, SealKey, SessionKey, SignKey, Stream};
use countersign::crypto::{Cipher, Key, Mac};
use countersign::gss::{LucidContextV1, LucidKey};
use countersign::kerberos::kdc::{InitialTicket, PasswordChange, ServiceTicket};
use countersign::ntlm::Logon;
use countersign::sspi::{CtxtHandle, SecPkgContextSessionKey, SecWinntAuthIdentity};
use countersign::{Receiver, SecurityContext, Sender, kerberos, negotiate, ntlm};

/// Whether a type has a trait: where it does, what is of the type itself goes before what is of the trait `Otherwise`.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code, reason = "read where the type does not have it")]
        trait Otherwise {
            const IMPLEMENTED: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        #[allow(dead_code, reason = "read where the type has the trait")]
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "read where the type has the trait")]
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const IMPLEMENTED: bool = true;
        }
        <Probe<$type>>::IMPLEMENTED
    }};
}

/// The banned traits that a type has.
macro_rules! abilities {
    ($type:ty) => {
        [
            ("Clone", implements!($type: Clone)),
            ("Copy", implements!($type: Copy)),
            ("PartialEq", implements!($type: PartialEq)),
            ("PartialOrd", implements!($type: PartialOrd)),
            ("Hash", implements!($type: Hash)),
            ("Display", implements!($type: Display)),
            ("Deref", implements!($type: Deref)),
            ("AsRef<[u8]>", implements!($type: AsRef<[u8]>)),
            ("AsRef<str>", implements!($type: AsRef<str>)),
            ("Borrow<[u8]>", implements!($type: Borrow<[u8]>)),
            ("Into<Vec<u8>>", implements!($type: Into<Vec<u8>>)),
            ("Into<String>", implements!($type: Into<String>)),
        ]
        .into_iter()
        .filter_map(|(ability, has)| has.then_some(ability))
        .collect::<Vec<&str>>()
    };
}

macro_rules! none_of {
    ($($type:ty),* $(,)?) => {
        $(assert_eq!(abilities!($type), [""; 0], stringify!($type));)*
    };
}

#[test]
fn types_of_secrets_are_not_copied_compared_or_shown() {
    none_of!(Key, Cipher, Mac);
    none_of!(NtHash, ResponseKey, SealKey, SessionKey, SignKey, Stream);
    none_of!(Password, KeyBlock, Keytab, KeytabEntry);
    none_of!(TicketCredential, CredentialCache, NtlmCredential, Users);
    none_of!(SecurityContext, Sender, Receiver, LucidContextV1, LucidKey);
    none_of!(kerberos::Initiator, kerberos::Acceptor);
    none_of!(kerberos::IakerbInitiator, kerberos::IakerbAcceptor);
    none_of!(ntlm::Initiator, ntlm::Acceptor, Logon);
    none_of!(negotiate::Initiator, negotiate::Acceptor);
    none_of!(InitialTicket, ServiceTicket, PasswordChange);
    none_of!(CtxtHandle, SecWinntAuthIdentity, SecPkgContextSessionKey);
}

/// What is shared, and cloned without a copy of the secret, is not compared or shown either.
#[test]
fn types_that_share_secrets_are_not_compared_or_shown() {
    use countersign::kerberos::kdc::{ClientCredential, ClientSecret};

    assert_eq!(abilities!(ClientCredential), ["Clone"]);
    assert_eq!(abilities!(ClientSecret), ["Clone"]);
    assert_eq!(abilities!(kerberos::AcceptorCredential), ["Clone"]);
    assert_eq!(abilities!(ntlm::AcceptorCredential), ["Clone"]);
}

#[test]
fn what_is_copied_compared_or_shown_is_told() {
    let found = abilities!(String);
    for ability in ["Clone", "PartialEq", "PartialOrd", "Hash", "Display"] {
        assert!(found.contains(&ability), "{ability}: {found:?}");
    }
    for ability in ["Deref", "AsRef<[u8]>", "AsRef<str>", "Into<Vec<u8>>"] {
        assert!(found.contains(&ability), "{ability}: {found:?}");
    }
    assert!(found.contains(&"Into<String>"), "{found:?}");
    assert!(!found.contains(&"Copy"), "{found:?}");
    assert!(abilities!(u8).contains(&"Copy"));
    assert!(abilities!(Vec<u8>).contains(&"Borrow<[u8]>"));
}
