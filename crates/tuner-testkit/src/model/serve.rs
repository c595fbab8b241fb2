//! The server behind the script.
//!
//! *Invariant*: every request for an answer is kept in the order in which it came, whatever is answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::say::{Call, Say};
use super::script::{Answer, Script};
use super::seen::{Protocol, Seen};
use super::{anthropic, bytes_out, openai};
use crate::loopback::{Loopback, wait_until};

/// A running scripted model.
pub struct ScriptedModel {
    server: Loopback,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Seen>>,
    misfits: Mutex<Vec<String>>,
    gone: Arc<AtomicUsize>,
    ids: AtomicUsize,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ScriptedModel {
    /// Starts it; panics if this machine has no free port.
    pub fn start(script: Script) -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            requests: Mutex::default(),
            misfits: Mutex::default(),
            gone: Arc::default(),
            ids: AtomicUsize::new(1),
        });
        let routes = Router::new()
            .route("/v1/models", get(models))
            .route("/v1/chat/completions", post(chat))
            .route("/v1/messages", post(messages))
            .with_state(Arc::clone(&shared));
        Self { server: Loopback::start(routes), shared }
    }

    /// The address for OpenAI's protocol.
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.server.url())
    }

    /// The address for Anthropic's protocol.
    pub fn anthropic_url(&self) -> String {
        self.server.url()
    }

    /// Adds to the script of a running model.
    pub fn extend(&self, more: Script) {
        let mut script = held(&self.shared.script);
        script.turns.extend(more.turns);
        script.rules.extend(more.rules);
    }

    /// Every request for an answer so far.
    pub fn requests(&self) -> Vec<Seen> {
        held(&self.shared.requests).clone()
    }

    /// How many clients went away before their answer's end.
    pub fn gone(&self) -> usize {
        self.shared.gone.load(Ordering::SeqCst)
    }

    /// Waits until `requests` have come, up to a limit; whether they have.
    pub fn wait_for_requests(&self, requests: usize, limit: Duration) -> bool {
        wait_until(limit, || self.requests().len() >= requests)
    }

    /// Waits until `clients` went away before their answer's end, up to a limit; whether they did.
    pub fn wait_for_gone(&self, clients: usize, limit: Duration) -> bool {
        wait_until(limit, || self.gone() >= clients)
    }

    /// What is wrong so far: requests that did not fit, turns that were not asked for.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = held(&self.shared.misfits).clone();
        complaints.extend(held(&self.shared.script).left());
        complaints
    }

    /// Panics unless every request fitted and every turn was asked for.
    #[allow(clippy::panic, reason = "an assertion of tests")]
    pub fn assert_complete(&self) {
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "the script and the requests differ:\n{}", complaints.join("\n"));
    }
}

async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    if let Some(refusal) = shared.refusal(&headers) {
        return refusal;
    }
    let name = held(&shared.script).model.clone();
    let entry = json!({"id": name, "object": "model", "type": "model", "max_model_len": 8192});
    respond(StatusCode::OK, &json!({"object": "list", "data": [entry]}))
}

async fn chat(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(body): Json<Value>) -> Response<Body> {
    shared.answer(Protocol::Openai, &headers, body).await
}

async fn messages(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(body): Json<Value>) -> Response<Body> {
    shared.answer(Protocol::Anthropic, &headers, body).await
}

fn key(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let bearer = text("authorization").map(|value| value.trim_start_matches("Bearer "));
    text("x-api-key").or(bearer).map(str::to_owned)
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

impl Shared {
    fn refusal(&self, headers: &HeaderMap) -> Option<Response<Body>> {
        let wanted = held(&self.script).key.clone()?;
        let given = key(headers);
        (given.as_ref() != Some(&wanted)).then(|| {
            let message = format!("Incorrect API key provided: {}", given.unwrap_or_default());
            respond(StatusCode::UNAUTHORIZED, &json!({"error": {"message": message, "code": "invalid_api_key"}}))
        })
    }

    async fn answer(&self, protocol: Protocol, headers: &HeaderMap, body: Value) -> Response<Body> {
        let seen = Seen { protocol, body, key: key(headers) };
        let nth = {
            let mut requests = held(&self.requests);
            requests.push(seen.clone());
            requests.len()
        };
        if let Some(refusal) = self.refusal(headers) {
            return refusal;
        }
        let model = held(&self.script).model.clone();
        let next = held(&self.script).next(&seen, nth);
        match next {
            Ok(Answer::Say(say)) => self.say(say, &seen, &model),
            Ok(Answer::Status { status, retry_after, body }) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = respond(status, &body);
                if let Some(value) = retry_after.and_then(|value| value.parse().ok()) {
                    response.headers_mut().insert(header::RETRY_AFTER, value);
                }
                response
            }
            Ok(Answer::Hang) => {
                bytes_out::hang(Arc::clone(&self.gone)).await;
                Response::new(Body::empty())
            }
            Ok(Answer::Raw { content_type, pieces }) => {
                typed(&content_type, bytes_out::raw(pieces, Arc::clone(&self.gone)))
            }
            Err(misfit) => {
                held(&self.misfits).push(misfit.clone());
                respond(StatusCode::BAD_REQUEST, &json!({"error": {"message": format!("script: {misfit}")}}))
            }
        }
    }

    fn say(&self, mut say: Say, seen: &Seen, model: &str) -> Response<Body> {
        if seen.wants_schema() {
            into_schema(&mut say);
        }
        for call in &mut say.calls {
            let own = || format!("call_{}", self.ids.fetch_add(1, Ordering::SeqCst));
            call.id.get_or_insert_with(own);
        }
        let anthropic = seen.protocol == Protocol::Anthropic;
        if !say.stream || !seen.wants_stream() {
            let object = if anthropic { anthropic::object(&say, model) } else { openai::object(&say, model) };
            return respond(StatusCode::OK, &object);
        }
        let events = if anthropic { anthropic::events(&say, model) } else { openai::events(&say, model) };
        let error = |value: &Value| {
            let event = json!({"type": "error", "error": value});
            if anthropic {
                format!("event: error\ndata: {event}\n\n")
            } else {
                format!("data: {}\n\n", json!({"error": value}))
            }
        };
        typed("text/event-stream", bytes_out::body(&say, events, error, Arc::clone(&self.gone)))
    }
}

fn typed(content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    if let Ok(value) = content_type.parse() {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// Writes calls into the text, for a client that asked for an answer in the form of a schema. A text that is an object
/// already stays as it is.
fn into_schema(say: &mut Say) {
    let text = say.text.concat();
    if say.calls.is_empty() && text.trim_start().starts_with('{') {
        return;
    }
    let arguments = |call: &Call| serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!(call.arguments));
    let calls: Vec<Value> =
        say.calls.iter().map(|call| json!({"name": call.name, "arguments": arguments(call)})).collect();
    say.text = vec![json!({"say": text, "calls": calls}).to_string()];
    say.calls.clear();
    if say.finish.as_deref() == Some("tool_calls") {
        say.finish = None;
    }
}
