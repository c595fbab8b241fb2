//! A task with all its experiments, as the planner wants it: whole, or brought up to date by what its events touched.
//!
//! *Invariant*: [`Store::refresh`] gives what [`Store::load`] would give. It works because no row changes without an
//! event that names its experiment.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tuner_core::plan::{AttemptView, ExperimentView};
use tuner_core::{Configuration, TaskSpec};

use crate::dialect::Transaction;
use crate::entity::{attempts, events, experiments, measurements, tasks};
use crate::json::{decode, decode_option, number};
use crate::library::proposals::proposed;
use crate::row::{ExperimentRow, TaskId, TaskRow, read_attempt};
use crate::{Store, StoreError, store};

/// A task and its experiments at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskState {
    /// Its row.
    pub row: TaskRow,
    /// What was asked.
    pub spec: TaskSpec,
    /// All experiments in order of their numbers.
    pub experiments: Vec<ExperimentView>,
    /// Configurations that somebody wants tried before what the search would try, in order.
    pub proposed: Vec<Configuration>,
    /// Number of the newest event at that moment.
    pub seq: i64,
}

/// More touched experiments than this are loaded with all others.
const FEW: usize = 200;

impl Store {
    /// Loads a task with everything that the planner may look at, in six queries.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::Corrupt`].
    pub async fn load(&self, id: TaskId) -> Result<TaskState, StoreError> {
        let read = self.read().await?;
        let seq = store::last_seq(&read).await?;
        let row = find(read.rows(), id).await?;
        let spec = decode(|| format!("specification of task {id}"), &row.spec)?;
        let experiments = views(read.rows(), id, None).await?;
        let proposed = proposed(read.rows(), id).await?;
        Ok(TaskState { row: row.try_into()?, spec, experiments, proposed, seq })
    }

    /// Brings a loaded task up to date and says whether anything was new. Costs one query if nothing was, and
    /// otherwise as much as the experiments that changed, however long the task's history is.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`] if it was deleted, [`StoreError::Corrupt`].
    pub async fn refresh(&self, state: &mut TaskState) -> Result<bool, StoreError> {
        let id = state.row.id;
        let read = self.read().await?;
        let new = events::Entity::find()
            .select_only()
            .columns([events::Column::Seq, events::Column::Experiment])
            .filter(events::Column::TaskId.eq(id.to_string()))
            .filter(events::Column::Seq.gt(state.seq))
            .order_by_asc(events::Column::Seq);
        let new = new.into_tuple::<(i64, Option<i64>)>().all(read.rows()).await?;
        let Some(&(seq, _)) = new.last() else { return Ok(false) };
        let touched: BTreeSet<i64> = new.iter().filter_map(|(_, experiment)| *experiment).collect();
        let row = TaskRow::try_from(find(read.rows(), id).await?)?;
        if new.iter().any(|(_, experiment)| experiment.is_none()) {
            state.proposed = proposed(read.rows(), id).await?;
        }
        if touched.len() > FEW {
            state.experiments = views(read.rows(), id, None).await?;
        } else if !touched.is_empty() {
            for view in views(read.rows(), id, Some(&touched)).await? {
                match state.experiments.binary_search_by_key(&view.number, |e| e.number) {
                    Ok(at) => state.experiments[at] = view,
                    Err(at) => state.experiments.insert(at, view),
                }
            }
        }
        state.row = row;
        state.seq = seq;
        Ok(true)
    }

    /// One experiment with its attempts and measurements.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`].
    pub async fn experiment(&self, id: TaskId, number: u32) -> Result<ExperimentView, StoreError> {
        let read = self.read().await?;
        one(read.rows(), id, number).await
    }

    /// The experiments of a task in order of their numbers, with scores and without attempts.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::Corrupt`].
    pub async fn experiments(&self, id: TaskId) -> Result<Vec<ExperimentRow>, StoreError> {
        let read = self.read().await?;
        find(read.rows(), id).await?;
        let rows = experiments::Entity::find()
            .filter(experiments::Column::TaskId.eq(id.to_string()))
            .order_by_asc(experiments::Column::Number);
        rows.all(read.rows()).await?.into_iter().map(ExperimentRow::try_from).collect()
    }
}

pub(crate) async fn find(rows: &Transaction, id: TaskId) -> Result<tasks::Model, StoreError> {
    let row = tasks::Entity::find_by_id(id.to_string()).one(rows).await?;
    row.ok_or_else(|| StoreError::NoSuchTask { wanted: id.to_string() })
}

/// One experiment with its attempts and measurements.
pub(crate) async fn one(rows: &Transaction, id: TaskId, number: u32) -> Result<ExperimentView, StoreError> {
    let only = BTreeSet::from([i64::from(number)]);
    let found = views(rows, id, Some(&only)).await?.pop();
    found.ok_or_else(|| StoreError::not_found(format!("experiment {number} of task {id}")))
}

/// The experiments with these numbers, or all: one query for each kind of row, put together here.
async fn views(
    rows: &Transaction,
    id: TaskId,
    only: Option<&BTreeSet<i64>>,
) -> Result<Vec<ExperimentView>, StoreError> {
    let found = experiments::Entity::find()
        .filter(among(experiments::Column::TaskId, experiments::Column::Number, id, only))
        .order_by_asc(experiments::Column::Number)
        .all(rows)
        .await?;
    let tries = attempts::Entity::find()
        .filter(among(attempts::Column::TaskId, attempts::Column::Experiment, id, only))
        .order_by_asc(attempts::Column::Experiment)
        .order_by_asc(attempts::Column::Number)
        .all(rows)
        .await?;
    let measured = measurements::Entity::find()
        .filter(among(measurements::Column::TaskId, measurements::Column::Experiment, id, only))
        .order_by_asc(measurements::Column::Experiment)
        .order_by_asc(measurements::Column::Attempt)
        .order_by_asc(measurements::Column::Level)
        .order_by_asc(measurements::Column::Repeat)
        .all(rows)
        .await?;
    assemble(found, tries, measured)
}

/// Rows of this task, of these experiments if any are named.
fn among<C: ColumnTrait>(task: C, number: C, id: TaskId, only: Option<&BTreeSet<i64>>) -> Condition {
    let rows = Condition::all().add(task.eq(id.to_string()));
    match only {
        Some(only) => rows.add(number.is_in(only.iter().copied())),
        None => rows,
    }
}

/// Puts sorted rows together.
fn assemble(
    found: Vec<experiments::Model>,
    tries: Vec<attempts::Model>,
    measured: Vec<measurements::Model>,
) -> Result<Vec<ExperimentView>, StoreError> {
    let mut tries = tries.into_iter().peekable();
    let mut measured = measured.into_iter().peekable();
    let mut views = Vec::with_capacity(found.len());
    for row in found {
        let key = row.number;
        let row = ExperimentRow::try_from(row)?;
        let mut attempts = Vec::new();
        while let Some(attempt) = tries.next_if(|a| a.experiment == key) {
            let mut view = attempt_view(&attempt)?;
            while let Some(m) = measured.next_if(|m| m.experiment == key && m.attempt == attempt.number) {
                let what = || format!("level {} of attempt {} of experiment {key}", m.level, m.attempt);
                view.measurements.push(decode(what, &m.measurement)?);
            }
            attempts.push(view);
        }
        views.push(ExperimentView {
            number: row.number,
            role: row.role,
            configuration: row.configuration,
            outcome: row.outcome,
            attempts,
        });
    }
    Ok(views)
}

fn attempt_view(row: &attempts::Model) -> Result<AttemptView, StoreError> {
    let of = |what: &str| format!("{what} of attempt {} of experiment {}", row.number, row.experiment);
    Ok(AttemptView {
        number: number("attempt", row.number)?,
        state: read_attempt(&row.state)?,
        failure: decode_option(|| of("failure"), row.failure.as_deref())?,
        started_at: row.started_at,
        ended_at: row.ended_at,
        measurements: Vec::new(),
        evidence: decode(|| of("evidence"), &row.evidence)?,
    })
}
