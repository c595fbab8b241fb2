//! The kinds of requests of a workload: which one a request belongs to, and how long it is.
//!
//! *Invariant*: the kind, the lengths and the model of request `index` are functions of (workload, seeds, level, repeat,
//! index), each drawn in its own dimension: no request's draw depends on how many came before.

use std::sync::Arc;

use rand::{Rng, RngExt};
use serde_json::{Map, Value};
use tuner_core::record::SharedRun;
use tuner_core::task::{Api, ConversationSpec, Mix, ModelShare, Prompts, Scenario, SharedPrefix, WorkloadSpec};

use super::{DEFAULT_OUTPUT_TOKENS, PlanError};
use crate::protocol;
use crate::seed::mix;

/// What planning needs of one row of a data set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Prompt tokens; 0 where they are not known.
    pub input_tokens: u32,
    /// Answer tokens.
    pub output_tokens: u32,
    /// Arrival in the data set's own time, seconds from its first row.
    pub at_s: Option<f64>,
    /// What the prompt shares with others.
    pub shared: Vec<SharedRun>,
    /// New prompt tokens and answer tokens of each turn, where the row is a conversation of several.
    pub rounds: Vec<(u32, u32)>,
    /// Whether the row has a prompt of its own; else one is made of words.
    pub has_prompt: bool,
    /// Who says something in it, in order; `None` where more than texts goes into the prompt.
    pub roles: Option<String>,
}

/// The rows of a workload's data sets: one entry for the workload, or one for each class.
pub type Rows = Vec<Option<Arc<[Row]>>>;

/// Where the lengths come from.
#[derive(Clone, Debug)]
pub(super) enum Lengths {
    /// `output` where the scenario names none.
    Scenario {
        scenario: Scenario,
        output: Option<u32>,
    },
    Rows(Arc<[Row]>),
}

/// One kind of request.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its class, where there are several kinds.
    pub class: Option<String>,
    /// Share of the requests, relative to the other parts.
    pub weight: f64,
    /// Endpoint.
    pub api: Api,
    /// Sampling temperature.
    pub temperature: f64,
    /// Further request fields.
    pub extra_body: Map<String, Value>,
    /// Position in the workload's list of data sets.
    pub source: usize,
    /// How its requests follow each other; `None`: each stands alone.
    pub conversation: Option<ConversationSpec>,
    pub(super) lengths: Lengths,
}

impl Part {
    /// The rows of its data set, where it has one.
    pub fn rows(&self) -> Option<&Arc<[Row]>> {
        match &self.lengths {
            Lengths::Rows(rows) => Some(rows),
            Lengths::Scenario { .. } => None,
        }
    }

    /// Its scenario, where it has one.
    pub fn scenario(&self) -> Option<Scenario> {
        match self.lengths {
            Lengths::Scenario { scenario, .. } => Some(scenario),
            Lengths::Rows(_) => None,
        }
    }

    /// Whether text alone goes in and comes out.
    pub fn is_text(&self) -> bool {
        protocol::generates(self.api) && self.scenario().is_none_or(|scenario| scenario.is_text())
    }
}

/// Every kind of request of a workload. A mix of scenarios without classes becomes one class per scenario; within a
/// class, its parts share the name.
pub(super) fn parts(workload: &WorkloadSpec, rows: &Rows) -> Result<Vec<Part>, PlanError> {
    let conversations = workload.conversations();
    let own = |lengths: Lengths| Part {
        class: None,
        weight: 1.0,
        api: workload.api,
        temperature: workload.temperature,
        extra_body: workload.extra_body.clone(),
        source: 0,
        conversation: conversations.first().cloned().flatten(),
        lengths,
    };
    let mut all = Vec::new();
    for (source, class) in workload.classes.iter().enumerate() {
        let api = class.api.unwrap_or(workload.api);
        let kinds = kinds(&class.prompts(), api, rows.get(source).cloned().flatten())?;
        let total: f64 = kinds.iter().map(|kind| kind.0).sum();
        for (weight, api, lengths) in kinds {
            let mut part = own(lengths);
            part.extra_body.extend(class.extra_body.clone());
            all.push(Part {
                class: Some(class.name.clone()),
                weight: class.weight * weight / total,
                api,
                temperature: class.temperature.unwrap_or(workload.temperature),
                source,
                conversation: conversations.get(source).cloned().flatten(),
                ..part
            });
        }
    }
    if !workload.classes.is_empty() {
        return Ok(all);
    }
    let kinds = kinds(&workload.prompts, workload.api, rows.first().cloned().flatten())?;
    let several = kinds.len() > 1;
    let part = |(weight, api, lengths)| {
        let part = Part { weight, api, ..own(lengths) };
        let class = part.scenario().filter(|_| several).map(|scenario| scenario.to_string());
        Part { class, ..part }
    };
    Ok(kinds.into_iter().map(part).collect())
}

/// Weight, endpoint and lengths of each kind of request that prompts come to.
fn kinds(prompts: &Prompts, api: Api, rows: Option<Arc<[Row]>>) -> Result<Vec<(f64, Api, Lengths)>, PlanError> {
    if let Some(rows) = rows.filter(|_| prompts.dataset().is_some()) {
        return if rows.is_empty() { Err(PlanError::NoLengths) } else { Ok(vec![(1.0, api, Lengths::Rows(rows))]) };
    }
    let mix: Mix = prompts.scenario.as_deref().ok_or(PlanError::NoLengths)?.parse()?;
    let kind = |(weight, scenario): &(f64, Scenario)| {
        let pictures = matches!(scenario, Scenario::Image { .. });
        let output = pictures.then(|| prompts.output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS));
        let api = scenario.api(api).ok_or(PlanError::Pictures { scenario: *scenario, api })?;
        Ok((*weight, api, Lengths::Scenario { scenario: *scenario, output }))
    };
    mix.parts.iter().map(kind).collect()
}

/// A position drawn by weight.
pub(super) fn pick(weights: impl Iterator<Item = f64> + Clone, rng: &mut impl Rng) -> usize {
    let total: f64 = weights.clone().sum();
    let mut left = rng.random::<f64>() * total;
    let mut last = 0;
    for (i, weight) in weights.enumerate() {
        last = i;
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// What a synthetic prompt of `input` tokens shares with others. At least one token stays its own: an engine computes
/// the last one anew.
pub(super) fn shared_prefix(prefix: &SharedPrefix, input: u32, rng: &mut impl Rng) -> Vec<SharedRun> {
    let shares = rng.random::<f64>() < prefix.share;
    let group = rng.random_range(0..prefix.groups.max(1));
    let wanted = match (prefix.tokens, prefix.hit_rate) {
        (Some(tokens), _) => tokens,
        (None, Some(rate)) => (f64::from(input) * rate / prefix.share).round() as u32,
        (None, None) => 0,
    };
    let tokens = wanted.min(input.saturating_sub(1));
    if shares && tokens > 0 { vec![SharedRun { key: mix(u64::from(group)), tokens }] } else { Vec::new() }
}

/// The model name of a request.
pub(super) fn model(models: &[ModelShare], rng: &mut impl Rng) -> Option<String> {
    let chosen = models.get(pick(models.iter().map(|m| m.weight), rng))?;
    Some(chosen.name.clone())
}
