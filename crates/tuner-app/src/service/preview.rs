//! What a document would start: configurations with their command lines, before anything runs.

use serde::Serialize;
use tuner_core::Configuration;
use tuner_policy::Action;
use tuner_search::samplers::grid;

use super::insight::suggestions;
use super::tasks::Document;
use super::{Service, apart};
use crate::access::Permit;
use crate::error::AppError;
use crate::{forecast, results};

/// Configurations of a document's search space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// Valid combinations, conditions and constraints counted; absent where they cannot be listed.
    pub combinations: Option<usize>,
    /// Of them all, how many cannot run, as far as is known beforehand; absent where they cannot be listed.
    pub cannot_run: Option<usize>,
    /// The baseline first, then combinations in order, or what the search would try first where they cannot be listed.
    pub configurations: Vec<Previewed>,
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Previewed {
    /// It is the baseline.
    pub baseline: bool,
    /// What it sets.
    pub configuration: Configuration,
    /// The same in one line.
    pub text: String,
    /// The command that starts it; absent where nothing is launched.
    pub command: Option<String>,
    /// Why it cannot run, where that is known beforehand.
    pub impossible: Option<String>,
}

impl Service {
    /// The first configurations of a document, `most` beside the baseline, and whether they can run.
    ///
    /// # Errors
    /// [`AppError::TaskFile`] with every finding; [`AppError::Search`].
    pub async fn preview_task(&self, permit: &Permit, document: &Document, most: usize) -> Result<Preview, AppError> {
        permit.must_be_for(Action::TaskCheck)?;
        let file = self.read(document).await?;
        let (home, around) = (self.home().clone(), self.around().clone());
        Ok(apart(move || {
            let (spec, space) = (&file.spec, &file.space);
            let forecast = forecast::of(&home, spec, &around);
            let impossible =
                |c: &Configuration| forecast.impossible(&spec.effective_flags(c)).map(|failure| failure.message);
            let listed = grid::combinations(space);
            let first: Vec<Configuration> = match &listed {
                Some(all) => all.iter().take(most).cloned().collect(),
                None => suggestions(spec, space, &[], most),
            };
            let shown = |baseline: bool, configuration: &Configuration| Previewed {
                baseline,
                configuration: configuration.clone(),
                text: configuration.to_string(),
                command: results::paste_command(&home, spec, configuration, &around),
                impossible: impossible(configuration),
            };
            let others = first.iter().filter(|c| **c != spec.baseline).map(|c| shown(false, c));
            Preview {
                combinations: listed.as_ref().map(Vec::len),
                cannot_run: listed.as_ref().map(|all| all.iter().filter(|c| impossible(c).is_some()).count()),
                configurations: std::iter::once(shown(true, &spec.baseline)).chain(others).collect(),
            }
        })
        .await)
    }
}
