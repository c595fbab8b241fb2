//! Recognises an event that repeats an earlier one but for its text and its running count.
//!
//! Events of one stream differ as a rule in a few bytes. Comparing the rest with an event that was already understood
//! costs a tenth of reading JSON again.
//!
//! *Invariant*: what a template says of an event is what the protocol's reader says of it. A template is learnt from an
//! event that was read; only a string without escapes and numbers under known names may differ from it, and the string
//! and at most one of the numbers are all that the reader took from those places. Builds with debug assertions compare
//! every answer with the reader's.

use std::borrow::Cow;

use memchr::{memchr2, memmem};

use super::event::Reading;

/// Names of running counts.
const COUNTS: [&str; 2] = ["\"completion_tokens\":", "\"tokens_predicted\":"];
/// Names of numbers that no reader looks at.
const IGNORED: [&str; 2] = ["\"total_tokens\":", "\"sequence_number\":"];
/// Digits of a number that may differ.
const MOST_DIGITS: usize = 9;
/// Longest event that is worth keeping.
const MOST_BYTES: usize = 4096;
/// Templates learnt per stream; one whose events keep changing shape is read in full.
const MOST_TEMPLATES: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    Text,
    Count,
    Ignored,
}

#[derive(Debug)]
struct Template {
    bytes: Vec<u8>,
    /// What may differ and where it lies, in order.
    holes: Vec<(std::ops::Range<usize>, Hole)>,
    reading: Reading<'static>,
    reasoning: bool,
}

/// What was learnt of one stream.
#[derive(Debug, Default)]
pub(super) struct Templates {
    latest: Option<Box<Template>>,
    learnt: u8,
}

impl Templates {
    /// The reading of an event that repeats an earlier one.
    pub(super) fn read<'a>(&self, data: &'a [u8]) -> Option<Reading<'a>> {
        self.latest.as_ref()?.read(data)
    }

    /// Learns from an event that was read.
    pub(super) fn learn(&mut self, data: &[u8], reading: &Reading<'_>) {
        if self.learnt < MOST_TEMPLATES
            && let Some(template) = Template::of(data, reading)
        {
            self.learnt += 1;
            self.latest = Some(Box::new(template));
        }
    }
}

impl Template {
    fn of(data: &[u8], reading: &Reading<'_>) -> Option<Self> {
        let Reading { answer, reasoning, other_output, role, finish, usage, error, cumulative, last, .. } = reading;
        let plain = !other_output && !role && finish.is_none() && error.is_none() && !cumulative && !last;
        let is_reasoning = answer.is_empty();
        let text = match (answer, reasoning) {
            (Cow::Borrowed(text), other) if other.is_empty() && !text.is_empty() => text,
            (other, Cow::Borrowed(text)) if other.is_empty() && !text.is_empty() => text,
            _ => return None,
        };
        if !plain || data.len() > MOST_BYTES {
            return None;
        }
        // A borrowed text lies in the data, where it has no escapes.
        let start = (text.as_ptr() as usize).checked_sub(data.as_ptr() as usize)?;
        if data.get(start..start + text.len())? != text.as_bytes() {
            return None;
        }
        let mut holes = vec![(start..start + text.len(), Hole::Text)];
        let counted = usage.and_then(|usage| usage.completion_tokens);
        let mut counts = 0;
        for (names, hole) in [(COUNTS, Hole::Count), (IGNORED, Hole::Ignored)] {
            for name in names {
                for at in memmem::find_iter(data, name) {
                    let begin = at + name.len();
                    let begin = begin + usize::from(data.get(begin) == Some(&b' '));
                    let Some((value, digits)) = number(&data[begin..]) else { continue };
                    if hole == Hole::Count {
                        counts += 1;
                        if counted != Some(value) {
                            return None;
                        }
                    }
                    holes.push((begin..begin + digits, hole));
                }
            }
        }
        // Two counts could mean different things; one that the reader did not take, anything.
        if counts > 1 || (counts == 0 && counted.is_some()) {
            return None;
        }
        holes.sort_by_key(|(range, _)| range.start);
        if holes.windows(2).any(|pair| pair[0].0.end >= pair[1].0.start) {
            return None;
        }
        let reading = Reading {
            usage: *usage,
            running: reading.running,
            index: reading.index,
            finished: reading.finished,
            ..Reading::default()
        };
        Some(Self { bytes: data.to_vec(), holes, reading, reasoning: is_reasoning })
    }

    fn read<'a>(&self, data: &'a [u8]) -> Option<Reading<'a>> {
        let (mut known, mut rest) = (0, data);
        let (mut text, mut usage) = ("", self.reading.usage);
        for (range, hole) in &self.holes {
            rest = rest.strip_prefix(&self.bytes[known..range.start])?;
            known = range.end;
            match hole {
                Hole::Text => {
                    let end = memchr2(b'"', b'\\', rest).filter(|at| *at > 0 && rest[*at] == b'"')?;
                    if rest[..end].iter().any(|byte| *byte < 0x20) {
                        return None;
                    }
                    text = std::str::from_utf8(&rest[..end]).ok()?;
                    rest = &rest[end..];
                }
                Hole::Count | Hole::Ignored => {
                    let (value, digits) = number(rest)?;
                    rest = &rest[digits..];
                    if let (Hole::Count, Some(usage)) = (hole, &mut usage) {
                        usage.completion_tokens = Some(value);
                    }
                }
            }
        }
        if rest != &self.bytes[known..] {
            return None;
        }
        let Reading { running, index, finished, .. } = self.reading;
        let (answer, reasoning) = if self.reasoning { ("", text) } else { (text, "") };
        let (answer, reasoning) = (Cow::Borrowed(answer), Cow::Borrowed(reasoning));
        Some(Reading { answer, reasoning, usage, running, index, finished, ..Reading::default() })
    }
}

/// A whole number as JSON writes it, and its digits.
fn number(bytes: &[u8]) -> Option<(u32, usize)> {
    let digits = bytes.iter().take(MOST_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let leading_zero = digits > 1 && bytes[0] == b'0';
    if digits == 0 || digits > MOST_DIGITS || leading_zero || matches!(bytes.get(digits), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    Some((bytes[..digits].iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')), digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::read_event;
    use proptest::prelude::*;
    use tuner_core::task::Api;

    const CHAT: &str = r#"{"id":"x","choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}]}"#;
    const COUNTED: &str = r#"{"choices":[{"delta":{"content":"TEXT"}}],"usage":{"prompt_tokens":7,"total_tokens":N9,"completion_tokens":N}}"#;
    const SPACED: &str =
        r#"{"usage": {"completion_tokens": N}, "choices": [{"delta": {"reasoning_content": "TEXT"}}]}"#;
    const TWICE: &str =
        r#"{"choices":[{"delta":{"content":"TEXT"}}],"usage":{"completion_tokens":N},"x":{"completion_tokens":N}}"#;
    const DELTA: &str = r#"{"type":"response.output_text.delta","sequence_number":N,"delta":"TEXT"}"#;
    const NATIVE: &str = r#"{"index":0,"content":"TEXT","stop":false,"tokens_predicted":N,"tokens_evaluated":8}"#;
    const ALL: [(Api, &str); 6] = [
        (Api::Chat, CHAT),
        (Api::Chat, COUNTED),
        (Api::Chat, SPACED),
        (Api::Chat, TWICE),
        (Api::Responses, DELTA),
        (Api::LlamacppCompletion, NATIVE),
    ];

    fn event(shape: &str, text: &str, n: &str) -> String {
        shape.replace("TEXT", text).replace('N', n)
    }

    /// Learns from the first event and reads the second, if the template can.
    fn repeated(api: Api, first: &str, second: &str) -> Option<bool> {
        let mut templates = Templates::default();
        templates.learn(first.as_bytes(), &read_event(api, first.as_bytes()).ok()?);
        let fast = templates.read(second.as_bytes())?;
        Some(Ok(&fast) == read_event(api, second.as_bytes()).as_ref())
    }

    #[test]
    fn events_that_repeat_are_recognised() {
        for (api, shape) in ALL {
            let known = repeated(api, &event(shape, " a", "4"), &event(shape, " ärger", "15"));
            assert_eq!(known, (shape != TWICE).then_some(true), "{shape}");
        }
    }

    #[test]
    fn whatever_else_differs_is_left_to_the_reader() {
        let first = event(COUNTED, "a", "4");
        for second in [
            event(COUNTED, "", "5"),
            event(COUNTED, "a\\n", "5"),
            event(COUNTED, "a\nb", "5"),
            event(COUNTED, "b", "05"),
            event(COUNTED, "b", "5.5"),
            event(COUNTED, "b", "99999999999"),
            event(COUNTED, "b", "5").replace(":7", ":8"),
            event(COUNTED, "b", "5") + " ",
            event(COUNTED, "b\",\"role\":\"x", "5"),
            event(CHAT, "b", ""),
        ] {
            assert_eq!(repeated(Api::Chat, &first, &second), None, "{second}");
        }
        let finish = CHAT.replace("null", "\"stop\"");
        assert_eq!(repeated(Api::Chat, &event(&finish, "a", ""), &event(&finish, "b", "")), None);
    }

    proptest! {
        #[test]
        fn a_template_never_contradicts_the_reader(
            shape in 0..ALL.len(), texts in (".{0,8}", ".{0,8}"), numbers in (0u64.., 0u64..), cut in 0usize..200,
        ) {
            let (api, shape) = ALL[shape];
            let first = event(shape, &texts.0, &numbers.0.to_string());
            let mut second = event(shape, &texts.1, &numbers.1.to_string());
            if let Some(at) = (0..=cut.min(second.len())).rev().find(|at| second.is_char_boundary(*at)) {
                prop_assert_ne!(repeated(api, &first, &second[..at]), Some(false));
                second.insert(at, '7');
            }
            prop_assert_ne!(repeated(api, &first, &second), Some(false));
        }
    }
}
