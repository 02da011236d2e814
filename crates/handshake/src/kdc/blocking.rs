//! The driver over the sockets of the standard library.

use std::time::Instant;

use countersign_context::kerberos::kdc::KdcRequest;

use super::error::Error;
use super::settings::Settings;

pub(super) fn send(
    settings: &Settings,
    request: &KdcRequest,
    deadline: Instant,
) -> Result<Vec<u8>, Error> {
    let endpoints = settings
        .locate
        .locate(&request.realm, request.service, deadline)?;
    if endpoints.is_empty() {
        return Err(Error::NotLocated);
    }
    Err(Error::Unanswered(Vec::new()))
}
