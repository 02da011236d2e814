//! Impersonation on threads, in tasks and in the operating system.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use countersign::sspi::*;

use crate::support::{Domain, pair};

fn server(domain: &Domain) -> CtxtHandle {
    pair(domain, "Kerberos", 0, 0).server
}

fn current() -> Option<String> {
    current_identity().map(|token| token.to_string())
}

#[test]
fn a_guard_shows_the_client_on_its_thread_alone_and_until_it_is_reverted() {
    let context = server(&Domain::new());
    assert_eq!(current(), None);
    let impersonation = impersonate_security_context(&context).unwrap();
    assert_eq!(current().unwrap(), "EXAMPLE\\alice");
    assert_eq!(std::thread::spawn(current).join().unwrap(), None);
    let inner = impersonate_security_context(&context).unwrap();
    // The outer one first: the inner one is still who is impersonated.
    revert_security_context(impersonation);
    assert_eq!(current().unwrap(), "EXAMPLE\\alice");
    drop(inner);
    assert_eq!(current(), None);
}

#[test]
fn a_task_acts_for_its_client_only_while_it_is_polled() {
    let context = server(&Domain::new());
    let token = Arc::new(query_security_context_token(&context).unwrap());
    let mut polled = 0;
    let work = std::future::poll_fn(move |_| {
        polled += 1;
        let seen = current();
        if polled == 1 {
            Poll::Pending
        } else {
            Poll::Ready(seen)
        }
    });
    let mut task = Box::pin(Impersonated::new(token, work));
    let mut poll = move || task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    assert_eq!(current(), None);
    // Another thread goes on with it.
    let seen = std::thread::spawn(poll).join().unwrap();
    assert_eq!(seen, Poll::Ready(Some("EXAMPLE\\alice".into())));
}

/// Counts what it does.
struct Counting(std::rc::Rc<std::cell::Cell<i32>>);

impl Impersonator for Counting {
    fn impersonate(&self, token: &AccessToken) -> Result<Box<dyn FnOnce()>, SspiError> {
        assert_eq!(token.account_name(), Some("alice"));
        self.0.set(self.0.get() + 1);
        let count = std::rc::Rc::clone(&self.0);
        Ok(Box::new(move || count.set(count.get() - 1)))
    }
}

#[test]
fn an_impersonator_is_asked_unless_the_client_is_to_be_identified_alone() {
    let domain = Domain::new();
    let count = std::rc::Rc::default();
    let impersonator = Counting(std::rc::Rc::clone(&count));
    let impersonation = impersonate_with(&server(&domain), &impersonator).unwrap();
    assert_eq!((count.get(), current().is_some()), (1, true));
    drop(impersonation);
    assert_eq!((count.get(), current().is_some()), (0, false));
    let identified = pair(&domain, "Kerberos", 0, ASC_REQ_IDENTIFY).server;
    let error = impersonate_with(&identified, &impersonator).unwrap_err();
    assert_eq!(error.status(), SecurityStatus::SEC_E_NO_IMPERSONATION);
    assert_eq!(count.get(), 0);
}

#[cfg(all(feature = "impersonate", target_os = "linux"))]
mod linux {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    fn supplementary_groups() -> String {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        status
            .lines()
            .find(|line| line.starts_with("Groups:"))
            .unwrap()
            .to_owned()
    }

    #[test]
    fn files_are_opened_as_the_client_and_as_root_again_afterwards() {
        let context = server(&Domain::new());
        let own = std::fs::metadata("/proc/thread-self").unwrap().uid();
        let nobody = LinuxImpersonator::new(|_| Some("nobody".into()));
        if own != 0 {
            // Without the right to it nothing changes.
            let error = impersonate_with(&context, &nobody).unwrap_err();
            assert_eq!(error.status(), SecurityStatus::SEC_E_NO_IMPERSONATION);
            return;
        }
        let secret = std::env::temp_dir().join(format!("countersign-root-{}", std::process::id()));
        std::fs::write(&secret, b"root's").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let groups = supplementary_groups();
        // On a thread of its own, so that other tests keep their rights whatever happens.
        let path = secret.clone();
        std::thread::spawn(move || {
            let before = supplementary_groups();
            let impersonation = impersonate_with(&context, &nobody).unwrap();
            assert!(std::fs::read(&path).is_err());
            drop(impersonation);
            assert_eq!(std::fs::read(&path).unwrap(), b"root's");
            assert_eq!(supplementary_groups(), before);
        })
        .join()
        .unwrap();
        assert_eq!(std::fs::read(&secret).unwrap(), b"root's");
        assert_eq!(supplementary_groups(), groups);
        std::fs::remove_file(&secret).unwrap();
    }

    #[test]
    fn nobody_becomes_root_or_a_user_of_another_realm() {
        let context = server(&Domain::new());
        for impersonator in [
            LinuxImpersonator::new(|_| Some("root".into())),
            LinuxImpersonator::new(|_| Some("no-such-user-here".into())),
            LinuxImpersonator::new(|_| None),
            LinuxImpersonator::of_realm("OTHER.EXAMPLE"),
        ] {
            let error = impersonate_with(&context, &impersonator).unwrap_err();
            assert_eq!(error.status(), SecurityStatus::SEC_E_NO_IMPERSONATION);
        }
        assert_eq!(current(), None);
    }
}
