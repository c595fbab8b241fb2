//! Examples in Markdown files are read by the reader that users meet.

use tuner_core::task::{self, ReadContext};

/// Fenced blocks of one language.
fn blocks<'a>(page: &'a str, language: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut lines = page.lines();
    std::iter::from_fn(move || {
        lines.find(|line| line.strip_prefix("```") == Some(language))?;
        Some(lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect())
    })
}

#[test]
fn the_task_in_the_readme_can_be_run() {
    let page = include_str!("../../../../README.md");
    let files: Vec<String> = blocks(page, "yaml").collect();
    assert_eq!(files.len(), 1);
    for file in files {
        if let Err(found) = task::read(&file, &ReadContext::default()) {
            panic!("{}", task::render_all(&found, "README.md", &file));
        }
    }
}
