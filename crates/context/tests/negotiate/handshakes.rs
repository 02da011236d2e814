//! What honest sides come to.

use countersign_context::{ErrorKind, KdcProblem};

use crate::lab::Lab;
use crate::scenarios::ALL;

#[test]
fn every_negotiation_ends_with_the_mechanism_that_was_due_in_as_many_tokens() {
    let lab = Lab::new();
    for scenario in &ALL {
        let mut run = scenario.honest(&lab, 3);
        assert_eq!(run.mechanism(), (scenario.mechanism)(), "{}", scenario.name);
        assert_eq!(run.sent.len(), scenario.legs, "{}", scenario.name);
        assert_eq!(run.proved(), scenario.proved, "{}", scenario.name);
        assert_eq!(scenario.judge(&mut run, &"honest"), 2);
        run.talk();
    }
}

#[test]
fn the_reason_for_a_fallback_is_reported_and_nothing_else_is() {
    let lab = Lab::new();
    for scenario in &ALL {
        let mut run = scenario.honest(&lab, 3);
        let fallbacks = &run.client.context().negotiated().unwrap().fallbacks;
        let kinds: Vec<_> = fallbacks.iter().map(|error| error.kind()).collect();
        match scenario.name {
            "fallback" => {
                assert_eq!(kinds, [ErrorKind::Kdc(KdcProblem::Unreachable)]);
                assert!(run.client.asked > 0);
            }
            _ => assert_eq!(kinds, []),
        }
        let server = run.server.context().negotiated().unwrap();
        assert!(server.fallbacks.is_empty());
    }
}
