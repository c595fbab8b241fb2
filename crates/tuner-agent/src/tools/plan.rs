//! The conversation itself: reading long results, and plans that are approved as one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tuner_policy::Scope;
use tuner_policy::chat::{Cost, Risk};

use super::{Cx, Forecast, Group, Intent, Kind, Registry, Tool, ToolError, digest, does};

/// Bytes that one read gives.
const PART: usize = 14 << 10;
/// Calls of one plan.
const MOST: usize = 30;

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::of::<Read>(), Tool::of::<Plan>()]
}

struct Read;

/// Read a part of a long tool result of this conversation that was cut.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadArgs {
    /// The call whose result it is, as the cut result names it.
    call_id: String,
    /// Where to begin, in bytes. Default 0.
    #[serde(default)]
    offset: usize,
    /// Only lines with this in them.
    contains: Option<String>,
}

impl Kind for Read {
    const NAME: &'static str = "read_result";
    const GROUP: Group = Group::Chat;
    const UNTRUSTED: bool = true;
    type Args = ReadArgs;

    fn intent(_: &ReadArgs) -> Intent {
        does("Read on in a long result")
    }

    async fn run(cx: Cx, arguments: ReadArgs) -> Result<Value, ToolError> {
        let id = arguments.call_id.trim().parse();
        let id = id.map_err(|_| ToolError::Invalid(format!("{:?} is no id of a call", arguments.call_id)))?;
        let whole = cx.store().call_output(cx.session, id).await?;
        // Results are documents of one line; as written for people they have lines.
        let whole = match serde_json::from_str::<Value>(&whole) {
            Ok(document) => serde_json::to_string_pretty(&document).unwrap_or(whole),
            Err(_) => whole,
        };
        let whole = match &arguments.contains {
            Some(text) => {
                let lines: Vec<&str> = whole.lines().filter(|line| line.contains(text.as_str())).collect();
                lines.join("\n")
            }
            None => whole,
        };
        let from = whole.ceil_char_boundary(arguments.offset);
        let to = whole.ceil_char_boundary(arguments.offset.saturating_add(PART));
        let next = (to < whole.len()).then_some(to);
        Ok(json!({ "bytes": whole.len(), "offset": from, "next_offset": next, "text": whole[from..to] }))
    }
}

struct Plan;

/// Propose several calls that need permission as one plan. If the user approves it, each of exactly these calls, with
/// exactly these arguments, may be made once without asking again. Make them yourself afterwards.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanArgs {
    /// What the plan is for, in one sentence.
    purpose: String,
    /// The calls, in order; at most 30.
    calls: Vec<PlannedCall>,
}

/// One call of a plan.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlannedCall {
    /// The tool.
    tool: String,
    /// Its arguments, exactly as they will be.
    #[serde(default)]
    arguments: Map<String, Value>,
}

impl Kind for Plan {
    const NAME: &'static str = "propose_plan";
    const GROUP: Group = Group::Chat;
    const SCOPE: Option<Scope> = Some(Scope::Plan);
    const RISK: Risk = Risk::Shared;
    type Args = PlanArgs;

    fn intent(arguments: &PlanArgs) -> Intent {
        does(format!("Carry out a plan of {} calls", arguments.calls.len()))
    }

    async fn dry_run(_: Cx, arguments: PlanArgs) -> Result<Forecast, ToolError> {
        let known = Registry::all();
        let mut lines = Vec::new();
        for call in &arguments.calls {
            let value = Value::Object(call.arguments.clone());
            let said = match known.find(&call.tool) {
                None => json!({ "tool": call.tool, "problem": "there is no such tool" }),
                Some(tool) => match tool.intent(&value) {
                    Ok(intent) => json!({ "tool": call.tool, "does": intent.summary, "scope": tool.scope }),
                    Err(problem) => json!({ "tool": call.tool, "problem": problem }),
                },
            };
            lines.push(said);
        }
        Ok(Forecast { effects: Some(json!({ "calls": lines })), cost: Cost::default() })
    }

    async fn run(_: Cx, arguments: PlanArgs) -> Result<Value, ToolError> {
        if arguments.calls.is_empty() || arguments.calls.len() > MOST {
            return Err(ToolError::Invalid(format!("calls: give 1 to {MOST}")));
        }
        Ok(json!({ "approved_calls": arguments.calls.len(), "next": "make the calls, exactly as planned" }))
    }
}

/// The digests of the calls of a plan.
pub(crate) fn planned(arguments: &Value) -> Vec<String> {
    let calls = arguments["calls"].as_array().into_iter().flatten().take(MOST);
    let digests = calls.filter_map(|call| {
        let arguments = call.get("arguments").cloned().unwrap_or_else(|| json!({}));
        Some(digest(call["tool"].as_str()?, &arguments))
    });
    digests.collect()
}
