//! The report for someone who has just watched the task: the answer, the leaders, what went wrong in one line each.

use std::cmp::Ordering;

use super::model::{ExperimentReport, Report};
use super::numbers::count;
use super::terminal::{Ink, Page, answer, experiments, groups};

/// Tables up to this length are shown whole.
const WHOLE: usize = 12;
/// Leaders shown of longer ones, beside the baseline.
const LEADERS: usize = 5;

pub(super) fn render(report: &Report, width: usize, ink: Ink) -> String {
    let mut out = Page::new(width, ink);
    answer(&mut out, report);
    if report.experiments.len() <= WHOLE {
        experiments(&mut out, report, "Experiments", &report.experiments.iter().collect::<Vec<_>>());
    } else {
        let head = format!("The leaders of {}", count(report.experiments.len(), "experiment"));
        experiments(&mut out, report, &head, &leaders(report));
    }
    let groups = groups(report);
    if !groups.is_empty() {
        out.blank();
    }
    for group in groups {
        out.wrapped(&format!("{} ({}): {}", group.numbers, group.failure.class, group.failure.hint));
    }
    out.text
}

/// The baseline and the best of the search, ranked as the planner ranks them: class, then objective.
fn leaders(report: &Report) -> Vec<&ExperimentReport> {
    let of = |role: &'static str| report.experiments.iter().filter(move |e| e.role == role);
    let mut ranked: Vec<&ExperimentReport> = of("search").filter(|e| e.objective.is_some()).collect();
    ranked.sort_by(|a, b| {
        let value = match (a.objective, b.objective) {
            (Some(x), Some(y)) if report.smaller_is_better => x.total_cmp(&y),
            (Some(x), Some(y)) => y.total_cmp(&x),
            _ => Ordering::Equal,
        };
        b.is_best.cmp(&a.is_best).then(a.class.cmp(&b.class)).then(value)
    });
    of("baseline").chain(ranked.into_iter().take(LEADERS)).collect()
}
