//! What a server calls itself.

use countersign::ntlm::ServerNames;

use crate::args::NtlmServer;
use crate::failure::Failure;

/// NetBIOS names of computers have no more characters: the sixteenth is a suffix (MS-BRWS §2.1.1.1).
const MAX_NETBIOS: usize = 15;

/// The names that the options give, and else the host's.
pub(super) fn of(options: &NtlmServer) -> Result<ServerNames, Failure> {
    let (name, option) = match &options.ntlm_name {
        Some(name) => (name.clone(), "--ntlm-name"),
        None => (host_name()?, "the host's name"),
    };
    let wrong = |what: &str, name: &str, error| Failure::usage(format!("{what} {name:?}: {error}"));
    let computer = netbios(&name);
    // A server without a domain is its own.
    let domain = options.ntlm_domain.as_deref().unwrap_or(&computer);
    let names = ServerNames::new(&computer, &computer)
        .map_err(|error| wrong(option, &name, error))
        .and_then(|_| {
            ServerNames::new(&computer, domain)
                .map_err(|error| wrong("--ntlm-domain", domain, error))
        })?;
    match name
        .split_once('.')
        .filter(|(_, domain)| !domain.is_empty())
    {
        Some((_, domain)) => names
            .with_dns(&name, domain)
            .map_err(|error| wrong(option, &name, error)),
        None => Ok(names),
    }
}

/// The NetBIOS name of a host: the first label of its DNS name, in upper case.
fn netbios(name: &str) -> String {
    let label = name.split('.').next().unwrap_or(name);
    label.to_uppercase().chars().take(MAX_NETBIOS).collect()
}

fn host_name() -> Result<String, Failure> {
    #[cfg(unix)]
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok();
    name.filter(|name| !name.is_empty()).ok_or_else(|| {
        Failure::usage("this host has no name; give the server one with --ntlm-name")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: Option<&str>, domain: Option<&str>) -> Result<ServerNames, Failure> {
        of(&NtlmServer {
            ntlm_users: None,
            ntlm_mic: crate::args::Mic::Required,
            ntlm_name: name.map(str::to_owned),
            ntlm_domain: domain.map(str::to_owned),
            #[cfg(feature = "ntlm-v1")]
            ntlm_dangerous_v1: false,
        })
    }

    #[test]
    fn a_dns_name_gives_a_netbios_name_and_the_dns_names() {
        let names = named(Some("gate-of-the-castle.example.com"), Some("EXAMPLE")).unwrap();
        let expected = ServerNames::new("GATE-OF-THE-CAS", "EXAMPLE")
            .and_then(|names| names.with_dns("gate-of-the-castle.example.com", "example.com"))
            .unwrap();
        assert_eq!(names, expected);
        // Without a domain there is the computer's name in its place.
        let names = named(Some("gate"), None).unwrap();
        assert_eq!(names, ServerNames::new("GATE", "GATE").unwrap());
    }

    #[test]
    fn a_wrong_name_is_told_by_its_option() {
        let complaint = |name, domain| named(name, domain).unwrap_err().to_string();
        assert!(complaint(Some(""), Some("EXAMPLE")).starts_with("--ntlm-name \"\""));
        assert!(complaint(Some("gate"), Some("")).starts_with("--ntlm-domain \"\""));
        assert!(complaint(Some("gate"), Some("A\nB")).starts_with("--ntlm-domain \"A\\nB\""));
    }

    #[test]
    fn without_an_option_the_name_is_the_hosts() {
        let name = netbios(&host_name().unwrap());
        let names = named(None, None).unwrap();
        assert_eq!((names.computer(), names.domain()), (&*name, &*name));
    }
}
