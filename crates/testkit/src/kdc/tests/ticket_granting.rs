use countersign_crypto::{Key, KeyUsage};
use rasn_kerberos as krb;

use super::client::*;
use crate::kdc::refusal::code as c;
use crate::kdc::request::option;
use crate::{Account, FixedClock, Kdc, NOW, SeededRandom, flags, wire};

const WEB: &str = "HTTP/web.example.com";

fn kdc() -> Kdc {
    Kdc::builder(REALM)
        .user("alice", "open sesame")
        .user("bob", "pw")
        .account(Account::service(WEB).alias("HTTP/www.example.com"))
        .account(Account::service("host/deputy").ok_as_delegate())
        .build()
        .unwrap()
}

#[test]
fn a_service_ticket_opens_with_the_exported_keytab() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let got = buy(&kdc, Ask::ticket(WEB), &tgt).unwrap();
    let keytab = kdc.keytab(&[WEB]).unwrap();
    let ticket: krb::Ticket = wire::decode(&got.ticket).unwrap();
    let kvno = ticket.enc_part.kvno;
    assert_eq!(kvno, Some(1));
    let key = keytab.find(
        &principal(WEB),
        kvno,
        countersign_crypto::Enctype::from_id(ticket.enc_part.etype),
    );
    let key = key.unwrap().key().unwrap();
    let opened = key
        .decrypt(KeyUsage::TICKET, &ticket.enc_part.cipher)
        .unwrap();
    let part: krb::EncTicketPart = wire::decode(&opened).unwrap();
    assert_eq!(part.key, got.part.key);
    assert_eq!(
        wire::principal(&part.crealm, &part.cname),
        principal("alice")
    );
    assert!(kdc.keytab(&["no/body"]).is_err());
}

#[test]
fn a_subkey_takes_the_session_keys_place() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let subkey = Key::generate(FAST_ENCTYPE, &mut SeededRandom::new(3)).unwrap();
    let ask = Ask::ticket(WEB).presenting(&tgt, |authenticator| {
        authenticator.subkey = Some(wire::key(&subkey))
    });
    let answer = kdc.answer(&ask.tgs_req());
    assert!(read_tgs(&answer, &tgt.key, KeyUsage::TGS_REP_SESSION).is_err());
    assert!(read_tgs(&answer, &subkey, KeyUsage::TGS_REP_SUBKEY).is_ok());
}

#[test]
fn a_request_that_is_not_the_clients_own_is_refused() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let ask = |edit: fn(&mut krb::Authenticator)| {
        code(&kdc.answer(&Ask::ticket(WEB).presenting(&tgt, edit).tgs_req()))
    };
    assert_eq!(ask(|a| a.cksum = None), c::INAPPROPRIATE_CHECKSUM);
    assert_eq!(
        ask(|a| a.cksum.as_mut().unwrap().r#type = 7),
        c::INAPPROPRIATE_CHECKSUM
    );
    assert_eq!(
        ask(|a| a.cname.string[0] = wire::string(b"bob").unwrap()),
        c::BAD_MATCH
    );
    assert_eq!(ask(|a| a.ctime = wire::time(NOW - 301).unwrap()), c::SKEW);
    // The body changed after the checksum was made.
    let changed = Ask::ticket(WEB)
        .presenting(&tgt, |_| {})
        .with(|ask| ask.till += 1);
    assert_eq!(code(&kdc.answer(&changed.tgs_req())), c::MODIFIED);
    assert_eq!(
        code(&kdc.answer(&Ask::ticket(WEB).tgs_req())),
        c::PADATA_UNSUPPORTED
    );
    assert!(buy(&kdc, Ask::ticket(WEB), &tgt).is_ok());
}

#[test]
fn an_authenticator_counts_once() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let request = Ask::ticket(WEB).presenting(&tgt, |_| {}).tgs_req();
    assert!(wire::decode::<krb::TgsRep>(&kdc.answer(&request)).is_ok());
    assert_eq!(code(&kdc.answer(&request)), c::REPEAT);
}

#[test]
fn tickets_end_and_do_not_outlive_the_one_that_bought_them() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let long = Ask::ticket(WEB).with(|ask| ask.till = NOW + 100 * 3_600);
    assert_eq!(buy(&kdc, long, &tgt).unwrap().end(), tgt.end());
    let past = Ask::ticket(WEB).with(|ask| ask.till = NOW - 1);
    assert_eq!(buy(&kdc, past, &tgt).err(), Some(c::NEVER_VALID));
    kdc.set_time(FixedClock::at(tgt.end()));
    assert_eq!(
        buy(&kdc, Ask::ticket(WEB), &tgt).err(),
        Some(c::TICKET_EXPIRED)
    );
}

#[test]
fn only_a_renewable_ticket_is_renewed_and_only_in_time() {
    let kdc = kdc();
    let renew = |tgt: &Got, now: i64| {
        kdc.set_time(FixedClock::at(now));
        let ask = Ask::service(tgs(REALM)).with(|ask| ask.options = option::RENEW);
        let ask = ask.presenting(tgt, |a| a.ctime = wire::time(now).unwrap());
        let answer = kdc.answer(&ask.tgs_req());
        read_tgs(&answer, &tgt.key, KeyUsage::TGS_REP_SESSION).map_err(|_| code(&answer))
    };
    let plain = log_on(&kdc, 0);
    let tgt = log_on(&kdc, option::RENEWABLE);
    assert_ne!(tgt.flags() & flags::ticket::RENEWABLE, 0);
    assert_eq!(renew(&plain, NOW + 60).err(), Some(c::BAD_OPTION));
    let new = renew(&tgt, NOW + 3_600).unwrap();
    assert_eq!(new.end(), NOW + 3_600 + 36_000);
    assert_eq!(new.part.renew_till, tgt.part.renew_till);
    // Ended tickets are not renewed; the new one ended later.
    assert_eq!(renew(&tgt, NOW + 36_000).err(), Some(c::TICKET_EXPIRED));
    assert!(renew(&new, NOW + 36_000).is_ok());
}

#[test]
fn a_postdated_ticket_holds_once_validated_in_its_time() {
    let kdc = kdc();
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let from = NOW + 3_600;
    let postdated = |options| {
        let ask = Ask::initial("alice").with(|ask| {
            ask.etypes = vec![17];
            ask.options = options;
            ask.from = Some(from);
        });
        kdc.answer(&ask.stamped(&key, NOW).as_req())
    };
    assert_eq!(code(&postdated(0)), c::CANNOT_POSTDATE);
    let tgt = read_as(&postdated(option::POSTDATED), &key).unwrap();
    assert_ne!(tgt.flags() & flags::ticket::INVALID, 0);
    let validate = |now: i64| {
        kdc.set_time(FixedClock::at(now));
        let ask = Ask::service(tgs(REALM)).with(|ask| ask.options = option::VALIDATE);
        let ask = ask.presenting(&tgt, |a| a.ctime = wire::time(now).unwrap());
        let answer = kdc.answer(&ask.tgs_req());
        read_tgs(&answer, &tgt.key, KeyUsage::TGS_REP_SESSION).map_err(|_| code(&answer))
    };
    assert_eq!(validate(NOW + 60).err(), Some(c::TICKET_NOT_YET_VALID));
    let valid = validate(from).unwrap();
    assert_eq!(valid.flags() & flags::ticket::INVALID, 0);
    let ask = |with: &Got| {
        let ask = Ask::ticket(WEB).presenting(with, |a| a.ctime = wire::time(from).unwrap());
        wire::decode::<krb::TgsRep>(&kdc.answer(&ask.tgs_req())).is_ok()
    };
    assert!(!ask(&tgt));
    assert!(ask(&valid));
}

#[test]
fn forwarding_and_proxies_need_a_ticket_that_allows_them() {
    let kdc = kdc();
    let forward = |tgt: &Got| {
        buy(
            &kdc,
            Ask::service(tgs(REALM)).with(|ask| ask.options |= option::FORWARDED),
            tgt,
        )
    };
    let forwardable = log_on(&kdc, 0);
    let key = password_key("alice", "open sesame", FAST_ENCTYPE);
    let ask = Ask::initial("alice").with(|ask| {
        ask.options = 0;
        ask.etypes = vec![17];
    });
    let plain = read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap();
    assert_eq!(forward(&plain).err(), Some(c::BAD_OPTION));
    let forwarded = forward(&forwardable).unwrap();
    assert_ne!(forwarded.flags() & flags::ticket::FORWARDED, 0);
    // What is bought with a forwarded ticket is forwarded too.
    let bought = buy(&kdc, Ask::ticket(WEB), &forwarded).unwrap();
    assert_ne!(bought.flags() & flags::ticket::FORWARDED, 0);

    let proxy = |tgt: &Got, server: &str| {
        buy(
            &kdc,
            Ask::ticket(server).with(|ask| ask.options = option::PROXY),
            tgt,
        )
    };
    let proxiable = log_on(&kdc, option::PROXIABLE);
    assert_eq!(proxy(&plain, WEB).err(), Some(c::BAD_OPTION));
    assert_eq!(
        proxy(&proxiable, "krbtgt/EXAMPLE.COM").err(),
        Some(c::BAD_OPTION)
    );
    assert_ne!(
        proxy(&proxiable, WEB).unwrap().flags() & flags::ticket::PROXY,
        0
    );
}

#[test]
fn user_to_user_tickets_open_with_the_other_users_session_key() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let key = password_key("bob", "pw", FAST_ENCTYPE);
    let ask = Ask::initial("bob").with(|ask| ask.etypes = vec![17]);
    let bob = read_as(&kdc.answer(&ask.stamped(&key, NOW).as_req()), &key).unwrap();
    let ask = |server: &str, second: &[&Got]| {
        let ask = Ask::ticket(server).with(|ask| {
            ask.options = option::ENC_TKT_IN_SKEY;
            ask.additional = second.iter().map(|got| got.ticket.clone()).collect();
        });
        buy(&kdc, ask, &tgt)
    };
    let got = ask("bob", &[&bob]).unwrap();
    let ticket: krb::Ticket = wire::decode(&got.ticket).unwrap();
    assert_eq!(ticket.enc_part.kvno, None);
    assert!(
        bob.key
            .decrypt(KeyUsage::TICKET, &ticket.enc_part.cipher)
            .is_ok()
    );
    assert_eq!(ask("bob", &[]).err(), Some(c::BAD_OPTION));
    // Another's ticket, and one that is no ticket-granting ticket.
    assert_eq!(ask("bob", &[&tgt]).err(), Some(c::SERVER_NO_MATCH));
    let service = buy(&kdc, Ask::ticket(WEB), &bob).unwrap();
    assert_eq!(ask("bob", &[&service]).err(), Some(c::POLICY));
}

#[test]
fn a_service_ticket_buys_nothing() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let service = buy(&kdc, Ask::ticket(WEB), &tgt).unwrap();
    assert_eq!(
        buy(&kdc, Ask::ticket("host/deputy"), &service).err(),
        Some(c::NOT_US)
    );
    assert!(buy(&kdc, Ask::ticket("host/deputy"), &tgt).is_ok());
    assert_eq!(
        buy(&kdc, Ask::ticket("no/service"), &tgt).err(),
        Some(c::SERVER_UNKNOWN)
    );
}

#[test]
fn the_services_flags_and_names_are_in_its_tickets() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    let flag = |server: &str| {
        buy(&kdc, Ask::ticket(server), &tgt).unwrap().flags() & flags::ticket::OK_AS_DELEGATE
    };
    assert_eq!(flag(WEB), 0);
    assert_ne!(flag("host/deputy"), 0);
    let alias = |options| {
        let ask = Ask::ticket("HTTP/www.example.com").with(|ask| ask.options |= options);
        buy(&kdc, ask, &tgt).unwrap().server().to_string()
    };
    assert_eq!(alias(0), "HTTP/www.example.com@EXAMPLE.COM");
    assert_eq!(
        alias(option::CANONICALIZE),
        "HTTP/web.example.com@EXAMPLE.COM"
    );
}

#[test]
fn old_keys_open_old_tickets_and_new_ones_seal_new_tickets() {
    let kdc = kdc();
    let tgt = log_on(&kdc, 0);
    assert_eq!(kdc.rotate("krbtgt/EXAMPLE.COM").unwrap(), 2);
    assert_eq!(kdc.rotate(WEB).unwrap(), 2);
    let got = buy(&kdc, Ask::ticket(WEB), &tgt).unwrap();
    assert_eq!(got.reply.ticket.enc_part.kvno, Some(2));
    assert_eq!(log_on(&kdc, 0).reply.ticket.enc_part.kvno, Some(2));
    let versions = kdc.keytab(&[WEB]).unwrap();
    assert_eq!(versions.latest_kvno(&principal(WEB)), Some(2));
    assert_eq!(versions.entries().len(), 8);
}
