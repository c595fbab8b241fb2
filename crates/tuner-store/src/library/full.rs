//! One task or one experiment with everything that a page shows of it, at one moment.

use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, Statement};
use tuner_core::TaskSpec;
use tuner_core::plan::ExperimentView;

use super::revise::Revised;
use crate::entity::tasks;
use crate::json::{decode, number};
use crate::row::{TaskId, TaskRow, read_id};
use crate::store::Read;
use crate::tasks::named;
use crate::{Holder, OutcomeCounts, Store, StoreError, lease, load};

/// A task with all that a page shows of it.
#[derive(Clone, Debug)]
pub struct FullTask {
    /// Its row.
    pub row: TaskRow,
    /// Its revision and whether it is put away.
    pub revised: Revised,
    /// What was asked, with every default.
    pub spec: TaskSpec,
    /// The document as it was sent.
    pub source: String,
    /// Experiments by outcome.
    pub counts: OutcomeCounts,
    /// Experiments that somebody holds, with their holders.
    pub held: Vec<(u32, Holder)>,
}

/// An experiment with its attempts and measurements, and what its task asks for.
#[derive(Clone, Debug)]
pub struct FullExperiment {
    /// Its task.
    pub task: TaskRow,
    /// What the task asks for.
    pub spec: TaskSpec,
    /// Itself.
    pub experiment: ExperimentView,
}

impl Store {
    /// A task, named as for [`Store::task`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`], [`StoreError::Corrupt`].
    pub async fn full_task(&self, wanted: &str) -> Result<FullTask, StoreError> {
        let read = self.read().await?;
        let row = named(read.rows(), wanted).await?;
        let Beside { spec, source, revised, counts } = beside(&read, row.id).await?;
        let held = lease::held(read.rows(), row.id).await?;
        Ok(FullTask { row, revised, spec, source, counts, held })
    }

    /// An experiment of a task, named as for [`Store::task`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`], [`StoreError::NotFound`], [`StoreError::Corrupt`].
    pub async fn full_experiment(&self, wanted: &str, number: u32) -> Result<FullExperiment, StoreError> {
        let read = self.read().await?;
        let task = named(read.rows(), wanted).await?;
        let experiment = load::one(read.rows(), task.id, number).await?;
        let (spec, _) = documents(&read, task.id).await?;
        Ok(FullExperiment { task, spec, experiment })
    }
}

/// What stands beside a task's row.
struct Beside {
    spec: TaskSpec,
    source: String,
    revised: Revised,
    counts: OutcomeCounts,
}

/// All of it, by one question.
async fn beside(read: &Read, id: TaskId) -> Result<Beside, StoreError> {
    let sql = "SELECT spec, source, (SELECT words FROM outcome_counts WHERE task_id = id) AS words, \
               r.number AS revision, r.replaced_by, a.at AS archived_at FROM tasks \
               LEFT JOIN task_revisions AS r ON r.task_id = id LEFT JOIN archived_tasks AS a ON a.task_id = id \
               WHERE id = $1";
    let rows = read.rows();
    let asked = Statement::from_sql_and_values(rows.get_database_backend(), sql, [id.to_string().into()]);
    let row = rows.query_one_raw(asked).await?;
    let row = row.ok_or_else(|| StoreError::NoSuchTask { wanted: id.to_string() })?;
    let text = |name: &str| row.try_get::<Option<String>>("", name);
    let spec = decode(|| format!("specification of task {id}"), &text("spec")?.unwrap_or_default())?;
    let words = text("words")?;
    let words = decode(|| format!("counts of task {id}"), words.as_deref().unwrap_or("{}"))?;
    let revised = Revised {
        number: row.try_get::<Option<i64>>("", "revision")?.map_or(Ok(1), |n| number("revision", n))?,
        replaced_by: text("replaced_by")?.as_deref().map(read_id).transpose()?,
        archived_at: row.try_get("", "archived_at")?,
    };
    let counts = OutcomeCounts::from([(id, words)]);
    Ok(Beside { spec, source: text("source")?.unwrap_or_default(), revised, counts })
}

/// What a task asks for, and the document that said so.
async fn documents(read: &Read, id: TaskId) -> Result<(TaskSpec, String), StoreError> {
    let texts = tasks::Entity::find_by_id(id.to_string()).select_only();
    let texts = texts.columns([tasks::Column::Spec, tasks::Column::Source]).into_tuple::<(String, String)>();
    let texts = texts.one(read.rows()).await?;
    let (spec, source) = texts.ok_or_else(|| StoreError::NoSuchTask { wanted: id.to_string() })?;
    Ok((decode(|| format!("specification of task {id}"), &spec)?, source))
}
