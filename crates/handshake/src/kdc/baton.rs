//! Who may send a request that must not be sent twice.

use std::sync::Arc;
#[cfg(not(countersign_loom))]
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_context::kerberos::kdc::KdcService;
#[cfg(countersign_loom)]
use loom::sync::atomic::{AtomicUsize, Ordering};

const NOBODY: usize = usize::MAX;

/// Taken by one job of a race at most; for requests that may be repeated there is none to take.
#[derive(Debug, Clone, Default)]
pub(super) struct Baton(Option<Arc<AtomicUsize>>);

impl Baton {
    /// A ticket may be asked for twice: the KDC gives the same answer or another as good (RFC 4120
    /// §3.1.1). A password is changed once: the second request would be a replay (RFC 3244 §2), and
    /// its refusal would hide the success of the first.
    pub(super) fn of(service: KdcService) -> Self {
        match service {
            KdcService::Kdc => Self(None),
            KdcService::PasswordChange => Self(Some(Arc::new(AtomicUsize::new(NOBODY)))),
        }
    }

    /// Whether the job may send the request now.
    pub(super) fn take(&self, job: usize) -> bool {
        let Some(holder) = &self.0 else {
            return true;
        };
        holder
            .compare_exchange(NOBODY, job, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Gives it back: nobody has received what the job sent.
    pub(super) fn put_back(&self, job: usize) {
        if let Some(holder) = &self.0 {
            let _ = holder.compare_exchange(job, NOBODY, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    /// Whether what was sent may be sent again.
    pub(super) fn repeats(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn holder(&self) -> Option<usize> {
        let holder = self.0.as_ref()?.load(Ordering::Acquire);
        (holder != NOBODY).then_some(holder)
    }
}
