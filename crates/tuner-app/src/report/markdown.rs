//! The report as Markdown, for issues, pull requests and chats.

use super::headline::signed;
use super::model::{ExperimentReport, LevelReport, Report};
use super::numbers::{figure, percent, span};
use super::terminal::outcome;

pub(super) fn render(report: &Report) -> String {
    let mut out = Vec::new();
    out.push(format!("# {}: {}", text(&report.task), text(&report.verdict.title)));
    out.push(format!("**{}** {}", text(&report.verdict.sentence), text(&report.verdict.advice)));
    out.push(format!("{} · {}", text(&report.engine), text(&report.model)));
    out.extend(report.description.as_deref().map(text));
    let facts = report.verdict.numbers.iter().cloned().chain(report.slos.iter().map(|slo| format!("SLO: {slo}")));
    out.push(facts.map(|line| format!("- {}", text(&line))).collect::<Vec<_>>().join("\n"));
    if !report.changes.is_empty() {
        let value = |v: &Option<String>| v.as_deref().map_or("engine's default".to_owned(), code);
        let rows = report.changes.iter().map(|c| vec![code(&c.name), value(&c.baseline), value(&c.best)]);
        out.push(format!("## {}", report.changes_title));
        out.push(grid(&["flag", "baseline", "best"], rows));
    }
    if let Some(command) = &report.command {
        out.push(format!("## {}", report.command_title));
        out.push(fenced("sh", command));
    }
    out.push("## Experiments".to_owned());
    let unit = if report.unit.is_empty() { "objective".to_owned() } else { report.unit.clone() };
    let rows = report.experiments.iter().map(|e| experiment(report, e));
    out.push(grid(&["#", "role", "outcome", &unit, "level", "vs baseline", "configuration"], rows));
    out.push("## Levels".to_owned());
    let heads: Vec<String> = report
        .columns
        .iter()
        .map(|c| if c.unit.is_empty() { c.label.clone() } else { format!("{} ({})", c.label, c.unit) })
        .collect();
    let heads: Vec<&str> = ["#", "level", "requests"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let rows = report.experiments.iter().flat_map(|e| e.levels.iter().map(|l| level(report, e, l)));
    out.push(grid(&heads, rows));
    failures(&mut out, report);
    out.push("## Method".to_owned());
    out.push(grid(&["fact", "value"], report.method.iter().map(|f| vec![text(&f.name), text(&f.value)])));
    out.push(format!(
        "Written by autotuner {} at {}.",
        report.tuner_version,
        report.generated_at.format("%Y-%m-%dT%H:%M:%SZ")
    ));
    let mut joined = out.join("\n\n");
    joined.push('\n');
    joined
}

fn experiment(report: &Report, e: &ExperimentReport) -> Vec<String> {
    let bold = |cell: String| if e.is_best { format!("**{cell}**") } else { cell };
    let improvement = e.improvement.filter(|_| e.role != "baseline");
    vec![
        bold(e.number.to_string()),
        e.role.clone(),
        outcome(e),
        bold(e.objective.map_or("–".to_owned(), figure)),
        e.deciding_level.clone().unwrap_or_default(),
        improvement.map_or(String::new(), |r| signed(report.smaller_is_better, r)),
        code(&e.configuration_text),
    ]
}

fn level(report: &Report, e: &ExperimentReport, l: &LevelReport) -> Vec<String> {
    let name = if l.valid { l.label.clone() } else { format!("{} (invalid)", l.label) };
    let cells = report.columns.iter().map(|c| match l.figures.get(&c.key) {
        None => "–".to_owned(),
        Some(x) if c.share => percent(*x),
        Some(x) => figure(*x),
    });
    let requests = format!("{} in {}", l.requests.completed, span(l.window_s));
    [e.number.to_string(), name, requests].into_iter().chain(cells).collect()
}

fn failures(out: &mut Vec<String>, report: &Report) {
    let failed = report.experiments.iter().filter_map(|e| Some((e, e.failure.as_ref()?)));
    for (i, (e, failure)) in failed.enumerate() {
        if i == 0 {
            out.push("## Failures".to_owned());
        }
        out.push(format!(
            "**Experiment {}** {} ({}): {}. {}.",
            e.number,
            e.outcome,
            code(&failure.class),
            text(&failure.message),
            text(failure.hint)
        ));
        if !failure.log_tail.is_empty() {
            out.push(fenced("text", &failure.log_tail.join("\n")));
        }
    }
}

fn grid(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines =
        vec![line(heads.iter().map(|h| text(h)).collect()), line(heads.iter().map(|_| "---".to_owned()).collect())];
    lines.extend(rows.map(line));
    lines.join("\n")
}

/// Text that cannot become a table cell, a link, HTML or emphasis.
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\' | '#' => out.extend(['\\', letter]),
            '\n' | '\r' => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}

/// A code span whose fence is longer than any run of back-ticks inside.
fn code(raw: &str) -> String {
    let raw = raw.replace(['\n', '\r'], " ").replace('|', "\\|");
    let fence = "`".repeat(longest_run(&raw) + 1);
    let space = if raw.contains('`') { " " } else { "" };
    format!("{fence}{space}{raw}{space}{fence}")
}

fn fenced(language: &str, body: &str) -> String {
    let fence = "`".repeat(longest_run(body).max(2) + 1);
    format!("{fence}{language}\n{body}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_user_wrote_breaks_out_of_its_cell_or_fence() {
        assert_eq!(text("a|b_c <x>\n"), "a\\|b\\_c \\<x\\> ");
        assert_eq!(code("a`b|c"), "`` a`b\\|c ``");
        assert_eq!(fenced("text", "```\nx"), "````text\n```\nx\n````");
    }
}
