//! Principals: a realm and the components of a name.

mod text;
mod token;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::cache::format;
use crate::error::Error;
use crate::wire::{ByteOrder, Reader, Writer};

/// The type of a principal's name, RFC 4120 §6.2. A hint: it takes no part in comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NameType(pub i32);

impl NameType {
    /// NT-UNKNOWN: nothing is known of the name.
    pub const UNKNOWN: Self = Self(0);
    /// NT-PRINCIPAL: a user, or any principal by its name alone.
    pub const PRINCIPAL: Self = Self(1);
    /// NT-SRV-INST: a service and an instance, `krbtgt` among them.
    pub const SRV_INST: Self = Self(2);
    /// NT-SRV-HST: a service and the host that it runs on.
    pub const SRV_HST: Self = Self(3);
    /// NT-SRV-XHST: a service and a host as several components.
    pub const SRV_XHST: Self = Self(4);
    /// NT-UID: a unique identifier.
    pub const UID: Self = Self(5);
    /// NT-X500-PRINCIPAL: an X.509 distinguished name, RFC 2253.
    pub const X500_PRINCIPAL: Self = Self(6);
    /// NT-SMTP-NAME: the form of an e-mail address.
    pub const SMTP_NAME: Self = Self(7);
    /// NT-ENTERPRISE: one component that may hold an `@`, RFC 6806 §5.
    pub const ENTERPRISE: Self = Self(10);
    /// NT-WELLKNOWN: a reserved name such as `WELLKNOWN/ANONYMOUS`, RFC 8062 §3 (RFC 6111 §3.1).
    pub const WELL_KNOWN: Self = Self(11);
}

/// A principal: the name of a user or a service, and its realm.
///
/// Names are byte strings: text, NUL bytes and bytes that are no UTF-8 all survive being read and written.
/// Comparison and hashing look at the realm and the components, never at the name type (RFC 4120 §6.2:
/// ignoring the type, no two names can be the same).
///
/// ```
/// use countersign_credential::{NameType, Principal};
///
/// let web = Principal::parse("HTTP/web.example.com@EXAMPLE.COM")?;
/// assert_eq!(web.realm(), b"EXAMPLE.COM");
/// assert_eq!(web.components().collect::<Vec<_>>(), [&b"HTTP"[..], b"web.example.com"]);
///
/// let odd = Principal::new("EXAMPLE.COM", ["a/b", "c@d"], NameType::PRINCIPAL);
/// assert_eq!(odd.to_string(), r"a\/b/c\@d@EXAMPLE.COM");
/// assert_eq!(Principal::parse(odd.to_text())?, odd);
/// # Ok::<(), countersign_credential::Error>(())
/// ```
#[derive(Clone)]
pub struct Principal {
    /// The realm, the components without separators, and where each of these ends: a `usize` each. One place
    /// for all of it, as every accepted context makes one; a clone shares it.
    bytes: Arc<[u8]>,
    realm_end: usize,
    /// How many components there are.
    count: usize,
    name_type: NameType,
}

/// The length of an end.
const END: usize = size_of::<usize>();

impl Principal {
    /// Puts a principal together from its parts.
    pub fn new<C: AsRef<[u8]>>(
        realm: impl AsRef<[u8]>,
        components: impl IntoIterator<Item = C>,
        name_type: NameType,
    ) -> Self {
        let components: Vec<C> = components.into_iter().collect();
        let components = components.iter().map(AsRef::as_ref);
        Self::assemble(realm.as_ref(), components, name_type)
    }

    /// Allocates once.
    fn assemble<'a>(
        realm: &[u8],
        components: impl Iterator<Item = &'a [u8]> + Clone,
        name_type: NameType,
    ) -> Self {
        let count = components.clone().count();
        let names = components
            .clone()
            .fold(realm.len(), |sum, part| sum.saturating_add(part.len()));
        let length = names.saturating_add(count.saturating_mul(END));
        let mut bytes: Arc<[u8]> = core::iter::repeat_n(0, length).collect();
        // Nobody else has it yet.
        let place = Arc::get_mut(&mut bytes).unwrap_or_default();
        if let Some((mut rest, table)) = place.split_at_mut_checked(names) {
            let mut end = 0_usize;
            let mut put = |part: &[u8]| {
                if let Some(place) = rest.split_off_mut(..part.len()) {
                    place.copy_from_slice(part);
                }
                end = end.saturating_add(part.len());
                end
            };
            put(realm);
            for (place, component) in table.as_chunks_mut::<END>().0.iter_mut().zip(components) {
                *place = put(component).to_ne_bytes();
            }
        }
        Self {
            bytes,
            realm_end: realm.len(),
            count,
            name_type,
        }
    }

    /// Where each component ends.
    fn ends(&self) -> &[[u8; END]] {
        let table = self.bytes.len().checked_sub(self.count.saturating_mul(END));
        let table = table.and_then(|start| self.bytes.get(start..));
        table.unwrap_or_default().as_chunks().0
    }

    /// The ticket-granting service of `realm`, as known in `issuer`: `krbtgt/realm@issuer` (RFC 4120 §7.3).
    #[must_use]
    pub fn ticket_granting_service(realm: impl AsRef<[u8]>, issuer: impl AsRef<[u8]>) -> Self {
        Self::new(issuer, [b"krbtgt", realm.as_ref()], NameType::SRV_INST)
    }

    /// A user known by an enterprise name such as `user@corp.example`, RFC 6806 §5: the whole text is the
    /// one component.
    #[must_use]
    pub fn enterprise(name: impl AsRef<[u8]>, realm: impl AsRef<[u8]>) -> Self {
        Self::new(realm, [name], NameType::ENTERPRISE)
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &[u8] {
        self.bytes.get(..self.realm_end).unwrap_or_default()
    }

    /// The components of the name, in order.
    pub fn components(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator + Clone {
        (0..self.count).map(|index| self.component(index).unwrap_or_default())
    }

    /// The component at `index`, counted from 0.
    #[must_use]
    pub fn component(&self, index: usize) -> Option<&[u8]> {
        let ends = self.ends();
        let end = usize::from_ne_bytes(*ends.get(index)?);
        let start = match index.checked_sub(1) {
            Some(before) => usize::from_ne_bytes(*ends.get(before)?),
            None => self.realm_end,
        };
        self.bytes.get(start..end)
    }

    /// The type of the name.
    #[must_use]
    pub fn name_type(&self) -> NameType {
        self.name_type
    }

    /// The same principal with another name type.
    #[must_use]
    pub fn with_name_type(mut self, name_type: NameType) -> Self {
        self.name_type = name_type;
        self
    }

    /// The same name in another realm.
    #[must_use]
    pub fn with_realm(&self, realm: impl AsRef<[u8]>) -> Self {
        Self::new(realm, self.components(), self.name_type)
    }

    /// Reads a principal alone, as it stands in a version 4 cache.
    ///
    /// # Errors
    /// The bytes are not exactly one principal.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, 0, ByteOrder::Big);
        let principal = format::read_principal(&mut reader)?;
        reader.end().map(|()| principal)
    }

    /// Writes a principal alone, as [`from_bytes`](Self::from_bytes) reads it.
    ///
    /// # Errors
    /// [`Error::NotRepresentable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let written = Writer::run(ByteOrder::Big, |out| format::write_principal(self, out))?;
        Ok(written.to_vec())
    }

    /// Whether this is a ticket-granting service, `krbtgt/…`.
    #[must_use]
    pub fn is_ticket_granting_service(&self) -> bool {
        self.count == 2 && self.component(0) == Some(b"krbtgt")
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.realm_end == other.realm_end && self.count == other.count && self.bytes == other.bytes
    }
}

impl Eq for Principal {}

/// By realm, then by component, byte by byte.
impl Ord for Principal {
    fn cmp(&self, other: &Self) -> Ordering {
        let realms = self.realm().cmp(other.realm());
        realms.then_with(|| self.components().cmp(other.components()))
    }
}

impl PartialOrd for Principal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Principal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.realm_end.hash(state);
        self.count.hash(state);
        self.bytes.hash(state);
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Principal({self}, type {})", self.name_type.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FormatProblem;
    use crate::limits;
    use alloc::format;
    use core::hash::BuildHasher;
    use std::collections::hash_map::RandomState;

    #[test]
    fn principals_are_ordered_by_realm_and_then_by_component_and_equal_ones_are_equal() {
        let ordered = ["b@A", "a/z@B", "a/zz@B", "ab@B", "b@B", "b/a@B"];
        for (index, one) in ordered.iter().enumerate() {
            for (other_index, other) in ordered.iter().enumerate() {
                let (one, other) = (Principal::parse(one), Principal::parse(other));
                let (one, other) = (one.unwrap(), other.unwrap());
                assert_eq!(one.cmp(&other), index.cmp(&other_index), "{one} {other}");
            }
        }
    }

    #[test]
    fn equality_and_hash_ignore_the_name_type_and_nothing_else() {
        let hasher = RandomState::new();
        let user = Principal::new("R", ["a", "b"], NameType::PRINCIPAL);
        let same = user.clone().with_name_type(NameType::SRV_INST);
        assert_eq!(user, same);
        assert_eq!(hasher.hash_one(&user), hasher.hash_one(&same));
        for other in [
            Principal::new("R", ["ab"], NameType::PRINCIPAL),
            Principal::new("R", ["a", "", "b"], NameType::PRINCIPAL),
            Principal::new("Ra", ["", "b"], NameType::PRINCIPAL),
            Principal::new("r", ["a", "b"], NameType::PRINCIPAL),
        ] {
            assert_ne!(user, other);
        }
    }

    /// Names whose octets are those of another's table, or are divided elsewhere, and such as have no component.
    #[test]
    fn principals_are_equal_hashed_alike_and_ordered_as_their_parts_are() {
        let hasher = RandomState::new();
        let table = [0, 1, 2, 3].map(usize::to_ne_bytes);
        let [zero, one, two, three] = table.each_ref().map(|end| &end[..]);
        let parts: [(&[u8], Vec<&[u8]>); 19] = [
            (b"", alloc::vec![]),
            (b"", alloc::vec![b""]),
            (b"", alloc::vec![b"", b""]),
            (zero, alloc::vec![]),
            (b"", alloc::vec![zero]),
            (one, alloc::vec![]),
            (b"a", alloc::vec![]),
            (b"", alloc::vec![b"a"]),
            (b"a", alloc::vec![b""]),
            (b"ab", alloc::vec![]),
            (b"a", alloc::vec![b"b"]),
            (b"", alloc::vec![b"a", b"b"]),
            (b"", alloc::vec![b"ab"]),
            (b"", alloc::vec![b"ab", b""]),
            (b"", alloc::vec![b"", b"ab"]),
            (b"a", alloc::vec![two]),
            (two, alloc::vec![b"a"]),
            (b"ab", alloc::vec![one, two, three]),
            (b"ab", alloc::vec![one, two]),
        ];
        for (realm, components) in &parts {
            let this = Principal::new(realm, components, NameType::PRINCIPAL);
            assert_eq!(this.realm(), *realm);
            assert!(this.components().eq(components.iter().copied()));
            assert_eq!(this.component(components.len()), None);
            for (other_realm, other_components) in &parts {
                let other = Principal::new(other_realm, other_components, NameType::UNKNOWN);
                let expected = (realm, components).cmp(&(other_realm, other_components));
                assert_eq!(this.cmp(&other), expected, "{this:?} {other:?}");
                assert_eq!(this == other, expected.is_eq(), "{this:?} {other:?}");
                let hashes = hasher.hash_one(&this) == hasher.hash_one(&other);
                assert_eq!(hashes, expected.is_eq(), "{this:?} {other:?}");
            }
        }
    }

    #[test]
    fn components_are_found_by_index() {
        let principal = Principal::new("R", ["", "x", ""], NameType::UNKNOWN);
        assert_eq!(principal.components().len(), 3);
        assert_eq!(principal.component(0), Some(&b""[..]));
        assert_eq!(principal.component(1), Some(&b"x"[..]));
        assert_eq!(principal.component(2), Some(&b""[..]));
        assert_eq!(principal.component(3), None);
        assert_eq!(format!("{principal:?}"), "Principal(/x/@R, type 0)");
    }

    #[test]
    fn an_enterprise_name_is_one_component_whatever_is_in_it() {
        let user = Principal::enterprise("user@corp.example", "R");
        assert_eq!(user.name_type(), NameType::ENTERPRISE);
        assert!(user.components().eq([b"user@corp.example"]));
        assert_eq!(user.to_text(), br"user\@corp.example@R");
    }

    #[test]
    fn another_realm_changes_nothing_but_the_realm() {
        let user = Principal::new("R", ["a", "", "b"], NameType::SRV_INST);
        for realm in ["", "ELSEWHERE.EXAMPLE", "R"] {
            let moved = user.with_realm(realm);
            assert_eq!(moved.realm(), realm.as_bytes());
            assert!(moved.components().eq(user.components()));
            assert_eq!(moved.name_type(), NameType::SRV_INST);
            assert_eq!(moved == user, realm == "R");
        }
    }

    #[test]
    fn a_principal_alone_is_written_and_read_as_in_a_cache() {
        let user = Principal::new("R", [&b"us\0er"[..], b"\xff"], NameType(-7));
        let bytes = user.to_bytes().unwrap();
        let expected = b"\xff\xff\xff\xf9\0\0\0\x02\0\0\0\x01R\0\0\0\x05us\0er\0\0\0\x01\xff";
        assert_eq!(bytes, expected);
        let read = Principal::from_bytes(&bytes).unwrap();
        assert_eq!((&read, read.name_type()), (&user, NameType(-7)));

        let problem = |bytes: &[u8]| match Principal::from_bytes(bytes) {
            Err(Error::Format { offset, problem }) => (offset, problem),
            other => panic!("{bytes:?} gave {other:?}"),
        };
        let end = bytes.len();
        let longer = [&bytes[..], b"\0"].concat();
        assert_eq!(problem(&longer), (end, FormatProblem::TrailingBytes));
        // The last component claims a byte that is not there.
        let shorter = &bytes[..end - 1];
        assert_eq!(problem(shorter), (end - 5, FormatProblem::Truncated));
        assert_eq!(problem(b""), (0, FormatProblem::Truncated));
        let many = Principal::new("R", [""; limits::COMPONENTS + 1], NameType::UNKNOWN);
        assert_eq!(many.to_bytes(), Err(Error::NotRepresentable));
    }

    #[test]
    fn ticket_granting_services_are_recognised() {
        assert!(Principal::ticket_granting_service("A", "B").is_ticket_granting_service());
        assert!(!Principal::new("A", ["krbtgt"], NameType::PRINCIPAL).is_ticket_granting_service());
        assert_eq!(
            Principal::ticket_granting_service("A", "B").to_text(),
            b"krbtgt/A@B"
        );
    }
}
