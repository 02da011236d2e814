//! Service for user: the padata of MS-SFU §2.2.

use countersign_credential::{NameType, Principal, TicketCredential};
use countersign_crypto::{Enctype, Key, KeyUsage};
use countersign_token::der::{Decode, Encode, Encoded};
use countersign_token::kerberos::{
    Checksum, KerberosString, PaData, PaForUser, PaPacOptions, PaS4uX509User, PacOptions,
    PrincipalName, S4uOptions, S4uUserId,
};
use hmac::{Hmac, KeyInit, Mac as _};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::error::{ErrorKind, KdcProblem, ReplyPart};

use super::padata::{OwnedPaData, find};
use super::tgs_request::Sealed;

/// KERB_CHECKSUM_HMAC_MD5, RFC 4757 §4 and MS-SFU §2.2.1.
const HMAC_MD5: i32 = -138;
/// RFC 4757 §4, with its terminating zero byte.
const SIGNATURE_KEY: &[u8] = b"signaturekey\0";
/// MS-SFU §2.2.1: the message type of PA-FOR-USER's checksum.
const FOR_USER_USAGE: KeyUsage = KeyUsage(17);
/// MS-SFU §2.2.2.
const S4U_REQUEST: KeyUsage = KeyUsage(26);
/// MS-SFU §2.2.2, where the options ask for it.
const S4U_REPLY: KeyUsage = KeyUsage(27);

/// The padata that name the user, for KDCs of every age.
pub(super) fn user_padata(
    user: &Principal,
    header: &TicketCredential,
    sealed: &Sealed,
) -> Result<Vec<OwnedPaData>, ErrorKind> {
    let components = user.token_components();
    let name = user.token_name(&components);
    let realm = user.token_realm();
    let mut padata = Vec::with_capacity(2);
    // MS-SFU §2.2.2 has an unkeyed checksum for rc4-hmac, which proves nothing: the request then
    // goes without, and the reply is unverified.
    if !is_rc4(sealed.subkey.enctype()) {
        padata.push(s4u_user(name, realm, sealed)?);
    }
    padata.push(for_user(name, realm, header)?);
    Ok(padata)
}

/// PA-PAC-OPTIONS: the KDC may go by the other service's list of who may delegate to it
/// (MS-SFU §2.2.5).
pub(super) fn resource_based_delegation() -> OwnedPaData {
    let options = PaPacOptions {
        flags: PacOptions::RESOURCE_BASED_CONSTRAINED_DELEGATION,
    };
    OwnedPaData::new(PaData::PAC_OPTIONS, options.to_der())
}

fn is_rc4(enctype: Enctype) -> bool {
    enctype.id() == 23
}

/// PA-S4U-X509-USER: in the subkey and with the request's nonce, so that it fits no other request.
fn s4u_user(
    name: PrincipalName<'_>,
    realm: KerberosString<'_>,
    sealed: &Sealed,
) -> Result<OwnedPaData, ErrorKind> {
    let user_id = S4uUserId {
        nonce: sealed.nonce,
        cname: Some(name),
        crealm: realm,
        subject_certificate: None,
        options: Some(S4uOptions::USE_REPLY_KEY_USAGE),
    }
    .to_der();
    let tag = sealed.subkey.mac(S4U_REQUEST).compute(&[&user_id]);
    let padata = PaS4uX509User {
        user_id: Encoded::parse(&user_id)
            .map_err(|_| ErrorKind::Internal("own S4UUserID does not decode"))?,
        checksum: Checksum {
            cksumtype: sealed.subkey.enctype().checksum_type().id(),
            checksum: tag.as_bytes(),
        },
    };
    Ok(OwnedPaData::new(PaData::S4U_X509_USER, padata.to_der()))
}

/// PA-FOR-USER: HMAC-MD5 in the session key, whatever its enctype (MS-SFU §2.2.1).
fn for_user(
    user_name: PrincipalName<'_>,
    user_realm: KerberosString<'_>,
    header: &TicketCredential,
) -> Result<OwnedPaData, ErrorKind> {
    let auth_package = PaForUser::AUTH_PACKAGE;
    let input = PaForUser::checksum_input(&user_name, user_realm, auth_package);
    let checksum = hmac_md5(header.key.expose(), FOR_USER_USAGE, &input)?;
    let padata = PaForUser {
        user_name,
        user_realm,
        cksum: Checksum {
            cksumtype: HMAC_MD5,
            checksum: &checksum,
        },
        auth_package,
    };
    Ok(OwnedPaData::new(PaData::FOR_USER, padata.to_der()))
}

/// The checksum of RFC 4757 §4 in a key of any length.
fn hmac_md5(key: &[u8], usage: KeyUsage, data: &[u8]) -> Result<[u8; 16], ErrorKind> {
    let mac = |key: &[u8], data: &[u8]| -> Result<Zeroizing<[u8; 16]>, ErrorKind> {
        let mut mac = Hmac::<Md5>::new_from_slice(key)
            .map_err(|_| ErrorKind::Internal("HMAC takes keys of any length"))?;
        mac.update(data);
        Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
    };
    let signature_key = mac(key, SIGNATURE_KEY)?;
    let digest = Md5::new()
        .chain_update(usage.0.to_le_bytes())
        .chain_update(data)
        .finalize();
    Ok(*mac(&*signature_key, &digest)?)
}

/// What a reply says of the user that its ticket is for.
pub(super) struct Reply<'a> {
    pub(super) padata: &'a [OwnedPaData],
    pub(super) nonce: u32,
    pub(super) subkey: &'a Key,
}

impl Reply<'_> {
    /// The user that the KDC names in its PA-S4U-X509-USER, under a checksum in the subkey; `None`
    /// if there is none. Another user than the one that was asked for is an error, but for the
    /// canonical form of an enterprise name, and case.
    pub(super) fn verified_user(&self, user: &Principal) -> Result<Option<Principal>, ErrorKind> {
        let mismatch = ErrorKind::Kdc(KdcProblem::ReplyMismatch(ReplyPart::Client));
        let Some(value) = find(self.padata, PaData::S4U_X509_USER) else {
            return Ok(None);
        };
        let reply = PaS4uX509User::from_der(value)
            .map_err(|error| ErrorKind::Kdc(KdcProblem::DefectiveReply(error)))?;
        let user_id = reply.user_id.value();
        // Our own padata come back would have the request's usage and ask for the reply's.
        let usage = match user_id.options {
            Some(options) if options.contains(S4uOptions::USE_REPLY_KEY_USAGE) => S4U_REPLY,
            _ => S4U_REQUEST,
        };
        // MS-SFU §3.1.5.1.2: the checksum and the nonce.
        let checksum = &reply.checksum;
        self.subkey
            .verify_checksum(
                usage,
                checksum.cksumtype,
                &[reply.user_id.raw()],
                checksum.checksum,
            )
            .map_err(|_| mismatch)?;
        if user_id.nonce != self.nonce {
            return Err(mismatch);
        }
        let name = user_id.cname.ok_or(mismatch)?;
        let named = Principal::from_token(&user_id.crealm, &name);
        match is_same_user(user, &named) {
            true => Ok(Some(named)),
            false => Err(mismatch),
        }
    }
}

fn is_same_user(asked: &Principal, named: &Principal) -> bool {
    let alike = |a: &[u8], b: &[u8]| a.eq_ignore_ascii_case(b);
    asked.name_type() == NameType::ENTERPRISE
        || (alike(asked.realm(), named.realm())
            && asked.components().len() == named.components().len()
            && asked
                .components()
                .zip(named.components())
                .all(|(a, b)| alike(a, b)))
}

#[cfg(all(test, feature = "rc4"))]
mod tests {
    use super::*;
    use countersign_crypto::ChecksumType;

    #[test]
    fn the_checksum_of_pa_for_user_is_the_one_of_rc4_hmac() {
        let key = Key::new(Enctype::Rc4Hmac, &[0x5c; 16]).unwrap();
        let expected = key
            .checksum(FOR_USER_USAGE, ChecksumType::HmacMd5, b"user")
            .unwrap();
        let found = hmac_md5(key.expose(), FOR_USER_USAGE, b"user").unwrap();
        assert_eq!(found, expected.as_bytes());
    }
}
