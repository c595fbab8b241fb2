//! Conversations against a server that remembers what it was asked and what it answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tuner_bench::{LevelPlan, LevelRun, Live, PreparedWorkload, Seeds, run_level};
use tuner_core::Metric;
use tuner_core::measure::Stat;
use tuner_core::record::{Fate, RequestRecord};
use tuner_core::task::{Api, Level, LoadSpec, Think, WorkloadSpec};
use tuner_testkit::closed_form::{Case, ClosedForm, PromptTokens, Served, Timetable};

use crate::closed_form_run::{run, soon, target, tokens};

const GENERATING: [Api; 6] =
    [Api::Chat, Api::Completions, Api::Responses, Api::Anthropic, Api::SglangGenerate, Api::LlamacppCompletion];

fn workload(json: Value) -> WorkloadSpec {
    serde_json::from_value(json).unwrap()
}

/// A server whose prompt counts are the numbers of the requests, so that records can be matched with what it saw.
fn numbering(case: Case, first_ms: u64) -> ClosedForm {
    let first = Duration::from_millis(first_ms);
    let timetable = Timetable { first, prompt_tokens: PromptTokens::Number, ..Timetable::quick(case) };
    ClosedForm::start(timetable).unwrap()
}

fn load(level: Level, requests: u32, warmup: u32) -> LoadSpec {
    LoadSpec {
        levels: vec![level],
        requests: Some(requests),
        duration_s: None,
        warmup_requests: Some(warmup),
        request_timeout_s: 30.0,
        ..LoadSpec::default()
    }
}

/// The measurement keeps its books: every request has exactly one end.
fn books(plan: &LevelPlan, run: &LevelRun) -> tuner_core::Measurement {
    let m = run.measurement(plan, &[], &[]);
    let r = m.requests;
    assert_eq!(r.planned, r.completed + r.failed + r.cancelled + r.unsent, "{r:?}");
    let mut indices: Vec<u64> = run.records.iter().map(|r| r.index).collect();
    indices.dedup();
    assert_eq!(indices.len(), run.records.len(), "no request is recorded twice");
    m
}

/// The texts of a body's conversation; one text where the protocol continues one.
fn said(api: Api, body: &Value) -> Vec<String> {
    let field = match api {
        Api::Responses => "input",
        Api::SglangGenerate => "text",
        Api::Completions | Api::LlamacppCompletion => "prompt",
        _ => "messages",
    };
    match &body[field] {
        Value::String(text) => vec![text.clone()],
        messages => messages.as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap().to_owned()).collect(),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_turn_says_again_what_the_engine_really_answered_in_every_protocol() {
    for api in GENERATING {
        for case in [Case::Clean, Case::Escapes, Case::Reasoning, Case::EventsPerWrite] {
            let server =
                ClosedForm::start(Timetable { first: Duration::from_millis(1), ..Timetable::quick(case) }).unwrap();
            let spec = json!({"scenario": "T(3)+D(12,8)", "api": api.name()});
            let (plan, level) = run(&target(&server), &workload(spec), &load(Level::closed(1), 3, 0)).await;
            let m = books(&plan, &level);
            assert_eq!(m.requests.completed, 3, "{api:?} {case:?}: {:?}", m.errors);
            let served = server.served();
            let told: Vec<Vec<String>> = served.iter().map(|s| said(api, &s.body)).collect();
            for at in 1..3 {
                let (before, answer) = (&told[at - 1], &served[at - 1].answer);
                assert!(!answer.is_empty());
                if let [text] = told[at].as_slice() {
                    let begin = format!("{}{answer} ", before[0]);
                    let own = text.strip_prefix(&begin).unwrap_or_else(|| panic!("{api:?} {case:?}: {text}\n{begin}"));
                    assert_eq!(own.split(' ').count(), 12, "{api:?}: {own}");
                } else {
                    assert_eq!(told[at][..before.len()], before[..], "{api:?} {case:?}");
                    assert_eq!(&told[at][before.len()], answer, "{api:?} {case:?}");
                    assert_eq!(told[at].last().unwrap().split(' ').count(), 12, "{api:?}");
                    assert_eq!(told[at].len(), before.len() + 2);
                }
            }
            let turns: Vec<Option<u32>> = level.records.iter().map(|r| r.turn).collect();
            assert_eq!(turns, [Some(1), Some(2), Some(3)]);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn input_tokens_of_a_turn_are_those_of_the_whole_prompt() {
    let server =
        ClosedForm::start(Timetable { first: Duration::from_millis(1), ..Timetable::quick(Case::Clean) }).unwrap();
    let (plan, level) =
        run(&target(&server), &workload(json!({"scenario": "T(3)+D(12,8)"})), &load(Level::closed(2), 12, 6)).await;
    let m = books(&plan, &level);
    let input = |turn: u32| m.turns[&turn].stat(Metric::InputTokens, Stat::Mean).unwrap();
    assert_eq!([input(1), input(2), input(3)], [12.0, 32.0, 52.0]);
    assert_eq!(m.turns.values().map(|t| t.requests.completed).sum::<u64>(), 12);
    assert!(level.records.iter().all(|r| r.connect_s.is_none()), "a user keeps its connection");
}

/// When each record's request was received and last answered, by the server's own clock, seconds on the level's.
fn stamps(level: &LevelRun, server: &ClosedForm) -> Vec<(RequestRecord, f64, f64)> {
    let served = server.served();
    let seconds = |ns: u64| (ns as f64 - level.clock.zero_ns as f64) / 1e9;
    let stamp = |record: &RequestRecord| {
        let Served { received_ns, writes, .. } = &served[record.input_tokens? as usize];
        Some((record.clone(), seconds(*received_ns), seconds(writes.last()?.0)))
    };
    level.records.iter().filter_map(stamp).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn users_think_before_they_go_on() {
    let server = numbering(Case::Clean, 5);
    let spec = workload(
        json!({"scenario": "D(8,4)", "conversation": {"turns": 3, "think_s": {"low_s": 0.08, "high_s": 0.2}}}),
    );
    let (plan, level) = run(&target(&server), &spec, &load(Level::closed(3), 30, 9)).await;
    let m = books(&plan, &level);
    assert_eq!((m.requests.completed, m.requests.planned), (30, 30));
    let mut of: BTreeMap<u64, Vec<(RequestRecord, f64, f64)>> = BTreeMap::new();
    for stamp in stamps(&level, &server) {
        of.entry(stamp.0.conversation.unwrap()).or_default().push(stamp);
    }
    let mut pauses = 0;
    for turns in of.values_mut() {
        turns.sort_by_key(|(record, ..)| record.turn);
        for pair in turns.windows(2) {
            let ((before, _, answered), (after, received, _)) = (&pair[0], &pair[1]);
            let think = before.think_s.unwrap();
            assert!((0.08..=0.2).contains(&think));
            let waited = received - answered;
            assert!(waited >= think && waited < think + 0.2, "{waited} s instead of {think}");
            let planned = after.planned_s - before.ended_s.unwrap();
            assert!((think - 1e-9..think + 0.02).contains(&planned), "planned {planned} s after the answer");
            assert!(after.sent_s.unwrap() >= after.planned_s);
            pauses += 1;
        }
    }
    assert!(pauses >= 15, "{pauses}");
    let mean = m.stat(Metric::Concurrency, Stat::Mean).unwrap();
    assert!(mean < 1.0 && mean + m.evidence["thinking_mean"] > 2.7, "{mean} in flight, {:?}", m.evidence);
    assert!(!m.evidence.contains_key("in_flight_target"), "users who think are not in flight");
    let away: Vec<String> = match &m.validity {
        tuner_core::Validity::Invalid { reasons } => reasons.iter().filter(|r| r.contains("users")).cloned().collect(),
        tuner_core::Validity::Valid => Vec::new(),
    };
    assert_eq!(away, Vec::<String>::new());
}

#[tokio::test(flavor = "current_thread")]
async fn single_requests_can_have_users_who_think() {
    let server = numbering(Case::Clean, 2);
    let level = Level { think_s: Some(Think::Always(0.1)), ..Level::closed(4) };
    let (plan, level) = run(&target(&server), &workload(json!({"scenario": "D(8,3)"})), &load(level, 20, 4)).await;
    let m = books(&plan, &level);
    assert_eq!(m.requests.completed, 20);
    assert!(m.turns.is_empty(), "one turn is no conversation");
    // Each of four users needs little more than 0.1 s for a request: 20 requests take five rounds.
    assert!((0.35..2.0).contains(&m.window_s), "{} s", m.window_s);
    let received = server.served().iter().map(|s| s.received_ns).collect::<Vec<_>>();
    let spread = received[3] - received[0];
    assert!(spread > 50_000_000, "users begin spread over a think time: {spread} ns");
}

#[tokio::test(flavor = "current_thread")]
async fn a_window_ends_for_users_who_think_too() {
    let server = numbering(Case::Clean, 2);
    let level = Level { think_s: Some(Think::Always(60.0)), ..Level::closed(2) };
    let load = LoadSpec { duration_s: Some(0.5), requests: None, ..load(level, 1, 0) };
    let (plan, level) = run(&target(&server), &workload(json!({"scenario": "D(8,3)"})), &load).await;
    assert!(level.elapsed_s < 10.0, "{} s", level.elapsed_s);
    let m = books(&plan, &level);
    assert_eq!(m.requests.completed, 1, "the second user would have come after half a minute");
    assert!((m.window_s - 0.5).abs() < 1e-9, "{}", m.window_s);
}

#[tokio::test(flavor = "current_thread")]
async fn everyone_goes_on_to_the_end_of_the_window() {
    let server = numbering(Case::Clean, 2);
    let spec =
        workload(json!({"scenario": "D(8,3)", "conversation": {"turns": 2, "think_s": {"low_s": 0.1, "high_s": 0.5}}}));
    let load = LoadSpec { duration_s: Some(1.5), requests: None, ..load(Level::closed(4), 1, 8) };
    let (plan, level) = run(&target(&server), &spec, &load).await;
    let m = books(&plan, &level);
    assert!((m.window_s - 1.5).abs() < 1e-9, "one who comes after the end does not end it: {} s", m.window_s);
    let there = m.stat(Metric::Concurrency, Stat::Mean).unwrap() + m.evidence["thinking_mean"];
    assert!((3.6..=4.0 + 1e-6).contains(&there), "{there} of 4 users");
}

#[tokio::test(flavor = "current_thread")]
async fn a_turn_that_fails_ends_its_conversation_and_the_rest_is_accounted_for() {
    for level in
        [Level::closed(2), Level::poisson(40.0), Level { users: Some(4), rate: Some(40.0), ..Level::default() }]
    {
        let server = numbering(Case::EverySecond500, 2);
        let (plan, run) =
            run(&target(&server), &workload(json!({"scenario": "T(4)+D(8,3)"})), &load(level, 24, 4)).await;
        let m = books(&plan, &run);
        let label = plan.arrival.label();
        assert!(m.requests.failed >= 4 && m.requests.unsent > 0, "{label}: {:?}", m.requests);
        let mut of: BTreeMap<u64, Vec<&RequestRecord>> = BTreeMap::new();
        run.records.iter().for_each(|r| of.entry(r.conversation.unwrap()).or_default().push(r));
        for turns in of.values_mut() {
            turns.sort_by_key(|r| r.turn);
            let failed = turns.iter().position(|r| matches!(r.fate, Fate::Failed { .. }));
            let Some(failed) = failed else { continue };
            let reason = format!("turn {} of its conversation failed", failed + 1);
            assert!(turns[..failed].iter().all(|r| r.fate == Fate::Completed), "{label}");
            for lost in &turns[failed + 1..] {
                assert_eq!((&lost.fate, lost.unsent_because.as_ref()), (&Fate::Unsent, Some(&reason)), "{label}");
            }
        }
        assert_eq!(server.served().len(), run.records.iter().filter(|r| r.sent_s.is_some()).count(), "{label}");
        let lost = run.records.iter().filter(|r| !r.warmup && r.unsent_because.is_some()).count() as u64;
        assert_eq!(lost, m.requests.unsent, "{label}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn each_user_sends_on_its_own_schedule_and_never_two_at_once() {
    // Each of 4 users sends every 100 ms and waits 150 ms for an answer: every request is later than the one before.
    let server = numbering(Case::Clean, 150);
    let level = Level { users: Some(4), rate: Some(40.0), ..Level::default() };
    let (plan, level) = run(&target(&server), &workload(json!({"scenario": "T(2)+D(8,2)"})), &load(level, 24, 8)).await;
    let m = books(&plan, &level);
    assert_eq!(m.requests.completed, 24, "{:?}", m.errors);
    let mut of: BTreeMap<u64, Vec<&RequestRecord>> = BTreeMap::new();
    level.records.iter().for_each(|r| of.entry(r.index % 4).or_default().push(r));
    for (user, requests) in &of {
        for (k, request) in (0..).zip(requests) {
            let slot = *user + 4 * k;
            assert!((request.planned_s - slot as f64 / 40.0).abs() < 1e-6);
            let late = request.sent_s.unwrap() - request.planned_s;
            let expected = 0.05 * k as f64;
            assert!((expected..expected + 0.5).contains(&late), "request {k} of user {user} left {late} s late");
        }
        for pair in requests.windows(2) {
            assert!(pair[1].sent_s >= pair[0].ended_s, "a user has one request at a time");
        }
    }
    let stat = |metric| m.stat(metric, Stat::Mean).unwrap();
    assert!(stat(Metric::TtftResp) > stat(Metric::Ttft) + 100.0, "lateness is the user's wait");
    let lag = m.evidence["schedule_lag_p50_ms"];
    assert!(lag < 50.0, "waiting for an answer is not the client's lag: {lag} ms");
    assert_eq!((plan.total(), level.records.len()), (Some(32), 32));
}

#[tokio::test(flavor = "current_thread")]
async fn in_an_open_loop_conversations_begin_on_plan_and_go_on_when_they_are_answered() {
    let server = numbering(Case::Clean, 20);
    let spec = workload(json!({"scenario": "D(8,2)", "conversation": {"turns": 3, "think_s": 0.05}}));
    let load = LoadSpec { duration_s: Some(1.5), requests: None, ..load(Level::poisson(15.0), 1, 4) };
    let (plan, level) = run(&target(&server), &spec, &load).await;
    let m = books(&plan, &level);
    let (start, end) = plan.open_window().unwrap();
    let firsts: Vec<f64> = level.records.iter().filter(|r| r.turn == Some(1)).map(|r| r.planned_s).collect();
    let planned: Vec<f64> = plan.conversations().map(|c| c.turns[0].request.planned_s.unwrap()).collect();
    assert_eq!(firsts.len(), planned.len());
    assert!(firsts.iter().zip(&planned).all(|(a, b)| (a - b).abs() < 1e-6));
    for record in &level.records {
        let later = record.turn > Some(1);
        assert_eq!(record.warmup, if later { record.planned_s < start } else { record.conversation < Some(4) });
        assert!(record.planned_s <= end + 1e-6, "nothing is sent after the window");
        assert_eq!(record.think_s, None, "nobody is counted as thinking");
    }
    assert!(m.turns[&2].requests.completed > 0 && m.turns[&3].requests.completed > 0);
    assert_eq!(m.requests.unsent, 0, "{:?}", m.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_level_of_conversations_loses_no_request() {
    let tokens = tokens();
    let spec = workload(json!({"scenario": "T(3)+D(8,4)"}));
    let prepared = PreparedWorkload::new(&spec, Some(&tokens)).await.unwrap();
    let users = Level { users: Some(5), rate: Some(50.0), ..Level::default() };
    for level in [Level::closed(3), users, Level::poisson(50.0)] {
        let server = numbering(Case::Clean, 20_000);
        let plan = prepared.plan(&load(level, 20, 3), 0, 0, Seeds::default()).unwrap();
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
        let m = books(&plan, &run);
        assert!(run.cancelled && run.elapsed_s < 15.0);
        assert!(
            run.records.iter().all(|r| matches!(r.fate, Fate::Cancelled | Fate::Unsent)),
            "{}",
            plan.arrival.label()
        );
        assert_eq!(m.requests.planned, 20, "{}", plan.arrival.label());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn recorded_conversations_are_held_again_turn_by_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talks.json");
    let said = |from: &str, value: &str| json!({ "from": from, "value": value });
    let talk = json!([
        { "id": "a", "conversations": [
            said("human", "bada beda"), said("gpt", "bida boda buda"), said("human", "fada"), said("gpt", "feda fida"),
        ] },
    ]);
    std::fs::write(&path, talk.to_string()).unwrap();
    for (answers, kept) in [("engine", false), ("recorded", true)] {
        let server =
            ClosedForm::start(Timetable { first: Duration::from_millis(1), ..Timetable::quick(Case::Clean) }).unwrap();
        let spec = json!({
            "dataset": {"source": path.display().to_string()}, "salt": false, "conversation": {"answers": answers},
        });
        let (plan, level) = run(&target(&server), &workload(spec), &load(Level::closed(1), 4, 0)).await;
        let m = books(&plan, &level);
        assert_eq!(m.requests.completed, 4, "{:?}", m.errors);
        let served = server.served();
        let lengths: Vec<Option<u64>> = served.iter().map(|s| s.body["max_tokens"].as_u64()).collect();
        assert_eq!(lengths, [Some(3), Some(2), Some(3), Some(2)], "as long as the recorded answers");
        let first = if kept { "bida boda buda".to_owned() } else { served[0].answer.clone() };
        assert_eq!(served[1].prompt, format!("bada beda\n{first}\nfada"));
        assert_eq!(served[2].prompt, "bada beda", "the conversation begins again");
    }
}
