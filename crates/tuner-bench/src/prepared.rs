//! A workload whose prompts are at hand: data sets read and counted, words found.

use std::sync::Arc;

use tuner_core::task::{Api, ConversationSpec, DatasetSpec, LoadSpec, WorkloadSpec};

use crate::dataset::{Dataset, DatasetError};
use crate::error::BenchError;
use crate::plan::{LevelPlan, PlanError, Rows};
use crate::prompting::PromptSource;
use crate::protocol::adopt;
use crate::seed::Seeds;
use crate::tokens::{TokenError, TokenSource};

/// Prompts of a workload with what planning its levels needs.
#[derive(Clone, Debug)]
pub struct PreparedWorkload {
    /// What is asked.
    pub workload: WorkloadSpec,
    /// Where prompts come from.
    pub prompts: PromptSource,
    rows: Rows,
}

impl PreparedWorkload {
    /// Reads the data sets, and finds the words of which synthetic prompts are made. Once per engine, not per level.
    ///
    /// # Errors
    /// A data set or the tokenizer cannot be used; synthetic prompts need a tokenizer.
    pub async fn new(workload: &WorkloadSpec, tokens: Option<&TokenSource>) -> Result<Self, BenchError> {
        let mut datasets = Vec::new();
        let conversations = workload.conversations();
        for (source, spec) in workload.datasets().into_iter().enumerate() {
            datasets.push(match spec {
                Some(spec) => {
                    let mut dataset = load(&spec, conversations[source].as_ref())?;
                    must_fit(&dataset, workload.classes.get(source).and_then(|c| c.api).unwrap_or(workload.api))?;
                    dataset.count(tokens, &spec).await?;
                    Some(Arc::new(dataset))
                }
                None => None,
            });
        }
        let needs_words = |dataset: &Option<Arc<Dataset>>| {
            dataset.as_ref().is_none_or(|dataset| dataset.rows.iter().any(|row| row.request.is_none()))
        };
        let pool = if datasets.iter().any(needs_words) {
            let none = || TokenError::Nowhere { tried: "synthetic prompts need the model's tokenizer".to_owned() };
            Some(tokens.ok_or_else(none)?.words().await?)
        } else {
            None
        };
        Ok(Self::of(workload, PromptSource { pool, datasets, media_marker: None }))
    }

    /// Reads what planning needs where nothing is sent: every prompt's length must stand in the data set.
    ///
    /// # Errors
    /// A data set cannot be used, has to be fetched first, or has prompts whose length it does not say.
    pub async fn lengths_only(workload: &WorkloadSpec) -> Result<Self, BenchError> {
        let mut datasets = Vec::new();
        let conversations = workload.conversations();
        for (source, spec) in workload.datasets().into_iter().enumerate() {
            datasets.push(match spec {
                Some(spec) => {
                    let mut dataset = load(&spec, conversations[source].as_ref())?;
                    dataset.must_be_counted()?;
                    dataset.count(None, &spec).await?;
                    Some(Arc::new(dataset))
                }
                None => None,
            });
        }
        Ok(Self::of(workload, PromptSource { datasets, ..PromptSource::default() }))
    }

    fn of(workload: &WorkloadSpec, prompts: PromptSource) -> Self {
        let rows = prompts.rows(workload);
        Self { workload: workload.clone(), prompts, rows }
    }

    /// Plans one level.
    ///
    /// # Errors
    /// As [`LevelPlan::with_rows`].
    pub fn plan(&self, load: &LoadSpec, level: u32, repeat: u32, seeds: Seeds) -> Result<LevelPlan, PlanError> {
        LevelPlan::with_rows(&self.workload, load, level, repeat, seeds, &self.rows)
    }

    /// What was left out of the data sets, for people.
    pub fn notes(&self) -> Vec<String> {
        let datasets = self.prompts.datasets.iter().flatten();
        let dropped = datasets.flat_map(|dataset| dataset.dropped.iter().map(move |d| (dataset, d)));
        dropped
            .map(|(dataset, d)| {
                let path = dataset.path.display();
                format!("{path}: {} rows left out, {} (the first in line {})", d.rows, d.reason, d.first_line)
            })
            .collect()
    }
}

/// Reads a data set, as single requests or turn by turn.
fn load(spec: &DatasetSpec, conversation: Option<&ConversationSpec>) -> Result<Dataset, DatasetError> {
    let mut dataset = Dataset::load(spec)?;
    match conversation {
        Some(conversation) => dataset.take_apart(conversation.turns.map_or(u32::MAX, |turns| turns.bounds().1)),
        None => dataset.first_turns_only(),
    }
    Ok(dataset)
}

/// Refuses a data set with a row that the endpoint cannot take.
fn must_fit(dataset: &Dataset, api: Api) -> Result<(), DatasetError> {
    for row in &dataset.rows {
        if let Some(request) = &row.request
            && let Err(what) = adopt(api, request.clone())
        {
            return Err(DatasetError::Line { path: dataset.path.clone(), line: row.line, what, more: 0 });
        }
    }
    Ok(())
}
