//! The layout of `llama-server --help`: spellings from column 0, help from column 40.

use super::{braced, default_of, one_line};
use crate::catalogue::{Flag, FlagKind, SwitchForm};

const HELP_COLUMN: usize = 40;

pub(super) fn parse(text: &str) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut group = String::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        if line.starts_with("----- ") {
            flags.extend(finish(open.take(), &group));
            group = line.trim_matches(['-', ' ']).to_owned();
        } else if line.starts_with('-') {
            flags.extend(finish(open.take(), &group));
            let (head, help) = split_at_column(line);
            open = Some((head.trim().to_owned(), help.trim().to_owned()));
        } else if let Some((_, help)) = &mut open {
            if !help.is_empty() {
                help.push(' ');
            }
            help.push_str(line.trim());
        }
    }
    flags.extend(finish(open, &group));
    flags
}

fn split_at_column(line: &str) -> (&str, &str) {
    let gap = line.get(HELP_COLUMN - 1..HELP_COLUMN) == Some(" ");
    if gap && line.is_char_boundary(HELP_COLUMN) { line.split_at(HELP_COLUMN) } else { (line, "") }
}

fn finish(open: Option<(String, String)>, group: &str) -> Option<Flag> {
    let (head, help) = open?;
    let (names, metavar) = spellings(&head);
    let off = names.iter().find(|n| n.starts_with("--no-")).map(|n| n.trim_start_matches('-').to_owned());
    let negative = |n: &str| {
        let bare = n.trim_start_matches('-');
        n.starts_with("--no-") || bare.starts_with("no-") || short_negative(bare, &names)
    };
    let positive: Vec<&str> = names.iter().copied().filter(|n| !negative(n)).collect();
    let named = if positive.iter().any(|n| n.starts_with("--")) { positive } else { names.clone() };
    let alone = named.len() == names.len();
    let name = named.iter().find(|s| s.starts_with("--")).or(named.first())?.trim_start_matches('-');
    if name.is_empty() || name == "help" {
        return None;
    }
    let default = default_of(&help);
    let kind = match metavar {
        None => FlagKind::Switch {
            form: match off {
                Some(off) if !alone => SwitchForm::Paired { off },
                _ => SwitchForm::Present,
            },
        },
        Some(metavar) => valued(metavar, &help, default.as_deref()),
    };
    let mut flag = Flag::new(name, kind, group, &one_line(&help));
    flag.aliases = named.iter().map(|s| s.trim_start_matches('-').to_owned()).filter(|s| s != name).collect();
    flag.default = default;
    flag.removed = help.contains("argument has been removed");
    if flag.removed {
        // The second sentence names the successor.
        flag.help = help.split("(env:").next().unwrap_or_default().trim().to_owned();
    }
    Some(flag)
}

/// `-nkvo` beside `-kvo`, `-nocb` beside `-cb`, `-nr` beside `--repack`.
fn short_negative(bare: &str, names: &[&str]) -> bool {
    let bare_names = || names.iter().map(|n| n.trim_start_matches('-'));
    names.iter().any(|n| n.starts_with("--no-"))
        && bare_names().any(|n| {
            bare == format!("n{n}")
                || bare == format!("no{n}")
                || (bare.len() == 2 && n.len() > 2 && bare.strip_prefix('n').is_some_and(|i| n.starts_with(i)))
        })
}

fn spellings(head: &str) -> (Vec<&str>, Option<&str>) {
    let mut names = Vec::new();
    let mut rest = head;
    loop {
        let end = rest.find([',', ' ']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        names.push(name);
        let next = tail.trim_start_matches(',').trim_start();
        if next.is_empty() {
            return (names, None);
        }
        if !next.starts_with('-') {
            return (names, Some(next));
        }
        rest = next;
    }
}

fn valued(metavar: &str, help: &str, default: Option<&str>) -> FlagKind {
    if let Some(values) = braced(metavar) {
        return FlagKind::Choice { values };
    }
    if let Some(inside) = metavar.strip_prefix(['[', '<']).and_then(|m| m.strip_suffix([']', '>']))
        && inside.contains('|')
    {
        return FlagKind::Choice { values: inside.split('|').map(str::to_owned).collect() };
    }
    if let Some((_, allowed)) = help.split_once("allowed values:") {
        let list = allowed.split('(').next().unwrap_or_default();
        return FlagKind::Choice { values: list.split(',').map(|v| v.trim().to_owned()).collect() };
    }
    let numeric = matches!(metavar, "N" | "PORT" | "SEED" | "INDEX") || metavar.contains("...");
    match default {
        // The text after the number explains it: `-1, -1 = infinity`.
        Some(d) if numeric => {
            let first = d.split([',', ' ']).next().unwrap_or_default();
            if first.parse::<i64>().is_ok() {
                FlagKind::Int { words: Vec::new(), suffix: false }
            } else {
                FlagKind::Float
            }
        }
        None if numeric => FlagKind::Float,
        _ => FlagKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "----- common params -----\n\n-t,    --threads N                      number of CPU threads (default: -1)\n                                        (env: LLAMA_ARG_THREADS)\n-fa,   --flash-attn [on|off|auto]       set Flash Attention use ('on', 'off', or 'auto', default: 'auto')\n-kvo,  --kv-offload, -nkvo, --no-kv-offload\n                                        whether to enable KV cache offloading (default: enabled)\n--repack, -nr, --no-repack              whether to enable weight repacking (default: enabled)\n--no-host                               bypass host buffer\n-ctk,  --cache-type-k TYPE              KV cache data type for K\n                                        allowed values: f32, f16, q8_0\n                                        (default: f16)\n-cb,   --cont-batching, -nocb, --no-cont-batching\n                                        continuous batching (default: enabled)\n-dev,  --device <dev1,dev2,..>          list of devices\n--top-p N                               top-p sampling (default: 0.95, 1.0 = disabled)\n--draft, --draft-n, --draft-max N       the argument has been removed. use another\n";

    #[test]
    fn every_form_of_a_llama_server_option_is_read() {
        let flags = parse(TEXT);
        let by = |n: &str| flags.iter().find(|f| f.name == n).unwrap_or_else(|| panic!("{n}")).clone();
        let paired = |off: &str| FlagKind::Switch { form: SwitchForm::Paired { off: off.into() } };
        let list = |v: &[&str]| FlagKind::Choice { values: v.iter().map(|s| (*s).to_owned()).collect() };
        assert_eq!(flags.len(), 10);
        assert_eq!(by("threads").aliases, ["t"]);
        assert_eq!(by("threads").kind, FlagKind::Int { words: vec![], suffix: false });
        assert_eq!(by("flash-attn").kind, list(&["on", "off", "auto"]));
        assert_eq!(by("kv-offload").kind, paired("no-kv-offload"));
        assert_eq!(by("kv-offload").aliases, ["kvo"]);
        assert_eq!(by("repack").kind, paired("no-repack"));
        assert_eq!(by("repack").aliases, Vec::<String>::new());
        assert_eq!(by("no-host").kind, FlagKind::Switch { form: SwitchForm::Present });
        assert_eq!(by("cache-type-k").kind, list(&["f32", "f16", "q8_0"]));
        assert_eq!(by("cont-batching").aliases, ["cb"]);
        assert_eq!(by("device").kind, FlagKind::Text);
        assert_eq!(by("top-p").kind, FlagKind::Float);
        assert!(by("draft").removed);
        assert_eq!(by("threads").group, "common params");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_fail(text in "[ -~é\n-]{0,400}") {
            let _ = parse(&text);
        }
    }
}
