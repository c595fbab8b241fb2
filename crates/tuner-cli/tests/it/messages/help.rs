//! Help, schema, completions.

use super::World;

// R0.5 R10
#[test]
fn every_command_explains_itself() {
    let world = World::new();
    let commands = [
        "",
        "tune",
        "simulate",
        "bench",
        "bench cross-check",
        "dataset",
        "dataset inspect",
        "dataset add",
        "dataset list",
        "dataset delete",
        "tasks",
        "tasks list",
        "tasks show",
        "tasks check",
        "tasks import",
        "tasks cancel",
        "tasks delete",
        "experiments",
        "experiments list",
        "experiments show",
        "experiments logs",
        "experiments requests",
        "experiments series",
        "presets",
        "presets list",
        "presets show",
        "presets import",
        "presets export",
        "presets edit",
        "presets merge",
        "presets delete",
        "report",
        "engines",
        "engines list",
        "engines params",
        "engines install",
        "doctor",
        "status",
        "workers",
        "workers deploy",
        "workers restore",
        "workers rename",
        "serve",
        "backup",
        "restore",
        "token",
        "token create",
        "token list",
        "token revoke",
        "schema",
        "completions",
        "quickstart",
        "sim-engine",
    ];
    for command in commands {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        insta::assert_snapshot!(format!("help {command}").trim().replace(' ', "-"), world.says(&arguments));
    }
}

#[test]
fn nothing_said_is_answered_with_the_help_and_a_misspelt_command_with_the_nearest() {
    let world = World::new();
    let bare = world.command(&[]).output().unwrap();
    assert_eq!(bare.status.code(), Some(2));
    assert!(String::from_utf8(bare.stderr).unwrap().contains("Usage: autotuner"));
    insta::assert_snapshot!(world.says(&["tun", "x.yaml"]));
}

#[test]
fn the_schema_of_the_task_file_is_json_schema() {
    let schema = World::new().json(&["schema", "task"]);
    assert!(schema["$schema"].as_str().unwrap().starts_with("https://json-schema.org/"));
    let fields = ["model", "engine", "search_space", "load", "objectives", "slos", "budget"];
    assert!(fields.iter().all(|name| schema["properties"][name].is_object()));
}

#[test]
fn completions_of_every_shell_name_every_command() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = world.command(&["completions", shell]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let commands = ["tune", "simulate", "bench", "experiments", "doctor"];
        assert!(commands.iter().all(|command| text.contains(command)), "{shell}");
    }
    insta::assert_snapshot!(world.says(&["completions", "bsh"]));
}
