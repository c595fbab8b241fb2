//! Length of source files: at most [`LIMIT`] lines, or on the ratchet list with a size that only shrinks, never over
//! [`CEILING`].

use std::collections::BTreeMap;

use super::File;

const LIMIT: usize = 500;
const CEILING: usize = 800;

/// `ratchet` holds `path lines` per line; `#` begins a comment.
pub(super) fn check(files: &[File], ratchet: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut allowed: BTreeMap<&str, usize> = BTreeMap::new();
    for line in ratchet.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.rsplit_once(' ').and_then(|(path, lines)| Some((path.trim(), lines.parse().ok()?))) {
            Some((path, lines)) => {
                allowed.insert(path, lines);
            }
            None => findings.push(format!("xtask/ratchet.txt: {line:?} is not `path lines`")),
        }
    }
    let written = |file: &&File| ["rs", "html", "css", "js", "ts", "tsx"].iter().any(|end| file.is(end));
    let measured = files.iter().filter(written).filter(|file| !file.path.contains("/snapshots/"));
    for file in measured {
        let lines = file.text.lines().count();
        let path = &file.path;
        match allowed.remove(path.as_str()) {
            _ if lines > CEILING => findings.push(format!("{path}: {lines} lines, over {CEILING}; split it")),
            None if lines > LIMIT => findings.push(format!("{path}: {lines} lines, over {LIMIT}; split it by subject")),
            Some(size) if lines > size => {
                findings
                    .push(format!("{path}: grew from {size} to {lines} lines; it is on the ratchet list, split it"));
            }
            Some(size) if lines < size && lines > LIMIT => {
                findings.push(format!("{path}: shrank to {lines} lines; write that into xtask/ratchet.txt"));
            }
            Some(_) if lines <= LIMIT => {
                findings.push(format!("{path}: {lines} lines; take it off xtask/ratchet.txt"));
            }
            _ => {}
        }
    }
    findings.extend(allowed.keys().map(|path| format!("xtask/ratchet.txt: {path} does not exist; take it off")));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn of(lines: usize, ratchet: &str) -> String {
        check(&[file("crates/a/src/b.rs", &"x\n".repeat(lines))], ratchet).join("\n")
    }

    #[test]
    fn the_ratchet_only_turns_one_way() {
        assert_eq!(of(500, ""), "");
        assert!(of(501, "").contains("split it by subject"));
        assert_eq!(of(600, "crates/a/src/b.rs 600"), "");
        assert!(of(601, "crates/a/src/b.rs 600").contains("grew from 600 to 601"));
        assert!(of(599, "crates/a/src/b.rs 600").contains("shrank to 599"));
        assert!(of(400, "crates/a/src/b.rs 600").contains("take it off"));
        assert!(of(801, "crates/a/src/b.rs 801").contains("over 800"));
        assert!(of(1, "gone.rs 600").contains("gone.rs does not exist"));
    }
}
