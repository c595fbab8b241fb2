//! Which experiments count as good.
//!
//! *Invariant*: what crashed or runs is never among the good ones, and nothing is given a score it did not earn.

use tuner_core::sampler::{Finished, Observation};

use crate::analysis::pareto;

/// Positions in the history, ascending. `running` configurations are numbered after the finished ones.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// The best tenth, at most 25, of what was measured.
    pub(super) below: Vec<usize>,
    /// The rest, infeasible ones and (the constant liar) running ones included.
    pub(super) above: Vec<usize>,
}

/// Splits the history. `Failed` experiments say nothing and appear on neither side.
pub(super) fn split(finished: &[Finished], running: usize) -> Split {
    let counted: Vec<usize> = (0..finished.len()).filter(|&i| finished[i].observation != Observation::Failed).collect();
    let several = finished.iter().any(|f| objectives(f).is_some_and(|o| o.len() > 1));
    let wanted = counted.len().div_ceil(10).min(if several { usize::MAX } else { 25 });

    let mut below: Vec<usize> = ranked(finished, several, wanted).into_iter().take(wanted).collect();
    below.sort_unstable();
    let mut above: Vec<usize> = counted.into_iter().filter(|i| below.binary_search(i).is_err()).collect();
    above.extend(finished.len()..finished.len() + running);
    Split { below, above }
}

/// Measured experiments, best first: those that meet every SLO by objective, then those of them that were ended early
/// likewise, then the others by total violation.
fn ranked(finished: &[Finished], several: bool, wanted: usize) -> Vec<usize> {
    let measured = (0..finished.len()).filter(|&i| objectives(&finished[i]).is_some());
    let violation = |i: usize| finished[i].observation.total_violation();
    let (mut feasible, mut violating): (Vec<usize>, Vec<usize>) = measured.partition(|&i| violation(i) <= 0.0);
    violating.sort_by(|&i, &j| violation(i).total_cmp(&violation(j)));
    if several {
        feasible = by_rank(finished, &feasible, wanted);
    } else {
        let first = |i: usize| objectives(&finished[i]).and_then(|o| o.first().copied()).unwrap_or(f64::INFINITY);
        // What was ended early is at least as bad as its value.
        let censored = |i: usize| matches!(finished[i].observation, Observation::Censored { .. });
        feasible.sort_by(|&i, &j| censored(i).cmp(&censored(j)).then_with(|| first(i).total_cmp(&first(j))));
    }
    feasible.extend(violating);
    feasible
}

/// By non-domination rank; the rank that does not fit as a whole is thinned to the points that cover most.
fn by_rank(finished: &[Finished], feasible: &[usize], wanted: usize) -> Vec<usize> {
    let points: Vec<&[f64]> = feasible.iter().map(|&i| objectives(&finished[i]).unwrap_or_default()).collect();
    let rank = pareto::ranks(&points);
    let mut out = Vec::new();
    for level in 0.. {
        let members: Vec<usize> = (0..feasible.len()).filter(|&k| rank[k] == level).collect();
        if members.is_empty() || out.len() >= wanted {
            break;
        }
        let room = wanted - out.len();
        if members.len() <= room {
            out.extend(members.iter().map(|&k| feasible[k]));
        } else {
            let tied: Vec<&[f64]> = members.iter().map(|&k| points[k]).collect();
            out.extend(pareto::spread(&tied, room).into_iter().map(|k| feasible[members[k]]));
        }
    }
    out
}

fn objectives(finished: &Finished) -> Option<&[f64]> {
    match &finished.observation {
        Observation::Scored { objectives, .. } | Observation::Censored { objectives, .. } => Some(objectives),
        Observation::Infeasible | Observation::Failed => None,
    }
}

#[cfg(test)]
mod tests {
    use tuner_core::space::Configuration;

    use super::*;

    fn history(observations: Vec<Observation>) -> Vec<Finished> {
        observations.into_iter().map(|o| Finished { configuration: Configuration::default(), observation: o }).collect()
    }

    fn scored(objectives: &[f64], violation: f64) -> Observation {
        Observation::Scored { objectives: objectives.to_vec(), violations: vec![violation, -1.0], noise: None }
    }

    #[test]
    fn feasible_comes_before_violating_before_infeasible_and_running() {
        let mut observations = vec![scored(&[1.0], 0.5), Observation::Infeasible, scored(&[9.0], 0.0)];
        observations.extend([Observation::Failed, scored(&[2.0], 0.1)]);
        observations.extend(vec![Observation::Infeasible; 8]);
        // 12 counted: two are good.
        let split = split(&history(observations), 2);
        assert_eq!(split.below, [2, 4]);
        assert_eq!(split.above, [0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    }

    #[test]
    fn what_was_ended_early_comes_after_whatever_met_its_slos_and_before_what_did_not() {
        let ended = |x: f64| Observation::Censored { objectives: vec![x], violations: vec![0.0] };
        let mut observations = vec![scored(&[1.0], 0.5), ended(2.0), scored(&[9.0], 0.0), ended(1.0)];
        observations.extend(vec![Observation::Infeasible; 17]);
        // 21 counted: three are good.
        assert_eq!(split(&history(observations), 0).below, [1, 2, 3]);
    }

    #[test]
    fn nothing_that_crashed_is_ever_good() {
        let split = split(&history(vec![Observation::Infeasible; 30]), 0);
        assert!(split.below.is_empty());
        assert_eq!(split.above.len(), 30);
    }

    #[test]
    fn several_objectives_are_split_by_rank_and_then_by_spread() {
        let mut observations = vec![scored(&[5.0, 5.0], 0.0), scored(&[9.0, 9.0], 0.0), scored(&[1.0, 9.0], 0.0)];
        observations.extend([scored(&[9.0, 1.0], 0.0), scored(&[4.9, 5.1], 0.0)]);
        observations.extend(vec![Observation::Infeasible; 10]);
        // Two of fifteen: the middle covers most, then one of the ends.
        assert_eq!(split(&history(observations), 0).below, [0, 2]);
    }
}
