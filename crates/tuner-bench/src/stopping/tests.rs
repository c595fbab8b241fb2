//! Rules against brute force, and their error rates in simulation.

use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use tuner_core::record::{PlannedRequest, TokenRead};
use tuner_core::task::{Goal, SloSpec};

use super::percentile::{is_hopeless, is_lost};
use super::*;

fn rng(index: u64) -> ChaCha8Rng {
    crate::seed::rng(31, crate::seed::Dimension::Lengths, 0, 0, index)
}

/// An answer that was due at `at` and had its only token `ttft` later.
fn answer(index: u64, at: f64, ttft: f64) -> RequestRecord {
    let request = PlannedRequest { index, planned_s: Some(at), ..PlannedRequest::default() };
    RequestRecord {
        sent_s: Some(at),
        reads: vec![TokenRead { at_s: at + ttft, events: 1, tokens: None }],
        ended_s: Some(at + ttft),
        fate: Fate::Completed,
        ..RequestRecord::unsent(&request, at)
    }
}

fn slo(text: &str) -> SloSpec {
    serde_json::from_str(text).unwrap()
}

fn p99_of_a_second() -> Vec<SloSpec> {
    vec![slo(r#"{"metric": "ttft", "stat": "p99", "max_ms": 1000}"#)]
}

proptest! {
    #[test]
    fn a_percentile_is_lost_exactly_when_no_rest_could_save_it(
        n in 1u64..200, over in 0u64..200, q in prop::sample::select(vec![0.5, 0.9, 0.95, 0.99, 0.999]),
    ) {
        let over = over.min(n);
        // The best that can still happen: all others are 0; those over are just over 1.
        let mut sample = vec![0.0; (n - over) as usize];
        sample.extend(vec![1.000_001; over as usize]);
        let both_over = {
            let below = (q * (n - 1) as f64).floor() as usize;
            sample[below] > 1.0
        };
        prop_assert_eq!(is_lost(n, over, q), both_over);
        if is_lost(n, over, q) {
            prop_assert!(crate::stats::percentile(&sample, q) > 1.0);
        }
    }

    #[test]
    fn a_stop_by_curtailment_agrees_with_the_percentile_of_the_whole_run(
        ttfts in prop::collection::vec(0.0f64..1.3, 1..120),
    ) {
        let n = ttfts.len() as u64;
        let mut rule = Percentiles::new(&p99_of_a_second(), false, Some(n), 0.0);
        let stopped = ttfts.iter().enumerate().filter_map(|(i, ttft)| rule.finished(&answer(i as u64, 0.0, *ttft))).count();
        let mut sorted = ttfts;
        sorted.sort_by(f64::total_cmp);
        let p99 = crate::stats::percentile(&sorted, 0.99);
        prop_assert!(stopped == 0 || p99 > 1.0, "stopped at p99 {p99}");
    }

    #[test]
    fn warm_up_and_cut_off_requests_count_for_nothing(n in 0u64..20) {
        let mut stopping = Stopping::new(Limits { requests: Some(1), time_s: None });
        for index in 0..n {
            let mut warmup = answer(index, 0.0, 1.0);
            warmup.warmup = true;
            prop_assert_eq!(stopping.finished(&warmup), None);
            let cut = RequestRecord { fate: Fate::Cancelled, ..answer(index, 0.0, 1.0) };
            prop_assert_eq!(stopping.finished(&cut), None);
        }
        prop_assert_eq!(stopping.finished(&answer(n, 0.0, 1.0)), Some(Stop::Requests(1)));
    }
}

#[test]
fn failures_are_over_every_limit_and_the_reason_has_its_numbers() {
    let mut rule = Percentiles::new(&p99_of_a_second(), false, Some(10), 0.0);
    let failed = Fate::Failed { class: "http_503".to_owned(), message: String::new() };
    let first = rule.finished(&RequestRecord { fate: failed.clone(), ..answer(0, 0.0, 0.1) });
    assert_eq!(first, None, "one of ten leaves the lower of the two values that p99 lies between");
    let stop = rule.finished(&RequestRecord { fate: failed, ..answer(1, 0.0, 0.1) }).unwrap();
    assert_eq!(stop.to_string(), "ttft p99 ≤ 1000 ms can no longer be met: 2 of 2 requests are over it");
}

#[test]
fn in_an_open_loop_limits_count_from_the_planned_arrival() {
    let late = RequestRecord { planned_s: -2.0, ..answer(0, 0.0, 0.1) };
    let stop = |open_loop| Percentiles::new(&p99_of_a_second(), open_loop, Some(1), 0.0).finished(&late).is_some();
    assert_eq!((stop(false), stop(true)), (false, true));
}

#[test]
fn a_level_that_meets_its_slo_is_stopped_at_most_at_the_stated_rate_and_one_that_misses_it_soon() {
    let mut rng = rng(1);
    let mut stopped = |share: f64, n: u64| {
        let mut over = 0;
        (1..=n).find(|seen| {
            over += u64::from(rng.random::<f64>() < share);
            is_hopeless(*seen, over, 0.01, 0.05)
        })
    };
    // Exactly at the limit, asked after each of 2,000 requests: the worst case.
    let wrong = (0..1000).filter(|_| stopped(0.01, 2000).is_some()).count();
    assert!(wrong <= 60, "{wrong} of 1000 at a stated rate of 5 %");
    let mut needed: Vec<u64> = (0..200).filter_map(|_| stopped(0.10, 2000)).collect();
    needed.sort_unstable();
    assert_eq!(needed.len(), 200);
    assert!(needed[100] <= 60, "half of the runs with 10 % over need {} requests", needed[100]);
}

/// Feeds answers whose TTFT (s) comes from `next`, one per 100 ms, until the rule stops or `n` are through.
fn feed(rule: &mut dyn Rule, n: u64, mut next: impl FnMut() -> f64) -> Option<Stop> {
    (0..n).find_map(|i| rule.finished(&answer(i, i as f64 * 0.1, next())))
}

#[test]
fn an_equal_is_called_a_loser_at_most_at_the_stated_rate_and_a_loser_soon() {
    let wanted = Wanted { metric: Metric::Ttft, goal: Goal::Minimize, incumbent: 100.0 };
    let mut rng = rng(2);
    // Neighbours depend on each other: autocorrelation 0.5.
    let mut run = |mean: f64, n: u64| {
        let mut x = 0.0;
        let mut rule = CertainLoser::new(wanted, 0.05);
        feed(&mut rule, n, || {
            let noise: f64 = StandardNormal.sample(&mut rng);
            x = 0.5 * x + noise;
            (mean + 10.0 * x).max(1.0) / 1000.0
        })
    };
    let wrong = (0..400).filter(|_| run(100.0, 1500).is_some()).count();
    assert!(wrong <= 24, "{wrong} of 400 at a stated rate of 5 %");
    let right = (0..100).filter(|_| matches!(run(115.0, 1500), Some(Stop::Loser { .. }))).count();
    assert!(right >= 97, "{right} of 100");
}

#[test]
fn a_mean_is_called_known_when_its_interval_holds_it_at_the_stated_rate() {
    let mut rng = rng(3);
    let (mut held, mut stopped) = (0, 0);
    for _ in 0..300 {
        let mut rule = NarrowEnough::new(Metric::Ttft, 0.05, 0.95);
        let stop = feed(&mut rule, 4000, || {
            let x: f64 = Exp1.sample(&mut rng);
            0.05 + 0.05 * x
        });
        let Some(Stop::Narrow { interval, .. }) = stop else { continue };
        stopped += 1;
        held += u32::from(interval.low <= 100.0 && 100.0 <= interval.high);
        assert!(interval.relative_half_width().unwrap() <= 0.05);
    }
    assert!(stopped >= 270 && f64::from(held) >= 0.95 * f64::from(stopped), "{held} of {stopped}");
}

#[test]
fn limits_end_what_no_rule_ends() {
    let mut stopping = Stopping::new(Limits { requests: None, time_s: Some(5.0) });
    assert_eq!(stopping.finished(&answer(0, 10.0, 1.0)), None);
    assert_eq!((stopping.at(14.9), stopping.at(15.0)), (None, Some(Stop::Time(5.0))));
}

/// Poisson arrivals at one server with exponential work, `load` times what it can do, for 90 s at `rate` per second.
fn queue(load: f64, rate: f64, rng: &mut ChaCha8Rng) -> Vec<RequestRecord> {
    let (mut at, mut free) = (0.0f64, 0.0f64);
    let mut records = Vec::new();
    loop {
        let (gap, work): (f64, f64) = (Exp1.sample(rng), Exp1.sample(rng));
        at += gap / rate;
        if at > 90.0 {
            return records;
        }
        free = at.max(free) + work * load / rate;
        records.push(answer(records.len() as u64, at, free - at));
    }
}

#[test]
fn overload_is_seen_and_a_busy_server_is_not_taken_for_it() {
    let mut rng = rng(4);
    let seen = (0..100).filter(|_| saturated(&queue(1.4, 20.0, &mut rng), SaturationRule::default()).is_some()).count();
    assert!(seen >= 97, "{seen} of 100 at 140 % load");
    let wrong = (0..300).filter(|_| saturated(&queue(0.7, 20.0, &mut rng), SaturationRule::default()).is_some());
    let wrong = wrong.count();
    assert!(wrong <= 3, "{wrong} of 300 at 70 % load");
}

#[test]
fn overload_is_not_called_before_its_time() {
    let mut rng = rng(5);
    let records = queue(2.0, 20.0, &mut rng);
    let growth = saturated(&records, SaturationRule::default()).unwrap();
    assert!(growth.after_s >= 30.0 && growth.in_flight_per_s > 5.0 && growth.ttft_s_per_s > 0.3, "{growth:?}");
    let early = SaturationRule { min_s: 8.0, ..SaturationRule::default() };
    assert!(saturated(&records, early).unwrap().after_s < 20.0);
}
