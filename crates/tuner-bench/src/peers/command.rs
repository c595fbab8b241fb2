//! The same load in each peer's words. Flags as of vLLM 0.32, GuideLLM 0.8.1, AIPerf 0.13, genai-bench 0.0.5.

use std::path::Path;

use serde_json::{Map, Value, json};
use tuner_core::task::Api;

use super::PeerError;
use crate::compat::Tool;

/// What is asked, the same of every tool: a closed loop of prompts and answers of fixed length.
#[derive(Clone, Copy, Debug)]
pub struct PeerLoad<'a> {
    /// Address of the endpoint, without a path.
    pub url: &'a str,
    /// Model to ask for.
    pub model: &'a str,
    /// `chat` or `completions`.
    pub api: Api,
    /// Folder with the model's tokenizer, as the transformers library reads it.
    pub tokenizer: &'a Path,
    /// Tokens of each prompt, before the engine's chat template.
    pub input_tokens: u32,
    /// Tokens of each answer.
    pub output_tokens: u32,
    /// Requests in flight.
    pub streams: u32,
    /// Requests in all.
    pub requests: u32,
    /// Seed of the prompts' words.
    pub seed: u64,
    /// Whether answers are kept from ending early.
    pub ignore_eos: bool,
}

/// Keeps the libraries of these tools from looking for models by themselves.
const OFFLINE: [&str; 3] = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"];

/// Variables that a peer gets: none may ask the network for a model or report its use, and none may send the load
/// through a proxy.
pub fn surroundings(tool: Tool, url: &str) -> Vec<(&'static str, String)> {
    let host = url.split("://").nth(1).unwrap_or(url).split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned();
    let fixed = [
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        ("VLLM_NO_USAGE_STATS", "1"),
        ("DO_NOT_TRACK", "1"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("OPENAI_API_KEY", "none"),
        ("TERM", "dumb"),
        // Wide enough that tables in their output are not broken.
        ("COLUMNS", "160"),
    ];
    // AIPerf takes a folder for a name on the hub where these are set; without them it asks nobody about a folder.
    let offline = OFFLINE.into_iter().filter(|_| tool != Tool::Aiperf).map(|name| (name, "1"));
    let fixed = fixed.into_iter().chain(offline).map(|(name, value)| (name, value.to_owned()));
    fixed.chain([("NO_PROXY", host.clone()), ("no_proxy", host)]).collect()
}

impl PeerLoad<'_> {
    /// What follows the program on `tool`'s command line; its results go below `folder`.
    ///
    /// # Errors
    /// The tool cannot put such a load.
    pub fn arguments(&self, tool: Tool, folder: &Path) -> Result<Vec<String>, PeerError> {
        let unfit = |what: &str| PeerError::Unfit { tool, what: what.to_owned() };
        if !matches!(self.api, Api::Chat | Api::Completions) {
            return Err(unfit(&format!("the endpoint {}; take chat or completions", self.api.name())));
        }
        match tool {
            Tool::Vllm => Ok(self.vllm(folder)),
            Tool::Guidellm => self.guidellm(folder),
            Tool::Aiperf => Ok(self.aiperf(folder)),
            Tool::GenaiBench if self.api == Api::Chat => Ok(self.genai_bench(folder)),
            Tool::GenaiBench => Err(unfit("the endpoint completions; take chat")),
            Tool::Sglang => Err(unfit("a cross-check; take vllm, guidellm, aiperf or genai-bench")),
        }
    }

    fn vllm(&self, folder: &Path) -> Vec<String> {
        let (backend, path) = match self.api {
            Api::Completions => ("openai", "/v1/completions"),
            _ => ("openai-chat", "/v1/chat/completions"),
        };
        let mut line = Line::of(&["bench", "serve", "--backend", backend, "--endpoint", path]);
        line.pair("--base-url", self.url).pair("--model", self.model).pair("--tokenizer", self.tokenizer.display());
        line.pair("--dataset-name", "random").pair("--random-range-ratio", 0);
        line.pair("--random-input-len", self.input_tokens).pair("--random-output-len", self.output_tokens);
        line.pair("--max-concurrency", self.streams).pair("--num-prompts", self.requests).pair("--seed", self.seed32());
        line.pair("--percentile-metrics", "ttft,tpot,itl,e2el").pair("--metric-percentiles", "50,90,95,99");
        line.flag("--save-result").pair("--result-dir", folder.display()).flag("--disable-tqdm");
        if self.ignore_eos {
            line.flag("--ignore-eos");
        }
        line.0
    }

    fn guidellm(&self, folder: &Path) -> Result<Vec<String>, PeerError> {
        // Its arguments are lists of `key=value` between commas, without a way to quote one.
        let words = [self.url, self.model, &self.tokenizer.display().to_string(), &folder.display().to_string()];
        if let Some(word) = words.iter().find(|word| word.contains(',')) {
            return Err(PeerError::Unfit { tool: Tool::Guidellm, what: format!("a comma in {word}") });
        }
        let path = match self.api {
            Api::Completions => "/v1/completions",
            _ => "/v1/chat/completions",
        };
        let mut line = Line::of(&["run", "--disable-console-interactive"]);
        // Not every server has the health page that it would ask first.
        line.pair(
            "--backend",
            format!(
                "kind=openai_http,target={},model={},request_format={path},validate_backend=false",
                self.url, self.model
            ),
        );
        line.pair("--profile", format!("kind=concurrent,streams={}", self.streams));
        line.pair("--constraint", format!("kind=max_requests,count={}", self.requests));
        line.pair(
            "--data",
            format!("kind=synthetic_text,prompt_tokens={},output_tokens={}", self.input_tokens, self.output_tokens),
        );
        line.pair("--tokenizer", format!("kind=huggingface_auto,model={}", self.tokenizer.display()));
        line.pair("--seed", format!("kind=static,value={}", self.seed32()));
        line.pair("--output", format!("kind=json,path={}", folder.join("benchmarks.json").display()));
        Ok(line.0)
    }

    fn aiperf(&self, folder: &Path) -> Vec<String> {
        let kind = if self.api == Api::Completions { "completions" } else { "chat" };
        let mut line = Line::of(&["profile", "--streaming", "--endpoint-type", kind, "--ui", "none"]);
        line.pair("--url", self.url).pair("--model", self.model).pair("--tokenizer", self.tokenizer.display());
        line.pair("--artifact-dir", folder.display()).pair("--random-seed", self.seed32());
        line.pair("--synthetic-input-tokens-mean", self.input_tokens).pair("--synthetic-input-tokens-stddev", 0);
        line.pair("--output-tokens-mean", self.output_tokens).pair("--output-tokens-stddev", 0);
        line.pair("--concurrency", self.streams).pair("--request-count", self.requests);
        // It counts tokens with its own tokenizer unless told otherwise.
        line.flag("--use-server-token-count");
        if self.ignore_eos {
            line.pair("--extra-inputs", "ignore_eos:true");
        }
        line.0
    }

    fn genai_bench(&self, folder: &Path) -> Vec<String> {
        let mut line = Line::of(&["benchmark", "--api-backend", "openai", "--api-key", "none"]);
        line.pair("--api-base", self.url).pair("--task", "text-to-text").pair("--api-model-name", self.model);
        line.pair("--model-tokenizer", self.tokenizer.display());
        line.pair("--traffic-scenario", format!("D({},{})", self.input_tokens, self.output_tokens));
        line.pair("--num-concurrency", self.streams).pair("--max-requests-per-run", self.requests);
        // Minutes; the number of requests ends it long before.
        line.pair("--max-time-per-run", 60).pair("--experiment-base-dir", folder.display());
        line.pair("--log-dir", folder.display());
        let mut more = Map::new();
        if self.ignore_eos {
            more.insert("ignore_eos".to_owned(), json!(true));
        }
        line.pair("--additional-request-params", Value::from(more));
        line.0
    }

    /// Some of them take no more bits.
    fn seed32(&self) -> u32 {
        (self.seed ^ (self.seed >> 31)) as u32 & 0x7fff_ffff
    }
}

/// A command line in the making.
struct Line(Vec<String>);

impl Line {
    fn of(words: &[&str]) -> Self {
        Self(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn flag(&mut self, name: &str) -> &mut Self {
        self.0.push(name.to_owned());
        self
    }

    fn pair(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        self.flag(name);
        self.0.push(value.to_string());
        self
    }
}
