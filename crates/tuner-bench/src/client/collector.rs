//! Follows one answer and turns it into the times, counts and fate of a record.
//!
//! *Invariant*: what ended a request badly is never forgotten: an error event, a missing end, an unreadable event or
//! an empty answer is a failure with a class, even if `[DONE]` follows.

use tuner_core::record::{Fate, TokenRead};
use tuner_core::task::Api;

use super::event::{Reading, Unparsed, Usage};
use super::sse::{Item, Parser};
use super::template::Templates;
use crate::protocol;

/// Stream events by class; one event can be in several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// Output: text, reasoning, tool call, refusal, audio, or a token count that grew.
    pub token: u64,
    /// Names a role.
    pub role: u64,
    /// None of the others.
    pub empty: u64,
    /// Carries a finish reason.
    pub finish: u64,
    /// Carries token counts.
    pub usage: u64,
    /// Comments (heart-beats).
    pub comment: u64,
    /// `[DONE]`
    pub done: u64,
    /// Errors.
    pub error: u64,
    /// Not understood.
    pub unparsed: u64,
}

impl EventCounts {
    /// Every class with its name.
    pub fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("token", self.token),
            ("role", self.role),
            ("empty", self.empty),
            ("finish", self.finish),
            ("usage", self.usage),
            ("comment", self.comment),
            ("done", self.done),
            ("error", self.error),
            ("unparsed", self.unparsed),
        ]
    }
}

/// How the body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// The body was read to its end, or `[DONE]` came.
    Clean,
    /// Broken off, with class and message.
    Broken(&'static str, String),
}

/// One answer as it arrives. Times are nanoseconds of CLOCK_MONOTONIC.
#[derive(Debug, Default)]
pub struct Collector {
    api: Api,
    parser: Parser,
    templates: Templates,
    /// Reads that carried tokens.
    reads: Vec<(u64, TokenRead)>,
    /// First event of any class.
    pub first_event_ns: Option<u64>,
    /// First answer (non-reasoning) token.
    pub first_answer_ns: Option<u64>,
    /// `[DONE]`, or else the latest read.
    pub ended_ns: Option<u64>,
    /// Everything that was written, reasoning included.
    pub text: String,
    /// Where in the text reasoning stands.
    reasoning: Vec<std::ops::Range<usize>>,
    /// Final token counts.
    pub usage: Option<Usage>,
    /// Events by class.
    pub counts: EventCounts,
    done: bool,
    finish: Option<String>,
    error: Option<String>,
    /// Token counts came with every output event so far; unknown before the first.
    counted: Option<bool>,
    /// Each answer of the request; one as a rule.
    answers: Vec<Answer>,
}

/// What is known of one of a request's answers.
#[derive(Clone, Debug, Default)]
struct Answer {
    /// Tokens by the engine's running count.
    tokens: u32,
    /// Bytes of text, where events repeat all of it.
    written: usize,
    finished: bool,
}

/// Answers of one request that are told apart at most; more are taken together.
const MOST_ANSWERS: u32 = 1024;

impl Collector {
    /// For an answer of this protocol.
    pub fn new(api: Api) -> Self {
        Self { api, ..Self::default() }
    }

    /// Whether the last event came: nothing after it matters.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Whether an output token came.
    pub fn has_tokens(&self) -> bool {
        !self.reads.is_empty()
    }

    /// Time of the first and latest output.
    pub fn token_span_ns(&self) -> Option<(u64, u64)> {
        Some((self.reads.first()?.0, self.reads.last()?.0))
    }

    /// Token-bearing reads with their times.
    pub fn reads(&self) -> &[(u64, TokenRead)] {
        &self.reads
    }

    /// Whether the engine says how many tokens each read brought.
    pub fn counts_reads(&self) -> bool {
        self.reads.iter().any(|(_, read)| read.tokens.is_some())
    }

    /// Takes bytes of a stream that were read at `at_ns`.
    pub fn stream(&mut self, at_ns: u64, bytes: &[u8]) {
        let mut parser = std::mem::take(&mut self.parser);
        parser.push(bytes, &mut |item| self.item(at_ns, item, false));
        self.parser = parser;
    }

    /// Takes a whole answer that did not stream.
    pub fn whole(&mut self, at_ns: u64, body: &[u8]) {
        self.first_event_ns = Some(at_ns);
        self.data(at_ns, protocol::read_whole(self.api, body), false);
        self.done = self.error.is_none() && self.counts.unparsed == 0;
        self.ended_ns = Some(at_ns);
    }

    fn item(&mut self, at_ns: u64, item: Item<'_>, tail: bool) {
        if self.done {
            return;
        }
        self.first_event_ns.get_or_insert(at_ns);
        self.ended_ns = Some(at_ns);
        match item {
            Item::Comment => self.counts.comment += 1,
            Item::Event { data, name } if name != b"error" && self.repeats(at_ns, data) => {}
            Item::Event { data, .. } if data.trim_ascii() == b"[DONE]" => {
                self.counts.done += 1;
                self.done = true;
            }
            Item::Event { name: b"error", data } => {
                let text = protocol::read_event(self.api, data).ok().and_then(|r| r.error);
                self.fail(text.unwrap_or_else(|| String::from_utf8_lossy(data).chars().take(500).collect()));
            }
            Item::Event { data, .. } => {
                let reading = protocol::read_event(self.api, data);
                if let Ok(reading) = &reading {
                    self.templates.learn(data, reading);
                }
                self.data(at_ns, reading, tail);
            }
        }
    }

    /// Takes an event that repeats an earlier one; false if it does not.
    fn repeats(&mut self, at_ns: u64, data: &[u8]) -> bool {
        let Some(reading) = self.templates.read(data) else { return false };
        debug_assert_eq!(
            protocol::read_event(self.api, data).as_ref(),
            Ok(&reading),
            "a template contradicts the reader"
        );
        self.data(at_ns, Ok(reading), false);
        true
    }

    fn fail(&mut self, message: String) {
        self.counts.error += 1;
        self.error.get_or_insert(message);
    }

    fn data(&mut self, at_ns: u64, reading: Result<Reading<'_>, Unparsed>, tail: bool) {
        let Ok(mut reading) = reading else {
            // Half an event at the end of a stream is a truncated stream, not an unknown kind of event.
            if !tail {
                self.counts.unparsed += 1;
            }
            return;
        };
        if reading.cumulative {
            self.only_what_is_new(&mut reading);
        }
        let mut classes = 0;
        let mut class = |holds: bool, count: &mut u64| {
            *count += u64::from(holds);
            classes += u32::from(holds);
        };
        class(reading.role, &mut self.counts.role);
        class(reading.finish.is_some(), &mut self.counts.finish);
        class(reading.usage.is_some(), &mut self.counts.usage);
        class(reading.last, &mut self.counts.done);
        let tokens = self.new_tokens(&reading);
        let token = reading.has_output() || tokens.is_some_and(|n| n > 0);
        class(token, &mut self.counts.token);
        self.counts.empty += u64::from(classes == 0 && reading.error.is_none());
        if token {
            self.token(at_ns, tokens);
            if !reading.answer.is_empty() || reading.other_output {
                self.first_answer_ns.get_or_insert(at_ns);
            }
            if !reading.reasoning.is_empty() {
                self.reason(&reading.reasoning);
            }
            self.text.push_str(&reading.answer);
        }
        self.keep_usage(&reading);
        if let Some(index) = reading.index.filter(|_| reading.running) {
            let finished = reading.finished > 0;
            self.answer(index).finished |= finished;
        }
        self.done |= reading.last;
        if let Some(reason) = reading.finish {
            self.finish = Some(reason.into_owned());
        }
        if let Some(error) = reading.error {
            self.fail(error);
        }
    }

    fn reason(&mut self, text: &str) {
        let (from, to) = (self.text.len(), self.text.len() + text.len());
        self.text.push_str(text);
        match self.reasoning.last_mut() {
            Some(last) if last.end == from => last.end = to,
            _ => self.reasoning.push(from..to),
        }
    }

    /// What was answered: the text without the reasoning.
    pub fn answered(&self) -> std::borrow::Cow<'_, str> {
        if self.reasoning.is_empty() {
            return self.text.as_str().into();
        }
        let mut answer = String::with_capacity(self.text.len());
        let mut from = 0;
        for range in &self.reasoning {
            answer.push_str(&self.text[from..range.start]);
            from = range.end;
        }
        answer.push_str(&self.text[from..]);
        answer.into()
    }

    fn answer(&mut self, index: u32) -> &mut Answer {
        let index = index.min(MOST_ANSWERS) as usize;
        if self.answers.len() <= index {
            self.answers.resize_with(index + 1, Answer::default);
        }
        &mut self.answers[index]
    }

    /// Leaves of a text that repeats everything only what was not there before.
    fn only_what_is_new(&mut self, reading: &mut Reading<'_>) {
        let index = reading.index.unwrap_or(0);
        let alone = self.answers.len() <= 1 && index == 0;
        let before = std::mem::replace(&mut self.answer(index).written, reading.answer.len());
        // An engine that was told to send increments does so under the same name.
        let repeats =
            if alone { reading.answer.starts_with(&self.text) } else { reading.answer.is_char_boundary(before) };
        if repeats && before <= reading.answer.len() {
            reading.answer = match std::mem::take(&mut reading.answer) {
                std::borrow::Cow::Borrowed(text) => text[before..].into(),
                std::borrow::Cow::Owned(text) => text[before..].to_owned().into(),
            };
        } else {
            self.answer(index).written = before + reading.answer.len();
        }
    }

    /// The engine's latest counts; running counts of several answers are added up.
    fn keep_usage(&mut self, reading: &Reading<'_>) {
        let Some(usage) = reading.usage else { return };
        let running = reading.running && self.counted == Some(true) && self.answers.len() > 1;
        let completion = if running { Some(self.counted_tokens()) } else { usage.completion_tokens };
        let kept = self.usage.get_or_insert_default();
        kept.prompt_tokens = usage.prompt_tokens.or(kept.prompt_tokens);
        kept.completion_tokens = completion.or(kept.completion_tokens);
        kept.prompt_tokens_details = usage.prompt_tokens_details.or(kept.prompt_tokens_details);
    }

    fn counted_tokens(&self) -> u32 {
        self.answers.iter().fold(0, |sum, answer| sum.saturating_add(answer.tokens))
    }

    /// Tokens that this event adds by the engine's own running count; `None` where it keeps none. A count that
    /// appears only at the end is a total, not a chunk's count.
    fn new_tokens(&mut self, reading: &Reading<'_>) -> Option<u32> {
        let count = reading.usage.and_then(|u| u.completion_tokens).filter(|_| reading.running);
        let produced = reading.has_output() || count.is_some_and(|n| n > 0);
        if produced {
            self.counted = Some(self.counted.unwrap_or(true) && count.is_some());
        }
        let count = count.filter(|_| self.counted == Some(true))?;
        let before = match reading.index {
            Some(index) => self.answer(index).tokens,
            None => self.counted_tokens(),
        };
        let new = count.saturating_sub(before);
        let answer = self.answer(reading.index.unwrap_or(0));
        answer.tokens = answer.tokens.saturating_add(new);
        Some(new)
    }

    fn token(&mut self, at_ns: u64, tokens: Option<u32>) {
        match self.reads.last_mut() {
            Some((at, read)) if *at == at_ns => {
                read.events += 1;
                read.tokens = read.tokens.zip(tokens).map(|(a, b)| a + b);
            }
            _ => self.reads.push((at_ns, TokenRead { at_s: 0.0, events: 1, tokens })),
        }
    }

    /// Ends the answer and says how it went. `exact_output`: the length that the engine was told to reach exactly.
    pub fn finish(&mut self, end: BodyEnd, exact_output: Option<u32>) -> Fate {
        let at_ns = self.ended_ns.unwrap_or_default();
        if end == BodyEnd::Clean {
            let mut parser = std::mem::take(&mut self.parser);
            parser.finish(&mut |item| self.item(at_ns, item, true));
        }
        let failed = |class: &str, message: String| Fate::Failed { class: class.to_owned(), message };
        if let Some(message) = self.error.take() {
            return failed("stream_error", message);
        }
        if let (BodyEnd::Broken(class, message), false) = (end, self.done) {
            return failed(class, message);
        }
        if self.counts.unparsed > 0 {
            return failed("parse", format!("{} events could not be read", self.counts.unparsed));
        }
        if !self.done && (self.finish.is_none() || self.answers.iter().any(|answer| !answer.finished)) {
            let events = self.counts.token;
            return failed("truncated", format!("ended after {events} token events with neither a finish nor [DONE]"));
        }
        if self.reads.is_empty() {
            let reason = self.finish.as_deref().unwrap_or("none");
            return failed("empty", format!("no output token (finish reason: {reason})"));
        }
        let counted = self.usage.and_then(|u| u.completion_tokens);
        if let (Some(asked), Some(got)) = (exact_output, counted) {
            // One token in a hundred of slack: engines count a final stop token or not.
            let slack = (asked / 100).max(2);
            if got.abs_diff(asked) > slack {
                let reason = self.finish.as_deref().unwrap_or("none");
                return failed("length_mismatch", format!("{got} output tokens instead of {asked} (finish: {reason})"));
            }
        }
        Fate::Completed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> String {
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{words}\"}}}}]}}\n\n")
    }
    fn counted(words: &str, n: u32) -> String {
        format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{words}\"}}}}],\"usage\":{{\"completion_tokens\":{n}}}}}\n\n"
        )
    }
    const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    const ROLE: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    fn collect(reads: &[&str], end: BodyEnd) -> (Collector, Fate) {
        let mut collector = Collector::default();
        for (i, read) in reads.iter().enumerate() {
            collector.stream(i as u64 + 1, read.as_bytes());
        }
        let fate = collector.finish(end, Some(10));
        (collector, fate)
    }

    fn class(fate: &Fate) -> &str {
        match fate {
            Fate::Completed => "completed",
            Fate::Failed { class, .. } => class,
            _ => "other",
        }
    }

    fn tokens(c: &Collector) -> Vec<(u64, u32, Option<u32>)> {
        c.reads().iter().map(|(at, r)| (*at, r.events, r.tokens)).collect()
    }

    #[test]
    fn role_and_empty_events_are_no_tokens() {
        let (c, fate) = collect(&[ROLE, &text(""), &text("a"), &text("b"), FINISH, DONE], BodyEnd::Clean);
        assert_eq!(class(&fate), "completed");
        assert_eq!(tokens(&c), [(3, 1, None), (4, 1, None)]);
        assert_eq!((c.first_event_ns, c.ended_ns), (Some(1), Some(6)));
        assert_eq!((c.counts.role, c.counts.empty, c.counts.token, c.counts.done), (1, 1, 2, 1));
    }

    #[test]
    fn running_counts_give_the_tokens_of_each_read_even_without_text() {
        let two = [counted("ab", 2), counted("c", 3)].concat();
        let (c, fate) =
            collect(&[&counted("", 0), &two, &counted("", 4), &counted("de", 6), FINISH, DONE], BodyEnd::Clean);
        assert_eq!(tokens(&c), [(2, 2, Some(3)), (3, 1, Some(1)), (4, 1, Some(2))]);
        assert_eq!(class(&fate), "length_mismatch");
    }

    #[test]
    fn a_total_on_the_last_chunk_is_not_taken_for_its_tokens() {
        let last = "data: {\"choices\":[{\"delta\":{\"content\":\"z\"},\"finish_reason\":\"length\"}],\"usage\":{\"completion_tokens\":9}}\n\n";
        let (c, fate) = collect(&[&text("a"), &text("b"), last, DONE], BodyEnd::Clean);
        assert_eq!(tokens(&c), [(1, 1, None), (2, 1, None), (3, 1, None)]);
        assert_eq!(c.usage.and_then(|u| u.completion_tokens), Some(9));
        assert_eq!(class(&fate), "completed");
    }

    #[test]
    fn bad_ends_have_their_class() {
        let error = "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
        let cases: [(&[&str], BodyEnd, &str); 9] = [
            (&[&text("a"), error, DONE], BodyEnd::Clean, "stream_error"),
            (&[&text("a"), "event: error\ndata: oh\n\n", DONE], BodyEnd::Clean, "stream_error"),
            (&[&text("a")], BodyEnd::Clean, "truncated"),
            (&[&text("a"), "data: {\"choi"], BodyEnd::Clean, "truncated"),
            (&[&text("a")], BodyEnd::Broken("cut", "reset".to_owned()), "cut"),
            (&[ROLE, FINISH, DONE], BodyEnd::Clean, "empty"),
            (&[&text("a"), "data: what\n\n", FINISH, DONE], BodyEnd::Clean, "parse"),
            (&[&text("a"), FINISH], BodyEnd::Clean, "completed"),
            (&[&text("a"), FINISH, "data: [DONE]"], BodyEnd::Clean, "completed"),
        ];
        for (reads, end, expected) in cases {
            assert_eq!(class(&collect(reads, end).1), expected, "{reads:?}");
        }
    }

    #[test]
    fn nothing_after_done_is_read() {
        let (c, _) = collect(&[&text("a"), FINISH, DONE, &text("b")], BodyEnd::Clean);
        assert_eq!((c.text.as_str(), c.ended_ns), ("a", Some(3)));
    }

    #[test]
    fn reasoning_is_output_but_not_the_answer() {
        let hm = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
        let (c, _) = collect(&[hm, hm, &text("yes"), FINISH, DONE], BodyEnd::Clean);
        assert_eq!((tokens(&c).len(), c.first_answer_ns, c.text.as_str()), (3, Some(3), "hmhmyes"));
    }

    #[test]
    fn a_whole_answer_is_one_read() {
        let mut c = Collector::default();
        let body = br#"{"choices":[{"message":{"content":"hello"},"finish_reason":"length"}],"usage":{"completion_tokens":10}}"#;
        c.whole(7, body);
        assert_eq!(c.finish(BodyEnd::Clean, Some(10)), Fate::Completed);
        assert_eq!(tokens(&c), [(7, 1, Some(10))]);
    }
}
