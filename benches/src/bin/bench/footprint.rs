//! What it takes to have the library: crates, the time to compile them, the size of a program, the memory of contexts that wait.

mod half_open;
mod measure;
mod report;

use std::path::Path;

use countersign_benches::Result;

use crate::goals::{Cause, Standing, Verdict};
use crate::options::Options;
use crate::rounds::as_f64;
use half_open::Held;
use measure::{Build, Tree};

pub(crate) use half_open::hold;

/// What was found of one library. What could not be measured is `None`.
#[derive(Default)]
struct Footprint {
    name: &'static str,
    tree: Option<Tree>,
    /// Seconds of processors, for a release build from nothing.
    seconds: Option<f64>,
    /// Bytes of a program that accepts, stripped.
    program: Option<u64>,
    /// The shared libraries that it loads, but the C library, with their bytes.
    libraries: Vec<(String, u64)>,
}

/// Where the crate `sspi` is with its default features.
const SSPI: &str = "benches/peers/sspi_acceptor/Cargo.toml";

/// Measures in the folder of the workspace, where `cargo xtask` starts this program.
pub(crate) fn run(options: &Options) -> Result<()> {
    let root = std::env::current_dir()?;
    if !root.join(SSPI).exists() {
        return Err(format!("no {SSPI} here: start this in the workspace's folder").into());
    }
    let scratch = root.join("target").join("footprint");
    std::fs::create_dir_all(&scratch)?;
    let all = [
        ours(&root, &scratch)?,
        sspi(&root, &scratch),
        mit(&root, &scratch),
    ];
    let held = half_open::measure()?;
    let verdicts = judge(&all[0], &held);
    if options.json {
        println!("{}", report::json(&all, &held, &verdicts));
    } else {
        report::print(&all);
        report::print_held(&held);
        crate::table::goals(&verdicts);
    }
    if let Some(folder) = &options.write {
        let text = report::text(&all, &held, &verdicts)?;
        crate::document::put(&folder.join("BENCHMARKS.md"), "footprint", &text)?;
    }
    Ok(())
}

fn ours(root: &Path, scratch: &Path) -> Result<Footprint> {
    let library = Build::new(root, scratch.join("ours"), "Cargo.toml", "countersign");
    let tree = library.tree()?;
    let seconds = library.clean()?;
    library.remove();
    // Its package needs much more, of which most is there already.
    let target = root.join("target");
    let acceptor = Build::new(root, target, "Cargo.toml", "countersign-benches");
    let program = acceptor.program("acceptor")?;
    Ok(Footprint {
        name: crate::contest::OURS,
        tree: Some(tree),
        seconds: Some(seconds),
        libraries: measure::libraries(&program)?,
        program: Some(measure::stripped(&program)?),
    })
}

fn sspi(root: &Path, scratch: &Path) -> Footprint {
    let target = scratch.join("sspi");
    let library = Build::new(root, target.clone(), SSPI, "sspi");
    let acceptor = Build::new(root, target, SSPI, "sspi_acceptor");
    let tree = said("sspi's crates", library.tree());
    let seconds = said("sspi's build", library.clean());
    let program = said("sspi's acceptor", acceptor.program("sspi_acceptor"));
    let mut found = of_program("sspi", program.as_deref());
    library.remove();
    (found.tree, found.seconds) = (tree, seconds);
    found
}

fn mit(root: &Path, scratch: &Path) -> Footprint {
    let program = scratch.join("gss_acceptor");
    let built = measure::run(
        std::process::Command::new("sh")
            .arg(root.join("benches/peers/build.sh"))
            .arg(&program)
            .arg("acceptor"),
    );
    let built = said("MIT's acceptor", built);
    of_program("MIT krb5", built.map(|_| program).as_deref())
}

fn of_program(name: &'static str, program: Option<&Path>) -> Footprint {
    let libraries = program.map(measure::libraries);
    let size = program.map(measure::stripped);
    Footprint {
        name,
        libraries: libraries
            .and_then(|libraries| said(name, libraries))
            .unwrap_or_default(),
        program: size.and_then(|size| said(name, size)),
        ..Footprint::default()
    }
}

/// Says what went wrong with another library: it is left out.
fn said<T>(what: &str, result: Result<T>) -> Option<T> {
    if let Err(problem) = &result {
        eprintln!("bench: {what}: {problem}");
    }
    result.ok()
}

fn judge(ours: &Footprint, held: &[Held]) -> Vec<Verdict> {
    let verdict = |what: &str, goal: f64, unit: &str, found: f64| Verdict {
        what: what.to_owned(),
        goal: format!("{goal:.0}{unit}"),
        found: format!("{found:.0}"),
        best: None,
        alone: None,
        floor: None,
        standing: match found <= goal {
            true => Standing::Met,
            false => Standing::missed((found - goal) / goal.max(1.0), Cause::Untold),
        },
    };
    let mut all = Vec::new();
    if let Some(tree) = &ours.tree {
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        all.push(verdict("crates in the tree", 45.0, "", count(tree.crates)));
        let early = count(tree.early.len());
        all.push(verdict("pre-releases among them", 0.0, "", early));
    }
    if let Some(seconds) = ours.seconds {
        all.push(verdict("a clean build", 30.0, " s of CPU", seconds));
    }
    for held in held {
        let each = as_f64(held.each());
        all.push(verdict(held.kind, 2_048.0, " bytes", each));
    }
    if let Some(most) = held.iter().map(|held| held.bytes).max() {
        let what = format!("{} of the largest of these", half_open::COUNT);
        all.push(verdict(&what, 300.0, " MB", as_f64(most) / 1e6));
    }
    all
}
