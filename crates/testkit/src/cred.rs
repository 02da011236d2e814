//! KRB-CRED: delegated tickets, RFC 4120 §5.8.

use countersign_credential::{HostAddress, KeyBlock, TicketCredential, TicketTimes};
use countersign_crypto::{Key, KeyUsage, Random};
use rasn_kerberos as krb;

use crate::clock::FixedClock;
use crate::{Error, wire};

/// Packs tickets into a KRB-CRED, sealed in `key`, or in the clear (etype 0) as old initiators send it.
///
/// # Errors
/// [`Error::Encode`] and [`Error::Crypto`].
pub fn seal_krb_cred(
    tickets: &[&TicketCredential],
    key: Option<&Key>,
    clock: FixedClock,
    random: &mut dyn Random,
) -> Result<Vec<u8>, Error> {
    let optional = |seconds: i64| match seconds {
        0 => Ok(None),
        _ => wire::time(seconds).map(Some),
    };
    let info = |ticket: &&TicketCredential| {
        let addresses: Vec<_> = ticket
            .addresses
            .iter()
            .map(|address| (address.addr_type, address.address.clone()))
            .collect();
        Ok(krb::KrbCredInfo {
            key: krb::EncryptionKey {
                r#type: ticket.key.enctype_id(),
                value: wire::octets(ticket.key.expose()),
            },
            prealm: Some(wire::string(ticket.client.realm())?),
            pname: Some(wire::name(&ticket.client)?),
            flags: Some(krb::TicketFlags(wire::flags(ticket.flags.0))),
            auth_time: optional(ticket.times.auth_time)?,
            start_time: optional(ticket.times.start_time)?,
            end_time: optional(ticket.times.end_time)?,
            renew_till: optional(ticket.times.renew_till)?,
            srealm: Some(wire::string(ticket.server.realm())?),
            sname: Some(wire::name(&ticket.server)?),
            caddr: wire::addresses(&addresses),
        })
    };
    let part = krb::EncKrbCredPart {
        ticket_info: tickets.iter().map(info).collect::<Result<_, Error>>()?,
        nonce: None,
        timestamp: Some(wire::time(clock.seconds)?),
        usec: Some(wire::integer(clock.microseconds)),
        sender_address: None,
        recipient_address: None,
    };
    let part = wire::encode(&part)?;
    let (etype, cipher) = match key {
        Some(key) => (
            key.enctype().id(),
            key.encrypt(KeyUsage::KRB_CRED, &part, random)?,
        ),
        None => (0, part),
    };
    wire::encode(&krb::KrbCred {
        pvno: wire::integer(5),
        msg_type: wire::integer(22),
        tickets: tickets
            .iter()
            .map(|ticket| wire::decode(&ticket.ticket))
            .collect::<Result<_, _>>()?,
        enc_part: krb::EncryptedData {
            etype,
            kvno: None,
            cipher: wire::octets(&cipher),
        },
    })
}

/// Opens a KRB-CRED with `key`, or reads one that is in the clear.
///
/// # Errors
/// [`Error::Decode`] when the message is malformed or has not one info for each ticket, [`Error::Crypto`] when the
/// key does not open it.
pub fn open_krb_cred(message: &[u8], key: &Key) -> Result<Vec<TicketCredential>, Error> {
    let message: krb::KrbCred = wire::decode(message)?;
    let part: krb::EncKrbCredPart = match message.enc_part.etype {
        0 => wire::decode(&message.enc_part.cipher)?,
        _ => wire::decode(&key.decrypt(KeyUsage::KRB_CRED, &message.enc_part.cipher)?)?,
    };
    if part.ticket_info.len() != message.tickets.len() {
        return Err(Error::Decode);
    }
    let seconds = |time: &Option<krb::KerberosTime>| time.as_ref().map_or(0, wire::seconds);
    let open = |(info, ticket): (&krb::KrbCredInfo, &krb::Ticket)| {
        let client_realm = info.prealm.as_ref().ok_or(Error::Decode)?;
        let client = info.pname.as_ref().ok_or(Error::Decode)?;
        let server_realm = info.srealm.as_ref().unwrap_or(&ticket.realm);
        let server = info.sname.as_ref().unwrap_or(&ticket.sname);
        let mut credential = TicketCredential::new(
            wire::principal(client_realm, client),
            wire::principal(server_realm, server),
            KeyBlock::from_parts(info.key.r#type, &info.key.value),
            wire::encode(ticket)?,
        );
        credential.times = TicketTimes {
            auth_time: seconds(&info.auth_time),
            start_time: seconds(&info.start_time),
            end_time: seconds(&info.end_time),
            renew_till: seconds(&info.renew_till),
        };
        credential.flags.0 = info.flags.as_ref().map_or(0, |flags| wire::bits(&flags.0));
        credential.addresses = info
            .caddr
            .iter()
            .flatten()
            .map(|address| HostAddress {
                addr_type: address.addr_type,
                address: address.address.to_vec(),
            })
            .collect();
        Ok(credential)
    };
    part.ticket_info
        .iter()
        .zip(&message.tickets)
        .map(open)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Realm, SeededRandom};

    #[test]
    fn delegated_tickets_survive_sealed_and_clear() {
        let realm = Realm::new("R", 1);
        let tgt = realm
            .forwarded_ticket_granting_ticket("user")
            .mint()
            .unwrap();
        let ticket = realm.ticket("user", "host/server").mint().unwrap();
        let key = ticket.session_key().unwrap();
        for sealing in [Some(key), None] {
            let mut random = SeededRandom::new(1);
            let message =
                seal_krb_cred(&[&tgt, &ticket], sealing, FixedClock::new(), &mut random).unwrap();
            let opened = open_krb_cred(&message, key).unwrap();
            assert_eq!(opened.len(), 2);
            assert_eq!(opened[0].server, tgt.server);
            assert_eq!(opened[0].ticket, tgt.ticket);
            assert_eq!(opened[0].times, tgt.times);
            assert_eq!(opened[0].flags.0, tgt.flags.0);
            assert_eq!(opened[0].key.expose(), tgt.key.expose());
            assert_eq!(
                open_krb_cred(&message, tgt.session_key().unwrap()).is_ok(),
                sealing.is_none()
            );
        }
    }
}
