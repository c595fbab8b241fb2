//! Asks an endpoint what it is and what it accepts, before it is measured.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tuner_core::task::{Api, WorkloadSpec};

use crate::client::{BodyEnd, Collector, Features, Limits, Target, call, error_message, exchange};
use crate::error::BenchError;
use crate::protocol::{self, Ask, Content, ContentError};

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
    let address = target.address()?;
    let (status, body) = call(&address, &address.get(path), LIMIT).await.map_err(fail)?;
    if status != 200 {
        return Err(fail(format!("HTTP {status}: {}", error_message(&body))));
    }
    let value: Value = serde_json::from_slice(&body).map_err(|e| fail(format!("not JSON: {e}")))?;
    let listed = value.get("data").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<String> = listed.filter_map(|m| m.get("id")?.as_str().map(str::to_owned)).collect();
    if names.is_empty() { Err(fail("it lists no models".to_owned())) } else { Ok(names) }
}

/// Finds out which request features the endpoint accepts, with up to six tiny requests.
///
/// # Errors
/// It answers no request at all.
pub async fn features(target: &Target, api: Api) -> Result<Features, BenchError> {
    let mut features = Features::default();
    // From the most to the least; the first that is answered well tells what the server really does.
    let less: [fn(&mut Features); 4] =
        [|_| (), |f| f.continuous_usage = false, |f| f.ignore_eos = false, |f| f.include_usage = false];
    let (mut last, mut tried) = (String::new(), None);
    for reduce in less {
        reduce(&mut features);
        let request = request(target, api, features)?;
        if tried.as_ref() == Some(&request) {
            continue;
        }
        match try_request(target, api, &request).await? {
            Ok(answer) => {
                features.continuous_usage &= answer.counts_reads();
                features.include_usage &= answer.usage.is_some();
                features.ignore_eos &= request.contains("\"ignore_eos\":true");
                features.token_ids = protocol::takes_token_ids(api) && takes_token_ids(target, api).await?;
                return Ok(features);
            }
            Err((status, message)) => {
                last = message;
                if !(400..500).contains(&status) {
                    break;
                }
            }
        }
        tried = Some(request);
    }
    Err(endpoint_error(target, protocol::path(api), last))
}

/// What the endpoint accepts on every one of several paths; at least one.
///
/// # Errors
/// One of them answers no request at all.
pub async fn features_of(target: &Target, apis: &[Api]) -> Result<Features, BenchError> {
    let (mut common, mut token_ids): (Option<Features>, Option<bool>) = (None, None);
    for api in apis {
        let found = features(target, *api).await?;
        if protocol::takes_token_ids(*api) {
            token_ids = Some(token_ids.unwrap_or(true) && found.token_ids);
        }
        common = match common {
            Some(known) if protocol::generates(*api) => Some(Features {
                ignore_eos: known.ignore_eos && found.ignore_eos,
                include_usage: known.include_usage && found.include_usage,
                continuous_usage: known.continuous_usage && found.continuous_usage,
                ..known
            }),
            None if protocol::generates(*api) || apis.len() == 1 => Some(found),
            known => known,
        };
    }
    Ok(Features { token_ids: token_ids.unwrap_or(false), ..common.unwrap_or_default() })
}

/// What stands for a picture in a prompt of llama.cpp's own endpoint: servers choose one when they start and tell it on
/// `/props`. `None` where the endpoint does not say, or the workload does not go there.
pub async fn media_marker(target: &Target, workload: &WorkloadSpec) -> Option<String> {
    if !workload.apis().contains(&Api::LlamacppCompletion) {
        return None;
    }
    let address = target.address().ok()?;
    let (status, body) = call(&address, &address.get("/props"), LIMIT).await.ok()?;
    let props: Value = serde_json::from_slice(&body).ok().filter(|_| status == 200)?;
    props["media_marker"].as_str().map(str::to_owned)
}

type Refused = (u16, String);

/// A tiny request, as it goes out.
fn request(target: &Target, api: Api, features: Features) -> Result<String, BenchError> {
    let content = match api {
        Api::Rerank => Content::Ranking { query: "four".to_owned(), documents: vec!["five".to_owned()] },
        _ => Content::Text("Count to four:".to_owned()),
    };
    Ok(written(target, api, content, 4, features)?)
}

fn written(
    target: &Target,
    api: Api,
    content: Content,
    output_tokens: u32,
    features: Features,
) -> Result<String, ContentError> {
    let (model, extra) = (target.model.as_str(), serde_json::Map::new());
    let stream = output_tokens > 1;
    let ask =
        Ask { content, model, output_tokens, temperature: 0.0, ignore_eos: stream, stream, extra: &extra, features };
    Ok(Value::Object(protocol::body(api, ask)?).to_string())
}

async fn try_request(target: &Target, api: Api, body: &str) -> Result<Result<Collector, Refused>, BenchError> {
    let limits = Limits { total: LIMIT, idle: LIMIT };
    let seen = exchange(&mut None, &target.address()?, api, Bytes::from(body.to_owned()), limits, &()).await;
    Ok(match seen.end {
        BodyEnd::Clean if seen.answer.has_tokens() => Ok(seen.answer),
        BodyEnd::Clean => Err((200, "it answered without a token".to_owned())),
        BodyEnd::Broken(class, message) => {
            let status = class.strip_prefix("http_").and_then(|s| s.parse().ok()).unwrap_or(0);
            Err((status, format!("{class}: {message}")))
        }
    })
}

async fn takes_token_ids(target: &Target, api: Api) -> Result<bool, BenchError> {
    let nothing = Features { include_usage: false, continuous_usage: false, ignore_eos: false, token_ids: true };
    let body = written(target, api, Content::TokenIds(vec![10, 11, 12]), 1, nothing)?;
    let answer = try_request(target, api, &body).await?;
    Ok(answer.is_ok_and(|answer| answer.usage.and_then(|u| u.prompt_tokens).is_none_or(|n| n == 3)))
}
