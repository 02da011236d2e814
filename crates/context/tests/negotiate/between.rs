//! A man in the middle who wants another mechanism than the two sides would take: whatever he makes
//! of lists, choices, states, tokens and MICs, nobody ends up with another one.

use countersign_context::negotiate::{Acceptor, Initiator};
use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{MechTypes, NegState, NegTokenInit, NegTokenResp};
use countersign_context::{Flags, Mechanism};

use crate::lab::{Lab, Run, Side, acceptor, initiator, run_between};
use crate::toy;

/// What he makes of a first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Untouched,
    /// One identifier and no token.
    Only(Mech),
    /// One identifier, and the token with it.
    OnlyWithToken(Mech),
    /// Without one mechanism.
    Without(Mech),
    Reversed,
    ReversedWithoutToken,
    /// One that nobody has, in front.
    Unknown,
    WithoutToken,
}

/// What he makes of the first reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Untouched,
    State(Option<NegState>),
    Choice(Option<Mech>),
    /// Another choice, and the state that goes with it.
    Honest(Mech),
    WithoutToken,
}

/// What he makes of everything after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Later {
    Untouched,
    WithoutMic,
    /// The token in the place of the MIC.
    Doubled,
    /// The other side's MIC, if there was one, else nonsense.
    Exchanged,
    State(Option<NegState>),
    /// Done, and no MIC.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mech {
    Kerberos,
    Ntlm,
    Toy,
}

impl Mech {
    fn oid(self) -> Oid<'static> {
        match self {
            Self::Kerberos => Oid::KERBEROS,
            Self::Ntlm => Oid::NTLMSSP,
            Self::Toy => toy::oid(),
        }
    }

    fn has(self, oid: Oid<'_>) -> bool {
        oid == self.oid() || (self == Self::Kerberos && oid == Oid::MS_KERBEROS)
    }
}

const MECHANISMS: [Mech; 3] = [Mech::Kerberos, Mech::Ntlm, Mech::Toy];
const STATES: [Option<NegState>; 4] = [
    None,
    Some(NegState::AcceptCompleted),
    Some(NegState::AcceptIncomplete),
    Some(NegState::RequestMic),
];

fn lists() -> Vec<List> {
    let mut all = vec![
        List::Untouched,
        List::Reversed,
        List::ReversedWithoutToken,
        List::Unknown,
        List::WithoutToken,
    ];
    for mechanism in MECHANISMS {
        all.extend([
            List::Only(mechanism),
            List::OnlyWithToken(mechanism),
            List::Without(mechanism),
        ]);
    }
    all
}

fn replies() -> Vec<Reply> {
    let mut all = vec![Reply::Untouched, Reply::WithoutToken, Reply::Choice(None)];
    all.extend(STATES.map(Reply::State));
    for mechanism in MECHANISMS {
        all.extend([Reply::Choice(Some(mechanism)), Reply::Honest(mechanism)]);
    }
    all
}

fn laters() -> Vec<Later> {
    let mut all = vec![
        Later::Untouched,
        Later::WithoutMic,
        Later::Doubled,
        Later::Exchanged,
        Later::Done,
    ];
    all.extend(STATES.map(Later::State));
    all
}

fn first(edit: List, message: &[u8]) -> Vec<u8> {
    let init = NegTokenInit::parse(message).unwrap();
    let mut list: Vec<Oid<'_>> = init.mech_types.iter().collect();
    let mut token = init.mech_token;
    let unknown = Oid::from_contents(b"\x2a\x03").unwrap();
    match edit {
        List::Untouched => {}
        List::Only(mechanism) => {
            list = vec![mechanism.oid()];
            token = None;
        }
        List::OnlyWithToken(mechanism) => list = vec![mechanism.oid()],
        List::Without(mechanism) => list.retain(|oid| !mechanism.has(*oid)),
        List::Reversed => list.reverse(),
        List::ReversedWithoutToken => {
            list.reverse();
            token = None;
        }
        List::Unknown => list.insert(0, unknown),
        List::WithoutToken => token = None,
    }
    if list.is_empty() {
        list.push(unknown);
    }
    let list = MechTypes::encode(&list);
    let init = NegTokenInit {
        mech_token: token,
        ..NegTokenInit::new(MechTypes::parse(&list).unwrap())
    };
    init.to_bytes()
}

fn reply(edit: Reply, message: &[u8]) -> Vec<u8> {
    let Ok(mut response) = NegTokenResp::parse(message) else {
        return message.to_vec();
    };
    match edit {
        Reply::Untouched => {}
        Reply::State(state) => response.neg_state = state,
        Reply::Choice(mechanism) => response.supported_mech = mechanism.map(Mech::oid),
        Reply::Honest(mechanism) => {
            response.supported_mech = Some(mechanism.oid());
            response.neg_state = Some(NegState::RequestMic);
            response.response_token = None;
        }
        Reply::WithoutToken => response.response_token = None,
    }
    response.to_bytes()
}

fn later(edit: Later, message: &[u8], mics: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let Ok(mut response) = NegTokenResp::parse(message) else {
        return message.to_vec();
    };
    let before = mics.last().cloned().unwrap_or(vec![1; 16]);
    mics.extend(response.mech_list_mic.map(<[u8]>::to_vec));
    match edit {
        Later::Untouched => {}
        Later::WithoutMic => response.mech_list_mic = None,
        Later::Doubled => response.mech_list_mic = response.response_token,
        Later::Exchanged => response.mech_list_mic = Some(&before),
        Later::State(state) => response.neg_state = state,
        Later::Done => {
            response.neg_state = Some(NegState::AcceptCompleted);
            response.mech_list_mic = None;
        }
    }
    response.to_bytes()
}

type Sides = fn(&Lab) -> (Initiator, Acceptor);

fn kerberos(lab: &Lab) -> Box<dyn Mechanism> {
    Box::new(lab.kerberos())
}

fn ntlm(lab: &Lab) -> Box<dyn Mechanism> {
    Box::new(lab.ntlm())
}

fn toy(lab: &Lab) -> Box<dyn Mechanism> {
    Box::new(lab.toy(2))
}

fn server(lab: &Lab, offer: [Mech; 3]) -> Acceptor {
    acceptor(offer.map(|mechanism| -> Box<dyn Mechanism> {
        match mechanism {
            Mech::Kerberos => Box::new(lab.kerberos_acceptor()),
            Mech::Ntlm => Box::new(lab.ntlm_acceptor()),
            Mech::Toy => Box::new(lab.toy_acceptor(2)),
        }
    }))
}

/// Who offers what, what the initiator likes best, and what the two take if they are left alone.
const PAIRS: [(Sides, Mech, Mech); 5] = [
    (
        |lab| {
            let own = [Mech::Kerberos, Mech::Toy, Mech::Ntlm];
            (
                initiator([kerberos(lab), toy(lab), ntlm(lab)]),
                server(lab, own),
            )
        },
        Mech::Kerberos,
        Mech::Kerberos,
    ),
    (
        |lab| {
            let own = [Mech::Kerberos, Mech::Toy, Mech::Ntlm];
            let own = server(lab, own).prefer_own_order();
            (initiator([ntlm(lab), toy(lab), kerberos(lab)]), own)
        },
        Mech::Ntlm,
        Mech::Kerberos,
    ),
    (
        |lab| {
            let own = acceptor([Box::new(lab.kerberos_acceptor()) as Box<dyn Mechanism>]);
            (initiator([ntlm(lab), toy(lab), kerberos(lab)]), own)
        },
        Mech::Ntlm,
        Mech::Kerberos,
    ),
    (
        |lab| {
            let own = [Mech::Kerberos, Mech::Ntlm, Mech::Toy];
            (initiator([toy(lab), ntlm(lab)]), server(lab, own))
        },
        Mech::Toy,
        Mech::Toy,
    ),
    (
        |lab| {
            let one_way: Box<dyn Mechanism> = Box::new(lab.kerberos().one_way());
            let own = [Mech::Kerberos, Mech::Ntlm, Mech::Toy];
            (initiator([one_way, ntlm(lab), toy(lab)]), server(lab, own))
        },
        Mech::Kerberos,
        Mech::Kerberos,
    ),
];

fn attacked(lab: &Lab, sides: Sides, list: List, answer: Reply, after: Later) -> Run {
    let (initiator, acceptor) = sides(lab);
    let mut mics = Vec::new();
    let between = &mut |number: usize, message: Vec<u8>| {
        vec![match number {
            0 => first(list, &message),
            1 => reply(answer, &message),
            _ => later(after, &message, &mut mics),
        }]
    };
    run_between(Side::new(initiator, 3), Side::new(acceptor, 4), between)
}

#[test]
fn no_edit_of_lists_choices_states_and_mics_brings_another_mechanism_about() {
    let lab = Lab::new();
    let (mut tried, mut unharmed) = (0, 0);
    for (number, (sides, favourite, honest)) in PAIRS.into_iter().enumerate() {
        let mut control = attacked(
            &lab,
            sides,
            List::Untouched,
            Reply::Untouched,
            Later::Untouched,
        );
        assert!(honest.has(control.mechanism()));
        control.talk();
        for list in lists() {
            for answer in replies() {
                for after in laters() {
                    let mut run = attacked(&lab, sides, list, answer, after);
                    let what = (number, list, answer, after);
                    let mut established = 0;
                    // What the initiator likes best it takes for what the acceptor likes best too.
                    let initiators = [favourite, honest];
                    let sides = [
                        (&mut run.client, &initiators[..]),
                        (&mut run.server, &[honest]),
                    ];
                    for (side, permitted) in sides {
                        if side.is_established() {
                            established += 1;
                            let context = side.context();
                            let mechanism = context.mechanism();
                            let fine = permitted.iter().any(|one| one.has(mechanism));
                            assert!(fine, "{what:?}: {mechanism}");
                            assert!(context.flags().contains(Flags::INTEGRITY), "{what:?}");
                        }
                    }
                    assert!(established < 2 || honest.has(run.mechanism()), "{what:?}");
                    tried += 1;
                    unharmed += usize::from(established == 2);
                }
            }
        }
    }
    assert_eq!(tried, 8_190);
    assert!(unharmed > 100 && unharmed < tried / 4, "{unharmed}");
}

/// Where the list must be proved, an altered one is noticed even if the mechanism stays the same. An
/// acceptor that was made to believe that it is the initiator's first choice does not ask; the
/// initiator knows better.
#[test]
fn a_proof_is_of_the_list_as_it_was_sent() {
    let lab = Lab::new();
    let (sides, _, honest) = PAIRS[2];
    for list in lists() {
        let mut run = attacked(&lab, sides, list, Reply::Untouched, Later::Untouched);
        if list == List::Untouched || list == List::WithoutToken {
            assert!(honest.has(run.mechanism()));
            continue;
        }
        assert!(!run.client.is_established(), "{list:?}");
        let believes = [List::ReversedWithoutToken, List::Only(Mech::Kerberos)].contains(&list);
        assert_eq!(run.server.is_established(), believes, "{list:?}");
    }
}
