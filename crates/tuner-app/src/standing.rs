//! How a task stands: what is stored of it, and whether somebody works on it now.
//!
//! *Invariant*: derived at each look and stored nowhere; a worker that is killed cannot say so itself.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tuner_runner::{is_dead, is_neighbour};
use tuner_store::{Holder, Resource, Store, TaskQuery, TaskRow, TaskStatus};

use crate::error::AppError;

/// A task as a list shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// What is stored.
    #[serde(flatten)]
    pub row: TaskRow,
    /// Who claimed it last and has not given it back.
    pub holder: Option<Holder>,
    /// The holder lives, as far as can be told from here.
    pub alive: bool,
    /// Experiments that are run now, and by whom.
    pub running: Vec<RunningExperiment>,
    /// It waits in the run queue for a worker.
    pub queued: bool,
    /// Work on it was begun, has not ended, and nobody goes on with it or is going to.
    pub interrupted: bool,
}

/// An experiment that somebody runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunningExperiment {
    /// Its number.
    pub number: u32,
    /// Who.
    #[serde(flatten)]
    pub holder: Holder,
}

impl Standing {
    fn new(row: TaskRow, holder: Option<Holder>, held: Vec<(u32, Holder)>, queued: bool, now: DateTime<Utc>) -> Self {
        let held = held.into_iter().filter(|(_, holder)| lives(holder, now));
        let running = held.map(|(number, holder)| RunningExperiment { number, holder }).collect();
        let alive = holder.as_ref().is_some_and(|holder| lives(holder, now));
        let begun = match row.status {
            TaskStatus::Running => true,
            TaskStatus::Pending => holder.is_some(),
            // One that is being cancelled only waits for its end.
            _ => false,
        };
        Self { row, holder, alive, running, queued, interrupted: begun && !alive && !queued }
    }

    /// Its status for people: the stored one, `interrupted` or `queued`.
    pub fn word(&self) -> String {
        match self {
            Self { interrupted: true, .. } => "interrupted".to_owned(),
            Self { queued: true, alive: false, .. } => "queued".to_owned(),
            _ => self.row.status.to_string(),
        }
    }
}

/// Processes of this host are looked at; one elsewhere lives as long as its lease.
fn lives(holder: &Holder, now: DateTime<Utc>) -> bool {
    if is_neighbour(&holder.owner) { !is_dead(&holder.owner) } else { holder.expires_at > now }
}

/// Every task that is asked for, newest first.
pub async fn list(store: &Store, wanted: &TaskQuery) -> Result<Vec<Standing>, AppError> {
    let queued = store.queued_tasks().await?;
    let now = store.lease_time().await?;
    let (mut standings, mut from) = (Vec::new(), None);
    loop {
        let page = store.find_tasks(wanted, from, 200).await?;
        for row in page.tasks {
            let (holder, held) = match row.status.is_end() {
                true => (None, Vec::new()),
                false => (store.holder(&Resource::task(row.id)).await?, store.held_experiments(row.id).await?),
            };
            let queued = queued.contains(&row.id);
            standings.push(Standing::new(row, holder, held, queued, now));
        }
        from = page.next;
        if from.is_none() {
            return Ok(standings);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::TimeDelta;
    use tuner_store::{Claim, NewTask, Owner, TaskId};

    use tuner_runner::this_process;

    use super::*;

    const TASK: &str = "{name: t, model: {id: llama-3.1-8b}, engine: {name: simulated}, search_space: {}}";

    async fn standing(begun: bool, owner: Option<Owner>, later_s: i64) -> (String, bool, bool) {
        let store = Store::in_memory().await.unwrap();
        let spec = tuner_core::task::read(TASK, &Default::default()).unwrap().spec;
        let id = TaskId::new();
        let row = store.create_task(NewTask { id, spec, source: TASK.to_owned() }).await.unwrap();
        let resource = Resource::task(row.id);
        if let Some(owner) = &owner {
            let claim = store.claim(&resource, owner, Duration::from_secs(30), Utc::now()).await.unwrap();
            let Claim::Won(lease) = claim else { panic!("{claim:?}") };
            if begun {
                store.claimed(row.id, lease).start_task().await.unwrap();
            }
        }
        let row = store.task("t").await.unwrap();
        let holder = store.holder(&resource).await.unwrap();
        let queued = store.queued_tasks().await.unwrap().contains(&row.id);
        let standing = Standing::new(row, holder, Vec::new(), queued, Utc::now() + TimeDelta::seconds(later_s));
        (standing.word(), standing.alive, standing.interrupted)
    }

    #[tokio::test]
    async fn a_task_that_waits_for_a_worker_is_queued_whoever_began_it() {
        let store = Store::in_memory().await.unwrap();
        let spec = tuner_core::task::read(TASK, &Default::default()).unwrap().spec;
        let row = store.create_task(NewTask { id: TaskId::new(), spec, source: TASK.to_owned() }).await.unwrap();
        crate::queue::start(&store, &row).await.unwrap();
        let standings = list(&store, &TaskQuery::default()).await.unwrap();
        assert_eq!((standings[0].word(), standings[0].interrupted), ("queued".to_owned(), false));
    }

    #[tokio::test]
    async fn a_task_is_interrupted_when_it_was_begun_and_nobody_lives_who_goes_on() {
        let here = this_process();
        let dead = Owner { start_ticks: here.start_ticks + 1, ..here.clone() };
        let elsewhere = Owner { host: "elsewhere.invalid".to_owned(), ..here.clone() };
        let says = |word: &str, alive, interrupted| (word.to_owned(), alive, interrupted);
        assert_eq!(standing(false, None, 0).await, says("pending", false, false));
        assert_eq!(standing(false, Some(dead.clone()), 0).await, says("interrupted", false, true));
        assert_eq!(standing(true, Some(dead), 0).await, says("interrupted", false, true));
        assert_eq!(standing(true, Some(here), 60).await, says("running", true, false));
        assert_eq!(standing(true, Some(elsewhere.clone()), 0).await, says("running", true, false));
        assert_eq!(standing(true, Some(elsewhere), 60).await, says("interrupted", false, true));
    }
}
