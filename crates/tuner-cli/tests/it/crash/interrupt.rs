//! Ctrl-C and polite ends: quick, with nothing left running, and the task goes on later.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::home::{Home, Running};

/// What is promised to people is 2 s; this is for slow machines that run other tests beside this one.
const LIMIT: Duration = Duration::from_secs(5);

/// Loads for half a minute, then is measured for a minute.
const SLOW_START: &str = "
name: slow
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g, speed: 1}}
search_space: {parameters: {max-num-seqs: [4, 8]}}
load: {levels: [{concurrency: 2}], duration_s: 60}
";

const LONG_LEVEL: &str = "
name: slow
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: h100-80g, speed: 40}}
search_space: {parameters: {max-num-seqs: [4, 8]}}
workload: {scenario: 'D(64,64)'}
load: {levels: [{concurrency: 1}], duration_s: 60}
";

/// Every attempt is refused there, and the next one waits.
fn waiting(endpoint: SocketAddr) -> String {
    format!(
        "
name: slow
model: {{id: llama-3.1-8b}}
engine: {{name: vllm}}
backend: {{kind: attached, url: 'http://{endpoint}'}}
search_space: {{parameters: {{}}}}
retries: {{max_attempts: 3, backoff_s: 600, max_backoff_s: 600}}
"
    )
}

/// An endpoint that refuses everybody's key, until the test ends.
fn refusing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

/// An engine that never gets ready and does not want to go.
const STUBBORN: &str = "
name: slow
model: {id: llama-3.1-8b}
engine:
  name: simulated
  command: [sh, -c, \"trap '' TERM; while :; do sleep 1; done\", engine]
search_space: {parameters: {max-num-seqs: [4, 8]}}
";

fn waits(run: &Running) {
    run.wait_for("the wait", |e| e["kind"] == "note" && e["text"].as_str().unwrap().starts_with("waiting before"));
}

/// Interrupts `task` once `ready` says so, and looks at everything that is promised.
fn interrupted(task: &str, signal: Signal, phase: &str, ready: impl Fn(&Running)) {
    let home = Home::new();
    let file = home.task(task);
    let mut run = home.start(&["tune", &file]);
    ready(&run);
    run.send(signal);
    let (code, took) = run.end();
    assert_eq!(code, Some(130));
    assert!(took < LIMIT, "{took:?}");
    println!("{signal} while {phase}: {took:?}");
    assert!(home.processes().is_empty(), "an engine is left: {:?}", home.processes());
    let ports: BTreeSet<u16> = run.events().filter_map(|e| e["port"].as_u64()).map(|port| port as u16).collect();
    assert_eq!(tuner_testkit::procs::busy(&ports), [0u16; 0]);
    let status = home.json(&["status"]);
    assert_eq!(status["deployments"], serde_json::json!([]));
    assert_eq!(status["tasks"][0]["holder"], serde_json::Value::Null, "the lease was given back");
    // It goes on at once, and nothing was concluded from what was cut off.
    let resumed = home.start(&["tune", "--resume", "slow"]);
    resumed.wait_for("the resumed task", |e| e["kind"] == "task_started" && e["resumed"] == true);
    ready(&resumed);
    let experiments = home.json(&["experiments", "list", "slow"]);
    assert_eq!(experiments.as_array().unwrap().len(), 1);
    assert!(experiments[0]["outcome"].is_null(), "{experiments:#}");
}

#[test]
fn ctrl_c_ends_a_task_whose_engine_loads() {
    interrupted(SLOW_START, Signal::SIGINT, "loading", |run| drop(run.wait_for_phase("loading")));
}

#[test]
fn ctrl_c_ends_a_task_that_measures() {
    interrupted(LONG_LEVEL, Signal::SIGINT, "measuring", |run| drop(run.wait_for_phase("level")));
}

#[test]
fn ctrl_c_ends_a_task_that_waits_before_it_tries_again() {
    interrupted(&waiting(refusing()), Signal::SIGINT, "waiting", waits);
}

#[test]
fn ctrl_c_ends_a_task_whose_engine_does_not_want_to_go() {
    interrupted(STUBBORN, Signal::SIGINT, "loading a stubborn engine", |run| drop(run.wait_for_phase("loading")));
}

#[test]
fn a_polite_request_of_the_system_is_heeded_like_ctrl_c() {
    interrupted(LONG_LEVEL, Signal::SIGTERM, "measuring", |run| drop(run.wait_for_phase("level")));
}

#[test]
fn a_second_ctrl_c_ends_the_command_at_once_and_the_lifeline_ends_the_engine() {
    let home = Home::new();
    let file = home.task(STUBBORN);
    let mut run = home.start(&["tune", &file]);
    run.wait_for_phase("loading");
    run.send(Signal::SIGINT);
    run.wait_for_phase("stopping");
    run.send(Signal::SIGINT);
    let (code, took) = run.end();
    assert_eq!(code, Some(130));
    println!("second {}: {took:?}", Signal::SIGINT);
    home.wait_until_empty(super::home::PATIENCE);
}
