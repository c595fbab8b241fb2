//! Deciding about calls, and standing leave.
//!
//! *Invariant*: what is decided is what was shown: an approval names the digest of the call, and other arguments are read
//! as strictly as the model's.

use chrono::{DateTime, Utc};
use serde_json::Value;
use tuner_app::access::Permit;
use tuner_policy::Scope;
use tuner_policy::chat::{CallState, Command, Cost, Edited, Grant, Limits, Proposal, Verdict};
use tuner_store::CallRow;
use uuid::Uuid;

use super::Desk;
use crate::error::AgentError;
use crate::point::Point;
use crate::tools::digest;

/// What a person says of one call.
#[derive(Clone, Debug, PartialEq)]
pub enum Approval {
    /// It may happen.
    Approve {
        /// What the person saw.
        digest: String,
        /// Arguments in place of the model's.
        edited: Option<Value>,
    },
    /// It may not.
    Deny {
        /// Why, for the model.
        reason: Option<String>,
        /// The run ends too.
        stop: bool,
    },
}

/// Standing leave that a person wants to give.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GrantWish {
    /// For what.
    pub scopes: Vec<String>,
    /// Until when; absent: until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
    /// For these tools only.
    pub tool: Option<String>,
    /// For this task only: id, name or beginning of an id.
    pub task: Option<String>,
    /// No further than this.
    pub limits: Limits,
}

impl Desk {
    /// Decides about a call. Deciding the same again is the same.
    ///
    /// # Errors
    /// [`AgentError::NoSuchSession`]; [`AgentError::OwnClient`]; [`tuner_store::StoreError::Refused`] if it was decided
    /// otherwise, or shows something else.
    pub async fn decide(
        &self,
        permit: &Permit,
        session: &str,
        call: Uuid,
        approval: Approval,
    ) -> Result<CallRow, AgentError> {
        let id = self.to_decide(permit, session).await?.id;
        let row = self.call(id, call).await?;
        let (by, run) = (permit.asker().describe(), row.call.run);
        match approval {
            Approval::Approve { digest, edited } => {
                let edited = match edited {
                    Some(arguments) => Some(self.edited(&row, arguments).await?),
                    None => None,
                };
                let approve = Command::Approve { call, digest, edited, by: by.clone() };
                self.0.store().apply(run, approve, self.0.rules()).await?;
                self.0.reach(Point::Decided);
                self.approve_plan(&row, id, by).await?;
            }
            Approval::Deny { reason, stop } => {
                let reason = reason.map(|reason| self.0.redactor().clean(&reason));
                self.0.store().apply(run, Command::Deny { call, reason, by }, self.0.rules()).await?;
                if stop {
                    self.stop_run(permit, id).await?;
                }
            }
        }
        self.call(id, call).await
    }

    /// What a person wants done in place of what the model proposed.
    async fn edited(&self, row: &CallRow, arguments: Value) -> Result<Edited, AgentError> {
        let invalid = |message: String| AgentError::Invalid { field: "edited", message };
        let tool = self.0.tools().find(&row.call.tool).ok_or_else(|| invalid("the tool is gone".to_owned()))?;
        let intent = tool.intent(&arguments).map_err(invalid)?;
        let run = self.0.store().chat_run(row.call.run).await?;
        let forecast = self.0.forecast(run.session, &run.asker, row.call.id, tool, arguments.clone()).await;
        let proposal = Proposal {
            task: self.0.task_of(&intent).await,
            cost: forecast.map_or(Cost::default(), |forecast| forecast.cost),
            digest: digest(tool.name, &arguments),
            arguments: arguments.to_string(),
            verdict: Verdict::Sound,
            ..Proposal::from(&row.call)
        };
        Ok(Edited { proposal: Box::new(proposal) })
    }

    /// Leave for a plan is leave for its calls, each once.
    async fn approve_plan(&self, row: &CallRow, session: Uuid, by: String) -> Result<(), AgentError> {
        if row.call.scope != Some(Scope::Plan) || row.call.state != CallState::AwaitingAuthorization {
            return Ok(());
        }
        let row = self.call(session, row.call.id).await?;
        let plan: Value = serde_json::from_str(&row.call.arguments).unwrap_or_default();
        let calls = crate::tools::planned(&plan);
        let grant = Grant { calls: Some(calls), ..Grant::new(row.call.id, Scope::Plan, by, Utc::now()) };
        self.0.store().grant(session, grant, self.0.rules()).await?;
        Ok(())
    }

    /// Gives standing leave; waiting calls that it covers begin. Gives the calls that it let go on.
    ///
    /// # Errors
    /// [`AgentError::NoSuchScope`] before anything is granted; [`AgentError::NoSuchSession`].
    pub async fn grant(
        &self,
        permit: &Permit,
        session: &str,
        wish: &GrantWish,
    ) -> Result<(Vec<Scope>, Vec<Uuid>), AgentError> {
        let id = self.to_decide(permit, session).await?.id;
        let scopes: Result<Vec<Scope>, String> = wish.scopes.iter().map(|word| word.parse()).collect();
        let mut scopes = scopes.map_err(AgentError::NoSuchScope)?;
        scopes.dedup();
        if scopes.is_empty() {
            return Err(AgentError::Invalid { field: "scopes", message: "name at least one".to_owned() });
        }
        if wish.expires_at.is_some_and(|at| at <= Utc::now()) {
            return Err(AgentError::Invalid { field: "expires_at", message: "it has passed".to_owned() });
        }
        let task = match &wish.task {
            Some(wanted) => Some(self.0.store().task(wanted).await?.id.to_string()),
            None => None,
        };
        let mut released = Vec::new();
        let made: Uuid = permit.makes();
        for (place, scope) in scopes.iter().enumerate() {
            // One id each, the same each time the request is sent.
            let grant = Grant {
                tool: wish.tool.clone(),
                task: task.clone(),
                limits: wish.limits,
                expires_at: wish.expires_at,
                ..Grant::new(
                    Uuid::from_u128(made.as_u128().wrapping_add(place as u128)),
                    *scope,
                    permit.asker().describe(),
                    Utc::now(),
                )
            };
            for what in self.0.store().grant(id, grant, self.0.rules()).await? {
                if let tuner_policy::chat::Happened::Decided(call) = what {
                    released.push(call);
                }
            }
        }
        self.0.reach(Point::Granted);
        Ok((scopes, released))
    }

    /// Takes leave back: all of a scope, or one grant.
    ///
    /// # Errors
    /// [`tuner_store::StoreError::Refused`] if there is none; [`AgentError::NoSuchScope`].
    pub async fn revoke(
        &self,
        permit: &Permit,
        session: &str,
        scope: Option<&str>,
        grant: Option<Uuid>,
    ) -> Result<(), AgentError> {
        let id = self.to_decide(permit, session).await?.id;
        let scope = scope.map(|word| word.parse()).transpose().map_err(AgentError::NoSuchScope)?;
        self.0.store().revoke(id, grant, scope).await?;
        Ok(())
    }
}
