//! Brings two sides together, over HTTP where one of them knows no other way.

use crate::Result;
use crate::apache::{Apache, PATH};
use crate::exchange::establish;
use crate::http::{self, Answer, Server};
use crate::negotiate::lab::Lab;
use crate::negotiate::side::{Accepts, Facts, Initiates, NegotiateSide, Offer};

/// Two sides before their first token.
pub(super) struct Pair<'a, 'l> {
    pub(super) lab: &'a Lab<'l>,
    /// Without one, curl.
    pub(super) initiator: Option<&'a mut (dyn NegotiateSide + 'l)>,
    pub(super) acceptor: Accepting<'a, 'l>,
}

/// Who accepts.
pub(super) enum Accepting<'a, 'l> {
    Side(&'a mut (dyn NegotiateSide + 'l)),
    Apache(&'a Apache),
}

/// What came of it.
pub(super) struct Met {
    /// The initiator, as the acceptor calls him.
    pub(super) user: String,
    /// What those sides say that can be asked.
    pub(super) facts: Vec<Facts>,
}

impl Pair<'_, '_> {
    /// An established context, or why there is none.
    pub(super) fn meet(&mut self, i: &Initiates, a: &Accepts) -> Result<Met> {
        let lab = self.lab;
        match (&mut self.initiator, &mut self.acceptor) {
            (Some(initiator), Accepting::Side(acceptor)) => {
                initiator.start_initiator(i)?;
                acceptor.start_acceptor(a)?;
                establish(&mut **initiator, &mut **acceptor)?;
                let (first, second) = (initiator.facts()?, acceptor.facts()?);
                Ok(Met {
                    user: second.user.clone().unwrap_or_default(),
                    facts: vec![first, second],
                })
            }
            (Some(initiator), Accepting::Apache(apache)) => {
                initiator.start_initiator(i)?;
                let path = place(a) + PATH;
                let answer = http::get(&apache.address, &path, "Negotiate", &mut **initiator)?;
                let user = let_in(answer, &apache.last_error()?)?;
                let facts = vec![initiator.facts()?];
                Ok(Met { user, facts })
            }
            (None, Accepting::Apache(apache)) => {
                let port = apache.address.rsplit(':').next();
                let port = port.and_then(|port| port.parse().ok()).ok_or("no port")?;
                let answer = http::run_curl(&mut lab.curl(i.cache, port, &(place(a) + PATH)))?;
                let user = let_in(answer, &apache.last_error()?)?;
                let facts = Vec::new();
                Ok(Met { user, facts })
            }
            (None, Accepting::Side(acceptor)) => {
                let mut server = Server {
                    scheme: "Negotiate",
                    recording: lab.recording(),
                    acceptor: &mut **acceptor,
                    start: &|acceptor| Ok(acceptor.start_acceptor(a)?),
                    user: &|acceptor| Ok(acceptor.facts()?.user.unwrap_or_default()),
                };
                let Answer { status, body, why } =
                    server.answer(|port| Ok(lab.curl(i.cache, port, "/")))?;
                let user = let_in((status, body), &why)?;
                let facts = vec![acceptor.facts()?];
                Ok(Met { user, facts })
            }
        }
    }
}

/// The folder of Apache that accepts so.
fn place(setup: &Accepts) -> String {
    match (setup.offers, setup.keytab) {
        (_, "wrong.keytab") => "/wrong",
        ([Offer::Kerberos], _) => "/kerberos",
        ([Offer::Ntlm], _) => "",
        _ => "/both",
    }
    .to_owned()
}

/// The name of who was let in.
fn let_in((status, body): (u16, String), why: &str) -> Result<String> {
    match status {
        200 => Ok(body.trim().to_owned()),
        _ => Err(format!("{status}: {why} {body}")),
    }
}
