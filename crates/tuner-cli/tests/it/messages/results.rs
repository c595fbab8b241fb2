//! From a task file to its results.

use super::{World, without};

#[test]
fn a_simulated_task_ends_in_a_short_answer_and_a_page() {
    let world = World::small();
    let text = world.says(&["simulate", "small.yaml", "--report", "out/small.html"]);
    insta::assert_snapshot!(without(&text, &["simulated in"]));
    let page = std::fs::read_to_string(world.path("out/small.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"));
    // Nothing of it is stored.
    assert!(!world.path("data/autotuner.sqlite").exists());
}

#[test]
fn a_simulated_task_is_json_for_machines() {
    let report = World::small().json(&["--json", "simulate", "small.yaml", "--seed", "7"]);
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    insta::assert_json_snapshot!(serde_json::json!({
        "report": keys(&report), "verdict": keys(&report["verdict"]), "experiment": keys(&report["experiments"][1]),
        "level": keys(&report["experiments"][1]["levels"][0]),
    }));
}

// R0.1
#[test]
fn tuning_says_each_step_in_plain_lines() {
    let world = World::small();
    insta::assert_snapshot!("tune", world.says(&["tune", "small.yaml"]));
    assert!(world.path("data/reports/small.html").is_file());
    // The name is taken now.
    insta::assert_snapshot!("tune_again", {
        let text = world.says(&["tune", "small.yaml", "--experiments", "2"]);
        text.split("#1 baseline").next().unwrap().to_owned()
    });
}

#[test]
fn tuning_tells_machines_every_event() {
    let world = World::small();
    let output = world.command(&["--json", "tune", "small.yaml", "--experiments", "2"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<i64> = lines.iter().filter_map(|line| line["seq"].as_i64()).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b) && seqs.len() == lines.len() - 1);
    let shape = |line: &serde_json::Value| {
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        format!("{}: {}", line["kind"].as_str().unwrap(), keys.join(" "))
    };
    let mut shapes: Vec<String> = lines.iter().map(shape).collect();
    shapes.dedup();
    insta::assert_snapshot!(shapes.join("\n"));
}

// R0.1 R0.2
#[test]
fn a_finished_task_is_listed_shown_and_explained() {
    let world = World::tuned();
    let sections = [
        world.says(&["tasks", "list"]),
        world.says(&["experiments", "list", "small"]),
        world.says(&["experiments", "show", "small", "2"]),
        world.says(&["experiments", "logs", "small", "2"]),
        world.says(&["status"]),
        world.says(&["tasks", "cancel", "small"]),
        world.says(&["tune", "--resume", "small"]),
    ];
    insta::assert_snapshot!(sections.join("\n════\n"));
}

// R13.2
#[test]
fn an_unknown_experiment_is_answered_with_the_known_ones() {
    let world = World::tuned();
    let commands = [["experiments", "logs", "small", "99"], ["experiments", "show", "small", "0"]];
    insta::assert_snapshot!(commands.map(|c| world.says(&c)).join("\n════\n"));
}

#[test]
fn a_report_comes_in_every_form() {
    let world = World::tuned();
    let machine = ["Machine", "Time"];
    insta::assert_snapshot!("report_terminal", without(&world.says(&["report", "small"]), &machine));
    let markdown = world.says(&["report", "small", "--format", "markdown"]);
    insta::assert_snapshot!("report_markdown", without(&markdown, &["| Machine", "| Time", "Written by"]));
    assert_eq!(world.json(&["report", "small", "--json"])["task"], "small");
    let brief = world.says(&["report", "small", "--format", "brief"]);
    assert!(brief.contains("Run it") && !brief.contains("Method"));
    for (name, beginning) in [("r.html", "<!"), ("r.md", "# small"), ("r.json", "{"), ("r.txt", "small  ")] {
        world.says(&["report", "small", "--output", name]);
        let text = std::fs::read_to_string(world.path(name)).unwrap();
        assert!(text.starts_with(beginning), "{name}: {text:.80}");
    }
    insta::assert_snapshot!("report_of_no_form", {
        [["report", "small", "--output", "r.pdf"], ["report", "small", "--format", "pdf"]]
            .map(|c| world.says(&c))
            .join("\n════\n")
    });
}

// R12.5
#[test]
fn an_interrupted_task_is_named_with_the_way_to_go_on() {
    let world = World::small();
    let before = world.says(&["status"]);
    world.interrupt("small.yaml", false);
    world.write("other.yaml", &super::SMALL.replace("name: small", "name: other"));
    world.interrupt("other.yaml", true);
    insta::assert_snapshot!([before, world.says(&["status"]), world.says(&["tasks", "list"])].join("\n════\n"));
    for tasks in [&world.json(&["status", "--json"])["tasks"], &world.json(&["tasks", "list", "--json"])] {
        let of = |field: &str| tasks.as_array().unwrap().iter().map(|t| t[field].clone()).collect::<Vec<_>>();
        assert_eq!(of("status"), ["pending", "pending"]);
        assert_eq!(of("interrupted"), [true, false]);
    }
    // The newest unfinished one goes on, then the other.
    for name in ["other", "small"] {
        let text = world.says(&["tune", "--resume"]);
        assert!(text.starts_with("exit 0") && text.contains(&format!("task {name} ([ID])")), "{text}");
    }
    insta::assert_snapshot!("nothing_to_resume", world.says(&["tune", "--resume"]));
}

#[test]
fn a_task_is_cancelled_and_deleted() {
    let world = World::small();
    world.interrupt("small.yaml", false);
    let sections = [
        world.says(&["experiments", "list", "small"]),
        world.says(&["report", "small"]).split("Method").next().unwrap().to_owned(),
        world.says(&["tasks", "cancel", "small"]),
        // Nobody is there to be asked.
        world.says(&["tasks", "delete", "small"]),
        world.says(&["tasks", "delete", "small", "--yes"]),
        world.says(&["tasks", "list"]),
    ];
    insta::assert_snapshot!(sections.join("\n════\n"));
}

#[test]
fn a_cancelled_task_is_taken_up_again_by_its_name_and_a_failed_one_is_not() {
    let world = World::small();
    world.interrupt("small.yaml", true);
    world.says(&["tasks", "cancel", "small"]);
    let unnamed = world.says(&["tune", "--resume"]);
    let named = world.says(&["tune", "--resume", "small"]);
    assert!(named.starts_with("exit 0"), "{named}");
    assert_eq!(world.json(&["tasks", "list", "--json"])[0]["status"], "completed");
    world.write("bad.yaml", &super::SMALL.replace("name: small", "name: bad").replace("llama-3.1-8b", "gpt-17"));
    world.says(&["tune", "bad.yaml"]);
    let failed = world.says(&["tune", "--resume", "bad"]);
    let beside =
        |text: &str| text.split("──── beside it\n").nth(1).unwrap().lines().take(3).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!([unnamed, beside(&named), beside(&failed)].join("\n════\n"));
    assert!(failed.starts_with("exit 3"), "{failed}");
}

#[test]
fn a_quality_guard_that_virtual_time_does_not_run_is_named_once() {
    let world = World::new();
    world.write("small.yaml", &format!("{}quality_guard: {{command: [no-such-guard], min: 0.5}}\n", super::SMALL));
    for command in [&["simulate", "small.yaml", "--steps"][..], &["tune", "small.yaml"]] {
        let text = world.says(command);
        assert!(text.starts_with("exit 0"), "{text}");
        assert_eq!(text.matches("quality guard: it is not run in virtual time").count(), 1, "{text}");
    }
    let doctor = world.says(&["doctor", "small.yaml"]);
    assert!(doctor.contains("warning  quality guard: it is not run in virtual time"), "{doctor}");
}

#[test]
fn the_pasted_command_begins_as_a_person_would_type_it() {
    let world = World::tuned();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_autotuner"));
    let mut command = world.command(&["report", "small", "--json"]);
    let output = command.env("PATH", program.parent().unwrap()).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["command"].as_str().unwrap().starts_with("autotuner sim-engine --model"), "{}", report["command"]);
    let elsewhere = world.json(&["report", "small", "--json"]);
    assert!(elsewhere["command"].as_str().unwrap().starts_with(env!("CARGO_BIN_EXE_autotuner")));
}
