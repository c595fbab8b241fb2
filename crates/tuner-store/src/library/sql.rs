//! JSON that the database puts together, in the words of each database.

use sea_orm::{DbBackend, Statement, Value};

/// A query in the words of one database.
pub(super) struct Sql {
    pub(super) postgres: bool,
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    /// An empty one for a database.
    pub(super) fn new(backend: DbBackend) -> Self {
        Self { postgres: backend == DbBackend::Postgres, text: String::new(), values: Vec::new() }
    }

    /// The words of SQLite, or those of PostgreSQL.
    pub(super) fn either<'w>(&self, sqlite: &'w str, postgres: &'w str) -> &'w str {
        if self.postgres { postgres } else { sqlite }
    }

    /// What joins the texts of several rows.
    pub(super) fn join(&self) -> &'static str {
        if self.postgres { "string_agg" } else { "group_concat" }
    }

    /// To be asked.
    pub(super) fn statement(self) -> Statement {
        let backend = if self.postgres { DbBackend::Postgres } else { DbBackend::Sqlite };
        Statement::from_sql_and_values(backend, self.text, self.values)
    }

    /// A place for a value.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    pub(super) fn bind_all<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) -> String {
        let places: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        places.join(", ")
    }

    /// A text as JSON.
    pub(super) fn quoted(&self, text: &str) -> String {
        match self.postgres {
            true => format!("coalesce(to_json({text})::text, 'null')"),
            false => format!("json_quote({text})"),
        }
    }

    /// A moment as JSON: RFC 3339, as SQLite keeps it.
    pub(super) fn moment(&self, column: &str) -> String {
        let text = match self.postgres {
            true => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"),
            false => format!("replace({column}, '+00:00', 'Z')"),
        };
        format!("coalesce('\"' || {text} || '\"', 'null')")
    }

    /// A number with a fraction as JSON, to the last bit.
    pub(super) fn real(&self, value: &str) -> String {
        match self.postgres {
            true => format!(
                "coalesce(CASE WHEN {value} = trunc({value}) AND abs({value}) < 1e15 THEN {value}::text || '.0' \
                 ELSE {value}::text END, 'null')"
            ),
            false => format!(
                "coalesce(CASE WHEN CAST(printf('%!.15g', {value}) AS REAL) = {value} THEN printf('%!.15g', {value}) \
                 WHEN {value} IS NOT NULL THEN printf('%!.17g', {value}) END, 'null')"
            ),
        }
    }

    /// Something inside of JSON that a column holds, as JSON.
    pub(super) fn inside(&self, column: &str, sqlite: &str, postgres: &str) -> String {
        match self.postgres {
            true => format!("({column}::json{postgres})"),
            false => format!("({column} -> '{sqlite}')"),
        }
    }

    /// Milliseconds as JSON seconds, without the arithmetic of fractions, which costs more than all else of an item.
    pub(super) fn seconds(&self, ms: &str) -> String {
        let (sign, rest) = (format!("CASE WHEN {ms} < 0 THEN '-' ELSE '' END"), format!("1000 + abs({ms}) % 1000"));
        let rest = if self.postgres { format!("({rest})::text") } else { rest };
        format!("concat({sign}, abs({ms}) / 1000, '.', substr({rest}, 2))")
    }
}

/// The parts of an item, one text.
pub(super) fn item(fields: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut parts = Vec::new();
    for (n, (name, json)) in fields.into_iter().enumerate() {
        let before = if n == 0 { "{" } else { "," };
        parts.push(format!("'{before}\"{name}\":', {json}"));
    }
    format!("concat({}, '}}')", parts.join(", "))
}
