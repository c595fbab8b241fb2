//! The three stages, each asked again until it is passed or refused for good.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tuner_core::with_causes;

use super::{Endpoint, Ready, Stage};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);
/// A page that a loading engine may leave unanswered. The first generation has no limit of its own: it compiles.
const PAGE_LIMIT: Duration = Duration::from_secs(5);
/// Generations that may fail, with time for the engine between them.
const TRIES: u32 = 3;
const TRY_PAUSE: Duration = Duration::from_secs(1);

/// How far it is, and what the engine said last.
#[derive(Debug)]
pub(super) struct Progress {
    stage: Stage,
    last: String,
}

impl Progress {
    pub(super) fn new(has_health: bool) -> Self {
        let stage = if has_health { Stage::Health } else { Stage::Model };
        Self { stage, last: "no answer".to_owned() }
    }
}

pub(super) fn read(progress: &Mutex<Progress>) -> (Stage, String) {
    let progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
    (progress.stage, progress.last.clone())
}

fn note(progress: &Mutex<Progress>, stage: Stage, last: impl Into<String>) {
    *progress.lock().unwrap_or_else(PoisonError::into_inner) = Progress { stage, last: last.into() };
}

/// What asking again cannot mend.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    WrongModel { asked: String, served: Vec<String> },
    Unauthorized { status: u16 },
    NoAnswer { last: String },
}

/// Passes all stages; ends only with an engine that answers or refuses.
pub(super) async fn pass(
    client: &Client,
    endpoint: &Endpoint,
    progress: &Mutex<Progress>,
    began: Instant,
) -> Result<Ready, Refusal> {
    let mut passed = Vec::new();
    if let Some(path) = &endpoint.health_path {
        while let Err(last) = page(endpoint.get(client, path)).await? {
            note(progress, Stage::Health, last);
            sleep(PAUSE).await;
        }
        passed.push((Stage::Health, began.elapsed()));
    }
    note(progress, Stage::Model, "no model list");
    let (model, max_context) = loop {
        let last = match page(endpoint.openai_get(client, "models")).await? {
            Ok(body) => match choose(&served(&body), endpoint.served_model.as_deref())? {
                Some(found) => break found,
                None => "the model list is empty".to_owned(),
            },
            Err(last) => last,
        };
        note(progress, Stage::Model, last);
        sleep(PAUSE).await;
    };
    passed.push((Stage::Model, began.elapsed()));
    note(progress, Stage::Generation, "no answer");
    let text = first_text(client, endpoint, &model, progress).await?;
    passed.push((Stage::Generation, began.elapsed()));
    Ok(Ready { model, max_context, passed, text })
}

/// The body of a page that answers well; in words why not otherwise.
async fn page(request: reqwest::RequestBuilder) -> Result<Result<Vec<u8>, String>, Refusal> {
    let Ok(answer) = timeout(PAGE_LIMIT, request.send()).await else { return Ok(Err("no answer".to_owned())) };
    let response = match answer {
        Ok(response) => response,
        Err(error) => return Ok(Err(with_causes(&error))),
    };
    let status = response.status();
    refused(status)?;
    if !status.is_success() {
        return Ok(Err(format!("HTTP {}", status.as_u16())));
    }
    Ok(match timeout(PAGE_LIMIT, response.bytes()).await {
        Ok(Ok(body)) => Ok(body.to_vec()),
        Ok(Err(error)) => Err(with_causes(&error)),
        Err(_) => Err("an answer without an end".to_owned()),
    })
}

fn refused(status: StatusCode) -> Result<(), Refusal> {
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(Refusal::Unauthorized { status: status.as_u16() });
    }
    Ok(())
}

/// A model as it is listed: its names, and its longest context.
type Listed = (Vec<String>, Option<u64>);

/// Reads a model list: `data[].id` of OpenAI, with the aliases of llama.cpp and the lengths of vLLM and llama.cpp.
fn served(body: &[u8]) -> Vec<Listed> {
    let list: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(models) = list.get("data").and_then(Value::as_array) else { return Vec::new() };
    models
        .iter()
        .filter_map(|model| {
            let mut names = vec![model.get("id")?.as_str()?.to_owned()];
            let aliases = model.get("aliases").and_then(Value::as_array).into_iter().flatten();
            names.extend(aliases.filter_map(|a| a.as_str().map(str::to_owned)));
            let context = model.get("max_model_len").or_else(|| model.pointer("/meta/n_ctx"));
            Some((names, context.and_then(Value::as_u64)))
        })
        .collect()
}

/// The name to ask for. `Ok(None)`: nothing is listed yet. R14.9: something else is listed, so this is another engine.
fn choose(listed: &[Listed], asked: Option<&str>) -> Result<Option<(String, Option<u64>)>, Refusal> {
    if listed.is_empty() {
        return Ok(None);
    }
    let names = || listed.iter().filter_map(|(names, _)| names.first().cloned()).collect();
    match asked {
        Some(asked) => listed
            .iter()
            .find(|(names, _)| names.iter().any(|n| n == asked))
            .map(|(_, context)| Some((asked.to_owned(), *context)))
            .ok_or_else(|| Refusal::WrongModel { asked: asked.to_owned(), served: names() }),
        None => match listed {
            [(names, context)] => Ok(names.first().map(|name| (name.clone(), *context))),
            _ => Err(Refusal::WrongModel { asked: "a model named in the task".to_owned(), served: names() }),
        },
    }
}

/// One real generation of four tokens: completions, or chat where completions give nothing.
async fn first_text(
    client: &Client,
    endpoint: &Endpoint,
    model: &str,
    progress: &Mutex<Progress>,
) -> Result<String, Refusal> {
    let chat = json!({"model": model, "max_tokens": 4, "temperature": 0, "messages": [{"role": "user", "content": "Say hello."}]});
    let plain = json!({"model": model, "max_tokens": 4, "temperature": 0, "prompt": "Once upon a time there was"});
    let mut tries = 0;
    loop {
        let mut last = String::new();
        let mut loading = false;
        for (route, body) in [("completions", &plain), ("chat/completions", &chat)] {
            match generate(client, endpoint, route, body).await? {
                Ok(text) => return Ok(text),
                Err((status, text)) => {
                    loading |= status == Some(StatusCode::SERVICE_UNAVAILABLE);
                    last = text;
                }
            }
        }
        note(progress, Stage::Generation, last.clone());
        if !loading {
            tries += 1;
        }
        if tries >= TRIES {
            return Err(Refusal::NoAnswer { last });
        }
        sleep(TRY_PAUSE).await;
    }
}

async fn generate(
    client: &Client,
    endpoint: &Endpoint,
    route: &str,
    body: &Value,
) -> Result<Result<String, (Option<StatusCode>, String)>, Refusal> {
    let response = match endpoint.openai_post(client, route).json(body).send().await {
        Ok(response) => response,
        Err(error) => return Ok(Err((None, with_causes(&error)))),
    };
    let status = response.status();
    refused(status)?;
    let text = match response.text().await {
        Ok(text) => text,
        Err(error) => return Ok(Err((None, with_causes(&error)))),
    };
    if !status.is_success() {
        let start: String = text.chars().take(300).collect();
        return Ok(Err((Some(status), format!("HTTP {} from {route}: {}", status.as_u16(), start.trim()))));
    }
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(generated(&answer).ok_or_else(|| (Some(status), format!("an answer without text from {route}"))))
}

/// The text of an answer: of a completion, of a chat, or the reasoning that came before one.
fn generated(answer: &Value) -> Option<String> {
    let choice = answer.pointer("/choices/0")?;
    ["/text", "/message/content", "/message/reasoning_content", "/message/reasoning"]
        .iter()
        .filter_map(|path| choice.pointer(path)?.as_str())
        .find(|text| !text.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<Listed> {
        served(text.as_bytes())
    }

    // R14.9
    #[test]
    fn another_engine_on_the_port_is_noticed_by_its_model() {
        let list = listed(r#"{"object":"list","data":[{"id":"other","max_model_len":2048}]}"#);
        assert_eq!(
            choose(&list, Some("ours")),
            Err(Refusal::WrongModel { asked: "ours".into(), served: vec!["other".into()] })
        );
        assert_eq!(choose(&list, Some("other")), Ok(Some(("other".into(), Some(2048)))));
        assert_eq!(choose(&list, None), Ok(Some(("other".into(), Some(2048)))));
    }

    #[test]
    fn aliases_count_and_a_list_that_is_not_there_yet_is_waited_for() {
        let list = listed(r#"{"data":[{"id":"/m/x.gguf","aliases":["smol"],"meta":{"n_ctx":4096}}]}"#);
        assert_eq!(choose(&list, Some("smol")), Ok(Some(("smol".into(), Some(4096)))));
        for empty in ["", "{}", "[]", r#"{"data":[]}"#, r#"{"data":[{"name":"x"}]}"#, "<html>"] {
            assert_eq!(choose(&listed(empty), Some("smol")), Ok(None), "{empty}");
        }
    }

    #[test]
    fn one_of_several_models_must_be_named() {
        let list = listed(r#"{"data":[{"id":"a"},{"id":"b"}]}"#);
        assert!(matches!(choose(&list, None), Err(Refusal::WrongModel { .. })));
        assert_eq!(choose(&list, Some("b")), Ok(Some(("b".into(), None))));
    }

    #[test]
    fn text_is_found_where_engines_put_it() {
        for (answer, text) in [
            (r#"{"choices":[{"text":" a king"}]}"#, Some(" a king")),
            (r#"{"choices":[{"message":{"content":"Hello"}}]}"#, Some("Hello")),
            (r#"{"choices":[{"message":{"content":null,"reasoning_content":"Okay"}}]}"#, Some("Okay")),
            (r#"{"choices":[{"text":""}]}"#, None),
            (r#"{"choices":[]}"#, None),
            (r#"{"error":"x"}"#, None),
        ] {
            assert_eq!(generated(&serde_json::from_str(answer).unwrap()).as_deref(), text, "{answer}");
        }
    }
}
