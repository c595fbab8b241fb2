//! Workloads as they reach the server: classes, models, shared prefixes, salts, traces.

use serde_json::{Value, json};
use tokio::sync::watch;
use tuner_bench::{BenchRequest, Live, PreparedWorkload, Seeds, Target, bench_url, run_level};
use tuner_core::task::{Arrival, Level, LoadSpec, WorkloadSpec};
use tuner_testkit::closed_form::{Case, ClosedForm, Served, Timetable};

use crate::closed_form_run::{run, target, tokens};

fn workload(json: Value) -> WorkloadSpec {
    serde_json::from_value(json).unwrap()
}

fn server() -> ClosedForm {
    ClosedForm::start(Timetable::quick(Case::Clean)).unwrap()
}

/// What the server was asked by `requests` requests of one stream.
async fn asked(json: Value, requests: u32) -> Vec<Served> {
    let server = server();
    let load = LoadSpec {
        levels: vec![Level::closed(1)],
        requests: Some(requests),
        duration_s: None,
        warmup_requests: Some(0),
        ..LoadSpec::default()
    };
    let (plan, level) = run(&target(&server), &workload(json), &load).await;
    let measurement = level.measurement(&plan, &[], &[]);
    assert_eq!(measurement.requests.completed, u64::from(requests), "{:?}", measurement.errors);
    let records = level.records;
    assert!(records.iter().all(|r| r.class.is_some() == (plan.parts.len() > 1)));
    server.served()
}

#[tokio::test(flavor = "current_thread")]
async fn classes_reach_their_endpoints_with_their_fields_and_models() {
    let served = asked(
        json!({
            "classes": [
                {"name": "chat", "scenario": "D(8,4)", "temperature": 0.5},
                {"name": "raw", "scenario": "D(12,4)", "api": "completions", "extra_body": {"top_p": 0.9}},
            ],
            "models": [{"name": "closed-form"}, {"name": "adapter"}],
            "extra_body": {"user": "u"},
        }),
        30,
    )
    .await;
    let (chat, raw): (Vec<&Served>, Vec<&Served>) = served.iter().partition(|s| s.body["messages"].is_array());
    assert!(chat.len() >= 5 && raw.len() >= 5, "{} {}", chat.len(), raw.len());
    assert!(chat.iter().all(|s| s.body["temperature"] == 0.5 && s.body["top_p"].is_null() && s.body["user"] == "u"));
    assert!(raw.iter().all(|s| s.body["temperature"] == 0.0 && s.body["top_p"] == 0.9 && s.body["user"] == "u"));
    let models: std::collections::HashSet<&str> = served.iter().filter_map(|s| s.body["model"].as_str()).collect();
    assert_eq!(models, ["closed-form", "adapter"].into());
}

#[tokio::test(flavor = "current_thread")]
async fn prompts_of_a_group_begin_alike_and_go_on_differently() {
    let prefix = json!({"tokens": 12, "groups": 2});
    let served = asked(json!({"scenario": "D(20,4)", "shared_prefix": prefix}), 20).await;
    let words: Vec<Vec<&str>> = served.iter().map(|s| s.prompt.split(' ').collect()).collect();
    assert!(words.iter().all(|w| w.len() == 20));
    let distinct =
        |from: usize, to: usize| words.iter().map(|w| &w[from..to]).collect::<std::collections::HashSet<_>>().len();
    assert_eq!((distinct(0, 12), distinct(12, 20)), (2, 20));
}

/// How many prompts of a second measurement are the same as in the first.
async fn asked_twice(json: Value) -> usize {
    let (server, tokens, workload) = (server(), tokens(), workload(json));
    let prepared = PreparedWorkload::new(&workload, Some(&tokens)).await.unwrap();
    for (repeat, prompts) in [(0, 1), (1, 2)] {
        let load = LoadSpec { requests: Some(3), duration_s: None, warmup_requests: Some(0), ..LoadSpec::default() };
        let plan = prepared.plan(&load, 0, repeat, Seeds { schedule: 1, prompts }).unwrap();
        let (live, _) = watch::channel(Live::default());
        let (_keep, cancel) = watch::channel(false);
        run_level(&target(&server), &plan, &prepared.prompts, Some(tokens.clone()), live, cancel).await.unwrap();
    }
    let mut first: Vec<String> = server.served().into_iter().map(|s| s.prompt).collect();
    let second = first.split_off(3);
    first.into_iter().zip(second).filter(|(a, b)| a == b).count()
}

#[tokio::test(flavor = "current_thread")]
async fn without_a_salt_every_measurement_asks_the_same() {
    assert_eq!(asked_twice(json!({"scenario": "D(20,4)", "salt": false})).await, 3);
    assert_eq!(asked_twice(json!({"scenario": "D(20,4)"})).await, 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_salt_stands_before_prompts_of_a_file_unless_it_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    std::fs::write(&path, "{\"prompt\": \"one\", \"max_tokens\": 4}\n").unwrap();
    let file = path.display().to_string();
    let plain = asked(json!({"prompts_file": file, "salt": false}), 2).await;
    assert!(plain.iter().all(|s| s.prompt == "one"), "{plain:?}");
    let salted = asked(json!({"dataset": {"source": file}}), 2).await;
    let (line, rest) = salted[0].prompt.split_once('\n').unwrap();
    assert!(rest == "one" && line.len() == 18 && line.starts_with('[') && line.ends_with(']'), "{line}");
    assert_eq!(salted[0].prompt, salted[1].prompt, "one salt for the whole measurement");
}

#[tokio::test(flavor = "current_thread")]
async fn a_trace_is_sent_when_it_says_with_the_lengths_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    let mut text = "arrived_at,num_prefill_tokens,num_decode_tokens\n".to_owned();
    let gaps = [0.0, 0.4, 0.8, 1.2, 2.0];
    gaps.iter().zip(10..).for_each(|(at, n)| text.push_str(&format!("{},{n},4\n", 50.0 + at)));
    std::fs::write(&path, text).unwrap();
    let server = server();
    let level = Level { arrival: Some(Arrival::Trace), time_scale: Some(0.25), ..Level::default() };
    let load = LoadSpec { levels: vec![level], warmup_requests: Some(0), ..LoadSpec::default() };
    let source = json!({"dataset": {"source": path.display().to_string()}});
    let (plan, level) = run(&target(&server), &workload(source), &load).await;
    let planned: Vec<(f64, u32)> = level.records.iter().map(|r| (r.planned_s, r.planned_input_tokens)).collect();
    let expected: Vec<(f64, u32)> = gaps.iter().map(|at| (50.0 + at) * 0.25 - 12.5).zip(10..).collect();
    assert!(planned.iter().zip(&expected).all(|(a, b)| (a.0 - b.0).abs() < 1e-9 && a.1 == b.1), "{planned:?}");
    assert!(level.records.iter().all(|r| r.sent_s.unwrap() >= r.planned_s && r.output_tokens == Some(4)));
    assert_eq!(plan.open_window().map(|(_, end)| end), Some(0.5));
    let words: Vec<usize> = server.served().iter().map(|s| s.prompt.split(' ').count()).collect();
    assert_eq!(words, [10, 11, 12, 13, 14]);
}

#[tokio::test(flavor = "current_thread")]
async fn documents_rankings_and_pictures_go_to_their_endpoints() {
    let served = asked(json!({"scenario": "1*E(40)+1*R(30,6)+1*I(24,16,2)", "output_tokens": 4}), 24).await;
    let to = |path: &str| -> Vec<&Value> { served.iter().filter(|s| s.head.contains(path)).map(|s| &s.body).collect() };
    let (embedded, ranked, seen) = (to("/v1/embeddings"), to("/v1/rerank"), to("/v1/chat/completions"));
    assert_eq!(embedded.len() + ranked.len() + seen.len(), 24);
    assert!([&embedded, &ranked, &seen].iter().all(|kind| kind.len() >= 3));
    let words = |text: &Value| text.as_str().unwrap().split(' ').count();
    let length = |input: &Value| input.as_array().map_or_else(|| words(input), Vec::len);
    assert!(embedded.iter().all(|body| length(&body["input"]) == 40), "{embedded:?}");
    let sizes: Vec<(usize, usize)> = ranked.iter().map(|b| (words(&b["documents"][0]), words(&b["query"]))).collect();
    assert!(sizes.iter().all(|size| *size == (30, 6)), "{sizes:?}");
    let pictures: std::collections::HashSet<&str> = seen
        .iter()
        .flat_map(|b| (0..2).map(|i| b["messages"][0]["content"][i]["image_url"]["url"].as_str().unwrap()))
        .collect();
    assert_eq!(pictures.len(), 2 * seen.len(), "each picture is shown once");
    assert!(pictures.iter().all(|url| url.starts_with("data:image/png;base64,iVBORw0KGgo")));
    assert!(seen.iter().all(|b| b["max_tokens"] == 4 && words(&b["messages"][0]["content"][2]["text"]) == 16));
}

#[tokio::test(flavor = "current_thread")]
async fn llama_cpps_own_endpoint_is_shown_pictures_at_the_marks_that_its_server_chose() {
    let workload = json!({"scenario": "I(24,16,2)", "api": "llamacpp_completion", "output_tokens": 4});
    let prompt = |served: &Served| served.body["prompt"].clone();
    let usual = asked(workload.clone(), 3).await;
    assert!(usual.iter().all(|s| {
        let text = prompt(s)["prompt_string"].as_str().unwrap().to_owned();
        text.starts_with("<__media__><__media__>") && s.body["n_predict"] == 4
    }));
    let data = |s: &Served| prompt(s)["multimodal_data"].as_array().unwrap().clone();
    assert!(usual.iter().all(|s| data(s).len() == 2 && data(s)[0].as_str().unwrap().starts_with("iVBORw0KGgo")));

    let server = server();
    let workload = self::workload(workload);
    let request = BenchRequest {
        target: Target { base_url: server.url(), ..Target::default() },
        load: LoadSpec { requests: Some(2), ..LoadSpec::default() },
        workload: workload.clone(),
        ..BenchRequest::default()
    };
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    bench_url(&request, live, cancel, &mut |_, _| ()).await.unwrap();
    let last = server.served().pop().unwrap();
    assert!(prompt(&last)["prompt_string"].as_str().unwrap().starts_with("<__media_7__><__media_7__>"), "{last:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn sglangs_own_endpoint_needs_a_tokenizer_that_knows_pictures() {
    let workload = workload(json!({"scenario": "I(24,16)", "api": "sglang_generate"}));
    let (server, tokens) = (server(), tokens());
    let prepared = PreparedWorkload::new(&workload, Some(&tokens)).await.unwrap();
    let plan = prepared.plan(&LoadSpec::default(), 0, 0, Seeds::default()).unwrap();
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let refused = run_level(&target(&server), &plan, &prepared.prompts, Some(tokens), live, cancel).await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("sglang_generate cannot carry pictures") && said.contains("tokenizer"), "{said}");
}
