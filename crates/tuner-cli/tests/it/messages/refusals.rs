//! Everything that cannot be done is refused with the reason, the way out and an exit code.

use super::{SMALL, World};

fn all(world: &World, commands: &[&[&str]]) -> String {
    let say = |c: &&[&str]| format!("$ autotuner {}\n{}", c.join(" "), world.says(c));
    commands.iter().map(say).collect::<Vec<_>>().join("\n════\n")
}

#[test]
fn a_file_that_is_no_task_is_refused_with_every_error_and_its_place() {
    let world = World::new();
    world.write(
        "wrong.yaml",
        "name: wrong\nmodel: {id: x}\nengine: {name: vlm}\n\
         search_space: {parameters: {max-num-seqs: {low: 5, high: 1}}}\nbudgets: {experiments: 3}\n",
    );
    world.write("broken.yaml", "name: [\n");
    std::fs::write(world.path("bytes.yaml"), [0x6e, 0xff, 0xfe]).unwrap();
    std::fs::create_dir(world.path("folder")).unwrap();
    insta::assert_snapshot!(all(
        &world,
        &[
            &["tune", "wrong.yaml"],
            &["tasks", "check", "broken.yaml"],
            &["simulate", "bytes.yaml"],
            &["tune", "folder"],
            &["doctor", "missing.yaml"],
            &["tune"],
        ]
    ));
}

// R10.2
#[test]
fn a_good_file_is_checked_and_shown_with_its_defaults() {
    let world = World::small();
    insta::assert_snapshot!(all(&world, &[&["tasks", "check", "small.yaml"], &["tasks", "show", "small.yaml"]]));
}

#[test]
fn what_the_sampler_will_do_with_the_space_is_said_before() {
    let world = World::new();
    let grid = SMALL
        .replace("[2, 64, 256]", "{low: 2, high: 256, log: true}")
        .replace("budget: {experiments: 4}", "budget: {experiments: 3}\nsampler: {kind: grid}");
    world.write("grid.yaml", &grid);
    let constraint = "[2, 64, 256], enable-prefix-caching: bool}, constraints: [max-num-seqs > 1000]}";
    world.write("empty.yaml", &SMALL.replace("[2, 64, 256], enable-prefix-caching: bool}}", constraint));
    let start = |text: String| text.split("task grid").next().unwrap().to_owned();
    let mut text = all(&world, &[&["tasks", "check", "grid.yaml"], &["tasks", "check", "empty.yaml"]]);
    for command in [["tune", "empty.yaml"], ["simulate", "empty.yaml"]] {
        text.push_str(&format!("\n════\n{}", world.says(&command)));
    }
    insta::assert_snapshot!(text);
    let tuned = start(world.says(&["tune", "grid.yaml"]));
    assert!(tuned.contains("a random choice of them"), "{tuned}");
    assert!(world.says(&["simulate", "grid.yaml"]).contains("a random choice of them"));
}

// R0.6
#[test]
fn a_file_of_the_predecessor_is_translated_with_notes() {
    let world = World::small();
    world.write(
        "old.json",
        r#"{"task_name": "old task", "model": {"id_or_path": "/models/llama"}, "base_runtime": "vllm-0.10",
 "parameters": {"gpu_memory_utilization": [0.9], "max_num_seqs": [64, 128, 64]},
 "optimization": {"strategy": "random_search", "objective": "minimize_ttft"}, "benchmark": {}}"#,
    );
    insta::assert_snapshot!(all(
        &world,
        &[
            &["tasks", "import", "old.json", "--output", "new.yaml"],
            &["tasks", "check", "new.yaml"],
            &["tasks", "import", "small.yaml"],
        ]
    ));
}

#[test]
fn what_nobody_knows_is_refused_with_the_way_to_the_known() {
    let world = World::small();
    insta::assert_snapshot!(all(
        &world,
        &[
            &["tasks", "show", "nothing"],
            &["report", "nothing"],
            &["experiments", "list", "nothing"],
            &["tune", "--resume", "nothing"],
            &["engines", "params", "vlm"],
            &["engines", "params", "vllm", "max-num-sqs"],
            &["engines", "params", "vllm", "no-such-thing-at-all"],
            &["engines", "install", "llamacpp"],
            &["simulate", "small.yaml", "--gpu", "h10"],
            &["tasks", "list"],
        ]
    ));
}

#[test]
fn an_engine_without_a_simulation_is_refused() {
    let world = World::new();
    let file = "name: real\nmodel: {id: x}\nengine: {name: llama.cpp}\nsearch_space: {parameters: {threads: [1, 2]}}\n";
    world.write("real.yaml", file);
    insta::assert_snapshot!(world.says(&["simulate", "real.yaml"]));
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let world = World::small();
    world.write("occupied", "");
    // Root may write everywhere, but nobody can make a folder in a file.
    let say = |c: &[&str]| {
        let arguments: Vec<&str> = ["--data-dir", "occupied/data"].iter().chain(c).copied().collect();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_autotuner"));
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(world.dir.path()).args(arguments);
        world.transcript(&mut command)
    };
    let texts = [say(&["tasks", "list"]), say(&["tune", "small.yaml"])];
    insta::assert_snapshot!(texts.join("\n════\n"));
    let doctor = say(&["doctor"]);
    assert!(doctor.starts_with("exit 6") && doctor.contains("FAILED   data directory: [DIR]/occupied"), "{doctor}");
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let world = World::small();
    world.says(&["tasks", "list"]);
    let place = world.path("data/autotuner.sqlite");
    // What a process that ended left in the write-ahead log is under checksums; closing moves it into the file.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { tuner_store::Store::open(&place).await.unwrap().close().await.unwrap() });
    let before = patched(std::fs::read(&place).unwrap(), b"m0001_", b"m9001_");
    std::fs::write(&place, &before).unwrap();
    insta::assert_snapshot!(all(&world, &[&["tasks", "list"], &["tune", "small.yaml"]]));
    let doctor = world.says(&["doctor"]);
    assert!(doctor.starts_with("exit 6") && doctor.contains("FAILED   database: "), "{doctor}");
    assert_eq!(std::fs::read(world.path("data/autotuner.sqlite")).unwrap(), before);
    world.write("data/autotuner.sqlite", "this is no database, whatever its name says");
    insta::assert_snapshot!("not_a_database", world.says(&["tasks", "list"]));
}

/// The bytes with every `old` replaced by `new`, which is as long.
fn patched(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    for at in 0..bytes.len().saturating_sub(old.len()) {
        if bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
        }
    }
    bytes
}
