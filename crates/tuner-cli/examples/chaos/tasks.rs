//! A client that keeps tasks under way, and sends each request until it is answered.
//!
//! *Invariant*: a request that is sent again carries the same idempotency key, so it has one effect.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tuner_testkit::dice::Dice;

use crate::record::Record;

/// Pause before a request is sent again.
const AGAIN: Duration = Duration::from_millis(200);
/// How often one looks how far the tasks are.
const LOOK: Duration = Duration::from_millis(400);
/// A request that is not answered by then, however often it is sent, never will be.
const LIMIT: Duration = Duration::from_secs(240);

/// A kind of task, with its name left open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sort {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// On engine processes, in real time.
pub(crate) const REAL: Sort = Sort {
    name: "real",
    text: "
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g, speed: 20}}
backend: {kind: local}
search_space: {parameters: {max-num-seqs: [4, 16]}}
baseline: {max-num-seqs: 1}
workload: {scenario: 'D(32,4)'}
load: {levels: [{concurrency: 1}, {concurrency: 2}], requests: 12}
sampler: {kind: grid}
budget: {experiments: 3}
verification: {blocks: 2}
",
};

/// On engine processes, several experiments at once: one worker plans, others help.
pub(crate) const SHARED: Sort = Sort {
    name: "shared",
    text: "
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g, speed: 20}}
backend: {kind: local}
search_space: {parameters: {max-num-seqs: [2, 4, 8, 16]}}
baseline: {max-num-seqs: 1}
workload: {scenario: 'D(32,4)'}
load: {levels: [{concurrency: 1}, {concurrency: 2}], requests: 12}
sampler: {kind: grid}
budget: {experiments: 5, parallel: 3}
verification: {blocks: 2}
",
};

/// In virtual time: all that it finds is a function of its file.
pub(crate) const VIRTUAL: Sort = Sort {
    name: "virtual",
    text: "
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g}}
backend: {kind: virtual}
search_space:
  parameters:
    max-num-seqs: [2, 4, 16, 64, 256]
    max-num-batched-tokens: [1024, 2048, 8192]
    gpu-memory-utilization: [0.1, 0.2, 0.8, 0.9]
baseline: {max-num-seqs: 1}
workload: {scenario: 'N(64,16)/(16,4)'}
load: {levels: [{concurrency: 2}, {concurrency: 16}], requests: 32}
budget: {experiments: 12}
verification: {blocks: 3}
seed: 7
",
};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Tasks that were started, by name.
    pub(crate) tasks: BTreeMap<String, &'static str>,
    /// Copies that were ordered once each, by the name of their original.
    pub(crate) copies: Vec<String>,
    /// Reports that were ordered once each, by task.
    pub(crate) reports: Vec<String>,
    /// Requests that were answered, and how often one was sent again.
    pub(crate) requests: u32,
    pub(crate) again: u32,
}

/// A client of the server.
pub(crate) struct Customer {
    client: Client,
    base: String,
    record: Record,
    asked: Asked,
}

impl Customer {
    pub(crate) fn new(address: SocketAddr, record: Record) -> Result<Self> {
        let client = Client::builder().no_proxy().connect_timeout(Duration::from_secs(2));
        let client = client.timeout(Duration::from_secs(40)).build()?;
        Ok(Self { client, base: format!("http://{address}"), record, asked: Asked::default() })
    }

    /// Keeps `many` tasks under way until `enough` says so, then waits for their end.
    pub(crate) async fn work(
        mut self,
        sorts: &[Sort],
        many: usize,
        dice: &mut Dice,
        enough: watch::Receiver<bool>,
        limit: Duration,
    ) -> Result<Asked> {
        let mut open: Vec<String> = Vec::new();
        let mut ended = None;
        loop {
            if !*enough.borrow() {
                while open.len() < many {
                    open.push(self.order(sorts[dice.below(sorts.len())], dice).await?);
                }
            } else if ended.is_none() {
                self.record.say(format!("no more faults; {} tasks are under way", open.len()));
                ended = Some(Instant::now());
            }
            tokio::time::sleep(LOOK).await;
            let mut still = Vec::new();
            for name in open {
                match self.status(&name).await?.as_str() {
                    "completed" => {
                        if dice.coin() {
                            let body = json!({ "kind": "render_report", "task": name });
                            self.post("/api/jobs", &format!("report-{name}"), Some(body), dice).await?;
                            self.asked.reports.push(name);
                        }
                    }
                    "failed" | "cancelled" => self.record.wrong(format!("task {name} did not complete")),
                    _ => still.push(name),
                }
            }
            open = still;
            self.retry_the_dead().await?;
            match ended {
                Some(_) if open.is_empty() => return Ok(self.asked),
                Some(at) if at.elapsed() > limit => {
                    self.record.wrong(format!("not ended {limit:?} after the last fault: {}", open.join(", ")));
                    return Ok(self.asked);
                }
                _ => {}
            }
        }
    }

    /// Stores a task and starts it; now and then also a copy of it.
    async fn order(&mut self, sort: Sort, dice: &mut Dice) -> Result<String> {
        let name = format!("{}-no{}", sort.name, self.asked.tasks.len());
        let text = format!("name: {name}{}", sort.text);
        let answer = self.post("/api/tasks", &format!("create-{name}"), Some(Value::String(text)), dice).await?;
        if answer["name"] != name {
            self.record.wrong(format!("the answer to the creation of {name} is {answer}"));
        }
        self.post(&format!("/api/tasks/{name}/start"), &format!("start-{name}"), None, dice).await?;
        if dice.below(4) == 0 {
            self.post(&format!("/api/tasks/{name}/clone"), &format!("clone-{name}"), None, dice).await?;
            self.asked.copies.push(name.clone());
        }
        self.asked.tasks.insert(name.clone(), sort.name);
        Ok(name)
    }

    /// Sends a request until it is answered, and every second one once more although it was.
    async fn post(&mut self, path: &str, key: &str, body: Option<Value>, dice: &mut Dice) -> Result<Value> {
        let first = self.insist(Method::POST, path, Some(key), body.as_ref()).await?;
        if dice.coin() {
            let second = self.insist(Method::POST, path, Some(key), body.as_ref()).await?;
            if second != first {
                self.record.wrong(format!("{key} was answered by {first} and then by {second}"));
            }
        }
        Ok(first)
    }

    async fn status(&mut self, name: &str) -> Result<String> {
        let task = self.insist(Method::GET, &format!("/api/tasks/{name}"), None, None).await?;
        Ok(task["status"].as_str().unwrap_or_default().to_owned())
    }

    /// Jobs that were given up because their workers were killed too often: a person has them tried again.
    async fn retry_the_dead(&mut self) -> Result<()> {
        let dead = self.insist(Method::GET, "/api/jobs?status=dead&kind=run_task", None, None).await?;
        for job in dead["items"].as_array().into_iter().flatten() {
            let (id, why) = (job["id"].as_str().unwrap_or_default(), &job["last_error"]);
            self.record.say(format!("job {id} was given up: {why}"));
            self.record.aside("job given up after five attempts, and retried");
            self.insist(Method::POST, &format!("/api/jobs/{id}/retry"), None, None).await?;
        }
        Ok(())
    }

    /// Sends until there is an answer.
    async fn insist(&mut self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Result<Value> {
        let begun = Instant::now();
        self.asked.requests += 1;
        loop {
            let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            request = match body {
                Some(Value::String(text)) => request.header("content-type", "application/yaml").body(text.clone()),
                Some(body) => request.json(body),
                None => request,
            };
            let why = match request.send().await {
                Ok(answer) => {
                    let status = answer.status();
                    match answer.json::<Value>().await {
                        Ok(value) if status.is_success() => return Ok(value),
                        // A job that another try of this request has already brought back to life.
                        Ok(_) if status == StatusCode::CONFLICT && path.ends_with("/retry") => return Ok(Value::Null),
                        Ok(value) if status.is_server_error() || value["code"] == "underway" => {
                            value["code"].to_string()
                        }
                        Ok(value) => bail!("{method} {path} was refused with {status}: {value}"),
                        Err(error) => error.to_string(),
                    }
                }
                Err(error) => error.to_string(),
            };
            self.asked.again += 1;
            self.record.say(format!("{method} {path} is sent again: {why}"));
            if begun.elapsed() > LIMIT {
                bail!("{method} {path} is not answered within {LIMIT:?}: {why}");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// The whole text of a task of this sort, under a name.
pub(crate) fn document(sort: Sort) -> String {
    format!("name: {}{}", sort.name, sort.text)
}

/// Whether the server answers.
pub(crate) async fn answers(address: SocketAddr, limit: Duration) -> Result<()> {
    let client = Client::builder().no_proxy().build()?;
    let begun = Instant::now();
    loop {
        match client.get(format!("http://{address}/ready")).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            _ if begun.elapsed() > limit => {
                return Err(anyhow::anyhow!("{limit:?} passed")).context("no server answers");
            }
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}
