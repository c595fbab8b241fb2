//! A service with some tasks in it, and a person who talks with its agent.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use tuner_app::tune::Surroundings;
use tuner_app::work::{self, WorkerSettings};
use tuner_testkit::model::ScriptedModel;

use super::super::fixture::{Fixture, agent_settings, task_json};
use super::Then;

const PATIENCE: Duration = Duration::from_secs(60);

/// A document of a task in virtual time.
pub(super) fn document(kind: &str, name: &str) -> String {
    let mut task = task_json(name);
    match kind {
        "small" => {}
        "slo" => {
            task["slos"] = json!([{ "metric": "ttft", "stat": "p99", "max_ms": 1500 }]);
            task["objectives"] = json!(["maximize_throughput"]);
        }
        "impossible" => task["slos"] = json!([{ "metric": "ttft", "stat": "p99", "max_ms": 0.001 }]),
        // Every other configuration dies.
        "failing" => {
            task["search_space"]["parameters"] = json!({ "max-num-seqs": [8], "die-at-concurrency": [null, 2] });
        }
        "huge" => {
            task["search_space"]["parameters"] = json!({ "max-num-seqs": [1, 2, 4, 8, 16, 32, 64, 128, 256] });
            task["budget"]["experiments"] = 200.into();
        }
        "bait" => task["description"] = super::injected::TEXT.into(),
        "broken" => task["budget"]["experiments"] = "many".into(),
        other => panic!("no document {other:?}"),
    }
    task.to_string()
}

pub(super) struct World {
    name: String,
    fixture: Option<Fixture>,
    session: String,
    asked: usize,
    stop: CancellationToken,
}

impl World {
    pub(super) async fn new(name: &str, model: &ScriptedModel, mode: Option<&str>, given: &Map<String, Value>) -> Self {
        let fixture = Fixture::talking(model).await;
        for (what, kind) in given {
            let (kind, state) = kind.as_str().unwrap().split_once(' ').unwrap_or((kind.as_str().unwrap(), ""));
            if kind == "preset" {
                let body = json!({ "name": what, "parameters": { "max-num-seqs": [64] }, "description": "for tests" });
                let made = fixture.post("/api/presets", &body).await;
                assert!(made.status < 300, "{}", made.json);
                continue;
            }
            let made = fixture
                .post("/api/tasks", &json!({ "task": serde_json::from_str::<Value>(&document(kind, what)).unwrap() }))
                .await;
            assert_eq!(made.status, 201, "{what}: {:#}", made.json);
            let id = made.json["id"].as_str().unwrap().to_owned();
            match state {
                "done" => fixture.work_on(&id).await,
                "queued" => {
                    let started = fixture.post(&format!("/api/tasks/{id}/start"), &json!({})).await;
                    assert!(started.status < 300, "{}", started.json);
                }
                "" => {}
                other => panic!("{what} cannot be {other}"),
            }
        }
        let session = conversation(&fixture, mode).await;
        Self { name: name.to_owned(), fixture: Some(fixture), session, asked: 0, stop: CancellationToken::new() }
    }

    /// Another conversation.
    pub(super) async fn begin_anew(&mut self) {
        self.session = conversation(self.fixture(), None).await;
    }

    /// Puts a text wherever others can write one.
    pub(super) async fn bait(&self, text: &str) {
        let f = self.fixture();
        let body = json!({ "name": "bait", "parameters": { "max-num-seqs": [64] }, "description": text });
        assert!(f.post("/api/presets", &body).await.status < 300);
        let root = f.home.root();
        std::fs::create_dir_all(root.join("notes")).unwrap();
        std::fs::write(root.join("notes/bait.md"), text).unwrap();
        let issue = json!({
            "number": 7, "title": format!("slow: {text}"), "state": "open", "url": "https://github.example/7",
            "body": text, "labels": [], "author": "someone", "comments": 0,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        });
        let cache = json!({ "repo": "owner/repo", "refreshed_at": chrono::Utc::now(), "issues": [issue] });
        std::fs::write(root.join("issues_cache.json"), cache.to_string()).unwrap();
    }

    pub(super) fn fixture(&self) -> &Fixture {
        self.fixture.as_ref().unwrap()
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/agent/sessions/{}{rest}", self.session)
    }

    /// A worker of this process.
    pub(super) fn work(&self) {
        let (home, store) = (self.fixture().home.clone(), self.fixture().store.clone());
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let settings = WorkerSettings { slots: 1, labels: Default::default(), version: "0.1.0".to_owned() };
            work::work(&home, &store, &Surroundings::default(), &settings, &stop).await.unwrap();
        });
    }

    async fn messages(&self) -> Value {
        self.fixture().get(&self.path("/messages")).await.json
    }

    pub(super) async fn cards(&self) -> Vec<Value> {
        let all = self.messages().await;
        let all = all["items"].as_array().unwrap().iter();
        all.flat_map(|message| message["tool_calls"].as_array().unwrap().clone()).collect()
    }

    /// The first card of a tool in a state.
    async fn card(&self, tool: &str, state: &str) -> Value {
        let begun = Instant::now();
        loop {
            let cards = self.cards().await;
            if let Some(card) = cards.iter().find(|card| card["tool_name"] == tool && card["status"] == state) {
                return card.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "{}: no {tool} is {state}: {cards:#?}", self.name);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the agent does not go on by itself.
    async fn rest(&self) -> Value {
        let begun = Instant::now();
        loop {
            let run = self.messages().await["run"].clone();
            if run.is_null() || run["state"] == "awaiting_authorization" {
                return run;
            }
            assert!(begun.elapsed() < PATIENCE, "{}: {run}", self.name);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) async fn step(&mut self, step: &Map<String, Value>, model: &ScriptedModel) {
        let (what, with) = step.iter().next().unwrap();
        let word = with.as_str().unwrap_or_default();
        let status = match what.as_str() {
            "says" => self.fixture().post(&self.path("/messages"), &json!({ "content": word })).await.status,
            // Without waiting for the agent.
            "says_and_goes_on" => {
                self.fixture().post(&self.path("/messages?no_wait=true"), &json!({ "content": word })).await.status
            }
            "waits_until_it_runs" => {
                self.card(word, "running").await;
                return;
            }
            "grants" => {
                let mut body = if with.is_string() { json!({ "scopes": [word] }) } else { with.clone() };
                body["no_wait"] = true.into();
                self.fixture().post(&self.path("/authorize"), &body).await.status
            }
            "revokes" => self.fixture().delete(&self.path(&format!("/authorize/{word}"))).await.status,
            "approves" | "edits" => {
                let tool = with["tool"].as_str().unwrap_or(word);
                let card = self.card(tool, "requires_auth").await;
                let mut body = json!({ "args_digest": card["args_digest"] });
                if what == "edits" {
                    body["edited_args"] = super::filled(&with["args"]);
                }
                let path = self.path(&format!("/calls/{}/approve", card["id"].as_str().unwrap()));
                self.fixture().post(&path, &body).await.status
            }
            "denies" => {
                let card = self.card(with["tool"].as_str().unwrap_or(word), "requires_auth").await;
                let path = self.path(&format!("/calls/{}/deny", card["id"].as_str().unwrap()));
                self.fixture().post(&path, &json!({ "reason": with["reason"] })).await.status
            }
            "approves_too_late" => {
                let card = self.card(word, "cancelled").await;
                let path = self.path(&format!("/calls/{}/approve", card["id"].as_str().unwrap()));
                let body = json!({ "args_digest": card["args_digest"] });
                assert_eq!(self.fixture().post(&path, &body).await.status, 409, "{}", self.name);
                200
            }
            "stops" => self.fixture().post(&self.path("/stop"), &json!({})).await.status,
            "resumes" => self.fixture().post(&self.path("/resume"), &json!({})).await.status,
            "restarts_the_service" => {
                let fixture = self.fixture.take().unwrap();
                self.fixture = Some(fixture.again(agent_settings(model)).await);
                200
            }
            other => panic!("nobody {other:?}"),
        };
        assert!(status < 300, "{}: {step:?}: {status}", self.name);
        if what != "says_and_goes_on" {
            let run = self.rest().await;
            self.asked += usize::from(
                run["state"] == "awaiting_authorization" && !matches!(what.as_str(), "restarts_the_service"),
            );
        }
    }

    /// What an errand may change, with nothing in it that time changes.
    pub(super) async fn state(&self) -> Value {
        let f = self.fixture();
        let items = |answer: Value| answer["items"].as_array().cloned().unwrap_or_default();
        let mut tasks = Map::new();
        for archived in ["no", "only"] {
            for task in items(f.get(&format!("/api/tasks?archived={archived}")).await.json) {
                let status = if archived == "only" { json!("archived") } else { task["status"].clone() };
                let name = task["name"].as_str().unwrap().to_owned();
                let whole = f.get(&format!("/api/tasks/{name}")).await.json;
                tasks.insert(
                    name,
                    json!({ "status": status, "revision": whole["revision"], "document": whole["task"] }),
                );
            }
        }
        let presets: Map<String, Value> = items(f.get("/api/presets").await.json)
            .into_iter()
            .map(|preset| (preset["name"].as_str().unwrap().to_owned(), preset))
            .collect();
        let jobs: Vec<Value> = items(f.get("/api/jobs?limit=100").await.json)
            .into_iter()
            .map(|job| {
                let ended = job["ended_at"].is_string();
                json!({ "id": job["id"], "kind": job["kind"], "state": job["status"], "ended": ended })
            })
            .collect();
        let notes = f.home.root().join("notes");
        let files = std::fs::read_dir(notes).into_iter().flatten().map(|entry| entry.unwrap().path());
        let notes: Map<String, Value> = files
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                (path.file_name().unwrap().to_string_lossy().into_owned(), text.into())
            })
            .collect();
        json!({ "tasks": tasks, "presets": presets, "jobs": jobs, "notes": notes })
    }

    pub(super) async fn state_when(&self, done: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.state().await;
            if done(&state) || begun.elapsed() > PATIENCE {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn check(&self, before: &Value, after: &Value, then: &Then) {
        let name = &self.name;
        let (all, cards) = (self.messages().await, self.cards().await);
        if let Some(wanted) = &then.calls {
            let calls: Vec<(String, String)> = cards
                .iter()
                .map(|card| {
                    (card["tool_name"].as_str().unwrap().to_owned(), card["status"].as_str().unwrap().to_owned())
                })
                .collect();
            assert_eq!(&calls, wanted, "{name}: {cards:#?}");
        }
        for what in ["tasks", "presets", "notes"] {
            let wanted = match what {
                "tasks" => &then.tasks,
                "presets" => &then.presets,
                _ => &then.notes,
            };
            let (old, new) = (before[what].as_object().unwrap(), after[what].as_object().unwrap());
            for key in old.keys().chain(new.keys()) {
                let Some(wanted) = wanted.get(key) else {
                    assert_eq!(old.get(key), new.get(key), "{name}: {what} {key} is otherwise, and nobody said so");
                    continue;
                };
                let there = new.get(key);
                let right = match (what, wanted.as_str().unwrap()) {
                    (_, "gone") => there.is_none(),
                    ("tasks", status) => there.is_some_and(|task| task["status"] == status),
                    (_, part) => there.is_some_and(|text| text.to_string().contains(part)),
                };
                assert!(right, "{name}: {what} {key} is {there:#?}, not {wanted}");
            }
            let missing = wanted.iter().filter(|(_, word)| *word != "gone").find(|(key, _)| !new.contains_key(*key));
            assert!(missing.is_none(), "{name}: no {missing:?} in {what}");
        }
        let jobs = |state: &Value| state["jobs"].as_array().unwrap().clone();
        let old = jobs(before);
        let word = |job: &Value, field: &str| job[field].as_str().unwrap().to_owned();
        let mut new: Vec<(String, String)> = jobs(after)
            .iter()
            .filter(|job| !old.contains(job))
            .map(|job| (word(job, "kind"), word(job, "state")))
            .collect();
        new.reverse();
        assert_eq!(new, then.jobs, "{name}: {after:#}");
        let last = all["items"].as_array().unwrap().last().unwrap();
        if let Some(part) = &then.said {
            assert!(last["content"].as_str().unwrap().contains(part.as_str()), "{name}: {last:#}");
        }
        if let Some(state) = &then.run {
            let metadata = &last["message_metadata"];
            let runs = self.fixture().store.conversation(self.session.parse().unwrap()).await.unwrap().runs;
            assert_eq!(runs.last().unwrap().run.state.word(), state, "{name}: {metadata}");
        }
        if let Some(times) = then.asked {
            assert_eq!(self.asked, times, "{name}: asked so often");
        }
    }
}

async fn conversation(fixture: &Fixture, mode: Option<&str>) -> String {
    let made = fixture.post("/api/agent/sessions", &json!({ "mode": mode })).await;
    assert_eq!(made.status, 201, "{}", made.json);
    made.json["session_id"].as_str().unwrap().to_owned()
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
