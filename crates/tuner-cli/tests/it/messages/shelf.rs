//! Presets, data sets by name, backups: what a person sees of them.

use super::World;

// W68
#[test]
fn presets_are_listed_shown_merged_stored_exported_and_taken_over() {
    let world = World::small();
    let mine = "name: mine\nengine: simulated\nparameters:\n  max-num-seqs: [16, 1024]\n  block-size: [16, 32]\n";
    world.write("mine.yaml", mine);
    world.write("wrong.yaml", "name: wrong one\nengine: simulated\nparameters: {max-num-seqs: [], max-num-seq: [1]}\n");
    let task = std::fs::read_to_string(world.path("small.yaml")).unwrap();
    let line = task.lines().find(|line| line.starts_with("search_space")).unwrap();
    world.write(
        "uses.yaml",
        &task.replace(line, "search_space: {presets: [simulated-performance, mine], parameters: {block-size: [64]}}"),
    );
    world.write("missing.yaml", &task.replace(line, "search_space: {presets: [mines]}"));
    let texts = [
        world.says(&["presets", "list", "--engine", "simulated"]),
        world.says(&["presets", "import", "mine.yaml"]),
        world.says(&["presets", "import", "mine.yaml"]),
        world.says(&["presets", "import", "wrong.yaml"]),
        world.says(&["presets", "show", "mine"]),
        world.says(&["presets", "merge", "simulated-performance", "mine", "--merge", "intersection"]),
        world.says(&["presets", "merge", "simulated-performance", "mine", "--save", "both"]),
        world.says(&["presets", "export", "both"]),
        world.says(&["presets", "delete", "simulated-performance"]),
        world.says(&["presets", "delete", "both"]),
        world.says(&["tasks", "check", "uses.yaml"]),
        world.says(&["tasks", "check", "missing.yaml"]),
    ];
    insta::assert_snapshot!(texts.join("\n════\n"));
    let shown = world.json(&["--json", "tasks", "show", "uses.yaml"]);
    let names: Vec<&String> = shown["search_space"]["parameters"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["max-num-seqs", "max-num-batched-tokens", "gpu-memory-utilization", "enable-prefix-caching", "block-size"]
    );
}

#[test]
fn a_data_set_is_kept_listed_used_by_its_name_and_deleted() {
    let world = World::small();
    world.write("chats.jsonl", &"{\"prompt\": \"hello\", \"output_tokens\": 4}\n".repeat(3));
    let texts = [
        world.says(&["dataset", "list"]),
        world.says(&["dataset", "add", "chats.jsonl", "--name", "chats"]),
        world.says(&["dataset", "add", "chats.jsonl", "--name", "chats"]),
        world.says(&["dataset", "add", "chats.jsonl", "--name", "b", "--sha256", &"0".repeat(64)]),
        world.says(&["dataset", "list"]),
        world.says(&["dataset", "inspect", "chats"]),
        world.says(&["dataset", "delete", "chats"]),
        world.says(&["dataset", "delete", "chats"]),
    ];
    insta::assert_snapshot!(texts.join("\n════\n"));
}

#[test]
fn a_backup_is_written_refused_and_put_back() {
    let world = World::tuned();
    let before = world.json(&["--json", "tasks", "list"]);
    world.write("damaged.backup", "no backup");
    let texts = [
        world.says(&["backup", "all.backup", "--with", "all"]),
        world.says(&["backup", "all.backup"]),
        world.says(&["restore", "all.backup"]),
        world.says(&["restore", "damaged.backup", "--force"]),
        world.says(&["restore", "nothing.backup"]),
    ];
    let text = texts.join("\n════\n");
    assert!(text.contains("rows and 1 files in all.backup"), "{text}");
    assert!(text.contains("the store is not empty") && text.contains("--force"), "{text}");
    assert!(text.contains("is not a whole backup") && text.contains("cannot read"), "{text}");
    let forced = world.says(&["restore", "all.backup", "--force"]);
    assert!(forced.starts_with("exit 0") && forced.contains("what was there before"), "{forced}");
    assert_eq!(world.json(&["--json", "tasks", "list"]), before);
}
