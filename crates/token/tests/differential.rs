//! The same messages through an independent codec, rasn-kerberos: encoded there and decoded here,
//! and the reverse, with random contents and every combination of absent fields.

#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

mod common;

use common::{Random, kinds};
use countersign_token::der::{Decode, Encode};
use countersign_token::kerberos as ours;
use rasn::prelude::{GeneralString, OctetString};
use rasn::types::GeneralizedTime;
use rasn_kerberos as theirs;

const ROUNDS: usize = 300;

impl Random {
    fn chance(&mut self) -> bool {
        self.next() & (1 << 40) != 0
    }

    fn option<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance() {
            Some(make(self))
        } else {
            None
        }
    }

    fn list<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    fn i32(&mut self) -> i32 {
        let shift = self.below(32);
        u32::try_from(self.next() >> 32).unwrap().cast_signed() >> shift
    }

    fn u32(&mut self) -> u32 {
        let shift = self.below(32);
        u32::try_from(self.next() >> 32).unwrap() >> shift
    }

    fn octets(&mut self) -> OctetString {
        let length = [0, 1, 16, 127, 128, 300][self.below(6)];
        (0..length).map(|_| self.byte()).collect::<Vec<_>>().into()
    }

    fn text(&mut self) -> GeneralString {
        let length = [0, 4, 11, 130][self.below(4)];
        let bytes: Vec<_> = (0..length).map(|_| b'a' + self.byte() % 26).collect();
        GeneralString::try_from(bytes).unwrap()
    }

    fn time(&mut self) -> theirs::KerberosTime {
        let seconds = i64::from(self.u32());
        theirs::KerberosTime(time_of(seconds))
    }

    fn microseconds(&mut self) -> theirs::Microseconds {
        theirs::Microseconds::from(self.u32() % 1_000_000)
    }

    fn flags(&mut self) -> theirs::KerberosFlags {
        theirs::KerberosFlags::from_slice(&self.u32().to_be_bytes())
    }

    fn name(&mut self) -> theirs::PrincipalName {
        theirs::PrincipalName {
            r#type: self.i32(),
            string: self.list(Self::text),
        }
    }

    fn encrypted(&mut self) -> theirs::EncryptedData {
        theirs::EncryptedData {
            etype: self.i32(),
            kvno: self.option(Self::u32),
            cipher: self.octets(),
        }
    }

    fn key(&mut self) -> theirs::EncryptionKey {
        theirs::EncryptionKey {
            r#type: self.i32(),
            value: self.octets(),
        }
    }

    fn checksum(&mut self) -> theirs::Checksum {
        theirs::Checksum {
            r#type: self.i32(),
            checksum: self.octets(),
        }
    }

    fn address(&mut self) -> theirs::HostAddress {
        theirs::HostAddress {
            addr_type: self.i32(),
            address: self.octets(),
        }
    }

    fn authorization(&mut self) -> theirs::AuthorizationData {
        self.list(|r| theirs::AuthorizationDataValue {
            r#type: r.i32(),
            data: r.octets(),
        })
    }

    fn padata(&mut self) -> Vec<theirs::PaData> {
        self.list(|r| theirs::PaData {
            r#type: r.i32(),
            value: r.octets(),
        })
    }

    fn ticket(&mut self) -> theirs::Ticket {
        theirs::Ticket {
            tkt_vno: 5.into(),
            realm: self.text(),
            sname: self.name(),
            enc_part: self.encrypted(),
        }
    }

    fn enc_ticket_part(&mut self) -> theirs::EncTicketPart {
        theirs::EncTicketPart {
            flags: theirs::TicketFlags(self.flags()),
            key: self.key(),
            crealm: self.text(),
            cname: self.name(),
            transited: theirs::TransitedEncoding {
                r#type: self.i32(),
                contents: self.octets(),
            },
            auth_time: self.time(),
            start_time: self.option(Self::time),
            end_time: self.time(),
            renew_till: self.option(Self::time),
            caddr: self.option(|r| r.list(Self::address)),
            authorization_data: self.option(Self::authorization),
        }
    }

    fn ap_req(&mut self) -> theirs::ApReq {
        theirs::ApReq {
            pvno: 5.into(),
            msg_type: 14.into(),
            ap_options: theirs::ApOptions(self.flags()),
            ticket: self.ticket(),
            authenticator: self.encrypted(),
        }
    }

    fn authenticator(&mut self) -> theirs::Authenticator {
        theirs::Authenticator {
            authenticator_vno: 5.into(),
            crealm: self.text(),
            cname: self.name(),
            cksum: self.option(Self::checksum),
            cusec: self.microseconds(),
            ctime: self.time(),
            subkey: self.option(Self::key),
            seq_number: self.option(Self::u32),
            authorization_data: self.option(Self::authorization),
        }
    }

    fn ap_rep(&mut self) -> theirs::ApRep {
        theirs::ApRep {
            pvno: 5.into(),
            msg_type: 15.into(),
            enc_part: self.encrypted(),
        }
    }

    fn enc_ap_rep_part(&mut self) -> theirs::EncApRepPart {
        theirs::EncApRepPart {
            ctime: self.time(),
            cusec: self.microseconds(),
            subkey: self.option(Self::key),
            seq_number: self.option(Self::u32),
        }
    }

    fn kdc_req(&mut self, msg_type: i32) -> theirs::KdcReq {
        theirs::KdcReq {
            pvno: 5.into(),
            msg_type: msg_type.into(),
            padata: self.option(Self::padata),
            req_body: theirs::KdcReqBody {
                kdc_options: theirs::KdcOptions(self.flags()),
                cname: self.option(Self::name),
                realm: self.text(),
                sname: self.option(Self::name),
                from: self.option(Self::time),
                till: self.time(),
                rtime: self.option(Self::time),
                nonce: self.u32(),
                etype: self.list(Self::i32),
                addresses: self.option(|r| r.list(Self::address)),
                enc_authorization_data: self.option(Self::encrypted),
                additional_tickets: self.option(|r| r.list(Self::ticket)),
            },
        }
    }

    fn kdc_rep(&mut self, msg_type: i32) -> theirs::KdcRep {
        theirs::KdcRep {
            pvno: 5.into(),
            msg_type: msg_type.into(),
            padata: self.option(Self::padata),
            crealm: self.text(),
            cname: self.name(),
            ticket: self.ticket(),
            enc_part: self.encrypted(),
        }
    }

    fn enc_kdc_rep_part(&mut self) -> theirs::EncKdcRepPart {
        theirs::EncKdcRepPart {
            key: self.key(),
            last_req: self.list(|r| theirs::LastReqValue {
                r#type: r.i32(),
                value: r.time(),
            }),
            nonce: self.u32(),
            key_expiration: self.option(Self::time),
            flags: theirs::TicketFlags(self.flags()),
            auth_time: self.time(),
            start_time: self.option(Self::time),
            end_time: self.time(),
            renew_till: self.option(Self::time),
            srealm: self.text(),
            sname: self.name(),
            caddr: self.option(|r| r.list(Self::address)),
            encrypted_pa_data: self.option(Self::padata),
        }
    }

    fn krb_error(&mut self) -> theirs::KrbError {
        theirs::KrbError {
            pvno: 5.into(),
            msg_type: 30.into(),
            ctime: self.option(Self::time),
            cusec: self.option(Self::microseconds),
            stime: self.time(),
            susec: self.microseconds(),
            error_code: self.i32(),
            crealm: self.option(Self::text),
            cname: self.option(Self::name),
            realm: self.text(),
            sname: self.name(),
            e_text: self.option(Self::text),
            e_data: self.option(Self::octets),
        }
    }

    fn krb_cred(&mut self) -> theirs::KrbCred {
        theirs::KrbCred {
            pvno: 5.into(),
            msg_type: 22.into(),
            tickets: self.list(Self::ticket),
            enc_part: self.encrypted(),
        }
    }

    fn enc_krb_cred_part(&mut self) -> theirs::EncKrbCredPart {
        theirs::EncKrbCredPart {
            ticket_info: self.list(|r| theirs::KrbCredInfo {
                key: r.key(),
                prealm: r.option(Self::text),
                pname: r.option(Self::name),
                flags: r.option(|r| theirs::TicketFlags(r.flags())),
                auth_time: r.option(Self::time),
                start_time: r.option(Self::time),
                end_time: r.option(Self::time),
                renew_till: r.option(Self::time),
                srealm: r.option(Self::text),
                sname: r.option(Self::name),
                caddr: r.option(|r| r.list(Self::address)),
            }),
            nonce: self.option(Self::u32),
            timestamp: self.option(Self::time),
            usec: self.option(Self::microseconds),
            sender_address: self.option(Self::address),
            recipient_address: self.option(Self::address),
        }
    }

    fn krb_safe(&mut self) -> theirs::KrbSafe {
        theirs::KrbSafe {
            pvno: 5.into(),
            msg_type: 20.into(),
            body: theirs::KrbSafeBody {
                user_data: self.octets(),
                timestamp: self.option(Self::time),
                usec: self.option(Self::microseconds),
                seq_number: self.option(Self::u32),
                s_address: self.address(),
                r_address: self.option(Self::address),
            },
            cksum: self.checksum(),
        }
    }

    fn krb_priv(&mut self) -> theirs::KrbPriv {
        theirs::KrbPriv {
            pvno: 5.into(),
            msg_type: 21.into(),
            enc_part: self.encrypted(),
        }
    }

    fn enc_krb_priv_part(&mut self) -> theirs::EncKrbPrivPart {
        theirs::EncKrbPrivPart {
            user_data: self.octets(),
            timestamp: self.option(Self::time),
            usec: self.option(Self::microseconds),
            seq_number: self.option(Self::u32),
            sender_address: self.address(),
            recipient_address: self.option(Self::address),
        }
    }

    fn method_data(&mut self) -> theirs::MethodData {
        self.padata()
    }

    fn typed_data(&mut self) -> theirs::TypedData {
        self.list(|r| theirs::TypedDataItem {
            r#type: r.i32(),
            value: r.option(Self::octets),
        })
    }

    fn etype_info2(&mut self) -> theirs::EtypeInfo2 {
        self.list(|r| theirs::EtypeInfo2Entry {
            etype: r.i32(),
            salt: r.option(Self::text),
            s2kparams: r.option(Self::octets),
        })
    }

    fn pa_enc_ts_enc(&mut self) -> theirs::PaEncTsEnc {
        theirs::PaEncTsEnc {
            patimestamp: self.time(),
            pausec: self.option(Self::microseconds),
        }
    }

    fn ad_kdc_issued(&mut self) -> theirs::AdKdcIssued {
        theirs::AdKdcIssued {
            ad_checksum: self.checksum(),
            realm: self.option(Self::text),
            sname: self.option(Self::name),
            elements: self.authorization(),
        }
    }
}

fn time_of(seconds: i64) -> GeneralizedTime {
    // Through their decoder, so that no calendar is needed here.
    let der = ours::KerberosTime { seconds }.to_der();
    rasn::der::decode::<theirs::KerberosTime>(&der).unwrap().0
}

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
