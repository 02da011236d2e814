//! Secrets are copied, compared and shown only where the code says so, and a context belongs to
//! the one connection on which it was established.

use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{Receiver, SecurityContext, Sender, SessionKey};
use countersign_credential::{
    CredentialCache, KeyBlock, Keytab, KeytabEntry, Password, TicketCredential,
};
use countersign_token::kerberos::{Checksum, EncryptionKey};

/// Fails to compile when a type implements a trait that it must not.
macro_rules! without {
    ($($banned:path),*: $($type:ty),*) => {
        without!(@each [$($banned),*] $($type),*);
    };
    (@each $banned:tt $($type:ty),*) => {$(
        without!(@one $banned $type);
    )*};
    (@one [$($banned:path),*] $type:ty) => {$({
        trait Ambiguous<Marker> {
            fn check() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + $banned> Ambiguous<u8> for T {}
        <$type as Ambiguous<_>>::check();
    })*};
}

/// CVE-2014-0015, CVE-2016-0755, CVE-2026-1965: a connection that one user authenticated serves
/// no other. Nothing gives a second connection the same context.
#[test]
fn contexts_and_their_halves_cannot_be_copied() {
    without!(Clone, Default: SecurityContext, Sender, Receiver, Initiator, Acceptor);
    fn control<T: Clone>() {}
    // An acceptor's keys are shared by its connections on purpose.
    control::<AcceptorCredential>();
}

#[test]
fn secrets_are_not_copied_compared_hashed_or_displayed_unseen() {
    without!(
        Clone, PartialEq, std::fmt::Display, std::hash::Hash:
        SecurityContext, Sender, Receiver, Password, KeyBlock, KeytabEntry, Keytab,
        TicketCredential, CredentialCache
    );
    // Views of what another owns.
    without!(
        PartialEq, std::fmt::Display, std::hash::Hash:
        SessionKey<'static>, EncryptionKey<'static>, Checksum<'static>
    );
    #[cfg(feature = "rc4")]
    without!(
        Clone, PartialEq, std::fmt::Display, std::hash::Hash:
        countersign_crypto::rc4::GssKey, countersign_crypto::rc4::Stream
    );
}
