//! Words that may not leave a developer's machine.

use super::File;

/// A word and what to write instead. In two parts each, so that this file passes its own rule.
const BANNED: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine; write a relative path or a placeholder"),
    (concat!("/ro", "ot/"), "a path of one machine; write `~/` or `/home/user/`"),
    (concat!("index", "-url"), "a package index of one network; rely on the machine's own settings"),
    (concat!("trusted", "-host"), "a package index of one network; rely on the machine's own settings"),
    (concat!("BEGIN ", "PRIVATE KEY"), "a secret; make one in the test"),
];

/// The only registry a lock file may name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn banned(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let number = index + 1;
        if let Some((word, instead)) = BANNED.iter().find(|(word, _)| line.contains(word)) {
            findings.push(format!("{}:{number}: {word:?} is {instead}", file.path));
        }
        if file.path.ends_with("Cargo.lock") && line.starts_with("source = ") && !line.contains(REGISTRY) {
            findings.push(format!("{}:{number}: a source that is not crates.io: {line}", file.path));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn paths_of_one_machine_and_other_registries_are_found() {
        let path = format!("see {}x\n", concat!("/ro", "ot/"));
        assert_eq!(banned(&file("README.md", &path)).len(), 1);
        let lock = format!("source = \"{REGISTRY}\"\nsource = \"git+https://example.org/x\"\n");
        assert!(banned(&file("Cargo.lock", &lock))[0].starts_with("Cargo.lock:2:"));
    }
}
