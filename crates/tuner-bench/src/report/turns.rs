//! Each turn of the conversations by itself: the first requests, the second ones, and so on.

use std::collections::BTreeMap;

use tuner_core::measure::TurnReport;

use super::{Figures, Observed, ReportInput, cached_share};

/// Nothing where no request follows another.
pub(super) fn turns(input: &ReportInput<'_>, everyone: &[Observed<'_>]) -> BTreeMap<u32, TurnReport> {
    let mut members: BTreeMap<u32, Vec<Observed<'_>>> = BTreeMap::new();
    for observed in everyone {
        if let Some(turn) = observed.record.turn {
            members.entry(turn).or_default().push(*observed);
        }
    }
    if members.keys().all(|turn| *turn == 1) {
        return BTreeMap::new();
    }
    // The number of users is the level's, not the turn's.
    let input = ReportInput { streams: None, ..*input };
    let report = |(turn, members): (u32, Vec<Observed<'_>>)| {
        let measured: Vec<Observed<'_>> = members.iter().filter(|o| !o.record.warmup).copied().collect();
        let Figures { requests, errors, metrics, .. } = Figures::of(&input, &members);
        (turn, TurnReport { requests, errors, metrics, cached_prompt_share: cached_share(&measured) })
    };
    members.into_iter().map(report).collect()
}
