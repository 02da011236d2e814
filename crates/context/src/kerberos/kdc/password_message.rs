//! The messages to and from the password-changing service: RFC 3244 §2, RFC 4120 §3.4.

use countersign_credential::{HostAddress, Password, Principal, TicketCredential};
use countersign_crypto::{Key, KeyUsage};
use countersign_token::der::{Decode, Encode};
use countersign_token::kerberos::kpasswd::{
    ChangePasswdData, KpasswdReply, KpasswdRequest, KpasswdResult,
};
use countersign_token::kerberos::{
    ApOptions, Authenticator, EncKrbPrivPart, EncryptedData, EncryptionKey,
    HostAddress as TokenAddress, KerberosTime, KrbPriv, Microseconds,
};
use zeroize::Zeroizing;

use crate::environment::{Environment, Timestamp};
use crate::error::{ErrorKind, KdcProblem};
use crate::kerberos::ap_rep;
use crate::kerberos::ap_req::Envelope;
use crate::kerberos::framing::Framed;
use crate::kerberos::plaintext::seal;

use super::as_request::nonce;
use super::krb_error::{KdcError, code};
use super::reply::open;

/// A change to ask for.
pub(crate) struct Change<'a> {
    pub(crate) ticket: &'a TicketCredential,
    pub(crate) new: &'a Password,
    /// Another than the client.
    pub(crate) target: Option<&'a Principal>,
    pub(crate) sender: &'a HostAddress,
}

/// A request that was sent, and what its reply must agree with.
pub(crate) struct Sent {
    pub(crate) message: Vec<u8>,
    time: Timestamp,
    subkey: Key,
    /// Our own KRB-PRIV, which is no reply to itself.
    cipher: Vec<u8>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) string: Vec<u8>,
    pub(crate) authenticated: bool,
}

impl Change<'_> {
    pub(crate) fn encode(
        &self,
        time: Timestamp,
        env: &mut Environment<'_>,
    ) -> Result<Sent, ErrorKind> {
        if time >= Timestamp::from_unix(self.ticket.times.end_time) {
            return Err(ErrorKind::TicketExpired);
        }
        let session_key = session_key(self.ticket, env)?;
        let subkey =
            Key::generate(session_key.enctype(), env.random).map_err(|_| ErrorKind::Random)?;
        let sequence = nonce(env)?;
        let ap_req = self.ap_req(session_key, &subkey, time, sequence, env)?;

        let (version, user_data) = match self.target {
            None => (KpasswdRequest::CHANGE, self.own()),
            Some(target) => (KpasswdRequest::SET, self.of(target)),
        };
        let part = EncKrbPrivPart {
            user_data: &user_data,
            timestamp: None,
            usec: None,
            // RFC 3244 §2: it begins where the AP-REQ says.
            seq_number: Some(sequence),
            s_address: TokenAddress {
                addr_type: self.sender.addr_type,
                address: &self.sender.address,
            },
            r_address: None,
        };
        let cipher = seal(&part, &subkey, KeyUsage::KRB_PRIV, env.random)?;
        let krb_priv = KrbPriv {
            enc_part: EncryptedData {
                etype: subkey.enctype().id(),
                kvno: None,
                cipher: &cipher,
            },
        }
        .to_der();
        let request = KpasswdRequest {
            version,
            ap_req: &ap_req,
            krb_priv: &krb_priv,
        };
        let message = request.encode().map_err(|_| ErrorKind::Overflow)?;
        Ok(Sent {
            message,
            time,
            subkey,
            cipher,
        })
    }

    /// Version 1: the password and nothing else.
    fn own(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.new.expose().as_bytes().to_vec())
    }

    /// RFC 3244 §2: the password with whose it is.
    fn of(&self, target: &Principal) -> Zeroizing<Vec<u8>> {
        let components = target.token_components();
        let data = ChangePasswdData {
            newpasswd: self.new.expose().as_bytes(),
            targname: Some(target.token_name(&components)),
            targrealm: Some(target.token_realm()),
        };
        Zeroizing::new(data.to_der())
    }

    fn ap_req(
        &self,
        session_key: &Key,
        subkey: &Key,
        time: Timestamp,
        sequence: u32,
        env: &mut Environment<'_>,
    ) -> Result<Vec<u8>, ErrorKind> {
        let client = &self.ticket.client;
        let components = client.token_components();
        let authenticator = Authenticator {
            crealm: client.token_realm(),
            cname: client.token_name(&components),
            cksum: None,
            cusec: Microseconds::saturating(time.microseconds()),
            ctime: KerberosTime {
                seconds: time.seconds(),
            },
            subkey: Some(EncryptionKey {
                keytype: subkey.enctype().id(),
                keyvalue: subkey.expose(),
            }),
            seq_number: Some(sequence),
            authorization_data: None,
        };
        let envelope = Envelope {
            ap_options: ApOptions::MUTUAL_REQUIRED,
            ticket: self.ticket,
            session_key,
            usage: KeyUsage::AP_REQ_AUTHENTICATOR,
            framed: Framed::Bare,
        };
        envelope.around(&authenticator, env.random)
    }
}

impl Sent {
    /// Opens the reply.
    pub(crate) fn open(
        &self,
        ticket: &TicketCredential,
        message: &[u8],
        env: &Environment<'_>,
    ) -> Result<Answer, ErrorKind> {
        match KpasswdReply::parse(message).map_err(KdcProblem::DefectiveReply)? {
            KpasswdReply::Error(error) => refused(error, env),
            KpasswdReply::Reply { ap_rep, krb_priv } => {
                self.open_private(ticket, ap_rep, krb_priv, env)
            }
        }
    }

    fn open_private(
        &self,
        ticket: &TicketCredential,
        ap_rep: &[u8],
        krb_priv: &[u8],
        env: &Environment<'_>,
    ) -> Result<Answer, ErrorKind> {
        let cipher = session_key(ticket, env)?.cipher(KeyUsage::AP_REP);
        // RFC 4120 §3.2.5: the time of our authenticator comes back, which only the holder of the
        // service's key could read.
        let reply = ap_rep::open(ap_rep, &cipher)
            .map_err(|error| error.unwrap_or(ErrorKind::MutualAuthenticationFailed))?;
        if reply.time != self.time {
            return Err(ErrorKind::MutualAuthenticationFailed);
        }
        let message = KrbPriv::from_der(krb_priv).map_err(KdcProblem::DefectiveReply)?;
        // RFC 4120 §3.2.5 lets no message be taken for one of the other side.
        if message.enc_part.cipher == self.cipher {
            return Err(ErrorKind::MessageReflected);
        }
        // RFC 3244 §2: in the subkey of the request, whatever the AP-REP holds.
        let plaintext = open(&self.subkey, KeyUsage::KRB_PRIV, &message.enc_part)
            .ok_or(ErrorKind::MessageModified)?;
        let part = EncKrbPrivPart::from_der(&plaintext).map_err(KdcProblem::DefectiveReply)?;
        // RFC 4120 §3.4.2: the number that the AP-REP announced.
        if part
            .seq_number
            .is_some_and(|number| number != reply.sequence)
        {
            return Err(ErrorKind::MessageUnsequenced);
        }
        let result = KpasswdResult::parse(part.user_data).map_err(KdcProblem::DefectiveReply)?;
        Ok(Answer {
            code: result.code,
            string: result.string.to_vec(),
            authenticated: true,
        })
    }
}

/// A KRB-ERROR, which is nobody's word: it may refuse, and never say that it is done
/// (RFC 3244 §2).
fn refused(error: &[u8], env: &Environment<'_>) -> Result<Answer, ErrorKind> {
    let error = KdcError::decode(error).map_err(KdcProblem::DefectiveReply)?;
    let result = KpasswdResult::parse(&error.data).ok();
    match result.filter(|result| result.code != KpasswdResult::SUCCESS) {
        Some(result) if result.code < 0x100 => Ok(Answer {
            code: result.code,
            string: result.string.to_vec(),
            authenticated: false,
        }),
        // Its e-data is something else, or nothing.
        _ if error.code == code::SKEW => {
            let offset = error.time.seconds_since(env.now);
            Err(KdcProblem::ClockSkew { offset }.into())
        }
        _ => Err(error.problem().into()),
    }
}

fn session_key<'a>(
    ticket: &'a TicketCredential,
    env: &Environment<'_>,
) -> Result<&'a Key, ErrorKind> {
    let permitted = |key: &&Key| env.policy.enctypes().contains(key.enctype());
    let enctype = ticket.key.enctype_id();
    ticket
        .session_key()
        .ok()
        .filter(permitted)
        .ok_or(ErrorKind::EnctypeRefused { enctype })
}
