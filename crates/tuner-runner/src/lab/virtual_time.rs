//! Attempts in virtual time: the simulated engine's model is evaluated directly, with no process and no socket.
//!
//! *Invariant*: the same plan, report and windows as for a real engine; only what answers differs.

use std::sync::Arc;
use std::time::Duration;

use tuner_bench::LevelPlan;
use tuner_bench::report::{ClassSlos, ReportInput, Window, measurement};
use tuner_core::{Failure, FailureClass, Measurement, with_causes};
use tuner_sim::{Drive, SimEngine, noise, run_level};

use super::Job;
use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::error::RunError;

/// The laboratory of simulated tasks.
#[derive(Debug)]
pub struct VirtualLab {
    clock: Arc<Clock>,
}

/// A simulated engine that is up.
#[derive(Debug)]
pub struct VirtualSession {
    engine: SimEngine,
}

impl VirtualLab {
    /// A laboratory whose work moves `clock`.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { clock }
    }

    pub(crate) async fn start(&self, job: &Job<'_>, attempt: &Attempt<'_>) -> Result<VirtualSession, RunError> {
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
        Ok(VirtualSession { engine })
    }

    pub(crate) fn measure(
        &self,
        job: &Job<'_>,
        session: &VirtualSession,
        level: u32,
        repeat: u32,
    ) -> Result<Measurement, Failure> {
        let api = job.spec.workload.api;
        if !tuner_bench::protocol::generates(api) {
            let what = format!("{} is not simulated: no tokens are generated; measure a real engine", api.name());
            return Err(Failure::new(FailureClass::Internal, what));
        }
        let plan = LevelPlan::new(&job.spec.workload, &job.spec.load, level, repeat, job.virtual_seeds())
            .map_err(|error| Failure::new(FailureClass::Internal, with_causes(&error)))?;
        let drive = Drive {
            concurrency: plan.arrival.concurrency,
            duration_s: plan.duration_s,
            request_timeout_s: plan.request_timeout.as_secs_f64(),
            limit_s: Some(job.spec.timeouts.measure_s),
            ..Drive::default()
        };
        let seed = noise_seed(job.spec.seed, job.experiment.number, level, repeat);
        let run = run_level(&session.engine, &mut plan.requests(), &drive, seed);
        self.clock.advance(Duration::from_secs_f64(run.elapsed_s.max(0.0)));
        if let Some(crash) = run.crash {
            return Err(crash);
        }
        Ok(measurement(&ReportInput {
            level,
            repeat,
            open_loop: plan.is_open_loop(),
            streams: plan.streams(),
            records: &run.records,
            window: Window::of(&plan, &run.records),
            elapsed_s: run.elapsed_s,
            slos: &job.spec.slos,
            percentiles: &super::percentiles(job.spec),
            class_slos: &ClassSlos::new(),
        }))
    }
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
