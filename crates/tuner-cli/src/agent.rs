//! How the agent is set: environment over the file `agent.json` of the data directory over defaults.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
#[cfg(debug_assertions)]
use tuner_agent::Point;
use tuner_agent::tools::Registry;
use tuner_agent::{Agent, AgentSettings, Bounds, Desk, Prices, Probe};
use tuner_app::access::Asker;
use tuner_app::service::Service;
use tuner_app::tune::{self, Surroundings};
use tuner_app::{Egress, Home};
use tuner_llm::{Provider, ProviderKind, Secret, ToolSupport};
use tuner_policy::Actor;
use tuner_policy::chat::Rules;
use tuner_store::Store;
use uuid::Uuid;

use crate::exit::Refusal;
use crate::settings::Settings;

/// The settings file in the data directory.
const FILE: &str = "agent.json";
/// The rules in the data directory.
const RULES: &str = "policy.json";
/// The address that stands for "not set" in the predecessor's examples.
const UNSET: &str = "http://localhost:8000/v1";
/// Programs that the agent may run, with leave, unless the file names others.
const PROGRAMS: [&str; 5] = ["nvidia-smi", "df", "free", "uptime", "uname"];

/// What the file may hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    provider: Option<String>,
    model: Option<String>,
    base_url: Option<String>,
    api_key: Option<String>,
    temperature: Option<f64>,
    max_output_tokens: Option<u32>,
    context_tokens: Option<u32>,
    max_iterations: Option<u32>,
    max_tokens_per_run: Option<u64>,
    max_minutes_per_run: Option<u64>,
    approval_hours: Option<f64>,
    programs: Option<Vec<String>>,
    tools: Option<Vec<String>>,
    tool_calls: Option<String>,
    /// For a million tokens: `{"input": 0.4, "cached": 0.1, "output": 1.6}`.
    prices: Option<Prices>,
    max_cost_per_run: Option<f64>,
}

fn read<T: for<'a> Deserialize<'a> + Default>(path: &Path) -> anyhow::Result<T> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} cannot be used", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// The settings of this process's agent.
///
/// # Errors
/// A file of the data directory, or a variable, cannot be used.
pub(crate) fn settings(home: &Home) -> anyhow::Result<AgentSettings> {
    let file: File = read(&home.root().join(FILE))?;
    let rules: Rules = read(&home.root().join(RULES))?;
    rules.check().with_context(|| format!("{} is not taken", home.root().join(RULES).display()))?;
    let var = |name: &str| std::env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let word = var("AGENT_PROVIDER").or(file.provider).unwrap_or_else(|| "local".to_owned());
    let kind: ProviderKind = word.parse()?;
    let model = var("AGENT_MODEL").or(file.model);
    let base_url = var("AGENT_BASE_URL").or(file.base_url).filter(|url| kind == ProviderKind::Local || url != UNSET);
    let api_key = var("AGENT_API_KEY").or(file.api_key);
    let mut missing = Vec::new();
    if model.is_none() {
        missing.push("AGENT_MODEL");
    }
    match kind {
        ProviderKind::Local if base_url.is_none() => missing.push("AGENT_BASE_URL"),
        ProviderKind::Openai | ProviderKind::Anthropic if api_key.is_none() => missing.push("AGENT_API_KEY"),
        _ => {}
    }
    let number = |name: &str| -> anyhow::Result<Option<u64>> {
        let parse = |text: String| {
            text.parse().map_err(|_| Refusal::usage(format!("{name} is no number: {text}"), "give digits"))
        };
        Ok(var(name).map(parse).transpose()?)
    };
    let defaults = Bounds::default();
    let steps = number("AGENT_MAX_ITERATIONS")?.and_then(|n| u32::try_from(n).ok()).or(file.max_iterations);
    let bounds = Bounds {
        steps: steps.unwrap_or(defaults.steps),
        tokens: number("AGENT_MAX_TOKENS_PER_RUN")?.or(file.max_tokens_per_run).unwrap_or(defaults.tokens),
        time: file.max_minutes_per_run.map_or(defaults.time, |minutes| Duration::from_secs(minutes * 60)),
        patience: file
            .approval_hours
            .map_or(defaults.patience, |hours| Duration::from_secs_f64(hours.clamp(0.01, 168.0) * 3600.0)),
        calls: defaults.calls,
        cost: file.max_cost_per_run,
    };
    if bounds.cost.is_some() && file.prices.is_none() {
        let message = format!("{FILE} limits the cost of a run and gives no prices");
        return Err(
            Refusal::usage(message, "add \"prices\": {\"input\": 0.4, \"output\": 1.6}, for a million tokens").into()
        );
    }
    let context_tokens = number("AGENT_CONTEXT_TOKENS")?.and_then(|n| u32::try_from(n).ok()).or(file.context_tokens);
    let tool_calls = match var("AGENT_TOOL_CALLS").or(file.tool_calls) {
        None => ToolSupport::Auto,
        Some(word) => serde_json::from_value(word.clone().into()).map_err(|_| {
            Refusal::usage(format!("AGENT_TOOL_CALLS cannot be {word:?}"), "it is auto, native or schema")
        })?,
    };
    let provider = model.filter(|_| missing.is_empty()).map(|model| Provider {
        base_url,
        api_key: api_key.as_deref().and_then(Secret::new),
        temperature: file.temperature,
        max_output_tokens: file.max_output_tokens,
        context_tokens,
        tools: tool_calls,
        ..Provider::new(kind, &model)
    });
    let names = file.programs.unwrap_or_else(|| PROGRAMS.map(str::to_owned).to_vec());
    let programs: BTreeMap<String, String> = names
        .into_iter()
        .map(|path| {
            (Path::new(&path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned()), path)
        })
        .collect();
    let listed = |text: String| text.split(',').map(|word| word.trim().to_owned()).collect();
    let tools: Vec<String> = var("AGENT_TOOLS").map(listed).or(file.tools).unwrap_or_default();
    if let Some(none) =
        tools.iter().find(|pattern| Registry::matching(std::slice::from_ref(pattern)).iter().count() == 0)
    {
        return Err(Refusal::usage(
            format!("no tool of the agent is called {none:?} (AGENT_TOOLS, or \"tools\" in {FILE})"),
            "give names, or beginnings such as list_*, separated by commas; GET /api/agent/tools lists all",
        )
        .into());
    }
    let secrets = crate::settings::secrets().into_values().chain(api_key).collect();
    Ok(AgentSettings {
        provider,
        missing,
        bounds,
        prices: file.prices,
        rules,
        secrets,
        programs,
        tools,
        probe: probe(),
    })
}

/// Where tests have this process killed.
#[cfg(debug_assertions)]
fn probe() -> Option<Probe> {
    let word = std::env::var("AUTOTUNER_DIE_AT").ok()?;
    let point = Point::ALL.into_iter().find(|point| point.word() == word)?;
    let then = || {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    };
    Some(Probe { point, then })
}

#[cfg(not(debug_assertions))]
fn probe() -> Option<Probe> {
    None
}

/// Who sits at this machine, by way of `from`.
pub(crate) fn here(from: &str) -> Asker {
    Asker {
        actor: Actor::Local,
        name: "local".to_owned(),
        token: None,
        peer: from.to_owned(),
        request_id: Uuid::now_v7().to_string(),
    }
}

/// The store of the data directory, and the agent of this process on it.
///
/// # Errors
/// The store cannot be opened, or the agent's settings not used.
pub(crate) async fn at_home(settings: &Settings) -> anyhow::Result<(Store, Desk)> {
    let home = settings.home();
    let store = tune::open_store(&home).await?;
    // The agent reaches no further than a service lets it.
    let around = Surroundings { egress: Egress::default(), ..settings.surroundings() };
    let service = Service::new(store.clone(), home.clone(), around);
    let desk = desk(&home, service)?;
    Ok((store, desk))
}

/// The agent of this process, on a service. It does nothing until it is started.
///
/// # Errors
/// Its settings cannot be used.
pub(crate) fn desk(home: &Home, service: Service) -> anyhow::Result<Desk> {
    let settings = settings(home)?;
    let model = settings.model()?;
    Ok(Desk::new(Agent::new(service, settings, model)))
}
