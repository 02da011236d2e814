//! What is compared.

use countersign_benches::Result;

use crate::{messages, ntlm, primitives, tokens};

/// One of the two kinds of input: the index of it.
pub(crate) type Class = usize;

/// A call that refuses both kinds of input, for one reason.
pub(crate) trait Subject {
    /// Puts the input of a class where [`run`](Self::run) finds it, always in the same place.
    fn prepare(&mut self, class: Class);
    /// What is measured.
    fn run(&mut self);
    /// What came of it.
    fn outcome(&self) -> String;
}

/// What is said of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Promise {
    /// Both classes take the same instructions, and the same time.
    Alike,
    /// They take different instructions whose time is not told apart: an allocator takes more or
    /// fewer by what was freed before.
    AlikeInTime,
    /// A look-up finds something and reads it, or finds nothing: told apart, but by less than a
    /// twentieth of the time.
    AlikeButLookUp,
    /// A control that must be noticed.
    Unlike,
}

/// Two classes of input to one call.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) promise: Promise,
    make: Box<dyn Fn() -> Result<Box<dyn Subject>>>,
}

impl Case {
    pub(crate) fn new<S: Subject + 'static>(
        name: impl Into<String>,
        make: impl Fn() -> Result<S> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            promise: Promise::Alike,
            make: Box::new(move || Ok(Box::new(make()?))),
        }
    }

    pub(crate) fn promising(mut self, promise: Promise) -> Self {
        self.promise = promise;
        self
    }

    /// The call, ready to run, which refuses both classes alike.
    pub(crate) fn subject(&self) -> Result<Box<dyn Subject>> {
        let mut subject = (self.make)()?;
        let mut outcome = |class| {
            subject.prepare(class);
            subject.run();
            subject.outcome()
        };
        let [first, last] = [outcome(0), outcome(1)];
        // What repeats itself is in no state that a refusal changed.
        let again = [outcome(0), outcome(1)];
        if first != last || again != [first.clone(), last.clone()] {
            return Err(format!("{}: {first}, {last}, then {again:?}", self.name).into());
        }
        if first.starts_with("Ok") || first == "true" {
            return Err(format!("{} refuses nothing", self.name).into());
        }
        Ok(subject)
    }
}

/// Two copies, wrong in one bit each: of the byte at `first`, and of that at `last`.
pub(crate) fn altered(genuine: &[u8], first: usize, last: usize) -> [Vec<u8>; 2] {
    [first, last].map(|at| {
        let mut bytes = genuine.to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 0x01;
        }
        bytes
    })
}

/// All of them, controls first.
pub(crate) fn all() -> Vec<Case> {
    let mut all = primitives::cases();
    all.extend(messages::cases());
    all.extend(tokens::cases());
    all.extend(ntlm::cases());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_refuses_both_of_its_classes_for_one_reason() {
        for case in all() {
            assert!(case.subject().is_ok(), "{}", case.name);
        }
    }

    #[test]
    fn the_two_copies_differ_where_they_should_and_nowhere_else() {
        let [first, last] = altered(&[7; 16], 0, 15);
        assert_eq!((first[0], first[15], last[0], last[15]), (6, 7, 7, 6));
        assert!(first[1..15] == [7; 14] && last[1..15] == [7; 14]);
    }
}
