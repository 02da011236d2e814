//! The AP-REQ that an initiator sends: RFC 4120 §3.2.2 and RFC 4121 §4.1.1.

use countersign_credential::TicketCredential;
use countersign_crypto::{Key, KeyUsage, Random};
use countersign_token::der::{Decode, Encoded, SequenceOf};
use countersign_token::kerberos::gss_checksum::{Extensions, GssChecksum, GssFlags};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{
    ApOptions, ApReq, Authenticator, AuthorizationData, Checksum, EncryptedData, EncryptionKey,
    KerberosString, KerberosTime, Microseconds, PrincipalName, TicketFlags,
};
use countersign_token::oid::Oid;
use zeroize::Zeroizing;

use crate::environment::{Environment, Timestamp};
use crate::error::ErrorKind;
use crate::flags::Flags;
use crate::policy::EnctypeSet;

use super::acceptor::random_sequence;
use super::authorization::Offer;
use super::delegation;
use super::drawn::Drawn;
use super::framing::Framed;
use super::initiator::Options;
use super::plaintext::sealed_last;

/// What an AP-REQ said, for the reply to be matched against.
pub(super) struct RequestParts {
    pub(super) time: Timestamp,
    pub(super) sequence: u32,
    pub(super) subkey: Option<Key>,
    /// Granted if the acceptor agrees.
    pub(super) flags: Flags,
    /// Of the context that is to be, drawn with all that the request draws.
    pub(super) confounder_seed: Zeroizing<[u8; 16]>,
}

/// The flags that the checksum carries.
const EXPRESSIBLE: Flags = Flags::MUTUAL
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::DCE_STYLE)
    .union(Flags::IDENTIFY)
    .union(Flags::EXTENDED_ERROR);

/// The time with what the caller's clock does not resolve drawn at random: an AP-REP is matched to
/// its request by this time alone (RFC 4120 §3.2.5), so no two requests may share one.
pub(super) fn resolved(time: Timestamp, random: &mut dyn Random) -> Result<Timestamp, ErrorKind> {
    let unresolved = match time.microseconds() {
        0 => 1_000_000,
        micros if micros % 1_000 == 0 => 1_000,
        _ => return Ok(time),
    };
    let mut bytes = [0; 4];
    random.fill(&mut bytes)?;
    let drawn = u32::from_be_bytes(bytes) % unresolved;
    Ok(Timestamp::new(
        time.seconds(),
        time.microseconds().saturating_add(drawn),
    ))
}

impl RequestParts {
    pub(super) fn build(
        credential: &TicketCredential,
        options: &Options,
        time: Timestamp,
        env: &mut Environment<'_>,
    ) -> Result<(Self, Vec<u8>), ErrorKind> {
        let mut random = Drawn::from(env.random);
        let env = &mut Environment::new(env.now, &mut random).with_policy(env.policy);
        // The acceptor would refuse it; RFC 4120 §3.2.2 has the client check first.
        if time >= Timestamp::from_unix(credential.times.end_time) {
            return Err(ErrorKind::TicketExpired);
        }
        let enctype_id = credential.key.enctype_id();
        let session_key = credential
            .session_key()
            .ok()
            .filter(|key| env.policy.enctypes().contains(key.enctype()))
            .ok_or(ErrorKind::EnctypeRefused {
                enctype: enctype_id,
            })?;

        let mut flags = options.requested & EXPRESSIBLE;
        if flags.contains(Flags::DCE_STYLE) {
            // Three legs are mutual by nature (MS-KILE §3.4.5.1).
            flags |= Flags::MUTUAL;
        }
        if options.delegate.is_some() {
            if !credential.flags.contains(TicketFlags::OK_AS_DELEGATE) {
                return Err(ErrorKind::DelegationRefused);
            }
            flags |= Flags::DELEGATION;
        }
        // Before anything is said or handed over.
        let missing = options.required.difference(flags);
        if !missing.is_empty() {
            return Err(ErrorKind::FlagsNotGranted(missing));
        }
        let delegation = match &options.delegate {
            Some(forwarded) => Some(delegation::send(forwarded, session_key, env.random)?),
            None => None,
        };
        let bindings = options
            .bindings
            .as_ref()
            .map_or([0; 16], |bindings| bindings.hash());
        let mut checksum = GssChecksum::new(GssFlags(flags.bits()));
        checksum.bindings = bindings;
        checksum.delegation = delegation.as_deref();
        let subkey =
            Key::generate(session_key.enctype(), env.random).map_err(|_| ErrorKind::Random)?;
        let finished = match &options.proxied {
            Some(proxied) => proxied.finished(&subkey)?,
            None => None,
        };
        checksum.extensions = Extensions::parse(finished.as_deref().unwrap_or_default())
            .map_err(|_| ErrorKind::Internal("own extension"))?;
        let checksum = checksum.encode().map_err(|_| ErrorKind::Overflow)?;
        let mut confounder_seed = Zeroizing::new([0; 16]);
        env.random.fill(&mut *confounder_seed)?;
        let parts = Self {
            confounder_seed,
            time: resolved(time, env.random)?,
            sequence: random_sequence(env.random)?,
            subkey: Some(subkey),
            flags,
        };
        // Only an AP-REP can answer the offer.
        let offered = match flags.contains(Flags::MUTUAL) {
            true => env.policy.enctypes(),
            false => EnctypeSet::EMPTY,
        };
        let offer = Offer {
            enctypes: offered,
            expects_bindings: options.bindings.is_some(),
        };
        let data = offer.to_authorization_data();
        let mechanism = options.mechanism(credential);
        let data = data.as_deref();
        let token = parts.encode(credential, session_key, &checksum, data, mechanism, env)?;
        Ok((parts, token))
    }

    fn encode(
        &self,
        credential: &TicketCredential,
        session_key: &Key,
        checksum: &[u8],
        data: Option<&[u8]>,
        mechanism: Oid<'static>,
        env: &mut Environment<'_>,
    ) -> Result<Vec<u8>, ErrorKind> {
        let internal = |_| ErrorKind::Internal("own authorization data");
        let components: Vec<KerberosString<'_>> = credential
            .client
            .components()
            .map(KerberosString::new)
            .collect();
        let authenticator = Authenticator {
            crealm: KerberosString::new(credential.client.realm()),
            cname: PrincipalName {
                name_type: credential.client.name_type().0,
                name_string: SequenceOf::new(&components),
            },
            cksum: Some(Checksum {
                cksumtype: GssChecksum::TYPE,
                checksum,
            }),
            cusec: Microseconds::saturating(self.time.microseconds()),
            ctime: KerberosTime {
                seconds: self.time.seconds(),
            },
            subkey: self.subkey.as_ref().map(|key| EncryptionKey {
                keytype: key.enctype().id(),
                keyvalue: key.expose(),
            }),
            seq_number: Some(self.sequence),
            authorization_data: data
                .map(AuthorizationData::from_der)
                .transpose()
                .map_err(internal)?,
        };
        let mut ap_options = ApOptions::NONE;
        if self.flags.contains(Flags::MUTUAL) {
            ap_options |= ApOptions::MUTUAL_REQUIRED;
        }
        // RFC 4120 §3.7: encrypted in the session key of a ticket of the acceptor's.
        if credential.is_skey {
            ap_options |= ApOptions::USE_SESSION_KEY;
        }
        let framed = match self.flags.contains(Flags::DCE_STYLE) {
            true => Framed::Bare,
            false => Framed::As(mechanism),
        };
        let envelope = Envelope {
            ap_options,
            ticket: credential,
            session_key,
            usage: KeyUsage::AP_REQ_AUTHENTICATOR,
            framed,
        };
        envelope.around(&authenticator, env.random)
    }
}

/// What of an AP-REQ is around its authenticator.
pub(super) struct Envelope<'a> {
    pub(super) ap_options: ApOptions,
    pub(super) ticket: &'a TicketCredential,
    pub(super) session_key: &'a Key,
    pub(super) usage: KeyUsage,
    pub(super) framed: Framed,
}

impl Envelope<'_> {
    pub(super) fn around(
        &self,
        authenticator: &Authenticator<'_>,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, ErrorKind> {
        let frame = |cipher: &[u8]| {
            let request = ApReq {
                ap_options: self.ap_options,
                // Passed through as the KDC sent it.
                ticket: Encoded::parse(&self.ticket.ticket).map_err(ErrorKind::DefectiveTicket)?,
                authenticator: EncryptedData {
                    etype: self.session_key.enctype().id(),
                    kvno: None,
                    cipher,
                },
            };
            Ok(self.framed.frame(TokenId::ApReq, &request))
        };
        sealed_last(authenticator, self.session_key, self.usage, random, &frame)
    }
}
