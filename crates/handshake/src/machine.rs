//! The sequence of a handshake without any I/O: both drivers do what it says.
//!
//! ```text
//!   initiator                        acceptor
//!   begin ── opening, token ──▶      begin ── Receive(Opening) or Receive(Token)
//!     │                                │
//!     ▼                                ▼
//!   Receive(Token) ◀── step ──▶ Receive(Token) ◀───┐
//!     │                                │           │ Continue: send
//!     └────────── step ────────────────┴───────────┘
//!                   ├── Need ──▶ Ask ── answered ──▶ (as after a step)
//!                   ├── Established: send what is left, Done
//!                   └── error: send what the protocol has for it, Fail
//! ```

use countersign_context::{Answer, Mechanism, Need, Role, SecurityContext, Step};

use crate::error::{Error, ErrorKind};
use crate::framing::{Due, Framing, Header};
use crate::handshake::{Direction, Leg, Observer};
use crate::kdc::KdcClient;
use crate::limits::Limits;
use crate::system::SystemEnvironment;

/// A header may have so many bytes even where tokens are limited to fewer.
const MIN_HEADER: usize = 64;

/// What the driver does next.
pub(crate) struct Turn {
    /// Bytes to be written and flushed first; may be empty.
    pub(crate) send: Vec<u8>,
    pub(crate) then: Then,
}

pub(crate) enum Then {
    /// Read one frame.
    Receive(Due),
    /// Answer the engine.
    Ask(Need),
    Done(Box<SecurityContext>),
    /// Give up. Whether `send` reaches the peer does not matter any more.
    Fail(Error),
}

pub(crate) struct Machine {
    pub(crate) role: Role,
    pub(crate) mechanism: Box<dyn Mechanism>,
    pub(crate) framing: Box<dyn Framing>,
    pub(crate) limits: Limits,
    pub(crate) environment: SystemEnvironment,
    pub(crate) observer: Option<Observer>,
    /// Answers what the caller's handler does not.
    pub(crate) kdc_client: Option<KdcClient>,
    /// Tokens counted so far.
    pub(crate) legs: u32,
    /// What is being read at the moment.
    pub(crate) reading: Option<Due>,
}

impl Machine {
    pub(crate) fn begin(&mut self) -> Turn {
        match self.role {
            Role::Initiator => {
                let result = self
                    .mechanism
                    .step(None, &mut self.environment.environment());
                let mut turn = self.turn(result);
                // Only a first token is worth announcing.
                if !turn.send.is_empty() {
                    let opening = self.framing.opening();
                    turn.send.splice(0..0, opening.iter().copied());
                }
                turn
            }
            Role::Acceptor if self.framing.opening().is_empty() => Turn {
                send: Vec::new(),
                then: Then::Receive(Due::Token),
            },
            Role::Acceptor => Turn {
                send: Vec::new(),
                then: Then::Receive(Due::Opening),
            },
        }
    }

    /// Takes the payload of the frame that was due.
    pub(crate) fn received(&mut self, due: Due, payload: &[u8]) -> Turn {
        self.reading = None;
        if due == Due::Opening {
            return Turn {
                send: Vec::new(),
                then: Then::Receive(Due::Token),
            };
        }
        if let Err(error) = self.count_leg(Direction::Received, payload) {
            return Turn {
                send: Vec::new(),
                then: Then::Fail(error),
            };
        }
        let result = self
            .mechanism
            .step(Some(payload), &mut self.environment.environment());
        self.turn(result)
    }

    pub(crate) fn answered(&mut self, answer: Answer) -> Turn {
        let result = self
            .mechanism
            .resume(answer, &mut self.environment.environment());
        self.turn(result)
    }

    /// An error of the present moment: of the token that is being read, or else of the last one.
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        let leg = match self.reading {
            Some(Due::Opening) => 0,
            Some(Due::Token) => self.legs.saturating_add(1),
            None => self.legs,
        };
        Error::new(leg, kind)
    }

    /// What the header of the frame that is due says, within the limits.
    pub(crate) fn header(&self, due: Due, received: &[u8]) -> Result<Header, Error> {
        let header = self
            .framing
            .header(due, received)
            .map_err(|error| self.error(ErrorKind::Frame(error)))?;
        // A header counts too: one that ends where a certain byte comes may never end.
        let (length, limit) = match header {
            Header::More(more) => (
                received.len().saturating_add(more),
                self.limits.max_token.max(MIN_HEADER),
            ),
            Header::Complete { payload, .. } => (payload, self.limits.max_token),
        };
        if length > limit {
            return Err(self.error(ErrorKind::TooLarge { length, limit }));
        }
        Ok(header)
    }

    fn turn(&mut self, result: Result<Step, countersign_context::Error>) -> Turn {
        let (token, then) = match result {
            Ok(Step::Continue { token }) => (Some(token), Then::Receive(Due::Token)),
            Ok(Step::Need(need)) => (None, Then::Ask(need)),
            Ok(Step::Established { token, context }) => (token, Then::Done(context)),
            Err(error) => {
                let token = error.token().map(<[u8]>::to_vec);
                (token, Then::Fail(self.error(ErrorKind::Refused(error))))
            }
        };
        let mut send = Vec::new();
        let Some(token) = token else {
            return Turn { send, then };
        };
        let sent = self.count_leg(Direction::Sent, &token).and_then(|()| {
            self.framing
                .encode(&token, &mut send)
                .map_err(|error| self.error(ErrorKind::Frame(error)))
        });
        match (sent, then) {
            // The first error is the one to report.
            (_, then @ Then::Fail(_)) | (Ok(()), then) => Turn { send, then },
            (Err(error), _) => Turn {
                send: Vec::new(),
                then: Then::Fail(error),
            },
        }
    }

    fn count_leg(&mut self, direction: Direction, token: &[u8]) -> Result<(), Error> {
        if self.legs >= self.limits.max_legs {
            return Err(self.error(ErrorKind::TooManyLegs {
                limit: self.limits.max_legs,
            }));
        }
        self.legs = self.legs.saturating_add(1);
        if let Some(observer) = &mut self.observer {
            observer(Leg {
                number: self.legs,
                direction,
                token,
            });
        }
        Ok(())
    }
}
