//! The parts of the benchmark, on one database after the other.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tuner_store::{NewTask, Store, TaskId};

use crate::client::KINDS;
use crate::listen::now_us;
use crate::place::{Place, Programs, Server};
use crate::table::{self, Figures};
use crate::{at, option, percentile, this};

/// Clients at the same time.
const CLIENTS: u32 = 50;
/// Milliseconds between two requests of a client that comes at a pace: 500 requests a second of all.
const EVERY_MS: u32 = 100;
/// Requests of each kind.
const REQUESTS: u32 = 3000;
/// Subscribers to events.
const STREAMS: usize = 1000;
/// Events that each receives, and the pause between them: no multiple of anything that looks regularly.
const EVENTS: usize = 60;
const BETWEEN: Duration = Duration::from_millis(207);
/// Starts of which the median counts.
const STARTS: usize = 9;

const ANSWER_MS: f64 = 20.0;
const RECEIPT_MS: f64 = 250.0;
const MEMORY_MIB: f64 = 200.0;
const START_MS: f64 = 300.0;

/// What is asked for.
struct Wish<'a> {
    words: &'a [String],
    programs: Programs,
}

impl Wish<'_> {
    fn part(&self, name: &str) -> bool {
        let mut named = self.words.iter().filter(|word| !word.starts_with('-')).peekable();
        named.peek().is_none() || named.any(|word| word == name)
    }

    fn database(&self, name: &str) -> bool {
        option(self.words, "--database").is_none_or(|wanted| wanted == name)
    }
}

pub(crate) async fn run(words: &[String]) -> ExitCode {
    let [autotuner, fill, words @ ..] = words else {
        eprintln!("usage: service AUTOTUNER FILL [PARTS] [--tasks=N] [--database=sqlite|postgres]");
        return ExitCode::from(2);
    };
    if option(words, "--database").is_some_and(|name| !["sqlite", "postgres"].contains(&name)) {
        eprintln!("--database: sqlite or postgres");
        return ExitCode::from(2);
    }
    let programs = Programs { autotuner: autotuner.into(), fill: fill.into() };
    let tasks = option(words, "--tasks").and_then(|word| word.parse().ok()).unwrap_or(1000);
    let wish = Wish { words, programs };
    let mut databases = Vec::new();
    if wish.database("sqlite") {
        eprintln!("SQLite");
        databases.push(("SQLite", measure(&Place::sqlite(&wish.programs, tasks), &wish).await));
    }
    if wish.database("postgres") {
        eprintln!("PostgreSQL");
        if let Some(place) = Place::postgres(&wish.programs, tasks) {
            databases.push(("PostgreSQL", measure(&place, &wish).await));
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{tasks} tasks, {} experiments, {cores} cores", tasks * 100);
    if table::print(&databases) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(place: &Place, wish: &Wish<'_>) -> Figures {
    let mut figures = Figures::default();
    let (server, _) = place.serve(&wish.programs).await;
    if wish.part("http") {
        KINDS.iter().for_each(|kind| answers(&server, kind, None, &mut figures));
        answers(&server, "mixed", Some(EVERY_MS), &mut figures);
    }
    if wish.part("events") {
        events(place, &server, &mut figures).await;
    }
    figures.add("resident memory of the server, largest", server.peak_mib(), Some(MEMORY_MIB), "MB");
    drop(server);
    if wish.part("start") {
        let mut took = Vec::new();
        for _ in 0..STARTS {
            took.push(place.serve(&wish.programs).await.1.as_secs_f64() * 1e3);
        }
        took.sort_by(f64::total_cmp);
        figures.add("start to first healthy answer, median", percentile(&took, 0.5), Some(START_MS), "ms");
        figures.add("start to first healthy answer, slowest", percentile(&took, 1.0), None, "ms");
    }
    figures
}

/// Answers to clients that never pause, or that send a request every so many milliseconds.
fn answers(server: &Server, kind: &str, every_ms: Option<u32>, figures: &mut Figures) {
    let before = server.cpu_s();
    let mut options = vec![format!("--clients={CLIENTS}"), format!("--requests={REQUESTS}")];
    options.extend(every_ms.map(|ms| format!("--every-ms={ms}")));
    let output = this("client").args([&server.address, kind]).args(options).output().expect("a client process");
    let said: Value = serde_json::from_slice(&output.stdout).expect("its figures");
    let kind = &every_ms.map_or(kind.to_owned(), |ms| format!("{kind}, one every {ms} ms"));
    figures.add(&format!("{kind}: p95"), at(&said, "p95_ms"), Some(ANSWER_MS), "ms");
    figures.note(format!(
        "{kind}: p50 {:.1} ms, p99 {:.1} ms, {:.0} answers/s of {} bytes, {} wrong, server {:.2} ms of CPU each",
        at(&said, "p50_ms"),
        at(&said, "p99_ms"),
        at(&said, "per_s"),
        said["bytes"],
        said["wrong"],
        (server.cpu_s() - before) * 1e3 / f64::from(REQUESTS + REQUESTS / 10),
    ));
}

/// Tasks are stored by this process, as a worker would on its machine; each subscriber's time runs from before the commit.
async fn events(place: &Place, server: &Server, figures: &mut Figures) {
    let options = [format!("--streams={STREAMS}"), format!("--events={EVENTS}")];
    let mut child = this("listen").arg(&server.address).args(options).spawn().expect("a process of subscribers");
    let mut said = BufReader::new(child.stdout.take().expect("its output"));
    said.read_line(&mut String::new()).expect("its subscribers");
    let store = Store::open_url(&place.url).await.expect("the store");
    let mut committed: BTreeMap<i64, u64> = BTreeMap::new();
    for n in 0..EVENTS {
        tokio::time::sleep(BETWEEN).await;
        let text = format!("{{name: told-{n}, model: {{id: m}}, engine: {{name: simulated}}, search_space: {{}}}}");
        let spec = tuner_core::task::read(&text, &Default::default()).expect("a task").spec;
        let before = now_us();
        store.create_task(NewTask { id: TaskId::new(), spec, source: text }).await.expect("a task");
        committed.insert(*store.watch_events().borrow(), before);
    }
    let mut text = String::new();
    said.read_to_string(&mut text).expect("its figures");
    child.wait().expect("its end");
    let said: Value = serde_json::from_str(&text).expect("its figures");
    let mut took = Vec::new();
    for (seq, before) in &committed {
        let received = said["received"][seq.to_string()].as_array();
        took.extend(received.into_iter().flatten().filter_map(|at| Some((at.as_u64()? - before) as f64 / 1e3)));
    }
    took.sort_by(f64::total_cmp);
    let lost = STREAMS * EVENTS - took.len();
    let p99 = if lost == 0 { percentile(&took, 0.99) } else { f64::NAN };
    figures.add(&format!("event to {STREAMS} subscribers: p99"), p99, Some(RECEIPT_MS), "ms");
    figures.note(format!(
        "events: p50 {:.1} ms, last {:.1} ms, {} receipts, {lost} lost",
        percentile(&took, 0.5),
        percentile(&took, 1.0),
        took.len()
    ));
    store.close().await.expect("the store");
}
