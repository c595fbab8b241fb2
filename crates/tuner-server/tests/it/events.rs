//! Events over HTTP.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};

use crate::fixture::Fixture;

/// The first `n` events of a stream: id and data.
async fn read(f: &Fixture, query: &str, last: Option<&str>, n: usize) -> Vec<(String, Value)> {
    let mut request = f.client.get(format!("{}/api/events{query}", f.base));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut stream, mut text, mut found) = (response.bytes_stream(), String::new(), Vec::new());
    let reading = async {
        while found.len() < n {
            text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                found.push((field("id:"), serde_json::from_str(&field("data:")).unwrap_or_default()));
                text = rest.to_owned();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("the events come");
    found
}

#[tokio::test]
async fn events_have_their_numbers_and_are_replayed_after_a_gap() {
    let f = Fixture::new().await;
    let (one, two) = (f.task("one").await, f.task("two").await);
    let all = read(&f, "?after=0", None, 2).await;
    assert_eq!((all[0].0.as_str(), &all[0].1["seq"], &all[0].1["kind"]), ("1", &json!(1), &json!("task_created")));
    assert_eq!((&all[0].1["task"], &all[1].1["task"]), (&json!(one), &json!(two)));
    let after_first = read(&f, "?after=0", Some("1"), 1).await;
    assert_eq!(after_first[0].1["name"], json!("two"), "Last-Event-ID goes before ?after");
    let of_one = read(&f, "?after=0&task=two&kind=task_created", None, 1).await;
    assert_eq!(of_one[0].1["task"], json!(two));
}

/// What is said in a conversation is its owner's; that something happened is everybody's.
#[tokio::test]
async fn of_conversations_one_hears_that_something_happened_and_not_what() {
    let f = Fixture::new().await;
    let made = f.post("/api/agent/sessions", &json!({ "title": "hush" })).await;
    let session = made.json["session_id"].as_str().or(made.json["id"].as_str()).unwrap().to_owned();
    let heard = read(&f, "?after=0&kind=chat", None, 1).await.remove(0).1;
    assert_eq!((&heard["kind"], &heard["session"]), (&json!("chat"), &json!(session)), "{heard}");
    let names: Vec<&String> = heard.as_object().unwrap().keys().collect();
    assert_eq!(names, ["seq", "at", "kind", "session"], "{heard}");
    f.task("t").await;
    let of_task = read(&f, "?after=0&task=t", None, 1).await.remove(0).1;
    assert_eq!(of_task["kind"], json!("task_created"));
}

#[tokio::test]
async fn a_client_that_waits_hears_what_happens() {
    let f = Fixture::new().await;
    f.task("before").await;
    let waiting = read(&f, "", None, 1);
    let doing = async {
        // The stream begins when its head is there; an event before that is not promised.
        while !metrics(&f).await.contains("autotuner_event_streams 1") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        f.task("after").await;
    };
    let (heard, ()) = tokio::join!(waiting, doing);
    assert_eq!(heard[0].1["name"], json!("after"));
}

async fn metrics(f: &Fixture) -> String {
    f.client.get(format!("{}/metrics", f.base)).send().await.unwrap().text().await.unwrap()
}
