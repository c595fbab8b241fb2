//! The rows that the commands change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Scope;

/// How much a tool may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It only looks.
    Reads,
    /// It changes something that is cheap to change back.
    Changes,
    /// It spends GPU time, money or bandwidth.
    Spends,
    /// It changes what others use, or cannot be taken back.
    Shared,
}

/// How a conversation treats calls that need leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A person is asked.
    #[default]
    Ask,
    /// They are refused.
    ReadOnly,
    /// What no grant covers is refused: nobody is there to be asked.
    Unattended,
}

impl Mode {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Ask, Self::ReadOnly, Self::Unattended];

    /// The word in columns, on the wire and in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::ReadOnly => "read_only",
            Self::Unattended => "unattended",
        }
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// The model is to be asked.
    Queued,
    /// It is being asked.
    Thinking,
    /// Calls are ready or running.
    Acting,
    /// Nothing can go on until a person decides.
    AwaitingAuthorization,
    /// The model has said all it wants to.
    Completed,
    /// It could not go on.
    Failed,
    /// A person stopped it.
    Stopped,
    /// It has used up what one run may use.
    LimitReached,
}

impl RunState {
    /// The word in columns, on the wire and in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Thinking => "thinking",
            Self::Acting => "acting",
            Self::AwaitingAuthorization => "awaiting_authorization",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::LimitReached => "limit_reached",
        }
    }

    /// Whether nothing more happens in it.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped | Self::LimitReached)
    }
}

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// It needs a person's leave.
    AwaitingAuthorization,
    /// It may be started.
    Ready,
    /// It was started.
    Running,
    /// Whoever ran it died, and doing it again might do it twice.
    UnknownOutcome,
    /// Done.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// It was never started: somebody or a rule said no, or nobody answered in time.
    Denied,
    /// It was never started, or was cut off, because its run was stopped.
    Cancelled,
}

impl CallState {
    /// The word in columns, on the wire and in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::AwaitingAuthorization => "awaiting_authorization",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it has its result.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Denied | Self::Cancelled)
    }
}

/// By what a call was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A person decided this call.
    Person,
    /// A grant covers it.
    Grant,
    /// A rule, or that it only reads.
    Policy,
    /// Nobody answered in time.
    Expiry,
    /// Its run was stopped.
    Stop,
}

/// How a call was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Whether it may be started.
    pub allowed: bool,
    /// By what.
    pub via: Via,
    /// By whom; absent where nobody in particular did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// By leave of this grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Uuid>,
    /// The arguments that the model had given, where a person gave others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a call would use up, as far as that can be told beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Experiments.
    #[serde(default)]
    pub experiments: u32,
    /// Seconds of GPUs.
    #[serde(default)]
    pub gpu_seconds: f64,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its id, which is also its idempotency key.
    pub id: Uuid,
    /// Of which run.
    pub run: Uuid,
    /// The step of the run that it belongs to, from 1, and its place there, from 0.
    pub step: u32,
    /// Its place in the step, from 0.
    pub place: u32,
    /// The tool.
    pub tool: String,
    /// What it needs leave for; absent: for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// How much it may change.
    pub risk: Risk,
    /// The task that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// What it would use up.
    #[serde(default)]
    pub cost: Cost,
    /// Its arguments, as JSON.
    pub arguments: String,
    /// Of tool and arguments: what a person sees is what runs.
    pub digest: String,
    /// Doing it twice under the same id equals doing it once.
    pub repeatable: bool,
    /// Where it is.
    pub state: CallState,
    /// How it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// Who runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Uuid>,
    /// How often it was started.
    #[serde(default)]
    pub starts: u32,
    /// When it was proposed.
    pub proposed_at: DateTime<Utc>,
    /// When the wait for a person ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// What one grant may be used for at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// Experiments, as they are foretold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiments: Option<u32>,
    /// Seconds of GPUs, as they are foretold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_seconds: Option<f64>,
}

/// A person's standing leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: Uuid,
    /// For what.
    pub scope: Scope,
    /// For tools whose names match, `*` at the end meaning any ending; absent: all of the scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// For this task only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// For exactly these calls, each once: the digests that are left of an approved plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<String>>,
    /// No further than this.
    #[serde(default)]
    pub limits: Limits,
    /// What it has been used for.
    #[serde(default)]
    pub uses: u32,
    /// What that was foretold to cost.
    #[serde(default)]
    pub spent: Cost,
    /// Who gave it.
    pub by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when; absent: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Grant {
    /// Leave for all of a scope, without limits, until it is revoked.
    pub fn new(id: Uuid, scope: Scope, by: String, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            scope,
            tool: None,
            task: None,
            calls: None,
            limits: Limits::default(),
            uses: 0,
            spent: Cost::default(),
            by,
            created_at,
            expires_at: None,
            revoked_at: None,
        }
    }

    /// Whether it is good for anything now.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none()
            && self.expires_at.is_none_or(|at| now < at)
            && self.limits.uses.is_none_or(|most| self.uses < most)
            && self.calls.as_ref().is_none_or(|left| !left.is_empty())
    }

    /// Whether it covers a call now.
    pub fn covers(&self, call: &Proposal, now: DateTime<Utc>) -> bool {
        if !self.is_live(now) {
            return false;
        }
        if let Some(left) = &self.calls {
            return left.contains(&call.digest);
        }
        let within = |most: Option<f64>, spent: f64| most.is_none_or(|most| spent <= most);
        Some(self.scope) == call.scope
            && self.tool.as_ref().is_none_or(|pattern| matches(pattern, &call.tool))
            && self.task.as_ref().is_none_or(|task| Some(task) == call.task.as_ref())
            && within(self.limits.experiments.map(f64::from), f64::from(self.spent.experiments + call.cost.experiments))
            && within(self.limits.gpu_seconds, self.spent.gpu_seconds + call.cost.gpu_seconds)
    }

    pub(super) fn take(&mut self, call: &Proposal) {
        self.uses += 1;
        self.spent.experiments += call.cost.experiments;
        self.spent.gpu_seconds += call.cost.gpu_seconds;
        if let Some(left) = &mut self.calls
            && let Some(at) = left.iter().position(|digest| *digest == call.digest)
        {
            left.remove(at);
        }
    }
}

/// Whether a name matches a pattern, `*` at its end meaning any ending.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

/// What is known of a proposed call before anything was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It can be done as it is.
    Sound,
    /// There is no such tool, or its arguments do not fit.
    Unfit,
}

/// A call as the model proposes it and the registry understands it.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its id.
    pub id: Uuid,
    /// The tool.
    pub tool: String,
    /// What it needs leave for.
    pub scope: Option<Scope>,
    /// How much it may change.
    pub risk: Risk,
    /// The task that it is about.
    pub task: Option<String>,
    /// What it would use up.
    pub cost: Cost,
    /// Its arguments, as JSON.
    pub arguments: String,
    /// Of tool and arguments.
    pub digest: String,
    /// Doing it twice under the same id equals doing it once.
    pub repeatable: bool,
    /// Whether it can be done at all.
    pub verdict: Verdict,
}

impl From<&Call> for Proposal {
    fn from(call: &Call) -> Self {
        Self {
            id: call.id,
            tool: call.tool.clone(),
            scope: call.scope,
            risk: call.risk,
            task: call.task.clone(),
            cost: call.cost,
            arguments: call.arguments.clone(),
            digest: call.digest.clone(),
            repeatable: call.repeatable,
            verdict: Verdict::Sound,
        }
    }
}

/// Who stopped a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// One turn of the conversation: from a person's message to the model's last word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    pub state: RunState,
    /// How often the model has answered.
    pub steps: u32,
    /// The model is a client's own: it proposes calls when it likes, and nobody is asked here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
    /// Somebody stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Why it failed, or what it used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl Run {
    /// One in which nothing happened yet.
    pub fn new(id: Uuid) -> Self {
        Self { id, state: RunState::Queued, steps: 0, outside: false, stop: None, failure: None }
    }
}

/// How a call that was started ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Done.
    Succeeded,
    /// With an error.
    Failed,
    /// Cut off.
    Cancelled,
}

/// Everything that decides about a run of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// The run.
    pub run: Run,
    /// Its calls, in order.
    pub calls: Vec<Call>,
    /// The grants of the conversation, the oldest first.
    pub grants: Vec<Grant>,
    /// How the conversation treats calls that need leave.
    pub mode: Mode,
    /// When the conversation last read text that others may have written.
    pub untrusted_at: Option<DateTime<Utc>>,
}
