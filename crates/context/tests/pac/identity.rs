//! What the established context offers.

use super::*;

#[test]
fn acceptor_offers_who_the_client_is_from_a_verified_pac() {
    let extended = pac()
        .upn_extended(
            "alice@example.com",
            "EXAMPLE.COM",
            "alice",
            &of_domain(1105).to_string(),
        )
        .requestor(&of_domain(1105).to_string())
        .attributes(2, 1)
        .delegation("HTTP/www.example.com", &["host/front.example.com"])
        .buffer(buffer_type::CLIENT_CLAIMS_INFO, b"claims".to_vec());
    let context = accepts(ServiceKey, &with_pac(extended));
    let pac = context.pac().unwrap();
    assert_eq!(pac.user_sid(), Some(of_domain(1105)));
    assert_eq!(pac.domain_sid(), Some(sid(DOMAIN)));
    assert!(pac.account_name().unwrap() == "alice");
    assert!(pac.logon_domain().unwrap() == "EXAMPLE" && pac.logon_server().unwrap() == "DC1");
    assert!(pac.upn().unwrap() == "alice@example.com");
    assert!(pac.dns_domain().unwrap() == "EXAMPLE.COM");
    assert_eq!(pac.requestor(), Some(of_domain(1105)));
    assert_eq!(pac.attributes().unwrap().flags, 1);
    let delegation = pac.delegation_info().unwrap();
    assert!(delegation.proxy_target == "HTTP/www.example.com");
    let services: Vec<_> = delegation.transited_services.iter().collect();
    assert!(services.len() == 1 && services[0] == "host/front.example.com");
    let claims = pac.buffer(BufferType::CLIENT_CLAIMS_INFO);
    assert_eq!(claims, Some(&b"claims"[..]));
    // Both halves know it too, and a ticket without a PAC says nothing.
    let (sender, receiver) = context.split();
    assert_eq!(sender.pac().unwrap().user_sid(), Some(of_domain(1105)));
    assert!(receiver.pac().is_some());
    assert!(
        accepts(ServiceKey, &minted(realm().ticket(CLIENT, SERVICE)))
            .pac()
            .is_none()
    );
}

#[test]
fn what_the_buffers_say_is_given_as_it_stands() {
    let mut logon = logon();
    logon.full_name = "Alice Liddell".into();
    let extended = PacBuilder::of(logon).upn_extended("a@b", "B", "alice", DOMAIN);
    let context = accepts(ServiceKey, &with_pac(extended));
    let pac = context.pac().unwrap();
    assert!(pac.full_name().unwrap() == "Alice Liddell");
    let names = pac.upn_dns_info().unwrap();
    assert!(names.upn == "a@b" && names.dns_domain_name == "B");
    assert!(names.sam_name.unwrap() == "alice");
    // The whole of it reads as the same PAC again.
    let whole = Pac::parse(pac.as_bytes()).unwrap();
    let logon_info = whole.buffer(BufferType::LOGON_INFO);
    assert!(logon_info.is_some() && logon_info == pac.buffer(BufferType::LOGON_INFO));
    // Without what the ticket said, the time of authentication is the PAC's.
    assert_eq!(context.auth_time().unwrap().seconds(), realm().now());
}

#[test]
fn only_enabled_groups_count() {
    let logon = logon()
        .group(&format!("{DOMAIN}-1200"))
        .group_with(&format!("{DOMAIN}-1201"), 3)
        .group_with(&format!("{DOMAIN}-1202"), 0x10)
        .group("S-1-5-21-9-9-9-2000")
        .group_with("S-1-5-21-9-9-9-2001", 0)
        .resource_group(RESOURCE_DOMAIN, 3000, 0x2000_0007)
        .resource_group(RESOURCE_DOMAIN, 3001, 0x2000_0000);
    let context = accepts(ServiceKey, &with_pac(PacBuilder::of(logon)));
    let pac = context.pac().unwrap();
    let resource = |rid| sid(RESOURCE_DOMAIN).with_rid(rid).unwrap();
    for member in [
        of_domain(513),
        of_domain(1200),
        sid("S-1-5-21-9-9-9-2000"),
        resource(3000),
        Sid::AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY,
    ] {
        assert!(pac.is_member_of(&member), "{member}");
    }
    for stranger in [
        of_domain(1201),
        of_domain(1202),
        of_domain(512),
        of_domain(1105),
        sid("S-1-5-21-9-9-9-2001"),
        sid("S-1-5-21-9-9-9-1200"),
        resource(3001),
        resource(1200),
        Sid::EVERYONE,
    ] {
        assert!(!pac.is_member_of(&stranger), "{stranger}");
    }
    // Those that do not count are listed with what they mean.
    let deny_only = pac
        .groups()
        .find(|group| group.sid == of_domain(1202))
        .unwrap();
    assert_eq!(deny_only.attributes, GroupAttributes(0x10));
    assert_eq!(pac.groups().count(), 4 + 3 + 2);
}

/// MS-PAC §2.5: the flags say whether extra SIDs and resource groups mean something, and a UserId
/// of zero makes the first extra SID the account.
#[test]
fn sids_that_the_flags_do_not_announce_grant_nothing() {
    let whole = logon()
        .group("S-1-5-21-9-9-9-2000")
        .resource_group(RESOURCE_DOMAIN, 3000, 7);
    let extra = sid("S-1-5-21-9-9-9-2000");
    let resource = sid(RESOURCE_DOMAIN).with_rid(3000).unwrap();
    let ndr = whole.to_ndr();
    // UserFlags stand behind the headers, the pointer and 40 + 8 * 8 + 24 bytes.
    let flags_at = 16 + 4 + 48 + 48 + 4 + 16;
    assert_eq!(ndr[flags_at..flags_at + 4], 0x220_u32.to_le_bytes());
    for (flags, has_extra, has_resource) in [
        (0x220_u32, true, true),
        (0x20, true, false),
        (0x200, false, true),
        (0, false, false),
    ] {
        let mut ndr = ndr.clone();
        ndr[flags_at..flags_at + 4].copy_from_slice(&flags.to_le_bytes());
        let ticket = with_pac(PacBuilder::minimal().buffer(buffer_type::LOGON_INFO, ndr));
        let context = accepts(ServiceKey, &ticket);
        let pac = context.pac().unwrap();
        assert_eq!(pac.is_member_of(&extra), has_extra);
        assert_eq!(pac.is_member_of(&resource), has_resource);
    }

    let mut foreign = logon();
    foreign.rid = 0;
    foreign.extra_sids = vec![
        ("S-1-5-21-9-9-9-1".into(), 7),
        ("S-1-5-21-9-9-9-2".into(), 7),
    ];
    let context = accepts(ServiceKey, &with_pac(PacBuilder::of(foreign)));
    let pac = context.pac().unwrap();
    assert_eq!(pac.user_sid(), Some(sid("S-1-5-21-9-9-9-1")));
    assert!(!pac.is_member_of(&sid("S-1-5-21-9-9-9-1")));
    assert!(pac.is_member_of(&sid("S-1-5-21-9-9-9-2")));
}

/// gokrb5 #545: MIT krb5 1.20 puts a PAC without LOGON_INFO into every ticket.
#[test]
fn a_pac_without_logon_info_authenticates_and_names_no_sid() {
    let ticket = with_pac(PacBuilder::minimal());
    let context = accepts(TicketGrantingKey, &ticket);
    let pac = context.pac().unwrap();
    assert_eq!((pac.user_sid(), pac.groups().count()), (None, 0));
    assert!(pac.account_name().is_none() && pac.upn().is_none());
    assert!(!pac.is_member_of(&Sid::NULL));
}

/// CVE-2020-25717, CVE-2020-25719: a ticket without a PAC says a name only, and a name is anybody's
/// who can have an account of that name.
#[test]
fn required_pacs_are_required_and_authorization_is_by_sid() {
    let required = |ticket: &TicketCredential| accept_as(ServiceKey, PacPolicy::Required, ticket);
    assert!(required(&with_pac(pac())).is_ok());
    let bare = minted(realm().ticket(CLIENT, SERVICE));
    assert_eq!(
        required(&bare).unwrap_err(),
        ErrorKind::Pac(PacProblem::Missing)
    );
    assert!(accept_as(ServiceKey, PacPolicy::WhenPresent, &bare).is_ok());
    assert_eq!(
        required(&with_pac(PacBuilder::minimal())).unwrap_err(),
        ErrorKind::Pac(PacProblem::LogonInfoMissing)
    );

    // Two accounts of one name, one after the other.
    let mut later = logon();
    later.rid = 1106;
    let (first, second) = (with_pac(pac()), with_pac(PacBuilder::of(later)));
    let (first, second) = (required(&first).unwrap(), required(&second).unwrap());
    assert_eq!(first.peer(), second.peer());
    assert_ne!(
        first.pac().unwrap().user_sid(),
        second.pac().unwrap().user_sid()
    );
}

#[test]
fn ignored_pacs_are_neither_verified_nor_offered() {
    let ignored = |ticket: &TicketCredential| accept_as(ServiceKey, PacPolicy::Ignored, ticket);
    let good = ignored(&with_pac(pac())).unwrap();
    assert!(good.pac().is_none() && !good.authorization_data().is_empty());
    let forged = with_pac(pac().signer(buffer_type::SERVER_SIGNATURE, PacSigner::Md5));
    assert!(ignored(&forged).unwrap().pac().is_none());
    assert!(accept_as(ServiceKey, PacPolicy::WhenPresent, &forged).is_err());
}

#[test]
fn an_exported_context_keeps_its_pac() {
    for knows in [ServiceKey, TicketGrantingKey] {
        let context = accepts(knows, &with_pac(pac()));
        let states = |context: &SecurityContext| {
            let pac = context.pac().unwrap();
            (pac.user_sid(), pac.signature(PacSignature::Kdc))
        };
        let before = states(&context);
        let data = context.authorization_data().to_vec();
        let bytes = context.export().unwrap();
        let mut random = SeededRandom::new(3);
        let mut env = Environment::new(countersign_context::Timestamp::from_unix(NOW), &mut random);
        let again = SecurityContext::import(&bytes, &mut env).unwrap();
        assert_eq!(states(&again), before);
        // A PAC that the authorization data does not have cannot be claimed: they stand before the
        // states.
        let mut claimed = bytes.to_vec();
        let at = claimed.len() - 4 - data.len();
        assert_eq!(claimed[at..at + data.len()], data);
        claimed[at] ^= 1;
        assert!(SecurityContext::import(&claimed, &mut env).is_err());
    }
}
