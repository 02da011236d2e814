//! PACs (MS-PAC): good ones, and every wrong kind.
//!
//! Written here a second time, NDR and all, so that a test of the codec against this crosses two implementations.

mod buffers;
mod logon_info;
mod ndr;
mod sign;

use std::fmt;
use std::sync::Arc;

use countersign_crypto::Key;
use rasn_kerberos as krb;

use crate::{Error, wire};

pub use buffers::{client_info, delegation_info, file_time, requestor, upn_dns_info};
pub use logon_info::{Group, PacLogonInfo};
pub use ndr::sid_bytes;
pub use sign::{PacSigner, resign_server};

/// `ulType` of MS-PAC §2.4.
pub mod buffer_type {
    /// KERB_VALIDATION_INFO.
    pub const LOGON_INFO: u32 = 1;
    /// PAC_CREDENTIAL_INFO.
    pub const CREDENTIALS_INFO: u32 = 2;
    /// The server's signature.
    pub const SERVER_SIGNATURE: u32 = 6;
    /// The KDC's signature.
    pub const KDC_SIGNATURE: u32 = 7;
    /// PAC_CLIENT_INFO.
    pub const CLIENT_INFO: u32 = 10;
    /// S4U_DELEGATION_INFO.
    pub const DELEGATION_INFO: u32 = 11;
    /// UPN_DNS_INFO.
    pub const UPN_DNS_INFO: u32 = 12;
    /// PAC_CLIENT_CLAIMS_INFO.
    pub const CLIENT_CLAIMS_INFO: u32 = 13;
    /// PAC_DEVICE_INFO.
    pub const DEVICE_INFO: u32 = 14;
    /// PAC_DEVICE_CLAIMS_INFO.
    pub const DEVICE_CLAIMS_INFO: u32 = 15;
    /// The ticket's signature.
    pub const TICKET_SIGNATURE: u32 = 16;
    /// PAC_ATTRIBUTES_INFO.
    pub const ATTRIBUTES_INFO: u32 = 17;
    /// PAC_REQUESTOR.
    pub const REQUESTOR: u32 = 18;
    /// The extended KDC signature.
    pub const FULL_SIGNATURE: u32 = 19;
}

use buffer_type::{
    ATTRIBUTES_INFO, CLIENT_INFO, DELEGATION_INFO, FULL_SIGNATURE, KDC_SIGNATURE, LOGON_INFO,
    REQUESTOR, SERVER_SIGNATURE, TICKET_SIGNATURE, UPN_DNS_INFO,
};

/// AD-IF-RELEVANT and AD-WIN2K-PAC.
const PAC: i32 = 128;
/// The signatures, in the order in which they are laid out.
const SIGNATURES: [u32; 4] = [
    SERVER_SIGNATURE,
    KDC_SIGNATURE,
    TICKET_SIGNATURE,
    FULL_SIGNATURE,
];

type Map = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;

/// A PAC in the making.
///
/// [`TicketBuilder::pac`](crate::TicketBuilder::pac) puts it into a ticket and signs it with the realm's keys;
/// [`embed`](Self::embed) does the same for a KDC with keys of its own.
///
/// ```
/// use countersign_testkit::{PacBuilder, PacLogonInfo, Realm};
///
/// let realm = Realm::new("EXAMPLE.COM", 1);
/// let logon = PacLogonInfo::new("alice", "EXAMPLE", "S-1-5-21-1-2-3", 1105)
///     .group("S-1-5-21-1-2-3-1200");
/// let ticket = realm
///     .ticket("alice", "HTTP/web.example.com")
///     .pac(PacBuilder::of(logon).upn("alice@example.com", "EXAMPLE.COM"))
///     .mint()?;
/// # Ok::<(), countersign_testkit::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "nothing is made until it is embedded or signed"]
pub struct PacBuilder {
    buffers: Vec<(u32, Vec<u8>)>,
    without: Vec<u32>,
    signers: Vec<(u32, PacSigner)>,
    rodc: Option<u16>,
    before: Vec<Map>,
    after: Vec<Map>,
}

impl PacBuilder {
    /// The PAC that MIT krb5 makes without a database that knows of Windows: the client's name and the signatures.
    pub fn minimal() -> Self {
        Self::default()
    }

    /// The PAC of a user.
    pub fn of(logon: PacLogonInfo) -> Self {
        Self::minimal().logon_info(&logon)
    }

    /// The buffers of another PAC, without its signatures: what a KDC keeps of a ticket-granting ticket's. CLIENT_INFO is
    /// kept too; [`without`](Self::without) has it made anew.
    ///
    /// # Errors
    /// [`Error::Decode`] when it is not a PAC.
    pub fn from_pac(pac: &[u8]) -> Result<Self, Error> {
        let buffers = sign::buffers(pac).ok_or(Error::Decode)?;
        let kept = buffers
            .into_iter()
            .filter(|(kind, _)| !SIGNATURES.contains(kind))
            .map(|(kind, range)| Some((kind, pac.get(range)?.to_vec())));
        Ok(Self {
            buffers: kept.collect::<Option<_>>().ok_or(Error::Decode)?,
            ..Self::default()
        })
    }

    /// A buffer of any type and contents, instead of the one of this type that is there.
    pub fn buffer(mut self, buffer_type: u32, contents: Vec<u8>) -> Self {
        match self
            .buffers
            .iter_mut()
            .find(|(kind, _)| *kind == buffer_type)
        {
            Some((_, place)) => *place = contents,
            None => self.buffers.push((buffer_type, contents)),
        }
        self
    }

    /// One more buffer, also of a type that is there.
    pub fn another_buffer(mut self, buffer_type: u32, contents: Vec<u8>) -> Self {
        self.buffers.push((buffer_type, contents));
        self
    }

    /// Leaves a buffer out, signatures included.
    pub fn without(mut self, buffer_type: u32) -> Self {
        self.buffers.retain(|(kind, _)| *kind != buffer_type);
        self.without.push(buffer_type);
        self
    }

    /// Without a ticket's signature and without one over the whole PAC, as in ticket-granting tickets and before 2020.
    pub fn for_ticket_granting(self) -> Self {
        self.without(TICKET_SIGNATURE).without(FULL_SIGNATURE)
    }

    /// KERB_VALIDATION_INFO.
    pub fn logon_info(self, logon: &PacLogonInfo) -> Self {
        self.buffer(LOGON_INFO, logon.to_ndr())
    }

    /// PAC_CLIENT_INFO; without it, it has the name and the time of the ticket.
    pub fn client(self, name: &str, auth_time: i64) -> Self {
        self.buffer(CLIENT_INFO, client_info(name, auth_time))
    }

    /// UPN_DNS_INFO without account name and SID.
    pub fn upn(self, upn: &str, dns_domain: &str) -> Self {
        self.buffer(UPN_DNS_INFO, upn_dns_info(upn, dns_domain, 0, None))
    }

    /// UPN_DNS_INFO with account name and SID.
    pub fn upn_extended(self, upn: &str, dns_domain: &str, account: &str, sid: &str) -> Self {
        let contents = upn_dns_info(upn, dns_domain, 0, Some((account, sid)));
        self.buffer(UPN_DNS_INFO, contents)
    }

    /// PAC_REQUESTOR.
    pub fn requestor(self, sid: &str) -> Self {
        self.buffer(REQUESTOR, requestor(sid))
    }

    /// PAC_ATTRIBUTES_INFO: how many bits, and the bits.
    pub fn attributes(self, length: u32, flags: u32) -> Self {
        let contents = [length.to_le_bytes(), flags.to_le_bytes()].concat();
        self.buffer(ATTRIBUTES_INFO, contents)
    }

    /// S4U_DELEGATION_INFO: the service that the ticket is for, and those on the way.
    pub fn delegation(self, target: &str, transited: &[&str]) -> Self {
        self.buffer(DELEGATION_INFO, delegation_info(target, transited))
    }

    /// Makes one of the signatures in another way.
    pub fn signer(mut self, buffer_type: u32, signer: PacSigner) -> Self {
        self.signers.retain(|(kind, _)| *kind != buffer_type);
        self.signers.push((buffer_type, signer));
        self
    }

    /// The number of a read-only domain controller, behind the signatures of the KDC.
    pub fn rodc_identifier(mut self, identifier: u16) -> Self {
        self.rodc = Some(identifier);
        self
    }

    /// Changes the bytes before they are signed: what a dishonest KDC would sign. The places of the signatures stay.
    pub fn map_unsigned(mut self, map: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        self.before.push(Arc::new(map));
        self
    }

    /// Changes the bytes after they were signed.
    pub fn map_signed(mut self, map: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        self.after.push(Arc::new(map));
        self
    }

    /// The PAC, signed in the order of MS-PAC §2.8. `ticket` is what the ticket's signature covers: the DER of the
    /// EncTicketPart with one zero byte for the PAC; without it there is no such signature.
    ///
    /// # Errors
    /// [`Error::Crypto`] for keys; [`Error::TooLong`].
    pub fn sign(&self, server: &Key, kdc: &Key, ticket: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        let signer = |kind: u32| {
            let chosen = self.signers.iter().find(|(known, _)| *known == kind);
            let chosen = chosen.map(|(_, signer)| signer.clone());
            chosen.unwrap_or_else(|| {
                let key = if kind == SERVER_SIGNATURE {
                    server
                } else {
                    kdc
                };
                PacSigner::key(key)
            })
        };
        let wanted = SIGNATURES.into_iter().filter(|kind| {
            !self.without.contains(kind) && (*kind != TICKET_SIGNATURE || ticket.is_some())
        });
        let mut buffers = self.buffers.clone();
        for kind in wanted {
            let mut contents = signer(kind).empty();
            if kind != SERVER_SIGNATURE {
                contents.extend(self.rodc.iter().flat_map(|id| id.to_le_bytes()));
            }
            buffers.push((kind, contents));
        }
        let (mut pac, places) = lay_out(&buffers)?;
        for map in &self.before {
            map(&mut pac);
        }
        let place = |kind: u32| places.iter().find(|(known, _)| *known == kind);
        let mut fill = |kind: u32, covered: &dyn Fn(&[u8]) -> Vec<u8>| {
            if let Some((_, range)) = place(kind) {
                let signature = signer(kind).sign(&covered(&pac))?;
                let start = range.start.saturating_add(4);
                sign::overwrite(&mut pac, start, &signature);
            }
            Ok::<_, Error>(())
        };
        // Nothing is filled in yet but what is signed already, so zeros need no making.
        fill(TICKET_SIGNATURE, &|_| ticket.unwrap_or_default().to_vec())?;
        let rodc_zeroed = |pac: &[u8], kinds: &[u32]| {
            let mut copy = pac.to_vec();
            for (_, range) in places.iter().filter(|(kind, _)| kinds.contains(kind)) {
                let from = range.start.saturating_add(4);
                if let Some(bytes) = copy.get_mut(from..range.end) {
                    bytes.fill(0);
                }
            }
            copy
        };
        fill(FULL_SIGNATURE, &|pac| {
            rodc_zeroed(pac, &[SERVER_SIGNATURE, KDC_SIGNATURE, FULL_SIGNATURE])
        })?;
        fill(SERVER_SIGNATURE, &|pac| {
            rodc_zeroed(pac, &[SERVER_SIGNATURE, KDC_SIGNATURE])
        })?;
        fill(KDC_SIGNATURE, &|pac| {
            let range = place(SERVER_SIGNATURE).map(|(_, range)| range.clone());
            let range = range.unwrap_or_default();
            let from = range.start.saturating_add(4);
            pac.get(from..range.end).unwrap_or_default().to_vec()
        })?;
        for map in &self.after {
            map(&mut pac);
        }
        Ok(pac)
    }

    /// Signs the PAC and puts it first among the ticket's authorization data, in an AD-IF-RELEVANT of its own, as
    /// Windows and MIT krb5 do. The ticket must be complete but for it.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), and [`Error::Encode`].
    pub fn embed(
        &self,
        part: &mut krb::EncTicketPart,
        server: &Key,
        kdc: &Key,
    ) -> Result<(), Error> {
        let others = part.authorization_data.take().unwrap_or_default();
        let with = |pac: Vec<u8>| {
            let inner: krb::AuthorizationData = vec![krb::AuthorizationDataValue {
                r#type: PAC,
                data: pac.into(),
            }];
            let first = krb::AuthorizationDataValue {
                r#type: 1,
                data: wire::encode(&inner)?.into(),
            };
            Ok::<_, Error>(
                std::iter::once(first)
                    .chain(others.iter().cloned())
                    .collect(),
            )
        };
        part.authorization_data = Some(with(vec![0])?);
        let covered = wire::encode(part)?;
        let mut named = self.clone();
        let given = |kind: &u32| *kind == CLIENT_INFO;
        if !self.buffers.iter().any(|(kind, _)| given(kind)) && !self.without.iter().any(given) {
            let name: Vec<_> = part
                .cname
                .string
                .iter()
                .map(|name| name.as_bytes())
                .collect();
            let name = String::from_utf8_lossy(&name.join(&b'/')).into_owned();
            let contents = client_info(&name, wire::seconds(&part.auth_time));
            // Behind LOGON_INFO, where Windows has it.
            let place = usize::from(!named.buffers.is_empty());
            named.buffers.insert(place, (CLIENT_INFO, contents));
        }
        part.authorization_data = Some(with(named.sign(server, kdc, Some(&covered))?)?);
        Ok(())
    }
}

/// The first buffer of `kind`.
pub(crate) fn buffer(pac: &[u8], kind: u32) -> Option<&[u8]> {
    let buffers = sign::buffers(pac)?;
    let (_, range) = buffers.into_iter().find(|(own, _)| *own == kind)?;
    pac.get(range)
}

type Places = Vec<(u32, std::ops::Range<usize>)>;

/// Header, table and buffers on 8-byte boundaries: MS-PAC §2.3.
fn lay_out(buffers: &[(u32, Vec<u8>)]) -> Result<(Vec<u8>, Places), Error> {
    let small = |n: usize| u32::try_from(n).map_err(|_| Error::TooLong);
    let mut offset = buffers.len().saturating_mul(16).saturating_add(8);
    let mut pac = Vec::new();
    pac.extend(small(buffers.len())?.to_le_bytes());
    pac.extend([0; 4]);
    let mut places = Vec::new();
    for (kind, contents) in buffers {
        pac.extend(kind.to_le_bytes());
        pac.extend(small(contents.len())?.to_le_bytes());
        pac.extend(u64::from(small(offset)?).to_le_bytes());
        let end = offset.saturating_add(contents.len());
        places.push((*kind, offset..end));
        offset = end.next_multiple_of(8);
    }
    for (_, contents) in buffers {
        pac.extend(contents);
        pac.resize(pac.len().next_multiple_of(8), 0);
    }
    Ok((pac, places))
}

impl fmt::Debug for PacBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacBuilder")
            .field("buffers", &self.buffers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Realm;

    /// The PAC that Samba, Heimdal and MIT krb5 test with.
    fn published() -> Vec<u8> {
        include_str!("../../token/tests/files/windows-2003.pac.hex")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| line.as_bytes().chunks(2))
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn logon_and_client_info_are_written_as_windows_writes_them() {
        let published = published();
        let domain = "S-1-5-21-3048156945-3961193616-3706469200";
        let mut logon = PacLogonInfo::new("W2003FINAL$", "WIN2K3THINK", domain, 1005);
        let time = |at: usize| {
            let bytes = published[0x48 + 20 + 8 * at..].first_chunk().copied();
            u64::from_le_bytes(bytes.unwrap())
        };
        logon.times = std::array::from_fn(time);
        logon.server = "W2003FINAL".into();
        logon.counts = (101, 0);
        logon.primary_group = 516;
        logon.groups = vec![(516, 7)];
        logon.extra_sids = vec![("S-1-5-9".into(), 7)];
        logon.account_control = 0x2100;
        assert_eq!(logon.to_ndr(), published[0x48..0x48 + 472]);
        assert_eq!(
            client_info("w2003final$", 1_120_440_609),
            published[0x220..0x240]
        );
    }

    #[cfg(feature = "rc4")]
    #[test]
    fn signatures_are_those_of_a_published_pac() {
        use countersign_crypto::Enctype;
        let key = |hex: u128| Key::new(Enctype::Rc4Hmac, &hex.to_be_bytes()).unwrap();
        let kdc = key(0xb286_7571_48af_7fd2_52c5_3603_a150_b7e7);
        let server = key(0xd217_faea_e5e6_b5f9_5ccc_9407_7ab8_a5fc);
        let published = published();
        let again = PacBuilder::from_pac(&published)
            .unwrap()
            .without(FULL_SIGNATURE)
            .sign(&server, &kdc, None)
            .unwrap();
        assert_eq!(again, published);
        let mut forged = published.clone();
        resign_server(&mut forged, &server).unwrap();
        assert_eq!(forged, published);
        resign_server(&mut forged, &kdc).unwrap();
        assert_ne!(forged, published);
    }

    #[test]
    fn a_ticket_carries_the_pac_first_and_its_signature_covers_the_rest() {
        let realm = Realm::new("R", 1);
        let logon = PacLogonInfo::new("alice", "R", "S-1-5-21-1-2-3", 1105);
        let mut part = None;
        let _ = realm
            .ticket("alice", "host/server")
            .authorization_data(vec![(99, b"other".to_vec())])
            .pac(PacBuilder::of(logon))
            .edit(|edited| part = Some(edited.clone()))
            .mint()
            .unwrap();
        let mut part = part.unwrap();
        let data = part.authorization_data.as_mut().unwrap();
        assert_eq!((data[0].r#type, data[1].r#type), (1, 99));
        let inner: krb::AuthorizationData = wire::decode(&data[0].data).unwrap();
        let pac = inner[0].data.to_vec();
        let places = sign::buffers(&pac).unwrap();
        let kinds: Vec<_> = places.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [1, 10, 6, 7, 16, 19]);
        let zero: krb::AuthorizationData = vec![krb::AuthorizationDataValue {
            r#type: PAC,
            data: vec![0].into(),
        }];
        data[0].data = wire::encode(&zero).unwrap().into();
        let covered = wire::encode(&part).unwrap();
        let expected = PacSigner::key(&realm.ticket_granting_key().unwrap())
            .sign(&covered)
            .unwrap();
        let range = places[4].1.clone();
        assert_eq!(pac[range.start + 4..range.end], expected);
    }
}
