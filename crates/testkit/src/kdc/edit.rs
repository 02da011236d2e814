//! Bending replies: a test changes what the KDC is about to encode.

use rasn_kerberos as krb;

use super::messages::KrbFastResponse;
use super::request::SeenRequest;
use crate::PacBuilder;

type Edit<T> = Option<Box<dyn FnMut(&SeenRequest, &mut T) + Send>>;

/// What a test has asked to change, each at its moment.
#[derive(Default)]
pub(super) struct Edits {
    pub(super) ticket: Edit<krb::EncTicketPart>,
    pub(super) pac: Edit<PacBuilder>,
    pub(super) enc_part: Edit<krb::EncKdcRepPart>,
    pub(super) reply: Edit<krb::KdcRep>,
    pub(super) error: Edit<krb::KrbError>,
    pub(super) fast: Edit<KrbFastResponse>,
    pub(super) bytes: Edit<Vec<u8>>,
    /// Answers an armored request without FAST.
    pub(super) strips_fast: bool,
}

fn run<T>(edit: &mut Edit<T>, seen: &SeenRequest, value: &mut T) {
    if let Some(edit) = edit {
        edit(seen, value);
    }
}

impl Edits {
    pub(super) fn ticket(&mut self, seen: &SeenRequest, part: &mut krb::EncTicketPart) {
        run(&mut self.ticket, seen, part);
    }

    pub(super) fn pac(&mut self, seen: &SeenRequest, pac: &mut PacBuilder) {
        run(&mut self.pac, seen, pac);
    }

    pub(super) fn enc_part(&mut self, seen: &SeenRequest, part: &mut krb::EncKdcRepPart) {
        run(&mut self.enc_part, seen, part);
    }

    pub(super) fn reply(&mut self, seen: &SeenRequest, reply: &mut krb::KdcRep) {
        run(&mut self.reply, seen, reply);
    }

    pub(super) fn error(&mut self, seen: &SeenRequest, error: &mut krb::KrbError) {
        run(&mut self.error, seen, error);
    }

    pub(super) fn fast(&mut self, seen: &SeenRequest, response: &mut KrbFastResponse) {
        run(&mut self.fast, seen, response);
    }

    pub(super) fn replace(&mut self, seen: &SeenRequest, mut bytes: Vec<u8>) -> Vec<u8> {
        run(&mut self.bytes, seen, &mut bytes);
        bytes
    }
}
