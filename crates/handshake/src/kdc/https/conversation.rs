//! TLS and HTTP with a proxy, MS-KKDCP §3.2, without the connection: bytes in, bytes out.
//!
//! ```text
//!   outgoing ─▶ write ─▶ is there a request to send and no handshake left? ── ask ─▶ outgoing …
//!                          │ no
//!                          ▼
//!                        read ─▶ received ── nothing yet ─▶ outgoing …
//!                                   └─ the reply
//! ```

use std::io::{Read, Write};

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::super::endpoint::Endpoint;
use super::super::error::Failure;
use super::anchors::Anchors;
use super::message::{AROUND, reply, request};
use super::response::Response;
use crate::blocking::READ_STEP;

#[derive(Debug)]
pub(in super::super) struct Conversation {
    tls: ClientConnection,
    request: Option<Vec<u8>>,
    response: Response,
    /// Longest message.
    limit: usize,
}

impl Conversation {
    pub(in super::super) fn begin(
        anchors: &Anchors,
        endpoint: &Endpoint,
        realm: &[u8],
        message: &[u8],
        limit: usize,
    ) -> Result<Self, Failure> {
        let host = ServerName::try_from(endpoint.host()).map_err(|_| Failure::Tls)?;
        let mut tls =
            ClientConnection::new(anchors.config(), host.to_owned()).map_err(|_| Failure::Tls)?;
        // The request is in memory anyway.
        tls.set_buffer_limit(None);
        Ok(Self {
            tls,
            request: Some(request(endpoint, realm, message)?),
            response: Response::new(limit.saturating_add(AROUND)),
            limit,
        })
    }

    /// What is to be written now; may be empty.
    pub(in super::super) fn outgoing(&mut self) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut out).map_err(|_| Failure::Tls)?;
        }
        Ok(out)
    }

    /// Whether [`ask`](Self::ask) comes next.
    pub(in super::super) fn may_ask(&self) -> bool {
        self.request.is_some() && !self.tls.is_handshaking()
    }

    pub(in super::super) fn ask(&mut self) -> Result<(), Failure> {
        let request = self.request.take().unwrap_or_default();
        let mut writer = self.tls.writer();
        writer.write_all(&request).map_err(|_| Failure::Tls)
    }

    /// Takes what was read, none of it at the end of the connection; returns the reply when it is
    /// complete.
    pub(in super::super) fn received(
        &mut self,
        mut bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, Failure> {
        if bytes.is_empty() {
            // Some servers do not say goodbye in TLS; the message itself says whether it is whole.
            let body = self.response.end()?;
            return reply(&body, self.limit).map(Some);
        }
        let mut plain = [0; READ_STEP];
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes).map_err(|_| Failure::Tls)?;
            self.tls.process_new_packets().map_err(|_| Failure::Tls)?;
            // Nothing there yet is an error of its own kind, and the only one.
            while let Ok(read) = self.tls.reader().read(&mut plain) {
                if read == 0 {
                    return self.received(&[]);
                }
                let body = self.response.take(plain.get(..read).unwrap_or_default())?;
                if let Some(body) = body {
                    return reply(&body, self.limit).map(Some);
                }
            }
        }
        Ok(None)
    }
}
