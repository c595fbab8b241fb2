//! Tasks: create, find, list, ask to stop, delete. These calls record intent and need no lease.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::Expr,
};
use tuner_core::TaskSpec;

use crate::dialect::Transaction;
use crate::entity::{deployments, events, experiments, leases, tasks};
use crate::json::{encode, number};
use crate::row::{DeploymentState, TaskColumns, TaskId, TaskRow, TaskStatus, read_id};
use crate::store::{Scope, Write};
use crate::{Event, Store, StoreError, jobs, lease};

/// A task to store. The id is chosen by the caller, so that storing it twice equals storing it once.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its id.
    pub id: TaskId,
    /// What was asked, validated, with every default filled in.
    pub spec: TaskSpec,
    /// The file as the person wrote it.
    pub source: String,
}

/// Part of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskPage {
    /// The tasks.
    pub tasks: Vec<TaskRow>,
    /// Give this to [`Store::find_tasks`] for the next part; `None` at the end.
    pub next: Option<TaskId>,
}

/// Of each task, experiments by the word of their outcome. A task without experiments is absent.
pub type OutcomeCounts = BTreeMap<TaskId, BTreeMap<String, u32>>;

impl Store {
    /// Stores a task, pending.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`]; [`StoreError::Conflict`] if the id is known with another content.
    pub async fn create_task(&self, new: NewTask) -> Result<TaskRow, StoreError> {
        let write = self.write().await?;
        let (row, told) = create(&write, new).await?;
        if let Some(told) = told {
            write.commit_scoped(told, Vec::new()).await?;
        }
        row.try_into()
    }

    /// Finds a task by id, by name, or by the beginning of its id (at least 4 characters).
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`].
    pub async fn task(&self, wanted: &str) -> Result<TaskRow, StoreError> {
        let read = self.read().await?;
        named(read.rows(), wanted).await
    }

    /// The file from which a task was made, as the person wrote it.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn task_source(&self, id: TaskId) -> Result<String, StoreError> {
        let read = self.read().await?;
        let source = tasks::Entity::find_by_id(id.to_string()).select_only().column(tasks::Column::Source);
        let source = source.into_tuple::<String>().one(read.rows()).await?;
        source.ok_or_else(|| StoreError::NoSuchTask { wanted: id.to_string() })
    }

    /// How many experiments of these tasks ended with which word ([`tuner_core::Outcome::word`]), `open` for those that
    /// have not ended. One query for a page of a list.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn outcome_counts(&self, tasks: &[TaskId]) -> Result<OutcomeCounts, StoreError> {
        let read = self.read().await?;
        counted(read.rows(), tasks).await
    }

    /// Asks to stop a task: a pending one is cancelled at once, a running one by its worker. One that has ended stays
    /// as it is. A job that was to run it goes with it, or tells its worker. Gives the status afterwards.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`].
    pub async fn request_cancel(&self, id: TaskId) -> Result<TaskStatus, StoreError> {
        let write = self.write().await?;
        let row = locked(&write, id).await?;
        let status = TaskStatus::read(&row.status)?;
        let next = match status {
            TaskStatus::Pending => TaskStatus::Cancelled,
            TaskStatus::Running => TaskStatus::Cancelling,
            ended => return Ok(ended),
        };
        let at = write.at;
        let mut change = change(row);
        change.status = Set(next.word().to_owned());
        change.cancel_requested = Set(true);
        let mut more = jobs::cancel_with_task(&write, id, next).await?;
        if next.is_end() {
            change.ended_at = Set(Some(at));
            more.push((Scope::task(id), Event::TaskEnded { status: next, verdict: None, failure: None }));
        }
        tasks::Entity::update(change).exec_without_returning(write.rows()).await?;
        write.commit_scoped((Scope::task(id), Event::CancelRequested), more).await?;
        Ok(next)
    }

    /// Removes a task with everything that belongs to it, jobs and events included.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`]; [`StoreError::InUse`] while a worker holds it or an engine of it lives.
    pub async fn delete_task(&self, id: TaskId) -> Result<(), StoreError> {
        let write = self.write().await?;
        let row = locked(&write, id).await?;
        let text = id.to_string();
        must_be_free(&write, &row).await?;
        let alive = deployments::Entity::find()
            .filter(deployments::Column::TaskId.eq(&text))
            .filter(deployments::Column::State.ne(DeploymentState::Stopped.word()));
        if let Some(alive) = alive.one(write.rows()).await? {
            return Err(in_use(&row, format!("deployment {} on {}", alive.id, alive.host)));
        }
        events::Entity::delete_many().filter(events::Column::TaskId.eq(&text)).exec(write.rows()).await?;
        tasks::Entity::delete_by_id(text).exec(write.rows()).await?;
        write.commit(Scope::task(id), Event::TaskDeleted { name: row.name }).await
    }
}

/// At most `limit` of these tasks, newest first, that are older than `after`, and of one of the statuses if any is given.
pub(crate) async fn page(
    rows: &Transaction,
    of: Select<tasks::Entity>,
    statuses: &[TaskStatus],
    after: Option<TaskId>,
    limit: u32,
) -> Result<TaskPage, StoreError> {
    let mut query = of.order_by_desc(tasks::Column::Id).limit(u64::from(limit) + 1);
    if !statuses.is_empty() {
        query = query.filter(tasks::Column::Status.is_in(statuses.iter().map(|s| s.word())));
    }
    if let Some(after) = after {
        query = query.filter(tasks::Column::Id.lt(after.to_string()));
    }
    let found = query.into_partial_model::<TaskColumns>().all(rows).await?;
    let more = found.len() > limit as usize;
    let tasks: Vec<TaskRow> =
        found.into_iter().take(limit as usize).map(TaskRow::try_from).collect::<Result<_, _>>()?;
    Ok(TaskPage { next: tasks.last().filter(|_| more).map(|t| t.id), tasks })
}

/// Refuses while a worker holds a lease of the task or runs its job.
pub(crate) async fn must_be_free(write: &Write, row: &tasks::Model) -> Result<(), StoreError> {
    let held = leases::Entity::find().filter(leases::Column::TaskId.eq(&row.id));
    for held in held.all(write.rows()).await? {
        if let Some(holder) = lease::holder(&held)?.filter(|h| h.expires_at > write.at) {
            return Err(in_use(row, holder.to_string()));
        }
    }
    match jobs::runner(write, read_id(&row.id)?).await? {
        Some(runner) => Err(in_use(row, runner)),
        None => Ok(()),
    }
}

fn in_use(row: &tasks::Model, holder: String) -> StoreError {
    StoreError::InUse { what: format!("task {:?}", row.name), holder }
}

/// The row of a new task, pending. `spec`: its encoded content.
pub(crate) fn pending(write: &Write, new: NewTask, spec: String) -> tasks::Model {
    tasks::Model {
        id: new.id.to_string(),
        engine: new.spec.engine.name.name().to_owned(),
        name: new.spec.name,
        spec,
        source: new.source,
        revision: 1,
        status: TaskStatus::Pending.word().to_owned(),
        verdict: None,
        failure: None,
        created_at: write.at,
        started_at: None,
        ended_at: None,
        cancel_requested: false,
        fence: 0,
        gpu_seconds: 0.0,
    }
}

/// Stores a task together with whatever else is written. The event is the caller's to commit; there is none if the task
/// was stored before.
pub(crate) async fn create(write: &Write, new: NewTask) -> Result<(tasks::Model, Option<(Scope, Event)>), StoreError> {
    let spec = encode("task", &new.spec)?;
    if let Some(row) = tasks::Entity::find_by_id(new.id.to_string()).one(write.rows()).await? {
        if row.spec == spec && row.source == new.source {
            return Ok((row, None));
        }
        return Err(StoreError::Conflict { what: format!("task {}", new.id) });
    }
    let (id, name) = (new.id, new.spec.name.clone());
    let namesake = tasks::Entity::find().filter(tasks::Column::Name.eq(&name)).one(write.rows()).await?;
    if let Some(namesake) = namesake {
        return Err(StoreError::NameTaken { name, id: TaskRow::try_from(namesake)?.id });
    }
    let row = pending(write, new, spec);
    tasks::Entity::insert(row.clone().into_active_model()).exec_without_returning(write.rows()).await?;
    Ok((row, Some((Scope::task(id), Event::TaskCreated { name }))))
}

/// Makes a task that was not completed pending again, its cancellation forgotten. The event is the caller's to commit;
/// there is none if it is pending or running.
pub(crate) async fn reopen(write: &Write, row: tasks::Model) -> Result<Option<(Scope, Event)>, StoreError> {
    let id = read_id(&row.id)?;
    let was = TaskStatus::read(&row.status)?;
    match was {
        TaskStatus::Pending | TaskStatus::Running => return Ok(None),
        TaskStatus::Completed => {
            return Err(StoreError::WrongState { what: format!("task {id}"), state: row.status, wanted: "reopen it" });
        }
        TaskStatus::Cancelling | TaskStatus::Failed | TaskStatus::Cancelled => {}
    }
    let mut change = change(row);
    change.status = Set(TaskStatus::Pending.word().to_owned());
    change.cancel_requested = Set(false);
    change.ended_at = Set(None);
    change.verdict = Set(None);
    change.failure = Set(None);
    tasks::Entity::update(change).exec_without_returning(write.rows()).await?;
    Ok(Some((Scope::task(id), Event::TaskReopened { was })))
}

/// Finds a task as [`Store::task`] does.
pub(crate) async fn named(rows: &Transaction, wanted: &str) -> Result<TaskRow, StoreError> {
    let exact = match wanted.parse::<TaskId>() {
        Ok(id) => tasks::Column::Id.eq(id.to_string()),
        Err(_) => tasks::Column::Name.eq(wanted),
    };
    let exact = tasks::Entity::find().filter(exact).into_partial_model::<TaskColumns>();
    if let Some(row) = exact.one(rows).await? {
        return row.try_into();
    }
    let nothing = || StoreError::NoSuchTask { wanted: wanted.to_owned() };
    if wanted.len() < 4 || !wanted.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return Err(nothing());
    }
    let begins = tasks::Entity::find().filter(tasks::Column::Id.starts_with(wanted.to_ascii_lowercase())).limit(6);
    let found = begins.into_partial_model::<TaskColumns>().all(rows).await?;
    let mut found: Vec<TaskRow> = found.into_iter().map(TaskRow::try_from).collect::<Result<_, _>>()?;
    match found.len() {
        0 => Err(nothing()),
        1 => Ok(found.remove(0)),
        _ => Err(StoreError::AmbiguousTask {
            wanted: wanted.to_owned(),
            candidates: found.into_iter().map(|t| format!("{} ({})", t.id, t.name)).collect(),
        }),
    }
}

/// Counts as [`Store::outcome_counts`] does.
pub(crate) async fn counted(rows: &Transaction, tasks: &[TaskId]) -> Result<OutcomeCounts, StoreError> {
    let found = experiments::Entity::find()
        .select_only()
        .columns([experiments::Column::TaskId, experiments::Column::OutcomeWord])
        .column_as(experiments::Column::Number.count(), "n")
        .filter(experiments::Column::TaskId.is_in(tasks.iter().map(TaskId::to_string)))
        .group_by(experiments::Column::TaskId)
        .group_by(experiments::Column::OutcomeWord);
    let mut counts = OutcomeCounts::new();
    for (task, word, n) in found.into_tuple::<(String, Option<String>, i64)>().all(rows).await? {
        let words = counts.entry(read_id(&task)?).or_default();
        words.insert(word.unwrap_or_else(|| "open".to_owned()), number("count", n)?);
    }
    Ok(counts)
}

/// A task's row, locked until the end of the transaction.
pub(crate) async fn locked(write: &Write, id: TaskId) -> Result<tasks::Model, StoreError> {
    let row = tasks::Entity::find_by_id(id.to_string()).lock_exclusive().one(write.rows()).await?;
    row.ok_or_else(|| StoreError::NoSuchTask { wanted: id.to_string() })
}

/// The beginning of a change of a task's row: its revision goes up by one.
pub(crate) fn change(row: tasks::Model) -> tasks::ActiveModel {
    let revision = row.revision + 1;
    let mut change = row.into_active_model();
    change.revision = Set(revision);
    change
}

/// Adds GPU-seconds to a task.
pub(crate) async fn add_gpu_seconds(write: &Write, id: TaskId, seconds: f64) -> Result<(), StoreError> {
    let plus = |column: tasks::Column, by: Expr| Expr::col(column).add(by);
    tasks::Entity::update_many()
        .col_expr(tasks::Column::GpuSeconds, plus(tasks::Column::GpuSeconds, Expr::value(seconds)))
        .col_expr(tasks::Column::Revision, plus(tasks::Column::Revision, Expr::value(1_i64)))
        .filter(tasks::Column::Id.eq(id.to_string()))
        .exec(write.rows())
        .await?;
    Ok(())
}
