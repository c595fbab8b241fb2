//! Data sets: looked at, refused, and replayed in virtual time.

use super::World;

const AZURE: &str = "\
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:15:51.2225670,879,55
2023-11-16 18:15:51.3910170,91,16
2023-11-16 18:15:52.5732450,91,0
2023-11-16 18:15:53.5732450,8000,240
";

fn mooncake(rows: u32) -> String {
    let row = |i: u32| {
        let ids = format!("{}, {}, {}", i % 3, 10 + i % 3, 1000 + i);
        format!(
            "{{\"timestamp\": {}, \"input_length\": 1300, \"output_length\": 20, \"hash_ids\": [{ids}]}}\n",
            i * 100
        )
    };
    (0..rows).map(row).collect()
}

#[test]
fn a_data_set_is_shown_on_one_page() {
    let world = World::new();
    world.write("azure", AZURE);
    world.write("mooncake", &mooncake(40));
    let chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"why?\"}], \"max_tokens\": 9}\n";
    world.write("chat", chat);
    let texts = [
        world.says(&["dataset", "inspect", "azure"]),
        world.says(&["dataset", "inspect", "azure", "--max-context", "1000", "--from", "1", "--to", "6", "--json"]),
        world.says(&["dataset", "inspect", "mooncake"]),
        world.says(&["dataset", "inspect", "chat"]),
    ];
    insta::assert_snapshot!(texts.join("\n════\n"));
}

#[test]
fn what_is_no_data_set_is_refused_with_its_line() {
    let world = World::new();
    world.write("broken", "{\"prompt\": \"a\"}\n{\"prompt\": \n{\"question\": \"b\"}\n");
    world.write("table", "id,text\n1,a\n");
    world.write("empty", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:52,91,0\n");
    let texts = ["broken", "table", "empty", "nowhere"].map(|file| world.says(&["dataset", "inspect", file]));
    insta::assert_snapshot!(texts.join("\n════\n"));
}

/// A simulated task with this workload and these levels.
fn task(workload: &str, levels: &str) -> String {
    format!(
        "name: t\nmodel: {{id: llama-3.1-8b}}\nengine: {{name: simulated, hardware: {{gpu: h100-80g}}}}\n\
         backend: {{kind: virtual}}\nsearch_space: {{parameters: {{enable-prefix-caching: bool}}}}\n\
         workload: {workload}\nload: {{levels: {levels}, duration_s: 30}}\nbudget: {{experiments: 1}}\n\
         verification: {{blocks: 0}}\n"
    )
}

#[test]
fn virtual_time_replays_a_trace() {
    let world = World::new();
    world.write("mooncake", &mooncake(200));
    let levels = "[{arrival: trace}, {arrival: trace, time_scale: 2, keep: 0.5}]";
    world.write("t.yaml", &task("{dataset: {source: mooncake}}", levels));
    let output = world.command(&["simulate", "t.yaml"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Ten requests per second of twenty tokens each.
    assert!(output.status.success() && text.contains("trace ×1") && text.contains(" 200 "), "{text}");
}

#[test]
fn virtual_time_says_what_it_cannot_read() {
    let world = World::new();
    world.write("chat", "{\"prompt\": \"why?\"}\n");
    let level = "[{concurrency: 2}]";
    world.write("text.yaml", &task("{prompts_file: chat}", level));
    world.write("url.yaml", &task("{dataset: {source: 'http://127.0.0.1:9/trace'}}", level));
    let answer = |file| world.says(&["simulate", file]).split("──── beside it").next().unwrap_or_default().to_owned();
    let texts = ["text.yaml", "url.yaml"].map(answer);
    insta::assert_snapshot!(texts.join("\n════\n"));
}
