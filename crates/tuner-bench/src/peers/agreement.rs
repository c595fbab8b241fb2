//! Whether a peer's own figures and ours by its rules are the same, from runs in pairs.

use serde::{Deserialize, Serialize};
use tuner_core::score::paired::{RatioInterval, ratio_interval};

use super::definitions::difference;
use crate::compare::Options;
use crate::compat::{Headline, Tool};

/// What the pairs say of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
    /// They differ by less than the margin, surely.
    Equivalent,
    /// They differ, surely.
    Differs,
    /// Neither could be shown: more pairs, or a quieter machine, would tell.
    Unclear,
}

/// One figure of one tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureAgreement {
    /// Its name, [`Headline::named`].
    pub figure: String,
    /// Ours by the tool's rules: mean over the runs, geometric where every run has one above 0.
    pub ours: f64,
    /// The tool's own, likewise.
    pub theirs: f64,
    /// Theirs / ours with its interval; absent where a run has 0.
    pub ratio: Option<RatioInterval>,
    /// What the pairs say.
    pub verdict: Agreement,
    /// Why they may differ all the same, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

/// Every figure that both have in each of `pairs` (ours, theirs). Of the options `confidence` and `margin` count: the
/// equivalence is two one-sided tests, as in [`crate::compare`].
pub fn agreement(tool: Tool, pairs: &[(Headline, Headline)], options: &Options) -> Vec<FigureAgreement> {
    let names: Vec<&str> = pairs.first().map_or(Vec::new(), |(ours, _)| ours.named().map(|(name, _)| name).collect());
    let of = |headline: &Headline, wanted: &str| headline.named().find(|(name, _)| *name == wanted).map(|(_, x)| x);
    let values = |name: &str| -> Option<Vec<(f64, f64)>> {
        pairs.iter().map(|(ours, theirs)| Some((of(ours, name)?, of(theirs, name)?))).collect()
    };
    names
        .into_iter()
        .filter_map(|name| {
            let values = values(name)?;
            let ratio = ratio_interval(&values, options.confidence);
            let [ours, theirs] = [mean(values.iter().map(|v| v.0)), mean(values.iter().map(|v| v.1))];
            let verdict = verdict(&values, ratio.as_ref(), options);
            let difference = difference(tool, name).map(str::to_owned);
            Some(FigureAgreement { figure: name.to_owned(), ours, theirs, ratio, verdict, difference })
        })
        .collect()
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = values.clone().count().max(1) as f64;
    if values.clone().all(|x| x > 0.0) { (values.map(f64::ln).sum::<f64>() / n).exp() } else { values.sum::<f64>() / n }
}

fn verdict(values: &[(f64, f64)], ratio: Option<&RatioInterval>, options: &Options) -> Agreement {
    // Counts are often the same in every run, 0 too; then there is nothing to estimate.
    if values.iter().all(|(ours, theirs)| ours == theirs) {
        return Agreement::Equivalent;
    }
    match ratio {
        _ if options.is_equivalent(values) => Agreement::Equivalent,
        Some(ratio) if ratio.low > 1.0 || ratio.high < 1.0 => Agreement::Differs,
        // A 0 beside something else has no ratio, and is a difference.
        None if values.len() > 1 => Agreement::Differs,
        _ => Agreement::Unclear,
    }
}
