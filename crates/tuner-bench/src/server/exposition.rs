//! The Prometheus text format, as engines print it.
//!
//! *Invariant*: any text gives a list of samples, never an error: a line that cannot be read is no sample.

use std::borrow::Cow;

/// One line of a metrics page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample<'a> {
    /// Name with its suffix, `vllm:generation_tokens_total`.
    pub(super) name: &'a str,
    /// Labels in the order of the page.
    pub(super) labels: Vec<(&'a str, Cow<'a, str>)>,
    /// Finite, infinite or not a number.
    pub(super) value: f64,
}

impl Sample<'_> {
    /// The value of a label.
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_ref())
    }
}

/// Every sample of a page, in its order; comments, types and time stamps are left out.
pub(super) fn samples(page: &str) -> impl Iterator<Item = Sample<'_>> {
    page.lines().filter_map(line)
}

fn line(line: &str) -> Option<Sample<'_>> {
    let line = line.trim();
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    // A time stamp may follow.
    let value = rest.split_whitespace().next()?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some(Sample { name, labels, value })
}

type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// Labels up to and with the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
        labels.push((name.trim(), value));
        rest = after;
    }
}

/// Text up to the closing quote with its escapes undone, and what follows it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    if text[end..].starts_with('"') {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    let mut value = text[..end].to_owned();
    let mut letters = text[end..].char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((Cow::Owned(value), &text[end + at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_is_read_as_engines_print_it() {
        let page = "# HELP vllm:x Things.\n# TYPE vllm:x counter\n\
                    vllm:x_total{engine=\"0\",model_name=\"a\\\"b\\\\c\"} 12.5\n\
                    plain 3 1700000000\n\
                    with_space{ a = \"1\" , } +Inf\n\
                    broken{a=\"1\" 5\n\
                    \n\
                    novalue\n";
        let read: Vec<_> = samples(page).collect();
        assert_eq!(read.len(), 3, "{read:?}");
        assert_eq!((read[0].name, read[0].label("model_name"), read[0].value), ("vllm:x_total", Some("a\"b\\c"), 12.5));
        assert_eq!((read[1].name, read[1].value), ("plain", 3.0));
        assert_eq!((read[2].label("a"), read[2].value), (Some("1"), f64::INFINITY));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,20}", text in any::<String>(), value: f64) {
            prop_assume!(value.is_finite() && !text.contains('\r') && !text.contains('\u{85}'));
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let page = format!("{name}{{l=\"{escaped}\"}} {value}\n");
            let read: Vec<_> = samples(&page).collect();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].label("l"), Some(text.as_str()));
            prop_assert_eq!(read[0].value, value);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = samples(&text).count();
        }
    }
}
