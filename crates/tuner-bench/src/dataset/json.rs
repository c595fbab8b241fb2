//! JSON values with the line each begins on: one per line, or the elements of one list.

use serde_json::Value;

use super::format::Wrong;

/// Each value, or why the text at that line is none.
pub(super) fn values(text: &str) -> Vec<Result<(u64, Value), Wrong>> {
    if text.trim_start().starts_with('[') { elements(text) } else { lines(text) }
}

fn lines(text: &str) -> Vec<Result<(u64, Value), Wrong>> {
    let numbered = text.lines().zip(1u64..).filter(|(raw, _)| !raw.trim().is_empty());
    let read = |(raw, line): (&str, u64)| match serde_json::from_str(raw) {
        Ok(value) => Ok((line, value)),
        Err(e) => Err((line, format!("not JSON at column {}: {e}", e.column()))),
    };
    numbered.map(read).collect()
}

/// The elements of a list, read one by one so that each has its line. The first that is no JSON ends the reading.
fn elements(text: &str) -> Vec<Result<(u64, Value), Wrong>> {
    let mut out = Vec::new();
    let mut place = Place { text, at: 0, line: 1 };
    place.skip_space();
    place.advance(1);
    loop {
        place.skip_space();
        match place.rest().chars().next() {
            Some(']') => return out,
            Some(',') if !out.is_empty() => {
                place.advance(1);
                place.skip_space();
            }
            None => {
                out.push(Err((place.line, "the list is not closed".to_owned())));
                return out;
            }
            _ if out.is_empty() => {}
            Some(c) => {
                out.push(Err((place.line, format!("expected `,` or `]` between two elements, found `{c}`"))));
                return out;
            }
        }
        let mut stream = serde_json::Deserializer::from_str(place.rest()).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                let length = stream.byte_offset();
                out.push(Ok((place.line, value)));
                place.advance(length);
            }
            Some(Err(e)) => {
                let line = place.line + e.line().saturating_sub(1) as u64;
                out.push(Err((line, format!("not JSON at column {}: {e}", e.column()))));
                return out;
            }
            None => {
                out.push(Err((place.line, "the list is not closed".to_owned())));
                return out;
            }
        }
    }
}

struct Place<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl<'t> Place<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn advance(&mut self, bytes: usize) {
        let passed = &self.rest()[..bytes];
        self.line += passed.bytes().filter(|b| *b == b'\n').count() as u64;
        self.at += bytes;
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.advance(rest.len() - rest.trim_start().len());
    }
}
