//! Who signed.

use super::*;

/// MS-PAC §2.8, the four signatures.
#[test]
fn signatures_that_nobody_verified_are_told_to_be_unverified() {
    use PacSignature::*;
    let states = |knows, ticket: &TicketCredential| {
        let context = accepts(knows, ticket);
        let pac = context.pac().unwrap();
        [Server, Kdc, Ticket, Full].map(|signature| pac.signature(signature))
    };
    let (absent, unverified, verified) = (
        SignatureState::Absent,
        SignatureState::Unverified,
        SignatureState::Verified,
    );
    let all = with_pac(pac());
    let old = with_pac(pac().for_ticket_granting());
    assert_eq!(
        states(ServiceKey, &all),
        [verified, unverified, unverified, unverified]
    );
    assert_eq!(states(TicketGrantingKey, &all), [verified; 4]);
    assert_eq!(
        states(ServiceKey, &old),
        [verified, unverified, absent, absent]
    );
    assert_eq!(
        states(TicketGrantingKey, &old),
        [verified, verified, absent, absent]
    );
}

#[test]
fn pacs_of_every_enctype_of_service_verify() {
    for &enctype in Enctype::ALL {
        let policy = Policy::default();
        let policy = policy
            .clone()
            .with_enctypes(policy.enctypes().with(enctype));
        let realm = realm();
        let ticket = realm.ticket(CLIENT, SERVICE).enctype(enctype).pac(pac());
        let credential = AcceptorCredential::new(&keytab(&realm))
            .with_ticket_granting_keys(&ticket_granting_keys(&realm, &[1]));
        let context = accept_with(&credential, &policy, &minted(ticket)).unwrap();
        assert!(
            context.pac().unwrap().is_member_of(&of_domain(513)),
            "{enctype}"
        );
    }
}

/// RFC 4120 §3.7: there the key that opened the ticket is a session key, and the PAC is signed with it.
#[test]
fn the_pac_of_a_user_to_user_ticket_verifies_with_the_session_key() {
    let realm = realm();
    let own = realm.ticket_granting_ticket("bob").mint().unwrap();
    let session = own.session_key().unwrap().duplicate();
    let ticket = |signer: Option<Key>| {
        let mut pac = pac();
        if let Some(key) = signer {
            pac = pac.signer(buffer_type::SERVER_SIGNATURE, PacSigner::key(&key));
        }
        let ticket = realm.ticket(CLIENT, "bob").service_key(session.duplicate());
        let mut ticket = minted(ticket.named_kvno(None).pac(pac));
        ticket.is_skey = true;
        ticket
    };
    let credential = AcceptorCredential::user_to_user(own);
    let accept = |ticket: TicketCredential| {
        let mut initiator = Initiator::new(ticket);
        let first = World::new(8).step(&mut initiator, None);
        let Ok(Step::Continue { token }) = first else {
            panic!("{first:?}")
        };
        World::new(9).step(&mut Acceptor::new(&credential), Some(&token))
    };
    let Ok(Step::Established { context, .. }) = accept(ticket(None)) else {
        panic!("not accepted")
    };
    assert!(context.pac().is_some());
    let bob = realm.principal("bob");
    let long_term = realm.key(&bob, Enctype::Aes256CtsHmacSha1_96, 1).unwrap();
    let refused = accept(ticket(Some(long_term))).unwrap_err().kind();
    let signature = PacSignature::Server;
    let problem = PacProblem::SignatureWrong { signature };
    assert_eq!(refused, ErrorKind::Pac(problem));
}

/// Every way to sign without the key.
fn forgeries(enctype: Enctype) -> Vec<(PacSigner, bool)> {
    let mut random = SeededRandom::new(44);
    let stranger = Key::generate(enctype, &mut random).unwrap();
    let other_enctype = Key::generate(Enctype::Aes128CtsHmacSha1_96, &mut random).unwrap();
    let own_type = enctype.checksum_type().id();
    // The flag says whether the type alone is refused.
    vec![
        (PacSigner::Md5, true),
        (PacSigner::Crc32, true),
        (PacSigner::Bytes(14, vec![0; 20]), true),
        (PacSigner::Bytes(0, Vec::new()), true),
        (PacSigner::Bytes(0x7fff_0000, vec![0; 12]), true),
        (PacSigner::key(&other_enctype), true),
        (PacSigner::mislabelled(&stranger, 7), true),
        (PacSigner::mislabelled(&stranger, 15), true),
        (PacSigner::key(&stranger), false),
        (PacSigner::Bytes(own_type, vec![0; 12]), false),
    ]
}

/// CVE-2010-1323, CVE-2010-1324, MS14-068, CVE-2018-16860: only the keyed type of the key's enctype
/// verifies, and only if the key made it.
#[test]
fn acceptor_refuses_signatures_that_are_unkeyed_foreign_or_of_another_key() {
    use PacSignature::*;
    accepts(TicketGrantingKey, &with_pac(pac()));
    for (kind, signature) in [
        (buffer_type::SERVER_SIGNATURE, Server),
        (buffer_type::KDC_SIGNATURE, Kdc),
        (buffer_type::TICKET_SIGNATURE, Ticket),
        (buffer_type::FULL_SIGNATURE, Full),
    ] {
        for (signer, refused_by_type) in forgeries(Enctype::Aes256CtsHmacSha1_96) {
            let ticket = with_pac(pac().signer(kind, signer.clone()));
            let problem = refuses(TicketGrantingKey, &ticket);
            let matches = match problem {
                PacProblem::SignatureTypeRefused { signature: s, .. } => {
                    refused_by_type && s == signature
                }
                PacProblem::SignatureWrong { signature: s } => !refused_by_type && s == signature,
                _ => false,
            };
            assert!(matches, "{signer:?}: {problem:?}");
            // The service's key alone is enough for the server's.
            let alone = accept_as(ServiceKey, PacPolicy::WhenPresent, &ticket);
            assert_eq!(alone.is_err(), signature == Server, "{signer:?}");
        }
        // A signature cut to nothing, which no type but an unknown one can have.
        let empty = PacSigner::Bytes(16, Vec::new());
        let ticket = with_pac(pac().signer(kind, empty));
        assert!(matches!(
            refuses(TicketGrantingKey, &ticket),
            PacProblem::Malformed(_)
        ));
    }
}

/// CVE-2020-17049: a service changes the flags of its own ticket, which it can seal anew.
#[test]
fn the_tickets_signature_catches_a_service_that_edits_its_ticket() {
    let ticket = |more: u32| {
        let realm = realm();
        let ticket = realm.ticket(CLIENT, SERVICE).pac(pac());
        minted(ticket.edit(move |part| {
            let bits = flags::ticket::PRE_AUTHENT | flags::ticket::TRANSITED_POLICY_CHECKED | more;
            part.flags.0 =
                countersign_testkit::rasn_kerberos::KerberosFlags::from_slice(&bits.to_be_bytes());
        }))
    };
    accepts(TicketGrantingKey, &ticket(0));
    let edited = ticket(flags::ticket::FORWARDABLE);
    assert_eq!(
        refuses(TicketGrantingKey, &edited),
        PacProblem::SignatureWrong {
            signature: PacSignature::Ticket
        }
    );
    // Without the key nobody can know, and that is what is said.
    let context = accepts(ServiceKey, &edited);
    let state = context.pac().unwrap().signature(PacSignature::Ticket);
    assert_eq!(state, SignatureState::Unverified);
}

/// CVE-2022-37967: whoever has the service's key changes the PAC and signs it anew.
#[test]
fn the_kdcs_signatures_catch_a_service_that_edits_its_pac() {
    let realm = realm();
    let service = realm
        .key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1)
        .unwrap();
    let ticket = |edit: bool| {
        let key = service.duplicate();
        with_pac(pac().map_signed(move |pac| {
            let at = pac.windows(4).position(|w| w == 513_u32.to_le_bytes());
            if edit {
                // Domain users become domain administrators, first the primary group, then both.
                pac[at.unwrap()] = 0;
                pac[at.unwrap() + 1] = 2;
            }
            resign_server(pac, &key).unwrap();
        }))
    };
    accepts(TicketGrantingKey, &ticket(false));
    accepts(ServiceKey, &ticket(true));
    assert_eq!(
        refuses(TicketGrantingKey, &ticket(true)),
        PacProblem::SignatureWrong {
            signature: PacSignature::Kdc
        }
    );
    // And if two PACs had one server's signature, so that the KDC's held for both.
    let collision = pac().signer(
        buffer_type::FULL_SIGNATURE,
        PacSigner::Bytes(16, vec![7; 12]),
    );
    assert_eq!(
        refuses(TicketGrantingKey, &with_pac(collision)),
        PacProblem::SignatureWrong {
            signature: PacSignature::Full
        }
    );
}

/// MS-PAC §2.8, MS-KILE §3.1.5.8: a read-only domain controller signs with a key of its own.
#[test]
fn signatures_of_a_read_only_controller_need_its_key_and_lead_around_no_other() {
    const RODC: u32 = 0x1234 << 16;
    let realm = realm();
    let name = realm.principal("krbtgt/EXAMPLE.COM");
    let key = realm
        .key(&name, Enctype::Aes256CtsHmacSha1_96, RODC | 1)
        .unwrap();
    let of_kdc = |signer: &dyn Fn() -> PacSigner| {
        [
            buffer_type::KDC_SIGNATURE,
            buffer_type::TICKET_SIGNATURE,
            buffer_type::FULL_SIGNATURE,
        ]
        .into_iter()
        .fold(pac(), |pac, kind| pac.signer(kind, signer()))
    };
    let signed = of_kdc(&|| PacSigner::key(&key)).rodc_identifier(0x1234);
    let ticket = with_pac(signed);
    let knowing = |kvnos: &[u32]| {
        AcceptorCredential::new(&keytab(&realm))
            .with_ticket_granting_keys(&ticket_granting_keys(&realm, kvnos))
    };
    let policy = Policy::default();
    assert!(accept_with(&knowing(&[1, RODC | 1]), &policy, &ticket).is_ok());
    accepts(ServiceKey, &ticket);
    let refused = PacProblem::SignatureTypeRefused {
        signature: PacSignature::Kdc,
        signature_type: 16,
    };
    assert_eq!(refuses(TicketGrantingKey, &ticket), refused);
    let other = accept_with(&knowing(&[1, (0x1235 << 16) | 1]), &policy, &ticket);
    assert_eq!(other.unwrap_err(), ErrorKind::Pac(refused));
    // The main key's signature does not pass for the other's, nor the other's for the main one's.
    let claimed = with_pac(pac().rodc_identifier(0x1234));
    let result = accept_with(&knowing(&[1, RODC | 1]), &policy, &claimed);
    let wrong = PacProblem::SignatureWrong {
        signature: PacSignature::Kdc,
    };
    assert_eq!(result.unwrap_err(), ErrorKind::Pac(wrong));
    let unclaimed = with_pac(of_kdc(&|| PacSigner::key(&key)));
    let result = accept_with(&knowing(&[1, RODC | 1]), &policy, &unclaimed);
    assert_eq!(result.unwrap_err(), ErrorKind::Pac(wrong));
}
