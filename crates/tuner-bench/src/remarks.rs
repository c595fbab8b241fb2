//! Remarks on a level that was run: what its plan came to, and what the prefix cache made of it.
//!
//! *Invariant*: a pure function of plan and records.

mod template;

use std::collections::{HashMap, HashSet};

use tuner_core::record::{Fate, RequestRecord};

use crate::plan::LevelPlan;

/// Everything worth saying.
pub(crate) fn remarks(plan: &LevelPlan, records: &[RequestRecord]) -> Vec<String> {
    let measured: Vec<&RequestRecord> = records.iter().filter(|r| !r.warmup && r.sent_s.is_some()).collect();
    let mut remarks = Vec::new();
    remarks.extend(repeats(plan, begun(records)));
    remarks.extend(lengths(plan, &measured));
    remarks.extend(template::beside_the_plan(plan, &measured));
    remarks.extend(prefixes(plan, &measured));
    remarks
}

/// Conversations that took part, a request that stands alone being one of its own.
fn begun(records: &[RequestRecord]) -> usize {
    records.iter().map(|r| r.conversation.unwrap_or(r.index)).collect::<HashSet<u64>>().len()
}

fn repeats(plan: &LevelPlan, requests: usize) -> Option<String> {
    let prompts = plan.fewest_rows().filter(|n| plan.parts.len() == 1 && requests > *n)?;
    Some(format!(
        "{requests} {} were made from {prompts} prompts: repeated prompts may be answered from a prefix cache",
        if plan.has_turns() { "conversations" } else { "requests" }
    ))
}

/// What was drawn, where lengths are drawn.
fn lengths(plan: &LevelPlan, measured: &[&RequestRecord]) -> Option<String> {
    let fixed = plan.parts.len() == 1 && plan.parts[0].scenario().is_some_and(|s| s.is_fixed());
    if measured.len() < 2 || (fixed && !plan.has_turns()) {
        return None;
    }
    let (input, input_sd) = mean_and_sd(measured.iter().map(|r| r.planned_input_tokens));
    let (output, output_sd) = mean_and_sd(measured.iter().map(|r| r.planned_output_tokens));
    let n = measured.len();
    if plan.has_turns() {
        let conversations: HashSet<Option<u64>> = measured.iter().map(|r| r.conversation).collect();
        return Some(format!(
            "{n} turns of {} conversations: {input:.1} ± {input_sd:.1} tokens in by plan, history included, {output:.1} ± \
             {output_sd:.1} out (mean ± standard deviation)",
            conversations.len()
        ));
    }
    Some(format!(
        "lengths drawn for {n} requests: {input:.1} ± {input_sd:.1} tokens in, {output:.1} ± {output_sd:.1} out \
         (mean ± standard deviation)"
    ))
}

fn mean_and_sd(values: impl Iterator<Item = u32> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().map(f64::from).sum::<f64>() / n;
    (mean, (values.map(|v| (f64::from(v) - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

/// The planned share of shared tokens beside what the engine says it found in its cache.
fn prefixes(plan: &LevelPlan, measured: &[&RequestRecord]) -> Option<String> {
    let last = measured.iter().map(|r| r.index).max()?;
    let planned: HashMap<u64, u32> = plan.planned_to(last).map(|p| (p.index, p.shared_tokens())).collect();
    let completed = || measured.iter().filter(|r| r.fate == Fate::Completed);
    let input: u64 = completed().map(|r| u64::from(r.input_tokens.unwrap_or(r.planned_input_tokens))).sum();
    let shared: u64 = completed().filter_map(|r| planned.get(&r.index)).map(|n| u64::from(*n)).sum();
    if shared == 0 || input == 0 {
        return None;
    }
    let share = |tokens: u64| tokens as f64 / input as f64 * 100.0;
    let what = if plan.has_turns() { "history or shared prefixes" } else { "shared prefixes" };
    let planned = format!("{:.1} % of the prompt tokens are {what}", share(shared));
    if !completed().any(|r| r.cached_tokens.is_some()) {
        return Some(format!("{planned}; the engine does not say what came from its cache"));
    }
    let cached: u64 = completed().filter_map(|r| r.cached_tokens).map(u64::from).sum();
    Some(format!("{planned}, {:.1} % came from the engine's prefix cache", share(cached)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tuner_core::task::{Level, LoadSpec, WorkloadSpec};

    use super::*;
    use crate::seed::Seeds;

    fn said(workload: serde_json::Value, cached: Option<u32>) -> Vec<String> {
        let workload: WorkloadSpec = serde_json::from_value(workload).unwrap();
        let load = LoadSpec { levels: vec![Level::closed(2)], requests: Some(1000), ..LoadSpec::default() };
        let plan = LevelPlan::new(&workload, &load, 0, 0, Seeds { schedule: 3, prompts: 4 }).unwrap();
        let record = |p| RequestRecord {
            sent_s: Some(0.0),
            cached_tokens: cached,
            fate: Fate::Completed,
            ..RequestRecord::unsent(&p, 0.0)
        };
        let records: Vec<RequestRecord> = plan.requests().map(record).collect();
        remarks(&plan, &records)
    }

    #[test]
    fn the_plan_is_compared_with_what_came() {
        assert!(said(json!({"scenario": "D(100,10)"}), Some(0)).is_empty(), "nothing is drawn, nothing is shared");
        let drawn = said(json!({"scenario": "N(480,50)/(300,30)"}), None);
        assert!(drawn[0].starts_with("lengths drawn for 1000 requests: 4") && drawn.len() == 1, "{drawn:?}");
        let prefix = json!({"scenario": "D(100,10)", "shared_prefix": {"tokens": 40}});
        let shared = "40.0 % of the prompt tokens are shared prefixes";
        assert_eq!(said(prefix.clone(), Some(32)), [format!("{shared}, 32.0 % came from the engine's prefix cache")]);
        let silent = format!("{shared}; the engine does not say what came from its cache");
        assert_eq!(said(prefix, None), [silent]);
    }
}
