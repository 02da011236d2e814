//! Three codecs of AP-REQ, Ticket and KRB-ERROR: ours, rasn-kerberos and picky-krb.
//!
//! What ours and another one accept must mean the same; what ours accepts must be accepted by at
//! least one of them. Known differences, each of them the other codecs':
//!
//! - rasn-kerberos and picky-krb refuse UInt32 fields that were written with a sign, which ours
//!   reads as old peers mean them (docs/TOLERANCES.md): no claim where ours would be written
//!   otherwise than it was read;
//! - picky-krb passes over optional fields of KRB-ERROR that it cannot read, `cusec` among them,
//!   which it takes for a time; it refuses negative error codes;
//! - picky-krb has no years before 1970, rasn-kerberos no octets above 0x7f in strings; strings of
//!   other octets than printable ASCII are left out of the second claim.
#![no_main]

use countersign_fuzz::sections;
use countersign_token::der::{Decode, Encode};
use countersign_token::kerberos as ours;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use picky_krb::data_types as picky;
use picky_krb::messages as picky_messages;
use rasn_kerberos as rasn_krb;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    sections::mutate_der(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    if let Ok(value) = ours::Ticket::from_der(data) {
        let facts = facts::our_ticket(&value);
        let rasn = rasn::der::decode(data).ok().map(|t| facts::rasn_ticket(&t));
        let picky = picky_asn1_der::from_bytes(data)
            .ok()
            .map(|t: picky::Ticket| facts::picky_ticket(&t.0));
        compare(data, &value.to_der(), facts, rasn, picky);
    }
    if let Ok(value) = ours::ApReq::from_der(data) {
        let facts = facts::our_request(&value);
        let rasn = rasn::der::decode(data)
            .ok()
            .map(|r| facts::rasn_request(&r));
        let picky = picky_asn1_der::from_bytes(data)
            .ok()
            .map(|r: picky_messages::ApReq| facts::picky_request(&r.0));
        compare(data, &value.to_der(), facts, rasn, picky);
    }
    if let Ok(value) = ours::KrbError::from_der(data) {
        let facts = facts::our_error(&value);
        let rasn = rasn::der::decode(data).ok().map(|e| facts::rasn_error(&e));
        compare(data, &value.to_der(), facts, rasn, None);
        if let Ok(error) = picky_asn1_der::from_bytes::<picky_messages::KrbError>(data) {
            let facts = facts::our_error(&facts::as_far_as_read(value, &error.0));
            assert_eq!(facts, facts::picky_error(&error.0), "ours and picky-krb");
        }
    }
});

use facts::Facts;

fn compare(data: &[u8], written: &[u8], ours: Facts, rasn: Option<Facts>, picky: Option<Facts>) {
    for (other, name) in [(&rasn, "rasn-kerberos"), (&picky, "picky-krb")] {
        if let Some(other) = other {
            assert_eq!(&ours, other, "ours and {name}");
        }
    }
    if written == data && ours.printable {
        assert!(
            rasn.is_some() || picky.is_some(),
            "nobody else accepts {ours:?}"
        );
    }
}

/// The content of a message, in words that all three codecs have.
mod facts {
    use super::{Encode, ours, picky, picky_messages, rasn_krb};

    #[derive(Debug)]
    pub(super) struct Facts {
        said: Vec<(&'static str, Vec<u8>)>,
        pub(super) printable: bool,
    }

    impl PartialEq for Facts {
        fn eq(&self, other: &Self) -> bool {
            self.said == other.said
        }
    }

    impl Facts {
        fn new() -> Self {
            Self {
                said: Vec::new(),
                printable: true,
            }
        }
        fn bytes(&mut self, label: &'static str, bytes: &[u8]) {
            self.said.push((label, bytes.to_vec()));
        }
        fn text(&mut self, label: &'static str, text: &[u8]) {
            self.printable &= text.iter().all(|octet| (0x20..0x7f).contains(octet));
            self.bytes(label, text);
        }
        /// Signed and unsigned alike: the lowest 32 bits.
        fn number(&mut self, label: &'static str, number: i64) {
            self.bytes(label, &number.to_be_bytes()[4..]);
        }
        fn digits(&mut self, label: &'static str, digits: &str) {
            self.bytes(label, digits.as_bytes());
        }
    }

    fn big_endian(octets: &[u8]) -> i64 {
        let sign = octets
            .first()
            .map_or(0, |first| i64::from(first.cast_signed() >> 7));
        octets
            .iter()
            .fold(sign, |value, octet| value << 8 | i64::from(*octet))
    }

    fn our_time(facts: &mut Facts, label: &'static str, time: &ours::KerberosTime) {
        let der = time.to_der();
        facts.bytes(label, &der[2..der.len() - 1]);
    }

    fn rasn_time(facts: &mut Facts, label: &'static str, time: &rasn_krb::KerberosTime) {
        facts.digits(label, &time.0.to_utc().format("%Y%m%d%H%M%S").to_string());
    }

    fn picky_time(facts: &mut Facts, label: &'static str, time: &picky::KerberosTime) {
        let (year, month, day) = (time.0.year(), time.0.month(), time.0.day());
        let (hour, minute, second) = (time.0.hour(), time.0.minute(), time.0.second());
        let digits = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
        facts.digits(label, &digits);
    }

    fn our_name(facts: &mut Facts, name: &ours::PrincipalName<'_>) {
        facts.number("name-type", i64::from(name.name_type));
        name.name_string
            .iter()
            .for_each(|part| facts.text("name", part.as_bytes()));
    }

    fn rasn_name(facts: &mut Facts, name: &rasn_krb::PrincipalName) {
        facts.number("name-type", i64::from(name.r#type));
        name.string
            .iter()
            .for_each(|part| facts.text("name", part.as_bytes()));
    }

    fn picky_name(facts: &mut Facts, name: &picky::PrincipalName) {
        facts.number("name-type", big_endian(&name.name_type.0.0));
        name.name_string
            .0
            .iter()
            .for_each(|part| facts.text("name", part.0.as_bytes()));
    }

    fn our_sealed(facts: &mut Facts, part: &ours::EncryptedData<'_>) {
        facts.number("etype", i64::from(part.etype));
        if let Some(kvno) = part.kvno {
            facts.number("kvno", i64::from(kvno));
        }
        facts.bytes("cipher", part.cipher);
    }

    fn rasn_sealed(facts: &mut Facts, part: &rasn_krb::EncryptedData) {
        facts.number("etype", i64::from(part.etype));
        if let Some(kvno) = part.kvno {
            facts.number("kvno", i64::from(kvno));
        }
        facts.bytes("cipher", &part.cipher);
    }

    fn picky_sealed(facts: &mut Facts, part: &picky::EncryptedData) {
        facts.number("etype", big_endian(&part.etype.0.0));
        if let Some(kvno) = &part.kvno.0 {
            facts.number("kvno", big_endian(&kvno.0.0));
        }
        facts.bytes("cipher", &part.cipher.0.0);
    }

    pub(super) fn our_ticket(ticket: &ours::Ticket<'_>) -> Facts {
        let mut facts = Facts::new();
        facts.text("realm", ticket.realm.unverified().as_bytes());
        our_name(&mut facts, ticket.sname.unverified());
        our_sealed(&mut facts, &ticket.enc_part);
        facts
    }

    pub(super) fn rasn_ticket(ticket: &rasn_krb::Ticket) -> Facts {
        let mut facts = Facts::new();
        facts.text("realm", ticket.realm.as_bytes());
        rasn_name(&mut facts, &ticket.sname);
        rasn_sealed(&mut facts, &ticket.enc_part);
        facts
    }

    pub(super) fn picky_ticket(ticket: &picky::TicketInner) -> Facts {
        let mut facts = Facts::new();
        facts.text("realm", ticket.realm.0.as_bytes());
        picky_name(&mut facts, &ticket.sname.0);
        picky_sealed(&mut facts, &ticket.enc_part.0);
        facts
    }

    fn with_options(mut facts: Facts, options: u32) -> Facts {
        facts.number("ap-options", i64::from(options));
        facts
    }

    /// The first 32 bits, the missing ones zero (RFC 4120 5.2.8).
    fn first_bits(octets: &[u8]) -> u32 {
        let mut bits = [0; 4];
        bits.iter_mut()
            .zip(octets)
            .for_each(|(bit, octet)| *bit = *octet);
        u32::from_be_bytes(bits)
    }

    pub(super) fn our_request(request: &ours::ApReq<'_>) -> Facts {
        let mut facts = with_options(our_ticket(request.ticket.value()), request.ap_options.0);
        our_sealed(&mut facts, &request.authenticator);
        facts
    }

    pub(super) fn rasn_request(request: &rasn_krb::ApReq) -> Facts {
        let bits = request.ap_options.0.iter().take(32).enumerate();
        let bits = bits
            .filter(|(_, bit)| **bit)
            .fold(0, |sum, (index, _)| sum | 0x8000_0000 >> index);
        let mut facts = with_options(rasn_ticket(&request.ticket), bits);
        rasn_sealed(&mut facts, &request.authenticator);
        facts
    }

    pub(super) fn picky_request(request: &picky_messages::ApReqInner) -> Facts {
        let bits = first_bits(request.ap_options.0.0.payload_view());
        let mut facts = with_options(picky_ticket(&request.ticket.0.0), bits);
        picky_sealed(&mut facts, &request.authenticator.0);
        facts
    }

    pub(super) fn our_error(error: &ours::KrbError<'_>) -> Facts {
        let mut facts = Facts::new();
        if let Some(time) = &error.ctime {
            our_time(&mut facts, "ctime", time);
        }
        if let Some(cusec) = error.cusec {
            facts.number("cusec", i64::from(cusec.as_u32()));
        }
        our_time(&mut facts, "stime", &error.stime);
        facts.number("susec", i64::from(error.susec.as_u32()));
        facts.number("code", i64::from(error.error_code));
        if let Some(realm) = &error.crealm {
            facts.text("crealm", realm.unverified().as_bytes());
        }
        if let Some(name) = &error.cname {
            our_name(&mut facts, name.unverified());
        }
        facts.text("realm", error.realm.unverified().as_bytes());
        our_name(&mut facts, error.sname.unverified());
        if let Some(text) = &error.e_text {
            facts.text("e-text", text.as_bytes());
        }
        if let Some(data) = error.e_data {
            facts.bytes("e-data", data);
        }
        facts
    }

    pub(super) fn rasn_error(error: &rasn_krb::KrbError) -> Facts {
        let number = |number: &rasn::types::Integer| number.to_string().parse().unwrap_or(i64::MAX);
        let mut facts = Facts::new();
        if let Some(time) = &error.ctime {
            rasn_time(&mut facts, "ctime", time);
        }
        if let Some(cusec) = &error.cusec {
            facts.number("cusec", number(cusec));
        }
        rasn_time(&mut facts, "stime", &error.stime);
        facts.number("susec", number(&error.susec));
        facts.number("code", i64::from(error.error_code));
        if let Some(realm) = &error.crealm {
            facts.text("crealm", realm.as_bytes());
        }
        if let Some(name) = &error.cname {
            rasn_name(&mut facts, name);
        }
        facts.text("realm", error.realm.as_bytes());
        rasn_name(&mut facts, &error.sname);
        if let Some(text) = &error.e_text {
            facts.text("e-text", text.as_bytes());
        }
        if let Some(data) = &error.e_data {
            facts.bytes("e-data", data);
        }
        facts
    }

    /// The error without the optional fields that picky-krb passed over.
    pub(super) fn as_far_as_read<'a>(
        mut ours: ours::KrbError<'a>,
        picky: &picky_messages::KrbErrorInner,
    ) -> ours::KrbError<'a> {
        ours.cusec = None;
        ours.ctime = ours.ctime.filter(|_| picky.ctime.0.is_some());
        ours.crealm = ours.crealm.filter(|_| picky.crealm.0.is_some());
        ours.cname = ours.cname.filter(|_| picky.cname.0.is_some());
        ours.e_text = ours.e_text.filter(|_| picky.e_text.0.is_some());
        ours.e_data = ours.e_data.filter(|_| picky.e_data.0.is_some());
        ours
    }

    pub(super) fn picky_error(error: &picky_messages::KrbErrorInner) -> Facts {
        let mut facts = Facts::new();
        if let Some(time) = &error.ctime.0 {
            picky_time(&mut facts, "ctime", &time.0);
        }
        picky_time(&mut facts, "stime", &error.stime.0);
        facts.number("susec", big_endian(&error.susec.0.0));
        facts.number("code", i64::from(error.error_code.0));
        if let Some(realm) = &error.crealm.0 {
            facts.text("crealm", realm.0.as_bytes());
        }
        if let Some(name) = &error.cname.0 {
            picky_name(&mut facts, &name.0);
        }
        facts.text("realm", error.realm.0.as_bytes());
        picky_name(&mut facts, &error.sname.0);
        if let Some(text) = &error.e_text.0 {
            facts.text("e-text", text.0.as_bytes());
        }
        if let Some(data) = &error.e_data.0 {
            facts.bytes("e-data", &data.0.0);
        }
        facts
    }
}
