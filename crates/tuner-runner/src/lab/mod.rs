//! Where attempts happen: on real engines, or in virtual time on the simulated engine's model.

mod real;
mod virtual_time;

use std::time::Duration;

use tokio::sync::watch;
use tuner_bench::Seeds;
use tuner_core::engine::EngineName;
use tuner_core::plan::{ExperimentView, Role};
use tuner_core::task::{QualityGuard, TaskSpec};
use tuner_core::{Bar, Configuration, Failure, Measurement, Percentile, Stat};
use tuner_deploy::{DeployError, DeploymentId};
use tuner_store::{Store, TaskId};

pub use real::{RealLab, RealLabSettings};
pub use virtual_time::VirtualLab;

use crate::activity::Activity;
use crate::attempt::Attempt;
use crate::error::RunError;

/// What is to be tried.
#[derive(Debug)]
pub struct Job<'a> {
    /// The task.
    pub task: TaskId,
    /// What was asked.
    pub spec: &'a TaskSpec,
    /// The experiment.
    pub experiment: &'a ExperimentView,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Every flag: fixed, baseline's and candidate's.
    pub flags: Configuration,
}

impl Job<'_> {
    /// The deployment's id, known before anything is launched.
    pub fn deployment(&self) -> String {
        format!("{}-e{}-a{}", self.task, self.experiment.number, self.attempt)
    }

    /// Seeds of the load. Experiments that are compared share lengths and arrivals; each pair of the verification has
    /// its own, so that the pairs are independent. Prompts differ between all attempts: an endpoint that already runs
    /// may have kept those of an attempt that was cut off.
    pub(crate) fn seeds(&self) -> Seeds {
        self.seeds_of(self.attempt)
    }

    /// The same in virtual time, where every attempt has an engine of its own: a function of the task's seed and the
    /// experiment's number, so that a task that was cut off and resumed equals one that was not (B8).
    pub(crate) fn virtual_seeds(&self) -> Seeds {
        self.seeds_of(0)
    }

    fn seeds_of(&self, attempt: u32) -> Seeds {
        let block = match self.experiment.role {
            Role::Baseline | Role::Search => 0,
            Role::Verify { block, .. } => u64::from(block) + 1,
        };
        let task = self.spec.seed;
        let prompts = (u64::from(self.experiment.number) << 32) | u64::from(attempt);
        Seeds {
            schedule: task.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(block),
            prompts: task.rotate_left(17) ^ prompts,
        }
    }
}

/// What is measured next with a ready engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// Position of the level in the task's list, from 0.
    pub(crate) level: u32,
    /// Repeat of this level within the attempt, from 0.
    pub(crate) repeat: u32,
    /// Threads that send and read, where not as many as suit the machine.
    pub(crate) client_threads: Option<u32>,
    /// What it has to be able to reach, or the experiment cannot win.
    pub(crate) bar: Option<Bar>,
}

/// A ready engine.
#[derive(Debug)]
pub enum Session {
    /// A real one.
    Real(Box<real::RealSession>),
    /// A simulated one.
    Virtual(Box<virtual_time::VirtualSession>),
}

/// Where attempts happen.
#[derive(Debug)]
pub enum Lab {
    /// Processes of this machine, or an endpoint that already runs.
    Real(Box<RealLab>),
    /// No process, no socket.
    Virtual(VirtualLab),
}

impl Lab {
    /// Deploys and waits until the engine answers as it should.
    pub(crate) async fn start(&self, job: &Job<'_>, attempt: &Attempt<'_>) -> Result<Session, RunError> {
        match self {
            Self::Real(lab) => lab.start(job, attempt).await.map(|s| Session::Real(Box::new(s))),
            Self::Virtual(lab) => lab.start(job, attempt).await.map(|s| Session::Virtual(Box::new(s))),
        }
    }

    /// Runs the quality guard against a ready engine.
    pub(crate) async fn guard(&self, job: &Job<'_>, session: &Session, guard: &QualityGuard) -> Result<(), Failure> {
        match (self, session) {
            (Self::Real(lab), Session::Real(session)) => lab.guard(job, session, guard).await,
            _ => Ok(()),
        }
    }

    /// Measures one level.
    pub(crate) async fn measure(
        &self,
        job: &Job<'_>,
        session: &Session,
        turn: Turn,
        activity: &watch::Sender<Activity>,
    ) -> Result<Measurement, Failure> {
        match (self, session) {
            (Self::Real(lab), Session::Real(session)) => lab.measure(job, session, turn, activity).await,
            (Self::Virtual(lab), Session::Virtual(session)) => lab.measure(job, session, turn),
            _ => Err(Failure::new(tuner_core::FailureClass::Internal, "a session of another lab")),
        }
    }

    /// Says more about a failure than the step that failed knew.
    pub(crate) async fn explain(&self, job: &Job<'_>, failure: Failure, under_load: bool) -> Failure {
        match self {
            Self::Real(lab) => lab.explain(job, failure, under_load).await,
            Self::Virtual(_) => failure,
        }
    }

    /// Stops the attempt's engine, by force after `grace`. `None` when there was nothing to stop.
    pub(crate) async fn stop(&self, job: &Job<'_>, grace: Duration) -> Result<Option<Duration>, DeployError> {
        match self {
            Self::Real(lab) => lab.stop(job, grace).await,
            Self::Virtual(_) => Ok(None),
        }
    }

    /// Whether experiments of a task may run beside each other on this host without disturbing each other: each has GPUs
    /// of its own, or what is measured is not the host.
    pub(crate) fn shares_host(&self, spec: &TaskSpec) -> bool {
        let simulated = spec.engine.name == EngineName::Simulated;
        match self {
            Self::Virtual(_) => true,
            Self::Real(lab) => spec.budget.share_host || simulated || spec.engine.gpus != Some(0) && lab.has_gpus(),
        }
    }

    /// Stops everything on this host that nobody works on any more, of whichever task, and says what it was.
    pub(crate) async fn reap(&self, store: &Store) -> Result<Vec<DeploymentId>, RunError> {
        match self {
            Self::Real(lab) => lab.reap(store).await,
            Self::Virtual(_) => Ok(Vec::new()),
        }
    }
}

/// Percentiles that the objectives name, besides the standard ones.
pub(crate) fn percentiles(spec: &TaskSpec) -> Vec<Percentile> {
    let stats = spec.objectives.iter().map(|o| o.resolve().stat);
    let named = stats.filter_map(|stat| match stat {
        Stat::Percentile(p) => Some(p),
        _ => None,
    });
    Percentile::STANDARD.into_iter().chain(named).collect()
}
