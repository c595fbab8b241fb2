//! Answers: the stream of events and the single object, byte for byte in the shape of vLLM's.
//!
//! *Invariant*: a stream is a role event (chat only), one event per emission, the last of which carries the finish
//! reason, a usage event if asked for, `[DONE]`. A stream whose engine dies is cut, never ended.

use std::io;

use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};

use super::drive::Ticket;
use super::request::{ApiError, Endpoint, Job};
use crate::scheduler::Emission;
use crate::tokenizer::word;

/// Parts of an answer that do not change.
struct Telling {
    job: Job,
    id: String,
    created: u64,
    model: String,
    said: u32,
    cached: u32,
}

impl Telling {
    fn new(job: Job, ticket: &Ticket, created: u64, model: &str) -> Self {
        let prefix = if job.endpoint == Endpoint::Chat { "chatcmpl" } else { "cmpl" };
        Self {
            id: format!("{prefix}-{created:x}{:08x}", ticket.id),
            job,
            created,
            model: model.to_owned(),
            said: 0,
            cached: 0,
        }
    }

    fn finish_reason(&self) -> &'static str {
        if self.job.full_length { "length" } else { "stop" }
    }

    /// The next words: one per token, each led by a space.
    fn say(&mut self, emission: &Emission, out: &mut String) {
        for _ in 0..emission.tokens {
            out.push(' ');
            out.extend(word(self.job.key, u64::from(self.said)).map(char::from));
            self.said += 1;
        }
        self.cached = emission.cached_tokens;
    }

    fn usage(&self) -> Value {
        json!({
            "prompt_tokens": self.job.prompt.len(),
            "total_tokens": self.job.prompt.len() + self.said as usize,
            "completion_tokens": self.said,
            "prompt_tokens_details": {"cached_tokens": self.cached},
        })
    }

    fn head(&self, object: &str) -> Value {
        json!({"id": self.id, "object": object, "created": self.created, "model": self.model})
    }

    fn event(&self, choices: Value, usage: bool) -> Bytes {
        let object = if self.job.endpoint == Endpoint::Chat { "chat.completion.chunk" } else { "text_completion" };
        let mut chunk = self.head(object);
        chunk["choices"] = choices;
        if usage {
            chunk["usage"] = self.usage();
        }
        Bytes::from(format!("data: {chunk}\n\n"))
    }

    fn role_event(&self) -> Bytes {
        let delta = json!({"role": "assistant", "content": ""});
        let choices = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]);
        self.event(choices, self.job.continuous_usage)
    }

    fn token_event(&mut self, emission: &Emission) -> Bytes {
        let mut text = String::new();
        self.say(emission, &mut text);
        let finish = if emission.finished { json!(self.finish_reason()) } else { Value::Null };
        let choice = match self.job.endpoint {
            Endpoint::Chat => {
                json!({"index": 0, "delta": {"content": text}, "logprobs": null, "finish_reason": finish})
            }
            Endpoint::Completions => json!({"index": 0, "text": text, "logprobs": null, "finish_reason": finish}),
        };
        self.event(json!([choice]), self.job.continuous_usage)
    }

    fn last_events(&self) -> Bytes {
        let mut out = Vec::new();
        if self.job.include_usage {
            out.extend_from_slice(&self.event(json!([]), true));
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        Bytes::from(out)
    }
}

enum Stage {
    Role,
    Tokens,
    Last,
    Over,
}

/// The answer as server-sent events.
pub(super) fn stream(job: Job, ticket: Ticket, created: u64, model: &str) -> Response {
    let first = if job.endpoint == Endpoint::Chat { Stage::Role } else { Stage::Tokens };
    let telling = Telling::new(job, &ticket, created, model);
    let events = stream::unfold((first, telling, ticket), |(stage, mut telling, mut ticket)| async move {
        let (item, next) = match stage {
            Stage::Role => (Ok(telling.role_event()), Stage::Tokens),
            Stage::Tokens => match ticket.next().await {
                Some(emission) => {
                    let next = if emission.finished { Stage::Last } else { Stage::Tokens };
                    (Ok(telling.token_event(&emission)), next)
                }
                None => (Err(io::Error::from(io::ErrorKind::ConnectionReset)), Stage::Over),
            },
            Stage::Last => (Ok(telling.last_events()), Stage::Over),
            Stage::Over => return None,
        };
        Some((item, (next, telling, ticket)))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

/// The answer as one object, when it is complete.
pub(super) async fn whole(job: Job, mut ticket: Ticket, created: u64, model: &str) -> Result<Response, ApiError> {
    let mut telling = Telling::new(job, &ticket, created, model);
    let mut text = String::new();
    loop {
        let Some(emission) = ticket.next().await else {
            return Err(ApiError { status: 500, message: "EngineCore encountered an issue.".to_owned() });
        };
        telling.say(&emission, &mut text);
        if emission.finished {
            break;
        }
    }
    let reason = telling.finish_reason();
    let (object, choice) = match telling.job.endpoint {
        Endpoint::Chat => {
            let message = json!({"role": "assistant", "content": text});
            ("chat.completion", json!({"index": 0, "message": message, "logprobs": null, "finish_reason": reason}))
        }
        Endpoint::Completions => {
            ("text_completion", json!({"index": 0, "text": text, "logprobs": null, "finish_reason": reason}))
        }
    };
    let mut answer = telling.head(object);
    answer["choices"] = json!([choice]);
    answer["usage"] = telling.usage();
    Ok(Json(answer).into_response())
}
