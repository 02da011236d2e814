//! Random messages, as values of the other codec.

use countersign_token::der::Encode as _;
use rasn::prelude::{GeneralString, OctetString};
use rasn::types::GeneralizedTime;

use super::{Random, ours, theirs};

impl Random {
    pub(super) fn chance(&mut self) -> bool {
        self.next() & (1 << 40) != 0
    }

    pub(super) fn option<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance() {
            Some(make(self))
        } else {
            None
        }
    }

    pub(super) fn list<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| make(self)).collect()
    }

    pub(super) fn i32(&mut self) -> i32 {
        let shift = self.below(32);
        u32::try_from(self.next() >> 32).unwrap().cast_signed() >> shift
    }

    pub(super) fn u32(&mut self) -> u32 {
        let shift = self.below(32);
        u32::try_from(self.next() >> 32).unwrap() >> shift
    }

    pub(super) fn octets(&mut self) -> OctetString {
        let length = [0, 1, 16, 127, 128, 300][self.below(6)];
        (0..length).map(|_| self.byte()).collect::<Vec<_>>().into()
    }

    pub(super) fn text(&mut self) -> GeneralString {
        let length = [0, 4, 11, 130][self.below(4)];
        let bytes: Vec<_> = (0..length).map(|_| b'a' + self.byte() % 26).collect();
        GeneralString::try_from(bytes).unwrap()
    }

    pub(super) fn time(&mut self) -> theirs::KerberosTime {
        let seconds = i64::from(self.u32());
        theirs::KerberosTime(time_of(seconds))
    }

    pub(super) fn microseconds(&mut self) -> theirs::Microseconds {
        theirs::Microseconds::from(self.u32() % 1_000_000)
    }

    pub(super) fn flags(&mut self) -> theirs::KerberosFlags {
        theirs::KerberosFlags::from_slice(&self.u32().to_be_bytes())
    }

    pub(super) fn name(&mut self) -> theirs::PrincipalName {
        theirs::PrincipalName {
            r#type: self.i32(),
            string: self.list(Self::text),
        }
    }

    pub(super) fn encrypted(&mut self) -> theirs::EncryptedData {
        theirs::EncryptedData {
            etype: self.i32(),
            kvno: self.option(Self::u32),
            cipher: self.octets(),
        }
    }

    pub(super) fn key(&mut self) -> theirs::EncryptionKey {
        theirs::EncryptionKey {
            r#type: self.i32(),
            value: self.octets(),
        }
    }

    pub(super) fn checksum(&mut self) -> theirs::Checksum {
        theirs::Checksum {
            r#type: self.i32(),
            checksum: self.octets(),
        }
    }

    pub(super) fn address(&mut self) -> theirs::HostAddress {
        theirs::HostAddress {
            addr_type: self.i32(),
            address: self.octets(),
        }
    }

    pub(super) fn authorization(&mut self) -> theirs::AuthorizationData {
        self.list(|r| theirs::AuthorizationDataValue {
            r#type: r.i32(),
            data: r.octets(),
        })
    }

    pub(super) fn padata(&mut self) -> Vec<theirs::PaData> {
        self.list(|r| theirs::PaData {
            r#type: r.i32(),
            value: r.octets(),
        })
    }

    pub(super) fn ticket(&mut self) -> theirs::Ticket {
        theirs::Ticket {
            tkt_vno: 5.into(),
            realm: self.text(),
            sname: self.name(),
            enc_part: self.encrypted(),
        }
    }

    pub(super) fn enc_ticket_part(&mut self) -> theirs::EncTicketPart {
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

    pub(super) fn ap_req(&mut self) -> theirs::ApReq {
        theirs::ApReq {
            pvno: 5.into(),
            msg_type: 14.into(),
            ap_options: theirs::ApOptions(self.flags()),
            ticket: self.ticket(),
            authenticator: self.encrypted(),
        }
    }

    pub(super) fn authenticator(&mut self) -> theirs::Authenticator {
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

    pub(super) fn ap_rep(&mut self) -> theirs::ApRep {
        theirs::ApRep {
            pvno: 5.into(),
            msg_type: 15.into(),
            enc_part: self.encrypted(),
        }
    }

    pub(super) fn enc_ap_rep_part(&mut self) -> theirs::EncApRepPart {
        theirs::EncApRepPart {
            ctime: self.time(),
            cusec: self.microseconds(),
            subkey: self.option(Self::key),
            seq_number: self.option(Self::u32),
        }
    }

    pub(super) fn kdc_req(&mut self, msg_type: i32) -> theirs::KdcReq {
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

    pub(super) fn kdc_rep(&mut self, msg_type: i32) -> theirs::KdcRep {
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

    pub(super) fn enc_kdc_rep_part(&mut self) -> theirs::EncKdcRepPart {
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

    pub(super) fn krb_error(&mut self) -> theirs::KrbError {
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

    pub(super) fn krb_cred(&mut self) -> theirs::KrbCred {
        theirs::KrbCred {
            pvno: 5.into(),
            msg_type: 22.into(),
            tickets: self.list(Self::ticket),
            enc_part: self.encrypted(),
        }
    }

    pub(super) fn enc_krb_cred_part(&mut self) -> theirs::EncKrbCredPart {
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

    pub(super) fn krb_safe(&mut self) -> theirs::KrbSafe {
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

    pub(super) fn krb_priv(&mut self) -> theirs::KrbPriv {
        theirs::KrbPriv {
            pvno: 5.into(),
            msg_type: 21.into(),
            enc_part: self.encrypted(),
        }
    }

    pub(super) fn enc_krb_priv_part(&mut self) -> theirs::EncKrbPrivPart {
        theirs::EncKrbPrivPart {
            user_data: self.octets(),
            timestamp: self.option(Self::time),
            usec: self.option(Self::microseconds),
            seq_number: self.option(Self::u32),
            sender_address: self.address(),
            recipient_address: self.option(Self::address),
        }
    }

    pub(super) fn method_data(&mut self) -> theirs::MethodData {
        self.padata()
    }

    pub(super) fn typed_data(&mut self) -> theirs::TypedData {
        self.list(|r| theirs::TypedDataItem {
            r#type: r.i32(),
            value: r.option(Self::octets),
        })
    }

    pub(super) fn etype_info2(&mut self) -> theirs::EtypeInfo2 {
        self.list(|r| theirs::EtypeInfo2Entry {
            etype: r.i32(),
            salt: r.option(Self::text),
            s2kparams: r.option(Self::octets),
        })
    }

    pub(super) fn pa_enc_ts_enc(&mut self) -> theirs::PaEncTsEnc {
        theirs::PaEncTsEnc {
            patimestamp: self.time(),
            pausec: self.option(Self::microseconds),
        }
    }

    pub(super) fn ad_kdc_issued(&mut self) -> theirs::AdKdcIssued {
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
