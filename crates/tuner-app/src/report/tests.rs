//! Golden reports of a made-up task: llama.cpp on a laptop, with everything that can happen to an experiment.

mod fixture;

use std::collections::BTreeSet;

use fixture::Sample;

use super::{Format, Ink, Report, render};

fn rendered(sample: &Sample, format: Format) -> String {
    render(&Report::new(&sample.data()), format).unwrap()
}

#[test]
fn the_terminal_report_leads_with_the_verdict() {
    insta::assert_snapshot!(rendered(&Sample::better(), Format::Terminal { width: 100, ink: Ink::Plain }));
}

#[test]
fn the_brief_report_holds_the_answer_the_leaders_and_each_kind_of_failure() {
    insta::assert_snapshot!(rendered(&Sample::better(), Format::Brief { width: 100, ink: Ink::Plain }));
}

#[test]
fn a_best_that_is_not_kept_is_called_that_beside_the_command_of_the_baseline() {
    let mut sample = Sample::without_difference();
    for attempt in sample.experiments.iter_mut().flat_map(|e| &mut e.attempts) {
        attempt.evidence.command = Some("llama-server".to_owned());
    }
    for format in [Format::Terminal { width: 100, ink: Ink::Plain }, Format::Markdown, Format::Html] {
        let text = rendered(&sample, format);
        assert!(text.contains("What experiment 8 would change (not kept)"), "{text}");
        assert!(text.contains("Run it: the baseline"), "{text}");
    }
}

#[test]
fn a_narrow_terminal_cuts_configurations_only() {
    let text = rendered(&Sample::better(), Format::Terminal { width: 80, ink: Ink::Plain });
    let table: Vec<&str> = text.lines().skip_while(|l| *l != "Experiments").take_while(|l| !l.is_empty()).collect();
    assert!(table.iter().all(|l| l.chars().count() <= 80), "{table:#?}");
}

#[test]
fn colours_add_nothing_but_escapes() {
    let plain = rendered(&Sample::better(), Format::Terminal { width: 100, ink: Ink::Plain });
    let coloured = rendered(&Sample::better(), Format::Terminal { width: 100, ink: Ink::Coloured });
    let mut stripped = coloured.clone();
    for code in ["1", "2", "31", "32", "33", "0"] {
        stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_ne!(plain, coloured);
    assert_eq!(plain, stripped);
}

#[test]
fn the_markdown_report_holds_every_level() {
    insta::assert_snapshot!(rendered(&Sample::better(), Format::Markdown));
}

#[test]
fn the_json_report_is_the_model() {
    let json: serde_json::Value = serde_json::from_str(&rendered(&Sample::better(), Format::Json)).unwrap();
    assert_eq!(json["verdict"]["decision"], "better");
    assert_eq!(json["experiments"].as_array().unwrap().len(), 18);
    insta::assert_json_snapshot!(serde_json::json!({
        "verdict": json["verdict"], "changes": json["changes"], "columns": json["columns"],
        "outcomes": json["outcomes"], "best experiment": json["experiments"][7], "infeasible": json["experiments"][3],
    }));
}

#[test]
fn the_page_is_the_golden_page() {
    insta::assert_binary_snapshot!(".html", rendered(&Sample::better(), Format::Html).into_bytes());
}

#[test]
fn every_verdict_has_its_words() {
    let samples = [
        Sample::better(),
        Sample::without_difference(),
        Sample::scattered(),
        Sample::not_worth_having(),
        Sample::fooled(),
        Sample::not_verified(),
        Sample::running(),
        Sample::nothing_ran(),
        Sample::lower_latency(),
    ];
    let mut text = String::new();
    for sample in samples {
        let verdict = Report::new(&sample.data()).verdict;
        text.push_str(&format!(
            "[{}] {}\n  {}\n  {}\n  {}\n\n",
            verdict.decision,
            verdict.title,
            verdict.sentence,
            verdict.advice,
            verdict.numbers.join("\n  ")
        ));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_page_loads_nothing_and_its_links_lead_somewhere() {
    for sample in [Sample::better(), Sample::running(), Sample::nothing_ran()] {
        let page = rendered(&sample, Format::Html);
        for outside in ["src=", "@import", "url(", "href=\"http", "fetch("] {
            assert!(!page.contains(outside), "{outside}");
        }
        let ids: Vec<&str> = attribute(&page, " id=\"").collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{ids:?}");
        for target in attribute(&page, "href=\"#") {
            assert!(unique.contains(target), "#{target}");
        }
        for name in attribute(&page, "aria-labelledby=\"").flat_map(str::split_whitespace) {
            assert!(unique.contains(name), "{name}");
        }
    }
}

fn attribute<'a>(page: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(opening).skip(1).filter_map(|rest| rest.split('"').next())
}

#[test]
fn every_element_of_the_page_is_closed_in_order() {
    const VOID: [&str; 2] = ["meta", "link"];
    let page = rendered(&Sample::better(), Format::Html);
    let mut open: Vec<&str> = Vec::new();
    let body = page.split_once("<html").unwrap().1;
    for part in body.split('<').skip(1) {
        let inside_raw = open.last().is_some_and(|name| ["style", "script"].contains(name));
        let tag = part.split('>').next().unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            if name == "html" {
                break;
            }
            assert_eq!(open.pop(), Some(name), "closing </{name}> near {part:.60}");
        } else if !inside_raw && !tag.ends_with('/') {
            let name = tag.split_whitespace().next().unwrap();
            if !VOID.contains(&name) {
                open.push(name);
            }
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn what_users_and_engines_wrote_stays_text() {
    const EVIL: &str = "\"><script>alert(1)</script><img src=x onerror=y>";
    let mut sample = Sample::better();
    sample.spec.name = EVIL.to_owned();
    sample.spec.description = Some(EVIL.to_owned());
    sample.poison(EVIL);
    let page = rendered(&sample, Format::Html);
    assert!(page.contains("&lt;script&gt;alert(1)"));
    assert!(!page.contains("<script>alert"));
    assert!(!page.contains("<img"));
    assert!(!rendered(&sample, Format::Markdown).replace("\\<", "").lines().any(|l| l.starts_with("<script")));
}

#[test]
fn a_task_without_experiments_renders_in_every_format() {
    let mut sample = Sample::running();
    sample.experiments.clear();
    let (width, ink) = (80, Ink::Plain);
    for format in
        [Format::Terminal { width, ink }, Format::Brief { width, ink }, Format::Json, Format::Markdown, Format::Html]
    {
        assert!(rendered(&sample, format).contains("Nothing has been measured yet."));
    }
}

#[test]
fn a_format_is_found_by_its_name_and_others_are_named_in_the_error() {
    assert_eq!("md".parse(), Ok(Format::Markdown));
    let error = "pdf".parse::<Format>().unwrap_err().to_string();
    assert_eq!(error, "unknown report format \"pdf\"; there are terminal, brief, json, markdown and html");
}
