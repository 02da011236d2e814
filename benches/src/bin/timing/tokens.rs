//! Tokens of handshakes whose MAC is wrong: AP-REQ, AP-REP, PACs, channel bindings, mechListMIC.

use std::hint::black_box;
use std::sync::Arc;

use countersign_benches::Result;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{
    ChannelBindings, EnctypeSet, Environment, Error, ErrorKind, Flags, Mechanism, Policy, Step,
    Timestamp, negotiate,
};
use countersign_credential::{Keytab, KeytabEntry, TicketCredential};
use countersign_crypto::Enctype;
use countersign_testkit::pac::buffer_type;
use countersign_testkit::{
    ApReqBuilder, NOW, PacBuilder, PacLogonInfo, Realm, SeededRandom, bindings_hash,
};
use countersign_token::oid::Oid;
use countersign_token::spnego::{MechTypes, NegTokenInit};

use crate::cases::{Case, Class, Promise, Subject, altered};

const SERVICE: &str = "HTTP/web.example.com";
const ENCTYPE: Enctype = Enctype::Aes256CtsHmacSha1_96;
const BOUND_TO: &[u8] = b"tls-unique:x";
/// RFC 4121 §4.2.6.1: the checksum of a MIC is behind 16 bytes.
const MIC_HEADER: usize = 16;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &enctype in Enctype::ALL {
        // Of rc4-hmac's MACs none is nearer to the truth than another, see `primitives`.
        if enctype == Enctype::Rc4Hmac {
            continue;
        }
        let name = |what: &str| format!("{what}/{}", enctype.name());
        cases.push(Case::new(name("ap-req/ticket"), move || ticket(enctype)));
        cases.push(Case::new(name("ap-req/authenticator"), move || {
            authenticator(enctype)
        }));
        cases.push(Case::new(name("ap-rep"), move || ap_rep(enctype)));
    }
    cases.push(Case::new("ap-req/bindings", bindings));
    for (kind, what) in [
        (buffer_type::SERVER_SIGNATURE, "server"),
        (buffer_type::KDC_SIGNATURE, "kdc"),
        (buffer_type::TICKET_SIGNATURE, "ticket"),
        (buffer_type::FULL_SIGNATURE, "full"),
    ] {
        cases.push(Case::new(format!("pac/{what}"), move || pac(kind)));
    }
    let mic = Case::new("negotiate/mech-list-mic", mech_list_mic);
    cases.push(mic.promising(Promise::AlikeInTime));
    cases
}

type Make = Box<dyn Fn() -> Result<Box<dyn Mechanism>>>;

/// A side that waits for a token, always in the same state.
struct Token {
    make: Make,
    side: Option<Box<dyn Mechanism>>,
    policy: Policy,
    inputs: [Vec<u8>; 2],
    input: Vec<u8>,
    found: Result<(), ErrorKind>,
}

impl Token {
    /// With a token that is taken as it is.
    fn new(
        make: impl Fn() -> Result<Box<dyn Mechanism>> + 'static,
        policy: Policy,
        genuine: &[u8],
        inputs: [Vec<u8>; 2],
    ) -> Result<Self> {
        let mut control = make()?;
        drop(step(&mut *control, &policy, Some(genuine))?);
        Ok(Self {
            make: Box::new(make),
            side: None,
            policy,
            input: inputs[0].clone(),
            inputs,
            found: Ok(()),
        })
    }
}

impl Subject for Token {
    fn prepare(&mut self, class: Class) {
        self.side = (self.make)().ok();
        self.input.copy_from_slice(&self.inputs[class]);
    }

    fn run(&mut self) {
        let Some(side) = self.side.as_deref_mut() else {
            return;
        };
        let step = step(side, &self.policy, Some(black_box(&self.input)));
        self.found = step.map(drop).map_err(|error| error.kind());
    }

    fn outcome(&self) -> String {
        format!("{:?}", self.found)
    }
}

fn step(side: &mut dyn Mechanism, policy: &Policy, token: Option<&[u8]>) -> Result<Step, Error> {
    let mut random = SeededRandom::new(1);
    let env = Environment::new(Timestamp::new(NOW, 0), &mut random);
    side.step(token, &mut env.with_policy(policy))
}

fn realm() -> Realm {
    Realm::new("EXAMPLE.COM", 1)
}

fn only(enctype: Enctype) -> Policy {
    Policy::default().with_enctypes(EnctypeSet::of(&[enctype]))
}

/// An acceptor that has seen nothing yet.
fn acceptor() -> Result<Box<dyn Mechanism>> {
    let keytab = realm().keytab(&[SERVICE])?;
    Ok(Box::new(Acceptor::new(&AcceptorCredential::new(&keytab))))
}

fn minted(enctype: Enctype) -> Result<TicketCredential> {
    Ok(realm().ticket("user", SERVICE).enctype(enctype).mint()?)
}

fn built(request: ApReqBuilder<'_>) -> Result<Vec<u8>> {
    Ok(request.build(&mut SeededRandom::new(5))?.token)
}

/// Its own last bytes are the MAC of what is encrypted last.
fn last(token: &[u8], end: usize, enctype: Enctype) -> [Vec<u8>; 2] {
    altered(token, end - enctype.checksum_type().len(), end - 1)
}

fn ticket(enctype: Enctype) -> Result<Token> {
    let credential = minted(enctype)?;
    let genuine = built(ApReqBuilder::new(&credential))?;
    let der = &credential.ticket;
    let place = genuine.windows(der.len()).position(|part| part == der);
    let end = place.ok_or("no ticket")? + der.len();
    let inputs = last(&genuine, end, enctype);
    Token::new(acceptor, only(enctype), &genuine, inputs)
}

fn authenticator(enctype: Enctype) -> Result<Token> {
    let genuine = built(ApReqBuilder::new(&minted(enctype)?))?;
    let inputs = last(&genuine, genuine.len(), enctype);
    Token::new(acceptor, only(enctype), &genuine, inputs)
}

fn ap_rep(enctype: Enctype) -> Result<Token> {
    let ticket = Arc::new(minted(enctype)?);
    let policy = only(enctype);
    let begun = {
        let policy = policy.clone();
        move || -> Result<(Box<dyn Mechanism>, Vec<u8>)> {
            let mut initiator = Initiator::new(Arc::clone(&ticket)).request(Flags::MUTUAL);
            match step(&mut initiator, &policy, None)? {
                Step::Continue { token } => Ok((Box::new(initiator), token)),
                other => Err(format!("{other:?}").into()),
            }
        }
    };
    let (_, request) = begun()?;
    let Step::Established {
        token: Some(reply), ..
    } = step(&mut *acceptor()?, &policy, Some(&request))?
    else {
        return Err("no AP-REP".into());
    };
    let inputs = last(&reply, reply.len(), enctype);
    Token::new(move || Ok(begun()?.0), policy, &reply, inputs)
}

fn bindings() -> Result<Token> {
    let credential = minted(ENCTYPE)?;
    let hash = bindings_hash(BOUND_TO);
    let token = |hash: &[u8]| -> Result<Vec<u8>> {
        built(ApReqBuilder::new(&credential).bindings(hash.try_into()?))
    };
    let [first, last] = altered(&hash, 0, 15);
    let inputs = [token(&first)?, token(&last)?];
    let make = || -> Result<Box<dyn Mechanism>> {
        let credential = AcceptorCredential::new(&realm().keytab(&[SERVICE])?);
        let bindings = ChannelBindings::from_application_data(BOUND_TO);
        Ok(Box::new(
            Acceptor::new(&credential).channel_bindings(bindings),
        ))
    };
    Token::new(make, only(ENCTYPE), &token(&hash)?, inputs)
}

fn pac(kind: u32) -> Result<Token> {
    let token = |at: Option<usize>| -> Result<Vec<u8>> {
        let logon = PacLogonInfo::new("user", "EXAMPLE", "S-1-5-21-1-2-3", 1105);
        let pac = PacBuilder::of(logon).map_signed(move |pac| {
            let byte = at.and_then(|at| Some(signature(pac, kind)?.start + at));
            if let Some(byte) = byte.and_then(|byte| pac.get_mut(byte)) {
                *byte ^= 0x01;
            }
        });
        let realm = realm();
        let ticket = realm.ticket("user", SERVICE).enctype(ENCTYPE).pac(pac);
        built(ApReqBuilder::new(&ticket.mint()?))
    };
    // Who has this key verifies all signatures.
    let make = || -> Result<Box<dyn Mechanism>> {
        let realm = realm();
        let name = realm.principal("krbtgt/EXAMPLE.COM");
        let mut keytab = Keytab::new();
        let key = realm.ticket_granting_key()?;
        keytab.push(KeytabEntry::new(name, countersign_testkit::KVNO, key));
        let credential =
            AcceptorCredential::new(&realm.keytab(&[SERVICE])?).with_ticket_granting_keys(&keytab);
        Ok(Box::new(Acceptor::new(&credential)))
    };
    let last = ENCTYPE.checksum_type().len() - 1;
    let inputs = [token(Some(0))?, token(Some(last))?];
    Token::new(make, only(ENCTYPE), &token(None)?, inputs)
}

/// MS-PAC §2.3, §2.4 and §2.8: where the signature of the type is, behind its SignatureType.
fn signature(pac: &[u8], kind: u32) -> Option<std::ops::Range<usize>> {
    let entry = |entry: &&[u8]| entry.starts_with(&kind.to_le_bytes());
    let entry = pac.get(8..)?.chunks_exact(16).find(entry)?;
    let length = u32::from_le_bytes(entry.get(4..8)?.try_into().ok()?);
    let offset = u64::from_le_bytes(entry.get(8..16)?.try_into().ok()?);
    let (start, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
    Some(start + 4..start + length)
}

/// The MIC of an only token comes with it (RFC 4178 §4.2.1).
fn mech_list_mic() -> Result<Token> {
    let policy = only(ENCTYPE);
    let list = MechTypes::encode(&[Oid::KERBEROS, Oid::NTLMSSP]);
    let mut inner = Initiator::new(Arc::new(minted(ENCTYPE)?))
        .one_way()
        .require(Flags::INTEGRITY);
    let Step::Established {
        token: Some(token),
        mut context,
    } = step(&mut inner, &policy, None)?
    else {
        return Err("no AP-REQ".into());
    };
    let mic = context.get_mic(&list)?;
    let first = |mic: &[u8]| -> Result<Vec<u8>> {
        let first = NegTokenInit {
            mech_token: Some(&token),
            mech_list_mic: Some(mic),
            ..NegTokenInit::new(MechTypes::parse(&list)?)
        };
        Ok(first.to_bytes())
    };
    let [one, other] = altered(&mic, MIC_HEADER, mic.len() - 1);
    let inputs = [first(&one)?, first(&other)?];
    let make = || -> Result<Box<dyn Mechanism>> {
        Ok(Box::new(
            negotiate::Acceptor::new().offer_boxed(acceptor()?),
        ))
    };
    Token::new(make, policy, &first(&mic)?, inputs)
}
