//! The tables of `docs/guide/sspi.md`. With `REWRITE_GUIDE` in its environment this test writes them.

use countersign::sspi::{ASC_RULES, FlagRule, ISC_RULES, Treatment};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/sspi.md");

fn flags(rules: &[FlagRule]) -> String {
    let mut table = String::from(
        "| flag | value | Negotiate | Kerberos | NTLM | |\n|---|---|---|---|---|---|\n",
    );
    let cell = |treatment: Treatment| match treatment {
        Treatment::Honoured => "honoured".to_owned(),
        Treatment::Ignored => "ignored".to_owned(),
        Treatment::Refused(status) => format!("`{status:?}`"),
    };
    for rule in rules {
        table += &format!(
            "| `{}` | `{:#010X}` | {} | {} | {} | {} |\n",
            rule.name,
            rule.value,
            cell(rule.negotiate),
            cell(rule.kerberos),
            cell(rule.ntlm),
            rule.note
        );
    }
    table
}

/// The page with a table in its place.
fn spliced(page: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- table: {name} -->\n"), "<!-- end of table -->");
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    format!("{before}{begin}\n{table}\n{end}{after}")
}

#[test]
fn the_tables_of_the_guide_are_what_the_functions_do() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let mut tables = vec![
        ("flags of initiators", flags(ISC_RULES)),
        ("flags of acceptors", flags(ASC_RULES)),
        ("statuses that occur", crate::statuses::occurring()),
        ("statuses that do not", crate::statuses::missing()),
    ];
    // It has a column for each package.
    let attributes = crate::attributes::table();
    if cfg!(feature = "ntlm") {
        tables.push(("attributes", attributes));
    }
    let expected = tables.iter().fold(page.clone(), |page, (name, table)| {
        spliced(&page, name, table)
    });
    if std::env::var_os("REWRITE_GUIDE").is_some() {
        std::fs::write(PAGE, &expected).unwrap();
    } else {
        assert!(
            page == expected,
            "run with REWRITE_GUIDE=1 to write the tables anew"
        );
    }
}
