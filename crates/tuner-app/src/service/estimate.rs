//! What a task is going to cost, as far as that can be said before anything runs.
//!
//! *Invariant*: a figure that nothing is known of is absent. Bounds come from the document; what is typical comes from
//! attempts that were really made.

use serde::Serialize;
use tuner_core::TaskSpec;
use tuner_policy::Action;
use tuner_store::Typical;

use super::Service;
use super::tasks::Document;
use crate::access::Permit;
use crate::error::AppError;
use crate::tasks::is_virtual;

/// An experiment in virtual time takes milliseconds; no time-out of its document bounds that.
const INSTANT_S: f64 = 1.0;

/// Seconds between a least and a most, and what is usual in between.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Span {
    /// The measured windows alone; absent where levels count requests instead of seconds.
    pub least: Option<f64>,
    /// What earlier attempts with this engine took; absent where there were none.
    pub typical: Option<f64>,
    /// The time-outs.
    pub most: f64,
}

impl Span {
    fn times(self, n: f64) -> Self {
        Self { least: self.least.map(|x| x * n), typical: self.typical.map(|x| x * n), most: self.most * n }
    }
}

/// What a task is going to cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Points of the search space, conditions and constraints not counted; absent where it is continuous.
    pub configurations: Option<f64>,
    /// Experiments of the search, the baseline included.
    pub search_experiments: u32,
    /// Experiments of the final comparison.
    pub verification_experiments: u32,
    /// Levels in each of them, repeats included.
    pub levels_per_experiment: u32,
    /// GPUs that one deployment uses; absent where the document does not say.
    pub gpus: Option<u32>,
    /// Seconds of one experiment.
    pub experiment_s: Span,
    /// Seconds of the whole task, one experiment after the other.
    pub wall_time_s: Span,
    /// GPU-seconds of the whole task; absent where the number of GPUs is not known, or no engine runs.
    pub gpu_seconds: Option<Span>,
    /// Where the typical figures come from.
    pub basis: String,
}

impl Service {
    /// Says what a document would cost.
    ///
    /// # Errors
    /// [`AppError::TaskFile`] with every finding.
    pub async fn estimate_task(&self, permit: &Permit, document: &Document) -> Result<Estimate, AppError> {
        permit.must_be_for(Action::TaskCheck)?;
        let file = self.read(document).await?;
        let engine = file.spec.engine.name.name();
        let typical = self.store().typical_attempt(engine).await?;
        Ok(estimate(&file.spec, file.space.cardinality_bound(), typical))
    }
}

fn estimate(spec: &TaskSpec, points: Option<u128>, typical: Option<Typical>) -> Estimate {
    let budget = spec.budget.experiments;
    let search = points.map_or(budget, |n| budget.min(u32::try_from(n).unwrap_or(u32::MAX).max(1)));
    let verification = spec.verification.blocks * 2;
    let levels = u32::try_from(spec.load.levels.len()).unwrap_or(u32::MAX).saturating_mul(spec.repeats);
    let instant = is_virtual(spec);
    let experiment_s = Span {
        least: if instant { Some(0.0) } else { spec.load.duration_s.map(|window| window * f64::from(levels)) },
        typical: typical.filter(|_| !instant).map(|t| t.seconds),
        most: if instant { INSTANT_S } else { spec.timeouts.experiment_s * f64::from(spec.retries.max_attempts) },
    };
    let whole = experiment_s.times(f64::from(search + verification));
    let wall_time_s = match spec.budget.wall_time_s.filter(|_| !instant) {
        Some(limit) => Span { most: whole.most.min(limit + experiment_s.times(f64::from(verification)).most), ..whole },
        None => whole,
    };
    let basis = match typical {
        _ if instant => "virtual time: no engine runs, an experiment takes milliseconds".to_owned(),
        Some(t) => format!("the median of {} earlier attempts with this engine", t.attempts),
        None => "no earlier attempt with this engine; the bounds come from the document".to_owned(),
    };
    Estimate {
        configurations: points.map(|n| n as f64),
        search_experiments: search,
        verification_experiments: verification,
        levels_per_experiment: levels,
        gpus: spec.engine.gpus,
        experiment_s,
        wall_time_s,
        gpu_seconds: spec.engine.gpus.filter(|_| !instant).map(|gpus| wall_time_s.times(f64::from(gpus))),
        basis,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, typical: Option<Typical>) -> Estimate {
        let read = tuner_core::task::read(text, &Default::default()).unwrap();
        estimate(&read.spec, read.space.cardinality_bound(), typical)
    }

    const TASK: &str = "{name: t, model: {id: m}, engine: {name: vllm, gpus: 2}, \
        search_space: {parameters: {max-num-seqs: [8, 16, 32]}}, load: {levels: [{concurrency: 1}, {concurrency: 8}], \
        duration_s: 30}, budget: {experiments: 20}, verification: {blocks: 4}}";

    #[test]
    fn a_small_space_costs_no_more_experiments_than_it_has_points() {
        let said = of(TASK, None);
        assert_eq!((said.configurations, said.search_experiments, said.verification_experiments), (Some(3.0), 3, 8));
        assert_eq!((said.experiment_s.least, said.experiment_s.typical), (Some(60.0), None));
        assert_eq!(said.wall_time_s.least, Some(660.0));
        assert_eq!(said.gpu_seconds.unwrap().least, Some(1320.0));
    }

    #[test]
    fn virtual_time_takes_next_to_none() {
        let text = TASK.replace("{name: t,", "{name: t, backend: {kind: virtual},").replace("vllm", "simulated");
        let said = of(&text.replace("{experiments: 20}", "{experiments: 20, wall_time_s: 7200}"), None);
        assert!(said.wall_time_s.most < 100.0, "{said:?}");
        assert_eq!(said.gpu_seconds, None);
    }

    #[test]
    fn what_is_typical_comes_from_earlier_attempts() {
        let said = of(TASK, Some(Typical { attempts: 9, seconds: 100.0 }));
        assert_eq!(said.wall_time_s.typical, Some(1100.0));
        assert!(said.basis.contains("9 earlier attempts"));
    }
}
