//! A service of its own for each test.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tuner_agent::{Agent, AgentSettings, Desk};
use tuner_app::service::Service;
use tuner_app::tune::Surroundings;
use tuner_app::{Egress, Home};
use tuner_llm::{Backoff, Limits as LlmLimits, Provider, ProviderKind};
use tuner_server::{App, Options};
use tuner_store::{Store, TaskId};
use tuner_testkit::model::ScriptedModel;

pub(crate) struct Fixture {
    pub(crate) app: App,
    pub(crate) store: Store,
    pub(crate) home: Home,
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    pub(crate) stop: CancellationToken,
    pub(crate) ended: tokio::task::JoinHandle<std::io::Result<()>>,
    _directory: Arc<tempfile::TempDir>,
}

/// Status, headers and JSON of an answer (null where it is none).
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::made(options, Egress::default()).await
    }

    /// One that fetches from there.
    pub(crate) async fn fetching(egress: Egress) -> Self {
        Self::made(Options::default(), egress).await
    }

    /// One whose agent talks with a model.
    pub(crate) async fn talking(model: &ScriptedModel) -> Self {
        Self::set(agent_settings(model)).await
    }

    /// One whose agent is set so.
    pub(crate) async fn set(agent: AgentSettings) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::of(directory, Options::default(), Egress::default(), agent).await
    }

    async fn made(options: Options, egress: Egress) -> Self {
        Self::of(Arc::new(tempfile::tempdir().unwrap()), options, egress, AgentSettings::default()).await
    }

    /// The same data directory under another process, as far as that can be played: everything in memory is new.
    pub(crate) async fn again(mut self, agent: AgentSettings) -> Self {
        self.stop.cancel();
        (&mut self.ended).await.unwrap().unwrap();
        let directory = self._directory.clone();
        drop(self);
        Self::of(directory, Options::default(), Egress::default(), agent).await
    }

    async fn of(directory: Arc<tempfile::TempDir>, options: Options, egress: Egress, agent: AgentSettings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let home = Home::new(directory.path());
        let store = tuner_app::tune::open_store(&home).await.unwrap();
        let mut around = Surroundings { egress, ..Surroundings::default() };
        around.secrets.insert("GH_TOKEN".to_owned(), "ghp_verysecret".to_owned());
        around.secrets.insert("HF_TOKEN".to_owned(), "hf_verysecret".to_owned());
        around.proxies.insert("http_proxy".to_owned(), "http://me:verysecret@proxy:1".to_owned());
        // Nobody answers there; what is known of issues is in the data directory.
        around.github_url = Some("http://127.0.0.1:9".to_owned());
        around.github_repo = Some("owner/repo".to_owned());
        let service = Service::new(store.clone(), home.clone(), around);
        let stop = CancellationToken::new();
        let model = agent.model().unwrap();
        let desk = Desk::new(Agent::new(service.clone(), agent, model));
        desk.agent().start(stop.clone());
        let app = App::new(service, desk, options, stop.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let ended = tokio::spawn(tuner_server::serve(app.clone(), listener));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { app, store, home, base, client, stop, ended, _directory: directory }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let json = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
        Answer { status, headers, json }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.client.post(format!("{}{path}", self.base)).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.client.put(format!("{}{path}", self.base)).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.client.delete(format!("{}{path}", self.base))).await
    }

    /// Stores a task and gives its id.
    pub(crate) async fn task(&self, name: &str) -> String {
        let made = self.post("/api/tasks", &document(name)).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["id"].as_str().unwrap().to_owned()
    }

    /// Works on a stored task until it has ended.
    pub(crate) async fn work_on(&self, id: &str) {
        let id: TaskId = id.parse().unwrap();
        let silent = tokio::sync::watch::Sender::default();
        let (around, stop) = (Surroundings::default(), CancellationToken::new());
        tuner_app::tune::run(&self.home, &self.store, id, &around, &stop, silent).await.unwrap();
    }

    /// The same router as somebody at this address reaches it.
    pub(crate) async fn from(&self, peer: &str, mut request: Request<Body>) -> Answer {
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        request.headers_mut().entry("host").or_insert("tuner.example:8470".parse().unwrap());
        let response = tuner_server::router(&self.app).oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let streams = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let json = if streams {
            Value::Null
        } else {
            serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap_or_default()
        };
        Answer { status, headers, json }
    }

    pub(crate) fn logs(&self) -> &Path {
        self.home.root()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn request(method: &str, path: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

/// A task in virtual time that is done in a moment.
pub(crate) fn task_json(name: &str) -> Value {
    json!({
        "name": name,
        "model": { "id": "llama-3.1-8b" },
        "engine": { "name": "simulated" },
        "backend": { "kind": "virtual" },
        "search_space": { "parameters": { "max-num-seqs": [8, 16, 32] } },
        "load": { "levels": [{ "concurrency": 4 }], "duration_s": 5.0 },
        "budget": { "experiments": 3 },
        "verification": { "blocks": 0 },
    })
}

pub(crate) fn document(name: &str) -> Value {
    json!({ "task": task_json(name) })
}

pub(crate) const OK: u16 = StatusCode::OK.as_u16();

/// gzip of one stored block: packed without being compressed. At most 65,535 bytes.
pub(crate) fn stored_gz(bytes: &[u8]) -> Vec<u8> {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    };
    let (crc, length) = (!bytes.iter().fold(!0, step), u16::try_from(bytes.len()).unwrap());
    let mut gz = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    gz.extend(length.to_le_bytes());
    gz.extend((!length).to_le_bytes());
    gz.extend_from_slice(bytes);
    gz.extend(crc.to_le_bytes());
    gz.extend(u32::from(length).to_le_bytes());
    gz
}

/// An agent that talks with a scripted model.
pub(crate) fn agent_settings(model: &ScriptedModel) -> AgentSettings {
    let wait = Backoff { first: std::time::Duration::from_millis(1), longest: std::time::Duration::from_millis(10) };
    let provider = Provider {
        base_url: Some(model.base_url()),
        limits: LlmLimits { wait, ..LlmLimits::default() },
        ..Provider::new(ProviderKind::Local, "scripted")
    };
    let programs = [("uname".to_owned(), "uname".to_owned())].into();
    AgentSettings {
        provider: Some(provider),
        programs,
        secrets: vec!["hunter2-hunter2".to_owned()],
        ..AgentSettings::default()
    }
}
