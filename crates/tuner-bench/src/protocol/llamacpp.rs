//! llama.cpp's own `/completion`: `content` is what is new, the last event says `stop: true`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::client::event::{PromptDetails, Reading, Unparsed, Usage, error_text, text};

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    content: Option<Cow<'a, str>>,
    #[serde(default)]
    index: Option<u32>,
    #[serde(default)]
    stop: Option<bool>,
    #[serde(borrow, default, deserialize_with = "text")]
    stop_type: Option<Cow<'a, str>>,
    #[serde(default)]
    tokens_predicted: Option<u32>,
    #[serde(default)]
    tokens_evaluated: Option<u32>,
    #[serde(default)]
    timings: Option<Timings>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Timings {
    #[serde(default)]
    cache_n: Option<u32>,
}

/// Reads one event, or a whole answer that did not stream: it has the same fields.
pub(super) fn read(data: &[u8]) -> Result<Reading<'_>, Unparsed> {
    let chunk: Chunk<'_> = serde_json::from_slice(data).map_err(|_| Unparsed)?;
    let mut reading = Reading { running: true, index: chunk.index.or(Some(0)), ..Reading::default() };
    if let Some(error) = chunk.error.as_ref().filter(|e| !e.is_null()) {
        reading.error = Some(error_text(error));
        return Ok(reading);
    }
    let (Some(text), Some(stop)) = (chunk.content, chunk.stop) else { return Err(Unparsed) };
    reading.answer = text;
    if chunk.tokens_predicted.is_some() || chunk.tokens_evaluated.is_some() {
        let cached = chunk.timings.and_then(|t| t.cache_n);
        reading.usage = Some(Usage {
            prompt_tokens: chunk.tokens_evaluated,
            completion_tokens: chunk.tokens_predicted,
            prompt_tokens_details: cached.map(|n| PromptDetails { cached_tokens: Some(n) }),
        });
    }
    if stop {
        reading.finish = Some(match chunk.stop_type.as_deref() {
            Some("limit") => Cow::Borrowed("length"),
            _ => Cow::Borrowed("stop"),
        });
        reading.finished = 1;
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_carry_what_is_new_and_the_last_one_why_it_ended() {
        let data = br#"{"index":0,"content":" hi","tokens":[],"stop":false,"id_slot":-1,"tokens_predicted":1,"tokens_evaluated":8}"#;
        let reading = read(data).unwrap();
        assert_eq!((reading.answer.as_ref(), reading.usage.unwrap().completion_tokens), (" hi", Some(1)));
        assert!(reading.finish.is_none() && !reading.cumulative);
        let data = br#"{"index":0,"content":"","stop":true,"stop_type":"limit","tokens_predicted":4,"tokens_evaluated":8,"timings":{"cache_n":3,"prompt_ms":1.5}}"#;
        let reading = read(data).unwrap();
        let usage = reading.usage.unwrap();
        assert_eq!((reading.finish.as_deref(), usage.completion_tokens), (Some("length"), Some(4)));
        assert_eq!(usage.prompt_tokens_details.unwrap().cached_tokens, Some(3));
        assert!(!reading.has_output());
    }

    #[test]
    fn errors_are_errors_and_other_shapes_are_not_understood() {
        let error = br#"{"error":{"code":400,"message":"the request exceeds the context","type":"x"}}"#;
        assert_eq!(read(error).unwrap().error.as_deref(), Some("the request exceeds the context"));
        assert!(read(br#"{"choices":[]}"#).is_err());
    }
}
