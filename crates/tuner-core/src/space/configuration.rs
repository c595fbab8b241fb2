//! One full assignment of the active parameters.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Value;

/// A full assignment: parameter name to value, active parameters only, in name order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Configuration(pub BTreeMap<String, Value>);

impl Configuration {
    /// The value of a parameter, if it is set.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets a parameter.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Names and values in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v))
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This configuration with every entry of `other` laid over it.
    pub fn overlaid(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.0.extend(other.0.iter().map(|(k, v)| (k.clone(), v.clone())));
        out
    }

    /// Sixteen hex digits that name this assignment: equal configurations have equal keys.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in &self.0 {
            let kind = match value {
                Value::Null => 'n',
                Value::Bool(_) => 'b',
                Value::Int(_) => 'i',
                Value::Float(_) => 'f',
                Value::Text(_) => 't',
            };
            let text = value.to_string();
            hash.update(format!("{}:{name}{kind}{}:{text}", name.len(), text.len()));
        }
        crate::hex(&hash.finalize()[..8])
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Configuration {
    fn from(entries: [(&str, Value); N]) -> Self {
        Self(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("(engine defaults)");
        }
        for (i, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
