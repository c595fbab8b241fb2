//! Reads the fields of a Python `repr`: `{'a': 1, 'b': [2]}`, `Args(a=1, b='x')`, `a=1, b=torch.bfloat16, …`.
//!
//! *Invariant*: total. Values stay text; nested structures are skipped over and kept whole.

use std::collections::BTreeMap;

/// The fields at the outermost level, values without their quotes.
pub(crate) fn fields(text: &str) -> BTreeMap<String, String> {
    let inside = inside_brackets(text);
    let mut out = BTreeMap::new();
    for part in split_top(inside) {
        let Some(at) = key_end(part) else { continue };
        let (key, value) = part.split_at(at);
        let value = value.get(1..).unwrap_or_default();
        let key = unquote(key.trim());
        if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
            out.insert(key.to_owned(), unquote(value.trim()).to_owned());
        }
    }
    out
}

/// The elements of a list or tuple, unquoted; a scalar is its own only element.
pub(crate) fn elements(text: &str) -> Vec<&str> {
    let trimmed = text.trim();
    let open = trimmed.starts_with(['[', '(']);
    let inside = if open { inside_brackets(trimmed) } else { trimmed };
    if !open {
        return vec![unquote(inside)];
    }
    split_top(inside).into_iter().map(|p| unquote(p.trim())).filter(|p| !p.is_empty()).collect()
}

/// Content of the first bracket if the text starts as `{…}`, `[…]` or `Name(…)`, else the text.
fn inside_brackets(text: &str) -> &str {
    let trimmed = text.trim();
    let Some(open) = trimmed.find(['{', '(', '[', '=', ',']) else { return trimmed };
    let rest = trimmed.get(open..).unwrap_or_default();
    if rest.starts_with(['=', ',']) {
        return trimmed;
    }
    let body = rest.get(1..).unwrap_or_default();
    let end = closing(body).unwrap_or(body.len());
    body.get(..end).unwrap_or(body)
}

/// Where the bracket that is already open closes.
fn closing(body: &str) -> Option<usize> {
    let mut scan = Scan::default();
    body.char_indices().find_map(|(i, c)| {
        scan.step(c);
        (scan.depth < 0).then_some(i)
    })
}

fn split_top(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut scan = Scan::default();
    let mut start = 0;
    for (i, c) in text.char_indices() {
        scan.step(c);
        if c == ',' && scan.depth == 0 && scan.quote.is_none() {
            parts.extend(text.get(start..i));
            start = i + 1;
        }
    }
    parts.extend(text.get(start..));
    parts
}

fn key_end(part: &str) -> Option<usize> {
    let mut scan = Scan::default();
    part.char_indices().find_map(|(i, c)| {
        let outside = scan.quote.is_none() && scan.depth == 0;
        scan.step(c);
        (outside && (c == '=' || c == ':')).then_some(i)
    })
}

fn unquote(text: &str) -> &str {
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

#[derive(Default)]
struct Scan {
    depth: i32,
    quote: Option<char>,
    escaped: bool,
}

impl Scan {
    fn step(&mut self, c: char) {
        if let Some(quote) = self.quote {
            match c {
                _ if self.escaped => self.escaped = false,
                '\\' => self.escaped = true,
                _ if c == quote => self.quote = None,
                _ => {}
            }
            return;
        }
        match c {
            '\'' | '"' => self.quote = Some(c),
            '{' | '(' | '[' | '<' => self.depth += 1,
            '}' | ')' | ']' | '>' => self.depth -= 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_whatever_is_nested_in_them() {
        let dict = fields("{'a': 1, 'b': ['x, y', {'c': 2}], 'd': 'it\\'s, so', 'e': None} trailing");
        assert_eq!(dict["a"], "1");
        assert_eq!(dict["b"], "['x, y', {'c': 2}]");
        assert_eq!(dict["e"], "None");
        let call = fields("ServerArgs(model_path='/m', tp_size=1, x=Y(a=1, b=2), f=0.9)");
        assert_eq!((call["model_path"].as_str(), call["x"].as_str(), call["f"].as_str()), ("/m", "Y(a=1, b=2)", "0.9"));
        let loose = fields("model='/m', dtype=torch.bfloat16, c={'mode': <Mode.NONE: 0>, 'n': 1}, seed=0");
        assert_eq!((loose["dtype"].as_str(), loose["seed"].as_str()), ("torch.bfloat16", "0"));
        assert_eq!(elements("['smol', 'b']"), ["smol", "b"]);
        assert_eq!(elements("7"), ["7"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "[ -~é]{0,200}") {
            let _ = fields(&text);
            let _ = elements(&text);
        }
    }
}
