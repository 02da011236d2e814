//! Verification of an AP-REQ: RFC 4120 §3.2.3 and RFC 4121 §4.1.1.

use countersign_credential::TicketCredential;
use countersign_crypto::{Enctype, Key, KeyUsage};
use countersign_token::der::Decode;
use countersign_token::kerberos::gss_checksum::GssChecksum;
use countersign_token::kerberos::{ApOptions, ApReq, Authenticator};
use countersign_token::oid::Oid;

use crate::bindings::ChannelBindingPolicy;
use crate::environment::{Environment, Timestamp};
use crate::error::ErrorKind;
use crate::flags::Flags;
use crate::policy::Policy;

use super::authorization::AuthenticatorData;
use super::credential::AcceptorCredential;
use super::delegation;
use super::framing::Framed;
use super::iakerb::Proxied;
use super::plaintext::Plaintext;
use super::replay;
use super::ticket::{VerifiedTicket, permitted_key};

/// What the acceptor's caller demands of an initiator.
#[derive(Debug, Default)]
pub(super) struct Expectations {
    pub(super) required: Flags,
    pub(super) bindings: ChannelBindingPolicy,
    pub(super) peer_address: Option<(i32, Vec<u8>)>,
    /// The initiator's ticket is wanted afterwards.
    pub(super) keep_evidence: bool,
    /// The request is the end of IAKERB.
    pub(super) proxied: Option<Proxied>,
}

/// An AP-REQ in which everything but freshness has been verified.
pub(super) struct AcceptedRequest {
    pub(super) framed: Framed,
    pub(super) mechanism: Oid<'static>,
    pub(super) ticket: VerifiedTicket,
    /// Granted.
    pub(super) flags: Flags,
    pub(super) authenticator_time: Timestamp,
    pub(super) subkey: Option<Key>,
    pub(super) sequence: u32,
    pub(super) subkey_enctype: Enctype,
    pub(super) delegated: Option<TicketCredential>,
    /// The initiator's ticket, where it is wanted.
    pub(super) evidence: Option<Box<TicketCredential>>,
    pub(super) replay_tag: replay::Tag,
}

/// The flags of the checksum that an acceptor grants as they are asked; delegation and channel
/// binding depend on more.
const GRANTABLE: Flags = Flags::MUTUAL
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::DCE_STYLE)
    .union(Flags::IDENTIFY)
    .union(Flags::EXTENDED_ERROR);

impl AcceptedRequest {
    pub(super) fn verify(
        message: &[u8],
        framed: Framed,
        credential: &AcceptorCredential,
        expectations: &Expectations,
        env: &Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        let request = ApReq::from_der(message).map_err(ErrorKind::DefectiveToken)?;
        let user_to_user = request.ap_options.contains(ApOptions::USE_SESSION_KEY);
        // draft-swift-win2k-krb-user2user-03 2: that mechanism is user-to-user and nothing else.
        if framed == Framed::As(Oid::KERBEROS_USER_TO_USER) && !user_to_user {
            return Err(ErrorKind::WrongMechanism);
        }
        let proxied = expectations.proxied.as_ref();
        // One place for what is decrypted of it, the ticket and then the authenticator.
        let plaintext = Plaintext::with_capacity(message.len());
        let opened = credential.open(request.ticket.value(), user_to_user, plaintext, env)?;
        let kdc = credential.ticket_granting_keys();
        let ticket = VerifiedTicket::check(&opened, kdc, expectations.peer_address.as_ref(), env)?;

        let plaintext = open_authenticator(&request, &ticket.session_key, opened.plaintext)?;
        let authenticator =
            Authenticator::from_der(&plaintext).map_err(ErrorKind::DefectivePlaintext)?;
        let authenticator_time = check_client_and_time(&authenticator, &ticket, env)?;
        let subkey = match &authenticator.subkey {
            Some(subkey) => Some(permitted_key(subkey.keytype, subkey.keyvalue, env.policy)?),
            None => None,
        };
        let data = AuthenticatorData::collect(authenticator.authorization_data.as_ref())?;

        // RFC 4121 §4.1.1: type 0x8003. An absent or another checksum, which some acceptors take
        // for "no flags", could have been made for any other protocol.
        let checksum = authenticator
            .cksum
            .as_ref()
            .filter(|checksum| checksum.cksumtype == GssChecksum::TYPE)
            .ok_or(ErrorKind::ChecksumMissing)?;
        let checksum =
            GssChecksum::parse(checksum.checksum).map_err(ErrorKind::ChecksumDefective)?;
        if let Some(proxied) = proxied {
            proxied.verify(checksum.extensions, subkey.as_ref())?;
        }
        let asked = Flags::from_bits(checksum.flags.0);
        let mut flags = asked & GRANTABLE;
        if flags.contains(Flags::DCE_STYLE) {
            flags |= Flags::MUTUAL;
        }
        if ticket.anonymous && !env.policy.anonymous_initiators() {
            return Err(ErrorKind::AnonymousRefused);
        }
        if ticket.anonymous {
            flags |= Flags::ANONYMOUS;
        }
        // RFC 4121 §4.1.1: absent bindings are sixteen zero bytes. MS-KILE §3.2.5.8: a client that
        // always sends bindings and did not send these was lured into authenticating elsewhere.
        let bindings = &expectations.bindings;
        if bindings.check(&checksum.bindings, data.expects_bindings)? {
            flags |= Flags::CHANNEL_BOUND;
        }
        // Bare tokens belong to DCE style and to it alone.
        if flags.contains(Flags::DCE_STYLE) != (framed == Framed::Bare) {
            return Err(ErrorKind::FramingMismatch);
        }
        let delegated = match checksum
            .delegation
            .filter(|_| asked.contains(Flags::DELEGATION))
        {
            Some(message) => {
                let keys = [subkey.as_ref(), Some(&ticket.session_key)];
                flags |= Flags::DELEGATION;
                Some(delegation::receive(message, keys, &ticket.client)?)
            }
            None => None,
        };
        // User-to-user tickets are sealed in a session key (RFC 4120 §3.7), of which the KDC is not told.
        let evidence = (expectations.keep_evidence && !user_to_user)
            .then(|| Box::new(evidence(&ticket, request.ticket.raw())));
        let missing = expectations.required.difference(flags);
        if !missing.is_empty() {
            return Err(ErrorKind::FlagsNotGranted(missing));
        }

        let initiators = subkey.as_ref().unwrap_or(&ticket.session_key).enctype();
        let mechanism = match proxied {
            Some(_) => Oid::IAKERB,
            None => Oid::KERBEROS,
        };
        Ok(Self {
            framed,
            mechanism,
            subkey_enctype: data.preferred_enctype(env.policy).unwrap_or(initiators),
            ticket,
            flags,
            authenticator_time,
            subkey,
            // RFC 4120 §5.5.1 lets it be absent; 0 is then the start (RFC 4121 §4.2.1 needs one).
            sequence: authenticator.seq_number.unwrap_or(0),
            delegated,
            evidence,
            replay_tag: replay::tag(request.authenticator.cipher),
        })
    }
}

impl core::fmt::Debug for AcceptedRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AcceptedRequest")
            .field("flags", &self.flags)
            .finish_non_exhaustive()
    }
}

/// The ticket as its client has it.
fn evidence(ticket: &VerifiedTicket, raw: &[u8]) -> TicketCredential {
    TicketCredential {
        times: ticket.times,
        flags: ticket.flags,
        ..TicketCredential::new(
            ticket.client.clone(),
            ticket.server.clone(),
            ticket.session_key.duplicate(),
            raw.to_vec(),
        )
    }
}

fn open_authenticator(
    request: &ApReq<'_>,
    session_key: &Key,
    mut plaintext: Plaintext,
) -> Result<Plaintext, ErrorKind> {
    let part = &request.authenticator;
    if part.etype != session_key.enctype().id() {
        return Err(ErrorKind::AuthenticatorModified);
    }
    let cipher = session_key.cipher(KeyUsage::AP_REQ_AUTHENTICATOR);
    match plaintext.decrypt(&cipher, part.cipher) {
        true => Ok(plaintext),
        false => Err(ErrorKind::AuthenticatorModified),
    }
}

/// RFC 4120 §3.2.3: the authenticator's client is the ticket's, and its time is near ours.
fn check_client_and_time(
    authenticator: &Authenticator<'_>,
    ticket: &VerifiedTicket,
    env: &Environment<'_>,
) -> Result<Timestamp, ErrorKind> {
    if !ticket
        .client
        .is_named(&authenticator.crealm, &authenticator.cname)
    {
        return Err(ErrorKind::ClientMismatch);
    }
    let time = Timestamp::new(authenticator.ctime.seconds, authenticator.cusec.as_u32());
    let skew = u128::from(env.policy.clock_skew()).saturating_mul(1_000_000);
    if time.distance(env.now) > skew {
        return Err(ErrorKind::ClockSkew);
    }
    Ok(time)
}

impl AuthenticatorData<'_> {
    /// The enctype for the acceptor's subkey: the first of the initiator's list that policy permits
    /// (RFC 4537 §3).
    fn preferred_enctype(&self, policy: &Policy) -> Option<Enctype> {
        self.enctypes
            .iter()
            .filter_map(Enctype::from_id)
            .find(|enctype| policy.enctypes().contains(*enctype))
    }
}
