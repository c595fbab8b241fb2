//! Patterns for names of files, as Python's `fnmatch` and with it Hugging Face's own tools read them.
//!
//! *Invariant*: `*` crosses `/`, case counts, and a pattern without a match in its brackets is taken as it stands.

/// Whether a file is wanted: no include, or one that fits; no exclude that fits.
pub(super) fn wanted(name: &str, include: &[String], exclude: &[String]) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(&whole(pattern), name));
    (include.is_empty() || any(include)) && !any(exclude)
}

/// `folder/` means everything below it.
fn whole(pattern: &str) -> String {
    if pattern.ends_with('/') { format!("{pattern}*") } else { pattern.to_owned() }
}

fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star stood, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => set(&pattern[p..], name[n]),
            Some(c) => (*c == name[n]).then_some(1),
            None => None,
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                n += 1;
            }
            (None, Some((at, taken))) => {
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The length of the brackets at the pattern's start, if the character is in them.
fn set(pattern: &[char], c: char) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some('!'));
    let first = if negated { 2 } else { 1 };
    let Some(end) = (first + 1..pattern.len()).find(|at| pattern[*at] == ']') else {
        return (c == '[').then_some(1);
    };
    let inside = &pattern[first..end];
    let mut at = 0;
    let mut found = false;
    while at < inside.len() {
        if inside.get(at + 1) == Some(&'-') && at + 2 < inside.len() {
            found |= (inside[at]..=inside[at + 2]).contains(&c);
            at += 3;
        } else {
            found |= inside[at] == c;
            at += 1;
        }
    }
    (found != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_fnmatch_says() {
        for (pattern, name, expected) in [
            ("*.safetensors", "a/model.safetensors", true),
            ("*.safetensors", "model.safetensors.index.json", false),
            ("model-0000?-of-*.bin", "model-00001-of-00002.bin", true),
            ("[a-c]*", "b.txt", true),
            ("[!a-c]*", "b.txt", false),
            ("[!a-c]*", "d.txt", true),
            ("[abc", "[abc", true),
            ("*", "", true),
            ("", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("README.md", "readme.md", false),
            ("ü*", "übung", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_excluded_stays_out_even_if_it_is_included() {
        let list = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        assert!(wanted("a.json", &[], &[]));
        assert!(!wanted("a.json", &list(&["*.bin"]), &[]));
        assert!(!wanted("a.bin", &list(&["*.bin"]), &list(&["a*"])));
        assert!(!wanted("original/a.pth", &[], &list(&["original/"])));
    }
}
