//! What the model may call. One file per group; a new tool is a type that is a [`Kind`] and a line in [`Registry::all`].
//!
//! *Invariant*: a tool calls `tuner_app` with the rights of the person who asked, and nothing else. Its arguments are
//! read strictly; what it would do is said by [`Kind::intent`] from the arguments alone.

mod analysis;
mod clock;
mod database;
mod files;
mod hub;
mod issues;
mod logs;
mod machines;
mod plan;
mod presets;
mod propose;
mod queue;
mod results;
mod system;
mod task_changes;
mod tasks;
mod wait;
mod workers;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tuner_app::AppError;
use tuner_app::access::{self, Asker, Permit};
use tuner_app::service::Service;
use tuner_core::with_causes;
use tuner_llm::ToolSpec;
use tuner_policy::chat::{Cost, Risk, matches};
use tuner_policy::{Action, Resource, Scope};
use tuner_store::Store;
use uuid::Uuid;

use crate::live::{Live, LiveEvent};
use crate::settings::AgentSettings;

pub(crate) use plan::planned;

/// Where a tool stands in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Tasks and their experiments.
    Task,
    /// Presets.
    Preset,
    /// Rows.
    Database,
    /// Addresses outside.
    Api,
    /// GitHub issues.
    Issue,
    /// The service, its workers and its queue.
    System,
    /// The conversation itself.
    Chat,
}

/// What a call would do, from its arguments alone.
#[derive(Clone, Debug, Default)]
pub struct Intent {
    /// One line for the card.
    pub summary: String,
    /// The task that it is about: id or name, as the model wrote it.
    pub task: Option<String>,
}

/// A tool, as its file says it.
pub trait Kind: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Where it stands.
    const GROUP: Group;
    /// What it needs leave for; `None` where it only looks.
    const SCOPE: Option<Scope> = None;
    /// How much it may change.
    const RISK: Risk = Risk::Reads;
    /// Its result holds text that others may have written.
    const UNTRUSTED: bool = false;
    /// Doing it twice under one id equals doing it once.
    const REPEATABLE: bool = true;
    /// How long it may take.
    const LIMIT: Duration = Duration::from_secs(60);

    /// Its arguments. Their documentation is what the model reads of it.
    type Args: DeserializeOwned + JsonSchema + Send + 'static;

    /// What a call would do.
    fn intent(arguments: &Self::Args) -> Intent;

    /// What a call would change or use up, found out without changing anything: shown on the card.
    fn dry_run(cx: Cx, arguments: Self::Args) -> impl Future<Output = Result<Forecast, ToolError>> + Send {
        let _ = (cx, arguments);
        async { Ok(Forecast::default()) }
    }

    /// Does it.
    fn run(cx: Cx, arguments: Self::Args) -> impl Future<Output = Result<Value, ToolError>> + Send;
}

/// What is known of a call before it happens.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// For the card.
    pub effects: Option<Value>,
    /// For grants with limits.
    pub cost: Cost,
}

/// Why a tool did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// An argument is wrong.
    #[error("{0}")]
    Invalid(String),
    /// A use case refused or failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// It was stopped.
    #[error("it was stopped")]
    Stopped,
    /// It took too long.
    #[error("it took longer than {0} s")]
    TimedOut(u64),
    /// Something else, with what to do.
    #[error("{message}")]
    Other {
        /// A word for programs.
        code: &'static str,
        /// What happened.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl From<tuner_store::StoreError> for ToolError {
    fn from(error: tuner_store::StoreError) -> Self {
        Self::App(error.into())
    }
}

impl ToolError {
    /// What the model is told.
    pub fn document(&self) -> Value {
        let (code, hint) = match self {
            Self::Invalid(_) => ("invalid_arguments", None),
            Self::App(error) => ("refused", error.hint()),
            Self::Stopped => ("stopped", None),
            Self::TimedOut(_) => ("timed_out", None),
            Self::Other { code, hint, .. } => (*code, hint.clone()),
        };
        let mut error = json!({ "code": code, "message": with_causes(self) });
        if let Some(hint) = hint {
            error["hint"] = hint.into();
        }
        if let Self::App(AppError::TaskFile { found, .. } | AppError::Preset { found, .. }) = self {
            error["findings"] = serde_json::to_value(found).unwrap_or_default();
        }
        json!({ "success": false, "error": error })
    }
}

/// What a running tool works with.
#[derive(Clone)]
pub struct Cx {
    /// The use cases.
    pub(crate) service: Service,
    /// In whose name.
    pub(crate) asker: Asker,
    /// The conversation.
    pub(crate) session: Uuid,
    /// The call: what it makes has this id.
    pub(crate) call: Uuid,
    /// Cancelled when the run is stopped.
    pub(crate) stop: CancellationToken,
    pub(crate) live: Live,
    pub(crate) settings: Arc<AgentSettings>,
}

impl Cx {
    /// Leave to look at something.
    pub(crate) fn permit(&self, action: Action) -> Result<Permit, ToolError> {
        Ok(access::permit(self.asker.clone(), action, Resource::Kept)?.making(self.call))
    }

    /// Does something that changes something, with its line in the audit log.
    pub(crate) async fn change<T, F>(
        &self,
        action: Action,
        target: &str,
        act: impl FnOnce(Permit) -> F,
    ) -> Result<T, ToolError>
    where
        F: Future<Output = Result<T, AppError>>,
    {
        let permit = match access::permit(self.asker.clone(), action, Resource::Kept) {
            Ok(permit) => permit.making(self.call),
            Err(refused) => {
                access::refused(self.store(), &self.asker, action, target).await?;
                return Err(refused.into());
            }
        };
        let entry = access::begin(self.store(), &permit, &format!("agent: {target}")).await?;
        let done = act(permit).await;
        if let Some(entry) = entry {
            access::end(self.store(), entry, if done.is_ok() { "done" } else { "failed" }, None).await?;
        }
        Ok(done?)
    }

    /// The store, to look into.
    pub(crate) fn store(&self) -> &Store {
        self.service.store()
    }

    /// Tells whoever watches how far it is.
    pub(crate) fn progress(&self, progress: Value) {
        self.live.tell(self.session, LiveEvent::Progress { call: self.call, progress });
    }
}

/// A tool, ready to be called.
#[derive(Clone)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub group: Group,
    /// What it needs leave for.
    pub scope: Option<Scope>,
    /// How much it may change.
    pub risk: Risk,
    /// Its result holds text that others may have written.
    pub untrusted: bool,
    /// Doing it twice under one id equals doing it once.
    pub repeatable: bool,
    /// How long it may take.
    pub limit: Duration,
    /// What it does, for the model.
    pub about: String,
    /// The JSON schema of its arguments.
    pub parameters: Value,
    intent: fn(Value) -> Result<Intent, String>,
    dry_run: fn(Cx, Value) -> BoxFuture<'static, Result<Forecast, ToolError>>,
    run: fn(Cx, Value) -> BoxFuture<'static, Result<Value, ToolError>>,
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Tool {
    fn of<K: Kind>() -> Self {
        let mut parameters = schemars::schema_for!(K::Args).to_value();
        let mut about = String::new();
        if let Some(schema) = parameters.as_object_mut() {
            schema.remove("$schema");
            schema.remove("title");
            if let Some(Value::String(text)) = schema.remove("description") {
                about = text;
            }
            schema.entry("properties").or_insert_with(|| json!({}));
        }
        if let Some(scope) = K::SCOPE {
            about.push_str(&format!(
                "\nNeeds the user's permission (scope {scope}). Call it all the same: the user is asked, and you get the \
                 result afterwards."
            ));
        }
        Self {
            name: K::NAME,
            group: K::GROUP,
            scope: K::SCOPE,
            risk: K::RISK,
            untrusted: K::UNTRUSTED,
            repeatable: K::REPEATABLE,
            limit: K::LIMIT,
            about,
            parameters,
            intent: |arguments| Ok(K::intent(&read::<K>(arguments)?)),
            dry_run: |cx, arguments| match read::<K>(arguments) {
                Ok(arguments) => Box::pin(K::dry_run(cx, arguments)),
                Err(message) => Box::pin(async { Err(ToolError::Invalid(message)) }),
            },
            run: |cx, arguments| match read::<K>(arguments) {
                Ok(arguments) => Box::pin(K::run(cx, arguments)),
                Err(message) => Box::pin(async { Err(ToolError::Invalid(message)) }),
            },
        }
    }

    /// What a call with these arguments would do.
    ///
    /// # Errors
    /// Why the arguments do not fit, for the model.
    pub fn intent(&self, arguments: &Value) -> Result<Intent, String> {
        (self.intent)(arguments.clone())
    }

    pub(crate) fn dry_run(&self, cx: Cx, arguments: Value) -> BoxFuture<'static, Result<Forecast, ToolError>> {
        (self.dry_run)(cx, arguments)
    }

    pub(crate) fn run(&self, cx: Cx, arguments: Value) -> BoxFuture<'static, Result<Value, ToolError>> {
        (self.run)(cx, arguments)
    }

    /// The tool as the model is offered it.
    pub fn spec(&self) -> ToolSpec {
        ToolSpec { name: self.name.to_owned(), description: self.about.clone(), parameters: self.parameters.clone() }
    }
}

fn read<K: Kind>(arguments: Value) -> Result<K::Args, String> {
    if !arguments.is_object() {
        return Err(format!("the arguments of {} do not fit: they are no object", K::NAME));
    }
    serde_json::from_value(arguments).map_err(|error| format!("the arguments of {} do not fit: {error}", K::NAME))
}

/// Every tool by its name. Clones share it.
#[derive(Clone, Debug)]
pub struct Registry(Arc<BTreeMap<&'static str, Tool>>);

impl Registry {
    /// All there are.
    pub fn all() -> Self {
        let groups = [
            tasks::tools(),
            task_changes::tools(),
            results::tools(),
            analysis::tools(),
            logs::tools(),
            presets::tools(),
            propose::tools(),
            database::tools(),
            queue::tools(),
            workers::tools(),
            machines::tools(),
            system::tools(),
            files::tools(),
            hub::tools(),
            issues::tools(),
            clock::tools(),
            wait::tools(),
            plan::tools(),
        ];
        Self(Arc::new(groups.into_iter().flatten().map(|tool| (tool.name, tool)).collect()))
    }

    /// Those whose names match one of these patterns, `*` at the end meaning any ending; no pattern: all.
    pub fn matching(patterns: &[String]) -> Self {
        let all = Self::all();
        if patterns.is_empty() {
            return all;
        }
        let wanted = |tool: &&Tool| patterns.iter().any(|pattern| matches(pattern, tool.name));
        Self(Arc::new(all.iter().filter(wanted).map(|tool| (tool.name, tool.clone())).collect()))
    }

    /// A tool.
    pub fn find(&self, name: &str) -> Option<&Tool> {
        self.0.get(name)
    }

    /// Every tool, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Tool> {
        self.0.values()
    }
}

/// Of a tool and its arguments, however these are written: what a person saw is what runs.
pub(crate) fn digest(tool: &str, arguments: &Value) -> String {
    let mut hash = Sha256::new();
    hash.update(tool);
    hash.update([0]);
    hash.update(canonical(arguments).to_string());
    tuner_core::hex(&hash.finalize())
}

/// The same document with its names in order.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, Value> =
                fields.iter().map(|(name, value)| (name, canonical(value))).collect();
            Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), value)).collect())
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

/// What a word of the model stands for.
pub(crate) fn known<T: Copy>(
    what: &str,
    word: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, ToolError> {
    let lower = word.trim().to_lowercase();
    let found = all.iter().copied().find(|value| name(*value) == lower);
    let words: Vec<&str> = all.iter().map(|value| name(*value)).collect();
    found.ok_or_else(|| ToolError::Invalid(format!("{word:?} is no {what}; there are {}", words.join(", "))))
}

/// A line for a card.
pub(crate) fn does(summary: impl Into<String>) -> Intent {
    Intent { summary: summary.into(), task: None }
}

/// The same about a task.
pub(crate) fn does_to(summary: impl Into<String>, task: &str) -> Intent {
    Intent { summary: summary.into(), task: Some(task.to_owned()) }
}

/// A document of something that can be written as one.
pub(crate) fn shown<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
