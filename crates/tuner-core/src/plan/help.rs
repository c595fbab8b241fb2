//! What those do who help with a task: they run what is open, and decide nothing.

use chrono::{DateTime, Utc};

use super::attempt::Conclusion;
use super::budget::search_end;
use super::step::{open, verification_begun};
use super::{Role, TaskView};

/// What a helper does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// Claim this experiment, and if nobody was faster begin this attempt of it.
    Run {
        /// The experiment.
        number: u32,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// Nothing now; ask again when something has changed.
    Wait,
    /// Nothing more is going to come.
    Leave,
}

/// What a helper does next. Verification is never its matter: both sides of a pair are measured in one place.
pub fn next_help(view: &TaskView<'_>, now: DateTime<Utc>) -> Help {
    if view.cancel_requested {
        return Help::Leave;
    }
    let open = open(view, now);
    let run = open.iter().filter(|open| !matches!(open.role, Role::Verify { .. })).find_map(|o| match o.conclusion {
        Conclusion::Run(attempt) => Some(Help::Run { number: o.number, attempt }),
        _ => None,
    });
    run.unwrap_or(if wants_help(view, now) { Help::Wait } else { Help::Leave })
}

/// Whether more experiments of the search may come than whoever plans can run alone.
pub fn wants_help(view: &TaskView<'_>, now: DateTime<Utc>) -> bool {
    !view.cancel_requested && !verification_begun(view) && search_end(view, now).is_none()
}
