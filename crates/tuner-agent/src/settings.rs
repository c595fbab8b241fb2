//! How the agent is set.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tuner_llm::{ChatModel, LlmError, Provider};
use tuner_policy::chat::Rules;
use tuner_store::ChatUsage;

use crate::point::Probe;
use crate::setup::Setup;

/// What one run may use at most.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Answers of the model.
    pub steps: u32,
    /// Tokens, sent and written.
    pub tokens: u64,
    /// Time, waits for people not counted.
    pub time: Duration,
    /// Money, where the prices are known.
    pub cost: Option<f64>,
    /// How long a person has to decide about a call.
    pub patience: Duration,
    /// Calls of one answer that are done; more are refused.
    pub calls: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            steps: 100,
            tokens: 2_000_000,
            time: Duration::from_secs(4 * 3600),
            cost: None,
            patience: Duration::from_secs(8 * 3600),
            calls: 8,
        }
    }
}

/// What a provider asks for a million tokens, in whatever money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Tokens that are sent.
    pub input: f64,
    /// Tokens that are sent and that the provider had kept; absent: as those that are sent.
    pub cached: Option<f64>,
    /// Tokens that are written.
    pub output: f64,
}

impl Prices {
    /// What a usage costs.
    pub fn cost(&self, usage: ChatUsage) -> f64 {
        let fresh = usage.input_tokens.saturating_sub(usage.cached_tokens) as f64;
        let cached = usage.cached_tokens as f64 * self.cached.unwrap_or(self.input);
        (fresh * self.input + cached + usage.output_tokens as f64 * self.output) / 1e6
    }
}

/// How the agent is set.
#[derive(Clone, Debug, Default)]
pub struct AgentSettings {
    /// The model; none: there is no agent, and `missing` says what to set.
    pub provider: Option<Provider>,
    /// Settings that are missing, by their names.
    pub missing: Vec<&'static str>,
    /// What one run may use.
    pub bounds: Bounds,
    /// What tokens cost, if that is known.
    pub prices: Option<Prices>,
    /// What an operator laid down.
    pub rules: Rules,
    /// Values that must be seen by nobody.
    pub secrets: Vec<String>,
    /// Programs that `run_command` may start: name to the path.
    pub programs: BTreeMap<String, String>,
    /// Tools that the model is offered, `*` at the end meaning any ending; none: all.
    pub tools: Vec<String>,
    /// Where the connection to the model is kept, if it can be changed.
    pub kept: Option<Setup>,
    /// For tests: what happens at a named moment.
    pub probe: Option<Probe>,
}

impl AgentSettings {
    /// The client of the model; none without a provider.
    ///
    /// # Errors
    /// Its settings cannot be used.
    pub fn model(&self) -> Result<Option<ChatModel>, LlmError> {
        let Some(provider) = &self.provider else { return Ok(None) };
        let mut builder = reqwest::Client::builder();
        // Loopback is never proxied.
        let near = |url: &String| {
            let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
            host.is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]")
        };
        if provider.base_url.as_ref().is_some_and(near) {
            builder = builder.no_proxy();
        }
        let http = provider.limits.client(builder)?;
        ChatModel::new(provider.clone(), http).map(Some)
    }
}
