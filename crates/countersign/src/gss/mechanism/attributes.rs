//! Attributes of mechanisms: RFC 5587 §3.2, with the numbers of its table.
//!
//! Each is `1.3.6.1.5.5.13.` and the number. Three calls: which mechanisms have these, which does this
//! one have, what does this one mean.

use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};
use super::super::oid::OidSet;
use super::Mech;

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        $(
            $(#[$doc])*
            #[doc = ""]
            #[doc = concat!("1.3.6.1.5.5.13.", stringify!($number))]
            pub const $name: Oid<'static> =
                Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x0d, $number]);
        )*

        /// Every attribute of RFC 5587, with its name and what it says.
        const ALL: &[(Oid<'static>, &str, &str)] =
            &[$(($name, stringify!($name), $text),)*];
    };
}

attributes! {
    /// It is one mechanism, neither pseudo nor composite.
    GSS_C_MA_MECH_CONCRETE = 1, "one mechanism, whole in itself";
    /// It stands for others.
    GSS_C_MA_MECH_PSEUDO = 2, "stands for other mechanisms";
    /// It is made of others.
    GSS_C_MA_MECH_COMPOSITE = 3, "made of other mechanisms";
    /// It negotiates others.
    GSS_C_MA_MECH_NEGO = 4, "negotiates other mechanisms";
    /// It is made to be part of others.
    GSS_C_MA_MECH_GLUE = 5, "made to be part of others";
    /// It is no mechanism.
    GSS_C_MA_NOT_MECH = 6, "no mechanism";
    /// Use another.
    GSS_C_MA_DEPRECATED = 7, "deprecated";
    /// It is not used by default.
    GSS_C_MA_NOT_DFLT_MECH = 8, "used only where it is named";
    /// Its first token has the frame of RFC 2743 §3.1.
    GSS_C_MA_ITOK_FRAMED = 9, "its first token names the mechanism";
    /// The initiator proves who it is to the acceptor.
    GSS_C_MA_AUTH_INIT = 10, "the initiator proves who it is";
    /// The acceptor proves who it is to the initiator.
    GSS_C_MA_AUTH_TARG = 11, "the acceptor proves who it is";
    /// Initiators can get their first credential by it.
    GSS_C_MA_AUTH_INIT_INIT = 12, "initiators log on by it";
    /// Acceptors can get their first credential by it.
    GSS_C_MA_AUTH_TARG_INIT = 13, "acceptors log on by it";
    /// The initiator can stay anonymous.
    GSS_C_MA_AUTH_INIT_ANON = 14, "the initiator can stay anonymous";
    /// The acceptor can stay anonymous.
    GSS_C_MA_AUTH_TARG_ANON = 15, "the acceptor can stay anonymous";
    /// Credentials can be delegated.
    GSS_C_MA_DELEG_CRED = 16, "credentials can be delegated";
    /// Messages can be signed.
    GSS_C_MA_INTEG_PROT = 17, "messages can be signed";
    /// Messages can be sealed.
    GSS_C_MA_CONF_PROT = 18, "messages can be sealed";
    /// It has MIC tokens.
    GSS_C_MA_MIC = 19, "it has MIC tokens";
    /// It has wrap tokens.
    GSS_C_MA_WRAP = 20, "it has wrap tokens";
    /// Messages can be protected before the context is established.
    GSS_C_MA_PROT_READY = 21, "protects messages before the context is established";
    /// Replays are detected.
    GSS_C_MA_REPLAY_DET = 22, "replays are detected";
    /// Messages out of order are detected.
    GSS_C_MA_OOS_DET = 23, "messages out of order are detected";
    /// It takes channel bindings.
    GSS_C_MA_CBINDINGS = 24, "it takes channel bindings";
    /// It has perfect forward secrecy.
    GSS_C_MA_PFS = 25, "it has perfect forward secrecy";
    /// It compresses.
    GSS_C_MA_COMPRESS = 26, "it compresses";
    /// Contexts can be exported.
    GSS_C_MA_CTX_TRANS = 27, "contexts can be exported";
}

fn of(mechanism: Mech) -> OidSet {
    let protection = [
        GSS_C_MA_INTEG_PROT,
        GSS_C_MA_CONF_PROT,
        GSS_C_MA_MIC,
        GSS_C_MA_WRAP,
        GSS_C_MA_REPLAY_DET,
        GSS_C_MA_OOS_DET,
        GSS_C_MA_CBINDINGS,
        GSS_C_MA_CTX_TRANS,
    ];
    let kerberos = [
        GSS_C_MA_MECH_CONCRETE,
        GSS_C_MA_ITOK_FRAMED,
        GSS_C_MA_AUTH_INIT,
        GSS_C_MA_AUTH_TARG,
        GSS_C_MA_DELEG_CRED,
    ];
    let own: &[Oid<'static>] = match mechanism {
        Mech::Krb5 => &kerberos,
        Mech::Iakerb => &[
            GSS_C_MA_MECH_CONCRETE,
            GSS_C_MA_NOT_DFLT_MECH,
            GSS_C_MA_ITOK_FRAMED,
            GSS_C_MA_AUTH_INIT,
            GSS_C_MA_AUTH_TARG,
            GSS_C_MA_AUTH_INIT_INIT,
        ],
        Mech::UserToUser => &[
            GSS_C_MA_MECH_CONCRETE,
            GSS_C_MA_NOT_DFLT_MECH,
            GSS_C_MA_ITOK_FRAMED,
            GSS_C_MA_AUTH_INIT,
            GSS_C_MA_AUTH_TARG,
        ],
        // What it negotiates has the rest.
        Mech::Spnego => return [GSS_C_MA_MECH_NEGO, GSS_C_MA_ITOK_FRAMED].into(),
        #[cfg(feature = "ntlm")]
        Mech::Ntlm => &[
            GSS_C_MA_MECH_CONCRETE,
            GSS_C_MA_NOT_DFLT_MECH,
            GSS_C_MA_AUTH_INIT,
            GSS_C_MA_AUTH_INIT_INIT,
            GSS_C_MA_AUTH_INIT_ANON,
        ],
    };
    own.iter().copied().chain(protection).collect()
}

/// The attributes of a mechanism, and all that are known (RFC 5587 §3.4,
/// `gss_inquire_attrs_for_mech`); `None` is Kerberos.
///
/// # Errors
/// `GSS_S_BAD_MECH`.
pub fn inquire_attrs_for_mech(mechanism: Option<Oid<'_>>) -> Result<(OidSet, OidSet), GssError> {
    let mechanism = Mech::of(mechanism.unwrap_or(Oid::KERBEROS))?;
    let known = ALL.iter().map(|(attribute, ..)| *attribute).collect();
    Ok((of(mechanism), known))
}

/// The mechanisms that have all of `desired` and none of `except`, and to which all of `critical` mean
/// something, which is to say that they are known here (RFC 5587 §3.4,
/// `gss_indicate_mechs_by_attrs`).
#[must_use]
pub fn indicate_mechs_by_attrs(desired: &OidSet, except: &OidSet, critical: &OidSet) -> OidSet {
    let known = |attribute| ALL.iter().any(|(oid, ..)| *oid == attribute);
    if !critical.iter().all(known) {
        return OidSet::new();
    }
    let fits = |mechanism: &&Mech| {
        let own = of(**mechanism);
        desired.iter().all(|attribute| own.contains(attribute))
            && !except.iter().any(|attribute| own.contains(attribute))
    };
    let mechanisms = Mech::ALL.iter().filter(fits);
    mechanisms.map(|mechanism| mechanism.oid()).collect()
}

/// The name of an attribute in C and what it says (RFC 5587 §3.4, `gss_display_mech_attr`).
///
/// # Errors
/// `GSS_S_BAD_MECH_ATTR`.
pub fn display_mech_attr(attribute: Oid<'_>) -> Result<(&'static str, &'static str), GssError> {
    let known = ALL.iter().find(|(oid, ..)| *oid == attribute);
    let (_, name, text) = known.ok_or(Problem::MechanismAttribute)?;
    Ok((name, text))
}
