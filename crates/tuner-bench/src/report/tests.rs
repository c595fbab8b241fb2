//! Golden and property tests of the report against values worked out by hand.

use proptest::prelude::*;
use tuner_core::measure::Stat;
use tuner_core::record::{Fate, PlannedRequest, RequestRecord, TokenRead};
use tuner_core::task::SloSpec;
use tuner_core::{Metric, Percentile, Validity};

use super::*;

fn record(index: u64, sent: f64, reads: &[(f64, u32, Option<u32>)], output: Option<u32>) -> RequestRecord {
    let planned = PlannedRequest { index, input_tokens: 10, output_tokens: 4, ..PlannedRequest::default() };
    RequestRecord {
        sent_s: Some(sent),
        first_answer_s: reads.first().map(|r| r.0),
        reads: reads.iter().map(|&(at_s, events, tokens)| TokenRead { at_s, events, tokens }).collect(),
        ended_s: reads.last().map(|r| r.0),
        input_tokens: Some(13),
        output_tokens: output,
        fate: Fate::Completed,
        ..RequestRecord::unsent(&planned, sent - 0.1)
    }
}

fn failed(mut record: RequestRecord, class: &str) -> RequestRecord {
    record.fate = Fate::Failed { class: class.to_owned(), message: String::new() };
    record
}

fn report(records: &[RequestRecord], slos: &[SloSpec], open_loop: bool) -> Measurement {
    measurement(&ReportInput {
        level: 0,
        repeat: 0,
        open_loop,
        streams: None,
        records,
        window: Window { start_s: 0.0, end_s: 10.0 },
        elapsed_s: 12.0,
        stopped: None,
        slos,
        percentiles: &[],
        class_slos: &ClassSlos::new(),
    })
}

fn slo(text: &str) -> SloSpec {
    serde_json::from_str(text).unwrap()
}

fn mean(m: &Measurement, metric: Metric) -> Option<f64> {
    m.stat(metric, Stat::Mean).map(|x| (x * 1e6).round() / 1e6)
}

#[test]
fn the_definitions_hold_on_one_request_worked_by_hand() {
    let reads = [(1.5, 1, Some(2)), (1.7, 1, Some(1)), (2.1, 2, Some(2))];
    let m = report(&[record(0, 1.0, &reads, Some(5))], &[], true);
    assert_eq!(mean(&m, Metric::Ttft), Some(500.0));
    assert_eq!(mean(&m, Metric::TtftResp), Some(600.0));
    assert_eq!(mean(&m, Metric::Tpot), Some(200.0)); // 600 ms over the 3 tokens after the first read
    assert_eq!(mean(&m, Metric::Icl), Some(300.0)); // gaps of 200 and 400 ms
    assert_eq!(mean(&m, Metric::Itl), Some(200.0)); // 200, 200, 200
    assert_eq!(mean(&m, Metric::E2eLatency), Some(1100.0));
    assert_eq!(mean(&m, Metric::E2eResp), Some(1200.0));
    assert_eq!(mean(&m, Metric::OutputThroughput), Some(0.5));
    assert_eq!(mean(&m, Metric::InputThroughput), Some(1.3));
    assert_eq!(mean(&m, Metric::Concurrency), Some(0.11));
}

#[test]
fn what_the_records_do_not_determine_is_absent_not_zero() {
    let m = report(&[record(0, 1.0, &[(1.5, 1, None)], Some(1))], &[], false);
    for metric in [Metric::Tpot, Metric::Itl, Metric::Icl] {
        assert_eq!(m.metrics.get(&metric), None, "{metric}");
    }
    let unknown = report(&[record(0, 1.0, &[(1.5, 1, None), (1.6, 1, None)], None)], &[], false);
    assert_eq!(unknown.metrics.get(&Metric::OutputTokens), None);
    assert_eq!(unknown.metrics.get(&Metric::Tpot), None);
    assert!(mean(&unknown, Metric::Icl).is_some());
}

#[test]
fn inter_token_latency_needs_every_answer_to_be_counted() {
    let known = record(0, 1.0, &[(1.5, 1, Some(1)), (1.6, 1, Some(1))], Some(2));
    let unknown = record(1, 1.0, &[(1.5, 1, None), (1.6, 1, None)], Some(2));
    assert!(mean(&report(std::slice::from_ref(&known), &[], false), Metric::Itl).is_some());
    assert_eq!(mean(&report(&[known, unknown], &[], false), Metric::Itl), None);
}

#[test]
fn failures_miss_every_slo_and_cancelled_requests_count_for_nothing() {
    let good = record(0, 1.0, &[(1.2, 1, None), (1.3, 1, None)], Some(2));
    let slow = record(1, 1.0, &[(3.0, 1, None), (3.1, 1, None)], Some(2));
    let broken = failed(record(2, 1.0, &[(1.1, 1, None)], None), "truncated");
    let mut cut = record(3, 1.0, &[], None);
    cut.fate = Fate::Cancelled;
    let slos = [slo(r#"{"metric": "ttft", "max_ms": 1000}"#), slo(r#"{"metric": "output_throughput", "min": 9999}"#)];
    let m = report(&[good, slow, broken, cut], &slos, false);
    assert_eq!(mean(&m, Metric::Attainment), Some(0.333333));
    assert_eq!(mean(&m, Metric::Goodput), Some(0.1));
    assert_eq!(mean(&m, Metric::ErrorRate), Some(0.333333));
    assert_eq!(m.errors.get("truncated"), Some(&1));
    assert_eq!((m.requests.planned, m.requests.completed, m.requests.cancelled), (4, 2, 1));
}

#[test]
fn in_an_open_loop_goodput_counts_from_the_planned_arrival() {
    let one = [record(0, 1.0, &[(1.95, 1, None), (2.0, 1, None)], Some(2))];
    let slos = [slo(r#"{"metric": "ttft", "max_ms": 1000}"#)];
    assert_eq!(mean(&report(&one, &slos, false), Metric::Attainment), Some(1.0));
    assert_eq!(mean(&report(&one, &slos, true), Metric::Attainment), Some(0.0));
}

#[test]
fn an_slo_that_does_not_apply_neither_passes_nor_fails_a_request() {
    let single = [record(0, 1.0, &[(1.5, 1, None)], Some(1))];
    let slos = [slo(r#"{"metric": "tpot", "max_ms": 1}"#), slo(r#"{"metric": "ttft", "max_ms": 600}"#)];
    let m = report(&single, &slos, false);
    assert_eq!(mean(&m, Metric::Attainment), Some(1.0));
    assert!(m.notes.iter().any(|n| n.contains("did not apply")), "{:?}", m.notes);
}

#[test]
fn percentiles_of_slos_are_computed_too() {
    let one = [record(0, 1.0, &[(1.5, 1, None)], Some(1))];
    let m = report(&one, &[slo(r#"{"metric": "ttft", "stat": "p97.5", "max_ms": 1}"#)], false);
    assert!(m.stat(Metric::Ttft, Stat::Percentile(Percentile(97_500))).is_some());
}

#[test]
fn nothing_completed_is_invalid() {
    let m = report(&[failed(record(0, 1.0, &[], None), "http_500")], &[], false);
    assert!(matches!(m.validity, Validity::Invalid { .. }));
    assert_eq!(m.metrics.get(&Metric::Ttft), None);
}

#[test]
fn a_closed_loop_window_ends_when_a_stream_has_nothing_left() {
    use crate::plan::LevelPlan;
    use tuner_core::task::{Level, LoadSpec, WorkloadSpec};
    let load = LoadSpec { levels: vec![Level::closed(2)], requests: Some(3), ..LoadSpec::default() };
    let plan = LevelPlan::new(&WorkloadSpec::default(), &load, 0, 0, Default::default()).unwrap();
    let span = |index, warmup, sent, end| {
        let mut r = record(index, sent, &[(end, 1, None)], Some(1));
        r.warmup = warmup;
        r
    };
    let records = [
        span(0, true, 0.0, 1.0),
        span(1, true, 0.0, 2.0),
        span(2, false, 1.0, 3.0),
        span(3, false, 2.0, 4.0),
        span(4, false, 3.0, 5.0),
    ];
    let window = Window::of(&plan, &records, None);
    assert_eq!(window, Window { start_s: 1.0, end_s: 4.0 });
    assert_eq!(window.mean_in_flight(&records), 2.0);
}

fn of_class(class: &str, record: RequestRecord) -> RequestRecord {
    RequestRecord { class: Some(class.to_owned()), ..record }
}

#[test]
fn each_class_has_its_own_report_and_is_held_against_its_own_slos() {
    let fast = of_class("chat", record(0, 1.0, &[(1.2, 1, None), (1.4, 1, None)], Some(2)));
    let slow = of_class("batch", record(1, 1.0, &[(3.0, 1, None), (3.5, 1, None)], Some(6)));
    let broken = of_class("batch", failed(record(2, 2.0, &[], None), "http_503"));
    let records = [fast, slow, broken];
    let class_slos = ClassSlos::from([("batch".to_owned(), vec![slo(r#"{"metric": "ttft", "max_ms": 5000}"#)])]);
    let input = ReportInput {
        level: 0,
        repeat: 0,
        open_loop: false,
        streams: Some(50),
        records: &records,
        window: Window { start_s: 0.0, end_s: 10.0 },
        elapsed_s: 12.0,
        stopped: None,
        // Of the batch class only the second limit is asked: its own takes the place of the first.
        slos: &[slo(r#"{"metric": "ttft", "max_ms": 100}"#), slo(r#"{"metric": "e2e_latency", "max_ms": 9000}"#)],
        percentiles: &[],
        class_slos: &class_slos,
    };
    let m = measurement(&input);
    let (chat, batch) = (&m.classes["chat"], &m.classes["batch"]);
    assert_eq!((chat.requests.planned, batch.requests.planned, batch.requests.failed), (1, 2, 1));
    assert_eq!(batch.errors, BTreeMap::from([("http_503".to_owned(), 1)]));
    let share = |class: &ClassReport| class.stat(Metric::Attainment, Stat::Mean);
    assert_eq!((share(chat), share(batch)), (Some(0.0), Some(0.5)));
    assert_eq!(mean(&m, Metric::Attainment), Some(0.333333));
    assert_eq!(chat.stat(Metric::Ttft, Stat::Mean).map(f64::round), Some(200.0));
    assert_eq!(batch.stat(Metric::Ttft, Stat::Mean).map(f64::round), Some(2000.0));
    let rate = |stat: Option<f64>| stat.unwrap();
    let parts =
        rate(chat.stat(Metric::OutputThroughput, Stat::Mean)) + rate(batch.stat(Metric::OutputThroughput, Stat::Mean));
    assert!((parts - rate(m.stat(Metric::OutputThroughput, Stat::Mean))).abs() < 1e-12);
    let whole = BTreeMap::new();
    assert_eq!(report(&[record(0, 1.0, &[(1.2, 1, None)], Some(1))], &[], false).classes, whole);
}

#[test]
fn a_long_window_gives_intervals_around_the_means_and_a_short_one_none() {
    let stream = |count: u32, seconds: f64| -> Vec<RequestRecord> {
        let answers = (0..count).map(|i| {
            let (at, late) = (f64::from(i) * seconds / f64::from(count), f64::from(i % 3) / 100.0);
            record(u64::from(i), at, &[(at + 0.05 + late, 1, Some(1)), (at + 0.1 + late, 1, Some(1))], Some(2))
        });
        answers.collect()
    };
    let m = report(&stream(100, 10.0), &[], false);
    for metric in [Metric::OutputThroughput, Metric::RequestThroughput, Metric::Ttft, Metric::E2eLatency] {
        let (interval, mean) = (m.intervals[&metric], m.stat(metric, Stat::Mean).unwrap());
        assert!(interval.low <= mean && mean <= interval.high && interval.batches >= 10, "{metric} {interval:?}");
        assert!(interval.relative_half_width().unwrap() < 0.1, "{metric} {interval:?}");
    }
    // One answer takes three seconds: ten seconds are no ten batches of three answers each.
    let long = [record(0, 0.5, &[(1.0, 1, None), (3.5, 1, None)], Some(2))];
    assert_eq!(report(&long, &[], false).intervals, BTreeMap::new());
}

fn any_record() -> impl Strategy<Value = RequestRecord> {
    let reads = prop::collection::vec((0.0f64..1.0, 1u32..4, prop::option::of(0u32..5)), 0..12);
    (reads, 0.0f64..10.0, prop::option::of(0u32..40), 0u8..4, any::<bool>()).prop_map(
        |(gaps, sent, output, fate, warmup)| {
            let mut at = sent;
            let reads: Vec<_> = gaps
                .into_iter()
                .map(|(gap, events, tokens)| {
                    at += gap;
                    (at, events, tokens)
                })
                .collect();
            let mut record = record(0, sent, &reads, output);
            record.warmup = warmup;
            record.fate = match fate {
                0 => Fate::Completed,
                1 => Fate::Failed { class: "cut".to_owned(), message: String::new() },
                2 => Fate::Cancelled,
                _ => Fate::Unsent,
            };
            record
        },
    )
}

proptest! {
    #[test]
    fn every_request_has_one_fate_and_no_figure_is_absurd(records in prop::collection::vec(any_record(), 0..30)) {
        let slos = [slo(r#"{"metric": "ttft", "max_ms": 500}"#), slo(r#"{"metric": "itl", "max_ms": 300}"#)];
        let m = report(&records, &slos, true);
        let c = m.requests;
        prop_assert_eq!(c.planned, c.completed + c.failed + c.cancelled + c.unsent);
        prop_assert_eq!(m.errors.values().sum::<u64>(), c.failed);
        for (metric, figure) in &m.metrics {
            for stat in [Stat::Mean, Stat::Min, Stat::Max, Stat::Percentile(Percentile::P99)] {
                let value = figure.stat(stat).unwrap();
                prop_assert!(value.is_finite() && value >= 0.0, "{} {} {}", metric, stat, value);
            }
        }
        let share = m.stat(Metric::Attainment, Stat::Mean);
        prop_assert!(share.is_none_or(|x| (0.0..=1.0).contains(&x)));
    }
}

/// A turn of a conversation, of which the engine found `cached` prompt tokens in its cache.
fn turn(number: u32, ttft: f64, cached: u32, sent: f64) -> RequestRecord {
    RequestRecord {
        conversation: Some(u64::from(number % 2)),
        turn: Some(number),
        cached_tokens: Some(cached),
        ..record(u64::from(number), sent, &[(sent + ttft, 1, Some(1)), (sent + ttft + 0.5, 1, Some(1))], Some(2))
    }
}

#[test]
fn each_turn_has_a_report_of_its_own() {
    let mut lost = RequestRecord { reads: Vec::new(), fate: Fate::Unsent, sent_s: None, ..turn(2, 0.1, 0, 3.0) };
    lost.unsent_because = Some("turn 1 of its conversation failed".to_owned());
    let mut broken = failed(turn(1, 0.2, 0, 2.0), "cut");
    broken.reads.clear();
    let records = [turn(1, 0.2, 0, 0.0), turn(2, 0.4, 6, 1.0), broken, lost];
    let ttft = slo(r#"{"metric": "ttft", "max_ms": 1000}"#);
    let m = report(&records, &[ttft], false);
    let figures = |n: u32| {
        let turn = &m.turns[&n];
        (turn.requests.planned, turn.requests.completed, turn.stat(Metric::Ttft, Stat::Mean).map(f64::round))
    };
    assert_eq!((figures(1), figures(2)), ((2, 1, Some(200.0)), (2, 1, Some(400.0))));
    assert_eq!(m.turns[&2].cached_prompt_share, Some(6.0 / 13.0));
    let all = m.requests;
    assert_eq!(all.planned, all.completed + all.failed + all.cancelled + all.unsent);
    assert_eq!(mean(&m, Metric::Attainment), Some(0.5), "a turn that a failure kept from being asked is a miss");
    let alone = report(&[turn(1, 0.2, 0, 0.0)], &[], false);
    assert!(alone.turns.is_empty(), "single requests have no turns");
}

#[test]
fn users_who_think_are_not_in_flight_but_there() {
    // Two users, each of whom waits 1 s for an answer and then thinks for 4 s.
    let records: Vec<RequestRecord> = (0..4u32)
        .map(|i| {
            let sent = f64::from(i / 2) * 5.0 + f64::from(i % 2);
            let answered = record(u64::from(i), sent, &[(sent + 0.5, 1, None), (sent + 1.0, 1, None)], Some(2));
            RequestRecord { think_s: Some(4.0), ..answered }
        })
        .collect();
    let window = Window { start_s: 0.0, end_s: 10.0 };
    let (class_slos, slos) = (ClassSlos::new(), []);
    let judged = |streams: u32, records: &[RequestRecord]| {
        let input = ReportInput {
            level: 0,
            repeat: 0,
            open_loop: false,
            streams: Some(streams),
            records,
            window,
            elapsed_s: 12.0,
            stopped: None,
            slos: &slos,
            percentiles: &[],
            class_slos: &class_slos,
        };
        measurement(&input)
    };
    let two = judged(2, &records);
    assert_eq!(two.validity, Validity::Valid);
    assert_eq!(mean(&two, Metric::Concurrency), Some(0.4));
    assert!((two.evidence["thinking_mean"] - 1.5).abs() < 1e-9, "{:?}", two.evidence);
    let Validity::Invalid { reasons } = judged(3, &records).validity else { panic!("a third user was not there") };
    assert_eq!(
        reasons,
        [
            "0.40 requests were in flight and 1.50 users were thinking on average, 3 users were asked for (4 measured requests)"
        ]
    );
    let hasty: Vec<RequestRecord> = records.iter().cloned().map(|r| RequestRecord { think_s: None, ..r }).collect();
    assert_ne!(judged(2, &hasty).validity, Validity::Valid);
}
