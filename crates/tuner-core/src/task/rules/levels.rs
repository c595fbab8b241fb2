//! Rules on the levels of a load: each has one intensity, and only the fields that belong to it.

use super::super::diagnostic::Diagnostic;
use super::super::level::{Arrival, Level};
use super::super::read::tree::{Path, at_path};
use super::Rules;

/// What may stand where a level has no intensity.
const FORMS: &str = "{concurrency: 8}, {rate: 2.5, arrival: poisson}, {burst: 50, every_s: 10}, {users: 15, rate: 1.5} or \
                     {arrival: trace}";

impl Rules<'_> {
    pub(super) fn levels(&mut self) {
        let levels = &self.spec.load.levels;
        for (i, level) in levels.iter().enumerate() {
            let place = at_path!["load", "levels", i];
            self.intensity(&place, level);
            if let Some(first) = levels.iter().take(i).position(|l| l == level) {
                let finding = Diagnostic::error("", format!("this level is the same as levels[{first}]"));
                self.report(&place, finding.help("to measure a level several times, set `repeats`"));
            }
        }
    }

    fn intensity(&mut self, place: &Path, level: &Level) {
        self.users(place, level);
        if level.users.is_some() {
            return;
        }
        if level.burst.is_some() || level.every_s.is_some() {
            return self.bursts(place, level);
        }
        if level.is_trace() {
            return self.trace(place, level);
        }
        for (field, given) in [("time_scale", level.time_scale.is_some()), ("keep", level.keep.is_some())] {
            if given {
                let finding = Diagnostic::error("", format!("`{field}` belongs to `arrival: trace`"));
                self.report_key(&place.join(field), finding.help(format!("add `arrival: trace`, or remove `{field}`")));
            }
        }
        if level.rate.is_none() {
            if level.concurrency.is_none() {
                self.report(place, Diagnostic::error("", "the level has no intensity").allowed(FORMS));
                return;
            }
            let given = [
                ("arrival", level.arrival.is_some()),
                ("burstiness", level.burstiness.is_some()),
                ("ramp_to", level.ramp_to.is_some()),
                ("ramp", level.ramp.is_some()),
            ];
            for (field, _) in given.into_iter().filter(|(_, given)| *given) {
                let message = format!("`{field}` needs a `rate`: a closed loop sends when an answer is complete");
                let finding = Diagnostic::error("", message).help(format!("add `rate`, or remove `{field}`"));
                self.report_key(&place.join(field), finding);
            }
            return;
        }
        self.gamma(place, level);
        self.ramp(place, level);
    }

    fn bursts(&mut self, place: &Path, level: &Level) {
        if level.burst.is_none() || level.every_s.is_none() {
            let finding = Diagnostic::error("", "bursts need both `burst` and `every_s`");
            self.report(place, finding.help("write {burst: 50, every_s: 10}: 50 requests at once, every 10 s"));
        }
        let given = [
            ("rate", level.rate.is_some()),
            ("arrival", level.arrival.is_some()),
            ("burstiness", level.burstiness.is_some()),
            ("ramp_to", level.ramp_to.is_some()),
            ("ramp", level.ramp.is_some()),
            ("time_scale", level.time_scale.is_some()),
            ("keep", level.keep.is_some()),
        ];
        for (field, _) in given.into_iter().filter(|(_, given)| *given) {
            let finding = Diagnostic::error("", format!("`{field}` does not go with bursts"));
            self.report_key(&place.join(field), finding.help("bursts are {burst: 50, every_s: 10}, and nothing else"));
        }
    }

    fn trace(&mut self, place: &Path, level: &Level) {
        let given = [
            ("rate", level.rate.is_some()),
            ("burstiness", level.burstiness.is_some()),
            ("ramp_to", level.ramp_to.is_some()),
            ("ramp", level.ramp.is_some()),
        ];
        for (field, _) in given.into_iter().filter(|(_, given)| *given) {
            let finding = Diagnostic::error("", format!("`{field}` does not go with a trace, which has its own times"));
            let help = "`time_scale` makes it faster or slower, `keep` thins it out";
            self.report_key(&place.join(field), finding.help(help));
        }
        if self.spec.workload.classes.is_empty() && self.spec.workload.prompts.dataset().is_none() {
            let finding = Diagnostic::error("", "a trace needs a data set that says when its requests arrive");
            self.report_key(&place.join("arrival"), finding.help("add `workload: {dataset: {source: FILE}}`"));
        }
    }

    fn gamma(&mut self, place: &Path, level: &Level) {
        match (level.arrival, level.burstiness) {
            (Some(Arrival::Gamma), None) => {
                let finding = Diagnostic::error("", "`arrival: gamma` needs a `burstiness`");
                let help = "below 1 requests come in clumps, 1 is Poisson, above 1 they come more evenly";
                self.report_key(&place.join("arrival"), finding.help(help));
            }
            (Some(Arrival::Gamma), Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                let finding = Diagnostic::error("", "`burstiness` belongs to `arrival: gamma`");
                self.report_key(&place.join("burstiness"), finding.help("add `arrival: gamma`, or remove it"));
            }
        }
    }

    fn ramp(&mut self, place: &Path, level: &Level) {
        match (level.rate, level.ramp_to) {
            (Some(from), Some(to)) if from == to => {
                let finding = Diagnostic::error("", format!("the ramp goes from {from} to {to}"));
                self.report(&place.join("ramp_to"), finding.help("give another rate, or remove `ramp_to`"));
            }
            (_, Some(_)) if self.spec.load.duration_s.is_none() => {
                let finding = Diagnostic::error("", "a ramp takes as long as the window, and the window has no length");
                self.report_key(&place.join("ramp_to"), finding.help("add `load.duration_s`"));
            }
            (_, None) if level.ramp.is_some() => {
                let finding = Diagnostic::error("", "`ramp` needs a `ramp_to`");
                self.report_key(&place.join("ramp"), finding.help("write {rate: 1, ramp_to: 20, ramp: linear}"));
            }
            _ => {}
        }
    }
}
