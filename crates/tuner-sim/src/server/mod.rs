//! The simulated engine as a server: OpenAI's endpoints, vLLM's metrics, health while loading, death under load.
//!
//! *Invariant*: what comes out, and in what simulated time, is decided by the scheduler alone; this module adds
//! sockets and a clock.

mod answer;
mod drive;
mod metrics;
mod request;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tuner_core::{Failure, FailureClass};

pub use drive::Clock;

use crate::args::ServerArgs;
use crate::engine::SimEngine;
use crate::error::SimError;
use crate::hardware::Gpu;
use crate::scheduler::{Content, SimRequest};
use crate::tokenizer::tokenize;
use drive::{Core, Phase};
use request::{ApiError, Endpoint};

/// Largest request body; a prompt of a million token ids fits.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Where log lines go.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// A running server. Dropping it stops it.
pub struct Server {
    address: SocketAddr,
    core: Arc<Core>,
    tasks: [JoinHandle<()>; 2],
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://address`, without `/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for its end: what it died of, or `None` when it was stopped.
    pub async fn ended(&self) -> Option<Failure> {
        let mut phase = self.core.phase.subscribe();
        let last = phase.wait_for(|p| !matches!(p, Phase::Loading | Phase::Ready)).await;
        match last.map(|p| p.clone()) {
            Ok(Phase::Died(failure)) => Some(failure),
            _ => None,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.core.end(Phase::Stopped);
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Serves an engine on a listener. It answers 503 until its simulated start-up is over.
///
/// # Errors
/// When the listener has no address.
pub fn serve(engine: SimEngine, listener: TcpListener, clock: Clock, seed: u64, log: Log) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let core = Core::new(engine, clock, seed, log);
    let router = Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics_page))
        .route("/server_info", get(server_info))
        .route("/version", get(version))
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route("/tokenize", post(tokenize_text))
        .fallback(unknown_path)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::clone(&core));
    // Without TCP_NODELAY the kernel would hold tokens back.
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    let accept = tokio::spawn(async move {
        // It ends only with its task: axum goes on after errors of single connections.
        let _ = axum::serve(listener, router).await;
    });
    let engine_loop = tokio::spawn(Arc::clone(&core).run());
    Ok(Server { address, core, tasks: [accept, engine_loop] })
}

/// Runs `autotuner sim-engine` with the words that follow it, until the engine dies. Returns the exit status: 2 for
/// refused arguments, 1 for every other death, as the real engines do. Log lines go to standard error.
pub async fn run_command<S: AsRef<str>>(words: &[S]) -> i32 {
    match ServerArgs::parse(words) {
        Ok(args) => run_server(args).await,
        Err(error) => {
            for line in error.log_lines() {
                to_stderr(&line);
            }
            error.exit_code()
        }
    }
}

fn to_stderr(line: &str) {
    // A closed standard error must not end the engine.
    let _ = writeln!(io::stderr(), "{line}");
}

/// As [`run_command`], with the arguments read already.
pub async fn run_server(args: ServerArgs) -> i32 {
    let log: Log = Arc::new(to_stderr);
    let engine = match args.engine() {
        Ok(engine) => engine,
        Err(error) => {
            fail_start(&error, &args, &log).await;
            return error.exit_code();
        }
    };
    let listener = match TcpListener::bind((args.host.as_str(), args.port)).await {
        Ok(listener) => listener,
        Err(error) => {
            log(&format!("ERROR: [Errno {}] {error} ({}:{})", error.raw_os_error().unwrap_or(0), args.host, args.port));
            return 1;
        }
    };
    let server = match serve(engine, listener, Clock { speed: args.speed }, args.seed, Arc::clone(&log)) {
        Ok(server) => server,
        Err(error) => {
            log(&format!("ERROR: {error}"));
            return 1;
        }
    };
    log(&format!("INFO Starting simulated engine on {}", server.base_url()));
    match server.ended().await {
        Some(_) => 1,
        None => 0,
    }
}

/// Logs why the engine does not start. Deaths that real engines die after loading come as late as theirs.
async fn fail_start(error: &SimError, args: &ServerArgs, log: &Log) {
    if matches!(error.class(), FailureClass::OomLoad | FailureClass::EngineCrash) {
        let boot_s = Gpu::named(&args.gpu).map_or(0.0, |gpu| gpu.boot_s);
        tokio::time::sleep(std::time::Duration::from_secs_f64(boot_s / args.speed)).await;
    }
    for line in error.log_lines() {
        log(&line);
    }
}

impl Core {
    /// Refuses until the engine is ready and after it has died.
    fn ready(&self) -> Result<(), ApiError> {
        match &*self.phase.borrow() {
            Phase::Ready => Ok(()),
            Phase::Loading => Err(ApiError { status: 503, message: "the engine is loading".to_owned() }),
            Phase::Died(_) | Phase::Stopped => {
                Err(ApiError { status: 500, message: "EngineCore encountered an issue.".to_owned() })
            }
        }
    }
}

fn created() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

async fn health(State(core): State<Arc<Core>>) -> Result<StatusCode, ApiError> {
    core.ready().map(|()| StatusCode::OK)
}

async fn metrics_page(State(core): State<Arc<Core>>) -> Result<Response, ApiError> {
    core.ready()?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, core.metrics_page()).into_response())
}

async fn version() -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION")}))
}

/// Every argument in force under its name with underscores, as SGLang reports them.
async fn server_info(State(core): State<Arc<Core>>) -> Result<Json<Value>, ApiError> {
    core.ready()?;
    let engine = &core.engine;
    let mut out = Map::new();
    out.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    out.insert("model_path".to_owned(), json!(engine.model_id()));
    out.insert("served_model_name".to_owned(), json!(engine.served_name()));
    out.insert("gpu".to_owned(), json!(engine.gpu().name));
    out.insert("gpu_count".to_owned(), json!(engine.gpus()));
    out.insert("max_total_num_tokens".to_owned(), json!(engine.plan().cache_tokens()));
    for (name, value) in engine.arguments() {
        out.insert(name.replace('-', "_"), serde_json::to_value(value).unwrap_or(Value::Null));
    }
    Ok(Json(Value::Object(out)))
}

async fn models(State(core): State<Arc<Core>>) -> Result<Json<Value>, ApiError> {
    core.ready()?;
    let engine = &core.engine;
    let model = json!({
        "id": engine.served_name(),
        "object": "model",
        "created": created(),
        "owned_by": "tuner-sim",
        "root": engine.model_id(),
        "parent": null,
        "max_model_len": engine.plan().max_model_len,
    });
    Ok(Json(json!({"object": "list", "data": [model]})))
}

async fn chat(State(core): State<Arc<Core>>, body: Bytes) -> Result<Response, ApiError> {
    generate(&core, Endpoint::Chat, &body).await
}

async fn completions(State(core): State<Arc<Core>>, body: Bytes) -> Result<Response, ApiError> {
    generate(&core, Endpoint::Completions, &body).await
}

async fn generate(core: &Arc<Core>, endpoint: Endpoint, body: &[u8]) -> Result<Response, ApiError> {
    core.ready()?;
    let job = request::read(endpoint, body, &core.engine)?;
    let ticket = core
        .submit(job.full_length, |id| SimRequest {
            id,
            prompt_tokens: job.prompt.len() as u32,
            output_tokens: job.output_tokens,
            priority: job.priority,
            content: Content::Tokens(job.text()),
        })
        .map_err(|rejection| ApiError { status: rejection.status, message: rejection.message })?;
    let model = core.engine.served_name();
    if job.stream {
        return Ok(answer::stream(job, ticket, created(), model));
    }
    answer::whole(job, ticket, created(), model).await
}

async fn tokenize_text(State(core): State<Arc<Core>>, body: Bytes) -> Result<Json<Value>, ApiError> {
    core.ready()?;
    let body: Value = serde_json::from_slice(&body).map_err(|e| ApiError::bad(format!("invalid request body: {e}")))?;
    let tokens = match (&body["prompt"], body["messages"].as_array()) {
        (Value::String(text), _) => tokenize(text),
        (_, Some(messages)) => messages.iter().filter_map(|m| m["content"].as_str()).flat_map(tokenize).collect(),
        _ => return Err(ApiError::bad("prompt: field required")),
    };
    let limit = core.engine.plan().max_model_len;
    Ok(Json(json!({"count": tokens.len(), "max_model_len": limit, "tokens": tokens, "token_strs": null})))
}

async fn unknown_path() -> ApiError {
    ApiError { status: 404, message: "Not Found".to_owned() }
}
