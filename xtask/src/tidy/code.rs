//! Rules over Rust source: heads, markers of unfinished work, printing, purity of ring 1.

use super::File;

/// Every file begins by saying what lives in it.
pub(super) fn module_head(file: &File) -> Vec<String> {
    let product = file.is_product_source() || (file.is("rs") && file.path.ends_with("/main.rs"));
    if !product || file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![format!("{}:1: no module head; begin with `//!`, what lives here and its one invariant", file.path)]
}

/// Work that is not done is an issue, not a comment.
pub(super) fn markers(file: &File) -> Vec<String> {
    // In two parts, so that this file passes its own rule.
    const MARKERS: [&str; 5] = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
    ];
    if !["rs", "py", "sh", "html", "ts", "tsx"].iter().any(|end| file.is(end)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        if let Some(marker) = MARKERS.iter().find(|marker| line.contains(**marker)) {
            findings.push(format!("{}:{}: {marker}; do it, or open an issue", file.path, number + 1));
        }
    }
    findings
}

/// Only the command line and the chores talk on standard streams; everything else returns data or traces.
pub(super) fn printing(file: &File) -> Vec<String> {
    let talks = file.path.starts_with("crates/tuner-cli/") || file.path.starts_with("xtask/");
    if talks || !file.is_product_source() {
        return Vec::new();
    }
    let prints = |line: &str| {
        let line = line.trim_start();
        !line.starts_with("//") && ["println!(", "print!(", "dbg!("].iter().any(|call| line.contains(call))
    };
    let found = file.product_lines().filter(|(_, line)| prints(line));
    found.map(|(n, _)| format!("{}:{n}: prints; return the text, or use `tracing`", file.path)).collect()
}

/// Ring 1 computes: the words below reach outside the arguments of a function.
pub(super) fn purity(file: &File) -> Vec<String> {
    const RING_1: [&str; 5] = [
        "crates/tuner-core/src/",
        "crates/tuner-search/src/",
        "crates/tuner-engines/src/",
        "crates/tuner-policy/src/",
        "crates/tuner-wire/src/",
    ];
    const OUTSIDE: [&str; 12] = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
        "Utc::now",
        "Local::now",
        "rand::rng(",
        "thread_rng(",
        "from_os_rng(",
    ];
    if !RING_1.iter().any(|ring| file.path.starts_with(ring)) || !file.is_product_source() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.product_lines().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        if let Some(word) = OUTSIDE.iter().find(|word| line.contains(**word)) {
            findings.push(format!("{}:{number}: {word} in ring 1; take the fact as an argument", file.path));
        }
    }
    findings
}

/// What only some places may do: words, where they are allowed, what to do elsewhere.
const RESERVED: &[(&[&str], &[&str], &str)] = &[
    (
        &["env::var(", "env::var_os(", "env::vars"],
        &["crates/tuner-cli/", "crates/tuner-testkit/", "xtask/"],
        "settings are read in tuner-cli and handed down",
    ),
    (&["pkill", "killall"], &[], "stop what was found by its label, or the process id you hold"),
    (&["sea_orm", "SELECT "], &["crates/tuner-store/"], "rows are read and written in tuner-store only"),
];

/// Invariants of `ARCHITECTURE.md` that a word gives away.
pub(super) fn reserved(file: &File) -> Vec<String> {
    // The rule's own words stand in this file.
    if !file.is_product_source() || file.path == "xtask/src/tidy/code.rs" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.product_lines().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for (words, allowed, instead) in RESERVED {
            if allowed.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                findings.push(format!("{}:{number}: {word}; {instead}", file.path));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn a_source_file_without_a_head_is_found_and_a_test_module_is_not() {
        assert_eq!(module_head(&file("crates/a/src/b.rs", "use x;\n")).len(), 1);
        assert_eq!(module_head(&file("crates/a/src/b.rs", "//! Things.\n")).len(), 0);
        assert_eq!(module_head(&file("crates/a/src/b/tests.rs", "use x;\n")).len(), 0);
    }

    #[test]
    fn markers_are_found_with_their_line() {
        let text = format!("//! A.\n// {}: later\n", concat!("TO", "DO"));
        assert!(markers(&file("crates/a/src/b.rs", &text))[0].starts_with("crates/a/src/b.rs:2:"));
    }

    #[test]
    fn printing_is_for_the_command_line_and_for_tests() {
        let text = "//! A.\nprintln!(\"x\");\n#[cfg(test)]\nmod tests { fn x() { println!(); } }\n";
        assert_eq!(printing(&file("crates/tuner-bench/src/b.rs", text)).len(), 1);
        assert_eq!(printing(&file("crates/tuner-cli/src/b.rs", text)).len(), 0);
    }

    #[test]
    fn ring_one_may_not_ask_the_clock() {
        let text = "//! A.\n// Utc::now is not used\nlet t = Utc::now();\n";
        assert_eq!(purity(&file("crates/tuner-core/src/a.rs", text)).len(), 1);
        assert_eq!(purity(&file("crates/tuner-store/src/a.rs", text)).len(), 0);
    }

    #[test]
    fn the_environment_is_read_by_the_command_line_only() {
        let text = "//! A.\nlet home = std::env::var(\"HOME\");\n";
        assert_eq!(reserved(&file("crates/tuner-bench/src/a.rs", text)).len(), 1);
        assert_eq!(reserved(&file("crates/tuner-cli/src/a.rs", text)).len(), 0);
    }
}
