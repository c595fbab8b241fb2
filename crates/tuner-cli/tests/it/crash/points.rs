//! The agent's process is killed at every named moment, once each; whoever comes next goes on.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tuner_agent::Point;
use tuner_testkit::model::{Call, Say, Script, ScriptedModel, Turn, When};

use super::agent::Server;
use super::home::{Home, PATIENCE};
use super::virtual_time::TASK;

/// A program that leaves a line each time it is started.
fn program(home: &Home) -> (String, std::path::PathBuf) {
    let marks = home.data().join("marks");
    let path = home.data().join("mark");
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\necho once >> '{}'\n", marks.display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let settings = json!({ "programs": [path.display().to_string()] });
    std::fs::write(home.data().join("agent.json"), settings.to_string()).unwrap();
    ("mark".to_owned(), marks)
}

/// Lets what waits happen: the task by its card, the program by its scope.
fn let_happen(server: &Server, session: &str, cards: &[Value]) {
    for card in cards.iter().filter(|card| card["status"] == "requires_auth") {
        if card["tool_name"] == "create_task" {
            let path = format!("{session}/calls/{}/approve", card["id"].as_str().unwrap());
            let _ = server.try_post(&path, &json!({ "args_digest": card["args_digest"] }));
        } else {
            let leave = json!({ "scopes": [card["auth_scope"]], "no_wait": true });
            let _ = server.try_post(&format!("{session}/authorize"), &leave);
        }
    }
}

fn killed_at(point: Point) {
    let home = Home::new();
    let (program, marks) = program(&home);
    let create = json!({ "document": TASK }).to_string();
    let run = json!({ "program": program }).to_string();
    let calls = Say::text("I make it.").and_calls([Call::new("create_task", &create), Call::new("run_command", &run)]);
    let model = ScriptedModel::start(
        Script::new()
            .rule(Turn::text("All done.").when(When::result("run_command", "")).repeat())
            .rule(Turn::from(calls).when(When::user("go")).repeat()),
    );
    let mut server = Server::start_in(&home, &model, &[("AUTOTUNER_DIE_AT", point.word())]);
    let session = server.session();
    let _ = server.try_post(&format!("{session}/messages?no_wait=true"), &json!({ "content": "go" }));
    let (begun, mut deaths) = (Instant::now(), 0);
    let (cards, last) = loop {
        assert!(begun.elapsed() < PATIENCE, "{point:?}: {:#}", server.get(&format!("{session}/messages")));
        if server.running.ended_within(Duration::from_millis(20)).is_some() {
            deaths += 1;
            server = Server::start(&home, &model);
        }
        let Some(all) = server.try_get(&format!("{session}/messages")) else { continue };
        let Some(messages) = all["items"].as_array() else { continue };
        let cards: Vec<Value> = messages.iter().flat_map(|m| m["tool_calls"].as_array().unwrap().clone()).collect();
        let_happen(&server, &session, &cards);
        let last = messages.last().map(|message| message["content"].clone()).unwrap_or_default();
        // The process may still be about to die.
        if last == "All done." && all["run"].is_null() && deaths > 0 {
            break (cards, last);
        }
    };
    assert_eq!((deaths, last), (1, json!("All done.")), "{point:?}");
    let states: Vec<(&str, &str)> =
        cards.iter().map(|card| (card["tool_name"].as_str().unwrap(), card["status"].as_str().unwrap())).collect();
    assert_eq!(states[0], ("create_task", "executed"), "{point:?}");
    assert_eq!(states.len(), 2, "{point:?}: {states:?}");
    assert_eq!(home.json(&["tasks", "list"]).as_array().unwrap().len(), 1, "{point:?}: made once");
    let times = std::fs::read_to_string(&marks).unwrap_or_default().lines().count();
    match states[1] {
        ("run_command", "executed") => assert_eq!(times, 1, "{point:?}"),
        // Whether it was done is not known, and it was not done again.
        ("run_command", "failed") => {
            assert!(times <= 1, "{point:?}: {times}");
            assert!(cards[1]["result"].as_str().unwrap().contains("unknown_outcome"), "{point:?}: {:#}", cards[1]);
        }
        other => panic!("{point:?}: {other:?}"),
    }
    let told = model.requests().last().unwrap().results();
    assert_eq!(told.len(), 2, "{point:?}: one result for each call: {told:?}");
    assert_eq!(model.complaints(), Vec::<String>::new(), "{point:?}");
    server.end();
}

/// R2.2, B8: twelve moments. A task is made once, a program that leaves a mark is started at most once, every call has one
/// result, and the model goes on.
#[test]
fn a_death_at_any_moment_doubles_nothing_and_loses_nothing() {
    for point in Point::ALL {
        killed_at(point);
    }
}
