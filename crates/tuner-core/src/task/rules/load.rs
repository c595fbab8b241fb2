//! Rules on load, time budgets and sampler.

use super::super::diagnostic::Diagnostic;
use super::super::read::tree::at_path;
use super::super::{BackendSpec, SamplerSpec};
use super::Rules;

impl Rules<'_> {
    pub(super) fn load(&mut self) {
        self.workload();
        self.levels();
        self.times();
        self.verification();
        self.sampler();
    }

    fn times(&mut self) {
        let (t, load) = (&self.spec.timeouts, &self.spec.load);
        if t.ready_s > t.ready_limit_s {
            let message = format!("`ready_s` ({}) is above `ready_limit_s` ({})", t.ready_s, t.ready_limit_s);
            let finding =
                Diagnostic::error("", message).help("raise `ready_limit_s`: it bounds a start whose log still moves");
            self.report(&at_path!["timeouts", "ready_s"], finding);
        }
        let r = &self.spec.retries;
        if r.backoff_s > r.max_backoff_s {
            let message = format!("`backoff_s` ({}) is above `max_backoff_s` ({})", r.backoff_s, r.max_backoff_s);
            self.report(
                &at_path!["retries", "backoff_s"],
                Diagnostic::error("", message).help("raise `max_backoff_s`"),
            );
        }
        // With a number of requests too, the window is a cap that is seldom reached.
        let Some(window) = load.duration_s.filter(|_| load.requests.is_none()) else { return };
        if window >= t.measure_s {
            let message =
                format!("a level measures for {window} s but may take {} s, warm-up and drain included", t.measure_s);
            let given = self.root.get("load").is_some_and(|l| l.get("duration_s").is_some());
            let place = if given { at_path!["load", "duration_s"] } else { at_path!["timeouts", "measure_s"] };
            self.report(
                &place,
                Diagnostic::error("", message).help("raise `timeouts.measure_s`, or shorten `load.duration_s`"),
            );
        }
        let whole = window * load.levels.len() as f64 * f64::from(self.spec.repeats);
        if whole >= t.experiment_s && !matches!(self.spec.backend, BackendSpec::Virtual) {
            let times =
                if self.spec.repeats > 1 { format!(", measured {} times,", self.spec.repeats) } else { String::new() };
            let levels = load.levels.len();
            let message = format!(
                "{levels} levels of {window} s{times} take {whole} s; an experiment may take {} s, its start included",
                t.experiment_s
            );
            let place = at_path!["timeouts", "experiment_s"];
            self.report(&place, Diagnostic::error("", message).help("raise `timeouts.experiment_s`, or measure less"));
        }
    }

    fn verification(&mut self) {
        let v = &self.spec.verification;
        if v.blocks == 1 {
            let finding =
                Diagnostic::error("", "one pair of runs gives no interval").allowed("0 (no verification), or 2 to 50");
            self.report(&at_path!["verification", "blocks"], finding);
        }
        if v.confidence <= 0.5 || v.confidence >= 1.0 {
            let finding = Diagnostic::error("", format!("{} is no confidence", v.confidence));
            self.report(&at_path!["verification", "confidence"], finding.allowed("above 0.5 and below 1, like 0.95"));
        }
    }

    fn sampler(&mut self) {
        if let SamplerSpec::Bayesian { initial: Some(initial), .. } = self.spec.sampler
            && initial > self.spec.budget.experiments
        {
            let message =
                format!("{initial} initial experiments are more than the budget of {}", self.spec.budget.experiments);
            let finding = Diagnostic::error("", message).help("lower `initial`, or raise `budget.experiments`");
            self.report(&at_path!["sampler", "initial"], finding);
        }
    }
}
