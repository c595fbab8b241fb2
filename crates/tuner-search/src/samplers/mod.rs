//! One sampler, one file. Each is a pure function of the question it is asked.
//!
//! *Invariant*: what is suggested is canonical and neither finished nor running; the conformance suite
//! (`tests/it/conformance.rs`) holds every sampler to it.

pub mod bayesian;
pub mod grid;
pub mod random;
pub mod sobol;

use std::ops::ControlFlow;

use tuner_core::sampler::Sampler;
use tuner_core::space::SearchSpace;
use tuner_core::task::SamplerSpec;

use crate::explore::{Ended, Order, generator, walk};

/// Builds the sampler that a task asks for.
pub fn sampler(spec: &SamplerSpec) -> Box<dyn Sampler> {
    match spec {
        SamplerSpec::Grid => Box::new(grid::Grid),
        SamplerSpec::Random => Box::new(random::Random),
        SamplerSpec::Sobol => Box::new(sobol::Sobol),
        SamplerSpec::Bayesian { initial, candidates } => {
            Box::new(bayesian::Bayesian { initial: *initial, candidates: *candidates })
        }
    }
}

/// Steps spent on looking for one valid configuration when a task is checked.
const CHECK_LIMIT: usize = 200_000;

/// Checks, when a task is created, that the sampler can search this space.
///
/// Returns remarks for the user, one sentence each.
///
/// # Errors
/// The reason why nothing can be suggested, as a lower-case fragment.
pub fn check(spec: &SamplerSpec, space: &SearchSpace) -> Result<Vec<String>, String> {
    if let Some(parameter) = space.parameters.iter().find(|p| p.domain.cardinality() == Some(0)) {
        return Err(format!("{} has no value to choose from", parameter.name));
    }
    if let SamplerSpec::Bayesian { candidates: 0, .. } = spec {
        return Err("the bayesian sampler needs at least 1 candidate per suggestion".to_owned());
    }
    let mut rng = generator(0, 0, "check");
    let ended = walk(space, Order::Shuffled(&mut rng), CHECK_LIMIT, |_| ControlFlow::Break(()));
    if ended == Ended::Complete && space.cardinality_bound().is_some() {
        return Err("no configuration satisfies the conditions and constraints".to_owned());
    }
    let mut notes = Vec::new();
    if ended != Ended::Stopped {
        notes.push("No valid configuration was found quickly: the constraints leave very little.".to_owned());
    }
    if *spec == SamplerSpec::Grid {
        notes.extend(grid::discretisation(space));
    }
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use tuner_core::space::{Domain, Parameter};

    use super::*;

    fn space(domain: Domain) -> SearchSpace {
        let parameter = Parameter { name: "x".into(), domain, when: None };
        SearchSpace { parameters: vec![parameter], ..SearchSpace::default() }
    }

    #[test]
    fn a_task_that_cannot_be_searched_is_refused_with_the_reason() {
        let empty = space(Domain::Categorical { values: Vec::new() });
        assert_eq!(check(&SamplerSpec::Random, &empty), Err("x has no value to choose from".into()));
        let none = SamplerSpec::Bayesian { initial: None, candidates: 0 };
        assert!(check(&none, &space(Domain::Bool)).unwrap_err().contains("at least 1 candidate"));
    }

    #[test]
    fn grid_says_how_it_cuts_a_range_and_the_others_have_nothing_to_say() {
        let range = space(Domain::Float { low: 0.5, high: 0.9, step: None, log: false });
        assert_eq!(check(&SamplerSpec::Sobol, &range), Ok(vec![]));
        let notes = check(&SamplerSpec::Grid, &range).unwrap();
        assert_eq!(notes, ["Grid tries 5 values of x: 0.5, 0.6, 0.7, 0.8, 0.9; give a step to choose others."]);
    }
}
