//! Trade-offs between objectives. Every objective is minimised; points are slices of equal length.

use tuner_core::sampler::Observation;

/// Whether `a` is at least as good as `b` everywhere and better somewhere.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(x, y)| x <= y) && a.iter().zip(b).any(|(x, y)| x < y)
}

/// A point with its violation of the constraints.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// One value per objective, smaller is better.
    pub objectives: Vec<f64>,
    /// Sum of the positive violations: 0 is feasible, infinite cannot work.
    pub violation: f64,
}

impl Candidate {
    /// The candidate that an observation describes; `None` where nothing was measured.
    pub fn of(observation: &Observation) -> Option<Self> {
        match observation {
            Observation::Scored { objectives, .. } => {
                Some(Self { objectives: objectives.clone(), violation: observation.total_violation() })
            }
            Observation::Censored { .. } | Observation::Infeasible | Observation::Failed => None,
        }
    }
}

/// Constrained domination (Deb 2000): feasible before infeasible, then by violation, then by the objectives.
pub fn constrained_dominates(a: &Candidate, b: &Candidate) -> bool {
    match (a.violation <= 0.0, b.violation <= 0.0) {
        (true, true) => dominates(&a.objectives, &b.objectives),
        (false, false) => a.violation < b.violation,
        (feasible, _) => feasible,
    }
}

/// Positions of the feasible candidates that no other dominates, in the given order. Equal points are all kept.
pub fn front(candidates: &[Candidate]) -> Vec<usize> {
    let feasible = |i: &usize| candidates[*i].violation <= 0.0;
    let free = |i: &usize| !candidates.iter().any(|c| constrained_dominates(c, &candidates[*i]));
    (0..candidates.len()).filter(feasible).filter(free).collect()
}

/// Non-domination rank of each point: 0 for the front, 1 for the front of the rest, and so on.
pub fn ranks(points: &[&[f64]]) -> Vec<usize> {
    let mut rank = vec![usize::MAX; points.len()];
    let mut left: Vec<usize> = (0..points.len()).collect();
    for level in 0.. {
        if left.is_empty() {
            break;
        }
        let on_front = |&i: &usize| !left.iter().any(|&j| dominates(points[j], points[i]));
        let (now, later): (Vec<usize>, Vec<usize>) = left.iter().partition(|i| on_front(i));
        if now.is_empty() {
            // Only values without an order (not a number) can keep each other out.
            left.iter().for_each(|&i| rank[i] = level);
            break;
        }
        now.iter().for_each(|&i| rank[i] = level);
        left = later;
    }
    rank
}

/// Crowding distance (Deb 2002): sum over the objectives of the normalised gap between the neighbours; infinite at the
/// ends.
pub fn crowding(points: &[&[f64]]) -> Vec<f64> {
    let mut distance = vec![0.0; points.len()];
    for objective in 0..points.first().map_or(0, |p| p.len()) {
        let at = |i: usize| points[i][objective];
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&i, &j| at(i).total_cmp(&at(j)));
        let (first, last) = (order[0], order[order.len() - 1]);
        let range = at(last) - at(first);
        distance[first] = f64::INFINITY;
        distance[last] = f64::INFINITY;
        for w in order.windows(3) {
            if range > 0.0 {
                distance[w[1]] += (at(w[2]) - at(w[0])) / range;
            }
        }
    }
    distance
}

/// Volume dominated by `points` and bounded by `reference`. Exact for any number of objectives by slicing along the
/// last one; meant for the few hundred points and two or three objectives of a task.
pub fn hypervolume(points: &[&[f64]], reference: &[f64]) -> f64 {
    let inside: Vec<&[f64]> = points.iter().filter(|p| p.iter().zip(reference).all(|(x, r)| x < r)).copied().collect();
    volume(&inside, reference)
}

fn volume(points: &[&[f64]], reference: &[f64]) -> f64 {
    let Some((&end, rest)) = reference.split_last() else { return 0.0 };
    let axis = rest.len();
    let mut order: Vec<&[f64]> = points.to_vec();
    order.sort_by(|a, b| a[axis].total_cmp(&b[axis]));
    if axis == 0 {
        return order.first().map_or(0.0, |p| end - p[0]);
    }
    let mut total = 0.0;
    for (i, point) in order.iter().enumerate() {
        let thickness = order.get(i + 1).map_or(end, |next| next[axis]) - point[axis];
        if thickness > 0.0 {
            let slice: Vec<&[f64]> = order[..=i].iter().map(|p| &p[..axis]).collect();
            total += thickness * volume(&slice, rest);
        }
    }
    total
}

/// Chooses `count` of `points` one by one, each time the one that adds most hypervolume (greedy subset selection); with
/// more than three objectives by crowding distance. Returns positions in the order of choice.
pub fn spread(points: &[&[f64]], count: usize) -> Vec<usize> {
    let objectives = points.first().map_or(0, |p| p.len());
    if objectives > 3 {
        let distance = crowding(points);
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&i, &j| distance[j].total_cmp(&distance[i]));
        order.truncate(count);
        return order;
    }
    let reference = reference_point(points);
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < count.min(points.len()) {
        let with = |i: usize| {
            let set: Vec<&[f64]> = chosen.iter().chain([&i]).map(|&j| points[j]).collect();
            hypervolume(&set, &reference)
        };
        let gain = |i: usize| (i, with(i));
        let better = |a: (usize, f64), b: (usize, f64)| if b.1 > a.1 { b } else { a };
        let left = (0..points.len()).filter(|i| !chosen.contains(i)).map(gain);
        let Some((best, _)) = left.reduce(better) else { break };
        chosen.push(best);
    }
    chosen
}

/// A tenth beyond the worst value of each objective (Optuna's rule: the larger of 1.1 w and 0.9 w).
pub fn reference_point(points: &[&[f64]]) -> Vec<f64> {
    let worst = |d: usize| points.iter().map(|p| p[d]).fold(f64::NEG_INFINITY, f64::max);
    let beyond = |w: f64| if w == 0.0 { f64::EPSILON } else { (1.1 * w).max(0.9 * w) };
    (0..points.first().map_or(0, |p| p.len())).map(|d| beyond(worst(d))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn views(points: &[Vec<f64>]) -> Vec<&[f64]> {
        points.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn the_front_holds_feasible_points_only() {
        let candidate = |x: f64, y: f64, violation: f64| Candidate { objectives: vec![x, y], violation };
        let all =
            [candidate(1.0, 3.0, 0.0), candidate(0.0, 0.0, 0.1), candidate(2.0, 2.0, 0.0), candidate(2.0, 3.0, 0.0)];
        assert_eq!(front(&all), [0, 2]);
        assert!(constrained_dominates(&all[3], &all[1]));
        assert_eq!(front(&all[1..2]), [0usize; 0]);
    }

    #[test]
    fn hypervolumes_of_known_shapes() {
        let square = [vec![1.0, 2.0], vec![2.0, 1.0]];
        assert_eq!(hypervolume(&views(&square), &[3.0, 3.0]), 3.0);
        let cubes = [vec![0.0, 0.0, 1.0], vec![1.0, 1.0, 0.0], vec![5.0, 0.0, 0.0]];
        assert_eq!(hypervolume(&views(&cubes), &[2.0, 2.0, 2.0]), 4.0 + 1.0);
    }

    #[test]
    fn ties_are_broken_towards_a_spread_front() {
        let points = [vec![0.0, 10.0], vec![0.1, 9.9], vec![5.0, 5.0], vec![10.0, 0.0]];
        assert_eq!(spread(&views(&points), 1), [2]);
        assert_eq!(crowding(&views(&points))[0], f64::INFINITY);
    }

    proptest! {
        #[test]
        fn ranks_agree_with_domination(points in vec(vec(-3i32..3, 3), 1..20)) {
            let points: Vec<Vec<f64>> = points.into_iter().map(|p| p.into_iter().map(f64::from).collect()).collect();
            let rank = ranks(&views(&points));
            for (i, a) in points.iter().enumerate() {
                let best = points.iter().enumerate().filter(|(_, b)| dominates(b, a)).map(|(j, _)| rank[j] + 1).max();
                prop_assert_eq!(rank[i], best.unwrap_or(0));
            }
        }

        #[test]
        fn hypervolume_equals_the_count_of_dominated_cells(points in vec(vec(0u8..6, 3), 0..8)) {
            let floats: Vec<Vec<f64>> = points.iter().map(|p| p.iter().map(|&x| f64::from(x)).collect()).collect();
            let covered = |x: u8, y: u8, z: u8| points.iter().any(|p| p[0] <= x && p[1] <= y && p[2] <= z);
            let cells = (0..216u8).filter(|i| covered(i / 36, i / 6 % 6, i % 6)).count();
            prop_assert_eq!(hypervolume(&views(&floats), &[6.0; 3]), cells as f64);
        }
    }
}
