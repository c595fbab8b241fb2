//! Jobs and workers over HTTP.

use serde_json::json;
use tuner_store::{JobAsk, JobKind, NewWorker, Owner, WorkerId};

use crate::fixture::{Fixture, OK};

const UNKNOWN: &str = "01a21bf5-aa5f-77c1-9f2b-ca3fd316619e";

fn owner() -> Owner {
    Owner { host: "elsewhere".to_owned(), pid: 7, start_ticks: 1, pid_namespace: None }
}

/// R1.3, R12: start is asked for twice and done once; who runs it is seen, and can be told to stop.
#[tokio::test]
async fn a_task_is_queued_once_and_its_job_is_followed_to_its_end() {
    let f = Fixture::new().await;
    let id = f.task("first").await;
    let started = f.post("/api/tasks/first/start", &json!({})).await;
    assert_eq!((started.status, &started.json["job"]["status"]), (202, &json!("queued")), "{}", started.json);
    assert_eq!(started.json["waits"], json!("no worker runs; start one with: autotuner worker"));
    let job = started.json["job"]["id"].as_str().unwrap().to_owned();
    let again = f.post("/api/tasks/first/resume", &json!({})).await;
    assert_eq!(again.json["job"]["id"], json!(job));
    let listed = f.get("/api/jobs?status=queued,running&kind=run_task").await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
    assert_eq!((&listed.json["items"][0]["task"], &listed.json["next_cursor"]), (&json!(id), &json!(null)));
    assert_eq!(f.get("/api/jobs?status=lost").await.status, 422);

    let page = f.client.get(format!("{}/metrics", f.base)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("autotuner_jobs{kind=\"run_task\",state=\"queued\"} 1"), "{page}");
    assert!(page.contains("autotuner_workers{state=\"alive\"} 0"), "{page}");

    let ask = JobAsk {
        owner: owner(),
        kinds: vec![JobKind::RunTask],
        offer: tuner_store::Capabilities { backends: vec!["virtual".to_owned()], ..Default::default() },
        ttl: std::time::Duration::from_secs(30),
    };
    let claimed = f.store.claim_job(&ask).await.unwrap().unwrap();
    let shown = f.get(&format!("/api/jobs/{job}")).await;
    assert_eq!((&shown.json["status"], &shown.json["worker"]), (&json!("running"), &json!("pid 7 on elsewhere")));
    let asked = f.post(&format!("/api/jobs/{job}/cancel"), &json!({})).await;
    assert_eq!((asked.status, &asked.json["cancel_requested"]), (OK, &json!(true)));
    claimed.cancelled().await.unwrap();
    let retried = f.post(&format!("/api/jobs/{job}/retry"), &json!({})).await;
    assert_eq!((retried.status, &retried.json["status"]), (OK, &json!("queued")));
    assert_eq!(f.post(&format!("/api/jobs/{job}/retry"), &json!({})).await.status, 409);
    for wanted in [UNKNOWN, "nonsense"] {
        assert_eq!(f.get(&format!("/api/jobs/{wanted}")).await.status, 404);
    }
}

/// R1.2, R7.1: what a worker is asked goes through the store, whoever started it.
#[tokio::test]
async fn a_worker_is_seen_asked_and_forgotten() {
    let f = Fixture::new().await;
    assert_eq!(f.get("/api/workers").await.json, json!({ "items": [], "next_cursor": null }));
    let id = WorkerId::new();
    let version = "0.1.0".to_owned();
    let new = NewWorker { id, owner: owner(), version, slots: 2, capabilities: Default::default() };
    f.store.register_worker(new).await.unwrap();
    let place = format!("/api/workers/{id}");
    let shown = f.get(&place).await.json;
    assert_eq!((&shown["host"], &shown["pid"], &shown["slots"]), (&json!("elsewhere"), &json!(7), &json!(2)));
    assert_eq!((&shown["asked"], &shown["alive"]), (&json!("run"), &json!(true)));
    let asked = f.post(&format!("{place}/ask"), &json!({ "asked": "restart" })).await;
    assert_eq!((asked.status, &asked.json["asked"]), (OK, &json!("restart")));
    assert_eq!(f.store.worker_heartbeat(id, &Default::default()).await.unwrap().word(), "restart");
    assert_eq!(f.post(&format!("{place}/ask"), &json!({ "asked": "dance" })).await.status, 422);
    assert_eq!(f.delete(&place).await.status, 204);
    assert_eq!(f.get(&place).await.status, 404);
}

#[tokio::test]
async fn an_installation_a_data_set_and_a_report_are_queued_by_themselves() {
    let f = Fixture::new().await;
    let id = f.task("first").await;
    let made = f.post("/api/jobs", &json!({ "kind": "render_report", "task": "first", "priority": 5 })).await;
    assert_eq!((made.status, &made.json["task"], &made.json["priority"]), (202, &json!(id), &json!(5)));
    let made = f.post("/api/jobs", &json!({ "kind": "install_engine", "payload": { "target": "llama.cpp" } })).await;
    assert_eq!((made.status, &made.json["status"]), (202, &json!("queued")), "{}", made.json);
    assert_eq!(f.post("/api/jobs", &json!({ "kind": "run_task", "task": "first" })).await.status, 422);
    assert_eq!(f.post("/api/jobs", &json!({ "kind": "render_report", "task": "nobody" })).await.status, 404);
}
