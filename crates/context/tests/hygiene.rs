//! Secrets are copied, compared and shown only where the code says so, and a context belongs to
//! the one connection on which it was established.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

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

/// NTLM's contexts belong to one connection likewise, and a hash is as good as a password.
#[cfg(feature = "ntlm")]
mod ntlm {
    use countersign_context::credential::ntlm::{AccountName, NtlmCredential, Users};
    use countersign_context::crypto::ntlm::{
        Checksum, NtHash, ResponseKey, SealKey, SessionKey, SignKey, Stream,
    };
    use countersign_context::ntlm::{
        Acceptor, AcceptorCredential, Initiator, Logon, LogonRequest, MachineId, ServerNames,
    };
    use countersign_context::{Answer, Environment, Flags, Mechanism, Need, Step, Timestamp};
    use countersign_credential::Password;
    use countersign_testkit::SeededRandom;

    const PASSWORD: &str = "open sesame";

    #[test]
    fn contexts_cannot_be_copied_and_secrets_not_compared_or_displayed_unseen() {
        without!(Clone, Default: Initiator, Acceptor);
        without!(
            Clone, PartialEq, std::fmt::Display, std::hash::Hash:
            NtlmCredential, Users, Logon, NtHash, ResponseKey, SessionKey, SignKey, SealKey, Stream,
            Checksum
        );
        // What can be searched for a password, or tells one machine from another.
        without!(std::fmt::Display, std::hash::Hash: LogonRequest, MachineId);
        #[cfg(feature = "ntlm-v1")]
        without!(
            Clone, PartialEq, std::fmt::Display, std::hash::Hash:
            countersign_context::crypto::ntlm::v1::LmHash
        );
        fn control<T: Clone>() {}
        control::<AcceptorCredential>();
        control::<LogonRequest>();
    }

    /// An exchange in which all is printed that can be; `printed` has the text, the rest what must
    /// not be in it.
    fn exchange() -> (String, Vec<(&'static str, Vec<u8>)>) {
        let name = || AccountName::parse("EXAMPLE\\alice").unwrap();
        let credential = NtlmCredential::with_password(name(), &Password::from(PASSWORD));
        let hash = credential.hash().duplicate();
        let machine = MachineId::from_bytes([0xc3; 32]);
        let acceptor = AcceptorCredential::new(ServerNames::new("WWW", "EXAMPLE").unwrap())
            .with_machine(MachineId::from_bytes([0xc4; 32]));
        let users = Users::parse(b"EXAMPLE:alice:open sesame\n").unwrap();
        let mut printed = format!("{credential:?}{acceptor:?}{users:?}{machine:?}");
        let mut initiator = Initiator::new(credential)
            .require(Flags::CONFIDENTIALITY)
            .machine(machine);
        let mut acceptor = Acceptor::new(&acceptor);
        let mut random = SeededRandom::new(1);
        let mut env = Environment::new(Timestamp::from_unix(1_700_000_000), &mut random);
        let Ok(Step::Continue { token: negotiate }) = initiator.step(None, &mut env) else {
            panic!("NEGOTIATE")
        };
        let step = acceptor.step(Some(&negotiate), &mut env);
        let Ok(Step::Continue { token: challenge }) = step else {
            panic!("CHALLENGE")
        };
        printed += &format!("{initiator:?}{acceptor:?}{env:?}");
        let step = initiator.step(Some(&challenge), &mut env);
        printed += &format!("{step:?}");
        let Ok(Step::Established {
            token: Some(authenticate),
            context: client,
        }) = step
        else {
            panic!("AUTHENTICATE")
        };
        let Ok(Step::Need(need)) = acceptor.step(Some(&authenticate), &mut env) else {
            panic!("asks")
        };
        printed += &format!("{initiator:?}{acceptor:?}{need:?}");
        let Need::Logon(request) = &need else {
            panic!("{need:?}")
        };
        let response = request.nt_response().to_vec();
        let logon = Logon::NtHash {
            account: name(),
            hash: hash.duplicate(),
        };
        let verified = Logon::Verified {
            account: name(),
            session_base_key: SessionKey::new([0xc5; 16]),
        };
        printed += &format!("{request:?}{logon:?}{verified:?}");
        let answer = Answer::Logon(logon);
        printed += &format!("{answer:?}");
        let Ok(Step::Established {
            context: server, ..
        }) = acceptor.resume(answer, &mut env)
        else {
            panic!("established")
        };
        printed += &format!("{acceptor:?}{client:?}{server:?}{:?}", server.session_key());
        let key = server.session_key().expose().to_vec();
        let (sender, receiver) = server.split();
        printed += &format!("{sender:?}{receiver:?}");
        let again = acceptor.step(None, &mut env).unwrap_err();
        printed += &format!("{again:?}{again}");
        let secrets = vec![
            ("NT hash", hash.expose().to_vec()),
            ("proof", response[..16].to_vec()),
            ("session key", key),
            ("session base key", vec![0xc5; 16]),
            ("machine", vec![0xc3; 32]),
            ("acceptor's machine", vec![0xc4; 32]),
        ];
        (printed, secrets)
    }

    #[test]
    fn nothing_that_is_printed_holds_a_secret() {
        let (printed, secrets) = exchange();
        // Control: what may be printed is.
        assert!(printed.contains("alice") && printed.contains("EXAMPLE"));
        assert!(printed.contains("NtHash(..)"), "{printed}");
        assert!(printed.contains("SessionKey("), "{printed}");
        assert!(printed.contains("NTLM AUTHENTICATE"), "{printed}");
        assert!(!printed.contains(PASSWORD));
        for (name, secret) in secrets {
            let decimal: Vec<String> = secret[..4].iter().map(u8::to_string).collect();
            let hex: String = secret[..4].iter().map(|b| format!("{b:02x}")).collect();
            for form in [
                decimal.join(", "),
                decimal.join(" "),
                hex.to_uppercase(),
                hex,
            ] {
                assert!(!printed.contains(&form), "{name}: {form} in {printed}");
            }
        }
    }
}
