//! SGLang's own `/generate`: `text` is all that was written so far, `meta_info` holds running counts.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::client::event::{PromptDetails, Reading, Unparsed, Usage, append, error_text, text};

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    text: Option<Cow<'a, str>>,
    /// Where a request asked for several answers.
    #[serde(default)]
    index: Option<u32>,
    #[serde(borrow, default)]
    meta_info: Option<Meta<'a>>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default)]
    finish_reason: Option<Finish<'a>>,
    #[serde(default)]
    prompt_tokens: Option<u32>,
    #[serde(default)]
    completion_tokens: Option<u32>,
    #[serde(default)]
    cached_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Finish<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Cow<'a, str>,
    #[serde(default)]
    message: Option<Value>,
}

/// Reads one event, or a whole answer that did not stream: it has the same fields.
pub(super) fn read(data: &[u8]) -> Result<Reading<'_>, Unparsed> {
    // A list begins the whole answers of a request for several.
    if data.trim_ascii_start().first() != Some(&b'[') {
        return serde_json::from_slice(data).map_err(|_| Unparsed).and_then(one);
    }
    let all: Vec<Chunk<'_>> = serde_json::from_slice(data).map_err(|_| Unparsed)?;
    let mut sum = Reading { running: true, ..Reading::default() };
    for chunk in all {
        let reading = one(chunk)?;
        append(&mut sum.answer, reading.answer);
        sum.finish = reading.finish.or(sum.finish);
        sum.finished += reading.finished;
        sum.error = sum.error.or(reading.error);
        if let Some(more) = reading.usage {
            let usage = sum.usage.get_or_insert_default();
            usage.prompt_tokens = more.prompt_tokens.or(usage.prompt_tokens);
            let counts = (usage.completion_tokens, more.completion_tokens);
            usage.completion_tokens = counts.1.map(|n| n.saturating_add(counts.0.unwrap_or(0))).or(counts.0);
        }
    }
    Ok(sum)
}

fn one(chunk: Chunk<'_>) -> Result<Reading<'_>, Unparsed> {
    let mut reading = Reading { running: true, cumulative: true, index: chunk.index.or(Some(0)), ..Reading::default() };
    if let Some(error) = chunk.error.as_ref().filter(|e| !e.is_null()) {
        reading.error = Some(error_text(error));
        return Ok(reading);
    }
    let meta = chunk.meta_info.ok_or(Unparsed)?;
    reading.answer = chunk.text.unwrap_or_default();
    reading.usage = Some(Usage {
        prompt_tokens: meta.prompt_tokens,
        completion_tokens: meta.completion_tokens,
        prompt_tokens_details: meta.cached_tokens.map(|n| PromptDetails { cached_tokens: Some(n) }),
    });
    if let Some(finish) = meta.finish_reason {
        if finish.kind == "abort" {
            reading.error = Some(finish.message.as_ref().map_or_else(|| "aborted".to_owned(), error_text));
        }
        reading.finish = Some(finish.kind);
        reading.finished = 1;
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_carry_all_text_so_far_with_running_counts() {
        let data = br#"{"text":"a b","output_ids":[1,2],"meta_info":{"id":"x","finish_reason":null,"prompt_tokens":5,"completion_tokens":2,"cached_tokens":1}}"#;
        let reading = read(data).unwrap();
        assert!(reading.cumulative && reading.running && reading.finish.is_none());
        let usage = reading.usage.unwrap();
        assert_eq!((reading.answer.as_ref(), usage.completion_tokens, usage.prompt_tokens), ("a b", Some(2), Some(5)));
        let end =
            br#"{"text":"a b c","meta_info":{"finish_reason":{"type":"length","length":3},"completion_tokens":3}}"#;
        assert_eq!(read(end).unwrap().finish.as_deref(), Some("length"));
    }

    #[test]
    fn an_aborted_answer_and_an_error_are_failures() {
        let abort =
            br#"{"text":"","meta_info":{"finish_reason":{"type":"abort","message":"too long","status_code":400}}}"#;
        assert_eq!(read(abort).unwrap().error.as_deref(), Some("too long"));
        assert_eq!(read(br#"{"error":{"message":"bad"}}"#).unwrap().error.as_deref(), Some("bad"));
        assert!(read(br#"{"text":"x"}"#).is_err());
    }

    #[test]
    fn several_whole_answers_are_added_up() {
        let data =
            br#"[{"text":"a","meta_info":{"finish_reason":{"type":"length"},"prompt_tokens":5,"completion_tokens":2}},
            {"text":"b","meta_info":{"finish_reason":{"type":"stop"},"prompt_tokens":5,"completion_tokens":3}}]"#;
        let reading = read(data).unwrap();
        let usage = reading.usage.unwrap();
        assert_eq!((reading.answer.as_ref(), reading.finished), ("ab", 2));
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (Some(5), Some(5)));
    }
}
