//! Asking the model, and writing down what it answered and what may become of the calls in it.

use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tuner_core::with_causes;
use tuner_llm::{ChatRequest, Delta, Reply, ToolCall};
use tuner_policy::chat::{Command, Cost, Proposal, Risk, RunState, Verdict};
use tuner_store::{CallResult, ChatRun, ChatUsage, Conversation, MessageBody, NewAnswer, NewCall, StoreError};
use uuid::Uuid;

use crate::context::{self, BYTES_PER_TOKEN};
use crate::driver::{Agent, unless_refused};
use crate::live::LiveEvent;
use crate::point::Point;
use crate::prompt;
use crate::redact::Pieces;
use crate::tools::{Cx, ToolError, digest};

/// The context of a model that nothing is known of, in tokens.
const CONTEXT: u32 = 32_768;
/// How long finding out what a call would do may take.
const DRY_RUN: Duration = Duration::from_secs(10);

impl Agent {
    /// Asks the model once.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn think(&self, run: &ChatRun, stop: &CancellationToken) -> Result<(), StoreError> {
        let (store, id, session) = (self.store(), run.run.id, run.session);
        store.apply(id, Command::Think, self.rules()).await?;
        self.reach(Point::Asking);
        let talk = store.conversation(session).await?;
        let Some(model) = self.model() else {
            let why = format!("no chat model is set: {} missing", self.connection().missing.join(", "));
            return self.give_up(session, id, RunState::Failed, &why).await;
        };
        let system = prompt::system(self.tools(), talk.session.mode);
        let tools: Vec<_> = self.tools().iter().map(|tool| tool.spec()).collect();
        let standing = system.len()
            + tools.iter().map(|tool| tool.description.len() + tool.parameters.to_string().len()).sum::<usize>();
        let room = model.provider().context_tokens.unwrap_or(CONTEXT) as usize;
        if standing / BYTES_PER_TOKEN > room {
            let why = format!(
                "the description of {} tools takes about {} tokens, and the model's context has {room}: name fewer in \
                 AGENT_TOOLS, or take a model with a larger context and say so in AGENT_CONTEXT_TOKENS",
                tools.len(),
                standing / BYTES_PER_TOKEN,
            );
            return self.give_up(session, id, RunState::Failed, &why).await;
        }
        let context = context::build(store, &talk, room, standing).await;
        if let Some(compacted) = &context.compacted {
            store.compact_session(session, &compacted.summary, compacted.up_to, compacted.dropped.clone()).await?;
        }
        let request = ChatRequest { system: system + &context.state, messages: context.messages, tools };
        let message = Uuid::now_v7();
        self.live().begin(session, id, message);
        let reply = tokio::select! {
            reply = self.hear(&model, &request, session, message) => Some(reply),
            // The connection is closed with the future.
            () = stop.cancelled() => None,
        };
        let done = match reply {
            // A stop is in the store already; another cause is a new start.
            None => store.apply(id, Command::AskAgain, self.rules()).await.map(drop),
            Some(Ok(reply)) => self.write_down(run, &talk, message, reply).await,
            Some(Err(error)) => {
                tracing::warn!(error = %with_causes(&error), "the model was not reached");
                let text = self.redactor().clean(&format!("{}; {}", with_causes(&error), error.hint()));
                self.give_up(session, id, RunState::Failed, &text).await
            }
        };
        self.live().end(session);
        done
    }

    /// Asks, and tells whoever watches what comes.
    async fn hear(
        &self,
        model: &tuner_llm::ChatModel,
        request: &ChatRequest,
        session: Uuid,
        message: Uuid,
    ) -> Result<Reply, tuner_llm::LlmError> {
        let live = self.live();
        let (mut text, mut reasoning) = (Pieces::new(&self.redactor()), Pieces::new(&self.redactor()));
        let mut told = |delta: Delta| match delta {
            Delta::Text(piece) => {
                live.text(session, message, text.take(&piece));
                self.reach(Point::FirstPiece);
            }
            Delta::Reasoning(piece) => live.reasoning(session, message, reasoning.take(&piece)),
            Delta::CallBegun { name, .. } => live.calling(session, message, name),
            Delta::CallArguments { .. } => {}
            Delta::Retrying { attempt, after, why } => {
                let why = self.redactor().clean(&why);
                live.tell(session, LiveEvent::Retrying { attempt, after_s: after.as_secs_f64(), why });
            }
        };
        let reply = model.ask(request, &mut told).await;
        live.text(session, message, text.end());
        live.reasoning(session, message, reasoning.end());
        reply
    }

    async fn write_down(
        &self,
        run: &ChatRun,
        talk: &Conversation,
        message: Uuid,
        reply: Reply,
    ) -> Result<(), StoreError> {
        let mut calls = Vec::new();
        for (place, call) in reply.calls.into_iter().enumerate() {
            calls.push(self.propose(run.session, &run.asker, place, call).await);
        }
        let usage = reply.usage.map_or(ChatUsage { untold: 1, ..ChatUsage::default() }, |used| ChatUsage {
            input_tokens: used.input_tokens,
            cached_tokens: used.cached_tokens,
            output_tokens: used.output_tokens,
            reasoning_tokens: used.reasoning_tokens,
            untold: 0,
        });
        // A person decided something since the last answer.
        let authorized = talk.calls.iter().any(|row| {
            let decided = row.call.decided.as_ref();
            row.call.run == run.run.id && row.call.step == run.run.steps && decided.is_some_and(|d| d.by.is_some())
        });
        let body = MessageBody {
            text: self.redactor().clean(&reply.text),
            reasoning: self.redactor().clean(&reply.reasoning),
            model: Some(reply.model),
            usage: Some(usage),
            post_authorization: authorized,
            feedback: None,
        };
        let answer = NewAnswer { message, body, usage, calls, patience: self.patience() };
        self.reach(Point::Answered);
        // It may have been stopped while the answer was on its way.
        unless_refused(self.store().answer(run.run.id, answer, self.rules()).await)?;
        self.reach(Point::Written);
        Ok(())
    }

    /// What the policy looks at of a call, and what its card shows.
    pub(crate) async fn propose(&self, session: Uuid, asker: &Value, place: usize, call: ToolCall) -> NewCall {
        let id = Uuid::now_v7();
        // What is executed must be what is shown and stored, so a secret in it is removed before all three.
        let text = self.redactor().clean(&call.arguments);
        let text = if text.trim().is_empty() { "{}".to_owned() } else { text };
        let parsed: Result<Value, _> = serde_json::from_str(&text);
        let mut proposal = Proposal {
            id,
            tool: call.name.clone(),
            scope: None,
            risk: Risk::Reads,
            task: None,
            cost: Cost::default(),
            digest: digest(&call.name, parsed.as_ref().unwrap_or(&Value::String(text.clone()))),
            arguments: text,
            repeatable: true,
            verdict: Verdict::Sound,
        };
        let unfit = |code: &'static str, message: String| {
            let document = ToolError::Other { code, message, hint: None }.document();
            let text = document.to_string();
            CallResult { success: false, bytes: text.len() as u64, text, cut: false, untrusted: false }
        };
        let fail = |mut proposal: Proposal, result: CallResult, provider_id: String| {
            proposal.verdict = Verdict::Unfit;
            NewCall { proposal, provider_id, effects: None, unfit: Some(result) }
        };
        if place >= self.settings().bounds.calls {
            let most = self.settings().bounds.calls;
            return fail(
                proposal,
                unfit("too_many_calls", format!("at most {most} calls in one answer are done")),
                call.id,
            );
        }
        let Some(tool) = self.tools().find(&call.name) else {
            let known: Vec<&str> = self.tools().iter().map(|tool| tool.name).collect();
            let message = format!("there is no tool {:?}; there are {}", call.name, known.join(", "));
            return fail(proposal, unfit("not_available", message), call.id);
        };
        let arguments = match parsed {
            Ok(arguments) => arguments,
            Err(error) => {
                let message = format!("the arguments are not JSON: {error}");
                return fail(proposal, unfit("invalid_arguments", message), call.id);
            }
        };
        let intent = match tool.intent(&arguments) {
            Ok(intent) => intent,
            Err(message) => return fail(proposal, unfit("invalid_arguments", message), call.id),
        };
        proposal.scope = tool.scope;
        proposal.risk = tool.risk;
        proposal.repeatable = tool.repeatable;
        proposal.task = self.task_of(&intent).await;
        let mut effects = serde_json::json!({ "summary": intent.summary });
        if tool.scope.is_some() {
            match self.forecast(session, asker, id, tool, arguments).await {
                Ok(forecast) => {
                    proposal.cost = forecast.cost;
                    if let Some(more) = forecast.effects {
                        effects["would"] = more;
                    }
                }
                // The card says so; the call fails in the same way if it is done.
                Err(error) => effects["warning"] = with_causes(&error).into(),
            }
        }
        let effects = self.redactor().clean_json(&effects);
        NewCall { proposal, provider_id: call.id, effects: Some(effects), unfit: None }
    }

    pub(crate) async fn forecast(
        &self,
        session: Uuid,
        asker: &Value,
        call: Uuid,
        tool: &crate::tools::Tool,
        arguments: Value,
    ) -> Result<crate::tools::Forecast, ToolError> {
        let cx = self.cx(session, asker, call, CancellationToken::new())?;
        match tokio::time::timeout(DRY_RUN, tool.dry_run(cx, arguments)).await {
            Ok(forecast) => forecast,
            Err(_) => Err(ToolError::TimedOut(DRY_RUN.as_secs())),
        }
    }

    /// Ends a run that cannot go on, with a line that says why.
    pub(crate) async fn give_up(&self, session: Uuid, run: Uuid, state: RunState, why: &str) -> Result<(), StoreError> {
        self.store().note_in_session(session, Some(run), why).await?;
        unless_refused(
            self.store().apply(run, Command::Finish { state, why: Some(why.to_owned()) }, self.rules()).await,
        )
    }

    pub(crate) fn cx(
        &self,
        session: Uuid,
        asker: &Value,
        call: Uuid,
        stop: CancellationToken,
    ) -> Result<Cx, ToolError> {
        let asker = serde_json::from_value(asker.clone())
            .map_err(|error| ToolError::Invalid(format!("who asked is not known: {error}")))?;
        Ok(Cx {
            service: self.service().clone(),
            asker,
            session,
            call,
            stop,
            live: self.live().clone(),
            settings: self.settings().clone(),
        })
    }
}
