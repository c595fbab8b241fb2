//! The search space: parameters, their domains, conditions and constraints.

mod configuration;
mod domain;
pub mod expr;
mod feasible;

pub use configuration::Configuration;
pub use domain::Domain;
use expr::Expr;

/// One thing that may vary, in the engine's own flag name (without leading dashes).
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Flag name as the engine spells it, `max-num-seqs`.
    pub name: String,
    /// What it may be set to.
    pub domain: Domain,
    /// It exists only where this holds; parents must be declared earlier.
    pub when: Option<Expr>,
}

/// Parameters in the order of their declaration, and what must hold between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchSpace {
    /// Parents come before children.
    pub parameters: Vec<Parameter>,
    /// Every configuration must satisfy all of them.
    pub constraints: Vec<Expr>,
    /// Flags that never vary; visible to conditions and constraints.
    pub fixed: Configuration,
}

impl SearchSpace {
    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// Whether `parameter` exists under the values chosen so far (its parents must be among them).
    pub fn is_active(&self, parameter: &Parameter, so_far: &Configuration) -> bool {
        parameter.when.as_ref().is_none_or(|when| self.holds(when, so_far))
    }

    /// Whether every constraint holds. A constraint over an inactive parameter is vacuously true.
    pub fn satisfies_constraints(&self, configuration: &Configuration) -> bool {
        self.constraints.iter().all(|c| self.violated_by(c, configuration).is_none())
    }

    /// The first constraint that `configuration` breaks.
    pub fn first_violation(&self, configuration: &Configuration) -> Option<&Expr> {
        self.constraints.iter().find(|c| self.violated_by(c, configuration).is_some())
    }

    /// Drops what is inactive and checks what is left: every active parameter present, each value in its domain, all
    /// constraints satisfied. `None` when the assignment is not a configuration of this space.
    pub fn canonical(&self, assignment: &Configuration) -> Option<Configuration> {
        let mut out = Configuration::default();
        for parameter in &self.parameters {
            if self.is_active(parameter, &out) {
                let value = assignment.get(&parameter.name)?;
                if !parameter.domain.contains(value) {
                    return None;
                }
                out.set(&parameter.name, value.clone());
            }
        }
        self.satisfies_constraints(&out).then_some(out)
    }

    /// Number of points if every domain is finite, ignoring conditions and constraints (an upper bound).
    pub fn cardinality_bound(&self) -> Option<u128> {
        self.parameters.iter().try_fold(1u128, |n, p| n.checked_mul(u128::from(p.domain.cardinality()?)))
    }

    fn lookup<'a>(&'a self, configuration: &'a Configuration) -> impl Fn(&str) -> Option<&'a crate::Value> {
        move |name| configuration.get(name).or_else(|| self.fixed.get(name))
    }

    fn holds(&self, condition: &Expr, configuration: &Configuration) -> bool {
        condition.evaluate(&self.lookup(configuration)) == Some(true)
    }

    fn violated_by<'e>(&self, constraint: &'e Expr, configuration: &Configuration) -> Option<&'e Expr> {
        (constraint.evaluate(&self.lookup(configuration)) == Some(false)).then_some(constraint)
    }
}

#[cfg(test)]
mod tests;
