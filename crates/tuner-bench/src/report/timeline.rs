//! What happened in each of several equal parts of the window.

use super::Window;
use super::request::Observed;

/// The window in parts, in order of time.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// Length of a part, seconds.
    pub(crate) part_s: f64,
    /// Output tokens received.
    pub(crate) output: Vec<f64>,
    /// Prompt tokens of requests whose first token came.
    pub(crate) input: Vec<f64>,
    /// Requests whose last token came.
    pub(crate) finished: Vec<f64>,
    /// Requests between sending and end, mean over the part.
    pub(crate) in_flight: Vec<f64>,
    /// Requests between planned arrival and end, mean over the part.
    pub(crate) in_system: Vec<f64>,
    /// Time between tokens, seconds: of the gaps that ended in the part, their sum over their tokens' number. Absent
    /// without gaps.
    pub(crate) pace_s: Vec<Option<f64>>,
}

impl Timeline {
    /// The window in `parts` parts. `everyone`: every request of the level, warm-up included.
    pub(crate) fn of<'a>(everyone: impl Iterator<Item = Observed<'a>>, window: Window, parts: usize) -> Self {
        let part_s = window.length_s() / parts as f64;
        let zeros = || vec![0.0; parts];
        let (mut output, mut input, mut finished) = (zeros(), zeros(), zeros());
        let (mut in_flight, mut in_system) = (zeros(), zeros());
        let (mut gap_s, mut gap_tokens) = (zeros(), zeros());
        let part = |at: f64| {
            window.contains(at).then(|| (((at - window.start_s) / part_s) as usize).min(parts.saturating_sub(1)))
        };
        let cover = |into: &mut Vec<f64>, from: f64, to: f64| {
            let (from, to) = (from.max(window.start_s), to.min(window.end_s));
            if from >= to {
                return;
            }
            let (first, last) = (part(from).unwrap_or(0), part(to).unwrap_or(parts - 1));
            for (i, busy) in into.iter_mut().enumerate().take(last + 1).skip(first) {
                let (start, end) = (window.start_s + i as f64 * part_s, window.start_s + (i + 1) as f64 * part_s);
                *busy += (to.min(end) - from.max(start)).max(0.0) / part_s;
            }
        };
        for observed in everyone {
            let record = observed.record;
            let mut before = None;
            for (at, tokens) in observed.read_tokens() {
                if let Some(i) = part(at) {
                    output[i] += tokens;
                    if let Some(before) = before {
                        gap_s[i] += at - before;
                        gap_tokens[i] += tokens;
                    }
                }
                before = Some(at);
            }
            if let Some(i) = record.first_token_s().and_then(part) {
                input[i] += f64::from(record.input_tokens.unwrap_or(record.planned_input_tokens));
            }
            if let Some(i) = record.last_token_s().filter(|_| observed.completed()).and_then(part) {
                finished[i] += 1.0;
            }
            if let Some(sent) = record.sent_s {
                let end = record.ended_s.unwrap_or(window.end_s);
                cover(&mut in_flight, sent, end);
                cover(&mut in_system, record.planned_s.min(sent), end);
            }
        }
        let pace = |(gaps, tokens): (&f64, &f64)| (*tokens > 0.0).then(|| gaps / tokens);
        let pace_s = gap_s.iter().zip(&gap_tokens).map(pace).collect();
        Self { part_s, output, input, finished, in_flight, in_system, pace_s }
    }
}
