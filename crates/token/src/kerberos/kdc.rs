use super::claimed::Claimed;
use super::data::{EncryptedData, EncryptionKey, HostAddresses};
use super::flags::{KdcOptions, TicketFlags};
use super::macros::sequence;
use super::preauth::{MethodData, PaData};
use super::principal::{PrincipalName, Realm};
use super::ticket::Ticket;
use super::time::KerberosTime;
use crate::der::{Decode, Encode, Encoded, Field, Reader, SequenceOf, Tag, Writer};
use crate::error::DecodeError;

/// What AS-REQ and TGS-REQ share.
///
/// ```text
/// KDC-REQ         ::= SEQUENCE {
///         pvno            [1] INTEGER (5) ,
///         msg-type        [2] INTEGER (10 -- AS -- | 12 -- TGS --),
///         padata          [3] SEQUENCE OF PA-DATA OPTIONAL,
///         req-body        [4] KDC-REQ-BODY
/// }
/// ```
///
/// Source: RFC 4120 §5.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdcReq<'a> {
    /// Pre-authentication data.
    pub padata: Option<SequenceOf<'a, PaData<'a>>>,
    /// The request, with the bytes that a TGS-REQ's checksum covers.
    pub req_body: Encoded<'a, KdcReqBody<'a>>,
}

/// What AS-REP and TGS-REP share.
///
/// ```text
/// KDC-REP         ::= SEQUENCE {
///         pvno            [0] INTEGER (5),
///         msg-type        [1] INTEGER (11 -- AS -- | 13 -- TGS --),
///         padata          [2] SEQUENCE OF PA-DATA OPTIONAL,
///         crealm          [3] Realm,
///         cname           [4] PrincipalName,
///         ticket          [5] Ticket,
///         enc-part        [6] EncryptedData -- EncASRepPart or EncTGSRepPart
/// }
/// ```
///
/// Source: RFC 4120 §5.4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdcRep<'a> {
    /// Pre-authentication data.
    pub padata: Option<SequenceOf<'a, PaData<'a>>>,
    /// The client's realm, in the clear.
    pub crealm: Claimed<Realm<'a>>,
    /// The client, in the clear.
    pub cname: Claimed<PrincipalName<'a>>,
    /// The ticket, byte for byte.
    pub ticket: Encoded<'a, Ticket<'a>>,
    /// An [`EncKdcRepPart`]: in an AS-REP in the client's key, key usage 3; in a TGS-REP in the
    /// session key, key usage 8, or the subkey, key usage 9.
    pub enc_part: EncryptedData<'a>,
}

/// `AS-REQ ::= [APPLICATION 10] KDC-REQ`. Source: RFC 4120 §5.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsReq<'a>(pub KdcReq<'a>);

/// `TGS-REQ ::= [APPLICATION 12] KDC-REQ`. Source: RFC 4120 §5.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TgsReq<'a>(pub KdcReq<'a>);

/// `AS-REP ::= [APPLICATION 11] KDC-REP`. Source: RFC 4120 §5.4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsRep<'a>(pub KdcRep<'a>);

/// `TGS-REP ::= [APPLICATION 13] KDC-REP`. Source: RFC 4120 §5.4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TgsRep<'a>(pub KdcRep<'a>);

/// `EncASRepPart ::= [APPLICATION 25] EncKDCRepPart`. Source: RFC 4120 §5.4.2.
///
/// RFC 4120 §5.4.2 notes KDCs that tag both kinds with 26, and lets the check be relaxed: either
/// tag is read for either kind (see docs/TOLERANCES.md). The key usage tells them apart.
#[derive(Clone, Copy, Debug)]
pub struct EncAsRepPart<'a>(pub EncKdcRepPart<'a>);

/// `EncTGSRepPart ::= [APPLICATION 26] EncKDCRepPart`. Source: RFC 4120 §5.4.2.
///
/// Read with either tag, as [`EncAsRepPart`].
#[derive(Clone, Copy, Debug)]
pub struct EncTgsRepPart<'a>(pub EncKdcRepPart<'a>);

sequence! {
    /// What is asked of a KDC.
    ///
    /// ```text
    /// KDC-REQ-BODY    ::= SEQUENCE {
    ///         kdc-options             [0] KDCOptions,
    ///         cname                   [1] PrincipalName OPTIONAL -- Used only in AS-REQ --,
    ///         realm                   [2] Realm -- Server's realm; also client's in AS-REQ --,
    ///         sname                   [3] PrincipalName OPTIONAL,
    ///         from                    [4] KerberosTime OPTIONAL,
    ///         till                    [5] KerberosTime,
    ///         rtime                   [6] KerberosTime OPTIONAL,
    ///         nonce                   [7] UInt32,
    ///         etype                   [8] SEQUENCE OF Int32 -- in preference order --,
    ///         addresses               [9] HostAddresses OPTIONAL,
    ///         enc-authorization-data  [10] EncryptedData OPTIONAL -- AuthorizationData --,
    ///         additional-tickets      [11] SEQUENCE OF Ticket OPTIONAL -- NOTE: not empty
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.4.1.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct KdcReqBody<'a> {
        /// What the ticket is to be.
        [0] kdc_options: KdcOptions,
        /// The client, in an AS-REQ.
        [1] cname: Option<PrincipalName<'a>>,
        /// The service's realm; in an AS-REQ the client's too.
        [2] realm: Realm<'a>,
        /// The service.
        [3] sname: Option<PrincipalName<'a>>,
        /// When a postdated ticket is to become valid.
        [4] from: Option<KerberosTime>,
        /// When the ticket is to end.
        [5] till: KerberosTime,
        /// Until when a renewable ticket is to be renewable.
        [6] rtime: Option<KerberosTime>,
        /// A number that the reply must give back.
        [7] nonce: u32,
        /// The enctypes that the client accepts, the preferred one first.
        [8] etype: SequenceOf<'a, i32>,
        /// The addresses that the ticket is to be valid from.
        [9] addresses: Option<HostAddresses<'a>>,
        /// Restrictions, encrypted: key usage 4 with the session key, 5 with the subkey.
        [10] enc_authorization_data: Option<EncryptedData<'a>>,
        /// Tickets that options such as ENC-TKT-IN-SKEY need.
        [11] additional_tickets: Option<SequenceOf<'a, Encoded<'a, Ticket<'a>>>>,
    }
}

sequence! {
    /// The encrypted part of a KDC's reply: what the client may believe of its ticket.
    ///
    /// ```text
    /// EncKDCRepPart   ::= SEQUENCE {
    ///         key                     [0] EncryptionKey,
    ///         last-req                [1] LastReq,
    ///         nonce                   [2] UInt32,
    ///         key-expiration          [3] KerberosTime OPTIONAL,
    ///         flags                   [4] TicketFlags,
    ///         authtime                [5] KerberosTime,
    ///         starttime               [6] KerberosTime OPTIONAL,
    ///         endtime                 [7] KerberosTime,
    ///         renew-till              [8] KerberosTime OPTIONAL,
    ///         srealm                  [9] Realm,
    ///         sname                   [10] PrincipalName,
    ///         caddr                   [11] HostAddresses OPTIONAL,
    ///         encrypted-pa-data       [12] SEQUENCE OF PA-DATA OPTIONAL
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.4.2; the last field is of RFC 6806 §11.
    #[derive(Clone, Copy, Debug)]
    pub struct EncKdcRepPart<'a> {
        /// The session key.
        [0] key: EncryptionKey<'a>,
        /// When the client last asked for what.
        [1] last_req: LastReq<'a>,
        /// The request's nonce, given back.
        [2] nonce: u32,
        /// When the client's long-term key expires.
        [3] key_expiration: Option<KerberosTime>,
        /// The ticket's flags.
        [4] flags: TicketFlags,
        /// When the client first authenticated.
        [5] authtime: KerberosTime,
        /// When the ticket becomes valid; absent means at `authtime`.
        [6] starttime: Option<KerberosTime>,
        /// When the ticket stops being valid.
        [7] endtime: KerberosTime,
        /// Until when a renewable ticket can be renewed.
        [8] renew_till: Option<KerberosTime>,
        /// The service's realm.
        [9] srealm: Realm<'a>,
        /// The service.
        [10] sname: PrincipalName<'a>,
        /// The addresses that the ticket may be used from.
        [11] caddr: Option<HostAddresses<'a>>,
        /// RFC 6806 §11: pre-authentication data that the KDC protects.
        [12] encrypted_pa_data: Option<MethodData<'a>>,
    }
}

sequence! {
    /// When the client last made a request of a kind.
    ///
    /// ```text
    /// LastReq         ::=     SEQUENCE OF SEQUENCE {
    ///         lr-type         [0] Int32,
    ///         lr-value        [1] KerberosTime
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.4.2.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LastReqEntry {
        /// The kind.
        [0] lr_type: i32,
        /// The time.
        [1] lr_value: KerberosTime,
    }
}

/// RFC 4120 §5.4.2: `LastReq ::= SEQUENCE OF SEQUENCE { .. }`.
pub type LastReq<'a> = SequenceOf<'a, LastReqEntry>;

impl<'a> KdcReq<'a> {
    fn decode_as(reader: &mut Reader<'a>, message: u8) -> Result<Self, DecodeError> {
        let mut outer = reader.read(Tag::application(message))?;
        let mut fields = outer.read(Tag::SEQUENCE)?;
        outer.finish()?;
        fields.constant_field(1, 5)?;
        fields.constant_field(2, message)?;
        let padata = Field::decode_field(&mut fields, 3)?;
        let req_body = Field::decode_field(&mut fields, 4)?;
        fields.finish()?;
        Ok(Self { padata, req_body })
    }

    fn encode_as(&self, writer: &mut Writer, message: u8) {
        writer.nest(Tag::application(message), |writer| {
            writer.nest(Tag::SEQUENCE, |writer| {
                writer.constant_field(1, 5);
                writer.constant_field(2, message);
                writer.field(3, &self.padata);
                writer.field(4, &self.req_body);
            });
        });
    }
}

impl<'a> KdcRep<'a> {
    fn decode_as(reader: &mut Reader<'a>, message: u8) -> Result<Self, DecodeError> {
        let mut outer = reader.read(Tag::application(message))?;
        let mut fields = outer.read(Tag::SEQUENCE)?;
        outer.finish()?;
        fields.constant_field(0, 5)?;
        fields.constant_field(1, message)?;
        let padata = Field::decode_field(&mut fields, 2)?;
        let crealm = Field::decode_field(&mut fields, 3)?;
        let cname = Field::decode_field(&mut fields, 4)?;
        let ticket = Field::decode_field(&mut fields, 5)?;
        let enc_part = Field::decode_field(&mut fields, 6)?;
        fields.finish()?;
        Ok(Self {
            padata,
            crealm,
            cname,
            ticket,
            enc_part,
        })
    }

    fn encode_as(&self, writer: &mut Writer, message: u8) {
        writer.nest(Tag::application(message), |writer| {
            writer.nest(Tag::SEQUENCE, |writer| {
                writer.constant_field(0, 5);
                writer.constant_field(1, message);
                writer.field(2, &self.padata);
                writer.field(3, &self.crealm);
                writer.field(4, &self.cname);
                writer.field(5, &self.ticket);
                writer.field(6, &self.enc_part);
            });
        });
    }
}

impl<'a> EncKdcRepPart<'a> {
    /// RFC 4120 §5.4.2: the tag says AS or TGS, and is not to be relied on.
    fn decode_as(reader: &mut Reader<'a>, kind: u8) -> Result<Self, DecodeError> {
        let found = match reader.peek() {
            Some(tag) if tag == Tag::application(25) || tag == Tag::application(26) => tag,
            _ => Tag::application(kind),
        };
        let mut outer = reader.read(found)?;
        let part = Self::decode(&mut outer)?;
        outer.finish()?;
        Ok(part)
    }

    fn encode_as(&self, writer: &mut Writer, kind: u8) {
        writer.nest(Tag::application(kind), |writer| self.encode(writer));
    }
}

macro_rules! kind {
    ($name:ident, $inner:ident, $number:literal) => {
        impl<'a> Decode<'a> for $name<'a> {
            fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
                $inner::decode_as(reader, $number).map(Self)
            }
        }

        impl Encode for $name<'_> {
            fn encode(&self, writer: &mut Writer) {
                self.0.encode_as(writer, $number);
            }
        }

        impl<'a> core::ops::Deref for $name<'a> {
            type Target = $inner<'a>;

            fn deref(&self) -> &$inner<'a> {
                &self.0
            }
        }
    };
}

kind!(AsReq, KdcReq, 10);
kind!(AsRep, KdcRep, 11);
kind!(TgsReq, KdcReq, 12);
kind!(TgsRep, KdcRep, 13);
kind!(EncAsRepPart, EncKdcRepPart, 25);
kind!(EncTgsRepPart, EncKdcRepPart, 26);
