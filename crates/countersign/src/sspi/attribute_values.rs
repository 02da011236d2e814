//! Where the values of attributes come from.

#[cfg(feature = "ntlm")]
use countersign_context::crypto::ntlm::Strength;
use countersign_context::token::pac::BufferType;
use countersign_context::{Identity, Role, SecurityContext};
use zeroize::Zeroizing;

use super::attribute::*;
use super::context::{Context, State};
use super::package::Package;
use super::{SecurityStatus, SspiError};

/// The context does not have the attribute.
fn absent() -> SspiError {
    SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into()
}

/// The client's and the server's identity, as far as they are proved.
fn sides(context: &SecurityContext) -> (Option<&Identity>, Option<&Identity>) {
    match context.role() {
        Role::Initiator => (Some(context.local()), context.peer()),
        Role::Acceptor => (context.peer(), Some(context.local())),
    }
}

/// Of MS-NLMP §3.4: HMAC-MD5 and RC4 under a key of which so many bits count (§3.4.5.3).
#[cfg(feature = "ntlm")]
fn ntlm_key_info(strength: Strength) -> SecPkgContextKeyInfo {
    SecPkgContextKeyInfo {
        signature_algorithm_name: "HMAC-MD5",
        encrypt_algorithm_name: "RC4",
        key_size: match strength {
            Strength::Bits128 => 128,
            Strength::Bits56 => 56,
            Strength::Bits40 => 40,
        },
        signature_algorithm: CALG_HMAC,
        encrypt_algorithm: CALG_RC4,
    }
}

impl Context {
    pub(super) fn sizes(&self) -> Result<SecPkgContextSizes, SspiError> {
        let sizes = self.established()?.sizes();
        Ok(SecPkgContextSizes {
            max_token: sizes.max_token,
            max_signature: sizes.max_signature,
            block_size: sizes.block,
            security_trailer: sizes.security_trailer,
        })
    }

    pub(super) fn stream_sizes(&self) -> Result<SecPkgContextStreamSizes, SspiError> {
        let sizes = self.sizes()?;
        let all = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        Ok(SecPkgContextStreamSizes {
            header: sizes.security_trailer,
            trailer: 0,
            maximum_message: all.saturating_sub(sizes.security_trailer),
            buffers: 3,
            block_size: sizes.block_size,
        })
    }

    fn client_name(&self) -> Result<String, SspiError> {
        let context = self.established()?;
        if let Some(pac) = context.pac()
            && let (Some(domain), Some(account)) = (pac.logon_domain(), pac.account_name())
        {
            return Ok(format!("{domain}\\{account}"));
        }
        Ok(sides(context)
            .0
            .map(Identity::to_string)
            .unwrap_or_default())
    }

    pub(super) fn names(&self) -> Result<SecPkgContextNames, SspiError> {
        Ok(SecPkgContextNames {
            user_name: self.client_name()?,
        })
    }

    pub(super) fn dce_info(&self) -> Result<SecPkgContextDceInfo, SspiError> {
        if self.role() == Role::Initiator {
            return Err(absent());
        }
        Ok(SecPkgContextDceInfo {
            authz_svc: RPC_C_AUTHZ_NAME,
            pac: self.client_name()?,
        })
    }

    pub(super) fn native_names(&self) -> Result<SecPkgContextNativeNames, SspiError> {
        let (client, server) = sides(self.established()?);
        let called = || self.target.clone().unwrap_or_default();
        Ok(SecPkgContextNativeNames {
            client_name: client.map(Identity::to_string).unwrap_or_default(),
            server_name: server.map_or_else(called, Identity::to_string),
        })
    }

    pub(super) fn lifespan(&self) -> Result<SecPkgContextLifespan, SspiError> {
        Ok(SecPkgContextLifespan {
            expiry: self.established()?.expires().into(),
            start: self.started.into(),
        })
    }

    pub(super) fn key_info(&self) -> Result<SecPkgContextKeyInfo, SspiError> {
        let context = self.established()?;
        #[cfg(feature = "ntlm")]
        if let Some(strength) = context.ntlm_strength() {
            return Ok(ntlm_key_info(strength));
        }
        let enctype = context.enctype().ok_or_else(absent)?;
        Ok(SecPkgContextKeyInfo {
            signature_algorithm_name: enctype.name(),
            encrypt_algorithm_name: enctype.name(),
            key_size: context.session_key().expose().len().saturating_mul(8),
            signature_algorithm: enctype.checksum_type().id().cast_unsigned(),
            encrypt_algorithm: enctype.id().cast_unsigned(),
        })
    }

    pub(super) fn authority(&self) -> Result<SecPkgContextAuthority, SspiError> {
        let (client, _) = sides(self.established()?);
        let client = client.ok_or_else(absent)?;
        let realm = client
            .principal()
            .map(|principal| String::from_utf8_lossy(principal.realm()).into_owned());
        #[cfg(feature = "ntlm")]
        let realm = realm.or_else(|| Some(client.account()?.domain().to_owned()));
        Ok(SecPkgContextAuthority {
            authority_name: realm.ok_or_else(absent)?,
        })
    }

    pub(super) fn session_key(&self) -> Result<SecPkgContextSessionKey, SspiError> {
        let key = match &self.state {
            State::Established(context) => Some(context.session_key()),
            State::Negotiating(mechanism) => mechanism.session_key(),
        };
        let key = key.ok_or(SecurityStatus::SEC_E_INVALID_HANDLE)?;
        Ok(SecPkgContextSessionKey {
            session_key: Zeroizing::new(key.expose().to_vec()),
        })
    }

    /// The package in effect.
    fn effective(&self) -> Package {
        match &self.state {
            State::Established(context) => Package::of_mechanism(context.mechanism()),
            State::Negotiating(_) => self.package,
        }
    }

    pub(super) fn package_info(&self) -> SecPkgContextPackageInfo {
        SecPkgContextPackageInfo {
            package_info: self.effective().info(),
        }
    }

    pub(super) fn negotiation_info(&self) -> SecPkgContextNegotiationInfo {
        SecPkgContextNegotiationInfo {
            package_info: self.effective().info(),
            negotiation_state: match (&self.state, self.package) {
                (_, Package::Kerberos | Package::Ntlm) => SECPKG_NEGOTIATION_DIRECT,
                (State::Negotiating(_), _) => SECPKG_NEGOTIATION_IN_PROGRESS,
                (State::Established(_), _) => SECPKG_NEGOTIATION_COMPLETE,
            },
        }
    }

    pub(super) fn target_information(&self) -> Result<SecPkgContextTargetInformation, SspiError> {
        let target = self.target.as_ref().ok_or_else(absent)?;
        Ok(SecPkgContextTargetInformation {
            marshalled_target_info: target.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        })
    }

    pub(super) fn bindings_of(&self, kind: &[u8]) -> Result<Vec<u8>, SspiError> {
        self.bindings
            .as_ref()
            .filter(|bindings| bindings.application_data().starts_with(kind))
            .map(countersign_context::ChannelBindings::to_sec_channel_bindings)
            .ok_or_else(absent)
    }

    pub(super) fn specified_target(&self) -> Result<SecPkgContextClientSpecifiedTarget, SspiError> {
        let context = self.established()?;
        if context.role() == Role::Initiator {
            return Err(absent());
        }
        // The ticket's service is what the client asked its KDC for.
        let target = context.local().principal().map(ToString::to_string);
        // A name that the client does not vouch for itself is as good as none.
        #[cfg(feature = "ntlm")]
        let target = target.or_else(|| {
            let target = context.ntlm_target().filter(|name| !name.is_unverified())?;
            Some(target.as_str().to_owned())
        });
        Ok(SecPkgContextClientSpecifiedTarget {
            target_name: target.ok_or(SecurityStatus::SEC_E_TARGET_UNKNOWN)?,
        })
    }

    pub(super) fn last_client_token_status(
        &self,
    ) -> Result<SecPkgAttrLastClientTokenStatus, SspiError> {
        match (self.role(), &self.state) {
            (Role::Initiator, _) => Err(absent()),
            (_, State::Established(_)) => Ok(SecPkgAttrLastClientTokenStatus::Yes),
            (_, State::Negotiating(_)) => Ok(SecPkgAttrLastClientTokenStatus::No),
        }
    }

    pub(super) fn app_data(&self) -> Result<SecPkgContextSessionAppData, SspiError> {
        Ok(SecPkgContextSessionAppData {
            app_data: self.application_data.clone().ok_or_else(absent)?,
        })
    }

    pub(super) fn subject_attributes(&self) -> Result<SecPkgContextSubjectAttributes, SspiError> {
        let pac = self.established()?.pac().ok_or_else(absent)?;
        Ok(SecPkgContextSubjectAttributes {
            attribute_info: pac
                .buffer(BufferType::CLIENT_CLAIMS_INFO)
                .unwrap_or_default()
                .to_vec(),
        })
    }
}
