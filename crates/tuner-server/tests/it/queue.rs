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

/// W44: a worker elsewhere needs a database that it reaches, and nothing is asked of ssh that could do something here.
#[tokio::test]
async fn a_worker_is_deployed_only_where_it_reaches_the_database() {
    let f = Fixture::new().await;
    let deploy = async |body: serde_json::Value| f.post("/api/workers/deploy", &body).await;
    let refused = deploy(json!({ "name": "lab", "ssh_command": "ssh -p 2222 me@lab.example" })).await;
    assert_eq!((refused.status, &refused.json["code"]), (409, &json!("needs_shared_database")), "{}", refused.json);
    assert!(refused.json["hint"].as_str().unwrap().contains("PostgreSQL"), "{}", refused.json);
    let ssh = |options: serde_json::Value| json!({ "name": "lab", "ssh": { "host": "lab", "options": options } });
    for (body, said) in [
        (ssh(json!({ "ProxyCommand": "reboot" })), "-o ProxyCommand is not taken"),
        (ssh(json!({ "StrictHostKeyChecking": "no" })), "is not taken"),
        (json!({ "name": "lab", "ssh_command": "ssh -J jump lab" }), "-J is not taken"),
        (json!({ "name": "-lab", "ssh_command": "lab" }), "name: 1 to 63"),
        (json!({ "name": "lab", "ssh_command": "lab", "slots": 0 }), "slots: 1 to 256"),
        (json!({ "name": "lab" }), "ssh or ssh_command"),
    ] {
        let refused = deploy(body.clone()).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.json);
        assert!(refused.json["message"].as_str().unwrap().contains(said), "{body}: {}", refused.json);
    }
    assert_eq!(f.get("/api/machines").await.json, json!({ "items": [], "next_cursor": null }), "nothing was kept");
    assert_eq!(f.post("/api/workers/lab/restore", &json!({})).await.status, 404);
    assert_eq!(f.delete("/api/machines/lab").await.status, 404);
}

#[tokio::test]
async fn a_worker_is_named_and_found_by_its_name() {
    let f = Fixture::new().await;
    let id = WorkerId::new();
    let version = "0.1.0".to_owned();
    let new = NewWorker { id, owner: owner(), version, slots: 2, capabilities: Default::default() };
    f.store.register_worker(new).await.unwrap();
    let name = async |worker: &str, name: &str| {
        f.put(&format!("/api/workers/{worker}/name"), &json!({ "name": name })).await.status
    };
    assert_eq!(name(&id.to_string(), "lab").await, 200);
    assert_eq!(f.get(&format!("/api/workers/{id}")).await.json["name"], json!("lab"));
    assert_eq!(name("lab", "gpu-a").await, 200, "by its name");
    assert_eq!(name("lab", "gpu-b").await, 404);
    assert_eq!(name("gpu-a", "not a name").await, 422);
    let shown = f.get("/api/workers").await.json["items"][0].clone();
    assert_eq!((&shown["name"], &shown["host"]), (&json!("gpu-a"), &json!("elsewhere")));
    let machine = f.get("/api/machines").await.json["items"][0].clone();
    assert_eq!((&machine["status"], &machine["target"]), (&json!("online"), &json!(null)), "{machine}");
    let refused = f.post("/api/workers/gpu-a/restore", &json!({ "force": true })).await;
    assert_eq!((refused.status, &refused.json["code"]), (409, &json!("machine_in_use")), "{}", refused.json);
    assert_eq!(f.delete("/api/machines/gpu-a").await.status, 204);
    assert_eq!(f.get("/api/workers").await.json["items"][0]["name"], json!(null));
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
