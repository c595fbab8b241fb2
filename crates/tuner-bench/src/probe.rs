//! Asks an endpoint what it is and what it accepts, before it is measured.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use tuner_core::task::Api;

use crate::body;
use crate::client::{Collector, Features, Limits, Target, call, error_message, exchange};
use crate::error::BenchError;

/// A first answer may have to wait for the engine to compile its kernels.
const LIMIT: Duration = Duration::from_secs(120);

fn endpoint_error(target: &Target, path: &str, what: String) -> BenchError {
    BenchError::Endpoint { url: format!("{}{path}", target.base_url.trim_end_matches('/')), what }
}

/// Model names that the endpoint serves.
///
/// # Errors
/// It cannot be reached or does not list models.
pub async fn models(target: &Target) -> Result<Vec<String>, BenchError> {
    let path = "/v1/models";
    let fail = |what: String| endpoint_error(target, path, what);
    let (status, body) = call(&target.address()?, Method::GET, path, Bytes::new(), LIMIT).await.map_err(fail)?;
    if status != 200 {
        return Err(fail(format!("HTTP {status}: {}", error_message(&body))));
    }
    let value: Value = serde_json::from_slice(&body).map_err(|e| fail(format!("not JSON: {e}")))?;
    let listed = value.get("data").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<String> = listed.filter_map(|m| m.get("id")?.as_str().map(str::to_owned)).collect();
    if names.is_empty() { Err(fail("it lists no models".to_owned())) } else { Ok(names) }
}

/// Finds out which request features the endpoint accepts, with up to five tiny requests.
///
/// # Errors
/// It answers no request at all.
pub async fn features(target: &Target, api: Api) -> Result<Features, BenchError> {
    let mut features = Features::default();
    // From the most to the least; the first that is answered well tells what the server really does.
    let less: [fn(&mut Features); 4] =
        [|_| (), |f| f.continuous_usage = false, |f| f.ignore_eos = false, |f| f.include_usage = false];
    let mut last = String::new();
    for reduce in less {
        reduce(&mut features);
        match try_stream(target, api, features).await? {
            Ok(answer) => {
                let counted = answer.reads().iter().any(|(_, read)| read.tokens.is_some());
                features.continuous_usage &= counted;
                features.include_usage &= answer.usage.is_some();
                features.token_ids = api == Api::Completions && takes_token_ids(target).await?;
                return Ok(features);
            }
            Err((status, message)) => {
                last = message;
                if !(400..500).contains(&status) {
                    break;
                }
            }
        }
    }
    Err(endpoint_error(target, body::path(api), last))
}

/// What the endpoint accepts on every one of several paths; at least one.
///
/// # Errors
/// One of them answers no request at all.
pub async fn features_of(target: &Target, apis: &[Api]) -> Result<Features, BenchError> {
    let mut common: Option<Features> = None;
    for api in apis {
        let found = features(target, *api).await?;
        common = Some(match common {
            None => found,
            Some(known) => Features {
                ignore_eos: known.ignore_eos && found.ignore_eos,
                include_usage: known.include_usage && found.include_usage,
                continuous_usage: known.continuous_usage && found.continuous_usage,
                // Asked of the one endpoint that could take them.
                token_ids: known.token_ids || found.token_ids,
            },
        });
    }
    Ok(common.unwrap_or_default())
}

type Refused = (u16, String);

async fn try_stream(target: &Target, api: Api, features: Features) -> Result<Result<Collector, Refused>, BenchError> {
    let mut request = json!({ "model": target.model, "stream": true, "max_tokens": 4, "temperature": 0.0 });
    match api {
        Api::Chat => request["messages"] = json!([{ "role": "user", "content": "Count to four." }]),
        Api::Completions => request["prompt"] = json!("Count to four:"),
    }
    if features.ignore_eos {
        request["ignore_eos"] = json!(true);
    }
    if features.include_usage {
        request["stream_options"] = json!({ "include_usage": true });
        if features.continuous_usage {
            request["stream_options"]["continuous_usage_stats"] = json!(true);
        }
    }
    let body = Bytes::from(request.to_string());
    let limits = Limits { total: LIMIT, idle: LIMIT };
    let seen = exchange(&mut None, &target.address()?, body::path(api), body, limits, &()).await;
    Ok(match seen.end {
        crate::client::BodyEnd::Clean if seen.answer.has_tokens() => Ok(seen.answer),
        crate::client::BodyEnd::Clean => Err((200, "it answered without a token".to_owned())),
        crate::client::BodyEnd::Broken(class, message) => {
            let status = class.strip_prefix("http_").and_then(|s| s.parse().ok()).unwrap_or(0);
            Err((status, format!("{class}: {message}")))
        }
    })
}

async fn takes_token_ids(target: &Target) -> Result<bool, BenchError> {
    let request = json!({ "model": target.model, "prompt": [10, 11, 12], "max_tokens": 1, "temperature": 0.0 });
    let body = Bytes::from(request.to_string());
    let answer = call(&target.address()?, Method::POST, body::path(Api::Completions), body, LIMIT).await;
    Ok(answer.is_ok_and(|(status, body)| {
        let counted = serde_json::from_slice::<Value>(&body).ok();
        let counted = counted.as_ref().and_then(|v| v["usage"]["prompt_tokens"].as_u64());
        status == 200 && counted.is_none_or(|n| n == 3)
    }))
}
