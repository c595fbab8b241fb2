//! The simulated engine: `autotuner sim-engine`, flags of vLLM and SGLang over a pure model of an engine.

use std::sync::LazyLock;

use tuner_core::engine::{EngineName, ReadBack};
use tuner_core::space::Configuration;

use crate::catalogue::Catalogue;
use crate::launch::{self, Dialect, Frame, LaunchError, LaunchRequest, LaunchSpec};
use crate::memory::Spread;
use crate::python_repr;
use crate::read_back::{self, EngineReport, ReportSources, Reported};
use crate::{Engine, shipped, size};

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| shipped(EngineName::Simulated, include_str!("../catalogues/simulated.json")));

const DIALECT: Dialect = Dialect {
    separator: '-',
    equals: true,
    reserved: &[("host", "leave it out"), ("port", "leave it out"), ("model", "use model.id of the task file")],
};

const ARGS_MARKER: &str = "non-default args: ";

pub(crate) struct Simulated;

impl Engine for Simulated {
    fn name(&self) -> EngineName {
        EngineName::Simulated
    }

    fn catalogue(&self) -> &Catalogue {
        &CATALOGUE
    }

    fn how_to_provide(&self) -> &'static str {
        "it is built in: leave engine.command out"
    }

    fn launch_spec(&self, request: &LaunchRequest<'_>) -> Result<LaunchSpec, LaunchError> {
        let source = launch::source(request.model)?;
        let mut leading = vec!["--model".to_owned(), source.to_owned(), "--host".to_owned(), request.host.to_owned()];
        leading.extend(["--port".to_owned(), request.port.to_string()]);
        if let Some(hardware) = &request.engine.hardware {
            leading.extend(["--gpu".to_owned(), hardware.gpu.clone()]);
            leading.extend(["--gpu-count".to_owned(), hardware.count.to_string()]);
            leading.extend(["--speed".to_owned(), hardware.speed.to_string()]);
        }
        let served = launch::served_name(request, &CATALOGUE, "served-model-name", &[], &mut leading);
        let rendered = launch::render(request, request.catalogue.unwrap_or(&CATALOGUE), &DIALECT)?;
        let frame = Frame {
            launcher: &["autotuner", "sim-engine"],
            leading,
            served_model: served.or_else(|| Some(source.to_owned())),
            nccl: false,
            hugging_face: false,
            evidence: &[],
        };
        Ok(launch::assemble(request, rendered, frame))
    }

    fn report_sources(&self) -> ReportSources {
        ReportSources { pages: &["/server_info"], log_markers: &[ARGS_MARKER] }
    }

    fn read_back(&self, configuration: &Configuration, report: &EngineReport<'_>) -> Vec<ReadBack> {
        let mut reported = Reported::new();
        if let Some(dict) = read_back::after(report.log, ARGS_MARKER) {
            read_back::from_fields(&CATALOGUE, python_repr::fields(dict), &mut reported);
        }
        if let Some(page) = report.pages.get("/server_info") {
            read_back::from_json(&CATALOGUE, page, &mut reported);
        }
        read_back::compare(&CATALOGUE, configuration, &reported)
    }

    fn spread(&self, configuration: &Configuration) -> Spread {
        let either = |a: &str, b: &str| size(&CATALOGUE, configuration, a).max(size(&CATALOGUE, configuration, b));
        Spread {
            tensor: either("tensor-parallel-size", "tp-size"),
            pipeline: either("pipeline-parallel-size", "pp-size"),
        }
    }

    /// What it would take if it were real; it takes none of the machine's.
    fn gpus_needed(&self, configuration: &Configuration) -> u32 {
        let Spread { tensor, pipeline } = self.spread(configuration);
        let data =
            size(&CATALOGUE, configuration, "data-parallel-size").max(size(&CATALOGUE, configuration, "dp-size"));
        tensor.saturating_mul(pipeline).saturating_mul(data)
    }
}
