//! Two sides, run by hand, so that everything can be looked at on the way.

use countersign::context::PrfKey;
use countersign::handshake::context::kerberos::kdc::KdcAnswer;
use countersign::{
    Answer, Environment, Error, Flags, Mechanism, Need, ReplayVerdict, SecurityContext, Step,
    Timestamp,
};
use countersign_testkit::{NOW, SeededRandom};

use crate::ledger::Ledger;

pub(crate) type Ended = Result<Box<SecurityContext>, Error>;
type Answers = Box<dyn FnMut(&Need) -> Answer>;

pub(crate) struct Party {
    mechanism: Box<dyn Mechanism>,
    random: SeededRandom,
    answers: Answers,
    ended: Option<Ended>,
}

/// Every authenticator is new, and nobody else is there.
fn alone(need: &Need) -> Answer {
    match need {
        Need::Replay(_) => Answer::Replay(ReplayVerdict::Fresh),
        Need::Kdc(_) => Answer::Kdc(KdcAnswer::Unreachable),
        _ => Answer::Logon(countersign::ntlm::Logon::Denied),
    }
}

impl Party {
    pub(crate) fn new(mechanism: impl Mechanism, seed: u64) -> Self {
        Self {
            mechanism: Box::new(mechanism),
            random: SeededRandom::new(seed),
            answers: Box::new(alone),
            ended: None,
        }
    }

    pub(crate) fn answering(mut self, answers: impl FnMut(&Need) -> Answer + 'static) -> Self {
        self.answers = Box::new(answers);
        self
    }

    /// One step, with what is asked for on the way; what is to be sent.
    fn step(&mut self, ledger: &mut Ledger, token: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut env = Environment::new(Timestamp::from_unix(NOW), &mut self.random);
        ledger.print(&env);
        let mut result = self.mechanism.step(token, &mut env);
        ledger.print(&result);
        while let Ok(Step::Need(need)) = &result {
            ledger.print(&self.mechanism);
            let answer = (self.answers)(need);
            ledger.print(&answer);
            result = self.mechanism.resume(answer, &mut env);
            ledger.print(&result);
        }
        ledger.print(&self.mechanism);
        if let Some(key) = self.mechanism.session_key() {
            ledger.print(&key);
            ledger.secret("early session key", key.expose());
        }
        match result {
            Ok(Step::Continue { token }) => Some(token),
            Ok(Step::Established { token, context }) => {
                self.ended = Some(Ok(context));
                token
            }
            Ok(Step::Need(_)) => None,
            Err(error) => {
                ledger.error(&error);
                let told = error.token().map(<[u8]>::to_vec);
                self.ended = Some(Err(error));
                told
            }
        }
    }
}

/// Both to their ends; `meddle` has every token before it arrives.
pub(crate) fn converse(
    ledger: &mut Ledger,
    mut client: Party,
    mut server: Party,
    mut meddle: impl FnMut(usize, &mut Vec<u8>),
) -> (Option<Ended>, Option<Ended>) {
    let mut token = client.step(ledger, None);
    let mut count = 0;
    while let Some(mut sent) = token.take() {
        assert!(count < 40, "the handshake does not end");
        meddle(count, &mut sent);
        let receiver = if count % 2 == 0 {
            &mut server
        } else {
            &mut client
        };
        count += 1;
        if receiver.ended.is_none() {
            token = receiver.step(ledger, Some(&sent));
        }
    }
    (client.ended, server.ended)
}

/// Both contexts of an honest exchange.
#[track_caller]
pub(crate) fn establish(
    ledger: &mut Ledger,
    client: Party,
    server: Party,
) -> (Box<SecurityContext>, Box<SecurityContext>) {
    match converse(ledger, client, server, |_, _| ()) {
        (Some(Ok(client)), Some(Ok(server))) => (client, server),
        ended => panic!("{ended:?}"),
    }
}

/// Everything that an established context shows of itself, and then its halves.
pub(crate) fn look(ledger: &mut Ledger, mut context: Box<SecurityContext>) {
    ledger.print(&context);
    ledger.print(&(
        context.local(),
        context.peer(),
        context.sizes(),
        context.flags(),
    ));
    ledger.print(&context.session_key());
    ledger.secret("session key", context.session_key().expose());
    ledger.print(&(context.pac(), context.negotiated(), context.ntlm_target()));
    ledger.print(&context.lucid());
    if let Some(lucid) = context.lucid() {
        ledger.secret("message key", lucid.key.expose());
        ledger.secret("initiator's key", lucid.initiator_key.expose());
    }
    match context.pseudo_random(PrfKey::Full, b"what for", 32) {
        Ok(output) => ledger.secret("PRF output", &output),
        Err(error) => ledger.error(&error),
    }
    if let Some(delegated) = context.take_delegated() {
        ledger.print(&delegated);
        ledger.secret("delegated key", delegated.key.expose());
    }
    let seal = context.flags().contains(Flags::CONFIDENTIALITY);
    let sealed = context.wrap(seal, b"who goes there").unwrap();
    ledger.error(&context.unwrap(&sealed).unwrap_err());
    let (sender, receiver) = context.split();
    ledger.print(&sender);
    ledger.print(&receiver);
    let context = SecurityContext::rejoin(sender, receiver).unwrap();
    match context.export() {
        Ok(exported) => {
            let mut random = SeededRandom::new(99);
            let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
            ledger.print(&SecurityContext::import(&exported, &mut env).unwrap());
            let cut = SecurityContext::import(&exported[..exported.len() - 1], &mut env);
            ledger.error(&cut.unwrap_err());
        }
        Err(error) => ledger.error(&error),
    }
}
