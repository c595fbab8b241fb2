//! What is asked of the model, and how hard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::ConversationSpec;
use super::level::Level;
use super::scenario::Mix;
use super::workload::{ClassSpec, DatasetSpec, ModelShare, SharedPrefix};

/// What is asked of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "WrittenWorkload")]
pub struct WorkloadSpec {
    /// Where the prompts come from; nowhere where `classes` say.
    #[serde(flatten)]
    pub prompts: Prompts,
    /// Several kinds of requests in one run; each names its own prompts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassSpec>,
    /// Requests follow each other in conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationSpec>,
    /// Synthetic prompts that begin alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_prefix: Option<SharedPrefix>,
    /// Model names to ask for instead of the served one, each in its share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelShare>,
    /// Make prompts differ from measurement to measurement, so that no prefix cache is warmed by accident.
    pub salt: bool,
    /// Endpoint: `chat`, `completions`, …
    pub api: Api,
    /// Ask the engine not to stop before the output length (`ignore_eos`), so that configurations do equal work.
    pub ignore_eos: bool,
    /// Sampling temperature.
    pub temperature: f64,
    /// Further request fields, sent as they are.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra_body: serde_json::Map<String, serde_json::Value>,
}

impl Default for WorkloadSpec {
    fn default() -> Self {
        WrittenWorkload::default().into()
    }
}

impl WorkloadSpec {
    /// Every endpoint that its requests go to, each once.
    pub fn apis(&self) -> Vec<Api> {
        let of = |prompts: &Prompts, given: Api| {
            let mix = prompts.scenario.as_deref().and_then(|text| text.parse::<Mix>().ok());
            let parts = mix.map_or(Vec::new(), |mix| mix.parts);
            if parts.is_empty() { vec![given] } else { parts.iter().filter_map(|(_, s)| s.api(given)).collect() }
        };
        let mut all = if self.classes.is_empty() { of(&self.prompts, self.api) } else { Vec::new() };
        all.extend(self.classes.iter().flat_map(|class| of(&class.prompts(), class.api.unwrap_or(self.api))));
        let mut seen = Vec::new();
        all.retain(|api| {
            let new = !seen.contains(api);
            seen.push(*api);
            new
        });
        all
    }

    /// How the requests of each source of prompts follow each other, in the order of [`WorkloadSpec::datasets`]; `None`
    /// where each stands alone. Turns in a scenario count as if they stood in `conversation`.
    pub fn conversations(&self) -> Vec<Option<ConversationSpec>> {
        let of = |own: Option<&ConversationSpec>, scenario: Option<&str>| {
            let turns = scenario.and_then(|text| text.parse::<Mix>().ok()).and_then(|mix| mix.turns);
            match (own.cloned(), turns) {
                (own, None) => own,
                (own, Some(turns)) => {
                    let own = own.unwrap_or_default();
                    Some(ConversationSpec { turns: own.turns.or(Some(turns)), ..own })
                }
            }
        };
        let whole = self.conversation.as_ref();
        if self.classes.is_empty() {
            return vec![of(whole, self.prompts.scenario.as_deref())];
        }
        self.classes.iter().map(|class| of(class.conversation.as_ref().or(whole), class.scenario.as_deref())).collect()
    }

    /// The data sets that it reads: of the workload itself, or of each class in order.
    pub fn datasets(&self) -> Vec<Option<DatasetSpec>> {
        if self.classes.is_empty() {
            return vec![self.prompts.dataset()];
        }
        self.classes.iter().map(|class| class.prompts().dataset()).collect()
    }
}

/// A workload as it stands in a file, before the default scenario is filled in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename = "WorkloadSpec")]
struct WrittenWorkload {
    /// Synthetic prompts of exact token length, input and output: `D(512,128)` (always), `N(480,240)/(300,150)` (normal:
    /// mean, standard deviation), `U(100,500)/(50,200)` (uniform: from, to), `L(6,0.5)/(5,0.5)` (lognormal: mean and
    /// standard deviation of the logarithm), `E(1024)` (a document to embed), `R(1024,100)` (a document to rank for a
    /// query), `I(512,512)` (a picture; or how many as a third number), or a mix of these: `0.7*D(512,128)+0.3*D(4000,500)`. `T(4)+` or
    /// `T(2,8)+` before it makes conversations of so many turns. Default `D(256,64)` where nothing else is given.
    scenario: Option<String>,
    /// Short for `dataset: {source: FILE}`.
    prompts_file: Option<String>,
    /// Requests from a data set.
    dataset: Option<DatasetSpec>,
    /// Output tokens for rows of the data set that do not say.
    #[schemars(range(min = 1, max = 1_000_000))]
    output_tokens: Option<u32>,
    /// Several kinds of requests in one run; each names its own prompts.
    #[schemars(length(max = 50))]
    classes: Vec<ClassSpec>,
    /// Requests follow each other in conversations: each carries what was said before it, and the engine's answers.
    conversation: Option<ConversationSpec>,
    /// Synthetic prompts that begin alike.
    shared_prefix: Option<SharedPrefix>,
    /// Model names to ask for instead of the served one, each in its share.
    #[schemars(length(max = 1000))]
    models: Vec<ModelShare>,
    /// Make prompts differ from measurement to measurement, so that no prefix cache is warmed by accident: other words in
    /// synthetic prompts, a line in front of those of a data set.
    salt: bool,
    /// Endpoint: `chat`, `completions`, …
    api: Api,
    /// Ask the engine not to stop before the output length (`ignore_eos`), so that configurations do equal work.
    ignore_eos: bool,
    /// Sampling temperature.
    #[schemars(range(min = 0.0, max = 2.0))]
    temperature: f64,
    /// Further request fields, sent as they are.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    extra_body: serde_json::Map<String, serde_json::Value>,
}

impl Default for WrittenWorkload {
    fn default() -> Self {
        Self {
            scenario: None,
            prompts_file: None,
            dataset: None,
            output_tokens: None,
            classes: Vec::new(),
            conversation: None,
            shared_prefix: None,
            models: Vec::new(),
            salt: true,
            api: Api::Chat,
            ignore_eos: true,
            temperature: 0.0,
            extra_body: serde_json::Map::new(),
        }
    }
}

impl From<WrittenWorkload> for WorkloadSpec {
    fn from(written: WrittenWorkload) -> Self {
        let nothing = written.prompts_file.is_none() && written.dataset.is_none() && written.classes.is_empty();
        let prompts = Prompts {
            scenario: written.scenario.or_else(|| nothing.then(default_scenario)),
            prompts_file: written.prompts_file,
            dataset: written.dataset,
            output_tokens: written.output_tokens,
        };
        Self {
            prompts,
            classes: written.classes,
            conversation: written.conversation,
            shared_prefix: written.shared_prefix,
            models: written.models,
            salt: written.salt,
            api: written.api,
            ignore_eos: written.ignore_eos,
            temperature: written.temperature,
            extra_body: written.extra_body,
        }
    }
}

fn default_scenario() -> String {
    "D(256,64)".to_owned()
}

/// Which endpoint, and so which protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `/v1/chat/completions`
    #[default]
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/v1/responses`
    Responses,
    /// Anthropic's `/v1/messages`
    Anthropic,
    /// `/v1/embeddings`: vectors of texts.
    Embeddings,
    /// `/v1/rerank`: documents ranked by a query, from a `prompts_file` whose lines have both in `request_body`.
    Rerank,
    /// SGLang's own `/generate`
    SglangGenerate,
    /// llama.cpp's own `/completion`
    LlamacppCompletion,
}

impl Api {
    /// Every endpoint.
    pub const ALL: [Self; 8] = [
        Self::Chat,
        Self::Completions,
        Self::Responses,
        Self::Anthropic,
        Self::Embeddings,
        Self::Rerank,
        Self::SglangGenerate,
        Self::LlamacppCompletion,
    ];

    /// Whether its requests have a place for pictures.
    pub fn takes_pictures(self) -> bool {
        !matches!(self, Self::Completions | Self::Embeddings | Self::Rerank)
    }

    /// Its name in a task file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Anthropic => "anthropic",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::SglangGenerate => "sglang_generate",
            Self::LlamacppCompletion => "llamacpp_completion",
        }
    }
}

/// Where prompts come from: one of `scenario`, `prompts_file` and `dataset`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Prompts {
    /// Synthetic prompts of exact token length: `D(512,128)`, `N(480,240)/(300,150)`, `U(100,500)/(50,200)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Short for a data set of this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts_file: Option<String>,
    /// Requests from a data set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetSpec>,
    /// Output tokens for rows of the data set that do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u32>,
}

impl Default for Prompts {
    fn default() -> Self {
        Self { scenario: Some(default_scenario()), prompts_file: None, dataset: None, output_tokens: None }
    }
}

impl Prompts {
    /// The data set, however it was named.
    pub fn dataset(&self) -> Option<DatasetSpec> {
        self.dataset.clone().or_else(|| self.prompts_file.as_deref().map(DatasetSpec::file))
    }
}

/// How hard and how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "WrittenLoad")]
pub struct LoadSpec {
    /// The levels, measured in this order.
    pub levels: Vec<Level>,
    /// Requests measured per level; with `duration_s` too, whichever ends first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
    /// Measured window per level, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Requests before the window opens; default: one per stream of the level, at least 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_requests: Option<u32>,
    /// Time-out of one request, seconds.
    pub request_timeout_s: f64,
    /// End an open-loop level as soon as it is surely over-saturated.
    pub stop_when_saturated: bool,
    /// End a level of the search as soon as its experiment surely cannot win.
    pub stop_when_losing: bool,
    /// Keep what happened to each request, up to so many MiB of packed logs for the task; the oldest go first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_log_mib: Option<u32>,
}

impl Default for LoadSpec {
    fn default() -> Self {
        WrittenLoad::default().into()
    }
}

/// A load as it stands in a file, before the default window is filled in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename = "LoadSpec")]
struct WrittenLoad {
    /// The levels, measured in this order.
    #[schemars(length(min = 1, max = 100))]
    levels: Vec<Level>,
    /// Requests measured per level; with `duration_s` too, whichever ends first.
    #[schemars(range(min = 1))]
    requests: Option<u32>,
    /// Measured window per level, seconds. Default 30 where `requests` is not given.
    #[schemars(range(min = 0.1, max = 86_400.0))]
    duration_s: Option<f64>,
    /// Requests before the window opens; default: one per stream of the level, at least 2.
    warmup_requests: Option<u32>,
    /// Time-out of one request, seconds.
    #[schemars(range(min = 0.1, max = 86_400.0))]
    request_timeout_s: f64,
    /// End an open-loop level of one rate as soon as it is surely over-saturated (after 30 s at the earliest): its times
    /// grow for as long as one measures.
    stop_when_saturated: bool,
    /// End a level of the search, and its experiment, as soon as it is certain to stay a fifth behind the best so far.
    /// Neither the baseline nor a run of the verification is ever ended so.
    stop_when_losing: bool,
    /// Keep what happened to each request of each level, in up to so many MiB of packed logs for the whole task; the oldest
    /// go first. 10,000 requests take about 1 MiB. Default: nothing is kept.
    #[schemars(range(min = 1, max = 1_048_576))]
    save_log_mib: Option<u32>,
}

impl Default for WrittenLoad {
    fn default() -> Self {
        Self {
            levels: vec![Level::closed(1), Level::closed(8)],
            requests: None,
            duration_s: None,
            warmup_requests: None,
            request_timeout_s: 300.0,
            stop_when_saturated: true,
            stop_when_losing: true,
            save_log_mib: None,
        }
    }
}

impl From<WrittenLoad> for LoadSpec {
    fn from(written: WrittenLoad) -> Self {
        let window = written.requests.is_none().then_some(30.0);
        Self {
            levels: written.levels,
            requests: written.requests,
            duration_s: written.duration_s.or(window),
            warmup_requests: written.warmup_requests,
            request_timeout_s: written.request_timeout_s,
            stop_when_saturated: written.stop_when_saturated,
            stop_when_losing: written.stop_when_losing,
            save_log_mib: written.save_log_mib,
        }
    }
}
