//! One turn of a TGS exchange: what is asked, and what an answer leads to.

use std::sync::Arc;

use countersign_credential::{Principal, TicketCredential};
use countersign_crypto::Key;
use countersign_token::kerberos::{KdcOptions, PaData, TicketFlags};

use crate::environment::{Environment, Timestamp};
use crate::error::{ErrorKind, KdcProblem};
use crate::kerberos::kdc::exchange::{KdcRequest, KdcService};
use crate::kerberos::kdc::fast::Armor;
use crate::kerberos::kdc::krb_error::{KdcError, code};
use crate::kerberos::kdc::options::AskedTimes;
use crate::kerberos::kdc::padata::OwnedPaData;
use crate::kerberos::kdc::tgs_request::{TgsRequest, header_key};
use crate::policy::EnctypeSet;

use super::goal::Goal;
use super::{Armored, ServiceTicket, ServiceTicketOutcome};

/// A request that is under way.
pub(super) struct Asked {
    pub(super) header: Arc<TicketCredential>,
    pub(super) service: Principal,
    pub(super) flags: KdcOptions,
    pub(super) times: AskedTimes,
    pub(super) nonce: u32,
    pub(super) subkey: Key,
    pub(super) armor: Option<Armor>,
    /// On the way to a realm, as opposed to what the exchange is for.
    pub(super) on_the_way: bool,
    pub(super) request: KdcRequest,
}

impl core::fmt::Debug for Asked {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Asked")
            .field("service", &self.service)
            .field("flags", &self.flags)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// What a turn of the exchange ends with.
pub(super) enum Turn {
    Ask(Box<Asked>),
    Done(ServiceTicketOutcome),
}

impl ServiceTicket {
    /// Asks whoever is next.
    pub(super) fn ask(&mut self, env: &mut Environment<'_>) -> Result<Turn, ErrorKind> {
        let now = env.now.offset_by(self.settings.time_offset);
        self.walk.take_known(&self.settings, now)?;
        let header = Arc::clone(self.walk.header());
        // RFC 4120 §3.3.1: a ticket that has expired gets no other; one that is not yet valid only
        // itself.
        if now >= Timestamp::from_unix(header.times.end_time) {
            return Err(ErrorKind::TicketExpired);
        }
        let enctypes = self.permitted(env.policy.enctypes());
        let next_realm = self.walk.next_realm(&self.settings.paths)?;
        let (on_the_way, service, flags, additional) = match next_realm {
            Some(realm) => {
                let service = Principal::ticket_granting_service(&realm, self.walk.realm());
                (true, service, self.common_flags(&header), None)
            }
            None => {
                let asked = self.goal.asked(&self.walk);
                let flags = self.common_flags(&header) | asked.flags;
                (false, asked.service, flags, asked.additional)
            }
        };
        let times = self.times(&header, flags, now);
        let request = TgsRequest {
            header: &header,
            service: &service,
            flags,
            times,
            addresses: match on_the_way {
                true => &[],
                false => self.settings.options.asked_addresses(),
            },
            enctypes,
            additional: match &additional {
                Some(ticket) => &[ticket.as_slice()],
                None => &[],
            },
        };
        let sealed = request.seal(now, env.random)?;
        let padata = match on_the_way {
            true => Vec::new(),
            false => self.goal.padata(&header, &sealed)?,
        };
        let (armor, padata) = match self.is_armored() {
            true => {
                let armor = Armor::implicit(&sealed.subkey, header_key(&header, enctypes)?)?;
                let value = armor.seal(&sealed.ap_req, &padata, &sealed.body, env)?;
                (Some(armor), vec![OwnedPaData::new(PaData::FX_FAST, value)])
            }
            false => (None, padata),
        };
        let request = KdcRequest {
            realm: self.walk.kdc(&self.goal).to_vec(),
            service: KdcService::Kdc,
            message: sealed.message(&padata)?,
            stream_only: false,
        };
        Ok(Turn::Ask(Box::new(Asked {
            header,
            service,
            flags,
            times,
            nonce: sealed.nonce,
            subkey: sealed.subkey,
            armor,
            on_the_way,
            request,
        })))
    }

    fn is_armored(&self) -> bool {
        match &self.settings.armored {
            Armored::In(realms) => realms
                .iter()
                .any(|realm| realm == self.walk.kdc(&self.goal)),
            Armored::Everywhere => true,
        }
    }

    pub(super) fn permitted(&self, permitted: EnctypeSet) -> EnctypeSet {
        match self.settings.enctypes {
            Some(asked) => asked.and(permitted),
            None => permitted,
        }
    }

    /// The properties of the header ticket that the next one can have, and what the caller named.
    fn common_flags(&self, header: &TicketCredential) -> KdcOptions {
        let mut flags = self.settings.options.flags();
        // MIT's KDC leaves out of a renewed ticket what is not asked for again.
        if matches!(self.goal, Goal::Again(_)) {
            let kept = TicketFlags::RENEWABLE | TicketFlags::MAY_POSTDATE;
            let kept = kept | TicketFlags::FORWARDABLE | TicketFlags::PROXIABLE;
            return flags | inherited(header, kept);
        }
        flags |= inherited(header, TicketFlags::FORWARDABLE | TicketFlags::PROXIABLE);
        if self.settings.canonicalize {
            flags |= KdcOptions::CANONICALIZE;
        }
        if self.settings.unchecked_transit {
            flags |= KdcOptions::DISABLE_TRANSITED_CHECK;
        }
        flags
    }

    /// No ticket lasts longer than the one it is made from (RFC 4120 §3.3.3).
    fn times(&self, header: &TicketCredential, flags: KdcOptions, now: Timestamp) -> AskedTimes {
        let mut times = self.settings.options.times(now.seconds());
        if !matches!(self.goal, Goal::Again(_)) {
            let end = header.times.end_time;
            times.till = Some(times.till.map_or(end, |till| till.min(end)));
        }
        if flags.contains(KdcOptions::RENEWABLE) && times.renew_till.is_none() {
            times.renew_till = (header.times.renew_till != 0).then_some(header.times.renew_till);
        }
        times
    }

    pub(super) fn answered(
        &mut self,
        mut asked: Box<Asked>,
        message: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Turn, ErrorKind> {
        let limit = env.policy.max_token();
        if message.len() > limit {
            let length = message.len();
            return Err(ErrorKind::TokenTooLarge { length, limit });
        }
        if KdcError::is_one(message) {
            return self.refused(asked, message, env);
        }
        let mut granted = self.verify(&asked, message, env)?;
        if granted.is_final && self.walk.is_unvouched() {
            granted.credential.flags.0 &= !TicketFlags::OK_AS_DELEGATE.0;
        }
        let credential = Arc::new(granted.credential);
        if granted.is_final {
            return Ok(Turn::Done(ServiceTicketOutcome {
                credential,
                intermediate: self.walk.take_gathered(),
                time_offset: self.settings.time_offset,
            }));
        }
        // Whoever asked on the way goes on from there; the goal may want more than that.
        if asked.on_the_way {
            self.walk.arrive(credential)?;
        } else {
            self.goal.referred(&mut self.walk, credential)?;
        }
        asked.request.message.clear();
        self.ask(env)
    }

    /// A KRB-ERROR is nobody's word. It can end the exchange, choose a nearer realm where no way is
    /// configured, correct the time once, or demand a stream: nothing that makes a later request
    /// weaker.
    fn refused(
        &mut self,
        mut asked: Box<Asked>,
        message: &[u8],
        env: &mut Environment<'_>,
    ) -> Result<Turn, ErrorKind> {
        let error = KdcError::decode(message)
            .map_err(|error| ErrorKind::Kdc(KdcProblem::DefectiveReply(error)))?;
        match error.code {
            // RFC 4120 §7.2.1.
            code::RESPONSE_TOO_BIG if !asked.request.stream_only => {
                asked.request.stream_only = true;
                Ok(Turn::Ask(asked))
            }
            code::SKEW => {
                let offset = error.time.seconds_since(env.now);
                let times = &asked.header.times;
                let follow = env.policy.skew_recovery()
                    && self.walk.recover_once()
                    && error.time >= Timestamp::from_unix(times.valid_from())
                    && error.time < Timestamp::from_unix(times.end_time);
                if !follow {
                    return Err(ErrorKind::Kdc(KdcProblem::ClockSkew { offset }));
                }
                self.settings.time_offset = offset;
                self.ask(env)
            }
            _ => self.final_refusal(&asked, error, env),
        }
    }

    /// An error that no other rendering of the same request would change. Inside of FAST only what
    /// is armored counts.
    fn final_refusal(
        &mut self,
        asked: &Asked,
        mut error: KdcError,
        env: &mut Environment<'_>,
    ) -> Result<Turn, ErrorKind> {
        if let Some(armor) = &asked.armor {
            error = armor.error(&error, asked.nonce)?;
        }
        match asked.on_the_way
            && error.problem() == KdcProblem::ServiceUnknown
            && self.walk.try_nearer(&self.settings.paths)
        {
            true => self.ask(env),
            false => Err(ErrorKind::Kdc(error.problem())),
        }
    }
}

/// The options that ask for what the header ticket allows.
pub(super) fn inherited(header: &TicketCredential, among: TicketFlags) -> KdcOptions {
    // The bits of the flags and of the options that ask for them are the same: RFC 4120 §5.3 and
    // §5.4.1.
    KdcOptions((header.flags & among).0)
}
