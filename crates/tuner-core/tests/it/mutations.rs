//! Damaged files are refused or accepted, never a panic.

use std::fs;

use proptest::prelude::*;
use tuner_core::task::{ImportOptions, ReadContext, import_predecessor, read, render_all};

use crate::malformed_files::files;

fn sources() -> Vec<String> {
    let folders = ["../../examples", "tests/it/malformed", "tests/it/predecessor"];
    let all = folders.iter().flat_map(|folder| files(folder));
    all.map(|file| fs::read_to_string(file).unwrap()).collect()
}

#[derive(Clone, Debug)]
enum Damage {
    Delete { at: usize, length: usize },
    Insert { at: usize, text: String },
    Swap { a: usize, b: usize },
    CopyLine { from: usize, to: usize },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0..4000usize;
    let snippets = prop::sample::select(vec![
        ":",
        "- ",
        "\n",
        "  ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "\"",
        "'",
        "null",
        "-1",
        "1e999",
        ".nan",
        "9999999999999999999",
        "0x7fffffffffffffff",
        "true",
        "when: ",
        " == ",
        "|",
        ">",
        "#",
        "!!str ",
        "? ",
        "---\n",
        "\u{feff}",
        "\u{0}",
        "é",
        "😀",
        "<<: ",
    ]);
    prop_oneof![
        (at.clone(), 1..30usize).prop_map(|(at, length)| Damage::Delete { at, length }),
        (at.clone(), snippets).prop_map(|(at, text)| Damage::Insert { at, text: text.to_owned() }),
        (at.clone(), "\\PC{1,6}").prop_map(|(at, text)| Damage::Insert { at, text }),
        (at.clone(), at).prop_map(|(a, b)| Damage::Swap { a, b }),
        (0..80usize, 0..80usize).prop_map(|(from, to)| Damage::CopyLine { from, to }),
    ]
}

fn apply(text: &str, damage: &Damage) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let n = chars.len().max(1);
    match damage {
        Damage::Delete { at, length } => {
            let start = at % n;
            chars.drain(start.min(chars.len())..(start + length).min(chars.len()));
        }
        Damage::Insert { at, text } => {
            let at = at % n;
            chars.splice(at.min(chars.len())..at.min(chars.len()), text.chars());
        }
        Damage::Swap { a, b } if !chars.is_empty() => chars.swap(a % n, b % n),
        Damage::Swap { .. } => {}
        Damage::CopyLine { from, to } => {
            let mut lines: Vec<&str> = text.lines().collect();
            if !lines.is_empty() {
                let line = lines[from % lines.len()];
                lines.insert(to % lines.len(), line);
            }
            return lines.join("\n");
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_damaged_file_never_panics(source in any::<prop::sample::Index>(), damages in prop::collection::vec(damage(), 1..6)) {
        let sources = sources();
        let mut text = source.get(&sources).clone();
        for damage in &damages {
            text = apply(&text, damage);
        }
        match read(&text, &ReadContext::default()) {
            Ok(task) => prop_assert!(task.notes.iter().all(|n| !n.is_error())),
            Err(findings) => {
                prop_assert!(findings.iter().any(|f| f.is_error()));
                prop_assert!(!render_all(&findings, "task.yaml", &text).is_empty());
            }
        }
        let _ = import_predecessor(&text, &ImportOptions::default());
    }
}
