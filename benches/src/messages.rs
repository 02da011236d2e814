//! Messages of an established context, in place.

use std::cell::RefCell;
use std::rc::Rc;

use countersign_context::{Environment, SecurityContext, Timestamp};
use countersign_testkit::NOW;

use crate::kerberos::{self, ENCTYPES, establish};
use crate::{Operation, Prepared, Result, SystemRandom, ntlm};

/// The sizes of messages, by what they are called here.
pub(crate) const SIZES: [(usize, &str); 5] = [
    (64, "64"),
    (1024, "1k"),
    (4096, "4k"),
    (65_536, "64k"),
    (1 << 20, "1m"),
];

/// The initiator's context and the acceptor's, of an enctype or of NTLM.
fn pair(name: &str) -> Result<(SecurityContext, SecurityContext)> {
    let mut random = SystemRandom;
    let enctype = ENCTYPES.iter().find(|(_, known)| *known == name);
    let Some((enctype, _)) = enctype else {
        let parties = ntlm::Parties::new()?;
        let env = &mut Environment::new(Timestamp::new(NOW, 0), &mut random);
        return establish(&mut parties.initiator(), &mut parties.acceptor(), env);
    };
    let parties = kerberos::Parties::new(*enctype)?;
    let env = &mut parties.environment(&mut random);
    establish(&mut parties.initiator(), &mut parties.acceptor(), env)
}

pub(crate) fn operations() -> Vec<Prepared> {
    let mut all = Vec::new();
    for kind in ENCTYPES.map(|(_, name)| name).into_iter().chain(["ntlm"]) {
        for (size, label) in SIZES {
            for (seal, protection) in [(true, "sealed"), (false, "signed")] {
                let name = |what: &str| format!("messages/{what}/{protection}/{kind}/{label}");
                all.push(Prepared::new(name("wrap"), move |name| {
                    wrap(name, kind, seal, size)
                }));
                all.push(Prepared::new(name("unwrap"), move |name| {
                    unwrap(name, kind, seal, size)
                }));
            }
            let name = |what: &str| format!("messages/{what}/{kind}/{label}");
            all.push(Prepared::new(name("mic"), move |name| {
                mic(name, kind, size)
            }));
            all.push(Prepared::new(name("verify"), move |name| {
                verify(name, kind, size)
            }));
        }
    }
    all
}

fn wrap(name: &str, kind: &str, seal: bool, size: usize) -> Result<Operation> {
    let (mut sender, _) = pair(kind)?;
    let mut buffer = vec![0; sender.overhead(seal, size).total().saturating_add(size)];
    let run = move || assert!(sender.wrap_in_place(seal, &mut buffer).is_ok());
    Ok(Operation::new(name, run).with_bytes(size))
}

fn unwrap(name: &str, kind: &str, seal: bool, size: usize) -> Result<Operation> {
    let (mut sender, mut receiver) = pair(kind)?;
    let message = vec![0; size];
    // Whoever gave the token frees it: before the next one is made, which is no part of the time.
    let spent = Rc::new(RefCell::new(Vec::with_capacity(Operation::MOST)));
    let frees = Rc::clone(&spent);
    let prepare = move || {
        frees.borrow_mut().clear();
        sender.wrap(seal, &message).unwrap_or_default()
    };
    let run = move |mut token: Vec<u8>| {
        assert!(receiver.unwrap_in_place(&mut token).is_ok());
        spent.borrow_mut().push(token);
    };
    Ok(Operation::prepared(name, prepare, run).with_bytes(size))
}

fn mic(name: &str, kind: &str, size: usize) -> Result<Operation> {
    let (mut sender, _) = pair(kind)?;
    let message = vec![0; size];
    let run = move || sender.get_mic(&message);
    Ok(Operation::new(name, run).with_bytes(size))
}

fn verify(name: &str, kind: &str, size: usize) -> Result<Operation> {
    let (mut sender, mut receiver) = pair(kind)?;
    let message: Rc<[u8]> = vec![0; size].into();
    let signed = Rc::clone(&message);
    let prepare = move || sender.get_mic(&signed).unwrap_or_default();
    let run = move |mic: Vec<u8>| assert!(receiver.verify_mic(&message, &mic).is_ok());
    Ok(Operation::prepared(name, prepare, run).with_bytes(size))
}
