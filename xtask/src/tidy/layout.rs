//! Where things stand: names of files, one test binary per crate, a README per crate, manifests alike, decisions
//! numbered.

use std::collections::BTreeSet;

use super::File;

/// Names that say nothing: what would not fit in such a file?
const EMPTY_NAMES: &[&str] =
    &["utils.rs", "util.rs", "common.rs", "helpers.rs", "helper.rs", "misc.rs", "imp.rs", "manager.rs"];

pub(super) fn name(file: &File) -> Vec<String> {
    let last = file.path.rsplit('/').next().unwrap_or_default();
    let found = EMPTY_NAMES.contains(&last);
    found.then(|| format!("{}: name the file after what lives in it", file.path)).into_iter().collect()
}

/// Each further file directly under `tests/` links one more binary.
pub(super) fn one_test_binary(file: &File) -> Vec<String> {
    let parts: Vec<&str> = file.path.split('/').collect();
    let loose = matches!(parts.as_slice(), ["crates", _, "tests", name] if name.ends_with(".rs"));
    loose.then(|| format!("{}: move it to tests/it/ and name it in tests/it/main.rs", file.path)).into_iter().collect()
}

/// Every crate takes the workspace's lints and is not published by accident.
pub(super) fn manifest(file: &File) -> Vec<String> {
    if !file.path.starts_with("crates/") || !file.path.ends_with("/Cargo.toml") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if !file.text.contains("[lints]\nworkspace = true") {
        findings.push(format!("{}: add `[lints]` with `workspace = true`", file.path));
    }
    if !file.text.contains("publish = false") {
        findings.push(format!("{}: add `publish = false`", file.path));
    }
    findings
}

pub(super) fn readmes(files: &[File]) -> Vec<String> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut findings = Vec::new();
    for manifest in paths.iter().filter(|path| path.starts_with("crates/") && path.ends_with("/Cargo.toml")) {
        let readme = manifest.replace("Cargo.toml", "README.md");
        if !paths.contains(readme.as_str()) {
            findings.push(format!(
                "{readme}: missing; ten lines: what lives here, what does not, the invariant, adding one"
            ));
        }
    }
    findings
}

/// Decision records are `docs/adr/NNNN-title.md`, counted from 0001 without gaps.
pub(super) fn decisions(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    let names = files.iter().filter_map(|file| file.path.strip_prefix("docs/adr/"));
    for (index, name) in names.filter(|name| name.ends_with(".md")).enumerate() {
        let wanted = format!("{:04}-", index + 1);
        if !name.starts_with(&wanted) {
            findings.push(format!("docs/adr/{name}: its number should be {wanted}…"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn a_second_test_binary_and_an_empty_name_are_found() {
        assert_eq!(one_test_binary(&file("crates/a/tests/x.rs", "")).len(), 1);
        assert_eq!(one_test_binary(&file("crates/a/tests/it/x.rs", "")).len(), 0);
        assert_eq!(name(&file("crates/a/src/utils.rs", "")).len(), 1);
    }

    #[test]
    fn a_crate_without_readme_lints_or_publish_is_found() {
        let bare = [file("crates/a/Cargo.toml", "[package]\n")];
        assert_eq!(readmes(&bare).len() + manifest(&bare[0]).len(), 3);
        let full = file("crates/a/Cargo.toml", "publish = false\n\n[lints]\nworkspace = true\n");
        assert_eq!(manifest(&full).len(), 0);
    }

    #[test]
    fn decisions_count_without_gaps() {
        let files = [file("docs/adr/0001-a.md", ""), file("docs/adr/0003-b.md", "")];
        assert_eq!(decisions(&files).len(), 1);
    }
}
