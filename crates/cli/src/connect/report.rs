//! What is told of an established context.

use countersign::SecurityContext;
use countersign::handshake::{Clock, SystemClock};
use countersign::token::oid::Oid;

use crate::args::ConnectOptions;
use crate::output::{ciphers, describe, duration, event, mechanism_name};

pub(super) fn established(context: &SecurityContext, options: &ConnectOptions) {
    let lifetime = lifetime(context);
    event(
        options.protocol.json,
        || {
            let mut rows = vec![
                ("server", options.address.clone()),
                ("service", service(context, options.target.as_deref())),
                ("client", context.local().to_string()),
                (
                    "mechanism",
                    format!("{} ({})", mechanism_name(context), context.mechanism()),
                ),
                ("flags", context.flags().to_string()),
            ];
            let ciphers = ciphers(context).to_owned();
            rows.push(match context.enctype() {
                Some(_) => ("enctype", ciphers),
                None => ("ciphers", ciphers),
            });
            if let Some(seconds) = lifetime {
                rows.push(("lifetime", duration(seconds)));
            }
            if context.peer().is_none() {
                let verdict = "the server tells with its first answer whether it accepts";
                rows.push(("verdict", verdict.to_owned()));
            }
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(name, value)| format!("  {name:<10} {value}"))
                .collect();
            format!("established\n{}", rows.join("\n"))
        },
        || {
            let mut value = describe(context);
            value["event"] = "established".into();
            value["server"] = options.address.as_str().into();
            value["lifetime"] = lifetime.into();
            value
        },
    );
}

/// Seconds; `None` where contexts last until they are closed, as those of NTLM do.
fn lifetime(context: &SecurityContext) -> Option<u64> {
    context
        .enctype()
        .map(|_| context.remaining(SystemClock.now()))
}

/// The service and what is known of it.
fn service(context: &SecurityContext, target: Option<&str>) -> String {
    let target = target.unwrap_or("not named");
    match (context.peer(), context.mechanism()) {
        (Some(peer), _) => format!("{peer} (proved)"),
        (None, Oid::NTLMSSP) => format!("{target} (the server proved nothing of itself)"),
        (None, _) => format!("{target} (not asked to prove it)"),
    }
}
