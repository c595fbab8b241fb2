//! The layout of Python's `argparse`: two spaces, spellings with their metavariable, help from column 24 on.

use super::{braced, default_of, one_line};
use crate::catalogue::{Flag, FlagKind, SwitchForm};

pub(super) fn parse(text: &str) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut group = "options".to_owned();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let body = line.trim();
        if indent == 2 && body.starts_with('-') {
            flags.extend(finish(open.take(), &group));
            let (head, help) = body.split_once("  ").unwrap_or((body, ""));
            open = Some((head.to_owned(), help.trim().to_owned()));
        } else if indent == 0 && body.ends_with(':') {
            flags.extend(finish(open.take(), &group));
            group = body.trim_end_matches(':').to_owned();
        } else if indent < 8 {
            flags.extend(finish(open.take(), &group));
        } else if let Some((_, help)) = &mut open {
            if !help.is_empty() {
                help.push(' ');
            }
            help.push_str(body);
        }
    }
    flags.extend(finish(open, &group));
    flags
}

fn finish(open: Option<(String, String)>, group: &str) -> Option<Flag> {
    let (head, help) = open?;
    let (spellings, metavar) = spellings(&head);
    let (negative, positive): (Vec<&str>, Vec<&str>) = spellings.iter().copied().partition(|s| s.starts_with("--no-"));
    // `--no-x` without `--x` is a name of its own.
    let (named, off) = if positive.iter().any(|s| s.starts_with("--")) {
        (positive, negative.first().copied())
    } else {
        (spellings.clone(), None)
    };
    let name = named.iter().find(|s| s.starts_with("--")).or(named.first())?.trim_start_matches('-');
    if name.is_empty() || name == "help" {
        return None;
    }
    let default = default_of(&help);
    let many = metavar.is_some_and(|m| m.contains("..."));
    let kind = match metavar {
        None => FlagKind::Switch {
            form: off.map_or(SwitchForm::Present, |o| SwitchForm::Paired { off: o.trim_start_matches('-').to_owned() }),
        },
        Some(metavar) => valued(name, metavar, &help, default.as_deref()),
    };
    let mut flag = Flag::new(name, kind, group, &one_line(&help));
    flag.aliases = named.iter().map(|s| s.trim_start_matches('-').to_owned()).filter(|s| s != name).collect();
    flag.aliases.dedup();
    flag.many = many;
    flag.default = default;
    Some(flag)
}

/// Spellings with their dashes, and the metavariable if there is one.
fn spellings(head: &str) -> (Vec<&str>, Option<&str>) {
    let mut names = Vec::new();
    let mut metavar = None;
    let mut rest = head.trim();
    while rest.starts_with('-') {
        let end = rest.find([' ', ',']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        names.push(name);
        if let Some(next) = tail.strip_prefix(", ") {
            rest = next;
            continue;
        }
        let tail = tail.trim_start();
        // `A [A ...], --other A [A ...]`: the metavariable is repeated for every spelling.
        match tail.find(", -") {
            Some(at) => {
                let (this, next) = tail.split_at(at);
                metavar = Some(this.trim());
                rest = next.trim_start_matches(", ");
            }
            None => {
                if !tail.is_empty() {
                    metavar = Some(tail);
                }
                break;
            }
        }
    }
    (names, metavar)
}

fn valued(name: &str, metavar: &str, help: &str, default: Option<&str>) -> FlagKind {
    if let Some(values) = braced(metavar) {
        return FlagKind::Choice { values };
    }
    if metavar.starts_with('[') {
        return FlagKind::Text;
    }
    if help.contains("human-readable format") || help.contains("SI suffixes") {
        return FlagKind::Int { words: Vec::new(), suffix: true };
    }
    match default {
        Some(d) if d.parse::<i64>().is_ok() && !measures(name) => FlagKind::Int { words: Vec::new(), suffix: false },
        Some(d) if d.parse::<f64>().is_ok() => FlagKind::Float,
        _ => FlagKind::Text,
    }
}

/// Names of quantities that may be fractions even if their default is printed as a whole number.
fn measures(name: &str) -> bool {
    ["-gb", "ratio", "fraction", "timeout", "interval", "scale", "weight", "utilization", "secs", "seconds", "delay"]
        .iter()
        .any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "usage: x serve [-h] [--a A]\n                [--b]\n\npositional arguments:\n  model_tag             The model\n\nCacheConfig:\n  Words about it.\n\n  --block-size BLOCK_SIZE, -bs BLOCK_SIZE\n                        Size of a block. More words. (default: 16)\n  --enable-x, --no-enable-x\n                        Whether. (default: None)\n  --grpc                Launch it. (default: False)\n  --frac FRAC           A share. (default: 0.92)\n  --dtype {auto,fp8,None}\n                        Kind (default: auto)\n  --names NAMES [NAMES ...], --labels NAMES [NAMES ...]\n                        Several.\n  --offload-gb OFFLOAD_GB\n                        Size (default: 0)\n  --len LEN             supports k/m/g/K/M/G in human-readable format. (default: None)\n";

    #[test]
    fn every_form_of_an_argparse_option_is_read() {
        let flags = parse(TEXT);
        let by = |n: &str| flags.iter().find(|f| f.name == n).unwrap().clone();
        assert_eq!(flags.len(), 8);
        assert_eq!(by("block-size").aliases, ["bs"]);
        assert_eq!(by("block-size").kind, FlagKind::Int { words: vec![], suffix: false });
        assert_eq!(by("block-size").default.as_deref(), Some("16"));
        assert_eq!(by("block-size").help, "Size of a block.");
        assert_eq!(by("block-size").group, "CacheConfig");
        let paired = FlagKind::Switch { form: SwitchForm::Paired { off: "no-enable-x".into() } };
        assert_eq!(by("enable-x").kind, paired);
        assert_eq!(by("grpc").kind, FlagKind::Switch { form: SwitchForm::Present });
        assert_eq!(by("frac").kind, FlagKind::Float);
        assert_eq!(by("dtype").kind, FlagKind::Choice { values: vec!["auto".into(), "fp8".into()] });
        assert!(by("names").many);
        assert_eq!(by("names").aliases, ["labels"]);
        assert_eq!(by("offload-gb").kind, FlagKind::Float);
        assert_eq!(by("len").kind, FlagKind::Int { words: vec![], suffix: true });
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_fail(text in "[ -~\n{}()\\[\\],-]{0,400}") {
            let _ = parse(&text);
        }
    }
}
