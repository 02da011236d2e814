//! The driver over the sockets of tokio.

use std::time::Instant;

use countersign_context::kerberos::kdc::KdcRequest;

use super::error::Error;
use super::settings::Settings;

pub(super) async fn send(
    settings: &Settings,
    request: &KdcRequest,
    deadline: Instant,
) -> Result<Vec<u8>, Error> {
    let endpoints = settings
        .locate
        .locate_async(&request.realm, request.service, deadline)
        .await?;
    if endpoints.is_empty() {
        return Err(Error::NotLocated);
    }
    Err(Error::Unanswered(Vec::new()))
}
