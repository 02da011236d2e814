//! Verification of an AS-REP: RFC 4120 §3.1.5, RFC 6806 §11, RFC 6113 §5.4.3.

use countersign_credential::Principal;
use countersign_crypto::{Enctype, Key, KeyUsage};
use countersign_token::der::Decode;
use countersign_token::kerberos::{AsRep, EncAsRepPart, KdcRep};

use crate::environment::Environment;
use crate::error::{ErrorKind, KdcProblem, ReplyPart};

use super::as_request::{Sent, Wish};
use super::fast::Armor;
use super::hints::KeyHints;
use super::padata::OwnedPaData;
use super::preauth::Method;
use super::reply::{Asked, AskedServer, Issued, RequestProof, open};
use super::secret::ClientSecret;

/// What a reply is verified with.
pub(crate) struct Expectation<'a> {
    pub(crate) wish: &'a Wish<'a>,
    pub(crate) sent: &'a Sent,
    pub(crate) secret: &'a ClientSecret,
    pub(crate) armor: Option<&'a Armor>,
    /// The mechanism and the key that were proved, if any were.
    pub(crate) proved: Option<(Method, &'a Key)>,
    pub(crate) hints: &'a KeyHints,
}

/// A verified reply.
pub(crate) struct Verified {
    pub(crate) issued: Issued,
    /// The KDC has FAST, it says.
    pub(crate) fast: bool,
    /// The enctype of the client's long-term key.
    pub(crate) enctype: Enctype,
}

impl Expectation<'_> {
    pub(crate) fn verify(
        &self,
        message: &[u8],
        env: &Environment<'_>,
    ) -> Result<Verified, ErrorKind> {
        let reply = AsRep::from_der(message).map_err(KdcProblem::DefectiveReply)?;
        let mut padata = OwnedPaData::collect(reply.padata.unwrap_or_default());

        // RFC 6113 §5.4.3: what answers an armored request is armored and finished, or refused.
        let mut finished_client = None;
        let armored = match self.armor {
            Some(armor) => {
                let armored = armor
                    .open(&padata, self.sent.nonce)?
                    .ok_or(KdcProblem::Unarmored { code: None })?;
                finished_client = Some(armored.finish(armor, &reply.ticket)?.clone());
                padata.clone_from(&armored.padata);
                Some(armored)
            }
            None => None,
        };

        let key = self.long_term_key(&reply, &padata, env)?;
        if let Some((method, key)) = self.proved {
            method.check_kdc(key, self.armor, &padata)?;
        }
        let reply_key = match &armored {
            Some(armored) => armored.reply_key(&key)?,
            None => key.duplicate(),
        };
        let plaintext =
            open(&reply_key, KeyUsage::AS_REP, &reply.enc_part).ok_or(KdcProblem::WrongSecret)?;
        let part = EncAsRepPart::from_der(&plaintext).map_err(KdcProblem::DefectiveReply)?;

        let proof = RequestProof::check(&self.sent.message, &reply_key, &part)?;
        let server = Principal::from_token(&part.srealm, &part.sname);
        let client = self.client(&reply, finished_client, proof.proven, server.realm())?;
        let asked = Asked {
            nonce: self.sent.nonce,
            // RFC 6806 §11: the request may have been altered on its way to name another service,
            // say the ticket-granting one of a realm that spoofs servers; so another name than the
            // asked one is taken only from a KDC that proves which request it saw.
            server: match self.wish.canonicalize && (proof.proven || armored.is_some()) {
                true => AskedServer::Canonical(self.wish.server),
                false => AskedServer::Exactly(self.wish.server),
            },
            times: self.sent.times,
            addresses: self.wish.options.asked_addresses(),
        };
        let issued = asked.check(client, &reply.ticket, &part, env.policy)?;
        Ok(Verified {
            issued,
            fast: proof.fast || self.armor.is_some(),
            enctype: key.enctype(),
        })
    }

    /// The client's key that the reply is to be opened with, before FAST strengthens it.
    ///
    /// The KDC chooses the enctype, of those that were asked for, and says how the key is made;
    /// nobody vouches for either, but a wrong choice opens nothing.
    fn long_term_key(
        &self,
        reply: &KdcRep<'_>,
        padata: &[OwnedPaData],
        env: &Environment<'_>,
    ) -> Result<Key, ErrorKind> {
        let etype = reply.enc_part.etype;
        let enctype = Enctype::from_id(etype)
            .filter(|enctype| env.policy.enctypes().contains(*enctype))
            .ok_or(ErrorKind::EnctypeRefused { enctype: etype })?;
        if let Some((_, key)) = self.proved
            && key.enctype() == enctype
        {
            return Ok(key.duplicate());
        }
        let new = KeyHints::read(padata)?;
        let hints = new.as_ref().unwrap_or(self.hints);
        let kvno = reply.enc_part.kvno;
        self.secret
            .long_term_key(enctype, kvno, hints, self.wish.client)
    }

    /// Who the ticket is for. RFC 4120 §3.1.5: the client that was asked for. RFC 6806 §6 lets the
    /// KDC give a canonical name instead; RFC 6806 §11 has it believed only where the KDC proves
    /// that it wrote it, or FAST does.
    fn client(
        &self,
        reply: &KdcRep<'_>,
        finished: Option<Principal>,
        proven: bool,
        issuer: &[u8],
    ) -> Result<Principal, ErrorKind> {
        let differs = ErrorKind::Kdc(KdcProblem::ReplyMismatch(ReplyPart::Client));
        // RFC 6113 §5.4.3: in armor the client is named there, and nowhere else. Heimdal 7 leaves
        // the name outside empty.
        let armored = finished.is_some();
        let claimed = finished.unwrap_or_else(|| {
            Principal::from_token(reply.crealm.unverified(), reply.cname.unverified())
        });
        if claimed == *self.wish.client {
            return Ok(claimed);
        }
        // A KDC speaks for the clients of its own realm.
        if !self.wish.canonicalize || claimed.realm() != issuer {
            return Err(differs);
        }
        match armored || proven {
            true => Ok(claimed),
            false => Err(KdcProblem::ClientNotVerified.into()),
        }
    }
}
