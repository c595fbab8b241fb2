//! Planted steady states are found, and `none` is said where there is none.

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use tuner_core::record::{Fate, PlannedRequest, RequestRecord, TokenRead};

use super::*;

const WINDOW: Window = Window { start_s: 10.0, end_s: 130.0 };

fn rng(index: u64) -> ChaCha8Rng {
    crate::seed::rng(21, crate::seed::Dimension::Lengths, 0, 0, index)
}

/// A closed loop of `streams` whose time per token is `pace(share of the window)`, with 2 % noise per request.
fn closed_loop(streams: u32, seed: u64, pace: impl Fn(f64) -> f64) -> Vec<RequestRecord> {
    let mut rng = rng(seed);
    let mut records = Vec::new();
    for stream in 0..streams {
        let mut at = 5.0 + 2.0 * f64::from(stream) / f64::from(streams);
        while at < WINDOW.end_s {
            let share = ((at - WINDOW.start_s) / WINDOW.length_s()).clamp(0.0, 1.0);
            let noise: f64 = StandardNormal.sample(&mut rng);
            let pace = pace(share) * (1.0 + 0.02 * noise);
            records.push(answer(records.len() as u64, at, at, 0.1, pace, 40));
            at = records[records.len() - 1].ended_s.unwrap();
        }
    }
    records
}

fn answer(index: u64, planned: f64, sent: f64, ttft: f64, pace: f64, tokens: u32) -> RequestRecord {
    let request = PlannedRequest { index, warmup: sent < WINDOW.start_s, ..PlannedRequest::default() };
    let reads: Vec<TokenRead> = (0..tokens)
        .map(|k| TokenRead { at_s: sent + ttft + pace * f64::from(k), events: 1, tokens: Some(1) })
        .collect();
    RequestRecord {
        sent_s: Some(sent),
        ended_s: reads.last().map(|r| r.at_s),
        output_tokens: Some(tokens),
        reads,
        fate: Fate::Completed,
        ..RequestRecord::unsent(&request, planned)
    }
}

/// Poisson arrivals at `load` times what one server with the given service time can do.
fn open_loop(load: f64, seed: u64) -> Vec<RequestRecord> {
    let mut rng = rng(seed);
    let service = 0.4;
    let (mut at, mut free) = (0.0f64, 0.0f64);
    let mut records = Vec::new();
    while at < WINDOW.end_s {
        let gap: f64 = Exp1.sample(&mut rng);
        at += gap * service / load;
        let start = at.max(free);
        records.push(answer(records.len() as u64, at, at, start - at + 0.01, (service - 0.01) / 19.0, 20));
        free = start + service;
    }
    records
}

fn judged(records: &[RequestRecord], open_loop: bool) -> Steady {
    let everyone: Vec<Observed<'_>> = records.iter().map(|record| Observed { record }).collect();
    judge(&everyone, WINDOW, open_loop).unwrap()
}

/// How many of 40 seeds give a verdict that `expected` accepts.
fn hits(plan: impl Fn(u64) -> Vec<RequestRecord>, open_loop: bool, expected: impl Fn(&Steady) -> bool) -> u32 {
    (0..40).filter(|seed| expected(&judged(&plan(*seed), open_loop))).count() as u32
}

fn is(reason: Unsteady) -> impl Fn(&Steady) -> bool {
    move |steady| matches!(steady, Steady::None { reason: found, .. } if *found == reason)
}

fn starts_within(from: f64, to: f64) -> impl Fn(&Steady) -> bool {
    move |steady| matches!(steady, Steady::Steady { from_s, to_s } if (from..=to).contains(from_s) && *to_s == 120.0)
}

#[test]
fn a_plateau_is_steady_from_its_beginning() {
    let found = hits(|seed| closed_loop(8, seed, |_| 0.02), false, starts_within(0.0, 60.0));
    assert!(found >= 38, "{found} of 40");
}

#[test]
fn a_ramp_that_ends_in_a_plateau_is_cut_off() {
    // Ramps over the first 25 % of 120 s.
    let ramp = |share: f64| 0.02 * (1.0 - 0.4 * (1.0 - share / 0.25).max(0.0));
    let found = hits(|seed| closed_loop(8, seed, ramp), false, starts_within(18.0, 60.0));
    assert!(found >= 37, "{found} of 40");
}

#[test]
fn a_plateau_is_recovered_to_a_tenth_of_a_percent() {
    let ramp = |share: f64| 0.02 * (1.0 - 0.4 * (1.0 - share / 0.25).max(0.0));
    let pace = |seed: u64| {
        let records = closed_loop(8, seed, ramp);
        let Steady::Steady { from_s, .. } = judged(&records, false) else { return None };
        let after = Window { start_s: WINDOW.start_s + from_s, ..WINDOW };
        Timeline::of(records.iter().map(|record| Observed { record }), after, 1).pace_s[0]
    };
    let paces: Vec<f64> = (0..40).filter_map(pace).collect();
    let mean = paces.iter().sum::<f64>() / paces.len() as f64;
    assert!(paces.len() >= 37 && (mean / 0.02 - 1.0).abs() < 0.001, "{mean} in {} of 40", paces.len());
}

#[test]
fn a_drift_is_none_in_either_direction() {
    for (change, reason) in [(0.3, Unsteady::DriftUp), (-0.3, Unsteady::DriftDown), (0.12, Unsteady::DriftUp)] {
        let found = hits(|seed| closed_loop(8, seed, |share| 0.02 * (1.0 + change * share)), false, is(reason));
        assert!(found >= 37, "{change}: {found} of 40");
    }
}

#[test]
fn a_ramp_over_most_of_the_window_is_none() {
    let ramp = |share: f64| 0.02 * (1.0 + 0.4 * (share / 0.8).min(1.0));
    let none = hits(|seed| closed_loop(8, seed, ramp), false, |steady| matches!(steady, Steady::None { .. }));
    assert!(none >= 38, "{none} of 40");
}

#[test]
fn a_staircase_is_none_and_its_last_step_is_named() {
    let stairs = |share: f64| 0.02 * (1.0 + 0.2 * (share * 4.0).floor().min(3.0));
    let none = hits(|seed| closed_loop(8, seed, stairs), false, |steady| matches!(steady, Steady::None { .. }));
    assert!(none >= 38, "{none} of 40");
    let step = |share: f64| if share < 0.7 { 0.02 } else { 0.025 };
    let shift = hits(|seed| closed_loop(8, seed, step), false, is(Unsteady::LevelShift));
    assert!(shift >= 37, "{shift} of 40");
}

#[test]
fn an_open_loop_within_capacity_is_steady_and_beyond_it_is_not() {
    let steady = hits(|seed| open_loop(0.5, seed), true, |steady| matches!(steady, Steady::Steady { .. }));
    assert!(steady >= 35, "{steady} of 40");
    let grows = hits(
        |seed| open_loop(1.4, seed),
        true,
        |steady| matches!(steady, Steady::None { reason: Unsteady::DriftUp | Unsteady::TooShort, .. }),
    );
    assert!(grows >= 38, "{grows} of 40");
}

#[test]
fn rare_requests_are_no_instability() {
    let odd = hits(|seed| open_loop(0.15, seed), true, is(Unsteady::Unstable));
    assert_eq!(odd, 0);
    let steady = hits(|seed| open_loop(0.15, seed), true, |steady| matches!(steady, Steady::Steady { .. }));
    assert!(steady >= 36, "{steady} of 40");
}

#[test]
fn a_window_of_a_few_answers_is_too_short() {
    let few: Vec<RequestRecord> = closed_loop(8, 0, |_| 0.02).into_iter().step_by(60).collect();
    assert_eq!(judged(&few, false), too_short());
    let slow = closed_loop(8, 0, |_| 0.8);
    assert_eq!(judged(&slow, false), too_short());
}

#[test]
fn remarks_name_the_series_and_the_change() {
    let drift = Steady::None { reason: Unsteady::DriftUp, series: Some("tpot".to_owned()), change: Some(0.123) };
    assert_eq!(note(&drift).unwrap(), "not steady: tpot grows all through the window by 12 % of its median");
    assert_eq!(note(&Steady::Steady { from_s: 0.0, to_s: 30.0 }), None);
    assert_eq!(note(&too_short()), None);
}

proptest! {
    #[test]
    fn no_records_are_too_odd_to_be_judged(
        spans in prop::collection::vec((0.0f64..140.0, 0.0f64..20.0, 0.0f64..1.0, 0u32..30), 0..120), open: bool,
    ) {
        let records: Vec<RequestRecord> = spans
            .into_iter()
            .enumerate()
            .map(|(i, (sent, ttft, pace, tokens))| answer(i as u64, sent, sent, ttft, pace, tokens))
            .collect();
        let everyone: Vec<Observed<'_>> = records.iter().map(|record| Observed { record }).collect();
        if let Some(Steady::Steady { from_s, to_s }) = judge(&everyone, WINDOW, open) {
            prop_assert!(from_s >= 0.0 && from_s <= to_s / 2.0 + 1e-9);
        }
    }
}
