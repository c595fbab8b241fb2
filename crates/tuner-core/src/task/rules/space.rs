//! Rules on the search space: domains, conditions, constraints, and whether anything is left.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, nearest};
use super::super::domain::{domain, search_space};
use super::super::read::tree::{Path, at_path};
use super::super::search::{DomainSpec, ParameterSpec};
use super::super::{SamplerSpec, TaskSpec};
use super::Rules;
use crate::space::expr::Expr;
use crate::{Domain, Value};

/// Comparisons that may be spent on finding one valid configuration.
const EFFORT: usize = 200_000;
/// Most parameters, and most constraints.
const MOST: usize = 200;

type Domains<'s> = BTreeMap<&'s str, Domain>;

impl Rules<'_> {
    pub(super) fn space(&mut self) {
        let before = self.errors();
        let spec = self.spec;
        let many = [
            ("parameters", spec.search_space.parameters.0.len()),
            ("constraints", spec.search_space.constraints.len()),
        ];
        if let Some((what, count)) = many.into_iter().find(|(_, count)| *count > MOST) {
            let finding = Diagnostic::error("", format!("{count} {what} are more than a search can learn about"));
            self.report_key(&at_path!["search_space", what], finding.allowed(format!("at most {MOST}")));
            return;
        }
        let domains: Domains<'_> =
            spec.search_space.parameters.0.iter().filter_map(|(n, p)| Some((n.as_str(), domain(p).ok()?))).collect();
        for (i, (name, parameter)) in spec.search_space.parameters.0.iter().enumerate() {
            let place = at_path!["search_space", "parameters", name.as_str()];
            self.domain(&place, parameter);
            self.twins(&place, name, i);
            if let ParameterSpec::Full(DomainSpec { when: Some(text), .. }) = parameter {
                self.condition(&place.join("when"), text, Some(name), i, &domains);
            }
        }
        for (i, text) in spec.search_space.constraints.iter().enumerate() {
            let place = at_path!["search_space", "constraints", i];
            self.condition(&place, text, None, usize::MAX, &domains);
        }
        if self.errors() == before && self.sound(&at_path!["search_space"]) {
            self.whole(spec);
        }
    }

    fn errors(&self) -> usize {
        self.found.iter().filter(|d| d.is_error()).count()
    }

    fn domain(&mut self, place: &Path, parameter: &ParameterSpec) {
        let Err(problems) = domain(parameter) else { return };
        for problem in problems {
            let mut at = place.clone();
            if !problem.field.is_empty() {
                at = at.join(problem.field);
            }
            if let Some(index) = problem.index {
                at = at.join(index);
            }
            self.report(&at, Diagnostic::error("", problem.message).help(problem.help));
        }
    }

    /// The same flag twice: fixed and varied, or in two spellings.
    fn twins(&mut self, place: &Path, name: &str, position: usize) {
        let plain = |s: &str| s.replace('_', "-");
        let fixed = self.spec.engine.fixed.keys().find(|f| plain(f) == plain(name));
        if let Some(fixed) = fixed {
            let line = self.root.locate_key(&at_path!["engine", "fixed", fixed.as_str()]).line;
            let finding = Diagnostic::error("", format!("`{name}` is fixed (line {line}) and varied"));
            self.report_key(place, finding.help("remove it from `engine.fixed` or from the search space"));
        }
        let earlier = self.spec.search_space.parameters.0.iter().take(position);
        if let Some((twin, _)) = earlier.into_iter().find(|(n, _)| plain(n) == plain(name)) {
            let finding = Diagnostic::error("", format!("`{name}` and `{twin}` are the same flag"));
            self.report_key(place, finding.help("keep the engine's own spelling"));
        }
    }

    /// A `when:` (of a parameter, at its position) or a constraint.
    fn condition(&mut self, place: &Path, text: &str, owner: Option<&str>, position: usize, domains: &Domains<'_>) {
        let expr = match Expr::parse(text) {
            Ok(expr) => expr,
            Err(error) => {
                let span = self.inside(place, error.column);
                self.report_at(place, span, Diagnostic::error("", error.message));
                return;
            }
        };
        let names = expr.name_columns();
        if names.is_empty() {
            let finding = Diagnostic::error("", "the condition names no parameter, so it never changes");
            self.report(place, finding.help("remove it, or compare a parameter"));
        }
        for (name, column) in names {
            let finding = self.name_in_condition(name, owner, position);
            if let Some(finding) = finding {
                let mut span = self.inside(place, column);
                span.length = if span.length == 1 { name.chars().count() } else { span.length };
                self.report_at(place, span, finding);
            }
        }
        for (name, value) in expr.equalities() {
            if let Some(domain) = domains.get(name) {
                self.possible(place, name, value, domain);
            }
        }
    }

    fn name_in_condition(&self, name: &str, owner: Option<&str>, position: usize) -> Option<Diagnostic> {
        if owner == Some(name) {
            return Some(Diagnostic::error("", format!("`{name}` cannot depend on itself")));
        }
        if self.spec.engine.fixed.contains_key(name) {
            return None;
        }
        // The file's own keys: a parameter whose values are wrong still exists. Those of presets come before.
        let own = self.root.get("search_space").and_then(|s| s.get("parameters")).map_or(&[][..], |p| p.entries());
        let all = self.spec.search_space.parameters.0.iter().map(|(name, _)| name.as_str());
        let mut declared: Vec<&str> = all.filter(|name| !own.iter().any(|e| e.key == *name)).collect();
        declared.extend(own.iter().map(|e| e.key.as_str()));
        match declared.iter().position(|declared| *declared == name) {
            Some(declared) if owner.is_some() && declared > position => Some(
                Diagnostic::error("", format!("`{name}` is declared after the parameter that depends on it"))
                    .help("move it up: parents come before their children"),
            ),
            Some(_) => None,
            None => {
                let words = declared.iter().copied().chain(self.spec.engine.fixed.keys().map(String::as_str));
                let words: Vec<&str> = words.filter(|w| owner != Some(*w)).collect();
                let finding = Diagnostic::error("", format!("unknown name `{name}`"))
                    .suggest(nearest(name, words.iter().copied()));
                let finding = finding.help(format!("a text needs quotes: '{name}'"));
                Some(if words.is_empty() { finding } else { finding.allowed(words.join(", ")) })
            }
        }
    }

    /// A value that a parameter never has is a slip of the pen.
    fn possible(&mut self, place: &Path, name: &str, value: &Value, domain: &Domain) {
        let numeric = value.as_f64();
        let possible = match domain {
            Domain::Int { low, high, .. } => numeric.is_some_and(|x| x >= *low as f64 && x <= *high as f64),
            Domain::Float { low, high, .. } => numeric.is_some_and(|x| x >= *low && x <= *high),
            Domain::Categorical { values } | Domain::Ordinal { values } => values.iter().any(|v| v.same_meaning(value)),
            Domain::Bool => value.as_bool().is_some(),
        };
        if possible || !self.sound(&at_path!["search_space", "parameters", name]) {
            return;
        }
        let shown = match value {
            Value::Text(text) => format!("the text '{text}'"),
            other => other.to_string(),
        };
        let mut finding = Diagnostic::error("", format!("`{name}` is never {shown}"));
        finding.allowed = Some(match domain {
            Domain::Bool => "true, false".to_owned(),
            Domain::Int { low, high, .. } => format!("{low} to {high}"),
            Domain::Float { low, high, .. } => format!("{low} to {high}"),
            Domain::Categorical { values } | Domain::Ordinal { values } => {
                values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
        });
        if let (Some(text), Domain::Categorical { values }) = (value.as_str(), domain) {
            finding = finding.suggest(nearest(text, values.iter().filter_map(Value::as_str)));
        }
        self.report(place, finding);
    }

    /// The space as a whole.
    fn whole(&mut self, spec: &TaskSpec) {
        let Ok(space) = search_space(spec) else { return };
        let place = at_path!["search_space"];
        if space.parameters.is_empty() && !matches!(spec.backend, super::super::BackendSpec::Attached { .. }) {
            let finding = Diagnostic::note("", "nothing varies: only the baseline will be measured");
            self.report_key(&place, finding);
        }
        if space.has_valid_configuration(EFFORT) == Some(false) {
            let finding = Diagnostic::error("", "no configuration satisfies all constraints");
            self.report_key(&place.join("constraints"), finding.help("loosen a constraint, or widen a parameter"));
        }
        if spec.sampler == SamplerSpec::Grid {
            for parameter in space.parameters.iter().filter(|p| p.domain.cardinality().is_none()) {
                let finding = Diagnostic::error(
                    "",
                    format!("a grid needs a finite number of values, `{}` has no step", parameter.name),
                );
                let at = at_path!["search_space", "parameters", parameter.name.as_str()];
                self.report_key(&at, finding.help("add `step:`, or use another sampler"));
            }
        }
    }
}
