//! The connection test: what works, what does not, and what to do about it, one sentence each.
//!
//! *Invariant*: at most three requests, and every step has a finding; a step that could not be tried says so.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Told;
use crate::{ChatMessage, ChatModel, ChatRequest, Delta, LlmError, Provider, ProviderKind, Reply, ToolSpec};

/// How long the list of models may take.
const LIST_WAIT: Duration = Duration::from_secs(15);
/// Names of models that are shown.
const SHOWN: usize = 8;
/// The tool that the model is asked to call.
const TOOL: &str = "report_ready";

/// What the test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// One for each step, in order.
    pub findings: Vec<Finding>,
    /// The models that the server lists, if it lists any.
    pub models: Vec<String>,
    /// The model's window in tokens, if the server says it.
    pub context_tokens: Option<u64>,
}

/// What one step found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The step.
    pub step: CheckStep,
    /// How it went.
    pub verdict: Verdict,
    /// One sentence.
    pub says: String,
    /// What to do, if anything.
    pub to_do: Option<String>,
}

/// What is tried, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStep {
    /// Something answers at the address.
    Reachable,
    /// It takes the key.
    Authorised,
    /// It has the model.
    ModelKnown,
    /// It sends its answer piece by piece.
    Streams,
    /// The model calls a tool when asked to.
    CallsTools,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It works.
    Good,
    /// It works in part; the agent copes.
    Fair,
    /// It does not work.
    Bad,
    /// It was not tried, because of an earlier finding.
    Untried,
}

impl Check {
    /// Whether the model can be used.
    pub fn is_usable(&self) -> bool {
        self.findings.iter().all(|finding| matches!(finding.verdict, Verdict::Good | Verdict::Fair))
    }

    /// The finding of a step.
    pub fn of(&self, step: CheckStep) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.step == step)
    }

    fn add(&mut self, step: CheckStep, verdict: Verdict, says: impl Into<String>, to_do: Option<String>) {
        self.findings.push(Finding { step, verdict, says: says.into(), to_do });
    }

    fn good(&mut self, step: CheckStep, says: impl Into<String>) {
        self.add(step, Verdict::Good, says, None);
    }

    /// The steps that led to the error, and those that cannot be tried any more.
    fn ended_by(mut self, error: &LlmError) -> Self {
        let broken = match error {
            LlmError::Unreachable { .. } | LlmError::Silent { .. } | LlmError::Settings { .. } => CheckStep::Reachable,
            LlmError::Unauthorised { .. } | LlmError::Quota { .. } => CheckStep::Authorised,
            LlmError::ModelUnknown { .. } => CheckStep::ModelKnown,
            _ => CheckStep::Streams,
        };
        self.findings.retain(|finding| finding.step < broken);
        for step in [
            CheckStep::Reachable,
            CheckStep::Authorised,
            CheckStep::ModelKnown,
            CheckStep::Streams,
            CheckStep::CallsTools,
        ] {
            match step.cmp(&broken) {
                std::cmp::Ordering::Less if self.of(step).is_none() => self.good(step, "it answers"),
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => self.add(step, Verdict::Bad, error.to_string(), Some(error.hint())),
                std::cmp::Ordering::Greater => self.add(step, Verdict::Untried, "not tried", None),
            }
        }
        self
    }
}

impl ChatModel {
    /// Tries the connection with the list of models and one short question.
    pub async fn check(&self) -> Check {
        let mut check = Check { findings: Vec::new(), models: Vec::new(), context_tokens: None };
        let path = if self.provider.kind == ProviderKind::Anthropic { "v1/models" } else { "models" };
        let listed = match self.wire.get(path, LIST_WAIT.min(self.provider.limits.first_byte)).await {
            Ok(page) => serde_json::from_slice::<Value>(&page).ok(),
            // Not every server lists its models; the question decides.
            Err(failed) if matches!(failed.error, LlmError::Refused { .. } | LlmError::ServerFailed { .. }) => None,
            Err(failed) => return check.ended_by(&failed.error),
        };
        let host = self.wire.host();
        check.good(CheckStep::Reachable, format!("{host} answers"));
        self.take_list(listed.as_ref(), &mut check);

        let (answer, pieces) = self.short_question(true).await;
        match answer {
            Ok(reply) => {
                self.found_model(&mut check, &reply);
                self.found_stream(&mut check, &reply, pieces);
                self.found_tools(&mut check, &reply);
                check
            }
            Err(error @ (LlmError::Refused { .. } | LlmError::OffSchema { .. })) => {
                let (plain, pieces) = self.short_question(false).await;
                match plain {
                    Ok(reply) => {
                        self.found_model(&mut check, &reply);
                        self.found_stream(&mut check, &reply, pieces);
                        let to_do = Some("use a model that can call tools; this one can only talk".to_owned());
                        check.add(CheckStep::CallsTools, Verdict::Bad, error.to_string(), to_do);
                        check
                    }
                    Err(error) => check.ended_by(&error),
                }
            }
            Err(error) => check.ended_by(&error),
        }
    }

    /// The answer, and the number of pieces that it came in.
    async fn short_question(&self, with_tool: bool) -> (Result<Reply, LlmError>, usize) {
        let tool = ToolSpec {
            name: TOOL.into(),
            description: "Reports that the connection works.".into(),
            parameters: json!({"type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"]}),
        };
        let text = if with_tool {
            format!("This is a connection test. Call the tool {TOOL} with ready = true.")
        } else {
            "This is a connection test. Answer with the word ready.".to_owned()
        };
        let request = ChatRequest {
            system: String::new(),
            messages: vec![ChatMessage::User { text }],
            tools: if with_tool { vec![tool] } else { Vec::new() },
        };
        let mut pieces = 0;
        let mut sink = |delta: Delta| pieces += usize::from(!matches!(delta, Delta::Retrying { .. }));
        let answer = if with_tool {
            self.ask(&request, &mut sink).await
        } else {
            self.question(&request, None, &mut Told::new(&mut sink)).await.map_err(|failed| failed.error)
        };
        (answer, pieces)
    }

    fn take_list(&self, listed: Option<&Value>, check: &mut Check) {
        let entries = listed.and_then(|list| list["data"].as_array()).cloned().unwrap_or_default();
        check.models = entries.iter().filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect();
        let own = entries.iter().find(|entry| entry["id"] == self.provider.model.as_str());
        let own = own.or_else(|| entries.first().filter(|_| entries.len() == 1));
        let window = ["/max_model_len", "/context_length", "/meta/n_ctx", "/max_input_tokens"];
        check.context_tokens = own.and_then(|entry| window.iter().find_map(|at| entry.pointer(at)?.as_u64()));
    }

    fn found_model(&self, check: &mut Check, reply: &Reply) {
        let Provider { model, api_key, .. } = &self.provider;
        check.good(CheckStep::Authorised, if api_key.is_some() { "the key is taken" } else { "it wants no key" });
        if check.models.is_empty() || check.models.contains(model) {
            check.good(CheckStep::ModelKnown, format!("{model} answers"));
            return;
        }
        let names: Vec<&str> = check.models.iter().take(SHOWN).map(String::as_str).collect();
        let says = format!("the server answers to {model:?} with {:?}, and lists {}", reply.model, names.join(", "));
        check.add(CheckStep::ModelKnown, Verdict::Fair, says, Some("set AGENT_MODEL to a listed name".into()));
    }

    fn found_tools(&self, check: &mut Check, reply: &Reply) {
        let by_schema = self.offers_tools_by_schema();
        if reply.calls.iter().any(|call| call.name == TOOL) {
            let way =
                if by_schema { "calls tools in the JSON form, because its server takes none" } else { "calls tools" };
            let verdict = if by_schema { Verdict::Fair } else { Verdict::Good };
            check.add(CheckStep::CallsTools, verdict, format!("the model {way}"), None);
            return;
        }
        let says = "the model answered without calling the tool that it was asked to call";
        let to_do = "expect it to answer without looking, or use a larger model";
        check.add(CheckStep::CallsTools, Verdict::Fair, says, Some(to_do.into()));
    }

    fn found_stream(&self, check: &mut Check, reply: &Reply, pieces: usize) {
        let (counts, to_do) = match reply.usage {
            Some(_) => ("with its token counts", None),
            None => ("without token counts", Some("budgets in tokens are estimates with this server".to_owned())),
        };
        if self.streams.load(Ordering::Relaxed) {
            let verdict = if to_do.is_none() { Verdict::Good } else { Verdict::Fair };
            check.add(CheckStep::Streams, verdict, format!("the answer came in {pieces} pieces, {counts}"), to_do);
            return;
        }
        let says = format!("the server sends its answer as a whole, {counts}");
        check.add(CheckStep::Streams, Verdict::Fair, says, to_do);
    }
}
