//! The experiments of a task, filtered, sorted and page by page.

use std::cmp::Ordering;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::Value as Json;

use crate::entity::experiments;
use crate::json::decode;
use crate::row::{ExperimentRow, TaskId};
use crate::tasks::named;
use crate::{Store, StoreError};

/// The word of those without an outcome.
const OPEN: &str = "open";

/// What experiments are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExperimentSort {
    /// Their number.
    #[default]
    Number,
    /// The first objective; those without one last, whichever way.
    Objective,
    /// How long they took; open ones last, whichever way.
    Elapsed,
    /// The word of their outcome.
    Outcome,
}

/// Which experiments to list.
#[derive(Clone, Debug, Default)]
pub struct ExperimentQuery {
    /// With one of these outcomes, by word; `open` for those without. Empty: all.
    pub outcomes: Vec<String>,
    /// Run for one of these reasons: `baseline`, `search`, `verify`. Empty: all.
    pub roles: Vec<String>,
    /// The order.
    pub sort: ExperimentSort,
    /// The largest first.
    pub descending: bool,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentPage {
    /// The experiments.
    pub rows: Vec<ExperimentRow>,
    /// Give this to [`Store::find_experiments`] for the next part; `None` at the end.
    pub next: Option<u32>,
}

/// What sorting needs of a row.
struct Key {
    number: i64,
    outcome: String,
    objective: Option<f64>,
    elapsed_ms: Option<i64>,
}

type Columns = (i64, String, Option<String>, DateTime<Utc>, Option<DateTime<Utc>>, Option<String>);

impl Store {
    /// At most `limit` experiments of a task, named as for [`Store::task`], after the one with number `after`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`], [`StoreError::Corrupt`].
    pub async fn find_experiments(
        &self,
        task: &str,
        wanted: &ExperimentQuery,
        after: Option<u32>,
        limit: u32,
    ) -> Result<ExperimentPage, StoreError> {
        let read = self.read().await?;
        let task = named(read.rows(), task).await?.id;
        let (rows, more) = if wanted.sort == ExperimentSort::Number && wanted.roles.is_empty() {
            in_order(read.rows(), task, wanted, after, limit).await?
        } else {
            sorted(read.rows(), task, wanted, after, limit).await?
        };
        let rows: Vec<ExperimentRow> = rows.into_iter().map(ExperimentRow::try_from).collect::<Result<_, _>>()?;
        Ok(ExperimentPage { next: rows.last().filter(|_| more).map(|row| row.number), rows })
    }
}

/// The rows of a part, and whether there are more.
type Part = (Vec<experiments::Model>, bool);

fn of_task(task: TaskId, wanted: &ExperimentQuery) -> Select<experiments::Entity> {
    let of_task = experiments::Entity::find().filter(experiments::Column::TaskId.eq(task.to_string()));
    if wanted.outcomes.is_empty() {
        return of_task;
    }
    let words = wanted.outcomes.iter().filter(|word| *word != OPEN);
    let mut any = Condition::any().add(experiments::Column::OutcomeWord.is_in(words.cloned()));
    if wanted.outcomes.iter().any(|word| word == OPEN) {
        any = any.add(experiments::Column::OutcomeWord.is_null());
    }
    of_task.filter(any)
}

/// By number, which is the order of the table's key: the database reads no more than the part.
async fn in_order(
    rows: &DatabaseTransaction,
    task: TaskId,
    wanted: &ExperimentQuery,
    after: Option<u32>,
    limit: u32,
) -> Result<Part, StoreError> {
    let mut query = of_task(task, wanted).limit(u64::from(limit) + 1);
    if let Some(after) = after.map(i64::from) {
        let number = experiments::Column::Number;
        query = query.filter(if wanted.descending { number.lt(after) } else { number.gt(after) });
    }
    let order = if wanted.descending { Order::Desc } else { Order::Asc };
    let mut found = query.order_by(experiments::Column::Number, order).all(rows).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    Ok((found, more))
}

/// By what stands inside of columns: the keys of all, then the rows of the part.
async fn sorted(
    rows: &DatabaseTransaction,
    task: TaskId,
    wanted: &ExperimentQuery,
    after: Option<u32>,
    limit: u32,
) -> Result<Part, StoreError> {
    let columns = [
        experiments::Column::Number,
        experiments::Column::Role,
        experiments::Column::OutcomeWord,
        experiments::Column::CreatedAt,
        experiments::Column::EndedAt,
    ];
    let mut found = of_task(task, wanted).select_only().columns(columns).order_by_asc(experiments::Column::Number);
    // The largest column of all, so not without need.
    found = match wanted.sort {
        ExperimentSort::Objective => found.column(experiments::Column::Score),
        _ => found.expr_as(Expr::value(Option::<String>::None), "score"),
    };
    let mut keys = Vec::new();
    for columns in found.into_tuple::<Columns>().all(rows).await? {
        keys.extend(key(columns, wanted)?);
    }
    keys.sort_by(|a, b| compare(a, b, wanted));
    let from = match after {
        Some(after) => keys.iter().position(|key| key.number == i64::from(after)).map_or(keys.len(), |at| at + 1),
        None => 0,
    };
    let page: Vec<i64> = keys.iter().skip(from).take(limit as usize).map(|key| key.number).collect();
    let more = keys.len() > from + page.len();
    let found = of_task(task, wanted).filter(experiments::Column::Number.is_in(page.iter().copied())).all(rows).await?;
    let mut found: HashMap<i64, experiments::Model> = found.into_iter().map(|row| (row.number, row)).collect();
    Ok((page.iter().filter_map(|number| found.remove(number)).collect(), more))
}

/// The row's key, if it is wanted.
fn key(row: Columns, wanted: &ExperimentQuery) -> Result<Option<Key>, StoreError> {
    let (number, role, outcome, created_at, ended_at, score) = row;
    let outcome = outcome.unwrap_or_else(|| OPEN.to_owned());
    let of = |what: &str| format!("{what} of experiment {number}");
    let role: Json = decode(|| of("role"), &role)?;
    let is = |words: &[String], word: &str| words.is_empty() || words.iter().any(|w| w == word);
    if !is(&wanted.roles, role["kind"].as_str().unwrap_or_default()) {
        return Ok(None);
    }
    let objective = match score.filter(|_| wanted.sort == ExperimentSort::Objective) {
        Some(score) => decode::<Json>(|| of("score"), &score)?["objectives"][0].as_f64(),
        None => None,
    };
    let elapsed_ms = ended_at.map(|end| (end - created_at).num_milliseconds());
    Ok(Some(Key { number, outcome, objective, elapsed_ms }))
}

fn compare(a: &Key, b: &Key, wanted: &ExperimentQuery) -> Ordering {
    let way = |order: Ordering| if wanted.descending { order.reverse() } else { order };
    let order = match wanted.sort {
        ExperimentSort::Number => way(a.number.cmp(&b.number)),
        ExperimentSort::Outcome => way(a.outcome.cmp(&b.outcome)),
        ExperimentSort::Objective => known_first(a.objective, b.objective, |a, b| way(a.total_cmp(b))),
        ExperimentSort::Elapsed => known_first(a.elapsed_ms, b.elapsed_ms, |a, b| way(a.cmp(b))),
    };
    order.then(a.number.cmp(&b.number))
}

fn known_first<T>(a: Option<T>, b: Option<T>, order: impl Fn(&T, &T) -> Ordering) -> Ordering {
    match (&a, &b) {
        (Some(a), Some(b)) => order(a, b),
        _ => b.is_some().cmp(&a.is_some()),
    }
}
