//! What a run needs next: a function of its book and what it has used.

use std::time::Duration;

use chrono::TimeDelta;
use tuner_policy::chat::{Book, CallState, RunState};
use tuner_store::ChatUsage;

use crate::settings::AgentSettings;

/// The next thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask the model.
    Think,
    /// Do calls, or find out what became of them.
    Act,
    /// Nothing, until a person decides.
    Wait,
    /// It has used up what it may use.
    Exhausted(String),
    /// Nothing: it is over.
    Over,
}

/// Decides. `busy` is how long this process has driven the run: a run that waits for a person is driven by nobody.
pub(crate) fn next(book: &Book, usage: ChatUsage, busy: Duration, settings: &AgentSettings) -> Next {
    let bounds = &settings.bounds;
    let cost = settings.prices.map(|prices| prices.cost(usage));
    match book.run.state {
        state if state.is_end() => Next::Over,
        RunState::AwaitingAuthorization => Next::Wait,
        RunState::Acting => Next::Act,
        _ if book.run.stop.is_some() => Next::Act,
        _ if book.run.steps >= bounds.steps => {
            Next::Exhausted(format!("the limit of {} answers of the model in one run is reached", bounds.steps))
        }
        _ if usage.input_tokens + usage.output_tokens >= bounds.tokens => {
            Next::Exhausted(format!("the limit of {} tokens in one run is reached", bounds.tokens))
        }
        _ if bounds.cost.zip(cost).is_some_and(|(most, cost)| cost >= most) => {
            Next::Exhausted(format!("one run may cost {:.2}, and this one has", bounds.cost.unwrap_or_default()))
        }
        _ if busy >= bounds.time => {
            Next::Exhausted(format!("the limit of {} minutes for one run is reached", bounds.time.as_secs() / 60))
        }
        _ => Next::Think,
    }
}

/// Answers in a row that want the same before the model is taken to go round in circles.
const SAME: u32 = 6;
/// So many within this time; whoever waits for something asks slowly.
const QUICKLY: TimeDelta = TimeDelta::minutes(1);

/// Why asking the model again will lead nowhere, if it will not.
pub(crate) fn hopeless(book: &Book) -> Option<&'static str> {
    if stuck(book) {
        return Some("the model repeats a call that cannot be done");
    }
    circles(book).then_some("the model asks for the same things again and again")
}

/// Whether the model has asked for the same things again and again, quickly.
fn circles(book: &Book) -> bool {
    let Some(first) = (book.run.steps + 1).checked_sub(SAME).filter(|first| *first > 0) else { return false };
    let of = |step: u32| -> Vec<&str> {
        book.calls.iter().filter(|call| call.step == step).map(|call| call.digest.as_str()).collect()
    };
    let wanted = of(first);
    let began = book.calls.iter().filter(|call| call.step == first).map(|call| call.proposed_at).min();
    let last = book.step().map(|call| call.proposed_at).max();
    let quick = began.zip(last).is_some_and(|(began, last)| last - began < QUICKLY);
    !wanted.is_empty() && quick && (first..=book.run.steps).all(|step| of(step) == wanted)
}

/// Whether the model wrote the same call, which could not be done, this often in a row: it will not learn.
fn stuck(book: &Book) -> bool {
    let unfit = |call: &&tuner_policy::chat::Call| call.state == CallState::Failed && call.starts == 0;
    let last: Vec<_> = book.calls.iter().rev().take(3).collect();
    last.len() == 3 && last.iter().all(|call| unfit(call) && call.digest == last[0].digest)
}
