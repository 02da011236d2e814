//! Services that act for users: whose ticket it is must be proved, and cannot be mixed up.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

#[path = "support/network.rs"]
mod support;

use countersign_context::credential::{Principal, TicketCredential};
use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::kerberos::kdc::{
    Acquisition, ClientCredential, ExchangeStep, KdcAnswer, ServiceTicket, TicketOptions,
};
use countersign_context::token::der::{Decode, Encode, Encoded, SequenceOf};
use countersign_context::token::kerberos::{
    ApReq, Authenticator, Checksum, Claimed, EncKdcRepPart, EncTgsRepPart, EncryptedData,
    EncryptionKey, KdcRep, KerberosTime, PaData, PaS4uX509User, S4uOptions, S4uUserId, TgsRep,
    TgsReq,
};
use countersign_context::{ErrorKind, KdcProblem, ReplyPart};
use countersign_testkit::{Account, Kdc, Realm, flags};
use support::*;

const FRONT: &str = "HTTP/front.example.com";
const BACK: &str = "HTTP/back.example.com";

fn realm() -> Kdc {
    Kdc::builder(REALM)
        .user("alice", "wonderland")
        .user("bob", "builder")
        .account(Account::user("treasurer", "gold").sensitive())
        .account(Account::service(FRONT).any_protocol().delegates_to(&[BACK]))
        .service(BACK)
        .account(Account::service("HTTP/open.example.com").accepts_delegation_from(&[FRONT]))
        .service("HTTP/closed.example.com")
        .build()
        .unwrap()
}

fn front_tgt() -> TicketCredential {
    tgt(REALM, FRONT)
}

fn s4u2self(user: &str) -> ServiceTicket {
    ServiceTicket::s4u2self(front_tgt(), named(user))
}

fn mismatch(part: ReplyPart) -> ErrorKind {
    ErrorKind::Kdc(KdcProblem::ReplyMismatch(part))
}

const NOT_VERIFIED: ErrorKind = ErrorKind::Kdc(KdcProblem::ClientNotVerified);

#[test]
fn a_service_gets_a_users_ticket_for_itself_and_the_kdc_proves_whose() {
    let kdc = realm();
    let mut network = Network::of([kdc.clone()]);
    let ticket = network.run(s4u2self("alice")).unwrap().credential;
    assert_eq!(ticket.client, named("alice"));
    assert_eq!(ticket.server, named(FRONT));
    assert_ne!(ticket.flags.0 & flags::ticket::FORWARDABLE, 0);
    // Both forms, for KDCs of every age.
    let seen = kdc.seen();
    assert!(seen[0].padata.contains(&130) && seen[0].padata.contains(&129));
    let error = network.run(s4u2self("nobody")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kdc(KdcProblem::ClientUnknown));
}

/// The old form alone: somebody on the path put a recorded PA-FOR-USER of another user into the
/// request, and the asked user's name into the reply. Nothing in the reply proves otherwise.
#[test]
fn an_s4u_reply_without_proof_is_refused_unless_that_is_named() {
    let strip = |kdc: &Kdc| {
        kdc.edit_reply(|_, reply| {
            if let Some(padata) = &mut reply.padata {
                padata.retain(|data| data.r#type != 130);
            }
        });
    };
    assert!(Network::of([realm()]).run(s4u2self("alice")).is_ok());
    let kdc = realm();
    strip(&kdc);
    let mut network = Network::of([kdc]);
    let error = network.run(s4u2self("alice")).unwrap_err();
    assert_eq!(error.kind(), NOT_VERIFIED);
    let named_risk = s4u2self("alice").dangerous_accept_unverified_user();
    assert_eq!(
        network.run(named_risk).unwrap().credential.client,
        named("alice")
    );
}

/// The S4U padata of the reply, changed by who knows `subkey`.
fn with_proof(
    user: &str,
    prove: impl FnOnce(&TgsReq<'_>, &Key) -> Vec<u8>,
) -> Result<TicketCredential, ErrorKind> {
    let tgt = front_tgt();
    let session_key = tgt.session_key().unwrap().duplicate();
    let mut network = Network::of([realm()]);
    let mut exchange = ServiceTicket::s4u2self(tgt, named(user));
    let Ok(ExchangeStep::Send(request)) = network.step(&mut exchange, None) else {
        panic!("nobody was asked")
    };
    let KdcAnswer::Reply(reply) = network.answer(&request) else {
        panic!("no answer")
    };
    let message = TgsReq::from_der(&request.message).unwrap();
    let subkey = subkey_of(&message, &session_key);
    let value = prove(&message, &subkey);
    let padata = [PaData {
        padata_type: PaData::S4U_X509_USER,
        padata_value: &value,
    }];
    let mut rep = TgsRep::from_der(&reply).unwrap();
    rep.0.padata = Some(SequenceOf::new(&padata));
    match network.step(&mut exchange, Some(KdcAnswer::Reply(rep.to_der()))) {
        Ok(ExchangeStep::Done(outcome)) => Ok(outcome.credential.duplicate()),
        Ok(step) => panic!("unexpected {step:?}"),
        Err(error) => Err(error.kind()),
    }
}

fn subkey_of(message: &TgsReq<'_>, session_key: &Key) -> Key {
    let padata = message.padata.unwrap().first().unwrap();
    let ap_req = ApReq::from_der(padata.padata_value).unwrap();
    let plaintext = session_key
        .decrypt(KeyUsage::TGS_REQ_AUTHENTICATOR, ap_req.authenticator.cipher)
        .unwrap();
    let subkey = Authenticator::from_der(&plaintext).unwrap().subkey.unwrap();
    Key::new(Enctype::from_id(subkey.keytype).unwrap(), subkey.keyvalue).unwrap()
}

fn proof(user: &Principal, nonce: u32, key: &Key, usage: u32, options: S4uOptions) -> Vec<u8> {
    let components = user.token_components();
    let user_id = S4uUserId {
        nonce,
        cname: Some(user.token_name(&components)),
        crealm: user.token_realm(),
        subject_certificate: None,
        options: Some(options),
    }
    .to_der();
    let tag = key.mac(KeyUsage(usage)).compute(&[&user_id]);
    PaS4uX509User {
        user_id: Encoded::parse(&user_id).unwrap(),
        checksum: Checksum {
            cksumtype: key.enctype().checksum_type().id(),
            checksum: tag.as_bytes(),
        },
    }
    .to_der()
}

#[test]
fn an_s4u_reply_for_another_user_nonce_key_or_usage_is_refused() {
    let alice = named("alice");
    let reply = S4uOptions::USE_REPLY_KEY_USAGE;
    let other = Key::new(Enctype::Aes256CtsHmacSha1_96, &[9; 32]).unwrap();
    let honest = with_proof("alice", |request, key| {
        proof(&alice, request.req_body.nonce, key, 27, reply)
    });
    assert_eq!(honest.unwrap().client, alice);
    let old_kdc = with_proof("alice", |request, key| {
        proof(&alice, request.req_body.nonce, key, 26, S4uOptions::NONE)
    });
    assert_eq!(old_kdc.unwrap().client, alice);

    let refused = mismatch(ReplyPart::Client);
    for result in [
        with_proof("alice", |request, key| {
            proof(&named("bob"), request.req_body.nonce, key, 27, reply)
        }),
        with_proof("alice", |request, key| {
            proof(&alice, request.req_body.nonce ^ 1, key, 27, reply)
        }),
        with_proof("alice", |request, _| {
            proof(&alice, request.req_body.nonce, &other, 27, reply)
        }),
        with_proof("alice", |request, key| {
            proof(&alice, request.req_body.nonce, key, 26, reply)
        }),
        with_proof("alice", |request, key| {
            proof(
                &alice.with_realm("OTHER.TEST"),
                request.req_body.nonce,
                key,
                27,
                reply,
            )
        }),
        // Our own padata come back.
        with_proof("alice", |request, _| {
            let padata = request.padata.unwrap();
            let own = padata.iter().find(|data| data.padata_type == 130).unwrap();
            own.padata_value.to_vec()
        }),
    ] {
        assert_eq!(result.unwrap_err(), refused);
    }
}

/// The KDC proves one name, and the reply has another in the clear.
#[test]
fn an_s4u_reply_with_another_name_in_the_clear_is_refused() {
    let kdc = realm();
    kdc.edit_reply(|_, reply| {
        let bob = countersign_testkit::rasn_kerberos::KerberosString::try_from("bob").unwrap();
        reply.cname.string = vec![bob];
    });
    let error = Network::of([kdc]).run(s4u2self("alice")).unwrap_err();
    assert_eq!(error.kind(), mismatch(ReplyPart::Client));
}

fn front(kdc: &Kdc) -> ClientCredential {
    let keytab = kdc.keytab(&[FRONT]).unwrap();
    ClientCredential::keytab(named(FRONT), &keytab)
        .unwrap()
        .options(TicketOptions::default().forwardable(true))
}

#[test]
fn a_service_reaches_another_in_a_users_name_where_the_kdc_allows_it() {
    let kdc = realm();
    let mut network = Network::of([kdc.clone()]);
    let alice = ClientCredential::on_behalf_of(&front(&kdc), named("alice"));
    for (name, allowed) in [
        (BACK, true),
        // Resource-based: the other service lists this one.
        ("HTTP/open.example.com", true),
        ("HTTP/closed.example.com", false),
    ] {
        let result = network.run(Acquisition::new(&alice, named(name)));
        match allowed {
            true => {
                let ticket = result.unwrap();
                assert_eq!(ticket.client, named("alice"), "{name}");
                assert_eq!(ticket.server, named(name));
            }
            false => assert_eq!(result.unwrap_err().krb_error_code(), Some(13)),
        }
    }
    let treasurer = ClientCredential::on_behalf_of(&front(&kdc), named("treasurer"));
    let result = network.run(Acquisition::new(&treasurer, named(BACK)));
    assert_eq!(result.unwrap_err().krb_error_code(), Some(13));
    // Nobody but the user gets the user's ticket-granting ticket.
    for acquisition in [
        Acquisition::ticket_granting_ticket(&alice),
        Acquisition::forwarded(&alice),
    ] {
        let error = network.run(acquisition).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CredentialMissing);
    }
}

#[test]
fn a_users_own_ticket_is_evidence() {
    let kdc = realm();
    let mut network = Network::of([kdc.clone()]);
    let evidence = Realm::new(REALM, 1)
        .ticket("alice", FRONT)
        .add_flags(flags::ticket::FORWARDABLE)
        .mint()
        .unwrap();
    let alice = ClientCredential::with_evidence(&front(&kdc), evidence);
    let ticket = network.run(Acquisition::new(&alice, named(BACK))).unwrap();
    assert_eq!(ticket.client, named("alice"));
    assert!(
        kdc.seen()
            .iter()
            .all(|request| !request.padata.contains(&130))
    );
    // Evidence for somebody else is none.
    let foreign = Realm::new(REALM, 1).ticket("alice", BACK).mint().unwrap();
    let alice = ClientCredential::with_evidence(&front(&kdc), foreign);
    assert!(network.run(Acquisition::new(&alice, named(BACK))).is_err());
}

#[test]
fn tickets_in_users_names_never_answer_for_one_another_or_for_the_service() {
    let kdc = realm();
    let mut network = Network::of([kdc.clone()]);
    let service = front(&kdc);
    let mut clients = Vec::new();
    for user in ["alice", "bob"] {
        let credential = ClientCredential::on_behalf_of(&service, named(user));
        let ticket = network
            .run(Acquisition::new(&credential, named(BACK)))
            .unwrap();
        clients.push(ticket.client.clone());
    }
    let own = network
        .run(Acquisition::new(&service, named(BACK)))
        .unwrap();
    clients.push(own.client.clone());
    assert_eq!(clients, [named("alice"), named("bob"), named(FRONT)]);
    // The same ticket the second time.
    let before = network.sent.len();
    let alice = ClientCredential::on_behalf_of(&service, named("alice"));
    network.run(Acquisition::new(&alice, named(BACK))).unwrap();
    assert_eq!(network.sent.len(), before);
    // And a file of the service's holds its own only.
    let file = service.tickets().to_cache(&named(FRONT));
    assert!(
        file.credentials()
            .all(|ticket| ticket.client == named(FRONT))
    );
}

/// A credential that puts up with unproved evidence shares the service's tickets with those that do
/// not: what it got is not handed to them.
#[test]
fn evidence_that_nobody_proved_is_no_evidence_for_those_that_want_the_proof() {
    let kdc = realm();
    let service = front(&kdc);
    let strict = || ClientCredential::on_behalf_of(&service, named("alice"));
    let lax = strict().dangerous_accept_unverified_user();
    kdc.edit_reply(|_, reply| {
        if let Some(padata) = &mut reply.padata {
            padata.retain(|data| data.r#type != 130);
        }
    });
    let mut network = Network::of([kdc.clone()]);
    for target in [FRONT, BACK] {
        let target = named(target);
        let found = network.run(Acquisition::new(&lax, target.clone())).unwrap();
        assert_eq!(found.client, named("alice"));
        let error = network
            .run(Acquisition::new(&strict(), target.clone()))
            .unwrap_err();
        assert_eq!(error.kind(), NOT_VERIFIED, "{target}");
    }
    kdc.clear_edits();
    assert!(
        network
            .run(Acquisition::new(&strict(), named(BACK)))
            .is_ok()
    );
}

/// What the KDC of a realm answers who has asked it with this session key: a ticket of that client for the
/// ticket-granting service of another realm.
fn referral(
    request: &[u8],
    session_key: &Key,
    client: &Principal,
    from: &str,
    to: &str,
) -> Vec<u8> {
    let home = Principal::ticket_granting_service(to, from);
    let ticket = Realm::new(from, 1)
        .ticket_for(client.clone(), home.clone())
        .mint()
        .unwrap();
    let request = TgsReq::from_der(request).unwrap();
    let subkey = subkey_of(&request, session_key);
    let seconds = |seconds| KerberosTime { seconds };
    let (names, parts) = (client.token_components(), home.token_components());
    let plaintext = EncTgsRepPart(EncKdcRepPart {
        key: EncryptionKey {
            keytype: ticket.key.enctype_id(),
            keyvalue: ticket.key.expose(),
        },
        last_req: SequenceOf::EMPTY,
        nonce: request.req_body.nonce,
        key_expiration: None,
        flags: ticket.flags,
        authtime: seconds(ticket.times.auth_time),
        starttime: Some(seconds(ticket.times.start_time)),
        endtime: seconds(ticket.times.end_time),
        renew_till: None,
        srealm: home.token_realm(),
        sname: home.token_name(&parts),
        caddr: None,
        encrypted_pa_data: None,
    })
    .to_der();
    let mut random = countersign_testkit::SeededRandom::new(5);
    let cipher = subkey
        .encrypt(KeyUsage::TGS_REP_SUBKEY, &plaintext, &mut random)
        .unwrap();
    TgsRep(KdcRep {
        padata: None,
        crealm: Claimed::new(client.token_realm()),
        cname: Claimed::new(client.token_name(&names)),
        ticket: Encoded::parse(&ticket.ticket).unwrap(),
        enc_part: EncryptedData {
            etype: subkey.enctype().id(),
            kvno: None,
            cipher: &cipher,
        },
    })
    .to_der()
}

#[test]
fn a_user_of_another_realm_is_asked_for_there_and_the_referral_leads_home() {
    let mut network = Network::of([]);
    let (carol, front) = (
        Principal::parse("carol@B.TEST").unwrap(),
        Principal::parse(format!("{FRONT}@A.TEST")).unwrap(),
    );
    let abroad = tgt_for("A.TEST", FRONT, "B.TEST");
    let session_key = abroad.session_key().unwrap().duplicate();
    let mut exchange = ServiceTicket::s4u2self(tgt("A.TEST", FRONT), carol.clone())
        .known_tickets(vec![abroad.into()]);

    let Ok(ExchangeStep::Send(request)) = network.step(&mut exchange, None) else {
        panic!("nobody was asked")
    };
    assert_eq!(request.realm, b"B.TEST");
    let asked = TgsReq::from_der(&request.message).unwrap();
    let name = asked.req_body.sname.unwrap();
    assert_eq!(name.name_type, 10);
    assert_eq!(
        name.name_string.first().unwrap().as_bytes(),
        front.to_text()
    );

    // The referral home is the service's own (MS-SFU §3.2.5.1.1).
    let answer = referral(&request.message, &session_key, &front, "B.TEST", "A.TEST");
    let answer = KdcAnswer::Reply(answer);
    let Ok(ExchangeStep::Send(request)) = network.step(&mut exchange, Some(answer)) else {
        panic!("the referral was not followed")
    };
    // At home the service has its own name, and the user is proved anew.
    assert_eq!(request.realm, b"A.TEST");
    let asked = TgsReq::from_der(&request.message).unwrap();
    let name = asked.req_body.sname.unwrap();
    assert!(front.is_named(&asked.req_body.realm, &name));
    let padata = asked.padata.unwrap();
    let proof = padata.iter().find(|data| data.padata_type == 130).unwrap();
    let proof = PaS4uX509User::from_der(proof.padata_value).unwrap();
    assert_eq!(proof.user_id.nonce, asked.req_body.nonce);
    assert!(carol.is_named(&proof.user_id.crealm, &proof.user_id.cname.unwrap()));
}

/// MS-SFU §3.2.5.2.2: where the other service is in another realm, its own KDC refers there in the user's name;
/// what the service needs to be heard there is in its own.
#[test]
fn the_referral_of_constrained_delegation_is_the_users_and_the_way_there_the_services() {
    let front = Principal::parse(format!("{FRONT}@A.TEST")).unwrap();
    let alice = Principal::parse("alice@A.TEST").unwrap();
    let back = Principal::parse("HTTP/back.b.test@B.TEST").unwrap();
    let evidence = Realm::new("A.TEST", 1)
        .ticket("alice", FRONT)
        .add_flags(flags::ticket::FORWARDABLE)
        .mint()
        .unwrap();
    let tgt = tgt("A.TEST", FRONT);
    let session_key = tgt.session_key().unwrap().duplicate();
    // In whose name the referral is, and then the way; where it goes on.
    let run = |referred: &Principal, way: &Principal| -> Result<Vec<u8>, ErrorKind> {
        let mut network = Network::of([]);
        let mut exchange =
            ServiceTicket::s4u2proxy(tgt.duplicate(), evidence.duplicate(), back.clone());
        let Ok(ExchangeStep::Send(mut request)) = network.step(&mut exchange, None) else {
            panic!("nobody was asked")
        };
        for client in [referred, way] {
            assert_eq!(request.realm, b"A.TEST");
            let reply = referral(&request.message, &session_key, client, "A.TEST", "B.TEST");
            match network.step(&mut exchange, Some(KdcAnswer::Reply(reply))) {
                Ok(ExchangeStep::Send(next)) if next.realm != b"A.TEST" => return Ok(next.realm),
                Ok(ExchangeStep::Send(next)) => request = next,
                Ok(step) => panic!("unexpected {step:?}"),
                Err(error) => return Err(error.kind()),
            }
        }
        panic!("it went nowhere")
    };
    assert_eq!(run(&alice, &front), Ok(b"B.TEST".to_vec()));
    assert_eq!(run(&front, &front), Err(mismatch(ReplyPart::Client)));
    assert_eq!(run(&alice, &alice), Err(mismatch(ReplyPart::Client)));
}
