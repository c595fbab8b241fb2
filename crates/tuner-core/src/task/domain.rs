//! From what a file says about parameters to the space that is searched.

use super::search::{DomainSpec, Number, NumberKind, ParameterSpec};
use super::{BoolWord, TaskSpec};
use crate::space::expr::Expr;
use crate::{Configuration, Domain, Parameter, SearchSpace, Value};

/// Largest magnitude of a range's ends: whole numbers are exact in a double up to here.
const LARGEST: f64 = 9e15;
/// Most values in a list.
const MOST_VALUES: usize = 1000;
/// Most steps in a range.
const MOST_STEPS: f64 = 1e9;

/// What is wrong with one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DomainProblem {
    /// Field within the parameter: `low`, `values`; empty for the parameter itself.
    pub field: &'static str,
    /// Position in the list of values, if one is to blame.
    pub index: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

fn problem(field: &'static str, message: impl Into<String>, help: &'static str) -> DomainProblem {
    DomainProblem { field, index: None, message: message.into(), help }
}

/// A task whose search space cannot be built; [`super::read`] refuses such a file with all its errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct SpaceError {
    /// Parameter or constraint.
    pub place: String,
    /// What is wrong with it.
    pub message: String,
}

/// The space that a task searches.
pub fn search_space(spec: &TaskSpec) -> Result<SearchSpace, SpaceError> {
    let parse = |place: &str, text: &str| {
        Expr::parse(text).map_err(|e| SpaceError { place: place.to_owned(), message: e.to_string() })
    };
    let mut space = SearchSpace {
        parameters: Vec::new(),
        constraints: Vec::new(),
        fixed: Configuration(spec.engine.fixed.clone()),
    };
    for (name, parameter) in &spec.search_space.parameters.0 {
        let refused = |problems: Vec<DomainProblem>| SpaceError {
            place: name.clone(),
            message: problems.into_iter().map(|p| p.message).collect::<Vec<_>>().join("; "),
        };
        let when = match parameter {
            ParameterSpec::Full(DomainSpec { when: Some(text), .. }) => Some(parse(name, text)?),
            _ => None,
        };
        space.parameters.push(Parameter { name: name.clone(), domain: domain(parameter).map_err(refused)?, when });
    }
    for text in &spec.search_space.constraints {
        space.constraints.push(parse("constraint", text)?);
    }
    Ok(space)
}

/// The domain of one parameter, or everything that is wrong with it.
pub(crate) fn domain(spec: &ParameterSpec) -> Result<Domain, Vec<DomainProblem>> {
    match spec {
        ParameterSpec::Word(BoolWord::Bool) => Ok(Domain::Bool),
        ParameterSpec::List(values) => list(values, None, ""),
        ParameterSpec::Full(full) => object(full),
    }
}

fn object(spec: &DomainSpec) -> Result<Domain, Vec<DomainProblem>> {
    let range = &spec.range;
    let has_range = range.low.is_some() || range.high.is_some() || range.step.is_some();
    match (&spec.values, has_range, spec.kind) {
        (Some(_), true, _) => Err(vec![problem("", "both `values` and a range are given", "keep one of the two")]),
        (Some(values), false, kind) => {
            let mut out = list(values, kind, "values");
            if range.log {
                let stray = problem("log", "`log` belongs to a range, not to a list", "remove it");
                match &mut out {
                    Ok(_) => out = Err(vec![stray]),
                    Err(problems) => problems.push(stray),
                }
            }
            out
        }
        (None, true, Some(NumberKind::Bool)) => {
            Err(vec![problem("type", "a switch has no range", "remove `low`, `high` and `step`")])
        }
        (None, true, Some(NumberKind::Categorical)) => {
            Err(vec![problem("type", "a categorical parameter has no range", "give `values: […]`")])
        }
        (None, true, kind) => numbers(spec, kind),
        (None, false, Some(NumberKind::Bool)) => Ok(Domain::Bool),
        (None, false, _) => Err(vec![problem(
            "",
            "the parameter has no values",
            "give `values: […]`, or `low:` and `high:`, or `type: bool`",
        )]),
    }
}

fn list(values: &[Value], kind: Option<NumberKind>, field: &'static str) -> Result<Domain, Vec<DomainProblem>> {
    if values.is_empty() {
        return Err(vec![problem(
            field,
            "the list of values is empty",
            "give at least one value, or remove the parameter",
        )]);
    }
    if values.len() > MOST_VALUES {
        let message = format!("the list has {} values, at most {MOST_VALUES} are taken", values.len());
        return Err(vec![problem(field, message, "give a range: `low:`, `high:`, `step:`")]);
    }
    let mut problems = Vec::new();
    for (i, value) in values.iter().enumerate() {
        if values.iter().take(i).any(|v| v.same_meaning(value)) {
            let message = format!("the value {value} stands in the list twice");
            problems.push(DomainProblem { index: Some(i), ..problem(field, message, "keep one of the two") });
        }
        let fits = match kind {
            Some(NumberKind::Int) => value.as_f64().is_some_and(|x| x.fract() == 0.0 && x.abs() <= LARGEST),
            Some(NumberKind::Float) => value.as_f64().is_some(),
            Some(NumberKind::Bool) => value.as_bool().is_some(),
            Some(NumberKind::Categorical) | None => true,
        };
        if !fits {
            let expected = match kind {
                Some(NumberKind::Int) => "a whole number",
                Some(NumberKind::Bool) => "true or false",
                _ => "a number",
            };
            let message = format!("the value {value} is not {expected}");
            problems.push(DomainProblem { index: Some(i), ..problem(field, message, "change it, or the `type`") });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if values.len() == 2 && values.iter().all(|v| v.as_bool().is_some()) && kind != Some(NumberKind::Categorical) {
        return Ok(Domain::Bool);
    }
    let numeric = values.iter().all(|v| v.as_f64().is_some()) && kind != Some(NumberKind::Categorical);
    if !numeric {
        return Ok(Domain::Categorical { values: values.to_vec() });
    }
    let whole = kind == Some(NumberKind::Int)
        || (kind != Some(NumberKind::Float) && values.iter().all(|v| v.as_i64().is_some()));
    let mut values: Vec<Value> = values
        .iter()
        .map(|v| match v.as_f64() {
            Some(x) if !whole => Value::Float(x),
            Some(x) if v.as_i64().is_none() => Value::Int(x as i64),
            _ => v.clone(),
        })
        .collect();
    values.sort();
    Ok(Domain::Ordinal { values })
}

fn numbers(spec: &DomainSpec, kind: Option<NumberKind>) -> Result<Domain, Vec<DomainProblem>> {
    let range = &spec.range;
    let mut problems = Vec::new();
    for (field, value) in [("low", range.low), ("high", range.high)] {
        match value {
            None => problems.push(problem("", format!("the range has no `{field}`"), "give `low:` and `high:`")),
            Some(x) if x.as_f64().abs() > LARGEST => {
                problems.push(problem(field, format!("{} is too large", x.as_f64()), "stay within ±9e15"));
            }
            Some(_) => {}
        }
    }
    let given = [("low", range.low), ("high", range.high), ("step", range.step)];
    let whole = match kind {
        Some(NumberKind::Int) => true,
        Some(_) => false,
        None => given.iter().all(|(_, n)| !matches!(n, Some(Number::Real(_)))),
    };
    if whole {
        for (field, number) in given {
            if let Some(number) = number.filter(|n| n.as_i64().is_none()) {
                let message = format!("{} is not a whole number", number.as_f64());
                problems.push(problem(field, message, "write a whole number, or `type: float`"));
            }
        }
    }
    if range.step.is_some_and(|s| s.as_f64() <= 0.0) {
        problems.push(problem("step", "the step must be above 0", "give the distance between neighbours"));
    }
    if let (Some(low), Some(high)) = (range.low.map(Number::as_f64), range.high.map(Number::as_f64)) {
        if low >= high {
            let message = format!("`low` ({low}) must be below `high` ({high})");
            problems.push(problem("low", message, "swap the two, or write a list with the one value"));
        } else if let Some(step) = range.step.map(Number::as_f64).filter(|s| *s > 0.0) {
            if step > high - low {
                let message = format!("the step {step} is larger than the range from {low} to {high}");
                problems.push(problem("step", message, "give a smaller step"));
            } else if (high - low) / step > MOST_STEPS {
                problems.push(problem("step", "the range has more than a billion steps", "give a larger step"));
            }
        }
        if range.log && low <= 0.0 {
            let message = format!("a logarithmic range must start above 0, not at {low}");
            problems.push(problem("low", message, "raise `low`, or remove `log`"));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (Some(low), Some(high)) = (range.low, range.high) else { return Err(Vec::new()) };
    Ok(match (whole, low.as_i64(), high.as_i64()) {
        (true, Some(low), Some(high)) => {
            Domain::Int { low, high, step: range.step.and_then(Number::as_i64).unwrap_or(1), log: range.log }
        }
        _ => {
            let step = range.step.map(Number::as_f64);
            Domain::Float { low: low.as_f64(), high: high.as_f64(), step, log: range.log }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Result<Domain, String> {
        domain(&serde_json::from_str(json).unwrap())
            .map_err(|p| p.into_iter().map(|p| p.message).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn the_form_of_a_list_decides_its_domain() {
        let ints = |values: &[i64]| values.iter().map(|v| Value::Int(*v)).collect::<Vec<_>>();
        assert_eq!(of("[32, 8, 16]").unwrap(), Domain::Ordinal { values: ints(&[8, 16, 32]) });
        assert_eq!(of("[1, 0.5]").unwrap(), Domain::Ordinal { values: vec![Value::Float(0.5), Value::Float(1.0)] });
        assert_eq!(of("[true, false]").unwrap(), Domain::Bool);
        assert_eq!(of("\"bool\"").unwrap(), Domain::Bool);
        assert_eq!(of(r#"{"type": "bool"}"#).unwrap(), Domain::Bool);
        assert_eq!(of("[true]").unwrap(), Domain::Categorical { values: vec![Value::Bool(true)] });
        assert_eq!(of("[null, 8]").unwrap(), Domain::Categorical { values: vec![Value::Null, Value::Int(8)] });
        let unordered = of(r#"{"values": [8, 4], "type": "categorical"}"#).unwrap();
        assert_eq!(unordered, Domain::Categorical { values: ints(&[8, 4]) });
    }

    #[test]
    fn whole_numbers_stay_whole_only_if_they_were_written_so() {
        assert_eq!(of(r#"{"low": 0, "high": 4}"#).unwrap(), Domain::Int { low: 0, high: 4, step: 1, log: false });
        let real = Domain::Float { low: 0.0, high: 1.0, step: None, log: false };
        assert_eq!(of(r#"{"low": 0.0, "high": 1}"#).unwrap(), real);
        assert_eq!(of(r#"{"low": 0, "high": 1, "type": "float"}"#).unwrap(), real);
    }

    #[test]
    fn every_problem_of_a_range_is_told() {
        let text = of(r#"{"low": 4, "high": 2, "step": 0, "log": true}"#).unwrap_err();
        assert_eq!(text, "the step must be above 0; `low` (4) must be below `high` (2)");
        assert_eq!(of(r#"{"low": 4, "step": 8}"#).unwrap_err(), "the range has no `high`");
        assert_eq!(
            of(r#"{"low": 0, "high": 8, "log": true}"#).unwrap_err(),
            "a logarithmic range must start above 0, not at 0"
        );
        assert_eq!(
            of(r#"{"low": 0.0, "high": 1e12, "step": 1e-3}"#).unwrap_err(),
            "the range has more than a billion steps"
        );
    }
}
