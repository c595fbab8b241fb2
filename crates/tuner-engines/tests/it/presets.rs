//! Presets that come with the engines, against the engines' own words.

use std::collections::{BTreeMap, BTreeSet};

use tuner_core::engine::EngineName;
use tuner_core::task::{
    DomainSpec, EngineSpec, Environment, ImportOptions, ModelSpec, ParameterSpec, ReadContext, import_predecessor,
    read, read_presets,
};
use tuner_core::{Configuration, Value};
use tuner_engines::presets::{canonical, presets};
use tuner_engines::{FlagKind, LaunchError, LaunchRequest, LaunchSpec, engine};

fn values(spec: &ParameterSpec) -> Vec<Value> {
    match spec {
        ParameterSpec::List(values) | ParameterSpec::Full(DomainSpec { values: Some(values), .. }) => values.clone(),
        ParameterSpec::Word(_) => vec![true.into(), false.into()],
        ParameterSpec::Full(range) => {
            let ends = [range.range.low, range.range.high].into_iter().flatten();
            ends.map(|n| Value::Float(n.as_f64())).collect()
        }
    }
}

fn launched(name: EngineName, flags: &Configuration) -> Result<LaunchSpec, LaunchError> {
    let model = ModelSpec { path: Some("/models/m.gguf".to_owned()), ..ModelSpec::default() };
    let spec: EngineSpec = serde_json::from_value(serde_json::json!({ "name": name.name() })).unwrap();
    engine(name).launch_spec(&LaunchRequest {
        model: &model,
        engine: &spec,
        configuration: flags,
        launcher: &[],
        host: "127.0.0.1",
        port: 8000,
        gpus: &[],
        ambient: &Environment::new(),
        catalogue: None,
    })
}

#[test]
fn every_value_of_a_preset_is_one_that_the_engine_takes() {
    let mut of_engine: BTreeMap<EngineName, BTreeSet<&str>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for preset in presets() {
        let name = preset.engine.unwrap();
        assert!(names.insert(&preset.name) && preset.name.starts_with(name.name()), "{}", preset.name);
        of_engine.entry(name).or_default().insert(preset.category.as_str());
        for (flag, spec) in &preset.parameters.0 {
            let found = engine(name).catalogue().find(flag).unwrap_or_else(|| panic!("{}: {flag}", preset.name));
            assert!(!found.flag.removed && found.flag.name == *flag, "{}: {flag}", preset.name);
            assert_eq!(canonical(name, flag), *flag);
            for value in values(spec) {
                if let (FlagKind::Choice { values }, Some(word)) = (&found.flag.kind, value.as_str()) {
                    assert!(values.iter().any(|v| v == word), "{}: {flag}={word}", preset.name);
                }
                let flags = Configuration(BTreeMap::from([(flag.clone(), value.clone())]));
                let told = launched(name, &flags).err().map(|error| error.to_string());
                assert_eq!(told, None, "{}: {flag}={value}", preset.name);
            }
        }
    }
    assert_eq!(of_engine.len(), EngineName::ALL.len());
    assert!(of_engine.values().all(|categories| categories.contains("general")), "{of_engine:?}");
}

#[test]
fn every_preset_makes_a_task_that_can_be_searched() {
    for preset in presets() {
        let name = preset.engine.unwrap();
        let model = if name == EngineName::LlamaCpp { "{path: m.gguf}" } else { "{id: m}" };
        let text = format!(
            "name: t\nmodel: {model}\nengine: {{name: {name}}}\nsearch_space: {{presets: [{}]}}\n",
            preset.name
        );
        let canonical = |engine, flag: &str| canonical(engine, flag);
        let context = ReadContext { presets: presets(), canonical: Some(&canonical), ..Default::default() };
        let loaded = read(&text, &context).unwrap_or_else(|found| panic!("{}: {found:?}", preset.name));
        assert_eq!(loaded.space.parameters.len(), preset.parameters.0.len(), "{}", preset.name);
        let written = serde_json::to_string(preset).unwrap();
        assert_eq!(read_presets(&written, &ReadContext::default()).unwrap().presets, std::slice::from_ref(preset));
    }
}

/// A flag that stands at what the engine does without it.
fn says_nothing(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Int(1)) || value.as_str() == Some("auto")
}

// R0.6: the predecessor's quantisation and parallelism presets mean the presets that come with the engine.
#[test]
fn each_preset_of_the_predecessor_means_the_one_that_comes_with_the_engine() {
    let lists = [
        ("quant_config", "quant", &["default", "kv-cache-fp8", "dynamic-fp8", "bf16-stable", "aggressive-moe"][..]),
        (
            "parallel_config",
            "parallel",
            &[
                "single-gpu",
                "high-throughput",
                "large-model-tp",
                "large-model-tp-pp",
                "moe-optimized",
                "long-context",
                "balanced",
            ],
        ),
    ];
    let mut mapped = 0;
    for name in [EngineName::Vllm, EngineName::Sglang, EngineName::TensorrtLlm] {
        for (field, kind, old) in lists {
            for old in old {
                let text = format!(
                    "task_name: t\nbase_runtime: {name}\ndeployment_mode: local\nmodel: {{id_or_path: m}}\nparameters: {{}}\n\
                     {field}: {{presets: [{old}]}}\noptimization: {{strategy: random, objective: minimize_ttft}}\nbenchmark: {{}}\n"
                );
                let Some(new) = presets().iter().find(|p| p.name == format!("{name}-{kind}-{old}")) else { continue };
                let imported = import_predecessor(&text, &ImportOptions::default());
                let imported = imported.unwrap_or_else(|found| panic!("{name} {old}: {found:?}"));
                let theirs = imported.spec.engine.fixed;
                let ours = new.parameters.0.iter().map(|(flag, spec)| (flag.clone(), values(spec)));
                let ours = ours.filter(|(_, values)| !values.iter().all(says_nothing));
                let ours: BTreeMap<String, Value> = ours.map(|(flag, mut values)| (flag, values.remove(0))).collect();
                assert_eq!(theirs, ours, "{name} {old}");
                mapped += 1;
            }
        }
    }
    assert_eq!(mapped, 4 + 7 + 5 + 6 + 3);
}
