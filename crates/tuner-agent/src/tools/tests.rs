use std::collections::BTreeSet;

use super::*;

/// R1.1: every scope guards at least one tool; R13, R13.4: whatever changes something needs one.
#[test]
fn every_scope_guards_a_tool_and_whatever_changes_something_has_one() {
    let registry = Registry::all();
    let guarded: BTreeSet<Scope> = registry.iter().filter_map(|tool| tool.scope).collect();
    for scope in Scope::ALL {
        assert!(guarded.contains(scope), "{scope} guards nothing");
    }
    for tool in registry.iter() {
        assert!(tool.scope.is_some() == (tool.risk > Risk::Reads), "{tool:?}");
    }
}

/// What the model reads of a tool is there, says what it does, and takes nothing that is not declared.
#[test]
fn every_tool_says_what_it_does_and_what_it_takes() {
    for tool in Registry::all().iter() {
        let first = tool.about.lines().next().unwrap_or_default();
        assert!(first.len() > 12, "{}: {:?}", tool.name, tool.about);
        assert_eq!(tool.parameters["type"], "object", "{}", tool.name);
        assert_eq!(tool.parameters["additionalProperties"], false, "{}", tool.name);
        for (name, property) in tool.parameters["properties"].as_object().unwrap() {
            let text = property["description"].as_str().or(property["$ref"].as_str()).unwrap_or_default();
            assert!(!text.is_empty(), "{}.{name} is not described", tool.name);
        }
        assert!(tool.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", tool.name);
    }
}

/// The tools that users of the predecessor know.
#[test]
fn the_tools_of_the_predecessor_are_there() {
    let registry = Registry::all();
    let known = [
        "list_tasks",
        "get_task_by_id",
        "get_task_by_name",
        "create_task",
        "start_task",
        "cancel_task",
        "restart_task",
        "delete_task",
        "clear_task_data",
        "update_task_description",
        "list_task_experiments",
        "get_task_results",
        "get_task_logs",
        "get_experiment_logs",
        "get_experiment_details",
        "search_experiment_logs",
        "analyze_slo_violations",
        "create_preset",
        "update_preset",
        "delete_preset",
        "get_preset_by_name",
        "query_records",
        "get_record_by_id",
        "update_database_field",
        "get_huggingface_model_info",
        "search_huggingface_models",
        "check_service_health",
        "hf_cache_scan",
        "hf_env_info",
        "hf_auth_status",
        "hf_repo_info",
        "hf_download_model",
        "search_known_issues",
        "create_issue",
        "add_issue_comment",
        "refresh_issues_cache",
        "get_issue_by_number",
        "sleep",
        "get_current_time",
        "get_arq_worker_status",
        "list_arq_jobs",
        "restart_arq_worker",
        "list_distributed_workers",
        "get_distributed_worker_status",
        "list_worker_slots",
        "get_preset_by_id",
        "get_cluster_gpu_summary",
        "deploy_worker",
        "restore_worker",
        "rename_distributed_worker",
    ];
    for name in known {
        assert!(registry.find(name).is_some(), "{name}");
    }
    assert!(registry.find("execute_raw_sql").is_none(), "raw SQL stays out");
}

/// The digest is of what is meant, not of how it is written.
#[test]
fn a_digest_is_the_same_however_the_arguments_are_written() {
    let (a, b) = (json!({ "x": 1, "y": { "b": 2, "a": [1] } }), json!({ "y": { "a": [1], "b": 2 }, "x": 1 }));
    assert_eq!(digest("t", &a), digest("t", &b));
    assert_ne!(digest("t", &a), digest("u", &a));
    assert_ne!(digest("t", &a), digest("t", &json!({ "x": 2, "y": { "a": [1], "b": 2 } })));
}

/// Wrong types, huge texts, strange paths and unknown fields are refused by the reader of the arguments, or make sense.
#[test]
fn arguments_that_do_not_fit_are_refused_in_words() {
    let registry = Registry::all();
    for tool in registry.iter() {
        for wrong in [json!(null), json!([]), json!("x"), json!(7), json!({ "no_such_field": 1 })] {
            let said = tool.intent(&wrong);
            assert!(said.as_ref().is_err_and(|text| text.contains(tool.name)), "{}: {wrong} gave {said:?}", tool.name);
        }
    }
}

/// A service of its own, with nothing in it, and whoever sits at the machine.
async fn cx(directory: &std::path::Path) -> Cx {
    let home = tuner_app::Home::new(directory);
    let store = tuner_app::tune::open_store(&home).await.unwrap();
    // Whoever makes a client first chooses how TLS is done.
    let _ = tuner_llm::Limits::default().client(reqwest::Client::builder());
    // Nobody answers there.
    let nowhere = Some("http://127.0.0.1:9".to_owned());
    let around = tuner_app::tune::Surroundings {
        hub_endpoint: nowhere.clone(),
        github_url: nowhere,
        github_repo: Some("owner/repo".to_owned()),
        ..Default::default()
    };
    let service = Service::new(store, home, around);
    let asker = Asker {
        actor: tuner_policy::Actor::Local,
        name: "local".to_owned(),
        token: None,
        peer: "test".to_owned(),
        request_id: "test".to_owned(),
    };
    let stop = CancellationToken::new();
    let settings = Arc::new(AgentSettings::default());
    Cx { service, asker, session: Uuid::now_v7(), call: Uuid::now_v7(), stop, live: Live::default(), settings }
}

/// Values that a model might write in the place of any other: of every type, long, and meant to break out.
fn strange() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(4_294_967_296_u64),
        json!(""),
        json!("x".repeat(200_000)),
        json!("../../etc/passwd"),
        json!("/etc/passwd"),
        json!("autotuner.sqlite"),
        json!("'; DROP TABLE tasks; --"),
        json!("$(reboot)"),
        json!("--help"),
        json!("\u{0}\u{202e}"),
        json!([]),
        json!([1, "a", null]),
        json!({}),
        json!({ "name": { "name": [] } }),
        json!("00000000-0000-0000-0000-000000000000"),
    ]
}

/// Every tool, with strange values in every place: a typed error or a sensible answer, never a panic, and nothing written
/// but what was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn strange_arguments_give_typed_errors_and_write_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let cx = cx(directory.path()).await;
    // What waits would wait; a run that was stopped does not.
    cx.stop.cancel();
    let mut refused = 0;
    for tool in Registry::all().iter() {
        let names: Vec<String> = tool.parameters["properties"].as_object().unwrap().keys().cloned().collect();
        let mut sets: Vec<Value> = vec![json!({})];
        for value in strange() {
            sets.push(names.iter().map(|name| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into());
            for name in &names {
                sets.push(json!({ name: value }));
            }
        }
        for arguments in sets {
            let cx = Cx { call: Uuid::now_v7(), ..cx.clone() };
            let Ok(done) = tokio::time::timeout(Duration::from_secs(60), tool.run(cx, arguments.clone())).await else {
                panic!("{} hangs with {arguments}", tool.name);
            };
            if let Err(error) = done {
                let document = error.document();
                assert_eq!(document["success"], false);
                assert!(!document["error"]["code"].as_str().unwrap().is_empty(), "{}: {document}", tool.name);
                refused += 1;
            }
        }
    }
    assert!(refused > 500, "{refused}");
    let store = cx.store();
    assert!(store.find_tasks(&tuner_store::TaskQuery::default(), None, 10).await.unwrap().tasks.is_empty());
    assert!(store.presets().await.unwrap().is_empty());
    // Only notes with harmless names may be there.
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with("autotuner.sqlite")
                || ["notes", "logs", "datasets", "issues_cache.json"].contains(&name.as_str()),
            "{name}"
        );
    }
}
