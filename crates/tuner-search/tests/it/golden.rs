//! What each sampler suggests for one seed. A change here means that a task resumed by the new version goes on
//! differently from the old one: say so in the changelog.

use std::fmt::Write;

use tuner_core::sampler::{Ask, Finished, Observation};
use tuner_core::space::Domain;
use tuner_core::task::SamplerSpec;
use tuner_search::sampler;

use crate::spaces::{int, parameter, space, words};

#[test]
fn suggestions_for_a_seed_stay_the_same() {
    let space = space(
        vec![
            parameter("seqs", Domain::Int { low: 8, high: 512, step: 8, log: true }, None),
            parameter("cache", Domain::Bool, None),
            parameter("kind", words(&["a", "b"]), None),
            parameter("depth", int(1, 4), Some("kind == \"b\"")),
        ],
        &["seqs >= 32 or cache"],
    );
    let mut out = String::new();
    for spec in [SamplerSpec::Grid, SamplerSpec::Random, SamplerSpec::Sobol, SamplerSpec::default()] {
        writeln!(out, "{spec:?}").unwrap();
        let sampler = sampler(&spec);
        let mut finished: Vec<Finished> = Vec::new();
        for index in 0..9 {
            let ask = Ask { space: &space, finished: &finished, running: &[], budget: 12, index, seed: 42 };
            let configuration = sampler.suggest(&ask).unwrap();
            writeln!(out, "  {configuration}").unwrap();
            let seqs = configuration.get("seqs").unwrap().as_f64().unwrap();
            let observation = if seqs > 400.0 {
                Observation::Infeasible
            } else {
                Observation::Scored { objectives: vec![-seqs], violations: vec![seqs / 300.0 - 1.0], noise: None }
            };
            finished.push(Finished { configuration, observation });
        }
    }
    insta::assert_snapshot!(out);
}
