//! What can be wanted of a book, and what comes of it.

use chrono::TimeDelta;
use uuid::Uuid;

use super::book::{CallState, Decided, Ending, Grant, Proposal, RunState};
use crate::Scope;

/// What somebody wants of a book.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The model is being asked.
    Think,
    /// It answered, and proposes these calls; none: it is done.
    Answer {
        /// The calls, in order.
        calls: Vec<Proposal>,
        /// How long a person has to decide.
        patience: TimeDelta,
    },
    /// The answer was cut off; the model is to be asked again.
    AskAgain,
    /// A person lets a call happen.
    Approve {
        /// Which.
        call: Uuid,
        /// What the person saw.
        digest: String,
        /// What shall be done instead.
        edited: Option<Edited>,
        /// Who.
        by: String,
    },
    /// A person refuses a call.
    Deny {
        /// Which.
        call: Uuid,
        /// Why, for the model.
        reason: Option<String>,
        /// Who.
        by: String,
    },
    /// A person gives standing leave; waiting calls that it covers become ready.
    Grant(Box<Grant>),
    /// A person takes leave back: one grant, or all of a scope.
    Revoke {
        /// This grant.
        grant: Option<Uuid>,
        /// All of this scope.
        scope: Option<Scope>,
    },
    /// Somebody begins to do a call.
    Start {
        /// Which.
        call: Uuid,
        /// Who, as a token that nobody else has.
        holder: Uuid,
    },
    /// A call ended.
    End {
        /// Which.
        call: Uuid,
        /// Who did it.
        holder: Uuid,
        /// How.
        ending: Ending,
        /// Its result holds text that others may have written.
        untrusted: bool,
    },
    /// Whoever ran calls is dead, all but this one.
    Recover {
        /// Who lives.
        holder: Uuid,
    },
    /// It became known how a call of unknown outcome ended.
    Resolve {
        /// Which.
        call: Uuid,
        /// How.
        ending: Ending,
    },
    /// A person stops the run.
    Stop {
        /// Who.
        by: String,
    },
    /// Time has passed.
    Expire,
    /// The run cannot or may not go on.
    Finish {
        /// How it ends.
        state: RunState,
        /// Why.
        why: Option<String>,
    },
}

/// Arguments that a person gives in place of the model's.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The call as it is now; its id stays.
    pub proposal: Box<Proposal>,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// A call is new, in the state it has.
    Proposed(Uuid),
    /// A call was decided.
    Decided(Uuid),
    /// A call began.
    Started(Uuid),
    /// A call goes back to be started again, or its outcome is unknown.
    Interrupted(Uuid),
    /// A call ended.
    Ended(Uuid),
    /// A grant was given.
    Granted(Uuid),
    /// A grant was used.
    Used(Uuid),
    /// A grant was taken back.
    Revoked(Uuid),
    /// Rules that are only watched would have said this of a call.
    Shadow(Uuid, String),
    /// The run is in another state now.
    Run(RunState),
}

/// Why a command did nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// No call has this id.
    #[error("there is no call {0}")]
    NoSuchCall(Uuid),
    /// No live grant is meant.
    #[error("there is no such grant")]
    NoSuchGrant,
    /// It was decided already, and otherwise.
    #[error("the call is {state:?} already")]
    Settled {
        /// Where it is.
        state: CallState,
        /// How it was decided.
        decided: Option<Box<Decided>>,
    },
    /// The person saw something else than what would run.
    #[error("the call's arguments are not those that were shown")]
    Differs,
    /// The run was stopped or is over.
    #[error("the run was stopped or is over")]
    Over,
    /// The call is not ready, or somebody else runs it.
    #[error("the call is not to be run by this one")]
    NotYours,
    /// The run is not where this can happen.
    #[error("the run is {0:?}")]
    WrongState(RunState),
}
