//! What is known between the requests of an AS exchange, and what answers to them change.

use countersign_credential::Principal;
use countersign_crypto::{Enctype, Key};
use countersign_token::kerberos::PaData;

use crate::environment::{Environment, Timestamp};
use crate::error::{ErrorKind, KdcProblem};

use super::super::as_request::{Sent, Wish};
use super::super::exchange::{KdcRequest, KdcService};
use super::super::fast::Armor;
use super::super::hints::{Hint, KeyHints};
use super::super::krb_error::KdcError;
use super::super::padata::OwnedPaData;
use super::super::preauth::Selection;
use super::InitialTicket;

/// Requests that one exchange may send: every realm of the longest path costs two.
const MAX_REQUESTS: u8 = 24;

/// Realms that a client may be sent to, RFC 6806 §7.
const MAX_REALMS: usize = 10;

/// What is known after some rounds.
#[derive(Debug)]
pub(super) struct Conversation {
    /// In the realm that is being asked.
    pub(super) client: Principal,
    server: Principal,
    enctypes: Vec<Enctype>,
    visited: Vec<Vec<u8>>,
    pub(super) armor: Option<Armor>,
    /// RFC 6113 §5.2: given back as it came.
    pub(super) cookie: Option<Vec<u8>>,
    pub(super) hints: KeyHints,
    pub(super) proved: Option<Proved>,
    sent: Option<Sent>,
    /// Seconds from our clock to the KDC's.
    offset: i64,
    pub(super) stream_only: bool,
    requests: u8,
    skew_followed: bool,
    pub(super) restarted: bool,
    /// The KDC has asked for a proof.
    pub(super) asked: bool,
}

/// A proof that was sent, and the key that it was made with.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) selection: Selection,
    hint: Hint,
    pub(super) key: Key,
}

impl Conversation {
    pub(super) fn new(exchange: &InitialTicket, client: Principal, env: &Environment<'_>) -> Self {
        let server = match &exchange.service {
            Some(service) => service.with_realm(client.realm()),
            None => Principal::ticket_granting_service(client.realm(), client.realm()),
        };
        Self {
            server,
            enctypes: exchange.secret.enctypes(env.policy),
            visited: vec![client.realm().to_vec()],
            client,
            armor: None,
            cookie: None,
            hints: KeyHints::default(),
            proved: None,
            sent: None,
            offset: 0,
            stream_only: false,
            requests: 0,
            skew_followed: false,
            restarted: false,
            asked: false,
        }
    }

    pub(super) fn wish<'a>(&'a self, exchange: &'a InitialTicket) -> Wish<'a> {
        Wish {
            client: &self.client,
            server: &self.server,
            options: &exchange.options,
            canonicalize: exchange.may_canonicalize(),
            pac: exchange.pac,
            enctypes: &self.enctypes,
        }
    }

    pub(super) fn sent(&self) -> Result<&Sent, ErrorKind> {
        self.sent
            .as_ref()
            .ok_or(ErrorKind::Internal("nothing was sent"))
    }

    /// The KDC's time.
    fn time(&self, env: &Environment<'_>) -> Timestamp {
        env.now.offset_by(self.offset)
    }

    pub(super) fn count(&mut self) -> Result<(), ErrorKind> {
        self.requests = self.requests.saturating_add(1);
        match self.requests > MAX_REQUESTS {
            true => Err(KdcProblem::TooManyRounds.into()),
            false => Ok(()),
        }
    }

    /// Makes the next request, with these padata among others.
    pub(super) fn send(
        &mut self,
        exchange: &InitialTicket,
        mut padata: Vec<OwnedPaData>,
        env: &mut Environment<'_>,
    ) -> Result<(), ErrorKind> {
        self.count()?;
        let time = self.time(env);
        if let (Some(ticket), None) = (&exchange.armor, &self.armor) {
            let realm = self.client.realm();
            self.armor = Some(Armor::from_ticket(ticket, realm, time, env)?);
        }
        if let Some(cookie) = &self.cookie {
            padata.insert(0, OwnedPaData::new(PaData::FX_COOKIE, cookie.clone()));
        }
        let wish = self.wish(exchange);
        let sent = wish.encode(self.armor.as_ref(), padata, time, env)?;
        self.sent = Some(sent);
        Ok(())
    }

    /// Takes the KDC's hints over, if there are any.
    pub(super) fn learn(&mut self, error: &KdcError) -> Result<(), ErrorKind> {
        if let Some(hints) = KeyHints::read(&error.padata)? {
            self.hints = hints;
        }
        Ok(())
    }

    /// Proves the secret by a mechanism.
    pub(super) fn prove(
        self,
        exchange: &InitialTicket,
        selection: Selection,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        let enctype = exchange.secret.choose(&self.hints, env.policy)?;
        let hint = self.hints.of(enctype, &self.client);
        let key = exchange
            .secret
            .long_term_key(enctype, None, &self.hints, &self.client)?;
        self.resend(
            exchange,
            Proved {
                selection,
                hint,
                key,
            },
            env,
        )
    }

    /// Proves the secret by what comes after the last proof, with the key that was made for that:
    /// whoever asks on and on, which is anybody where there is no armor, does not have the password
    /// made into a key each time.
    pub(super) fn prove_again(
        self,
        exchange: &InitialTicket,
        mut proved: Proved,
        error: &KdcError,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        proved.selection = proved.selection.next(&error.padata)?;
        self.resend(exchange, proved, env)
    }

    /// Sends a proof made at this moment.
    fn resend(
        mut self,
        exchange: &InitialTicket,
        proved: Proved,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        let time = self.time(env);
        let armor = self.armor.as_ref();
        let padata = proved.selection.prove(&proved.key, armor, time, env)?;
        self.proved = Some(proved);
        self.send(exchange, padata, env)?;
        Ok(self)
    }

    /// Whether the proof that was sent is one that the KDC had not asked for.
    pub(super) fn is_unasked_proof(&self) -> bool {
        self.proved.is_some() && !self.asked && !self.restarted
    }

    /// Begins anew, without a proof.
    pub(super) fn wait_for_question(
        mut self,
        exchange: &InitialTicket,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        self.restarted = true;
        self.proved = None;
        self.send(exchange, Vec::new(), env)?;
        Ok(self)
    }

    /// A proof that was made before the KDC named a salt may have had another one; anything else
    /// is a wrong secret.
    pub(super) fn try_other_salt(
        mut self,
        exchange: &InitialTicket,
        error: &KdcError,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        let wrong = ErrorKind::Kdc(error.problem());
        if self.proved.is_none() || self.hints != KeyHints::default() {
            return Err(wrong);
        }
        if KeyHints::read(&error.padata)?.is_none() {
            // A proof before the question may be of the wrong salt; the question brings it.
            if self.is_unasked_proof() {
                return self.wait_for_question(exchange, env);
            }
            // RFC 4120 §3.1.3 has a KDC name its enctypes to a client that knows the newer ones.
            // One that names none has none of those that were offered.
            return Err(KdcProblem::EnctypesDisjoint.into());
        }
        self.learn(error)?;
        let proved = self.proved.take().ok_or(wrong)?;
        let enctype = exchange.secret.choose(&self.hints, env.policy)?;
        let hint = self.hints.of(enctype, &self.client);
        if enctype == proved.key.enctype() && hint == proved.hint {
            return Err(wrong);
        }
        self.prove(exchange, proved.selection, env)
    }

    /// KRB_AP_ERR_SKEW: once more, at the time that the KDC says it has. Whoever forges that time
    /// gains a proof of the secret at that time, and nothing that the proof of now would not give
    /// (RFC 4120 §3.1.3).
    pub(super) fn correct_clock(
        mut self,
        exchange: &InitialTicket,
        error: &KdcError,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        let offset = error.time.seconds_since(env.now);
        if self.skew_followed || !env.policy.skew_recovery() {
            return Err(KdcProblem::ClockSkew { offset }.into());
        }
        self.skew_followed = true;
        self.offset = offset;
        // Its authenticator had the other time.
        self.armor = None;
        match self.proved.take() {
            Some(proved) if exchange.armor.is_none() => self.resend(exchange, proved, env),
            // The proof depends on the armor, which is made anew: have the KDC ask again.
            _ => {
                self.cookie = None;
                self.send(exchange, Vec::new(), env)?;
                Ok(self)
            }
        }
    }

    /// WRONG_REALM: asks the KDC of the realm that the client is of (RFC 6806 §7).
    pub(super) fn go_elsewhere(
        self,
        exchange: &InitialTicket,
        error: &KdcError,
        env: &mut Environment<'_>,
    ) -> Result<Self, ErrorKind> {
        let refused = ErrorKind::Kdc(KdcProblem::ReferralRefused);
        let realm = error.client_realm.as_ref().ok_or(refused)?;
        if !exchange.may_canonicalize() || realm.is_empty() {
            return Err(refused);
        }
        if self.visited.contains(realm) || self.visited.len() > MAX_REALMS {
            return Err(KdcProblem::ReferralLoop.into());
        }
        let client = self.client.with_realm(realm);
        let mut visited = self.visited;
        visited.push(realm.clone());
        let mut there = Self {
            visited,
            requests: self.requests,
            ..Self::new(exchange, client, env)
        };
        there.send(exchange, Vec::new(), env)?;
        Ok(there)
    }

    pub(super) fn request(&self) -> Result<KdcRequest, ErrorKind> {
        Ok(KdcRequest {
            realm: self.client.realm().to_vec(),
            service: KdcService::Kdc,
            message: self.sent()?.message.clone(),
            stream_only: self.stream_only,
        })
    }
}
