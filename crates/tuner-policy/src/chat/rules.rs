//! Rules that an operator lays down in a file, with examples that are checked when it is read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::book::{Proposal, matches};
use crate::Scope;

/// What a rule does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It may not happen.
    Deny,
    /// A person decides, whatever was granted.
    Ask,
    /// It may happen without asking.
    Allow,
}

/// One rule. A call that fits everything it names is under it; of several, one that denies goes before one that asks,
/// and that before one that allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it does.
    pub effect: Effect,
    /// Tools by name, `*` at the end meaning any ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Tools that need this scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Arguments that must have these values.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub arguments: serde_json::Map<String, Value>,
    /// Why, for the model and for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A call and what the rules must say to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The tool.
    pub tool: String,
    /// The scope that it needs.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Its arguments.
    #[serde(default)]
    pub arguments: serde_json::Map<String, Value>,
    /// What comes of it; absent: no rule fits.
    #[serde(default)]
    pub effect: Option<Effect>,
}

/// The rules of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// They are only written down, not followed: to see what they would do.
    #[serde(default)]
    pub shadow: bool,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What they must say to these calls.
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// Why rules are not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RulesError {
    /// A rule that fits every call is a mistake.
    #[error("rule {number} names neither tool nor scope")]
    Boundless {
        /// From 1.
        number: usize,
    },
    /// An example fails: nobody gets to run rules that do not do what they say.
    #[error("example {number} ({tool}) expects {expected}, but the rules say {found}")]
    Example {
        /// From 1.
        number: usize,
        /// Its tool.
        tool: String,
        /// What it expects.
        expected: String,
        /// What the rules say.
        found: String,
    },
}

impl Rules {
    /// Checks that the rules do what their examples say.
    ///
    /// # Errors
    /// [`RulesError`] for the first rule or example that is wrong.
    pub fn check(&self) -> Result<(), RulesError> {
        if let Some(at) = self.rules.iter().position(|rule| rule.tool.is_none() && rule.scope.is_none()) {
            return Err(RulesError::Boundless { number: at + 1 });
        }
        for (at, example) in self.examples.iter().enumerate() {
            let found = self.decide(&example.tool, example.scope, &example.arguments).map(|rule| rule.effect);
            if found != example.effect {
                let word = |effect: Option<Effect>| {
                    effect.map_or("nothing", |effect| match effect {
                        Effect::Deny => "deny",
                        Effect::Ask => "ask",
                        Effect::Allow => "allow",
                    })
                };
                return Err(RulesError::Example {
                    number: at + 1,
                    tool: example.tool.clone(),
                    expected: word(example.effect).to_owned(),
                    found: word(found).to_owned(),
                });
            }
        }
        Ok(())
    }

    /// What the rules say to a call, whether they are followed or not.
    pub fn find(&self, call: &Proposal) -> Option<(Effect, String)> {
        // Arguments that are no object fit no rule that names any.
        let arguments: serde_json::Map<String, Value> = serde_json::from_str(&call.arguments).unwrap_or_default();
        let rule = self.decide(&call.tool, call.scope, &arguments)?;
        let reason = rule.reason.clone().unwrap_or_else(|| "a rule of the policy file says so".to_owned());
        Some((rule.effect, reason))
    }

    fn decide(&self, tool: &str, scope: Option<Scope>, arguments: &serde_json::Map<String, Value>) -> Option<&Rule> {
        let fits = |rule: &&Rule| {
            rule.tool.as_ref().is_none_or(|pattern| matches(pattern, tool))
                && rule.scope.is_none_or(|wanted| scope == Some(wanted))
                && rule.arguments.iter().all(|(name, value)| arguments.get(name) == Some(value))
        };
        let of = |effect: Effect| self.rules.iter().filter(fits).find(|rule| rule.effect == effect);
        [Effect::Deny, Effect::Ask, Effect::Allow].into_iter().find_map(of)
    }
}
