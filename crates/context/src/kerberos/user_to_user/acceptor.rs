//! What the acceptor has for user-to-user: its ticket-granting ticket.

use core::fmt;
use std::sync::Arc;

use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::{Cipher, KeyUsage};
use countersign_token::der::{Decode, Encoded};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{TgtRep, TgtReq, Ticket};

use crate::environment::{Environment, Timestamp};
use crate::error::ErrorKind;

use crate::kerberos::credential::OpenedTicket;
use crate::kerberos::framing::Framed;
use crate::kerberos::pac::SigningKey;
use crate::kerberos::plaintext::Plaintext;

/// The acceptor's own ticket-granting ticket, its session key ready for tickets.
pub(in crate::kerberos) struct OwnTicket {
    credential: Arc<TicketCredential>,
    /// `None`: the session key is of an enctype that this build does not have.
    cipher: Option<Cipher>,
    signing: Option<SigningKey>,
}

impl OwnTicket {
    pub(in crate::kerberos) fn new(credential: Arc<TicketCredential>) -> Self {
        let key = credential.session_key().ok();
        let cipher = key.map(|key| key.cipher(KeyUsage::TICKET));
        let signing = key.map(SigningKey::new);
        Self {
            credential,
            cipher,
            signing,
        }
    }

    /// Whom the ticket names: the acceptor.
    pub(in crate::kerberos) fn owner(&self) -> &Principal {
        &self.credential.client
    }

    /// Answers a TGT-REQ with the ticket.
    ///
    /// Whom the initiator takes us for is its claim alone, and may be a name that only the KDC
    /// knows for ours. The name that counts is the one on the ticket that follows.
    pub(in crate::kerberos) fn reply(
        &self,
        request: &[u8],
        framed: Framed,
        env: &Environment<'_>,
    ) -> Result<Vec<u8>, ErrorKind> {
        TgtReq::from_der(request).map_err(ErrorKind::DefectiveToken)?;
        self.check_time(env)?;
        let ticket = Encoded::parse(&self.credential.ticket).map_err(ErrorKind::DefectiveTicket)?;
        Ok(framed.frame(TokenId::TgtRep, &TgtRep { ticket }))
    }

    /// Decrypts a ticket that the KDC encrypted in our session key. `listed`: the acceptor answers
    /// for the ticket's name by its list of services; `None` if it has none.
    ///
    /// RFC 4120 §3.3.3: the KDC issues such a ticket only where the name on it is that of the
    /// client of the other ticket, or an alias.
    pub(in crate::kerberos) fn open(
        &self,
        ticket: &Ticket<'_>,
        claimed: Principal,
        listed: Option<bool>,
        mut plaintext: Plaintext,
        env: &Environment<'_>,
    ) -> Result<OpenedTicket<'_>, ErrorKind> {
        if !listed.unwrap_or(claimed == *self.owner()) {
            return Err(ErrorKind::NotOurService);
        }
        self.check_time(env)?;
        let found = ticket.enc_part.etype;
        let enctype = self.credential.key.enctype_id();
        let permitted = |cipher: &&Cipher| env.policy.enctypes().contains(cipher.enctype());
        let cipher = self.cipher.as_ref().filter(permitted);
        let keys = cipher.zip(self.signing.as_ref());
        let (cipher, signing) = keys.ok_or(ErrorKind::EnctypeRefused { enctype })?;
        if found != enctype {
            // RFC 4120 §5.3: it has the enctype of the key, and the key is this one.
            return Err(ErrorKind::TicketModified);
        }
        if !plaintext.decrypt(cipher, ticket.enc_part.cipher) {
            return Err(ErrorKind::TicketModified);
        }
        Ok(OpenedTicket {
            server: claimed,
            plaintext,
            signing,
        })
    }

    /// RFC 4120 §3.3.3: a KDC takes no expired ticket for this; neither do we hand one out, nor
    /// trust in its session key.
    fn check_time(&self, env: &Environment<'_>) -> Result<(), ErrorKind> {
        match env.now < Timestamp::from_unix(self.credential.times.end_time) {
            true => Ok(()),
            false => Err(ErrorKind::TicketExpired),
        }
    }
}

impl fmt::Debug for OwnTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnTicket")
            .field("owner", self.owner())
            .finish_non_exhaustive()
    }
}
