//! Services of the domain: our acceptor with an exported keytab, which reads the client's groups in the
//! ticket, and Samba's LDAP server.

use countersign::ntlm;
use countersign_context::credential::ntlm::{AccountName, NtlmCredential};
use countersign_context::credential::{Password, Principal};
use countersign_context::kerberos::kdc::{ClientCredential, ServiceTicket};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator, SignatureState};
use countersign_context::token::pac::Sid;
use countersign_context::{Flags, Mechanism, PacPolicy, PacSignature, Policy, negotiate};

use crate::Result;
use crate::kdc::Kdc::Samba;
use crate::kdc::accept::{Ends, establish};
use crate::kdc::client::text;
use crate::kdc::guide;
use crate::kdc::lab::Lab;
use crate::kdc::ldap::{self, Sasl};
use crate::kdc::rows::tickets::ticket;
use crate::kdc::rows::{Row, add};

/// Adds the rows.
pub(super) fn add_all(rows: &mut Vec<Row>) {
    add(
        rows,
        &[Samba],
        "PAC, all four signatures verified",
        signatures,
    );
    add(rows, &[Samba], "PAC, without the domain's key", |lab| {
        let (_, context) = accepted(lab, "alice", false)?;
        let pac = context.pac().ok_or("no PAC")?;
        match pac.signature(PacSignature::Kdc) {
            SignatureState::Unverified => Ok(()),
            other => Err(format!("the KDC's signature is {other:?}")),
        }
    });
    add(rows, &[Samba], "PAC, account, name and groups", identity);
    add(
        rows,
        &[Samba],
        "PAC required and not there: refused",
        absent,
    );
    for bind in BINDS {
        for (seal, how) in [(true, "sealed"), (false, "signed")] {
            // Of NTLM, LDAP servers of Windows and Samba open sealed messages even where signing alone was
            // agreed on, so nobody asks for it.
            if !seal && bind.name.contains("NTLM") {
                continue;
            }
            let scenario = format!("{}, {how}", bind.name);
            add(rows, &[Samba], scenario, move |lab| {
                searches(lab, bind, seal)
            });
        }
    }
    add(rows, &[Samba], "docs/guide/active-directory.md", guide::run);
}

/// A way to bind to Samba's LDAP server.
struct Bind {
    name: &'static str,
    sasl: Sasl,
    initiator: fn(&Lab, Flags) -> Result<Box<dyn Mechanism>>,
}

const BINDS: &[Bind] = &[
    Bind {
        name: "LDAP bind by GSSAPI",
        sasl: Sasl::Gssapi,
        initiator: |lab, flags| Ok(Box::new(initiator(lab, "bob", flags)?)),
    },
    Bind {
        name: "LDAP bind by GSS-SPNEGO, Kerberos",
        sasl: Sasl::GssSpnego,
        initiator: |lab, flags| {
            let kerberos = initiator(lab, "bob", flags)?;
            Ok(Box::new(negotiate::Initiator::new().offer(kerberos)))
        },
    },
    Bind {
        name: "LDAP bind by GSS-SPNEGO, NTLM",
        sasl: Sasl::GssSpnego,
        initiator: |_, flags| {
            let ntlm = ntlm_initiator("bob", flags)?;
            Ok(Box::new(negotiate::Initiator::new().offer(ntlm)))
        },
    },
    Bind {
        name: "LDAP bind by GSS-SPNEGO, NTLM without a KDC",
        sasl: Sasl::GssSpnego,
        initiator: |lab, flags| {
            let name = lab.principal("bob")?;
            let nobody = name.to_string().replace("AD.TEST", "NOWHERE.TEST");
            let nobody = Principal::parse(&nobody).map_err(text)?;
            let credential = ClientCredential::new(nobody, lab.password("bob"));
            let target = lab.principal("ldap/dc1.ad.test")?;
            let kerberos = Initiator::from_credential(&credential, target).require(flags);
            let ntlm = ntlm_initiator("bob", flags)?;
            Ok(Box::new(
                negotiate::Initiator::new().offer(kerberos).offer(ntlm),
            ))
        },
    },
];

fn ntlm_initiator(user: &str, flags: Flags) -> Result<ntlm::Initiator> {
    let name = AccountName::new("AD", user).map_err(text)?;
    let password = Password::from(format!("{user} Passw0rd"));
    let credential = NtlmCredential::with_password(name, &password);
    Ok(ntlm::Initiator::new(credential).require(flags))
}

fn searches(lab: &Lab, bind: &Bind, seal: bool) -> Result<()> {
    let what = ("alice", "userPrincipalName");
    let mut flags = Flags::INTEGRITY | Flags::SEQUENCE;
    if seal {
        flags |= Flags::CONFIDENTIALITY;
    }
    let initiator = (bind.initiator)(lab, flags)?;
    let value = ldap::read_attribute(bind.sasl, initiator, lab, seal, what)?;
    match value.as_str() {
        "alice@corp.example" => Ok(()),
        other => Err(format!("the server says {other}")),
    }
}

/// A side that fetches its tickets itself.
fn initiator(lab: &Lab, name: &str, flags: Flags) -> Result<Initiator> {
    let credential = ClientCredential::new(lab.principal(name)?, lab.password(name));
    let target = lab.principal("ldap/dc1.ad.test")?;
    Ok(Initiator::from_credential(&credential, target).require(flags))
}

/// The context of a service that requires a PAC, perhaps with the domain's own key.
fn accepted(lab: &Lab, name: &str, with_domain_key: bool) -> Result<Ends> {
    let exchange = ServiceTicket::new(lab.log_in(name)?, lab.principal("HTTP/web.ad.test")?);
    let ticket = ticket(lab, exchange)?;
    let mut credential = AcceptorCredential::new(&lab.keytab("web")?);
    if with_domain_key {
        credential = credential.with_ticket_granting_keys(&lab.keytab("krbtgt")?);
    }
    establish(
        Box::new(Initiator::new(ticket).require(Flags::CONFIDENTIALITY)),
        Box::new(Acceptor::new(&credential)),
        &Policy::default().with_pac(PacPolicy::Required),
    )
}

fn signatures(lab: &Lab) -> Result<()> {
    let (_, context) = accepted(lab, "alice", true)?;
    let pac = context.pac().ok_or("no PAC")?;
    for signature in [
        PacSignature::Server,
        PacSignature::Kdc,
        PacSignature::Ticket,
        PacSignature::Full,
    ] {
        let state = pac.signature(signature);
        if state != SignatureState::Verified {
            return Err(format!("the {signature} signature is {state:?}"));
        }
    }
    Ok(())
}

/// The SID of a group that the script made.
fn sid(lab: &Lab, group: &str) -> Result<Sid> {
    let sids = std::fs::read_to_string(lab.path("sids")).map_err(text)?;
    let line = sids.lines().find_map(|line| {
        let (name, sid) = line.split_once(' ')?;
        (name == group).then_some(sid)
    });
    line.ok_or_else(|| format!("no SID of {group}"))?
        .parse()
        .map_err(text)
}

fn identity(lab: &Lab) -> Result<()> {
    let (_, alice) = accepted(lab, "alice", true)?;
    let (_, bob) = accepted(lab, "bob", true)?;
    let (alice, bob) = (alice.pac().ok_or("no PAC")?, bob.pac().ok_or("no PAC")?);
    let names = [
        (alice.account_name(), "alice"),
        (alice.full_name(), "Alice"),
        (alice.logon_domain(), "AD"),
        (alice.upn(), "alice@corp.example"),
        (alice.dns_domain(), "AD.TEST"),
    ];
    for (name, expected) in names {
        if name.is_none_or(|name| name != *expected) {
            return Err(format!("{name:?} in place of {expected}"));
        }
    }
    for group in ["Staff", "Engineers", "Building", "Door"] {
        let sid = sid(lab, group)?;
        if !alice.is_member_of(&sid) || bob.is_member_of(&sid) {
            return Err(format!("alice alone is in {group}, {sid}"));
        }
    }
    if alice.is_member_of(&sid(lab, "DomainAdmins")?) {
        return Err("alice is no administrator".into());
    }
    Ok(())
}

fn absent(lab: &Lab) -> Result<()> {
    let exchange = lab.initial("alice")?.pac_request(false);
    let tgt = lab.client()?.run(exchange).map_err(text)?.credential;
    let exchange = ServiceTicket::new(tgt, lab.principal("HTTP/web.ad.test")?);
    let ticket = ticket(lab, exchange)?;
    let required = Policy::default().with_pac(PacPolicy::Required);
    match lab.accepts(ticket.clone(), "web", "alice", &required) {
        Ok(_) => return Err("accepted without a PAC".into()),
        Err(reason) if reason.contains("PAC") => {}
        Err(other) => return Err(other),
    }
    // Where it is not required, the name counts.
    lab.accepts(ticket, "web", "alice", &Policy::default())
        .map(|_| ())
}
