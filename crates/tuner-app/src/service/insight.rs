//! What the experiments of a task taught, and what is wrong with this machine: for doors.

use serde::Serialize;
use serde_json::{Value, json};
use tuner_core::plan::{ExperimentView, finished, suggestion};
use tuner_core::task::BackendSpec;
use tuner_core::{Configuration, SearchSpace, TaskSpec};
use tuner_policy::Action;
use tuner_search::analysis::effects::{ParameterEffect, effects};
use tuner_search::analysis::expected::{ExpectedSlice, expected};
use tuner_search::analysis::importance::{Importance, importance};
use tuner_search::analysis::pareto::{Candidate, front};

use super::tasks::Document;
use super::{Service, apart};
use crate::access::Permit;
use crate::doctor::{self, Check};
use crate::error::AppError;
use crate::report::{ExperimentReport, Report};
use crate::results::{self, LaunchFiles};
use crate::tasks::space_of;

/// Which parameters matter, what their values did, and which experiments no other one beats.
#[derive(Clone, Debug, Serialize)]
pub struct Insight {
    /// The task.
    pub task: String,
    /// The first objective.
    pub objective: String,
    /// Share of each parameter; none where too little was measured.
    pub importance: Option<Importance>,
    /// Marginal means of what was tried: not causes.
    pub effects: Vec<ParameterEffect>,
    /// What to expect around the best experiment; none where too little was measured.
    pub expected: Option<Expected>,
    /// Numbers of the experiments on the Pareto front over all objectives, or over latency and throughput of the
    /// deciding level where there is one.
    pub pareto_front: Vec<u32>,
    /// What was infeasible or failed, by reason, with experiment numbers.
    pub not_measured: Vec<NotMeasured>,
}

/// The objective to expect as one parameter is changed and the others stay.
#[derive(Clone, Debug, Serialize)]
pub struct Expected {
    /// The experiment that the others are as in: the best, or the baseline where none is better.
    pub experiment: u32,
    /// Each parameter that it sets, in the objective's own unit and sign.
    pub slices: Vec<ExpectedSlice>,
}

/// How to start a configuration; nothing where the task measures what others started.
#[derive(Clone, Debug, Serialize)]
pub struct HowToLaunch {
    /// A line for a shell on this machine.
    pub command: Option<String>,
    /// Files for elsewhere.
    pub files: Option<LaunchFiles>,
}

/// What the search tries next, in its order; fewer than `most` where the space is exhausted.
pub(super) fn suggestions(
    spec: &TaskSpec,
    space: &SearchSpace,
    experiments: &[ExperimentView],
    most: usize,
) -> Vec<Configuration> {
    let sampler = tuner_search::sampler(&spec.sampler);
    let mut next = Vec::new();
    while next.len() < most {
        match suggestion(spec, space, experiments, &next, sampler.as_ref()) {
            Ok(configuration) => next.push(configuration),
            Err(_) => break,
        }
    }
    next
}

/// Experiments without a score, and why.
#[derive(Clone, Debug, Serialize)]
pub struct NotMeasured {
    /// The class of the failure, or the outcome.
    pub reason: String,
    /// Numbers.
    pub experiments: Vec<u32>,
}

/// Experiments side by side.
#[derive(Clone, Debug, Serialize)]
pub struct SideBySide {
    /// The parameters in which they differ: number to value, as text.
    pub differences: Vec<Value>,
    /// Each experiment as reports show it.
    pub experiments: Vec<ExperimentReport>,
}

impl Service {
    /// The report of a task.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task.
    pub async fn results(&self, permit: &Permit, wanted: &str) -> Result<Report, AppError> {
        permit.must_be_for(Action::TaskRead)?;
        let row = self.find(wanted).await?;
        results::gather(self.home(), self.store(), row.id, self.around()).await
    }

    /// How to start the configuration of an experiment: the command for a shell here, and files for elsewhere.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task or experiment.
    pub async fn launch(&self, permit: &Permit, wanted: &str, number: u32) -> Result<HowToLaunch, AppError> {
        permit.must_be_for(Action::ExperimentRead)?;
        let task = self.store().full_task(wanted).await?;
        let (spec, experiment) = (task.spec, self.store().experiment(task.row.id, number).await?);
        let (home, around) = (self.home().clone(), self.around().clone());
        Ok(apart(move || HowToLaunch {
            command: results::paste_command(&home, &spec, &experiment.configuration, &around),
            files: results::launch_files(&spec, &experiment.configuration),
        })
        .await)
    }

    /// What the experiments of a task taught.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task; [`AppError::Search`].
    pub async fn insight(&self, permit: &Permit, wanted: &str) -> Result<Insight, AppError> {
        permit.must_be_for(Action::TaskRead)?;
        let row = self.find(wanted).await?;
        let state = self.store().load(row.id).await?;
        let (home, around) = (self.home().clone(), self.around().clone());
        apart(move || {
            let report = results::report_of(&home, &state, &around);
            let space = space_of(&state.spec)?;
            let taught = finished(&state.spec, &space, &state.experiments);
            let scored: Vec<&ExperimentReport> =
                report.experiments.iter().filter(|e| !e.verification && e.objective.is_some()).collect();
            let sign = if report.smaller_is_better { 1.0 } else { -1.0 };
            let candidates: Vec<Candidate> = scored
                .iter()
                .map(|e| {
                    let time = e
                        .levels
                        .iter()
                        .find_map(|l| l.figures.get("ttft_p50_ms").or(l.figures.get("e2e_latency_p50_ms")));
                    let objective = e.objective.unwrap_or_default() * sign;
                    let objectives = std::iter::once(objective).chain(time.copied()).collect();
                    Candidate { objectives, violation: e.missed.len() as f64 }
                })
                .collect();
            let width = candidates.iter().map(|c| c.objectives.len()).min().unwrap_or(0);
            let candidates: Vec<Candidate> = candidates
                .into_iter()
                .map(|c| Candidate { objectives: c.objectives.into_iter().take(width).collect(), ..c })
                .collect();
            let pareto_front = front(&candidates).into_iter().map(|at| scored[at].number).collect();
            let mut not_measured: Vec<NotMeasured> = Vec::new();
            for experiment in report.experiments.iter().filter(|e| e.objective.is_none() && e.outcome != "running") {
                let reason = experiment.failure.as_ref().map_or(experiment.outcome.to_owned(), |f| f.class.clone());
                match not_measured.iter_mut().find(|n| n.reason == reason) {
                    Some(known) => known.experiments.push(experiment.number),
                    None => not_measured.push(NotMeasured { reason, experiments: vec![experiment.number] }),
                }
            }
            let centre = report.best.or(report.baseline);
            let centre = centre.and_then(|number| report.experiments.iter().find(|e| e.number == number));
            let expected = centre.and_then(|e| {
                let slices = expected(&space, &taught, (0, sign), &e.configuration, 0)?;
                Some(Expected { experiment: e.number, slices })
            });
            Ok(Insight {
                expected,
                task: report.task.clone(),
                objective: report.objectives.first().cloned().unwrap_or_default(),
                importance: importance(&space, &taught, 0, 0),
                effects: effects(&space, &taught, 0),
                pareto_front,
                not_measured,
            })
        })
        .await
    }

    /// What the search of a task would try next, in its order, whether or not its budget has room. Fewer than `most`
    /// where the space is exhausted.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task; [`AppError::Search`].
    pub async fn next_configurations(
        &self,
        permit: &Permit,
        wanted: &str,
        most: usize,
    ) -> Result<Vec<Configuration>, AppError> {
        permit.must_be_for(Action::TaskRead)?;
        let row = self.find(wanted).await?;
        let state = self.store().load(row.id).await?;
        apart(move || {
            let space = space_of(&state.spec)?;
            Ok(suggestions(&state.spec, &space, &state.experiments, most))
        })
        .await
    }

    /// Two to six experiments of a task side by side.
    ///
    /// # Errors
    /// [`AppError::Invalid`]; [`AppError::Store`]: no such task or experiment.
    pub async fn side_by_side(&self, permit: &Permit, wanted: &str, numbers: &[u32]) -> Result<SideBySide, AppError> {
        permit.must_be_for(Action::ExperimentRead)?;
        if !(2..=6).contains(&numbers.len()) {
            let message = "name two to six experiments".to_owned();
            return Err(AppError::Invalid { field: "experiments", message });
        }
        let row = self.find(wanted).await?;
        let report = results::gather(self.home(), self.store(), row.id, self.around()).await?;
        let known: Vec<String> = report.experiments.iter().map(|e| e.number.to_string()).collect();
        let known = known.join(", ");
        let mut experiments = Vec::new();
        for number in numbers {
            let found = report.experiments.iter().find(|e| e.number == *number);
            let absent =
                || AppError::NoSuchExperiment { task: row.name.clone(), number: *number, known: known.clone() };
            experiments.push(found.ok_or_else(absent)?.clone());
        }
        let mut names: Vec<&str> =
            experiments.iter().flat_map(|e| e.configuration.iter().map(|(name, _)| name)).collect();
        names.sort_unstable();
        names.dedup();
        let differences = names.into_iter().filter_map(|name| {
            let values: Vec<Option<String>> =
                experiments.iter().map(|e| e.configuration.get(name).map(ToString::to_string)).collect();
            let differs = values.iter().any(|value| *value != values[0]);
            let by_number: Vec<Value> =
                numbers.iter().zip(&values).map(|(n, value)| json!({ "experiment": n, "value": value })).collect();
            differs.then(|| json!({ "parameter": name, "values": by_number }))
        });
        let differences = differences.collect();
        Ok(SideBySide { differences, experiments })
    }

    /// Checks this machine.
    ///
    /// # Errors
    /// Only the permit can be wrong.
    pub async fn check_machine(&self, permit: &Permit) -> Result<Vec<Check>, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        let (home, around) = (self.home().clone(), self.around().clone());
        Ok(apart(move || doctor::check_machine(&home, &around)).await)
    }

    /// Checks a stored task against this machine.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task.
    pub async fn check_stored_task(&self, permit: &Permit, wanted: &str) -> Result<Vec<Check>, AppError> {
        permit.must_be_for(Action::SystemRead)?;
        let spec = self.store().full_task(wanted).await?.spec;
        let (home, around) = (self.home().clone(), self.around().clone());
        Ok(apart(move || doctor::check_task(&home, &spec, &around)).await)
    }

    /// A stored task as the document that would make it again.
    ///
    /// # Errors
    /// [`AppError::Store`]: no such task.
    pub async fn document_of(&self, permit: &Permit, wanted: &str) -> Result<Document, AppError> {
        permit.must_be_for(Action::TaskRead)?;
        let spec = self.store().full_task(wanted).await?.spec;
        Ok(Document { text: tuner_core::task::to_yaml(&spec), backend: None::<BackendSpec> })
    }
}
