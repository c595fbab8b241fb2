//! Words: choices, statistics, and objects told apart by their `kind`.

use serde_json::Value as Json;

use super::hints;
use super::shape::{Here, Shape};
use super::tree::{Kind, Scalar};
use crate::measure::Stat;
use crate::task::diagnostic::{Diagnostic, nearest};

impl<'s> Shape<'s> {
    /// One of several words; `forms` are what else may stand there.
    pub(super) fn listed(&mut self, here: &Here<'_>, words: Vec<&'s str>, forms: Vec<String>) -> Option<Json> {
        let allowed =
            || words.iter().map(|w| (*w).to_owned()).chain(forms.iter().cloned()).collect::<Vec<_>>().join(", ");
        let given = match (here.node.scalar(), &here.node.kind) {
            (Some(Scalar::Text(text)), _) if words.contains(&text) => return Some(text.into()),
            (Some(Scalar::Null), _) | (None, _) => {
                let message = format!("expected a word, found {}", hints::describe_node(here.node));
                return self.report(here, Diagnostic::error("", message).allowed(allowed()));
            }
            (_, Kind::Scalar { text, .. }) => text.as_str(),
            _ => "",
        };
        let first = given.split_whitespace().next().unwrap_or_default();
        let within = words.iter().copied().find(|w| *w == first);
        let near = nearest(given, words.iter().copied()).or(within).or_else(|| hints::other_word(given, &words));
        let message = format!("unknown {} `{given}`", hints::word_noun(&here.path));
        self.report(here, Diagnostic::error("", message).suggest(near).allowed(allowed()))
    }

    pub(super) fn stat(&mut self, here: &Here<'_>) -> Option<Json> {
        let Kind::Scalar { text, .. } = &here.node.kind else {
            let message = format!("expected a word, found {}", hints::describe_node(here.node));
            return self
                .report(here, Diagnostic::error("", message).allowed("mean, min, max, or a percentile: p50, p99.9"));
        };
        if text.parse::<Stat>().is_ok() {
            return Some(text.as_str().into());
        }
        let near = match text.trim_start_matches('p').parse::<f64>() {
            Ok(number) if number > 0.0 && number < 100.0 => Some(format!("p{number}")),
            _ if text == "median" => Some("p50".to_owned()),
            _ => nearest(text, ["mean", "min", "max"]).or(hints::other_word(text, &["mean"])).map(str::to_owned),
        };
        let finding = Diagnostic::error("", format!("unknown statistic `{text}`"));
        self.report(
            here,
            finding.suggest(near).allowed("mean, min, max, or a percentile above p0 and below p100: p50, p99.9"),
        )
    }

    /// Objects told apart by `kind`; `None` if these are none.
    pub(super) fn tagged(&mut self, here: &Here<'_>, branches: &[&'s Json]) -> Option<Option<Json>> {
        let tag_of = |b: &'s Json| b.get("properties")?.get("kind")?.get("const")?.as_str();
        let words: Vec<&str> = branches.iter().filter_map(|b| tag_of(b)).collect();
        if words.len() != branches.len() {
            return None;
        }
        if let Some(Scalar::Text(text)) = here.node.scalar() {
            let word = words
                .iter()
                .copied()
                .find(|w| *w == text)
                .or_else(|| nearest(text, words.iter().copied()))
                .or_else(|| hints::other_word(text, &words));
            let finding = Diagnostic::error("", format!("expected an object, found the text \"{text}\""));
            let help =
                word.map_or_else(|| "write an object with `kind`".to_owned(), |w| format!("write {{kind: {w}}}"));
            return Some(self.report(here, finding.help(help).allowed(format!("kind: {}", words.join(", ")))));
        }
        if !matches!(here.node.kind, Kind::Map(_)) {
            let message = format!("expected an object, found {}", hints::describe_node(here.node));
            return Some(
                self.report(here, Diagnostic::error("", message).allowed(format!("kind: {}", words.join(", ")))),
            );
        }
        let Some(entry) = here.node.entry("kind") else {
            let finding = Diagnostic::error("", "`kind` is missing").allowed(words.join(", "));
            let finding = finding.help(format!("add `kind: {}`", words.first().copied().unwrap_or_default()));
            return Some(self.report(here, finding));
        };
        let kind = Here { node: &entry.value, path: here.path.join("kind"), key: entry.key_span };
        let Some(Json::String(word)) = self.listed(&kind, words.clone(), Vec::new()) else {
            return Some(None);
        };
        let branch = branches.iter().find(|b| tag_of(b) == Some(word.as_str()))?;
        let before = self.found.len();
        let object = self.object(here, branch);
        for entry in here.node.entries() {
            let owner = branches.iter().find(|b| b.get("properties").is_some_and(|p| p.get(&entry.key).is_some()));
            let field = here.path.join(entry.key.as_str()).to_string();
            let stray =
                self.found.iter_mut().skip(before).find(|f| f.field == field && f.message.starts_with("unknown field"));
            if let (Some(stray), Some(kind)) = (stray, owner.and_then(|b| tag_of(b))) {
                stray.help = Some(format!("`{}` belongs to `kind: {kind}`", entry.key));
            }
        }
        Some(Some(object))
    }
}
