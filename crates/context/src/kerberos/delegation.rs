//! Delegation: a forwarded ticket in a KRB-CRED inside the checksum (RFC 4121 §4.1.1, RFC 4120
//! §5.8).

use countersign_credential::{HostAddress, KeyBlock, Principal, TicketCredential, TicketTimes};
use countersign_crypto::{Enctype, Key, KeyUsage, Random};
use countersign_token::der::{Decode, Encode, Encoded, SequenceOf};
use countersign_token::kerberos::{
    EncKrbCredPart, EncryptedData, EncryptionKey, KerberosString, KerberosTime, KrbCred,
    KrbCredInfo, PrincipalName, Ticket, TicketFlags,
};

use crate::error::ErrorKind;

use super::plaintext::{Plaintext, seal};

/// Opens what an initiator delegated: one ticket of the initiator itself.
///
/// Peers seal the KRB-CRED with their subkey or with the session key; both are tried. The
/// unencrypted form of RFC 4120 §3.6 is refused.
pub(super) fn receive(
    message: &[u8],
    keys: [Option<&Key>; 2],
    client: &Principal,
) -> Result<TicketCredential, ErrorKind> {
    let defective = |_| ErrorKind::DelegationDefective;
    let cred = KrbCred::from_der(message).map_err(defective)?;
    let plaintext = keys
        .into_iter()
        .flatten()
        .filter(|key| Enctype::from_id(cred.enc_part.etype) == Some(key.enctype()))
        .find_map(|key| Plaintext::open(&key.cipher(KeyUsage::KRB_CRED), cred.enc_part.cipher))
        .ok_or(ErrorKind::DelegationDefective)?;
    let part = EncKrbCredPart::from_der(&plaintext).map_err(defective)?;
    let (ticket, info) = (cred.tickets.iter().next())
        .zip(part.ticket_info.iter().next())
        .ok_or(ErrorKind::DelegationDefective)?;
    let credential = from_info(&info, &ticket, client);
    // A ticket of somebody else is no delegation of this initiator's.
    if credential.client != *client {
        return Err(ErrorKind::DelegationDefective);
    }
    Ok(credential)
}

/// RFC 4120 §5.8.1 leaves almost everything optional: what is absent is taken from the context's
/// client and from the ticket.
fn from_info(
    info: &KrbCredInfo<'_>,
    ticket: &Encoded<'_, Ticket<'_>>,
    client: &Principal,
) -> TicketCredential {
    let client = match (info.prealm, &info.pname) {
        (Some(realm), Some(name)) => Principal::from_token(&realm, name),
        (None, Some(name)) => Principal::from_token(&KerberosString::new(client.realm()), name),
        (_, None) => client.clone(),
    };
    let claimed = ticket.value();
    let server = Principal::from_token(
        info.srealm.as_ref().unwrap_or(claimed.realm.unverified()),
        info.sname.as_ref().unwrap_or(claimed.sname.unverified()),
    );
    let key = KeyBlock::from_parts(info.key.keytype, info.key.keyvalue);
    let seconds = |time: Option<KerberosTime>| time.map_or(0, |time| time.seconds);
    let mut credential = TicketCredential::new(client, server, key, ticket.raw().to_vec());
    credential.times = TicketTimes {
        auth_time: seconds(info.authtime),
        start_time: seconds(info.starttime),
        end_time: seconds(info.endtime),
        renew_till: seconds(info.renew_till),
    };
    credential.flags = info.flags.unwrap_or(TicketFlags::NONE);
    credential.addresses = info
        .caddr
        .into_iter()
        .flat_map(|addresses| addresses.iter())
        .map(|a| HostAddress {
            addr_type: a.addr_type,
            address: a.address.to_vec(),
        })
        .collect();
    credential
}

/// The KRB-CRED that hands a forwarded ticket over, sealed with the session key.
pub(super) fn send(
    credential: &TicketCredential,
    session_key: &Key,
    random: &mut dyn Random,
) -> Result<Vec<u8>, ErrorKind> {
    let client: Vec<_> = credential
        .client
        .components()
        .map(KerberosString::new)
        .collect();
    let server: Vec<_> = credential
        .server
        .components()
        .map(KerberosString::new)
        .collect();
    let time = |seconds: i64| (seconds != 0).then_some(KerberosTime { seconds });
    let info = [KrbCredInfo {
        key: EncryptionKey {
            keytype: credential.key.enctype_id(),
            keyvalue: credential.key.expose(),
        },
        prealm: Some(KerberosString::new(credential.client.realm())),
        pname: Some(name(&credential.client, &client)),
        flags: Some(credential.flags),
        authtime: time(credential.times.auth_time),
        starttime: time(credential.times.start_time),
        endtime: time(credential.times.end_time),
        renew_till: time(credential.times.renew_till),
        srealm: Some(KerberosString::new(credential.server.realm())),
        sname: Some(name(&credential.server, &server)),
        caddr: None,
    }];
    let part = EncKrbCredPart {
        ticket_info: SequenceOf::new(&info),
        nonce: None,
        timestamp: None,
        usec: None,
        s_address: None,
        r_address: None,
    };
    let cipher = seal(&part, session_key, KeyUsage::KRB_CRED, random)?;
    let ticket = [Encoded::parse(&credential.ticket).map_err(ErrorKind::DefectiveTicket)?];
    let etype = session_key.enctype().id();
    let cred = KrbCred {
        tickets: SequenceOf::new(&ticket),
        enc_part: EncryptedData {
            etype,
            kvno: None,
            cipher: &cipher,
        },
    };
    Ok(cred.to_der())
}

fn name<'a>(principal: &Principal, components: &'a [KerberosString<'a>]) -> PrincipalName<'a> {
    PrincipalName {
        name_type: principal.name_type().0,
        name_string: SequenceOf::new(components),
    }
}
