//! A realm's KDC in a process of its own, asked over its standard input.

use std::io::{Read, Write, stdin, stdout};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use countersign::credential::Keytab;
use countersign::kerberos::kdc::{KdcAnswer, KdcRequest, KdcService};
use countersign_testkit::{Account, Kdc};
use zeroize::Zeroizing;

/// What makes this program the KDC.
pub(crate) const ARGUMENT: &str = "--kdc";
pub(crate) const REALM: &str = "EXAMPLE.COM";
pub(crate) const SERVICE: &str = "HTTP/www.example.com";
pub(crate) const PASSWORD: &str = "curiouser and curiouser";
pub(crate) const MACHINE: &str = "machine$";
/// A service that acts for users at [`SERVICE`].
pub(crate) const FRONT: &str = "HTTP/front.example.com";
/// Who accepts without a keytab.
pub(crate) const BOB: &str = "bob";
pub(crate) const BOBS_PASSWORD: &str = "a boojum, you see";

const KDC: u8 = b'k';
const PASSWORDS: u8 = b'p';
const KEYTAB: u8 = b't';
const ADDRESS: u8 = b'a';

/// The KDC's side.
pub(crate) fn serve() {
    let kdc = Kdc::builder(REALM)
        .user("alice", PASSWORD)
        .user(MACHINE, "a machine's own password")
        .user(BOB, BOBS_PASSWORD)
        .account(
            Account::service(FRONT)
                .any_protocol()
                .delegates_to(&[SERVICE]),
        )
        .account(Account::service(SERVICE).ok_as_delegate())
        .domain("EXAMPLE", "S-1-5-21-1-2-3")
        .build()
        .unwrap();
    let server = kdc.serve("127.0.0.1:0").unwrap();
    let (mut input, mut output) = (stdin().lock(), stdout().lock());
    let mut header = [0; 5];
    while input.read_exact(&mut header).is_ok() {
        let [kind, length @ ..] = header;
        let mut message = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        input.read_exact(&mut message).unwrap();
        let answer = match kind {
            KDC => kdc.answer(&message),
            PASSWORDS => kdc.answer_password_change(&message),
            ADDRESS => server.address().to_string().into_bytes(),
            _ => {
                let account = String::from_utf8(message).unwrap();
                kdc.keytab(&[&account])
                    .unwrap()
                    .to_bytes()
                    .unwrap()
                    .to_vec()
            }
        };
        let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
        output.write_all(&length).unwrap();
        output.write_all(&answer).unwrap();
        output.flush().unwrap();
    }
}

/// The other side.
pub(crate) struct Domain(Child);

impl Domain {
    pub(crate) fn start() -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        let program = program.arg(ARGUMENT);
        let program = program.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(program.spawn().unwrap())
    }

    fn ask(&mut self, kind: u8, message: &[u8]) -> Zeroizing<Vec<u8>> {
        let input = self.0.stdin.as_mut().unwrap();
        input.write_all(&[kind]).unwrap();
        let length = u32::try_from(message.len()).unwrap();
        input.write_all(&length.to_be_bytes()).unwrap();
        input.write_all(message).unwrap();
        let output = self.0.stdout.as_mut().unwrap();
        let mut length = [0; 4];
        output.read_exact(&mut length).unwrap();
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
        let mut answer = Zeroizing::new(vec![0; length]);
        output.read_exact(&mut answer).unwrap();
        answer
    }

    pub(crate) fn keytab(&mut self, account: &str) -> Keytab {
        Keytab::parse(&self.ask(KEYTAB, account.as_bytes())).unwrap()
    }

    /// Where it answers by UDP and by TCP.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let address = self.ask(ADDRESS, &[]);
        str::from_utf8(&address).unwrap().parse().unwrap()
    }

    pub(crate) fn answer(&mut self, request: &KdcRequest) -> KdcAnswer {
        let kind = match request.service {
            KdcService::Kdc => KDC,
            KdcService::PasswordChange => PASSWORDS,
        };
        KdcAnswer::Reply(self.ask(kind, &request.message).to_vec())
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        drop(self.0.stdin.take());
        self.0.wait().ok();
    }
}
