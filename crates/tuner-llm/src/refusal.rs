//! What a server means when it does not answer: status and words to an error.
//!
//! *Invariant*: one place decides which failures are tried again; words are read here and nowhere else.

use std::time::Duration;

use serde_json::Value;
use tuner_wire::{Secret, said};

use crate::LlmError;
use crate::answer::Inside;

/// A try that failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failed {
    pub(crate) error: LlmError,
    /// Another try may help, if nothing was given out.
    pub(crate) again: bool,
    /// When the server wants it.
    pub(crate) after: Option<Duration>,
    /// Everything the server said, in small letters: which field it did not take.
    pub(crate) words: String,
}

impl Failed {
    pub(crate) fn finally(error: LlmError) -> Self {
        Self { error, again: false, after: None, words: String::new() }
    }

    pub(crate) fn for_now(error: LlmError) -> Self {
        Self { again: true, ..Self::finally(error) }
    }

    /// Whether the server refused the request because of this field.
    pub(crate) fn about(&self, field: &str) -> bool {
        const REFUSALS: [&str; 10] = [
            "support",
            "unrecognized",
            "unknown",
            "unexpected",
            "extra",
            "invalid",
            "not permitted",
            "not allowed",
            "deprecated",
            "only the default",
        ];
        matches!(self.error, LlmError::Refused { .. })
            && self.words.contains(field)
            && REFUSALS.iter().any(|word| self.words.contains(word))
    }
}

/// A status that is no success, with the body.
pub(crate) fn of_status(status: u16, body: &[u8], after: Option<Duration>, model: &str, secrets: &[&Secret]) -> Failed {
    let body = String::from_utf8_lossy(body);
    let words = body.to_lowercase();
    let said = said(&message(&body), secrets);
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let (error, again) = match status {
        _ if too_long(&words) && (400..=500).contains(&status) => (LlmError::TooLong { said }, false),
        401 | 403 => (LlmError::Unauthorised { status, said }, false),
        400 if has(&["credit balance"]) => (LlmError::Quota { said }, false),
        402 => (LlmError::Quota { said }, false),
        429 if has(&["insufficient_quota", "exceeded your current quota", "billing"]) => {
            (LlmError::Quota { said }, false)
        }
        429 => (LlmError::Limited { retry_after: after, tries: 1, said }, true),
        400 | 404 if has(&["model"]) && has(&["not found", "not_found", "does not exist", "unknown model"]) => {
            (LlmError::ModelUnknown { model: model.to_owned(), said }, false)
        }
        // llama.cpp without its template, and others: a server that will never take it.
        500 | 501 if has(&["tool"]) && has(&["support", "require"]) => (LlmError::Refused { status, said }, false),
        501 | 505 => (LlmError::Refused { status, said }, false),
        408 | 500..=599 => (LlmError::ServerFailed { status, tries: 1, said }, true),
        _ => (LlmError::Refused { status, said }, false),
    };
    Failed { error, again, after, words }
}

/// An error inside of an answer.
pub(crate) fn of_inside(inside: &Inside, given: bool, secrets: &[&Secret]) -> Failed {
    let words = format!("{} {}", inside.kind, inside.message).to_lowercase();
    let why = said(&format!("{}: {}", inside.kind, inside.message), secrets);
    let why = why.trim_start_matches(": ").to_owned();
    if too_long(&words) && !given {
        return Failed { words, ..Failed::finally(LlmError::TooLong { said: why }) };
    }
    let passing = ["overloaded", "rate_limit", "rate limit", "server_error", "api_error", "timeout", "unavailable"];
    let passing = passing.iter().any(|word| words.contains(word))
        || inside.kind.split(' ').any(|word| word.parse::<u16>().is_ok_and(|code| code == 429 || code >= 500));
    let error = LlmError::Interrupted { why, after_output: given, tries: 1 };
    Failed { words, again: passing && !given, ..Failed::finally(error) }
}

fn too_long(words: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "context_length_exceeded",
        "exceed_context_size",
        "maximum context length",
        "context length exceeded",
        "exceeds the available context",
        "prompt is too long",
        "input is too long",
        "longer than the model's context",
        "exceeds the model's context",
    ];
    SIGNS.iter().any(|sign| words.contains(sign))
}

/// The sentence inside of an error's body; the body itself if it has none.
fn message(body: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let sentence =
        ["/error/message", "/error", "/message", "/detail"].iter().find_map(|at| value.pointer(at)?.as_str());
    sentence.map_or_else(|| body.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(status: u16, body: &str) -> (&'static str, bool) {
        let failed = of_status(status, body.as_bytes(), None, "m", &[]);
        (failed.error.code(), failed.again)
    }

    /// Bodies that real servers send.
    #[test]
    fn what_servers_say_is_understood() {
        for (status, body, expected) in [
            (
                401,
                r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#,
                ("model_unauthorised", false),
            ),
            (
                404,
                r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
                ("model_unknown", false),
            ),
            (
                404,
                r#"{"object":"error","message":"The model `x` does not exist.","code":404}"#,
                ("model_unknown", false),
            ),
            (404, r#"{"error":"model 'x' not found"}"#, ("model_unknown", false)),
            (
                404,
                r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"}}"#,
                ("model_unknown", false),
            ),
            (404, r#"{"detail":"Not Found"}"#, ("model_refused", false)),
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded"}}"#,
                ("context_too_long", false),
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"request (9000 tokens) exceeds the available context size (4096 tokens)","type":"exceed_context_size_error"}}"#,
                ("context_too_long", false),
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
                ("context_too_long", false),
            ),
            (429, r#"{"error":{"message":"Rate limit reached"}}"#, ("model_limited", true)),
            (
                429,
                r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
                ("model_quota", false),
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
                ("model_quota", false),
            ),
            (
                529,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                ("model_failed", true),
            ),
            (500, r#"{"error":{"code":500,"message":"tools param requires --jinja flag"}}"#, ("model_refused", false)),
            (503, "<html>Service Unavailable</html>", ("model_failed", true)),
            (
                400,
                r#"{"error":{"message":"\"auto\" tool choice requires --enable-auto-tool-choice"}}"#,
                ("model_refused", false),
            ),
        ] {
            assert_eq!(code(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_refused_field_is_recognised() {
        let of = |body: &str| of_status(400, body.as_bytes(), None, "m", &[]);
        let openai = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model.","param":"max_tokens"}}"#;
        assert!(of(openai).about("max_tokens"));
        assert!(!of(openai).about("temperature"));
        let pydantic = r#"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#;
        assert!(of(pydantic).about("stream_options"));
    }

    // R14.7
    #[test]
    fn the_words_of_a_server_never_show_the_key() {
        let key = Secret::new("sk-abcdef123456").unwrap();
        let body = r#"{"error":{"message":"wrong key sk-abcdef123456"}}"#;
        let failed = of_status(401, body.as_bytes(), None, "m", &[&key]);
        assert_eq!(failed.error.to_string(), "the key was refused with 401: wrong key ***");
    }
}
