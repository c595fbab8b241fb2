//! Data sets over HTTP: sent, fetched, looked into, used and deleted.

use std::io::{Read, Write};
use std::net::TcpListener;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tuner_app::tune::Surroundings;
use tuner_app::{Egress, work};

use crate::fixture::{Answer, Fixture, OK, document, stored_gz, task_json};

const ROWS: &str = "{\"prompt\": \"hello\"}\n{\"prompt\": \"there\"}\n";

fn raw(f: &Fixture, query: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    f.client
        .post(format!("{}/api/datasets?{query}", f.base))
        .header("content-type", "application/octet-stream")
        .body(body)
}

async fn send(f: &Fixture, query: &str, body: impl Into<reqwest::Body>) -> Answer {
    f.send(raw(f, query, body)).await
}

fn files(f: &Fixture) -> usize {
    std::fs::read_dir(f.home.datasets()).map(Iterator::count).unwrap_or_default()
}

#[tokio::test]
async fn a_data_set_is_sent_shown_used_by_name_and_kept_while_a_task_needs_it() {
    let f = Fixture::new().await;
    let made = send(&f, "name=chats", ROWS).await;
    assert_eq!(
        (made.status, made.headers["location"].to_str().unwrap()),
        (201, "/api/datasets/chats"),
        "{}",
        made.json
    );
    assert_eq!((&made.json["rows"], &made.json["sha256"]), (&json!(2), &made.json["received_sha256"]));
    assert_eq!(send(&f, "name=chats", ROWS).await.code(), "name_taken");
    let shown = f.get("/api/datasets/chats").await;
    assert_eq!((shown.status, &shown.json["inspection"]["rows"]), (OK, &json!(2)), "{}", shown.json);
    assert_eq!(f.get("/api/datasets").await.json["items"][0]["name"], json!("chats"));
    let looked = f.post("/api/datasets/inspect", &json!({ "source": "chats", "limit": 1 })).await;
    assert_eq!((looked.status, &looked.json["rows"]), (OK, &json!(1)));

    let mut task = task_json("t");
    task["backend"] = json!({ "kind": "local" });
    task["workload"] = json!({ "dataset": { "source": "chats" } });
    assert_eq!(f.post("/api/tasks", &json!({ "task": task })).await.status, 201);
    let source = f.get("/api/tasks/t").await.json["task"]["workload"]["dataset"]["source"].clone();
    assert_eq!(source, json!(f.home.datasets().join("chats").display().to_string()));
    let refused = f.delete("/api/datasets/chats").await;
    assert_eq!((refused.status, refused.code()), (409, "task_in_use"), "{}", refused.json);
    f.delete("/api/tasks/t").await;
    assert_eq!(f.delete("/api/datasets/chats").await.status, 204);
    assert_eq!((f.delete("/api/datasets/chats").await.status, files(&f)), (404, 0));
}

#[tokio::test]
async fn what_is_sent_packed_or_in_a_form_is_kept_plain() {
    let f = Fixture::new().await;
    let boundary = "XX";
    let form = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\\\x\\\\chats.jsonl\"\r\n\r\n{ROWS}\r\n--{boundary}--\r\n"
    );
    let sent = f.client.post(format!("{}/api/datasets", f.base));
    let sent = sent.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(form);
    let made = f.send(sent).await;
    assert_eq!((made.status, &made.json["name"]), (201, &json!("chats.jsonl")), "{}", made.json);
    let gz = stored_gz(ROWS.as_bytes());
    let packed = send(&f, "name=packed", gz).await;
    assert_eq!((packed.status, &packed.json["sha256"]), (201, &made.json["sha256"]), "{}", packed.json);
    assert_ne!(packed.json["received_sha256"], made.json["received_sha256"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_or_too_large_or_cut_off_leaves_nothing() {
    let limits = tuner_server::Limits { upload_bytes: 1000, ..Default::default() };
    let f = Fixture::with(tuner_server::Options { limits, ..Default::default() }).await;
    for (query, body, status, code) in [
        ("name=a", "no rows\nat all".to_owned(), 422, "invalid_dataset"),
        ("name=a", ROWS.repeat(100), 413, "body_too_large"),
        ("name=..%2Fa", ROWS.to_owned(), 422, "invalid_field"),
        ("", ROWS.to_owned(), 422, "invalid_field"),
        ("name=a&sha256=00", ROWS.to_owned(), 422, "invalid_field"),
        ("name=a&member=x", ROWS.to_owned(), 422, "invalid_dataset"),
        ("name=a&what=x", ROWS.to_owned(), 422, "invalid_query"),
        ("name=a", String::new(), 422, "invalid_dataset"),
    ] {
        let refused = send(&f, query, body).await;
        assert_eq!((refused.status, refused.code()), (status, code), "{query}: {}", refused.json);
        assert!(!refused.json.to_string().contains(".part"), "{}", refused.json);
    }
    let address = f.base.strip_prefix("http://").unwrap();
    let mut cut = std::net::TcpStream::connect(address).unwrap();
    write!(cut, "POST /api/datasets?name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{{\"pro").unwrap();
    cut.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = cut.read_to_end(&mut Vec::new());
    let gone = async {
        while files(&f) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), gone).await.expect("nothing is left of it");
}

#[tokio::test]
async fn an_upload_with_a_key_is_done_once_without_being_held_in_memory() {
    let limits = tuner_server::Limits { body_bytes: 10, ..Default::default() };
    let f = Fixture::with(tuner_server::Options { limits, ..Default::default() }).await;
    let first = f.send(raw(&f, "name=a", ROWS).header("idempotency-key", "k")).await;
    let again = f.send(raw(&f, "name=a", ROWS).header("idempotency-key", "k")).await;
    assert_eq!((first.status, again.status), (201, 201), "{} {}", first.json, again.json);
    assert_eq!(first.json, again.json);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let other = f.send(raw(&f, "name=b", ROWS).header("idempotency-key", "k")).await;
    assert_eq!(other.code(), "key_reused");
}

/// Gives everybody on loopback the same bytes.
fn serve(body: &'static str) -> String {
    serve_to(|_| true, body)
}

/// Gives whoever on loopback may have them the same bytes, by the head of the request.
fn serve_to(may: fn(&str) -> bool, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/chats.jsonl", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 2048];
            let read = stream.read(&mut head).unwrap_or(0);
            let (status, body) = match may(&String::from_utf8_lossy(&head[..read])) {
                true => ("200 OK", body),
                false => ("401 Unauthorized", ""),
            };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    url
}

/// A worker that does what is queued until a job has ended.
async fn work_until_done(f: &Fixture, job: &Value, egress: Egress) -> Value {
    let stop = CancellationToken::new();
    let around = Surroundings { egress, ..Surroundings::default() };
    let wish = work::WorkerSettings { slots: 1, labels: Default::default(), version: "test".to_owned() };
    let path = format!("/api/jobs/{}", job["id"].as_str().unwrap());
    let working = work::work(&f.home, &f.store, &around, &wish, &stop);
    let watching = async {
        loop {
            let job = f.get(&path).await.json;
            if job["status"] != "queued" && job["status"] != "running" || !job["last_error"].is_null() {
                stop.cancel();
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let (done, job) = tokio::join!(working, watching);
    done.unwrap();
    job
}

#[tokio::test]
async fn a_service_fetches_from_public_hosts_and_from_those_that_it_was_told() {
    let url = serve(ROWS);
    let f = Fixture::new().await;
    for url in
        [url.as_str(), "https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/x", "ftp://example.com/x"]
    {
        for (path, body) in [
            ("/api/datasets/fetch", json!({ "url": url, "name": "x" })),
            ("/api/jobs", json!({ "kind": "fetch_dataset", "payload": { "source": url } })),
        ] {
            let refused = f.post(path, &body).await;
            assert_eq!((refused.status, refused.code()), (422, "egress_refused"), "{path} {url}: {}", refused.json);
            assert!(refused.json["hint"].is_string());
        }
    }
    let mut task = task_json("t");
    task["backend"] = json!({ "kind": "local" });
    task["workload"] = json!({ "dataset": { "source": "https://10.0.0.1/x" } });
    assert_eq!(f.post("/api/tasks", &json!({ "task": task })).await.code(), "egress_refused");
    assert_eq!(f.post("/api/tasks", &document("t")).await.status, 201);
    assert_eq!(
        f.post("/api/jobs", &json!({ "kind": "fetch_dataset", "payload": { "x": 1 } })).await.code(),
        "invalid_field"
    );

    let told = Egress::limited(true, vec!["127.0.0.1".parse().unwrap()]);
    let f = Fixture::fetching(told.clone()).await;
    let queued = f.post("/api/datasets/fetch", &json!({ "url": url })).await;
    assert_eq!(queued.status, 202, "{}", queued.json);
    let refused = work_until_done(&f, &queued.json, Egress::default()).await;
    assert!(refused["last_error"].as_str().unwrap().contains("plain http"), "a worker has rules of its own: {refused}");
    let queued = f.post("/api/datasets/fetch", &json!({ "url": url, "name": "mine" })).await;
    let done = work_until_done(&f, &queued.json, told).await;
    assert_eq!(done["status"], "succeeded", "{done}");
    let shown = f.get("/api/datasets/mine").await.json;
    assert_eq!((&shown["origin"], &shown["rows"]), (&json!(url), &json!(2)));
    assert_eq!(f.post("/api/datasets/fetch", &json!({ "url": url, "name": "mine" })).await.code(), "name_taken");
}

/// R14.7: a password in an address opens what it guards, and is seen nowhere.
#[tokio::test]
async fn an_address_with_a_password_is_fetched_with_it_and_shown_without_it() {
    // me:sesame
    let url = serve_to(|head| head.to_ascii_lowercase().contains("authorization: basic bwu6c2vzyw1l"), ROWS);
    let with = |word: &str| url.replace("http://", &format!("http://me:{word}@"));
    let told = Egress::limited(true, vec!["127.0.0.1".parse().unwrap()]);
    let f = Fixture::fetching(told.clone()).await;
    let queued = f.post("/api/datasets/fetch", &json!({ "url": with("sesame"), "name": "guarded" })).await;
    let done = work_until_done(&f, &queued.json, told.clone()).await;
    assert_eq!(done["status"], "succeeded", "{done}");
    let shown = f.get("/api/datasets/guarded").await.json;
    assert_eq!(shown["origin"], json!(url.replace("http://", "http://***@")));
    let queued = f.post("/api/datasets/fetch", &json!({ "url": with("poppy"), "name": "refused" })).await;
    let failed = work_until_done(&f, &queued.json, told).await;
    let why = failed["last_error"].as_str().unwrap();
    assert!(why.contains("HTTP 401") && !why.contains("poppy"), "{why}");
}
