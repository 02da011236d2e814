//! Peers of other makes: the mechanism is ours, what is around it is the test's.

use countersign_context::token::oid::Oid;
use countersign_context::token::spnego::{MechTypes, NegState, NegTokenInit, NegTokenResp};
use countersign_context::{Error, Step};

use crate::lab::Side;

/// Octets of a list.
pub(crate) fn list(mechanisms: &[Oid<'_>]) -> Vec<u8> {
    MechTypes::encode(mechanisms)
}

pub(crate) fn init(list: &[u8], token: Option<&[u8]>) -> Vec<u8> {
    let init = NegTokenInit {
        mech_token: token,
        ..NegTokenInit::new(MechTypes::parse(list).unwrap())
    };
    init.to_bytes()
}

/// What an acceptor says first.
pub(crate) fn choice(state: NegState, mechanism: Oid<'_>, token: Option<&[u8]>) -> Vec<u8> {
    let response = NegTokenResp {
        neg_state: Some(state),
        supported_mech: Some(mechanism),
        response_token: token,
        mech_list_mic: None,
    };
    response.to_bytes()
}

pub(crate) fn response(
    state: Option<NegState>,
    token: Option<&[u8]>,
    mic: Option<&[u8]>,
) -> Vec<u8> {
    let response = NegTokenResp {
        neg_state: state,
        supported_mech: None,
        response_token: token,
        mech_list_mic: mic,
    };
    response.to_bytes()
}

/// A message of the other side with something changed.
pub(crate) fn edited(message: &[u8], edit: impl FnOnce(&mut NegTokenResp<'_>)) -> Vec<u8> {
    let mut response = NegTokenResp::parse(message).unwrap();
    edit(&mut response);
    response.to_bytes()
}

/// A side that is fed by hand.
pub(crate) trait Fed {
    /// What it sends.
    fn sends(&mut self, token: Option<&[u8]>) -> Vec<u8>;

    /// How it refuses, which it then repeats.
    fn refuses(&mut self, token: &[u8]) -> Error;
}

impl Fed for Side {
    #[track_caller]
    fn sends(&mut self, token: Option<&[u8]>) -> Vec<u8> {
        let sent = self.step(token);
        if let Some(Err(error)) = &self.ended {
            panic!("{error:?}");
        }
        sent.expect("nothing is sent")
    }

    #[track_caller]
    fn refuses(&mut self, token: &[u8]) -> Error {
        self.step(Some(token));
        let error = self.error().clone();
        assert_eq!(self.call(Some(token)).unwrap_err(), error);
        assert_eq!(self.call(None).unwrap_err(), error);
        error
    }
}

/// The last step of a side, as it was returned.
#[track_caller]
pub(crate) fn established(step: Result<Step, Error>) -> Option<Vec<u8>> {
    match step {
        Ok(Step::Established { token, .. }) => token,
        other => panic!("not established: {other:?}"),
    }
}
