//! Presets of a task file, taken over into its search space.

use super::{Merge, Merged, PresetSpec, merge};
use crate::task::TaskSpec;
use crate::task::diagnostic::{Diagnostic, nearest};
use crate::task::read::ReadContext;
use crate::task::read::tree::{Node, at_path};

/// Takes the presets over that a task names. What the task says itself stands: its own parameters and fixed flags.
/// Afterwards the task names none.
pub(in crate::task) fn expand(spec: &mut TaskSpec, root: &Node, context: &ReadContext<'_>) -> Vec<Diagnostic> {
    let names = std::mem::take(&mut spec.search_space.presets);
    let how = spec.search_space.merge.take();
    let mut found = Vec::new();
    let list = at_path!["search_space", "presets"];
    let mut chosen: Vec<PresetSpec> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let place = list.join(i);
        let mut report = |finding: Diagnostic| {
            let mut finding = finding.at(root.locate(&place));
            finding.field = place.to_string();
            found.push(finding);
        };
        match context.presets.iter().find(|preset| preset.name == *name) {
            _ if names.iter().take(i).any(|n| n == name) => report(Diagnostic::note("", "it is named twice")),
            None => {
                let fits = |p: &&PresetSpec| p.engine.is_none_or(|e| e == spec.engine.name);
                let known: Vec<&str> = context.presets.iter().filter(fits).map(|p| p.name.as_str()).collect();
                let finding = Diagnostic::error("", format!("there is no preset `{name}`"));
                let finding = finding.suggest(nearest(name, known.iter().copied()));
                report(finding.help("see them with: autotuner presets list"));
            }
            Some(preset) if preset.engine.is_some_and(|engine| engine != spec.engine.name) => {
                let of = preset.engine.map_or("", |engine| engine.name());
                let message = format!("the preset is for {of}, the task's engine is {}", spec.engine.name);
                report(Diagnostic::error("", message).help("choose a preset of that engine"));
            }
            Some(preset) => chosen.push(preset.clone()),
        }
    }
    if how.is_some() && names.is_empty() {
        let place = at_path!["search_space", "merge"];
        let mut finding = Diagnostic::note("", "no presets are named, so there is nothing to merge");
        finding.field = place.to_string();
        found.push(finding.at(root.locate_key(&place)));
    }
    let engine = spec.engine.name;
    let canonical = |name: &str| match context.canonical {
        Some(canonical) => canonical(engine, name),
        None => name.replace('_', "-"),
    };
    // Their engines were compared with the task's above.
    let Ok(merged) = merge(&chosen, how.unwrap_or(Merge::Union), &canonical) else { return found };
    let mut note = |message: String| {
        let mut finding = Diagnostic::note("", message).at(root.locate_key(&list));
        finding.field = list.to_string();
        found.push(finding);
    };
    for conflict in &merged.conflicts {
        note(format!("`{}` of preset {}: {}", conflict.parameter, conflict.preset, conflict.message));
    }
    let kept = overlay(spec, merged, &canonical, &mut note);
    if !kept.is_empty() {
        note(format!("the presets give {}", kept.join(", ")));
    }
    found
}

/// Lays the task's own words over the presets'. Gives the names that the presets gave.
fn overlay(
    spec: &mut TaskSpec,
    merged: Merged,
    canonical: &dyn Fn(&str) -> String,
    note: &mut dyn FnMut(String),
) -> Vec<String> {
    let Merged { parameters, constraints, .. } = merged;
    let own: Vec<String> = spec.search_space.parameters.0.iter().map(|(name, _)| canonical(name)).collect();
    let fixed: Vec<String> = spec.engine.fixed.keys().map(|name| canonical(name)).collect();
    let (mut kept, mut taken) = (Vec::new(), Vec::new());
    for (name, parameter) in parameters.0 {
        let key = canonical(&name);
        if own.contains(&key) {
            note(format!("`{name}` stands under parameters too, which counts"));
        } else if fixed.contains(&key) {
            note(format!("`{name}` is fixed under engine.fixed, which counts"));
        } else {
            kept.push(name.clone());
            taken.push((name, parameter));
        }
    }
    taken.append(&mut spec.search_space.parameters.0);
    spec.search_space.parameters.0 = taken;
    let more = constraints.into_iter().filter(|text| !spec.search_space.constraints.contains(text)).collect::<Vec<_>>();
    spec.search_space.constraints.extend(more);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::preset::read_presets;
    use crate::task::{check, read, to_yaml};

    const PRESETS: &str = "presets: [{name: a, engine: vllm, parameters: {max-num-seqs: [64, 128], block-size: [16, 32]}, constraints: [max-num-seqs >= block-size]}, {name: b, parameters: {max-num-seqs: [32]}}, {name: s, engine: sglang, parameters: {tp-size: [1]}}]";

    fn task(space: &str) -> String {
        format!(
            "name: t\nmodel: {{id: m}}\nengine: {{name: vllm, fixed: {{dtype: auto}}}}\nsearch_space: {{{space}}}\n"
        )
    }

    fn told(space: &str) -> (String, Vec<String>) {
        let presets = read_presets(PRESETS, &ReadContext::default()).unwrap().presets;
        let context = ReadContext { presets: &presets, ..ReadContext::default() };
        match read(&task(space), &context) {
            Ok(loaded) => {
                assert_eq!(check(&loaded.spec, &ReadContext::default()).unwrap().spec, loaded.spec, "it stands alone");
                assert!(!to_yaml(&loaded.spec).contains("presets"), "nothing points at a preset");
                let shown = serde_json::to_string(&loaded.spec.search_space).unwrap();
                (shown, loaded.notes.iter().map(|d| d.message.clone()).collect())
            }
            Err(found) => {
                (String::new(), found.iter().map(|d| format!("{}:{} {}", d.line, d.column, d.message)).collect())
            }
        }
    }

    // W2: what is previewed, stored and run is one expansion.
    #[test]
    fn a_task_holds_what_its_presets_say_and_its_own_words_count() {
        let (space, notes) = told("presets: [a, b]");
        assert_eq!(
            space,
            r#"{"parameters":{"max-num-seqs":[64,128,32],"block-size":[16,32]},"constraints":["max-num-seqs >= block-size"]}"#
        );
        assert_eq!(notes, ["the presets give max-num-seqs, block-size"]);
        let (space, notes) = told("presets: [a], parameters: {max_num_seqs: [8], x: [1, 2]}");
        assert_eq!(space, "", "the constraint speaks of a flag in another spelling: {notes:?}");
        let (space, _) = told("presets: [b, a], merge: intersection, parameters: {x: [1, 2]}");
        assert_eq!(space, r#"{"parameters":{"x":[1,2]}}"#, "nothing is common and the constraint is gone");
        let (space, notes) =
            told("presets: [a, b], merge: last_wins, parameters: {x: {values: [1, 2], when: block-size == 16}}");
        assert!(
            space.starts_with(r#"{"parameters":{"max-num-seqs":[32],"block-size":[16,32],"x""#),
            "{space} {notes:?}"
        );
    }

    #[test]
    fn presets_that_do_not_exist_or_do_not_fit_are_refused_with_what_to_do() {
        let (_, told) = told("presets: [aa, s]");
        let refusals = ["4:26 there is no preset `aa`", "4:30 the preset is for sglang, the task's engine is vllm"];
        assert_eq!(told, [&["4:1 nothing varies: only the baseline will be measured"][..], &refusals].concat());
    }
}
