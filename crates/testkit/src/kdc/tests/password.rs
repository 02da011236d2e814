use countersign_credential::Principal;
use countersign_crypto::{Key, KeyUsage};
use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::messages::ChangePasswdData;
use crate::{Account, AccountState, Kdc, KdcBuilder, NOW, wire};

const SET: u16 = 0xff80;

fn realm() -> KdcBuilder {
    Kdc::builder(REALM)
        .user("alice", "open sesame")
        .user("bob", "pw")
        .account(Account::user("admin", "pw").sets_passwords())
}

/// An initial ticket for changing passwords.
fn initial(kdc: &Kdc, user: &str, password: &str) -> Result<Got, i32> {
    let key = password_key(user, password, FAST_ENCTYPE);
    let ask = Ask::initial(user).with(|ask| {
        ask.etypes = vec![17];
        ask.server = principal("kadmin/changepw");
    });
    let answer = kdc.answer(&ask.stamped(&key, NOW).as_req());
    read_as(&answer, &key).map_err(|_| code(&answer))
}

struct Change<'a> {
    version: u16,
    password: &'a str,
    target: Option<Principal>,
    cusec: u32,
    seq_number: Option<u32>,
}

fn change(password: &str) -> Change<'_> {
    Change {
        version: SET,
        password,
        target: None,
        cusec: 0,
        seq_number: Some(77),
    }
}

fn private(key: &Key, user_data: &[u8], seq_number: Option<u32>) -> Vec<u8> {
    let part = krb::EncKrbPrivPart {
        user_data: wire::octets(user_data),
        timestamp: None,
        usec: None,
        seq_number,
        sender_address: krb::HostAddress {
            addr_type: 2,
            address: wire::octets(&[127, 0, 0, 1]),
        },
        recipient_address: None,
    };
    let message = krb::KrbPriv {
        pvno: wire::integer(5),
        msg_type: wire::integer(21),
        enc_part: seal(key, KeyUsage::KRB_PRIV, &wire::encode(&part).unwrap()),
    };
    wire::encode(&message).unwrap()
}

impl Change<'_> {
    fn request(&self, with: &Got) -> Vec<u8> {
        let authenticator = krb::Authenticator {
            authenticator_vno: wire::integer(5),
            crealm: wire::string(with.client.realm()).unwrap(),
            cname: wire::name(&with.client).unwrap(),
            cksum: None,
            cusec: wire::integer(self.cusec),
            ctime: wire::time(NOW).unwrap(),
            subkey: None,
            seq_number: (self.seq_number.is_some()).then_some(77),
            authorization_data: None,
        };
        let plaintext = wire::encode(&authenticator).unwrap();
        let request = wire::encode(&krb::ApReq {
            pvno: wire::integer(5),
            msg_type: wire::integer(14),
            ap_options: krb::ApOptions(wire::flags(0)),
            ticket: wire::decode(&with.ticket).unwrap(),
            authenticator: seal(&with.key, KeyUsage::AP_REQ_AUTHENTICATOR, &plaintext),
        });
        let request = request.unwrap();
        let data = match self.version {
            1 => self.password.as_bytes().to_vec(),
            _ => wire::encode(&ChangePasswdData {
                newpasswd: wire::octets(self.password.as_bytes()),
                targname: self.target.as_ref().map(|name| wire::name(name).unwrap()),
                targrealm: self
                    .target
                    .as_ref()
                    .map(|name| wire::string(name.realm()).unwrap()),
            })
            .unwrap(),
        };
        let private = private(&with.key, &data, self.seq_number);
        let length = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
        [
            &length(request.len() + private.len() + 6)[..],
            &self.version.to_be_bytes(),
            &length(request.len()),
            &request,
            &private,
        ]
        .concat()
    }

    /// The result's code and text, sealed or in an error.
    fn send(&self, kdc: &Kdc, with: &Got) -> (u16, Vec<u8>) {
        read(&kdc.answer_password_change(&self.request(with)), &with.key)
    }
}

fn read(answer: &[u8], key: &Key) -> (u16, Vec<u8>) {
    let split = 6 + usize::from(u16::from_be_bytes([answer[4], answer[5]]));
    let result = match split {
        6 => error(&answer[6..]).e_data.unwrap().to_vec(),
        _ => {
            assert!(wire::decode::<krb::ApRep>(&answer[6..split]).is_ok());
            let message: krb::KrbPriv = wire::decode(&answer[split..]).unwrap();
            let part = key
                .decrypt(KeyUsage::KRB_PRIV, &message.enc_part.cipher)
                .unwrap();
            wire::decode::<krb::EncKrbPrivPart>(&part)
                .unwrap()
                .user_data
                .to_vec()
        }
    };
    (
        u16::from_be_bytes([result[0], result[1]]),
        result[2..].to_vec(),
    )
}

#[test]
fn both_versions_change_the_users_own_password() {
    let kdc = realm().build().unwrap();
    // MIT's clients count from 0 and leave it out.
    let rounds = [
        (1, Some(77), "open sesame", "second"),
        (SET, Some(77), "second", "third"),
        (SET, None, "third", "fourth"),
    ];
    for (version, seq_number, old, new) in rounds {
        let got = initial(&kdc, "alice", old).unwrap();
        let change = Change {
            version,
            seq_number,
            ..change(new)
        };
        assert_eq!(change.send(&kdc, &got).0, 0);
        assert!(initial(&kdc, "alice", old).is_err());
        assert!(initial(&kdc, "alice", new).is_ok());
    }
}

#[test]
fn an_expired_password_is_good_for_nothing_but_its_change() {
    let kdc = realm().build().unwrap();
    kdc.set_state("alice", AccountState::MustChangePassword)
        .unwrap();
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").stamped(&key, NOW).as_req();
    assert_eq!(
        code(&kdc.answer(&ask)),
        crate::kdc::refusal::code::KEY_EXPIRED
    );
    let got = initial(&kdc, "alice", "open sesame").unwrap();
    assert_eq!(change("another").send(&kdc, &got).0, 0);
    let key = password_key("alice", "another", FAST_ENCTYPE);
    let ask = Ask::initial("alice").stamped(&key, NOW).as_req();
    assert!(wire::decode::<krb::AsRep>(&kdc.answer(&ask)).is_ok());
}

#[test]
fn another_users_password_is_for_who_may_set_it() {
    let kdc = realm().build().unwrap();
    let set = |who: &str, password: &str| {
        let got = initial(&kdc, who, password).unwrap();
        let target = Some(principal("bob"));
        Change {
            target,
            ..change("set by another")
        }
        .send(&kdc, &got)
        .0
    };
    assert_eq!(set("alice", "open sesame"), 5);
    assert!(initial(&kdc, "bob", "pw").is_ok());
    assert_eq!(set("admin", "pw"), 0);
    assert!(initial(&kdc, "bob", "set by another").is_ok());
}

#[test]
fn a_ticket_that_is_not_initial_or_for_another_service_changes_nothing() {
    let kdc = realm().build().unwrap();
    let tgt = log_on(&kdc, 0);
    // CVE-2022-2031.
    assert_eq!(change("new").send(&kdc, &tgt).0, 3);
    let bought = buy(&kdc, Ask::ticket("kadmin/changepw"), &tgt).unwrap();
    assert_eq!(change("new").send(&kdc, &bought).0, 7);
    let got = initial(&kdc, "alice", "open sesame").unwrap();
    assert_eq!(change("new").send(&kdc, &got).0, 0);
}

#[test]
fn replays_foreign_sequence_numbers_and_unknown_versions_are_refused() {
    let kdc = realm().build().unwrap();
    let got = initial(&kdc, "alice", "open sesame").unwrap();
    assert_eq!(
        Change {
            version: 2,
            ..change("new")
        }
        .send(&kdc, &got)
        .0,
        6
    );
    let other = Change {
        seq_number: Some(78),
        cusec: 1,
        ..change("new")
    };
    assert_eq!(other.send(&kdc, &got).0, 3);
    let good = change("new");
    let request = good.request(&got);
    assert_eq!(
        read(
            &kdc.answer_password_change(&request[..request.len() - 1]),
            &got.key
        )
        .0,
        1
    );
    assert_eq!(good.send(&kdc, &got).0, 0);
    assert_eq!(good.send(&kdc, &got).0, 3);
}

#[test]
fn the_policys_refusal_says_what_it_wants() {
    let kdc = realm()
        .password_policy(8, "at least 8 characters")
        .build()
        .unwrap();
    let got = initial(&kdc, "alice", "open sesame").unwrap();
    assert_eq!(
        change("short").send(&kdc, &got),
        (4, b"at least 8 characters".to_vec())
    );
    let long = Change {
        cusec: 1,
        ..change("long enough")
    };
    assert_eq!(long.send(&kdc, &got).0, 0);
    let windows = realm()
        .password_policy(8, "")
        .windows_errors()
        .build()
        .unwrap();
    let got = initial(&windows, "alice", "open sesame").unwrap();
    let (code, text) = change("short").send(&windows, &got);
    assert_eq!((code, text.len(), text[5]), (4, 30, 8));
}
