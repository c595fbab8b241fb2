//! What was tried or runs.

use std::collections::HashSet;

use tuner_core::sampler::Ask;
use tuner_core::space::{Configuration, Domain, SearchSpace};
use tuner_core::value::Value;

/// Configurations that must not be suggested again.
#[derive(Debug, Default)]
pub struct Seen(HashSet<Configuration>);

impl Seen {
    /// Everything finished (also what failed: the planner decides about retries) and everything running.
    pub fn of(ask: &Ask<'_>) -> Self {
        let finished = ask.finished.iter().map(|f| &f.configuration);
        Self(finished.chain(ask.running).map(|c| snapped(ask.space, c)).collect())
    }

    /// Whether this configuration was tried or runs.
    pub fn contains(&self, configuration: &Configuration) -> bool {
        self.0.contains(configuration)
    }

    /// Number of distinct configurations.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was tried yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The part of `configuration` that lies in the space, in the space's own values.
///
/// A baseline comes from the user's command line: it may lack parameters, name others, or write `1` where the space
/// has `1.0`. Unknown and inactive entries are dropped, values are replaced by the domain's equal ones, values outside
/// their domain are dropped.
pub fn snapped(space: &SearchSpace, configuration: &Configuration) -> Configuration {
    let mut out = Configuration::default();
    for parameter in &space.parameters {
        if space.is_active(parameter, &out)
            && let Some(value) = configuration.get(&parameter.name).and_then(|v| member(&parameter.domain, v))
        {
            out.set(&parameter.name, value);
        }
    }
    out
}

/// The domain's value that means the same as `value`.
fn member(domain: &Domain, value: &Value) -> Option<Value> {
    match domain {
        Domain::Bool => value.as_bool().map(Value::Bool),
        Domain::Categorical { values } | Domain::Ordinal { values } => {
            values.iter().find(|v| *v == value).or_else(|| values.iter().find(|v| v.same_meaning(value))).cloned()
        }
        Domain::Int { .. } => {
            let whole = value.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 9e15).map(|x| Value::Int(x as i64))?;
            domain.contains(&whole).then_some(whole)
        }
        Domain::Float { step: Some(_), .. } => domain.nth(domain.index_of(value)?),
        Domain::Float { step: None, .. } => domain.contains(value).then_some(Value::Float(value.as_f64()?)),
    }
}

#[cfg(test)]
mod tests {
    use tuner_core::space::Parameter;

    use super::*;

    #[test]
    fn a_baseline_in_other_spelling_is_recognised() {
        let float = Domain::Float { low: 0.7, high: 0.95, step: Some(0.05), log: false };
        let int = Domain::Int { low: 1, high: 64, step: 1, log: false };
        let space = SearchSpace {
            parameters: [("util", float), ("seqs", int)]
                .map(|(name, domain)| Parameter { name: name.into(), domain, when: None })
                .into(),
            ..SearchSpace::default()
        };
        let baseline = Configuration::from([
            ("util", Value::Float(0.700_000_000_01 + 0.05 * 4.0)),
            ("seqs", Value::Float(16.0)),
            ("port", Value::Int(8000)),
        ]);
        let expected = Configuration::from([("util", Value::Float(0.9)), ("seqs", Value::Int(16))]);
        assert_eq!(snapped(&space, &baseline), expected);
        assert_eq!(space.canonical(&expected), Some(expected));
    }
}
