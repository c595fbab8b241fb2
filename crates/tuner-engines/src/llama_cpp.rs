//! llama.cpp: `llama-server -m MODEL.gguf`, or the launcher with its flag names that `engines install` makes.

use std::sync::LazyLock;

use tuner_core::Value;
use tuner_core::engine::{EngineName, ReadBack};
use tuner_core::space::Configuration;

use crate::catalogue::Catalogue;
use crate::launch::{self, Dialect, Frame, LaunchError, LaunchRequest, LaunchSpec};
use crate::memory::Spread;
use crate::read_back::{self, EngineReport, ReportSources, Reported};
use crate::{Engine, shipped, tokens, value_of};

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| shipped(EngineName::LlamaCpp, include_str!("../catalogues/llama.cpp.json")));

const DIALECT: Dialect = Dialect {
    separator: '-',
    equals: false,
    reserved: &[
        ("host", "leave it out"),
        ("port", "leave it out"),
        ("model", "use model.path of the task file"),
        ("hf-repo", "use model.id of the task file"),
    ],
};

/// From this level on it logs the parameters of its context; less and it only says that it started.
const EVIDENCE: &[(&str, &str)] = &[("LLAMA_ARG_LOG_VERBOSITY", "4")];

const LAUNCHER_MARKER: &str = "autotuner: effective parameters ";

/// `llama_context: NAME = VALUE` lines and the flags they prove.
const CONTEXT: &[(&str, &str)] = &[
    ("n_ctx", "ctx-size"),
    ("n_batch", "batch-size"),
    ("n_ubatch", "ubatch-size"),
    ("flash_attn", "flash-attn"),
    ("kv_unified", "kv-unified"),
    ("n_seq_max", "parallel"),
];

/// What stands before a value, up to the next separator, and the flag it proves.
const PHRASES: &[(&str, &str)] = &[
    ("system_info: n_threads = ", "threads"),
    ("(n_threads_batch = ", "threads-batch"),
    ("K (", "cache-type-k"),
    ("V (", "cache-type-v"),
    ("(load_mode = ", "load-mode"),
    ("prompt cache is enabled, size limit: ", "cache-ram"),
    ("context checkpoints enabled, max = ", "ctx-checkpoints"),
    ("context checkpoints enabled, max = ", "swa-checkpoints"),
    ("min spacing = ", "checkpoint-min-step"),
    ("initializing, n_slots = ", "parallel"),
];

pub(crate) struct LlamaCpp;

impl Engine for LlamaCpp {
    fn name(&self) -> EngineName {
        EngineName::LlamaCpp
    }

    fn catalogue(&self) -> &Catalogue {
        &CATALOGUE
    }

    fn how_to_provide(&self) -> &'static str {
        "install it: autotuner engines install llama.cpp"
    }

    fn launch_spec(&self, request: &LaunchRequest<'_>) -> Result<LaunchSpec, LaunchError> {
        let catalogue = request.catalogue.unwrap_or(&CATALOGUE);
        launch::source(request.model)?;
        let mut leading = match (&request.model.path, &request.model.id) {
            (Some(path), _) => vec!["--model".to_owned(), path.clone()],
            (None, Some(id)) => vec!["--hf-repo".to_owned(), id.clone()],
            (None, None) => return Err(LaunchError::NoModel),
        };
        leading.extend(["--host".to_owned(), request.host.to_owned()]);
        leading.extend(["--port".to_owned(), request.port.to_string()]);
        let served = launch::served_name(request, catalogue, "alias", &[','], &mut leading);
        let evidence = if value_of(catalogue, request.configuration, "verbosity").is_some() { &[] } else { EVIDENCE };
        let rendered = launch::render(request, catalogue, &DIALECT)?;
        let frame = Frame {
            launcher: &["llama-server"],
            leading,
            // Without an alias it lists a local model under its path; the name of a hub model is its own affair.
            served_model: served.or_else(|| request.model.path.clone()),
            nccl: false,
            hugging_face: false,
            evidence,
        };
        Ok(launch::assemble(request, rendered, frame))
    }

    fn report_sources(&self) -> ReportSources {
        ReportSources {
            pages: &["/props", "/slots"],
            log_markers: &[
                "llama_context:",
                "llama_kv_cache:",
                "system_info:",
                "load_tensors:",
                "load_model:",
                "init: using",
                LAUNCHER_MARKER,
            ],
        }
    }

    fn read_back(&self, configuration: &Configuration, report: &EngineReport<'_>) -> Vec<ReadBack> {
        read_back::compare(&CATALOGUE, configuration, &reported(configuration, report))
    }

    /// It splits by layer over the GPUs it sees, which no flag counts.
    fn spread(&self, _configuration: &Configuration) -> Spread {
        Spread { tensor: 1, pipeline: 1 }
    }

    /// The slots share it; each is rounded up to whole cells of 256 tokens.
    fn context(&self, flags: &Configuration) -> Option<u64> {
        let shifts = value_of(&CATALOGUE, flags, "context-shift").is_some_and(|v| *v != Value::Bool(false));
        tokens(&CATALOGUE, flags, "ctx-size").filter(|_| !shifts).map(|tokens| tokens.next_multiple_of(256))
    }

    fn gpus_needed(&self, configuration: &Configuration) -> u32 {
        let none = value_of(&CATALOGUE, configuration, "gpu-layers") == Some(&Value::Int(0))
            || value_of(&CATALOGUE, configuration, "device") == Some(&Value::from("none"));
        u32::from(!none)
    }
}

/// The context is rounded up to whole cells of 256 tokens per slot, and 0 means the model's own.
fn round_context(configuration: &Configuration, out: &mut Reported) {
    let asked = value_of(&CATALOGUE, configuration, "ctx-size").and_then(Value::as_i64);
    let slots = out.get("parallel").and_then(|n| n.parse::<i64>().ok()).unwrap_or(1);
    if let (Some(asked), Some(got)) = (asked, out.get("ctx-size").and_then(|n| n.parse::<i64>().ok()))
        && (asked == 0 || (got >= asked && got - asked < 256 * slots))
    {
        out.insert("ctx-size".to_owned(), asked.to_string());
    }
}

/// The launcher's own line first, then the engine's log, then its pages: the later is the stronger.
fn reported(configuration: &Configuration, report: &EngineReport<'_>) -> Reported {
    let mut out = Reported::new();
    if let Some(json) = read_back::after(report.log, LAUNCHER_MARKER)
        && let Ok(page) = serde_json::from_str(json.trim())
    {
        read_back::from_json(&CATALOGUE, &page, &mut out);
    }
    for line in report.log.lines() {
        if let Some((_, rest)) = line.split_once("llama_context: ")
            && let Some((name, value)) = rest.split_once('=')
            && let Some((_, flag)) = CONTEXT.iter().find(|(n, _)| *n == name.trim())
        {
            // A draft model's context follows the first; the first is the one asked for.
            out.insert((*flag).to_owned(), value.trim().to_owned());
        }
        for (phrase, flag) in PHRASES {
            if let Some((_, rest)) = line.split_once(phrase)
                && let Some(value) = rest.split([',', ')', ' ']).next()
                && !value.is_empty()
            {
                out.insert((*flag).to_owned(), value.to_owned());
            }
        }
        if let Some((_, rest)) = line.split_once("init: using ")
            && let Some((count, _)) = rest.split_once(" threads for HTTP server")
        {
            // It adds threads of its own to the number asked for.
            out.entry("threads-http".to_owned()).or_insert_with(|| count.to_owned());
        }
        if let Some((_, rest)) = line.split_once("offloaded ")
            && let Some((layers, _)) = rest.split_once(" layers to GPU")
            && let Some((done, all)) = layers.split_once('/')
        {
            // More layers than the model has means all of them.
            let asked = value_of(&CATALOGUE, configuration, "gpu-layers").and_then(Value::as_i64);
            let enough = done == all && asked.zip(all.parse().ok()).is_some_and(|(a, n): (i64, i64)| a >= n);
            out.insert("gpu-layers".to_owned(), asked.filter(|_| enough).map_or(done.to_owned(), |a| a.to_string()));
        }
    }
    round_context(configuration, &mut out);
    if let Some(props) = report.pages.get("/props") {
        let mut take = |member: &str, flag: &str| {
            if let Some(value) = props.get(member) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                out.insert(flag.to_owned(), text);
            }
        };
        take("total_slots", "parallel");
        take("endpoint_metrics", "metrics");
        take("endpoint_props", "props");
        take("endpoint_slots", "slots");
        take("model_alias", "alias");
    }
    // `auto` and `-1` are answered by the number it chose, which proves nothing either way.
    out
}
