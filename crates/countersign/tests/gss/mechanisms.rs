//! Mechanisms: their attributes, and their names in SASL.

use countersign::MajorStatus;
use countersign::gss::{self, OidSet};
use countersign::token::oid::Oid;

#[test]
fn mechanisms_are_found_by_what_they_do() {
    let by = |desired: &[Oid<'static>], except: &[Oid<'static>]| {
        let set = |oids: &[Oid<'static>]| oids.iter().copied().collect::<OidSet>();
        gss::indicate_mechs_by_attrs(&set(desired), &set(except), &OidSet::new())
    };
    let both_ways = by(&[gss::GSS_C_MA_AUTH_INIT, gss::GSS_C_MA_AUTH_TARG], &[]);
    assert!(both_ways.contains(Oid::KERBEROS) && !both_ways.contains(Oid::NTLMSSP));
    assert_eq!(
        by(&[gss::GSS_C_MA_MECH_NEGO], &[]),
        OidSet::from([Oid::SPNEGO])
    );
    assert!(!by(&[], &[gss::GSS_C_MA_NOT_DFLT_MECH]).contains(Oid::NTLMSSP));
    assert_eq!(by(&[], &[]), gss::indicate_mechs());
    // What is critical and unknown leaves none.
    let unknown = OidSet::from([Oid::SPNEGO]);
    let nothing = OidSet::new();
    assert!(gss::indicate_mechs_by_attrs(&nothing, &nothing, &unknown).is_empty());
}

#[test]
fn every_attribute_has_its_number_and_its_name() {
    let (own, known) = gss::inquire_attrs_for_mech(None).unwrap();
    assert!(own.contains(gss::GSS_C_MA_DELEG_CRED) && !own.contains(gss::GSS_C_MA_PFS));
    assert_eq!(known.len(), 27);
    for (index, attribute) in known.iter().enumerate() {
        let (name, text) = gss::display_mech_attr(attribute).unwrap();
        assert!(name.starts_with("GSS_C_MA_") && !text.is_empty());
        assert_eq!(
            attribute.to_string(),
            format!("1.3.6.1.5.5.13.{}", index + 1)
        );
    }
    let error = gss::display_mech_attr(Oid::SPNEGO).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_MECH_ATTR);
    let error = gss::inquire_attrs_for_mech(Some(Oid::NEGOEX)).unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_MECH);
}

#[test]
fn names_in_sasl_lead_back_to_their_mechanisms() {
    for mechanism in gss::indicate_mechs().iter() {
        match gss::inquire_saslname_for_mech(mechanism) {
            Ok(name) => {
                let found = gss::inquire_mech_for_saslname(name.sasl_mech_name).unwrap();
                assert_eq!(found, mechanism);
            }
            Err(_) => assert_eq!(mechanism, Oid::KERBEROS_USER_TO_USER),
        }
    }
    let kerberos = gss::inquire_saslname_for_mech(Oid::KERBEROS).unwrap();
    assert_eq!(kerberos.sasl_mech_name, "GS2-KRB5");
    let error = gss::inquire_mech_for_saslname("PLAIN").unwrap_err();
    assert_eq!(error.major(), MajorStatus::GSS_S_BAD_MECH);
}
