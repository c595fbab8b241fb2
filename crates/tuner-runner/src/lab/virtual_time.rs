//! Attempts in virtual time: the simulated engine's model is evaluated directly, with no process and no socket.
//!
//! *Invariant*: the same plan, report and windows as for a real engine; only what answers differs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tuner_bench::PreparedWorkload;
use tuner_bench::report::{ReportInput, Window, measurement};
use tuner_bench::stopping::{LevelWatch, Losing, Verdict};
use tuner_core::record::RequestRecord;
use tuner_core::task::{DatasetSpec, WorkloadSpec};
use tuner_core::{Failure, FailureClass, Measurement, with_causes};
use tuner_sim::{Drive, Follow, SimEngine, Talk, noise, run_conversations_followed, run_level_followed};

use super::{Job, Turn};
use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::error::RunError;

/// The laboratory of simulated tasks.
#[derive(Debug)]
pub struct VirtualLab {
    clock: Arc<Clock>,
    /// Read with the first attempt.
    workload: OnceCell<Arc<PreparedWorkload>>,
}

/// A simulated engine that is up.
#[derive(Debug)]
pub struct VirtualSession {
    engine: SimEngine,
    workload: Arc<PreparedWorkload>,
}

impl VirtualLab {
    /// A laboratory whose work moves `clock`.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { clock, workload: OnceCell::new() }
    }

    pub(crate) async fn start(&self, job: &Job<'_>, attempt: &Attempt<'_>) -> Result<VirtualSession, RunError> {
        let workload = self.workload.get_or_try_init(|| prepare(&job.spec.workload)).await?.clone();
        let gpus = job.spec.engine.hardware.as_ref().map_or(1, |h| h.count);
        attempt.learn(|evidence| evidence.gpus = Some(gpus)).await?;
        let engine = match SimEngine::new(&job.spec.model, &job.spec.engine, &job.flags) {
            Ok(engine) => engine,
            Err(error) => {
                // A refusal of arguments is quick; running out of memory takes the loading first.
                self.clock.advance(Duration::from_secs(10));
                return Err(error.failure().into());
            }
        };
        self.clock.advance(engine.startup());
        let ready_s = engine.startup().as_secs_f64();
        let served = engine.served_name().to_owned();
        attempt
            .learn(|evidence| {
                evidence.ready_s = Some(ready_s);
                evidence.served_model = Some(served);
                evidence.engine_version = Some(format!("simulated {}", env!("CARGO_PKG_VERSION")));
            })
            .await?;
        Ok(VirtualSession { engine, workload })
    }

    pub(crate) fn measure(
        &self,
        job: &Job<'_>,
        session: &VirtualSession,
        Turn { level, repeat, bar, .. }: Turn,
    ) -> Result<Measurement, Failure> {
        let mut plan = session
            .workload
            .plan(&job.spec.load, level, repeat, job.virtual_seeds())
            .map_err(|error| Failure::new(FailureClass::Workload, with_causes(&error)))?;
        plan.stop.losing = bar.map(|bar| Losing::of(bar, &job.spec.slos));
        if let Some(part) = plan.parts.iter().find(|part| !part.is_text()) {
            let what = part.scenario().map_or_else(|| part.api.name().to_owned(), |scenario| scenario.to_string());
            let text = format!("virtual time knows no embeddings, rankings or pictures: `{what}` needs a real engine");
            return Err(Failure::new(FailureClass::Workload, text));
        }
        let drive = Drive {
            concurrency: plan.arrival.concurrency,
            duration_s: plan.duration_s,
            request_timeout_s: plan.request_timeout.as_secs_f64(),
            limit_s: Some(job.spec.timeouts.measure_s),
            ..Drive::default()
        };
        let seed = noise_seed(job.spec.seed, job.experiment.number, level, repeat);
        let mut follower = Follower { watch: LevelWatch::of(&plan), opened_s: None, verdict: None };
        let mut run = if plan.talks() {
            let talk = Talk { warmup: plan.warmup, requests: plan.requests, window: plan.open_window() };
            run_conversations_followed(&session.engine, &mut plan.conversations(), &drive, &talk, seed, &mut follower)
        } else {
            run_level_followed(&session.engine, &mut plan.requests(), &drive, seed, &mut follower)
        };
        self.clock.advance(Duration::from_secs_f64(run.elapsed_s.max(0.0)));
        if let Some(crash) = run.crash {
            return Err(crash);
        }
        let verdict = follower.verdict;
        plan.add_unsent(&mut run.records, verdict.is_some());
        let window = Window::of(&plan, &run.records, verdict.as_ref().map(|verdict| verdict.at_s));
        let stopped = verdict.map(|verdict| verdict.stopped(window));
        let mut measurement = measurement(&ReportInput {
            level,
            repeat,
            open_loop: plan.is_open_loop(),
            streams: plan.streams(),
            records: &run.records,
            window,
            elapsed_s: run.elapsed_s,
            stopped: stopped.as_ref(),
            slos: &job.spec.slos,
            percentiles: &super::percentiles(job.spec),
            class_slos: &plan.class_slos(),
        });
        measurement.notes.extend(session.workload.notes());
        if !job.spec.workload.models.is_empty() {
            let note = "every model name was answered by the one simulated model: adapters cost nothing here";
            measurement.notes.push(note.to_owned());
        }
        Ok(measurement)
    }
}

/// Asks the level's rules, as the load generator does on its tick.
struct Follower {
    watch: Option<LevelWatch>,
    /// When the first measured request was sent.
    opened_s: Option<f64>,
    verdict: Option<Verdict>,
}

impl Follow for Follower {
    fn first_token(&mut self, record: &RequestRecord) {
        if let (Some(watch), Some(at), false) = (&mut self.watch, record.first_token_s(), record.warmup) {
            self.opened_s = self.opened_s.or(record.sent_s);
            watch.first_token(record.planned_s, at);
        }
    }

    fn ended(&mut self, record: &RequestRecord) {
        if let Some(watch) = &mut self.watch {
            watch.ended(record);
        }
    }

    fn stops(&mut self, now_s: f64) -> bool {
        if let Some(watch) = self.watch.as_mut().filter(|_| self.opened_s.is_some()) {
            self.verdict = watch.look(now_s);
        }
        self.verdict.is_some()
    }
}

/// Reads what the levels are planned from. Virtual time has no tokenizer and no network.
async fn prepare(workload: &WorkloadSpec) -> Result<Arc<PreparedWorkload>, Failure> {
    if let Some(dataset) = workload.datasets().into_iter().flatten().find(DatasetSpec::is_url) {
        let text =
            format!("virtual time fetches nothing; fetch {} and give the file as `dataset.source`", dataset.source);
        return Err(Failure::new(FailureClass::Workload, text));
    }
    let prepared = PreparedWorkload::lengths_only(workload).await;
    prepared.map(Arc::new).map_err(|error| Failure::new(FailureClass::Workload, with_causes(&error)))
}

/// The engine's noise is the experiment's own: no two experiments share it, or the pairs of the verification would
/// not be independent, and no attempt changes it, or a resumed task would differ from one that was not cut off.
fn noise_seed(task: u64, experiment: u32, level: u32, repeat: u32) -> u64 {
    noise::bits(task, u64::from(experiment), (u64::from(level) << 32) | u64::from(repeat))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_measurements_of_a_task_share_their_noise() {
        let all = (1..=60u32).flat_map(|e| (0..8).flat_map(move |l| (0..4).map(move |r| noise_seed(3, e, l, r))));
        assert_eq!(all.collect::<BTreeSet<u64>>().len(), 60 * 8 * 4);
    }
}
