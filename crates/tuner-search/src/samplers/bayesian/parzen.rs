//! The kernel density of TPE: a mixture of products, one kernel per observation and one for the prior.
//!
//! Recipe: Bergstra et al. 2011 for the estimator, Watanabe 2023 (arXiv 2304.11127) for bandwidth, magic clip, weights
//! and the multivariate form, in the variant that Optuna 5 ships.

use rand::RngExt;
use tuner_core::space::{Domain, Parameter};
use tuner_core::value::Value;

use super::truncated_normal::{log_mass, log_pdf, quantile};
use crate::explore::{Axis, Rng};

/// Coordinates of one group of parameters: positions on the [`Axis`] for numbers, indices for choices.
pub(super) type Point = Vec<f64>;

/// How one parameter is encoded.
#[derive(Debug)]
pub(super) enum Dimension<'a> {
    Number(Axis<'a>),
    Choice { domain: &'a Domain, choices: usize },
}

impl<'a> Dimension<'a> {
    pub(super) fn of(parameter: &'a Parameter) -> Self {
        // A domain of one value has no width to put a kernel on.
        match Axis::of(&parameter.domain).filter(|_| parameter.domain.cardinality() != Some(1)) {
            Some(axis) => Self::Number(axis),
            None => Self::Choice {
                domain: &parameter.domain,
                choices: parameter.domain.cardinality().unwrap_or(1).max(1) as usize,
            },
        }
    }

    pub(super) fn encode(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Number(axis) => axis.position(value),
            Self::Choice { domain, .. } => domain.index_of(value).map(|i| i as f64),
        }
    }

    pub(super) fn decode(&self, coordinate: f64) -> Option<Value> {
        match self {
            Self::Number(axis) => Some(axis.nearest(coordinate)?.0),
            Self::Choice { domain, .. } => domain.nth(coordinate as u64),
        }
    }
}

/// A density over one group of parameters.
#[derive(Debug)]
pub(super) struct Parzen<'d, 'a> {
    dimensions: &'d [Dimension<'a>],
    /// Normalised; the last belongs to the prior.
    weights: Vec<f64>,
    /// One set of kernels per dimension.
    kernels: Vec<Kernels>,
}

#[derive(Debug)]
enum Kernels {
    /// Truncated normals: mean, standard deviation, ln of the mass inside the domain.
    Normal(Vec<(f64, f64, f64)>),
    /// Probabilities of each choice, per kernel.
    Table(Vec<Vec<f64>>),
}

impl<'d, 'a> Parzen<'d, 'a> {
    /// Fits to `points` in the order of their experiments, with `weights` of the same length.
    pub(super) fn fit(dimensions: &'d [Dimension<'a>], points: &[Point], weights: &[f64]) -> Self {
        let mut weights = weights.to_vec();
        weights.push(1.0);
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        let column = |d: usize| points.iter().map(|p| p[d]).collect::<Vec<_>>();
        let kernels = dimensions
            .iter()
            .enumerate()
            .map(|(d, dimension)| match dimension {
                Dimension::Number(axis) => Kernels::Normal(normals(&column(d), axis.low, axis.high)),
                Dimension::Choice { choices, .. } => Kernels::Table(tables(&column(d), *choices)),
            })
            .collect();
        Self { dimensions, weights, kernels }
    }

    /// One point: a kernel by weight, then each dimension from it.
    pub(super) fn sample(&self, rng: &mut Rng) -> Point {
        let kernel = pick(&self.weights, rng.random());
        let draw = |(dimension, kernels): (&Dimension<'a>, &Kernels)| match (dimension, kernels) {
            (Dimension::Number(axis), Kernels::Normal(normals)) => {
                let (mean, deviation, _) = normals[kernel];
                let (a, b) = ((axis.low - mean) / deviation, (axis.high - mean) / deviation);
                let position = mean + deviation * quantile(rng.random(), a.min(0.0), b.max(0.0));
                axis.nearest(position).map_or(position, |(_, own)| own)
            }
            (_, Kernels::Table(tables)) => pick(&tables[kernel], rng.random()) as f64,
            (Dimension::Choice { .. }, Kernels::Normal(_)) => 0.0,
        };
        self.dimensions.iter().zip(&self.kernels).map(draw).collect()
    }

    /// ln of the density at `point`; for values with cells, ln of the cell's mass.
    pub(super) fn log_density(&self, point: &Point) -> f64 {
        let mut logs: Vec<f64> = self.weights.iter().map(|w| w.ln()).collect();
        for ((dimension, kernels), &x) in self.dimensions.iter().zip(&self.kernels).zip(point) {
            match (dimension, kernels) {
                (Dimension::Number(axis), Kernels::Normal(normals)) => {
                    let cell = axis.cell(x);
                    for (log, &(mean, deviation, inside)) in logs.iter_mut().zip(normals) {
                        let z = |x: f64| (x - mean) / deviation;
                        *log += match cell {
                            Some((left, right)) => log_mass(z(left), z(right)),
                            None => log_pdf(z(x)) - deviation.ln(),
                        } - inside;
                    }
                }
                (_, Kernels::Table(tables)) => {
                    for (log, table) in logs.iter_mut().zip(tables) {
                        *log += table.get(x as usize).copied().unwrap_or(0.0).ln();
                    }
                }
                (Dimension::Choice { .. }, Kernels::Normal(_)) => {}
            }
        }
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if top.is_finite() { top + logs.iter().map(|l| (l - top).exp()).sum::<f64>().ln() } else { top }
    }
}

/// Bandwidth: the larger gap to the neighbours (the outermost use their inner gap once there are two), clipped to
/// [span / min(100, 1 + kernels), span]. The prior sits in the middle and spans the domain.
fn normals(observations: &[f64], low: f64, high: f64) -> Vec<(f64, f64, f64)> {
    let (n, span) = (observations.len(), high - low);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| observations[i].total_cmp(&observations[j]));
    let narrowest = span / f64::min(100.0, (n + 2) as f64);
    let mut out = vec![(f64::midpoint(low, high), span); n + 1];
    for (rank, &i) in order.iter().enumerate() {
        let x = observations[i];
        let left = rank.checked_sub(1).map(|r| x - observations[order[r]]);
        let right = order.get(rank + 1).map(|&j| observations[j] - x);
        let gap = match (left, right) {
            (Some(left), Some(right)) => left.max(right),
            (Some(inner), None) | (None, Some(inner)) => inner,
            (None, None) => (x - low).max(high - x),
        };
        out[i] = (x, gap.clamp(narrowest, span));
    }
    let inside = |(mean, deviation): (f64, f64)| {
        (mean, deviation, log_mass((low - mean) / deviation, (high - mean) / deviation))
    };
    out.into_iter().map(inside).collect()
}

/// Each kernel favours its own choice over a floor of 1 / kernels; the prior is uniform.
fn tables(observations: &[f64], choices: usize) -> Vec<Vec<f64>> {
    let floor = 1.0 / (observations.len() + 1) as f64;
    let table = |own: Option<usize>| {
        let total = floor * choices as f64 + f64::from(u8::from(own.is_some()));
        (0..choices).map(|c| (floor + f64::from(u8::from(own == Some(c)))) / total).collect()
    };
    observations.iter().map(|&x| Some(x as usize)).chain([None]).map(table).collect()
}

/// Index drawn by normalised weights.
fn pick(weights: &[f64], mut u: f64) -> usize {
    for (i, w) in weights.iter().enumerate() {
        u -= w;
        if u < 0.0 {
            return i;
        }
    }
    weights.len().saturating_sub(1)
}

/// Kernel weights of `n` observations, oldest first: all equal up to 25, beyond that the oldest fade (Optuna's ramp).
pub(super) fn weights(n: usize) -> Vec<f64> {
    const FULL: usize = 25;
    let ramp = n.saturating_sub(FULL);
    let first = 1.0 / n.max(1) as f64;
    let faded = |i: usize| if ramp < 2 { first } else { first + (1.0 - first) * i as f64 / (ramp - 1) as f64 };
    (0..n).map(|i| if i < ramp { faded(i) } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::generator;

    fn parameter(domain: Domain) -> Parameter {
        Parameter { name: "x".into(), domain, when: None }
    }

    #[test]
    fn a_density_over_values_sums_to_one() {
        let ordinal = [8i64, 16, 32, 64, 256].map(Value::Int).to_vec();
        for domain in [
            Domain::Int { low: 1, high: 40, step: 3, log: true },
            Domain::Ordinal { values: ordinal },
            Domain::Bool,
            Domain::Float { low: 0.0, high: 1.0, step: Some(0.1), log: false },
        ] {
            let parameter = parameter(domain);
            let dimensions = [Dimension::of(&parameter)];
            let n = parameter.domain.cardinality().unwrap();
            let at: Vec<Point> =
                (0..n).map(|i| vec![dimensions[0].encode(&parameter.domain.nth(i).unwrap()).unwrap()]).collect();
            let model = Parzen::fit(&dimensions, &[at[0].clone(), at[1].clone(), at[1].clone()], &[1.0, 0.5, 1.0]);
            let total: f64 = at.iter().map(|p| model.log_density(p).exp()).sum();
            assert!((total - 1.0).abs() < 1e-9, "{:?}: {total}", parameter.domain);
        }
    }

    #[test]
    fn a_continuous_density_integrates_to_one() {
        let parameter = parameter(Domain::Float { low: 0.001, high: 10.0, step: None, log: true });
        let dimensions = [Dimension::of(&parameter)];
        let Dimension::Number(axis) = &dimensions[0] else { panic!("a number") };
        let model = Parzen::fit(&dimensions, &[vec![axis.low], vec![0.0], vec![1.0]], &[1.0; 3]);
        let (n, span) = (4000, axis.high - axis.low);
        let cell = span / f64::from(n);
        let total: f64 =
            (0..n).map(|i| model.log_density(&vec![axis.low + (f64::from(i) + 0.5) * cell]).exp() * cell).sum();
        assert!((total - 1.0).abs() < 1e-4, "{total}");
    }

    /// Expected values: Optuna 5.0.0, `_ParzenEstimator.log_pdf` with its default settings, same observations.
    #[test]
    fn densities_equal_those_of_optuna() {
        let choices = ["a", "b", "c"].map(Value::from).to_vec();
        let parameters = [
            Domain::Float { low: 0.0, high: 2.0, step: None, log: false },
            Domain::Float { low: 1e-3, high: 10.0, step: None, log: true },
            Domain::Int { low: 1, high: 64, step: 1, log: true },
            Domain::Int { low: 0, high: 12, step: 3, log: false },
            Domain::Categorical { values: choices },
        ]
        .map(parameter);
        let dimensions: Vec<Dimension<'_>> = parameters.iter().map(Dimension::of).collect();
        let point = |f: f64, g: f64, i: i64, j: i64, c: &str| -> Point {
            let values = [f.into(), g.into(), i.into(), j.into(), c.into()];
            dimensions.iter().zip(values).map(|(d, v): (_, Value)| d.encode(&v).unwrap()).collect()
        };
        let observed = [
            point(0.1, 0.01, 1, 0, "a"),
            point(1.9, 1.0, 8, 3, "c"),
            point(1.5, 9.0, 8, 12, "c"),
            point(0.2, 0.5, 60, 3, "b"),
        ];
        let asked = [point(0.15, 0.02, 2, 3, "a"), point(1.0, 0.9, 8, 6, "b"), point(2.0, 0.001, 64, 9, "c")];
        let full = Parzen::fit(&dimensions, &observed, &weights(4));
        let prior = Parzen::fit(&dimensions, &[], &[]);
        let expected = [
            (&full, [-6.052_443_379_832_295, -9.037_812_606_522_948, -13.032_852_643_125_28]),
            (&prior, [-7.862_461_757_244_661, -9.149_356_481_806_13, -11.593_272_353_465_036]),
        ];
        for (model, expected) in expected {
            for (point, expected) in asked.iter().zip(expected) {
                let got = model.log_density(point);
                assert!((got - expected).abs() < 1e-9, "{got} {expected}");
            }
        }
        // Thirty observations: the ramp of the weights.
        let ramp: Vec<Point> = (0..30).map(|i| vec![f64::from(i) / 15.0]).collect();
        let model = Parzen::fit(&dimensions[..1], &ramp, &weights(30));
        for (x, expected) in
            [(0.15, -1.118_983_163_259_952_3), (1.0, -0.610_635_355_953_334_6), (2.0, -1.617_454_727_286_496_8)]
        {
            assert!((model.log_density(&vec![x]) - expected).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn samples_follow_the_density() {
        let parameter = parameter(Domain::Int { low: 0, high: 9, step: 1, log: false });
        let dimensions = [Dimension::of(&parameter)];
        let model = Parzen::fit(&dimensions, &[vec![2.0], vec![2.0], vec![3.0]], &[1.0; 3]);
        let mut counts = [0.0f64; 10];
        let mut rng = generator(1, 1, "test");
        for _ in 0..20_000 {
            counts[model.sample(&mut rng)[0] as usize] += 1.0 / 20_000.0;
        }
        for (i, share) in counts.iter().enumerate() {
            let expected = model.log_density(&vec![i as f64]).exp();
            assert!((share - expected).abs() < 0.015, "{i}: {share} {expected}");
        }
    }

    #[test]
    fn bandwidths_follow_the_gaps_inside_the_clip() {
        let deviations: Vec<f64> = normals(&[0.0, 1.0, 5.0], 0.0, 10.0).iter().map(|k| k.1).collect();
        assert_eq!(deviations, [2.0, 4.0, 4.0, 10.0]);
        assert_eq!(normals(&[4.0], 0.0, 10.0)[0].1, 6.0);
    }

    #[test]
    fn old_observations_fade_beyond_twenty_five() {
        assert!(weights(25).iter().all(|&w| w == 1.0));
        let w = weights(28);
        assert_eq!((w[0], w[2], w[27]), (1.0 / 28.0, 1.0, 1.0));
    }
}
