//! Verification of a TGS-REP: RFC 4120 §3.3.4, RFC 6806 §8, MS-SFU §3.1.5.1.2.

use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::KeyUsage;
use countersign_token::der::Decode;
use countersign_token::kerberos::{EncTgsRepPart, KdcOptions, TgsRep};

use crate::environment::Environment;
use crate::error::{ErrorKind, KdcProblem, ReplyPart};
use crate::kerberos::kdc::padata::OwnedPaData;
use crate::kerberos::kdc::{reply, s4u};

use super::ServiceTicket;
use super::goal::Goal;
use super::turn::Asked;

/// A ticket that a ticket-granting service issued.
pub(super) struct Granted {
    pub(super) credential: TicketCredential,
    /// It is what the exchange is for, and no step on the way.
    pub(super) is_final: bool,
}

/// What a reply's authenticated server name means.
enum Meaning {
    Goal,
    Onward,
}

fn mismatch(part: ReplyPart) -> ErrorKind {
    ErrorKind::Kdc(KdcProblem::ReplyMismatch(part))
}

impl ServiceTicket {
    pub(super) fn verify(
        &self,
        asked: &Asked,
        message: &[u8],
        env: &Environment<'_>,
    ) -> Result<Granted, ErrorKind> {
        let defective = |error| ErrorKind::Kdc(KdcProblem::DefectiveReply(error));
        let rep = TgsRep::from_der(message).map_err(defective)?;
        let mut padata = rep.padata.map(OwnedPaData::collect).unwrap_or_default();
        let mut reply_key = asked.subkey.duplicate();
        let mut named = None;
        if let Some(armor) = &asked.armor {
            let unarmored = ErrorKind::Kdc(KdcProblem::Unarmored { code: None });
            let inside = armor.open(&padata, asked.nonce)?.ok_or(unarmored)?;
            named = Some(inside.finish(armor, &rep.ticket)?.clone());
            reply_key = inside.reply_key(&reply_key)?;
            padata = inside.padata;
        }
        // RFC 4120 §3.3.3: in the subkey, as the request had one. It is fresh, so that no older
        // reply is of use to anybody; a reply in the session key is refused.
        let plaintext = reply::open(&reply_key, KeyUsage::TGS_REP_SUBKEY, &rep.enc_part).ok_or(
            ErrorKind::Kdc(KdcProblem::ReplyMismatch(ReplyPart::Request)),
        )?;
        let part = EncTgsRepPart::from_der(&plaintext).map_err(ErrorKind::DefectivePlaintext)?;

        let server = Principal::from_token(&part.srealm, &part.sname);
        let meaning = self.meaning(asked, &server)?;
        let is_final = matches!(meaning, Meaning::Goal);

        let client = match (&self.goal, is_final) {
            (Goal::OnBehalf { user, .. }, true) => {
                let claims = s4u::Reply {
                    padata: &padata,
                    nonce: asked.nonce,
                    subkey: &asked.subkey,
                };
                match claims.verified_user(user)? {
                    Some(verified) => verified,
                    // Inside of FAST the KDC's word stands for itself.
                    None if self.settings.unverified_user || named.is_some() => user.clone(),
                    None => return Err(ErrorKind::Kdc(KdcProblem::ClientNotVerified)),
                }
            }
            // The client of a TGT on the way, and of an S4U2self referral, is who asks.
            (_, true) => self.goal.client(&asked.header).clone(),
            (Goal::Proxy { evidence, .. }, false) if !asked.on_the_way => evidence.client.clone(),
            (_, false) => asked.header.client.clone(),
        };
        // CVE-2017-11103: the names in the clear are anybody's. They must agree with what we know,
        // and are never taken over.
        if !client.is_named(rep.crealm.unverified(), rep.cname.unverified()) {
            return Err(mismatch(ReplyPart::Client));
        }
        if named.is_some_and(|named| named != client) {
            return Err(mismatch(ReplyPart::Client));
        }

        let enctypes = self.permitted(env.policy.enctypes());
        let policy = env.policy.clone().with_enctypes(enctypes);
        let expected = reply::Asked {
            nonce: asked.nonce,
            // Judged above.
            server: reply::AskedServer::Exactly(&server),
            times: asked.times,
            // RFC 4120 §3.3.3: the header ticket's, unless other ones can be asked for.
            addresses: match asked.flags.0 & (KdcOptions::FORWARDED | KdcOptions::PROXY).0 {
                0 => &asked.header.addresses,
                _ => self.settings.options.asked_addresses(),
            },
        };
        let mut credential = expected
            .check(client, &rep.ticket, &part, &policy)?
            .credential;
        if let (
            Goal::Service {
                second: Some(second),
                ..
            },
            true,
        ) = (&self.goal, is_final)
        {
            // RFC 4120 §3.7: nobody's long-term key opens it.
            credential.is_skey = true;
            credential.second_ticket.clone_from(&second.ticket);
        }
        Ok(Granted {
            credential,
            is_final,
        })
    }

    /// RFC 4120 §3.3.4: the names must be those of the request; RFC 6806 §8: or a referral.
    fn meaning(&self, asked: &Asked, server: &Principal) -> Result<Meaning, ErrorKind> {
        let canonicalize = asked.flags.contains(KdcOptions::CANONICALIZE);
        let same_realm = server.realm() == asked.service.realm();
        let onward = server.is_ticket_granting_service()
            && same_realm
            && server.component(1) != Some(server.realm());
        if asked.on_the_way {
            // A KDC that has no key of the realm may send us by another one (RFC 4120 §3.3.1),
            // unless the way is configured.
            return match server == &asked.service || (onward && !self.walk.is_bound()) {
                true => Ok(Meaning::Onward),
                false => Err(mismatch(ReplyPart::Server)),
            };
        }
        if self.goal.is_reached_by(&asked.service, server) {
            return Ok(Meaning::Goal);
        }
        if canonicalize && onward {
            return Ok(Meaning::Onward);
        }
        // RFC 6806 §6: an alias stands for another name in the realm. A ticket-granting service has
        // no aliases, and the service that S4U2self is for knows its own name.
        let alias = canonicalize
            && same_realm
            && !server.is_ticket_granting_service()
            && !asked.service.is_ticket_granting_service()
            && !matches!(self.goal, Goal::OnBehalf { .. });
        match alias {
            true => Ok(Meaning::Goal),
            false => Err(mismatch(ReplyPart::Server)),
        }
    }
}
