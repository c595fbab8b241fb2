//! What one request carries, and the body that says so to each protocol.
//!
//! *Invariant*: fields that a person gave (`extra_body`, a request body of a file) are sent as they are; only the
//! model, the output length and the stream switches are set over them.

use serde_json::{Map, Value, json};
use tuner_core::task::Api;

use super::fields;
use crate::client::Features;

/// What stands for a picture in a prompt of llama.cpp's own endpoint, where the server names no other.
const MEDIA_MARKER: &str = "<__media__>";

/// What a request asks about.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A prompt, or what one user says.
    Text(String),
    /// A prompt, tokenized.
    TokenIds(Vec<u32>),
    /// A conversation of objects with `role` and `content`.
    Messages(Vec<Value>),
    /// What one user says about pictures.
    Pictures {
        /// The question.
        text: String,
        /// Addresses or `data:` URLs.
        urls: Vec<String>,
        /// What stands for a picture in a prompt of this model, where the protocol has no parts of messages.
        mark: Option<String>,
    },
    /// Texts, each to be turned into a vector.
    Documents(Vec<String>),
    /// Documents to be ranked.
    Ranking {
        /// What they are ranked by.
        query: String,
        /// The documents.
        documents: Vec<String>,
    },
    /// Fields of a request in the protocol's own form ([`super::adopt`]).
    Fields(Map<String, Value>),
}

/// One request, before it is written down.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// What it asks about.
    pub content: Content,
    /// Model to ask for; requests of one level may differ.
    pub model: &'a str,
    /// Tokens that the answer may have, or must have with `ignore_eos`.
    pub output_tokens: u32,
    /// Sampling temperature, where the content does not say.
    pub temperature: f64,
    /// Ask the engine not to stop before the output length.
    pub ignore_eos: bool,
    /// Stream the answer, unless the content or `extra` says otherwise.
    pub stream: bool,
    /// Further fields.
    pub extra: &'a Map<String, Value>,
    /// What the endpoint accepts.
    pub features: Features,
}

/// A protocol that cannot carry what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} cannot carry {what}; it takes {takes}", .api.name())]
pub struct ContentError {
    /// The protocol.
    pub api: Api,
    /// What it was given.
    pub what: &'static str,
    /// What it takes.
    pub takes: &'static str,
}

/// The request's fields in the protocol's form.
///
/// # Errors
/// The protocol cannot carry such content.
pub fn body(api: Api, ask: Ask<'_>) -> Result<Map<String, Value>, ContentError> {
    let mut body = content(api, ask.content)?;
    let sampling = |body: &mut Map<String, Value>, name: &str, value: Value| {
        fields::sampling(api, body).entry(name.to_owned()).or_insert(value);
    };
    if super::generates(api) {
        sampling(&mut body, "temperature", json!(ask.temperature));
        if ask.ignore_eos && ask.features.ignore_eos && fields::knows_ignore_eos(api) {
            sampling(&mut body, "ignore_eos", Value::Bool(true));
        }
    }
    for (name, value) in ask.extra {
        match (body.get_mut(name), value) {
            (Some(Value::Object(into)), Value::Object(more)) => into.extend(more.clone()),
            _ => {
                body.insert(name.clone(), value.clone());
            }
        }
    }
    if !super::generates(api) {
        body.insert("model".to_owned(), json!(ask.model));
        return Ok(body);
    }
    fields::set_length(api, &mut body, ask.output_tokens);
    // The native protocols serve the one model that is loaded and know no such field.
    if !matches!(api, Api::SglangGenerate | Api::LlamacppCompletion) {
        body.insert("model".to_owned(), json!(ask.model));
    }
    let stream = body.get("stream").and_then(Value::as_bool).unwrap_or(ask.stream);
    body.insert("stream".to_owned(), Value::Bool(stream));
    if stream && ask.features.include_usage && matches!(api, Api::Chat | Api::Completions) {
        let mut options = json!({ "include_usage": true });
        if ask.features.continuous_usage {
            options["continuous_usage_stats"] = Value::Bool(true);
        }
        body.insert("stream_options".to_owned(), options);
    }
    Ok(body)
}

fn content(api: Api, content: Content) -> Result<Map<String, Value>, ContentError> {
    let takes = match api {
        Api::Chat | Api::Responses | Api::Anthropic => "a text, messages or pictures",
        Api::Completions => "a text or token ids",
        Api::SglangGenerate => "a text, token ids, or pictures where the model's tokenizer (a local one) marks them",
        Api::LlamacppCompletion => "a text, token ids, or pictures given as base64 data",
        Api::Embeddings => "a text, token ids or documents",
        Api::Rerank => "a query with documents",
    };
    let refuse = |what| Err(ContentError { api, what, takes });
    let messages = super::has_template(api);
    let prompt = !messages && api != Api::Rerank;
    let fields = match content {
        Content::Fields(fields) => return Ok(fields),
        Content::Text(text) if messages => json!({ "messages": [{ "role": "user", "content": text }] }),
        Content::Text(text) if prompt => json!({ "prompt": text }),
        Content::TokenIds(ids) if prompt => json!({ "prompt": ids }),
        Content::Messages(all) if messages => json!({ "messages": all }),
        Content::Pictures { text, urls, mark: Some(mark) } if api == Api::SglangGenerate => {
            json!({ "prompt": format!("{}{text}", mark.repeat(urls.len())), "image_data": urls })
        }
        Content::Pictures { text, urls, mark } if api == Api::LlamacppCompletion => {
            let data: Option<Vec<&str>> = urls.iter().map(|url| Some(url.split_once(";base64,")?.1)).collect();
            let Some(data) = data else { return refuse("the addresses of pictures") };
            let marks = mark.as_deref().unwrap_or(MEDIA_MARKER).repeat(urls.len());
            json!({ "prompt": { "prompt_string": format!("{marks}{text}"), "multimodal_data": data } })
        }
        Content::Pictures { text, urls, .. } if messages => {
            let pictures = urls.into_iter().map(|url| json!({ "type": "image_url", "image_url": { "url": url } }));
            let parts: Vec<Value> = pictures.chain([json!({ "type": "text", "text": text })]).collect();
            json!({ "messages": [{ "role": "user", "content": parts }] })
        }
        Content::Documents(texts) if api == Api::Embeddings => json!({ "input": texts }),
        Content::Ranking { query, documents } if api == Api::Rerank => {
            json!({ "query": query, "documents": documents })
        }
        Content::Text(_) => return refuse("a text alone"),
        Content::TokenIds(_) => return refuse("token ids"),
        Content::Messages(_) => return refuse("messages"),
        Content::Pictures { .. } => return refuse("pictures"),
        Content::Documents(_) => return refuse("documents"),
        Content::Ranking { .. } => return refuse("documents to be ranked"),
    };
    let Value::Object(fields) = fields else { return Ok(Map::new()) };
    Ok(fields::into_form(api, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(api: Api, content: Content) -> Result<Value, String> {
        let extra = Map::new();
        let ask = Ask {
            content,
            model: "m",
            output_tokens: 7,
            temperature: 0.0,
            ignore_eos: true,
            stream: true,
            extra: &extra,
            features: Features { continuous_usage: false, ..Features::default() },
        };
        body(api, ask).map(Value::Object).map_err(|e| e.to_string())
    }

    /// One picture, with what stands for it in the prompt.
    fn pictures(mark: Option<&str>) -> Content {
        let urls = vec!["data:image/png;base64,AAAA".to_owned()];
        Content::Pictures { text: "what?".to_owned(), urls, mark: mark.map(str::to_owned) }
    }

    #[test]
    fn one_text_is_written_in_each_protocols_form() {
        let text = || Content::Text("hi".to_owned());
        let user = json!([{ "role": "user", "content": "hi" }]);
        let usage = json!({ "include_usage": true });
        let cases = [
            (
                Api::Chat,
                json!({ "messages": user, "temperature": 0.0, "ignore_eos": true, "max_tokens": 7, "model": "m",
                    "stream": true, "stream_options": usage }),
            ),
            (
                Api::Completions,
                json!({ "prompt": "hi", "temperature": 0.0, "ignore_eos": true, "max_tokens": 7, "model": "m",
                    "stream": true, "stream_options": usage }),
            ),
            (
                Api::Responses,
                json!({ "input": user, "temperature": 0.0, "max_output_tokens": 7, "model": "m", "stream": true }),
            ),
            (
                Api::Anthropic,
                json!({ "messages": user, "temperature": 0.0, "max_tokens": 7, "model": "m", "stream": true }),
            ),
            (
                Api::SglangGenerate,
                json!({ "text": "hi", "stream": true,
                    "sampling_params": { "temperature": 0.0, "ignore_eos": true, "max_new_tokens": 7 } }),
            ),
            (
                Api::LlamacppCompletion,
                json!({ "prompt": "hi", "temperature": 0.0, "ignore_eos": true, "n_predict": 7, "stream": true }),
            ),
            (Api::Embeddings, json!({ "input": "hi", "model": "m" })),
        ];
        for (api, expected) in cases {
            assert_eq!(built(api, text()), Ok(expected), "{api:?}");
        }
    }

    #[test]
    fn what_a_protocol_cannot_carry_is_refused_with_what_it_takes() {
        let error = built(Api::Rerank, Content::Text("x".to_owned()));
        assert_eq!(error, Err("rerank cannot carry a text alone; it takes a query with documents".to_owned()));
        let error = built(Api::Chat, Content::TokenIds(vec![1]));
        assert_eq!(error, Err("chat cannot carry token ids; it takes a text, messages or pictures".to_owned()));
        assert!(built(Api::Completions, pictures(None)).is_err());
    }

    #[test]
    fn token_ids_have_the_engines_own_field() {
        let ids = || Content::TokenIds(vec![1, 2]);
        assert_eq!(built(Api::SglangGenerate, ids()).unwrap()["input_ids"], json!([1, 2]));
        assert_eq!(built(Api::LlamacppCompletion, ids()).unwrap()["prompt"], json!([1, 2]));
        assert_eq!(built(Api::Embeddings, ids()).unwrap()["input"], json!([1, 2]));
    }

    #[test]
    fn pictures_are_parts_of_what_the_user_says() {
        let parts = |api, field: &str| built(api, pictures(None)).unwrap()[field][0]["content"].clone();
        let text = json!({ "type": "text", "text": "what?" });
        let url = json!({ "url": "data:image/png;base64,AAAA" });
        assert_eq!(parts(Api::Chat, "messages"), json!([{ "type": "image_url", "image_url": url }, text]));
        let source = json!({ "type": "base64", "media_type": "image/png", "data": "AAAA" });
        assert_eq!(parts(Api::Anthropic, "messages"), json!([{ "type": "image", "source": source }, text]));
        let image = json!({ "type": "input_image", "image_url": "data:image/png;base64,AAAA" });
        assert_eq!(
            parts(Api::Responses, "input"),
            json!([image, { "type": "input_text", "text": "what?" }]),
            "the responses endpoint has names of its own"
        );
    }

    #[test]
    fn protocols_without_messages_have_a_mark_for_each_picture_in_the_prompt() {
        let body = built(Api::LlamacppCompletion, pictures(None)).unwrap();
        let expected = json!({ "prompt_string": "<__media__>what?", "multimodal_data": ["AAAA"] });
        assert_eq!(body["prompt"], expected);
        let body = built(Api::LlamacppCompletion, pictures(Some("<__m7__>"))).unwrap();
        assert_eq!(body["prompt"]["prompt_string"], "<__m7__>what?", "the server's own mark");
        let body = built(Api::SglangGenerate, pictures(Some("<image>"))).unwrap();
        assert_eq!(body["text"], "<image>what?");
        assert_eq!(body["image_data"], json!(["data:image/png;base64,AAAA"]));
        let error = built(Api::SglangGenerate, pictures(None)).unwrap_err();
        assert!(error.starts_with("sglang_generate cannot carry pictures; it takes"), "{error}");
        let addresses =
            Content::Pictures { text: String::new(), urls: vec!["http://host/a.png".to_owned()], mark: None };
        let error = built(Api::LlamacppCompletion, addresses).unwrap_err();
        assert!(error.contains("the addresses of pictures"), "{error}");
        for api in [Api::Completions, Api::Embeddings, Api::Rerank] {
            assert!(built(api, pictures(Some("<image>"))).unwrap_err().contains("cannot carry pictures"), "{api:?}");
        }
    }

    #[test]
    fn further_fields_are_added_and_may_switch_streaming_off() {
        let extra = json!({ "stream": false, "sampling_params": { "top_p": 0.5 }, "priority": 3 });
        let Value::Object(extra) = extra else { panic!("an object") };
        let ask = Ask {
            content: Content::Text("x".to_owned()),
            model: "m",
            output_tokens: 7,
            temperature: 0.0,
            ignore_eos: false,
            stream: true,
            extra: &extra,
            features: Features::default(),
        };
        let body = Value::Object(body(Api::SglangGenerate, ask).unwrap());
        let sampling = json!({ "temperature": 0.0, "top_p": 0.5, "max_new_tokens": 7 });
        assert_eq!(body, json!({ "text": "x", "sampling_params": sampling, "stream": false, "priority": 3 }));
    }
}
