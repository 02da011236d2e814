//! `[libdefaults]`.

use alloc::string::String;

use super::enctypes::{EnctypeList, Weak};
use super::error::{ConfError, ConfProblem};
use super::tokens::NameTokens;
use super::{Krb5Conf, duration, profile};

const SECTION: &str = "libdefaults";

/// The settings of `[libdefaults]` that matter here, with MIT krb5's defaults where the file is silent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LibDefaults {
    /// `default_realm`: of names that are written without one.
    pub default_realm: Option<String>,
    /// `clockskew`, in seconds; 300.
    pub clock_skew: u32,
    /// `permitted_enctypes`; the default of this library, which is the four AES enctypes.
    pub permitted_enctypes: EnctypeList,
    /// `default_tkt_enctypes` (Heimdal: `default_as_etypes`), within the permitted; all of those.
    pub initial_enctypes: EnctypeList,
    /// `default_tgs_enctypes` (Heimdal: `default_tgs_etypes`), within the permitted; all of those.
    pub service_enctypes: EnctypeList,
    /// `allow_weak_crypto`, `allow_des3` and `allow_rc4`; none.
    pub weak: Weak,
    /// `ticket_lifetime` to ask for, in seconds; what the KDC gives.
    pub ticket_lifetime: Option<u32>,
    /// `renew_lifetime` to ask for, in seconds; tickets are not renewable.
    pub renew_lifetime: Option<u32>,
    /// `forwardable`; no.
    pub forwardable: bool,
    /// `proxiable`; no.
    pub proxiable: bool,
    /// `noaddresses` (Heimdal: `no-addresses`): tickets bound to no address; yes.
    pub no_addresses: bool,
    /// `canonicalize`: ask the KDC for the canonical name of the client; no.
    pub canonicalize: bool,
    /// `dns_lookup_kdc` (Heimdal: `srv_lookup`); yes.
    pub dns_lookup_kdc: bool,
    /// `dns_lookup_realm`; no.
    pub dns_lookup_realm: bool,
    /// `dns_uri_lookup`; yes.
    pub dns_uri_lookup: bool,
    /// `dns_canonicalize_hostname`; [`Canonicalization::Always`], as MIT krb5 has it.
    pub dns_canonicalize_hostname: Canonicalization,
    /// `rdns`: canonicalize by the address too; yes.
    pub rdns: bool,
    /// `udp_preference_limit`: messages longer than this go by TCP first; 1465.
    pub udp_preference_limit: u32,
    /// `kdc_timeout`: how long one KDC is waited for, in seconds.
    pub kdc_timeout: Option<u32>,
    /// `max_retries`: how often the list of KDCs is gone through.
    pub max_retries: Option<u32>,
    /// `request_timeout`: how long one request may take altogether, in seconds; 0 is for ever.
    pub request_timeout: Option<u32>,
    /// `kdc_timesync`: follow the KDC's clock; yes.
    pub kdc_timesync: bool,
    /// `ignore_acceptor_hostname`: accept for any host of the keytab; no.
    pub ignore_acceptor_hostname: bool,
    /// `kcm_socket`: where the KCM server listens. `-` is for nowhere.
    pub kcm_socket: Option<String>,
}

/// `dns_canonicalize_hostname`: whether the name of a service's host is replaced by what DNS says, which DNS can forge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Canonicalization {
    /// `true`.
    #[default]
    Always,
    /// `fallback`: only where the KDC does not know the name as it is.
    Fallback,
    /// `false`.
    Never,
}

impl Krb5Conf {
    /// The settings for a client of no particular realm.
    ///
    /// # Errors
    /// The line of a value that is not of its kind.
    pub fn libdefaults(&self) -> Result<LibDefaults, ConfError> {
        self.libdefaults_for("")
    }

    /// The settings for a client of the realm: the subsection of the realm's name in `[libdefaults]` goes before
    /// `[libdefaults]` itself, for those settings where MIT krb5 looks there: lifetimes, `forwardable`, `proxiable`,
    /// `noaddresses` and `canonicalize`.
    ///
    /// # Errors
    /// The line of a value that is not of its kind.
    pub fn libdefaults_for(&self, realm: impl AsRef<[u8]>) -> Result<LibDefaults, ConfError> {
        let realm = core::str::from_utf8(realm.as_ref()).unwrap_or_default();
        let all = Settings {
            conf: self,
            realm: "",
        };
        let own = Settings { conf: self, realm };
        let weak = Weak {
            crypto: all.boolean(&["allow_weak_crypto"])?.unwrap_or(false),
            des3: all.boolean(&["allow_des3"])?.unwrap_or(false),
            rc4: all.boolean(&["allow_rc4"])?.unwrap_or(false),
        };
        let list = |names: &[&str]| all.text(names).map(|text| EnctypeList::parse(text, weak));
        let permitted = list(&["permitted_enctypes", "default_etypes"])
            .unwrap_or_else(|| EnctypeList::parse("DEFAULT", weak));
        let within = |names: &[&str]| match list(names) {
            Some(list) => list.within(&permitted),
            None => permitted.clone(),
        };
        let initial_enctypes = within(&["default_tkt_enctypes", "default_as_etypes"]);
        let service_enctypes = within(&["default_tgs_enctypes", "default_tgs_etypes"]);
        Ok(LibDefaults {
            default_realm: all.text(&["default_realm"]).map(String::from),
            clock_skew: all.duration(&["clockskew"])?.unwrap_or(300),
            initial_enctypes,
            service_enctypes,
            permitted_enctypes: permitted,
            weak,
            ticket_lifetime: own.duration(&["ticket_lifetime"])?,
            renew_lifetime: own.duration(&["renew_lifetime"])?,
            forwardable: own.boolean(&["forwardable"])?.unwrap_or(false),
            proxiable: own.boolean(&["proxiable"])?.unwrap_or(false),
            no_addresses: own
                .boolean(&["noaddresses", "no-addresses"])?
                .unwrap_or(true),
            canonicalize: own.boolean(&["canonicalize"])?.unwrap_or(false),
            dns_lookup_kdc: all
                .boolean(&["dns_lookup_kdc", "dns_fallback", "srv_lookup"])?
                .unwrap_or(true),
            dns_lookup_realm: all
                .boolean(&["dns_lookup_realm", "dns_fallback"])?
                .unwrap_or(false),
            dns_uri_lookup: all.boolean(&["dns_uri_lookup"])?.unwrap_or(true),
            dns_canonicalize_hostname: all.canonicalization()?,
            rdns: all.boolean(&["rdns"])?.unwrap_or(true),
            udp_preference_limit: all.number(&["udp_preference_limit"])?.unwrap_or(1465),
            kdc_timeout: all.duration(&["kdc_timeout"])?,
            max_retries: all.number(&["max_retries"])?,
            request_timeout: all.duration(&["request_timeout"])?,
            kdc_timesync: all.number(&["kdc_timesync"])?.unwrap_or(1) != 0,
            ignore_acceptor_hostname: all.boolean(&["ignore_acceptor_hostname"])?.unwrap_or(false),
            kcm_socket: all.text(&["kcm_socket"]).map(String::from),
        })
    }

    /// `default_ccache_name` (Heimdal: `default_cc_name`), its tokens expanded.
    ///
    /// # Errors
    /// [`ConfProblem::UnknownToken`] with the line.
    pub fn default_ccache_name(
        &self,
        tokens: &NameTokens<'_>,
    ) -> Result<Option<String>, ConfError> {
        self.expanded(&["default_ccache_name", "default_cc_name"], tokens)
    }

    /// `default_keytab_name`, its tokens expanded.
    ///
    /// # Errors
    /// [`ConfProblem::UnknownToken`] with the line.
    pub fn default_keytab_name(
        &self,
        tokens: &NameTokens<'_>,
    ) -> Result<Option<String>, ConfError> {
        self.expanded(&["default_keytab_name"], tokens)
    }

    /// `default_client_keytab_name`, its tokens expanded.
    ///
    /// # Errors
    /// [`ConfProblem::UnknownToken`] with the line.
    pub fn default_client_keytab_name(
        &self,
        tokens: &NameTokens<'_>,
    ) -> Result<Option<String>, ConfError> {
        self.expanded(&["default_client_keytab_name"], tokens)
    }

    fn expanded(
        &self,
        names: &[&str],
        tokens: &NameTokens<'_>,
    ) -> Result<Option<String>, ConfError> {
        let settings = Settings {
            conf: self,
            realm: "",
        };
        let Some(found) = settings.find(names) else {
            return Ok(None);
        };
        let expanded = tokens.expand(&found.value);
        expanded
            .map(Some)
            .map_err(|problem| found.place.error(problem))
    }
}

struct Settings<'a> {
    conf: &'a Krb5Conf,
    realm: &'a str,
}

impl<'a> Settings<'a> {
    /// The first that is set of the names, in the realm's subsection first.
    fn find(&self, names: &[&str]) -> Option<&'a profile::Relation> {
        let first = |path: &[&str]| {
            let mut found = names
                .iter()
                .filter_map(|name| profile::relations(&self.conf.files, path, name).next());
            found.next()
        };
        let own = (!self.realm.is_empty()).then(|| first(&[SECTION, self.realm]));
        own.flatten().or_else(|| first(&[SECTION]))
    }

    fn text(&self, names: &[&str]) -> Option<&'a str> {
        self.find(names).map(|found| &*found.value)
    }

    fn read<T>(
        &self,
        names: &[&str],
        read: impl FnOnce(&str) -> Option<T>,
        problem: ConfProblem,
    ) -> Result<Option<T>, ConfError> {
        let Some(found) = self.find(names) else {
            return Ok(None);
        };
        let value = read(&found.value).ok_or_else(|| found.place.error(problem))?;
        Ok(Some(value))
    }

    fn boolean(&self, names: &[&str]) -> Result<Option<bool>, ConfError> {
        self.read(names, boolean, ConfProblem::NotABoolean)
    }

    fn duration(&self, names: &[&str]) -> Result<Option<u32>, ConfError> {
        self.read(names, duration, ConfProblem::NotADuration)
    }

    fn number(&self, names: &[&str]) -> Result<Option<u32>, ConfError> {
        self.read(names, |text| text.parse().ok(), ConfProblem::NotANumber)
    }

    fn canonicalization(&self) -> Result<Canonicalization, ConfError> {
        let read = |text: &str| {
            if text.eq_ignore_ascii_case("fallback") {
                return Some(Canonicalization::Fallback);
            }
            Some(match boolean(text)? {
                true => Canonicalization::Always,
                false => Canonicalization::Never,
            })
        };
        let found = self.read(
            &["dns_canonicalize_hostname"],
            read,
            ConfProblem::NotABoolean,
        )?;
        Ok(found.unwrap_or_default())
    }
}

/// The words that MIT krb5's profile library knows, in any case.
fn boolean(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["y", "yes", "true", "t", "1", "on"]) {
        Some(true)
    } else if is(&["n", "no", "false", "nil", "0", "off"]) {
        Some(false)
    } else {
        None
    }
}
