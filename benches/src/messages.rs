//! Messages of an established context, in place.

use countersign_context::kerberos::Acceptor;
use countersign_context::{Mechanism, SecurityContext, Step};
use countersign_crypto::Enctype;

use crate::contexts::Parties;
use crate::{Operation, Prepared, Result, SystemRandom};

const SIZES: [(usize, &str); 3] = [(64, "64"), (4096, "4k"), (65_536, "64k")];

const ENCTYPES: [Enctype; 3] = [
    Enctype::Aes256CtsHmacSha1_96,
    Enctype::Aes256CtsHmacSha384_192,
    Enctype::Aes128CtsHmacSha1_96,
];

/// The initiator's context and the acceptor's.
pub(crate) fn pair(enctype: Enctype) -> Result<(SecurityContext, SecurityContext)> {
    let parties = Parties::new(enctype)?;
    let mut random = SystemRandom;
    let env = &mut parties.environment(&mut random, 0);
    let mut initiator = parties.initiator();
    let Step::Continue { token } = initiator.step(None, env)? else {
        return Err("no first token".into());
    };
    let accepted = Acceptor::new(&parties.acceptor).step(Some(&token), env)?;
    let Step::Established { token, context } = accepted else {
        return Err("no reply".into());
    };
    match initiator.step(token.as_deref(), env)? {
        Step::Established { context: ours, .. } => Ok((*ours, *context)),
        other => Err(format!("{other:?}").into()),
    }
}

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for enctype in ENCTYPES {
        for (seal, kind) in [(true, "sealed"), (false, "signed")] {
            for (size, label) in SIZES {
                let name = |what: &str| format!("{what}/{kind}/{}/{label}", enctype.name());
                all.push(Prepared::new(name("wrap"), move |name| {
                    wrap(name, enctype, seal, size)
                }));
                all.push(Prepared::new(name("unwrap"), move |name| {
                    unwrap(name, enctype, seal, size)
                }));
            }
        }
    }
    all
}

fn wrap(name: &str, enctype: Enctype, seal: bool, size: usize) -> Result<Operation> {
    let (mut sender, _) = pair(enctype)?;
    let mut buffer = vec![0; sender.overhead(seal, size).total().saturating_add(size)];
    let run = move || assert!(sender.wrap_in_place(seal, &mut buffer).is_ok());
    Ok(Operation::new(name, run).with_bytes(size))
}

/// Each run opens a copy of one token: the copy is in the figure, the order is not enforced.
fn unwrap(name: &str, enctype: Enctype, seal: bool, size: usize) -> Result<Operation> {
    let (mut sender, mut receiver) = pair(enctype)?;
    let token = sender.wrap(seal, &vec![0; size])?;
    let mut buffer = token.clone();
    let run = move || {
        buffer.copy_from_slice(&token);
        assert!(receiver.unwrap_in_place_any_order(&mut buffer).is_ok());
    };
    Ok(Operation::new(name, run).with_bytes(size))
}
