//! The tables of the guide say what the code says.

use countersign::gss::flags;

const GUIDE: &str = include_str!("../../../../docs/guide/gss.md");
const FACE: &str = include_str!("../../src/gss/mod.rs");

#[test]
fn the_guide_has_every_flag_with_its_number() {
    for (name, flag) in flags::ALL {
        let row = format!("| `{name}` | {:#x} |", flag.bits());
        assert!(GUIDE.contains(&row), "{row}");
    }
}

#[test]
fn the_guide_has_every_status_with_its_number() {
    for (status, number) in crate::statuses::NUMBERS {
        let row = format!("| `{}` | {number:#x} |", status.name().unwrap());
        assert!(GUIDE.contains(&row), "{row}");
    }
}

/// Functions are what has a `_` or is one of the few words without.
#[test]
fn the_guide_maps_every_call_and_names_none_that_is_not_there() {
    let exported: Vec<&str> = FACE
        .split_once("pub use context::{")
        .unwrap()
        .1
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter(|word| {
            word.contains('_') || ["wrap", "unwrap", "localname", "userok"].contains(word)
        })
        .collect();
    assert!(exported.len() > 40);
    for name in &exported {
        assert!(
            GUIDE.contains(&format!("`{name}`")),
            "{name} is in no table"
        );
    }
    let rows = GUIDE.lines().filter(|line| line.starts_with("| `gss"));
    for row in rows {
        let here = row.split('|').nth(2).unwrap().trim();
        let Some(name) = here
            .strip_prefix('`')
            .and_then(|name| name.strip_suffix('`'))
        else {
            assert_eq!(here, "dropping");
            continue;
        };
        let known = name.starts_with("OidSet::")
            || exported.contains(&name)
            || [
                "indicate_mechs_by_attrs",
                "inquire_attrs_for_mech",
                "display_mech_attr",
            ]
            .contains(&name)
            || [
                "indicate_mechs",
                "inquire_saslname_for_mech",
                "inquire_mech_for_saslname",
            ]
            .contains(&name);
        assert!(known, "{name} is not there");
    }
}
