//! `bench cross-check` with scripts in place of the tools: each leaves a file that the real tool once wrote.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value as Json;
use tuner_testkit::closed_form::{Case, ClosedForm, Timetable, tokenizer_json};

use super::World;

/// A world with a tokenizer, a server that speaks its words, and a script for each of `tools`.
struct Bench {
    world: World,
    server: ClosedForm,
}

impl Bench {
    fn with(tools: &[&str]) -> Self {
        let (world, server) = (World::new(), ClosedForm::start(Timetable::quick(Case::Clean)).unwrap());
        world.write("tokenizer.json", &tokenizer_json());
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tuner-bench/src/peers/recorded");
        for tool in tools {
            let file = recorded.join(format!("{tool}.json"));
            let body = format!("echo \"$@\" > asked; mkdir run; cp '{}' run/some.name; echo done", file.display());
            script(&world, tool, &body);
        }
        Self { world, server }
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let url = self.server.url();
        let mut load = vec!["bench", "cross-check", &url, "--tokenizer", "tokenizer.json", "-c", "4", "-n", "12"];
        if !more.contains(&"--scenario") {
            load.extend(["--scenario", "D(8,20)"]);
        }
        load.into_iter().chain(["--rounds", "2"]).chain(more.iter().copied()).map(str::to_owned).collect()
    }

    fn says(&self, more: &[&str]) -> String {
        let arguments = self.arguments(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.world.says(&arguments).replace(&self.server.url(), "[URL]")
    }

    fn json(&self, more: &[&str]) -> Json {
        let arguments = self.arguments(more);
        let arguments: Vec<&str> = ["--json"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        self.world.json(&arguments)
    }
}

fn script(world: &World, name: &str, body: &str) {
    world.write(name, &format!("#!/bin/sh\n{body}\n"));
    std::fs::set_permissions(world.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

// W8
#[test]
fn each_tools_own_figures_stand_beside_ours_by_its_rules() {
    let tools = ["vllm", "guidellm", "aiperf", "genai-bench"];
    let bench = Bench::with(&tools);
    let paths: Vec<String> = tools.iter().flat_map(|t| ["--tool-path".to_owned(), format!("{t}={t}")]).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).chain(["--results", "kept"]).collect();
    let check = bench.json(&paths);
    let checked = check["tools"].as_array().unwrap();
    let names: Vec<&str> = checked.iter().map(|tool| tool["tool"].as_str().unwrap()).collect();
    assert_eq!(names, tools, "{check:#}");
    for tool in checked {
        let name = tool["tool"].as_str().unwrap();
        assert_eq!(tool["pairs"], 2, "{name}");
        let figures = tool["figures"].as_array().unwrap();
        let of =
            |wanted: &str| figures.iter().find(|f| f["figure"] == wanted).unwrap_or_else(|| panic!("{name} {wanted}"));
        for figure in ["completed", "request_throughput", "output_throughput", "ttft_mean_ms", "e2e_mean_ms"] {
            assert!(of(figure)["theirs"].as_f64().unwrap() > 0.0, "{name} {figure}");
        }
        // Ours against the timetable: 20 ms to the first token, then 19 gaps of 2 ms.
        let ttft = of("ttft_mean_ms")["ours"].as_f64().unwrap();
        assert!(ttft >= 20.0, "{name}: {ttft}");
        assert_eq!(of("completed")["ours"], 12.0, "{name}");
        for round in ["0", "1"] {
            let asked = std::fs::read_to_string(bench.world.path("kept").join(name).join(round).join("asked")).unwrap();
            assert!(asked.contains(&bench.server.url()) && asked.contains("tokenizer"), "{name}: {asked}");
            assert!(bench.world.path("kept/autotuner").join(round).join(name).is_dir());
        }
    }
    // Of the two runs of ours nothing was left out as a warm-up.
    assert!(bench.server.served().len() >= 24);
}

#[test]
fn a_person_reads_figures_verdicts_and_the_files_behind_them() {
    let bench = Bench::with(&["guidellm"]);
    let said = bench.says(&["--tool-path", "guidellm=guidellm", "--results", "kept"]);
    assert!(said.starts_with("exit 0"), "{said}");
    for words in
        ["D(8,20), 4 in flight, 12 requests a run", "guidellm: 2 pairs", "its / ours", "ttft_mean_ms", "files: kept"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let turns: Vec<&str> = said.lines().filter(|line| line.starts_with("round ")).collect();
    let expected =
        ["round 1 of 2: autotuner", "round 1 of 2: guidellm", "round 2 of 2: guidellm", "round 2 of 2: autotuner"];
    assert_eq!(turns, expected);
}

/// A tool that really asks: once alone, as vLLM's does, then on two streams at once, six times each.
const TWO_STREAMS: &str = r#"
url=$(echo "$*" | sed 's/.*--base-url \([^ ]*\).*/\1/')
cat > ask.py <<'END'
import json, sys, threading, time, urllib.request
def ask(n):
    for _ in range(n):
        body = json.dumps({"model": "closed-form", "max_tokens": 20, "messages": [{"role": "user", "content": "a"}]})
        request = urllib.request.Request(sys.argv[1] + "/v1/chat/completions", body.encode(), {"Content-Type": "application/json"})
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()
ask(1)
time.sleep(0.3)
streams = [threading.Thread(target=ask, args=[6]) for _ in range(2)]
[stream.start() for stream in streams]
[stream.join() for stream in streams]
END
python3 ask.py "$url"
"#;

// W8
#[test]
fn two_tools_side_by_side_begin_together_and_each_has_half_of_the_streams() {
    let bench = Bench::with(&["vllm"]);
    let result = std::fs::read_to_string(bench.world.path("vllm")).unwrap();
    let copy = result.lines().last().unwrap();
    script(&bench.world, "vllm", &format!("{TWO_STREAMS}\n{copy}"));
    let check = bench.json(&["--tool-path", "vllm=vllm", "--together", "--results", "kept"]);
    assert_eq!((&check["together"], &check["concurrency"]), (&Json::from(true), &Json::from(2)), "{check:#}");
    let url = bench.server.url();
    assert_eq!(check["url"], *url);
    let tool = &check["tools"][0];
    assert_eq!(tool["pairs"], 2, "{check:#}");
    let completed = tool["figures"].as_array().unwrap().iter().find(|f| f["figure"] == "completed").unwrap();
    assert_eq!(completed["ours"], 12.0);
    // In each round 12 of ours, 12 of the tool's, and the one that it asks first; besides what was asked to learn the model.
    assert!(bench.server.served().len() >= 50, "{}", bench.server.served().len());
    let words = bench.says(&["--tool-path", "vllm=vllm", "--together", "--results", "again"]);
    assert!(words.contains("2 in flight on each side at the same time"), "{words}");
    assert!(words.contains("round 2 of 2: autotuner and vllm"), "{words}");
}

#[test]
fn an_installed_tool_is_found_in_an_environment_and_on_the_path() {
    let bench = Bench::with(&["guidellm"]);
    std::fs::create_dir_all(bench.world.path("env/bin")).unwrap();
    std::fs::rename(bench.world.path("guidellm"), bench.world.path("env/bin/guidellm")).unwrap();
    let check = bench.json(&["--tool-path", "guidellm=env"]);
    assert!(check["tools"][0]["program"].as_str().unwrap().ends_with("env/bin/guidellm"), "{check:#}");
    let arguments = bench.arguments(&[]);
    let arguments: Vec<&str> = ["--json"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let path = format!("{}:/usr/bin:/bin", bench.world.path("env/bin").display());
    let output = bench.world.command(&arguments).env("PATH", path).output().unwrap();
    let check: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(check["tools"].as_array().unwrap().len(), 1, "every tool that is installed, and no other: {check:#}");
}

#[test]
fn a_cross_check_that_cannot_be_made_is_refused_with_the_way_out() {
    let bench = Bench::with(&["guidellm"]);
    script(&bench.world, "broken", "echo working; echo 'no such option: --backend' >&2; exit 2");
    script(&bench.world, "mute", "echo nothing to say");
    std::fs::create_dir_all(bench.world.path("full")).unwrap();
    bench.world.write("full/file", "");
    let wrong: [&[&str]; 10] = [
        &[],
        &["--tool", "aiperf"],
        &["--tool", "wrk"],
        &["--tool-path", "guidellm"],
        &["--tool-path", "guidellm=nowhere"],
        &["--tool-path", "guidellm=guidellm", "--scenario", "N(8,2)/(20,4)"],
        &["--tool-path", "guidellm=guidellm", "--results", "full"],
        &["--tool-path", "vllm=broken", "--results", "one"],
        &["--tool-path", "vllm=mute", "--results", "two"],
        // It asks for nothing, so it never has two requests in flight.
        &["--tool-path", "guidellm=guidellm", "--together", "--results", "three"],
    ];
    let mut texts: Vec<String> = wrong.iter().map(|more| bench.says(more)).collect();
    for (url, streams) in [("http://127.0.0.1:1", "3"), ("https://127.0.0.1:1", "4")] {
        let with = ["--tool-path", "guidellm=guidellm", "--together", "-c", streams];
        texts.push(bench.world.says(&[&["bench", "cross-check", url][..], &with].concat()));
    }
    insta::assert_snapshot!(texts.join("\n════\n"));
}
