//! Errands for the agent on the simulated engine, written down in YAML: what a person says and decides, what the scripted
//! model does, and what the store holds afterwards.
//!
//! *Invariant*: an errand that does not say what it changes changes nothing.

mod injected;
mod world;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tuner_testkit::model::{Script, ScriptedModel};

use self::world::World;

/// One of `*.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Errand {
    name: String,
    /// `ask`, `read_only` or `unattended`.
    #[serde(default)]
    mode: Option<String>,
    /// A worker does what is started.
    #[serde(default)]
    worker: bool,
    /// Tasks that are there, by kind and name; presets by name.
    #[serde(default)]
    given: Map<String, Value>,
    /// A text that others wrote: of an issue, a preset, a note.
    #[serde(default)]
    others: Option<String>,
    /// Turns of the script.
    model: Vec<Value>,
    /// What the person does, in order; the agent comes to rest after each.
    person: Vec<Map<String, Value>>,
    /// What there is afterwards.
    #[serde(default)]
    then: Then,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Then {
    /// Every call in order: tool and state.
    calls: Option<Vec<(String, String)>>,
    /// Tasks that are otherwise than before: name and status, `archived` or `gone`.
    tasks: Map<String, Value>,
    /// Presets that are otherwise than before: name and a part of them, or `gone`.
    presets: Map<String, Value>,
    /// Jobs that are new or otherwise: kind and state.
    jobs: Vec<(String, String)>,
    /// Files in the notes.
    notes: Map<String, Value>,
    /// Parts of what the model was told by tools.
    heard: Vec<String>,
    /// A part of the last thing that was said.
    said: Option<String>,
    /// How the last run ended.
    run: Option<String>,
    /// How often the person was asked.
    asked: Option<usize>,
}

/// Documents stand in the scripts as `$kind:name`.
fn filled(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$').and_then(|rest| rest.split_once(':')) {
            Some((kind, name)) => world::document(kind, name).into(),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(filled).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), filled(value))).collect(),
        other => other.clone(),
    }
}

async fn run(errand: Errand) {
    let turns: Vec<Value> = errand.model.iter().map(filled).collect();
    let script =
        Script::from_yaml(&json!({ "turns": turns }).to_string()).unwrap_or_else(|e| panic!("{}: {e}", errand.name));
    let model = ScriptedModel::start(script);
    let mut world = World::new(&errand.name, &model, errand.mode.as_deref(), &errand.given).await;
    if errand.worker {
        world.work();
    }
    if let Some(text) = &errand.others {
        world.bait(text).await;
    }
    let before = world.state().await;
    for step in &errand.person {
        world.step(step, &model).await;
    }
    let then = errand.then;
    let ended = |state: &Value| state["jobs"].as_array().is_none_or(|jobs| jobs.iter().all(|job| job["ended"] == true));
    let after = if errand.worker { world.state_when(ended).await } else { world.state().await };
    world.check(&before, &after, &then).await;
    let told: String = model.requests().iter().flat_map(|seen| seen.results()).map(|(_, text)| text + "\n").collect();
    for part in &then.heard {
        assert!(told.contains(part.as_str()), "{}: the model was never told {part:?}: {told}", errand.name);
    }
    assert_eq!(model.complaints(), Vec::<String>::new(), "{}", errand.name);
}

/// Every errand of a file; each may fail for itself.
async fn all(text: &str, at_least: usize) {
    let errands: Vec<Errand> = serde_json::from_value(tuner_testkit::yaml(text).unwrap()).unwrap();
    assert!(errands.len() >= at_least, "only {}", errands.len());
    let mut failed = Vec::new();
    for errand in errands {
        let name = errand.name.clone();
        if let Err(error) = tokio::spawn(run(errand)).await {
            failed.push(format!("{name}: {error}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// R8.1, R9, R13, R14.10: questions are answered from the store, and change nothing.
#[tokio::test(flavor = "multi_thread")]
async fn questions_change_nothing() {
    all(include_str!("questions.yaml"), 18).await;
}

/// R1, R3.2, R5, R9.3: what is let happen happens as it was shown, once, and nothing else does.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_let_happen_happens() {
    all(include_str!("changes.yaml"), 18).await;
}

/// R1, R6, R11.7: refusals, limits, stops, deaths and doubts end where they should.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_let_happen_does_not() {
    all(include_str!("refusals.yaml"), 14).await;
}
