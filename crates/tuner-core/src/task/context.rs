//! How long a context the requests of a workload need.
//!
//! *Invariant*: a lower bound. What a chat template adds, and what the data says that is not at hand, is left out.

use super::WorkloadSpec;
use super::conversation::Turns;
use super::scenario::{Mix, Scenario};
use super::workload::ClassSpec;

/// What every request, or every conversation, comes to at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastContext {
    /// Tokens of prompt and answer together, history included.
    pub tokens: u64,
    /// The turn that needs them, where it is not the only one.
    pub turn: Option<u32>,
}

/// Request fields that change how long prompts and answers are.
const LENGTH_FIELDS: [&str; 6] =
    ["max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict", "truncate_prompt_tokens", "n"];

impl WorkloadSpec {
    /// The least over all kinds of requests of the most that each comes to; `None` where that is not known: of a data
    /// set, of answers that may end early, of pictures.
    pub fn least_context(&self) -> Option<LeastContext> {
        let given = |body: &serde_json::Map<_, _>| LENGTH_FIELDS.iter().any(|name| body.contains_key(*name));
        let bodies = self.classes.iter().map(|class| &class.extra_body).chain([&self.extra_body]);
        if !self.ignore_eos || bodies.into_iter().any(given) || self.datasets().iter().any(Option::is_some) {
            return None;
        }
        let own = self.prompts.scenario.as_deref();
        let of_class = |class: &'_ ClassSpec| class.scenario.clone();
        let scenarios: Vec<Option<String>> = match self.classes.as_slice() {
            [] => vec![own.map(str::to_owned)],
            classes => classes.iter().map(of_class).collect(),
        };
        let conversations = self.conversations();
        let mut least: Option<LeastContext> = None;
        for (scenario, conversation) in scenarios.iter().zip(conversations) {
            let mix: Mix = scenario.as_deref()?.parse().ok()?;
            let turns = conversation.and_then(|c| c.turns).map_or(1, |turns: Turns| turns.bounds().0);
            for (_, scenario) in &mix.parts {
                let tokens = u64::from(turns) * shortest(scenario)?;
                if least.is_none_or(|least| tokens < least.tokens) {
                    least = Some(LeastContext { tokens, turn: (turns > 1).then_some(turns) });
                }
            }
        }
        least
    }
}

/// Tokens of the shortest prompt with the shortest answer.
fn shortest(scenario: &Scenario) -> Option<u64> {
    let (input, output) = match *scenario {
        Scenario::Deterministic { input, output } => (input, output),
        Scenario::Uniform { input, output } => (input.0, output.0),
        Scenario::Normal { .. } | Scenario::Lognormal { .. } => (1, 2),
        Scenario::Embedding { document } => (document, 0),
        Scenario::Rerank { document, query } => (document, query),
        Scenario::Image { .. } => return None,
    };
    Some(u64::from(input) + u64::from(output))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(workload: serde_json::Value) -> Option<(u64, Option<u32>)> {
        let workload: WorkloadSpec = serde_json::from_value(workload).unwrap();
        workload.least_context().map(|least| (least.tokens, least.turn))
    }

    #[test]
    fn every_conversation_comes_to_as_much_as_its_fewest_and_shortest_turns() {
        let json = |text: &str| serde_json::from_str(text).unwrap();
        assert_eq!(least(json(r#"{"scenario": "D(800,200)"}"#)), Some((1000, None)));
        assert_eq!(least(json(r#"{"scenario": "T(4)+D(800,200)"}"#)), Some((4000, Some(4))));
        assert_eq!(
            least(json(r#"{"scenario": "U(100,900)/(20,80)", "conversation": {"turns": {"low": 3, "high": 9}}}"#)),
            Some((360, Some(3)))
        );
        assert_eq!(least(json(r#"{"scenario": "0.9*D(4000,100)+0.1*D(10,5)"}"#)), Some((15, None)));
        assert_eq!(least(json(r#"{"scenario": "N(4000,100)/(300,50)"}"#)), Some((3, None)), "one may be short");
        let classes = r#"{"classes": [{"name": "a", "weight": 1, "scenario": "D(50,5)", "conversation": {"turns": 20}},
                          {"name": "b", "weight": 1, "scenario": "D(900,100)"}]}"#;
        assert_eq!(least(json(classes)), Some((1000, None)));
    }

    #[test]
    fn what_is_not_known_is_not_bounded() {
        for text in [
            r#"{"scenario": "D(800,200)", "ignore_eos": false}"#,
            r#"{"scenario": "D(800,200)", "extra_body": {"max_tokens": 5}}"#,
            r#"{"prompts_file": "chat.jsonl"}"#,
            r#"{"scenario": "I(512,512)"}"#,
        ] {
            assert_eq!(least(serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
