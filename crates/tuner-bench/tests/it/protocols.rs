//! Every protocol end to end: probed, planned, sent, and its answers counted and timed.

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tuner_bench::{BenchReport, BenchRequest, Live, Target, bench_url};
use tuner_core::Metric;
use tuner_core::measure::Stat;
use tuner_core::task::{Api, Prompts, WorkloadSpec};
use tuner_testkit::closed_form::{Case, ClosedForm, Timetable};

use crate::closed_form_run::{load, run, scenario, soon, target, tokenizer};

const GENERATING: [Api; 6] =
    [Api::Chat, Api::Completions, Api::Responses, Api::Anthropic, Api::SglangGenerate, Api::LlamacppCompletion];

async fn bench(server: &ClosedForm, workload: WorkloadSpec, requests: u32) -> BenchReport {
    let (_folder, tokenizer) = tokenizer();
    let request = BenchRequest {
        target: Target { base_url: server.url(), ..Target::default() },
        tokenizer: Some(tokenizer.display().to_string()),
        workload,
        load: load(requests),
        ..BenchRequest::default()
    };
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    soon(bench_url(&request, live, cancel, &mut |_, _| ()))
        .await
        .unwrap_or_else(|e| panic!("{:?}: {e}", request.workload.api))
}

#[tokio::test(flavor = "current_thread")]
async fn every_generating_protocol_is_counted_and_timed_alike() {
    for api in GENERATING {
        let server = ClosedForm::start(Timetable::quick(Case::Clean)).unwrap();
        let report = bench(&server, WorkloadSpec { api, ..scenario("D(12,20)") }, 6).await;
        let m = &report.measurements[0];
        let mean = |metric| m.stat(metric, Stat::Mean).unwrap_or(f64::NAN);
        assert_eq!((m.requests.completed, m.requests.failed), (6, 0), "{api:?}: {:?}", m.errors);
        assert_eq!((mean(Metric::InputTokens), mean(Metric::OutputTokens)), (12.0, 20.0), "{api:?}");
        let (ttft, tpot) = (mean(Metric::Ttft), mean(Metric::Tpot));
        assert!((20.0..120.0).contains(&ttft) && (1.5..20.0).contains(&tpot), "{api:?}: {ttft} ms, {tpot} ms");
        let native = matches!(api, Api::SglangGenerate | Api::LlamacppCompletion);
        assert_eq!(report.features.continuous_usage, native, "{api:?}: running counts");
        assert_eq!(m.metrics.contains_key(&Metric::Itl), native, "{api:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn every_generating_protocol_knows_its_bad_ends() {
    for api in GENERATING {
        for (case, class) in [(Case::ErrorEvent, "stream_error"), (Case::Truncated, "truncated"), (Case::Cut, "cut")] {
            let server = ClosedForm::start(Timetable::quick(case)).unwrap();
            let workload = WorkloadSpec { api, ..scenario("D(12,20)") };
            let (plan, run) = run(&target(&server), &workload, &load(2)).await;
            let errors = run.measurement(&plan, &[], &[]).errors;
            assert_eq!(errors.get(class), Some(&2), "{api:?} {case:?}: {errors:?}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn every_protocol_can_answer_without_streaming() {
    for api in GENERATING {
        let server = ClosedForm::start(Timetable::quick(Case::Clean)).unwrap();
        let extra_body = json!({ "stream": false }).as_object().cloned().unwrap();
        let workload = WorkloadSpec { api, extra_body, ..scenario("D(12,20)") };
        let (plan, run) = run(&target(&server), &workload, &load(2)).await;
        let m = run.measurement(&plan, &[], &[]);
        assert_eq!(m.requests.completed, 2, "{api:?}: {:?}", m.errors);
        assert_eq!(m.stat(Metric::OutputTokens, Stat::Mean), Some(20.0), "{api:?}");
        assert_eq!(m.metrics.get(&Metric::Tpot), None, "{api:?}: one read");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn several_answers_of_one_request_are_added_up() {
    for (api, extra) in [
        (Api::Chat, json!({ "n": 3 })),
        (Api::Completions, json!({ "n": 3 })),
        (Api::SglangGenerate, json!({ "sampling_params": { "n": 3 } })),
    ] {
        for case in [Case::Clean, Case::ContinuousUsage] {
            let server = ClosedForm::start(Timetable::quick(case)).unwrap();
            let extra_body = extra.as_object().cloned().unwrap();
            let workload = WorkloadSpec { api, extra_body, ..scenario("D(12,20)") };
            let (plan, run) = run(&target(&server), &workload, &load(2)).await;
            let m = run.measurement(&plan, &[], &[]);
            assert_eq!(m.requests.completed, 2, "{api:?} {case:?}: {:?}", m.errors);
            assert_eq!(m.stat(Metric::OutputTokens, Stat::Mean), Some(60.0), "{api:?} {case:?}");
            let counted = case == Case::ContinuousUsage || api == Api::SglangGenerate;
            for record in run.records.iter().filter(|r| counted && !r.warmup) {
                let sum: Option<u32> = record.reads.iter().map(|r| r.tokens).sum();
                assert_eq!(sum, Some(60), "{api:?} {case:?}");
            }
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn vectors_and_rankings_have_a_latency_and_no_tokens() {
    let timetable = Timetable { first: Duration::from_millis(10), ..Timetable::quick(Case::Clean) };
    let server = ClosedForm::start(timetable).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rank.jsonl");
    let line = json!({ "request_body": { "query": "bada", "documents": ["beda", "bida boda"] } });
    std::fs::write(&path, format!("{line}\n")).unwrap();
    let file = Prompts { scenario: None, prompts_file: Some(path.display().to_string()), ..Prompts::default() };
    let ranked = WorkloadSpec { api: Api::Rerank, prompts: file, ..WorkloadSpec::default() };
    let embedded = WorkloadSpec { api: Api::Embeddings, ..scenario("D(12,1)") };
    for (workload, input) in [(embedded, 12.0), (ranked, 4.0)] {
        let api = workload.api;
        let report = bench(&server, workload, 4).await;
        let m = &report.measurements[0];
        assert_eq!((m.requests.completed, m.requests.failed), (4, 0), "{api:?}: {:?}", m.errors);
        assert_eq!(m.stat(Metric::InputTokens, Stat::Mean), Some(input), "{api:?}");
        assert_eq!(m.stat(Metric::OutputThroughput, Stat::Mean), Some(0.0), "{api:?}");
        let e2e = m.stat(Metric::E2eLatency, Stat::Mean).unwrap();
        assert!((10.0..100.0).contains(&e2e), "{api:?}: {e2e} ms");
        // Whether two were in flight all the time is up to the machine; that every answer was understood is not.
        let all_read = !m.evidence.contains_key("events_unparsed") && m.requests.completed == 4;
        assert!(all_read, "{api:?}: {:?}", m.evidence);
    }
}
