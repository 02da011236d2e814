//! krb5.conf, with included files out of the input itself: whatever is read answers every question, and reading it
//! ends.
#![no_main]

use countersign_credential::krb5_conf::{
    ConfServer, ConfSource, EnctypeList, Krb5Conf, NameTokens, SourceProblem, Weak, duration,
};
use libfuzzer_sys::fuzz_target;

/// Files are the parts of the input between bytes of 0xff, by their numbers; every other name is a folder of all.
struct Parts<'a>(Vec<&'a [u8]>);

impl ConfSource for Parts<'_> {
    fn file(&mut self, path: &str, limit: usize) -> Result<Vec<u8>, SourceProblem> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let index: usize = name.parse().map_err(|_| SourceProblem::Absent)?;
        let part = self.0.get(index).ok_or(SourceProblem::Absent)?;
        if part.len() > limit {
            return Err(SourceProblem::TooLarge);
        }
        Ok(part.to_vec())
    }

    fn folder(&mut self, _: &str) -> Result<Vec<String>, SourceProblem> {
        Ok((1..self.0.len()).map(|index| index.to_string()).collect())
    }
}

fn walk(conf: &Krb5Conf, path: &mut Vec<String>) {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    for relation in conf.relation_names(&names) {
        let mut full = names.clone();
        full.push(relation);
        assert!(conf.value(&full).is_some());
        for value in conf.values(&full) {
            let _ = duration(value);
            let _ = ConfServer::parse(value, 88);
            let _ = EnctypeList::parse(value, Weak::default());
            let _ = NameTokens::default().expand(value);
            let _ = conf.realm_of_host(value);
        }
    }
    let sections: Vec<String> = conf
        .section_names(&names)
        .into_iter()
        .map(String::from)
        .collect();
    for section in sections {
        path.push(section);
        walk(conf, path);
        path.pop();
    }
}

fuzz_target!(|data: &[u8]| {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0xff).take(16).collect();
    let Some(first) = parts.first().copied() else {
        return;
    };
    let Ok(conf) = Krb5Conf::parse_with("0", first, &mut Parts(parts)) else {
        return;
    };
    walk(&conf, &mut Vec::new());
    for realm in conf.section_names(&["realms"]) {
        let _ = (conf.kdcs(realm), conf.primary_kdcs(realm));
        let _ = (conf.password_servers(realm), conf.http_anchors(realm));
        let _ = conf.libdefaults_for(realm);
    }
    for (client, server, between) in conf.capaths() {
        assert_eq!(conf.capath(client, server), Some(between));
    }
    let _ = conf.libdefaults();
    let _ = conf.default_ccache_name(&NameTokens::default());
});
