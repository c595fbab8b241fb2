//! Pages of lists as the text that is sent: the database puts it together, of the columns that it shows, and JSON that stands
//! there goes out as it stands there, read by nobody. So a page is one row, however many items it has.
//!
//! *Invariant*: a page is one statement, and so one moment. Its items are what [`crate::TaskRow`] and
//! [`crate::ExperimentRow`] say, with the names that the HTTP API gives them.

use sea_orm::ConnectionTrait;

use super::experiments::{ExperimentQuery, ExperimentSort};
use super::search::{Archived, TaskQuery};
use super::sql::{Sql, item};
use crate::dialect::within;
use crate::row::TaskId;
use crate::{Store, StoreError};

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPage {
    /// The items, between commas.
    pub items: String,
    /// Give this for the next part; `None` at the end.
    pub next: Option<String>,
}

impl JsonPage {
    /// The items, for whoever wants more than to send them.
    pub fn rows(&self) -> Vec<serde_json::Value> {
        // The database wrote them as JSON.
        serde_json::from_str(&format!("[{}]", self.items)).unwrap_or_default()
    }
}

/// Fields of an experiment in a list.
pub const EXPERIMENT_FIELDS: [&str; 10] = [
    "number",
    "role",
    "configuration",
    "outcome",
    "result",
    "objective",
    "score",
    "created_at",
    "ended_at",
    "elapsed_s",
];

/// Between two items. No item has a line break: it is JSON without spaces.
const BETWEEN: &str = ",\n";

/// The texts of `item` and of `mark`, where to go on after, in the order of this part, as one text each. Both databases
/// aggregate an ordered part in its order.
fn page(mut sql: Sql, part: &str) -> Sql {
    let join = sql.join();
    sql.text = format!(
        "SELECT coalesce({join}(item, '{BETWEEN}'), ''), coalesce({join}(mark, ','), '') FROM ({part}) AS part"
    );
    sql
}

impl Store {
    /// At most `limit` tasks, newest first, that are older than `after`, with how many experiments ended how.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn task_page(
        &self,
        wanted: &TaskQuery,
        after: Option<TaskId>,
        limit: u32,
    ) -> Result<JsonPage, StoreError> {
        let mut sql = Sql::new(self.db.get_database_backend());
        let part = tasks(&mut sql, wanted, after, limit);
        self.glance(page(sql, &part), limit).await
    }

    /// At most `limit` experiments of a task, named as for [`Store::task`], after the one with number `after`; of each the
    /// fields that are named, or all.
    ///
    /// # Errors
    /// [`StoreError::NoSuchTask`], [`StoreError::AmbiguousTask`], [`StoreError::Database`].
    pub async fn experiment_page(
        &self,
        task: &str,
        wanted: &ExperimentQuery,
        fields: &[String],
        after: Option<u32>,
        limit: u32,
    ) -> Result<JsonPage, StoreError> {
        let mut whole = task.to_owned();
        loop {
            let mut sql = Sql::new(self.db.get_database_backend());
            let part = experiments(&mut sql, &whole, wanted, fields, after, limit);
            let page = self.glance(page(sql, &part), limit).await?;
            if page.items.is_empty() {
                // Nothing there, or the beginning of an id: looked up as everywhere.
                let id = self.task(task).await?.id.to_string();
                if id != whole && whole.parse::<TaskId>().is_err() {
                    whole = id;
                    continue;
                }
            }
            return Ok(page);
        }
    }

    /// One statement, which is a moment by itself.
    async fn glance(&self, sql: Sql, limit: u32) -> Result<JsonPage, StoreError> {
        let row = within(self.answer, self.db.query_one_raw(sql.statement())).await?;
        let row = row.ok_or_else(|| StoreError::not_found("answer to the question for a list"))?;
        let (mut items, marks): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let mut marks = marks.split(',');
        let last = marks.nth((limit as usize).saturating_sub(1));
        // One more was asked for: it only says that there is more.
        let next = last.filter(|_| marks.next().is_some()).map(str::to_owned);
        if next.is_some() {
            items.truncate(items.rfind(BETWEEN).unwrap_or(0));
        }
        Ok(JsonPage { items, next })
    }
}

fn tasks(sql: &mut Sql, wanted: &TaskQuery, after: Option<TaskId>, limit: u32) -> String {
    let mut filter: Vec<String> = Vec::new();
    if !wanted.replaced {
        filter.push("id NOT IN (SELECT task_id FROM task_revisions WHERE replaced_by IS NOT NULL)".to_owned());
    }
    match wanted.archived {
        Archived::Without => filter.push("id NOT IN (SELECT task_id FROM archived_tasks)".to_owned()),
        Archived::Only => filter.push("id IN (SELECT task_id FROM archived_tasks)".to_owned()),
        Archived::With => {}
    }
    if !wanted.statuses.is_empty() {
        let places = sql.bind_all(wanted.statuses.iter().map(|status| status.word()));
        filter.push(format!("status IN ({places})"));
    }
    if !wanted.engines.is_empty() {
        let places = sql.bind_all(wanted.engines.iter().map(String::as_str));
        filter.push(format!("engine IN ({places})"));
    }
    if let Some(part) = &wanted.name_contains {
        let place = sql.bind(part.to_lowercase());
        filter.push(match sql.postgres {
            true => format!("position({place} in lower(name)) > 0"),
            false => format!("instr(lower(name), {place}) > 0"),
        });
    }
    if let Some(after) = after {
        let place = sql.bind(after.to_string());
        filter.push(format!("id < {place}"));
    }
    let filter = if filter.is_empty() { String::new() } else { format!(" WHERE {}", filter.join(" AND ")) };
    let (quoted, moment) = (|column| (column, sql.quoted(column)), |column| (column, sql.moment(column)));
    let item = item([
        quoted("id"),
        quoted("name"),
        quoted("engine"),
        quoted("status"),
        ("verdict", "coalesce(verdict, 'null')".to_owned()),
        quoted("failure"),
        moment("created_at"),
        moment("started_at"),
        moment("ended_at"),
        ("cancel_requested", "CASE WHEN cancel_requested THEN 'true' ELSE 'false' END".to_owned()),
        ("gpu_seconds", sql.real("gpu_seconds")),
        ("experiments", "coalesce((SELECT words FROM outcome_counts WHERE task_id = id), '{}')".to_owned()),
    ]);
    // In words: SQLite plans a statement anew each time that a bound limit is bound.
    let most = i64::from(limit) + 1;
    format!("SELECT id AS mark, {item} AS item FROM tasks{filter} ORDER BY id DESC LIMIT {most}")
}

fn experiments(
    sql: &mut Sql,
    task: &str,
    wanted: &ExperimentQuery,
    fields: &[String],
    after: Option<u32>,
    limit: u32,
) -> String {
    let task = match task.parse::<TaskId>() {
        Ok(id) => sql.bind(id.to_string()),
        Err(_) => format!("(SELECT id FROM tasks WHERE name = {})", sql.bind(task)),
    };
    let mut filter = vec![format!("task_id = {task}")];
    if !wanted.outcomes.is_empty() {
        let places = sql.bind_all(wanted.outcomes.iter().map(String::as_str));
        filter.push(format!("coalesce(outcome_word, 'open') IN ({places})"));
    }
    if !wanted.roles.is_empty() {
        let places = sql.bind_all(wanted.roles.iter().map(String::as_str));
        let kind = sql.either("role ->> '$.kind'", "(role::json->>'kind')");
        filter.push(format!("{kind} IN ({places})"));
    }
    let filter = filter.join(" AND ");
    let shown = EXPERIMENT_FIELDS.into_iter().filter(|f| fields.is_empty() || fields.iter().any(|x| x == f));
    let item = item(shown.map(|field| (field, shown_as(sql, field))));
    let most = i64::from(limit) + 1;
    let way = if wanted.descending { "DESC" } else { "ASC" };
    let after = after.map(|after| sql.bind(i64::from(after)));
    let mark = sql.either("CAST(number AS TEXT)", "number::text");
    let ms = sql.either(
        "CAST(round((julianday(ended_at) - julianday(created_at)) * 86400000.0) AS INTEGER)",
        "round(extract(epoch FROM ended_at - created_at) * 1000)::int8",
    );
    let columns =
        format!("number, role, configuration, outcome_word, outcome, score, created_at, ended_at, {ms} AS ms");
    let part = match order(sql, wanted) {
        None => {
            let than = if wanted.descending { "<" } else { ">" };
            let from = after.map_or_else(String::new, |after| format!(" AND number {than} {after}"));
            format!("SELECT {columns} FROM experiments WHERE {filter}{from} ORDER BY number {way} LIMIT {most}")
        }
        // Places first, of all; then the rows of the part alone.
        Some(order) => {
            let from = after.map_or_else(String::new, |after| {
                format!(" WHERE place > coalesce((SELECT place FROM places WHERE nr = {after}), 1000000000)")
            });
            format!(
                "WITH places AS (SELECT task_id AS in_task, number AS nr, row_number() OVER (ORDER BY {order}) AS place \
                 FROM experiments WHERE {filter}), few AS (SELECT in_task, nr, place FROM places{from} ORDER BY place \
                 LIMIT {most}) SELECT {columns} FROM few JOIN experiments ON task_id = in_task AND number = nr \
                 ORDER BY place"
            )
        }
    };
    format!("SELECT {mark} AS mark, {item} AS item FROM ({part}) AS shown")
}

/// A field of an experiment as JSON.
fn shown_as(sql: &Sql, field: &str) -> String {
    match field {
        "number" => "number".to_owned(),
        "outcome" => sql.quoted("coalesce(outcome_word, 'open')"),
        "result" => "coalesce(outcome, 'null')".to_owned(),
        "objective" => {
            let json = sql.inside("score", "$.objectives[0]", "->'objectives'->0");
            format!("coalesce({json}{}, 'null')", sql.either("", "::text"))
        }
        "created_at" | "ended_at" => sql.moment(field),
        "elapsed_s" => format!("CASE WHEN ms IS NULL THEN 'null' ELSE {} END", sql.seconds("ms")),
        raw => format!("coalesce({raw}, 'null')"),
    }
}

/// The order, where it is not that of the key.
fn order(sql: &Sql, wanted: &ExperimentQuery) -> Option<String> {
    let way = if wanted.descending { "DESC" } else { "ASC" };
    let known_first = |value: &str| Some(format!("{value} IS NULL, {value} {way}, number"));
    match wanted.sort {
        ExperimentSort::Number => None,
        ExperimentSort::Outcome => Some(format!("coalesce(outcome_word, 'open') {way}, number")),
        ExperimentSort::Objective => {
            let objective =
                sql.either("CAST(score ->> '$.objectives[0]' AS REAL)", "(score::json->'objectives'->>0)::float8");
            known_first(objective)
        }
        ExperimentSort::Elapsed => {
            let took = sql.either("(julianday(ended_at) - julianday(created_at))", "(ended_at - created_at)");
            known_first(took)
        }
    }
}
