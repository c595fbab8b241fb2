//! Builds again when the page was built again.

fn main() {
    const PAGE: &str = "../../ui/dist";
    // What is not there counts as changed at every build. Where it cannot be made, that is all that happens.
    let _ = std::fs::create_dir_all(PAGE);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={PAGE}");
}
