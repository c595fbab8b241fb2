//! Rules on objectives and SLOs.

use super::super::diagnostic::Diagnostic;
use super::super::read::tree::at_path;
use super::super::{Across, SloSpec};
use super::Rules;
use crate::measure::Metric;

impl Rules<'_> {
    pub(super) fn objectives(&mut self) {
        let levels = self.spec.load.levels.len();
        for (i, objective) in self.spec.objectives.iter().enumerate() {
            let place = at_path!["objectives", i];
            let resolved = objective.resolve();
            if let Across::Level(level) = resolved.across
                && level as usize >= levels
                && self.sound(&at_path!["load", "levels"])
            {
                let finding =
                    Diagnostic::error("", format!("there is no level {level}: the load has {levels}, counted from 0"));
                self.report(
                    &place.join("across").join("level"),
                    finding.allowed(format!("0 to {}", levels.saturating_sub(1))),
                );
            }
            if let Some(first) = self.spec.objectives.iter().take(i).position(|o| o.resolve() == resolved) {
                let finding = Diagnostic::error("", format!("this objective is the same as objectives[{first}]"));
                self.report(&place, finding.help("remove one of the two"));
            }
            self.needs_guard(&place.join("metric"), resolved.metric);
            let none =
                self.spec.slos.is_empty() && self.spec.workload.classes.iter().all(|class| class.slos.is_empty());
            if matches!(resolved.metric, Metric::Goodput | Metric::Attainment) && none {
                let finding = Diagnostic::error(
                    "",
                    format!("{} counts requests that meet the SLOs, and the task has none", resolved.metric),
                )
                .help("add `slos: [{metric: ttft, stat: p99, max_ms: 1000}]`");
                self.report(&place, finding);
            }
        }
        self.slos(&at_path!["slos"], &self.spec.slos);
    }

    /// The SLOs of the task, or of one class.
    pub(super) fn slos(&mut self, list: &super::Path, slos: &[SloSpec]) {
        for (i, slo) in slos.iter().enumerate() {
            self.slo(list, slos, i, slo);
        }
    }

    fn needs_guard(&mut self, place: &super::Path, metric: Metric) {
        if metric == Metric::Quality && self.spec.quality_guard.is_none() {
            let finding = Diagnostic::error("", "`quality` is the number of the quality guard, and the task has none");
            self.report(place, finding.help("add `quality_guard: {command: [./score.sh]}`"));
        }
    }

    fn slo(&mut self, list: &super::Path, slos: &[SloSpec], i: usize, slo: &SloSpec) {
        let place = list.join(i);
        self.needs_guard(&place.join("metric"), slo.metric);
        let given: Vec<(&str, f64)> = [("max_ms", slo.max_ms), ("max", slo.max), ("min", slo.min)]
            .into_iter()
            .filter_map(|(name, limit)| Some((name, limit?)))
            .collect();
        let time = slo.metric.is_time();
        let allowed = if time { "max_ms" } else { "max or min" };
        let metric_is_known = self.sound(&place.join("metric"));
        match given.as_slice() {
            [] => {
                let finding = Diagnostic::error("", format!("the SLO on {} has no limit", slo.metric));
                self.report(&place, finding.allowed(allowed));
            }
            [(name, limit)] if metric_is_known => self.limit(&place.join(*name), slo, name, *limit),
            [_] => {}
            [_, (second, _), ..] => {
                let finding = Diagnostic::error("", "an SLO has one limit, this one has several");
                self.report_key(&place.join(*second), finding.allowed(allowed).help("write one SLO per limit"));
            }
        }
        let same = |other: &&SloSpec| {
            let limited = other.bound().is_some() && slo.bound().is_some();
            limited
                && other.metric == slo.metric
                && other.stat() == slo.stat()
                && other.min.is_some() == slo.min.is_some()
        };
        if let Some(first) = slos.iter().take(i).position(|o| same(&o)) {
            let finding = Diagnostic::error("", format!("this SLO limits the same number as slos[{first}]"));
            self.report(&place, finding.help("keep the stricter one"));
        }
    }

    fn limit(&mut self, place: &super::Path, slo: &SloSpec, name: &str, limit: f64) {
        let metric = slo.metric;
        let wrong_field = match (metric.is_time(), name) {
            (true, "max") => Some(("max_ms", "the limit of a time is `max_ms`, in milliseconds")),
            (true, "min") => Some(("max_ms", "a time has an upper limit, `max_ms`")),
            (false, "max_ms") => Some(("max", "only times have `max_ms`")),
            _ => None,
        };
        if let Some((right, why)) = wrong_field {
            let finding = Diagnostic::error("", format!("`{name}` does not fit {metric}: {why}"));
            self.report_key(place, finding.suggest(Some(right)));
            return;
        }
        let share = matches!(metric, Metric::Attainment | Metric::ErrorRate);
        if share && !(0.0..=1.0).contains(&limit) {
            let mut finding = Diagnostic::error("", format!("{metric} is a share, {limit} is not")).allowed("0 to 1");
            if (1.0..=100.0).contains(&limit) {
                finding = finding.help(format!("{limit} % is {}", limit / 100.0));
            }
            self.report(place, finding);
        } else if limit < 0.0 || (limit == 0.0 && name != "min" && metric != Metric::ErrorRate) {
            let finding = Diagnostic::error("", format!("the limit must be above 0, not {limit}"));
            self.report(place, finding);
        } else if metric.is_time()
            && limit < 1.0
            && metric != Metric::Itl
            && metric != Metric::Tpot
            && metric != Metric::Icl
        {
            let finding = Diagnostic::note("", format!("{limit} ms is very short"));
            self.report(place, finding.help(format!("times are in milliseconds: {limit} s is {}", limit * 1000.0)));
        }
    }
}
