//! A mechanism that a program brings along, in every place of the list.

use countersign_context::{
    Answer, ErrorKind, IoBuffer, Mechanism, NegotiationProblem, ReplayVerdict,
};

use crate::lab::{Lab, Side, acceptor, initiator, run_between};
use crate::toy;

fn boxed(mechanism: impl Mechanism) -> Box<dyn Mechanism> {
    Box::new(mechanism)
}

/// However many tokens it takes, whoever sends the last, and whatever the caller is asked on the way:
/// the MIC that came with a token is not forgotten meanwhile.
#[test]
fn it_is_negotiated_first_and_second_with_any_number_of_tokens_and_questions() {
    let lab = Lab::new();
    let mut tried = 0;
    for legs in 1..=6 {
        for (asks, asked) in [(0, 0), (1, 0), (0, 1), (3, 2)] {
            for second in [false, true] {
                let toy = boxed(lab.toy(legs).asking(asks));
                let client = match second {
                    false => initiator([toy, boxed(lab.ntlm())]),
                    true => initiator([boxed(lab.kerberos()), toy]),
                };
                let server = acceptor([boxed(lab.toy_acceptor(legs).asking(asked))]);
                let (client, server) = (Side::new(client, 3), Side::new(server, 4));
                let mut run = run_between(client, server, &mut |_, token| vec![token]);
                assert_eq!(run.mechanism(), toy::oid());
                assert_eq!(run.proved(), second);
                run.talk();
                // One for the end of an odd number, two to begin anew, one for the last word.
                let tokens = usize::from(legs);
                let expected = match second {
                    false => tokens + tokens % 2,
                    true => tokens + 2 + 1,
                };
                assert_eq!(run.sent.len(), expected, "{legs} {second}");
                let questions = asks * usize::from(legs / 2 + 1);
                assert_eq!(run.client.asked, questions);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 48);
}

#[test]
fn its_refusals_are_refusals() {
    let lab = Lab::new();
    for legs in 1..=4 {
        let wrong = lab.toy(legs).with_secret(b"open sesamo");
        let run = run_between(
            Side::new(initiator([boxed(wrong)]), 3),
            Side::new(acceptor([boxed(lab.toy_acceptor(legs))]), 4),
            &mut |_, token| vec![token],
        );
        let kind = ErrorKind::Custom("the token is not the peer's");
        assert_eq!(run.server.error().kind(), kind);
        let rejected = ErrorKind::Negotiation(NegotiationProblem::Rejected);
        assert_eq!(run.client.error().kind(), rejected);
    }
    // Somebody has seen it before.
    let server = acceptor([boxed(lab.toy_acceptor(2).asking(2))]);
    let mut count = 0;
    let server = Side::new(server, 4).answering(move |_| {
        count += 1;
        Answer::Replay(match count {
            1 => ReplayVerdict::Fresh,
            _ => ReplayVerdict::Replayed,
        })
    });
    let client = Side::new(initiator([boxed(lab.toy(2))]), 3);
    let run = run_between(client, server, &mut |_, token| vec![token]);
    assert_eq!(run.server.asked, 2);
    assert_eq!(run.server.error().kind(), ErrorKind::Replayed);
    assert!(!run.client.is_established());
}

#[test]
fn its_messages_are_protected_as_it_says() {
    let lab = Lab::new();
    let mut run = run_between(
        Side::new(initiator([boxed(lab.toy(3))]), 3),
        Side::new(acceptor([boxed(lab.toy_acceptor(3))]), 4),
        &mut |_, token| vec![token],
    );
    let (client, server) = (run.client.context(), run.server.context());
    assert_eq!(server.peer().unwrap().to_string(), "friend");
    let sealed = client.wrap(true, b"the rain in Spain").unwrap();
    assert!(!sealed.windows(4).any(|part| part == b"rain"));
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    let modified = server.unwrap(&altered).unwrap_err();
    assert_eq!(modified.kind(), ErrorKind::MessageModified);
    let opened = server.unwrap(&sealed).unwrap();
    assert!(opened.sealed);
    let again = server.unwrap(&sealed).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::MessageDuplicate);
    let reflected = client.unwrap(&sealed).unwrap_err();
    assert_eq!(reflected.kind(), ErrorKind::MessageModified);

    let (mut header, mut data) = (vec![0; 41], *b"scattered");
    let mut buffers = [
        IoBuffer::Header(&mut header),
        IoBuffer::SignOnly(b"seen"),
        IoBuffer::Data(&mut data),
    ];
    server.wrap_iov(true, &mut buffers).unwrap();
    client.unwrap_iov(&mut buffers).unwrap();
    assert_eq!(&data, b"scattered");
}
