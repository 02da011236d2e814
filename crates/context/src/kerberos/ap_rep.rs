//! AP-REP, both ways: RFC 4120 §3.2.4, §3.2.5 and §5.5.2.

use countersign_crypto::{Cipher, Enctype, Key, KeyUsage, Random};
use countersign_token::der::Decode;
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{
    ApRep, EncApRepPart, EncryptedData, EncryptionKey, KerberosTime, Microseconds,
};

use crate::environment::Timestamp;
use crate::error::ErrorKind;

use super::framing::Framed;
use super::plaintext::{Plaintext, sealed_last};

/// The content of an AP-REP to be sent.
pub(super) struct Reply<'a> {
    pub(super) time: Timestamp,
    pub(super) subkey: Option<&'a Key>,
    pub(super) sequence: u32,
}

impl Reply<'_> {
    pub(super) fn encode(
        &self,
        session_key: &Key,
        framed: Framed,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, ErrorKind> {
        let part = EncApRepPart {
            ctime: KerberosTime {
                seconds: self.time.seconds(),
            },
            cusec: Microseconds::saturating(self.time.microseconds()),
            subkey: self.subkey.map(|key| EncryptionKey {
                keytype: key.enctype().id(),
                keyvalue: key.expose(),
            }),
            seq_number: Some(self.sequence),
        };
        let frame = |cipher: &[u8]| {
            let message = ApRep {
                enc_part: EncryptedData {
                    etype: session_key.enctype().id(),
                    kvno: None,
                    cipher,
                },
            };
            Ok(framed.frame(TokenId::ApRep, &message))
        };
        sealed_last(&part, session_key, KeyUsage::AP_REP, random, &frame)
    }
}

/// The content of an AP-REP that the session key opened.
pub(in crate::kerberos) struct OpenedReply {
    pub(in crate::kerberos) time: Timestamp,
    pub(in crate::kerberos) subkey: Option<(i32, zeroize::Zeroizing<Vec<u8>>)>,
    pub(in crate::kerberos) sequence: u32,
}

/// Decrypts and decodes an AP-REP. `Err(None)`: it is not of this session key.
pub(in crate::kerberos) fn open(
    message: &[u8],
    cipher: &Cipher,
) -> Result<OpenedReply, Option<ErrorKind>> {
    let reply = ApRep::from_der(message).map_err(|e| Some(ErrorKind::DefectiveToken(e)))?;
    let part = &reply.enc_part;
    if Enctype::from_id(part.etype) != Some(cipher.enctype()) {
        return Err(None);
    }
    let plaintext = Plaintext::open(cipher, part.cipher).ok_or(None)?;
    let part =
        EncApRepPart::from_der(&plaintext).map_err(|e| Some(ErrorKind::DefectivePlaintext(e)))?;
    Ok(OpenedReply {
        time: Timestamp::new(part.ctime.seconds, part.cusec.as_u32()),
        subkey: part
            .subkey
            .map(|key| (key.keytype, key.keyvalue.to_vec().into())),
        sequence: part.seq_number.unwrap_or(0),
    })
}
