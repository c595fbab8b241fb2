//! Bodies of conversations, as each protocol wants them.

use serde_json::{Value, json};
use tuner_core::task::{Level, LoadSpec, WorkloadSpec};

use super::*;
use crate::dataset::{Dataset, Round};
use crate::plan::Row;
use crate::prompting::PromptSource;
use crate::seed::Seeds;

/// An answer that has everything that JSON writes otherwise.
const ANSWER: &str = " \"quoted\" \\ back\nline\ttab \u{1} ä漢😀 </s>";

fn dataset() -> Dataset {
    let message = |role: &str, text: &str| json!({ "role": role, "content": text });
    let round = |messages: Vec<Value>, answer: Option<&str>| Round {
        messages,
        answer: answer.map(str::to_owned),
        own_tokens: Some(3),
        output_tokens: Some(2),
    };
    let rounds = vec![
        round(vec![message("system", "be brief"), message("user", "one")], Some("ONE")),
        round(vec![message("user", "two \"2\"")], Some("TWO")),
        round(vec![message("user", "three")], None),
    ];
    let request = json!({ "messages": rounds[0].messages, "top_p": 0.5, "max_tokens": 99 });
    let row = crate::dataset::DatasetRow {
        request: request.as_object().cloned(),
        rounds,
        input_tokens: Some(3),
        ..Default::default()
    };
    Dataset { path: "f".into(), format: crate::dataset::Format::ShareGpt, rows: vec![row], dropped: Vec::new() }
}

/// The bodies of the row's turns, each after the answer above.
fn bodies(api: Api, conversation: Value) -> Vec<Value> {
    let spec = json!({"prompts_file": "f", "api": api.name(), "salt": false, "conversation": conversation});
    let workload: WorkloadSpec = serde_json::from_value(spec).unwrap();
    let row = Row { input_tokens: 3, output_tokens: 2, rounds: vec![(3, 2); 3], has_prompt: true, ..Row::default() };
    let load = LoadSpec { levels: vec![Level::closed(1)], warmup_requests: Some(0), ..LoadSpec::default() };
    let plan = LevelPlan::with_rows(&workload, &load, 0, 0, Seeds::default(), &vec![Some(vec![row].into())]).unwrap();
    let prompts = PromptSource { datasets: vec![Some(std::sync::Arc::new(dataset()))], ..PromptSource::default() };
    let features = Features { continuous_usage: false, ..Features::default() };
    let materials = Materials { plan: &plan, prompts: &prompts, tokens: None, model: "m", features };
    let conversation = plan.conversations().next().unwrap();
    let script = script(&materials, &conversation).unwrap();
    let mut history = History::default();
    let body = |turn| {
        let built = script.body(turn, &history);
        assert_eq!(built.exact_output, Some(2).filter(|_| matches!(api, Api::Chat)));
        script.answered(turn, ANSWER, &mut history);
        serde_json::from_slice(&built.bytes).unwrap()
    };
    (0..3).map(body).collect()
}

#[test]
fn the_next_turn_says_again_what_was_said_and_answered() {
    let said = |role: &str, text: &str| json!({ "role": role, "content": text });
    let all = [
        said("system", "be brief"),
        said("user", "one"),
        said("assistant", ANSWER),
        said("user", "two \"2\""),
        said("assistant", ANSWER),
        said("user", "three"),
    ];
    for (api, field) in [(Api::Chat, "messages"), (Api::Responses, "input"), (Api::Anthropic, "messages")] {
        let bodies = bodies(api, json!({}));
        let from = usize::from(api == Api::Anthropic);
        for (body, end) in bodies.iter().zip([2, 4, 6]) {
            assert_eq!(body[field], json!(all[from..end]), "{api:?}");
            assert_eq!((&body["top_p"], &body["model"]), (&json!(0.5), &json!("m")), "{api:?}");
            assert_eq!(body["system"], if from == 1 { json!("be brief") } else { Value::Null });
        }
    }
}

#[test]
fn recorded_answers_take_the_place_of_the_engines() {
    let last = bodies(Api::Chat, json!({"answers": "recorded"})).pop().unwrap();
    let said: Vec<&str> = last["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(said, ["be brief", "one", "ONE", "two \"2\"", "TWO", "three"]);
    assert_eq!(last["max_tokens"], 2, "the length of the turn, not the row's limit");
}

proptest::proptest! {
    #[test]
    fn any_answer_survives_being_written_down(answer in ".*") {
        let quoted = format!("\"{}\"", escape(&answer));
        proptest::prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), answer);
    }
}
