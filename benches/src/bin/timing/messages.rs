//! Messages of established contexts whose MAC is wrong.

use std::hint::black_box;
use std::sync::Arc;

use countersign_benches::Result;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{
    EnctypeSet, Environment, Error, ErrorKind, Flags, Mechanism, Policy, SecurityContext, Step,
    Timestamp,
};
use countersign_crypto::rc4::GssKey;
use countersign_crypto::{Enctype, Key, Random};
use countersign_testkit::{NOW, Realm, SeededRandom};

use crate::cases::{Case, Class, Promise, Subject, altered};
use crate::ntlm;

/// As short as it can be: the rest of the work would hide what is looked for.
const MESSAGE: [u8; 32] = [0x42; 32];

/// The two sides' contexts.
pub(crate) type Pair = (SecurityContext, SecurityContext);

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Sealed,
    Signed,
    Mic,
}

impl Kind {
    pub(crate) const ALL: [(Self, &str); 3] = [
        (Self::Sealed, "sealed"),
        (Self::Signed, "signed"),
        (Self::Mic, "mic"),
    ];

    /// A genuine one.
    fn token(self, sender: &mut SecurityContext, message: &[u8]) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Sealed => sender.wrap(true, message)?,
            Self::Signed => sender.wrap(false, message)?,
            Self::Mic => sender.get_mic(message)?,
        })
    }

    fn open(
        self,
        receiver: &mut SecurityContext,
        message: &[u8],
        token: &mut [u8],
    ) -> Result<(), Error> {
        match self {
            Self::Mic => receiver.verify_mic_any_order(message, token).map(drop),
            _ => receiver.unwrap_in_place_any_order(token).map(drop),
        }
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &enctype in Enctype::ALL {
        for (kind, what) in Kind::ALL {
            let name = format!("{what}/{}", enctype.name());
            cases.push(if enctype == Enctype::Rc4Hmac {
                Case::new(name, move || rc4(kind)).promising(Promise::AlikeInTime)
            } else {
                Case::new(name, move || kerberos(enctype, kind))
            });
        }
    }
    for (kind, what) in Kind::ALL {
        cases.push(Case::new(format!("{what}/ntlm"), move || {
            // MS-NLMP §2.2.2.9.1: the checksum is at 4, and of eight bytes.
            Message::new(ntlm::pair()?, kind, |genuine| Ok(altered(genuine, 4, 11)))
        }));
    }
    cases
}

fn kerberos(enctype: Enctype, kind: Kind) -> Result<Message> {
    let length = enctype.checksum_type().len();
    Message::new(pair(enctype)?, kind, |genuine| {
        // RFC 4121 §4.2.6: MACs are last, as nothing is rotated.
        let rotated = !matches!(kind, Kind::Mic) && genuine.get(6..8) != Some(&[0, 0]);
        match genuine.len().checked_sub(length) {
            Some(first) if !rotated => Ok(altered(genuine, first, genuine.len() - 1)),
            _ => Err("the MAC is elsewhere".into()),
        }
    })
}

/// rc4-hmac's, each of them new: the checksum is made a key of RC4, and RC4's time is its keys'.
struct Rc4Message {
    sender: SecurityContext,
    receiver: SecurityContext,
    key: GssKey,
    random: SeededRandom,
    message: [u8; MESSAGE.len()],
    kind: Kind,
    input: Vec<u8>,
    found: Result<(), ErrorKind>,
}

fn rc4(kind: Kind) -> Result<Rc4Message> {
    let (mut sender, mut receiver) = pair(Enctype::Rc4Hmac)?;
    let input = kind.token(&mut sender, &MESSAGE)?;
    // Control: unaltered it is taken.
    kind.open(&mut receiver, &MESSAGE, &mut input.clone())?;
    let key = Key::new(Enctype::Rc4Hmac, receiver.session_key().expose())?;
    Ok(Rc4Message {
        sender,
        receiver,
        key: GssKey::new(&key),
        random: SeededRandom::new(3),
        message: MESSAGE,
        kind,
        input,
        found: Ok(()),
    })
}

impl Rc4Message {
    /// RFC 4757 §7.2: the number is encrypted under the checksum. It has to be right again for the
    /// checksum to be looked at.
    fn alter(&mut self, class: Class) -> Result<()> {
        // Behind RFC 2743 §3.1's frame, whose lengths are of one byte here, and TOK_ID to Filler.
        const NUMBER: std::ops::Range<usize> = 21..29;
        const CHECKSUM: std::ops::Range<usize> = 29..37;
        // A MIC is over the message and not over the number.
        self.random.fill(&mut self.message)?;
        let token = self.kind.token(&mut self.sender, &self.message)?;
        self.input.copy_from_slice(&token);
        let mut number = <[u8; 8]>::try_from(&token[NUMBER])?;
        let mut checksum = <[u8; 8]>::try_from(&token[CHECKSUM])?;
        self.key.apply_to_sequence(&checksum, &mut number);
        checksum[[0, 7][class]] ^= 0x01;
        self.key.apply_to_sequence(&checksum, &mut number);
        self.input[NUMBER].copy_from_slice(&number);
        self.input[CHECKSUM].copy_from_slice(&checksum);
        Ok(())
    }
}

impl Subject for Rc4Message {
    fn prepare(&mut self, class: Class) {
        self.found = match self.alter(class) {
            Ok(()) => Ok(()),
            Err(_) => Err(ErrorKind::Internal("no token")),
        };
    }

    fn run(&mut self) {
        let opened = self.kind.open(
            &mut self.receiver,
            &self.message,
            black_box(&mut self.input),
        );
        self.found = opened.map_err(|error| error.kind());
    }

    fn outcome(&self) -> String {
        format!("{:?}", self.found)
    }
}

struct Message {
    receiver: SecurityContext,
    kind: Kind,
    inputs: [Vec<u8>; 2],
    input: Vec<u8>,
    found: Result<(), ErrorKind>,
}

impl Message {
    fn new(
        (mut sender, mut receiver): Pair,
        kind: Kind,
        alter: impl Fn(&[u8]) -> Result<[Vec<u8>; 2]>,
    ) -> Result<Self> {
        // Control: unaltered one is taken. The next is altered, as NTLM's key stream moves on.
        kind.open(
            &mut receiver,
            &MESSAGE,
            &mut kind.token(&mut sender, &MESSAGE)?,
        )?;
        let inputs = alter(&kind.token(&mut sender, &MESSAGE)?)?;
        Ok(Self {
            receiver,
            kind,
            input: inputs[0].clone(),
            inputs,
            found: Ok(()),
        })
    }
}

impl Subject for Message {
    fn prepare(&mut self, class: Class) {
        self.input.copy_from_slice(&self.inputs[class]);
    }

    fn run(&mut self) {
        let result = self
            .kind
            .open(&mut self.receiver, &MESSAGE, black_box(&mut self.input));
        self.found = result.map_err(|error| error.kind());
    }

    fn outcome(&self) -> String {
        format!("{:?}", self.found)
    }
}

/// Of a handshake that repeats itself.
fn pair(enctype: Enctype) -> Result<Pair> {
    const SERVICE: &str = "HTTP/web.example.com";
    let realm = Realm::new("EXAMPLE.COM", 1);
    let ticket = realm.ticket("user", SERVICE).enctype(enctype).mint()?;
    let policy = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
    let mut random = SeededRandom::new(1);
    let env = &mut Environment::new(Timestamp::new(NOW, 0), &mut random).with_policy(&policy);
    let flags = Flags::MUTUAL | Flags::CONFIDENTIALITY | Flags::INTEGRITY;
    let mut initiator = Initiator::new(Arc::new(ticket)).request(flags);
    let Step::Continue { token } = initiator.step(None, env)? else {
        return Err("no AP-REQ".into());
    };
    let credential = AcceptorCredential::new(&realm.keytab(&[SERVICE])?);
    let Step::Established { token, context } =
        Acceptor::new(&credential).step(Some(&token), env)?
    else {
        return Err("no AP-REP".into());
    };
    match initiator.step(token.as_deref(), env)? {
        Step::Established { context: ours, .. } => Ok((*ours, *context)),
        other => Err(format!("{other:?}").into()),
    }
}
