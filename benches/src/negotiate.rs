//! Establishing contexts through Negotiate (SPNEGO), with either mechanism as the one that is chosen.

use countersign_context::negotiate::{Acceptor, Initiator};
use countersign_context::{Environment, Policy, Timestamp};
use countersign_crypto::Enctype;
use countersign_testkit::NOW;

use crate::kerberos::{self, accepting, establish};
use crate::ntlm::{self, Said, recorded, replayed};
use crate::{Operation, Prepared, Result, SystemRandom};

/// NTLM would be there, were Kerberos not.
struct Both {
    kerberos: kerberos::Parties,
    ntlm: ntlm::Parties,
}

impl Both {
    fn new() -> Result<Self> {
        Ok(Self {
            kerberos: kerberos::Parties::new(Enctype::Aes256CtsHmacSha1_96)?,
            ntlm: ntlm::Parties::new()?,
        })
    }
}

/// The parties of NTLM alone, and what both said.
fn with_ntlm() -> Result<(ntlm::Parties, Said)> {
    let parties = ntlm::Parties::new()?;
    let said = recorded(
        &mut Initiator::new().offer(parties.initiator()),
        &mut Acceptor::new().offer(parties.acceptor()),
        &Policy::default(),
    )?;
    Ok((parties, said))
}

pub(crate) fn operations() -> Vec<Prepared> {
    vec![
        Prepared::new("negotiate/accept/kerberos", |name| {
            let parties = kerberos::Parties::new(Enctype::Aes256CtsHmacSha1_96)?;
            accepting(
                name,
                parties,
                |parties| Initiator::new().offer(parties.initiator()),
                |parties| Acceptor::new().offer(parties.acceptor()),
            )
        }),
        Prepared::new("negotiate/initiate/kerberos", |name| {
            let parties = kerberos::Parties::new(Enctype::Aes256CtsHmacSha1_96)?;
            let policy = parties.policy.clone();
            let mut acceptor = Acceptor::new().offer(parties.acceptor());
            let said = recorded(
                &mut Initiator::new().offer(parties.initiator()),
                &mut acceptor,
                &policy,
            )?;
            Ok(replayed(name, said.of_acceptor, policy, move || {
                Box::new(Initiator::new().offer(parties.initiator()))
            }))
        }),
        Prepared::new("negotiate/handshake/kerberos", |name| {
            let mut both = Both::new()?;
            Ok(Operation::new(name, move || {
                both.kerberos.tick();
                let initiator = Initiator::new().offer(both.kerberos.initiator());
                let acceptor = Acceptor::new().offer(both.kerberos.acceptor());
                let mut random = SystemRandom;
                let env = &mut both.kerberos.environment(&mut random);
                let pair = establish(
                    &mut initiator.offer(both.ntlm.initiator()),
                    &mut acceptor.offer(both.ntlm.acceptor()),
                    env,
                );
                assert!(pair.is_ok());
                pair
            }))
        }),
        Prepared::new("negotiate/accept/ntlm", |name| {
            let (parties, said) = with_ntlm()?;
            let policy = Policy::default();
            Ok(replayed(name, said.of_initiator, policy, move || {
                Box::new(Acceptor::new().offer(parties.acceptor()))
            }))
        }),
        Prepared::new("negotiate/initiate/ntlm", |name| {
            let (parties, said) = with_ntlm()?;
            let policy = Policy::default();
            Ok(replayed(name, said.of_acceptor, policy, move || {
                Box::new(Initiator::new().offer(parties.initiator()))
            }))
        }),
        Prepared::new("negotiate/handshake/ntlm", |name| {
            let parties = ntlm::Parties::new()?;
            Ok(Operation::new(name, move || {
                let mut random = SystemRandom;
                let env = &mut Environment::new(Timestamp::new(NOW, 0), &mut random);
                let pair = establish(
                    &mut Initiator::new().offer(parties.initiator()),
                    &mut Acceptor::new().offer(parties.acceptor()),
                    env,
                );
                assert!(pair.is_ok());
                pair
            }))
        }),
    ]
}
