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
    for file in files.iter().filter(|file| file.is_product_source()) {
        for (number, page) in pages_named(&file.text) {
            if !known.contains(page) {
                findings.push(format!("{}:{number}: names {page}, which does not exist", file.path));
            }
        }
    }
    findings
}

/// Our own pages that comments name, `docs/NAME.md`; those "of" another project are its own.
fn pages_named(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(index, line)| {
        let spans: Vec<&str> = line.split('`').collect();
        let comment = line.trim_start().starts_with("//");
        let named = spans.clone().into_iter().zip(spans.into_iter().skip(1).chain([""]));
        named
            .skip(1)
            .step_by(2)
            .filter(move |(page, after)| {
                let ours = page.starts_with("docs/") && page.ends_with(".md") && !page.contains(char::is_uppercase);
                comment && ours && !after.starts_with(" of ")
            })
            .map(move |(page, _)| (index + 1, page))
    })
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

    #[test]
    fn a_page_that_a_comment_names_must_exist() {
        let text = "//! See `docs/a.md`, `docs/gone.md` and `docs/x.md` of that project.\n";
        let found = check(&[file("crates/a/src/b.rs", text), file("docs/a.md", "")]);
        assert_eq!(found, ["crates/a/src/b.rs:1: names docs/gone.md, which does not exist"]);
    }
}
