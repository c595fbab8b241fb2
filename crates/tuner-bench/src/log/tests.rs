//! What is written is what is read, and what is cut short is refused.

use proptest::prelude::*;
use tuner_core::StopRule;
use tuner_core::record::{Fate, TokenRead};
use tuner_core::server_side::{GaugeSummary, GpuSample, ServerCounter, ServerGauge, ServerSample};
use tuner_core::task::{LoadSpec, WorkloadSpec};

use super::*;
use crate::seed::Seeds;

fn plan() -> LevelPlan {
    let load = LoadSpec { levels: vec![Level::closed(3), Level::poisson(2.0)], ..LoadSpec::default() };
    LevelPlan::new(&WorkloadSpec::default(), &load, 1, 2, Seeds { schedule: 5, prompts: 6 }).unwrap()
}

fn run(records: Vec<RequestRecord>, delays: Vec<f64>) -> LevelRun {
    LevelRun {
        records,
        window: Window { start_s: 0.5, end_s: 7.25 },
        elapsed_s: 9.000_000_1,
        clock: LevelClock::start(),
        evidence: ClientEvidence {
            schedule_lag_ms: delays.clone(),
            client_delay_ms: delays,
            thread_cpu: Some(0.1 + 0.2),
            events: [("token".to_owned(), 7)].into(),
            ..ClientEvidence::default()
        },
        cancelled: false,
        stopped: None,
        notes: vec!["a remark".to_owned()],
        server: None,
    }
}

fn any_record() -> impl Strategy<Value = RequestRecord> {
    let reads = prop::collection::vec((1e-7f64..1.0, 1u32..4, prop::option::of(0u32..5)), 0..12);
    let fates = prop_oneof![
        4 => Just(Fate::Completed),
        1 => "[a-z_\"\\\\\n]{0,12}".prop_map(|message| Fate::Failed { class: "cut".to_owned(), message }),
        1 => Just(Fate::Cancelled),
        1 => Just(Fate::Unsent),
    ];
    (reads, 0.0f64..10.0, prop::option::of(0u32..40), fates, any::<bool>(), any::<u64>()).prop_map(
        |(gaps, sent, output, fate, warmup, index)| {
            let mut at_s = sent;
            let reads: Vec<TokenRead> = gaps
                .into_iter()
                .map(|(gap, events, tokens)| {
                    at_s += gap;
                    TokenRead { at_s, events, tokens }
                })
                .collect();
            let json = r#"{"index": 0, "warmup": false, "planned_s": null, "input_tokens": 10, "output_tokens": 20}"#;
            let planned = serde_json::from_str(json).unwrap();
            RequestRecord {
                index,
                warmup,
                sent_s: Some(sent),
                connect_s: (index % 2 == 0).then_some(sent / 3.0),
                first_event_s: reads.first().map(|r| r.at_s),
                ended_s: reads.last().map(|r| r.at_s + 1e-9),
                reads,
                input_tokens: output.map(|n| n + 1),
                output_tokens: output,
                conversation: (index % 2 == 0).then_some(index / 3),
                turn: (index % 2 == 0).then_some(1 + (index % 3) as u32),
                think_s: (index % 5 == 0).then_some(sent / 5.0),
                fate,
                ..RequestRecord::unsent(&planned, sent / 7.0)
            }
        },
    )
}

fn any_side() -> impl Strategy<Value = ServerSide> {
    let samples = prop::collection::vec((0.0f64..9.0, 0.0f64..1.0, prop::option::of(0.0f64..1e5)), 0..5);
    (samples, 0.0f64..1e6).prop_map(|(samples, output)| ServerSide {
        source: Some("vllm /metrics".to_owned()),
        counters: [(ServerCounter::OutputTokens, output)].into(),
        gauges: [(ServerGauge::KvUsage, GaugeSummary { mean: 0.1, max: 0.1 + 0.2 })].into(),
        series: samples
            .iter()
            .map(|(at_s, kv, tokens)| ServerSample {
                at_s: *at_s,
                gauges: [(ServerGauge::KvUsage, *kv)].into(),
                output_tokens: *tokens,
            })
            .collect(),
        gpus: Vec::new(),
        gpu_series: samples
            .iter()
            .map(|(at_s, power, _)| GpuSample { at_s: *at_s, power_w: Some(*power), ..GpuSample::default() })
            .collect(),
    })
}

fn written(log: &LevelLog<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    log.write(&mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<LevelLog<'static>, LogError> {
    LevelLog::read(bytes, Path::new("x.jsonl"))
}

proptest! {
    #[test]
    fn a_stored_level_gives_exactly_the_measurement_that_was_reported(
        records in prop::collection::vec(any_record(), 0..20),
        delays in prop::collection::vec(0.0f64..1e3, 0..10),
        server in prop::option::of(any_side()),
        stopped in any::<bool>(),
    ) {
        let (plan, mut run) = (plan(), run(records, delays));
        run.server = server;
        run.stopped = stopped.then(|| Stopped {
            rule: StopRule::Saturated,
            after_s: 6.75,
            reason: "it piled up".to_owned(),
            surplus: Some(0.1 + 0.2),
        });
        let slos: Vec<SloSpec> = vec![serde_json::from_str(r#"{"metric": "ttft", "stat": "p97.5", "max_ms": 90.1}"#).unwrap()];
        let percentiles = [Percentile(12_345)];
        let log = LevelLog::new(&plan, &run, &slos, &percentiles);
        let back = read(&written(&log)).unwrap();
        prop_assert_eq!(&back, &log);
        prop_assert_eq!(back.measurement(), run.measurement(&plan, &slos, &percentiles));
    }

    #[test]
    fn a_log_cut_at_any_byte_is_refused(records in prop::collection::vec(any_record(), 0..4), at in 0.0f64..1.0) {
        let run = run(records, vec![1.0]);
        let mut bytes = written(&LevelLog::new(&plan(), &run, &[], &[]));
        // Without its last line feed the log is still whole.
        let whole = bytes.len() - 1;
        bytes.truncate((at * whole as f64) as usize);
        prop_assert!(read(&bytes).is_err());
    }
}

#[test]
fn other_files_and_newer_versions_are_named() {
    let said = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
    assert!(said("{\"levels\": []}\n").starts_with("this is no level log"), "{}", said("{\"levels\": []}\n"));
    let newer = "{\"format\": \"autotuner-level-log\", \"version\": 9}\n";
    assert_eq!(said(newer), "the log has version 9, this autotuner reads up to 1; use the version that wrote it");
    assert!(said("not json\n").starts_with("line 1 of the log cannot be read"));
}

#[test]
fn a_changed_line_is_named_by_its_number() {
    let record = RequestRecord::unsent(&plan().requests().next().unwrap(), 0.0);
    let run = run(vec![record.clone(), record], Vec::new());
    let text = String::from_utf8(written(&LevelLog::new(&plan(), &run, &[], &[]))).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let broken = [lines[0], lines[1], "{\"index\": \"two\"}", lines[3]].join("\n");
    let error = read(broken.as_bytes()).unwrap_err();
    assert!(matches!(error, LogError::Line { line: 3, .. }), "{error}");
}

#[test]
fn a_file_is_saved_and_loaded_and_its_clock_stands_in_unix_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c3.jsonl");
    let run = run(Vec::new(), Vec::new());
    LevelLog::new(&plan(), &run, &[], &[]).save(&path).unwrap();
    let log = LevelLog::load(&path).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((0.0..60.0).contains(&(now - log.header.zero_unix_s)), "{} {now}", log.header.zero_unix_s);
    let missing = LevelLog::load(&folder.path().join("none.jsonl")).unwrap_err().to_string();
    assert!(missing.contains("none.jsonl"), "{missing}");
}

#[test]
fn a_log_from_before_the_servers_side_was_kept_is_still_read() {
    // As version 1 was first written: no server, no stop, no class SLOs, no client threads.
    let text = include_str!("old.jsonl");
    let log = read(text.as_bytes()).unwrap();
    assert_eq!((log.server.is_none(), log.header.stopped.is_none(), log.records.len()), (true, true, 4));
    assert_eq!(log.measurement().requests.completed, 3);
}
