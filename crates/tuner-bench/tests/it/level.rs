//! Whole levels: what is sent, how many at once, when, and what is left when a run is cut off.

use std::collections::HashSet;
use std::time::Duration;

use tokio::sync::watch;
use tuner_bench::{BenchRequest, LevelPlan, Live, Phase, PreparedWorkload, Seeds, Target, bench_url, run_level};
use tuner_core::Metric;
use tuner_core::measure::Stat;
use tuner_core::record::Fate;
use tuner_core::task::{Api, Arrival, Level, LoadSpec, Prompts, WorkloadSpec};
use tuner_testkit::closed_form::{Case, ClosedForm, Timetable};

use crate::closed_form_run::{run, scenario, soon, target, tokenizer, tokens, without_running_counts};

fn server(first_ms: u64) -> ClosedForm {
    let first = Duration::from_millis(first_ms);
    ClosedForm::start(Timetable { first, ..Timetable::quick(Case::Clean) }).unwrap()
}

fn closed(streams: u32, requests: u32) -> LoadSpec {
    LoadSpec {
        levels: vec![Level::closed(streams)],
        requests: Some(requests),
        duration_s: None,
        request_timeout_s: 30.0,
        ..LoadSpec::default()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn prompts_have_exactly_the_planned_length_and_none_is_sent_twice() {
    let server = server(1);
    let (_, run) = run(&target(&server), &scenario("U(5,40)/(2,6)"), &closed(4, 40)).await;
    assert!(run.records.iter().all(|r| r.fate == Fate::Completed), "{:?}", run.records);
    for record in &run.records {
        assert_eq!(record.input_tokens, Some(record.planned_input_tokens));
        assert_eq!(record.output_tokens, Some(record.planned_output_tokens));
    }
    let prompts: Vec<String> = server.served().into_iter().map(|s| s.prompt).collect();
    let beginnings: HashSet<Vec<&str>> = prompts.iter().map(|p| p.split(' ').take(4).collect()).collect();
    assert_eq!(beginnings.len(), 44, "4 warm-up and 40 measured prompts all begin differently");
}

#[tokio::test(flavor = "current_thread")]
async fn completions_count_like_chats() {
    let server = server(1);
    let workload = WorkloadSpec { api: Api::Completions, ..scenario("D(9,4)") };
    let (_, run) = run(&target(&server), &workload, &closed(1, 3)).await;
    assert!(run.records.iter().all(|r| r.input_tokens == Some(9) && r.fate == Fate::Completed));
}

#[tokio::test(flavor = "current_thread")]
async fn a_closed_loop_keeps_its_streams_busy_and_hands_over_without_a_pause() {
    let server = server(30);
    let (plan, run) = run(&target(&server), &scenario("D(8,6)"), &closed(6, 30)).await;
    let measurement = run.measurement(&plan, &[], &[]);
    let mean = measurement.stat(Metric::Concurrency, Stat::Mean).unwrap();
    assert!((5.4..=6.0 + 1e-9).contains(&mean), "{mean} in flight");
    assert_eq!((measurement.evidence["in_flight_peak"], measurement.evidence["in_flight_target"]), (6.0, 6.0));
    let first_measured = run.records.iter().find(|r| !r.warmup).and_then(|r| r.sent_s).unwrap();
    let still_warm = run.records.iter().filter(|r| r.warmup && r.ended_s.unwrap() > first_measured).count();
    assert!(still_warm >= 3, "warm-up is not drained: {still_warm} streams still in it");
    assert_eq!(measurement.requests.planned, 30);
    assert_eq!(measurement.requests.completed, 30);
}

#[tokio::test(flavor = "current_thread")]
async fn a_duration_ends_a_closed_loop_and_what_was_sent_is_awaited() {
    let server = server(10);
    let load = LoadSpec { requests: None, duration_s: Some(0.5), ..closed(3, 1) };
    let (plan, run) = run(&target(&server), &scenario("D(8,4)"), &load).await;
    // It opens with the first thing that is sent in it, a moment after it was due.
    assert!((0.4..0.5 + 1e-9).contains(&run.window.length_s()), "{:?}", run.window);
    let measurement = run.measurement(&plan, &[], &[]);
    assert_eq!(measurement.requests.completed, measurement.requests.planned);
    assert!(measurement.requests.planned >= 3);
    assert!(
        run.records.iter().all(|r| r.planned_s < run.window.end_s),
        "what a stream takes up before the end is sent"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn open_loop_requests_leave_at_their_planned_moments_whatever_the_server_does() {
    for arrival in [Arrival::Poisson, Arrival::Constant] {
        let server = server(200);
        let level = Level { rate: Some(40.0), arrival: Some(arrival), ..Level::default() };
        let load = LoadSpec { levels: vec![level], requests: Some(30), duration_s: Some(20.0), ..closed(1, 1) };
        let (plan, run) = run(&target(&server), &scenario("D(8,2)"), &load).await;
        let planned: Vec<f64> = plan.requests().map(|r| r.planned_s.unwrap()).collect();
        assert_eq!(run.records.len(), planned.len());
        for (record, planned) in run.records.iter().zip(planned) {
            assert!((record.planned_s - planned).abs() < 1e-6);
            let late = record.sent_s.unwrap() - planned;
            assert!((0.0..0.5).contains(&late), "{late} s late");
        }
        let measurement = run.measurement(&plan, &[], &[]);
        let stat = |metric| measurement.stat(metric, Stat::Mean).unwrap();
        assert!(stat(Metric::TtftResp) >= stat(Metric::Ttft) && stat(Metric::Ttft) >= 200.0);
        assert!(stat(Metric::Concurrency) > 4.0, "a slow server does not slow arrivals down");
        assert!(measurement.evidence.contains_key("schedule_lag_p99_ms"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_cap_on_an_open_loop_makes_requests_wait_and_the_wait_is_charged() {
    let server = server(50);
    let level = Level { concurrency: Some(2), rate: Some(200.0), arrival: Some(Arrival::Constant), ..Level::default() };
    let load = LoadSpec { levels: vec![level], requests: Some(12), ..closed(1, 1) };
    let (plan, run) = run(&target(&server), &scenario("D(8,2)"), &load).await;
    let mut edges: Vec<(f64, i32)> =
        run.records.iter().flat_map(|r| [(r.sent_s.unwrap(), 1), (r.ended_s.unwrap(), -1)]).collect();
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let peak = edges
        .iter()
        .scan(0, |n, (_, step)| {
            *n += step;
            Some(*n)
        })
        .max();
    assert_eq!(peak, Some(2));
    let last = run.records.last().unwrap();
    assert!(last.sent_s.unwrap() - last.planned_s > 0.15, "it waited for a place");
    let lag = run.measurement(&plan, &[], &[]).evidence["schedule_lag_p50_ms"];
    assert!(lag < 100.0, "the wait is the plan's, not the client's: {lag} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_level_ends_at_once_and_loses_no_request() {
    let server = server(20_000);
    let tokens = tokens();
    let workload = scenario("D(8,4)");
    let prepared = PreparedWorkload::new(&workload, Some(&tokens)).await.unwrap();
    for load in [closed(3, 10), LoadSpec { levels: vec![Level::poisson(50.0)], ..closed(1, 10) }] {
        let plan = prepared.plan(&load, 0, 0, Seeds::default()).unwrap();
        let (live, mut seen) = watch::channel(Live::default());
        let (cancel, cancelled) = watch::channel(false);
        let target = target(&server);
        let level = run_level(&target, &plan, &prepared.prompts, Some(tokens.clone()), live, cancelled);
        let stop = async {
            seen.wait_for(|live| live.in_flight >= 2).await.unwrap();
            cancel.send_replace(true);
        };
        let (run, ()) = soon(async { tokio::join!(level, stop) }).await;
        let run = run.unwrap();
        assert!(run.cancelled);
        assert_eq!(run.records.len() as u64, plan.total().unwrap());
        assert!(run.records.iter().all(|r| matches!(r.fate, Fate::Cancelled | Fate::Unsent)));
        let requests = run.measurement(&plan, &[], &[]).requests;
        assert_eq!(requests.planned, requests.cancelled + requests.unsent);
        assert!(run.elapsed_s < 15.0);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_request_that_takes_too_long_is_a_failure_of_its_own_class() {
    let server = server(20_000);
    let load = LoadSpec { request_timeout_s: 0.2, ..closed(1, 2) };
    let (plan, run) = run(&target(&server), &scenario("D(8,4)"), &load).await;
    assert_eq!(run.measurement(&plan, &[], &[]).errors.get("timeout_first"), Some(&2));
}

#[tokio::test(flavor = "current_thread")]
async fn an_address_where_nobody_listens_fails_every_request_as_connect() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = Target { base_url: format!("http://{free}"), ..Target::default() };
    let (plan, run) = run(&target, &scenario("D(8,4)"), &closed(2, 4)).await;
    assert_eq!(run.measurement(&plan, &[], &[]).errors.get("connect"), Some(&4));
}

/// A mix in which a picture comes late, for an endpoint that takes none of this model.
#[tokio::test(flavor = "current_thread")]
async fn a_request_that_cannot_be_made_ends_a_level_that_is_under_way_with_its_error() {
    let server = server(5);
    let tokens = tokens();
    let workload = WorkloadSpec { api: Api::SglangGenerate, ..scenario("0.99*D(8,2)+0.01*I(32,32)") };
    let prepared = PreparedWorkload::new(&workload, Some(&tokens)).await.unwrap();
    let plans = (0..).map(|seed| prepared.plan(&closed(2, 300), 0, 0, Seeds { schedule: seed, prompts: 1 }).unwrap());
    let first_picture = |plan: &LevelPlan| (0..300).find(|index| !plan.part(*index).is_text());
    // Far behind what is made ahead before anything is sent.
    let plan = plans.into_iter().find(|plan| first_picture(plan).is_some_and(|at| (120..250).contains(&at))).unwrap();
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let target = target(&server);
    let result = soon(run_level(&target, &plan, &prepared.prompts, Some(tokens), live, cancel)).await;
    let error = tuner_core::with_causes(&result.expect_err("half of a level is no level"));
    assert!(error.contains("picture") || error.contains("image"), "{error}");
    assert!(server.served().len() >= 50, "{} requests were answered before", server.served().len());
}

#[tokio::test(flavor = "current_thread")]
async fn prompts_of_a_file_are_sent_with_their_roles_and_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prompts.jsonl");
    let lines = concat!(
        "{\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"one\"}],\"top_p\":0.5}\n",
        "{\"prompt\":\"two\",\"max_tokens\":3}\n",
    );
    std::fs::write(&path, lines).unwrap();
    let prompts = Prompts {
        scenario: None,
        prompts_file: Some(path.display().to_string()),
        output_tokens: Some(5),
        ..Prompts::default()
    };
    let server = server(1);
    let load = LoadSpec { warmup_requests: Some(0), ..closed(1, 4) };
    let workload = WorkloadSpec { prompts, salt: false, ..WorkloadSpec::default() };
    let (plan, run) = run(&target(&server), &workload, &load).await;
    let measurement = run.measurement(&plan, &[], &[]);
    assert_eq!(measurement.requests.completed, 4, "{:?}", measurement.errors);
    let mut sent: Vec<(String, Option<u64>, Option<f64>)> = server
        .served()
        .into_iter()
        .map(|s| (s.prompt, s.body["max_tokens"].as_u64(), s.body["top_p"].as_f64()))
        .collect();
    sent.sort_by(|a, b| a.0.cmp(&b.0));
    let one = ("be brief\none".to_owned(), Some(5), Some(0.5));
    let two = ("two".to_owned(), Some(3), None);
    assert_eq!(sent, [one.clone(), one, two.clone(), two]);
    assert!(measurement.notes.iter().any(|n| n.contains("4 requests were made from 2 prompts")));
}

#[tokio::test(flavor = "current_thread")]
async fn live_figures_follow_the_level_through_its_phases() {
    let server = server(20);
    let tokens = tokens();
    let prepared = PreparedWorkload::new(&scenario("D(8,20)"), Some(&tokens)).await.unwrap();
    let load = LoadSpec { requests: None, duration_s: Some(1.0), ..closed(2, 1) };
    let plan = prepared.plan(&load, 0, 0, Seeds::default()).unwrap();
    let (live, mut seen) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let target = target(&server);
    let watcher = async {
        let mut pictures = Vec::new();
        while seen.changed().await.is_ok() {
            pictures.push(seen.borrow_and_update().clone());
        }
        pictures
    };
    let level = run_level(&target, &plan, &prepared.prompts, Some(tokens.clone()), live, cancel);
    let (run, pictures) = soon(async { tokio::join!(level, watcher) }).await;
    run.unwrap();
    let phases: Vec<Phase> = pictures.iter().map(|p| p.phase).collect();
    assert!(phases.contains(&Phase::Measuring) && phases.last() == Some(&Phase::Done), "{phases:?}");
    let busy = pictures.iter().rfind(|p| p.phase == Phase::Measuring).unwrap();
    assert!(busy.output_tok_s > 0.0 && busy.ttft.is_some_and(|t| t.p50_ms >= 19.0) && busy.label == "c2", "{busy:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_endpoint_is_measured_with_nothing_but_its_address() {
    let server = server(5);
    let load = LoadSpec { levels: vec![Level::closed(1), Level::closed(3)], ..closed(1, 6) };
    let request = BenchRequest {
        target: Target { base_url: server.url(), ..Target::default() },
        workload: scenario("D(16,4)"),
        load,
        ..BenchRequest::default()
    };
    let (live, _) = watch::channel(Live::default());
    let (_keep, cancel) = watch::channel(false);
    let report = soon(bench_url(&request, live, cancel, &mut |_, _| ())).await.unwrap();
    assert_eq!((report.model.as_str(), report.measurements.len()), ("closed-form", 2));
    assert!(report.features.include_usage && !report.features.continuous_usage);
    assert_eq!(report.tokenizer.as_deref(), Some("the engine's /tokenize"));
    for measurement in &report.measurements {
        assert_eq!(measurement.requests.completed, 6);
        assert_eq!(measurement.stat(Metric::InputTokens, Stat::Mean), Some(16.0), "exact by the engine's own count");
    }
    let prompts: Vec<String> = server.served().into_iter().skip(1).map(|s| s.prompt).collect();
    assert_eq!(prompts.iter().collect::<HashSet<_>>().len(), prompts.len(), "levels share no prompt");
}

#[tokio::test(flavor = "current_thread")]
async fn a_given_tokenizer_is_used_and_a_wrong_one_is_refused() {
    let server = server(5);
    let (_folder, path) = tokenizer();
    let request = |tokenizer: &str| BenchRequest {
        target: without_running_counts(target(&server)),
        tokenizer: Some(tokenizer.to_owned()),
        workload: scenario("D(16,4)"),
        load: closed(1, 2),
        ..BenchRequest::default()
    };
    let bench = async |tokenizer: &str| {
        let (live, _) = watch::channel(Live::default());
        let (_keep, cancel) = watch::channel(false);
        soon(bench_url(&request(tokenizer), live, cancel, &mut |_, _| ())).await
    };
    let path = path.display().to_string();
    assert_eq!(bench(&path).await.unwrap().tokenizer, Some(path));
    let error = bench("/nowhere/tokenizer.json").await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/tokenizer.json cannot be read"), "{error}");
}
