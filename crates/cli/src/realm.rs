//! `countersign realm`: a realm with a KDC, in one command, for developers.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use countersign::credential::Principal;
use countersign::crypto::Enctype;
use countersign::handshake::{Clock, SystemClock, SystemRandom};
use countersign_testkit::{FixedClock, Kdc, KdcServer};
use serde_json::json;

use crate::args::{self, RealmOptions};
use crate::failure::{Failure, address_failed};
use crate::files::write_private;
use crate::output::{complain, event};

/// A user and the password.
struct User {
    name: String,
    password: String,
}

pub(crate) fn run(options: &RealmOptions) -> Result<(), Failure> {
    let users = users(options)?;
    let kdc = kdc(options, &users)?;
    let server = listen(options, &kdc)?;
    let services: Vec<_> = options.services.iter().map(String::as_str).collect();
    let keytab = kdc
        .keytab(&services)
        .and_then(|keytab| Ok(keytab.to_bytes()?))
        .map_err(|error| Failure::usage(error.to_string()))?;
    write_private(&options.keytab, &keytab, "keytab")?;
    if let Some(path) = &options.krb5_conf {
        write_private(path, krb5_conf(options, &server).as_bytes(), "krb5.conf")?;
    }
    complain("this realm is for development: it ends with this program and forgets everything");
    report(options, &users, &server);
    match options.seconds {
        Some(seconds) => thread::sleep(Duration::from_secs(seconds)),
        // A signal ends the program, and with it everything there is.
        None => loop {
            thread::park();
        },
    }
    drop(server);
    Ok(())
}

fn users(options: &RealmOptions) -> Result<Vec<User>, Failure> {
    let mut users = Vec::new();
    for text in &options.users {
        users.push(user(text, "--user")?);
    }
    if let Some(path) = &options.users_from {
        let lines = read(path)?;
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            users.push(user(line, "--users-from")?);
        }
    }
    Ok(users)
}

fn user(text: &str, option: &str) -> Result<User, Failure> {
    // What stands there may be a password: it is not repeated.
    let (name, password) = text
        .split_once(':')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::usage(format!("{option} wants NAME:PASSWORD")))?;
    Ok(User {
        name: name.into(),
        password: password.into(),
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path == Path::new("-") {
        true => io::stdin().read_to_string(&mut text).map(|_| text),
        false => fs::read_to_string(path),
    };
    read.map_err(|error| Failure::system(format!("cannot read {}: {error}", path.display())))
}

fn kdc(options: &RealmOptions, users: &[User]) -> Result<Kdc, Failure> {
    let realm = &options.realm;
    let is_name = |name: &str| Principal::parse_with_default_realm(name, realm).is_ok();
    if realm.is_empty() || !is_name("user") || realm.contains('@') {
        return Err(Failure::usage(format!("\"{realm}\" is no realm")));
    }
    let names: Vec<_> = users.iter().map(|user| &user.name).collect();
    let all = || names.iter().copied().chain(&options.services);
    if let Some(name) = all().find(|name| name.is_empty() || !is_name(name)) {
        return Err(Failure::usage(format!("\"{name}\" is no principal")));
    }
    if let Some(name) = all().find(|name| all().filter(|other| other == name).count() > 1) {
        return Err(Failure::usage(format!("{name} is named twice")));
    }
    if names.is_empty() && options.services.is_empty() {
        return Err(Failure::usage(
            "name somebody with --user and a service with --service",
        ));
    }
    let mut builder = Kdc::builder(realm).random(SystemRandom).clock(|| {
        let now = SystemClock.now();
        FixedClock {
            seconds: now.seconds(),
            microseconds: now.microseconds(),
        }
    });
    let enctypes: Vec<Enctype> = options
        .enctypes
        .iter()
        .map(|name| args::enctype(name))
        .collect::<Result<_, _>>()?;
    if !enctypes.is_empty() {
        builder = builder.enctypes(&enctypes);
    }
    for user in users {
        builder = builder.user(&user.name, &user.password);
    }
    for service in &options.services {
        builder = builder.service(service);
    }
    builder
        .build()
        .map_err(|error| Failure::system(format!("the KDC cannot start: {error}")))
}

fn listen(options: &RealmOptions, kdc: &Kdc) -> Result<KdcServer, Failure> {
    let listen = options.listen.as_str();
    match &options.listen_kpasswd {
        None => kdc.serve(listen),
        Some(kpasswd) => kdc.serve_on(listen, kpasswd.as_str()),
    }
    .map_err(|error| address_failed("listen on", listen, &error))
}

/// What MIT's and Heimdal's programs need to know, and nothing that would make them ask the network.
fn krb5_conf(options: &RealmOptions, server: &KdcServer) -> String {
    let realm = &options.realm;
    let mut text = format!(
        "# A realm for development, by `countersign realm`.\n\
         [libdefaults]\n\
         \tdefault_realm = {realm}\n\
         \tdns_lookup_kdc = false\n\
         \tdns_lookup_realm = false\n\
         \tdns_canonicalize_hostname = false\n\
         \trdns = false\n\
         \n\
         [realms]\n\
         \t{realm} = {{\n\
         \t\tkdc = {}\n\
         \t\tkpasswd_server = {}\n\
         \t}}\n",
        server.address(),
        server.password_address()
    );
    let mut hosts: Vec<_> = options
        .services
        .iter()
        .filter_map(|service| service.split('/').nth(1))
        .map(|host| host.split('@').next().unwrap_or(host))
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    if !hosts.is_empty() {
        text.push_str("\n[domain_realm]\n");
    }
    for host in hosts {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\t{host} = {realm}");
    }
    text
}

fn report(options: &RealmOptions, users: &[User], server: &KdcServer) {
    let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
    let (kdc, kpasswd): (SocketAddr, SocketAddr) = (server.address(), server.password_address());
    event(
        options.json,
        || {
            let mut text = format!(
                "realm {}\nKDC on {kdc} and passwords on {kpasswd}, UDP and TCP\n",
                options.realm
            );
            for name in &names {
                let _ = writeln!(text, "user {name}");
            }
            for service in &options.services {
                let _ = writeln!(text, "service {service}");
            }
            let _ = write!(text, "keytab {}", options.keytab.display());
            if let Some(path) = &options.krb5_conf {
                let _ = write!(text, "\nexport KRB5_CONFIG={}", path.display());
            }
            text
        },
        || {
            json!({
                "event": "realm",
                "realm": options.realm,
                "kdc": kdc.to_string(),
                "kpasswd": kpasswd.to_string(),
                "users": names,
                "services": options.services,
                "keytab": options.keytab.display().to_string(),
                "krb5_conf": options.krb5_conf.as_ref().map(|path| path.display().to_string()),
            })
        },
    );
}
