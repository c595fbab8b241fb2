//! The agent of a real server with a real worker; only the chat model is scripted.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tuner_testkit::model::{Script, ScriptedModel, Turn, When};
use tuner_testkit::procs::wait_for;

use super::home::{Home, PATIENCE, Running};
use super::virtual_time::TASK;

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// A server with an agent.
pub(super) struct Server {
    pub(super) running: Running,
    base: String,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Server {
    pub(super) fn start(home: &Home, model: &ScriptedModel) -> Self {
        Self::start_in(home, model, &[])
    }

    /// With more variables.
    pub(super) fn start_in(home: &Home, model: &ScriptedModel, more: &[(&str, &str)]) -> Self {
        let base_url = model.base_url();
        let variables =
            [("AGENT_PROVIDER", "local"), ("AGENT_MODEL", "scripted"), ("AGENT_BASE_URL", base_url.as_str())];
        let variables = [&variables, more].concat();
        let running = home.start_in(variables.as_slice(), &SERVE);
        let address = running.wait_for("the address", |line| line["address"].is_string());
        let base = format!("http://{}/api/agent", address["address"].as_str().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { running, base, runtime, client }
    }

    fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        self.try_send(request).unwrap()
    }

    /// Nothing where the server died meanwhile.
    fn try_send(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        self.runtime.block_on(async {
            let response = request.send().await.ok()?;
            let status = response.status().as_u16();
            Some((status, serde_json::from_slice(&response.bytes().await.ok()?).unwrap_or_default()))
        })
    }

    pub(super) fn try_post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        self.try_send(self.client.post(format!("{}{path}", self.base)).json(body))
    }

    pub(super) fn try_get(&self, path: &str) -> Option<Value> {
        self.try_send(self.client.get(format!("{}{path}", self.base))).map(|(_, answer)| answer)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(self.client.post(format!("{}{path}", self.base)).json(body));
        assert!(status < 300, "{path}: {status} {answer:#}");
        answer
    }

    pub(super) fn get(&self, path: &str) -> Value {
        self.send(self.client.get(format!("{}{path}", self.base))).1
    }

    pub(super) fn session(&self) -> String {
        let made = self.post("/sessions", &json!({}));
        format!("/sessions/{}", made["id"].as_str().unwrap())
    }

    pub(super) fn cards(&self, session: &str) -> Vec<Value> {
        let all = self.get(&format!("{session}/messages"));
        let all = all["items"].as_array().unwrap().iter();
        all.flat_map(|message| message["tool_calls"].as_array().unwrap().clone()).collect()
    }

    pub(super) fn end(mut self) {
        self.running.send(Signal::SIGTERM);
        assert_eq!(self.running.end().0, Some(0));
    }
}

fn worker(home: &Home) -> Option<u64> {
    let known = home.json(&["workers", "list"]);
    let alive: Vec<u64> = known
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["alive"] == true)
        .map(|row| row["owner"]["pid"].as_u64().unwrap())
        .collect();
    (alive.len() == 1).then(|| alive[0])
}

/// R1.2, R1.3, R1.4, R1.5, R7.1, R7.2, R7.3: restart the ARQ worker → card → grant → executed → the model's answer, and one
/// worker with a new process id.
#[test]
fn the_agent_restarts_a_real_worker_when_it_is_let() {
    let home = Home::new();
    let model = ScriptedModel::start(
        Script::new()
            .turn(Turn::call("get_arq_worker_status", "{}").when(When::user("restart the ARQ worker")))
            .turn(
                Turn::call("restart_arq_worker", "{}").when(When::result("get_arq_worker_status", "\"running\":true")),
            )
            .turn(Turn::text("It runs again.").when(When::result("restart_arq_worker", "new_pid")))
            .turn(Turn::call("list_arq_jobs", "{}").when(When::user("what is queued?")))
            .turn(Turn::text("Nothing.").when(When::result("list_arq_jobs", "\"jobs\":[]"))),
    );
    let server = Server::start(&home, &model);
    let before = wait_for("a worker", PATIENCE, || worker(&home));
    let session = server.session();
    server.post(&format!("{session}/messages"), &json!({ "content": "restart the ARQ worker" }));
    let card = server.cards(&session).pop().unwrap();
    assert_eq!((card["status"].as_str(), card["auth_scope"].as_str()), (Some("requires_auth"), Some("arq_control")));
    assert_eq!(card["effects"]["would"]["pid"], before, "the card shows whom it would restart");
    assert_eq!(worker(&home), Some(before), "without leave nothing changes");
    let granted = server.post(&format!("{session}/authorize"), &json!({ "scopes": ["arq_control"] }));
    assert_eq!(granted["llm_continuation"], "It runs again.", "{granted:#}");
    let result: Value = serde_json::from_str(granted["tool_results"][0]["result"].as_str().unwrap()).unwrap();
    let new = result["result"]["new_pid"].as_u64().unwrap();
    assert_ne!(new, before);
    assert_eq!(wait_for("one worker", PATIENCE, || worker(&home)), new);
    let said = server.post(&format!("{session}/messages"), &json!({ "content": "what is queued?" }));
    assert_eq!(said["content"], "Nothing.");
    model.assert_complete();
    server.end();
}

/// R9.3: the agent makes a task, starts it, waits for its end and reads what came of it.
#[test]
fn the_agent_tunes_to_the_end() {
    let home = Home::new();
    let create = json!({ "document": TASK }).to_string();
    let task = |tool: &str| Turn::call(tool, r#"{"task_id": "crash"}"#);
    let model = ScriptedModel::start(
        Script::new()
            .turn(Turn::call("create_task", &create))
            .turn(task("start_task").when(When::result("create_task", "\"success\":true")))
            .turn(task("wait_for_task").when(When::result("start_task", "\"success\":true")))
            .turn(task("get_task_results").when(When::result("wait_for_task", "completed")))
            .turn(task("explain_task").when(When::result("get_task_results", "\"finished\":true")))
            .turn(Turn::text("Done.").when(When::result("explain_task", "effects"))),
    );
    let server = Server::start(&home, &model);
    let session = server.session();
    for scope in ["task_write", "task_run"] {
        server.post(&format!("{session}/authorize"), &json!({ "scopes": [scope] }));
    }
    let said = server.post(&format!("{session}/messages"), &json!({ "content": "tune it" }));
    assert_eq!(said["content"], "Done.", "{:#}", server.get(&format!("{session}/messages")));
    model.assert_complete();
    assert_eq!(home.status_of("crash"), "completed");
    server.end();
}

/// R2.2, B8: a server that is killed while calls run and wait: each is done once, and the model goes on.
#[test]
fn a_killed_server_goes_on_with_what_was_said() {
    let home = Home::new();
    let create = json!({ "document": TASK }).to_string();
    let model = ScriptedModel::start(
        Script::new()
            .turn(Turn::call("create_task", &create))
            .turn(Turn::call("sleep", "{\"seconds\": 3}").when(When::result("create_task", "\"success\":true")))
            .turn(Turn::text("Slept.").when(When::result("sleep", "waited_s"))),
    );
    let server = Server::start(&home, &model);
    let session = server.session();
    server.post(&format!("{session}/messages"), &json!({ "content": "go" }));
    server.running.send(Signal::SIGKILL);
    drop(server);
    let server = Server::start(&home, &model);
    assert_eq!(server.cards(&session)[0]["status"], "requires_auth", "what waits is still there");
    let no_wait = json!({ "scopes": ["task_write"], "no_wait": true });
    server.post(&format!("{session}/authorize"), &no_wait);
    let sleeps = |cards: &[Value]| cards.get(1).is_some_and(|card| card["status"] == "running");
    wait_for("the sleep", PATIENCE, || sleeps(&server.cards(&session)).then_some(()));
    server.running.send(Signal::SIGKILL);
    drop(server);
    let server = Server::start(&home, &model);
    let begun = Instant::now();
    loop {
        let all = server.get(&format!("{session}/messages"));
        if all["items"].as_array().unwrap().last().unwrap()["content"] == "Slept." {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{all:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let states: Vec<String> =
        server.cards(&session).iter().map(|card| card["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["executed", "executed"]);
    assert_eq!(home.json(&["tasks", "list"]).as_array().unwrap().len(), 1, "made once");
    model.assert_complete();
    server.end();
}

/// `autotuner chat` on a terminal that is none: cards, y and n, and the answer.
#[test]
fn the_terminal_asks_before_anything_changes() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    use std::sync::{Arc, Mutex};

    let home = Home::new();
    let create = json!({ "document": TASK }).to_string();
    let model = ScriptedModel::start(
        Script::new()
            .turn(Turn::call("create_task", &create).when(When::user("make a task")))
            .turn(Turn::text("It is there.").when(When::result("create_task", "\"success\":true")))
            .turn(Turn::call("delete_task", r#"{"task_id": "crash"}"#).when(When::user("delete it")))
            .turn(Turn::text("Kept.").when(When::result("delete_task", "I need it"))),
    );
    let mut chat = Command::new(env!("CARGO_BIN_EXE_autotuner"))
        .arg("--data-dir")
        .arg(home.data())
        .arg("chat")
        .envs([("AGENT_MODEL", "scripted"), ("AGENT_BASE_URL", &model.base_url())])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = chat.stdin.take().unwrap();
    let mut stdout = chat.stdout.take().unwrap();
    let out = Arc::new(Mutex::new(String::new()));
    let heard = out.clone();
    let reader = std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(n @ 1..) = stdout.read(&mut piece) {
            heard.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..n]));
        }
    });
    let shown = |word: &str, times: usize| {
        wait_for(word, PATIENCE, || (out.lock().unwrap().matches(word).count() >= times).then_some(()));
    };
    writeln!(stdin, "make a task").unwrap();
    shown("└", 1);
    writeln!(stdin, "y").unwrap();
    shown("It is there.", 1);
    writeln!(stdin, "delete it").unwrap();
    shown("└", 2);
    writeln!(stdin, "n\nI need it").unwrap();
    shown("Kept.", 1);
    writeln!(stdin, "/quit").unwrap();
    drop(stdin);
    let done = chat.wait_with_output().unwrap();
    reader.join().unwrap();
    let (out, err) = (out.lock().unwrap().clone(), String::from_utf8(done.stderr).unwrap());
    assert_eq!(done.status.code(), Some(0), "{out}\n{err}");
    for word in ["needs task_write", "It is there.", "needs task_delete", "Kept."] {
        assert!(out.contains(word), "{word}: {out}\n{err}");
    }
    assert_eq!(home.status_of("crash"), "pending");
    model.assert_complete();
}
