//! Words of titles and questions: how issues are found and how duplicates are recognised.
//!
//! *Invariant*: order, case, marks and endings of words make no difference.

use std::collections::BTreeSet;

use super::api::Issue;

/// Words that say nothing about the subject.
const EMPTY: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "does", "for", "from", "has", "have", "how",
    "i", "if", "in", "into", "is", "it", "its", "my", "not", "of", "on", "or", "so", "that", "the", "then", "there",
    "this", "to", "was", "we", "when", "where", "why", "will", "with",
];
/// Share of common words from which two titles say the same.
const ALIKE: f64 = 0.75;

/// The words of a text in small letters, as they stand.
pub(super) fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

/// The words that say something, as they stand, each once; all words if none of them does.
pub(super) fn spoken(text: &str) -> Vec<String> {
    let mut all = words(text);
    let mut seen = BTreeSet::new();
    all.retain(|word| seen.insert(word.clone()));
    let telling: Vec<String> = all.iter().filter(|word| !EMPTY.contains(&word.as_str())).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

/// The words that say something, without the endings of plural and past; all words if none of them does.
pub(super) fn telling(text: &str) -> BTreeSet<String> {
    let all = words(text);
    let telling: BTreeSet<String> =
        all.iter().filter(|word| !EMPTY.contains(&word.as_str())).map(|w| stem(w)).collect();
    if telling.is_empty() { all.into_iter().collect() } else { telling }
}

fn stem(word: &str) -> String {
    let long = |rest: &&str| rest.chars().count() >= 3;
    for (ending, instead) in [("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")] {
        if word.ends_with("ss") && ending == "s" {
            continue;
        }
        if let Some(rest) = word.strip_suffix(ending).filter(long) {
            return format!("{rest}{instead}").trim_end_matches('e').to_owned();
        }
    }
    if word.chars().count() > 3 { word.trim_end_matches('e').to_owned() } else { word.to_owned() }
}

/// The issues that hold at least half of the query's words, best first: more of the words, in better places, open
/// before closed, changed lately before long ago.
pub(super) fn ranked(issues: &[Issue], query: &str) -> Vec<Issue> {
    let wanted = telling(query);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<((usize, u32, bool), &Issue)> = Vec::new();
    for issue in issues {
        let (title, labels) = (telling(&issue.title), telling(&issue.labels.join(" ")));
        let body = telling(&issue.body);
        let begins = |set: &BTreeSet<String>, word: &str| word.len() >= 4 && set.iter().any(|o| o.starts_with(word));
        let weight = |word: &String| {
            if title.contains(word) {
                4
            } else if labels.contains(word) || begins(&title, word) {
                3
            } else if body.contains(word) {
                2
            } else {
                u32::from(begins(&body, word))
            }
        };
        let weights: Vec<u32> = wanted.iter().map(weight).filter(|weight| *weight > 0).collect();
        let number = query.trim().trim_start_matches('#').parse() == Ok(issue.number);
        if number || weights.len() * 2 >= wanted.len().max(1) && !weights.is_empty() {
            let sum = if number { u32::MAX } else { weights.iter().sum() };
            found.push(((weights.len(), sum, issue.is_open()), issue));
        }
    }
    found.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| other.updated_at.cmp(&one.updated_at)));
    found.into_iter().map(|(_, issue)| issue.clone()).collect()
}

/// The open issue that says the same as a title, if there is one.
pub(super) fn duplicate<'a>(issues: &'a [Issue], title: &str) -> Option<&'a Issue> {
    let wanted = telling(title);
    let alike = |issue: &&Issue| {
        let other = telling(&issue.title);
        let common = wanted.intersection(&other).count() as f64;
        let all = wanted.union(&other).count() as f64;
        common > 0.0 && common / all >= ALIKE
    };
    issues.iter().filter(|issue| issue.is_open()).find(alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(number: u64, title: &str, body: &str) -> Issue {
        Issue {
            number,
            title: title.into(),
            state: "open".into(),
            url: String::new(),
            body: body.into(),
            labels: vec![],
            comments: 0,
            updated_at: None,
        }
    }

    // R11.2
    #[test]
    fn several_words_find_an_issue_wherever_they_stand() {
        let issues = [
            issue(1, "Worker crashes when the GPU runs out of memory", ""),
            issue(2, "Docs: typo", "the gpu memory table"),
            issue(3, "Memory estimate is wrong", ""),
            issue(4, "Dark mode", ""),
        ];
        let numbers = |query: &str| ranked(&issues, query).iter().map(|issue| issue.number).collect::<Vec<_>>();
        assert_eq!(numbers("memory gpu"), [1, 2, 3]);
        assert_eq!(numbers("GPU worker crash"), [1]);
        assert_eq!(numbers("the memories"), [1, 3, 2]);
        assert_eq!(numbers("#4"), [4]);
        assert_eq!(numbers("kubernetes"), [0; 0]);
        assert_eq!(numbers(" ?!"), [0; 0]);
    }

    // R11.3
    #[test]
    fn the_same_title_in_other_words_is_a_duplicate() {
        let mut issues = [issue(1, "Worker crashes on GPU out-of-memory", "")];
        for title in ["worker crash: GPU out of memory!", "The worker crashed on GPU out of memory"] {
            assert_eq!(duplicate(&issues, title).map(|issue| issue.number), Some(1), "{title}");
        }
        for title in ["Worker crashes at start", "GPU memory", "Report lacks units"] {
            assert_eq!(duplicate(&issues, title), None, "{title}");
        }
        issues[0].state = "closed".into();
        assert_eq!(duplicate(&issues, "Worker crashes on GPU out-of-memory"), None);
    }
}
