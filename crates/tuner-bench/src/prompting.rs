//! What each request of a plan asks: words of exact length, token ids, or a row of a data set.
//!
//! *Invariant*: content is a function of (workload, seeds, level, repeat, index): it can be made again, in any order,
//! on any thread.

use std::sync::Arc;

use tuner_core::record::{PlannedRequest, PlannedTurn, SharedRun};
use tuner_core::task::{Api, Scenario, WorkloadSpec};

use crate::client::Features;
use crate::dataset::{Dataset, DatasetRow, salted};
use crate::picture::data_url;
use crate::plan::{LevelPlan, Rows, key};
use crate::protocol::{Content, adopt, has_template, takes_token_ids};
use crate::seed::{Dimension, mix, rng};
use crate::tokens::{LocalTokenizer, Prompt, TokenError, TokenSource, WordPool};

/// Tokens of the question about pictures.
const QUESTION_TOKENS: u32 = 16;
/// Added to a request's index for the second of its texts.
const SECOND_TEXT: u64 = 1 << 63;

/// Where a level's prompts come from, prepared once per engine.
#[derive(Clone, Debug, Default)]
pub struct PromptSource {
    /// Words for synthetic prompts, where there are any.
    pub pool: Option<WordPool>,
    /// The data sets: one entry for the workload, or one for each class.
    pub datasets: Vec<Option<Arc<Dataset>>>,
    /// What stands for a picture in prompts of llama.cpp's own endpoint.
    pub media_marker: Option<String>,
}

impl PromptSource {
    /// Synthetic prompts only.
    pub fn synthetic(pool: WordPool) -> Self {
        Self { pool: Some(pool), ..Self::default() }
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

/// What one request of a plan asks.
///
/// # Errors
/// There is no tokenizer where one is needed, or no text of exactly that length.
pub(crate) fn content(
    plan: &LevelPlan,
    request: &PlannedRequest,
    prompts: &PromptSource,
    tokens: Option<&TokenSource>,
    features: Features,
) -> Result<Content, TokenError> {
    let number = request.conversation.unwrap_or(request.index);
    let part = plan.part(number);
    let row = row_of(plan, number, prompts);
    if let Some(fields) = row.and_then(|row| row.request.clone()) {
        let fields = if plan.workload.salt { salted(fields, &salt(plan)) } else { fields };
        // That the protocol can carry it was checked when the data set was read.
        return Ok(Content::Fields(adopt(part.api, fields).unwrap_or_default()));
    }
    let none = || TokenError::Nowhere { tried: "synthetic prompts need the model's tokenizer".to_owned() };
    let pool = prompts.pool.as_ref().ok_or_else(none)?;
    let maker = Maker { plan, key: number, shared: &request.shared, pool, local: local(tokens) };
    match part.scenario() {
        Some(Scenario::Rerank { document, query }) => {
            let (query, document) = (maker.text(query, SECOND_TEXT)?, maker.text(document, 0)?);
            return Ok(Content::Ranking { query, documents: vec![document] });
        }
        Some(Scenario::Image { width, height, images }) => {
            let (seeds, level, repeat) = plan.words();
            let mut rng = rng(seeds.prompts, Dimension::Pictures, level, repeat, number);
            let urls = (0..images).map(|_| data_url(width, height, &mut rng)).collect();
            let mark = match part.api {
                Api::SglangGenerate => maker.local.and_then(LocalTokenizer::picture_mark).map(str::to_owned),
                _ => prompts.media_marker.clone(),
            };
            return Ok(Content::Pictures { text: maker.text(QUESTION_TOKENS, 0)?, urls, mark });
        }
        _ => {}
    }
    let ids = features.token_ids && takes_token_ids(part.api);
    // A bare text gets the model's own special tokens put before it; a chat's template is the engine's affair.
    let special = if has_template(part.api) || ids { 0 } else { pool.special_tokens };
    let text = maker.text(request.input_tokens.saturating_sub(special).max(1), 0)?;
    match maker.local.filter(|_| ids) {
        Some(local) => Ok(Content::TokenIds(local.encode(&text, false)?)),
        None => Ok(Content::Text(text)),
    }
}

/// The row of a data set that a request, or a conversation, is made from.
pub(crate) fn row_of<'a>(plan: &LevelPlan, number: u64, prompts: &'a PromptSource) -> Option<&'a DatasetRow> {
    let dataset = prompts.datasets.get(plan.part(number).source)?.as_ref()?;
    dataset.rows.get(plan.row(number)?)
}

/// What a user says in one turn of a conversation of several, in words. A prompt that continues a text goes on after a
/// space, with words that are one token there too.
pub(crate) fn turn_text(
    plan: &LevelPlan,
    turn: &PlannedTurn,
    prompts: &PromptSource,
    tokens: Option<&TokenSource>,
) -> Result<String, TokenError> {
    let none = || TokenError::Nowhere { tried: "synthetic prompts need the model's tokenizer".to_owned() };
    let pool = prompts.pool.as_ref().ok_or_else(none)?;
    let (number, count) = (turn.request.conversation.unwrap_or_default(), turn.request.turn.unwrap_or(1));
    // What the conversation shares with others it says first.
    let shared: &[SharedRun] = if count == 1 { &turn.request.shared } else { &[] };
    let special = if count > 1 || has_template(plan.part(number).api) { 0 } else { pool.special_tokens };
    let maker = Maker { plan, key: key(number, count), shared, pool, local: local(tokens) };
    maker.text(turn.own_tokens.saturating_sub(special).max(1), 0)
}

/// Makes the texts of one request.
struct Maker<'a> {
    plan: &'a LevelPlan,
    key: u64,
    shared: &'a [SharedRun],
    pool: &'a WordPool,
    local: Option<&'a LocalTokenizer>,
}

impl Maker<'_> {
    /// A text of `tokens` tokens; `which` tells several texts of one request apart.
    fn text(&self, tokens: u32, which: u64) -> Result<String, TokenError> {
        let (seeds, level, repeat) = self.plan.words();
        let shared = if which == 0 { self.shared } else { &[] };
        let prompt = Prompt { seeds, level, repeat, index: self.key | which, shared };
        match self.local {
            Some(local) => self.pool.exact_text(local, prompt, tokens),
            None => Ok(self.pool.text(prompt, tokens)),
        }
    }
}

fn local(tokens: Option<&TokenSource>) -> Option<&LocalTokenizer> {
    match tokens {
        Some(TokenSource::Local(tokenizer)) => Some(tokenizer),
        _ => None,
    }
}

/// The line that stands in front of a measurement's prompts.
pub(crate) fn salt(plan: &LevelPlan) -> String {
    let words = [Dimension::Salt as u64, u64::from(plan.level), u64::from(plan.repeat)];
    let key = words.into_iter().fold(mix(plan.seeds.prompts), |key, word| mix(key ^ mix(word)));
    format!("[{key:016x}]")
}
