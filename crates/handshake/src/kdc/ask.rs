//! What every job of a race knows.

use std::time::{Duration, Instant};

use countersign_context::kerberos::kdc::{KdcRequest, KdcService};

use super::baton::Baton;
use super::error::Failure;
use super::reply::{Verdict, judge};
use super::settings::Settings;

/// Largest datagram that UDP can carry, and one byte more.
pub(super) const DATAGRAM: usize = 65_536;

/// Owned, since threads outlive the call that started them by a moment.
#[derive(Debug)]
pub(super) struct Ask {
    service: KdcService,
    message: Vec<u8>,
    pub(super) deadline: Instant,
    pub(super) patience: Duration,
    max_reply: usize,
    pub(super) baton: Baton,
    #[cfg(feature = "https")]
    realm: Vec<u8>,
    #[cfg(feature = "https")]
    anchors: Option<super::https::Anchors>,
}

impl Ask {
    pub(super) fn new(
        settings: &Settings,
        request: &KdcRequest,
        baton: Baton,
        deadline: Instant,
    ) -> Self {
        Self {
            service: request.service,
            message: request.message.clone(),
            deadline,
            patience: settings.patience,
            max_reply: settings.max_reply,
            baton,
            #[cfg(feature = "https")]
            realm: request.realm.clone(),
            #[cfg(feature = "https")]
            anchors: settings
                .realm_anchors
                .get(&request.realm)
                .or(settings.anchors.as_ref())
                .cloned(),
        }
    }

    pub(super) fn datagram(&self) -> &[u8] {
        &self.message
    }

    /// RFC 4120 §7.2.2: the message after its length.
    pub(super) fn framed(&self) -> Result<Vec<u8>, Failure> {
        let length = u32::try_from(self.message.len())
            .ok()
            .filter(|length| length >> 31 == 0)
            .ok_or(Failure::ReservedLength)?;
        let mut framed = Vec::with_capacity(self.message.len().saturating_add(4));
        framed.extend_from_slice(&length.to_be_bytes());
        framed.extend_from_slice(&self.message);
        Ok(framed)
    }

    /// RFC 4120 §7.2.2: the length of the reply, whose highest bit is reserved.
    pub(super) fn length(&self, header: [u8; 4]) -> Result<usize, Failure> {
        let length = u32::from_be_bytes(header);
        if length >> 31 != 0 {
            return Err(Failure::ReservedLength);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.max_reply {
            return Err(Failure::TooLarge {
                length,
                limit: self.max_reply,
            });
        }
        Ok(length)
    }

    pub(super) fn is_foreign(&self, reply: &[u8]) -> bool {
        reply.len() > self.max_reply
            || judge(self.service, &self.message, reply) == Verdict::Foreign
    }

    /// How long to wait before a datagram is sent again, which every time is twice as long.
    pub(super) fn resend_after(&self, sent: u32) -> Duration {
        self.patience
            .max(Duration::from_millis(1))
            .saturating_mul(1 << sent.min(16))
    }
}

#[cfg(feature = "https")]
mod https {
    use super::super::endpoint::Endpoint;
    use super::super::error::Failure;
    use super::super::https::Conversation;
    use super::Ask;

    impl Ask {
        pub(in super::super) fn conversation(
            &self,
            endpoint: &Endpoint,
        ) -> Result<Conversation, Failure> {
            let anchors = self.anchors.as_ref().ok_or(Failure::NoAnchors)?;
            Conversation::begin(
                anchors,
                endpoint,
                &self.realm,
                &self.message,
                self.max_reply,
            )
        }
    }
}
