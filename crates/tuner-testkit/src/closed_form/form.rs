//! The protocols' shapes of requests and events.

use serde_json::{Value, json};

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Chat,
    Completions,
    Responses,
    Anthropic,
    Generate,
    Completion,
    Embeddings,
    Rerank,
}

/// What an event says.
pub(super) struct Event<'a> {
    /// Which of a request's answers.
    pub(super) index: u32,
    /// What is new.
    pub(super) text: &'a str,
    /// All text so far.
    pub(super) all: &'a str,
    pub(super) reasoning: bool,
    /// Arguments of a tool instead of text.
    pub(super) tool: bool,
    /// Tokens of this answer so far, where they are told.
    pub(super) count: Option<u32>,
    pub(super) prompt: u64,
}

fn usage(prompt: u64, completion: u32) -> Value {
    json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + u64::from(completion) })
}

impl Form {
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/v1/chat/completions" => Self::Chat,
            "/v1/completions" => Self::Completions,
            "/v1/responses" => Self::Responses,
            "/v1/messages" => Self::Anthropic,
            "/generate" => Self::Generate,
            "/completion" => Self::Completion,
            "/v1/embeddings" => Self::Embeddings,
            "/v1/rerank" => Self::Rerank,
            _ => return None,
        })
    }

    /// Whether answers can be streams.
    pub(super) fn generates(self) -> bool {
        !matches!(self, Self::Embeddings | Self::Rerank)
    }

    /// The prompt's text; token ids count as words.
    pub(super) fn prompt(self, body: &Value) -> String {
        let words = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Object(fields) => fields.get("prompt_string").and_then(Value::as_str).unwrap_or("").to_owned(),
            Value::Array(items) if items.iter().all(Value::is_number) => vec!["#"; items.len()].join(" "),
            Value::Array(items) => {
                let text = |m: &Value| m.as_str().or(m.get("content").and_then(Value::as_str)).map(str::to_owned);
                items.iter().filter_map(text).collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        };
        let places = ["prompt", "messages", "input", "text", "input_ids", "query", "documents"];
        let parts: Vec<String> = places.iter().filter_map(|name| body.get(*name)).map(words).collect();
        parts.join("\n")
    }

    /// Tokens that are asked for, of how many answers.
    pub(super) fn asked(self, body: &Value) -> (u32, u32) {
        let sampling = if self == Self::Generate { &body["sampling_params"] } else { body };
        let names = ["max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "n_predict"];
        let tokens = names.iter().find_map(|name| sampling[*name].as_u64()).unwrap_or(16);
        (tokens as u32, sampling["n"].as_u64().unwrap_or(1) as u32)
    }

    /// Events before the first token: name and data.
    pub(super) fn opening(self, prompt: u64) -> Vec<Value> {
        match self {
            Self::Responses => vec![
                json!({ "type": "response.created", "response": { "status": "in_progress", "output": [] } }),
                json!({ "type": "response.output_item.added", "item": { "type": "message", "content": [] } }),
            ],
            Self::Anthropic => vec![
                json!({ "type": "message_start", "message": { "type": "message", "role": "assistant", "content": [],
                    "usage": { "input_tokens": prompt, "output_tokens": 1 } } }),
                json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
                json!({ "type": "ping" }),
            ],
            _ => Vec::new(),
        }
    }

    pub(super) fn token(self, event: &Event<'_>) -> Value {
        let Event { index, text, all, reasoning, tool, count, prompt } = *event;
        match self {
            Self::Responses => {
                let kind = if reasoning { "reasoning_text" } else { "output_text" };
                json!({ "type": format!("response.{kind}.delta"), "output_index": 0, "delta": text })
            }
            Self::Anthropic if reasoning => {
                json!({ "type": "content_block_delta", "index": 0,
                    "delta": { "type": "thinking_delta", "thinking": text } })
            }
            Self::Anthropic => {
                json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } })
            }
            Self::Generate => {
                let meta = json!({ "id": "x", "finish_reason": null, "prompt_tokens": prompt,
                    "completion_tokens": count, "cached_tokens": 0 });
                json!({ "text": all, "meta_info": meta, "index": index })
            }
            Self::Completion => {
                json!({ "index": index, "content": text, "tokens": [], "stop": false, "tokens_predicted": count,
                    "tokens_evaluated": prompt })
            }
            _ => {
                let mut choice = json!({ "index": index, "finish_reason": null });
                if self == Self::Completions {
                    choice["text"] = json!(text);
                } else if tool {
                    choice["delta"] = json!({ "tool_calls": [{ "index": 0, "function": { "arguments": text } }] });
                } else {
                    choice["delta"] = json!({ if reasoning { "reasoning_content" } else { "content" }: text });
                }
                let mut chunk = json!({ "object": "chat.completion.chunk", "choices": [choice] });
                if let Some(count) = count {
                    chunk["usage"] = usage(prompt, count);
                }
                chunk
            }
        }
    }

    /// Whether events carry a running count as a matter of course.
    pub(super) fn counts(self) -> bool {
        matches!(self, Self::Generate | Self::Completion)
    }

    /// The event that ends one of the answers, of `tokens` tokens.
    pub(super) fn finish(self, index: u32, all: &str, tokens: u32, prompt: u64) -> Option<Value> {
        match self {
            Self::Responses | Self::Anthropic => None,
            Self::Generate => {
                let meta = json!({ "finish_reason": { "type": "length", "length": tokens }, "prompt_tokens": prompt,
                    "completion_tokens": tokens });
                Some(json!({ "text": all, "meta_info": meta, "index": index }))
            }
            Self::Completion => Some(json!({ "index": index, "content": "", "stop": true, "stop_type": "limit",
                "tokens_predicted": tokens, "tokens_evaluated": prompt, "timings": { "cache_n": 0 } })),
            _ => {
                let mut choice = json!({ "index": index, "finish_reason": "length" });
                if self == Self::Completions {
                    choice["text"] = json!("");
                } else {
                    choice["delta"] = json!({});
                }
                Some(json!({ "object": "chat.completion.chunk", "choices": [choice] }))
            }
        }
    }

    /// The event with the counts, where it stands apart.
    pub(super) fn usage(self, prompt: u64, tokens: u32) -> Option<Value> {
        match self {
            Self::Chat | Self::Completions => Some(json!({ "choices": [], "usage": usage(prompt, tokens) })),
            Self::Responses => {
                let counts = json!({ "input_tokens": prompt, "output_tokens": tokens });
                Some(json!({ "type": "response.completed", "response": { "status": "completed", "usage": counts } }))
            }
            Self::Anthropic => Some(json!({ "type": "message_delta", "delta": { "stop_reason": "max_tokens" },
                "usage": { "output_tokens": tokens } })),
            _ => None,
        }
    }

    /// The last event, if it is not part of another.
    pub(super) fn last(self) -> Option<String> {
        match self {
            Self::Responses | Self::Completion => None,
            Self::Anthropic => Some(json!({ "type": "message_stop" }).to_string()),
            _ => Some("[DONE]".to_owned()),
        }
    }

    /// An error inside a stream.
    pub(super) fn error(self) -> Value {
        match self {
            Self::Responses => json!({ "type": "error", "message": "planned failure" }),
            Self::Anthropic => json!({ "type": "error", "error": { "type": "x", "message": "planned failure" } }),
            _ => json!({ "error": { "message": "planned failure", "code": 500 } }),
        }
    }

    /// The whole answer in one document.
    pub(super) fn whole(self, text: &str, tokens: u32, prompt: u64, body: &Value) -> Value {
        match self {
            Self::Responses => json!({ "object": "response", "status": "completed",
                "output": [{ "type": "message", "content": [{ "type": "output_text", "text": text }] }],
                "usage": { "input_tokens": prompt, "output_tokens": tokens } }),
            Self::Anthropic => json!({ "type": "message", "role": "assistant", "stop_reason": "max_tokens",
                "content": [{ "type": "text", "text": text }],
                "usage": { "input_tokens": prompt, "output_tokens": tokens } }),
            Self::Generate | Self::Completion => {
                self.finish(0, text, tokens, prompt).map_or(Value::Null, |mut whole| {
                    if self == Self::Completion {
                        whole["content"] = json!(text);
                    }
                    whole
                })
            }
            Self::Embeddings => {
                let inputs = body["input"].as_array().filter(|a| a.iter().all(Value::is_string)).map_or(1, Vec::len);
                let data: Vec<Value> = (0..inputs).map(|i| json!({ "index": i, "embedding": [0.5, -0.5] })).collect();
                json!({ "object": "list", "data": data, "usage": { "prompt_tokens": prompt, "total_tokens": prompt } })
            }
            Self::Rerank => {
                let documents = body["documents"].as_array().map_or(0, Vec::len);
                let results: Vec<Value> =
                    (0..documents).map(|i| json!({ "index": i, "relevance_score": 1.0 / (i + 1) as f64 })).collect();
                json!({ "id": "r", "results": results, "usage": { "prompt_tokens": prompt, "total_tokens": prompt } })
            }
            Self::Chat | Self::Completions => {
                let message = json!({ "role": "assistant", "content": text });
                let choice = json!({ "index": 0, "finish_reason": "length", "message": message, "text": text });
                json!({ "object": "chat.completion", "choices": [choice], "usage": usage(prompt, tokens) })
            }
        }
    }
}
