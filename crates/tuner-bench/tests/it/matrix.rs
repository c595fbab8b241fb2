//! Every stream shape is counted, classed and timed right: the matrix that load generators are compared with, and
//! some shapes more.
//!
//! Times are compared with the server's own stamps. Lower bounds are exact (nothing arrives before it is sent);
//! upper bounds are generous, because a test machine may be busy.

use tuner_core::measure::Stat;
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::task::{Level, LoadSpec};
use tuner_core::{Measurement, Metric};
use tuner_testkit::closed_form::{Case, ClosedForm, PromptTokens, Served, Timetable};

use crate::closed_form_run::{run, scenario, target};

const REQUESTS: u32 = 8;
const OUTPUT: u32 = 20;

struct Seen {
    /// Requests in the window with what the server sent to each.
    measured: Vec<(RequestRecord, Served)>,
    measurement: Measurement,
    zero_ns: u64,
}

async fn measure(case: Case) -> Seen {
    let timetable = Timetable { prompt_tokens: PromptTokens::Number, ..Timetable::quick(case) };
    let server = ClosedForm::start(timetable).unwrap();
    let load = LoadSpec {
        levels: vec![Level::closed(2)],
        requests: Some(REQUESTS),
        duration_s: None,
        request_timeout_s: 30.0,
        ..LoadSpec::default()
    };
    let (plan, run) = run(&target(&server), &scenario(&format!("D(12,{OUTPUT})")), &load).await;
    let measurement = run.measurement(&plan, &[], &[]);
    let served = server.served();
    let measured = run.records.iter().filter(|r| !r.warmup).map(|record| {
        // The server numbers requests as they come; without usage they are matched in order of sending.
        let served = record.input_tokens.and_then(|n| served.get(n as usize)).cloned().unwrap_or_default();
        (record.clone(), served)
    });
    Seen { measured: measured.collect(), measurement, zero_ns: run.clock.zero_ns }
}

/// Checks counts and exact token numbers, and that every time agrees with the server's stamps.
fn all_right(seen: &Seen, case: Case) {
    let requests = seen.measurement.requests;
    assert_eq!((requests.planned, requests.completed), (8, 8), "{case:?}: {:?}", seen.measurement.errors);
    for (record, served) in &seen.measured {
        assert_eq!(record.output_tokens, Some(OUTPUT), "{case:?}");
        if served.writes.is_empty() {
            continue;
        }
        let sent_s = |ns: u64| (ns as f64 - seen.zero_ns as f64) / 1e9;
        let (first, last) = (served.writes[0].0, served.writes[served.writes.len() - 1].0);
        for (what, got, truth) in
            [("first", record.first_token_s(), sent_s(first)), ("last", record.last_token_s(), sent_s(last))]
        {
            let error = got.unwrap() - truth;
            assert!(
                (0.0..0.25).contains(&error),
                "{case:?}: {what} token read {:.1} ms after it was sent",
                error * 1e3
            );
        }
    }
    let tokens = seen.measurement.stat(Metric::OutputTokens, Stat::Mean);
    assert_eq!(tokens, Some(f64::from(OUTPUT)), "{case:?}");
}

fn all_failed(seen: &Seen, class: &str) {
    assert_eq!(seen.measurement.requests.completed, 0, "{class}");
    assert_eq!(seen.measurement.errors.get(class), Some(&u64::from(REQUESTS)), "{:?}", seen.measurement.errors);
    assert_eq!(seen.measurement.stat(Metric::ErrorRate, Stat::Mean), Some(1.0));
    assert!(!seen.measurement.is_valid());
    for (record, _) in &seen.measured {
        assert_ne!(record.output_tokens, Some(OUTPUT), "what was asked for is never credited");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn plain_streams_are_right_in_every_framing() {
    for case in
        [Case::Clean, Case::Crlf, Case::NoSpace, Case::Utf8Split, Case::Pings, Case::NotChunked, Case::EmptyEvents]
    {
        let seen = measure(case).await;
        all_right(&seen, case);
        let reads = seen.measured.iter().map(|(r, _)| r.reads.iter().map(|x| x.events).sum::<u32>());
        assert!(reads.clone().all(|n| n == OUTPUT), "{case:?}: {:?}", reads.collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_role_event_is_not_the_first_token() {
    let seen = measure(Case::RoleFirst).await;
    all_right(&seen, Case::RoleFirst);
    for (record, _) in &seen.measured {
        let (event, token) = (record.first_event_s.unwrap(), record.first_token_s().unwrap());
        assert!(token - record.sent_s.unwrap() >= 0.020 && event < token);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_error_inside_a_stream_is_a_failure_even_if_done_follows() {
    all_failed(&measure(Case::ErrorEvent).await, "stream_error");
}

#[tokio::test(flavor = "current_thread")]
async fn a_truncated_stream_is_a_failure_and_is_credited_with_what_came() {
    let seen = measure(Case::Truncated).await;
    all_failed(&seen, "truncated");
    // Without usage the five tokens that came are counted by the tokenizer.
    assert!(seen.measured.iter().all(|(r, _)| r.output_tokens == Some(5)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_cut_connection_is_a_failure() {
    all_failed(&measure(Case::Cut).await, "cut");
}

#[tokio::test(flavor = "current_thread")]
async fn several_tokens_in_an_event_are_not_taken_for_one() {
    let seen = measure(Case::TokensPerEvent).await;
    all_right(&seen, Case::TokensPerEvent);
    assert!(seen.measured.iter().all(|(r, _)| r.reads.iter().map(|x| x.events).sum::<u32>() == 5));
    assert_eq!(seen.measurement.metrics.get(&Metric::Itl), None, "tokens of an event are not known here");
}

#[tokio::test(flavor = "current_thread")]
async fn several_events_in_a_write_are_one_read() {
    let seen = measure(Case::EventsPerWrite).await;
    all_right(&seen, Case::EventsPerWrite);
    let coalesced = seen.measurement.evidence["coalesced_share"];
    assert!(coalesced >= 0.8 - 1e-9, "{coalesced}");
}

#[tokio::test(flavor = "current_thread")]
async fn reasoning_counts_as_output_and_the_answer_begins_later() {
    let seen = measure(Case::Reasoning).await;
    all_right(&seen, Case::Reasoning);
    for (record, served) in &seen.measured {
        let answer = served.writes[15].0 as f64 - seen.zero_ns as f64;
        assert!(record.first_answer_s.unwrap() >= answer / 1e9);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn late_usage_does_not_lengthen_the_answer() {
    let seen = measure(Case::LateUsage).await;
    all_right(&seen, Case::LateUsage);
    for (record, _) in &seen.measured {
        assert!(record.ended_s.unwrap() - record.last_token_s().unwrap() >= 0.3);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn every_second_request_refused_is_an_error_rate_of_a_half() {
    let seen = measure(Case::EverySecond500).await;
    let requests = seen.measurement.requests;
    assert_eq!(requests.completed + requests.failed, 8);
    assert_eq!(seen.measurement.errors.get("http_500"), Some(&requests.failed));
    assert!((3..=5).contains(&requests.failed), "{requests:?}");
    let rate = seen.measurement.stat(Metric::ErrorRate, Stat::Mean).unwrap();
    assert!((rate - requests.failed as f64 / 8.0).abs() < 1e-9);
    let said = seen.measured.iter().filter_map(|(r, _)| match &r.fate {
        Fate::Failed { message, .. } => Some(message.contains("planned failure")),
        _ => None,
    });
    assert!(said.clone().count() > 0 && said.clone().all(|x| x));
}

#[tokio::test(flavor = "current_thread")]
async fn without_usage_the_tokenizer_counts_exactly() {
    let seen = measure(Case::NoUsage).await;
    all_right(&seen, Case::NoUsage);
    assert!(seen.measurement.notes.iter().any(|n| n.contains("counted with")), "{:?}", seen.measurement.notes);
}

#[tokio::test(flavor = "current_thread")]
async fn running_counts_give_true_inter_token_latency_even_for_silent_tokens() {
    let seen = measure(Case::ContinuousUsage).await;
    all_right(&seen, Case::ContinuousUsage);
    for (record, _) in &seen.measured {
        assert_eq!(record.reads.iter().map(|r| r.tokens.unwrap()).sum::<u32>(), OUTPUT);
        assert_eq!(record.reads.iter().map(|r| r.events).sum::<u32>(), 7);
    }
    let gaps = seen.measurement.metrics.get(&Metric::Itl).and_then(|f| f.stat(Stat::Mean));
    assert!(gaps.is_some_and(|ms| ms >= 1.5), "{gaps:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_that_does_not_stream_is_one_read() {
    let seen = measure(Case::NoStream).await;
    all_right(&seen, Case::NoStream);
    assert_eq!(seen.measurement.metrics.get(&Metric::Tpot), None);
}

#[tokio::test(flavor = "current_thread")]
async fn a_finish_without_done_is_a_good_end() {
    all_right(&measure(Case::NoDone).await, Case::NoDone);
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_closes_kept_connections_silently_loses_no_request() {
    all_right(&measure(Case::ClosesSilently).await, Case::ClosesSilently);
}

#[tokio::test(flavor = "current_thread")]
async fn a_finish_without_tokens_is_a_failure() {
    all_failed(&measure(Case::NoTokens).await, "empty");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_of_another_length_than_ordered_is_a_failure() {
    all_failed(&measure(Case::Short).await, "length_mismatch");
}

#[tokio::test(flavor = "current_thread")]
async fn an_unreadable_event_is_a_failure_and_makes_the_measurement_invalid() {
    let seen = measure(Case::Garbage).await;
    assert_eq!(seen.measurement.errors.get("parse"), Some(&8));
    assert!(!seen.measurement.is_valid());
    assert!(seen.measurement.evidence["events_unparsed"] >= 8.0);
}

#[tokio::test(flavor = "current_thread")]
async fn calls_of_tools_are_output() {
    let seen = measure(Case::ToolCalls).await;
    all_right(&seen, Case::ToolCalls);
    for (record, _) in &seen.measured {
        assert_eq!(
            record.reads.iter().map(|r| r.events).sum::<u32>(),
            OUTPUT,
            "a tool's name and each piece of arguments"
        );
        assert_eq!(record.first_answer_s, record.first_token_s());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn compressed_slow_stalled_and_huge_streams_are_right() {
    for case in [Case::Gzip, Case::SlowLoris, Case::Stall, Case::HugeEvents, Case::Escapes] {
        let seen = measure(case).await;
        all_right(&seen, case);
        let reads = seen.measured.iter().map(|(r, _)| r.reads.iter().map(|x| x.events).sum::<u32>());
        assert!(reads.clone().all(|n| n == OUTPUT), "{case:?}: {:?}", reads.collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_refusal_with_retry_after_is_a_class_of_its_own_and_is_never_tried_again() {
    let seen = measure(Case::EverySecond429).await;
    let requests = seen.measurement.requests;
    assert_eq!((requests.completed + requests.failed, seen.measured.len()), (8, 8));
    assert_eq!(seen.measurement.errors.get("http_429"), Some(&requests.failed));
    assert!((3..=5).contains(&requests.failed), "{requests:?}");
    let told = seen.measured.iter().find_map(|(r, _)| match &r.fate {
        Fate::Failed { message, .. } => Some(message.clone()),
        _ => None,
    });
    assert_eq!(told.as_deref(), Some("429: planned refusal (retry after 3600)"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_reset_connection_is_a_failure() {
    all_failed(&measure(Case::Reset).await, "cut");
}
