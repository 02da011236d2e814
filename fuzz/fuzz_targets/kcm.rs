//! Replies and requests of KCM: what is read as a credential or a principal is written and read again the same.
#![no_main]

use countersign_credential::TicketCredential;
use countersign_credential::kcm::{KcmError, ParsedRequest, Reply, ReplyHeader, Request};
use libfuzzer_sys::fuzz_target;

fn contents(ticket: &TicketCredential) -> impl PartialEq + core::fmt::Debug + use<> {
    (
        (ticket.client.clone(), ticket.server.clone()),
        (ticket.key.enctype_id(), ticket.key.expose().to_vec()),
        (ticket.times, ticket.flags, ticket.is_skey),
        (ticket.ticket.clone(), ticket.second_ticket.clone()),
    )
}

fn body(frame: &[u8]) -> &[u8] {
    let (header, body) = frame.split_first_chunk::<8>().expect("own header");
    assert_eq!(
        ReplyHeader::parse(*header).map(ReplyHeader::length),
        Ok(body.len())
    );
    body
}

fn reply(bytes: &[u8]) -> Result<(), KcmError> {
    let reply = Reply::parse(bytes)?;
    if let Ok(name) = reply.clone().only_name() {
        let again = Reply::frame_of_name(name);
        assert_eq!(Reply::parse(body(&again))?.only_name(), Ok(name));
    }
    if let Ok(uuids) = reply.clone().only_uuids() {
        let again = Reply::frame_of_uuids(&uuids);
        assert_eq!(Reply::parse(body(&again))?.only_uuids(), Ok(uuids));
    }
    if let Ok(principal) = reply.clone().only_principal() {
        let again = Reply::frame_of_principal(&principal);
        assert_eq!(Reply::parse(body(&again))?.only_principal(), Ok(principal));
    }
    if let Ok(credential) = reply.clone().only_credential() {
        let again = Reply::frame_of_credential(&credential);
        let again = Reply::parse(body(&again))?.only_credential()?;
        assert_eq!(contents(&credential), contents(&again));
        let _ = Request::store("name", &credential);
    }
    if let Ok(credentials) = reply.clone().only_credentials() {
        let again = Reply::frame_of_credentials(&credentials);
        let again = Reply::parse(body(&again))?.only_credentials()?;
        assert!(
            credentials
                .iter()
                .map(contents)
                .eq(again.iter().map(contents))
        );
    }
    let _ = reply.only_number();
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    if let Some((header, rest)) = data.split_first_chunk::<8>() {
        let _ = ReplyHeader::parse(*header);
        let _ = reply(rest);
    }
    let _ = reply(data);
    if let Ok(request) = ParsedRequest::parse(data) {
        let mut fields = request.fields;
        let _ = (fields.clone().name(), fields.clone().uuids());
        if fields.name().is_ok() {
            let _ = fields.clone().credential();
            let _ = (fields.number(), fields.principal(), fields.credentials());
        }
    }
});
