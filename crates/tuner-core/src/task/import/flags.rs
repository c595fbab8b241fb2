//! Several flags that vary together: the ones that a unified setting of the predecessor stands for.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::Value;
use crate::space::expr::Expr;
use crate::task::diagnostic::Diagnostic;
use crate::task::read::tree::Path;
use crate::task::search::{ParameterSpec, SearchSpaceSpec};

/// Flags of one alternative; what is absent is left out.
pub(super) type Flags = BTreeMap<&'static str, Value>;

/// Alternatives of which each experiment takes one.
pub(super) struct Group {
    /// The field they come from.
    pub place: Path,
    /// At least one; equal ones are merged.
    pub alternatives: Vec<Flags>,
}

impl Group {
    /// Turns the alternatives into parameters, fixed flags and, where not every combination is meant, a constraint.
    pub(super) fn place(
        self,
        fields: &mut Fields<'_>,
        space: &mut SearchSpaceSpec,
        fixed: &mut BTreeMap<String, Value>,
    ) {
        let mut names: Vec<&'static str> = self.alternatives.iter().flat_map(|a| a.keys().copied()).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| {
            let own = fixed.contains_key(*name) || space.parameters.0.iter().any(|(n, _)| n == name);
            if own {
                let message = format!("`{name}` is given under `parameters` too, which wins");
                fields.report_key(&self.place, Diagnostic::note("", message));
            }
            !own
        });
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let mut merged = false;
        for alternative in &self.alternatives {
            let row: Vec<Value> = names.iter().map(|n| alternative.get(n).cloned().unwrap_or(Value::Null)).collect();
            if rows.contains(&row) {
                merged = true;
            } else {
                rows.push(row);
            }
        }
        if merged {
            let finding =
                Diagnostic::note("", "several of these settings mean the same flags; each combination is tried once");
            fields.report_key(&self.place, finding);
        }
        let mut varied: Vec<(usize, &'static str, Vec<Value>)> = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let mut values: Vec<Value> = Vec::new();
            for row in &rows {
                if let Some(value) = row.get(i).filter(|v| !values.contains(v)) {
                    values.push(value.clone());
                }
            }
            match values.as_slice() {
                [] | [Value::Null] => {}
                [only] => drop(fixed.insert((*name).to_owned(), only.clone())),
                _ => varied.push((i, name, values)),
            }
        }
        let product: usize = varied.iter().map(|(_, _, values)| values.len()).product();
        if varied.len() > 1 && product > rows.len() {
            let constraint = allowed(&varied, &rows);
            if constraint.len() > Expr::MAX_LENGTH {
                let finding =
                    Diagnostic::error("", "these settings combine to more alternatives than one constraint holds");
                fields.report_key(
                    &self.place,
                    finding.help("shorten the lists, or use the engine's own flags under `parameters`"),
                );
                return;
            }
            space.constraints.push(constraint);
        }
        space
            .parameters
            .0
            .extend(varied.into_iter().map(|(_, name, values)| (name.to_owned(), ParameterSpec::List(values))));
    }
}

/// The condition that holds for exactly the rows.
fn allowed(varied: &[(usize, &'static str, Vec<Value>)], rows: &[Vec<Value>]) -> String {
    let literal = |value: &Value| match value {
        Value::Text(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    let row = |row: &Vec<Value>| {
        let terms: Vec<String> =
            varied.iter().filter_map(|(i, name, _)| Some(format!("{name} == {}", literal(row.get(*i)?)))).collect();
        format!("({})", terms.join(" and "))
    };
    rows.iter().map(row).collect::<Vec<_>>().join(" or ")
}

/// The values of a unified field that an engine can honour. What it cannot is noted while something remains, and is
/// an error when nothing does.
pub(super) fn honoured<T>(
    fields: &mut Fields<'_>,
    field: &Path,
    mut translate: impl FnMut(&Value) -> Result<T, String>,
) -> Vec<T> {
    let mut out = Vec::new();
    let mut refused = Vec::new();
    for (place, value) in fields.values(field) {
        match translate(&value) {
            Ok(flags) => out.push(flags),
            Err(reason) => refused.push((place, reason)),
        }
    }
    for (place, reason) in refused {
        let finding = if out.is_empty() {
            Diagnostic::error("", reason).help("choose another value, or remove the field")
        } else {
            Diagnostic::note("", format!("{reason}; this value is left out"))
        };
        fields.report(&place, finding);
    }
    out
}
