//! `ChangeAccountPassword`.

use countersign::credential::Password;
use countersign::sspi::*;

use crate::support::{Domain, Side, acquire, run};

#[test]
fn a_changed_password_is_the_one_that_logs_on() {
    let domain = Domain::new();
    let change = |package, old: &str, new: &str| {
        let (old, new) = (Password::from(old), Password::from(new));
        let mut output = SecBufferDesc::default();
        let (realm, user) = ("example.com", "alice");
        change_account_password(
            &domain.client,
            package,
            realm,
            user,
            &old,
            &new,
            &mut output,
        )
        .map_err(|error| error.status())
    };
    assert_eq!(
        change("Negotiate", "wrong", "new"),
        Err(SecurityStatus::SEC_E_LOGON_DENIED)
    );
    assert_eq!(change("Kerberos", "open sesame", "new sesame"), Ok(()));
    #[cfg(feature = "ntlm")]
    assert_eq!(
        change("NTLM", "open sesame", "new"),
        Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION)
    );
    let inbound = domain.inbound("Kerberos");
    for (password, logs_on) in [("new sesame", true), ("open sesame", false)] {
        let identity = SecWinntAuthIdentity::new("alice", "EXAMPLE.COM", password);
        let outbound = acquire(
            &domain.client,
            "Kerberos",
            SECPKG_CRED_OUTBOUND,
            Some(&identity),
        );
        let result = run(&mut Side::new(&outbound, 0), &mut Side::new(&inbound, 0));
        assert_eq!(result.is_ok(), logs_on);
    }
}
