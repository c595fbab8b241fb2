//! Whether a proposed call may start, must wait for a person, or may not happen.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::book::{Book, CallState, Mode, Proposal, Verdict, Via};
use super::rules::{Effect, Rules};

/// What the gate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may start.
    Allow {
        /// By what.
        via: Via,
        /// By leave of this grant.
        grant: Option<Uuid>,
    },
    /// A person is asked.
    Ask,
    /// It may not happen, and this is why.
    Deny(String),
    /// It cannot be done.
    Unfit,
}

/// Decides. The order is: what cannot be done, rules that deny, what a person has refused already, rules that ask, the
/// mode, rules that allow, grants, and last that what needs no scope needs no leave.
pub fn gate(book: &Book, rules: &Rules, call: &Proposal, now: DateTime<Utc>) -> Gate {
    if call.verdict == Verdict::Unfit {
        return Gate::Unfit;
    }
    let rule = if rules.shadow { None } else { rules.find(call) };
    if let Some((Effect::Deny, why)) = &rule {
        return Gate::Deny(why.clone());
    }
    let refused = |other: &&super::Call| {
        other.state == CallState::Denied
            && other.digest == call.digest
            && other.decided.as_ref().is_some_and(|d| d.via == Via::Person)
    };
    if let Some(earlier) = book.calls.iter().find(refused) {
        let reason = earlier.decided.as_ref().and_then(|d| d.reason.clone());
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        return Gate::Deny(format!("the same call was refused before in this run{reason}"));
    }
    let reads = call.scope.is_none();
    if reads && !matches!(rule, Some((Effect::Ask, _))) {
        return Gate::Allow { via: Via::Policy, grant: None };
    }
    if book.mode == Mode::ReadOnly {
        return Gate::Deny("this conversation is read-only".to_owned());
    }
    if let Some((Effect::Allow, _)) = &rule {
        return Gate::Allow { via: Via::Policy, grant: None };
    }
    // A rule that asks wants a person for each call.
    if !matches!(rule, Some((Effect::Ask, _)))
        && let Some(grant) = grant_for(book, call, now)
    {
        return Gate::Allow { via: Via::Grant, grant: Some(grant) };
    }
    if book.mode == Mode::Unattended {
        return Gate::Deny("nobody is there to be asked, and no grant covers it".to_owned());
    }
    Gate::Ask
}

/// The oldest grant that covers a call. A grant that is older than the last untrusted text covers nothing more: that text
/// may be what asks. An approved plan names its calls, and stays good.
pub(super) fn grant_for(book: &Book, call: &Proposal, now: DateTime<Utc>) -> Option<Uuid> {
    let fresh =
        |grant: &&super::Grant| grant.calls.is_some() || book.untrusted_at.is_none_or(|at| grant.created_at > at);
    book.grants.iter().filter(fresh).find(|grant| grant.covers(call, now)).map(|grant| grant.id)
}
