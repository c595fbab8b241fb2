//! What a parameter may be set to.

use crate::Value;

/// The set of values of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// A switch.
    Bool,
    /// An unordered list; at least one value, no duplicates.
    Categorical {
        /// The values in declaration order.
        values: Vec<Value>,
    },
    /// A list of numbers in ascending order: a neighbour means something.
    Ordinal {
        /// The numbers, ascending, at least one.
        values: Vec<Value>,
    },
    /// Whole numbers `low, low + step, …, ≤ high`.
    Int {
        /// Smallest value.
        low: i64,
        /// Largest value (inclusive).
        high: i64,
        /// Distance between neighbours, at least 1.
        step: i64,
        /// Sample on a logarithmic scale (`low` ≥ 1).
        log: bool,
    },
    /// Real numbers; with a step, a lattice from `low`.
    Float {
        /// Smallest value.
        low: f64,
        /// Largest value (inclusive).
        high: f64,
        /// Distance between neighbours, if on a lattice.
        step: Option<f64>,
        /// Sample on a logarithmic scale (`low` > 0).
        log: bool,
    },
}

impl Domain {
    /// Number of values, or `None` for a continuum.
    pub fn cardinality(&self) -> Option<u64> {
        match self {
            Self::Bool => Some(2),
            Self::Categorical { values } | Self::Ordinal { values } => Some(values.len() as u64),
            Self::Int { low, high, step, .. } => Some(high.abs_diff(*low) / step.unsigned_abs().max(1) + 1),
            Self::Float { low, high, step: Some(step), .. } => Some(((high - low) / step + 1e-9).floor() as u64 + 1),
            Self::Float { low, high, step: None, .. } => (low == high).then_some(1),
        }
    }

    /// The `index`-th value of a finite domain, in ascending or declaration order.
    pub fn nth(&self, index: u64) -> Option<Value> {
        if index >= self.cardinality()? {
            return None;
        }
        Some(match self {
            Self::Bool => Value::Bool(index == 1),
            Self::Categorical { values } | Self::Ordinal { values } => values.get(index as usize)?.clone(),
            Self::Int { low, step, .. } => Value::Int(low.saturating_add(step.saturating_mul(index as i64))),
            Self::Float { low, high, step, .. } => Value::Float(lattice(*low, *high, step.unwrap_or(0.0), index)),
        })
    }

    /// Position of a value in a finite domain.
    pub fn index_of(&self, value: &Value) -> Option<u64> {
        match self {
            Self::Bool => value.as_bool().map(u64::from),
            Self::Categorical { values } | Self::Ordinal { values } => {
                values.iter().position(|v| v == value).map(|i| i as u64)
            }
            Self::Int { low, high, step, .. } => {
                let v = value.as_i64()?;
                (v >= *low && v <= *high && (v - low) % step == 0).then(|| ((v - low) / step) as u64)
            }
            Self::Float { low, step: Some(step), .. } => {
                let index = ((value.as_f64()? - low) / step).round();
                let n = self.cardinality()? as f64;
                let there = index >= 0.0 && index < n;
                (there && self.nth(index as u64)?.same_meaning(value)).then_some(index as u64)
            }
            Self::Float { low, high, step: None, .. } => (low == high && value.as_f64()? == *low).then_some(0),
        }
    }

    /// Whether the value belongs to the domain.
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Float { low, high, step: None, .. } => {
                value.as_f64().is_some_and(|v| v.is_finite() && v >= *low && v <= *high)
            }
            _ => self.index_of(value).is_some(),
        }
    }
}

/// `low + index · step`, rounded to the decimals that a person would have written, never above `high`.
fn lattice(low: f64, high: f64, step: f64, index: u64) -> f64 {
    let raw = low + step * index as f64;
    let rounded = (raw * 1e9).round() / 1e9;
    let value = if (rounded - raw).abs() <= 1e-9 * raw.abs().max(1e-9) { rounded } else { raw };
    value.min(high)
}
