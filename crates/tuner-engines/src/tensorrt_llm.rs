//! TensorRT-LLM: `trtllm-serve serve MODEL`, a click command whose flags are spelled with underscores.

use std::sync::LazyLock;

use tuner_core::engine::{EngineName, ReadBack};
use tuner_core::space::Configuration;

use crate::catalogue::Catalogue;
use crate::launch::{self, Dialect, Frame, LaunchError, LaunchRequest, LaunchSpec};
use crate::memory::Spread;
use crate::read_back::{self, EngineReport, ReportSources, Reported};
use crate::{Engine, shipped, size};

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| shipped(EngineName::TensorrtLlm, include_str!("../catalogues/tensorrt-llm.json")));

const DIALECT: Dialect =
    Dialect { separator: '_', equals: true, reserved: &[("host", "leave it out"), ("port", "leave it out")] };

pub(crate) struct TensorrtLlm;

impl Engine for TensorrtLlm {
    fn name(&self) -> EngineName {
        EngineName::TensorrtLlm
    }

    fn catalogue(&self) -> &Catalogue {
        &CATALOGUE
    }

    fn how_to_provide(&self) -> &'static str {
        "install tensorrt_llm with pip in an environment of its own, as NVIDIA documents, and name its program in the \
         task file, for example engine.command: [/opt/trtllm/bin/trtllm-serve, serve]"
    }

    fn launch_spec(&self, request: &LaunchRequest<'_>) -> Result<LaunchSpec, LaunchError> {
        let source = launch::source(request.model)?;
        let rendered = launch::render(request, request.catalogue.unwrap_or(&CATALOGUE), &DIALECT)?;
        let mut leading = vec![source.to_owned(), "--host".to_owned(), request.host.to_owned()];
        leading.extend(["--port".to_owned(), request.port.to_string()]);
        // It lists a local folder under its last name and anything else under the id.
        let served = match (&request.model.served_name, &request.model.path) {
            (Some(name), _) => {
                leading.extend(["--served_model_name".to_owned(), name.clone()]);
                name.clone()
            }
            (None, Some(path)) => path.trim_end_matches('/').rsplit('/').next().unwrap_or(path).to_owned(),
            (None, None) => source.to_owned(),
        };
        let frame = Frame {
            launcher: &["trtllm-serve", "serve"],
            leading,
            served_model: Some(served),
            nccl: true,
            hugging_face: true,
            evidence: &[],
        };
        Ok(launch::assemble(request, rendered, frame))
    }

    /// It prints no report that we have seen on a real machine, so every flag reads `not_reported`.
    fn report_sources(&self) -> ReportSources {
        ReportSources { pages: &[], log_markers: &[] }
    }

    fn read_back(&self, configuration: &Configuration, _report: &EngineReport<'_>) -> Vec<ReadBack> {
        read_back::compare(&CATALOGUE, configuration, &Reported::new())
    }

    fn spread(&self, configuration: &Configuration) -> Spread {
        Spread {
            tensor: size(&CATALOGUE, configuration, "tp_size"),
            pipeline: size(&CATALOGUE, configuration, "pp_size"),
        }
    }

    /// Expert parallel ranks are ranks of the tensor group.
    fn gpus_needed(&self, configuration: &Configuration) -> u32 {
        let Spread { tensor, pipeline } = self.spread(configuration);
        tensor.saturating_mul(pipeline)
    }
}
