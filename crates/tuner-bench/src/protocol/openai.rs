//! OpenAI chat completions and completions, with what vLLM, SGLang and llama.cpp add to them.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::client::event::{Reading, Unparsed, Usage, append, error_text, text};

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<serde_json::Value>,
    #[serde(borrow, default, deserialize_with = "text")]
    object: Option<Cow<'a, str>>,
    #[serde(default)]
    message: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    /// Answers that do not stream have `message` where streams have `delta`.
    #[serde(borrow, default)]
    message: Option<Delta<'a>>,
    #[serde(borrow, default, deserialize_with = "text")]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct Delta<'a> {
    #[serde(default)]
    role: Option<IgnoredAny>,
    #[serde(borrow, default, deserialize_with = "text")]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    reasoning: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    refusal: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(default)]
    audio: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text")]
    arguments: Option<Cow<'a, str>>,
}

/// Reads one event, or a whole answer that did not stream: it has the same fields.
pub(super) fn read(data: &[u8]) -> Result<Reading<'_>, Unparsed> {
    let chunk: Chunk<'_> = serde_json::from_slice(data).map_err(|_| Unparsed)?;
    let mut reading = Reading { usage: chunk.usage, ..Reading::default() };
    let is_error = chunk.object.as_deref() == Some("error");
    if let Some(error) = chunk.error.filter(|e| !e.is_null()) {
        reading.error = Some(error_text(&error));
    } else if is_error {
        reading.error = Some(chunk.message.as_ref().map_or_else(|| "error".to_owned(), error_text));
    }
    let known = chunk.choices.is_some() || chunk.usage.is_some() || reading.error.is_some() || chunk.object.is_some();
    if !known {
        return Err(Unparsed);
    }
    let choices = chunk.choices.unwrap_or_default();
    reading.index = match choices.as_slice() {
        [one] => Some(one.index),
        _ => None,
    };
    for choice in choices {
        reading.running = true;
        if let Some(text) = choice.text {
            append(&mut reading.answer, text);
        }
        if let Some(delta) = choice.delta.or(choice.message) {
            reading.role |= delta.role.is_some();
            // Engines that moved from one name to the other send both with the same text for a while.
            if let Some(text) = delta.reasoning_content.filter(|t| !t.is_empty()).or(delta.reasoning) {
                append(&mut reading.reasoning, text);
            }
            if let Some(text) = delta.content {
                append(&mut reading.answer, text);
            }
            let filled = |text: Option<Cow<'_, str>>| text.is_some_and(|t| !t.is_empty());
            reading.other_output |= filled(delta.refusal);
            reading.other_output |= delta.audio.is_some_and(|a| a.as_object().is_some_and(|o| !o.is_empty()));
            for call in delta.tool_calls.into_iter().flatten() {
                if let Some(function) = call.function {
                    reading.other_output |= filled(function.name);
                    reading.other_output |= filled(function.arguments);
                }
            }
        }
        if choice.finish_reason.is_some() {
            reading.finish = choice.finish_reason;
            reading.finished += 1;
        }
    }
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn classes(data: &str) -> String {
        let Ok(r) = read(data.as_bytes()) else { return "unparsed".to_owned() };
        let mut words = Vec::new();
        for (holds, word) in [
            (r.has_output(), "token"),
            (!r.reasoning.is_empty(), "reasoning"),
            (r.role, "role"),
            (r.finish.is_some(), "finish"),
            (r.usage.is_some(), "usage"),
            (r.error.is_some(), "error"),
        ] {
            if holds {
                words.push(word);
            }
        }
        words.join("+")
    }

    #[test]
    fn events_of_real_engines_fall_into_their_classes() {
        let cases = [
            (r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, "role"),
            (r#"{"choices":[{"delta":{"content":"hi"}}],"object":"chat.completion.chunk"}"#, "token"),
            (r#"{"choices":[{"delta":{"content":"h\u00e4"},"finish_reason":"length"}]}"#, "token+finish"),
            (r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}"#, "finish"),
            (r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#, "usage"),
            (r#"{"choices":[{"delta":{"content":"x"}}],"usage":{"completion_tokens":1}}"#, "token+usage"),
            (r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#, "token+reasoning"),
            (r#"{"choices":[{"delta":{"reasoning":"hm","content":null}}]}"#, "token+reasoning"),
            (r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#, "token"),
            (r#"{"choices":[{"delta":{"refusal":"no"}}]}"#, "token"),
            (r#"{"choices":[{"text":"hi","index":0}]}"#, "token"),
            (r#"{"choices":[{"text":"","index":0}]}"#, ""),
            (r#"{"error":{"message":"out of memory","code":500}}"#, "error"),
            (r#"{"object":"error","message":"bad"}"#, "error"),
            (r#"{"error":null,"choices":[]}"#, ""),
            (
                r#"{"choices":[{"message":{"role":"assistant","content":"all"},"finish_reason":"stop"}]}"#,
                "token+role+finish",
            ),
            (r#"{"unknown":1}"#, "unparsed"),
            ("{", "unparsed"),
            ("[1]", "unparsed"),
        ];
        for (data, expected) in cases {
            assert_eq!(classes(data), expected, "{data}");
        }
    }

    #[test]
    fn an_error_says_what_the_engine_said() {
        let error = |data: &str| read(data.as_bytes()).unwrap().error.unwrap();
        assert_eq!(error(r#"{"error":{"message":"out of memory","code":500}}"#), "out of memory");
        assert_eq!(error(r#"{"error":"plain"}"#), "plain");
        assert_eq!(error(r#"{"object":"error","message":"bad"}"#), "bad");
    }

    #[test]
    fn several_choices_in_one_event_are_read_together() {
        let data = br#"{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"},"finish_reason":"stop"}]}"#;
        let reading = read(data).unwrap();
        assert_eq!((reading.answer.as_ref(), reading.finish.as_deref()), ("ab", Some("stop")));
    }

    proptest! {
        #[test]
        fn no_data_makes_the_reader_panic(data in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&data);
        }
    }
}
