//! A realm in which every key is known: tickets, sealed messages, established contexts.

use std::sync::OnceLock;

use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{
    EnctypeSet, Environment, Flags, Mechanism, Policy, SecurityContext, Step, Timestamp,
};
use countersign_credential::{
    Keytab, KeytabEntry, NameType, Principal, TicketCredential, TicketTimes,
};
use countersign_crypto::{Enctype, Key, KeyUsage};
use countersign_token::der::{Decode, Encode, SequenceOf};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{
    Claimed, EncTicketPart, EncryptedData, EncryptionKey, KerberosString, KerberosTime,
    PrincipalName, Ticket, TicketFlags, TransitedEncoding,
};
use countersign_token::oid::Oid;

use crate::Seeded;

/// The time of every exchange.
pub const NOW: i64 = 1_700_000_000;

/// Which enctype an octet of the input stands for.
pub fn enctype(octet: u8) -> Enctype {
    Enctype::ALL[usize::from(octet) % Enctype::ALL.len()]
}

/// Every enctype is permitted, so that every one is reached.
pub fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(|| Policy::default().with_enctypes(EnctypeSet::of(Enctype::ALL)))
}

/// Time, chance and policy, the same for the same seed.
pub fn environment(random: &mut Seeded) -> Environment<'_> {
    Environment::new(Timestamp::from_unix(NOW), random).with_policy(policy())
}

pub fn client() -> Principal {
    Principal::new("EXAMPLE.COM", ["user"], NameType::PRINCIPAL)
}

pub fn service() -> Principal {
    Principal::new(
        "EXAMPLE.COM",
        ["HTTP", "web.example.com"],
        NameType::SRV_HST,
    )
}

pub fn service_key(enctype: Enctype) -> Key {
    fixed_key(enctype, 0x5a)
}

pub fn session_key(enctype: Enctype) -> Key {
    fixed_key(enctype, 0xa5)
}

fn fixed_key(enctype: Enctype, fill: u8) -> Key {
    Key::new(enctype, &vec![fill; enctype.key_len()]).expect("of the right length")
}

/// The service's keys, with a replay cache that all copies share.
pub fn acceptor_credential() -> &'static AcceptorCredential {
    static CREDENTIAL: OnceLock<AcceptorCredential> = OnceLock::new();
    CREDENTIAL.get_or_init(|| {
        let entry = |enctype: &Enctype| KeytabEntry::new(service(), 1, service_key(*enctype));
        AcceptorCredential::new(&Enctype::ALL.iter().map(entry).collect::<Keytab>())
    })
}

/// The plaintext of an ordinary ticket.
pub fn ticket_part(session_key: &Key) -> Vec<u8> {
    let time = |seconds| KerberosTime { seconds };
    let (client, name) = (client(), [KerberosString::new(b"user")]);
    EncTicketPart {
        flags: TicketFlags::FORWARDABLE | TicketFlags::PRE_AUTHENT | TicketFlags::OK_AS_DELEGATE,
        key: EncryptionKey {
            keytype: session_key.enctype().id(),
            keyvalue: session_key.expose(),
        },
        crealm: client.token_realm(),
        cname: PrincipalName {
            name_type: 1,
            name_string: SequenceOf::new(&name),
        },
        transited: TransitedEncoding {
            tr_type: 1,
            contents: &[],
        },
        authtime: time(NOW),
        starttime: Some(time(NOW)),
        endtime: time(NOW + 36_000),
        renew_till: None,
        caddr: None,
        authorization_data: None,
    }
    .to_der()
}

/// A ticket of the service around any plaintext.
pub fn seal_ticket(enctype: Enctype, plaintext: &[u8]) -> Vec<u8> {
    let service = service();
    let components = service.token_components();
    let sealed = seal(&service_key(enctype), KeyUsage::TICKET, plaintext, 1);
    Ticket {
        realm: Claimed::new(service.token_realm()),
        sname: Claimed::new(service.token_name(&components)),
        enc_part: EncryptedData {
            etype: enctype.id(),
            kvno: Some(1),
            cipher: &sealed,
        },
    }
    .to_der()
}

/// Any plaintext sealed.
pub fn seal(key: &Key, usage: KeyUsage, plaintext: &[u8], seed: u64) -> Vec<u8> {
    key.encrypt(usage, plaintext, &mut Seeded(seed))
        .expect("this generator does not fail")
}

/// A client's credential for the service.
pub fn ticket_credential(enctype: Enctype) -> TicketCredential {
    let key = session_key(enctype);
    let ticket = seal_ticket(enctype, &ticket_part(&key));
    let mut credential = TicketCredential::new(client(), service(), key, ticket);
    credential.flags = TicketFlags::OK_AS_DELEGATE;
    credential.times = TicketTimes {
        auth_time: NOW,
        start_time: NOW,
        end_time: NOW + 36_000,
        renew_till: 0,
    };
    credential
}

/// A message in the frame of RFC 2743 with its identifier.
pub fn frame(id: TokenId, message: &[u8]) -> Vec<u8> {
    InitialToken::encode(Oid::KERBEROS, &[&id.to_bytes(), message])
}

/// The message in a token, framed or bare, and its identifier if it is framed.
pub fn unframe(token: &[u8]) -> Option<(Option<TokenId>, &[u8])> {
    if !InitialToken::is_framed(token) {
        return Some((None, token));
    }
    let (id, message) = InitialToken::parse(token).ok()?.inner.split_first_chunk()?;
    Some((TokenId::from_bytes(*id), message))
}

/// Decodes, or says no.
pub fn decode<'a, T: Decode<'a>>(bytes: &'a [u8]) -> Option<T> {
    T::from_der(bytes).ok()
}

/// Both sides of an established context: the initiator's and the acceptor's. Their keys follow from
/// the seed.
pub fn established(
    enctype: Enctype,
    flags: Flags,
    seed: u64,
) -> (SecurityContext, SecurityContext) {
    let mut random = Seeded(seed);
    let credential = acceptor_credential()
        .clone()
        .with_replay_protection(countersign_context::kerberos::ReplayProtection::DangerouslyOff);
    let mut initiator = Initiator::new(ticket_credential(enctype)).request(flags);
    let mut acceptor = Acceptor::new(&credential);
    let (mut ours, mut theirs) = (None, None);
    let mut token = None;
    while ours.is_none() || theirs.is_none() {
        for (side, context) in [
            (&mut initiator as &mut dyn Mechanism, &mut ours),
            (&mut acceptor, &mut theirs),
        ] {
            if context.is_some() {
                continue;
            }
            match side.step(token.take().as_deref(), &mut environment(&mut random)) {
                Ok(Step::Continue { token: next }) => token = Some(next),
                Ok(Step::Established {
                    token: next,
                    context: done,
                }) => {
                    (token, *context) = (next, Some(*done));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    ours.zip(theirs).expect("both are there")
}
