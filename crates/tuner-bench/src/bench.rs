//! Measures an endpoint that already runs: what `autotuner bench URL` does.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;
use tuner_core::task::{Level, LoadSpec, ModelSpec, SloSpec, WorkloadSpec};
use tuner_core::{Measurement, Percentile};

use crate::client::{Features, Target};
use crate::error::BenchError;
use crate::live::Live;
use crate::plan::{LevelPlan, PlanError};
use crate::probe;
use crate::prompts::PromptFile;
use crate::protocol::{self, PromptSource};
use crate::run::run_level;
use crate::seed::Seeds;
use crate::tokens::{LocalTokenizer, TokenError, TokenSource};

/// What to measure.
#[derive(Clone, Debug, Default)]
pub struct BenchRequest {
    /// Where; an empty model name takes the first that the endpoint serves. Its `features` are found out.
    pub target: Target,
    /// Folder, `tokenizer.json`, GGUF or hub id; by default the engine's own `/tokenize`.
    pub tokenizer: Option<String>,
    /// The hub's local cache folder.
    pub hub_cache: Option<PathBuf>,
    /// What is asked.
    pub workload: WorkloadSpec,
    /// How hard and how long.
    pub load: LoadSpec,
    /// Measurements of each level.
    pub repeats: u32,
    /// What goodput and attainment are measured against.
    pub slos: Vec<SloSpec>,
    /// Percentiles besides the standard ones.
    pub percentiles: Vec<Percentile>,
    /// Every random choice follows from it.
    pub seed: u64,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// Address.
    pub url: String,
    /// Model that was asked for.
    pub model: String,
    /// What the endpoint accepts.
    pub features: Features,
    /// Where token counts came from, for people.
    pub tokenizer: Option<String>,
    /// The levels.
    pub levels: Vec<Level>,
    /// One per level and repeat, in order; fewer if it was cut off.
    pub measurements: Vec<Measurement>,
    /// It was cut off.
    pub cancelled: bool,
    /// Remarks for people.
    pub notes: Vec<String>,
}

/// Prompts of a workload with what planning its levels needs.
#[derive(Clone, Debug)]
pub struct PreparedWorkload {
    workload: WorkloadSpec,
    /// Where prompts come from.
    pub prompts: PromptSource,
    lengths: Option<Vec<(u32, u32)>>,
}

impl PreparedWorkload {
    /// Reads the prompts file, or finds the words of which synthetic prompts are made. Once per engine, not per level.
    ///
    /// # Errors
    /// The file or the tokenizer cannot be used; synthetic prompts need a tokenizer.
    pub async fn new(workload: &WorkloadSpec, tokens: Option<&TokenSource>) -> Result<Self, BenchError> {
        let (prompts, lengths) = match &workload.prompts.prompts_file {
            Some(file) => {
                let file = PromptFile::load(file.as_ref(), workload.api)?;
                let lengths = file.lengths(tokens, workload.prompts.output_tokens).await?;
                (PromptSource::File(file), Some(lengths))
            }
            None => {
                let none = || TokenError::Nowhere { tried: "synthetic prompts need the model's tokenizer".to_owned() };
                let tokens = tokens.ok_or_else(none)?;
                (PromptSource::Synthetic(tokens.words().await?), None)
            }
        };
        Ok(Self { workload: workload.clone(), prompts, lengths })
    }

    /// Plans one level.
    ///
    /// # Errors
    /// As [`LevelPlan::new`].
    pub fn plan(&self, load: &LoadSpec, level: u32, repeat: u32, seeds: Seeds) -> Result<LevelPlan, PlanError> {
        match &self.lengths {
            Some(lengths) => LevelPlan::from_file(&self.workload, load, level, repeat, seeds, lengths.clone()),
            None => LevelPlan::new(&self.workload, load, level, repeat, seeds),
        }
    }
}

/// Measures every level of an endpoint, in order. `cancel` ends it after what is in flight was cut off; the
/// measurements so far are kept, that of the level cut off is not.
///
/// # Errors
/// The endpoint cannot be reached, or there is no tokenizer where one is needed.
pub async fn bench_url(
    request: &BenchRequest,
    live: watch::Sender<Live>,
    cancel: watch::Receiver<bool>,
) -> Result<BenchReport, BenchError> {
    let mut target = request.target.clone();
    let served = probe::models(&target).await;
    if target.model.is_empty() {
        target.model = served?.swap_remove(0);
    }
    target.features = probe::features(&target, request.workload.api).await?;
    let tokens = find_tokens(request, &target).await?.map(Arc::new);
    let workload = PreparedWorkload::new(&request.workload, tokens.as_deref()).await?;
    let mut report = BenchReport {
        url: target.base_url.clone(),
        model: target.model.clone(),
        features: target.features,
        tokenizer: tokens.as_ref().map(|t| t.origin()),
        levels: request.load.levels.clone(),
        measurements: Vec::new(),
        cancelled: false,
        notes: notes(&target.features, request, tokens.as_deref()),
    };
    for repeat in 0..request.repeats.max(1) {
        for level in 0..request.load.levels.len() as u32 {
            let seeds = Seeds { schedule: request.seed, prompts: request.seed };
            let plan = workload.plan(&request.load, level, repeat, seeds)?;
            let run =
                run_level(&target, &plan, &workload.prompts, tokens.clone(), live.clone(), cancel.clone()).await?;
            if run.cancelled {
                report.cancelled = true;
                return Ok(report);
            }
            report.measurements.push(run.measurement(&plan, &request.slos, &request.percentiles));
        }
    }
    Ok(report)
}

async fn find_tokens(request: &BenchRequest, target: &Target) -> Result<Option<TokenSource>, BenchError> {
    let model =
        ModelSpec { tokenizer: request.tokenizer.clone(), id: Some(target.model.clone()), ..ModelSpec::default() };
    let found = match TokenSource::find(&model, request.hub_cache.as_deref(), Some(target)).await {
        Ok(found) => found,
        // A file's prompts can be sent without counting them.
        Err(TokenError::Nowhere { .. }) if request.workload.prompts.prompts_file.is_some() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(found))
}

fn notes(features: &Features, request: &BenchRequest, tokens: Option<&TokenSource>) -> Vec<String> {
    let mut notes = Vec::new();
    if !features.include_usage && protocol::generates(request.workload.api) {
        notes.push("the endpoint reports no usage; answers are counted with the tokenizer".to_owned());
    }
    if request.workload.ignore_eos && !features.ignore_eos && protocol::generates(request.workload.api) {
        notes.push("the endpoint does not take ignore_eos: answers may be shorter than planned".to_owned());
    }
    if let Some(TokenSource::Local(tokenizer)) = tokens {
        let LocalTokenizer { note, .. } = tokenizer.as_ref();
        notes.extend(note.clone());
    }
    notes
}
