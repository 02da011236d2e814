//! Both sides of Negotiate, and mechanisms without it that answer for the fuzzer.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use countersign_context::kerberos::{
    Acceptor as KerberosAcceptor, Initiator as KerberosInitiator, ReplayProtection,
};
use countersign_context::negotiate::{Acceptor, Initiator};
use countersign_context::{
    Environment, Flags, Mechanism, MicPolicy, NtlmPolicy, Policy, SecurityContext, Step, Timestamp,
    ntlm,
};
use countersign_credential::Password;
use countersign_credential::ntlm::{AccountName, NtlmCredential, Users};
use countersign_crypto::Enctype;
use countersign_token::oid::Oid;
use countersign_token::spnego::{NegState, NegTokenInit, NegTokenResp};

use crate::{Seeded, realm};

/// A mechanism that both sides can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mech {
    Kerberos,
    OneWay,
    Dce,
    Ntlm,
}

impl Mech {
    pub const ALL: [Self; 4] = [Self::Kerberos, Self::OneWay, Self::Dce, Self::Ntlm];

    pub fn of(octet: u8) -> Self {
        Self::ALL[usize::from(octet & 3)]
    }

    pub fn oid(self) -> Oid<'static> {
        match self {
            Self::Ntlm => Oid::NTLMSSP,
            _ => Oid::KERBEROS,
        }
    }

    pub fn is(self, oid: Oid<'_>) -> bool {
        oid == self.oid() || (oid == Oid::MS_KERBEROS && self != Self::Ntlm)
    }

    pub fn initiator(self) -> Box<dyn Mechanism> {
        let kerberos = || {
            static TICKET: OnceLock<Arc<countersign_credential::TicketCredential>> =
                OnceLock::new();
            let ticket = || Arc::new(realm::ticket_credential(Enctype::Aes128CtsHmacSha1_96));
            let initiator = KerberosInitiator::new(Arc::clone(TICKET.get_or_init(ticket)));
            initiator.request(Flags::INTEGRITY)
        };
        match self {
            Self::Kerberos => Box::new(kerberos()),
            Self::OneWay => Box::new(kerberos().one_way()),
            Self::Dce => Box::new(kerberos().dce_style()),
            Self::Ntlm => {
                let name = AccountName::parse("EXAMPLE\\user").expect("a name");
                let secret = Password::from("open sesame");
                let credential = NtlmCredential::with_password(name, &secret);
                Box::new(ntlm::Initiator::new(credential).request(Flags::INTEGRITY))
            }
        }
    }

    pub fn acceptor(self) -> Box<dyn Mechanism> {
        if self != Self::Ntlm {
            let credential = realm::acceptor_credential().clone();
            // Tokens may come again here; what a replay cache is for is another target's.
            let credential = credential.with_replay_protection(ReplayProtection::DangerouslyOff);
            return Box::new(KerberosAcceptor::new(&credential));
        }
        static CREDENTIAL: OnceLock<ntlm::AcceptorCredential> = OnceLock::new();
        let credential = CREDENTIAL.get_or_init(|| {
            let users = Users::parse(b"EXAMPLE:user:open sesame\n").expect("users");
            let names = ntlm::ServerNames::new("WWW", "EXAMPLE").expect("names");
            ntlm::AcceptorCredential::new(names).with_users(users)
        });
        Box::new(ntlm::Acceptor::new(credential))
    }
}

/// NTLM's MIC is required, or not.
pub fn policy(lenient: bool) -> &'static Policy {
    static POLICIES: OnceLock<[Policy; 2]> = OnceLock::new();
    let policies = POLICIES.get_or_init(|| {
        let lenient = NtlmPolicy::default().with_mic(MicPolicy::IfPresent);
        [
            realm::policy().clone(),
            realm::policy().clone().with_ntlm(lenient),
        ]
    });
    &policies[usize::from(lenient)]
}

pub fn environment<'a>(random: &'a mut Seeded, policy: &'a Policy) -> Environment<'a> {
    Environment::new(Timestamp::from_unix(realm::NOW), random).with_policy(policy)
}

/// A mechanism that the fuzzer holds: it answers honestly whatever it is fed.
pub struct Honest {
    mechanism: Box<dyn Mechanism>,
    random: Seeded,
    /// What it says next.
    pub token: Option<Vec<u8>>,
    pub context: Option<Box<SecurityContext>>,
}

impl Honest {
    pub fn new(mechanism: Box<dyn Mechanism>, seed: u64) -> Self {
        Self {
            mechanism,
            random: Seeded(seed),
            token: None,
            context: None,
        }
    }

    pub fn feed(&mut self, token: Option<&[u8]>) {
        if self.context.is_some() {
            return;
        }
        let mut env = environment(&mut self.random, policy(false));
        match self.mechanism.step(token, &mut env) {
            Ok(Step::Continue { token }) => self.token = Some(token),
            Ok(Step::Established { token, context }) => {
                self.token = token;
                self.context = Some(context);
            }
            Ok(Step::Need(need)) => panic!("{need:?}"),
            Err(_) => self.token = None,
        }
    }

    /// Its MIC over a list of mechanisms, or over anything.
    pub fn mic(&mut self, list: &[u8]) -> Option<Vec<u8>> {
        self.context.as_mut()?.get_mic(list).ok()
    }
}

/// The state that an octet stands for.
pub fn state(octet: u8) -> Option<NegState> {
    match octet % 5 {
        0 => Some(NegState::AcceptCompleted),
        1 => Some(NegState::AcceptIncomplete),
        2 => Some(NegState::Reject),
        3 => Some(NegState::RequestMic),
        _ => None,
    }
}

/// The identifier that an octet stands for.
pub fn identifier(octet: u8) -> Oid<'static> {
    let unknown = Oid::from_contents(b"\x2a\x03").expect("well-formed");
    [
        Oid::KERBEROS,
        Oid::NTLMSSP,
        Oid::MS_KERBEROS,
        Oid::NEGOEX,
        Oid::KERBEROS_USER_TO_USER,
        Oid::IAKERB,
        Oid::SPNEGO,
        unknown,
    ][usize::from(octet & 7)]
}

/// What an octet has an acceptor offer.
pub fn own(options: u8) -> &'static [Mech] {
    match options & 3 {
        0 => &[Mech::Kerberos, Mech::Ntlm],
        1 => &[Mech::Ntlm, Mech::Kerberos],
        2 => &[Mech::Ntlm],
        _ => &[Mech::Kerberos],
    }
}

/// An acceptor as the options say.
pub fn acceptor(options: u8) -> Acceptor {
    let mut acceptor = Acceptor::new();
    for mechanism in own(options) {
        acceptor = acceptor.offer_boxed(mechanism.acceptor());
    }
    match options & 4 {
        0 => acceptor,
        _ => acceptor.prefer_own_order(),
    }
}

/// Two mechanisms, or one where they are one.
pub fn initiator(first: Mech, second: Mech) -> Initiator {
    let initiator = Initiator::new().offer_boxed(first.initiator());
    match first.oid() == second.oid() {
        true => initiator,
        false => initiator.offer_boxed(second.initiator()),
    }
}

/// The messages of the two, with the randomness of the targets.
pub fn recorded(first: Mech, second: Mech, options: u8) -> Vec<Vec<u8>> {
    let (mut initiator, mut acceptor) = (initiator(first, second), acceptor(options));
    let (mut here, mut there) = (Seeded(1), Seeded(1));
    let policy = policy(false);
    let mut messages: Vec<Vec<u8>> = Vec::new();
    while messages.len() < 8 {
        let last = messages.last().map(|message| &message[..]);
        let step = match messages.len() % 2 {
            0 => initiator.step(last, &mut environment(&mut here, policy)),
            _ => acceptor.step(last, &mut environment(&mut there, policy)),
        };
        match step {
            Ok(
                Step::Continue { token }
                | Step::Established {
                    token: Some(token), ..
                },
            ) => {
                messages.push(token);
            }
            _ => break,
        }
    }
    messages
}

/// A list of mechanisms, and a MIC over it by who has the key.
pub type Proof = (Vec<u8>, Vec<u8>);

/// The proofs of all recorded negotiations: their messages are among the seeds.
pub fn recorded_proofs() -> &'static HashSet<Proof> {
    static PROOFS: OnceLock<HashSet<Proof>> = OnceLock::new();
    PROOFS.get_or_init(|| {
        let mut proofs = HashSet::new();
        for (first, second) in Mech::ALL
            .into_iter()
            .flat_map(|a| Mech::ALL.map(|b| (a, b)))
        {
            for options in 0..8 {
                let messages = recorded(first, second, options);
                let list = NegTokenInit::parse(&messages[0])
                    .expect("our own")
                    .mech_types;
                let responses = messages[1..]
                    .iter()
                    .filter_map(|one| NegTokenResp::parse(one).ok());
                let mics = responses.filter_map(|response| response.mech_list_mic);
                proofs.extend(mics.map(|mic| (list.as_bytes().to_vec(), mic.to_vec())));
            }
        }
        proofs
    })
}
