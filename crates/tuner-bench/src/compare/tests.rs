//! Error rates of the verdicts in simulation, and one case by hand.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tuner_core::{Figure, Validity};

use super::*;

fn run(repeat: u32, throughput: f64) -> Measurement {
    let metrics = [(Metric::OutputThroughput, Figure::Scalar(throughput))].into();
    Measurement { repeat, metrics, ..Measurement::default() }
}

fn runs(throughputs: &[f64]) -> Vec<Measurement> {
    throughputs.iter().enumerate().map(|(i, x)| run(i as u32, *x)).collect()
}

fn only(a: &[f64], b: &[f64]) -> FigureComparison {
    compare(&runs(a), &runs(b), &Options::default()).levels[0].figures[0].clone()
}

/// `pairs` runs of each side at a true ratio, with drift that both share and 3 % noise.
fn simulated(rng: &mut ChaCha8Rng, pairs: usize, ratio: f64) -> (Vec<f64>, Vec<f64>) {
    let mut noise = || -> f64 { StandardNormal.sample(rng) };
    (0..pairs)
        .map(|i| {
            let drift = 1.0 + 0.1 * i as f64;
            (100.0 * drift * (0.03 * noise()).exp(), 100.0 * ratio * drift * (0.03 * noise()).exp())
        })
        .unzip()
}

fn share(rounds: u64, pairs: usize, ratio: f64, of: impl Fn(ComparisonVerdict) -> bool) -> f64 {
    let mut rng = crate::seed::rng(41, crate::seed::Dimension::Lengths, 0, 0, pairs as u64);
    let found = (0..rounds).filter(|_| {
        let (a, b) = simulated(&mut rng, pairs, ratio);
        of(only(&a, &b).verdict)
    });
    found.count() as f64 / rounds as f64
}

#[test]
fn two_sides_that_are_the_same_differ_at_most_at_the_stated_rate() {
    for pairs in [3, 5, 10] {
        let wrong = share(2000, pairs, 1.0, |v| matches!(v, ComparisonVerdict::Better | ComparisonVerdict::Worse));
        assert!((0.02..=0.065).contains(&wrong), "{wrong} with {pairs} pairs");
    }
}

#[test]
fn sides_that_differ_by_the_margin_are_called_equivalent_at_most_at_the_stated_rate() {
    let wrong = share(2000, 40, 1.02, |v| v == ComparisonVerdict::Equivalent);
    assert!(wrong <= 0.065, "{wrong}");
    let right = share(200, 60, 1.0, |v| v == ComparisonVerdict::Equivalent);
    assert!(right >= 0.9, "{right}");
}

#[test]
fn the_detectable_difference_is_found_about_as_often_as_it_says() {
    let mut rng = crate::seed::rng(42, crate::seed::Dimension::Lengths, 0, 0, 0);
    let mut sum = 0.0;
    for _ in 0..200 {
        let (a, b) = simulated(&mut rng, 6, 1.0);
        sum += only(&a, &b).detectable;
    }
    let found = share(1000, 6, 1.0 + sum / 200.0, |v| v == ComparisonVerdict::Better);
    assert!((0.7..=0.9).contains(&found), "{found}");
}

#[test]
fn a_gain_of_ten_percent_has_its_figures() {
    let figure = only(&[100.0, 110.0, 120.0], &[110.0, 121.0, 132.0]);
    assert!((figure.ratio.estimate - 1.1).abs() < 1e-12 && (figure.b / figure.a - 1.1).abs() < 1e-12);
    assert_eq!((figure.verdict, figure.ratio.pairs), (ComparisonVerdict::Better, 3));
    assert!(figure.detectable < 1e-9, "no noise hides nothing: {}", figure.detectable);
}

#[test]
fn more_time_is_worse() {
    let timed = |ms: &[f64]| -> Vec<Measurement> {
        let with = |(i, x): (usize, &f64)| {
            let metrics = [(Metric::Ttft, Figure::Scalar(*x))].into();
            Measurement { repeat: i as u32, metrics, ..Measurement::default() }
        };
        ms.iter().enumerate().map(with).collect()
    };
    let comparison = compare(&timed(&[10.0, 11.0, 10.5]), &timed(&[20.0, 21.5, 21.0]), &Options::default());
    assert_eq!(comparison.levels[0].figures[0].verdict, ComparisonVerdict::Worse);
}

#[test]
fn what_cannot_be_compared_is_named() {
    let mut a = runs(&[100.0, 101.0]);
    a[1].validity = Validity::Invalid { reasons: vec!["late".to_owned()] };
    a.push(Measurement { level: 1, ..run(0, 5.0) });
    let comparison = compare(&a, &runs(&[100.0, 101.0]), &Options::default());
    assert_eq!(comparison.levels, []);
    let expected = [
        "1 runs of A are INVALID and left out",
        "level 0 has 1 pairs of runs, two are needed: measure with more repeats",
        "level 1 was measured on one side only",
    ];
    assert_eq!(comparison.notes, expected);
}
