//! Links between our own pages lead somewhere.

use std::collections::BTreeSet;

use super::File;

pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut known: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
    for file in files {
        let mut path = file.path.as_str();
        while let Some((folder, _)) = path.rsplit_once('/') {
            known.insert(folder.to_owned());
            path = folder;
        }
    }
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is("md")) {
        for (number, target) in targets(&file.text) {
            let outside = target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
            let path = target.split(['#', '?']).next().unwrap_or_default();
            if outside || path.is_empty() {
                continue;
            }
            if !resolve(&file.path, path).is_some_and(|resolved| known.contains(&resolved)) {
                findings.push(format!("{}:{number}: link to {target}, which does not exist", file.path));
            }
        }
    }
    findings
}

/// Targets of inline links and images, with their line; code blocks and code spans are skipped.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let outside_code: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let mut rest = outside_code.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, remaining)) = after.split_once(')') else { break };
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((index + 1, target.trim_matches(['<', '>']).to_owned()));
            rest = remaining;
        }
    }
    found
}

/// A path relative to the page it stands on, from the root; `None` above the root.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn links_to_files_and_folders_resolve_from_their_page() {
        let files = [
            file(
                "docs/a.md",
                "[b](b.md#part) [up](../README.md) ![p](img/) [web](https://x.org) [here](#x) `[no](no)`",
            ),
            file("docs/b.md", "```\n[not](a-link)\n```\n"),
            file("docs/img/x.svg", ""),
            file("README.md", ""),
        ];
        assert_eq!(check(&files), Vec::<String>::new());
    }

    #[test]
    fn a_dead_link_is_found_with_its_line() {
        let found = check(&[file("docs/a.md", "x\n[b](gone.md)\n")]);
        assert_eq!(found, ["docs/a.md:2: link to gone.md, which does not exist"]);
    }
}
