//! SGLang: `python3 -m sglang.launch_server --model-path MODEL`.

use std::sync::LazyLock;

use tuner_core::Value;
use tuner_core::engine::{EngineName, ReadBack};
use tuner_core::space::Configuration;

use crate::catalogue::Catalogue;
use crate::launch::{self, Dialect, Frame, LaunchError, LaunchRequest, LaunchSpec};
use crate::memory::Spread;
use crate::python_repr;
use crate::read_back::{self, EngineReport, ReportSources, Reported};
use crate::{Engine, share, shipped, size, tokens, value_of};

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| shipped(EngineName::Sglang, include_str!("../catalogues/sglang.json")));

const DIALECT: Dialect = Dialect {
    separator: '-',
    equals: true,
    reserved: &[
        ("host", "leave it out"),
        ("port", "leave it out"),
        ("model-path", "use model.path or model.id of the task file"),
    ],
};

const ARGS_MARKER: &str = "server_args=";

pub(crate) struct Sglang;

impl Engine for Sglang {
    fn name(&self) -> EngineName {
        EngineName::Sglang
    }

    fn catalogue(&self) -> &Catalogue {
        &CATALOGUE
    }

    fn how_to_provide(&self) -> &'static str {
        "install sglang with pip in an environment of its own, and name its Python in the task file, for example \
         engine.command: [/opt/sglang/bin/python, -m, sglang.launch_server]; for a machine without GPUs: \
         autotuner engines install sglang-cpu"
    }

    fn launch_spec(&self, request: &LaunchRequest<'_>) -> Result<LaunchSpec, LaunchError> {
        let catalogue = request.catalogue.unwrap_or(&CATALOGUE);
        let source = launch::source(request.model)?;
        let mut leading = vec!["--model-path".to_owned(), source.to_owned()];
        leading.extend(["--host".to_owned(), request.host.to_owned()]);
        leading.extend(["--port".to_owned(), request.port.to_string()]);
        let served = launch::served_name(request, catalogue, "served-model-name", &[], &mut leading);
        let rendered = launch::render(request, catalogue, &DIALECT)?;
        let frame = Frame {
            launcher: &["python3", "-m", "sglang.launch_server"],
            leading,
            served_model: served.or_else(|| Some(source.to_owned())),
            nccl: true,
            hugging_face: true,
            evidence: &[],
        };
        Ok(launch::assemble(request, rendered, frame))
    }

    fn report_sources(&self) -> ReportSources {
        // The first is the name of today, the second of older versions.
        ReportSources { pages: &["/server_info", "/get_server_info"], log_markers: &[ARGS_MARKER] }
    }

    fn read_back(&self, configuration: &Configuration, report: &EngineReport<'_>) -> Vec<ReadBack> {
        let mut reported = Reported::new();
        if let Some(repr) = read_back::after(report.log, ARGS_MARKER) {
            read_back::from_fields(&CATALOGUE, python_repr::fields(repr), &mut reported);
        }
        // Written after the engine has resolved its arguments, so it wins over the log.
        for path in self.report_sources().pages.iter().rev() {
            if let Some(page) = report.pages.get(*path) {
                read_back::from_json(&CATALOGUE, page, &mut reported);
            }
        }
        read_back::compare(&CATALOGUE, configuration, &reported)
    }

    fn spread(&self, configuration: &Configuration) -> Spread {
        Spread {
            tensor: size(&CATALOGUE, configuration, "tp-size"),
            pipeline: size(&CATALOGUE, configuration, "pp-size"),
        }
    }

    fn weights_share(&self, flags: &Configuration) -> Option<f64> {
        Some(share(&CATALOGUE, flags, "mem-fraction-static"))
    }

    fn context(&self, flags: &Configuration) -> Option<u64> {
        let truncates = value_of(&CATALOGUE, flags, "allow-auto-truncate").is_some_and(|v| *v != Value::Bool(false));
        tokens(&CATALOGUE, flags, "context-length").filter(|_| !truncates)
    }

    /// Data parallelism multiplies GPUs, except with data-parallel attention, where the ranks share the tensor group.
    fn gpus_needed(&self, configuration: &Configuration) -> u32 {
        let Spread { tensor, pipeline } = self.spread(configuration);
        let shared = value_of(&CATALOGUE, configuration, "enable-dp-attention") == Some(&Value::Bool(true));
        let data = if shared { 1 } else { size(&CATALOGUE, configuration, "dp-size") };
        tensor.saturating_mul(pipeline).saturating_mul(data)
    }
}
