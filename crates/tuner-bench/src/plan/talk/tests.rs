//! Plans of conversations.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use tuner_core::task::{Level, LoadSpec, Think, WorkloadSpec};

use super::*;
use crate::plan::{PlanError, Row};
use crate::seed::Seeds;

const SEEDS: Seeds = Seeds { schedule: 5, prompts: 6 };

fn workload(json: Value) -> WorkloadSpec {
    serde_json::from_value(json).unwrap()
}

fn planned(json: Value, load: &LoadSpec, seeds: Seeds) -> Result<LevelPlan, PlanError> {
    LevelPlan::new(&workload(json), load, 0, 0, seeds)
}

fn load(level: Level) -> LoadSpec {
    LoadSpec { levels: vec![level], duration_s: Some(30.0), ..LoadSpec::default() }
}

fn users(users: u32, rate: f64) -> Level {
    Level { users: Some(users), rate: Some(rate), ..Level::default() }
}

fn turns(plan: &LevelPlan, n: usize) -> Vec<PlannedTurn> {
    plan.conversations().take(n).flat_map(|c| c.turns).collect()
}

#[test]
fn each_prompt_holds_everything_before_it() {
    let json = json!({"scenario": "T(3)+D(100,20)", "shared_prefix": {"tokens": 40}});
    let plan = planned(json, &load(Level::closed(1)), SEEDS).unwrap();
    let first = plan.conversations().next().unwrap();
    let sizes: Vec<(u32, u32, u32)> =
        first.turns.iter().map(|t| (t.request.input_tokens, t.own_tokens, t.request.shared_tokens())).collect();
    assert_eq!(sizes, [(100, 100, 40), (220, 100, 120), (340, 100, 240)], "history is what can be in a cache");
    let names: Vec<(Option<u64>, Option<u32>, u64)> =
        first.turns.iter().map(|t| (t.request.conversation, t.request.turn, t.request.index)).collect();
    assert_eq!(names, [(Some(0), Some(1), 0), (Some(0), Some(2), 1), (Some(0), Some(3), 2)]);
    assert!(!plan.is_fresh() && plan.has_turns());
    assert_eq!(plan.warmup, 3, "as long as a conversation, for each user");
}

#[test]
fn users_of_a_closed_loop_begin_out_of_step() {
    let json = json!({"scenario": "D(10,40)", "conversation": {"turns": 4, "think_s": 2.0}});
    let plan = planned(json, &load(Level::closed(4)), SEEDS).unwrap();
    let all: Vec<PlannedConversation> = plan.conversations().take(6).collect();
    assert_eq!(all.iter().map(|c| c.turns.len()).collect::<Vec<_>>(), [1, 2, 3, 4, 4, 4]);
    let begin: Vec<Option<f64>> = all.iter().map(|c| c.turns[0].request.planned_s).collect();
    assert_eq!(begin, [Some(0.0), Some(0.5), Some(1.0), Some(1.5), None, None]);
    assert_eq!(all.iter().map(|c| c.turns[0].request.output_tokens).collect::<Vec<_>>(), [10, 20, 30, 40, 40, 40]);
    assert!(all.iter().flat_map(|c| &c.turns).all(|t| t.think_s == 2.0));
    assert_eq!((plan.warmup, plan.users(), plan.open_window()), (16, Some(4), None));
}

#[test]
fn think_times_alone_leave_lengths_and_words_as_they_were() {
    let scenario = json!({"scenario": "N(100,30)/(50,10)"});
    let plain = planned(scenario.clone(), &load(Level::closed(3)), SEEDS).unwrap();
    let think = Level { think_s: Some(Think::exponential(4.0)), ..Level::closed(3) };
    let plan = planned(scenario, &load(think), SEEDS).unwrap();
    assert!(plan.talks() && !plain.talks() && plan.warmup == plain.warmup);
    let lengths = |r: &PlannedRequest| (r.index, r.input_tokens, r.output_tokens);
    let expected: Vec<_> = plain.requests().take(50).map(|r| lengths(&r)).collect();
    let turns = turns(&plan, 50);
    assert_eq!(turns.iter().map(|t| lengths(&t.request)).collect::<Vec<_>>(), expected);
    assert!((0..50).all(|n| key(n, 1) == n), "the words of a first turn are those of a single request");
    let mean = turns.iter().map(|t| t.think_s).sum::<f64>() / 50.0;
    assert!((2.0..7.0).contains(&mean), "{mean}");
}

#[test]
fn turn_counts_and_think_times_have_seeds_of_their_own() {
    let json = |turns: Value, think: f64| json!({"scenario": "N(100,30)/(50,10)", "conversation": {"turns": turns, "think_s": {"mean_s": think}}});
    let of = |turns: Value, think, seeds| planned(json(turns, think), &load(Level::closed(2)), seeds).unwrap();
    let range = json!({"low": 2, "high": 6});
    let (one, two) = (of(range.clone(), 1.0, SEEDS), of(range.clone(), 1.0, Seeds { prompts: 99, ..SEEDS }));
    assert_eq!(turns(&one, 30), turns(&two, 30), "two experiments hold the same conversations");
    let other = of(range.clone(), 1.0, Seeds { schedule: 99, ..SEEDS });
    assert_ne!(turns(&one, 30), turns(&other, 30));
    let slower = of(range, 3.0, SEEDS);
    let ratio: HashSet<i64> = turns(&one, 30)
        .iter()
        .zip(turns(&slower, 30))
        .map(|(a, b)| (b.think_s / a.think_s * 1e6).round() as i64)
        .collect();
    assert_eq!(ratio, HashSet::from([3_000_000]), "the same draws, three times as long");
    let first = |plan: &LevelPlan| -> Vec<(u32, u32)> {
        plan.conversations()
            .skip(2)
            .take(20)
            .map(|c| (c.turns[0].own_tokens, c.turns[0].request.output_tokens))
            .collect()
    };
    assert_eq!(first(&one), first(&of(json!(5), 1.0, SEEDS)), "more turns change no length");
}

#[test]
fn a_user_has_a_schedule_of_its_own() {
    let json = json!({"scenario": "T(3)+D(10,2)"});
    let load = LoadSpec { duration_s: Some(12.0), ..load(users(4, 2.0)) };
    let plan = planned(json, &load, SEEDS).unwrap();
    assert_eq!((plan.warmup, plan.open_window()), (12, Some((5.5, 17.5))));
    let mut of: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for conversation in plan.conversations() {
        let times = conversation.turns.iter().map(|t| t.request.planned_s.unwrap());
        of.entry(conversation.user.unwrap()).or_default().extend(times);
    }
    for (user, times) in &of {
        assert_eq!(times[0], f64::from(*user) / 2.0);
        assert!(times.windows(2).all(|w| w[1] - w[0] == 2.0), "{times:?}");
    }
    assert_eq!((of.len(), plan.total()), (4, Some(35)));
    let measured = plan.planned().filter(|r| !r.warmup).count();
    assert_eq!(measured, 23, "slots 12 to 34: from 6 s on, before 17.5 s");
    let counted = LoadSpec { duration_s: None, requests: Some(10), ..load };
    let plan = LevelPlan::new(&workload(json!({"scenario": "D(10,2)"})), &counted, 0, 0, SEEDS).unwrap();
    assert_eq!((plan.total(), plan.open_window()), (Some(14), Some((1.5, 7.0))));
}

#[test]
fn in_an_open_loop_conversations_arrive() {
    let json = json!({"scenario": "T(4)+D(10,2)", "conversation": {"think_s": 2.0}});
    let plan = planned(json, &load(Level::poisson(3.0)), SEEDS).unwrap();
    assert_eq!(plan.warmup, 18, "as many as begin while one is held: 3/s for 3 pauses of 2 s");
    let (start, end) = plan.open_window().unwrap();
    let all: Vec<PlannedConversation> = plan.conversations().collect();
    assert!((50..150).contains(&all.len()), "{}", all.len());
    assert!(all.iter().all(|c| c.turns.len() == 4 && c.user.is_none() && c.turns[1].request.planned_s.is_none()));
    let begin: Vec<f64> = all.iter().map(|c| c.turns[0].request.planned_s.unwrap()).collect();
    assert!(begin.windows(2).all(|w| w[0] <= w[1]) && begin[17] == start && begin.last() < Some(&end));
    assert_eq!(plan.total(), None, "how many turns fall into the window is up to the engine");
}

#[test]
fn recorded_conversations_keep_their_turns_and_lengths() {
    let row = |rounds: &[(u32, u32)]| Row {
        input_tokens: rounds[0].0,
        output_tokens: rounds[0].1,
        rounds: if rounds.len() > 1 { rounds.to_vec() } else { Vec::new() },
        has_prompt: true,
        ..Row::default()
    };
    let rows: Vec<Row> = vec![row(&[(10, 1)]), row(&[(20, 2), (5, 3)]), row(&[(30, 4), (6, 5), (7, 6)])];
    let of = |conversation: Value| {
        let spec = workload(json!({"prompts_file": "f", "conversation": conversation}));
        LevelPlan::with_rows(&spec, &load(Level::closed(1)), 0, 0, SEEDS, &vec![Some(rows.clone().into())]).unwrap()
    };
    let shapes = |plan: &LevelPlan| -> HashSet<Vec<(u32, u32, u32)>> {
        let shape = |t: &PlannedTurn| (t.own_tokens, t.request.output_tokens, t.request.input_tokens);
        plan.conversations().skip(3).take(3).map(|c| c.turns.iter().map(shape).collect()).collect()
    };
    let whole = [vec![(10, 1, 10)], vec![(20, 2, 20), (5, 3, 27)], vec![(30, 4, 30), (6, 5, 40), (7, 6, 52)]];
    assert_eq!(shapes(&of(json!({}))), HashSet::from(whole));
    let short = shapes(&of(json!({"turns": 2})));
    assert!(short.contains(&vec![(30, 4, 30), (6, 5, 40)]) && short.iter().all(|c| c.len() <= 2), "{short:?}");
    let alone = LevelPlan::with_rows(
        &workload(json!({"prompts_file": "f"})),
        &load(Level::closed(1)),
        0,
        0,
        SEEDS,
        &vec![Some(rows.clone().into())],
    );
    assert!(!alone.unwrap().talks());
}

#[test]
fn classes_may_be_conversations_beside_single_requests() {
    let classes = json!({"classes": [
        {"name": "chat", "scenario": "D(50,5)", "conversation": {"turns": 3}},
        {"name": "search", "scenario": "E(20)"},
    ]});
    let plan = planned(classes, &load(Level::closed(2)), SEEDS).unwrap();
    for conversation in plan.conversations().skip(2).take(40) {
        let class = conversation.turns[0].request.class.clone().unwrap();
        assert!(conversation.turns.iter().all(|t| t.request.class.as_deref() == Some(class.as_str())));
        assert_eq!(conversation.turns.len(), if class == "chat" { 3 } else { 1 });
    }
    let silent = json!({"scenario": "T(2)+E(20)"});
    let error = planned(silent, &load(Level::closed(2)), SEEDS).unwrap_err().to_string();
    assert_eq!(error, "`E(20)` cannot be a turn of a conversation: turns are texts that are answered with texts");
}

proptest! {
    #[test]
    fn the_slots_of_all_users_are_each_used_once_in_order(
        n in 1u32..20, rate in 0.5f64..50.0, low in 1u32..5, more in 0u32..4, duration in 0.5f64..20.0, warmup in 0u32..40,
        schedule: u64,
    ) {
        let json = json!({"scenario": "U(2,9)/(1,5)", "conversation": {"turns": {"low": low, "high": low + more}}});
        let load = LoadSpec { warmup_requests: Some(warmup), duration_s: Some(duration), ..load(users(n, rate)) };
        let plan = planned(json, &load, Seeds { schedule, prompts: 0 }).unwrap();
        let (start, end) = plan.open_window().unwrap();
        let mut slots = Vec::new();
        let mut begun = 0.0;
        for conversation in plan.conversations() {
            let first = conversation.turns[0].request.planned_s.unwrap();
            prop_assert!(first >= begun, "they come in order of their beginnings");
            begun = first;
            for turn in conversation.turns {
                let slot = turn.request.index;
                prop_assert_eq!(slot % u64::from(n), u64::from(conversation.user.unwrap()));
                let at = turn.request.planned_s.unwrap();
                prop_assert!((at - slot as f64 / rate).abs() < 1e-9);
                prop_assert_eq!(turn.request.warmup, slot < u64::from(warmup));
                prop_assert!(at < end, "{} of {}", at, end);
                prop_assert!(turn.request.warmup || at >= start);
                slots.push(slot);
            }
        }
        slots.sort_unstable();
        prop_assert_eq!(slots, (0..plan.total().unwrap()).collect::<Vec<u64>>());
    }

    #[test]
    fn indices_count_up_and_histories_add_up(turns in 1u32..6, streams in 1u32..6, schedule: u64) {
        let json = json!({"scenario": "U(2,90)/(1,50)", "conversation": {"turns": {"low": 1, "high": turns}}});
        let plan = planned(json, &load(Level::closed(streams)), Seeds { schedule, prompts: 0 }).unwrap();
        let mut index = 0;
        for conversation in plan.conversations().take(20) {
            let mut history = 0;
            for (at, turn) in (1..).zip(conversation.turns) {
                prop_assert_eq!((turn.request.index, turn.request.turn), (index, Some(at)));
                prop_assert_eq!(turn.request.input_tokens, history + turn.own_tokens);
                prop_assert_eq!(turn.request.shared_tokens(), history);
                history += turn.own_tokens + turn.request.output_tokens;
                index += 1;
            }
        }
    }
}
