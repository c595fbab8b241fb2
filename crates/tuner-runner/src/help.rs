//! Helping with a task that another worker plans: claims what is open, runs it, leaves when nothing more comes.
//!
//! *Invariant*: a helper writes only under leases on experiments, and decides nothing.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tuner_core::SearchSpace;
use tuner_core::plan::{Help, Places, next_help};
use tuner_store::{Resource, TaskId, TaskStatus};

use crate::attempt::AttemptEnd;
use crate::claim::claim_experiment;
use crate::error::RunError;
use crate::liveness::is_dead;
use crate::patience::patiently;
use crate::worker::Worker;

/// How often one looks for something to do, if nothing wakes one before.
const LOOK: Duration = Duration::from_secs(1);
/// How long one waits for somebody who plans the task. The slot may be the one that this needs.
const NOBODY: Duration = Duration::from_secs(5);

/// How help ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpEnd {
    /// Nothing more is to be done here.
    Done {
        /// Experiments of which an attempt was run, as often as that.
        ran: Vec<u32>,
        /// Why nothing more is.
        why: &'static str,
    },
    /// This host cannot run the task's experiments; whoever plans asks for help elsewhere.
    Unfit {
        /// Why not.
        why: String,
    },
    /// The helper was asked to stop, and has stopped what it ran.
    Stopped,
}

impl Worker {
    /// Helps with a task until nothing more of it is to be done here, until `stop` is cancelled, or, once `leave` is, until
    /// the end of what is run now.
    ///
    /// # Errors
    /// [`RunError::Store`]; [`RunError::Reap`].
    pub async fn help(
        &self,
        task: TaskId,
        space: &SearchSpace,
        [stop, leave]: [&CancellationToken; 2],
    ) -> Result<HelpEnd, RunError> {
        for found in self.lab.reap(&self.store).await? {
            tracing::warn!(%found, "stopped what an earlier run left behind");
        }
        let mut news = self.store.watch_events();
        let mut state = self.store.load(task).await?;
        let beside_others = self.lab.shares_host(&state.spec);
        let of_task = Resource::task(task);
        let (mut ran, mut planned_at) = (Vec::new(), Instant::now());
        loop {
            if stop.is_cancelled() {
                return Ok(HelpEnd::Stopped);
            }
            if leave.is_cancelled() {
                return Ok(HelpEnd::Done { ran, why: "this worker takes up nothing more" });
            }
            news.mark_unchanged();
            self.refresh(&mut state).await?;
            if state.row.status != TaskStatus::Running {
                return Ok(HelpEnd::Done { ran, why: "the task does not run" });
            }
            let held = patiently(|| self.store.held_experiments(task)).await?;
            let now = patiently(|| self.store.lease_time()).await?;
            let lives = |holder: &tuner_store::Holder| !is_dead(&holder.owner) && holder.expires_at > now;
            if !beside_others && held.iter().any(|(_, h)| h.owner.host == self.owner.host && lives(h)) {
                return Ok(HelpEnd::Done { ran, why: "another experiment of the task runs on this host" });
            }
            let planner = patiently(|| self.store.holder(&of_task)).await?;
            let planned = planner.is_some_and(|holder| lives(&holder));
            if planned {
                planned_at = Instant::now();
            } else if planned_at.elapsed() > NOBODY {
                return Ok(HelpEnd::Done { ran, why: "nobody plans the task" });
            }
            let held: Vec<u32> = held.into_iter().map(|(number, _)| number).collect();
            let places = Places { most: state.spec.budget.parallel, free: true, claimed: &held };
            let next = next_help(&self.view(&state, space, false, places), self.clock.now());
            match next {
                Help::Leave => return Ok(HelpEnd::Done { ran, why: "no more help is wanted" }),
                Help::Run { number, .. } if planned => {
                    let experiment = state.experiments.iter().find(|e| e.number == number).cloned();
                    let lease = claim_experiment(self, task, number, beside_others).await?;
                    if let (Some(experiment), Some(lease)) = (experiment, lease) {
                        tracing::info!(experiment = number, "helping");
                        let end = self.run_one(state.clone(), experiment, lease, stop.clone(), true).await;
                        match end {
                            Ok(AttemptEnd::Stopped) if stop.is_cancelled() => return Ok(HelpEnd::Stopped),
                            Ok(AttemptEnd::NotBegun) => continue,
                            Ok(AttemptEnd::Unfit(why)) => return Ok(HelpEnd::Unfit { why }),
                            Ok(_) => {}
                            Err(error) if error.is_lease_lost() => {
                                tracing::warn!(experiment = number, "somebody else has it; what was found is dropped");
                            }
                            Err(error) => return Err(error),
                        }
                        ran.push(number);
                        continue;
                    }
                }
                Help::Run { .. } | Help::Wait => {}
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = leave.cancelled() => {}
                _ = news.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}
