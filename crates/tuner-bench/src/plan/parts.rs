//! The kinds of requests of a workload: which one a request belongs to, and how long it is.
//!
//! *Invariant*: the kind, the lengths and the model of request `index` are functions of (workload, seeds, level, repeat,
//! index), each drawn in its own dimension: no request's draw depends on how many came before.

use std::sync::Arc;

use rand::{Rng, RngExt};
use serde_json::{Map, Value};
use tuner_core::record::SharedRun;
use tuner_core::task::{Api, Mix, ModelShare, Prompts, SharedPrefix, WorkloadSpec};

use super::PlanError;
use crate::scenario;
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
    /// Whether the row has a prompt of its own; else one is made of words.
    pub has_prompt: bool,
}

/// The rows of a workload's data sets: one entry for the workload, or one for each class.
pub type Rows = Vec<Option<Arc<[Row]>>>;

/// Where the lengths come from.
#[derive(Clone, Debug)]
pub(super) enum Lengths {
    Mix(Mix),
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
    pub(super) lengths: Lengths,
}

impl Part {
    /// The rows of its data set, where it has one.
    pub fn rows(&self) -> Option<&Arc<[Row]>> {
        match &self.lengths {
            Lengths::Rows(rows) => Some(rows),
            Lengths::Mix(_) => None,
        }
    }

    /// Whether all its requests have the same lengths.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(&self.lengths, Lengths::Mix(mix) if mix.parts.len() == 1 && mix.parts[0].1.is_fixed())
    }
}

/// Every kind of request of a workload. A mix of scenarios without classes becomes one class per scenario.
pub(super) fn parts(workload: &WorkloadSpec, rows: &Rows) -> Result<Vec<Part>, PlanError> {
    let whole = |source: usize, prompts: &Prompts| {
        Ok::<Part, PlanError>(Part {
            class: None,
            weight: 1.0,
            api: workload.api,
            temperature: workload.temperature,
            extra_body: workload.extra_body.clone(),
            source,
            lengths: lengths(prompts, rows.get(source).cloned().flatten())?,
        })
    };
    if !workload.classes.is_empty() {
        let class = |(i, class): (usize, &tuner_core::task::ClassSpec)| {
            let part = whole(i, &class.prompts())?;
            let mut extra_body = part.extra_body.clone();
            extra_body.extend(class.extra_body.clone());
            Ok(Part {
                class: Some(class.name.clone()),
                weight: class.weight,
                api: class.api.unwrap_or(part.api),
                temperature: class.temperature.unwrap_or(part.temperature),
                extra_body,
                ..part
            })
        };
        return workload.classes.iter().enumerate().map(class).collect();
    }
    let part = whole(0, &workload.prompts)?;
    match &part.lengths {
        Lengths::Mix(mix) if mix.parts.len() > 1 => Ok(mix
            .parts
            .iter()
            .map(|(weight, scenario)| Part {
                class: Some(scenario.to_string()),
                weight: *weight,
                lengths: Lengths::Mix(Mix { parts: vec![(1.0, *scenario)] }),
                ..part.clone()
            })
            .collect()),
        _ => Ok(vec![part]),
    }
}

fn lengths(prompts: &Prompts, rows: Option<Arc<[Row]>>) -> Result<Lengths, PlanError> {
    if let Some(rows) = rows.filter(|_| prompts.dataset().is_some()) {
        return if rows.is_empty() { Err(PlanError::NoLengths) } else { Ok(Lengths::Rows(rows)) };
    }
    let mix: Mix = prompts.scenario.as_deref().ok_or(PlanError::NoLengths)?.parse()?;
    match mix.parts.iter().find_map(|(_, s)| Some((s, s.needs()?))) {
        Some((scenario, needs)) => Err(PlanError::Endpoint { scenario: scenario.to_string(), needs }),
        None => Ok(Lengths::Mix(mix)),
    }
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

/// Lengths (input, output) drawn from a mix.
pub(super) fn draw(mix: &Mix, rng: &mut impl Rng) -> (u32, u32) {
    let chosen = if mix.parts.len() > 1 { pick(mix.parts.iter().map(|p| p.0), rng) } else { 0 };
    scenario::lengths(mix.parts[chosen].1, rng)
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
