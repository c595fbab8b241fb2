//! The service started, found taken, and stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::World;

/// A server that was started here and listens; it is stopped by its pid.
pub(super) struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(world: &World, arguments: &[&str]) -> Self {
        Self::start_with(world, arguments, &[])
    }

    pub(super) fn start_with(world: &World, arguments: &[&str], variables: &[(&str, String)]) -> Self {
        let mut command = world.command(&["serve"]);
        let command = command.envs(variables.iter().map(|(name, value)| (name, value)));
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://").and_then(|rest| rest.split_once(','));
        let address = address.unwrap_or_else(|| panic!("{line:?}")).0.to_owned();
        Self { child, address }
    }

    pub(super) fn get(&self, path: &str, header: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{header}\r\n", self.address);
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(super) fn stop(mut self) -> Option<i32> {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

// R12.1 R12.2
#[test]
fn a_second_server_and_a_taken_address_name_who_is_there_and_end_nothing() {
    let (world, other) = (World::new(), World::new());
    let first = Serving::start(&world, &["--listen", "127.0.0.1:0"]);
    let refused = |world: &World, listen: &str| {
        let output = world.command(&["serve", "--listen", listen]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let pid = format!("pid {}", first.child.id());
    let (code, said) = refused(&world, "127.0.0.1:0");
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("another server runs on") && said.contains(&pid) && said.contains(&first.address), "{said}");
    let (code, said) = refused(&other, &first.address);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains(&format!("cannot listen on {}", first.address)) && said.contains(&pid), "{said}");
    assert!(first.get("/health", "").contains("200 OK"), "the first goes on");
    assert_eq!(first.stop(), Some(0));
    let again = Serving::start(&world, &["--listen", "127.0.0.1:0"]);
    assert_eq!(again.stop(), Some(0), "the place is free again");
}

#[test]
fn an_address_of_the_network_wants_a_token_first() {
    let world = World::new();
    let output = world.command(&["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("there is no token yet") && said.contains("autotuner token create"), "{said}");
    let output = world.command(&["token", "create", "--role", "viewer", "--expires", "1d"]).output().unwrap();
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let server = Serving::start(&world, &["--listen", "127.0.0.1:0", "--require-token"]);
    assert!(server.get("/api/tasks", "").contains("401 Unauthorized"));
    let asked = server.get("/api/tasks", &format!("authorization: Bearer {token}\r\n"));
    assert!(asked.contains("200 OK") && asked.contains("\"items\":[]"), "{asked}");
    let revoked = world.command(&["token", "revoke", "unnamed"]).output().unwrap();
    assert_eq!(revoked.status.code(), Some(0));
    let refused = server.get("/api/tasks", &format!("authorization: Bearer {token}\r\n"));
    assert!(refused.contains("401 Unauthorized"), "a revoked token stops working at once");
    assert_eq!(server.stop(), Some(0));
    let list = String::from_utf8(world.command(&["token", "list"]).output().unwrap().stdout).unwrap();
    assert!(list.contains("unnamed") && list.contains("revoked") && !list.contains(&token), "{list}");
}

#[test]
fn tokens_are_asked_for_in_words_that_exist() {
    let world = World::new();
    for arguments in [["--role", "root"], ["--role", ""], ["--expires", "soon"]] {
        let output = world.command(&["token", "create"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    assert!(world.says(&["token", "list"]).contains("no tokens yet"));
    assert_eq!(world.command(&["token", "revoke", "nobody"]).output().unwrap().status.code(), Some(4));
}

// R12.3
#[test]
fn server_and_worker_read_the_same_settings_in_the_same_way() {
    let world = World::new();
    for (name, value) in [
        ("AUTOTUNER_DATABASE", "mysql://db/x"),
        ("AUTOTUNER_FETCH_FROM", "10.0.0.0/99"),
        ("AUTOTUNER_LOG_FORMAT", "xml"),
    ] {
        let [server, worker] = ["serve", "worker"].map(|command| {
            let output = world.command(&[command]).env(name, value).output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        });
        assert_eq!(server, worker, "{name}");
        assert!(server.0 == Some(2) && server.1.contains(value.split(':').next().unwrap()), "{server:?}");
    }
}
