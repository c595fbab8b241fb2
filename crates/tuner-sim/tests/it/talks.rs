//! Conversations in virtual time, and what the prefix cache makes of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tuner_core::Value;
use tuner_core::record::{Fate, PlannedConversation, PlannedRequest, PlannedTurn, RequestRecord, SharedRun};
use tuner_sim::{Drive, LevelRun, Talk, run_conversations};

use crate::support::{completed, llama};

const OWN: u32 = 160;
const OUTPUT: u32 = 32;

/// Conversation `number` of `turns` turns with this pause; without times.
fn conversation(number: u64, turns: u32, think_s: f64) -> PlannedConversation {
    let turn = |turn: u32| {
        let history = (turn - 1) * (OWN + OUTPUT);
        let mut request = PlannedRequest {
            index: number * 100 + u64::from(turn),
            input_tokens: history + OWN,
            output_tokens: OUTPUT,
            conversation: Some(number),
            turn: Some(turn),
            ..PlannedRequest::default()
        };
        let key = request.conversation_key().unwrap();
        request.shared = if turn > 1 { vec![SharedRun { key, tokens: history }] } else { Vec::new() };
        PlannedTurn { request, own_tokens: OWN, think_s }
    };
    PlannedConversation { number, user: None, turns: (1..=turns).map(turn).collect() }
}

fn closed(users: u32, turns: u32, think_s: f64, talk: &Talk) -> LevelRun {
    let drive = Drive { concurrency: Some(users), ..Drive::default() };
    let mut all = (0..).map(|number| conversation(number, turns, think_s));
    run_conversations(&llama(&[]), &mut all, &drive, talk, 0)
}

fn by_conversation(run: &LevelRun) -> BTreeMap<u64, Vec<&RequestRecord>> {
    let mut of: BTreeMap<u64, Vec<&RequestRecord>> = BTreeMap::new();
    run.records.iter().for_each(|r| of.entry(r.conversation.unwrap()).or_default().push(r));
    of
}

#[test]
fn the_history_of_a_conversation_is_found_in_the_cache_with_its_answers() {
    let talk = Talk { warmup: 0, requests: Some(8), window: None };
    let run = closed(1, 4, 0.0, &talk);
    let cached: Vec<u32> = run.records.iter().take(4).map(|r| r.cached_tokens.unwrap()).collect();
    // Blocks of 16: after one turn 160 + 32 tokens were said, of which the last is not computed.
    let known = |turns: u32| (turns * (OWN + OUTPUT) - 1) / 16 * 16;
    assert_eq!(cached, [0, known(1), known(2), known(3)]);
    assert!(run.records.iter().all(completed) && run.records.len() == 8);
    let off = llama(&[("enable-prefix-caching", Value::Bool(false))]);
    let mut all = (0..).map(|number| conversation(number, 4, 0.0));
    let run = run_conversations(&off, &mut all, &Drive::default(), &talk, 0);
    assert!(run.records.iter().all(|r| r.cached_tokens == Some(0)));
}

#[test]
fn a_user_thinks_after_each_answer_and_then_goes_on() {
    let talk = Talk { warmup: 6, requests: Some(24), window: None };
    let run = closed(3, 3, 2.0, &talk);
    assert_eq!(run.records.iter().filter(|r| r.warmup).count(), 6);
    assert_eq!(run.records.len(), 30);
    for turns in by_conversation(&run).values() {
        for pair in turns.windows(2) {
            let due = pair[0].ended_s.unwrap() + 2.0;
            assert!((pair[1].planned_s - due).abs() < 1e-9 && pair[1].sent_s == Some(pair[1].planned_s));
            assert_eq!(pair[0].think_s, Some(2.0));
        }
    }
    let last_warm = run.records.iter().filter(|r| r.warmup).filter_map(|r| r.sent_s).fold(0.0, f64::max);
    let first = run.records.iter().filter(|r| !r.warmup).filter_map(|r| r.sent_s).fold(f64::INFINITY, f64::min);
    assert!(last_warm <= first, "what is sent first is warm-up");
}

#[test]
fn a_window_ends_for_users_who_think_too() {
    let drive = Drive { concurrency: Some(2), duration_s: Some(10.0), ..Drive::default() };
    let talk = Talk { warmup: 0, requests: None, window: None };
    let mut all = (0..).map(|number| conversation(number, 3, 4.0));
    let run = run_conversations(&llama(&[]), &mut all, &drive, &talk, 0);
    let end = run.window_opened_s.unwrap() + 10.0;
    assert!(run.records.iter().all(|r| completed(r) && r.sent_s.unwrap() < end));
    assert_eq!(run.records.len(), 6, "two users at about 0, 4 and 8 s");
}

/// Each of `users` sends every second.
fn scheduled(users: u64, number: u64, turns: u32) -> PlannedConversation {
    let mut planned = conversation(number, turns, 0.0);
    planned.user = Some((number % users) as u32);
    for (k, turn) in planned.turns.iter_mut().enumerate() {
        let round = number / users * u64::from(turns) + k as u64;
        turn.request.index = round * users + number % users;
        turn.request.planned_s = Some(round as f64 + (number % users) as f64 / users as f64);
        turn.request.warmup = round == 0;
    }
    planned
}

#[test]
fn users_with_a_schedule_keep_it_or_are_late_by_their_own_answers() {
    let talk = Talk { window: Some((0.75, 4.0)), ..Talk::default() };
    let drive = Drive { concurrency: None, ..Drive::default() };
    let mut all = (0..8).map(|number| scheduled(4, number, 2));
    let run = run_conversations(&llama(&[]), &mut all, &drive, &talk, 0);
    assert_eq!((run.records.len(), run.records.iter().filter(|r| r.warmup).count()), (16, 4));
    assert!(
        run.records.iter().all(|r| completed(r) && r.sent_s == Some(r.planned_s)),
        "answers take less than a second"
    );
    // A hundred times as much to say: no answer is there in time.
    let long = |mut c: PlannedConversation| {
        c.turns.iter_mut().for_each(|t| t.request.output_tokens = 400);
        c
    };
    let mut all = (0..8).map(|number| long(scheduled(4, number, 2)));
    let run = run_conversations(&llama(&[]), &mut all, &drive, &talk, 0);
    let mut of: BTreeMap<u64, Vec<&RequestRecord>> = BTreeMap::new();
    run.records.iter().for_each(|r| of.entry(r.index % 4).or_default().push(r));
    for requests in of.values() {
        assert_eq!(requests.len(), 4);
        for pair in requests.windows(2) {
            assert_eq!(pair[1].sent_s, Some(pair[1].planned_s.max(pair[0].ended_s.unwrap())), "one at a time");
        }
        assert!(requests[3].sent_s.unwrap() > requests[3].planned_s + 1.0);
    }
}

#[test]
fn a_turn_that_fails_ends_its_conversation() {
    let engine = llama(&[("fail-after-requests", Value::Int(5))]);
    let talk = Talk { warmup: 0, requests: Some(12), window: None };
    let mut all = (0..).map(|number| conversation(number, 4, 0.5));
    let run = run_conversations(&engine, &mut all, &Drive::default(), &talk, 0);
    let sent = run.records.iter().filter(|r| r.sent_s.is_some()).count();
    assert_eq!(sent, 12);
    for turns in by_conversation(&run).values().skip(1) {
        let failed = turns.iter().position(|r| matches!(r.fate, Fate::Failed { .. })).unwrap();
        let reason = format!("turn {} of its conversation failed", failed + 1);
        assert_eq!(turns.len(), 4);
        assert!(
            turns[failed + 1..].iter().all(|r| r.fate == Fate::Unsent && r.unsent_because.as_ref() == Some(&reason))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_request_ends_once_and_turns_come_in_order(
        users in 1u32..8, turns in 1u32..6, think in 0.0f64..3.0, requests in 1u64..60, warmup in 0u64..20,
    ) {
        let run = closed(users, turns, think, &Talk { warmup, requests: Some(requests), window: None });
        let sent = run.records.iter().filter(|r| r.sent_s.is_some()).count() as u64;
        prop_assert_eq!(sent, warmup + requests);
        prop_assert_eq!(run.records.iter().filter(|r| r.warmup).count() as u64, warmup);
        for turns in by_conversation(&run).values() {
            for (k, record) in (1..).zip(turns) {
                prop_assert_eq!(record.turn, Some(k));
                prop_assert_eq!(&record.fate, &Fate::Completed);
            }
        }
        let mut edges: Vec<(f64, i32)> =
            run.records.iter().flat_map(|r| [(r.sent_s.unwrap(), 1), (r.ended_s.unwrap(), -1)]).collect();
        edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut flying = 0;
        for (_, change) in edges {
            flying += change;
            prop_assert!(flying <= users as i32);
        }
    }
}
