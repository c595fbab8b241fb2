//! The parts of the benchmark, each with its own server.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tuner_testkit::closed_form::tokenizer_json;

use crate::peers;
use crate::table::Table;

/// Streams of the cost per event; the peers are measured with the same.
pub(crate) const STREAMS: u32 = 50;
/// Tokens of each of their answers.
pub(crate) const TOKENS: u32 = 200;
/// The word before the data directory that holds the peers.
const PEERS_IN: &str = "--peers=";
/// Requests of the short and the long run; the kernel tells user from system time by sampling, so the long one is long.
const SIZES: [u32; 2] = [100, 1600];

/// Where each process runs: the server on the last core, the client on the first.
fn cores() -> [String; 2] {
    let last = std::thread::available_parallelism().map_or(1, usize::from) - 1;
    [last.to_string(), "0".to_owned()]
}

/// A server process that ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(words: &[&str]) -> Self {
        let [core, _] = cores();
        let mut child = this("serve")
            .args(["--core", &core])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server process");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut url).expect("its address");
        Self { child, url: url.trim().to_owned() }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("a signal to our own child");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends with its input.
        let _ = self.child.wait();
    }
}

fn this(part: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.arg(part);
    command
}

pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    tokenizer: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tokenizer = folder.path().join("tokenizer.json");
        let mut file = std::fs::File::create(&tokenizer).expect("a file");
        file.write_all(tokenizer_json().as_bytes()).expect("a file");
        Self { folder, tokenizer }
    }

    /// A folder as the peers want it: the tokenizer with what their library asks for beside it.
    pub(crate) fn tokenizer_folder(&self) -> PathBuf {
        let folder = self.folder.path().join("tokenizer");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(&self.tokenizer, folder.join("tokenizer.json")).expect("a file");
        let config =
            r#"{"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>", "model_max_length": 100000}"#;
        std::fs::write(folder.join("tokenizer_config.json"), config).expect("a file");
        folder
    }

    fn command(&self, part: &str, server: &Server, words: &[&str]) -> Command {
        let [_, core] = cores();
        let mut command = this(part);
        command.args(["--core", &core, "--url", &server.url, "--tokenizer"]).arg(&self.tokenizer).args(words);
        command.stdout(Stdio::piped());
        command
    }

    fn client(&self, server: &Server, words: &[&str]) -> Value {
        self.figures("client", server, words)
    }

    fn figures(&self, part: &str, server: &Server, words: &[&str]) -> Value {
        let output = self.command(part, server, words).output().expect("a client process");
        serde_json::from_slice(&output.stdout).expect("its figures")
    }

    /// Marginal CPU per event of `client` or `floor`: (user, system) in microseconds.
    fn cost(&self, part: &str, server: &Server, more: &[&str]) -> (f64, f64) {
        let [short, long] = SIZES.map(|requests| {
            let (streams, tokens, requests) = (STREAMS.to_string(), TOKENS.to_string(), requests.to_string());
            let words = ["--streams", &streams, "--tokens", &tokens, "--requests", &requests];
            self.figures(part, server, &[&words[..], more].concat())
        });
        let per_event = |name: &str| {
            let more = long[name].as_f64()? - short[name].as_f64()?;
            Some(more / (long["events"].as_f64()? - short["events"].as_f64()?) * 1e6)
        };
        (per_event("user_s").unwrap_or(f64::NAN), per_event("system_s").unwrap_or(f64::NAN))
    }
}

fn at(value: &Value, path: &str) -> Option<f64> {
    value.pointer(path).and_then(Value::as_f64)
}

pub(crate) fn run(words: &[String]) -> ExitCode {
    let wanted: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let want = |part: &str| wanted.is_empty() || wanted.contains(&part);
    let bench = Bench::new();
    let mut table = Table::new();
    if want("cost") {
        cost(&bench, &mut table, words);
    }
    if want("memory") {
        memory(&bench, &mut table);
    }
    if want("start") {
        start(&bench, &mut table);
    }
    if want("truth") {
        [100, 300, 1000].into_iter().for_each(|streams| truth(&bench, &mut table, streams));
    }
    if want("pace") {
        pace(&bench, &mut table);
    }
    if want("stall") {
        stall(&bench, &mut table);
    }
    if table.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cost(bench: &Bench, table: &mut Table, words: &[String]) {
    let server = Server::start(&["--gap-ms", "10"]);
    let (user, system) = bench.cost("client", &server, &[]);
    table.row("CPU per stream event, user", Some(user), 2.0, "µs");
    table.row("CPU per stream event, in all", Some(user + system), 9.0, "µs");
    for (how, more) in [("every 3 ms, as ours", &["--pause-ms", "3"][..]), ("when it is woken", &[])] {
        let (least_user, least_system) = bench.cost("floor", &server, more);
        let least = least_user + least_system;
        table.note(&format!(
            "only receiving, {how}: {least:.1} µs per event (user {least_user:.1}); ours {:.2} × that",
            (user + system) / least
        ));
    }
    let home = words.iter().find_map(|word| word.strip_prefix(PEERS_IN));
    let peers = home.map(|home| peers::all(bench, &server, Path::new(home))).unwrap_or_default();
    let mut best = f64::INFINITY;
    for (tool, peer) in &peers {
        match peer {
            Ok(((peer_user, peer_system), start)) => {
                let cost = peer_user + peer_system;
                best = best.min(cost);
                let ratio = cost / (user + system);
                table.note(&format!(
                    "{tool}: {cost:.1} µs per event (user {peer_user:.1}), {ratio:.1} × ours; {start:.1} s of CPU to start"
                ));
            }
            Err(why) => table.note(&format!("{tool}: not measured: {why}")),
        }
    }
    if !peers.is_empty() {
        table.row("ours / the cheapest peer's", Some((user + system) / best), 0.1, "×");
    }
    drop(server);
    let server = Server::start(&["--gap-ms", "10", "--counts"]);
    let (user, system) = bench.cost("client", &server, &[]);
    table.note(&format!(
        "with running counts and three tokens an event: {:.2} µs per event (user {user:.2})",
        user + system
    ));
}

fn memory(bench: &Bench, table: &mut Table) {
    let server = Server::start(&["--first-ms", "30000", "--gap-ms", "1000"]);
    let words = ["--streams", "10000", "--requests", "10000", "--warmup", "0", "--tokens", "2"];
    let said = bench.client(&server, &words);
    table.row("memory with 10,000 open streams", at(&said, "/peak_mib"), 150.0, "MB");
    table.note(&format!(
        "in flight {}, completed {}, failed {} {}; before the level {:.0} MB",
        said["in_flight"],
        said["completed"],
        said["failed"],
        said["errors"],
        at(&said, "/before_mib").unwrap_or(0.0)
    ));
}

/// From starting a process to the end of a level of one short request, less that request's own time.
fn start(bench: &Bench, table: &mut Table) {
    let server = Server::start(&["--first-ms", "0", "--gap-ms", "0"]);
    let mut took: Vec<f64> = (0..7)
        .map(|_| {
            let began = Instant::now();
            bench.client(&server, &["--streams", "1", "--requests", "1", "--warmup", "0", "--tokens", "2"]);
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    table.row("start-up, one request and end", Some(took[took.len() / 2]), 50.0, "ms");
}

fn truth(bench: &Bench, table: &mut Table, streams: u32) {
    let server = Server::start(&["--first-ms", "500", "--gap-ms", "50"]);
    let (n, requests) = (streams.to_string(), (streams * 3).to_string());
    let said = bench.client(&server, &["--streams", &n, "--requests", &requests, "--tokens", "100", "--truth"]);
    let name = |what: &str| format!("{streams} streams × 20 tok/s: {what}");
    table.row(&name("TTFT error p50"), at(&said, "/truth/first_ms/0"), 0.2, "ms");
    table.row(&name("TTFT error p99"), at(&said, "/truth/first_ms/1"), 1.0, "ms");
    table.row(&name("ITL error p99"), at(&said, "/truth/gap_ms/1"), 0.5, "ms");
    table.note(&format!(
        "completed {}, failed {}, client thread {:.0} % of its core, client delay p99 {:.3} ms, {}",
        said["completed"],
        said["failed"],
        at(&said, "/evidence/client_thread_cpu_share").unwrap_or(f64::NAN) * 100.0,
        at(&said, "/evidence/client_delay_p99_ms").unwrap_or(f64::NAN),
        said["validity"]
    ));
}

fn pace(bench: &Bench, table: &mut Table) {
    let server = Server::start(&["--first-ms", "1", "--gap-ms", "1"]);
    let said = bench.client(&server, &["--rate", "2000", "--requests", "20000", "--tokens", "2", "--warmup", "2000"]);
    table.row(
        "pacing error p99 at 2,000 requests/s",
        at(&said, "/evidence/schedule_lag_p99_ms").map(|ms| ms * 1e3),
        100.0,
        "µs",
    );
    table.note(&format!(
        "p50 {:.1} µs, completed {}, failed {}, client thread {:.0} % of its core",
        at(&said, "/evidence/schedule_lag_p50_ms").unwrap_or(f64::NAN) * 1e3,
        said["completed"],
        said["failed"],
        at(&said, "/evidence/client_thread_cpu_share").unwrap_or(f64::NAN) * 100.0,
    ));
}

/// A server that stops for a second and a half in a window of ten: of requests at a constant rate the share that waited
/// longer than x is (1.5 − x) / 10, so the percentiles from the planned arrival follow. Most of those requests wait for a
/// place in flight, so times from sending show hardly any of it (coordinated omission).
fn stall(bench: &Bench, table: &mut Table) {
    let (stall_s, window_s, rate, first_ms) = (1.5, 10.0, 100.0, 2.0);
    let server = Server::start(&["--first-ms", "2", "--gap-ms", "1"]);
    let requests = (rate * window_s).to_string();
    let words = ["--rate", "100", "--cap", "32", "--requests", &requests, "--tokens", "2", "--warmup", "100"];
    let child = bench.command("client", &server, &words).spawn().expect("a client process");
    std::thread::sleep(Duration::from_secs(4));
    server.signal(Signal::SIGSTOP);
    let stopped = Instant::now();
    std::thread::sleep(Duration::from_secs_f64(stall_s));
    server.signal(Signal::SIGCONT);
    let stall_s = stopped.elapsed().as_secs_f64();
    let output = child.wait_with_output().expect("a client process");
    let said: Value = serde_json::from_slice(&output.stdout).expect("its figures");
    for (place, q) in [(1, 0.9), (2, 0.95), (3, 0.99)] {
        let expected = first_ms + (stall_s - (1.0 - q) * window_s) * 1e3;
        let measured = at(&said, &format!("/ttft_resp_ms/{place}"));
        let error = measured.map(|ms| (ms - expected).abs());
        table.row(
            &format!("stall of {stall_s:.2} s: ttft_resp p{} off {expected:.0} ms by", q * 100.0),
            error,
            25.0,
            "ms",
        );
    }
    let sent = |place: u32| at(&said, &format!("/ttft_ms/{place}")).unwrap_or(f64::NAN);
    table.note(&format!(
        "from sending: ttft p90 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms; completed {}, failed {}",
        sent(1),
        sent(2),
        sent(3),
        said["completed"],
        said["failed"]
    ));
}
