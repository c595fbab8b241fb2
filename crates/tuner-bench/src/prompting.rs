//! What each request of a plan asks: words of exact length, token ids, or a row of a data set.
//!
//! *Invariant*: content is a function of (workload, seeds, level, repeat, index): it can be made again, in any order,
//! on any thread.

use std::sync::Arc;

use serde_json::{Map, Value};
use tuner_core::record::PlannedRequest;
use tuner_core::task::WorkloadSpec;

use crate::dataset::{Dataset, salted};
use crate::plan::{LevelPlan, Rows};
use crate::seed::{Dimension, mix};
use crate::tokens::{Prompt, TokenError, TokenSource, WordPool};

/// Where a level's prompts come from, prepared once per engine.
#[derive(Clone, Debug, Default)]
pub struct PromptSource {
    /// Words for synthetic prompts, where there are any.
    pub pool: Option<WordPool>,
    /// The data sets: one entry for the workload, or one for each class.
    pub datasets: Vec<Option<Arc<Dataset>>>,
}

impl PromptSource {
    /// Synthetic prompts only.
    pub fn synthetic(pool: WordPool) -> Self {
        Self { pool: Some(pool), datasets: Vec::new() }
    }

    /// What planning needs of the data sets of `workload`.
    pub fn rows(&self, workload: &WorkloadSpec) -> Rows {
        let output = |source: usize| match workload.classes.get(source) {
            Some(class) => class.output_tokens,
            None => workload.prompts.output_tokens,
        };
        let rows = |(source, dataset): (usize, &Option<Arc<Dataset>>)| {
            Some(dataset.as_ref()?.plan_rows(output(source), source).into())
        };
        self.datasets.iter().enumerate().map(rows).collect()
    }
}

/// What a request asks, before it is put into a protocol's form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// Fields of OpenAI's requests, from a data set.
    Fields(Map<String, Value>),
    /// A text.
    Text(String),
    /// Token ids.
    TokenIds(Vec<u32>),
}

/// What one request of a plan asks. `ids`: the endpoint takes token ids; `special`: it puts the model's own special
/// tokens before a text.
///
/// # Errors
/// There is no tokenizer where one is needed, or no text of exactly that length.
pub(crate) fn content(
    plan: &LevelPlan,
    request: &PlannedRequest,
    prompts: &PromptSource,
    tokens: Option<&TokenSource>,
    ids: bool,
    special: bool,
) -> Result<Content, TokenError> {
    let source = plan.part(request.index).source;
    let dataset = prompts.datasets.get(source).and_then(Option::as_ref);
    let row = dataset.zip(plan.row(request.index)).and_then(|(dataset, at)| dataset.rows.get(at));
    if let Some(fields) = row.and_then(|row| row.request.clone()) {
        return Ok(Content::Fields(if plan.workload.salt { salted(fields, &salt(plan)) } else { fields }));
    }
    let none = || TokenError::Nowhere { tried: "synthetic prompts need the model's tokenizer".to_owned() };
    let pool = prompts.pool.as_ref().ok_or_else(none)?;
    let special = if special && !ids { pool.special_tokens } else { 0 };
    let length = request.input_tokens.saturating_sub(special).max(1);
    let local = match tokens {
        Some(TokenSource::Local(tokenizer)) => Some(tokenizer),
        _ => None,
    };
    let (seeds, level, repeat) = plan.words();
    let prompt = Prompt { seeds, level, repeat, index: request.index, shared: &request.shared };
    let text = match local {
        Some(local) => pool.exact_text(local, prompt, length)?,
        None => pool.text(prompt, length),
    };
    match local.filter(|_| ids) {
        Some(local) => Ok(Content::TokenIds(local.encode(&text, false)?)),
        None => Ok(Content::Text(text)),
    }
}

/// The line that stands in front of a measurement's prompts.
fn salt(plan: &LevelPlan) -> String {
    let words = [Dimension::Salt as u64, u64::from(plan.level), u64::from(plan.repeat)];
    let key = words.into_iter().fold(mix(plan.seeds.prompts), |key, word| mix(key ^ mix(word)));
    format!("[{key:016x}]")
}
