//! A small random forest for regression on encoded configurations.

use rand::RngExt;

use crate::explore::Rng;

/// How a feature may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    /// At a threshold.
    Ordered,
    /// One category against the rest.
    Category,
}

#[derive(Debug)]
enum Node {
    Leaf(f64),
    Split { feature: usize, kind: Feature, at: f64, yes: Box<Node>, no: Box<Node> },
}

/// Over which features a split is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// At most half of them, by chance: trees that differ, for an average of many.
    Half,
    /// All: each tree as near to its sample as it gets.
    All,
}

/// Trees grown on bootstrap samples.
#[derive(Debug)]
pub(super) struct Forest(Vec<Node>);

const TREES: usize = 48;
const SMALLEST_SPLIT: usize = 4;

impl Forest {
    /// Fits rows of `features.len()` coordinates to `y`; both must be of the same length and not empty.
    pub(super) fn fit(features: &[Feature], tried: Tried, rows: &[Vec<f64>], y: &[f64], rng: &mut Rng) -> Self {
        let tree = |_| {
            let sample = (0..rows.len()).map(|_| rng.random_range(0..rows.len())).collect();
            grow((features, tried), rows, y, sample, rng)
        };
        Self((0..TREES).map(tree).collect())
    }

    pub(super) fn predict(&self, row: &[f64]) -> f64 {
        self.each(row).sum::<f64>() / self.0.len().max(1) as f64
    }

    /// What each tree says.
    pub(super) fn each(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        self.0.iter().map(|tree| predict(tree, row))
    }
}

fn predict(mut node: &Node, row: &[f64]) -> f64 {
    loop {
        match node {
            Node::Leaf(y) => return *y,
            Node::Split { feature, kind, at, yes, no } => {
                node = if goes(*kind, row[*feature], *at) { yes } else { no };
            }
        }
    }
}

fn goes(kind: Feature, x: f64, at: f64) -> bool {
    match kind {
        Feature::Ordered => x <= at,
        Feature::Category => x == at,
    }
}

fn grow(how: (&[Feature], Tried), rows: &[Vec<f64>], y: &[f64], sample: Vec<usize>, rng: &mut Rng) -> Node {
    let (features, tried) = how;
    let mean = sample.iter().map(|&i| y[i]).sum::<f64>() / sample.len().max(1) as f64;
    if sample.len() < SMALLEST_SPLIT {
        return Node::Leaf(mean);
    }
    let looks = match tried {
        Tried::Half => features.len().div_ceil(2),
        Tried::All => features.len(),
    };
    let mut best: Option<(f64, usize, f64)> = None;
    for look in 0..looks {
        let feature = if tried == Tried::All { look } else { rng.random_range(0..features.len()) };
        for at in cuts(features[feature], rows, &sample, feature) {
            let inside = |i: &&usize| goes(features[feature], rows[**i][feature], at);
            let (n, sum) = sample.iter().filter(inside).fold((0.0, 0.0), |(n, s), &i| (n + 1.0, s + (y[i] - mean)));
            let rest = sample.len() as f64 - n;
            if n > 0.0 && rest > 0.0 {
                // Drop of the squared error: both sides' sums around the common mean are equal and opposite.
                let gain = sum * sum / n + sum * sum / rest;
                if best.is_none_or(|(most, ..)| gain > most) && gain > 1e-12 {
                    best = Some((gain, feature, at));
                }
            }
        }
    }
    let Some((_, feature, at)) = best else { return Node::Leaf(mean) };
    let kind = features[feature];
    let (yes, no) = sample.into_iter().partition(|&i| goes(kind, rows[i][feature], at));
    Node::Split {
        feature,
        kind,
        at,
        yes: Box::new(grow(how, rows, y, yes, rng)),
        no: Box::new(grow(how, rows, y, no, rng)),
    }
}

fn cuts(kind: Feature, rows: &[Vec<f64>], sample: &[usize], feature: usize) -> Vec<f64> {
    let mut values: Vec<f64> = sample.iter().map(|&i| rows[i][feature]).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    match kind {
        Feature::Ordered => values.windows(2).map(|w| f64::midpoint(w[0], w[1])).collect(),
        Feature::Category => values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::generator;

    #[test]
    fn a_forest_learns_a_threshold_and_a_category() {
        let mut rng = generator(1, 0, "forest");
        let rows: Vec<Vec<f64>> = (0..120).map(|_| vec![rng.random(), f64::from(rng.random_range(0..4))]).collect();
        let truth = |r: &[f64]| f64::from(u8::from(r[0] > 0.5)) * 10.0 + f64::from(u8::from(r[1] == 2.0)) * 5.0;
        let y: Vec<f64> = rows.iter().map(|r| truth(r)).collect();
        let forest = Forest::fit(&[Feature::Ordered, Feature::Category], Tried::Half, &rows, &y, &mut rng);
        for row in [[0.2, 2.0], [0.2, 1.0], [0.9, 2.0], [0.9, 0.0]] {
            assert!((forest.predict(&row) - truth(&row)).abs() < 1.5, "{row:?} {}", forest.predict(&row));
        }
    }
}
