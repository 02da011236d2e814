//! The messages of the extensions, which rasn-kerberos does not have, through definitions for rasn
//! that were written from the ASN.1 of the specifications.

use rasn::prelude::*;
use rasn_kerberos as krb;

use super::{ROUNDS, Random, assert_returned, ours};
use countersign_token::der::{Decode as _, Encode as _};

macro_rules! theirs {
    // Types in brackets, as tokens: the derive looks for the word `Option`.
    ($($name:ident { $([$number:literal] $field:ident: [$($type:tt)+],)* })*) => {$(
        #[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
        struct $name {
            $(#[rasn(tag(explicit($number)))] $field: $($type)+,)*
        }
    )*};
}

theirs! {
    // RFC 6113 §5.4.
    KrbFastArmor { [0] armor_type: [i32], [1] armor_value: [OctetString], }
    KrbFastArmoredReq {
        [0] armor: [Option<KrbFastArmor>],
        [1] req_checksum: [krb::Checksum],
        [2] enc_fast_req: [krb::EncryptedData],
    }
    KrbFastReq {
        [0] fast_options: [krb::KerberosFlags],
        [1] padata: [Vec<krb::PaData>],
        [2] req_body: [krb::KdcReqBody],
    }
    KrbFastArmoredRep { [0] enc_fast_rep: [krb::EncryptedData], }
    KrbFastFinished {
        [0] timestamp: [krb::KerberosTime],
        [1] usec: [krb::Microseconds],
        [2] crealm: [krb::Realm],
        [3] cname: [krb::PrincipalName],
        [4] ticket_checksum: [krb::Checksum],
    }
    KrbFastResponse {
        [0] padata: [Vec<krb::PaData>],
        [1] strengthen_key: [Option<krb::EncryptionKey>],
        [2] finished: [Option<KrbFastFinished>],
        [3] nonce: [u32],
    }
    // RFC 6113 §5.3.
    PaAuthenticationSetElem {
        [0] pa_type: [i32],
        [1] pa_hint: [Option<OctetString>],
        [2] pa_value: [Option<OctetString>],
    }
    // MS-SFU §2.2.1, §2.2.2.
    PaForUser {
        [0] user_name: [krb::PrincipalName],
        [1] user_realm: [krb::Realm],
        [2] cksum: [krb::Checksum],
        [3] auth_package: [krb::KerberosString],
    }
    S4uUserId {
        [0] nonce: [u32],
        [1] cname: [Option<krb::PrincipalName>],
        [2] crealm: [krb::Realm],
        [3] subject_certificate: [Option<OctetString>],
        [4] options: [Option<krb::KerberosFlags>],
    }
    PaS4uX509User { [0] user_id: [S4uUserId], [1] checksum: [krb::Checksum], }
    // MS-KILE §2.2.3, §2.2.10, §2.2.2.
    PaPacRequest { [0] include_pac: [bool], }
    PaPacOptions { [0] flags: [krb::KerberosFlags], }
    KerbErrorData { [1] data_type: [i32], [2] data_value: [Option<OctetString>], }
    // draft-swift-win2k-krb-user2user-03 3.
    TgtReq {
        [0] pvno: [u32],
        [1] msg_type: [u32],
        [2] server_name: [Option<krb::PrincipalName>],
        [3] realm: [Option<krb::Realm>],
    }
    TgtRep { [0] pvno: [u32], [1] msg_type: [u32], [2] ticket: [krb::Ticket], }
    // draft-ietf-kitten-iakerb-03 3.
    IakerbHeader { [1] target_realm: [Utf8String], [2] cookie: [Option<OctetString>], }
    IakerbFinished { [1] gss_mic: [krb::Checksum], }
    // MS-KKDCP §2.2.2.
    KdcProxyMessage {
        [0] kerb_message: [OctetString],
        [1] target_domain: [Option<krb::Realm>],
        [2] dclocator_hint: [Option<u32>],
    }
    // RFC 3244 §2.
    ChangePasswdData {
        [0] newpasswd: [OctetString],
        [1] targname: [Option<krb::PrincipalName>],
        [2] targrealm: [Option<krb::Realm>],
    }
}

#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
#[rasn(choice)]
enum PaFxFastRequest {
    #[rasn(tag(explicit(0)))]
    ArmoredData(KrbFastArmoredReq),
}

#[derive(AsnType, Clone, Debug, Decode, Encode, PartialEq)]
#[rasn(choice)]
enum PaFxFastReply {
    #[rasn(tag(explicit(0)))]
    ArmoredData(KrbFastArmoredRep),
}

impl Random {
    fn armored_req(&mut self) -> KrbFastArmoredReq {
        KrbFastArmoredReq {
            armor: self.option(|r| KrbFastArmor {
                armor_type: r.i32(),
                armor_value: r.octets(),
            }),
            req_checksum: self.checksum(),
            enc_fast_req: self.encrypted(),
        }
    }

    fn fast_response(&mut self) -> KrbFastResponse {
        KrbFastResponse {
            padata: self.method_data(),
            strengthen_key: self.option(Self::key),
            finished: self.option(|r| KrbFastFinished {
                timestamp: r.time(),
                usec: r.microseconds(),
                crealm: r.text(),
                cname: r.name(),
                ticket_checksum: r.checksum(),
            }),
            nonce: self.u32(),
        }
    }

    fn fast_req(&mut self) -> KrbFastReq {
        KrbFastReq {
            fast_options: self.flags(),
            padata: self.method_data(),
            req_body: self.kdc_req(10).req_body,
        }
    }

    fn user_id(&mut self) -> S4uUserId {
        S4uUserId {
            nonce: self.u32(),
            cname: self.option(Self::name),
            crealm: self.text(),
            subject_certificate: self.option(Self::octets),
            options: self.option(Self::flags),
        }
    }
}

agree! {
    fast_requests_agree: ours::PaFxFastRequest<'_>,
        |r: &mut Random| PaFxFastRequest::ArmoredData(r.armored_req());
    fast_replies_agree: ours::PaFxFastReply<'_>, |r: &mut Random| {
        PaFxFastReply::ArmoredData(KrbFastArmoredRep { enc_fast_rep: r.encrypted() })
    };
    requests_inside_the_armor_agree: ours::KrbFastReq<'_>, Random::fast_req;
    replies_inside_the_armor_agree: ours::KrbFastResponse<'_>, Random::fast_response;
    authentication_sets_agree: ours::PaAuthenticationSet<'_>, |r: &mut Random| {
        r.list(|r| PaAuthenticationSetElem {
            pa_type: r.i32(),
            pa_hint: r.option(Random::octets),
            pa_value: r.option(Random::octets),
        })
    };
    users_by_name_agree: ours::PaForUser<'_>, |r: &mut Random| PaForUser {
        user_name: r.name(),
        user_realm: r.text(),
        cksum: r.checksum(),
        auth_package: r.text(),
    };
    users_by_name_or_certificate_agree: ours::PaS4uX509User<'_>, |r: &mut Random| PaS4uX509User {
        user_id: r.user_id(),
        checksum: r.checksum(),
    };
    requests_for_a_pac_agree: ours::PaPacRequest,
        |r: &mut Random| PaPacRequest { include_pac: r.chance() };
    options_of_a_pac_agree: ours::PaPacOptions, |r: &mut Random| PaPacOptions { flags: r.flags() };
    error_data_agrees: ours::KerbErrorData<'_>, |r: &mut Random| KerbErrorData {
        data_type: r.i32(),
        data_value: r.option(Random::octets),
    };
    requests_for_a_ticket_agree: ours::TgtReq<'_>, |r: &mut Random| TgtReq {
        pvno: 5,
        msg_type: 16,
        server_name: r.option(Random::name),
        realm: r.option(Random::text),
    };
    replies_with_a_ticket_agree: ours::TgtRep<'_>,
        |r: &mut Random| TgtRep { pvno: 5, msg_type: 17, ticket: r.ticket() };
    headers_of_iakerb_agree: ours::IakerbHeader<'_>, |r: &mut Random| IakerbHeader {
        target_realm: String::from_utf8(r.text().to_vec()).unwrap(),
        cookie: r.option(Random::octets),
    };
    proofs_of_iakerb_agree: ours::IakerbFinished<'_>,
        |r: &mut Random| IakerbFinished { gss_mic: r.checksum() };
    proxied_messages_agree: ours::KdcProxyMessage<'_>, |r: &mut Random| KdcProxyMessage {
        kerb_message: r.octets(),
        target_domain: r.option(Random::text),
        dclocator_hint: r.option(Random::u32),
    };
    new_passwords_agree: ours::ChangePasswdData<'_>, |r: &mut Random| ChangePasswdData {
        newpasswd: r.octets(),
        targname: r.option(Random::name),
        targrealm: r.option(Random::text),
    };
}
