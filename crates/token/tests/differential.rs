//! The same messages through an independent codec, rasn-kerberos: encoded there and decoded here,
//! and the reverse, with random contents and every combination of absent fields.

#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

mod common;

use common::{Random, kinds};
use countersign_token::der::{Decode, Encode};
use countersign_token::kerberos as ours;
use rasn_kerberos as theirs;

const ROUNDS: usize = 300;

fn assert_returned<T: rasn::Decode + PartialEq + std::fmt::Debug>(value: &T, der: &[u8]) {
    assert_eq!(&rasn::der::decode::<T>(der).unwrap(), value);
}

/// Their encoding is decoded here and encoded again to the same bytes, which they decode to the
/// same value: no field is lost, misplaced or changed on either way.
macro_rules! agree {
    ($($test:ident: $ours:ty, $make:expr;)*) => {$(
        #[test]
        fn $test() {
            let mut random = Random(0x9e37_79b9_7f4a_7c15);
            for round in 0..ROUNDS {
                let value = $make(&mut random);
                let encoded = rasn::der::encode(&value).unwrap();
                let read = <$ours>::from_der(&encoded)
                    .unwrap_or_else(|error| panic!("round {round}: {error}: {value:?}"));
                let again = read.to_der();
                assert_eq!(again, encoded, "round {round}: {value:?}");
                assert_returned(&value, &again);
            }
        }
    )*};
}

#[path = "differential/extensions.rs"]
mod extensions;
#[path = "differential/spnego.rs"]
mod spnego;
#[path = "differential/values.rs"]
mod values;

agree! {
    tickets_agree: ours::Ticket<'_>, Random::ticket;
    encrypted_parts_of_tickets_agree: ours::EncTicketPart<'_>, Random::enc_ticket_part;
    ap_requests_agree: ours::ApReq<'_>, Random::ap_req;
    authenticators_agree: ours::Authenticator<'_>, Random::authenticator;
    ap_replies_agree: ours::ApRep<'_>, Random::ap_rep;
    encrypted_parts_of_ap_replies_agree: ours::EncApRepPart<'_>, Random::enc_ap_rep_part;
    as_requests_agree: ours::AsReq<'_>, |r: &mut Random| theirs::AsReq(r.kdc_req(10));
    tgs_requests_agree: ours::TgsReq<'_>, |r: &mut Random| theirs::TgsReq(r.kdc_req(12));
    as_replies_agree: ours::AsRep<'_>, |r: &mut Random| theirs::AsRep(r.kdc_rep(11));
    tgs_replies_agree: ours::TgsRep<'_>, |r: &mut Random| theirs::TgsRep(r.kdc_rep(13));
    encrypted_parts_of_as_replies_agree:
        ours::EncAsRepPart<'_>, |r: &mut Random| theirs::EncAsRepPart(r.enc_kdc_rep_part());
    encrypted_parts_of_tgs_replies_agree:
        ours::EncTgsRepPart<'_>, |r: &mut Random| theirs::EncTgsRepPart(r.enc_kdc_rep_part());
    errors_agree: ours::KrbError<'_>, Random::krb_error;
    credentials_agree: ours::KrbCred<'_>, Random::krb_cred;
    encrypted_parts_of_credentials_agree: ours::EncKrbCredPart<'_>, Random::enc_krb_cred_part;
    safe_messages_agree: ours::KrbSafe<'_>, Random::krb_safe;
    private_messages_agree: ours::KrbPriv<'_>, Random::krb_priv;
    encrypted_parts_of_private_messages_agree: ours::EncKrbPrivPart<'_>, Random::enc_krb_priv_part;
    method_data_agrees: ours::MethodData<'_>, Random::method_data;
    typed_data_agrees: ours::TypedData<'_>, Random::typed_data;
    etype_infos_agree: ours::EtypeInfo2<'_>, Random::etype_info2;
    timestamps_agree: ours::PaEncTsEnc, Random::pa_enc_ts_enc;
    authorization_data_agrees: ours::AuthorizationData<'_>, Random::authorization;
    elements_of_the_kdc_agree: ours::AdKdcIssued<'_>, Random::ad_kdc_issued;
    etype_lists_agree: ours::EtypeList<'_>, |r: &mut Random| r.list(Random::i32);
}

/// Field by field, where the bytes alone would not show that two neighbours are swapped.
#[test]
fn fields_have_the_values_that_the_other_codec_was_given() {
    let mut random = Random(0xd1b5_4a32_d192_ed03);
    for _ in 0..ROUNDS {
        let value = random.enc_ticket_part();
        let encoded = rasn::der::encode(&value).unwrap();
        let read = ours::EncTicketPart::from_der(&encoded).unwrap();
        assert_eq!(read.key.keytype, value.key.r#type);
        assert_eq!(read.key.keyvalue, &value.key.value[..]);
        assert_eq!(read.crealm.as_bytes(), &value.crealm[..]);
        assert_eq!(read.cname.name_type, value.cname.r#type);
        assert_eq!(read.cname.name_string.len(), value.cname.string.len());
        for (read, value) in read.cname.name_string.iter().zip(&value.cname.string) {
            assert_eq!(read.as_bytes(), &value[..]);
        }
        assert_eq!(read.flags.0.to_be_bytes(), value.flags.0.as_raw_slice());
        assert_eq!(read.authtime.seconds, value.auth_time.0.timestamp());
        assert_eq!(read.endtime.seconds, value.end_time.0.timestamp());
        let seconds = |time: &Option<theirs::KerberosTime>| time.as_ref().map(|t| t.0.timestamp());
        assert_eq!(
            read.starttime.map(|t| t.seconds),
            seconds(&value.start_time)
        );
        assert_eq!(
            read.renew_till.map(|t| t.seconds),
            seconds(&value.renew_till)
        );

        let value = random.authenticator();
        let encoded = rasn::der::encode(&value).unwrap();
        let read = ours::Authenticator::from_der(&encoded).unwrap();
        assert_eq!(theirs::Microseconds::from(read.cusec.as_u32()), value.cusec);
        assert_eq!(read.seq_number, value.seq_number);
        assert_eq!(
            read.subkey.map(|key| key.keytype),
            value.subkey.as_ref().map(|k| k.r#type)
        );
        assert_eq!(
            read.cksum.map(|c| c.cksumtype),
            value.cksum.as_ref().map(|c| c.r#type)
        );
    }
}

/// What is accepted here in its one encoding, the other codec accepts and reads alike.
#[test]
fn what_is_accepted_after_mutation_the_other_codec_accepts() {
    fn theirs_agrees<T: rasn::Decode + rasn::Encode>(input: &[u8]) -> Result<Vec<u8>, String> {
        let value = rasn::der::decode::<T>(input).map_err(|error| error.to_string())?;
        rasn::der::encode(&value).map_err(|error| error.to_string())
    }
    type Theirs = fn(&[u8]) -> Result<Vec<u8>, String>;
    let both: [(&str, Theirs); 8] = [
        ("Ticket", theirs_agrees::<theirs::Ticket>),
        ("AP-REQ", theirs_agrees::<theirs::ApReq>),
        ("AP-REP", theirs_agrees::<theirs::ApRep>),
        ("EncAPRepPart", theirs_agrees::<theirs::EncApRepPart>),
        ("Authenticator", theirs_agrees::<theirs::Authenticator>),
        ("KRB-ERROR", theirs_agrees::<theirs::KrbError>),
        ("KRB-CRED", theirs_agrees::<theirs::KrbCred>),
        ("TGS-REP", theirs_agrees::<theirs::TgsRep>),
    ];
    let mut random = Random(0x5851_f42d_4c95_7f2d);
    let mut compared = 0;
    for (name, theirs) in both {
        let kind = kinds().into_iter().find(|kind| kind.name == name).unwrap();
        let sample = (kind.sample)();
        for _ in 0..20_000 {
            let mut input = sample.clone();
            let place = random.below(input.len());
            input[place] = random.byte();
            // Where a tolerance accepted it, the encoding is another.
            if (kind.decode)(&input).as_ref() != Ok(&input) {
                continue;
            }
            let read = theirs(&input);
            // Theirs refuses names that are not ASCII; here they are bytes.
            if read
                .as_ref()
                .err()
                .is_some_and(|error| error.contains("Invalid general string"))
            {
                continue;
            }
            assert_eq!(
                read.as_ref(),
                Ok(&input),
                "{name} with byte {place} changed"
            );
            compared += 1;
        }
    }
    assert!(compared > 10_000, "{compared}");
}
