//! Here, and nowhere else, the sources of the library take loom's locks for the standard library's.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=countersign_loom");
}
