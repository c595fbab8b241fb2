//! Thinking that a server leaves in the text: `<think>…</think>` at its beginning.
//!
//! *Invariant*: the same text comes out however it was cut; nothing is lost, but for the marks and the blank lines
//! around them.

const BEGIN: &str = "<think>";
const END: &str = "</think>";

/// A part of what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Thought(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but blanks, and perhaps the beginning of the mark, has come.
    #[default]
    Start,
    /// The mark has come, and only blanks since.
    Begun,
    Thinking,
    /// The thought is over, and only blanks have come since.
    After,
    Text,
}

/// Takes a text apart as it comes.
#[derive(Debug, Default)]
pub(crate) struct Thoughts {
    state: State,
    /// What may be part of a mark.
    held: String,
}

impl Thoughts {
    /// The parts that are certain with this piece.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<Part> {
        if self.state == State::Text {
            return vec![Part::Text(piece.to_owned())];
        }
        self.held.push_str(piece);
        let mut parts = Vec::new();
        loop {
            match self.state {
                State::Start => {
                    let begun = self.held.trim_start();
                    if let Some(rest) = begun.strip_prefix(BEGIN) {
                        (self.held, self.state) = (rest.to_owned(), State::Begun);
                    } else if BEGIN.starts_with(begun) {
                        return parts;
                    } else {
                        self.state = State::Text;
                    }
                }
                State::Thinking => {
                    if let Some((thought, rest)) = self.held.split_once(END) {
                        push(&mut parts, Part::Thought, thought);
                        (self.held, self.state) = (rest.to_owned(), State::After);
                    } else {
                        let keep = begun_mark(&self.held);
                        let rest = self.held.split_off(self.held.len() - keep);
                        push(&mut parts, Part::Thought, &std::mem::replace(&mut self.held, rest));
                        return parts;
                    }
                }
                State::Begun | State::After => {
                    self.held = self.held.trim_start().to_owned();
                    if self.held.is_empty() {
                        return parts;
                    }
                    self.state = if self.state == State::Begun { State::Thinking } else { State::Text };
                }
                State::Text => {
                    push(&mut parts, Part::Text, &std::mem::take(&mut self.held));
                    return parts;
                }
            }
        }
    }

    /// What was still held at the end.
    pub(crate) fn finish(&mut self) -> Option<Part> {
        let held = std::mem::take(&mut self.held);
        match self.state {
            _ if held.is_empty() => None,
            State::Thinking => Some(Part::Thought(held)),
            _ => Some(Part::Text(held)),
        }
    }
}

fn push(parts: &mut Vec<Part>, kind: fn(String) -> Part, text: &str) {
    if !text.is_empty() {
        parts.push(kind(text.to_owned()));
    }
}

/// How many bytes at the end may begin the end mark.
fn begun_mark(text: &str) -> usize {
    (1..END.len()).rev().find(|n| text.ends_with(&END[..*n])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> (String, String) {
        let mut thoughts = Thoughts::default();
        let (mut text, mut thought) = (String::new(), String::new());
        let mut parts: Vec<Part> = pieces.iter().flat_map(|piece| thoughts.push(piece)).collect();
        parts.extend(thoughts.finish());
        for part in parts {
            match part {
                Part::Text(part) => text.push_str(&part),
                Part::Thought(part) => thought.push_str(&part),
            }
        }
        (text, thought)
    }

    #[test]
    fn a_thought_at_the_beginning_is_no_text_wherever_it_is_cut() {
        for (whole, text, thought) in [
            ("Hello <think> you", "Hello <think> you", ""),
            ("\n<think>\nHm, 1 < 2 </thin?</think>\n\nHello </think>", "Hello </think>", "Hm, 1 < 2 </thin?"),
            ("<think>cut ö", "", "cut ö"),
            ("<think></think>ä", "ä", ""),
            (" <thin", " <thin", ""),
            ("", "", ""),
            ("  leading", "  leading", ""),
        ] {
            let expected = (text.to_owned(), thought.to_owned());
            assert_eq!(read(&[whole]), expected, "{whole}");
            let places: Vec<usize> = (0..=whole.len()).filter(|at| whole.is_char_boundary(*at)).collect();
            for &a in &places {
                for &b in places.iter().filter(|b| **b >= a) {
                    assert_eq!(read(&[&whole[..a], &whole[a..b], &whole[b..]]), expected, "{whole:?} at {a}, {b}");
                }
            }
        }
    }
}
