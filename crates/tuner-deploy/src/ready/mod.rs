//! Waiting until an engine is ready: its health page is good, it serves the model that was asked for, and it has
//! generated text once. Each stage fails with its own name.
//!
//! *Invariant*: the wait ends at once when the process dies, when its budget is spent, or when it is cancelled;
//! no request that hangs can hold it.

mod endpoint;
mod stages;

use std::fmt;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use reqwest::Client;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tuner_core::task::Timeouts;
use tuner_core::{Failure, FailureClass};

pub use self::endpoint::Endpoint;
use self::stages::{Progress, Refusal};
use crate::redact::Secrets;
use crate::{Backend, DeployError, DeploymentId, Exit, Launch, Running, Status, logs};

/// How often a process is asked whether it lives.
const PULSE: Duration = Duration::from_millis(100);
/// Log lines that go with a failure.
const TAIL_LINES: usize = 40;

/// Time for the parts of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// From the call of launch to the process being up.
    pub provision: Duration,
    /// From there to the first good answer.
    pub ready: Duration,
    /// The most it may take if the log still moves when `ready` is spent.
    pub limit: Duration,
    /// A log that has not grown for that long does not move.
    pub quiet: Duration,
}

impl From<&Timeouts> for Budgets {
    fn from(timeouts: &Timeouts) -> Self {
        let duration = |s: f64| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX);
        Self {
            provision: duration(timeouts.provision_s),
            ready: duration(timeouts.ready_s),
            limit: duration(timeouts.ready_limit_s),
            quiet: Duration::from_secs(60),
        }
    }
}

/// The deployment behind an endpoint, for noticing its death and its signs of life.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// Where it runs.
    pub backend: &'a dyn Backend,
    /// Its id.
    pub id: &'a DeploymentId,
    /// Its log.
    pub log: &'a Path,
    /// What must not appear in log lines that are passed on.
    pub secrets: &'a Secrets,
}

/// Where a start stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The process is being made.
    Launch,
    /// Its health page is not good yet.
    Health,
    /// It does not list the model yet.
    Model,
    /// It has not generated yet.
    Generation,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Launch => "launching",
            Self::Health => "waiting for its health page",
            Self::Model => "asking for its model",
            Self::Generation => "generating the first text",
        })
    }
}

/// An engine that answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// The name to ask for, as the engine lists it.
    pub model: String,
    /// Longest context in tokens, where the model list says so.
    pub max_context: Option<u64>,
    /// When each stage was passed, from the beginning of the wait.
    pub passed: Vec<(Stage, Duration)>,
    /// The first text it generated.
    pub text: String,
}

/// Why an engine is not ready.
#[derive(Debug, thiserror::Error)]
#[error("{why} while {stage}, after {:.1} s", after.as_secs_f64())]
pub struct NotReady {
    /// The reason.
    pub why: Why,
    /// The stage that was not passed.
    pub stage: Stage,
    /// Since the beginning of the wait.
    pub after: Duration,
    /// The engine's last lines, secrets removed; none for attached endpoints.
    pub log_tail: Vec<String>,
}

/// The reason an engine is not ready.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// A person or a limit stopped the wait.
    #[error("cancelled")]
    Cancelled,
    /// The process ended; its class is for the engine's own rules to find in exit and log.
    #[error("the engine ended with {exit}")]
    Exited {
        /// How it ended.
        exit: Exit,
    },
    /// The budget is spent.
    #[error("not ready in time ({last})")]
    TimedOut {
        /// What the engine said last.
        last: String,
        /// The log still grew: only the hard limit ended the wait.
        log_moved: bool,
    },
    /// Something answers, but serves other models.
    #[error("the endpoint serves {} instead of {asked}", list(served))]
    WrongModel {
        /// The model deployed.
        asked: String,
        /// The models listed.
        served: Vec<String>,
    },
    /// The endpoint wants another key, or none of ours.
    #[error("the endpoint refuses our key (HTTP {status})")]
    Unauthorized {
        /// 401 or 403.
        status: u16,
    },
    /// It is up and lists the model, but completes nothing.
    #[error("no text could be generated: {last}")]
    NoAnswer {
        /// What it said instead.
        last: String,
    },
    /// The backend failed.
    #[error(transparent)]
    Deploy(#[from] DeployError),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no model".to_owned() } else { names.join(", ") }
}

impl NotReady {
    /// The class of the failure; `None` when it was cancelled, which is no failure.
    pub fn class(&self) -> Option<FailureClass> {
        Some(match &self.why {
            Why::Cancelled => return None,
            Why::Exited { .. } => FailureClass::EngineCrash,
            Why::TimedOut { .. } => FailureClass::TimeoutReady,
            Why::WrongModel { .. } => FailureClass::WrongModel,
            Why::Unauthorized { .. } => FailureClass::Connection,
            Why::NoAnswer { .. } => FailureClass::NoAnswers,
            Why::Deploy(error) => error.class(),
        })
    }

    /// The failure to keep with the attempt; `None` when it was cancelled.
    pub fn failure(&self) -> Option<Failure> {
        Some(Failure::new(self.class()?, self.to_string()).with_log(self.log_tail.clone()))
    }
}

/// Launches within the provision budget.
pub async fn launch_within(
    watch: Watch<'_>,
    launch: &Launch,
    budgets: &Budgets,
    cancel: &CancellationToken,
) -> Result<Running, NotReady> {
    let began = Instant::now();
    let why = tokio::select! {
        biased;
        () = cancel.cancelled() => Why::Cancelled,
        result = watch.backend.launch(watch.id, launch, watch.log) => match result {
            Ok(running) => return Ok(running),
            Err(error) => error.into(),
        },
        () = sleep(budgets.provision) => Why::TimedOut { last: "no process yet".to_owned(), log_moved: false },
    };
    Err(NotReady { why, stage: Stage::Launch, after: began.elapsed(), log_tail: Vec::new() })
}

/// Waits until `endpoint` is ready. With a `watch`, the death of the process ends the wait at once and a moving log
/// extends it; without one (attached endpoints) only the budget does.
pub async fn wait_ready(
    client: &Client,
    endpoint: &Endpoint,
    watch: Option<Watch<'_>>,
    budgets: &Budgets,
    cancel: &CancellationToken,
) -> Result<Ready, NotReady> {
    let began = Instant::now();
    let progress = Mutex::new(Progress::new(endpoint.health_path.is_some()));
    let why = tokio::select! {
        biased;
        () = cancel.cancelled() => Why::Cancelled,
        why = death(watch) => why,
        result = stages::pass(client, endpoint, &progress, began) => match result {
            Ok(ready) => return Ok(ready),
            Err(refusal) => refusal.into(),
        },
        log_moved = overtime(watch, budgets, began) => Why::TimedOut { last: stages::read(&progress).1, log_moved },
    };
    let log_tail = watch.map_or_else(Vec::new, |w| {
        logs::log_tail(w.log, TAIL_LINES).iter().map(|line| w.secrets.clean(line)).collect()
    });
    Err(NotReady { why, stage: stages::read(&progress).0, after: began.elapsed(), log_tail })
}

impl From<Refusal> for Why {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WrongModel { asked, served } => Self::WrongModel { asked, served },
            Refusal::Unauthorized { status } => Self::Unauthorized { status },
            Refusal::NoAnswer { last } => Self::NoAnswer { last },
        }
    }
}

/// Returns when the deployment is dead, or cannot be asked.
async fn death(watch: Option<Watch<'_>>) -> Why {
    let Some(watch) = watch else { return std::future::pending().await };
    loop {
        match watch.backend.status(watch.id).await {
            Ok(Status::Running(_)) => {}
            Ok(Status::Exited(exit)) => return Why::Exited { exit },
            Ok(Status::Absent) => return Why::Exited { exit: Exit::default() },
            Err(error) => return error.into(),
        }
        sleep(PULSE).await;
    }
}

/// Returns when the time is up: `true` if the log moved to the last.
async fn overtime(watch: Option<Watch<'_>>, budgets: &Budgets, began: Instant) -> bool {
    let size = || watch.map_or(0, |w| logs::log_size(w.log));
    let mut moved = (size(), began);
    loop {
        let now = Instant::now();
        if size() != moved.0 {
            moved = (size(), now);
        }
        let moving = watch.is_some() && moved.0 > 0 && now - moved.1 < budgets.quiet;
        let spent = now - began;
        if spent >= budgets.ready && !moving {
            return false;
        }
        if spent >= budgets.ready && spent >= budgets.limit {
            return true;
        }
        sleep(PULSE).await;
    }
}
