//! `autotuner mcp` as the program that starts it sees it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tuner_testkit::procs;

use super::home::Home;
use super::virtual_time::TASK;

/// A server on pipes.
struct Server {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    id: u64,
}

impl Server {
    fn start(home: &Home) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_autotuner"))
            .arg("--data-dir")
            .arg(home.data())
            .arg("mcp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Self { child, to, from, id: 0 };
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "editor", "version": "1" },
        });
        let greeted = server.ask("initialize", &hello);
        assert_eq!(greeted["serverInfo"]["name"], "inference-autotuner", "{greeted:#}");
        writeln!(server.to, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).unwrap();
        server
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.id += 1;
        let message = json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params });
        writeln!(self.to, "{message}").unwrap();
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?} is no message"));
        assert_eq!(answer["id"], self.id, "{answer:#}");
        answer["result"].clone()
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let result = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result:#}"));
        serde_json::from_str(text).unwrap()
    }
}

/// R0.5, R1: a change asked for over MCP waits; a person lets it happen in a terminal, without any chat model; killed in
/// between, it is still there, and is done once.
#[test]
fn a_person_decides_in_a_terminal_about_what_an_editor_wants() {
    let home = Home::new();
    let mut server = Server::start(&home);
    let create = json!({ "document": TASK });
    let waits = server.call("create_task", &create);
    assert_eq!(waits["status"], "requires_auth", "{waits:#}");
    procs::send(server.child.id(), Signal::SIGKILL);
    server.child.wait().unwrap();
    let command = waits["where"]["terminal"].as_str().unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let mut chat = Command::new(env!("CARGO_BIN_EXE_autotuner"))
        .args(&words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    chat.stdin.take().unwrap().write_all(b"y\n/quit\n").unwrap();
    let done = chat.wait_with_output().unwrap();
    let out = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && out.contains("needs task_write"), "{out}\n{:?}", done.stderr);
    let mut server = Server::start(&home);
    let made = server.call("call_result", &json!({ "call_id": waits["call_id"] }));
    assert_eq!(made["success"], true, "{made:#}");
    assert_eq!(home.json(&["tasks", "list"]).as_array().unwrap().len(), 1, "made once");
    // The client goes away, and the server with it.
    drop(server.to);
    assert!(server.child.wait().unwrap().success());
}
