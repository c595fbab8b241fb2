//! Command lines, runs of scripts that act like a peer, and what pairs of figures say.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tuner_core::task::Api;

use super::*;
use crate::compare::Options;
use crate::compat::Headline;

fn load(tokenizer: &Path) -> PeerLoad<'_> {
    PeerLoad {
        url: "http://127.0.0.1:8000",
        model: "org/tiny",
        api: Api::Chat,
        tokenizer,
        input_tokens: 64,
        output_tokens: 32,
        streams: 4,
        requests: 40,
        seed: 7,
        ignore_eos: true,
    }
}

#[test]
fn each_peer_is_asked_for_the_same_load_in_its_own_words() {
    let load = load(Path::new("/models/tiny"));
    let line = |tool: Tool| {
        let words = load.arguments(tool, Path::new("/results")).unwrap();
        // A flag and its value on a line of their own.
        format!("{} {}", program(tool), words.join(" ").replace(" --", "\n    --"))
    };
    insta::assert_snapshot!(PEERS.map(line).join("\n"));
}

#[test]
fn what_a_peer_cannot_do_is_said_before_it_is_started() {
    let tokenizer = Path::new("/models/tiny");
    let with = |tool: Tool, load: PeerLoad<'_>| load.arguments(tool, Path::new("/results")).unwrap_err().to_string();
    let embeddings = PeerLoad { api: Api::Embeddings, ..load(tokenizer) };
    assert!(PEERS.into_iter().all(|tool| with(tool, embeddings).contains("take chat or completions")));
    let completions = PeerLoad { api: Api::Completions, ..load(tokenizer) };
    assert_eq!(
        with(Tool::GenaiBench, completions),
        "genai-bench cannot be used for the endpoint completions; take chat"
    );
    let comma = PeerLoad { model: "a,b", ..load(tokenizer) };
    assert_eq!(with(Tool::Guidellm, comma), "guidellm cannot be used for a comma in a,b");
}

#[test]
fn the_load_goes_to_no_proxy() {
    for url in ["http://10.0.0.7:8000", "http://10.0.0.7", "http://10.0.0.7/v1/"] {
        assert!(surroundings(Tool::Vllm, url).contains(&("NO_PROXY", "10.0.0.7".to_owned())), "{url}");
    }
}

/// A program that does what `body` says in the folder of results.
fn script(folder: &Path, body: &str) -> Vec<String> {
    let path = folder.join("peer");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    vec![path.display().to_string()]
}

async fn act(body: &str, limit: Duration) -> (tempfile::TempDir, Result<PeerRun, PeerError>) {
    let folder = tempfile::tempdir().unwrap();
    let launcher = script(folder.path(), body);
    let results = folder.path().join("results");
    let run = run(Tool::Vllm, &launcher, &load(folder.path()), &results, limit).await;
    (folder, run)
}

const LONG: Duration = Duration::from_secs(60);
const RESULT: &str =
    r#"{"completed": 40, "failed": 0, "duration": 2.0, "total_token_throughput": 5.0, "mean_ttft_ms": 9.5}"#;

#[tokio::test]
async fn a_result_is_found_by_its_content_whatever_its_name() {
    let noise = r#"echo '{"benchmarks": []}' > aaa.json; echo nonsense > b.json; mkdir -p deep/er; ln -s / deep/loop"#;
    let (_folder, run) = act(&format!("{noise}\necho '{RESULT}' > deep/er/zzz.txt"), LONG).await;
    let run = run.unwrap();
    assert!(run.file.ends_with("deep/er/zzz.txt"), "{:?}", run.file);
    assert_eq!((run.headline.completed, run.headline.ttft_mean_ms), (Some(40.0), Some(9.5)));
    assert!(run.wall_s > 0.0 && run.cpu_s.0 + run.cpu_s.1 < 10.0);
}

#[tokio::test]
async fn a_peer_that_fails_is_quoted_with_the_way_to_all_that_it_said() {
    let (_folder, run) = act("printf 'one\\n\\033[31mtwo\\033[0m\\n\\n' >&2; exit 3", LONG).await;
    let error = run.unwrap_err();
    assert_eq!(error.to_string(), "vllm failed (exit status: 3); the last it said:\none\ntwo");
    assert!(error.hint().contains("results/output.txt"), "{}", error.hint());
}

#[tokio::test]
async fn a_peer_without_a_readable_result_or_a_completed_request_has_no_figures() {
    let (_folder, run) = act("echo '{}' > result.json; echo bye", LONG).await;
    assert!(matches!(run, Err(PeerError::NoResult { ref lines, .. }) if lines == &["bye"]), "{run:?}");
    let none = RESULT.replace("40", "0");
    let (_folder, run) = act(&format!("echo '{none}' > result.json"), LONG).await;
    assert!(matches!(run, Err(PeerError::NothingCompleted { .. })), "{run:?}");
    let nowhere = vec!["/nowhere/vllm".to_owned()];
    let folder = tempfile::tempdir().unwrap();
    let run = super::run(Tool::Vllm, &nowhere, &load(folder.path()), folder.path(), LONG).await;
    assert!(matches!(run, Err(PeerError::Start { .. })), "{run:?}");
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[tokio::test]
async fn a_peer_that_does_not_end_is_stopped_with_its_workers() {
    let began = Instant::now();
    let (folder, run) = act("sleep 1000 & echo $! > worker; echo working; wait", Duration::from_millis(500)).await;
    assert!(matches!(run, Err(PeerError::TooLong { ref lines, .. }) if lines == &["working"]), "{run:?}");
    let worker = std::fs::read_to_string(folder.path().join("results/worker")).unwrap();
    // The kernel needs a moment to end what was killed.
    while lives(&worker) {
        assert!(began.elapsed() < LONG, "the worker {worker} lives on");
        tokio::task::yield_now().await;
    }
}

fn pairs(of: impl Fn(usize) -> (Headline, Headline)) -> Vec<(Headline, Headline)> {
    (0..6).map(of).collect()
}

#[test]
fn pairs_say_whether_figures_are_equivalent_differ_or_cannot_be_told() {
    let wobble = |i: usize| [1.0, 1.004, 0.997, 1.002, 0.999, 1.001][i];
    let noise = |i: usize| [1.0, 1.3, 0.8, 1.1, 0.7, 1.2][i];
    let pairs = pairs(|i| {
        let ours = Headline {
            completed: Some(40.0),
            failed: Some(0.0),
            duration_s: Some(10.0),
            ttft_mean_ms: Some(100.0),
            tpot_mean_ms: Some(20.0),
            e2e_mean_ms: Some(700.0),
            ..Headline::default()
        };
        let theirs = Headline {
            duration_s: Some(10.0 * noise(i)),
            ttft_mean_ms: Some(100.0 * wobble(i)),
            tpot_mean_ms: Some(22.0 * wobble(i)),
            // What one side does not have is not compared.
            e2e_mean_ms: None,
            ..ours
        };
        (ours, theirs)
    });
    let figures = agreement(Tool::Aiperf, &pairs, &Options::default());
    let told: Vec<(&str, Agreement)> = figures.iter().map(|f| (f.figure.as_str(), f.verdict)).collect();
    let expected = [
        ("completed", Agreement::Equivalent),
        ("failed", Agreement::Equivalent),
        ("duration_s", Agreement::Unclear),
        ("ttft_mean_ms", Agreement::Equivalent),
        ("tpot_mean_ms", Agreement::Differs),
    ];
    assert_eq!(told, expected);
    let tpot = figures.last().unwrap();
    assert!((tpot.ratio.unwrap().estimate - 1.1).abs() < 0.005 && (tpot.theirs - 22.0).abs() < 0.1, "{tpot:?}");
}

/// A file that the tool itself wrote in an `autotuner bench cross-check`; most of what it says of single requests removed.
fn recorded(name: &str) -> serde_json::Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/peers/recorded").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn files_that_the_tools_themselves_wrote_are_told_by_content_and_read() {
    // 12 requests of 20 tokens, 4 at once, against a server with 100 ms to the first token and 20 ms between tokens.
    for tool in PEERS {
        let document = recorded(&format!("{tool}.json"));
        let (found, headlines) = crate::compat::read(&document).unwrap();
        assert_eq!((found, headlines.len()), (tool, 1));
        let of = |wanted: &str| {
            let mut named = headlines[0].named();
            named.find(|(name, _)| *name == wanted).unwrap_or_else(|| panic!("{tool}: no {wanted}")).1
        };
        assert!(of("completed") >= 12.0, "{tool}");
        assert!((100.0..160.0).contains(&of("ttft_mean_ms")), "{tool}: {}", of("ttft_mean_ms"));
        assert!((19.0..23.0).contains(&of("tpot_mean_ms")), "{tool}: {}", of("tpot_mean_ms"));
        assert!((470.0..560.0).contains(&of("e2e_mean_ms")), "{tool}: {}", of("e2e_mean_ms"));
        // Little's law, whatever each takes for its span.
        let streams = of("request_throughput") * of("e2e_mean_ms") / 1000.0;
        assert!((2.0..4.5).contains(&streams), "{tool}: {streams}");
        assert!((of("output_throughput") / of("request_throughput") - 20.0).abs() < 0.5, "{tool}");
    }
}
