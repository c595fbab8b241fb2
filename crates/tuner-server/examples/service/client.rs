//! The clients' process: so many at the same time, each with one connection, all with one kind of request.
//!
//! `client ADDRESS KIND --clients=N --requests=N [--every-ms=N]` prints percentiles of the latency as JSON. Without
//! `--every-ms` a client sends its next request when it has the answer to the last; with it, at that pace.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::wire::Wire;
use crate::{option, percentile};

/// Kinds of requests; `mixed` is all of them in turn.
pub(crate) const KINDS: [&str; 7] = [
    "list tasks",
    "filter tasks",
    "get a task",
    "list experiments",
    "filter experiments",
    "get an experiment",
    "mixed",
];

/// The path of the `n`th request.
fn path(kind: &str, n: usize, ids: &[String]) -> String {
    // Neighbours in time shall not be neighbours in the table.
    let id = &ids[n * 7919 % ids.len()];
    match kind {
        "list tasks" if n.is_multiple_of(2) => "/api/tasks".to_owned(),
        "list tasks" => format!("/api/tasks?cursor={id}"),
        "filter tasks" => match n % 3 {
            0 => "/api/tasks?status=failed,cancelled".to_owned(),
            1 => "/api/tasks?engine=vllm&status=completed".to_owned(),
            _ => format!("/api/tasks?name=bench-00{}", n % 10),
        },
        "get a task" => format!("/api/tasks/{id}"),
        "list experiments" if n.is_multiple_of(2) => format!("/api/tasks/{id}/experiments"),
        "list experiments" => format!("/api/tasks/{id}/experiments?cursor=50"),
        "filter experiments" => match n % 3 {
            0 => format!("/api/tasks/{id}/experiments?outcome=success&sort=objective&order=desc&limit=10"),
            1 => format!("/api/tasks/{id}/experiments?role=verify,baseline"),
            _ => format!("/api/tasks/{id}/experiments?outcome=infeasible,failed&fields=number,configuration,outcome"),
        },
        "get an experiment" => format!("/api/tasks/{id}/experiments/{}", 1 + n % 100),
        _ => path(KINDS[n % (KINDS.len() - 1)], n / (KINDS.len() - 1), ids),
    }
}

pub(crate) async fn run(words: &[String]) -> ExitCode {
    let (address, kind) = (words[0].clone(), words[1].clone());
    let number = |name, default| option(words, name).and_then(|word| word.parse().ok()).unwrap_or(default);
    let (clients, requests): (usize, usize) = (number("--clients", 50), number("--requests", 1000));
    let every: Option<u64> = option(words, "--every-ms").and_then(|word| word.parse().ok());
    let ids = Arc::new(ids(&address).await);
    // What the clients have not measured yet: the first requests fill caches and do not count.
    let (next, warm) = (Arc::new(AtomicUsize::new(0)), requests / 10);
    let begun = Instant::now();
    let each = (0..clients).map(|client| {
        let (address, kind, ids, next) = (address.clone(), kind.clone(), Arc::clone(&ids), Arc::clone(&next));
        tokio::spawn(async move {
            let mut wire = Wire::to(&address).await.expect("a connection");
            let (mut took, mut wrong, mut bytes) = (Vec::new(), 0_usize, 0_usize);
            // Clients that come at a pace come one after another.
            let mut pace = every.map(|ms| {
                let first = Duration::from_micros(ms * 1000 * client as u64 / clients as u64);
                tokio::time::interval_at((Instant::now() + first).into(), Duration::from_millis(ms))
            });
            loop {
                // From when it was due: waiting for the answer to the last counts too.
                let due = match &mut pace {
                    Some(pace) => Some(pace.tick().await.into_std()),
                    None => None,
                };
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= requests + warm {
                    return (took, wrong, bytes);
                }
                let path = path(&kind, n, &ids);
                let sent = due.unwrap_or_else(Instant::now);
                let answer = wire.get(&path).await.expect("an answer");
                if n >= warm {
                    took.push(sent.elapsed().as_secs_f64() * 1e3);
                    wrong += usize::from(answer.status != 200);
                    bytes += answer.body.len();
                }
            }
        })
    });
    let (mut took, mut wrong, mut bytes) = (Vec::new(), 0, 0);
    for one in each.collect::<Vec<_>>() {
        let (more, failed, read) = one.await.expect("a client");
        took.extend(more);
        wrong += failed;
        bytes += read;
    }
    took.sort_by(f64::total_cmp);
    println!(
        "{}",
        json!({
            "p50_ms": percentile(&took, 0.5),
            "p95_ms": percentile(&took, 0.95),
            "p99_ms": percentile(&took, 0.99),
            "per_s": (requests + warm) as f64 / begun.elapsed().as_secs_f64(),
            "bytes": bytes / took.len().max(1),
            "wrong": wrong,
        })
    );
    ExitCode::SUCCESS
}

/// Every task, newest first.
async fn ids(address: &str) -> Vec<String> {
    let mut wire = Wire::to(address).await.expect("a connection");
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = wire.get(&format!("/api/tasks?limit=500{cursor}")).await.expect("an answer");
        let page: Value = serde_json::from_slice(&answer.body).expect("a list");
        let items = page["items"].as_array().expect("a list");
        ids.extend(items.iter().filter_map(|item| Some(item["id"].as_str()?.to_owned())));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}
