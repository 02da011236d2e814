//! Writes the seed corpus: real tokens, files and exchanges, the same on every run.
//!
//! `cargo run --example seeds` in this folder; then commit `corpus/`.

#[path = "../../crates/token/tests/common/mod.rs"]
#[allow(dead_code, unused_imports, clippy::all)]
mod samples;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use countersign_context::kerberos::{Acceptor, Initiator, ReplayCache, ReplayProtection};
use countersign_context::{ChannelBindings, Flags, Mechanism, Step};
use countersign_credential::cache::Version;
use countersign_credential::kcm::{CacheUuid, KcmCode, Reply, Request};
use countersign_credential::{ByteOrder, NameType, Principal};
use countersign_crypto::{Enctype, KeyUsage};
use countersign_fuzz::{Seeded, kdc, realm, sections};
use countersign_testkit::{
    ApReqBuilder, FixedClock, KrbErrorBuilder, PacBuilder, PacLogonInfo, RawAcceptor, Realm,
    SeededRandom, pac, seal_krb_cred,
};
use countersign_token::der::Decode;
use countersign_token::kerberos::{ApRep, ApReq, Authenticator, EncKrbCredPart};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn put(target: &str, name: &str, bytes: &[u8]) -> Result {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    let name: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    Ok(fs::write(folder.join(name.to_lowercase()), bytes)?)
}

fn main() -> Result {
    tokens()?;
    ntlm_and_spnego()?;
    pacs()?;
    files()?;
    names()?;
    configurations()?;
    cache_servers()?;
    ntlm_users()?;
    ntlm_exchanges()?;
    exchanges()?;
    negotiations()?;
    kdc_exchanges()?;
    conversations()?;
    exported_names()?;
    messages()
}

/// Conversations of IAKERB in either dialect and of user-to-user: honest, and with something done on each leg.
fn conversations() -> Result {
    for (kind, name) in [(0, "kitten"), (1, "zhu"), (2, "user-to-user")] {
        put("conversations", name, &sections::join(&[vec![kind]]))?;
        for leg in 0..8 {
            for (what, how) in [(1, "cut"), (3, "inserted"), (5, "altered")] {
                let edit = vec![leg, what, 0, 60, 1, 2];
                let bytes = sections::join(&[vec![kind], edit]);
                put("conversations", &format!("{name}-{leg}-{how}"), &bytes)?;
            }
        }
    }
    Ok(())
}

fn exported_names() -> Result {
    use countersign::gss::oid::{GSS_C_NT_USER_NAME, GSS_MECH_KRB5, GSS_MECH_NTLMSSP};
    for (mechanism, text, name) in [
        (GSS_MECH_KRB5, "alice@EXAMPLE.COM", "kerberos"),
        (GSS_MECH_KRB5, "HTTP/www.example.com@EXAMPLE.COM", "service"),
        (GSS_MECH_NTLMSSP, "EXAMPLE\\alice", "ntlm"),
    ] {
        let imported = countersign::gss::import_name(text.as_bytes(), Some(GSS_C_NT_USER_NAME))?;
        let provider = countersign::gss::Provider::new();
        let canonical = countersign::gss::canonicalize_name(&provider, &imported, mechanism)?;
        put(
            "exported_names",
            name,
            &countersign::gss::export_name(&canonical)?,
        )?;
        let composite = countersign::gss::export_name_composite(&canonical)?;
        put("exported_names", &format!("{name}-composite"), &composite)?;
    }
    Ok(())
}

/// Negotiations: put together by the targets, and the very messages of honest ones.
fn negotiations() -> Result {
    // How, whose token, state, MIC; what the identifiers stand for is told by `identifier`.
    let first = |mech: u8, list: &[u8]| vec![vec![1, mech, 1, 3], list.to_vec()];
    let token = |mech: u8, mic: u8| vec![vec![2, mech, 1, mic], Vec::new()];
    let last = |mech: u8| vec![vec![2, mech | 64, 0, 0], Vec::new()];
    let (kerberos, one_way, dce, ntlm) = (0, 1, 2, 3);
    let sessions = [
        ("kerberos", 0, vec![first(kerberos, &[0, 2, 1])]),
        ("windows-kerberos", 0, vec![first(kerberos, &[2, 0, 1])]),
        ("one-way", 0, vec![first(one_way, &[0, 1])]),
        (
            "one-way-unloved",
            1,
            vec![first(one_way, &[0, 1]), last(one_way)],
        ),
        ("dce", 0, vec![first(dce, &[0, 1]), token(dce, 3)]),
        ("ntlm", 2, vec![first(ntlm, &[1]), token(ntlm, 0)]),
        (
            "ntlm-unloved",
            0,
            vec![first(ntlm, &[1, 0]), token(ntlm, 0)],
        ),
        ("ntlm-lenient", 18, vec![first(ntlm, &[1]), token(ntlm, 3)]),
        (
            "kerberos-reselected",
            4,
            vec![
                first(kerberos | 64, &[3, 1, 0]),
                token(kerberos, 3),
                last(kerberos),
            ],
        ),
        (
            "one-way-reselected",
            3,
            vec![first(one_way | 64, &[3, 0]), token(one_way, 0)],
        ),
        (
            "ntlm-reselected",
            2,
            vec![first(ntlm | 64, &[0, 1]), token(ntlm, 3), token(ntlm, 0)],
        ),
    ];
    for (name, options, steps) in sessions {
        let mut input = vec![vec![options]];
        input.extend(steps.into_iter().flatten());
        put("negotiate_acceptor", name, &sections::join(&input))?;
    }

    // How, choice and holder, state, MIC.
    let reply = |choice: u8, holder: u8, state: u8, mic: u8| {
        vec![vec![1, choice | holder << 4, state, mic], Vec::new()]
    };
    let choice = |choice: u8| vec![vec![9, choice | 8, 3, 3], Vec::new()];
    let done = |holder: u8, mic: u8| vec![vec![9, holder << 4, 0, mic], Vec::new()];
    let offer = |first: u8, second: u8| first | second << 2;
    let sessions = [
        ("kerberos", offer(kerberos, ntlm), vec![reply(8, 0, 0, 3)]),
        ("java", offer(kerberos, ntlm), vec![reply(0, 0, 4, 3)]),
        ("one-way", offer(one_way, ntlm), vec![reply(8, 0, 0, 3)]),
        ("dce", offer(dce, ntlm), vec![reply(8, 0, 1, 3), done(0, 3)]),
        (
            "ntlm",
            offer(ntlm, kerberos),
            vec![reply(9, 0, 1, 3), done(0, 0)],
        ),
        (
            "kerberos-reselected",
            offer(ntlm, kerberos),
            vec![choice(0), reply(0, 1, 1, 0)],
        ),
        (
            "one-way-reselected",
            offer(ntlm, one_way),
            vec![choice(0), done(1, 0)],
        ),
        (
            "ntlm-reselected",
            offer(kerberos, ntlm),
            vec![choice(1), reply(0, 1, 1, 3), done(1, 0)],
        ),
    ];
    for (name, options, steps) in sessions {
        let mut input = vec![vec![options]];
        input.extend(steps.into_iter().flatten());
        put("negotiate_initiator", name, &sections::join(&input))?;
    }
    recorded()
}

/// The messages themselves, each side against the other with the targets' randomness.
fn recorded() -> Result {
    use countersign_fuzz::negotiate::{Mech, recorded};
    let offers = [
        (Mech::Kerberos, Mech::Ntlm, 0),
        (Mech::OneWay, Mech::Ntlm, 0),
        (Mech::Dce, Mech::Ntlm, 0),
        (Mech::Ntlm, Mech::Kerberos, 4),
        (Mech::Kerberos, Mech::Ntlm, 2),
    ];
    for (first, second, options) in offers {
        let octet = |mech| (0..4).find(|octet| Mech::of(*octet) == mech).unwrap_or(0);
        let mut sides = [
            vec![vec![octet(first) | octet(second) << 2]],
            vec![vec![options]],
        ];
        for (number, message) in recorded(first, second, options).into_iter().enumerate() {
            // What the one side says is for the target of the other.
            sides[1 - number % 2].extend([vec![0, 255], message]);
        }
        let name = format!("recorded-{first:?}-{options}");
        put("negotiate_initiator", &name, &sections::join(&sides[0]))?;
        put("negotiate_acceptor", &name, &sections::join(&sides[1]))?;
    }
    Ok(())
}

/// Each exchange with a KDC: honest, and with each part of each answer in the place of itself.
fn kdc_exchanges() -> Result {
    for scenario in 0..kdc::SCENARIOS {
        let capture = kdc::Capture::default();
        if let Err(error) = kdc::run(scenario, &[], &capture) {
            return Err(format!("exchange {scenario}: {error}").into());
        }
        put(
            "hostile_kdc",
            &format!("{scenario}-honest"),
            &sections::join(&[[scenario]]),
        )?;
        let parts = std::mem::take(&mut *capture.lock().map_err(|_| "poisoned")?);
        for (number, (how, der)) in parts.into_iter().enumerate() {
            for turn in 0..2 {
                let mut sections = vec![vec![scenario]];
                sections.extend((0..turn).flat_map(|_| [vec![0], Vec::new()]));
                sections.extend([vec![how], der.clone()]);
                let name = format!("{scenario}-part-{number}-turn-{turn}");
                put("hostile_kdc", &name, &sections::join(&sections))?;
            }
        }
    }
    Ok(())
}

/// One full sample of each kind of token, and those of an exchange on another codec.
fn tokens() -> Result {
    for kind in samples::kinds() {
        put("messages", kind.name, &(kind.sample)())?;
        put("framing", kind.name, &(kind.sample)())?;
        put("describe", kind.name, &(kind.sample)())?;
    }
    for (name, sample) in [
        ("ticket", samples::ticket()),
        ("ap-req", samples::ap_req()),
        ("krb-error", samples::krb_error()),
    ] {
        put("differential", name, &sample)?;
    }

    let realm = Realm::new("EXAMPLE.COM", 1);
    let mut random = SeededRandom::new(1);
    let keytab = realm.keytab(&["HTTP/web.example.com"])?;
    let tgt = realm.forwarded_ticket_granting_ticket("user").mint()?;
    let (mut ticket_part, mut authenticator, mut reply_part) = (Vec::new(), Vec::new(), Vec::new());
    let keep = |to: &mut Vec<u8>, plaintext: Vec<u8>| {
        to.clone_from(&plaintext);
        plaintext
    };
    let ticket = realm
        .ticket("user", "HTTP/web.example.com")
        .map_plaintext(|plaintext| keep(&mut ticket_part, plaintext))
        .mint()?;
    let cred = seal_krb_cred(
        &[&tgt],
        ticket.session_key().ok(),
        FixedClock::new(),
        &mut random,
    )?;
    let request = ApReqBuilder::new(&ticket)
        .fresh_subkey(Enctype::Aes256CtsHmacSha1_96)
        .delegation(cred.clone())
        .map_authenticator(|plaintext| keep(&mut authenticator, plaintext))
        .build(&mut random)?;
    let received = RawAcceptor::new(&keytab).accept(&request.token)?;
    let reply = received
        .reply()
        .map_plaintext(|plaintext| keep(&mut reply_part, plaintext))
        .build(&mut random)?;
    let error = KrbErrorBuilder::new(37, ticket.server.clone()).build()?;
    for (name, token) in [
        ("exchange-ticket", &ticket.ticket),
        ("exchange-ticket-part", &ticket_part),
        ("exchange-ap-req", &request.token),
        ("exchange-authenticator", &authenticator),
        ("exchange-ap-rep", &reply),
        ("exchange-ap-rep-part", &reply_part),
        ("exchange-krb-error", &error),
        ("exchange-krb-cred", &cred),
    ] {
        put("describe", name, token)?;
        put("framing", name, token)?;
        // Out of the frame of RFC 2743, which the decoder of messages does not take off.
        let message = match token.first() {
            Some(0x60) => {
                countersign_token::framing::InitialToken::parse(token)?.inner[2..].to_vec()
            }
            _ => token.clone(),
        };
        put("messages", name, &message)?;
        put("differential", name, &message)?;
    }
    Ok(())
}

/// The examples of MS-NLMP, a message of each kind, their parts in other layouts, and the tokens of
/// SPNEGO around them.
fn ntlm_and_spnego() -> Result {
    use countersign_token::oid::Oid;
    use countersign_token::spnego::{MechTypes, NegState, NegTokenInit, NegTokenResp};
    let mechanisms = MechTypes::encode(&[Oid::NTLMSSP, Oid::KERBEROS]);
    let mut messages = samples::ntlm::examples();
    messages.extend(samples::ntlm::samples());
    for (name, message) in &messages {
        put("ntlm_messages", name, message)?;
        put("describe", name, message)?;
        let init = NegTokenInit {
            mech_token: Some(message),
            ..NegTokenInit::new(MechTypes::parse(&mechanisms)?)
        };
        let resp = NegTokenResp {
            neg_state: Some(NegState::AcceptIncomplete),
            response_token: Some(message),
            ..NegTokenResp::default()
        };
        let token = match message.get(8) {
            Some(1) => init.to_bytes(),
            _ => resp.to_bytes(),
        };
        put("spnego", name, &token)?;
    }
    put("ntlm_messages", "av-pairs", &samples::ntlm::av_pairs())?;
    put("ntlm_messages", "response", &samples::ntlm::nt_response())?;
    let signature = [
        1, 0, 0, 0, 0x7f, 0xb3, 0x8e, 0xc5, 0xc5, 0x5d, 0x49, 0x76, 0, 0, 0, 0,
    ];
    put("ntlm_messages", "signature", &signature)?;
    let negotiate = samples::ntlm::negotiate();
    for length in [16, 32, 40] {
        // Without names.
        let mut short = negotiate[..length].to_vec();
        short
            .iter_mut()
            .skip(16)
            .take(16)
            .for_each(|octet| *octet = 0);
        put("ntlm_messages", &format!("negotiate-{length}"), &short)?;
        put("describe", &format!("negotiate-{length}"), &short)?;
    }
    for kind in samples::spnego::kinds() {
        put("spnego", kind.name, &(kind.sample)())?;
    }
    Ok(())
}

/// A published PAC and those of the testkit, whole and in parts.
fn pacs() -> Result {
    let published: Vec<u8> = include_str!("../../crates/token/tests/files/windows-2003.pac.hex")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.as_bytes().chunks(2))
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
        .collect::<Result<_>>()?;
    put("pac_ndr", "windows-2003", &published[0x48..0x48 + 472])?;
    let domain = "S-1-5-21-1-2-3";
    let logon = PacLogonInfo::new("alice", "EXAMPLE", domain, 1105)
        .group("S-1-5-21-1-2-3-1200")
        .group("S-1-5-21-9-9-9-2000")
        .resource_group("S-1-5-21-7-7-7", 3000, 0x2000_0007);
    put("pac_ndr", "logon-info", &logon.to_ndr())?;
    let delegation = pac::delegation_info("HTTP/web", &["host/a", "host/b"]);
    put("pac_ndr", "delegation-info", &delegation)?;
    let realm = Realm::new("EXAMPLE.COM", 1);
    let kdc = realm.ticket_granting_key()?;
    let service = realm.principal("HTTP/web.example.com");
    let full = PacBuilder::of(logon)
        .client("alice", realm.now())
        .upn_extended(
            "alice@example.com",
            "EXAMPLE.COM",
            "alice",
            "S-1-5-21-1-2-3-1105",
        )
        .requestor("S-1-5-21-1-2-3-1105")
        .attributes(2, 1)
        .delegation("HTTP/web", &["host/a", "host/b"])
        .buffer(pac::buffer_type::CLIENT_CLAIMS_INFO, b"claims".to_vec());
    let minimal = PacBuilder::minimal().client("alice", realm.now());
    let mut samples = vec![("windows-2003".to_string(), published)];
    for &enctype in Enctype::ALL {
        let key = realm.key(&service, enctype, 1)?;
        let pac = full.sign(&key, &kdc, Some(b"ticket"))?;
        samples.push((format!("full-{}", enctype.name()), pac));
    }
    let key = realm.key(&service, Enctype::Aes256CtsHmacSha1_96, 1)?;
    samples.push(("minimal".into(), minimal.sign(&key, &kdc, None)?));
    samples.push((
        "rodc".into(),
        minimal.rodc_identifier(7).sign(&key, &kdc, None)?,
    ));
    for (name, pac) in samples {
        put("pac", &name, &pac)?;
        put("describe", &format!("pac-{name}"), &pac)?;
    }
    Ok(())
}

fn files() -> Result {
    let realm = Realm::new("EXAMPLE.COM", 1);
    let keytab = realm.keytab_of(
        &["HTTP/web.example.com", "host/web.example.com"],
        &[1, 300],
        &[
            Enctype::Aes256CtsHmacSha1_96,
            Enctype::Aes128CtsHmacSha256_128,
        ],
    )?;
    put("keytab", "two-services", &keytab.to_bytes()?)?;
    put("keytab", "empty", &[5, 2])?;
    let tickets = [
        realm
            .ticket_granting_ticket("user")
            .renew_till(realm.now() + 900_000)
            .mint()?,
        realm
            .ticket("user", "HTTP/web.example.com")
            .addresses(&[(2, &[192, 0, 2, 1])])
            .mint()?,
    ];
    let cache = realm.cache("user", tickets);
    for (name, version) in [
        ("v1-little", Version::V1(ByteOrder::Little)),
        ("v2-big", Version::V2(ByteOrder::Big)),
        ("v3", Version::V3),
        ("v4", Version::V4),
    ] {
        put("ccache", name, &cache.to_bytes(version)?)?;
    }
    // What MIT krb5 wrote.
    let theirs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/credential/tests/files");
    for entry in fs::read_dir(theirs)? {
        let path = entry?.path();
        let (stem, extension) = (path.file_stem(), path.extension());
        let (Some(stem), Some(extension)) = (
            stem.and_then(|s| s.to_str()),
            extension.and_then(|s| s.to_str()),
        ) else {
            continue;
        };
        if matches!(extension, "keytab" | "ccache") {
            put(extension, &format!("mit-{stem}"), &fs::read(&path)?)?;
        }
    }
    Ok(())
}

fn names() -> Result {
    for (name, text) in [
        ("user", "user@EXAMPLE.COM"),
        ("service", "HTTP/web.example.com@EXAMPLE.COM"),
        ("spn", "MSSQLSvc/db.example.com:1433/instance@EXAMPLE.COM"),
        ("host-based", "HTTP@web.example.com"),
        ("escapes", r"a\/b\@c\\d\n\t\b\0/e@R\@S"),
        ("wildcard", "HTTP/*@EXAMPLE.COM"),
        ("literal", "HTTP/[2001:db8::1]:8080"),
    ] {
        put("names", name, text.as_bytes())?;
    }
    let odd = Principal::new("R\0S", ["", "\u{e9}", "a b"], NameType::UNKNOWN);
    put("names", "odd", &odd.to_text())
}

fn configurations() -> Result {
    for (name, text) in [
        (
            "whole",
            "[libdefaults]\n default_realm = A.TEST\n clockskew = 5m\n ticket_lifetime = 1d 12h\n \
             permitted_enctypes = DEFAULT +rc4 -aes128-sha1\n allow_rc4 = true\n \
             dns_canonicalize_hostname = fallback\n default_ccache_name = DIR:%{TEMP}/cc_%{uid}\n \
             A.TEST = {\n  renew_lifetime = 7-00:00:00\n }\n[realms]\n A.TEST = {\n  kdc = [::1]:88\n  \
             kdc = https://proxy.a.test:8443/KdcProxy\n  kdc = tcp/k\n  master_kdc = m\n  \
             admin_server = adm\n }\n[domain_realm]\n .a.test = A.TEST\n a.test = A.TEST\n[capaths]\n \
             A.TEST = {\n  B.TEST = .\n  C.TEST = B.TEST\n }\n",
        ),
        (
            "braces",
            "[a]*\nx =\n{\n b = \"q\\n\\\"\" x\n}*\n y* = {\n }\n",
        ),
        ("comments", "text\n[a]\n# c\n ; d\r\nb = 1\r\n"),
    ] {
        put("krb5_conf", name, text.as_bytes())?;
    }
    let included = b"include /1\nincludedir /d\n[a]\nb = 1\n\xff[a]\nb = 2\n\xff[c]\nd = 3\n";
    put("krb5_conf", "included", included)
}

fn ntlm_users() -> Result {
    let hash = "cfc43211ba8dc470832267827cac1407";
    let samba = "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:CFC43211BA8DC470832267827CAC1407";
    for (name, text) in [
        (
            "whole",
            format!(
                "\u{feff}# users\r\nCORP:alice:correct:horse\r\n*:bob: p \n:Jürgen:x\n\ncarol:{hash}\n\
                 LAB\\carol:{hash}\ndave@corp.example:{hash}\n"
            ),
        ),
        (
            "samba",
            format!(
                "alice:1000:{samba}:[U          ]:LCT-5F5E1000:\nbob:1001:{samba}:[DU         ]:LCT-5F5E1000:\n"
            ),
        ),
        ("duplicate", "CORP:alice:one\ncorp:ALICE:two\n".into()),
        ("name", "CORP\\alice".into()),
        ("principal-name", "alice@corp.example".into()),
    ] {
        put("ntlm_users", name, text.as_bytes())?;
    }
    Ok(())
}

/// Honest exchanges of each kind, as the stateful targets of NTLM have them: the acceptor there draws
/// what it draws here.
fn ntlm_exchanges() -> Result {
    use countersign_context::ntlm as engine;
    use countersign_fuzz::ntlm::{self, Options};
    use countersign_token::ntlm::AuthenticateMessage;
    type Change = fn(engine::Initiator) -> engine::Initiator;
    let kinds: [(&str, [u8; 2], Change); 8] = [
        ("sealed", [0, 1], |i| i.require(Flags::CONFIDENTIALITY)),
        ("signed", [0x10, 0], |i| i.require(Flags::INTEGRITY)),
        ("asked-of-a-controller", [0x10, 2], |i| {
            i.require(Flags::INTEGRITY)
        }),
        ("bare", [0, 0], |i| i),
        ("bound", [0x20, 0], |i| {
            i.channel_bindings(ChannelBindings::from_application_data("channel"))
        }),
        ("connectionless", [0x40, 1], |i| {
            i.connectionless().require(Flags::CONFIDENTIALITY)
        }),
        ("anonymous", [0x02, 0], |_| engine::Initiator::anonymous()),
        ("ntlmv1", [0x0d, 0], |i| {
            i.dangerous_v1().request(Flags::INTEGRITY)
        }),
    ];
    for (name, [options, more], change) in kinds {
        let policy = Options(options).policy();
        let credential = engine::AcceptorCredential::new(ntlm::names());
        let (mut random, mut other) = (Seeded(1), Seeded(2));
        let mut acceptor = engine::Acceptor::new(&credential);
        let mut initiator = change(engine::Initiator::new(ntlm::credential()));
        let datagram = Options(options).is(6);
        if datagram {
            acceptor = acceptor.connectionless();
        }
        let negotiate =
            token_of(initiator.step(None, &mut ntlm::environment(&mut other, &policy)))?;
        let first = (!datagram).then_some(&negotiate[..]);
        let challenge =
            token_of(acceptor.step(first, &mut ntlm::environment(&mut random, &policy)))?;
        let mut env = ntlm::environment(&mut other, &policy);
        let step = initiator.step(Some(&challenge), &mut env);
        let Ok(Step::Established {
            token: Some(authenticate),
            context,
        }) = step
        else {
            return Err(format!("{name}: {step:?}").into());
        };
        let exported = context.export()?;
        put("import", &format!("ntlm-{name}"), &exported)?;
        if let ("sealed", Some((_none, before))) = (name, exported.split_last()) {
            // As an acceptor has it that knows the service that was meant.
            let target = b"\x01\x00\x00\x00\x00\x08HTTP/www";
            put("import", "ntlm-named", &[before, target].concat())?;
        }
        let control = vec![options, more];
        for (how, label) in [(0, "raw"), (3, "repaired")] {
            let mut parts = vec![control.clone()];
            if !datagram {
                parts.extend([vec![0], negotiate.clone()]);
            }
            parts.extend([vec![how], authenticate.clone()]);
            put(
                "ntlm_acceptor",
                &format!("{name}-{label}"),
                &sections::join(&parts),
            )?;
        }
        if name == "sealed" {
            lm_v2(&negotiate, &AuthenticateMessage::parse(&authenticate)?)?;
        }
        initiator_seeds(name, options, &challenge)?;
    }
    for kind in 0..16_u8 {
        let mut parts = vec![vec![kind]];
        for call in 0..4 {
            parts.extend([vec![call, 0, 0, 0], b"a message".to_vec()]);
            parts.extend([vec![call | 0x80, 14, 0, 1], b"and another one".to_vec()]);
        }
        // A forgery of nothing.
        parts.extend([Vec::new(), [&[1, 0, 0, 0][..], &[7; 24]].concat()]);
        put(
            "ntlm_unwrap",
            &format!("calls-{kind}"),
            &sections::join(&parts),
        )?;
    }
    Ok(())
}

fn token_of(step: std::result::Result<Step, countersign_context::Error>) -> Result<Vec<u8>> {
    match step? {
        Step::Continue { token } => Ok(token),
        step => Err(format!("{step:?}").into()),
    }
}

/// LMv2 alone, whose proof the target makes.
fn lm_v2(negotiate: &[u8], message: &countersign_token::ntlm::AuthenticateMessage<'_>) -> Result {
    let message = countersign_token::ntlm::AuthenticateMessage {
        lm_response: &[7; 24],
        nt_response: &[],
        mic: None,
        ..*message
    };
    let parts = [
        vec![0x09, 0],
        vec![0],
        negotiate.to_vec(),
        vec![1],
        message.to_bytes()?,
    ];
    put("ntlm_acceptor", "lmv2", &sections::join(&parts))
}

/// A challenge as it is, and in its parts.
fn initiator_seeds(name: &str, options: u8, challenge: &[u8]) -> Result {
    let message = countersign_token::ntlm::ChallengeMessage::parse(challenge)?;
    let info = message.target_info.map_or(&[][..], |info| info.as_bytes());
    let flags = message.flags.0.to_le_bytes();
    let parts = [&flags[..], &message.server_challenge, info].concat();
    // Whether weaker keys are named, and the mode.
    let options = options & 0x44;
    for more in [0, 1, 2, 6, 8, 16] {
        for (how, bytes) in [(0, challenge), (1, &parts[..])] {
            let sections = [vec![options, more], vec![how], bytes.to_vec()];
            let name = format!("{name}-{more}-{how}");
            put("ntlm_initiator", &name, &sections::join(&sections))?;
        }
    }
    Ok(())
}

fn cache_servers() -> Result {
    let realm = Realm::new("EXAMPLE.COM", 1);
    let ticket = realm.ticket("user", "HTTP/web.example.com").mint()?;
    let user = ticket.client.clone();
    let uuids = [CacheUuid([1; 16]), CacheUuid([2; 16])];
    let tickets = [ticket.duplicate(), ticket.duplicate()];
    for (name, frame) in [
        ("reply-name", Reply::frame_of_name("1000:1")),
        ("reply-refusal", Reply::frame_of_code(KcmCode::NO_CACHE)),
        ("reply-number", Reply::frame_of_number(-5)),
        ("reply-uuids", Reply::frame_of_uuids(&uuids)),
        ("reply-principal", Reply::frame_of_principal(&user)),
        ("reply-credential", Reply::frame_of_credential(&ticket)),
        ("reply-credentials", Reply::frame_of_credentials(&tickets)),
    ] {
        put("kcm", name, &frame)?;
    }
    for (name, frame) in [
        ("request-default", Request::default_cache()),
        ("request-store", Request::store("1000", &ticket)?),
        (
            "request-replace",
            Request::replace("1000", 1, &user, tickets.iter())?,
        ),
    ] {
        put("kcm", name, frame.get(4..).unwrap_or_default())?;
    }
    Ok(())
}

/// Exchanges of our own initiator and acceptor, in the realm of the targets, with what stood inside
/// of the encrypted parts.
fn exchanges() -> Result {
    let samples_of_credentials = samples::enc_krb_cred_part();
    EncKrbCredPart::from_der(&samples_of_credentials)?;
    for (index, &enctype) in Enctype::ALL.iter().enumerate() {
        let key = realm::session_key(enctype);
        for kind in ["plain", "dce", "bound", "delegating"] {
            // The small ones once for each enctype, the others for one.
            if kind != "plain" && enctype != Enctype::Aes256CtsHmacSha1_96 {
                continue;
            }
            let dce = kind == "dce";
            let bindings = ChannelBindings::from_application_data("channel");
            let flags = Flags::REPLAY | Flags::SEQUENCE | Flags::CONFIDENTIALITY | Flags::INTEGRITY;
            let mut initiator = Initiator::new(realm::ticket_credential(enctype)).request(flags);
            // As the target has it, so that the same sequence number is drawn.
            let cache = ReplayProtection::Shared(Arc::new(ReplayCache::new(4)));
            let credential = realm::acceptor_credential()
                .clone()
                .with_replay_protection(cache);
            let mut acceptor = Acceptor::new(&credential);
            match kind {
                "dce" => initiator = initiator.dce_style(),
                "bound" => {
                    initiator = initiator.channel_bindings(bindings.clone());
                    acceptor = acceptor.channel_bindings(bindings);
                }
                "delegating" => initiator = initiator.delegate(realm::ticket_credential(enctype)),
                _ => {}
            }
            let mut random = Seeded(index as u64 + 100 * kind.len() as u64);
            let request = sent(initiator.step(None, &mut realm::environment(&mut random))?)?;
            let reply =
                sent(acceptor.step(Some(&request), &mut realm::environment(&mut Seeded(1)))?)?;
            let step = initiator.step(Some(&reply), &mut realm::environment(&mut random))?;
            let third = sent(step).unwrap_or_default();

            let name = format!("{kind}-{}", enctype.name());
            let index = u8::try_from(index)?;
            let options = if kind == "bound" { 2 } else { 0 };
            let mut tokens = vec![vec![options], request.clone()];
            if dce {
                tokens.push(third.clone());
            }
            put("acceptor", &name, &sections::join(&tokens))?;

            let ap_rep = |token: &[u8]| -> Result<Vec<u8>> {
                let message = realm::unframe(token).ok_or("no token")?.1;
                let cipher = ApRep::from_der(message)?.enc_part.cipher;
                Ok(key.decrypt(KeyUsage::AP_REP, cipher)?.to_vec())
            };
            let message = realm::unframe(&request).ok_or("no token")?.1;
            let cipher = ApReq::from_der(message)?.authenticator.cipher;
            let authenticator = key.decrypt(KeyUsage::AP_REQ_AUTHENTICATOR, cipher)?;
            let checksum = Authenticator::from_der(&authenticator)?
                .cksum
                .ok_or("no checksum")?;
            let delegating = kind == "delegating";
            let inside = [
                vec![index, u8::from(dce), 0x20, 0, 0, 0],
                realm::ticket_part(&key),
                authenticator.to_vec(),
                if delegating {
                    checksum.checksum.to_vec()
                } else {
                    Vec::new()
                },
                if delegating {
                    samples_of_credentials.clone()
                } else {
                    Vec::new()
                },
                if dce { ap_rep(&third)? } else { Vec::new() },
            ];
            for target in ["acceptor_inside", "differential_gss"] {
                put(target, &name, &sections::join(&inside))?;
            }

            let options = match kind {
                "dce" => 1,
                "bound" => 2,
                "delegating" => 4,
                _ => 0,
            };
            let control = vec![index, options];
            let sealed = [control.clone(), vec![2], ap_rep(&reply)?];
            put("initiator", &name, &sections::join(&sealed))?;
            if kind == "plain" {
                let skew = KrbErrorBuilder::new(37, realm::service())
                    // KERB-ERROR-DATA of KERB_AP_ERR_TYPE_SKEW_RECOVERY (MS-KILE 2.2.2).
                    .data(vec![0x30, 5, 0xa1, 3, 2, 1, 2])
                    .framing(countersign_testkit::Framing::Bare)
                    .build()?;
                let recovered = [control.clone(), vec![3], skew, vec![2], ap_rep(&reply)?];
                put(
                    "initiator",
                    &format!("skew-{name}"),
                    &sections::join(&recovered),
                )?;
                put(
                    "initiator",
                    &format!("raw-{name}"),
                    &sections::join(&[control, vec![0], reply]),
                )?;
            }
        }
    }
    Ok(())
}

/// The token of a step.
fn sent(step: Step) -> Result<Vec<u8>> {
    match step {
        Step::Continue { token }
        | Step::Established {
            token: Some(token), ..
        } => Ok(token),
        other => Err(format!("{other:?}").into()),
    }
}

/// Protected messages and exported contexts.
fn messages() -> Result {
    let flags =
        Flags::MUTUAL | Flags::REPLAY | Flags::SEQUENCE | Flags::CONFIDENTIALITY | Flags::INTEGRITY;
    for (index, &enctype) in Enctype::ALL.iter().enumerate() {
        let index = u8::try_from(index)?;
        let (mut initiator, acceptor) = realm::established(enctype, flags, 2);
        let token = initiator.wrap(true, b"a sealed message")?;
        let mic = initiator.get_mic(b"a sealed message")?;
        put("import", enctype.name(), &acceptor.export()?)?;
        for kind in 0..5_u8 {
            let message = vec![b'm'; usize::from(kind) * 13];
            let edits = vec![0, 0, 1, 0, 20, 0, 0x80, 1];
            let mut input = vec![
                vec![index, kind & 3, kind],
                message,
                b"associated".to_vec(),
                edits,
            ];
            if kind == 0 {
                // Without the end of the MAC, which no mutation can find.
                input.extend([&token, &mic].map(|token| token[..token.len() - 12].to_vec()));
            }
            put(
                "unwrap",
                &format!("{}-{kind}", enctype.name()),
                &sections::join(&input),
            )?;
        }
    }
    let (mut initiator, acceptor) =
        realm::established(Enctype::Aes256CtsHmacSha1_96, flags | Flags::DCE_STYLE, 2);
    initiator.wrap(true, b"used")?;
    put("import", "dce-initiator", &initiator.export()?)?;
    put("import", "dce-acceptor", &acceptor.export()?)
}
