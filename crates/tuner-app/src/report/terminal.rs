//! The report for a terminal: the answer first, then the table, then how it was measured.

use std::collections::{BTreeMap, BTreeSet};

use super::headline::signed;
use super::model::{ExperimentReport, FailureReport, Report, Tone};
use super::numbers::figure;
use super::table::{Set, cut, table, wrapped};

/// With or without colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Plain text.
    Plain,
    /// ANSI colours.
    Coloured,
}

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn tone(self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Good => self.paint("32", text),
            Tone::Warn => self.paint("33", text),
            Tone::Bad => self.paint("31", text),
            Tone::Neutral => text.to_owned(),
        }
    }
}

pub(super) fn render(report: &Report, width: usize, ink: Ink) -> String {
    let mut out = Page::new(width, ink);
    answer(&mut out, report);
    experiments(&mut out, report, "Experiments", &report.experiments.iter().collect::<Vec<_>>());
    failures(&mut out, report);
    out.head("Method");
    let widest = report.method.iter().map(|f| f.name.chars().count()).max().unwrap_or(0);
    for fact in &report.method {
        out.pair(&fact.name, widest, &fact.value);
    }
    out.text
}

/// What was found, what it changes and how to run it.
pub(super) fn answer(out: &mut Page, report: &Report) {
    let source = out.ink.dim(&format!("{} · {}", report.engine, report.model));
    out.line(&format!("{}  {source}", out.ink.bold(&report.task)));
    out.blank();
    verdict(out, report);
    changes(out, report);
    if let Some(command) = &report.command {
        out.head(report.command_title);
        // Never wrapped: it is to be copied.
        for line in command.lines() {
            out.line(&format!("  {line}"));
        }
    }
}

pub(super) struct Page {
    pub(super) ink: Ink,
    pub(super) width: usize,
    pub(super) text: String,
}

impl Page {
    pub(super) fn new(width: usize, ink: Ink) -> Self {
        Self { ink, width: width.clamp(80, 160), text: String::new() }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn head(&mut self, text: &str) {
        self.blank();
        let text = self.ink.bold(text);
        self.line(&text);
    }

    pub(super) fn wrapped(&mut self, text: &str) {
        for line in wrapped(text, self.width - 2) {
            self.line(&format!("  {line}"));
        }
    }

    fn pair(&mut self, name: &str, widest: usize, value: &str) {
        let pad = " ".repeat(widest - name.chars().count().min(widest));
        for (i, line) in wrapped(value, self.width.saturating_sub(widest + 4).max(20)).iter().enumerate() {
            let left = if i == 0 { format!("{name}{pad}") } else { " ".repeat(widest) };
            let left = self.ink.dim(&left);
            self.line(&format!("  {left}  {line}"));
        }
    }
}

fn verdict(out: &mut Page, report: &Report) {
    let verdict = &report.verdict;
    let title = out.ink.tone(verdict.tone, &out.ink.bold(&verdict.title));
    out.line(&format!("  {title}"));
    out.wrapped(&verdict.sentence);
    out.wrapped(&verdict.advice);
    for line in &verdict.numbers {
        let line = out.ink.dim(line);
        out.line(&format!("  {line}"));
    }
    for slo in &report.slos {
        let line = out.ink.dim(&format!("SLO: {slo}"));
        out.line(&format!("  {line}"));
    }
}

fn changes(out: &mut Page, report: &Report) {
    if report.changes.is_empty() {
        return;
    }
    out.head(&report.changes_title);
    let widest = report.changes.iter().map(|c| c.name.chars().count()).max().unwrap_or(0);
    for change in &report.changes {
        let value = |v: &Option<String>| v.clone().unwrap_or_else(|| "(engine's default)".to_owned());
        out.pair(&change.name, widest, &format!("{} → {}", value(&change.baseline), value(&change.best)));
    }
}

/// A table of some of the experiments.
pub(super) fn experiments(out: &mut Page, report: &Report, head: &str, shown: &[&ExperimentReport]) {
    if shown.is_empty() {
        return;
    }
    out.head(head);
    let unit = if report.unit.is_empty() { "objective" } else { report.unit.as_str() };
    let heads = [
        ("#", Set::Right),
        ("role", Set::Left),
        ("outcome", Set::Left),
        (unit, Set::Right),
        ("level", Set::Left),
        ("vs baseline", Set::Right),
        ("configuration", Set::Left),
    ];
    let names = short_names(report, out.width);
    let rows: Vec<Vec<String>> = shown.iter().map(|e| row(report, e, &names)).collect();
    for (i, line) in table(&heads, &rows, heads.len() - 1, out.width).iter().enumerate() {
        let experiment = i.checked_sub(1).and_then(|i| shown.get(i));
        let line = match experiment {
            None => out.ink.dim(line),
            Some(e) if e.is_best => out.ink.bold(line),
            Some(e) if e.tone == Tone::Good => line.clone(),
            Some(e) => out.ink.tone(e.tone, line),
        };
        out.line(&line);
    }
    let legend: Vec<String> = names.iter().map(|(name, short)| format!("{short}: {name}")).collect();
    for line in wrapped(&legend.join(", "), out.width - 2).iter().filter(|line| !line.is_empty()) {
        let line = out.ink.dim(line);
        out.line(&format!("  {line}"));
    }
}

/// Initials of the parameters, where their names in full would not leave room for their values: `mns` for
/// `max-num-seqs`. Empty when there is room, or when two parameters share their initials.
fn short_names(report: &Report, width: usize) -> BTreeMap<String, String> {
    /// What the other columns take.
    const OTHERS: usize = 64;
    let widest = report.experiments.iter().map(|e| e.configuration_text.chars().count()).max().unwrap_or(0);
    if widest + OTHERS <= width {
        return BTreeMap::new();
    }
    let parameters = report.experiments.iter().flat_map(|e| e.configuration.iter().map(|(name, _)| name));
    let names: BTreeMap<String, String> = parameters
        .map(|name| (name.to_owned(), name.split(['-', '_']).filter_map(|word| word.chars().next()).collect()))
        .collect();
    let distinct: BTreeSet<&String> = names.values().collect();
    if distinct.len() == names.len() { names } else { BTreeMap::new() }
}

fn configuration(e: &ExperimentReport, names: &BTreeMap<String, String>) -> String {
    if names.is_empty() || e.configuration.is_empty() {
        return e.configuration_text.clone();
    }
    let short = |name: &str| names.get(name).cloned().unwrap_or_else(|| name.to_owned());
    e.configuration.iter().map(|(name, value)| format!("{}={value}", short(name))).collect::<Vec<_>>().join(" ")
}

fn row(report: &Report, e: &ExperimentReport, names: &BTreeMap<String, String>) -> Vec<String> {
    let mark = if e.is_best { "*" } else { "" };
    let improvement = e.improvement.filter(|_| e.role != "baseline");
    vec![
        format!("{mark}{}", e.number),
        e.role.clone(),
        outcome(e),
        e.objective.map_or("–".to_owned(), figure),
        e.deciding_level.clone().unwrap_or_default(),
        improvement.map_or(String::new(), |r| signed(report.smaller_is_better, r)),
        configuration(e, names),
    ]
}

/// The outcome, with what an SLO miss makes of a success.
pub(super) fn outcome(e: &ExperimentReport) -> String {
    match (e.missed.is_empty(), e.outcome) {
        (true, outcome) => outcome.to_owned(),
        (false, "success") => "SLO missed".to_owned(),
        (false, outcome) => format!("{outcome}, SLO missed"),
    }
}

fn failures(out: &mut Page, report: &Report) {
    const LINES: usize = 3;
    for (i, group) in groups(report).into_iter().enumerate() {
        if i == 0 {
            out.head("Failures");
        }
        let text = format!("{}  {} ({}): {}", group.numbers, group.outcome, group.failure.class, group.failure.message);
        for line in wrapped(&text, out.width - 2) {
            let line = out.ink.tone(group.tone, &line);
            out.line(&format!("  {line}"));
        }
        for line in wrapped(group.failure.hint, out.width - 5) {
            out.line(&format!("     {line}"));
        }
        for line in group.failure.log_tail.iter().rev().take(LINES).rev() {
            let line = out.ink.dim(&cut(line, out.width - 7));
            out.line(&format!("     | {line}"));
        }
    }
}

/// Experiments that failed alike.
pub(super) struct Group<'a> {
    /// `3, 7, 9`.
    pub(super) numbers: String,
    outcome: &'static str,
    tone: Tone,
    /// The failure of the first of them.
    pub(super) failure: &'a FailureReport,
}

/// Failures in order of their first experiment; the same message is said once.
pub(super) fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (e, failure) in report.experiments.iter().filter_map(|e| Some((e, e.failure.as_ref()?))) {
        let alike = |g: &&mut Group<'_>| {
            (g.outcome, &g.failure.class, &g.failure.message) == (e.outcome, &failure.class, &failure.message)
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.numbers.push_str(&format!(", {}", e.number)),
            None => {
                groups.push(Group { numbers: e.number.to_string(), outcome: e.outcome, tone: e.tone, failure });
            }
        }
    }
    groups
}
