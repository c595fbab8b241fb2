//! The prompt tokens that the engine counts beside those of the plan: its template, or another tokenizer than the model's.
//!
//! *Invariant*: a template adds the same to the same roles. Only what differs between requests of the same roles speaks
//! against the tokenizer.

use std::collections::BTreeMap;

use tuner_core::record::{Fate, RequestRecord};

use crate::plan::LevelPlan;

/// Tokens by which the sum of a row's texts may differ from their count within a template: a word's pieces change where
/// texts meet.
const SEAMS: i64 = 2;
/// The same as a share of the longest prompt.
const SEAM_SHARE: f64 = 0.01;

/// Least and most, and the longest prompt.
type Range = (i64, i64, u32);

pub(super) fn beside_the_plan(plan: &LevelPlan, measured: &[&RequestRecord]) -> Option<String> {
    let mut of_roles: BTreeMap<String, Range> = BTreeMap::new();
    // Later turns hold answers whose length was only planned.
    let known = |r: &&&RequestRecord| r.planned_input_tokens > 0 && r.turn.is_none_or(|turn| turn == 1);
    let completed = measured.iter().filter(|r| r.fate == Fate::Completed).filter(known);
    for record in completed {
        let number = record.conversation.unwrap_or(record.index);
        let (Some(counted), Some(roles)) = (record.input_tokens, plan.roles(number)) else { continue };
        let planned = record.planned_input_tokens;
        let extra = i64::from(counted) - i64::from(planned);
        let api = plan.part(number).api.name();
        let range = of_roles.entry(format!("{api} {roles}")).or_insert((extra, extra, planned));
        *range = (range.0.min(extra), range.1.max(extra), range.2.max(planned));
    }
    let least = of_roles.values().map(|range| range.0).min()?;
    let most = of_roles.values().map(|range| range.1).max()?;
    let from_rows = plan.fewest_rows().is_some();
    let agrees = |(least, most, longest): &Range| {
        let seams = if from_rows { SEAMS.max((f64::from(*longest) * SEAM_SHARE) as i64) } else { 0 };
        most - least <= seams
    };
    let salt = if from_rows && plan.workload.salt { " and the line that makes prompts differ" } else { "" };
    if !of_roles.values().all(agrees) {
        return Some(format!(
            "the engine counts {least:+} to {most:+} prompt tokens against the plan: the tokenizer used is not quite the \
             model's"
        ));
    }
    match (least, most) {
        (0, 0) => None,
        _ if least == most => {
            Some(format!("the engine counts {least:+} prompt tokens on every request (its template{salt})"))
        }
        _ => Some(format!(
            "the engine counts {least:+} to {most:+} prompt tokens on a request, by its messages (its template{salt})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;
    use tuner_core::task::{Level, LoadSpec, WorkloadSpec};

    use super::*;
    use crate::dataset::Dataset;
    use crate::plan::Rows;
    use crate::seed::Seeds;

    fn plan(workload: serde_json::Value, rows: &Rows) -> LevelPlan {
        let workload: WorkloadSpec = serde_json::from_value(workload).unwrap();
        let load = LoadSpec { levels: vec![Level::closed(2)], requests: Some(40), ..LoadSpec::default() };
        LevelPlan::with_rows(&workload, &load, 0, 0, Seeds { schedule: 3, prompts: 4 }, rows).unwrap()
    }

    /// Rows whose prompts have 50 tokens each: a question, one with a system prompt, and a conversation.
    fn conversations() -> LevelPlan {
        let say = |role: &str| json!({ "role": role, "content": "a b" });
        let rows = [
            json!({ "messages": [say("user")] }),
            json!({ "messages": [say("system"), say("user")] }),
            json!({ "messages": [say("user"), say("assistant"), say("user")] }),
        ];
        let text = rows.map(|row| row.to_string()).join("\n");
        let mut dataset = Dataset::parse(Path::new("rows.jsonl"), &text).unwrap();
        dataset.rows.iter_mut().for_each(|row| row.input_tokens = Some(50));
        let rows: Rows = vec![Some(dataset.plan_rows(Some(8), 0).into())];
        plan(json!({ "prompts_file": "rows.jsonl", "salt": false }), &rows)
    }

    /// What is said where the engine counts `extra` tokens more on a request of so many messages and this index.
    fn said(plan: &LevelPlan, extra: impl Fn(u32, u64) -> u32) -> Option<String> {
        let record = |p: tuner_core::record::PlannedRequest| {
            let messages = plan.roles(p.index).unwrap().split_whitespace().count() as u32;
            RequestRecord {
                input_tokens: Some(p.input_tokens + extra(messages, p.index)),
                fate: Fate::Completed,
                ..RequestRecord::unsent(&p, 0.0)
            }
        };
        let records: Vec<RequestRecord> = plan.requests().map(record).collect();
        beside_the_plan(plan, &records.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_template_that_adds_tokens_to_each_message_is_no_wrong_tokenizer() {
        let plan = conversations();
        let by_message = said(&plan, |messages, _| 3 + 4 * messages).unwrap();
        assert_eq!(
            by_message,
            "the engine counts +7 to +15 prompt tokens on a request, by its messages (its template)"
        );
        let seams = said(&plan, |messages, index| 3 + 4 * messages + (index % 2) as u32).unwrap();
        assert!(seams.contains("by its messages"), "{seams}");
    }

    #[test]
    fn what_differs_between_requests_of_the_same_messages_speaks_against_the_tokenizer() {
        let said = said(&conversations(), |messages, index| 3 + 4 * messages + 5 * (index % 3) as u32).unwrap();
        assert!(said.ends_with("the tokenizer used is not quite the model's"), "{said}");
    }

    #[test]
    fn synthetic_prompts_are_exact_so_that_every_difference_counts() {
        let plan = plan(json!({ "scenario": "D(100,10)" }), &Rows::new());
        assert_eq!(said(&plan, |_, _| 0), None);
        let same = said(&plan, |_, _| 12).unwrap();
        assert_eq!(same, "the engine counts +12 prompt tokens on every request (its template)");
        let off = said(&plan, |_, index| 12 + (index % 2) as u32).unwrap();
        assert!(off.contains("not quite the model's"), "{off}");
    }
}
