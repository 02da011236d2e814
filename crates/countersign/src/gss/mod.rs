//! GSS-API: the calls of RFC 2743 and RFC 2744, and the extensions of MIT krb5, under their names.
//!
//! ```text
//!             import_name            acquire_cred…
//!                  │ Name                 │ Credential
//!                  ▼                      ▼
//!   init_sec_context ◀──── tokens ────▶ accept_sec_context
//!                  │                      │
//!                  └──────▶ Context ◀─────┘
//!     wrap unwrap get_mic verify_mic wrap_iov … inquire_context pseudo_random export_sec_context
//! ```
//!
//! | C | here |
//! |---|---|
//! | `OM_uint32` major and `minor_status` | `Result<_, `[`GssError`]`>`; what a success has to add is in its value |
//! | the handle that a call writes to | [`&mut Option<Context>`](Context), `None` for `GSS_C_NO_CONTEXT` |
//! | `GSS_C_NO_CREDENTIAL` | none: every credential comes from a [`Provider`], there is nothing global |
//! | `gss_release_…`, `gss_delete_sec_context` | dropping; secrets are wiped |
//! | `gss_OID_set` | [`OidSet`] |
//! | `OM_uint32 req_flags` | [`Flags`](crate::Flags) by their C names in [`flags`] |
//!
//! Mechanisms: Kerberos (the default, as with MIT) and SPNEGO; where a program names them IAKERB,
//! user-to-user, and with the feature `ntlm` NTLM.
//!
//! Calls wait for KDCs, as those of C do. Programs that must not wait use the engine itself.
//!
//! What is stricter than with MIT krb5:
//!
//! * Messages are sealed or signed only in contexts that asked for it: ask for
//!   [`GSS_C_CONF_FLAG`](flags::GSS_C_CONF_FLAG) and [`GSS_C_INTEG_FLAG`](flags::GSS_C_INTEG_FLAG).
//! * The order of a message cannot be overlooked: see [`Unwrapped`].
//! * Credentials are delegated only to services that the KDC marks OK-AS-DELEGATE.
//! * Who asks to stay anonymous and cannot fails before anything is sent.
//!
//! ```
//! use countersign::gss::{self, CredUsage, Name, Status, flags, oid};
//! use countersign::{ChannelBindingPolicy, Provider};
//! # use countersign::kerberos::kdc::ClientCredential;
//! # use countersign::handshake::{Clock, SystemClock};
//! # use countersign_testkit::Realm;
//! # let realm = Realm::new("EXAMPLE.COM", 1).at(SystemClock.now().seconds());
//! # let service = "sentry/gate.example.com";
//! # let keytab = realm.keytab(&[service])?;
//! # let cache = realm.cache("alice", [realm.ticket("alice", service).mint()?]);
//! # let client_credential = ClientCredential::cache(&cache, SystemClock.now().seconds());
//!
//! // Two machines: one has the user's tickets, the other the service's keys.
//! let desk = Provider::new().with_initiator(client_credential);
//! let gate = Provider::new().with_keytab(&keytab);
//!
//! let target = gss::import_name(b"sentry@gate.example.com", Some(oid::GSS_C_NT_HOSTBASED_SERVICE))?;
//! let alice = gss::acquire_cred(&desk, None, 0, None, CredUsage::Initiate)?.credential;
//! let sentry = gss::acquire_cred(&gate, None, 0, None, CredUsage::Accept)?.credential;
//!
//! let (mut client, mut server) = (None, None);
//! let flags = flags::GSS_C_MUTUAL_FLAG | flags::GSS_C_CONF_FLAG | flags::GSS_C_INTEG_FLAG;
//! let first = gss::init_sec_context(&alice, &mut client, &target, None, flags, 0, None, None)?;
//! let reply = gss::accept_sec_context(
//!     &mut server, &sentry, &first.output_token.unwrap(), &ChannelBindingPolicy::Ignore,
//! )?;
//! assert_eq!(reply.source_name.unwrap().to_string(), "alice@EXAMPLE.COM");
//! let last = gss::init_sec_context(
//!     &alice, &mut client, &target, None, flags, 0, None, reply.output_token.as_deref(),
//! )?;
//! assert_eq!(last.status, Status::Complete);
//!
//! let (mut client, mut server) = (client.unwrap(), server.unwrap());
//! let sealed = gss::wrap(&mut client, true, 0, b"the password is swordfish")?;
//! assert_eq!(gss::unwrap(&mut server, &sealed.token)?.in_order()?, b"the password is swordfish");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod context;
mod credential;
mod error;
pub mod flags;
mod mechanism;
mod name;
pub mod oid;
pub mod sasl;
mod status;

pub use crate::Provider;
pub use context::{
    AcceptResult, Context, ContextInfo, GSS_C_INDEFINITE, GSS_C_INQ_SSPI_SESSION_KEY,
    GSS_C_PRF_KEY_FULL, GSS_C_PRF_KEY_PARTIAL, GSS_C_QOP_DEFAULT,
    GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT_OID, GSS_KRB5_LUCID_V1, InitResult,
    LucidContextV1, LucidKey, LucidProtocol, Status, Unwrapped, UnwrappedIov, Verified, Wrapped,
    accept_sec_context, context_time, delete_sec_context, export_lucid_sec_context,
    export_sec_context, extract_authtime, extract_authz_data, get_mic, get_mic_iov,
    get_mic_iov_length, import_sec_context, init_sec_context, inquire_context,
    inquire_sec_context_by_oid, process_context_token, pseudo_random, unwrap, unwrap_aead,
    unwrap_iov, verify_mic, verify_mic_iov, wrap, wrap_aead, wrap_iov, wrap_iov_length,
    wrap_size_limit,
};
pub use credential::{
    Acquired, CredInfo, CredStore, CredUsage, Credential, MechCredInfo, acquire_cred,
    acquire_cred_from, acquire_cred_from_environment, acquire_cred_impersonate_name,
    acquire_cred_with_evidence, acquire_cred_with_password, add_cred, export_cred, import_cred,
    inquire_cred, inquire_cred_by_mech, set_neg_mechs, store_cred_into,
};
pub use error::{Cause, GssError, Problem};
pub use mechanism::*;
pub use name::{
    LocalNames, Name, NameAttribute, NameInfo, canonicalize_name, compare_name,
    delete_name_attribute, display_name, duplicate_name, export_name, export_name_composite,
    get_name_attribute, import_name, inquire_mechs_for_name, inquire_name, inquire_names_for_mech,
    localname, set_name_attribute, userok,
};
pub use oid::OidSet;
pub use status::{display_minor_status, display_status};
