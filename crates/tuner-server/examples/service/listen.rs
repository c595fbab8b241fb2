//! The subscribers' process: so many streams, each event with the time at which each received it.
//!
//! `listen ADDRESS --streams=N --events=N` prints `ready` when every stream is open, and when every stream has had so
//! many events, the times of receipt by number of event as JSON, in microseconds since the epoch.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::option;
use crate::wire::Wire;

/// Streams that are being opened at the same time.
const AT_ONCE: usize = 50;
/// After this long what has not come counts as lost.
const LIMIT: Duration = Duration::from_secs(120);

/// Microseconds since the epoch: a clock that processes share.
pub(crate) fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

pub(crate) async fn run(words: &[String]) -> ExitCode {
    let number = |name| option(words, name).and_then(|word| word.parse::<usize>().ok()).unwrap_or(1);
    let (address, streams, events) = (&words[0], number("--streams"), number("--events"));
    let mut open = Vec::new();
    while open.len() < streams {
        let few = (streams - open.len()).min(AT_ONCE);
        open.extend(futures::future::join_all((0..few).map(|_| subscribe(address))).await);
    }
    println!("ready");
    let received: Rc<RefCell<BTreeMap<u64, Vec<u64>>>> = Rc::default();
    let each = open.into_iter().map(|wire| read(wire, events, Rc::clone(&received)));
    let all = tokio::time::timeout(LIMIT, futures::future::join_all(each)).await;
    println!("{}", serde_json::json!({ "complete": all.is_ok(), "received": *received.borrow() }));
    ExitCode::SUCCESS
}

/// A stream whose head has come, so that it misses nothing from now on.
async fn subscribe(address: &str) -> Wire {
    let mut wire = Wire::to(address).await.expect("a connection");
    wire.send("/api/events?kind=task_created").await.expect("a connection");
    let head = wire.more().await.expect("an answer");
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(head));
    wire.clear();
    wire
}

async fn read(mut wire: Wire, events: usize, received: Rc<RefCell<BTreeMap<u64, Vec<u64>>>>) {
    let (mut text, mut seen) = (String::new(), 0);
    while seen < events {
        let Ok(more) = wire.more().await else { return };
        let now = now_us();
        text.push_str(&String::from_utf8_lossy(more));
        wire.clear();
        while let Some((event, rest)) = text.split_once("\n\n") {
            let number = event.lines().find_map(|line| line.strip_prefix("id:")?.trim().parse().ok());
            if let Some(number) = number {
                received.borrow_mut().entry(number).or_default().push(now);
                seen += 1;
            }
            text = rest.to_owned();
        }
    }
}
